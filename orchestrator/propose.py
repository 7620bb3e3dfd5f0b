"""Proposals: typed actions for the verdict, from what the specialists know how to mend. Nothing is changed here."""

from collections.abc import Callable, Iterable, Sequence

from domain.action import ProposedAction
from domain.evidence import EvidenceBundle
from domain.graph import ServiceGraph
from domain.report import RankedHypothesis, Role
from domain.window import Window
from orchestrator.conclude.conclusion import Conclusion
from specialists.contract import Concluded, Plan, Specialist, SpecialistKind

PLANNING_REASON = "plans on the conclusion, after all others"


def planner_of(specialists: Iterable[Specialist]) -> Specialist | None:
    """Return the specialist that plans on the conclusion."""
    return next((s for s in specialists if s.kind is SpecialistKind.PLANNING and s.plan is not None), None)


def propose(
    ranked: Iterable[RankedHypothesis], bundle: EvidenceBundle, specialists: Sequence[Specialist]
) -> tuple[ProposedAction, ...]:
    """Return the actions for the root cause first, then for its contributing factors, each once."""
    told = [h for h in ranked if h.role in {Role.ROOT_CAUSE, Role.CONTRIBUTING}]
    proposals = [
        proposal for specialist in sorted(specialists, key=lambda s: s.name) for proposal in specialist.proposals
    ]
    actions = (
        action
        for h in told
        for proposal in proposals
        if h.cause in proposal.causes
        for action in proposal.propose(h, bundle)
    )
    return tuple({action.id: action for action in actions}.values())


def planning(
    conclusion: Conclusion,
    evidence: EvidenceBundle,
    graph: ServiceGraph,
    window: Window,
    specialists: Sequence[Specialist],
) -> Callable[[], Plan]:
    """Return the work of planning: what the specialists offer, put in order by the one that plans, if there is one."""
    planner = planner_of(specialists)

    def work() -> Plan:
        offered = propose(conclusion.ranked, evidence, specialists)
        if planner is None or planner.plan is None:
            return Plan(offered)
        return planner.plan(Concluded(conclusion.ranked, conclusion.severity, evidence, graph, window, offered))

    return work
