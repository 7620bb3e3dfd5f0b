"""Tables of a scenario: their hours of traffic, what they refused, and people who change them."""

import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from evals.scenarios._functions import HISTORY_MINUTES, whole_minute
from sandbox.aws import signals
from sandbox.aws.signals import Reported
from sandbox.aws.world import World

EXCEEDED = "ProvisionedThroughputExceededException"
WORDS = (
    "The level of configured provisioned throughput for {} was exceeded. Consider increasing your provisioning level"
    " with the UpdateTable API."
)
"""What a throttled caller is told, of "the table" or its indexes."""

PUBLISHED_MINUTES = 5
"""How often DynamoDB publishes what is provisioned."""


class Throttling(NamedTuple):
    """Requests refused a minute from `since` on; `reason` is the limit as it stands in the metric's name."""

    since: datetime
    a_minute: float
    reason: str = ""
    until: datetime | None = None

    def at(self, moment: datetime) -> float:
        """Return how many were refused in the minute of a moment."""
        return self.a_minute if self.since <= moment and not (self.until and moment >= self.until) else 0.0


def table_traffic(
    world: World,
    table: str,
    side: str,
    a_second: float,
    *,
    index: str = "",
    provisioned: float | None = None,
    now: float | None = None,
    since: datetime | None = None,
    throttling: Throttling | None = None,
) -> None:
    """Report four hours of one side ("Read", "Write") of a table or index, in units a second; from `since` on `now`."""
    noise = random.Random(f"{world.seed} {table} {index} {side}")
    where = {"TableName": table, **({"GlobalSecondaryIndexName": index} if index else {})}
    start = whole_minute(world, HISTORY_MINUTES)
    times = [start + timedelta(minutes=n) for n in range(HISTORY_MINUTES)]
    consumed: list[Reported] = []
    for at in times:
        rate = now if now is not None and since is not None and at >= since else a_second
        consumed.append({1.0: max(1, round(60 * rate * noise.uniform(0.94, 1.06)))})
    _report(world, f"Consumed{side}CapacityUnits", where, consumed, start)
    if provisioned is not None:
        published = [provisioned] * (HISTORY_MINUTES // PUBLISHED_MINUTES)
        _report(world, f"Provisioned{side}CapacityUnits", where, published, start, minutes=PUBLISHED_MINUTES)
    if throttling is None:
        return
    refused = [round(throttling.at(at) * noise.uniform(0.85, 1.15)) for at in times]
    events: list[Reported] = [{1.0: n} if n else None for n in refused]
    for reason in dict.fromkeys(("", throttling.reason)):
        _report(world, f"{side}{reason}ThrottleEvents", where, events, start)


def _report(
    world: World, name: str, where: Mapping[str, str], values: Any, start: datetime, *, minutes: int = 1
) -> None:
    signals.metric(world, "AWS/DynamoDB", name, where, values, start=start, period=60 * minutes, unit="Count")


def operation_latency(
    world: World, table: str, operation: str, a_minute: int, milliseconds: float, now: float, since: datetime
) -> None:
    """Report four hours of how long one kind of request takes; from `since` on `now` milliseconds."""
    where = {"TableName": table, "Operation": operation}
    start = whole_minute(world, HISTORY_MINUTES)
    times = [start + timedelta(minutes=n) for n in range(HISTORY_MINUTES)]
    values: list[Reported] = [{(now if at >= since else milliseconds): a_minute} for at in times]
    signals.metric(world, "AWS/DynamoDB", "SuccessfulRequestLatency", where, values, start=start, unit="Milliseconds")


def count_of(world: World, table: str, name: str, a_minute: float, since: datetime, usual: float = 0.0) -> None:
    """Report four hours of a count of the table, such as its failed conditions."""
    start = whole_minute(world, HISTORY_MINUTES)
    times = [start + timedelta(minutes=n) for n in range(HISTORY_MINUTES)]
    rates = ((a_minute if at >= since else usual) for at in times)
    values: list[Reported] = [{1.0: round(rate)} if round(rate) else None for rate in rates]
    _report(world, name, {"TableName": table}, values, start)


def table_changed(world: World, name: str, table: str, *, who: str, when: datetime, **request: Any) -> str:
    """Record that somebody changed a table. Returns the event's id."""
    return signals.cloudtrail_event(
        world,
        name,
        "dynamodb",
        [("AWS::DynamoDB::Table", table)],
        who=who,
        when=when,
        request={"tableName": table, **request},
    )
