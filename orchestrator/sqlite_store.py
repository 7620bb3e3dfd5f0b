"""The embedded store: SQLite in WAL mode, one writer thread that commits in groups.

Waiting writes share one transaction and one fsync, so that two hundred people typing at once wait for a handful of
commits. WAL does not work on network file systems: https://www.sqlite.org/wal.html
"""

import asyncio
import json
import secrets
import sqlite3
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from domain.history import PastInvestigation
from domain.inquiry import Inquiry
from domain.report import Report
from domain.request import Trigger
from domain.usage import Usage
from orchestrator import sqlite_alarm_tables, sqlite_inquiries, sqlite_past, sqlite_turns
from orchestrator.remember import remembered
from orchestrator.sqlite_alarms import SqliteAlarms
from orchestrator.sqlite_file import StoreUnusable, Writer, connect
from orchestrator.store import Grade, Investigation, MessageRef, MessageRole, State, StoredBundle

T = TypeVar("T")

KEEP = timedelta(days=90)
IN_ONE_THREAD = 10
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no letter is taken for a digit when read aloud."""

SCHEMA = f"""
CREATE TABLE IF NOT EXISTS investigations (
    id TEXT PRIMARY KEY, state TEXT NOT NULL, trigger TEXT NOT NULL, accepted_at TEXT NOT NULL,
    started_at TEXT, finished_at TEXT, messages TEXT NOT NULL DEFAULT '{{}}', root TEXT UNIQUE
);
CREATE INDEX IF NOT EXISTS investigations_state ON investigations (state, accepted_at);
CREATE TABLE IF NOT EXISTS deliveries (key TEXT PRIMARY KEY, investigation_id TEXT NOT NULL, at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS "opx-agent-recommendations" (
    pk TEXT NOT NULL, sk TEXT NOT NULL, agent_id TEXT NOT NULL, created_at TEXT NOT NULL, ttl INTEGER NOT NULL,
    body TEXT NOT NULL, PRIMARY KEY (pk, sk)
);
CREATE INDEX IF NOT EXISTS agent_index ON "opx-agent-recommendations" (agent_id, created_at);
CREATE TABLE IF NOT EXISTS "opx-agent-executions" (
    pk TEXT NOT NULL, sk TEXT NOT NULL, incident_id TEXT NOT NULL, executed_at TEXT NOT NULL, ttl INTEGER NOT NULL,
    body TEXT NOT NULL, PRIMARY KEY (pk, sk)
);
CREATE INDEX IF NOT EXISTS incident_index ON "opx-agent-executions" (incident_id, executed_at);
CREATE TABLE IF NOT EXISTS bundles (investigation_id TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS grades (
    investigation_id TEXT, user TEXT, grade TEXT, at TEXT, PRIMARY KEY (investigation_id, user)
);
CREATE TABLE IF NOT EXISTS dismissals (
    investigation_id TEXT, action_id TEXT, user TEXT, at TEXT, PRIMARY KEY (investigation_id, action_id)
);
{sqlite_past.SCHEMA}
{sqlite_inquiries.SCHEMA}
{sqlite_alarm_tables.SCHEMA}
{sqlite_turns.SCHEMA}
PRAGMA user_version = 2;
"""


class SqliteStore:
    """Investigations in one SQLite file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer = Writer(connect(path, SCHEMA))
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="rca-store-read")
        self._read_connection: sqlite3.Connection | None = None
        self.alarms = SqliteAlarms(self)

    @classmethod
    def open(cls, directory: Path) -> "SqliteStore":
        """Open the store in a directory, making both; raises StoreUnusable with what to do."""
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreUnusable(
                f"{directory} cannot be made: {error}. Set RCA_DATA_DIR to a writable directory."
            ) from error
        return cls(directory / "rca.sqlite3")

    async def accept(self, key: str, trigger: Trigger, *, now: datetime) -> Investigation | None:
        """Durably take on an investigation; None when this delivery key was accepted before."""

        return await self.write(lambda db: self.accept_in(db, key, trigger, now))

    def accept_in(self, db: sqlite3.Connection, key: str, trigger: Trigger, now: datetime) -> Investigation | None:
        """Take an investigation on within a transaction; None when this delivery key was accepted before."""
        if db.execute("SELECT 1 FROM deliveries WHERE key = ?", (key,)).fetchone():
            return None
        new = Investigation(id=_free_id(db), state=State.QUEUED, trigger=trigger, accepted_at=now)
        db.execute("INSERT INTO deliveries VALUES (?, ?, ?)", (key, new.id, now.isoformat()))
        db.execute(
            "INSERT INTO investigations (id, state, trigger, accepted_at) VALUES (?, ?, ?, ?)",
            (new.id, new.state, trigger.model_dump_json(), now.isoformat()),
        )
        return new

    async def get(self, investigation_id: str) -> Investigation | None:
        """Return an investigation by id."""
        return await self.read(lambda db: self.known_in(db, investigation_id))

    def known_in(self, db: sqlite3.Connection, investigation_id: str) -> Investigation | None:
        """Return an investigation by id, over a connection that is at hand."""
        return _investigation(db.execute("SELECT * FROM investigations WHERE id = ?", (investigation_id,)).fetchone())

    async def start(self, investigation_id: str, *, now: datetime) -> None:
        """Record that work on it began."""
        await self._execute(
            "UPDATE investigations SET state = ?, started_at = ? WHERE id = ? AND state != ?",
            State.RUNNING,
            now.isoformat(),
            investigation_id,
            State.FINISHED,
        )

    async def turn(
        self, investigation_id: str, *, most: int, per_hour: int, stuck_after: timedelta, now: datetime
    ) -> timedelta | None:
        """Record that work on it begins, unless too many are at it or began within the hour; then how long to wait."""
        return await self.write(lambda db: sqlite_turns.turn(db, investigation_id, most, per_hour, stuck_after, now))

    async def place(self, investigation_id: str, role: MessageRole, message: MessageRef) -> None:
        """Record where one of its messages stands."""

        def write(db: sqlite3.Connection) -> None:
            row = db.execute("SELECT messages FROM investigations WHERE id = ?", (investigation_id,)).fetchone()
            if row is None:
                return
            messages = {**json.loads(row["messages"]), role: message.model_dump()}
            db.execute("UPDATE investigations SET messages = ? WHERE id = ?", (json.dumps(messages), investigation_id))
            if role is MessageRole.ROOT:
                db.execute(
                    "UPDATE investigations SET root = ? WHERE id = ?",
                    (f"{message.channel}/{message.ts}", investigation_id),
                )

        await self.write(write)

    async def by_message(self, message: MessageRef) -> Investigation | None:
        """Return the investigation whose root message (its thread) this is."""
        root = f"{message.channel}/{message.ts}"
        return await self.read(
            lambda db: _investigation(db.execute("SELECT * FROM investigations WHERE root = ?", (root,)).fetchone())
        )

    async def in_thread(self, thread: MessageRef) -> tuple[Investigation, ...]:
        """Return the investigations that a thread (by its first message) is about, newest first, at most ten."""
        asked = (f"{thread.channel}/{thread.ts}", thread.channel, thread.ts, IN_ONE_THREAD)
        rows = await self.read(lambda db: db.execute(sqlite_inquiries.IN_THREAD, asked).fetchall())
        return tuple(found for row in rows if (found := _investigation(row)) is not None)

    async def finish(self, report: Report, bundle: StoredBundle | None) -> None:
        """Store the report, each specialist's execution, the recommendation, and the evidence for a replay."""
        ident, at = report.investigation_id, report.completed_at.isoformat()
        ttl = int((report.completed_at + KEEP).timestamp())
        kept = await asyncio.get_running_loop().run_in_executor(self._reader, _serialised, report, bundle, ttl)

        def write(db: sqlite3.Connection) -> None:
            db.execute(
                'INSERT OR REPLACE INTO "opx-agent-recommendations" VALUES (?, ?, ?, ?, ?, ?)',
                (f"INCIDENT#{ident}", f"RECOMMENDATION#{ident}", "orchestrator", at, ttl, kept.report),
            )
            db.executemany('INSERT OR REPLACE INTO "opx-agent-executions" VALUES (?, ?, ?, ?, ?, ?)', kept.executions)
            if kept.bundle is not None:
                db.execute("INSERT OR REPLACE INTO bundles VALUES (?, ?)", (ident, kept.bundle))
            if kept.past is not None:
                sqlite_past.remember(db, kept.past, keep=KEEP)
            db.execute("UPDATE investigations SET state = ?, finished_at = ? WHERE id = ?", (State.FINISHED, at, ident))

        await self.write(write)

    async def report(self, investigation_id: str) -> Report | None:
        """Return the stored report."""
        body = await self._body(
            'SELECT body FROM "opx-agent-recommendations" WHERE pk = ? AND sk = ?',
            f"INCIDENT#{investigation_id}",
            f"RECOMMENDATION#{investigation_id}",
        )
        return Report.model_validate_json(body) if body else None

    async def bundle(self, investigation_id: str) -> StoredBundle | None:
        """Return the stored evidence bundle."""
        body = await self._body("SELECT body FROM bundles WHERE investigation_id = ?", investigation_id)
        return StoredBundle.model_validate_json(body) if body else None

    async def unfinished(self) -> tuple[Investigation, ...]:
        """Return what was accepted and never finished, oldest first."""
        rows = await self.read(
            lambda db: db.execute(
                "SELECT * FROM investigations WHERE state != ? ORDER BY accepted_at, id", (State.FINISHED,)
            ).fetchall()
        )
        return tuple(found for row in rows if (found := _investigation(row)) is not None)

    async def recent(self, limit: int = 20) -> tuple[Report, ...]:
        """Return the newest reports."""
        rows = await self.read(
            lambda db: db.execute(
                'SELECT body FROM "opx-agent-recommendations" ORDER BY created_at DESC LIMIT ?', (limit,)
            ).fetchall()
        )
        return tuple(Report.model_validate_json(row["body"]) for row in rows)

    async def grade(self, investigation_id: str, user: str, grade: Grade, *, now: datetime) -> None:
        """Record one person's judgement; a later one of the same person replaces it."""
        await self._execute(
            "INSERT OR REPLACE INTO grades VALUES (?, ?, ?, ?)", investigation_id, user, grade, now.isoformat()
        )

    async def grades(self, investigation_id: str) -> dict[str, Grade]:
        """Return the judgements by person."""
        rows = await self.read(
            lambda db: db.execute(
                "SELECT user, grade FROM grades WHERE investigation_id = ?", (investigation_id,)
            ).fetchall()
        )
        return {row["user"]: Grade(row["grade"]) for row in rows}

    async def dismiss(self, investigation_id: str, action_id: str, user: str, *, now: datetime) -> bool:
        """Record that a proposed action was dismissed; False when it already was."""

        def write(db: sqlite3.Connection) -> bool:
            done = db.execute(
                "INSERT OR IGNORE INTO dismissals VALUES (?, ?, ?, ?)",
                (investigation_id, action_id, user, now.isoformat()),
            )
            return done.rowcount == 1

        return await self.write(write)

    async def dismissed(self, investigation_id: str) -> frozenset[str]:
        """Return the ids of dismissed actions."""
        rows = await self.read(
            lambda db: db.execute(
                "SELECT action_id FROM dismissals WHERE investigation_id = ?", (investigation_id,)
            ).fetchall()
        )
        return frozenset(row["action_id"] for row in rows)

    async def inquire(self, inquiry: Inquiry) -> bool:
        """Durably take on a question; False when its delivery was taken on before."""
        return await self.write(lambda db: sqlite_inquiries.keep(db, inquiry, kept_for=KEEP))

    async def answered(self, key: str, usage: Usage, *, now: datetime) -> None:
        """Record that a question was answered, and what that took."""
        await self.write(lambda db: sqlite_inquiries.answered(db, key, usage, now))

    async def unanswered(self) -> tuple[Inquiry, ...]:
        """Return the questions that were taken on and never answered, oldest first."""
        return await self.read(sqlite_inquiries.unanswered)

    async def spent_on_answers(self, investigation_id: str) -> Usage:
        """Return what the answers about an investigation took in all."""
        return await self.read(lambda db: sqlite_inquiries.spent(db, investigation_id))

    def touching(
        self, resources: Collection[str], services: Collection[str], *, before: datetime, limit: int = 200
    ) -> tuple[PastInvestigation, ...]:
        """Return earlier investigations that touched one of them, newest first. Blocking, from any thread."""
        try:
            asked = self._reader.submit(
                self._look_up, lambda db: sqlite_past.touching(db, resources, services, before, limit)
            )
        except RuntimeError as error:
            raise StoreUnusable("The store is closed: nothing earlier can be told.") from error
        return asked.result()

    async def close(self) -> None:
        """Write what is waiting and let go of the file."""
        if not self._writer.closed:
            await asyncio.get_running_loop().run_in_executor(None, self._writer.close)
            await asyncio.get_running_loop().run_in_executor(self._reader, self._close_reader)
            self._reader.shutdown()

    def _close_reader(self) -> None:
        if self._read_connection is not None:
            self._read_connection.close()

    async def _execute(self, sql: str, *values: Any) -> None:
        await self.write(lambda db: db.execute(sql, values).rowcount)

    async def _body(self, sql: str, *values: Any) -> str | None:
        row = await self.read(lambda db: db.execute(sql, values).fetchone())
        return row["body"] if row else None

    async def read(self, look: Callable[[sqlite3.Connection], T]) -> T:
        """Look, in the thread that reads; for the tables that are kept beside these."""
        return await asyncio.get_running_loop().run_in_executor(self._reader, self._look_up, look)

    def _look_up(self, look: Callable[[sqlite3.Connection], T]) -> T:
        """Read in the reader's one thread, which owns the connection."""
        if self._read_connection is None:
            self._read_connection = connect(self._path)
        return look(self._read_connection)

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do the work in a transaction; the same."""
        return await asyncio.wrap_future(self._writer.write(work))


class _Kept(NamedTuple):
    """The rows of one finished investigation."""

    report: str
    bundle: str | None
    executions: list[tuple[Any, ...]]
    past: PastInvestigation | None


def _serialised(report: Report, bundle: StoredBundle | None, ttl: int) -> _Kept:
    """Return the rows of an investigation; a large report takes a moment, so not on the loop."""
    ident, at = report.investigation_id, report.completed_at.isoformat()
    return _Kept(
        report=report.model_dump_json(),
        bundle=bundle.model_dump_json() if bundle is not None else None,
        executions=[
            (f"INCIDENT#{ident}", f"EXECUTION#{s.name}", ident, at, ttl, s.model_dump_json())
            for s in report.specialists
        ],
        past=remembered(report, bundle),
    )


def _free_id(db: sqlite3.Connection) -> str:
    while True:
        ident = "INV-" + "".join(secrets.choice(ALPHABET) for _ in range(6))
        if not db.execute("SELECT 1 FROM investigations WHERE id = ?", (ident,)).fetchone():
            return ident


def _investigation(row: sqlite3.Row | None) -> Investigation | None:
    if row is None:
        return None
    return Investigation(
        id=row["id"],
        state=State(row["state"]),
        trigger=Trigger.model_validate_json(row["trigger"]),
        accepted_at=datetime.fromisoformat(row["accepted_at"]),
        messages={
            MessageRole(role): MessageRef.model_validate(ref) for role, ref in json.loads(row["messages"]).items()
        },
    )


__all__ = ["SqliteStore", "StoreUnusable"]
