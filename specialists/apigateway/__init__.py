"""The API Gateway specialist: REST and HTTP APIs, from the request's refusal to the integration's answer."""

from domain.resource import ResourceType
from specialists.apigateway.agent import AGENT
from specialists.apigateway.probes import PROBES
from specialists.apigateway.proposals import PROPOSALS
from specialists.apigateway.rules import RULES
from specialists.contract import Specialist

SPECIALIST = Specialist(
    name="apigateway",
    handles={
        ResourceType.REST_API: "it is a REST API",
        ResourceType.HTTP_API: "it is an HTTP or WebSocket API",
        ResourceType.API: "it is an API, named by its endpoint",
    },
    probes=PROBES,
    rules=RULES,
    proposals=PROPOSALS,
    agent=AGENT,
)
