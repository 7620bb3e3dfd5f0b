"""What people paste becomes a request, or one sentence that says what to write instead."""

import contextlib
import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.alarm import AlarmReference, AlarmState
from domain.request import Request, Target, Trigger, TriggerKind
from domain.resource import ResourceType
from orchestrator.errors import UnusableInput
from orchestrator.parse import parse, request_of, trace_ids
from tests.support.timing import own_seconds

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
ID = "1-6740a1b2-1234567890abcdef12345678"
W3C = "6740a1b21234567890abcdef12345678"
OTHER = "1-6740a1b3-abcdef1234567890abcdef12"


def read(text: str, **options: str) -> Request:
    return parse(text, now=NOW, **options)


@pytest.mark.parametrize(
    "text",
    [
        ID,
        ID.upper(),
        f"  {ID}\n",
        f"`{ID}`",
        f"```{ID}```",
        f'"{ID}"',
        f"“{ID}”",
        f"({ID}).",
        f"trace:{ID}, please",
        ID.replace("-", "–"),
        W3C,
        W3C.upper(),
        f"trace_id={W3C}",
        f"Root={ID};Self=1-6740a1b9-ffffffffffffffffffffffff;Sampled=1",
        f"X-Amzn-Trace-Id: Self=1-6740a1b9-ffffffffffffffffffffffff;Root={ID};Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a:0",
        f"Root%3D{ID}%3BSampled%3D1",
        f"traceparent: 00-{W3C}-53995c3f42cd8ad8-01",
        f"XRAY TraceId: {ID}\tSegmentId: 53995c3f42cd8ad8\tSampled: true",
        f"https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#xray:traces/{ID}",
        f"https://eu-west-1.console.aws.amazon.com/xray/home?region=eu-west-1#/traces/{ID}?timeRange=PT5M",
        f"https://console.aws.amazon.com/cloudwatch/home?region=eu-west-1#servicelens:traces/{ID}",
        f"https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:x$3Fq$253D$2522{ID}$2522",
        f"<https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#xray:traces/{ID}|the trace>",
        f"<https://wiki.example.com/x|{ID}>",
        f'{{"traceId": "{ID}"}}',
        f'{{"deep": [{{"er": "Root={ID};Sampled=0"}}]}}',
        f'{ID} fails with {{"errorMessage": "boom"}}',
        f"{ID} and again {ID.upper()}",
    ],
)
def test_a_trace_id_is_found_in_any_wrapping(text: str) -> None:
    assert read(text).trace_ids == (ID,)


def test_several_ids_keep_their_order_and_stand_once() -> None:
    assert read(f"{OTHER}, {W3C} and {OTHER}").trace_ids == (OTHER, ID)


@pytest.mark.parametrize(
    "text",
    [
        f"https://eu-west-3.console.aws.amazon.com/cloudwatch/home?region=eu-west-3#xray:traces/{ID}",
        f"{ID} in eu-west-3",
        f'{{"primary_targets": [{{"name": "x", "region": "eu-west-3"}}], "trace_ids": ["{ID}"]}}',
    ],
)
def test_a_region_beside_the_id_is_used(text: str) -> None:
    assert read(text).region == "eu-west-3"


def test_the_region_option_wins_over_the_text() -> None:
    assert read(f"{ID} in eu-west-3", region="us-gov-west-1").region == "us-gov-west-1"


@pytest.mark.parametrize(
    "region", ["us-gov-west-1", "cn-northwest-1", "ap-southeast-4", "me-central-1", "eusc-de-east-1"]
)
def test_regions_of_every_partition_are_read_from_arns(region: str) -> None:
    partition = {"us-gov-west-1": "aws-us-gov", "cn-northwest-1": "aws-cn", "eusc-de-east-1": "aws-eusc"}.get(
        region, "aws"
    )

    assert read(f"arn:{partition}:lambda:{region}:123456789012:function:f").region == region


