"""What is normal and what was checked, so that it can be ruled out."""

from collections.abc import Iterator

from domain.findings import Finding
from domain.trace import TraceCall
from specialists.contract import Case, Rule, rule
from specialists.eventbridge.arns import short
from specialists.eventbridge.evidence import (
    BusRules,
    BusState,
    Destination,
    PipeState,
    RoleAccess,
    RuleState,
    ScheduleState,
    Targets,
)
from specialists.eventbridge.metrics import FAILED, INVOCATIONS, MATCHED, THROTTLED
from specialists.eventbridge.symptoms import counted, destination, gone, own_series, refusal, targets_of
from specialists.kit.lastchange import says_changes
from specialists.kit.series import MetricSeries


@rule(sees=(RuleState, ScheduleState, PipeState, BusState, BusRules))
def says_state(case: Case) -> Iterator[Finding]:
    """States that the rule, schedule or pipe is on, and what the bus has."""
    state, schedule, pipe = case.one(RuleState), case.one(ScheduleState), case.one(PipeState)
    if state is not None and state.enabled:
        made = f", made by {state.managed_by}" if state.managed_by else ""
        yield case.fact(f"Rule `{state.name}` on event bus `{state.bus}` is enabled{made}", state)
    if schedule is not None and schedule.exists and schedule.state == "ENABLED":
        yield case.fact(f"Schedule `{schedule.name}` is enabled, in time zone {schedule.timezone}", schedule)
    if pipe is not None and pipe.exists and pipe.state == "RUNNING":
        yield case.fact(f"Pipe `{pipe.name}` is running", pipe)
    bus, rules = case.one(BusState), case.one(BusRules)
    if bus is not None and bus.exists:
        yield case.fact(f"Event bus `{bus.name}` exists" + (f"; {rules.summary()}" if rules else ""), bus)


@rule(sees=(MetricSeries,))
def says_deliveries(case: Case) -> Iterator[Finding]:
    """States how many events matched, how many calls of targets there were and how many failed for good."""
    matched, calls, failed = (own_series(case, name) for name in (MATCHED, INVOCATIONS, FAILED))
    if calls is not None and failed is not None and (calls.points or calls.baseline):
        of = f"{matched.total:g} events matched, " if matched and matched.points else ""
        shown = [s for s in (matched, calls, failed) if s is not None]
        yield case.fact(
            f"`{case.target.name}`: {of}{calls.total:g} calls of targets, {failed.total:g} failed for good", *shown
        )
    throttled = counted(case, (THROTTLED,))
    if throttled:
        yield case.fact(
            f"`{case.target.name}` was throttled {throttled[0].total:g} times by the account's limit: late, not lost",
            *throttled,
        )


@rule(sees=(Targets, Destination, RoleAccess))
def says_targets(case: Case) -> Iterator[Finding]:
    """States which targets are there and let EventBridge in, and advises a dead-letter queue where there is none."""
    known = case.one(Targets)
    for target in targets_of(case):
        seen = destination(case, target.arn)
        if seen is None or not seen.exists or refusal(case, target) or gone(case, target.arn):
            continue
        open_ = " and lets it in" if seen.admits else ""
        yield case.fact(f"The target `{short(target.arn)}` of `{case.target.name}` exists{open_}", seen)
    without = [target for target in targets_of(case) if not target.dead_letter_arn]
    if known is not None and without and counted(case, (FAILED,)):
        yield case.advice(
            f"`{short(without[0].arn)}` has no dead-letter queue: events that fail are lost, with the reason.", known
        )


@rule(sees=(TraceCall,))
def says_calls_succeeded(case: Case) -> Iterator[Finding]:
    """States that all of the trace's calls to the bus succeeded, when they did; their entries may be rejected."""
    calls = case.calls_to()
    if calls and not any(call.failed or call.pending for call in calls):
        yield case.fact(f"{len(calls)} traced calls to `{case.target.name}` succeeded", *calls[:5])


RULES: tuple[Rule, ...] = (says_state, says_deliveries, says_targets, says_calls_succeeded, says_changes)
