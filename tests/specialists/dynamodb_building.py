"""Small builders for evidence about one table, so that a test shows its situation in a line or two."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.evidence import Evidence
from domain.findings import Advice, Fact, Hypothesis, Strength
from domain.graph import Edge, ServiceGraph
from domain.resource import resource_from_arn
from domain.trace import TraceCall, TracedError, TraceSegment
from specialists.contract import Case
from specialists.dynamodb import SPECIALIST
from specialists.dynamodb.evidence import Index, KeyAttribute, TableState, Throughput
from specialists.kit.change import Change
from specialists.kit.loglines import LogEvent, LogLines
from specialists.kit.series import MetricSeries, Point
from tests.support.probing import WINDOW, case_of, findings

TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"
CALLER = "arn:aws:lambda:eu-west-1:123456789012:function:create-order"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
START = WINDOW.start

EXCEEDED = (
    "The level of configured provisioned throughput for the table was exceeded. "
    "Consider increasing your provisioning level with the UpdateTable API."
)


def minute(number: float) -> datetime:
    """A moment, in minutes from the window's start (09:36 UTC)."""
    return START + timedelta(minutes=number)


def table(**fields: Any) -> TableState:
    given: dict[str, Any] = {
        "resource": TABLE,
        "source": "dynamodb:DescribeTable",
        "exists": True,
        "name": "orders",
        "status": "ACTIVE",
        "provisioned": Throughput(read=5, write=5),
        "keys": (KeyAttribute(name="id", type="S", role="HASH"),),
    }
    return TableState(**given | fields)


def on_demand(**fields: Any) -> TableState:
    return table(billing_mode="PAY_PER_REQUEST", provisioned=Throughput(), **fields)


def indexed(*names: str, units: int = 5) -> tuple[Index, ...]:
    return tuple(Index(name=name, provisioned=Throughput(read=units, write=units)) for name in names)


def call(
    code: str = "",
    message: str = "",
    operation: str = "PutItem",
    *,
    at: float = 18,
    wrapped: bool = False,
    **fields: Any,
) -> TraceCall:
    """A call to the table; failed when a code is given, `wrapped` as boto3's generic ClientError."""
    text = f"An error occurred ({code}) when calling the {operation} operation: {message}" if wrapped else message
    error = TracedError(type="ClientError" if wrapped else code, code=code, message=text, remote=True)
    given: dict[str, Any] = {
        "resource": TABLE,
        "source": "xray:BatchGetTraces",
        "trace_id": "1-6b0023b3-a032a49863d6b1fcc92c322d",
        "segment_id": f"{int(at * 60):016x}",
        "caller": CALLER,
        "service": "DynamoDB",
        "operation": operation,
        "start": minute(at),
        "seconds": 0.02,
        "errors": (error,) if code else (),
        "error": bool(code),
        "fault": bool(code),
        "http_status": 400 if code else 200,
    }
    return TraceCall(**given | fields)


def segment(*errors: tuple[str, str], failed: bool = True, resource: str = CALLER) -> TraceSegment:
    """The caller's own part of the trace, with (type, message) of its exceptions."""
    return TraceSegment(
        resource=resource,
        source="xray:BatchGetTraces",
        trace_id="1-6b0023b3-a032a49863d6b1fcc92c322d",
        segment_id="192b31d5a743248f",
        name="create-order",
        start=minute(18),
        seconds=0.3,
        fault=failed,
        errors=tuple(TracedError(type=kind, message=message) for kind, message in errors),
    )


def log(*lines: str, function: str = "create-order") -> LogLines:
    return LogLines(
        resource=TABLE,
        source="logs:FilterLogEvents",
        log_group=f"/aws/lambda/{function}",
        filter="DynamoDB errors",
        events=tuple(LogEvent(at=minute(18), message=line) for line in lines),
    )


