"""What events start: each is read, routed to a channel and handed on, or rejected; safe to do again with each delivery.

SQS delivers at least once and in any order. An event is done with when what follows from it is written down: only then
may it be deleted. Incidents are known by their id, alarms by their transition (`Alarms`), rejected messages by SQS's
id, so that a repeated delivery changes nothing.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple, Protocol

from aws.queue import QueueFacts, QueueMessage
from bot.background import Background
from bot.blocks.message import Message
from bot.events.bodies import Unreadable, read_body
from bot.events.channels import Channels
from bot.events.notes import elsewhere_note, rejected_note
from bot.events.routes import Routes, Traits
from bot.events.traits import TagsOf, traits_of
from bot.outbox import Label, Outbox
from domain.redaction import clean, redact
from domain.request import Trigger, TriggerKind
from orchestrator.errors import UnusableInput
from orchestrator.parse import request_of
from orchestrator.rejections import Rejected, Rejections
from orchestrator.store import Investigation, Store

logger = logging.getLogger(__name__)

LOOK_AGAIN_SECONDS = 60.0
POISON_AGAIN_SECONDS = 1
FIRST_AGAIN_SECONDS, LONGEST_AGAIN_SECONDS = 15, 900
ELSEWHERE_SECONDS = 3600.0
EXCERPT = 200
LABELLED = "events"


class Fate(NamedTuple):
    """What becomes of a received message: it is deleted, or it is seen again after so many seconds."""

    delete: bool
    again_seconds: int = 0


DONE = Fate(delete=True)


def later(message: QueueMessage) -> Fate:
    """Return the fate of a message that may fare better later: each time it waits twice as long."""
    return Fate(
        delete=False, again_seconds=min(LONGEST_AGAIN_SECONDS, FIRST_AGAIN_SECONDS * 2 ** min(message.receives - 1, 10))
    )


class Alarms(Protocol):
    """Who takes alarms on."""

    async def take_alarm(self, trigger: Trigger) -> None:
        """Take an alarm's transition on, whichever state it is to; durable when it returns, once for each transition.

        `trigger.alarm` is set, and `trigger.channel` is where to speak.
        """


class Events:
    """Takes messages of the queue on. `begin` starts with an accepted investigation; `now` is UTC."""

    def __init__(
        self,
        store: Store,
        rejections: Rejections,
        alarms: Alarms,
        begin: Callable[[Investigation], None],
        *,
        routes: Routes,
        channels: Channels,
        outbox: Outbox,
        background: Background,
        now: Callable[[], datetime],
        tags_of: TagsOf | None = None,
    ) -> None:
        self._store = store
        self._rejections = rejections
        self._alarms = alarms
        self._begin = begin
        self._routes = routes
        self._channels = channels
        self._outbox = outbox
        self._background = background
        self._now = now
        self._tags_of = tags_of
        self._untold = asyncio.Event()
        self._elsewhere: dict[str, datetime] = {}

    async def take(self, message: QueueMessage, facts: QueueFacts) -> Fate:
        """Take a message on and return what becomes of it; raises what the store raises, and then it comes again."""
        told = read_body(message.body)
        if isinstance(told, Unreadable):
            return await self.reject(message, facts, told.why)
        channel = await self._channel(await traits_of(told, self._routes, self._tags_of))
        if channel is None:
            return later(message)
        trigger = Trigger(
            kind=TriggerKind.EVENTBRIDGE, text=told.line, channel=channel, alarm=told.alarm, incident=told.incident
        )
        if told.alarm is not None:
            await self._alarms.take_alarm(trigger)
            return DONE
        return await self._incident(message, facts, trigger)

    async def _incident(self, message: QueueMessage, facts: QueueFacts, trigger: Trigger) -> Fate:
        now = self._now()
        try:
            request_of(trigger, now=now)
        except UnusableInput as error:
            return await self.reject(message, facts, f"the incident names nothing to look at ({error})")
        ident = trigger.incident.id if trigger.incident else ""
        accepted = await self._store.accept(f"incident:{ident}", trigger, now=now)
        if accepted is not None:
            self._begin(accepted)
        return DONE

    async def _channel(self, traits: Traits) -> str | None:
        """Return the channel that the table names, else the default one; None when we may write in neither."""
        wanted, default = self._routes.channel(traits), self._routes.default
        if await self._channels.open(wanted):
            return wanted
        if wanted != default and await self._channels.open(default):
            self._say_elsewhere(wanted)
            return default
        logger.error("channel=<%s>, default=<%s> | an event waits: invite the bot there", wanted, default)
        return None

    async def reject(self, message: QueueMessage, facts: QueueFacts, why: str) -> Fate:
        """Give a message back until it was received as often as the queue permits; then write it down and let it go.

        SQS moves it to the dead-letter queue when it would be received once more.
        """
        if facts.most_receives is not None and message.receives < facts.most_receives:
            return Fate(delete=False, again_seconds=POISON_AGAIN_SECONDS)
        rejected = Rejected(
            id=message.id,
            at=self._now(),
            why=why,
            excerpt=redact(clean(message.body[: 10 * EXCERPT]))[:EXCERPT],
            receives=message.receives,
            dead_letters=facts.dead_letters,
            body="" if facts.dead_letters else message.body,
        )
        await self._rejections.keep(rejected)
        logger.warning("message=<%s>, dead_letters=<%s> | rejected: %s", message.id, facts.dead_letters, why)
        self._untold.set()
        return Fate(delete=facts.dead_letters is None)

    async def tell_forever(self) -> None:
        """Tell of rejected messages as they come, and of those that an earlier process left untold."""
        while True:
            self._untold.clear()
            self._background.spawn(self._tell_due())
            with suppress(TimeoutError):
                await asyncio.wait_for(self._untold.wait(), LOOK_AGAIN_SECONDS)

    async def _tell_due(self) -> None:
        for rejected in await self._rejections.claim(now=self._now()):
            self._background.spawn(self._tell(rejected))

    async def _tell(self, rejected: Rejected) -> None:
        label = Label(investigation=LABELLED, role="rejected", key=rejected.id)
        await self._post(rejected_note(rejected), label, rejected.at)
        await self._rejections.told(rejected.id, now=self._now())

    def _say_elsewhere(self, channel: str) -> None:
        """Say once an hour that a channel's events come to the default one."""
        last, now = self._elsewhere.get(channel), self._now()
        if last is None or (now - last).total_seconds() > ELSEWHERE_SECONDS:
            self._elsewhere[channel] = now
            label = Label(investigation=LABELLED, role="elsewhere", key=f"{channel}:{now:%Y-%m-%dT%H}")
            self._background.spawn(self._post(elsewhere_note(channel), label))

    async def _post(self, note: Message, label: Label, since: datetime | None = None) -> None:
        """Post a note in the default channel, unless it is there since then; raises NotDelivered."""
        await self._outbox.post(self._routes.default, note, label, maybe_since=since)
