"""What a question to a model is, and what comes back. Imports no model library: rules-only runs pay nothing for it.

A model advises: it gets evidence that code has collected, redacted and bounded, it answers in a declared shape, and
whoever asked checks every citation before anything of the answer counts.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from pydantic import BaseModel

from domain.gap import GapReason
from domain.usage import Usage

AnswerT = TypeVar("AnswerT", bound=BaseModel)


class Mode(StrEnum):
    """When models are asked: where the rules leave a question open, in every investigation, or not at all."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True)
class Tool:
    """One read-only look that a model may ask for while it answers.

    `choices` are all values that its one argument may have (labels of known resources); `look` returns the lines to
    show the model, redacted and bounded, and raises nothing.
    """

    name: str
    description: str
    choices: tuple[str, ...]
    look: Callable[[str], Awaitable[str]]


@dataclass(frozen=True)
class Question(Generic[AnswerT]):
    """One question to one fresh agent.

    `who` is a specialist's name, "synthesis" or "ask": it chooses the model. `instructions` are a constant of ours;
    `data` is untrusted text (evidence), which is set between tags with a nonce. `answer` is the shape of the answer;
    `tokens` bounds what the model may write, `seconds` the whole exchange, `turns` the calls it may take.
    """

    who: str
    instructions: str
    data: str
    answer: type[AnswerT]
    tools: tuple[Tool, ...] = ()
    tokens: int = 400
    turns: int = 2
    seconds: float = 12.0


@dataclass(frozen=True)
class Reply(Generic[AnswerT]):
    """What came back: an answer, or in `problem` one line for people why there is none; `usage` is spent either way.

    `reason` is the kind of problem, and `action` the IAM action to grant where AWS denied the model.
    """

    answer: AnswerT | None
    usage: Usage = field(default_factory=Usage)
    problem: str = ""
    reason: GapReason | None = None
    action: str | None = None


class Budget(Protocol):
    """What may still be spent on models, in an investigation and today."""

    def refusal(self) -> str:
        """Return why nothing more may be spent, in one line for people; empty while something may."""

    def tokens_left(self) -> int:
        """Return how many tokens may still be used."""

    def spend(self, usage: Usage) -> None:
        """Take what was used off the budget."""


class Reasoner(Protocol):
    """Asks models. Never raises: whatever a provider does becomes a `Reply` with a problem."""

    async def ask(self, question: Question[AnswerT], budget: Budget) -> Reply[AnswerT]:
        """Ask one question within its limits and the budget."""
