"""Small builders for evidence about one queue, so that a test shows its situation in a line or two."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from domain.evidence import Evidence
from domain.findings import Advice, Fact, Hypothesis, Strength
from domain.graph import Edge, ServiceGraph
from domain.resource import resource_from_arn
from domain.trace import TraceCall, TracedError, TraceSegment
from specialists.contract import Case
from specialists.kit.change import Change
from specialists.kit.key import KeyState
from specialists.kit.loglines import LogEvent, LogLines
from specialists.kit.series import MetricSeries, Point
from specialists.sqs import SPECIALIST
from specialists.sqs.evidence import (
    Consumer,
    ConsumerAccess,
    ConsumerConcurrency,
    ConsumerFunction,
    Consumers,
    DeadLetterSources,
    QueueState,
    Redrive,
)
from tests.support.probing import WINDOW, case_of, findings

QUEUE = "arn:aws:sqs:eu-west-1:123456789012:payments"
FIFO = f"{QUEUE}.fifo"
DEAD = "arn:aws:sqs:eu-west-1:123456789012:payments-dlq"
SENDER = "arn:aws:lambda:eu-west-1:123456789012:function:checkout"
READER = "arn:aws:lambda:eu-west-1:123456789012:function:pay-worker"
ROLE = "arn:aws:iam::123456789012:role/worker/pay-worker-role"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
SESSION = "arn:aws:sts::123456789012:assumed-role/checkout-role/checkout"
START = WINDOW.start


def minute(number: float) -> datetime:
    """A moment, in minutes from the window's start (09:36 UTC)."""
    return START + timedelta(minutes=number)


def queue(arn: str = QUEUE, *, receives: int | None = None, **fields: Any) -> QueueState:
    """A queue; with a dead-letter queue when `receives` is given."""
    given: dict[str, Any] = {
        "resource": arn,
        "source": "sqs:GetQueueAttributes",
        "exists": True,
        "name": arn.rsplit(":", 1)[-1],
        "fifo": arn.endswith(".fifo"),
        "redrive": Redrive(target=DEAD, max_receives=receives) if receives else None,
    }
    return QueueState(**given | fields)


GONE = QueueState(resource=QUEUE, source="sqs:GetQueueAttributes", exists=False, name="payments")


def consumers(arn: str = QUEUE, **fields: Any) -> Consumers:
    """One mapping to the reader."""
    mapping = Consumer(**{"uuid": "u1", "function": READER} | fields)
    return Consumers(resource=arn, source="lambda:ListEventSourceMappings", mappings=(mapping,))


NOBODY = Consumers(resource=QUEUE, source="lambda:ListEventSourceMappings")


def settings(timeout: int = 30, **fields: Any) -> ConsumerFunction:
    given = {"resource": READER, "source": "lambda:GetFunctionConfiguration", "exists": True, "role": ROLE}
    return ConsumerFunction(**given | {"timeout_seconds": timeout} | fields)


def concurrency(reserved: int | None) -> ConsumerConcurrency:
    return ConsumerConcurrency(resource=READER, source="lambda:GetFunctionConcurrency", reserved=reserved)


def access(*denied: str, arn: str = QUEUE) -> ConsumerAccess:
    actions = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
    decisions = {action: "implicitDeny" if action in denied else "allowed" for action in actions}
    return ConsumerAccess(resource=ROLE, source="iam:SimulatePrincipalPolicy", queue=arn, decisions=decisions)


def sources(*queues: str, arn: str = DEAD) -> DeadLetterSources:
    return DeadLetterSources(resource=arn, source="sqs:ListDeadLetterSourceQueues", queues=queues)


def key(state: str = "Enabled", **fields: Any) -> KeyState:
    given = {"resource": QUEUE, "source": "kms:DescribeKey", "key_arn": KEY, "state": state}
    return KeyState(**given | fields)


def series(
    resource: str, name: str, points: dict[float, float] | None = None, *, usual: float | None = None
) -> MetricSeries:
    """A series with values at minutes of the window, and `usual` in each minute of the hour before it."""
    of_function = ":function:" in resource
    return MetricSeries(
        resource=resource,
        source="cloudwatch:GetMetricData",
        namespace="AWS/Lambda" if of_function else "AWS/SQS",
        metric=name,
        dimensions={"FunctionName" if of_function else "QueueName": resource.rsplit(":", 1)[-1]},
        statistic="Maximum" if name.startswith("Approximate") or name in {"Duration", "SentMessageSize"} else "Sum",
        period_seconds=60,
        points=tuple(Point(at=minute(at), value=value) for at, value in sorted((points or {}).items())),
        baseline=() if usual is None else tuple(Point(at=minute(-m), value=usual) for m in range(60, 0, -1)),
    )


def every(value: float) -> dict[float, float]:
    """The same value in each minute of the window."""
    return dict.fromkeys(range(20), value)


def growing(to: float, *, start: float = 0) -> dict[float, float]:
    """A line through the window."""
    return {at: start + (to - start) * at / 19 for at in range(20)}


def flow(sent: float, received: float, deleted: float, *, arn: str = QUEUE, usual: float = 10) -> list[MetricSeries]:
    """Messages a minute in the window; `usual` of each a minute before."""
    numbers = {"Sent": sent, "Received": received, "Deleted": deleted}
    return [series(arn, f"NumberOfMessages{name}", every(n), usual=usual) for name, n in numbers.items()]


def age(points: dict[float, float], *, usual: float | None = 5, arn: str = QUEUE) -> MetricSeries:
    """Seconds."""
    return series(arn, "ApproximateAgeOfOldestMessage", points, usual=usual)


