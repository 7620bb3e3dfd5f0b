"""What a team calls its services, and which of them failed in the trace in the end."""

from domain.evidence import EvidenceBundle
from domain.resource import ResourceType
from domain.trace import TraceOverview, TraceSegment

SERVING = frozenset(
    {
        ResourceType.LAMBDA,
        ResourceType.REST_API,
        ResourceType.HTTP_API,
        ResourceType.API,
        ResourceType.STATE_MACHINE,
        ResourceType.SERVICE,
    }
)
"""What answers requests by code or configuration of its owners."""


def failing_services(evidence: EvidenceBundle) -> frozenset[str]:
    """Return the ids of the resources whose last own part in the trace failed: a retry that succeeds mends it."""
    last: dict[str, TraceSegment] = {}
    for segment in sorted(evidence.of(TraceSegment), key=lambda s: (s.start, s.failed)):
        last[segment.resource] = segment
    return frozenset(resource for resource, segment in last.items() if segment.failed)


def is_healthy(evidence: EvidenceBundle) -> bool:
    """Tell whether there is a trace and everything in it ended well."""
    return bool(evidence.of(TraceOverview)) and not failing_services(evidence)