def metric(
    name: str,
    points: dict[float, float] | None = None,
    *,
    usual: float | None = None,
    index: str = "",
    operation: str = "",
    statistic: str = "Sum",
    dimensions: dict[str, str] | None = None,
) -> MetricSeries:
    """A series with values at minutes of the window, and `usual` in each minute of the hour before it."""
    named = {"TableName": "orders", "GlobalSecondaryIndexName": index, "Operation": operation}
    return MetricSeries(
        resource=TABLE,
        source="cloudwatch:GetMetricData",
        namespace="AWS/DynamoDB",
        metric=name,
        dimensions={k: v for k, v in named.items() if v} if dimensions is None else dimensions,
        statistic=statistic,
        period_seconds=60,
        points=tuple(Point(at=minute(at), value=value) for at, value in sorted((points or {}).items())),
        baseline=() if usual is None else tuple(Point(at=minute(-m), value=usual) for m in range(60, 0, -1)),
    )


def throttled(
    side: str = "Write", *, events: float = 213, consumed: float | None = None, index: str = "", reason: str = ""
) -> tuple[MetricSeries, ...]:
    """Throttle events in minutes 17 and 18, and what was consumed a second then."""
    found = [metric(f"{side}{reason}ThrottleEvents", {17: events - 1, 18: 1}, index=index)]
    if consumed is not None:
        spent = dict.fromkeys(range(20), consumed * 60)
        found.append(metric(f"Consumed{side}CapacityUnits", spent, index=index, usual=consumed * 60))
    return tuple(found)


def change(
    name: str = "UpdateTable", *, at: float = 15, who: str = "deploy-bot", error: str = "", **parameters: Any
) -> Change:
    """A CloudTrail event; parameters by name with `__` for a dot."""
    return Change(
        resource=TABLE,
        source="cloudtrail:LookupEvents",
        observed_at=minute(at),
        event_id=f"{name}-{at}",
        event_name=name,
        event_source="dynamodb.amazonaws.com",
        who=who,
        parameters={key.replace("__", "."): str(value) for key, value in parameters.items()},
        error_code=error or None,
    )


def capacity(write: int, *, read: int = 5, **fields: Any) -> Change:
    """An UpdateTable that sets the table's units."""
    given = {"provisionedThroughput__writeCapacityUnits": write, "provisionedThroughput__readCapacityUnits": read}
    return change(**given | fields)


def graph(*tables: str) -> ServiceGraph:
    """The caller calls these tables."""
    nodes = [resource_from_arn(arn) for arn in (CALLER, *tables)]
    return ServiceGraph.of(nodes, [Edge(source=CALLER, target=arn, calls=1) for arn in tables])


def case(*evidence: Evidence | Iterable[Evidence], around: ServiceGraph | None = None) -> Case:
    flat = [item for part in evidence for item in ([part] if isinstance(part, Evidence) else part)]
    return case_of(TABLE, *flat, graph=around or graph(TABLE), specialist="dynamodb")


def judged(*evidence: Evidence | Iterable[Evidence], around: ServiceGraph | None = None) -> dict[str, Hypothesis]:
    """Return the hypotheses by cause; two of one cause at one resource would be a fault."""
    found = [f for f in findings(SPECIALIST.rules, case(*evidence, around=around)) if isinstance(f, Hypothesis)]
    assert len({(f.cause, f.resource) for f in found}) == len(found)
    return {f.cause: f for f in found}


def facts(*evidence: Evidence | Iterable[Evidence]) -> list[str]:
    return [f.statement for f in findings(SPECIALIST.rules, case(*evidence)) if isinstance(f, Fact)]


def advice(*evidence: Evidence | Iterable[Evidence]) -> list[str]:
    return [f.text for f in findings(SPECIALIST.rules, case(*evidence)) if isinstance(f, Advice)]


def proven(found: dict[str, Hypothesis]) -> set[str]:
    """Return the causes that any evidence states."""
    return {cause for cause, one in found.items() if any(s.strength is Strength.PROOF for s in one.supports)}


def at_utc(hour: int, minutes: int) -> datetime:
    return datetime(2026, 11, 20, hour, minutes, tzinfo=UTC)
