"""What a specialist is: probes that look, rules that judge.

    specialists/<folder>/evidence.py   what it can see: subclasses of Evidence (pure)
    specialists/<folder>/probes.py     PROBES: read-only looks, each declaring its reads
    specialists/<folder>/rules.py      RULES: pure functions from a Case to facts, hypotheses and advice
    specialists/<folder>/__init__.py   SPECIALIST

A probe never judges and a rule never looks. Confidence is nobody's here: a rule says how strong its evidence is.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from inspect import getdoc
from typing import TYPE_CHECKING, TypeVar

from aws.reads import Read
from domain.action import ProposedAction
from domain.causes import cause as known_cause
from domain.evidence import Evidence, EvidenceBundle
from domain.findings import Advice, Fact, Finding, Hypothesis, Strength, Support
from domain.graph import ServiceGraph
from domain.history import NO_PAST, PastInvestigations
from domain.library import NO_LIBRARY, Library
from domain.report import RankedHypothesis, Severity
from domain.resource import Resource, ResourceType
from domain.trace import TraceCall, TraceSegment
from domain.window import Window
from specialists.once import Once

if TYPE_CHECKING:
    from aws.clients import Clients

EvidenceT = TypeVar("EvidenceT", bound=Evidence)


@dataclass(frozen=True)
class Look:
    """What a probe looks with.

    `aws` are the clients of the target's account and Region; `seen` is the trace's evidence and what this
    specialist's finished probes brought for this target; `now` is the time of the investigation, UTC; `once` shares
    one answer among probes and specialists that ask the same question. A probe that looks at its targets together gets
    all of one account and Region in `targets`, the first of them as `target`. `past` and `library` are what the team
    has kept: earlier investigations, and its runbooks. A probe that lost only a part of what it reads, such as a later
    page, puts the error into `missed` and goes on: it becomes a gap beside the evidence.
    """

    aws: "Clients"
    target: Resource
    window: Window
    seen: EvidenceBundle
    graph: ServiceGraph
    now: datetime
    once: Once = field(default_factory=Once)
    targets: tuple[Resource, ...] = ()
    past: PastInvestigations = NO_PAST
    library: Library = NO_LIBRARY
    missed: list[Exception] = field(default_factory=list)


ProbeFunction = Callable[[Look], Iterable[Evidence]]


@dataclass(frozen=True)
class Probe:
    """One read-only look at one target.

    `needs` are kinds of evidence about the target that must be seen before it can run (it is left out when they never
    come), `yields` the kinds it may bring, `only` the target types it fits (None: all that the specialist handles).
    `together` runs it once for all targets of one account and Region, instead of once for each.
    """

    name: str
    reads: tuple[Read, ...]
    needs: tuple[type[Evidence], ...]
    yields: tuple[type[Evidence], ...]
    only: frozenset[ResourceType] | None
    run: ProbeFunction
    together: bool = False

    @property
    def doc(self) -> str:
        """What the on-call engineer reads about it in the docs."""
        return getdoc(self.run) or ""

    @property
    def actions(self) -> tuple[str, ...]:
        """The IAM actions it needs."""
        return tuple(dict.fromkeys(read.action for read in self.reads))


def probe(
    *reads: Read,
    yields: tuple[type[Evidence], ...],
    needs: tuple[type[Evidence], ...] = (),
    only: Iterable[ResourceType] | None = None,
    together: bool = False,
) -> Callable[[ProbeFunction], Probe]:
    """Declare a function as a probe. It may be a generator: what it yields before an error is kept."""

    def declare(run: ProbeFunction) -> Probe:
        return Probe(run.__name__, reads, needs, yields, None if only is None else frozenset(only), run, together)

    return declare


@dataclass(frozen=True)
class Case:
    """What a rule judges: one target, and everything this specialist has seen of it, the trace included.

    A rule that judges its targets together has all of them in `targets`, the first of them as `target`.
    """

    target: Resource
    evidence: EvidenceBundle
    window: Window
    graph: ServiceGraph
    specialist: str
    targets: tuple[Resource, ...] = ()

    def all(self, kind: type[EvidenceT]) -> tuple[EvidenceT, ...]:
        """Return the evidence of a kind about the target."""
        return self.evidence.of(kind, self.target.id)

    def one(self, kind: type[EvidenceT]) -> EvidenceT | None:
        """Return the first evidence of a kind about the target, or None."""
        return self.evidence.first(kind, self.target.id)

    def calls_to(self, *, failed: bool | None = None) -> tuple[TraceCall, ...]:
        """Return the trace's calls to the target; only failed or only good ones when asked."""
        return tuple(c for c in self.all(TraceCall) if failed is None or c.failed is failed)

    def calls_from(self, *, failed: bool | None = None) -> tuple[TraceCall, ...]:
        """Return the trace's calls that the target made."""
        calls = (c for c in self.evidence.of(TraceCall) if c.caller == self.target.id)
        return tuple(c for c in calls if failed is None or c.failed is failed)

    def segments(self, *, failed: bool | None = None) -> tuple[TraceSegment, ...]:
        """Return the target's own segments in the trace."""
        return tuple(s for s in self.all(TraceSegment) if failed is None or s.failed is failed)

    def hypothesis(
        self,
        code: str,
        summary: str,
        *,
        proof: Iterable[Evidence] = (),
        strong: Iterable[Evidence] = (),
        weak: Iterable[Evidence] = (),
        against: Iterable[Evidence] = (),
        resource: str | None = None,
        since: datetime | None = None,
        defers_to: Iterable[str] = (),
    ) -> Hypothesis:
        """Name a possible cause, at the target unless another resource is named.

        `proof`, `strong` and `weak` say what each piece of evidence carries (see Strength); `against` contradicts it
        strongly. Raises KeyError for a code that is not in the catalogue.
        """
        known_cause(code)
        graded = ((Strength.PROOF, proof), (Strength.STRONG, strong), (Strength.WEAK, weak))
        return Hypothesis(
            cause=code,
            resource=resource or self.target.id,
            summary=summary,
            supports=tuple(
                Support(evidence=item.id, strength=strength) for strength, items in graded for item in items
            ),
            contradicting=tuple(Support(evidence=item.id, strength=Strength.STRONG) for item in against),
            since=since,
            defers_to=tuple(dict.fromkeys(defers_to)),
            specialist=self.specialist,
        )

    @staticmethod
    def fact(statement: str, *evidence: Evidence, notable: bool = False) -> Fact:
        """State what the evidence shows; `notable` where it tells of something unusual."""
        return Fact(statement=statement, evidence=tuple(item.id for item in evidence), notable=notable)

    def advice(self, text: str, *evidence: Evidence) -> Advice:
        """Recommend something about the target in words."""
        return Advice(text=text, resource=self.target.id, evidence=tuple(item.id for item in evidence))


