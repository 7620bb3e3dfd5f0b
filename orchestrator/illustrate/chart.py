"""The chart of the metric that decided: chosen by how far it left what was usual, marked with onset and changes."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from domain.alarm import AlarmTransition
from domain.evidence import EvidenceBundle
from domain.graph import ServiceGraph
from domain.pictures import MOST_POINTS, Limit, MarkedChange, MetricChart
from domain.report import RankedHypothesis, Role
from domain.window import Window
from orchestrator.illustrate.timeline import Departure, Sample, departure
from orchestrator.illustrate.words import amount, clock, event_name, metric_name, span, subject, unit
from specialists.kit.change import Change
from specialists.kit.series import MetricSeries
from specialists.kit.signals import Onset

CLEAR = 0.2
"""A departure of less contrast is not shown: it would look like nothing."""

BEFORE = timedelta(minutes=15)
"""How much of the usual is shown before the onset, at least; before a long departure, as much as that lasts."""

MARGIN = timedelta(minutes=5)
CHANGES = 3
SHOWN_WITHIN = 5
"""In how many points a provisioned capacity shows a change of it."""

NAME = re.compile(r"`([^`]+)`")
NEAR = timedelta(minutes=10)
"""How much later than a hypothesis says a series may show its onset."""

FAILURE = re.compile(
    r"Error|Fail|Throttl|Fault|Reject|Blocked|Conflict|Time.?Out|DeadLetter|5xx|4xx|AgeOf", re.IGNORECASE
)
"""Metrics that count what went wrong: rising, they tell more than a load that fell."""


class _Candidate(NamedTuple):
    series: MetricSeries
    left: Departure

    def before(self, place: int) -> tuple[bool, float, int]:
        """Sort: rising failures first, then by contrast, then as cited."""
        failing = self.left.rising and bool(FAILURE.search(self.series.metric))
        return (not failing, -round(self.left.contrast, 2), place)


def chart_of(
    ranked: Sequence[RankedHypothesis], bundle: EvidenceBundle, graph: ServiceGraph, window: Window
) -> MetricChart | None:
    """Return the chart of the metric that decided, or None when no metric did.

    First among those that the leading hypothesis cites, then the alarm's own, then those of the leading hypothesis's
    resource whose onset was noticed.
    """
    lead = next((h for h in ranked if h.role is not Role.RULED_OUT), None)
    for series in (_cited(lead, bundle), _alarmed(bundle), _noticed(lead, bundle)):
        found = [_Candidate(s, d) for s in series if (d := departure(s, window)) and d.contrast >= CLEAR]
        if found:
            best = min(enumerate(found), key=lambda pair: pair[1].before(pair[0]))[1]
            return _chart(best, lead, ranked, bundle, graph)
    return None


def _cited(lead: RankedHypothesis | None, bundle: EvidenceBundle) -> list[MetricSeries]:
    items = (bundle[e] for e in (lead.evidence if lead else ()) if e in bundle)
    return [item for item in items if isinstance(item, MetricSeries)]


def _alarmed(bundle: EvidenceBundle) -> list[MetricSeries]:
    alarms = bundle.of(AlarmTransition)
    return [s for s in bundle.of(MetricSeries) if any(_watches(alarm, s) for alarm in alarms)]


def _noticed(lead: RankedHypothesis | None, bundle: EvidenceBundle) -> list[MetricSeries]:
    if lead is None:
        return []
    named = {onset.signal for onset in bundle.of(Onset, lead.resource)}
    return [s for s in bundle.of(MetricSeries, lead.resource) if _signal(s) in named]


def _watches(alarm: AlarmTransition, series: MetricSeries) -> bool:
    watched = (alarm.namespace, alarm.metric, alarm.dimensions)
    return bool(alarm.metric) and watched == (series.namespace, series.metric, series.dimensions)


def _signal(series: MetricSeries) -> str:
    """Name a series as `Onset.signal` does."""
    return f"{series.namespace} {series.metric} {series.statistic}"


def _chart(
    found: _Candidate,
    lead: RankedHypothesis | None,
    ranked: Sequence[RankedHypothesis],
    bundle: EvidenceBundle,
    graph: ServiceGraph,
) -> MetricChart:
    series, left = found
    onset = _onset(found, lead, bundle)
    changes = tuple(_changes(ranked, bundle, left.samples[0][0], left.samples[-1][0]))
    before = max(BEFORE, left.samples[-1][0] - onset)
    start = min([onset - before, *(change.at - MARGIN for change in changes)])
    samples, period = _thinned([s for s in left.samples if s[0] >= start], series.period_seconds, left.usual.level)
    whose = subject(series, graph)
    return MetricChart(
        title=f"{metric_name(series)} of {' of '.join(NAME.findall(whose)) or whose}",
        unit=unit(series),
        start=samples[0][0],
        period_seconds=period,
        points=tuple(value for _, value in samples),
        baseline=left.usual,
        threshold=_threshold(series, bundle),
        onset=onset,
        changes=changes,
        alt=_alt(f"{metric_name(series)} of {whose}", found, onset, changes),
    )


def _onset(found: _Candidate, lead: RankedHypothesis | None, bundle: EvidenceBundle) -> datetime:
    """Return when it began, as analysis says where the curve bears it out, else where the curve leaves the usual."""
    series, left = found
    period = timedelta(seconds=series.period_seconds)
    told = [o.observed_at for o in bundle.of(Onset, series.resource) if o.signal == _signal(series)]
    said = [lead.since if lead else None, *told]
    fitting = [at for at in said if at is not None and left.onset - NEAR <= at < left.onset + period]
    return max(fitting[0], left.samples[0][0]) if fitting else left.onset


def _changes(
    ranked: Sequence[RankedHypothesis], bundle: EvidenceBundle, start: datetime, end: datetime
) -> Iterator[MarkedChange]:
    """Yield the last changes that the verdict cites, in time order."""
    cited = {e for h in ranked if h.role in {Role.ROOT_CAUSE, Role.TRIGGER, Role.CONTRIBUTING} for e in h.evidence}
    marked = sorted(
        {
            (at, f"{event_name(change.event_name)} by {change.who}{_moved(change, at, bundle)}")
            for change in bundle.of(Change)
            if (at := change.observed_at) and change.id in cited and change.took_effect and start <= at <= end
        }
    )
    yield from (MarkedChange(at=at, label=said) for at, said in marked[-CHANGES:])


def _moved(change: Change, at: datetime, bundle: EvidenceBundle) -> str:
    """Return what the change did to a provisioned capacity, as its series shows soon after: " (500 → 5 WCU)"."""
    for series in bundle.of(MetricSeries, change.resource):
        side = re.fullmatch(r"Provisioned(Read|Write)CapacityUnits", series.metric)
        points = (*series.baseline, *series.points)
        before = [p.value for p in points if p.at < at]
        after = [p.value for p in points if p.at >= at][:SHOWN_WITHIN]
        new = next((value for value in after if before and value != before[-1]), None)
        if side and new is not None:
            return f" ({amount(before[-1])} → {amount(new)} {side[1][0]}CU)"
    return ""


def _thinned(samples: list[Sample], period: int, level: float) -> tuple[list[Sample], int]:
    """Return at most so many points as a picture takes: of several periods the one farthest from the usual."""
    size = -(-len(samples) // MOST_POINTS)
    groups = (samples[n : n + size] for n in range(0, len(samples), size))
    return [(group[0][0], _farthest(group, level)) for group in groups], period * size


def _farthest(group: list[Sample], level: float) -> float | None:
    return max((value for _, value in group if value is not None), key=lambda v: abs(v - level), default=None)


def _threshold(series: MetricSeries, bundle: EvidenceBundle) -> Limit | None:
    """Return the alarm's threshold on the same metric, else the capacity that it consumes."""
    for alarm in bundle.of(AlarmTransition):
        same = (alarm.statistic, alarm.period_seconds) == (series.statistic, series.period_seconds)
        if alarm.threshold is not None and same and _watches(alarm, series):
            return Limit(level=alarm.threshold, label=f"alarm threshold {amount(alarm.threshold)}")
    provisioned = series.metric.replace("Consumed", "Provisioned", 1)
    if series.statistic != "Sum" or not re.fullmatch(r"Consumed(Read|Write)CapacityUnits", series.metric):
        return None
    for other in bundle.of(MetricSeries, series.resource):
        if (other.metric, other.dimensions) == (provisioned, series.dimensions) and other.points:
            limit = other.points[-1].value
            shown = f"provisioned: {amount(limit)} units a second"
            return Limit(level=limit * series.period_seconds, label=shown)
    return None


def _alt(name: str, found: _Candidate, onset: datetime, changes: Sequence[MarkedChange]) -> str:
    """Say in one sentence what is seen."""
    left, counted = found.left, unit(found.series)
    moved = "rose" if left.rising else "fell"
    values = f"from {amount(left.usual.level)} to {amount(left.worst)} {counted}".rstrip()
    earlier = [change for change in changes if change.at <= onset]
    after = f", {_after(onset - earlier[-1].at, found.series.period_seconds)} {earlier[-1].label}" if earlier else ""
    return f"{name} {moved} {values}, beginning at {clock(onset)}{after}."


def _after(length: timedelta, period_seconds: int) -> str:
    return "right after" if length < timedelta(seconds=period_seconds) else f"{span(length)} after"
