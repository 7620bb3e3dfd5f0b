"""Execution proposal: what to do about the verdict, in the order to consider it. It plans and carries nothing out."""

from specialists.contract import Specialist, SpecialistKind
from specialists.execution_proposal.agent import AGENT
from specialists.execution_proposal.planning import plan

SPECIALIST = Specialist(
    name="execution-proposal",
    handles={},
    probes=(),
    rules=(),
    kind=SpecialistKind.PLANNING,
    limit_seconds=30.0,
    plan=plan,
    agent=AGENT,
)
