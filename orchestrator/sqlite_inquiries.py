"""The table of what people asked about investigations, and the way from a thread to its investigations."""

import json
import sqlite3
from datetime import datetime, timedelta

from domain.inquiry import Inquiry
from domain.usage import Usage
from domain.values import utc

SCHEMA = """
CREATE TABLE IF NOT EXISTS inquiries (
    key TEXT PRIMARY KEY, investigation_id TEXT NOT NULL, body TEXT NOT NULL, at TEXT NOT NULL,
    usage TEXT, answered_at TEXT
);
CREATE INDEX IF NOT EXISTS inquiries_about ON inquiries (investigation_id);
CREATE INDEX IF NOT EXISTS inquiries_at ON inquiries (at);
CREATE INDEX IF NOT EXISTS investigations_thread
ON investigations (json_extract("trigger", '$.channel'), json_extract("trigger", '$.thread'));
"""

IN_THREAD = """
SELECT * FROM investigations WHERE root = ?
OR (json_extract("trigger", '$.channel') = ? AND json_extract("trigger", '$.thread') = ?)
ORDER BY accepted_at DESC, id LIMIT ?
"""


def keep(db: sqlite3.Connection, inquiry: Inquiry, *, kept_for: timedelta) -> bool:
    """Keep a question and let go of old ones; False when its delivery was known."""
    db.execute("DELETE FROM inquiries WHERE at < ?", (_moment(inquiry.asked_at - kept_for),))
    kept = db.execute(
        "INSERT OR IGNORE INTO inquiries (key, investigation_id, body, at) VALUES (?, ?, ?, ?)",
        (inquiry.key, inquiry.investigation_id, inquiry.model_dump_json(), _moment(inquiry.asked_at)),
    )
    return kept.rowcount == 1


def answered(db: sqlite3.Connection, key: str, usage: Usage, now: datetime) -> None:
    """Write down that a question was answered, and what that took."""
    db.execute(
        "UPDATE inquiries SET answered_at = ?, usage = ? WHERE key = ?", (_moment(now), usage.model_dump_json(), key)
    )


def unanswered(db: sqlite3.Connection) -> tuple[Inquiry, ...]:
    """Return the questions that nobody answered, oldest first."""
    rows = db.execute("SELECT body FROM inquiries WHERE answered_at IS NULL ORDER BY at, key").fetchall()
    return tuple(Inquiry.model_validate_json(row["body"]) for row in rows)


def spent(db: sqlite3.Connection, investigation_id: str) -> Usage:
    """Return what the answers about an investigation took in all."""
    rows = db.execute(
        "SELECT usage FROM inquiries WHERE investigation_id = ? AND usage IS NOT NULL", (investigation_id,)
    ).fetchall()
    return sum((Usage.model_validate(json.loads(row["usage"])) for row in rows), Usage())


def _moment(moment: datetime) -> str:
    return utc(moment).isoformat(timespec="microseconds")
