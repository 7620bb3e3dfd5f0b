"""Everything that the Lambda specialist can propose."""

from specialists.awslambda.proposals.concurrency import CONCURRENCY_PROPOSALS
from specialists.awslambda.proposals.settings import SETTINGS_PROPOSALS
from specialists.awslambda.proposals.sources import SOURCE_PROPOSALS
from specialists.contract import Proposal

PROPOSALS: tuple[Proposal, ...] = (*CONCURRENCY_PROPOSALS, *SETTINGS_PROPOSALS, *SOURCE_PROPOSALS)
