"""Small builders for evidence about one rule, bus, schedule or pipe, so that a test shows its situation in a line."""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from domain.evidence import Evidence
from domain.findings import Advice, Fact, Hypothesis, Strength
from domain.graph import Edge, ServiceGraph
from domain.resource import resource_from_arn
from domain.trace import TraceCall, TracedError, TraceSegment
from specialists.contract import Case
from specialists.eventbridge import SPECIALIST
from specialists.eventbridge.evidence import (
    BusRule,
    BusRules,
    BusState,
    Destination,
    PipeState,
    RoleAccess,
    RuleState,
    ScheduleState,
    Target,
    Targets,
)
from specialists.kit.change import Change
from specialists.kit.loglines import LogEvent, LogLines
from specialists.kit.series import MetricSeries, Point
from tests.support.probing import WINDOW, case_of, findings

HERE = "eu-west-1:123456789012"
RULE = f"arn:aws:events:{HERE}:rule/shop/order-placed"
DEFAULT_RULE = f"arn:aws:events:{HERE}:rule/nightly"
BUS = f"arn:aws:events:{HERE}:event-bus/shop"
SCHEDULE = f"arn:aws:scheduler:{HERE}:schedule/jobs/nightly"
PIPE = f"arn:aws:pipes:{HERE}:pipe/orders-to-shop"
FUNCTION = f"arn:aws:lambda:{HERE}:function:send-mail"
QUEUE = f"arn:aws:sqs:{HERE}:mails"
DLQ = f"arn:aws:sqs:{HERE}:mails-dead"
MACHINE = f"arn:aws:states:{HERE}:stateMachine:fulfil"
ROLE = "arn:aws:iam::123456789012:role/deliver"
PUBLISHER = f"arn:aws:lambda:{HERE}:function:checkout"
START = WINDOW.start
PATTERN = json.dumps({"source": ["com.shop"], "detail-type": ["OrderPlaced"]})
OWN = {"EventBusName": "shop", "RuleName": "order-placed"}


def minute(number: float) -> datetime:
    """A moment, in minutes from the window's start (09:36 UTC)."""
    return START + timedelta(minutes=number)


def rule(**fields: Any) -> RuleState:
    given: dict[str, Any] = {
        "resource": RULE,
        "source": "events:DescribeRule",
        "exists": True,
        "name": "order-placed",
        "bus": "shop",
        "pattern": PATTERN,
    }
    return RuleState(**given | fields)


def timed(expression: str, **fields: Any) -> RuleState:
    return rule(resource=DEFAULT_RULE, name="nightly", bus="default", pattern="", schedule=expression, **fields)


def schedule(expression: str = "cron(0 3 * * ? *)", **fields: Any) -> ScheduleState:
    given: dict[str, Any] = {
        "resource": SCHEDULE,
        "source": "scheduler:GetSchedule",
        "exists": True,
        "name": "nightly",
        "group": "jobs",
        "expression": expression,
    }
    return ScheduleState(**given | fields)


def pipe(**fields: Any) -> PipeState:
    given: dict[str, Any] = {
        "resource": PIPE,
        "source": "pipes:DescribePipe",
        "exists": True,
        "name": "orders-to-shop",
        "source_arn": QUEUE,
        "target_arn": FUNCTION,
    }
    return PipeState(**given | fields)


def bus(**fields: Any) -> BusState:
    return BusState(**{"resource": BUS, "source": "events:DescribeEventBus", "exists": True, "name": "shop"} | fields)


def bus_rules(*rules: BusRule, resource: str = BUS) -> BusRules:
    return BusRules(resource=resource, source="events:ListRules", bus="shop", rules=rules)


def on_bus(name: str, state: str = "ENABLED") -> BusRule:
    return BusRule(name=name, arn=f"arn:aws:events:{HERE}:rule/shop/{name}", state=state)


def targets(*arns: str, resource: str = RULE, **fields: Any) -> Targets:
    """Targets with the same settings each."""
    found = tuple(Target(id=str(number), arn=arn, **fields) for number, arn in enumerate(arns))
    return Targets(resource=resource, source="events:ListTargetsByRule", targets=found)


def destination(
    arn: str = FUNCTION, *, exists: bool | None = True, admits: bool | None = True, **fields: Any
) -> Destination:
    given: dict[str, Any] = {
        "resource": RULE,
        "source": "lambda:GetPolicy",
        "arn": arn,
        "exists": exists,
        "admits": admits,
    }
    return Destination(**given | fields)


def closed(arn: str = FUNCTION, **fields: Any) -> Destination:
    return destination(arn, admits=False, why="it has no policy", **fields)


def missing(arn: str = FUNCTION, **fields: Any) -> Destination:
    return destination(arn, exists=False, admits=None, **fields)


def role_access(**fields: Any) -> RoleAccess:
    given: dict[str, Any] = {
        "resource": RULE,
        "source": "iam:SimulatePrincipalPolicy",
        "role_arn": ROLE,
        "target_arn": MACHINE,
        "action": "states:StartExecution",
        "trusts": True,
        "allowed": True,
    }
    return RoleAccess(**given | fields)


