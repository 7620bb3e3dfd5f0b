"""Rules of a scenario: hours of events that they match and deliver, who may be called, and people who change them."""

import json
import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from evals.scenarios._functions import HISTORY_MINUTES, whole_minute
from sandbox.aws import signals
from sandbox.aws.signals import Reported
from sandbox.aws.world import World

STARTED = ("TriggeredRules", "Invocations")
HOURS_OF_A_WEEK = 7 * 24
EVENTS = "events.amazonaws.com"


def rule_flow(
    world: World,
    rule: str,
    a_minute: float,
    *,
    until: datetime | None = None,
    failing_since: datetime | None = None,
    pattern: bool = True,
) -> None:
    """Report four hours of a rule: it matches nothing any more from `until`, and delivers nothing from another moment.

    Zeros are not reported.
    """
    noise = random.Random(f"{world.seed} {rule}")
    start = whole_minute(world, HISTORY_MINUTES)
    times = [start + timedelta(minutes=n) for n in range(HISTORY_MINUTES)]
    counts = [round(a_minute * noise.uniform(0.8, 1.2)) if until is None or at < until else 0 for at in times]
    calls: list[Reported] = [{1.0: n} if n else None for n in counts]
    failed: list[Reported] = [
        {1.0: n} if n and failing_since and at >= failing_since else None for at, n in zip(times, counts, strict=True)
    ]
    rows = [(name, calls) for name in (*STARTED, *(("MatchedEvents",) if pattern else ()))]
    for name, values in (*rows, ("FailedInvocations", failed)):
        signals.metric(world, "AWS/Events", name, {"RuleName": rule}, values, start=start, unit="Count")


def rule_week(world: World, rule: str, an_hour: Mapping[int, int], *, until: datetime) -> None:
    """Report the week of a rule that runs by a schedule: how often it runs in each hour of the day, until a moment."""
    first = world.now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS_OF_A_WEEK)
    times = [first + timedelta(hours=n) for n in range(HOURS_OF_A_WEEK + 1)]
    for at in times:
        runs = an_hour.get(at.hour, 0)
        minutes = [at + timedelta(minutes=round(60 * n / runs)) for n in range(runs)]
        for moment in (m for m in minutes if m < until):
            for name in STARTED:
                signals.metric(world, "AWS/Events", name, {"RuleName": rule}, [1.0], start=moment, unit="Count")


def let_in(world: World, function: str, rule_arn: str) -> None:
    """Let a rule invoke a function."""
    name = rule_arn.rsplit("/", 1)[-1]
    world.client("lambda").add_permission(
        FunctionName=function,
        StatementId=f"rule-{name}",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=rule_arn,
    )


def rule_changed(world: World, name: str, rule: str, /, *, who: str, when: datetime, **request: Any) -> str:
    """Record that somebody changed a rule; `name` is CloudTrail's. Returns the event's id."""
    kind = [("AWS::Events::Rule", rule)]
    return signals.cloudtrail_event(world, name, "events", kind, who=who, when=when, request={"name": rule, **request})


def bus_rule(
    world: World, bus: str, name: str, targets: Sequence[Mapping[str, Any]], pattern: Mapping[str, Any]
) -> str:
    """Make a rule by pattern on a bus, made where it is not there; `targets` are PutTargets'. Returns its ARN."""
    events = world.client("events")
    if bus != "default" and bus not in {found["Name"] for found in events.list_event_buses()["EventBuses"]}:
        events.create_event_bus(Name=bus)
    arn: str = events.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps(pattern))["RuleArn"]
    events.put_targets(Rule=name, EventBusName=bus, Targets=[dict(target) for target in targets])
    return arn


def bus_flow(
    world: World,
    bus: str,
    rule: str,
    a_minute: int,
    *,
    since: datetime | None = None,
    targets: int = 1,
    failing: int = 1,
) -> None:
    """Report four hours of a rule that matches evenly; from `since` on so many of its `targets` are `failing`."""
    where = {"RuleName": rule} if bus == "default" else {"EventBusName": bus, "RuleName": rule}
    start = whole_minute(world, HISTORY_MINUTES)
    times = [start + timedelta(minutes=n) for n in range(HISTORY_MINUTES)]
    rows: dict[str, list[Any]] = {
        "MatchedEvents": [{1.0: a_minute} for _ in times],
        "TriggeredRules": [{1.0: a_minute} for _ in times],
        "Invocations": [{1.0: a_minute * targets} for _ in times],
        "FailedInvocations": [{1.0: a_minute * failing} if since and at >= since else None for at in times],
    }
    for name, values in rows.items():
        signals.metric(world, "AWS/Events", name, where, values, start=start, unit="Count")
