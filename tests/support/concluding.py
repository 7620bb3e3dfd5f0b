"""Fabricated evidence, hypotheses and results, concluded as an investigation concludes them."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.evidence import Evidence, EvidenceBundle
from domain.findings import Fact, Hypothesis, Strength, Support
from domain.gap import Gap
from domain.graph import Edge, ServiceGraph
from domain.report import RankedHypothesis, Report
from domain.request import Request, Trigger, TriggerKind
from domain.resource import ResourceType, resource_from_arn, unnamed
from domain.result import SpecialistResult, SpecialistStatus
from domain.trace import TraceCall, TracedError, TraceOverview, TraceSegment
from domain.window import Window
from orchestrator.conclude.conclusion import Conclusion, conclude
from orchestrator.report import all_gaps, build_report
from orchestrator.store import StoredBundle
from tests.support.running import Sign, sign
from tests.support.traces import TRACE, arn

AT = datetime(2026, 11, 20, 9, 53, tzinfo=UTC)
API = "arn:aws:apigateway:eu-west-1::/restapis/a1b2c3"
FUNCTION, OTHER = arn("lambda", "function:create-order"), arn("lambda", "function:other")
TABLE, QUEUE = arn("dynamodb", "table/orders"), arn("sqs", "jobs")
ROLE = "arn:aws:iam::123456789012:role/create-order-role"

CODE, TIMEOUT = "lambda-unhandled-exception", "lambda-timeout"
THROTTLED, DENIED, CHANGE = "ddb-provisioned-exceeded", "lambda-role-missing-permission", "deploy-regression"


def minutes(number: float) -> datetime:
    """A moment so many minutes after the failure began."""
    return AT + timedelta(minutes=number)


def segment(resource: str, *, fault: bool = False, origin: bool = False, **fields: Any) -> TraceSegment:
    return TraceSegment(
        resource=resource, source="xray:BatchGetTraces", observed_at=AT, trace_id=TRACE, segment_id=f"s-{resource[-8:]}", name=resource[-8:],
        start=AT, seconds=0.5, fault=fault, origin=origin, **fields,
    )  # fmt: skip


def called(caller: str, resource: str, *, code: str = "", origin: bool = False, **fields: Any) -> TraceCall:
    errors = (TracedError(type=code, code=code, message="it failed"),) if code else ()
    return TraceCall(
        resource=resource, source="xray:BatchGetTraces", observed_at=AT, trace_id=TRACE, segment_id=f"c-{caller[-6:]}-{resource[-6:]}", caller=caller,
        service="DynamoDB", operation="PutItem", start=AT, seconds=0.1, errors=errors, origin=origin, **fields,
    )  # fmt: skip


def overview(resource: str, items: Sequence[Evidence]) -> TraceOverview:
    calls = [i for i in items if isinstance(i, TraceCall)]
    segments = [i for i in items if isinstance(i, TraceSegment)]
    return TraceOverview(
        resource=resource, source="xray:BatchGetTraces", observed_at=AT, trace_id=TRACE, start=AT, seconds=0.5, segments=len(segments), subsegments=len(calls),
        calls=len(calls), failed_calls=sum(c.failed for c in calls), failed_segments=sum(s.failed for s in segments),
    )  # fmt: skip


def graph_of(items: Iterable[Evidence], *more: str) -> ServiceGraph:
    calls = [i for i in items if isinstance(i, TraceCall)]
    names = {*more, *(i.resource for i in items), *(c.caller for c in calls)}
    nodes = [resource_from_arn(n) if n.startswith("arn:") else unnamed(*_kind(n)) for n in sorted(names)]
    return ServiceGraph.of(
        nodes,
        [Edge(source=c.caller, target=c.resource, calls=1, faults=int(c.fault), errors=int(c.error), throttles=int(c.throttle)) for c in calls],
    )  # fmt: skip


def _kind(name: str) -> tuple[Any, str]:
    kind, own = name.split(":", 1)
    return ResourceType(kind), own


THROTTLED_TRACE: tuple[Evidence, ...] = (
    segment(API, fault=True),
    called(API, FUNCTION, fault=True, http_status=502),
    segment(FUNCTION, fault=True),
    called(FUNCTION, TABLE, code="ProvisionedThroughputExceededException", error=True, fault=True, throttle=True, origin=True, http_status=400),
    called(FUNCTION, QUEUE, http_status=200),
)  # fmt: skip
"""API → function → table, which throttles; the function's call to its queue succeeds."""


