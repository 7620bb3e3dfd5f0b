"""Severity from measured impact: the share of requests that fail at the entry of the failing path."""

from collections.abc import Iterable
from typing import NamedTuple

from domain.evidence import EvidenceBundle
from domain.graph import ServiceGraph
from domain.report import Severity, SeverityLevel
from domain.trace import TraceOverview
from orchestrator.conclude.naming import label
from specialists.kit.series import MetricSeries


class _Measure(NamedTuple):
    """Which metric counts failures and which counts all."""

    namespace: str
    failures: frozenset[str]
    total: str


MEASURES: tuple[_Measure, ...] = (
    _Measure("AWS/ApiGateway", frozenset({"5XXError", "5xx"}), "Count"),
    _Measure("AWS/Lambda", frozenset({"Errors"}), "Invocations"),
    _Measure("AWS/States", frozenset({"ExecutionsFailed"}), "ExecutionsStarted"),
)

LEVELS: tuple[tuple[float, SeverityLevel], ...] = (
    (0.5, SeverityLevel.CRITICAL),
    (0.1, SeverityLevel.HIGH),
    (0.01, SeverityLevel.MEDIUM),
    (0.0, SeverityLevel.LOW),
)


class Impact(NamedTuple):
    """How many of a resource's requests fail since the first failure of the window."""

    resource: str
    share: float
    failures: float
    a_minute: float
    evidence: tuple[str, ...]


def severity(bundle: EvidenceBundle, graph: ServiceGraph, affected: Iterable[str], *, wrong: bool) -> Severity:
    """Return how bad it is at the entry-most affected resource that has the metrics to tell."""
    if not wrong:
        return Severity(level=SeverityLevel.NONE, reason="nothing wrong was found")
    names = set(affected)
    measured = [i for i in impacts(bundle) if i.resource in names]
    if not measured:
        traced = tuple(o.id for o in bundle.of(TraceOverview) if o.failed_calls or o.failed_segments)
        reason = (
            "a traced request failed; no metric tells how many others do"
            if traced
            else "no metric tells how many requests fail"
        )
        return Severity(level=SeverityLevel.UNKNOWN, reason=reason, evidence=traced)
    entry = min(
        measured,
        key=lambda i: (
            len(set(graph.callers(i.resource)) & names),
            -len(graph.downstream(i.resource)),
            -i.share,
            i.resource,
        ),
    )
    level = next(level for floor, level in LEVELS if entry.share >= floor)
    return Severity(
        level=level,
        reason=(
            f"{entry.share:.0%} of the requests to {label(entry.resource, graph)} fail "
            f"(about {entry.a_minute:.0f} a minute)"
        ),
        failing_share=round(entry.share, 4),
        evidence=entry.evidence,
    )


def impacts(bundle: EvidenceBundle) -> list[Impact]:
    """Return the failing share of every resource whose metrics show failures."""
    found = []
    for measure in MEASURES:
        totals = {
            s.resource: s
            for s in bundle.of(MetricSeries)
            if s.namespace == measure.namespace and s.metric == measure.total and s.statistic == "Sum"
        }
        for series in bundle.of(MetricSeries):
            total = totals.get(series.resource)
            if (
                series.namespace != measure.namespace
                or series.metric not in measure.failures
                or series.statistic != "Sum"
                or total is None
            ):
                continue
            onset = series.first_over(0)
            if onset is None:
                continue
            requests = sum(p.value for p in total.points if p.at >= onset)
            failures = sum(p.value for p in series.points if p.at >= onset)
            minutes = max(1.0, len([p for p in total.points if p.at >= onset]) * total.period_seconds / 60)
            if requests > 0:
                found.append(
                    Impact(
                        series.resource,
                        min(1.0, failures / requests),
                        failures,
                        failures / minutes,
                        (series.id, total.id),
                    )
                )
    return found
