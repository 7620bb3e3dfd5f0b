"""One SQLite file for many processes: opened with patience, written by one thread that groups what waits."""

import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], Any]

PATIENCE_SECONDS = 10.0
GROUP = 500


class StoreUnusable(Exception):
    """The store's file cannot be used; the message says what to do."""


def connect(path: Path, schema: str = "") -> sqlite3.Connection:
    """Open the file for durable writes, with this schema in it; raises StoreUnusable with what to do."""
    try:
        connection = sqlite3.connect(path, timeout=PATIENCE_SECONDS, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        _patiently(lambda: connection.execute("PRAGMA journal_mode = WAL"))
        connection.execute("PRAGMA synchronous = FULL")
        _patiently(lambda: connection.executescript(schema))
    except sqlite3.Error as error:
        raise StoreUnusable(
            f"{path} cannot be used as the store: {error}. Set RCA_DATA_DIR to a writable directory."
        ) from error
    return connection


def _patiently(work: Callable[[], object]) -> None:
    """Wait for other processes also where SQLite's own timeout does not: when a new file becomes a WAL database."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            work()
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
            if not busy or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


class Writer:
    """The thread that writes; each write is durable when its future is done."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.closed = False
        self._connection = connection
        self._work: queue.Queue[tuple[Work, Future[Any]] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._write_forever, name="rca-store-write", daemon=True)
        self._thread.start()

    def write(self, work: Callable[[sqlite3.Connection], T]) -> "Future[T]":
        """Do the work in a transaction, with what else waits; raises StoreUnusable once closed."""
        if self.closed:
            raise StoreUnusable("The store is closed: nothing more can be kept.")
        done: Future[T] = Future()
        self._work.put((work, done))
        return done

    def close(self) -> None:
        """Write what is waiting and let go of the file. Blocking."""
        self.closed = True
        self._work.put(None)
        self._thread.join()

    def _write_forever(self) -> None:
        last = False
        while not last:
            group = [self._work.get()]
            while len(group) < GROUP and group[-1] is not None and not self._work.empty():
                group.append(self._work.get())
            last = group[-1] is None
            _commit(self._connection, [item for item in group if item is not None])
        self._connection.close()


def _commit(connection: sqlite3.Connection, group: list[tuple[Work, Future[Any]]]) -> None:
    """Do a group of writes in one transaction; a write that fails is undone alone, a failing commit fails them all."""
    outcomes: list[tuple[Future[Any], Any, Exception | None]] = []
    try:
        connection.execute("BEGIN IMMEDIATE")
        for work, done in group:
            connection.execute("SAVEPOINT one")
            try:
                outcomes.append((done, work(connection), None))
            except (sqlite3.Error, ValueError, OverflowError) as error:  # the last two: values that SQLite cannot hold
                connection.execute("ROLLBACK TO one")
                outcomes.append((done, None, error))
            connection.execute("RELEASE one")
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        outcomes = [(done, None, error) for _, done in group]
    for done, value, failure in outcomes:
        if not done.set_running_or_notify_cancel():
            continue
        if failure is None:
            done.set_result(value)
        else:
            done.set_exception(failure)
