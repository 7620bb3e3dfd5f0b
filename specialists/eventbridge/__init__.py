"""EventBridge: rules that are off or match nothing, targets that are gone or closed, buses, schedules and pipes."""

from domain.resource import ResourceType
from specialists.contract import Specialist
from specialists.eventbridge.agent import AGENT
from specialists.eventbridge.probes import PROBES
from specialists.eventbridge.proposals import PROPOSALS
from specialists.eventbridge.rules import RULES

SPECIALIST = Specialist(
    name="eventbridge",
    handles={
        ResourceType.RULE: "it is a rule that sends events on",
        ResourceType.EVENT_BUS: "events are put on it",
        ResourceType.SCHEDULE: "it is a schedule that starts work",
        ResourceType.PIPE: "it is a pipe in the path",
    },
    probes=PROBES,
    rules=RULES,
    proposals=PROPOSALS,
    agent=AGENT,
)
