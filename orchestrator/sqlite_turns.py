"""Whose turn it is, as the store counts it: so many at once and so many an hour, over all processes."""

import sqlite3
from datetime import datetime, timedelta

from domain.values import utc
from orchestrator.store import State

HOUR = timedelta(hours=1)
LOOK_AGAIN = timedelta(seconds=1)

SCHEMA = "CREATE INDEX IF NOT EXISTS investigations_started ON investigations (started_at);"
OTHERS = """
SELECT state, started_at FROM investigations WHERE id != ? AND started_at >= ?
AND json_extract("trigger", '$.kind') != 'cli' ORDER BY started_at
"""


def turn(
    db: sqlite3.Connection, investigation_id: str, most: int, per_hour: int, stuck_after: timedelta, now: datetime
) -> timedelta | None:
    """Start an investigation, or return how long to wait before asking again.

    What people run on the command line takes no turn.
    """
    now = utc(now)
    rows = db.execute(OTHERS, (investigation_id, (now - HOUR).isoformat())).fetchall()
    began = [datetime.fromisoformat(row["started_at"]) for row in rows]
    running = [
        at for row, at in zip(rows, began, strict=True) if row["state"] == State.RUNNING and at > now - stuck_after
    ]
    if len(began) >= per_hour:
        return max(began[len(began) - per_hour] + HOUR - now, LOOK_AGAIN)
    if len(running) >= most:
        return LOOK_AGAIN
    db.execute(
        "UPDATE investigations SET state = ?, started_at = ? WHERE id = ? AND state != ?",
        (State.RUNNING, now.isoformat(), investigation_id, State.FINISHED),
    )
    return None
