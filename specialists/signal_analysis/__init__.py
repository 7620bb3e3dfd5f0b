"""Signal analysis: what left the usual over all resources, in which order, and which resource explains the others."""

from specialists.contract import Specialist, SpecialistKind
from specialists.signal_analysis.agent import AGENT
from specialists.signal_analysis.probes import PROBES
from specialists.signal_analysis.rules import RULES
from specialists.signal_analysis.watched import TYPES

SPECIALIST = Specialist(
    name="signal-analysis",
    handles=dict.fromkeys(TYPES, "its metrics, logs and calls around the window"),
    probes=PROBES,
    rules=RULES,
    kind=SpecialistKind.CROSS_CUTTING,
    limit_seconds=30.0,
    agent=AGENT,
)
