"""Alarms that start investigations: what is taken on, and what is said of it.

`hear` and `take_alarm` write a transition and its investigation down; when they return, that is durable. What is said
in Slack follows by itself: an investigation in the alarm's thread, or one line about what the alarm belongs to.
"""

import logging
from collections.abc import Callable, Collection
from datetime import datetime
from typing import NamedTuple, Protocol

from bot.alarms.verdict import EVERY_APP, AlarmPolicy
from bot.background import Background
from bot.blocks import alarms as lines
from bot.blocks import ids
from bot.blocks.message import Message
from bot.desk import Desk
from bot.outbox import Label, Outbox
from bot.watch.grouping import explained_by
from bot.watch.groups import GroupLists, name_of
from bot.watch.notices import heard, moment, notice
from domain.alarm import AlarmReference, AlarmState
from domain.report import Report
from domain.request import Trigger
from domain.values import JsonObject
from orchestrator.alarm_store import Alarms, Handling, Rules, Taken
from orchestrator.store import Investigation, MessageRole, Store

logger = logging.getLogger(__name__)


class Aftercare(Protocol):
    """Who asks AWS about an alarm beside its investigation; both say it in a sentence, or nothing."""

    async def recheck(self, investigation_id: str, since: datetime) -> str:
        """Say how the metric of an investigation's alarm is, after it went back to OK."""

    async def silence(self, alarm: AlarmReference) -> str:
        """Say what stopped reporting."""


class WatchPolicy(NamedTuple):
    """What counts as an alarm's post and how alarms are handled; `own` are our user's, bot's and app's ids."""

    on: bool = True
    own: Collection[str] = ()
    posts: AlarmPolicy = EVERY_APP
    rules: Rules = Rules()
    home: str = ""


class Heard(NamedTuple):
    """A delivery that told of an alarm; `taken` is None when an earlier delivery of it was taken on."""

    taken: Taken | None


