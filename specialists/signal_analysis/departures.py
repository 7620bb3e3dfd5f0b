"""When a metric series left what is usual for it, which way, and how far.

What is usual is the median of the three hours before the window; the scale is the larger of the baseline's median
absolute deviation and its upper tail, as standard deviations, and of what counting alone would scatter. A value departs
that is beyond four scales and beyond everything the baseline showed, often enough for its nature (see `WAYS`). A period
without datapoints counts as zero where the metric counts things, and as unknown elsewhere.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import sqrt
from statistics import median
from typing import NamedTuple

from specialists.kit.series import MetricSeries, Point
from specialists.kit.signals import Direction
from specialists.signal_analysis.watched import Nature, watched_of

SCALES = 4.0
LEAST_BASELINE = 10
"""How many baseline values say what is usual."""
LEAST_FAULTS = 3.0
"""How many failures in a window are more than a mishap."""
LEAST_LOAD = 3.0
"""Things a minute below which a load may rest or double by chance."""
SETTLING = timedelta(minutes=3)
"""How long CloudWatch may take to show a period: its silence at the end of a window near now tells nothing."""
STOPPED_PERIODS = 5


class _Way(NamedTuple):
    """How a signal of a nature goes wrong: how many periods in a row, and at least so many times the usual."""

    run: int
    factor: float


WAYS: dict[Nature, _Way] = {
    Nature.FAULTS: _Way(1, 1.5),
    Nature.LATENCY: _Way(2, 1.5),
    Nature.BACKLOG: _Way(3, 2.0),
    Nature.LOAD: _Way(3, 2.0),
}


class Departure(NamedTuple):
    """A series that left the usual: from when on, which way, the worst value and what it is to be compared with.

    `deviation` is the distance from the usual in scales; None without a usual value or where it does not vary.
    """

    series: MetricSeries
    at: datetime
    direction: Direction
    worst: float
    usual: float | None
    deviation: float | None


class _Usual(NamedTuple):
    typical: float
    scale: float
    varies: bool
    least: float
    most: float


def departure(series: MetricSeries, begin: datetime, end: datetime, now: datetime) -> Departure | None:
    """Return how the series left the usual between `begin` and `end`, or None where it did not.

    `begin` is the first period's start. Without enough baseline only failures depart: anything else could be usual.
    """
    watched = watched_of(series)
    if watched is None or not (series.points or series.baseline):
        return None
    nature = watched.nature
    counts = series.statistic in {"Sum", "SampleCount"}
    period = timedelta(seconds=series.period_seconds)
    window = _filled(series.points, begin, min(end, now - SETTLING), period) if counts else series.points
    usual = _usual(series, counts=counts, begin=begin, period=period)
    if usual is None:
        return _first_failures(series, window) if nature is Nature.FAULTS else None
    if nature is Nature.LOAD and (stopped := _stopped(series, window, usual)):
        return stopped
    found = _departing(window, nature, usual)
    if not found:
        return None
    low = found[0].value < usual.typical
    worst = (min if low else max)(point.value for point in found)
    return Departure(
        series,
        found[0].at,
        Direction.DOWN if low else Direction.UP,
        worst,
        usual.typical,
        abs(worst - usual.typical) / usual.scale if usual.varies else None,
    )


def _departing(window: Sequence[Point], nature: Nature, usual: _Usual) -> list[Point]:
    """Return the points that left the usual, from the first run that is long enough on; none where none is."""
    up = [p for p in window if _above(p.value, nature, usual)]
    if nature is Nature.FAULTS and sum(p.value - usual.typical for p in up) < LEAST_FAULTS:
        return []
    down = [p for p in window if _below(p.value, usual)] if nature is Nature.LOAD else []
    return _after_run(up, window, WAYS[nature].run) or _after_run(down, window, WAYS[nature].run)


def _above(value: float, nature: Nature, usual: _Usual) -> bool:
    least = max(usual.typical * WAYS[nature].factor, LEAST_LOAD if nature is Nature.LOAD else 0.0)
    return value > max(least, usual.most) and value - usual.typical > SCALES * usual.scale


def _below(value: float, usual: _Usual) -> bool:
    enough = usual.typical >= LEAST_LOAD
    return enough and value < min(usual.typical / 2, usual.least) and usual.typical - value > SCALES * usual.scale


def _after_run(points: list[Point], window: Sequence[Point], run: int) -> list[Point]:
    """Return the points from the first on that has enough neighbours right behind it."""
    places = {point.at: place for place, point in enumerate(window)}
    at = [places[point.at] for point in points]
    first = next((n for n in range(len(at) - run + 1) if at[n + run - 1] - at[n] == run - 1), None)
    return [] if first is None else points[first:]


def _stopped(series: MetricSeries, window: Sequence[Point], usual: _Usual) -> Departure | None:
    """Return the load's end, where it hardly ever paused before and does not come back."""
    silent = 0
    while silent < len(window) and window[-1 - silent].value == 0:
        silent += 1
    if silent < STOPPED_PERIODS or usual.typical < LEAST_LOAD or usual.least == 0:
        return None
    far = usual.typical / usual.scale if usual.varies else None
    return Departure(series, window[-silent].at, Direction.STOPPED, 0.0, usual.typical, far)


def _first_failures(series: MetricSeries, window: Sequence[Point]) -> Departure | None:
    """Return the failures of a series that says nothing before the window: it may exist only where something fails."""
    failing = [point for point in window if point.value > 0]
    if sum(point.value for point in failing) < LEAST_FAULTS:
        return None
    usual = None if series.baseline else 0.0
    return Departure(series, failing[0].at, Direction.UP, max(p.value for p in failing), usual, None)


def _usual(series: MetricSeries, *, counts: bool, begin: datetime, period: timedelta) -> _Usual | None:
    known = series.baseline
    if counts and known:
        known = tuple(_filled(known, known[0].at, begin, period))
    values = sorted(point.value for point in known)
    if len(values) < LEAST_BASELINE:
        return None
    typical = median(values)
    upper = (values[min(len(values) - 1, int(0.95 * len(values)))] - typical) / 1.645
    measured = max(1.4826 * median(abs(value - typical) for value in values), upper)
    scattered = sqrt(typical) if counts else 0.05 * abs(typical)
    return _Usual(typical, max(measured, scattered) or 1e-9, values[0] != values[-1], values[0], values[-1])


def _filled(points: Sequence[Point], begin: datetime, end: datetime, period: timedelta) -> list[Point]:
    """Return the points, and zero for each period from `begin` to before `end` that none was reported for."""
    known = {point.at for point in points}
    grid = (begin + number * period for number in range(max(0, int((end - begin) / period))))
    return sorted([*points, *(Point(at=at, value=0.0) for at in grid if at not in known)], key=lambda p: p.at)
