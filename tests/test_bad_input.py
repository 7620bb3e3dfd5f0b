"""Input that should not exist, each through a whole investigation: evidence or a gap, never a crash, never silence."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.blocks.report import report_messages
from domain.gap import GapReason
from domain.report import Report, ReportStatus
from sandbox.aws import LocalAws, faults, resources, signals
from sandbox.aws.resources import allow
from sandbox.aws.world import World
from tests.support.investigating import investigated
from tests.support.traces import arn, document, function, put_item, raised

NOW = datetime.now(UTC).replace(microsecond=0)
AT = NOW - timedelta(minutes=10)
TRACE = f"1-{int(AT.timestamp()):08x}-{7:024x}"
FUNCTION = arn("lambda", "function:orders")
MACHINE, RUN = arn("states", "stateMachine:fulfil"), arn("states", "execution:fulfil:order-1")


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
    return World(aws, NOW, seed="bad input")


def orders(world: World, *, name: str = "orders") -> str:
    """The function that the traces are about."""
    role = resources.role(world, f"{name}-role", allow("dynamodb:PutItem"), allow("logs:PutLogEvents"))
    return resources.function(world, name, role=role)


def send(world: World, *documents: dict[str, Any]) -> str:
    """Send segments under the trace of this file."""
    return signals.trace(world, [timed(d) for d in documents])


def timed(document: dict[str, Any]) -> dict[str, Any]:
    return {**document, "trace_id": TRACE, "start_time": AT.timestamp(), "end_time": AT.timestamp() + 0.5}


def serve(aws: LocalAws, *texts: str) -> str:
    """Let X-Ray answer with segment documents as they are, however broken."""
    segments = [{"Id": f"{n:016x}", "Document": text} for n, text in enumerate(texts)]
    trace = {"Id": TRACE, "Duration": 0.5, "LimitExceeded": False, "Segments": segments}
    aws.serve("xray", "BatchGetTraces", {"Traces": [trace], "UnprocessedTraceIds": []})
    return TRACE


def gaps(report: Report, reason: GapReason) -> list[str]:
    return [gap.message for gap in report.gaps if gap.reason is reason]


def told(report: Report) -> str:
    return json.dumps(report.as_json(), ensure_ascii=False)


def answered(report: Report) -> bool:
    return report.status in {ReportStatus.COMPLETED, ReportStatus.INCONCLUSIVE}


# --- segment documents


ABSURD = {"start_time": "yesterday", "end_time": -1e300, "http": [1, 2], "aws": "none", "subsegments": {"a": []}}


async def test_truncated_and_absurd_segments_are_gaps_beside_what_can_be_read(aws: LocalAws, world: World) -> None:
    orders(world)
    failing = timed(function("orders", put_item(status=400, fault=True, cause=raised("Oops", "no")), fault=True))
    whole = json.dumps(timed(document("cut-off")))
    absurd = json.dumps({**timed(document("absurd")), **ABSURD})
    report = await investigated(serve(aws, json.dumps(failing), whole[: len(whole) // 2], absurd, "[]", "\x00", "null"))

    assert answered(report)
    assert FUNCTION in {node.id for node in report.affected_resources}
    assert [gap for gap in report.gaps if gap.specialist == "trace"]


async def test_a_trace_of_nothing_but_rubbish_is_an_answer_that_says_so(aws: LocalAws) -> None:
    report = await investigated(serve(aws, "{", "\ufffd", '{"id": {}}'))

    assert report.status is not ReportStatus.COMPLETED
    assert report.gaps


# --- policies


@pytest.mark.parametrize(
    "text", ["{not json", "[]", '"Allow"', '{"Statement": "Allow"}', '{"Statement": [[], 7, null]}']
)
async def test_a_policy_that_is_none_is_said_to_be_unknown(aws: LocalAws, world: World, text: str) -> None:
    orders(world)
    aws.serve("lambda", "GetPolicy", {"Policy": text, "RevisionId": "1"})
    aws.serve("iam", "GetRolePolicy", {"RoleName": "r", "PolicyName": "p", "PolicyDocument": text})
    denied = (
        "User: arn:aws:sts::123456789012:assumed-role/orders-role/orders is not authorized to perform: "
        "dynamodb:PutItem on resource: arn:aws:dynamodb:eu-west-1:123456789012:table/orders because no identity-based "
        "policy allows the dynamodb:PutItem action"
    )
    failing = put_item(status=400, error=True, cause=raised("AccessDeniedException", denied))
    report = await investigated(send(world, function("orders", failing, fault=True)))

    assert answered(report)
    assert "orders-role-policy` of role `orders-role` allows is unknown" in told(report)


# --- amounts


def looping(first: int, count: int) -> list[dict[str, Any]]:
    """Return events of a loop that never ends well, newest first."""
    entered = {"name": "Poll", "input": "{}"}
    kinds = {"TaskStateEntered": {"stateEnteredEventDetails": entered}, "TaskStateExited": {}}
    return [
        {"id": id, "previousEventId": id - 1, "timestamp": AT, "type": kind, **kinds[kind]}
        for id in range(first, first - count, -1)
        for kind in [("TaskStateEntered", "TaskStateExited")[id % 2]]
    ]


async def test_a_history_of_25_000_events_is_read_from_its_end_and_not_to_its_beginning(
    aws: LocalAws, world: World
) -> None:
    machine = {"StartAt": "Poll", "States": {"Poll": {"Type": "Wait", "Seconds": 1, "End": True}}}
    role = resources.role(world, "fulfil-role", allow("lambda:InvokeFunction"), assumed_by="states.amazonaws.com")
    resources.state_machine(world, "fulfil", machine, role=role)
    limit = "The execution reached the maximum number of history events (25000)."
    described = {"executionArn": RUN, "stateMachineArn": MACHINE, "name": "order-1", "status": "FAILED"}
    times = {"startDate": AT, "stopDate": AT + timedelta(seconds=9), "input": "{}", "error": "States.Runtime"}
    aws.serve("stepfunctions", "DescribeExecution", {**described, **times, "cause": limit})
    ended = {"id": 25_000, "previousEventId": 24_999, "timestamp": AT, "type": "ExecutionFailed"}
    ended["executionFailedEventDetails"] = {"error": "States.Runtime", "cause": limit}
    pages = [[ended, *looping(24_999, 999)], *(looping(25_000 - 1000 * n, 1000) for n in range(1, 25))]
    for number, events in enumerate(pages):
        more = {"nextToken": f"page-{number + 1}"} if number < 24 else {}
        asked = {"nextToken": f"page-{number}"} if number else {}
        aws.serve("stepfunctions", "GetExecutionHistory", {"events": events, **more}, when=asked)
    report = await investigated(RUN)
    read = [c for c in aws.calls if c.operation == "GetExecutionHistory"]

    assert answered(report)
    assert MACHINE in {h.resource for h in report.hypotheses}
    assert 0 < len(read) <= 10


async def test_ten_thousand_lines_of_one_error_are_counted_and_not_repeated(world: World) -> None:
    orders(world)
    line = (
        "[ERROR] KeyError: 'sku'\nTraceback (most recent call last):\n  File \"/var/task/app.py\", line 7, in handler"
    )
    lines = [(AT - timedelta(milliseconds=20 * n), line) for n in range(10_000)]
    for start in range(0, 10_000, 1000):
        signals.log(world, "/aws/lambda/orders", lines[start : start + 1000], stream=f"stream-{start}")
    report = await investigated(send(world, function("orders", fault=True, cause=raised("KeyError", "'sku'"))))

    assert answered(report)
    assert report.root_cause is not None
    assert (report.root_cause.cause, report.root_cause.resource) == ("lambda-unhandled-exception", FUNCTION)
    assert told(report).count("KeyError: 'sku'") < 40
    assert len(told(report)) < 400_000


# --- names


@pytest.mark.parametrize("name", ["zahlungen-größe", "注文-サービス", "заказы", "orders\u202egnp.exe"])
async def test_names_beyond_ascii_are_told_as_they_are_and_break_nothing(world: World, name: str) -> None:
    failing = function("orders", put_item(name, status=400, fault=True, cause=raised("Oops", name)), fault=True)
    orders(world)
    report = await investigated(send(world, failing, document(name, fault=True, origin="AWS::EC2::Instance")))

    shown = "".join(json.dumps([m.text, m.blocks], ensure_ascii=False) for m in report_messages(report))

    assert answered(report)
    assert "\u202e" not in shown
    assert "\u202e" in name or name in shown


# --- what changes while we look


async def test_a_function_that_was_deleted_between_two_calls_is_told_so(aws: LocalAws, world: World) -> None:
    orders(world)
    gone = faults.Fault(
        faults.Ending.ERROR,
        codes={"rest-json": (404, "ResourceNotFoundException")},
        message="Function not found: arn:aws:lambda:eu-west-1:{account}:function:orders",
    )
    for operation in ("GetFunction", "GetFunctionConcurrency", "GetPolicy", "ListEventSourceMappings"):
        aws.inject("lambda", operation, gone)
    report = await investigated(send(world, function("orders", fault=True, cause=raised("KeyError", "'sku'"))))

    assert answered(report)
    assert [g for g in report.gaps if "orders" in g.message or g.specialist == "lambda"] or "not exist" in told(report)


async def test_a_throttled_next_page_keeps_the_pages_before_it_and_is_a_gap(aws: LocalAws, world: World) -> None:
    orders(world)
    line = {"timestamp": round(AT.timestamp() * 1000), "message": "[ERROR] KeyError: 'sku'", "eventId": "1"}
    first = {"events": [{**line, "logStreamName": "a", "ingestionTime": line["timestamp"]}], "nextToken": "more"}
    signals.log(world, "/aws/lambda/orders", [(AT, line["message"])])
    aws.serve("logs", "FilterLogEvents", first)
    aws.inject("logs", "FilterLogEvents", faults.THROTTLED, when={"nextToken": "more"})
    report = await investigated(send(world, function("orders", fault=True, cause=raised("KeyError", "'sku'"))))

    assert answered(report)
    assert GapReason.THROTTLED in {gap.reason for gap in report.gaps}
    assert any("KeyError" in e.summary for e in report.evidence if "Logs" in e.source or "logs" in e.source)
