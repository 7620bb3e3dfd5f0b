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
    """One specialist's run; `looks` is the number of probes it made, `reason` why it was asked.

    `dropped` is how many of a model's statements failed their check, `model_gap` says why no model answered,
    where one was asked: the conclusion does not know of it.
    """

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
    dropped: int = 0
    model_gap: Gap | None = None
