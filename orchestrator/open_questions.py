"""Which specialists' questions the rules leave open: only there is a model worth asking. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from domain.evidence import Evidence, EvidenceBundle
from domain.findings import Hypothesis, Strength
from domain.report import ReportStatus, Role
from domain.trace import TraceCall, TraceSegment
from orchestrator.conclude.conclusion import Conclusion
from orchestrator.conclude.weigh import TraceView
from specialists.contract import SpecialistKind
from specialists.kit.loglines import LogLines
from specialists.lines import about, tells_of_trouble
from specialists.run import Assignment, Run
from specialists.signal_analysis.evidence import LogTemplate


@dataclass(frozen=True)
class Standing:
    """How things stand by the rules alone: the conclusion, where it fails, and which evidence some rule has used."""

    conclusion: Conclusion
    seen: EvidenceBundle
    failing: frozenset[str]
    cited: frozenset[str]

    @classmethod
    def of(cls, conclusion: Conclusion, seen: EvidenceBundle) -> "Standing":
        """Read it off the conclusion: without a failing trace, what the hypotheses suspect is what fails."""
        suspected = (h for h in conclusion.ranked if h.role is not Role.RULED_OUT)
        return cls(
            conclusion=conclusion,
            seen=seen,
            failing=TraceView.of(seen).failing or frozenset(h.resource for h in suspected),
            cited=frozenset(e for h in conclusion.ranked for e in (*h.evidence, *h.contradicting)),
        )

    @property
    def decided(self) -> bool:
        """Whether the rules need no advice: one verdict without a rival, or nothing wrong."""
        return self.conclusion.verdict.status is ReportStatus.COMPLETED and self.conclusion.settlement.rival is None


def open_question(assignment: Assignment, run: Run, standing: Standing) -> str:
    """Return why a model is worth asking about what a specialist saw, "" when the rules leave nothing open."""
    if standing.decided:
        return ""
    return next((why for is_open, why in REASONS if is_open(assignment, run, standing)), "")


def in_view(assignment: Assignment, run: Run) -> tuple[Evidence, ...]:
    """Return everything that a specialist saw, the trace's part about its resources included."""
    return (*run.evidence, *about(assignment.trace, {target.id for target in assignment.targets}))


def _contested(_: Assignment, run: Run, standing: Standing) -> bool:
    """Two roots weigh about the same, and one of them is this specialist's."""
    root, rival = standing.conclusion.settlement.root, standing.conclusion.settlement.rival
    keys = {(h.cause, h.resource) for h in (root, rival) if h is not None and rival is not None}
    return any((h.cause, h.resource) in keys for h in run.result.hypotheses)


def _conflicting(_: Assignment, run: Run, __: Standing) -> bool:
    """Its rules prove more than one cause of one resource."""
    proved = {(h.resource, h.cause) for h in run.result.hypotheses if _proved(h)}
    return len({resource for resource, _ in proved}) < len(proved)


def _undecided(assignment: Assignment, run: Run, standing: Standing) -> bool:
    """It is about a service whose resources fail, its rules could say why, and none proves it."""
    failing = any(target.id in standing.failing for target in assignment.targets)
    specialist = assignment.specialist
    could = specialist.kind is SpecialistKind.SERVICE and any(rule.causes for rule in specialist.rules)
    return failing and could and not any(_proved(h) for h in run.result.hypotheses)


def _unread(assignment: Assignment, run: Run, standing: Standing) -> bool:
    """It saw the text of an error that no rule cites."""
    return any(item.id not in standing.cited and _holds_error(item) for item in in_view(assignment, run))


def _proved(hypothesis: Hypothesis) -> bool:
    return any(support.strength is Strength.PROOF for support in hypothesis.supports)


def _holds_error(item: Evidence) -> bool:
    if isinstance(item, TraceCall | TraceSegment):
        return item.failed and bool(item.errors)
    return isinstance(item, LogTemplate) or (
        isinstance(item, LogLines) and any(tells_of_trouble(event.message) for event in item.events)
    )


REASONS: tuple[tuple[Callable[[Assignment, Run, Standing], bool], str], ...] = (
    (_contested, "two causes weigh about the same"),
    (_conflicting, "its rules prove more than one cause"),
    (_undecided, "what it looks at fails, and no rule is certain why"),
    (_unread, "it saw an error that no rule knows"),
)


class Asked(NamedTuple):
    """A specialist whose model is asked; `why` is empty where the rules leave nothing open and all are asked."""

    assignment: Assignment
    run: Run
    why: str


def to_ask(pairs: Iterable[tuple[Assignment, Run]], standing: Standing, *, always: bool) -> list[Asked]:
    """Return whom to ask and why, the nearest to the failure first; nobody who has brought nothing."""
    asked = [Asked(assignment, run, open_question(assignment, run, standing)) for assignment, run in pairs]
    able = (a for a in asked if (a.why or always) and a.assignment.specialist.agent is not None and a.run.evidence)
    return sorted(able, key=lambda each: _nearness(each.assignment, standing))


def _nearness(assignment: Assignment, standing: Standing) -> tuple[bool, bool, str]:
    away = not any(target.id in standing.failing for target in assignment.targets)
    return (away, assignment.specialist.kind is not SpecialistKind.SERVICE, assignment.specialist.name)