@pytest.mark.parametrize(
    ("text", "kind", "name", "qualifiers"),
    [
        ("arn:aws:lambda:eu-west-1:123456789012:function:orders:live", ResourceType.LAMBDA, "orders", ("live",)),
        ("arn:aws:lambda:eu-west-1:123456789012:function:orders:$LATEST", ResourceType.LAMBDA, "orders", ("$LATEST",)),
        ("arn:aws-cn:sqs:cn-north-1:123456789012:orders.fifo", ResourceType.QUEUE, "orders.fifo", ()),
        ("arn:aws:states:eu-west-1:123456789012:execution:m:run-1", ResourceType.EXECUTION, "run-1", ()),
        ("arn:aws:states:eu-west-1:123456789012:express:m:run:a1b2", ResourceType.EXECUTION, "run:a1b2", ()),
        ("arn:aws:states:eu-west-1:123456789012:stateMachine:m:7", ResourceType.STATE_MACHINE, "m", ("7",)),
        ("arn:aws:dynamodb:eu-west-1:123456789012:table/t/index/by-user", ResourceType.TABLE, "t", ("by-user",)),
        (
            "arn:aws:dynamodb:eu-west-1:123456789012:table/t/stream/2026-11-20T09:00:00.000",
            ResourceType.TABLE,
            "t",
            ("2026-11-20T09:00:00.000",),
        ),
        ("arn:aws:iam::123456789012:role/service-role/deep/orders", ResourceType.ROLE, "orders", ()),
        ("arn:aws:s3:::bucket/some/key.json", ResourceType.BUCKET, "bucket", ()),
        ("arn:aws:events:eu-west-1:123456789012:rule/bus/nightly", ResourceType.RULE, "nightly", ()),
        ("arn:aws-us-gov:sns:us-gov-west-1:123456789012:alerts", ResourceType.TOPIC, "alerts", ()),
        ("arn:aws:apigateway:eu-west-1::/restapis/a1b2c3/stages/prod", ResourceType.REST_API, "a1b2c3", ("prod",)),
        (
            "arn:aws:lambda:eu-west-1:123456789012:function:1-click-checkout",
            ResourceType.LAMBDA,
            "1-click-checkout",
            (),
        ),
    ],
)
def test_an_arn_names_one_resource(text: str, kind: ResourceType, name: str, qualifiers: tuple[str, ...]) -> None:
    (found,) = read(f"what is wrong with {text}?").resources

    assert (found.type, found.name, found.qualifiers) == (kind, name, qualifiers)


@pytest.mark.parametrize(
    ("text", "service", "name"),
    [
        ("function orders-fn", "lambda", "orders-fn"),
        ("lambda function orders-fn is slow", "lambda", "orders-fn"),
        ("DynamoDB table `orders`", "dynamodb", "orders"),
        ("why does queue orders.fifo back up?", "sqs", "orders.fifo"),
        ("state machine order-flow fails", "stepfunctions", "order-flow"),
        ("rule nightly", "eventbridge", "nightly"),
        ("function 1-click-checkout", "lambda", "1-click-checkout"),
        ("function <http://orders.fn|orders.fn>", "lambda", "orders.fn"),
        ("orders-fn", "", "orders-fn"),
        ('function orders-fn says {"errorMessage": "boom"}', "lambda", "orders-fn"),
    ],
)
def test_a_name_becomes_a_target(text: str, service: str, name: str) -> None:
    assert read(text).targets == (Target(service=service, name=name),)


ALARM_ARN = "arn:aws:cloudwatch:eu-west-3:123456789012:alarm:orders-5xx"


@pytest.mark.parametrize(
    ("text", "name", "region"),
    [
        ("the alarm orders-5xx", "orders-5xx", None),
        ("alarm “Orders API: 5xx > 10”", "Orders API: 5xx > 10", None),
        ('why did the alarm named "checkout 5xx" ring?', "checkout 5xx", None),
        (ALARM_ARN, "orders-5xx", "eu-west-3"),
        (f"{ALARM_ARN} last 2 hours", "orders-5xx", "eu-west-3"),
        (f"what about {ALARM_ARN}?", "orders-5xx", "eu-west-3"),
        (f"{ALARM_ARN} too high", "orders-5xx too high", "eu-west-3"),
    ],
)
def test_a_named_alarm_is_asked_about_in_its_last_alarm_state(text: str, name: str, region: str | None) -> None:
    asked = read(text)

    assert asked.alarm is not None
    assert (asked.alarm.name, asked.alarm.state, asked.alarm.at) == (name, AlarmState.ALARM, None)
    assert (asked.region, asked.targets) == (region, ())


def test_the_account_in_an_alarms_arn_is_where_it_is_looked_for() -> None:
    assert read(ALARM_ARN).account == "123456789012"
    assert read(f"{ID} {ALARM_ARN}").account is None


def test_a_second_alarm_is_asked_about_too() -> None:
    asked = read("alarm orders-5xx and alarm orders-slow")

    assert asked.alarm is not None
    assert asked.alarm.name == "orders-5xx"
    assert asked.targets == (Target(service="alarm", name="orders-slow"),)


