"""What analysis reads out of series: when something went wrong, and which resource explains the others."""

from enum import StrEnum

from domain.evidence import Evidence


class Direction(StrEnum):
    """Which way a signal left what is usual."""

    UP = "up"
    DOWN = "down"
    STOPPED = "stopped"  # it reported before and reports no more


class Onset(Evidence, kind="signal.onset"):
    """One signal of a resource that left what is usual; `observed_at` is the first period in which it did, UTC.

    `signal` names it ("AWS/Lambda Errors Sum", "log template: connection to <*> refused"); `worst` and `usual` are in
    its unit; `deviation` is the distance between the two in robust standard deviations of the baseline, None where the
    baseline does not vary or is missing.
    """

    signal: str
    direction: Direction
    worst: float
    usual: float | None
    deviation: float | None = None

    def summary(self) -> str:
        """Say what left its usual value, from when, and how far."""
        since = f" since {self.observed_at:%H:%M:%S} UTC" if self.observed_at else ""
        usual = "no baseline" if self.usual is None else f"usual {self.usual:g}"
        far = "" if self.deviation is None else f", {self.deviation:.1f} deviations"
        return f"{self.signal} went {self.direction.value}{since}: {self.worst:g}, {usual}{far}"


class Excess(Evidence, kind="signal.excess"):
    """How much of what is wrong over the service graph a resource has of its own, after what its dependencies explain.

    `rank` is 1 for the resource that explains the others; `share` is its part of all that is unexplained, 0 to 1;
    `over` is the number of resources that were compared.
    """

    rank: int
    share: float
    over: int

    def summary(self) -> str:
        """Say where it stands among the resources of the graph."""
        return f"rank {self.rank} of {self.over} by what its dependencies do not explain ({self.share:.0%} of it)"
