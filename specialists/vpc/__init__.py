"""VPC: routes, NAT, security groups, network ACLs and endpoints between a function and what it calls."""

from domain.resource import ResourceType
from specialists.contract import Specialist
from specialists.vpc.agent import AGENT
from specialists.vpc.probes import PROBES
from specialists.vpc.proposals import PROPOSALS
from specialists.vpc.rules import RULES

SPECIALIST = Specialist(
    name="vpc",
    handles={
        ResourceType.LAMBDA: "it may run in a VPC",
        ResourceType.VPC: "it is a network in the path",
        ResourceType.SUBNET: "it is a subnet in the path",
        ResourceType.SECURITY_GROUP: "it guards what is in the path",
        ResourceType.VPC_ENDPOINT: "calls go through it",
    },
    probes=PROBES,
    rules=RULES,
    proposals=PROPOSALS,
    agent=AGENT,
)
