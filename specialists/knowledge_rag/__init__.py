"""Knowledge: what the team has written down, and the runbooks that come with the bot, as citations."""

from domain.resource import ResourceType
from specialists.contract import Specialist, SpecialistKind
from specialists.knowledge_rag.agent import AGENT
from specialists.knowledge_rag.probes import PROBES
from specialists.knowledge_rag.rules import RULES

REASON = "documents may say what to do"

SPECIALIST = Specialist(
    name="knowledge-rag",
    # What a service specialist looks at too, and no more: documents alone never show that a system is well.
    handles=dict.fromkeys(
        (
            ResourceType.LAMBDA,
            ResourceType.REST_API,
            ResourceType.HTTP_API,
            ResourceType.API,
            ResourceType.STATE_MACHINE,
            ResourceType.EXECUTION,
            ResourceType.TABLE,
            ResourceType.BUCKET,
            ResourceType.QUEUE,
            ResourceType.TOPIC,
            ResourceType.RULE,
            ResourceType.EVENT_BUS,
            ResourceType.SCHEDULE,
            ResourceType.PIPE,
            ResourceType.ROLE,
            ResourceType.ASSUMED_ROLE,
            ResourceType.VPC,
            ResourceType.SUBNET,
            ResourceType.SECURITY_GROUP,
            ResourceType.VPC_ENDPOINT,
        ),
        REASON,
    ),
    probes=PROBES,
    rules=RULES,
    kind=SpecialistKind.CROSS_CUTTING,
    limit_seconds=15.0,
    agent=AGENT,
)