def traced(*items: Evidence) -> tuple[Evidence, ...]:
    return (overview(items[0].resource, items), *items)


def hypothesis(
    cause: str,
    resource: str,
    *,
    proof: Iterable[Evidence] = (),
    strong: Iterable[Evidence] = (),
    weak: Iterable[Evidence] = (),
    against: Iterable[Evidence] = (),
    since: float | None = 0,
    **fields: Any,
) -> Hypothesis:
    """A hypothesis that began so many minutes after the failure did; None: nobody knows when."""
    graded = ((Strength.PROOF, proof), (Strength.STRONG, strong), (Strength.WEAK, weak))
    return Hypothesis(
        cause=cause, resource=resource, summary=f"{cause} at {resource[-8:]}",
        supports=tuple(Support(evidence=e.id, strength=s) for s, items in graded for e in items),
        contradicting=tuple(Support(evidence=e.id, strength=Strength.STRONG) for e in against),
        since=None if since is None else minutes(since), **{"specialist": "tester", **fields},
    )  # fmt: skip


def looks(resource: str, *words: str) -> tuple[Sign, ...]:
    """Independent observations of one resource."""
    return tuple(sign(word, resource, source=f"test:{word}") for word in words)


def result(
    *hypotheses: Hypothesis,
    name: str = "tester",
    facts: Sequence[Fact] = (),
    gaps: Sequence[Gap] = (),
    status: SpecialistStatus = SpecialistStatus.SUCCESS,
) -> SpecialistResult:
    return SpecialistResult(
        name=name,
        status=status,
        duration_seconds=0.1,
        hypotheses=hypotheses,
        facts=tuple(facts),
        gaps=tuple(gaps),
        looks=3,
    )


def concluded(
    evidence: Iterable[Evidence],
    *hypotheses: Hypothesis,
    graph: ServiceGraph | None = None,
    results: Sequence[SpecialistResult] | None = None,
) -> Conclusion:
    items = tuple(evidence)
    brought = [result(*hypotheses)] if results is None else results
    gaps = [gap for one in brought for gap in one.gaps]
    return conclude(EvidenceBundle(items), brought, graph or graph_of(items), gaps)


def roles(conclusion: Conclusion) -> dict[tuple[str, str], str]:
    """The part of each hypothesis, by cause and resource."""
    return {(h.cause, h.resource): h.role.value for h in conclusion.ranked}


def one(conclusion: Conclusion, cause: str, resource: str) -> RankedHypothesis:
    return next(h for h in conclusion.ranked if (h.cause, h.resource) == (cause, resource))


def reported(
    evidence: Sequence[Evidence], results: Sequence[SpecialistResult], graph: ServiceGraph | None = None
) -> Report:
    """The whole report, as from a stored bundle."""
    stored = StoredBundle(
        request=Request(text=TRACE, trace_ids=(TRACE,)), trigger=Trigger(kind=TriggerKind.CLI, text=TRACE), window=Window(start=minutes(-15), end=minutes(10)),
        graph=graph or graph_of(evidence), evidence=tuple(e.dump() for e in evidence), results=tuple(results), discovery_gaps=(), nearby=(), aws_calls=3,
        started_at=minutes(5), completed_at=minutes(5.1),
    )  # fmt: skip
    bundle = EvidenceBundle(evidence)
    conclusion = conclude(bundle, stored.results, stored.graph, all_gaps(stored))
    return build_report("INV-TEST01", conclusion, stored, bundle, ())
