"""Whether what failed has recovered by itself, as far as the metrics of the window tell."""

from typing import NamedTuple

from domain.evidence import EvidenceBundle
from specialists.kit.series import MetricSeries, Point

QUIET_PERIODS = 5
"""How many periods in a row without a failure count as recovered: with fewer a pause would pass for an end."""


class Recovery(NamedTuple):
    """A failing series that went quiet while requests went on; `since` is its first quiet period."""

    failures: MetricSeries
    since: Point


def recovery(measured: tuple[str, ...], bundle: EvidenceBundle) -> Recovery | None:
    """Return how the measured failure ended, or None when it goes on or nothing tells.

    `measured` are the ids that severity cites: the failing series first, then the series of all requests.
    """
    series = [item for e in measured if e in bundle and isinstance(item := bundle[e], MetricSeries)]
    if len(series) < 2 or not series[0].points or not series[0].total:
        return None
    failures, requests = series[0], series[1]
    last_failure = max(p.at for p in failures.points if p.value > 0)
    after = [p for p in requests.points if p.at > last_failure and p.value > 0]
    return Recovery(failures, after[0]) if len(after) >= QUIET_PERIODS else None
