"""Editing messages in place: one edit at a time per message, and of several that wait the newest is sent.

What ends something goes first; progress keeps to its own share of the workspace's budget.
"""

import asyncio
import logging
from dataclasses import dataclass, field
from functools import partial

from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks.limits import Surface
from bot.blocks.message import Message
from bot.calls import Done, Limited, Outcome, Refused, outcome_of
from bot.outgoing import TOO_MUCH, Label, content, fitting, shorter
from bot.pacing import Bucket, Clock, Minute, Pace, backoff
from orchestrator.store import MessageRef

logger = logging.getLogger(__name__)

GIVE_UP_SECONDS = 600.0
LOOK_AGAIN_SECONDS = 0.2


@dataclass
class Update:
    """The newest content of a message that is not sent yet; `known` learn whether Slack took it or a newer one."""

    message: Message
    label: Label
    last: bool
    known: "list[asyncio.Future[bool]]" = field(default_factory=list)

    def tell(self, taken: bool) -> None:
        """Tell all who wait."""
        for future in self.known:
            if not future.done():
                future.set_result(taken)


@dataclass
class Editing:
    """One message while it is being edited: when the next edit may go out, and how it has failed so far."""

    next_at: float = 0.0
    failures: int = 0
    failing_since: float = 0.0


class Updates:
    """The edits of one workspace."""

    def __init__(self, client: AsyncWebClient, clock: Clock, pace: Pace) -> None:
        self._client = client
        self._clock = clock
        self._pace = pace
        self._all = Minute(pace.updates_per_minute)
        self._progress = Bucket(pace.progress_per_minute / 60, pace.progress_burst)
        self._blocked_until = 0.0
        self._waiting: dict[MessageRef, Update] = {}
        self._tasks: dict[MessageRef, asyncio.Task[None]] = {}
        self._sending = 0

    @property
    def under_way(self) -> int:
        """How many edits are not yet known to be taken or given up."""
        return len(self._waiting) + self._sending

    def send(self, where: MessageRef, message: Message, label: Label, *, last: bool) -> "asyncio.Future[bool]":
        """Let the message show this; the future tells whether it, or something newer, was taken."""
        known: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._wait_with(where, Update(fitting(message, Surface.UPDATE), label, last, [known]))
        if where not in self._tasks:
            self._tasks[where] = asyncio.create_task(self._send_all(where))
        return known

    def _wait_with(self, where: MessageRef, update: Update) -> None:
        """Let the update replace an older one, which is then known when this one is."""
        older = self._waiting.get(where)
        if older is not None:
            update.last = update.last or older.last
            update.known += older.known
        self._waiting[where] = update

    async def _send_all(self, where: MessageRef) -> None:
        editing = Editing()
        while (update := self._waiting.get(where)) or editing.next_at > self._clock.now():
            wait = self._wait(editing, update)
            if wait > 0:
                await self._clock.sleep(min(wait, LOOK_AGAIN_SECONDS))
            elif update is not None:
                del self._waiting[where]
                self._count(update)
                self._sending += 1
                await self._send(where, editing, update)
                self._sending -= 1
        del self._tasks[where]

    def _wait(self, editing: Editing, update: Update | None) -> float:
        now = self._clock.now()
        spaced = editing.next_at - now
        if update is None:
            return spaced
        if update.last:
            return max(self._blocked_until - now, spaced if editing.failures else 0.0, self._all.wait(now))
        return max(self._blocked_until - now, spaced, self._all.wait(now), self._progress.wait(now))

    def _count(self, update: Update) -> None:
        now = self._clock.now()
        self._all.take(now)
        if not update.last:
            self._progress.take(now)

    async def _send(self, where: MessageRef, editing: Editing, update: Update) -> None:
        said = {**content(update.message), "metadata": update.label.metadata()}
        outcome = await outcome_of(partial(self._client.chat_update, channel=where.channel, ts=where.ts, **said))
        now = self._clock.now()
        editing.next_at = now + self._pace.between_updates_seconds
        match outcome:
            case Done():
                editing.failures = 0
                update.tell(taken=True)
            case Refused(code) if code in TOO_MUCH and update.message.blocks:
                logger.error("message=<%s>, error=<%s> | update shortened", where.ts, code)
                update.message = shorter(update.message)
                self._again(where, update)
            case Limited(seconds):
                self._blocked_until = now + seconds
                self._again(where, update)
            case _:
                self._failed(where, editing, update, outcome)

    def _failed(self, where: MessageRef, editing: Editing, update: Update, outcome: Outcome) -> None:
        """Try again later; give up what Slack refuses, and what has not come through for long."""
        now = self._clock.now()
        editing.failing_since = editing.failing_since if editing.failures else now
        logger.warning("message=<%s>, outcome=<%s> | update not taken", where.ts, outcome)
        if isinstance(outcome, Refused) or now - editing.failing_since > GIVE_UP_SECONDS:
            update.tell(taken=False)
            return
        editing.next_at = now + backoff(editing.failures)
        editing.failures += 1
        self._again(where, update)

    def _again(self, where: MessageRef, update: Update) -> None:
        """Let what was not taken wait again, behind anything newer."""
        newer = self._waiting.pop(where, None)
        self._wait_with(where, update)
        if newer is not None:
            self._wait_with(where, newer)
