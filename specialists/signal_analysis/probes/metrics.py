"""Metrics of all resources in one question, and which of them left what is usual: by the hours before, by the hour."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from botocore.exceptions import BotoCoreError, ClientError

from domain.evidence import Evidence
from domain.resource import Resource
from domain.window import Window
from specialists.contract import Look, probe
from specialists.kit.metrics import GET_METRIC_DATA, QUERIES_PER_CALL, Metric, metric_series
from specialists.kit.series import MetricSeries
from specialists.kit.signals import Direction, Onset
from specialists.signal_analysis.departures import Departure, departure
from specialists.signal_analysis.evidence import UsualHour
from specialists.signal_analysis.watched import WATCHED, signal_name, watched_of

DAYS_BACK = (1, 7)
"""Which earlier days are asked for the same hour: yesterday, and the same weekday. Five-minute data live 63 days."""
HOUR_PERIOD = 300
MARGIN = timedelta(minutes=30)
"""How far around the window an earlier day's hour reaches: the nightly job does not start on the second."""
SAME = 0.75
"""An earlier day did the same when it went at least this part of the way from the usual to the worst."""
MAX_ONSETS = 40


@probe(GET_METRIC_DATA, yields=(MetricSeries,), together=True)
def metrics(look: Look) -> Iterator[Evidence]:
    """Reads load, latency, failures and backlog of all resources, a minute each, with the three hours before."""
    wanted = list(_wanted(look.targets))[:QUERIES_PER_CALL]
    series = metric_series(look, [metric for _, metric in wanted])
    for (target, _), one in zip(wanted, series, strict=True):
        if one.points or one.baseline:
            yield one.model_copy(update={"resource": target.id})


def _wanted(targets: Iterable[Resource]) -> Iterator[tuple[Resource, Metric]]:
    for target in targets:
        for watched in WATCHED:
            dimensions = watched.dimensions(target) if watched.type is target.type else None
            if dimensions is not None:
                yield target, Metric(watched.namespace, watched.name, dimensions, watched.statistic)


@probe(GET_METRIC_DATA, needs=(MetricSeries,), yields=(Onset, UsualHour), together=True)
def onsets(look: Look) -> Iterator[Evidence]:
    """Finds which metrics left what is usual and when, and asks whether they do so at this hour of other days.

    Only what left the usual is asked about: yesterday and a week ago, one question each. Where these cannot be read,
    the hours before the window decide.
    """
    departed = _departures(look)
    if not departed:
        return
    try:
        hours = _usual_hours(look, departed)
    except (ClientError, BotoCoreError):
        yield from map(_onset, departed)
        raise
    for found, hour in zip(departed, hours, strict=True):
        yield hour
        if not hour.usual:
            yield _onset(found)


def _departures(look: Look) -> list[Departure]:
    begin = look.window.start.replace(second=0, microsecond=0)
    here = {target.id for target in look.targets}
    found = (
        departure(series, begin, look.window.end, look.now)
        for series in look.seen.of(MetricSeries)
        if series.resource in here
    )
    return sorted((one for one in found if one), key=lambda d: (d.at, d.series.resource, d.series.id))[:MAX_ONSETS]


def _usual_hours(look: Look, departed: Sequence[Departure]) -> list[UsualHour]:
    wanted = [Metric(d.series.namespace, d.series.metric, d.series.dimensions, d.series.statistic) for d in departed]
    by_day: dict[int, list[MetricSeries]] = {}
    for days in DAYS_BACK:
        back = timedelta(days=days)
        window = Window(start=look.window.start - back - MARGIN, end=look.window.end - back + MARGIN)
        earlier = replace(look, window=window)
        by_day[days] = list(metric_series(earlier, wanted, period_seconds=HOUR_PERIOD, baseline=timedelta(0)))
    return [
        _usual_hour(found, {days: series[place] for days, series in by_day.items()})
        for place, found in enumerate(departed)
    ]


def _usual_hour(found: Departure, by_day: dict[int, MetricSeries]) -> UsualHour:
    """Compare a departure with the same hour of earlier days: it is usual when each day that is known did the same."""
    worst = {days: _worst(found, series) for days, series in by_day.items()}
    earlier = {days: value for days, value in worst.items() if value is not None}
    return UsualHour(
        resource=found.series.resource,
        source="cloudwatch:GetMetricData",
        observed_at=found.at,
        signal=signal_name(found.series),
        worst=found.worst,
        earlier={str(days): round(value, 6) for days, value in earlier.items()},
        usual=bool(earlier) and all(_the_same(found, value) for value in earlier.values()),
    )


def _worst(found: Departure, series: MetricSeries) -> float | None:
    """Return the hour's value furthest that way, per period of the departure; None where nothing was reported."""
    watched = watched_of(series)
    if watched is None or not series.points:
        return None
    per = found.series.period_seconds / series.period_seconds if series.statistic in {"Sum", "SampleCount"} else 1.0
    values = [point.value * per for point in series.points]
    return max(values) if found.direction is Direction.UP else min(values)


def _the_same(found: Departure, value: float) -> bool:
    usual = found.usual or 0.0
    way = found.worst - usual
    return (value - usual) / way >= SAME if way else False


def _onset(found: Departure) -> Onset:
    return Onset(
        resource=found.series.resource,
        source="cloudwatch:GetMetricData",
        observed_at=found.at,
        signal=signal_name(found.series),
        direction=found.direction,
        worst=round(found.worst, 6),
        usual=None if found.usual is None else round(found.usual, 6),
        deviation=None if found.deviation is None else round(found.deviation, 2),
    )
