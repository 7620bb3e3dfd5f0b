"""What a scenario put into the local AWS beside moto: series, trail, alarm history, traces, canned answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sandbox.aws.calls import Call


class Metric(NamedTuple):
    """The name of a series: CloudWatch matches the dimensions exactly."""

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]]


class Point(NamedTuple):
    """Samples of one moment: how often each value was reported."""

    at: float  # epoch seconds
    samples: Mapping[float, float]


@dataclass
class Series:
    """The points of a metric, in the order they were reported."""

    unit: str = "None"
    points: list[Point] = field(default_factory=list)


class TrailEvent(NamedTuple):
    """One event as CloudTrail's LookupEvents lists it, with its full record."""

    event_id: str
    name: str
    source: str
    at: datetime
    username: str
    read_only: bool
    access_key: str
    resources: tuple[tuple[str, str], ...]  # (type, name)
    record: Mapping[str, Any]


class AlarmTransition(NamedTuple):
    """One line of an alarm's history; `data` is the HistoryData document."""

    alarm: str
    at: datetime
    kind: str  # StateUpdate, ConfigurationUpdate, Action
    summary: str
    data: Mapping[str, Any]
    alarm_type: str = "MetricAlarm"


@dataclass
class Traces:
    """X-Ray's documents by trace id and segment id, as they were sent."""

    documents: dict[str, dict[str, str]] = field(default_factory=dict)
    over_limit: set[str] = field(default_factory=set)


@dataclass
class AccountLimits:
    """Lambda's concurrency of one account and Region."""

    concurrent_executions: int = 1000
    reserved: int = 0


class Canned(NamedTuple):
    """An answer for one operation when the call carries certain parameters; `merged` into moto's or instead of it."""

    service: str
    operation: str
    when: Mapping[str, Any]
    output: Mapping[str, Any]
    merged: bool

    def answers(self, call: Call) -> bool:
        """Tell whether it is for this call."""
        return (self.service, self.operation) == (call.service, call.operation) and call.asks_for(self.when)


@dataclass
class RegionSeeds:
    """All of one account and Region."""

    metrics: dict[Metric, Series] = field(default_factory=dict)
    trail: list[TrailEvent] = field(default_factory=list)
    alarms: dict[str, Mapping[str, Any]] = field(default_factory=dict)  # of the kinds that moto cannot make, by name
    alarm_history: list[AlarmTransition] = field(default_factory=list)
    traces: Traces = field(default_factory=Traces)
    lambda_limits: AccountLimits = field(default_factory=AccountLimits)
    scaling_activities: list[Mapping[str, Any]] = field(default_factory=list)
    contributor_insights: dict[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)
    canned: list[Canned] = field(default_factory=list)

    def canned_for(self, call: Call, *, merged: bool) -> Mapping[str, Any] | None:
        """Return the newest canned output for a call."""
        return next((c.output for c in reversed(self.canned) if c.merged is merged and c.answers(call)), None)


class Seeds:
    """The seeds of all accounts and Regions."""

    def __init__(self) -> None:
        self._regions: dict[tuple[str, str], RegionSeeds] = {}

    def of(self, account: str, region: str) -> RegionSeeds:
        """Return the seeds of one account and Region."""
        return self._regions.setdefault((account, region), RegionSeeds())

    def clear(self) -> None:
        """Forget everything."""
        self._regions.clear()