def test_a_trigger_that_tells_of_an_alarm_asks_about_it_and_not_about_its_words() -> None:
    told = AlarmReference(
        name="orders-errors",
        state=AlarmState.ALARM,
        region="eu-west-3",
        account="123456789012",
        namespace="AWS/Lambda",
        metric="Errors",
        dimensions={"FunctionName": "orders-fn"},
    )
    asked = request_of(Trigger(kind=TriggerKind.ALARM_POST, text="orders-errors rang", alarm=told), now=NOW)

    assert asked.alarm == told
    assert asked.targets == (Target(service="lambda", name="orders-fn"),)
    assert (asked.region, asked.account, asked.trace_ids) == ("eu-west-3", "123456789012", ())


def test_a_trigger_without_an_alarm_asks_what_its_words_say() -> None:
    assert request_of(Trigger(kind=TriggerKind.MENTION, text=ID), now=NOW).trace_ids == (ID,)


@pytest.mark.parametrize("separator", [",", ", ", ";", "|", "\n", " and "])
def test_listed_arns_are_told_apart(separator: str) -> None:
    arns = [f"arn:aws:sqs:eu-west-1:123456789012:{name}" for name in ("a", "b", "c")]

    assert [r.id for r in read(separator.join(arns)).resources] == arns


@pytest.mark.parametrize("end", [".", "?", "!", ")", "”", "…", "'", ":"])
def test_punctuation_after_an_arn_is_not_its_part(end: str) -> None:
    arn = "arn:aws:sqs:eu-west-1:123456789012:orders"

    assert [r.id for r in read(f"what about {arn}{end}").resources] == [arn]


def test_words_after_a_kind_are_no_names() -> None:
    assert read("function orders-fn: the lambda is failing").targets == (Target(service="lambda", name="orders-fn"),)


def test_text_beside_an_id_is_kept_as_an_error_message() -> None:
    assert read(f"{ID} AccessDenied when reading").error_messages == ("AccessDenied when reading",)


@pytest.mark.parametrize(
    "text",
    [
        "1-6740a1b2-1234567890abcdef1234567",
        "1-6740a1b2-1234567890abcdef123456789",
        "1-6740a1bg-1234567890abcdef12345678",
        "1-6740a1b-1234567890abcdef12345678",
        "1-6740a1b2",
        "1-abc",
        "6740a1b2-1234567890abcdef12345678",
        W3C[:-1],
        W3C + "0",
        "1-00000000-000000000000000000000000",
        "trace 1-6740a1b2-1234567890abcdef1234567 of function orders-fn",
    ],
)
def test_a_malformed_trace_id_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(
        UnusableInput, match="is not a trace id: it takes 1-, 8 hex digits, -, and 24 hex digits"
    ) as refused:
        read(text)

    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "text", ["", "   ", "``", "\n", "help me please!", "🤷", "{}", "[1, 2]", '{"a": 1}', "<@U123>"]
)
def test_text_without_anything_to_look_at_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UnusableInput, match=re.escape("1-6740a1b2-1234567890abcdef12345678")):
        read(text)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        (f"{ID} since 2026-11-20T09:00Z", "2026-11-20T09:00:00+00:00", "2026-11-20T10:00:00+00:00"),
        (f"{ID} since 2026-11-20 09:00", "2026-11-20T09:00:00+00:00", "2026-11-20T10:00:00+00:00"),
        (f"{ID} since=2026-11-20T09:00 until=2026-11-20T09:30", "2026-11-20T09:00:00+00:00", "2026-11-20T09:30:00+00:00"),
        (f"{ID} since 2026-11-20T10:00+02:00 till 2026-11-20T11:00+02:00", "2026-11-20T08:00:00+00:00", "2026-11-20T09:00:00+00:00"),
        (f"{ID} until 2026-11-19T12:00Z", "2026-11-19T11:00:00+00:00", "2026-11-19T12:00:00+00:00"),
        (f"{ID} last 30 min", "2026-11-20T09:30:00+00:00", "2026-11-20T10:00:00+00:00"),
        (f"{ID} last 24 hours", "2026-11-19T10:00:00+00:00", "2026-11-20T10:00:00+00:00"),
        (f"{ID} in the past 2 hours", "2026-11-20T08:00:00+00:00", "2026-11-20T10:00:00+00:00"),
        (f"{ID} since 2026-11-18T09:00Z", "2026-11-18T09:00:00+00:00", "2026-11-18T15:00:00+00:00"),
    ],
)  # fmt: skip
def test_a_window_is_read_from_words(text: str, start: str, end: str) -> None:
    window = read(text).window

    assert window is not None
    assert (window.start.isoformat(), window.end.isoformat()) == (start, end)


