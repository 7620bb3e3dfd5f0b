"""What could be done about a bucket: bring back the key of its objects. Its policies and notifications stay advice."""

from collections.abc import Iterator

from domain.action import ProposedAction
from domain.evidence import EvidenceBundle
from domain.report import RankedHypothesis
from specialists.contract import Proposal, proposal
from specialists.kit.key import KeyState
from specialists.kit.proposals import revived


@proposal("s3-kms-denied", "kms-pending-deletion")
def revive_key(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[ProposedAction]:
    """Offer to take the objects' key out of its deletion, and to enable it."""
    for key in bundle.of(KeyState):
        if key.exists and accepted.resource in {key.resource, key.key_arn}:
            yield from revived(accepted, key, key.key_arn, key.state)


PROPOSALS: tuple[Proposal, ...] = (revive_key,)
