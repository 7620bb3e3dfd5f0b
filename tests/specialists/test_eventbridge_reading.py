"""The pure readers: schedule expressions, event patterns, input templates, policies and error texts."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from specialists.eventbridge.pattern import changed_fields, why_never
from specialists.eventbridge.policy import Ask, lets_in
from specialists.eventbridge.schedule import (
    BadExpression,
    next_run,
    read_schedule,
    runs_between,
    skipped_between,
    zone_named,
)
from specialists.eventbridge.signs import Reading, read_text
from specialists.eventbridge.template import template_problem
from tests.specialists.eventbridge_building import QUEUE, RULE

NOW = datetime(2026, 11, 20, 9, 56, tzinfo=UTC)  # a Friday


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "following"),
    [
        ("cron(0 10 * * ? *)", "2026-11-20T10:00"),
        ("cron(0/15 * * * ? *)", "2026-11-20T10:00"),
        ("cron(56 9 * * ? *)", "2026-11-21T09:56"),
        ("cron(0 18 ? * MON-FRI *)", "2026-11-20T18:00"),
        ("cron(0 8 ? * mon-fri *)", "2026-11-23T08:00"),
        ("cron(0 8 ? * FRI-MON *)", "2026-11-21T08:00"),
        ("cron(0 8 1 * ? *)", "2026-12-01T08:00"),
        ("cron(0 8 L * ? *)", "2026-11-30T08:00"),
        ("cron(0 8 1W * ? *)", "2026-12-01T08:00"),
        ("cron(0 8 1W 8 ? 2027)", "2027-08-02T08:00"),
        ("cron(0 8 LW 1 ? 2027)", "2027-01-29T08:00"),
        ("cron(0 8 ? * 3#2 *)", "2026-12-08T08:00"),
        ("cron(0 8 ? * FRIL *)", "2026-11-27T08:00"),
        ("cron(0 8 ? * L *)", "2026-11-21T08:00"),
        ("cron(5,35 14 * * ? *)", "2026-11-20T14:05"),
        ("cron(0 8 29 2 ? *)", "2028-02-29T08:00"),
        ("cron(0 0 1 JAN ? 2030-2040/5)", "2030-01-01T00:00"),
        ("rate(5 minutes)", "2026-11-20T10:01"),
        ("rate(1 day)", "2026-11-21T09:56"),
        ("at(2026-12-24T18:00:00)", "2026-12-24T18:00"),
        ("cron(0 8 30 2 ? *)", None),
        ("cron(0 8 29 2 ? 2027)", None),
        ("cron(0 8 * * ? 2020)", None),
        ("at(2020-12-24T18:00:00)", None),
    ],
)
def test_the_next_run_of_an_expression_is_found(expression, following) -> None:
    found = next_run(read_schedule(expression), NOW, UTC)

    assert found == (utc(following) if following else None)


@pytest.mark.parametrize(
    "expression",
    [
        "cron(0 dummy ? * MON-FRI *)",
        "cron(7 20 * * NOT *)",
        "cron(71 8 1 * ? *)",
        "cron(0 25 * * ? *)",
        "0 3 * * *",
        "cron(0 3 * * *)",
        "cron(0/0 3 * * ? *)",
        "rate(10 minutess)",
        "rate(10 years)",
        "rate(10)",
        "rate(0 minutes)",
        "rate(foo minutes)",
        "at(2021-12-31)",
        "",
        "cron(" + "1," * 5_000 + "1 3 * * ? *)",
    ],
)
def test_what_is_no_expression_is_refused(expression) -> None:
    with pytest.raises(BadExpression):
        read_schedule(expression)


def test_a_time_zone_moves_the_run_with_summer_and_winter() -> None:
    berlin = zone_named("Europe/Berlin")
    three = read_schedule("cron(0 3 * * ? *)")

    assert next_run(three, utc("2026-07-01T12:00"), berlin) == utc("2026-07-02T01:00")
    assert next_run(three, utc("2026-12-01T12:00"), berlin) == utc("2026-12-02T02:00")
    assert next_run(three, utc("2026-07-01T12:00"), UTC) == utc("2026-07-02T03:00")


def test_the_hour_that_the_clocks_jump_over_is_skipped_and_the_one_that_comes_twice_runs_once() -> None:
    berlin = zone_named("Europe/Berlin")
    half_past_two = read_schedule("cron(30 2 * * ? *)")
    spring, autumn = utc("2026-03-29T00:00"), utc("2026-10-25T00:00")

    assert runs_between(half_past_two, spring, spring + timedelta(hours=12), berlin) == ()
    assert [f"{t:%H:%M}" for t in skipped_between(half_past_two, spring, spring + timedelta(hours=12), berlin)] == [
        "02:30"
    ]
    assert len(runs_between(half_past_two, autumn, autumn + timedelta(hours=12), berlin)) == 1
    assert skipped_between(half_past_two, spring - timedelta(days=1), spring, berlin) == ()


def test_an_unknown_time_zone_is_none() -> None:
    assert zone_named("Mars/Olympus") is None
    assert zone_named("../../etc/passwd") is None
    assert zone_named("UTC") is UTC


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ({"source": ["com.shop"], "detail-type": ["OrderPlaced"]}, ""),
        ({"detailType": ["OrderPlaced"]}, "the field is `detail-type`"),
        ({"Source": ["com.shop"]}, "the field is `source`"),
        ({"orderId": ["1"]}, "no field `orderId`"),
        ({"source": {"prefix": ["com."]}}, "looks inside `source`"),
        ({"account": [123456789012]}, "compares `account` with a number"),
        ({"nothing": [{"exists": False}], "source": ["com.shop"]}, ""),
        ({"source": [{"prefix": "com."}], "detail": {"state": {"value": [1]}}}, ""),
        ({"$or": [{"source": ["a"]}, {"source": ["b"]}]}, ""),
        ({"resources": [{"suffix": "x"}], "region": ["eu-west-1"]}, ""),
        ({"source": []}, ""),
    ],
)
def test_a_pattern_that_no_event_can_match_is_seen_by_its_form(pattern, reason) -> None:
    assert (why_never(json.dumps(pattern)) == "") is (reason == "")
    assert reason in why_never(json.dumps(pattern))


@pytest.mark.parametrize("text", ["[", '["a"]', "null", "[" * 100_000])
def test_a_pattern_that_is_no_object_matches_nothing(text) -> None:
    assert why_never(text) == "it is no JSON object"


def test_what_differs_between_two_patterns_is_named() -> None:
    old = json.dumps({"source": ["com.shop"], "detail": {"status": ["new"], "n": [1]}})
    new = json.dumps({"source": ["com.shop"], "detail": {"status": ["NEW"], "n": [1]}})

    assert changed_fields(old, new) == ("detail.status",)
    assert changed_fields(old, new[:20]) == ()


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ('{"id": <id>, "name": "order <id> of <aws.events.rule-name>"}', ""),
        ('"order <id> was placed"', ""),
        ('{"id": <id>, "list": [<id>, <id>]}', ""),
        ('{"id": <id>,}', "no valid JSON"),
        ('{"id": "<id>}', "no valid JSON"),
        ('{"a": "say \\"<id>\\"", "b": <id>}', ""),
        ('{"id": <order>}', "<order>"),
        ('{"text": "a < b and c > d"}', ""),
        ("", ""),
        ("[" * 100_000, ""),
    ],
)
def test_a_template_that_makes_no_input_is_seen_by_its_form(template, problem) -> None:
    found = template_problem({"id": "$.detail.id"}, template)

    assert (found == "") is (problem == "")
    assert problem in found


def statement(effect: str = "Allow", condition=None, **fields) -> dict:
    given = {"Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": QUEUE}
    return {"Effect": effect, **given, **fields, **({"Condition": condition} if condition else {})}


OTHER_RULE = RULE.replace("order-placed", "other")

POLICIES = {
    "plain": ([statement()], True),
    "of this rule": ([statement(condition={"ArnEquals": {"aws:SourceArn": RULE}})], True),
    "of all rules": ([statement(condition={"ArnLike": {"AWS:SourceArn": RULE.replace("order-placed", "*")}})], True),
    "of another rule": ([statement(condition={"ArnEquals": {"aws:SourceArn": OTHER_RULE}})], False),
    "of one of two": ([statement(condition={"StringEquals": {"aws:SourceArn": [OTHER_RULE, RULE]}})], True),
    "of another account": ([statement(condition={"StringEquals": {"aws:SourceAccount": "999999999999"}})], False),
    "of this account": ([statement(condition={"StringEquals": {"aws:SourceAccount": "123456789012"}})], True),
    "of another service": ([statement(Principal={"Service": "sns.amazonaws.com"})], False),
    "of several services": ([statement(Principal={"Service": ["sns.amazonaws.com", "events.amazonaws.com"]})], True),
    "anybody": ([statement(Principal="*")], True),
    "any action": ([statement(Action=["SQS:*"])], True),
    "another action": ([statement(Action="sqs:ReceiveMessage")], False),
    "another queue": ([statement(Resource=QUEUE + "-other")], False),
    "brackets are plain": ([statement(Resource=QUEUE[:-1] + "[s]")], False),
    "denied": ([statement(), statement("Deny", Principal="*")], False),
    "denied without TLS": (
        [statement(), statement("Deny", {"Bool": {"aws:SecureTransport": "false"}}, Principal="*", Action="sqs:*")],
        True,
    ),
    "denied to others": (
        [statement(), statement("Deny", {"ArnNotEquals": {"aws:SourceArn": RULE}}, Principal="*")],
        True,
    ),
    "denied unless from elsewhere": (
        [statement(), statement("Deny", {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}, Principal="*")],
        None,
    ),
    "hangs on the unknown": ([statement(condition={"StringEquals": {"aws:PrincipalOrgID": "o-1"}})], None),
    "a role only": ([statement(Principal={"AWS": "arn:aws:iam::123456789012:role/x"})], False),
    "nothing": ([], False),
    "inverted": ([statement(NotAction="sqs:DeleteQueue")], None),
}


@pytest.mark.parametrize(("statements", "verdict"), POLICIES.values(), ids=POLICIES)
def test_a_policy_lets_the_rule_in_or_not_or_cannot_tell(statements, verdict) -> None:
    ask = Ask("events.amazonaws.com", "sqs:SendMessage", QUEUE, RULE, "123456789012")

    assert lets_in(json.dumps({"Statement": statements}), ask) is verdict
    assert lets_in({"Statement": statements}, ask) is verdict


@pytest.mark.parametrize("policy", ["{", "[]", '{"Statement": ["x"]}', '{"Version": "2012-10-17"}', "[" * 100_000])
def test_a_policy_that_cannot_be_read_tells_nothing(policy) -> None:
    assert lets_in(policy, Ask("s", "a", "r", "x", "1")) is None


def test_no_policy_lets_nobody_in() -> None:
    assert lets_in("", Ask("s", "a", "r", "x", "1")) is False


TEXTS = [
    (Reading.NO_BUS, "ResourceNotFoundException Event bus shop does not exist."),
    (Reading.NO_BUS, "Event bus arn:aws:events:eu-west-1:123456789012:event-bus/shop does not exist."),
    (Reading.FAILED_ENTRIES, '{"FailedEntryCount":1,"Entries":[{"ErrorCode":"MalformedDetail"}]}'),
    (Reading.FAILED_ENTRIES, "{'FailedEntryCount': 2, 'Entries': []}"),
    (Reading.FAILED_ENTRIES, '"{\\"FailedEntryCount\\":3}"'),
    (Reading.FAILED_ENTRIES, "PutEventsResponse(FailedEntryCount=1, Entries=[])"),
    (Reading.FAILED_ENTRIES, "{ FailedEntryCount: 1, Entries: [ [Object] ] }"),
    (Reading.FAILED_ENTRIES, "EventBridge.FailedEntry"),
    (Reading.FAILED_ENTRIES, "put failed: Detail is malformed."),
    (
        Reading.BAD_PATTERN,
        "InvalidEventPatternException Event pattern is not valid. Reason: Empty arrays are not allowed",
    ),
    (Reading.BAD_SCHEDULE, "ValidationException Parameter ScheduleExpression is not valid."),
    (Reading.BAD_SCHEDULE, "ValidationException Invalid Schedule Expression rate(10 minutess)."),
    (Reading.BAD_TEMPLATE, "ValidationException InputTemplate for target 1 contains invalid placeholder <x>."),
    (Reading.NO_PERMISSION, '"ERROR_CODE": {"stringValue": "NO_PERMISSIONS", "dataType": "String"}'),
    (Reading.NO_TARGET, "'ERROR_CODE': {'stringValue': 'RESOURCE_NOT_FOUND', 'dataType': 'String'}"),
    (Reading.EXHAUSTED, "EXHAUSTED_RETRY_CONDITION=MaximumEventAgeInSeconds"),
    (Reading.EXHAUSTED, '"EXHAUSTED_RETRY_CONDITION": {"StringValue": "MaximumRetryAttempts"}'),
    (None, "FailedEntryCount: 0"),
    (None, "'FailedEntryCount': 0, 'Entries': [{'EventId': '1'}]"),
    (None, "AccessDeniedException User: x is not authorized to perform: events:PutEvents on resource: y"),
    (None, "MaximumRetryAttempts is 3"),
    (None, "ResourceNotFoundException Requested resource not found"),
]


@pytest.mark.parametrize(("reading", "text"), TEXTS, ids=[text[:50] for _, text in TEXTS])
def test_an_error_text_means_one_thing(reading, text) -> None:
    assert read_text(text) is reading


def test_a_huge_text_is_read_quickly() -> None:
    assert read_text("event bus: " * 100_000) is None
    assert read_text("InputTransformer " * 100_000 + "ERROR_CODE" * 10_000) is None
