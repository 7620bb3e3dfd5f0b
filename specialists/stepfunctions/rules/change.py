"""The change that made executions fail: a new definition or role of the state machine."""

from collections.abc import Iterator
from datetime import timedelta

from domain.findings import Finding
from domain.trace import TraceSegment
from specialists.contract import Case, rule
from specialists.kit.change import Change
from specialists.kit.lastchange import effective_changes
from specialists.kit.series import MetricSeries
from specialists.stepfunctions.claims import claims
from specialists.stepfunctions.evidence import Execution, History
from specialists.stepfunctions.targets import machine_of

CHANGES = ("UpdateStateMachine", "CreateStateMachine", "UpdateStateMachineAlias", "PublishStateMachineVersion")
OF_DEFINITION = frozenset(
    {
        "sfn-jsonpath-missing",
        "sfn-jsonata-error",
        "sfn-no-choice",
        "sfn-invalid-field-value",
        "sfn-resultpath-failure",
        "sfn-intrinsic-failure",
        "sfn-function-not-found",
        "sfn-role-denied",
        "sfn-timeout-task",
        "sfn-heartbeat-timeout",
        "sfn-execution-timeout",
        "sfn-data-limit",
    }
)
"""Causes that a definition or a role brings about."""

AT_ONCE = timedelta(minutes=15)
SOON = timedelta(hours=1)


@rule("deploy-regression", sees=(Change, History, Execution, TraceSegment, MetricSeries))
def change_broke_it(case: Case) -> Iterator[Finding]:
    """The state machine was changed shortly before executions began to fail in a way that its definition causes."""
    failed = [c for c in claims(case) if c.code in OF_DEFINITION and c.since]
    began = min((c.since for c in failed if c.since), default=None)
    counted = _risen(case)
    onset = min([at for at in (began, counted.first_over(counted.usual_peak) if counted else None) if at], default=None)
    if began is None or onset is None:
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


def machine_changes(case: Case) -> list[Change]:
    """Return the changes of the machine that AWS carried out, oldest first."""
    return [change for change in effective_changes(case) if change.event_name in CHANGES]


def _risen(case: Case) -> MetricSeries | None:
    """Return the count of failed executions where it rose above what is usual."""
    found = (s for s in case.all(MetricSeries) if s.metric == "ExecutionsFailed")
    return next((s for s in found if s.peak > s.usual_peak), None)


RULES = (change_broke_it,)