def metric(
    name: str,
    points: dict[float, float] | None = None,
    *,
    usual: float | None = None,
    resource: str = RULE,
    namespace: str = "AWS/Events",
    dimensions: dict[str, str] | None = None,
) -> MetricSeries:
    """A series with values at minutes of the window, and `usual` in each minute of the three hours before it."""
    return MetricSeries(
        resource=resource,
        source="cloudwatch:GetMetricData",
        namespace=namespace,
        metric=name,
        dimensions=OWN if dimensions is None else dimensions,
        statistic="Sum",
        period_seconds=60,
        points=tuple(Point(at=minute(at), value=value) for at, value in sorted((points or {}).items())),
        baseline=() if usual is None else tuple(Point(at=minute(-m), value=usual) for m in range(180, 0, -1)),
    )


def weekly(name: str, *, days: Iterable[int], resource: str = DEFAULT_RULE, dimensions: dict[str, str]) -> MetricSeries:
    """A series of hours with one run at the window's hour on some days before."""
    at = START.replace(minute=0)
    return MetricSeries(
        resource=resource,
        source="cloudwatch:GetMetricData",
        namespace="AWS/Events",
        metric=name,
        dimensions=dimensions,
        statistic="Sum",
        period_seconds=3600,
        baseline=tuple(Point(at=at - timedelta(days=day), value=1) for day in sorted(days, reverse=True)),
    )


def steady(name: str = "MatchedEvents", *, until: float = 20, each: float = 10) -> MetricSeries:
    """A series that ran evenly before the window and in it until a minute."""
    return metric(name, {m: each for m in range(20) if m < until}, usual=each)


def change(name: str, *, at: float = 5, who: str = "mia", error: str = "", said: str = "", **fields: Any) -> Change:
    """A CloudTrail event; other fields are its request's parameters, `of` the service that it was asked of."""
    resource, of = fields.pop("resource", RULE), fields.pop("of", "events")
    return Change(
        resource=resource,
        source="cloudtrail:LookupEvents",
        observed_at=minute(at),
        event_id=f"{name}-{at}",
        event_name=name,
        event_source=f"{of}.amazonaws.com",
        who=who,
        parameters={key: str(value) for key, value in fields.items()},
        error_code=error or None,
        error_message=said,
    )


def put_call(
    code: str = "", message: str = "", *, resource: str = BUS, at: float = 18, caller: str = PUBLISHER
) -> TraceCall:
    """A PutEvents call; failed when a code is given."""
    return TraceCall(
        resource=resource,
        source="xray:BatchGetTraces",
        trace_id="1-6b0023b3-a032a49863d6b1fcc92c322d",
        segment_id=f"{int(at * 60):016x}",
        caller=caller,
        service="EventBridge",
        operation="PutEvents",
        start=minute(at),
        seconds=0.02,
        errors=(TracedError(type=code, code=code, message=message, remote=True),) if code else (),
        error=bool(code),
        http_status=400 if code else 200,
    )


def segment(kind: str, message: str, *, resource: str = PUBLISHER) -> TraceSegment:
    """A failed part of the trace."""
    return TraceSegment(
        resource=resource,
        source="xray:BatchGetTraces",
        trace_id="1-6b0023b3-a032a49863d6b1fcc92c322d",
        segment_id="192b31d5a743248f",
        name="fn",
        start=minute(18),
        seconds=0.3,
        fault=True,
        errors=(TracedError(type=kind, message=message),),
    )


def log(*lines: str, function: str = "checkout") -> LogLines:
    return LogLines(
        resource=BUS,
        source="logs:FilterLogEvents",
        log_group=f"/aws/lambda/{function}",
        filter="EventBridge errors",
        events=tuple(LogEvent(at=minute(18), message=line) for line in lines),
    )


def graph(target: str, *calls: tuple[str, str]) -> ServiceGraph:
    """The target, and calls of one resource to another."""
    nodes = [resource_from_arn(arn) for arn in (target, *(arn for call in calls for arn in call))]
    return ServiceGraph.of(nodes, [Edge(source=one, target=other, calls=1) for one, other in calls])


PUBLISHED = graph(BUS, (PUBLISHER, BUS))
"""The publisher calls this bus and no other."""


def case(target: str, *evidence: Evidence | Iterable[Evidence], around: ServiceGraph | None = None) -> Case:
    flat = [item for part in evidence for item in ([part] if isinstance(part, Evidence) else part)]
    return case_of(target, *flat, graph=around or graph(target), specialist="eventbridge")


def judged(
    target: str, *evidence: Evidence | Iterable[Evidence], around: ServiceGraph | None = None
) -> dict[str, Hypothesis]:
    """Return the hypotheses by cause; two of one cause at one resource would be a fault."""
    found = [f for f in findings(SPECIALIST.rules, case(target, *evidence, around=around)) if isinstance(f, Hypothesis)]
    assert len({(f.cause, f.resource) for f in found}) == len(found)
    return {f.cause: f for f in found}


def facts(target: str, *evidence: Evidence | Iterable[Evidence]) -> list[str]:
    return [f.statement for f in findings(SPECIALIST.rules, case(target, *evidence)) if isinstance(f, Fact)]


def advice(target: str, *evidence: Evidence | Iterable[Evidence]) -> list[str]:
    return [f.text for f in findings(SPECIALIST.rules, case(target, *evidence)) if isinstance(f, Advice)]


def proven(found: dict[str, Hypothesis]) -> set[str]:
    """Return the causes that any evidence states."""
    return {cause for cause, one in found.items() if any(s.strength is Strength.PROOF for s in one.supports)}


def strengths(one: Hypothesis) -> set[Strength]:
    return {support.strength for support in one.supports}
