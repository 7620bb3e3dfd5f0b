"""Messages of the events' queue that cannot be used: kept, and told of once. In the store's file, by every process.

Where the queue has a dead-letter queue, the message itself goes there and only its beginning is kept here; where it has
none, the row is the one copy that is left.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol, TypeVar

from pydantic import AwareDatetime

from domain.values import Value
from orchestrator.sqlite_file import connect

T = TypeVar("T")

CLAIM = timedelta(minutes=15)
"""How long one process has for telling of a message, longer than it tries to; after that another one tries."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS rejected (
    id TEXT PRIMARY KEY, at TEXT NOT NULL, body TEXT NOT NULL, message TEXT NOT NULL, claimed_at TEXT, told_at TEXT
);
"""


class Rejected(Value):
    """One message: `why` completes "it cannot be used: …", `at` is when it was given up, UTC.

    `excerpt` is its beginning for people; `body` is all of it, as it came, where `dead_letters` is None.
    """

    id: str
    at: AwareDatetime
    why: str
    excerpt: str
    receives: int
    dead_letters: str | None = None
    body: str = ""


class Rejections(Protocol):
    """Where they are kept. Every method is durable when it returns."""

    async def keep(self, rejected: Rejected) -> None:
        """Write a message down, once for each id."""

    async def claim(self, *, now: AwareDatetime) -> tuple[Rejected, ...]:
        """Return the messages that nobody told of, which the caller shall tell of now; no other process gets them."""

    async def told(self, ident: str, *, now: AwareDatetime) -> None:
        """Record that people were told."""

    async def count(self) -> int:
        """Return how many were kept so far."""

    async def close(self) -> None:
        """Let go of the file."""


class SqliteRejections:
    """Rejected messages in the SQLite file of the store, over a connection of its own: they are few."""

    def __init__(self, path: Path) -> None:
        self._db = connect(path, SCHEMA)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="rca-rejections")

    @classmethod
    def open(cls, directory: Path) -> "SqliteRejections":
        """Open it beside the store in this directory; raises StoreUnusable with what to do."""
        return cls(directory / "rca.sqlite3")

    async def keep(self, rejected: Rejected) -> None:
        """Write a message down, once for each id."""
        row = (rejected.id, rejected.at.isoformat(), rejected.body, rejected.model_dump_json(exclude={"body"}))
        await self._do(
            lambda db: db.execute("INSERT OR IGNORE INTO rejected (id, at, body, message) VALUES (?, ?, ?, ?)", row)
        )

    async def claim(self, *, now: datetime) -> tuple[Rejected, ...]:
        """Return the messages that nobody told of, which the caller shall tell of now; no other process gets them."""
        rows = await self._do(
            lambda db: db.execute(
                "UPDATE rejected SET claimed_at = ? WHERE told_at IS NULL AND (claimed_at IS NULL OR claimed_at < ?) "
                "RETURNING message, body",
                (now.isoformat(), (now - CLAIM).isoformat()),
            ).fetchall()
        )
        return tuple(
            Rejected.model_validate_json(row["message"]).model_copy(update={"body": row["body"]}) for row in rows
        )

    async def told(self, ident: str, *, now: datetime) -> None:
        """Record that people were told."""
        await self._do(lambda db: db.execute("UPDATE rejected SET told_at = ? WHERE id = ?", (now.isoformat(), ident)))

    async def count(self) -> int:
        """Return how many were kept so far."""
        return int((await self._do(lambda db: db.execute("SELECT count(*) FROM rejected").fetchone()))[0])

    async def close(self) -> None:
        """Let go of the file."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._db.close)
        self._thread.shutdown()

    async def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, self._db)
