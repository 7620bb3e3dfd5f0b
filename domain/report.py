"""The report: what an investigation concludes, in the JSON shape that others rely on."""

from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime, Field

from domain.action import ProposedAction
from domain.findings import Advice, Fact, Origin
from domain.gap import Gap
from domain.graph import ServiceGraph
from domain.pictures import Pictures
from domain.request import Trigger
from domain.resource import Resource
from domain.result import SpecialistStatus
from domain.told import Told
from domain.usage import Usage
from domain.values import Value
from domain.window import Window


class ReportStatus(StrEnum):
    """completed: a verdict, or nothing wrong; inconclusive: something is wrong and the evidence does not decide."""

    COMPLETED = "completed"
    INCONCLUSIVE = "inconclusive"
    FAILED = "failed"


class Role(StrEnum):
    """The part a hypothesis plays in the conclusion."""

    ROOT_CAUSE = "root_cause"
    TRIGGER = "trigger"
    CONTRIBUTING = "contributing"
    SYMPTOM = "symptom"
    RULED_OUT = "ruled_out"
    MINORITY = "minority"


class RankedHypothesis(Value):
    """A hypothesis with its computed confidence and its part; `explained_by` is the cause@resource it follows from.

    `favoured` says, to go on after its resource's name, what set it before others of about its weight.
    """

    cause: str
    resource: str
    summary: str
    confidence: float = Field(ge=0, le=1)
    role: Role
    evidence: tuple[str, ...]
    contradicting: tuple[str, ...] = ()
    specialist: str
    since: AwareDatetime | None = None
    explained_by: str | None = None
    favoured: str = ""
    origin: Origin = Origin.RULE


class RootCause(Value):
    """The hypothesis that the conclusion accepted."""

    cause: str
    resource: str
    summary: str
    confidence: float = Field(ge=0, le=1)
    evidence: tuple[str, ...] = Field(min_length=1)


class Agreement(Value):
    """Whose own findings lead to the root cause, and who stands by another cause that it does not explain.

    Causes and resources are compared, never numbers; a specialist without an opinion is in neither.
    """

    agreeing: tuple[str, ...] = ()
    dissenting: tuple[str, ...] = ()


class CitedEvidence(Value):
    """One piece of evidence as the report shows it."""

    id: str
    resource: str
    summary: str
    source: str
    observed_at: AwareDatetime | None = None
    link: str | None = None


class SeverityLevel(StrEnum):
    """How bad it is, from the measured impact."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    NONE = "none"
    UNKNOWN = "unknown"


class Severity(Value):
    """How bad it is and why; `failing_share` is 0 to 1 over the window, None where nothing measured it.

    `affected_services` are the names of the services that fail with it, those that the outside sees first; `spread`
    says what waits meanwhile and what may follow.
    """

    level: SeverityLevel
    reason: str
    failing_share: float | None = None
    evidence: tuple[str, ...] = ()
    affected_services: tuple[str, ...] = ()
    spread: str = ""


class TimelineEntry(Value):
    """Something that happened in the system."""

    at: AwareDatetime
    what: str
    resource: str
    evidence: tuple[str, ...] = ()


class RunbookRef(Value):
    """A section of a document that says what to do about the root cause.

    `source` is the document's file or address, `heading` the section's heading with those above it, `evidence` the id
    of the passage; `title` is what people call it, `link` where they read on.
    """

    title: str
    source: str
    heading: str
    link: str | None = None
    evidence: str


class SpecialistReport(Value):
    """One specialist's part; its hypotheses carry the confidence that the conclusion computed.

    `dropped` is how many of a model's statements failed their check.
    """

    name: str
    status: SpecialistStatus
    duration_seconds: float
    reason: str
    message: str = ""
    facts: tuple[Fact, ...] = ()
    hypotheses: tuple[RankedHypothesis, ...] = ()
    advice: tuple[Advice, ...] = ()
    gaps: tuple[Gap, ...] = ()
    looks: int = 0
    usage: Usage = Usage()
    dropped: int = 0


class Report(Value):
    """One investigation, concluded.

    `digest` is a SHA-256 over everything that follows from the evidence: ids, times and durations of the run are
    left out, so that the same evidence gives the same digest. `agreement` is None where nobody had an opinion.
    `told` is the verdict in a model's words, `told_note` why there are none where they were asked for.
    """

    investigation_id: str
    status: ReportStatus
    trigger: Trigger
    window: Window | None
    started_at: AwareDatetime
    completed_at: AwareDatetime
    duration_seconds: float
    headline: str
    summary: str
    next_look: str | None = None
    told: Told | None = None
    told_note: str = ""
    affected_resources: tuple[Resource, ...] = ()
    service_graph: ServiceGraph = ServiceGraph()
    specialists: tuple[SpecialistReport, ...] = ()
    root_cause: RootCause | None = None
    agreement: Agreement | None = None
    contributing_factors: tuple[RankedHypothesis, ...] = ()
    hypotheses: tuple[RankedHypothesis, ...] = ()
    evidence: tuple[CitedEvidence, ...] = ()
    severity: Severity
    timeline: tuple[TimelineEntry, ...] = ()
    gaps: tuple[Gap, ...] = ()
    proposed_actions: tuple[ProposedAction, ...] = ()
    advice: tuple[Advice, ...] = ()
    runbooks: tuple[RunbookRef, ...] = ()
    pictures: Pictures = Pictures()
    usage: Usage = Usage()
    digest: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON values, in the shape that design fixes."""
        return self.model_dump(mode="json")
