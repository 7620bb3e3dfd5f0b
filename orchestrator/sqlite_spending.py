"""The day's spending on models, kept in the store's file so that all processes of a machine share one limit."""

import sqlite3
import threading
from datetime import date
from pathlib import Path

from orchestrator.sqlite_file import StoreUnusable, connect
from reasoning.budget import LedgerUnusable, Spent

SCHEMA = """
CREATE TABLE IF NOT EXISTS model_spending (day TEXT PRIMARY KEY, tokens INTEGER NOT NULL, usd REAL NOT NULL);
"""

ADD = """
INSERT INTO model_spending VALUES (?, ?, ?)
ON CONFLICT (day) DO UPDATE SET tokens = tokens + excluded.tokens, usd = usd + excluded.usd
"""


class SqliteLedger:
    """A `DayLedger` in a SQLite file. Thread-safe; opened when it is first asked."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    @classmethod
    def open(cls, directory: Path) -> "SqliteLedger":
        """Return the ledger of a data directory, beside the store."""
        return cls(directory / "rca.sqlite3")

    def spent(self, day: date) -> Spent:
        """Return what all processes spent on a day."""
        row = self._do("SELECT tokens, usd FROM model_spending WHERE day = ?", (day.isoformat(),))
        return Spent(*row) if row else Spent()

    def add(self, day: date, spent: Spent) -> None:
        """Keep what was spent on a day."""
        self._do(ADD, (day.isoformat(), spent.tokens, spent.usd))

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _do(self, sql: str, values: tuple[str | int | float, ...]) -> tuple[int, float] | None:
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = connect(self._path, SCHEMA)
                row = self._connection.execute(sql, values).fetchone()
            except (sqlite3.Error, StoreUnusable) as error:
                raise LedgerUnusable(str(error)) from error
        return (row["tokens"], row["usd"]) if row else None
