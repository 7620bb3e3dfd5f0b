"""The tables of alarms: what is written into them and looked up, within a transaction that is at hand."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from domain.alarm import AlarmState
from orchestrator.alarm_store import Handling, Mute, Notice

SCHEMA = """
CREATE TABLE IF NOT EXISTS alarms (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, account TEXT NOT NULL, region TEXT NOT NULL,
    state TEXT NOT NULL, at REAL NOT NULL, handling TEXT NOT NULL, notice TEXT NOT NULL, investigation_id TEXT,
    own INTEGER NOT NULL DEFAULT 0, number INTEGER NOT NULL DEFAULT 1, since REAL, recovered_at REAL, cause TEXT
);
CREATE INDEX IF NOT EXISTS alarms_name ON alarms (name, at);
CREATE INDEX IF NOT EXISTS alarms_at ON alarms (at);
CREATE INDEX IF NOT EXISTS alarms_investigation ON alarms (investigation_id);
CREATE TABLE IF NOT EXISTS alarm_groups (
    investigation_id TEXT PRIMARY KEY, account TEXT NOT NULL, region TEXT NOT NULL, service TEXT NOT NULL,
    opened_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS alarm_groups_opened ON alarm_groups (opened_at);
CREATE TABLE IF NOT EXISTS alarm_watches (
    watched TEXT NOT NULL, alarm_id INTEGER NOT NULL, PRIMARY KEY (watched, alarm_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS alarm_adoptions (
    watched TEXT NOT NULL, investigation_id TEXT NOT NULL, until REAL NOT NULL, account TEXT NOT NULL,
    region TEXT NOT NULL, PRIMARY KEY (watched, investigation_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS alarm_mutes (pattern TEXT PRIMARY KEY, until REAL NOT NULL, body TEXT NOT NULL);
"""

KEEP = timedelta(days=90)
DAY = timedelta(hours=24)
COUNTED = ("started", "joined", "adopted")
"""The handlings of the alarms of a group."""
LIKE = "(account = ? OR account = '' OR ? = '') AND (region = ? OR region = '' OR ? = '')"
"""Accounts and Regions do not differ where both are told."""


EARLY_OK = f"""
SELECT min(at) AS at FROM alarms WHERE name = ? AND state = 'OK' AND handling = 'noted' AND at >= ? AND {LIKE}
"""  # noqa: S608 - a constant


class Found(NamedTuple):
    """What a rule makes of a transition."""

    handling: Handling
    investigation_id: str | None = None
    number: int = 1
    since: datetime | None = None
    cause: str | None = None


def same(db: sqlite3.Connection, notice: Notice, tolerance: timedelta) -> sqlite3.Row | None:
    """Return the row of the same transition, the nearest in time."""
    at, near = notice.at.timestamp(), tolerance.total_seconds()
    row: sqlite3.Row | None = db.execute(
        f"SELECT * FROM alarms WHERE name = ? AND state = ? AND at BETWEEN ? AND ? AND {LIKE} ORDER BY abs(at - ?)",  # noqa: S608 - a constant
        (notice.alarm.name, notice.alarm.state, at - near, at + near, *place(notice), at),
    ).fetchone()
    return row


def place(notice: Notice) -> tuple[str, str, str, str]:
    """Return an alarm's account and Region as `LIKE` asks for them."""
    account, region = notice.alarm.account or "", notice.alarm.region or ""
    return account, account, region, region


def members(db: sqlite3.Connection, investigation_id: str) -> int:
    """Return how many alarms an investigation's group has."""
    asked = (investigation_id, *COUNTED)
    sql = "SELECT count(*) FROM alarms WHERE investigation_id = ? AND handling IN (?, ?, ?)"
    return int(db.execute(sql, asked).fetchone()[0])


def insert(db: sqlite3.Connection, notice: Notice, found: Found, *, own: bool) -> int:
    """Write a transition down and return its number; one that is told late may be over already."""
    account, _, region, _ = place(notice)
    over = _over(db, notice) if notice.alarm.state is AlarmState.ALARM else None
    done = db.execute(
        "INSERT INTO alarms (name, account, region, state, at, handling, notice, investigation_id, own, number, since, "
        "recovered_at, cause) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (notice.alarm.name, account, region, notice.alarm.state, notice.at.timestamp(), found.handling,
         notice.model_dump_json(), found.investigation_id, own, found.number,
         found.since.timestamp() if found.since else None, over, found.cause),
    )  # fmt: skip
    ident = done.lastrowid or 0
    db.executemany("INSERT OR IGNORE INTO alarm_watches VALUES (?, ?)", [(w, ident) for w in notice.watches])
    return ident


def _over(db: sqlite3.Connection, notice: Notice) -> float | None:
    """Return when an alarm that is told late was over: at the first OK after it that ended no other ALARM."""
    row = db.execute(
        EARLY_OK,
        (notice.alarm.name, notice.at.timestamp(), *place(notice)),
    ).fetchone()
    over: float | None = row["at"]
    return over


def open_group(db: sqlite3.Connection, notice: Notice, found: Found, now: datetime) -> None:
    """Let later alarms of this one's service join its investigation."""
    account, _, region, _ = place(notice)
    group = (found.investigation_id, account, region, notice.service, now.timestamp())
    db.execute("INSERT INTO alarm_groups VALUES (?, ?, ?, ?, ?)", group)


def delivered(db: sqlite3.Connection, key: str, investigation_id: str, now: datetime) -> None:
    """Remember a delivery that starts no investigation of its own."""
    db.execute("INSERT INTO deliveries VALUES (?, ?, ?)", (key, investigation_id, now.isoformat()))


def mutes(db: sqlite3.Connection, now: datetime) -> Iterator[Mute]:
    """Return the mutes that are on, those that end first first."""
    rows = db.execute("SELECT body FROM alarm_mutes WHERE until > ? ORDER BY until, pattern", (now.timestamp(),))
    return (Mute.model_validate_json(row["body"]) for row in rows.fetchall())


def forget(db: sqlite3.Connection, now: datetime) -> None:
    """Let go of what is too old to be asked for."""
    old = (now - KEEP).timestamp()
    db.execute("DELETE FROM alarm_watches WHERE alarm_id IN (SELECT id FROM alarms WHERE at < ?)", (old,))
    db.execute("DELETE FROM alarms WHERE at < ?", (old,))
    db.execute("DELETE FROM alarm_groups WHERE opened_at < ?", ((now - DAY).timestamp(),))
    db.execute("DELETE FROM alarm_adoptions WHERE until < ?", (now.timestamp(),))


def moment(seconds: float | None) -> datetime | None:
    """Return the UTC moment of seconds since 1970."""
    return None if seconds is None else datetime.fromtimestamp(seconds, tz=UTC)