RuleFunction = Callable[[Case], Iterable[Finding]]


@dataclass(frozen=True)
class Rule:
    """One judgement: the causes it can name, the kinds of evidence it reads, and the pure function.

    `together` applies it once to all of the specialist's targets, instead of once to each.
    """

    name: str
    causes: tuple[str, ...]
    sees: tuple[type[Evidence], ...]
    judge: RuleFunction
    together: bool = False

    @property
    def doc(self) -> str:
        """When it applies, in one sentence for the docs."""
        return getdoc(self.judge) or ""


def rule(*causes: str, sees: tuple[type[Evidence], ...], together: bool = False) -> Callable[[RuleFunction], Rule]:
    """Declare a generator function as a rule; without causes it states facts or advice only."""
    for code in causes:
        known_cause(code)

    def declare(judge: RuleFunction) -> Rule:
        return Rule(judge.__name__, causes, sees, judge, together)

    return declare


ProposalFunction = Callable[[RankedHypothesis, EvidenceBundle], Iterable[ProposedAction]]


@dataclass(frozen=True)
class Proposal:
    """What could be done about a cause: a pure function from the accepted hypothesis to typed actions."""

    causes: tuple[str, ...]
    propose: ProposalFunction


def proposal(*causes: str) -> Callable[[ProposalFunction], Proposal]:
    """Declare a generator function as a proposal; its parameters come from observed resources only."""
    for code in causes:
        known_cause(code)
    return lambda propose: Proposal(causes, propose)


@dataclass(frozen=True)
class Plan:
    """What to do, in the order to consider it: ranked actions, the trade-offs between them as facts, advice."""

    actions: tuple[ProposedAction, ...]
    facts: tuple[Fact, ...] = ()
    advice: tuple[Advice, ...] = ()


@dataclass(frozen=True)
class Concluded:
    """What a planner plans on: the settled hypotheses (the root cause first), the severity, and what was seen.

    `offered` are the actions that the specialists' proposals offered for them, each once.
    """

    ranked: tuple[RankedHypothesis, ...]
    severity: Severity
    evidence: EvidenceBundle
    graph: ServiceGraph
    window: Window
    offered: tuple[ProposedAction, ...]


PlanFunction = Callable[[Concluded], Plan]
"""Pure: the same conclusion gives the same plan."""


class SpecialistKind(StrEnum):
    """Whether it looks at the resources of one service, across all of them, or plans on the conclusion, last of all."""

    SERVICE = "service"
    CROSS_CUTTING = "cross_cutting"
    PLANNING = "planning"


@dataclass(frozen=True)
class Agent:
    """What a model is told and may look at when the rules leave this specialist's question open.

    `instructions` are a constant in the specialist's `agent.py`; `tools` are at most three of its probes, which the
    model may have run on a resource that the specialist was asked about.
    """

    instructions: str
    tools: tuple[Probe, ...] = ()


@dataclass(frozen=True)
class Specialist:
    """A named investigator.

    `handles` maps the types of resource it is asked about to the reason shown to people ("it runs as a role");
    `limit_seconds` is its share of the investigation's time; `plan` is what a planning one does.
    """

    name: str
    handles: Mapping[ResourceType, str]
    probes: tuple[Probe, ...]
    rules: tuple[Rule, ...]
    proposals: tuple[Proposal, ...] = ()
    kind: SpecialistKind = SpecialistKind.SERVICE
    limit_seconds: float = 25.0
    plan: PlanFunction | None = None
    agent: Agent | None = None
