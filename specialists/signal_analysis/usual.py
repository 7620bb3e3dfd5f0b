"""What is usual for a node, and how much its window exceeds it."""

from collections.abc import Iterator, Sequence
from math import fsum, sqrt
from statistics import median
from typing import NamedTuple

from specialists.signal_analysis.picture import NodeSeries, Row, Signal

SCALES = 3.0
"""How many scales above its reference a value must be to count."""
NORMAL_DEVIATIONS = 1.4826
"""Median absolute deviations to standard deviations of a normal distribution; the 90th percentile is 1.282 of them."""
SMALLEST_LATENCY_SCALE = 0.03
"""The least scale of latency, as a part of the usual value: below it a series that hardly varies cries wolf."""
SMALLEST_LATENCY_SCALE_UNKNOWN = 0.05
"""The same where no baseline shows how much it varies."""
FEW_ROWS = 20
"""A baseline shorter than that may vary less than its node does: what chance alone would scatter counts as well."""
FORGIVEN = 0.02
"""How many incidents a node need not beat, as a part of its past windows: a baseline of days holds one or two."""
INCIDENT = 10
"""How many windows a baseline must have for one of them to be an incident that is forgiven."""


class Excess(NamedTuple):
    """A node's excess in the window, the most that is usual for it, and one scale over one usual row, in one unit."""

    total: float
    usual: float
    scale: float


NONE = Excess(0.0, 0.0, 0.0)


class _Spread(NamedTuple):
    """A signal's typical value, its scale (about one standard deviation), and the typical requests a row."""

    typical: float
    scale: float
    requests: float


def excess_of(series: NodeSeries, signal: Signal, before: int) -> Excess:
    """Sum what the window's rows have above the reference, weighed by requests; `before` rows precede the alarm.

    The reference is the worse of the baseline's median and the window's first row before the alarm, since a node that
    was different already did not change now; without both, the window's lowest value.
    """
    present = [value for row in series.window if (value := row.value(signal)) is not None]
    if not present:
        return NONE
    spread = _spread(series.baseline, signal)
    earlier = [value for row in series.window[:before] if (value := row.value(signal)) is not None][:1]
    if spread is None:
        reference = earlier[0] if earlier else min(present)
        spread = _guessed(reference, median(row.requests for row in series.window), signal)
    else:
        reference = max([spread.typical, *earlier])
    past = [*_above(series.baseline, signal, spread.typical, spread.scale)]
    return Excess(
        fsum(_above(series.window, signal, reference, spread.scale)),
        _most_usual(past, len(series.window)),
        spread.scale * spread.requests,
    )


def _above(rows: Sequence[Row], signal: Signal, reference: float, scale: float) -> Iterator[float]:
    for row in rows:
        value = row.value(signal)
        above = 0.0 if value is None else value - reference
        yield row.requests * above if above > SCALES * scale else 0.0


def _spread(baseline: Sequence[Row], signal: Signal) -> _Spread | None:
    measured = [(value, row.requests) for row in baseline if (value := row.value(signal)) is not None]
    if not measured:
        return None
    values = [value for value, _ in measured]
    requests = max(1.0, median(count for _, count in measured))
    typical = median(values)
    deviation = NORMAL_DEVIATIONS * median(abs(value - typical) for value in values)
    upper = (_quantile(values, 0.9) - typical) / 1.282
    least = SMALLEST_LATENCY_SCALE * typical if signal is Signal.LATENCY else 0.5 / requests
    if len(values) < FEW_ROWS:
        least = max(least, _guessed(typical, requests, signal).scale)
    return _Spread(typical, max(deviation, upper, least), requests)


def _guessed(reference: float, requests: float, signal: Signal) -> _Spread:
    """Guess the scale of a mean over that many requests: latencies vary by about their mean, failures are binomial."""
    requests = max(1.0, requests)
    if signal is Signal.LATENCY:
        scale = reference * max(SMALLEST_LATENCY_SCALE_UNKNOWN, 1 / sqrt(requests))
    else:
        scale = max(1 / requests, sqrt(max(0.0, reference * (1 - reference)) / requests)) / 2
    return _Spread(reference, scale, requests)


def _most_usual(excess: Sequence[float], rows: int) -> float:
    """Return the worst of the past windows of that many rows that is no incident; 0 without a past.

    An incident is forgiven with every window that shares a row with it, however long it lasted.
    """
    number = len(excess) // rows
    forgiven = max(round(FORGIVEN * number), int(number >= INCIDENT))
    sums = {place: fsum(excess[place : place + rows]) for place in range(max(1, len(excess) - rows + 1))}
    for _ in range(forgiven):
        worst = max(sums, key=lambda place: sums[place], default=0)
        first, last = _run(excess, worst, worst + rows)
        sums = {place: amount for place, amount in sums.items() if not first - rows < place < last}
    return max(sums.values(), default=0.0)


def _run(excess: Sequence[float], first: int, last: int) -> tuple[int, int]:
    """Widen an interval of rows (the last one excluded) over the rows beside it that have an excess."""
    while first > 0 and excess[first - 1]:
        first -= 1
    while last < len(excess) and excess[last]:
        last += 1
    return first, last


def _quantile(values: Sequence[float], part: float) -> float:
    """Return the value below which that part of the values lies; 0 without values."""
    return sorted(values)[min(len(values) - 1, int(part * len(values)))] if values else 0.0
