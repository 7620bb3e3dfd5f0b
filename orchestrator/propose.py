"""Proposals: typed actions for the verdict, from what the specialists know how to mend. Nothing is changed here."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import NamedTuple

from domain.action import ProposedAction
from domain.evidence import EvidenceBundle
from domain.graph import ServiceGraph
from domain.report import RankedHypothesis, Role
from domain.result import SpecialistResult, SpecialistStatus
from domain.window import Window
from orchestrator.conclude.conclusion import Conclusion
from specialists.contract import Concluded, Plan, Specialist, SpecialistKind

logger = logging.getLogger(__name__)

PLANNING_REASON = "plans on the conclusion, after all others"


class Planned(NamedTuple):
    """The actions in the order to consider them, and the part of the specialist that planned them, if there is one."""

    actions: tuple[ProposedAction, ...]
    result: SpecialistResult | None


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


async def plan(
    conclusion: Conclusion,
    evidence: EvidenceBundle,
    graph: ServiceGraph,
    window: Window,
    specialists: Sequence[Specialist],
    off_the_loop: Callable[..., Awaitable[Plan]],
) -> Planned:
    """Have the planning specialist rank what the others offer; when it fails or is late, their offers stand as such."""
    offered = propose(conclusion.ranked, evidence, specialists)
    planner = planner_of(specialists)
    if planner is None or planner.plan is None:
        return Planned(offered, None)
    began = time.monotonic()
    concluded = Concluded(conclusion.ranked, conclusion.severity, evidence, graph, window, offered)
    made, status, message = Plan(offered), SpecialistStatus.SUCCESS, ""
    try:
        made = await asyncio.wait_for(off_the_loop(planner.plan, concluded), planner.limit_seconds)
    except TimeoutError:
        status, message = SpecialistStatus.TIMEOUT, "did not come back in time; the actions stand in no order"
    except Exception as error:  # the probe runner's law for planning: a plan that breaks must not hide the verdict
        logger.exception("specialist=<%s> | planning failed", planner.name)
        status, message = SpecialistStatus.FAILED, f"planning failed: {type(error).__name__}"
    result = SpecialistResult(
        name=planner.name,
        status=status,
        duration_seconds=round(time.monotonic() - began, 3),
        facts=made.facts,
        advice=made.advice,
        reason=PLANNING_REASON,
        message=message,
    )
    return Planned(made.actions, result)
