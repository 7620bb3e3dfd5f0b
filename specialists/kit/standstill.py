"""Work that went on in the window and then stood still: a window holds more than what came after."""

from datetime import datetime, timedelta
from itertools import pairwise

from specialists.kit.series import MetricSeries

LEAST_PERIODS = 5
"""Quiet periods: the last of them CloudWatch may not have counted yet."""

MISSED = 5.0
"""How many times it would have happened meanwhile, at its usual rate."""

TIMES_USUAL = 2
"""How many times the longest pause that it made before."""


def standstill(series: MetricSeries | None, end: datetime) -> datetime | None:
    """Return since when a count stands still until `end`, though it went on before; None where it does not.

    For a count a period without datapoints is zero. A pause as it was made before, or too short to tell, is none.
    """
    busy = [point for point in (*series.baseline, *series.points) if point.value > 0] if series else []
    if series is None or len(busy) < 2:
        return None
    period = timedelta(seconds=series.period_seconds)
    since = busy[-1].at + period
    quiet = end - since
    pause = max(later.at - one.at for one, later in pairwise(busy)) - period
    rate = sum(point.value for point in busy) / ((since - busy[0].at) / period)
    if quiet < LEAST_PERIODS * period or quiet < TIMES_USUAL * pause or rate * (quiet / period) < MISSED:
        return None
    return since


def total_from(series: MetricSeries, moment: datetime) -> float:
    """Return the sum of what a count counted in the window from a moment on."""
    return sum(point.value for point in series.points if point.at >= moment)
