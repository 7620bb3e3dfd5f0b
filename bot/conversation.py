"""One investigation's presence in Slack: its root message, the board, a reply per finding, the report, the last word.

Board and root are edited in place; posts go out one after the other in the order in which they were said.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial

from bot.blocks.board import board_message
from bot.blocks.message import Message
from bot.blocks.reply import reply_message
from bot.blocks.report import report_messages
from bot.blocks.root import concluded_message, looking_message, queued_message
from bot.calls import NotDelivered
from bot.outbox import Label, Outbox
from bot.progress import Seen, after
from domain.progress import Concluded, Progress, SpecialistFinished
from domain.report import Report
from orchestrator.store import Investigation, MessageRef, MessageRole, Store

logger = logging.getLogger(__name__)

REPLY = "reply"


class Conversation:
    """What is said about one investigation. `resumed` means that an earlier process may have said some of it."""

    def __init__(self, investigation: Investigation, store: Store, outbox: Outbox, *, resumed: bool = False) -> None:
        self.investigation = investigation
        self._store = store
        self._outbox = outbox
        self._maybe_since = investigation.accepted_at if resumed else None
        self._places = dict(investigation.messages)
        self._seen = Seen()
        self._unsaid: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue()
        self._speaker: asyncio.Task[None] | None = None

    @property
    def channel(self) -> str:
        """The channel it is in."""
        return self.investigation.trigger.channel or ""

    async def open(self, ahead: int) -> None:
        """Show the root message; raises NotDelivered when we may not speak there."""
        if MessageRole.ROOT in self._places:
            self.moved(ahead)
            return
        await self._place(MessageRole.ROOT, self._root(ahead), self.investigation.trigger.thread)

    def moved(self, ahead: int) -> None:
        """Show how many investigations are ahead of this one."""
        self._update(MessageRole.ROOT, self._root(ahead))

    def hear(self, event: Progress) -> None:
        """Show one event of the investigation."""
        before, self._seen = self._seen, after(self._seen, event)
        if isinstance(event, Concluded) or self._seen == before:
            return
        self._update(MessageRole.ROOT, self._root(0))
        if self._seen.rows:
            self._show_board()
        if isinstance(event, SpecialistFinished) and event.found:
            self._say(partial(self._reply, event))

    async def conclude(self, report: Report) -> None:
        """Say the last word: the verdict at the root at once, then what is still unsaid, then the report."""
        told = await asyncio.gather(
            self._outbox_conclude(MessageRole.ROOT, concluded_message(report)), self._finish_thread(report)
        )
        if not any(told):
            raise NotDelivered("unreachable")

    async def say_plainly(self, message: Message) -> None:
        """Say a last word that needs no report to be shown."""
        if MessageRole.ROOT in self._places:
            await self._outbox_conclude(MessageRole.ROOT, message)
        else:
            await self._place(MessageRole.ROOT, message, self.investigation.trigger.thread)

    async def _finish_thread(self, report: Report) -> bool:
        if self._speaker is not None:
            await self._unsaid.join()
            self._speaker.cancel()
        if self._seen.rows:
            await self._outbox_conclude(MessageRole.BOARD, board_message(self._seen))
        try:
            placed = [await self._post(MessageRole.REPORT, str(n), m) for n, m in enumerate(report_messages(report))]
        except NotDelivered as error:
            logger.error("investigation=<%s>, error=<%s> | report not posted", report.investigation_id, error.code)
            return False
        await self._store.place(self.investigation.id, MessageRole.REPORT, placed[0])
        return True
