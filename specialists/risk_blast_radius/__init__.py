"""Risk and blast radius: who else is affected, how many of their requests fail, and what will follow."""

from specialists.contract import Specialist, SpecialistKind
from specialists.risk_blast_radius.agent import AGENT
from specialists.risk_blast_radius.probes import PROBES, WITH_TRAFFIC
from specialists.risk_blast_radius.rules import RULES

SPECIALIST = Specialist(
    name="risk-blast-radius",
    handles=dict.fromkeys(sorted(WITH_TRAFFIC), "others may depend on it"),
    probes=PROBES,
    rules=RULES,
    kind=SpecialistKind.CROSS_CUTTING,
    limit_seconds=20.0,
    agent=AGENT,
)
