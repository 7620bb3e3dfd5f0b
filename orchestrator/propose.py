"""Proposals: typed actions for the verdict, from what the specialists know how to mend. Nothing is changed here."""

from collections.abc import Iterable, Sequence

from domain.action import ProposedAction
from domain.evidence import EvidenceBundle
from domain.report import RankedHypothesis, Role
from specialists.contract import Specialist


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
