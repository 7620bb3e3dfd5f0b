"""Questions in flight hold what they may spend, so that many at once cannot spend the same tokens."""

import asyncio
from collections import Counter

from domain.usage import Usage
from reasoning.contract import Budget

NOT_ENOUGH = "too few of the investigation's tokens are left (RCA_BUDGET_TOKENS)"
"""Without figures, so that many refused questions are one line for people."""


class Holds:
    """What is held of each budget. A question that does not fit waits while others may still give something back."""

    def __init__(self) -> None:
        self._held: Counter[int] = Counter()
        self._changed = asyncio.Condition()

    async def take(self, budget: Budget, tokens: int) -> str:
        """Hold tokens of a budget; return why that cannot be, and nothing is held, else the empty string."""
        async with self._changed:
            while True:
                refusal, left = await asyncio.to_thread(lambda: (budget.refusal(), budget.tokens_left()))
                if refusal:
                    return refusal
                held = self._held[id(budget)]
                if tokens <= left - held:
                    self._held[id(budget)] += tokens
                    return ""
                if not held:
                    return NOT_ENOUGH
                await self._changed.wait()

    async def settle(self, budget: Budget, tokens: int, usage: Usage) -> None:
        """Give back what was held, and spend what was used."""
        async with self._changed:
            try:
                await asyncio.to_thread(budget.spend, usage)
            finally:
                self._held[id(budget)] -= tokens
                if not self._held[id(budget)]:
                    del self._held[id(budget)]
                self._changed.notify_all()
