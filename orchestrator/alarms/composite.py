"""The alarms behind a composite one: those whose trouble made it ring, down to the metrics."""

from collections.abc import Sequence
from concurrent.futures import Executor
from datetime import datetime
from functools import partial
from typing import NamedTuple

from aws.clients import Clients
from aws.errors import CALL_ERRORS, unusable
from domain.alarm import AlarmKind, AlarmState
from domain.gap import Gap, GapReason
from orchestrator.alarms.described import DESCRIBE, Described, describe
from orchestrator.alarms.history import HISTORY, Transition, state_at, transitions
from orchestrator.alarms.rule import Member, members
from orchestrator.alarms.sighting import Sighting
from orchestrator.atonce import at_once
from orchestrator.fetch import gap_of

MOST_MEMBERS = 12
"""Members that are asked about, at each composite: CloudWatch answers twenty questions about histories a second."""

DEEPEST = 3


class Behind(NamedTuple):
    """The members in trouble, composites among them and what is behind those; `arns` are of the top one's own."""

    sightings: tuple[Sighting, ...] = ()
    arns: tuple[str, ...] = ()


def behind(aws: Clients, top: Sighting, now: datetime, pool: Executor, gaps: list[Gap]) -> Behind:
    """Find the members that were in trouble when the composite alarm rang; a metric alarm has none."""
    seen = {top.alarm.name}
    level, found, own = [top], list[Sighting](), list[str]()
    for depth in range(DEEPEST):
        composites = [s for s in level if s.alarm.kind is AlarmKind.COMPOSITE]
        level = [m for s in composites for m in _members(aws, s, now, pool, seen, gaps)]
        found += level
        own = own or [m.alarm.arn for m in level if depth == 0]
    return Behind(tuple(found), tuple(own))


def _members(
    aws: Clients, composite: Sighting, now: datetime, pool: Executor, seen: set[str], gaps: list[Gap]
) -> list[Sighting]:
    """Return a composite's members that were in the state it waits for, else those of which nobody knows."""
    all_named = [m for m in members(composite.alarm.expression) if m.means_trouble and m.name not in seen]
    named = all_named[:MOST_MEMBERS]
    seen.update(m.name for m in named)
    if not named:
        return []
    try:
        alarms = describe(aws, [m.name for m in named])
    except CALL_ERRORS as error:
        if unusable(error):
            raise
        gaps.append(gap_of("alarm", composite.alarm.name, error, DESCRIBE.action))
        return []
    gaps += _unseen(composite.alarm, all_named, alarms)
    moment = composite.transition.at if composite.transition else now
    kept = [(member, alarms[member.name]) for member in named if member.name in alarms]
    histories = at_once(pool, [partial(_history, aws, alarm.name, moment) for _, alarm in kept])
    gaps += [gap for _, gap in histories if gap]
    sighted = [
        (member, _state_then(alarm, known, moment), Sighting(alarm, _last(alarm, known, moment)))
        for (member, alarm), (known, _) in zip(kept, histories, strict=True)
    ]
    in_trouble = [sighting for member, state, sighting in sighted if state in member.states]
    return in_trouble or [sighting for _, state, sighting in sighted if state is None]


def _state_then(alarm: Described, known: Sequence[Transition], moment: datetime) -> AlarmState | None:
    """Return the member's state when the composite rang, by its history, else by a present state that is as old."""
    unchanged = alarm.changed_at is None or alarm.changed_at <= moment
    return state_at(known, moment) or (alarm.state if unchanged else None)


def _unseen(composite: Described, named: Sequence[Member], found: dict[str, Described]) -> list[Gap]:
    """Say which members were not asked about, and which are not there."""
    absent = [m.name for m in named[:MOST_MEMBERS] if m.name not in found]
    messages = [f"The alarm “{composite.name}” listens to “{name}”, which does not exist here." for name in absent]
    if len(named) > MOST_MEMBERS:
        messages.append(
            f"Only the first {MOST_MEMBERS} of the {len(named)} alarms that “{composite.name}” is made of were asked."
        )
    return [
        Gap(specialist="trace", probe="alarm", resource=composite.name, reason=GapReason.NO_DATA, message=message)
        for message in messages
    ]


def _history(aws: Clients, name: str, moment: datetime) -> tuple[tuple[Transition, ...], Gap | None]:
    try:
        return transitions(aws, name, moment), None
    except CALL_ERRORS as error:
        if unusable(error):
            raise
        return (), gap_of("alarm", name, error, HISTORY.action)


def _last(alarm: Described, known: Sequence[Transition], moment: datetime) -> Transition | None:
    """Return the member's own transition into its trouble."""
    if known:
        return known[0]
    if alarm.changed_at is None or alarm.changed_at > moment or alarm.state is AlarmState.OK:
        return None
    return Transition(alarm.changed_at, alarm.state, alarm.reason, alarm.reason_data, alarm.source)
