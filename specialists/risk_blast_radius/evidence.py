"""What the risk specialist can see: how much traffic services get from whom, and what hands work on to what."""

from typing import Literal

from domain.evidence import Evidence
from domain.values import Value


class Counts(Value):
    """How traced requests ended. `errors` are 4xx answers without the throttles, which are counted apart."""

    total: int = 0
    errors: int = 0
    throttles: int = 0
    faults: int = 0

    @property
    def failing(self) -> int:
        """Those that the service failed: faults and throttles. A 4xx is mostly its caller's mistake."""
        return self.faults + self.throttles

    @property
    def share(self) -> float:
        """The failing share, 0 to 1; 0 without requests."""
        return self.failing / self.total if self.total else 0.0

    def __str__(self) -> str:
        return f"{self.failing:,} of {self.total:,} failed"


class Caller(Value):
    """One service that calls another: the id of its resource, its name in X-Ray, and how its calls ended."""

    resource: str
    name: str
    counts: Counts


class ServiceTraffic(Evidence, kind="risk.service"):
    """One service of X-Ray's graph over the window: what it answered, and who called it.

    X-Ray counts the requests it traced, which sampling makes a part of all. `entry`: clients call it directly.
    `seconds` is the length of time counted over.
    """

    name: str
    entry: bool = False
    seconds: float
    counts: Counts
    callers: tuple[Caller, ...] = ()

    @property
    def a_minute(self) -> float:
        """How many of the traced requests failed in a minute."""
        return self.counts.failing / (self.seconds / 60) if self.seconds else 0.0

    def summary(self) -> str:
        """Say how its requests ended, and where they came from."""
        callers = ", ".join(f"{c.name} ({c.counts})" for c in self.callers[:5])
        came = f"; called by {callers}" if callers else "; called by clients" if self.entry else ""
        return f"{self.name}: {self.counts} of its traced requests{came}"


class Handover(Evidence, kind="risk.handover"):
    """Work that AWS hands on by itself, from `upstream` to `downstream`, ids of resources; `resource` is one of them.

    `active` is false for a mapping that is switched off, or a subscription that was never confirmed.
    """

    upstream: str
    downstream: str
    by: Literal["event source mapping", "subscription", "rule"]
    active: bool = True

    def summary(self) -> str:
        """Say what hands on what to whom."""
        off = "" if self.active else ", which is off"
        return (
            f"{_tail(self.upstream)} hands its events to {_tail(self.downstream)} by {_article(self.by)} {self.by}{off}"
        )


def _tail(resource: str) -> str:
    return resource.rsplit("/", 1)[-1].rsplit(":", 1)[-1]


def _article(noun: str) -> str:
    return "an" if noun[0] in "aeiou" else "a"
