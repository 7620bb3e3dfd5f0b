"""S3: missing buckets and objects, wrong Regions, denied access, keys, request rates and notifications."""

from domain.resource import ResourceType
from specialists.contract import Specialist
from specialists.s3.agent import AGENT
from specialists.s3.probes import PROBES
from specialists.s3.proposals import PROPOSALS
from specialists.s3.rules import RULES

SPECIALIST = Specialist(
    name="s3",
    handles={ResourceType.BUCKET: "it is a bucket in the path"},
    probes=PROBES,
    rules=RULES,
    proposals=PROPOSALS,
    agent=AGENT,
)
