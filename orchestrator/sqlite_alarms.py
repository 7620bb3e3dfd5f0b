"""Alarms in the store's file: how a transition is taken on, in one transaction, so that processes agree.

No unique key can say "within ninety seconds"; looking and writing inside one immediate transaction says as much.
"""

import json
import sqlite3
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, Protocol, TypeVar

from domain.alarm import AlarmState
from domain.report import Report, ReportStatus
from domain.request import Trigger
from orchestrator.alarm_store import Handling, Mute, Notice, Rules, Taken
from orchestrator.sqlite_alarm_rules import OTHERS, RINGS, is_own
from orchestrator.sqlite_alarm_tables import (
    COUNTED,
    LIKE,
    Found,
    delivered,
    forget,
    insert,
    moment,
    mutes,
    open_group,
    same,
)
from orchestrator.store import Investigation, State

T = TypeVar("T")


WAITING = f"""
SELECT DISTINCT alarms.* FROM alarms JOIN alarm_watches ON alarm_id = alarms.id
JOIN investigations ON investigations.id = investigation_id
WHERE watched IN (SELECT value FROM json_each(?)) AND handling = 'started'
AND investigations.state != ? AND investigation_id != ? AND {LIKE} ORDER BY alarms.id
"""  # noqa: S608 - a constant


class Keeper(Protocol):
    """The store whose file the tables are in: it writes in transactions, reads, and knows investigations."""

    def write(self, work: Callable[[sqlite3.Connection], T]) -> Coroutine[Any, Any, T]:
        """Do the work in a transaction of its own."""

    def read(self, look: Callable[[sqlite3.Connection], T]) -> Coroutine[Any, Any, T]:
        """Look, in the thread that reads."""

    def accept_in(self, db: sqlite3.Connection, key: str, trigger: Trigger, now: datetime) -> Investigation | None:
        """Take an investigation on within a transaction; None when the key was accepted before."""

    def known_in(self, db: sqlite3.Connection, investigation_id: str) -> Investigation | None:
        """Return an investigation within a transaction."""


