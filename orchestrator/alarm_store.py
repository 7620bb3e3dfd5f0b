"""What is kept of alarms: which transitions were taken on and what became of each, groups, mutes. The interface.

A transition is the same whatever message told of it: same name, same state, and account and Region that do not differ
where both are told. Formats tell its time to the second, to the minute or not at all, and then the message's own time
stands in; so times within `Rules.tolerance` of each other are one transition's. An alarm that rings twice within the
tolerance is taken for one.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from pydantic import AwareDatetime

from domain.alarm import AlarmReference
from domain.report import Report
from domain.request import Trigger
from domain.values import Value
from orchestrator.store import Investigation, Store


class Handling(StrEnum):
    """What became of a transition."""

    STARTED = "started"  # ALARM: an investigation of its own
    JOINED = "joined"  # ALARM: of the group of an earlier one
    ADOPTED = "adopted"  # ALARM: of a caller of what an investigation found to be the root cause
    RECURRED = "recurred"  # ALARM: once more, with a cause that is known by now
    MUTED = "muted"  # ALARM: counted, and nothing else
    REPEATED = "repeated"  # a transition that was taken on before, told again
    RECOVERED = "recovered"  # OK: of an alarm that had rung
    SILENT = "silent"  # INSUFFICIENT_DATA
    NOTED = "noted"  # OK: of an alarm that had not rung, or whose ALARM is still to come


class Rules(Value):
    """By which a transition is handled; `group` zero lets every alarm start an investigation of its own."""

    tolerance: timedelta = timedelta(seconds=90)
    group: timedelta = timedelta(minutes=15)
    recurring: int = 3
    recurring_within: timedelta = timedelta(hours=24)
    recheck: timedelta = timedelta(hours=6)


class Notice(Value):
    """A transition as it reached us: `key` identifies the delivery, `at` is when it happened or was told, UTC.

    `service` is what it is grouped by; `watches` names the resources that its dimensions tell ("lambda:orders-fn").
    """

    key: str
    alarm: AlarmReference
    at: AwareDatetime
    service: str
    watches: tuple[str, ...] = ()
    trigger: Trigger


class Taken(Value):
    """What became of a transition; `id` is its own, for buttons.

    `investigation` is the one that it started, joined, was adopted by or is known from. `number` counts the alarms of
    the group, or how often it rang in a day; `since` is when the group or the alarm began. `recovered_at` is when the
    alarm was over, where that is known.
    """

    id: int
    handling: Handling
    notice: Notice
    investigation: Investigation | None = None
    number: int = 1
    since: AwareDatetime | None = None
    recovered_at: AwareDatetime | None = None

    @property
    def started(self) -> bool:
        """Whether its investigation is to be begun."""
        return self.handling is Handling.STARTED


class Mute(Value):
    """Alarms that nobody wants to hear of: by a name, or by its beginning and a `*`; until then, UTC, by whom."""

    pattern: str
    until: AwareDatetime
    user: str

    def covers(self, name: str) -> bool:
        """Whether an alarm of that name is meant; case does not count."""
        asked, told = self.pattern.casefold(), name.casefold()
        return told.startswith(asked[:-1]) if asked.endswith("*") else told == asked


class Alarms(Protocol):
    """Where it is kept. Every method is durable when it returns, and processes that share the store agree."""

    async def take(self, notice: Notice, rules: Rules, *, now: AwareDatetime) -> Taken | None:
        """Take a transition on, its investigation with it; None when its delivery was taken on before."""

    async def note(self, notice: Notice, investigation_id: str, *, now: AwareDatetime) -> None:
        """Record that somebody had a transition investigated, so that nothing else starts over it."""

    async def get(self, ident: int) -> Taken | None:
        """Return a transition that was taken on."""

    async def of(self, investigation_id: str) -> tuple[Taken, ...]:
        """Return the transitions of an investigation, the first first."""

    async def open_groups(self, rules: Rules, *, now: AwareDatetime) -> tuple[str, ...]:
        """Return the ids of the investigations that alarms may join."""

    async def settle(self, report: Report, callers: tuple[str, ...], rules: Rules, *, now: AwareDatetime) -> None:
        """Record a verdict: what comes again is compared with it, and what `callers` names is adopted for a while."""

    async def waiting_on(self, report: Report, callers: tuple[str, ...]) -> tuple[Taken, ...]:
        """Return the other alarms that watch one of these and whose investigations are not finished."""

    async def mute(self, mute: Mute, *, now: AwareDatetime) -> None:
        """Mute; a later one of the same pattern replaces an earlier one."""

    async def unmute(self, pattern: str, *, now: AwareDatetime) -> int:
        """End the mutes that this name or pattern means; return how many there were."""

    async def mutes(self, *, now: AwareDatetime) -> tuple[Mute, ...]:
        """Return the mutes that are on, those that end first first."""

    async def known(self, notice: Notice, rules: Rules) -> Taken | None:
        """Return what became of a transition, without taking it on; None when nothing is known of it."""


class StoreWithAlarms(Store, Protocol):
    """A store that keeps alarms beside investigations."""

    @property
    def alarms(self) -> Alarms:
        """What it keeps of alarms."""
