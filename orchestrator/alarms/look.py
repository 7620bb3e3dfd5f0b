"""From an alarm to evidence: what it watches, when it rang and why, and which traces show it.

CloudWatch is asked for what the message did not say; what it does not tell is a gap, and the message's words go on
standing in for it.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from datetime import datetime, timedelta
from typing import NamedTuple

from aws.clients import Clients
from aws.errors import CALL_ERRORS, unusable
from aws.reads import Read
from domain.alarm import AlarmReference, AlarmTransition
from domain.evidence import Evidence
from domain.gap import Gap, GapReason
from domain.request import Target
from domain.resource import Resource
from domain.window import Window
from orchestrator.alarms import metric, traces
from orchestrator.alarms.composite import behind
from orchestrator.alarms.described import DESCRIBE, as_resource
from orchestrator.alarms.history import HISTORY, began
from orchestrator.alarms.metric import MetricSilence
from orchestrator.alarms.sighting import Sighting, as_told_only, sight
from orchestrator.alarms.watched import looked_up, watched
from orchestrator.alarms.words import told
from orchestrator.fetch import gap_of
from orchestrator.resolve import Where

READS: tuple[Read, ...] = (DESCRIBE, HISTORY, metric.READ, traces.SUMMARIES)
BEFORE, AFTER = timedelta(minutes=15), timedelta(minutes=5)
LONGEST_EVALUATION = timedelta(hours=24)
NO_TRACES = traces.Chosen()


class FromAlarm(NamedTuple):
    """What an alarm leads to; `summary` is one line for people, `trace_ids` are the worst first."""

    evidence: tuple[Evidence, ...] = ()
    resources: tuple[Resource, ...] = ()
    window: Window | None = None
    trace_ids: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()
    summary: str = ""


def from_alarm(
    aws: Clients,
    reference: AlarmReference,
    where: Where,
    now: datetime,
    pool: Executor,
    *,
    named: Sequence[Target] = (),
    window: Window | None = None,
    foreign: bool = False,
) -> FromAlarm:
    """Find what an alarm watches and what happened when it rang; a composite's members in trouble join it.

    `named` are resources that the message names beside the alarm, `window` is one that was asked for. With `foreign`
    the alarm's account cannot be read: an alarm of the same name in ours would be another one, so none is asked for.
    Raises botocore's errors only where nothing at all can be read.
    """
    gaps: list[Gap] = []
    top = as_told_only(reference, where, now) if foreign else sight(aws, reference, where, now, pool, gaps)
    members = behind(aws, top, now, pool, gaps)
    sightings = (top, *members.sightings)
    transition = top.evidence(members.arns)
    evidence = [e for e in (transition, *(s.evidence() for s in members.sightings)) if e is not None]
    targets = tuple(dict.fromkeys((*watched(sightings, where, gaps), *named)))
    resources = looked_up(aws, targets, where, pool, gaps)
    around = window or _window(sightings, now)
    chosen = traces.choose(aws, [s.alarm for s in sightings], resources, around, where, now) if around else NO_TRACES
    alone = not resources and (evidence or (top.known and not targets))
    if top.known and transition is None:
        gaps.append(_never_rang(reference))
    return FromAlarm(
        evidence=(*evidence, *_silences(aws, evidence, gaps)),
        resources=(as_resource(reference, where),) if alone else resources,
        window=around,
        trace_ids=chosen.trace_ids,
        gaps=(*gaps, *chosen.gaps),
        summary=_summary(reference, transition, chosen),
    )


def _window(sightings: Sequence[Sighting], now: datetime) -> Window | None:
    """Return 15 min before the data that decided, to 5 min after the transition and not after now; members widen it.

    None without a transition. Data and members older than a day before the newest transition are left out.
    """
    changes = [(s.alarm, s.transition) for s in sightings if s.transition is not None]
    if not changes:
        return None
    last = max(change.at for _, change in changes)
    starts = [min(change.at - alarm.evaluation, began(change) or change.at) for alarm, change in changes]
    start = max(min(starts), last - LONGEST_EVALUATION) - BEFORE
    return Window(start=start, end=max(min(last + AFTER, now), start + timedelta(minutes=1)))


def _silences(aws: Clients, evidence: Iterable[AlarmTransition], gaps: list[Gap]) -> list[MetricSilence]:
    """Say since when nothing came, where that is why an alarm rang."""
    found = []
    for transition in evidence:
        if not transition.for_missing_data:
            continue
        try:
            silent = metric.silence(aws, transition)
        except CALL_ERRORS as error:
            if unusable(error):
                raise
            gaps.append(gap_of("alarm", transition.name, error, metric.READ.action))
        else:
            found += [silent] if silent else []
    return found


def _never_rang(reference: AlarmReference) -> Gap:
    return Gap(
        specialist="trace",
        probe="alarm",
        resource=reference.name,
        reason=GapReason.NO_DATA,
        message=f"The history of alarm “{reference.name}” tells no change to {reference.state.value}: "
        "looking at the last hour. Give a time with --since and --until.",
    )


def _summary(reference: AlarmReference, transition: AlarmTransition | None, chosen: traces.Chosen) -> str:
    kind = "slow" if chosen.slow else "failing"
    seen = f"{len(chosen.trace_ids)} {kind} in the window" if chosen.trace_ids else f"no {kind} trace in the window"
    if transition is None or transition.observed_at is None:
        return f"alarm `{reference.name}`; {seen}"
    return f"{told(transition)} at {transition.observed_at:%H:%M:%S} UTC; {seen}"
