"""The tables of what is remembered of concluded investigations, found again by what they touched."""

import json
import sqlite3
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.history import PastInvestigation
from domain.values import utc

SCHEMA = """
CREATE TABLE IF NOT EXISTS past (investigation_id TEXT PRIMARY KEY, at TEXT NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS past_at ON past (at);
CREATE TABLE IF NOT EXISTS past_touched (
    kind TEXT NOT NULL, name TEXT NOT NULL, at TEXT NOT NULL, investigation_id TEXT NOT NULL,
    PRIMARY KEY (kind, name, at, investigation_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS past_touched_by ON past_touched (investigation_id);
"""

RESOURCE, SERVICE = "resource", "service"
MAX_ASKED = 500

TOUCHING = """
SELECT past.investigation_id, past.body FROM past JOIN (
    SELECT investigation_id FROM past_touched
    WHERE kind = ? AND name IN (SELECT value FROM json_each(?)) AND at < ?
    UNION SELECT investigation_id FROM past_touched
    WHERE kind = ? AND name IN (SELECT value FROM json_each(?)) AND at < ?
) AS touched USING (investigation_id)
ORDER BY past.at DESC, past.investigation_id LIMIT ?
"""

GRADES = """
SELECT investigation_id, grade, count(*) AS number FROM grades
WHERE investigation_id IN (SELECT value FROM json_each(?)) GROUP BY investigation_id, grade
"""

RECOVERIES = """
SELECT investigation_id, max(recovered_at) AS at FROM alarms
WHERE own AND state = 'ALARM' AND investigation_id IN (SELECT value FROM json_each(?))
GROUP BY investigation_id HAVING count(*) = count(recovered_at)
"""
"""An alarm that rings again is not over yet."""


def remember(db: sqlite3.Connection, past: PastInvestigation, *, keep: timedelta) -> None:
    """Keep it in place of what was kept under its id, and let go of what is older than `keep`."""
    at = _moment(past.at)
    _forget(db, [past.investigation_id])
    db.execute("INSERT INTO past VALUES (?, ?, ?)", (past.investigation_id, at, past.model_dump_json()))
    rows = [*((RESOURCE, name) for name in past.resources), *((SERVICE, name) for name in past.services)]
    db.executemany(
        "INSERT OR IGNORE INTO past_touched VALUES (?, ?, ?, ?)",
        [(kind, name, at, past.investigation_id) for kind, name in rows],
    )
    old = db.execute("SELECT investigation_id FROM past WHERE at < ?", (_moment(past.at - keep),)).fetchall()
    _forget(db, [row["investigation_id"] for row in old])


def _forget(db: sqlite3.Connection, ids: Iterable[str]) -> None:
    for ident in ids:
        db.execute("DELETE FROM past WHERE investigation_id = ?", (ident,))
        db.execute("DELETE FROM past_touched WHERE investigation_id = ?", (ident,))


def touching(
    db: sqlite3.Connection, resources: Collection[str], services: Collection[str], before: datetime, limit: int
) -> tuple[PastInvestigation, ...]:
    """Return what touched one of them, newest first, each with its grades and its alarm's recovery as they are now."""
    until = _moment(before)
    asked = (json.dumps(sorted(names)[:MAX_ASKED]) for names in (resources, services))
    by_resource, by_service = asked
    rows = db.execute(TOUCHING, (RESOURCE, by_resource, until, SERVICE, by_service, until, limit)).fetchall()
    ids = json.dumps([row["investigation_id"] for row in rows])
    later: dict[str, dict[str, Any]] = {row["investigation_id"]: {"grades": {}} for row in rows}
    for row in db.execute(GRADES, (ids,)):
        later[row["investigation_id"]]["grades"][row["grade"]] = row["number"]
    for row in db.execute(RECOVERIES, (ids,)):
        later[row["investigation_id"]]["recovered_at"] = datetime.fromtimestamp(row["at"], UTC)
    return tuple(
        PastInvestigation.model_validate_json(row["body"]).model_copy(update=later[row["investigation_id"]])
        for row in rows
    )


def _moment(at: datetime) -> str:
    """One way of writing a moment, so that text sorts as time does."""
    return utc(at).isoformat(timespec="milliseconds")
