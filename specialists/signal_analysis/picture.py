"""A service graph in numbers, whatever measured it: nodes with their rows, and who calls whom."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Signal(StrEnum):
    """What is compared: how long calls take, or how many fail."""

    LATENCY = "latency"
    ERRORS = "errors"


class Row(NamedTuple):
    """One period of a node: the number of requests, their mean latency in seconds, the failed part (0 to 1)."""

    requests: float
    latency: float | None
    errors: float | None

    def value(self, signal: Signal) -> float | None:
        """Return the value of a signal; None where there were no requests to measure."""
        return self.latency if signal is Signal.LATENCY else self.errors


@dataclass(frozen=True)
class NodeSeries:
    """A node's rows in time order: the window's, and the baseline's of the same period (none where it is unknown).

    `inferred` says that nobody measured the node itself: it repeats what its caller measured.
    """

    window: tuple[Row, ...]
    baseline: tuple[Row, ...] = ()
    inferred: bool = False


@dataclass(frozen=True)
class Picture:
    """What is known of a service graph in a window.

    `calls` are pairs of caller and callee. `before` counts the window's first rows that end before the alarm.
    `alarmed` is the node whose alarm was raised over `signal`, where there was one.
    """

    nodes: Mapping[str, NodeSeries]
    calls: frozenset[tuple[str, str]] = frozenset()
    alarmed: str | None = None
    signal: Signal | None = None
    before: int = 0
