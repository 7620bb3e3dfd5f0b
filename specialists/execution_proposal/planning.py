"""The plan: the actions that the specialists offer, ranked, the trade-offs between them, and when to only watch."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from domain.action import Effect, ProposedAction, Risk
from domain.findings import Advice, Fact
from domain.report import Role, SeverityLevel
from specialists.contract import Concluded, Plan
from specialists.execution_proposal.recovery import Recovery, recovery
from specialists.kit.actions import proposed
from specialists.kit.series import MetricSeries

RISKS = (Risk.LOW, Risk.MEDIUM, Risk.HIGH)
EFFECTS = (Effect.UNDOES, Effect.MENDS, Effect.RELIEVES, Effect.WATCHES)
MILD = frozenset({SeverityLevel.NONE, SeverityLevel.LOW})
WATCH_FOR = timedelta(minutes=15)


def plan(concluded: Concluded) -> Plan:
    """Rank what is offered; put watching first where it has recovered, or where every step risks more than it mends."""
    root = next((h for h in concluded.ranked if h.role is Role.ROOT_CAUSE), None)
    if root is None:
        return Plan(())
    actions = sorted(concluded.offered, key=lambda a: _order(a, root.resource))
    ended = recovery(concluded.severity.evidence, concluded.evidence)
    watching = _watch(concluded, ended, actions)
    planned = (*watching, *actions)
    return Plan(planned, facts=tuple(_trade_offs(planned)), advice=tuple(_nothing_to_do(root.resource, planned)))


def _order(action: ProposedAction, root: str) -> tuple[bool, bool, int, int, str, str]:
    """What mends the root cause first, then what can be taken back, then the least risk, then the quickest way back."""
    return (
        action.resource != root,
        not action.reversible,
        RISKS.index(action.risk),
        EFFECTS.index(action.effect),
        action.kind,
        action.id,
    )


def _watch(
    concluded: Concluded, ended: Recovery | None, actions: Sequence[ProposedAction]
) -> tuple[ProposedAction, ...]:
    """Doing nothing and looking on, where that is best."""
    if ended is not None:
        why = f"No failure since {ended.since.at:%H:%M} UTC, while requests go on: it has recovered by itself."
        return (_watching(ended.failures, concluded, why),)
    too_much = bool(actions) and all(a.risk is Risk.HIGH or not a.reversible for a in actions)
    series = next((s for s in concluded.evidence.of(MetricSeries) if s.id in concluded.severity.evidence), None)
    if too_much and series is not None and concluded.severity.level in MILD:
        return (_watching(series, concluded, f"{concluded.severity.reason}: every step here risks more than that."),)
    return ()


def _watching(series: MetricSeries, concluded: Concluded, why: str) -> ProposedAction:
    """The read that shows whether it stays so: the series that measured the failure, from the window's end on."""
    start, end = concluded.window.end, concluded.window.end + WATCH_FOR
    query = {
        "Id": "watched",
        "MetricStat": {
            "Metric": {
                "Namespace": series.namespace,
                "MetricName": series.metric,
                "Dimensions": [{"Name": name, "Value": value} for name, value in series.dimensions.items()],
            },
            "Period": series.period_seconds,
            "Stat": series.statistic,
        },
    }
    return proposed(
        "cloudwatch.watch",
        call=("cloudwatch", "GetMetricData"),
        parameters={"MetricDataQueries": [query], "StartTime": start.isoformat(), "EndTime": end.isoformat()},
        resource=series.resource,
        title=f"Change nothing and watch {series.metric} until {end:%H:%M} UTC",
        rationale=why,
        expected_effect="Nothing is changed; the numbers tell whether it comes back.",
        risk=Risk.LOW,
        undo="There is nothing to undo.",
        verification=f"{series.metric} stays at 0 until {end:%H:%M} UTC.",
        effect=Effect.WATCHES,
        trade_off="what caused it may come back",
        evidence=concluded.severity.evidence,
    )


def _trade_offs(actions: Sequence[ProposedAction]) -> Iterator[Fact]:
    """What speaks against each action, in the order of the plan."""
    for action in actions[:3]:
        if action.evidence and (action.trade_off or not action.reversible):
            against = [action.trade_off] if action.trade_off else []
            against += [] if action.reversible else ["it cannot be taken back"]
            told = f"{action.title}: {'; '.join(against)}"
            yield Fact(statement=told, evidence=action.evidence, notable=True)


def _nothing_to_do(root: str, actions: Sequence[ProposedAction]) -> Iterator[Advice]:
    """Say that nothing can be done from here, so that an empty list is no riddle."""
    if not actions:
        yield Advice(
            text="No action of the catalogue mends this cause: follow the advice and the runbook.", resource=root
        )
