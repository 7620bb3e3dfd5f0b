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
    """Which metric of a service's own resources counts failures, and which counts all."""

    service: str  # as in the resource's ARN
    namespace: str
    failures: frozenset[str]
    total: str


MEASURES: tuple[_Measure, ...] = (
    _Measure("apigateway", "AWS/ApiGateway", frozenset({"5XXError", "5xx"}), "Count"),
    _Measure("lambda", "AWS/Lambda", frozenset({"Errors"}), "Invocations"),
    _Measure("states", "AWS/States", frozenset({"ExecutionsFailed"}), "ExecutionsStarted"),
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
    """Return the failing share of every resource whose own metrics show failures."""
    sums = [series for series in bundle.of(MetricSeries) if series.statistic == "Sum"]
    totals = {(s.resource, s.metric, *sorted(s.dimensions.items())): s for s in sums}
    found = []
    for series in sums:
        measure = next((m for m in MEASURES if _measures(m, series)), None)
        total = totals.get((series.resource, measure.total, *sorted(series.dimensions.items()))) if measure else None
        impact = _impact(series, total) if total is not None else None
        if impact is not None:
            found.append(impact)
    return found


def _measures(measure: _Measure, series: MetricSeries) -> bool:
    own = series.resource.split(":")[2:3] == [measure.service]
    return own and series.namespace == measure.namespace and series.metric in measure.failures


def _impact(failing: MetricSeries, total: MetricSeries) -> Impact | None:
    """Compare failures and requests since the first failure of the window."""
    onset = failing.first_over(0)
    since = [p.value for p in total.points if onset is not None and p.at >= onset]
    if onset is None or not sum(since):
        return None
    failures = sum(p.value for p in failing.points if p.at >= onset)
    minutes = len(since) * total.period_seconds / 60
    return Impact(
        failing.resource, min(1.0, failures / sum(since)), failures, failures / minutes, (failing.id, total.id)
    )
