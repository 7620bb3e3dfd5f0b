"""Where investigations are taken on: so many at once, each with its conversation, each to a last word."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple, Protocol

from bot.answers import Answers, Asker
from bot.background import Background
from bot.blocks.message import Message
from bot.blocks.root import concluded, recovered
from bot.blocks.usage import refused
from bot.calls import NotDelivered
from bot.conversation import Conversation
from bot.line import Line, Place
from bot.outbox import Label, Outbox
from domain.progress import Progress
from domain.report import Report
from domain.request import Request, Trigger, TriggerKind
from orchestrator.errors import UnusableInput
from orchestrator.parse import request_of
from orchestrator.report import explained_report, failed_report
from orchestrator.store import Investigation, MessageRole, Store

logger = logging.getLogger(__name__)

UNTOLD_FOR = timedelta(hours=1)
UNTOLD_AMONG = 100
GRACE_SECONDS = 30.0
"""How long after its own time limit an investigation counts as stuck."""

UNWELCOME = frozenset({"not_in_channel", "channel_not_found", "is_archived", "restricted_action", "no_permission"})
INVITE = "I cannot write in this channel. Invite me with `/invite @rca`, then ask again."
BROKEN = "The bot itself broke. Run it again; if it breaks again, its log has the details under {}."


PER_HOUR = 60
"""How many investigations may begin in an hour."""

SHORT = timedelta(seconds=5)
"""A wait that nobody is told the end of: other processes have their hands full."""

UNASKED = frozenset({TriggerKind.ALARM_POST, TriggerKind.EVENTBRIDGE})
"""What no person asked for: it lets people go before."""


Told = Callable[[Investigation, Report], Coroutine[Any, Any, None]]
"""Who hears of a verdict, before the next investigation begins."""


async def _nobody(*_: object) -> None:
    """Hear of verdicts and do nothing."""


class Held(NamedTuple):
    """An investigation that waits or runs here; `explained` is the verdict that makes it needless."""

    conversation: Conversation
    place: Place
    explained: Report | None = None


class Investigates(Protocol):
    """Who investigates: `orchestrator.investigate.Investigator`."""

    async def investigate(
        self, investigation_id: str, trigger: Trigger, request: Request, listen: Callable[[Progress], None]
    ) -> Report:
        """Run one investigation to its stored report."""


class Desk:
    """Takes investigations on. `now` returns UTC; `time_limit` is the investigator's own, in seconds."""

    def __init__(
        self,
        store: Store,
        investigator: Investigates,
        outbox: Outbox,
        answers: Answers,
        background: Background,
        *,
        most: int,
        per_hour: int = PER_HOUR,
        time_limit: float,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._investigator = investigator
        self._outbox = outbox
        self._answers = answers
        self._background = background
        self._limit = time_limit + GRACE_SECONDS
        self._now = now
        self._most = most
        self._per_hour = per_hour
        self.line = Line(most)
        self.told: Told = _nobody
        self._held: dict[str, Held] = {}
        self._closed = False

    def take(self, investigation: Investigation, asker: Asker | None = None, *, resumed: bool = False) -> None:
        """Begin with an accepted investigation, or let it wait for its turn; returns at once and never raises."""
        if self._closed:
            logger.info("investigation=<%s> | left for the next start", investigation.id)
            return
        conversation = Conversation(investigation, self._store, self._outbox, resumed=resumed)
        urgent = investigation.trigger.kind not in UNASKED
        place = self.line.join(conversation.moved, urgent=urgent)
        self._held[investigation.id] = Held(conversation, place)
        self._background.spawn(
            self._hold(conversation, place), failed=partial(self._break_off, conversation, asker or Asker())
        )

    async def resume(self) -> None:
        """Take up what an earlier process left: unfinished investigations, and reports that were not told."""
        for investigation in await self._store.unfinished():
            if investigation.trigger.channel:
                self.take(investigation, resumed=True)
        for report in await self._store.recent(UNTOLD_AMONG):
            investigation_of = await self._store.get(report.investigation_id)
            if investigation_of is not None and self._untold(investigation_of, report):
                conversation = Conversation(investigation_of, self._store, self._outbox, resumed=True)
                self._background.spawn(self._tell(conversation, report))

    def close(self) -> None:
        """Begin nothing more; what is accepted from now on waits in the store for the next start."""
        self._closed = True

    def _untold(self, investigation: Investigation, report: Report) -> bool:
        told = MessageRole.REPORT in investigation.messages
        return bool(investigation.trigger.channel) and not told and self._now() - report.completed_at < UNTOLD_FOR

    async def recover(self, investigation: Investigation, seconds: float | None, sentence: str = "") -> None:
        """Let the headline say that the alarm went back to OK after so many seconds, or, with None, no more."""
        held = self._held.get(investigation.id)
        if held is not None:
            held.conversation.recover(seconds, sentence)
            return
        known, report = await self._store.get(investigation.id), await self._store.report(investigation.id)
        where = known.messages.get(MessageRole.ROOT) if known else None
        if where is not None and report is not None:
            shown = concluded(report) if seconds is None else recovered(concluded(report), seconds, sentence)
            self._outbox.update(where, shown, Label(investigation=report.investigation_id, role=MessageRole.ROOT))

    def explain(self, investigation_id: str, report: Report) -> bool:
        """Let an investigation that still waits here end with what another one found; False for one that runs."""
        held = self._held.get(investigation_id)
        if held is None or held.place.turn.is_set():
            return False
        self._held[investigation_id] = held._replace(explained=report)
        held.place.leave()
        held.place.turn.set()
        return True

    async def _hold(self, conversation: Conversation, place: Place) -> None:
        try:
            try:
                await conversation.open(place.standing)
                report = await self._turn(conversation, place)
                await asyncio.wait({self._background.spawn(self.told(conversation.investigation, report))})
            finally:
                place.leave()
            await conversation.conclude(report)
        finally:
            self._held.pop(conversation.investigation.id, None)

    async def _turn(self, conversation: Conversation, place: Place) -> Report:
        """Wait until this investigation may begin, and do it; what was explained meanwhile is not looked into."""
        ident = conversation.investigation.id
        while True:
            await place.turn.wait()
            explained = self._held[ident].explained
            if explained is not None:
                report = explained_report(conversation.investigation, explained, now=self._now())
                await self._store.finish(report, None)
                return report
            wait = await self._store.turn(
                ident,
                most=self._most,
                per_hour=self._per_hour,
                stuck_after=timedelta(seconds=self._limit),
                now=self._now(),
            )
            if wait is None:
                return await self._investigate(conversation)
            place.wait(wait.total_seconds(), self._now() + wait if wait > SHORT else None)

    async def _investigate(self, conversation: Conversation) -> Report:
        investigation = conversation.investigation
        try:
            request = request_of(investigation.trigger, now=investigation.accepted_at)
        except UnusableInput as error:
            return await self._fail(investigation, str(error))
        async with asyncio.timeout(self._limit):
            return await self._investigator.investigate(
                investigation.id, investigation.trigger, request, conversation.hear
            )

    async def _tell(self, conversation: Conversation, report: Report) -> None:
        await conversation.open()
        await conversation.conclude(report)

    async def _fail(self, investigation: Investigation, sentence: str) -> Report:
        now = self._now()
        report = failed_report(
            investigation.id, investigation.trigger, sentence, started_at=investigation.accepted_at, completed_at=now
        )
        await self._store.finish(report, None)
        return report

    async def _break_off(self, conversation: Conversation, asker: Asker, error: BaseException) -> None:
        """Whatever broke: end the investigation in the store, and its thread in a last word, or tell the asker."""
        investigation = conversation.investigation
        known = await self._store.report(investigation.id)
        if known is not None:
            await conversation.say_plainly(_plain(known))
            return
        unwelcome = isinstance(error, NotDelivered) and error.code in UNWELCOME
        report = await self._fail(investigation, INVITE if unwelcome else BROKEN.format(investigation.id))
        self._background.spawn(self.told(investigation, report))
        if unwelcome:
            await self._answers.say(asker, refused(INVITE))
            return
        self._background.spawn(conversation.conclude(report), failed=partial(self._break_off, conversation, asker))


def _plain(report: Report) -> Message:
    """Return a report as one sentence, for when it cannot be shown as it should."""
    return refused(f"I cannot show the whole report of {report.investigation_id}. {report.headline}. {report.summary}")
