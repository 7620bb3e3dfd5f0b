"""What one specialist brought back."""

from enum import StrEnum

from domain.findings import Advice, Fact, Hypothesis
from domain.gap import Gap
from domain.usage import Usage
from domain.values import Value


class SpecialistStatus(StrEnum):
    """How a specialist's run ended; partial: it has findings and gaps."""

    SUCCESS = "success"
    PARTIAL = "partial"
    TIMEOUT = "timeout"
    FAILED = "failed"
    SKIPPED = "skipped"


class SpecialistResult(Value):
    """One specialist's run; `looks` is the number of probes it made, `reason` why it was asked."""

    name: str
    status: SpecialistStatus
    duration_seconds: float
    facts: tuple[Fact, ...] = ()
    hypotheses: tuple[Hypothesis, ...] = ()
    advice: tuple[Advice, ...] = ()
    gaps: tuple[Gap, ...] = ()
    usage: Usage = Usage()
    looks: int = 0
    reason: str = ""
    message: str = ""
