"""The iam specialist: who may do what, and which policy refused."""

from domain.resource import ResourceType
from specialists.contract import Specialist
from specialists.iam.agent import AGENT
from specialists.iam.probes import PROBES
from specialists.iam.rules import RULES

SPECIALIST = Specialist(
    name="iam",
    handles={
        ResourceType.LAMBDA: "it runs as a role",
        ResourceType.STATE_MACHINE: "it runs as a role",
        ResourceType.ROLE: "the trace names it",
        ResourceType.ASSUMED_ROLE: "the trace names it",
    },
    probes=PROBES,
    rules=RULES,
    agent=AGENT,
)
