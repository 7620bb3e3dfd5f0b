"""Counts of trouble that happen more than they usually do."""

from collections.abc import Sequence
from statistics import median

from specialists.kit.series import MetricSeries, Point

WELL_ABOVE = 1.5
"""How many times its usual peak makes a count unusual."""

SELDOM = 0.25
"""The share of periods up to which something usually does not happen."""

LASTING = 5
"""Periods in which it must happen where the baseline holds the beginning of the same trouble."""


def risen(series: MetricSeries | None) -> bool:
    """Tell whether a count happened more than it usually does.

    Trouble that began before the window is in its baseline too: what seldom happened there and goes on here is new.
    """
    if series is None or series.total <= 0:
        return False
    if not series.baseline or series.peak > WELL_ABOVE * series.usual_peak:
        return True
    seldom = _share(series.baseline) <= SELDOM
    lasting = sum(point.value > 0 for point in series.points) >= LASTING
    return seldom and lasting and median(point.value for point in series.points) > 0


def _share(points: Sequence[Point]) -> float:
    return sum(point.value > 0 for point in points) / len(points)
