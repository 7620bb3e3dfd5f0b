"""DynamoDB: throttling and its reasons, missing tables and indexes, rejected requests, slow scans, keys and streams."""

from domain.resource import ResourceType
from specialists.contract import Specialist
from specialists.dynamodb.agent import AGENT
from specialists.dynamodb.probes import PROBES
from specialists.dynamodb.proposals import PROPOSALS
from specialists.dynamodb.rules import RULES

SPECIALIST = Specialist(
    name="dynamodb",
    handles={ResourceType.TABLE: "it is a table in the path"},
    probes=PROBES,
    rules=RULES,
    proposals=PROPOSALS,
    agent=AGENT,
)
