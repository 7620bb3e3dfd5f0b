"""Short ways to say what the Lambda specialist sees."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from domain.evidence import Evidence
from domain.findings import Fact, Hypothesis, Strength
from domain.graph import Edge, ServiceGraph
from domain.resource import Resource, ResourceType, resource_from_arn, unnamed
from domain.trace import TraceCall, TracedError, TraceSegment
from specialists.awslambda import SPECIALIST
from specialists.awslambda.evidence import (
    AccountLimits,
    EventSources,
    FunctionConfiguration,
    InvocationReports,
    LogGroup,
    Mapping,
    ReservedConcurrency,
)
from specialists.awslambda.reports import read_report
from specialists.contract import Case
from specialists.kit.change import Change
from specialists.kit.loglines import LogEvent, LogLines
from specialists.kit.series import MetricSeries, Point
from tests.support.probing import WINDOW, case_of, findings

FN = "arn:aws:lambda:eu-west-1:123456789012:function:orders-fn"
CALLER = "arn:aws:apigateway:eu-west-1::/restapis/a1b2c3"
TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"
QUEUE = "arn:aws:sqs:eu-west-1:123456789012:orders"
STREAM = "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks"
GROUP = "/aws/lambda/orders-fn"
REQUEST = "3f1c7d0a-1111-4222-8333-444455556666"
REMOTE = unnamed(ResourceType.REMOTE, "api.payments.example")
START = WINDOW.start


def minute(n: float) -> datetime:
    return START + timedelta(minutes=n)


def config(**fields: Any) -> FunctionConfiguration:
    known = {"runtime": "python3.12", "handler": "app.handler", "log_group": GROUP, "timeout_seconds": 3}
    return FunctionConfiguration(resource=FN, source="lambda:GetFunctionConfiguration", **{**known, **fields})


def logs(*messages: str, named: str = "errors", stream: str = "s1") -> LogLines:
    events = tuple(LogEvent(at=minute(5 + n), message=m, stream=stream) for n, m in enumerate(messages))
    return LogLines(
        resource=FN, source="logs:FilterLogEvents", observed_at=minute(5), log_group=GROUP, filter=named, events=events
    )


def reported(*lines: str, at: float = 5) -> InvocationReports:
    reports = tuple(r for n, line in enumerate(lines) if (r := read_report(line, minute(at + n))))
    assert len(reports) == len(lines), "every line must be a platform report"

    return InvocationReports(resource=FN, source="logs:FilterLogEvents", log_group=GROUP, reports=reports)


def report(ms: float = 90, used: int = 60, size: int = 128, request: str = REQUEST, more: str = "") -> str:
    return (
        f"REPORT RequestId: {request}\tDuration: {ms:.2f} ms\tBilled Duration: {ms:.0f} ms\t"
        f"Memory Size: {size} MB\tMax Memory Used: {used} MB\t{more}"
    )


def error(kind: str, message: str = "", code: str | None = None, frame: str | None = None) -> TracedError:
    return TracedError(type=kind, message=message, code=code, frame=frame)


def segment(*errors: TracedError, failed: bool = True, seconds: float = 1.0, **fields: Any) -> TraceSegment:
    known = {"trace_id": "1-6740a1b2-aa", "segment_id": "5" * 16, "name": "orders-fn", "start": minute(6)}
    known |= {
        "origin_type": "AWS::Lambda::Function",
        "attributes": {"request_id": REQUEST},
        "source": "xray:BatchGetTraces",
    }
    return TraceSegment(resource=FN, fault=failed, errors=errors, seconds=seconds, **{**known, **fields})


def call(target: str, *errors: TracedError, caller: str = FN, failed: bool = True, **fields: Any) -> TraceCall:
    known = {"trace_id": "1-6740a1b2-aa", "segment_id": "6" * 16, "service": "DynamoDB", "start": minute(6)}
    known |= {"source": "xray:BatchGetTraces"}
    return TraceCall(resource=target, caller=caller, error=failed, errors=errors, **{**known, **fields})


def invoked(*errors: TracedError, failed: bool = True, caller: str = CALLER, **fields: Any) -> TraceCall:
    return call(FN, *errors, caller=caller, failed=failed, **{"service": "Lambda", "operation": "Invoke", **fields})


def series(
    name: str,
    values: Iterable[float] = (),
    usual: Iterable[float] = (),
    statistic: str = "Sum",
    namespace: str = "AWS/Lambda",
    **dimensions: str,
) -> MetricSeries:
    points = tuple(Point(at=minute(n), value=v) for n, v in enumerate(values))
    before = tuple(Point(at=minute(-60 + n), value=v) for n, v in enumerate(usual))
    where = {} if dimensions.pop("account", "") else (dimensions or {"FunctionName": "orders-fn"})
    return MetricSeries(
        resource=FN,
        source="cloudwatch:GetMetricData",
        namespace=namespace,
        metric=name,
        dimensions=where,
        statistic=statistic,
        period_seconds=60,
        points=points,
        baseline=before,
    )


def change(
    name: str, at: float = 2, refused: str = "", said: str = "", who: str = "deploy-bot", **parameters: str
) -> Change:
    return Change(
        resource=FN,
        source="cloudtrail:LookupEvents",
        observed_at=minute(at),
        event_id=f"e{at}",
        event_name=name,
        event_source="lambda.amazonaws.com",
        who=who,
        parameters=parameters,
        error_code=refused or None,
        error_message=said,
    )


def reserved(amount: int | None) -> ReservedConcurrency:
    return ReservedConcurrency(resource=FN, source="lambda:GetFunctionConcurrency", reserved=amount)


def limits(concurrent: int = 1000) -> AccountLimits:
    return AccountLimits(
        resource=FN,
        source="lambda:GetAccountSettings",
        concurrent_executions=concurrent,
        unreserved_concurrent_executions=concurrent,
        code_bytes_limit=80_530_636_800,
        code_bytes_used=1_000_000,
    )


def fed_by(source: str = QUEUE, **fields: Any) -> EventSources:
    mapping = Mapping(uuid="7c1e0000-1111-4222-8333-444455556666", source_arn=source, **fields)
    return EventSources(resource=FN, source="lambda:ListEventSourceMappings", mappings=(mapping,))


def group(*, exists: bool) -> LogGroup:
    return LogGroup(resource=FN, source="logs:FilterLogEvents", name=GROUP, exists=exists)


def case(*evidence: Evidence, callers: Iterable[Resource] = (), callees: Iterable[Resource] = ()) -> Case:
    callers, callees = list(callers), list(callees)
    edges = [Edge(source=c.id, target=FN) for c in callers] + [Edge(source=FN, target=c.id) for c in callees]
    graph = ServiceGraph.of([resource_from_arn(FN), *callers, *callees], edges)
    return case_of(FN, *evidence, graph=graph, specialist="lambda")


def named(*evidence: Evidence, **graph: Iterable[Resource]) -> dict[str, Hypothesis]:
    """Return what the specialist's rules name, by cause; the first of each cause."""
    found: dict[str, Hypothesis] = {}
    for finding in findings(SPECIALIST.rules, case(*evidence, **graph)):
        if isinstance(finding, Hypothesis):
            found.setdefault(finding.cause, finding)
    return found


def facts(*evidence: Evidence) -> list[str]:
    return [f.statement for f in findings(SPECIALIST.rules, case(*evidence)) if isinstance(f, Fact)]


def grade(hypothesis: Hypothesis | None) -> Strength | None:
    """Return the strongest support."""
    order = (Strength.PROOF, Strength.STRONG, Strength.WEAK)
    return min((s.strength for s in hypothesis.supports), key=order.index) if hypothesis else None


def proven(*evidence: Evidence, **graph: Iterable[Resource]) -> set[str]:
    """Return the causes that are named with proof."""
    return {code for code, h in named(*evidence, **graph).items() if grade(h) is Strength.PROOF}
