"""What may become of a transition of an alarm: one rule each, in the order in which they are asked."""

import sqlite3
from collections.abc import Callable
from datetime import datetime
from typing import Any

from domain.alarm import AlarmState
from orchestrator.alarm_store import Handling, Notice, Rules
from orchestrator.sqlite_alarm_tables import LIKE, Found, members, moment, mutes, place
from orchestrator.store import Grade

OF_CALLER = f"""
SELECT investigation_id FROM alarm_adoptions WHERE watched = ? AND until > ? AND {LIKE} ORDER BY until DESC
"""  # noqa: S608 - a constant
OF_CAUSE = f"""
SELECT count(*) FROM alarms WHERE name = ? AND state = 'ALARM' AND cause = ? AND at >= ? AND at < ? AND {LIKE}
"""  # noqa: S608 - a constant


Look = Callable[[sqlite3.Connection, Notice, Rules, datetime], Found | None]


def _muted(db: sqlite3.Connection, notice: Notice, _: Rules, now: datetime) -> Found | None:
    return Found(Handling.MUTED) if any(m.covers(notice.alarm.name) for m in mutes(db, now)) else None


def _adopted(db: sqlite3.Connection, notice: Notice, _: Rules, now: datetime) -> Found | None:
    """Its resource calls what an investigation has just found to be the root cause."""
    rows = (db.execute(OF_CALLER, (watched, now.timestamp(), *place(notice))).fetchone() for watched in notice.watches)
    ident = next((row["investigation_id"] for row in rows if row), None)
    return Found(Handling.ADOPTED, ident, members(db, ident) + 1, now) if ident else None


def _joined(db: sqlite3.Connection, notice: Notice, rules: Rules, now: datetime) -> Found | None:
    if not rules.group:  # another process' clock may be ahead of ours, so that its group would be younger than that
        return None
    row = db.execute(
        f"SELECT * FROM alarm_groups WHERE service = ? AND opened_at > ? AND {LIKE} ORDER BY opened_at DESC",  # noqa: S608 - a constant
        (notice.service, (now - rules.group).timestamp(), *place(notice)),
    ).fetchone()
    if row is None:
        return None
    ident = row["investigation_id"]
    return Found(Handling.JOINED, ident, members(db, ident) + 1, moment(row["opened_at"]))


def _recurred(db: sqlite3.Connection, notice: Notice, rules: Rules, now: datetime) -> Found | None:
    """The newest verdict on this alarm is fresh, was not graded wrong, and was reached often enough within a day."""
    last = db.execute(
        f"SELECT alarms.cause, alarms.investigation_id, investigations.finished_at FROM alarms "  # noqa: S608 - a constant
        f"JOIN investigations ON investigations.id = investigation_id "
        f"WHERE name = ? AND cause IS NOT NULL AND finished_at IS NOT NULL AND {LIKE} ORDER BY at DESC",
        (notice.alarm.name, *place(notice)),
    ).fetchone()
    if last is None or now - datetime.fromisoformat(last["finished_at"]) > rules.recheck:
        return None
    ident, cause = last["investigation_id"], last["cause"]
    if db.execute("SELECT 1 FROM grades WHERE investigation_id = ? AND grade = ?", (ident, Grade.WRONG)).fetchone():
        return None
    since = (now - rules.recurring_within).timestamp()
    asked = (notice.alarm.name, cause, since, notice.at.timestamp(), *place(notice))
    times = int(db.execute(OF_CAUSE, asked).fetchone()[0])
    return Found(Handling.RECURRED, ident, times + 1, cause=cause) if times >= rules.recurring else None


def _started(_: sqlite3.Connection, notice: Notice, __: Rules, ___: datetime) -> Found:
    return Found(Handling.STARTED, since=notice.at)


RINGS: tuple[Look, ...] = (_muted, _adopted, _joined, _recurred, _started)
"""What may become of an alarm that rings, in order."""


def _recovered(db: sqlite3.Connection, notice: Notice, *_: Any) -> Found | None:
    """Its last ALARM before is over; what rang since the last OK is over with it."""
    if notice.alarm.state is not AlarmState.OK:
        return None
    rung = db.execute(
        f"SELECT * FROM alarms WHERE name = ? AND state = 'ALARM' AND recovered_at IS NULL AND at <= ? AND {LIKE} "  # noqa: S608 - a constant
        "ORDER BY at DESC",
        (notice.alarm.name, notice.at.timestamp(), *place(notice)),
    ).fetchall()
    for row in rung:
        db.execute("UPDATE alarms SET recovered_at = ? WHERE id = ?", (notice.at.timestamp(), row["id"]))
    last = next(iter(rung), None)
    if last is None or last["handling"] == Handling.MUTED:
        return Found(Handling.NOTED)
    return Found(Handling.RECOVERED, last["investigation_id"], since=moment(last["at"]))


def _silent(*_: Any) -> Found:
    return Found(Handling.SILENT)


OTHERS: tuple[Look, ...] = (_recovered, _silent)
"""What may become of another transition, in order."""


def is_own(db: sqlite3.Connection, notice: Notice, found: Found) -> bool:
    """Whether the verdict of its investigation is about this very alarm, not about another one of the group."""
    if found.handling in {Handling.STARTED, Handling.RECURRED}:
        return True
    name = "SELECT 1 FROM alarms WHERE investigation_id = ? AND handling = 'started' AND name = ?"
    joined = found.handling is Handling.JOINED
    return joined and db.execute(name, (found.investigation_id, notice.alarm.name)).fetchone() is not None
