"""Whether two series move together, minute by minute."""

from collections.abc import Sequence
from statistics import StatisticsError
from statistics import correlation as pearson

from specialists.kit.series import MetricSeries

LEAST_POINTS = 20


def in_common(one: MetricSeries, other: MetricSeries) -> tuple[list[float], list[float]]:
    """Return the values of the periods that both reported."""
    mine = {point.at: point.value for point in (*one.baseline, *one.points)}
    both = [(mine[p.at], p.value) for p in (*other.baseline, *other.points) if p.at in mine]
    return [value for value, _ in both], [value for _, value in both]


def correlation(one: Sequence[float], other: Sequence[float]) -> float | None:
    """Return Spearman's rank correlation, -1 to 1; None for too few values, or where one does not vary.

    Ranks, because one huge minute would make any two series that share it look alike.
    """
    if len(one) < LEAST_POINTS:
        return None
    try:
        return pearson(_ranks(one), _ranks(other))
    except StatisticsError:
        return None


def _ranks(values: Sequence[float]) -> list[float]:
    """Return each value's place in ascending order, from 0; equal values share the middle of their places."""
    places: dict[float, list[int]] = {}
    for place, value in enumerate(sorted(values)):
        places.setdefault(value, []).append(place)
    return [(places[value][0] + places[value][-1]) / 2 for value in values]