def visible(points: dict[float, float], *, usual: float | None = 0, arn: str = QUEUE) -> MetricSeries:
    return series(arn, "ApproximateNumberOfMessagesVisible", points, usual=usual)


def dead(to: float = 12, *, usual: float | None = 0) -> MetricSeries:
    """The dead-letter queue fills from minute 10 on."""
    before = usual or 0
    return visible({at: before if at < 10 else before + to for at in range(20)}, usual=usual, arn=DEAD)


def reader(
    invocations: float = 10, errors: float = 0, throttles: float = 0, *, longest: float | None = None, usual: float = 10
) -> list[MetricSeries]:
    """The reader's counts a minute, and its longest run (s)."""
    found = [
        series(READER, "Invocations", every(invocations), usual=usual),
        series(READER, "Errors", every(errors), usual=0),
        series(READER, "Throttles", every(throttles), usual=0),
    ]
    if longest is not None:
        found.append(series(READER, "Duration", every(longest * 1000), usual=longest * 1000))
    return found


def call(
    code: str = "",
    message: str = "",
    operation: str = "SendMessage",
    *,
    at: float = 18,
    wrapped: bool = True,
    **fields: Any,
) -> TraceCall:
    """A call to the queue; failed when a code is given, `wrapped` as boto3's generic ClientError."""
    text = f"An error occurred ({code}) when calling the {operation} operation: {message}" if wrapped else message
    error = TracedError(type="ClientError" if wrapped else code, code=code, message=text, remote=True)
    given: dict[str, Any] = {
        "resource": QUEUE,
        "source": "xray:BatchGetTraces",
        "trace_id": "1-6b0023b3-a032a49863d6b1fcc92c322d",
        "segment_id": f"{int(at * 60):016x}",
        "caller": SENDER,
        "service": "SQS",
        "operation": operation,
        "start": minute(at),
        "seconds": 0.02,
        "errors": (error,) if code else (),
        "error": bool(code),
        "fault": bool(code),
        "http_status": 400 if code else 200,
    }
    return TraceCall(**given | fields)


def denied(because: str = "", action: str = "sqs:sendmessage", principal: str = SESSION, **fields: Any) -> TraceCall:
    text = f"User: {principal} is not authorized to perform: {action} on resource: {QUEUE}"
    return call("AccessDenied", f"{text} {because}".strip(), **fields)


def segment(*errors: tuple[str, str], failed: bool = True, resource: str = SENDER) -> TraceSegment:
    return TraceSegment(
        resource=resource,
        source="xray:BatchGetTraces",
        trace_id="1-6b0023b3-a032a49863d6b1fcc92c322d",
        segment_id="192b31d5a743248f",
        name="checkout",
        start=minute(18),
        seconds=0.3,
        fault=failed,
        errors=tuple(TracedError(type=kind, message=message) for kind, message in errors),
    )


def log(*lines: str, function: str = "checkout") -> LogLines:
    return LogLines(
        resource=QUEUE,
        source="logs:FilterLogEvents",
        log_group=f"/aws/lambda/{function}",
        filter="SQS errors",
        events=tuple(LogEvent(at=minute(18), message=line) for line in lines),
    )


def change(
    name: str = "SetQueueAttributes", *, at: float = 9, error: tuple[str, str] | None = None, **attributes: Any
) -> Change:
    return Change(
        resource=QUEUE,
        source="cloudtrail:LookupEvents",
        observed_at=minute(at),
        event_id=f"{name}-{at}",
        event_name=name,
        event_source="sqs.amazonaws.com",
        who="deploy-bot",
        parameters={f"attributes.{key}": str(value) for key, value in attributes.items()},
        error_code=error[0] if error else None,
        error_message=error[1] if error else "",
    )


def graph(*queues: str, reads: str = "") -> ServiceGraph:
    """The sender calls these queues; a function reads the first."""
    nodes = [resource_from_arn(arn) for arn in (SENDER, *queues, *([reads] if reads else []))]
    edges = [Edge(source=SENDER, target=arn, calls=1) for arn in queues]
    return ServiceGraph.of(nodes, [*edges, *([Edge(source=queues[0], target=reads)] if reads else [])])


def case(*evidence: Evidence | Iterable[Evidence], target: str = QUEUE, around: ServiceGraph | None = None) -> Case:
    flat = [item for part in evidence for item in ([part] if isinstance(part, Evidence) else part)]
    return case_of(target, *flat, graph=around or graph(target), specialist="sqs")


def judged(
    *evidence: Evidence | Iterable[Evidence], target: str = QUEUE, around: ServiceGraph | None = None
) -> dict[str, Hypothesis]:
    """Return the hypotheses by cause; two of one cause at one resource would be a fault."""
    given = case(*evidence, target=target, around=around)
    found = [f for f in findings(SPECIALIST.rules, given) if isinstance(f, Hypothesis)]
    assert len({(f.cause, f.resource) for f in found}) == len(found)
    return {f.cause: f for f in found}


def facts(*evidence: Evidence | Iterable[Evidence], target: str = QUEUE) -> list[str]:
    return [f.statement for f in findings(SPECIALIST.rules, case(*evidence, target=target)) if isinstance(f, Fact)]


def advice(*evidence: Evidence | Iterable[Evidence], target: str = QUEUE) -> list[str]:
    return [f.text for f in findings(SPECIALIST.rules, case(*evidence, target=target)) if isinstance(f, Advice)]


def proven(found: dict[str, Hypothesis]) -> set[str]:
    """Return the causes that any evidence states."""
    return {cause for cause, one in found.items() if graded(one, Strength.PROOF)}


def graded(one: Hypothesis, strength: Strength) -> list[str]:
    """Return the ids of the evidence with that strength."""
    return [support.evidence for support in one.supports if support.strength is strength]
