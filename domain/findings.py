"""What rules and models derive from evidence: facts, hypotheses, advice. Everything cites evidence ids."""

from collections.abc import Iterable
from enum import StrEnum

from pydantic import AwareDatetime, Field

from domain.values import Value


class Strength(StrEnum):
    """How much one piece of evidence carries.

    proof: the evidence states the cause itself; strong: it follows with a second observation; weak: it fits, and so
    would something else. Confidence is computed from strengths, never written beside a rule.
    """

    PROOF = "proof"
    STRONG = "strong"
    WEAK = "weak"


class Support(Value):
    """One citation, with what it carries."""

    evidence: str
    strength: Strength


class Origin(StrEnum):
    """Who derived it: a rule, or a model, whose hypotheses are opinions and never a verdict."""

    RULE = "rule"
    MODEL = "model"


class Fact(Value):
    """A statement that evidence shows; `notable`: it tells of something unusual, so that all is not well."""

    statement: str
    evidence: tuple[str, ...] = Field(min_length=1)
    notable: bool = False
    origin: Origin = Origin.RULE


class Hypothesis(Value):
    """A possible cause: a code of the catalogue at a resource, with what speaks for and against it.

    `since` is when it began, where the evidence tells; `defers_to` are resource ids whose failure would explain
    this one (a function that fails on its table's throttle defers to the table). `doubts` is evidence in which a model
    sees a contradiction: it can lower confidence, and can undo no verdict.
    """

    cause: str
    resource: str
    summary: str
    supports: tuple[Support, ...] = Field(min_length=1)
    contradicting: tuple[Support, ...] = ()
    since: AwareDatetime | None = None
    defers_to: tuple[str, ...] = ()
    specialist: str = ""
    origin: Origin = Origin.RULE
    doubts: tuple[Support, ...] = ()

    @property
    def evidence(self) -> tuple[str, ...]:
        """The ids that support it."""
        return tuple(support.evidence for support in self.supports)


class Advice(Value):
    """A recommendation in words, for one cause at one resource or in general."""

    text: str
    resource: str | None = None
    evidence: tuple[str, ...] = ()


Finding = Fact | Hypothesis | Advice


def most_telling(facts: Iterable[Fact]) -> str:
    """Return the first notable statement; rules state what tells most first. Empty where nothing is unusual."""
    return next((fact.statement for fact in facts if fact.notable), "")
