"""What was measured of the impact: failing requests by CloudWatch, else by X-Ray, and growing backlogs."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple

from domain.evidence import EvidenceBundle
from domain.graph import ServiceGraph
from orchestrator.conclude.naming import label, short
from specialists.kit.series import MetricSeries
from specialists.risk_blast_radius.spread import Affected


class _Measure(NamedTuple):
    """Which metric of a service's own resources counts failures, and which counts all."""

    service: str  # as in the resource's ARN
    namespace: str
    failures: frozenset[str]
    total: str


MEASURES: tuple[_Measure, ...] = (
    _Measure("apigateway", "AWS/ApiGateway", frozenset({"5XXError", "5xx"}), "Count"),
    _Measure("lambda", "AWS/Lambda", frozenset({"Errors"}), "Invocations"),
    _Measure("states", "AWS/States", frozenset({"ExecutionsFailed", "ExecutionsTimedOut"}), "ExecutionsStarted"),
)

AGES = frozenset({("AWS/SQS", "ApproximateAgeOfOldestMessage")})
"""Metrics of how long the oldest message has waited, in seconds."""

GROWS = 1.5
"""How many times its usual peak, and what it was when the window began, an age must be to grow."""


FAR = 3
"""How many times its usual peak failures must reach to be unusual."""


class Impact(NamedTuple):
    """How many of a resource's requests fail; `said` goes on after "48% of ". `unusual`: far more than before."""

    resource: str
    share: float
    said: str
    evidence: tuple[str, ...]
    unusual: bool = False


class Backlog(NamedTuple):
    """A queue whose oldest message waits longer and longer; `seconds` is the last age."""

    resource: str
    seconds: float
    said: str
    evidence: tuple[str, ...]


def impacts(bundle: EvidenceBundle, graph: ServiceGraph) -> list[Impact]:
    """Return the failing share of every resource whose own metrics show failures, since they were more than usual."""
    sums = [series for series in bundle.of(MetricSeries) if series.statistic == "Sum"]
    totals = {(s.resource, s.metric, *sorted(s.dimensions.items())): s for s in sums}
    found = []
    for series in sums:
        measure = next((m for m in MEASURES if _measures(m, series)), None)
        total = totals.get((series.resource, measure.total, *sorted(series.dimensions.items()))) if measure else None
        impact = _impact(series, total, graph) if total is not None else None
        if impact is not None:
            found.append(impact)
    return found


def traced_impacts(affected: Iterable[Affected], graph: ServiceGraph) -> list[Impact]:
    """Return the failing share that X-Ray counted of the affected services, over the window."""
    counted = ((one, one.measured) for one in affected)
    return [
        Impact(
            one.resource,
            traffic.counts.share,
            f"the {traffic.counts.total:,} traced requests to {label(one.resource, graph)} fail "
            f"({_rate(traffic.a_minute)})",
            (traffic.id,),
        )
        for one, traffic in counted
        if traffic is not None and traffic.counts.failing
    ]


def backlogs(bundle: EvidenceBundle, graph: ServiceGraph, names: Collection[str]) -> list[Backlog]:
    """Return the queues among the names, and those that feed one of them, whose oldest message grows older."""
    feeding = {edge.source for edge in graph.edges if edge.target in names and not edge.calls}
    near = {*names, *feeding}
    ages = (s for s in bundle.of(MetricSeries) if (s.namespace, s.metric) in AGES and s.statistic == "Maximum")
    return [
        Backlog(
            series.resource,
            series.points[-1].value,
            f"the oldest message in {short(series.resource, graph)} has waited {_long(series.points[-1].value)}, "
            "longer and longer",
            (series.id,),
        )
        for series in ages
        if series.resource in near and _grows(series)
    ]


def _measures(measure: _Measure, series: MetricSeries) -> bool:
    own = series.resource.split(":")[2:3] == [measure.service]
    return own and series.namespace == measure.namespace and series.metric in measure.failures


def _impact(failing: MetricSeries, total: MetricSeries, graph: ServiceGraph) -> Impact | None:
    """Compare failures and requests since there were more failures than usual, else since the first of the window."""
    onset = failing.first_over(failing.usual_peak) or failing.first_over(0)
    since = _since(total, onset)
    if onset is None or not sum(since):
        return None
    failures = sum(_since(failing, onset))
    a_minute = failures / (len(since) * total.period_seconds / 60)
    return Impact(
        failing.resource,
        min(1.0, failures / sum(since)),
        f"the requests to {label(failing.resource, graph)} fail ({_rate(a_minute)})",
        (failing.id, total.id),
        unusual=failing.peak > FAR * failing.usual_peak,
    )


def _rate(a_minute: float) -> str:
    return "less than one a minute" if a_minute < 1 else f"about {a_minute:.0f} a minute"


def _since(series: MetricSeries, onset: datetime | None) -> list[float]:
    return [p.value for p in series.points if onset is not None and p.at >= onset]


def _grows(series: MetricSeries) -> bool:
    first, last = (series.points[0].value, series.points[-1].value) if series.points else (0.0, 0.0)
    return last > 0 and last >= GROWS * max(first, series.usual_peak)


def _long(seconds: float) -> str:
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.0f} h"