class SqliteAlarms:
    """Alarms in the tables of a store."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper

    async def take(self, notice: Notice, rules: Rules, *, now: datetime) -> Taken | None:
        """Take a transition on, its investigation with it; None when its delivery was taken on before."""
        return await self._keeper.write(lambda db: self._take(db, notice, rules, now))

    async def note(self, notice: Notice, investigation_id: str, *, now: datetime) -> None:
        """Record that somebody had a transition investigated, so that nothing else starts over it."""

        def write(db: sqlite3.Connection) -> None:
            if same(db, notice, Rules().tolerance) is None:
                insert(db, notice, Found(Handling.STARTED, investigation_id, since=now), own=True)

        await self._keeper.write(write)

    async def get(self, ident: int) -> Taken | None:
        """Return a transition that was taken on."""
        return await self._keeper.read(
            lambda db: self._taken(db, db.execute("SELECT * FROM alarms WHERE id = ?", (ident,)).fetchone())
        )

    async def of(self, investigation_id: str) -> tuple[Taken, ...]:
        """Return the transitions of an investigation, the first first."""
        return await self._keeper.read(
            lambda db: self._all(
                db,
                db.execute(
                    "SELECT * FROM alarms WHERE investigation_id = ? AND handling IN (?, ?, ?) ORDER BY id",
                    (investigation_id, *COUNTED),
                ).fetchall(),
            )
        )

    async def open_groups(self, rules: Rules, *, now: datetime) -> tuple[str, ...]:
        """Return the ids of the investigations that alarms may join."""
        sql, since = "SELECT investigation_id FROM alarm_groups WHERE opened_at > ?", (now - rules.group).timestamp()
        rows = await self._keeper.read(lambda db: db.execute(sql, (since,)).fetchall())
        return tuple(row["investigation_id"] for row in rows)

    async def settle(self, report: Report, callers: tuple[str, ...], rules: Rules, *, now: datetime) -> None:
        """Record a verdict: what comes again is compared with it, and what `callers` names is adopted for a while."""
        root, ident = report.root_cause, report.investigation_id

        def write(db: sqlite3.Connection) -> None:
            if report.status is ReportStatus.FAILED:
                db.execute("DELETE FROM alarm_groups WHERE investigation_id = ?", (ident,))
            if root is None:
                return
            cause = f"{root.cause}@{root.resource}"
            db.execute("UPDATE alarms SET cause = ? WHERE investigation_id = ? AND own", (cause, ident))
            until, (account, region) = (now + rules.group).timestamp(), _whereabouts(report)
            rows = [(caller, ident, until, account, region) for caller in callers]
            db.executemany("INSERT OR REPLACE INTO alarm_adoptions VALUES (?, ?, ?, ?, ?)", rows)

        await self._keeper.write(write)

    async def waiting_on(self, report: Report, callers: tuple[str, ...]) -> tuple[Taken, ...]:
        """Return the other alarms that watch one of these and whose investigations are not finished."""
        account, region = _whereabouts(report)
        asked = (json.dumps(callers), State.FINISHED, report.investigation_id, account, account, region, region)
        return await self._keeper.read(lambda db: self._all(db, db.execute(WAITING, asked).fetchall()))

    async def mute(self, mute: Mute, *, now: datetime) -> None:
        """Mute; a later one of the same pattern replaces an earlier one."""
        row = (mute.pattern.casefold(), mute.until.timestamp(), mute.model_dump_json())

        def write(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM alarm_mutes WHERE until <= ?", (now.timestamp(),))
            db.execute("INSERT OR REPLACE INTO alarm_mutes VALUES (?, ?, ?)", row)

        await self._keeper.write(write)

    async def unmute(self, pattern: str, *, now: datetime) -> int:
        """End the mutes that this name or pattern means; return how many there were."""

        def write(db: sqlite3.Connection) -> int:
            ended = [m for m in mutes(db, now) if m.pattern.casefold() == pattern.casefold() or m.covers(pattern)]
            for mute in ended:
                db.execute("DELETE FROM alarm_mutes WHERE pattern = ?", (mute.pattern.casefold(),))
            return len(ended)

        return await self._keeper.write(write)

    async def mutes(self, *, now: datetime) -> tuple[Mute, ...]:
        """Return the mutes that are on, those that end first first."""
        return await self._keeper.read(lambda db: tuple(mutes(db, now)))

    async def known(self, notice: Notice, rules: Rules) -> Taken | None:
        """Return what became of a transition, without taking it on; None when nothing is known of it."""
        return await self._keeper.read(lambda db: self._taken(db, same(db, notice, rules.tolerance)))

    def _take(self, db: sqlite3.Connection, notice: Notice, rules: Rules, now: datetime) -> Taken | None:
        if db.execute("SELECT 1 FROM deliveries WHERE key = ?", (notice.key,)).fetchone():
            return None
        before = self._taken(db, same(db, notice, rules.tolerance))
        if before is not None:
            delivered(db, notice.key, before.investigation.id if before.investigation else "", now)
            return before.model_copy(update={"handling": Handling.REPEATED, "notice": notice})
        looks = RINGS if notice.alarm.state is AlarmState.ALARM else OTHERS
        found = next(found for look in looks if (found := look(db, notice, rules, now)) is not None)
        if found.handling is Handling.STARTED:
            started = self._keeper.accept_in(db, notice.key, notice.trigger, now)
            found = found._replace(investigation_id=started.id if started else None)
            open_group(db, notice, found, now)
        else:
            delivered(db, notice.key, found.investigation_id or "", now)
        ident = insert(db, notice, found, own=is_own(db, notice, found))
        forget(db, now)
        return self._taken(db, db.execute("SELECT * FROM alarms WHERE id = ?", (ident,)).fetchone())

    def _all(self, db: sqlite3.Connection, rows: list[sqlite3.Row]) -> tuple[Taken, ...]:
        return tuple(taken for row in rows if (taken := self._taken(db, row)) is not None)

    def _taken(self, db: sqlite3.Connection, row: sqlite3.Row | None) -> Taken | None:
        if row is None:
            return None
        ident = row["investigation_id"]
        return Taken(
            id=row["id"],
            handling=Handling(row["handling"]),
            notice=Notice.model_validate_json(row["notice"]),
            investigation=self._keeper.known_in(db, ident) if ident else None,
            number=row["number"],
            since=moment(row["since"]),
            recovered_at=moment(row["recovered_at"]),
        )


def _whereabouts(report: Report) -> tuple[str, str]:
    """Return the account and Region of the root cause, each "" where its ARN does not tell."""
    parts = report.root_cause.resource.split(":") if report.root_cause else []
    return (parts[4], parts[3]) if parts[:1] == ["arn"] and len(parts) > 5 else ("", "")
