"""Historical incidents: earlier investigations of our own that resemble this one. Hints, never evidence of a cause."""

from domain.resource import ResourceType
from specialists.contract import Specialist, SpecialistKind
from specialists.historical_incident.agent import AGENT
from specialists.historical_incident.probes import PROBES
from specialists.historical_incident.rules import RULES

SPECIALIST = Specialist(
    name="historical-incident",
    handles=dict.fromkeys(ResourceType, "the same trouble may have been here before"),
    probes=PROBES,
    rules=RULES,
    kind=SpecialistKind.CROSS_CUTTING,
    limit_seconds=20.0,
    agent=AGENT,
)
