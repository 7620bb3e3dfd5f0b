"""SQS: queues that are missing, refuse or lose messages, back up, and what keeps their readers from keeping up."""

from domain.resource import ResourceType
from specialists.contract import Specialist
from specialists.sqs.agent import AGENT
from specialists.sqs.probes import PROBES
from specialists.sqs.proposals import PROPOSALS
from specialists.sqs.rules import RULES

SPECIALIST = Specialist(
    name="sqs",
    handles={ResourceType.QUEUE: "it is a queue in the path"},
    probes=PROBES,
    rules=RULES,
    proposals=PROPOSALS,
    agent=AGENT,
)
