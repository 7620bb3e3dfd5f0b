"""Where questions about reports are answered: each once, in the thread it is about."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from bot.background import Background
from bot.blocks.answer import answer_message, still_looking
from bot.calls import NotDelivered
from bot.outbox import Label, Outbox
from domain.inquiry import Answer, Inquiry
from domain.report import Report
from domain.usage import Usage
from orchestrator.store import Store

logger = logging.getLogger(__name__)

ANSWER = "answer"
WAITED_FOR = timedelta(hours=1)
"""How old a question may be that an earlier process left, to be answered still."""


class Answering(Protocol):
    """Who answers: `orchestrator.ask.answerer.Answerer`."""

    async def answer(self, inquiry: Inquiry) -> tuple[Report, Answer] | None:
        """Return the report and the answer; None while there is no report."""


class Questions:
    """Answers questions. `now` returns UTC."""

    def __init__(
        self, store: Store, answerer: Answering, outbox: Outbox, background: Background, now: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._answerer = answerer
        self._outbox = outbox
        self._background = background
        self._now = now

    async def answer(self, inquiry: Inquiry, *, resumed: bool = False) -> None:
        """Answer in the thread; raises NotDelivered where we may not speak, and then it counts as answered."""
        found = await self._answerer.answer(inquiry)
        message, usage = still_looking(), Usage()
        if found is not None:
            report, answer = found
            message, usage = answer_message(answer, report, inquiry), answer.usage
        label = Label(investigation=inquiry.investigation_id, role=ANSWER, key=inquiry.key)
        since = inquiry.asked_at if resumed else None
        try:
            await self._outbox.post(inquiry.channel, message, label, thread_ts=inquiry.thread, maybe_since=since)
        except NotDelivered:
            await self._store.answered(inquiry.key, usage, now=self._now())
            raise
        await self._store.answered(inquiry.key, usage, now=self._now())

    async def resume(self) -> None:
        """Answer what an earlier process took on and left, unless it is too long ago to be waited for."""
        for inquiry in await self._store.unanswered():
            if self._now() - inquiry.asked_at < WAITED_FOR:
                self._background.spawn(self.answer(inquiry, resumed=True))
