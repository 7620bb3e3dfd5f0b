"""Lambda: what the function is, what feeds it, how it ran and how it ended."""

from domain.resource import ResourceType
from specialists.awslambda.agent import AGENT
from specialists.awslambda.probes import PROBES
from specialists.awslambda.proposals import PROPOSALS
from specialists.awslambda.rules import RULES
from specialists.contract import Specialist

SPECIALIST = Specialist(
    name="lambda",
    handles={ResourceType.LAMBDA: "it is a Lambda function on the path"},
    probes=PROBES,
    rules=RULES,
    proposals=PROPOSALS,
    agent=AGENT,
)
