"""A reasoner that follows a script, and a budget that counts."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

from domain.usage import Usage
from reasoning.contract import AnswerT, Budget, Question, Reply

SPENT = Usage(input_tokens=300, output_tokens=60, model_calls=1, usd=0.002)

Script = Callable[[Question[Any]], Awaitable[Mapping[str, Any] | str]]


class ScriptedReasoner:
    """Answers every question by the script: values of the answer's shape, or a problem in words."""

    def __init__(self, script: Script | Mapping[str, Any] | str, spent: Usage = SPENT) -> None:
        self._script = script
        self._spent = spent
        self.asked: list[Question[Any]] = []

    async def ask(self, question: Question[AnswerT], budget: Budget) -> Reply[AnswerT]:
        self.asked.append(question)
        refusal = budget.refusal()
        if refusal:
            return Reply(None, problem=refusal)
        said = await self._script(question) if callable(self._script) else self._script
        budget.spend(self._spent)
        if isinstance(said, str):
            return Reply(None, usage=self._spent, problem=said)
        return Reply(cast("AnswerT", question.answer.model_validate(said)), usage=self._spent)


class BrokenReasoner:
    """Raises, or never comes back: what no reasoner may do."""

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error

    async def ask(self, question: Question[AnswerT], budget: Budget) -> Reply[AnswerT]:
        if self._error is not None:
            raise self._error
        await asyncio.sleep(3600)
        raise AssertionError("nobody waits for so long")
