"""SNS: missing topics, refused publishers, keys, filters, and deliveries that fail or never begin."""

from domain.resource import ResourceType
from specialists.contract import Specialist
from specialists.sns.agent import AGENT
from specialists.sns.probes import PROBES
from specialists.sns.proposals import PROPOSALS
from specialists.sns.rules import RULES

SPECIALIST = Specialist(
    name="sns",
    handles={ResourceType.TOPIC: "it is a topic in the path"},
    probes=PROBES,
    rules=RULES,
    proposals=PROPOSALS,
    agent=AGENT,
)
