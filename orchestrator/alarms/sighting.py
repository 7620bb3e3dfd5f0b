"""One alarm found again in CloudWatch: its configuration, and the transition that is asked about.

What cannot be asked is a gap that names the action, and the message's own words stand in for it.
"""

import re
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple, TypeVar

from aws.clients import Clients
from aws.errors import CALL_ERRORS, unusable
from aws.reads import Read
from domain.alarm import AlarmKind, AlarmReference, AlarmState, AlarmTransition
from domain.gap import Gap, GapReason
from orchestrator.alarms.described import DESCRIBE, Described, as_source, as_told, describe
from orchestrator.alarms.history import CLOCKS, HISTORY, ITS_OWN, Transition, deleted, nearest, transitions
from orchestrator.atonce import at_once
from orchestrator.fetch import gap_of
from orchestrator.resolve import Where

NOT_REPORTED = re.compile(r"no datapoints were received", re.IGNORECASE)
"""CloudWatch's words for "treated as breaching because nothing came"."""

T = TypeVar("T")


class Sighting(NamedTuple):
    """An alarm and its transition, None where nothing tells one; `known` says that CloudWatch has the alarm."""

    alarm: Described
    transition: Transition | None
    known: bool = True

    def evidence(self, members: Sequence[str] = ()) -> AlarmTransition | None:
        """Return the observation; None without a transition."""
        alarm, transition = self.alarm, self.transition
        if transition is None:
            return None
        one = alarm.metrics[0] if len(alarm.metrics) == 1 and alarm.kind is not AlarmKind.METRIC_MATH else None
        return AlarmTransition(
            resource=alarm.arn,
            source=transition.source,
            observed_at=transition.at,
            name=alarm.name,
            alarm_kind=alarm.kind,
            state=transition.state,
            reason=transition.reason,
            namespace=one.namespace if one else "",
            metric=one.metric if one else "",
            dimensions=dict(one.dimensions) if one else {},
            statistic=one.statistic if one else "",
            period_seconds=one.period_seconds if one else 60,
            threshold=alarm.threshold,
            comparison=alarm.comparison,
            missing_data=alarm.missing_data,
            expression=alarm.expression,
            members=tuple(members),
            for_missing_data=_unreported(transition),
            over_at=transition.over,
        )


def as_told_only(reference: AlarmReference, where: Where, now: datetime) -> Sighting:
    """Return the alarm and its transition as the message has them, without asking CloudWatch."""
    alarm = as_told(reference, where)
    return Sighting(alarm, _transition(reference, alarm, (), now), known=False)


def sight(
    aws: Clients, reference: AlarmReference, where: Where, now: datetime, pool: Executor, gaps: list[Gap]
) -> Sighting:
    """Ask CloudWatch for the alarm that a message tells of, and for its history, at once."""
    name, until = reference.name, min(now, reference.at + ITS_OWN) if reference.at else now
    looks: list[Callable[[], Any]] = [
        partial(_asked, partial(describe, aws, [name]), DESCRIBE, name),
        partial(_asked, partial(transitions, aws, name, until), HISTORY, name),
    ]
    (described, no_alarm), (known, no_history) = at_once(pool, looks)
    gaps += [gap for gap in (no_alarm, no_history) if gap]
    alarm = described.get(name) if described else None
    changes = known or ()
    if alarm is None and no_alarm is None:
        alarm = _gone(aws, reference, where, now, gaps, has_history=bool(changes))
        return Sighting(alarm, _transition(reference, alarm, changes, now), known=bool(changes))
    sighted = alarm or as_told(reference, where)
    return Sighting(sighted, _transition(reference, sighted, changes, now), known=alarm is not None or bool(changes))


def _asked(look: Callable[[], T], read: Read, name: str) -> tuple[T | None, Gap | None]:
    try:
        return look(), None
    except CALL_ERRORS as error:
        if unusable(error):
            raise
        return None, gap_of("alarm", name, error, read.action)


def _gone(
    aws: Clients, reference: AlarmReference, where: Where, now: datetime, gaps: list[Gap], *, has_history: bool
) -> Described:
    """The alarm is not there: it was deleted, which its history tells, or it never was where we look."""
    name, told = reference.name, as_told(reference, where)
    was: Described | None = None
    if has_history:
        was, gap = _asked(partial(deleted, aws, name, told.arn, now), HISTORY, name)
        gaps += [gap] if gap else []
        message = f"The alarm “{name}” has been deleted since: what it watched is known from its history only."
    else:
        message = (
            f"No alarm “{name}” in {where.region} of account {where.account}. Check the name, or pass another Region."
        )
    gaps.append(Gap(specialist="trace", probe="alarm", resource=name, reason=GapReason.NOT_FOUND, message=message))
    return was or told


def _transition(
    reference: AlarmReference, alarm: Described, known: Sequence[Transition], now: datetime
) -> Transition | None:
    """Find the transition asked about: in the history, else in the present state, else as the message has it."""
    state, over = _asked_state(reference, alarm), reference.state is AlarmState.OK
    found = nearest(known, state, reference.at, before=over)
    if found is not None:
        return found
    changed = alarm.changed_at if alarm.state is state else None
    if changed is not None and changed <= now + CLOCKS and abs(changed - (reference.at or changed)) <= ITS_OWN:
        return Transition(changed, state, alarm.reason, alarm.reason_data, alarm.source)
    if reference.at is None:
        return None
    return Transition(reference.at, reference.state, reference.reason, source=as_source(reference))


def _asked_state(reference: AlarmReference, alarm: Described) -> AlarmState:
    """After OK people ask what was wrong before; who names an alarm only, asks about the state it is in."""
    if reference.at is None and alarm.state is AlarmState.INSUFFICIENT_DATA:
        return AlarmState.INSUFFICIENT_DATA
    return AlarmState.ALARM if reference.state is AlarmState.OK else reference.state


def _unreported(transition: Transition) -> bool:
    """Whether the state follows from data that did not come."""
    if transition.state is AlarmState.INSUFFICIENT_DATA:
        return True
    recent = transition.data.get("recentDatapoints")
    return bool(NOT_REPORTED.search(transition.reason)) or (transition.state is AlarmState.ALARM and recent == [])
