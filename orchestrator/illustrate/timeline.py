"""A series on an even timeline, and how it left what was usual."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from domain.pictures import Usual
from domain.window import Window
from specialists.kit.metrics import BASELINE
from specialists.kit.series import MetricSeries

LATE = 5
"""How many periods before the window's end CloudWatch may still owe: their absence is not a zero yet."""

GAP = 5
"""How many usual periods in a row do not end a departure that comes and goes."""

SPREADS = 6.0
"""How many median deviations from the median are still usual."""

SHARE = 0.1
"""What share of the greatest departure is still usual, for a series that hardly varies."""

Sample = tuple[datetime, float | None]


@dataclass(frozen=True)
class Departure:
    """How a series left what was usual: in which periods, the farthest value, and how far that is (0 to 1)."""

    samples: tuple[Sample, ...]
    usual: Usual
    onset: datetime
    worst: float
    contrast: float

    @property
    def rising(self) -> bool:
        """Whether it went up."""
        return self.worst > self.usual.level


def departure(series: MetricSeries, window: Window) -> Departure | None:
    """Return how the series left what was usual, or None when it did not, or nobody knows what was usual."""
    samples, split = _samples(series, window)
    before = [value for at, value in samples if at < split and value is not None]
    during = [(at, value) for at, value in samples if at >= split and value is not None]
    if not before or not during:
        return None
    level = median(before)
    worst_at, worst = max(during, key=lambda sample: abs(sample[1] - level))
    distance = abs(worst - level)
    slack = max(SPREADS * median(abs(value - level) for value in before), SHARE * distance)
    if distance <= slack or not distance:
        return None
    return Departure(
        samples=tuple(samples),
        usual=Usual(level=level, low=max(level - slack, min(before)), high=min(level + slack, max(before))),
        onset=_onset(samples, worst_at, level, slack),
        worst=worst,
        contrast=distance / (abs(worst) + abs(level)),
    )


def _samples(series: MetricSeries, window: Window) -> tuple[list[Sample], datetime]:
    """Return every period from the baseline to the window's end, and where the window begins.

    A count that was not reported is zero: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html
    """
    period = timedelta(seconds=series.period_seconds)
    known = {point.at: point.value for point in (*series.baseline, *series.points)}
    if not known:
        return [], window.start
    split = min(window.start, min((point.at for point in series.points), default=window.start))
    if series.baseline:
        split = max(split, series.baseline[-1].at + period)
    first = min(known)
    start = first - max(0, (first - (window.start - BASELINE)) // period) * period
    end = max(*known, window.end - (LATE + 1) * period)
    missing = 0.0 if series.statistic in {"Sum", "SampleCount"} else None
    return [(at, known.get(at, missing)) for at in _steps(start, end, period)], split


def _steps(start: datetime, end: datetime, period: timedelta) -> Iterator[datetime]:
    while start <= end:
        yield start
        start += period


def _onset(samples: list[Sample], worst_at: datetime, level: float, slack: float) -> datetime:
    """Return where the departure that leads to its farthest value began."""
    onset, usual_for = worst_at, 0
    for at, value in reversed([sample for sample in samples if sample[0] < worst_at]):
        if value is None or abs(value - level) <= slack:
            usual_for += 1
            if usual_for > GAP:
                break
        else:
            onset, usual_for = at, 0
    return onset
