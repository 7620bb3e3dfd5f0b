"""Change intelligence: what changed before it began, who did it, and whether that explains it."""

from domain.resource import ResourceType
from specialists.change_intelligence.agent import AGENT
from specialists.change_intelligence.probes import PROBES
from specialists.change_intelligence.proposals import PROPOSALS
from specialists.change_intelligence.rules import RULES
from specialists.contract import Specialist, SpecialistKind

UNCHANGEABLE = frozenset({
    ResourceType.REMOTE, ResourceType.SERVICE, ResourceType.AWS_SERVICE, ResourceType.OTHER,
    ResourceType.ASSUMED_ROLE, ResourceType.LOG_GROUP,
})  # fmt: skip
"""What is not in AWS, what nobody can change, and what changes no behaviour."""

SPECIALIST = Specialist(
    name="change-intelligence",
    handles={kind: "what changed before it began" for kind in ResourceType if kind not in UNCHANGEABLE},
    probes=PROBES,
    rules=RULES,
    proposals=PROPOSALS,
    kind=SpecialistKind.CROSS_CUTTING,
    limit_seconds=25.0,
    agent=AGENT,
)