def test_options_win_over_the_window_in_the_text() -> None:
    window = read(f"{ID} last 2 hours", since="2026-11-20T09:55:00Z").window

    assert window is not None
    assert window.seconds == timedelta(minutes=5).total_seconds()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"since": "yesterday"}, "--since takes an ISO 8601 time"),
        ({"until": "0001-01-01T00:00:00+23:59"}, "--until takes an ISO 8601 time"),
        ({"since": "2026-11-20T10:30Z"}, "must start before it ends"),
        ({"since": "2026-11-01T10:00Z", "until": "2026-11-19T10:00Z"}, "more than 7 days"),
    ],
)
def test_an_unusable_window_is_refused(options: dict[str, str], sentence: str) -> None:
    with pytest.raises(UnusableInput, match=sentence):
        read(ID, **options)


HOSTILE = [
    "1-" * 100_000,
    "a" * 200_000,
    "0" * 200_000,
    "arn:aws:lambda:" * 20_000,
    "<" * 200_000,
    "<a|" * 70_000,
    "{" * 200_000,
    '{"a":' * 40_000,
    "[" * 200_000,
    "&#" + "9" * 200_000 + ";",
    '{"a": ' + "9" * 90_000 + "}",
    "function " * 25_000,
    "function" + " " * 200_000,
    "last " * 40_000,
    "since " + " " * 200_000,
    "us-gov-" * 30_000,
    "Root=" * 40_000,
    "x-" * 100_000,
    "\ud800" * 200_000,
    "%3A" * 70_000,
    "alarm '" * 30_000,
    "alarm" + " " * 200_000,
    "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:" + " last" * 40_000,
]


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_huge_hostile_text_is_read_in_half_a_second(number: int) -> None:
    def work() -> None:
        with contextlib.suppress(UnusableInput):
            read(HOSTILE[number])

    assert own_seconds(work) < 0.5


PIECES = st.sampled_from([
    ID, W3C, OTHER, "1-6740a1b2-12345", "Root=", "Self=", ";", "-", "00-", "-53995c3f42cd8ad8-01", "function ", "table ", "`", "<", ">", "|",
    "{", "}", '"', ":", ",", "[", "]", "arn:aws:sqs:eu-west-1:123456789012:q", "arn:aws:", "since ", "until ", "last 3 h", "2026-11-20T09:00Z",
    "0001-01-01T00:00", "\\ud800", "&lt;", "&#55555555555555;", " ", "\n", "error", '"AlarmName"', '"NewStateValue"', '"detail-type"', "null",
    "123456789012", "²", "٣", "\x00", "\ud800", "us-east-1", "%3A", "$252F",
])  # fmt: skip


@given(st.one_of(st.text(max_size=300), st.lists(PIECES, max_size=25).map("".join)))
def test_parse_raises_nothing_but_unusable_input(text: str) -> None:
    try:
        found = read(text)
    except UnusableInput as refused:
        assert str(refused)
    else:
        assert found.trace_ids or found.resources or found.targets or found.alarm


@given(st.lists(PIECES, max_size=25).map("".join))
def test_trace_ids_are_never_invented(text: str) -> None:
    squeezed = text.lower().replace("-", "")

    assert all(found[2:].replace("-", "") in squeezed for found in trace_ids(text))


KEYS = st.sampled_from([
    "AlarmName", "NewStateValue", "NewStateReason", "alarmData", "alarmName", "value", "Trigger", "Dimensions", "Metrics", "MetricStat", "Metric", "Namespace", "StateChangeTime", "AlarmArn", "AWSAccountId",
    "detail-type", "detail", "configuration", "metrics", "metricStat", "metric", "dimensions", "state", "timestamp", "time", "region", "account",
    "source", "timeWindow", "start", "end", "service", "investigation_inputs", "primary_targets", "trace_ids", "error_messages", "function_name",
    "xray_trace_id", "free_text_input", "name", "type", "arn", "Message", "Type", "TopicArn",
])  # fmt: skip
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=12), st.sampled_from([ID, "0001-01-01T00:00:00", "\ud800"])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=5)),
    max_leaves=20,
)  # fmt: skip
KNOWN = st.sampled_from(
    [
        {"AlarmName": "a", "NewStateValue": "ALARM"},
        {"detail-type": "CloudWatch Alarm State Change"},
        {"alarmData": {"alarmName": "a"}},
        {"source": "opx.incidents"},
        {"trace_ids": []},
    ]
)


@given(KNOWN, st.dictionaries(KEYS, JSON, max_size=8))
def test_json_of_known_shape_with_any_content_raises_nothing_but_unusable_input(known: dict, content: dict) -> None:
    try:
        read(json.dumps({**content, **known}))
    except UnusableInput as refused:
        assert str(refused)
