"""Metric series as evidence."""

from datetime import datetime
from statistics import median

from pydantic import AwareDatetime

from domain.evidence import Evidence
from domain.values import Value

WHOLE_FROM = 100_000


def plain(value: float) -> str:
    """Write a number out: large ones whole, never as 1.56e+06."""
    return f"{value:.0f}" if abs(value) >= WHOLE_FROM else f"{value:g}"


class Point(Value):
    """One datapoint: the start of its period, UTC, and the value."""

    at: AwareDatetime
    value: float


class MetricSeries(Evidence, kind="metric"):
    """One CloudWatch series: the window's points, and the baseline's before it, both ascending.

    A period without datapoints is absent, as CloudWatch returns it; for Sum of a count metric absence means zero.
    """

    namespace: str
    metric: str
    dimensions: dict[str, str]
    statistic: str  # "Sum", "Average", "Maximum", "SampleCount", "p99"
    period_seconds: int
    points: tuple[Point, ...] = ()
    baseline: tuple[Point, ...] = ()

    @property
    def total(self) -> float:
        """The window's sum of values."""
        return sum(p.value for p in self.points)

    @property
    def peak(self) -> float:
        """The window's highest value; 0 without points."""
        return max((p.value for p in self.points), default=0.0)

    @property
    def low(self) -> float:
        """The window's lowest value; 0 without points."""
        return min((p.value for p in self.points), default=0.0)

    @property
    def typical(self) -> float:
        """The baseline's median; 0 without a baseline."""
        return median([p.value for p in self.baseline]) if self.baseline else 0.0

    @property
    def usual_peak(self) -> float:
        """The baseline's highest value; 0 without a baseline."""
        return max((p.value for p in self.baseline), default=0.0)

    def first_over(self, threshold: float) -> datetime | None:
        """When a point of the window first exceeded the threshold."""
        return next((p.at for p in self.points if p.value > threshold), None)

    def summary(self) -> str:
        """Say what the metric did in the window and what was usual."""
        if not self.points:
            return f"{self.namespace} {self.metric} {self.statistic}: no datapoints in the window"
        now = f"{plain(self.peak)} at most"
        now = f"{plain(self.total)} in all, {now}" if self.statistic == "Sum" else now
        usual = f"; usual {plain(self.typical)}, at most {plain(self.usual_peak)}" if self.baseline else "; no baseline"
        return f"{self.namespace} {self.metric} {self.statistic} a {self.period_seconds} s period: {now}{usual}"
