"""The change that made executions fail: a new definition or role of the state machine."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from domain.findings import Finding
from domain.trace import TraceSegment
from specialists.contract import Case, rule
from specialists.kit.change import Change
from specialists.kit.changekinds import plain_name
from specialists.kit.lastchange import effective_changes
from specialists.kit.series import MetricSeries
from specialists.stepfunctions.claims import Claim, claims
from specialists.stepfunctions.classify import NOT_FOUND, OF_DATA, hangs_on
from specialists.stepfunctions.evidence import Execution, History
from specialists.stepfunctions.targets import machine_of
from specialists.stepfunctions.words import name_of

CHANGES = ("UpdateStateMachine", "CreateStateMachine", "UpdateStateMachineAlias", "PublishStateMachineVersion")
DELETED = ("DeleteFunction", "DeleteAlias")
NEW_CODE = ("UpdateFunctionCode", "UpdateFunctionConfiguration", "UpdateAlias")
OF_DEFINITION = OF_DATA | {
    NOT_FOUND,
    "sfn-role-denied",
    "sfn-timeout-task",
    "sfn-heartbeat-timeout",
    "sfn-execution-timeout",
}
"""Causes that a definition or a role brings about."""

AT_ONCE = timedelta(minutes=15)
SOON = timedelta(hours=1)


QUIET = timedelta(minutes=30)
"""How long nothing must have failed before for the first failure to be a beginning."""


class Outbreak(NamedTuple):
    """When executions began to fail, and the count that shows it."""

    at: datetime
    series: MetricSeries


@rule("deploy-regression", sees=(Change, History, Execution, TraceSegment, MetricSeries))
def change_broke_it(case: Case) -> Iterator[Finding]:
    """The state machine was changed shortly before executions began to fail in a way that its definition causes."""
    failed = [c for c in claims(case) if c.code in OF_DEFINITION and c.since]
    counted = _risen(case)
    onset = _onset(failed, counted)
    if onset is None:
        return
    changes = [c for c in machine_changes(case) if c.observed_at and onset - SOON <= c.observed_at <= onset]
    if not changes:
        return
    last, machine = changes[-1], machine_of(case.target)
    gap = onset - (last.observed_at or onset)
    shown = [item for claim in failed[:3] for item in claim.seen.evidence]
    decides = counted is not None and gap <= AT_ONCE and not counted.usual_peak
    yield case.hypothesis(
        "deploy-regression",
        f"`{machine.name}` was changed by `{last.who}` at {last.observed_at:%H:%M} ({last.event_name}), "
        f"{gap.total_seconds() / 60:.0f} min before executions began to fail",
        proof=(last,) if decides else (),
        strong=(*([] if decides else [last]), *shown, *([counted] if counted else [])),
        resource=machine.id,
        since=last.observed_at,
    )


@rule("deploy-regression", sees=(Change, History, Execution, MetricSeries))
def function_was_changed(case: Case) -> Iterator[Finding]:
    """The function that gave a state its data, or that it calls, was changed or deleted shortly before it failed."""
    failed = [c for c in claims(case) if c.since and hangs_on(c.outcome)]
    outbreak = _outbreak(case)
    read = _onset(failed, None)
    if read is None:
        return
    onset = min(read, outbreak.at) if outbreak else read
    # Metrics come by the minute: a change within the first bad one may have come before it.
    until = min(onset + timedelta(minutes=1), read)
    machine = machine_of(case.target)
    began = "began to fail" if outbreak else "failed in the first execution that was read"
    for function, claim in {hangs_on(c.outcome) or "": c for c in reversed(failed)}.items():
        last = _last_of(case, function, DELETED if claim.code == NOT_FOUND else NEW_CODE, until)
        if last is None or last.observed_at is None:
            continue
        part = "which calls it" if claim.code == NOT_FOUND else "which reads its result"
        minutes = (onset - last.observed_at).total_seconds() / 60
        ahead = f"{minutes:.0f} min" if minutes >= 1 else "less than a minute"
        yield case.hypothesis(
            "deploy-regression",
            f"`{last.who}` made {plain_name(last)} on `{name_of(function)}` at {last.observed_at:%H:%M}, "
            f"{ahead} before state `{claim.outcome.state}` of `{machine.name}`, {part}, {began}",
            strong=(last, *([outbreak.series] if outbreak else [])),
            # A change stands at its own resource only where that is known to be called from the machine.
            resource=function if machine.id in case.graph.callers(function) else machine.id,
            since=last.observed_at,
        )


def _outbreak(case: Case) -> Outbreak | None:
    """Return when executions began to fail after a quiet time, also where that was before the window."""
    for series in (s for s in case.all(MetricSeries) if s.metric == "ExecutionsFailed"):
        points = [*series.baseline, *series.points]
        first = next((p.at for p in points if p.value > 0), None)
        if first is not None and first - points[0].at >= QUIET:
            return Outbreak(first, series)
    return None


def _last_of(case: Case, function: str, names: tuple[str, ...], until: datetime) -> Change | None:
    """Return the last such change of a function in the hour before a moment."""
    made = [c for c in case.evidence.of(Change, function) if c.took_effect and c.event_name.startswith(names)]
    near = [c for c in made if c.observed_at and until - SOON <= c.observed_at <= until]
    return max(near, key=lambda c: (c.observed_at, c.id), default=None)


def _onset(failed: Sequence[Claim], counted: MetricSeries | None) -> datetime | None:
    """Return when these failures began: the first that was read, or the first minute with more than usual."""
    began = min((c.since for c in failed if c.since), default=None)
    risen = counted.first_over(counted.usual_peak) if counted else None
    return None if began is None else min(began, risen) if risen else began


def machine_changes(case: Case) -> list[Change]:
    """Return the changes of the machine that AWS carried out, oldest first."""
    return [change for change in effective_changes(case) if change.event_name in CHANGES]


def _risen(case: Case) -> MetricSeries | None:
    """Return the count of failed executions where it rose above what is usual."""
    found = (s for s in case.all(MetricSeries) if s.metric == "ExecutionsFailed")
    return next((s for s in found if s.peak > s.usual_peak), None)


RULES = (change_broke_it, function_was_changed)