class Watch:
    """Takes alarms on; `now` returns UTC."""

    def __init__(
        self,
        alarms: Alarms,
        store: Store,
        desk: Desk,
        outbox: Outbox,
        background: Background,
        *,
        policy: WatchPolicy,
        now: Callable[[], datetime],
        aftercare: Aftercare | None = None,
    ) -> None:
        self.alarms = alarms
        self.policy = policy
        self._store = store
        self._desk = desk
        self._outbox = outbox
        self._background = background
        self._aftercare = aftercare
        self._now = now
        self._lists = GroupLists(alarms, store, outbox)
        desk.told = self.concluded

    async def hear(self, key: str, body: JsonObject) -> Heard | None:
        """Take on the alarm that a delivery tells of; None when it tells of none."""
        if not self.policy.on:
            return None
        now = self._now()
        found = heard(key, body, self.policy.own, self.policy.posts, now=now)
        return None if found is None else Heard(await self.alarms.take(found, self.policy.rules, now=now))

    async def note(self, key: str, investigation: Investigation) -> None:
        """Record that a person had an alarm investigated: other posts of the same transition start nothing then."""
        trigger, now = investigation.trigger, self._now()
        if trigger.alarm is not None:
            found = notice(key, trigger.alarm, trigger, at=trigger.alarm.at or moment(trigger.thread or "", now))
            await self.alarms.note(found, investigation.id, now=now)

    async def take_alarm(self, trigger: Trigger) -> None:
        """Take on the transition to any state that an event tells of; durable when it returns, then told of.

        It is the same as one that a post tells of, whichever comes first. A trigger without an alarm is nothing.
        """
        alarm, now = trigger.alarm, self._now()
        if alarm is None:
            return
        at = alarm.at or now
        parts = (alarm.account or "", alarm.region or "", alarm.name, alarm.state.value, at.isoformat())
        found = notice(":".join(("alarm", *parts)), alarm, trigger, at=at)
        taken = await self.alarms.take(found, self.policy.rules, now=now)
        if taken is not None:
            self.act(taken)

    def act(self, taken: Taken) -> None:
        """Do what follows from a transition that was taken on; returns at once."""
        alarm = taken.notice.alarm
        logger.info("alarm=<%s>, state=<%s>, handling=<%s> | taken on", alarm.name, alarm.state, taken.handling)
        if taken.started and taken.investigation is not None:
            self._desk.take(taken.investigation)
        work = TELLING.get(taken.handling)
        if work is not None:
            self._background.spawn(work(self, taken))

    async def resume(self) -> None:
        """Bring the lists of the groups that are open up to date: an earlier process may have ended before it did."""
        for ident in await self.alarms.open_groups(self.policy.rules, now=self._now()):
            self._background.spawn(self._lists.show(ident, first=True))

    async def concluded(self, investigation: Investigation, report: Report) -> None:
        """Compare what comes next with this verdict, and end what waits and is explained by it."""
        callers = explained_by(report)
        await self.alarms.settle(report, callers, self.policy.rules, now=self._now())
        for taken in await self.alarms.waiting_on(report, callers):
            if taken.investigation is not None and not self._desk.explain(taken.investigation.id, report):
                said = lines.adopted(ids.transition(taken.id), self._link(investigation), report.headline)
                self._background.spawn(self._say(taken, said))
        first = next((t for t in await self.alarms.of(investigation.id) if t.started), None)
        if first is not None and first.recovered_at is not None:
            self._background.spawn(self._recover(investigation, first.notice.at, first.recovered_at))

    async def _started(self, taken: Taken) -> None:
        """Say at the headline when an alarm that is told late is over already."""
        if taken.investigation is not None and taken.recovered_at is not None:
            await self._recover(taken.investigation, taken.notice.at, taken.recovered_at)

    async def _joined(self, taken: Taken) -> None:
        """Name what the alarm belongs to in its thread, and the alarm in the list of the group."""
        if taken.investigation is None:
            return
        value, link = ids.transition(taken.id), self._link(taken.investigation)
        report = await self._store.report(taken.investigation.id) if taken.handling is Handling.ADOPTED else None
        if report is not None:
            said = lines.adopted(value, link, report.headline)
        else:
            group = name_of(taken)
            said = lines.joined(value, link, taken.number, group, taken.since or taken.notice.at)
        if _is_trigger(taken):
            await self._desk.recover(taken.investigation, None)
        self._background.spawn(self._lists.show(taken.investigation.id, first=taken.number == 2))
        if taken.notice.trigger.thread:
            await self._say(taken, said)

    async def _recurred(self, taken: Taken) -> None:
        report = await self._store.report(taken.investigation.id) if taken.investigation else None
        if report is not None and taken.investigation is not None:
            link = self._link(taken.investigation)
            await self._say(taken, lines.recurred(ids.transition(taken.id), link, taken.number, report.headline))

    async def _repeated(self, taken: Taken) -> None:
        """Point from a second post of the alarm to its investigation; there is nothing to say where that is."""
        there, here = taken.investigation, taken.notice.trigger
        rings = taken.notice.alarm.state is AlarmState.ALARM
        if not rings or there is None or not here.thread or (here.channel, here.thread) == _thread_of(there):
            return
        await self._say(taken, lines.repeated(self._link(there)))

    async def _recovered(self, taken: Taken) -> None:
        if taken.investigation is None or taken.since is None:
            return
        if _is_trigger(taken):
            await self._recover(taken.investigation, taken.since, taken.notice.at)
        await self._lists.show(taken.investigation.id)

    async def _recover(self, investigation: Investigation, since: datetime, over: datetime) -> None:
        """Show at the headline that the alarm is over and, once there is a verdict, how its metric is."""
        seconds = (over - since).total_seconds()
        await self._desk.recover(investigation, seconds)
        sentence = await self._aftercare.recheck(investigation.id, over) if self._aftercare else ""
        if sentence:
            await self._desk.recover(investigation, seconds, sentence)

    async def _silent(self, taken: Taken) -> None:
        alarm = taken.notice.alarm
        sentence = await self._aftercare.silence(alarm) if self._aftercare else ""
        await self._say(taken, lines.silent(alarm.name, sentence or alarm.reason or "its data stopped coming."))

    async def _say(self, taken: Taken, said: Message) -> None:
        """Post a line in the alarm's thread, or in its channel where there is none."""
        trigger = taken.notice.trigger
        label = Label(
            investigation=taken.investigation.id if taken.investigation else "", role="alarm", key=str(taken.id)
        )
        if taken.handling is Handling.REPEATED:
            label = label.model_copy(update={"key": taken.notice.key})
        await self._outbox.post(trigger.channel or "", said, label, thread_ts=trigger.thread, yields=True)

    def _link(self, investigation: Investigation) -> str:
        """Return a link to where an investigation is shown."""
        root, (channel, thread) = investigation.messages.get(MessageRole.ROOT), _thread_of(investigation)
        ts = root.ts if root else thread
        return lines.linked(investigation.id, lines.Spot(self.policy.home, channel, ts, thread) if ts else None)


TELLING = {
    Handling.STARTED: Watch._started,  # noqa: SLF001 - a table of the class above
    Handling.JOINED: Watch._joined,  # noqa: SLF001
    Handling.ADOPTED: Watch._joined,  # noqa: SLF001
    Handling.RECURRED: Watch._recurred,  # noqa: SLF001
    Handling.REPEATED: Watch._repeated,  # noqa: SLF001
    Handling.RECOVERED: Watch._recovered,  # noqa: SLF001
    Handling.SILENT: Watch._silent,  # noqa: SLF001
}
"""What is said of each transition; of the others nothing."""


def _thread_of(investigation: Investigation) -> tuple[str, str]:
    trigger = investigation.trigger
    return trigger.channel or "", trigger.thread or ""


def _is_trigger(taken: Taken) -> bool:
    """Whether it is the very alarm that its investigation is about."""
    about = taken.investigation.trigger.alarm if taken.investigation else None
    return about is not None and about.name == taken.notice.alarm.name
