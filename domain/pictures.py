"""What an investigation shows beside its words: the deciding metric over time, and the trace as a waterfall.

Values only: `orchestrator.illustrate` makes them from evidence, `bot.pictures` draws them.
"""

from datetime import datetime, timedelta

from pydantic import AwareDatetime, Field

from domain.values import Value

MOST_POINTS = 240
MOST_SPANS = 40


class Usual(Value):
    """What the metric was before: the median, and the range that all but outliers keep to, in the metric's unit."""

    level: float
    low: float
    high: float


class Limit(Value):
    """A level that the metric is measured against, in its unit: an alarm's threshold, a provisioned capacity."""

    level: float
    label: str


class MarkedChange(Value):
    """A change near the onset."""

    at: AwareDatetime
    label: str


class MetricChart(Value):
    """One metric over time.

    `points` are the values of consecutive periods from `start` on, None where nothing was reported. `alt` is one
    sentence that says what is seen.
    """

    title: str
    unit: str
    start: AwareDatetime
    period_seconds: int = Field(gt=0)
    points: tuple[float | None, ...] = Field(min_length=2, max_length=MOST_POINTS)
    baseline: Usual
    threshold: Limit | None = None
    onset: AwareDatetime
    changes: tuple[MarkedChange, ...] = ()
    alt: str

    @property
    def times(self) -> tuple[datetime, ...]:
        """The start of each period, and the end of the last: one more than there are points."""
        return tuple(self.start + timedelta(seconds=n * self.period_seconds) for n in range(len(self.points) + 1))


class Span(Value):
    """One row of a waterfall: a piece of work, or several that were left out.

    `start` is in seconds since the trace began; `seconds` is None where no end was recorded. `failing_path` marks what
    failed and all that it failed on the way from the entry. `left_out` is how many pieces of work the row stands for.
    """

    name: str
    start: float = Field(ge=0)
    seconds: float | None = Field(ge=0)
    depth: int = Field(ge=0)
    failed: bool = False
    failing_path: bool = False
    note: str = ""
    left_out: int = Field(0, ge=0)


class Waterfall(Value):
    """A trace, each piece of work a row under the one that it was done for; `seconds` is the length of the whole."""

    title: str
    start: AwareDatetime
    seconds: float = Field(gt=0)
    spans: tuple[Span, ...] = Field(min_length=1, max_length=MOST_SPANS)
    alt: str


class Pictures(Value):
    """The pictures of one investigation; None where nothing is worth a picture."""

    chart: MetricChart | None = None
    waterfall: Waterfall | None = None

    def __bool__(self) -> bool:
        return self.chart is not None or self.waterfall is not None
