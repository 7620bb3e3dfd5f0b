"""Step Functions: why executions failed, hang or were stopped, at the state, the task or the definition that did it."""

from domain.resource import ResourceType
from specialists.contract import Specialist
from specialists.stepfunctions.agent import AGENT
from specialists.stepfunctions.probes import PROBES
from specialists.stepfunctions.proposals import PROPOSALS
from specialists.stepfunctions.rules import RULES

SPECIALIST = Specialist(
    name="stepfunctions",
    handles={
        ResourceType.STATE_MACHINE: "it is a state machine on the path",
        ResourceType.EXECUTION: "it is an execution that was asked about",
    },
    probes=PROBES,
    rules=RULES,
    proposals=PROPOSALS,
    agent=AGENT,
)
