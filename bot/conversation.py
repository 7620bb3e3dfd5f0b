"""One investigation's presence in Slack: root message, board, a reply per finding, the report, the last word, pictures.

Root and board are edited in place. What is posted goes out in the order in which it was said, because the outbox posts
one message at a time in a channel.
"""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from bot.blocks.board import Board, advanced, board_message
from bot.blocks.message import Message
from bot.blocks.reply import reply
from bot.blocks.report import report_messages
from bot.blocks.root import concluded, looking, queued, recovered
from bot.calls import NotDelivered
from bot.line import Standing
from bot.outbox import Label, Outbox
from domain.progress import Concluded, Progress, SpecialistFinished
from domain.report import Report
from orchestrator.store import Investigation, MessageRef, MessageRole, Store

logger = logging.getLogger(__name__)

REPLY = "reply"
NOW = Standing()


class Conversation:
    """What is said about one investigation. `resumed`: an earlier process may have said some of it."""

    def __init__(self, investigation: Investigation, store: Store, outbox: Outbox, *, resumed: bool = False) -> None:
        self.investigation = investigation
        self._store = store
        self._outbox = outbox
        self._maybe_since = investigation.accepted_at if resumed else None
        self._places = dict(investigation.messages)
        self._board = Board(trigger=investigation.trigger)
        self._unsaid: list[asyncio.Task[Any]] = []
        self._verdict_shown = False
        self._recovered: tuple[float, str] | None = None
        self._shown: Message | None = None

    async def open(self, standing: Standing = NOW) -> None:
        """Show the root message; raises NotDelivered where we may not speak."""
        if MessageRole.ROOT in self._places:
            self.moved(standing)
        else:
            await self._place(MessageRole.ROOT, self._root(self._waiting(standing)))

    def recover(self, seconds: float | None, sentence: str = "") -> None:
        """Let the headline say that the alarm went back to OK after so many seconds, or, with None, that it did not."""
        self._recovered = None if seconds is None else (seconds, sentence)
        if self._shown is not None:
            self._update(MessageRole.ROOT, self._root(self._shown))

    def moved(self, standing: Standing = NOW) -> None:
        """Show how many investigations are ahead of this one, or that its turn has come."""
        self._update(MessageRole.ROOT, self._root(self._waiting(standing)))

    def hear(self, event: Progress) -> None:
        """Show one event of the investigation; the last is for `conclude`."""
        self._board = advanced(self._board, event)
        if isinstance(event, Concluded):
            return
        self._update(MessageRole.ROOT, self._root(looking(self._board)))
        if self._unsaid or MessageRole.BOARD in self._places:
            self._update(MessageRole.BOARD, board_message(self._board))
        else:
            self._say(self._place_board())
        if isinstance(event, SpecialistFinished) and event.found:
            self._say(self._post(reply(event), REPLY, event.result.name))

    async def conclude(self, report: Report) -> None:
        """Say the last word: the verdict at the root at once, the report when all before it is said, then its pictures.

        Raises NotDelivered when Slack takes neither verdict nor report. Pictures follow a report that is written down
        as told, so that a later process, which does not tell it again, does not show them again either.
        """
        showing = asyncio.create_task(self._show_verdict(report))
        try:
            told = await self._tell(report)
        except asyncio.CancelledError:
            showing.cancel()
            raise
        finally:
            await asyncio.wait({showing})  # a report that cannot be told must not overtake its own verdict
        if not (showing.result() or told):
            raise NotDelivered("unreachable")
        if told and report.pictures:
            await self._outbox.show(report.pictures, report.investigation_id, *self._thread())

    async def say_plainly(self, message: Message) -> None:
        """Post a last word that is made of nothing but its own text, and show it at the root if no verdict is there."""
        if MessageRole.ROOT not in self._places:
            await self._place(MessageRole.ROOT, message)
        elif not self._verdict_shown:
            await self._conclude(MessageRole.ROOT, message)
        await self._place(MessageRole.REPORT, message)

    async def _show_verdict(self, report: Report) -> bool:
        self._verdict_shown = await self._conclude(MessageRole.ROOT, self._root(concluded(report)))
        return self._verdict_shown

    async def _tell(self, report: Report) -> bool:
        """Post the report, and write down that it was told."""
        for error in await asyncio.gather(*self._unsaid, return_exceptions=True):
            if isinstance(error, BaseException):
                logger.error("investigation=<%s> | something stays unsaid", self.investigation.id, exc_info=error)
        if self._board.rows:
            await self._conclude(MessageRole.BOARD, board_message(self._board))
        try:
            posted = [
                await self._post(part, MessageRole.REPORT, str(number))
                for number, part in enumerate(report_messages(report))
            ]
        except NotDelivered as error:
            logger.warning("investigation=<%s>, error=<%s> | report not posted", report.investigation_id, error.code)
            return False
        await self._store.place(self.investigation.id, MessageRole.REPORT, posted[0])
        return True

    def _waiting(self, standing: Standing) -> Message:
        return queued(self.investigation.trigger, *standing) if standing.waits else looking(self._board)

    def _root(self, message: Message) -> Message:
        self._shown = message
        return recovered(message, *self._recovered) if self._recovered else message

    async def _place_board(self) -> None:
        shown = self._board
        await self._place(MessageRole.BOARD, board_message(shown))
        if self._board != shown:
            self._update(MessageRole.BOARD, board_message(self._board))

    async def _place(self, role: MessageRole, message: Message) -> None:
        self._places[role] = await self._post(message, role)
        await self._store.place(self.investigation.id, role, self._places[role])

    async def _post(self, message: Message, role: str, key: str = "") -> MessageRef:
        channel, thread_ts = self._thread()
        return await self._outbox.post(
            channel, message, self._label(role, key), thread_ts=thread_ts, maybe_since=self._maybe_since
        )

    def _thread(self) -> tuple[str, str | None]:
        """Where it is spoken: the channel, and the thread once there is one."""
        trigger, root = self.investigation.trigger, self._places.get(MessageRole.ROOT)
        return trigger.channel or "", trigger.thread or (root.ts if root else None)

    def _say(self, words: Coroutine[Any, Any, Any]) -> None:
        self._unsaid.append(asyncio.create_task(words))

    def _update(self, role: MessageRole, message: Message) -> None:
        where = self._places.get(role)
        if where is not None:
            self._outbox.update(where, message, self._label(role))

    async def _conclude(self, role: MessageRole, message: Message) -> bool:
        where = self._places.get(role)
        return where is not None and await self._outbox.conclude(where, message, self._label(role))

    def _label(self, role: str, key: str = "") -> Label:
        return Label(investigation=self.investigation.id, role=str(role), key=key)
