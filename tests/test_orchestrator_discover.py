"""Discovery over HTTP: traces, names and errors as AWS answers them."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aws.errors import AccountUnusable
from aws.session import AwsConfig, ReadSession
from domain.gap import GapReason
from domain.request import Target
from orchestrator.discover import READS, Discovery, discover
from orchestrator.errors import NothingToLookAt
from orchestrator.parse import parse
from sandbox.aws import LocalAws, faults, resources, signals
from sandbox.aws.resources import allow
from sandbox.aws.world import World
from tests.support.traces import call, document, function, put_item, raised

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def running() -> Iterator[LocalAws]:
    with LocalAws() as aws:
        yield aws


@pytest.fixture
def aws(running: LocalAws, monkeypatch: pytest.MonkeyPatch) -> LocalAws:
    running.reset()
    for name, value in running.environment().items():
        monkeypatch.setenv(name, value)
    return running


@pytest.fixture
def world(aws: LocalAws) -> World:
    return World(aws, NOW, seed="discover")


def found(text: str, *, region: str | None = None, **config: Any) -> Discovery:
    config = {"connect_timeout_seconds": 1, "max_attempts": 1, **config}
    with ThreadPoolExecutor(4) as pool:
        return discover(parse(text, now=NOW, region=region), ReadSession(AwsConfig(**config), READS), pool, now=NOW)


def trace_id(minutes: float = 10, number: int = 1) -> str:
    return f"1-{int((NOW - timedelta(minutes=minutes)).timestamp()):08x}-{number:024x}"


def send(world: World, *documents: dict[str, Any], id: str = "", **options: Any) -> str:
    id = id or trace_id()
    at = int(id[2:10], 16)
    sent = [{**d, "trace_id": id, "start_time": at, "end_time": at + 0.5} for d in documents]
    return signals.trace(world, sent, **options)


# --- traces


def test_more_ids_than_a_call_takes_are_read_in_batches(aws: LocalAws, world: World) -> None:
    ids = [send(world, function(f"f{n}"), id=trace_id(number=n)) for n in range(1, 8)]
    seen = found(" ".join(ids))

    assert {n.name for n in seen.graph.nodes} == {f"f{n}" for n in range(1, 8)}
    asked = [len(c.parameters["TraceIds"]) for c in aws.calls if c.operation == "BatchGetTraces"]
    assert asked == [5, 2]


def test_only_ten_traces_are_read_and_the_rest_is_a_gap(world: World) -> None:
    ids = [send(world, function(f"f{n}"), id=trace_id(number=n)) for n in range(1, 13)]
    seen = found(" ".join(ids))

    assert len(seen.graph.nodes) == 10
    assert [g.message for g in seen.gaps] == ["Only the first 10 of 12 traces were read: ask again about the others"]


def test_a_trace_that_comes_in_pages_is_read_whole(aws: LocalAws) -> None:
    id = trace_id()
    answer = {"UnprocessedTraceIds": [], "Traces": [_listed(id, document("one"))], "NextToken": "more"}
    aws.serve("xray", "BatchGetTraces", answer)
    aws.serve(
        "xray",
        "BatchGetTraces",
        {**answer, "Traces": [_listed(id, document("two"))], "NextToken": None},
        when={"NextToken": "more"},
    )

    assert {n.name for n in found(id).graph.nodes} == {"one", "two"}


def test_a_trace_without_an_id_of_its_own_is_known_by_its_documents(aws: LocalAws, world: World) -> None:
    one, two = trace_id(number=1), trace_id(number=2)
    traces = [{**_listed(id, document(id)), "Id": None} for id in (one, two)]
    aws.serve("xray", "BatchGetTraces", {"Traces": traces, "UnprocessedTraceIds": []})

    assert {n.name for n in found(f"{one} {two}").graph.nodes} == {one, two}


def _listed(id: str, segment: dict[str, Any]) -> dict[str, Any]:
    return {"Id": id, "Segments": [{"Id": segment["id"], "Document": json.dumps({**segment, "trace_id": id})}]}


def test_a_trace_that_x_ray_had_no_time_for_is_asked_for_again(aws: LocalAws, world: World) -> None:
    one = send(world, function("f"), id=trace_id(number=1))
    aws.serve(
        "xray",
        "BatchGetTraces",
        {"Traces": [], "UnprocessedTraceIds": [one]},
        when={"TraceIds": [one, trace_id(number=2)]},
    )
    send(world, function("g"), id=trace_id(number=2))
    seen = found(f"{one} {trace_id(number=2)}")

    assert "f" in {n.name for n in seen.graph.nodes}


def test_a_trace_over_x_rays_limit_is_read_and_said_to_be_partial(world: World) -> None:
    id = send(world, function("f"), over_limit=True)
    seen = found(id)

    assert [n.name for n in seen.graph.nodes] == ["f"]
    assert [(g.resource, g.message) for g in seen.gaps] == [(id, f"trace {id}: X-Ray returned a part of it only")]


def test_one_missing_trace_of_two_is_a_gap(world: World) -> None:
    here, gone = send(world, function("f")), trace_id(number=99)
    seen = found(f"{here} {gone}")

    assert [(g.resource, g.reason) for g in seen.gaps] == [(gone, GapReason.NOT_FOUND)]


@pytest.mark.parametrize(
    ("minutes", "advice"),
    [
        (0.5, "run it again in a minute"),
        (30, "check the account and the Region"),
        (60 * 24 * 40, "X-Ray keeps traces for 30 days"),
        (-60 * 24 * 365, "check the account and the Region"),
    ],
)
def test_a_missing_trace_is_explained_by_its_age(aws: LocalAws, minutes: float, advice: str) -> None:
    with pytest.raises(NothingToLookAt, match=advice) as nothing:
        found(trace_id(minutes))

    assert "in eu-west-1 of account 123456789012" in str(nothing.value)


def test_the_region_beside_the_id_is_where_it_is_looked_for(aws: LocalAws, world: World) -> None:
    id = send(World(aws, NOW, seed="x", region="us-east-2"), function("f"))

    assert found(f"{id} in us-east-2").region == "us-east-2"


def test_a_linked_trace_is_followed_one_hop(world: World) -> None:
    third = send(world, function("third"), id=trace_id(number=3))
    second = send(world, function("second", links=[{"trace_id": third}]), id=trace_id(number=2))
    first = send(
        world, function("first", links=[{"trace_id": second}, {"trace_id": "nonsense"}]), id=trace_id(number=1)
    )

    assert {n.name for n in found(first).graph.nodes} == {"first", "second"}


def test_the_window_lies_around_the_trace_not_around_now(world: World) -> None:
    id = send(world, function("f"), id=trace_id(minutes=600))
    window = found(id).window

    began = NOW - timedelta(minutes=600)
    assert window.start == began - timedelta(minutes=15)
    assert window.end == began + timedelta(minutes=5, milliseconds=500)


def test_an_arn_that_only_an_error_names_joins_the_graph(world: World) -> None:
    secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:orders-AbCdEf"
    denied = call(
        "SecretsManager",
        "GetSecretValue",
        status=400,
        error=True,
        cause=raised("AccessDeniedException", f"not authorized on resource: {secret}"),
    )
    seen = found(send(world, function("f", denied, fault=True)))

    assert (seen.graph.nodes[0].id, secret) in {(e.source, e.target) for e in seen.graph.edges}


def test_secrets_in_a_trace_are_redacted_before_anybody_sees_them(world: World) -> None:
    key = "AKIA" + "Q3EGRZ7J2NBX5KLW"
    failed = put_item(status=400, error=True, cause=raised("ValueError", f"password=hunter2secret {key}"))
    seen = found(send(world, function("f", failed, fault=True)))
    text = "".join(str(e.dump()) for e in seen.trace)

    assert key not in text
    assert "hunter2secret" not in text


def test_failing_neighbours_of_a_healthy_trace_are_offered(world: World) -> None:
    bad = send(world, function("f", fault=True), id=trace_id(number=2))

    assert found(send(world, function("f"))).nearby == (bad,)


# --- names


@pytest.fixture
def system(world: World) -> World:
    role = resources.role(world, "orders-role", allow("logs:PutLogEvents"))
    resources.function(world, "orders-fn", role=role)
    resources.table(world, "orders")
    resources.queue(world, "orders-q")
    signals.alarm(world, "orders-errors", "AWS/Lambda", "Errors", {"FunctionName": "orders-fn"}, threshold=1)
    signals.alarm(world, "gone-errors", "AWS/Lambda", "Errors", {"FunctionName": "gone-fn"}, threshold=1)
    signals.alarm(world, "custom", "Shop", "Carts", {"Shop": "a"}, threshold=1)
    return world


@pytest.mark.parametrize(
    ("text", "id"),
    [
        ("function orders-fn", "arn:aws:lambda:eu-west-1:123456789012:function:orders-fn"),
        ("table orders", "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"),
        ("queue orders-q", "arn:aws:sqs:eu-west-1:123456789012:orders-q"),
        ("role orders-role", "arn:aws:iam::123456789012:role/orders-role"),
        ("alarm orders-errors", "arn:aws:lambda:eu-west-1:123456789012:function:orders-fn"),
        ("orders-errors", "arn:aws:lambda:eu-west-1:123456789012:function:orders-fn"),
        ("orders-q", "arn:aws:sqs:eu-west-1:123456789012:orders-q"),
        ("alarm custom", "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:custom"),
    ],
)
def test_a_name_that_exists_is_its_resource(system: World, text: str, id: str) -> None:
    assert [n.id for n in found(text).graph.nodes] == [id]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("function nope", "No Lambda function “nope” in eu-west-1 of account 123456789012"),
        ("table nope", "No DynamoDB table “nope”"),
        ("queue nope", "No SQS queue “nope”"),
        ("topic nope", "No SNS topic “nope”"),
        ("bucket no/pe", "No S3 bucket “no/pe”"),
        ("alarm nope", "No alarm “nope”"),
        ("alarm gone-errors", "No Lambda function “gone-fn”"),
        ("nope", "No resource “nope”"),
        ("state machine nope", "No state machine “nope”"),
    ],
)
def test_a_name_that_does_not_exist_is_said_with_where_it_was_looked_for(
    system: World, text: str, sentence: str
) -> None:
    with pytest.raises(NothingToLookAt, match=sentence):
        found(text)


@pytest.mark.parametrize("name", ["", "a" * 600, "ü b/../..", "arn:aws:lambda:x"])
@pytest.mark.parametrize(
    "service", ["lambda", "dynamodb", "sqs", "sns", "s3", "iam", "stepfunctions", "eventbridge", "alarm", "apigateway"]
)
def test_an_impossible_name_is_not_found_and_never_an_exception(aws: LocalAws, service: str, name: str) -> None:
    request = parse("x-name", now=NOW).model_copy(update={"targets": (Target(service=service, name=name),)})
    with ThreadPoolExecutor(2) as pool, pytest.raises(NothingToLookAt) as nothing:
        discover(request, ReadSession(AwsConfig(max_attempts=1), READS), pool, now=NOW)

    assert nothing.value.gaps


# --- what AWS refuses


def test_a_denied_trace_names_the_action_to_grant(aws: LocalAws) -> None:
    aws.inject("xray", "BatchGetTraces", faults.ACCESS_DENIED)
    with pytest.raises(NothingToLookAt, match="grant xray:BatchGetTraces") as nothing:
        found(trace_id())

    assert [(g.reason, g.action) for g in nothing.value.gaps] == [(GapReason.ACCESS_DENIED, "xray:BatchGetTraces")]


def test_a_denied_trace_does_not_hide_a_named_function(aws: LocalAws, system: World) -> None:
    aws.inject("xray", "BatchGetTraces", faults.ACCESS_DENIED)
    seen = found(f'{{"function_name": "orders-fn", "xray_trace_id": "{trace_id()}"}}')

    assert [n.name for n in seen.graph.nodes] == ["orders-fn"]
    assert [g.action for g in seen.gaps] == ["xray:BatchGetTraces"]


@pytest.mark.parametrize(
    ("text", "service", "operation", "action"),
    [
        ("function f", "lambda", "GetFunctionConfiguration", "lambda:GetFunctionConfiguration"),
        ("queue q", "sqs", "GetQueueUrl", "sqs:GetQueueUrl"),
        ("role r", "iam", "GetRole", "iam:GetRole"),
        ("bucket some-bucket", "s3", "GetBucketLocation", "s3:GetBucketLocation"),
        ("api shop", "apigateway", "GetRestApis", "apigateway:GET"),
        ("alarm orders-5xx", "cloudwatch", "DescribeAlarms", "cloudwatch:DescribeAlarms"),
    ],
)
def test_a_denied_name_names_the_action_to_grant(
    aws: LocalAws, text: str, service: str, operation: str, action: str
) -> None:
    aws.inject(service, operation, faults.ACCESS_DENIED)
    with pytest.raises(NothingToLookAt, match=f"grant {action}") as nothing:
        found(text)

    assert nothing.value.gaps[0].action == action


@pytest.mark.parametrize("text", [trace_id(), "function f", "role r"], ids=["trace", "function", "role"])
def test_an_expired_token_stops_with_what_to_do(aws: LocalAws, text: str) -> None:
    aws.inject("*", "*", faults.EXPIRED_TOKEN)

    with pytest.raises(AccountUnusable, match="AWS refused the credentials .* Renew"):
        found(text)


def test_an_unreachable_endpoint_stops_with_what_to_do(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")

    with pytest.raises(AccountUnusable, match="AWS cannot be reached: .*AWS_ENDPOINT_URL"):
        found(trace_id())


def test_no_region_stops_with_what_to_do(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)

    with pytest.raises(AccountUnusable, match="No AWS Region is set"):
        found(trace_id())


def test_a_region_that_is_none_stops_with_what_to_do(aws: LocalAws) -> None:
    with pytest.raises(AccountUnusable, match="Check AWS_REGION or --region"):
        found(trace_id(), region="not a region")


def test_no_credentials_stop_with_what_to_do(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)

    with pytest.raises(AccountUnusable, match="No AWS credentials found"):
        found(trace_id())


def test_a_profile_that_does_not_exist_stops_with_what_to_do(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")

    with pytest.raises(AccountUnusable, match="Set AWS_PROFILE to a profile that exists"):
        found(trace_id())


def test_a_slow_answer_is_one_gap_not_the_end(aws: LocalAws, system: World) -> None:
    aws.inject("xray", "BatchGetTraces", faults.HANG)
    text = f'{{"function_name": "orders-fn", "xray_trace_id": "{trace_id()}"}}'
    seen = found(text, read_timeout_seconds=0.3)

    assert [g.reason for g in seen.gaps] == [GapReason.TIMED_OUT]


def test_a_throttled_trace_is_a_gap_that_says_so(aws: LocalAws) -> None:
    aws.inject("xray", "BatchGetTraces", faults.THROTTLED)
    with pytest.raises(NothingToLookAt) as nothing:
        found(trace_id())

    assert [g.reason for g in nothing.value.gaps] == [GapReason.THROTTLED]


def test_an_account_that_cannot_be_read_is_a_gap(aws: LocalAws, system: World) -> None:
    event = '{"AlarmName": "a", "NewStateValue": "ALARM", "AWSAccountId": "999999999999", "Trigger": {"Namespace": "AWS/Lambda", "Dimensions": [{"name": "FunctionName", "value": "orders-fn"}]}}'
    seen = found(event)

    assert [(g.resource, g.action) for g in seen.gaps] == [("999999999999", "sts:AssumeRole")]


def test_more_discoveries_than_threads_do_not_wait_for_each_other(aws: LocalAws, world: World) -> None:
    id = send(world, function("f"))
    session = ReadSession(AwsConfig(), READS)
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(discover, parse(id, now=NOW), session, pool, now=NOW) for _ in range(6)]

        assert [w.result(timeout=20).account for w in waiting] == ["123456789012"] * 6


def test_discovery_only_reads(aws: LocalAws, system: World, world: World) -> None:
    found(f"{send(world, function('f', put_item()))}")
    found("orders-q")

    assert aws.writes() == ()
