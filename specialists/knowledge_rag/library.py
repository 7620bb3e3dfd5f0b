"""The team's library: its own documents beside the runbooks that come with the bot, in one index."""

import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from domain.library import Passage
from specialists.knowledge_rag.files import Found
from specialists.knowledge_rag.index import Index

SHIPPED = Path("rca-runbooks")
"""What the bot's own folder is called in the index, wherever the bot is installed."""

_RUNBOOKS = Path(__file__).parent / "runbooks"


def shipped_runbooks() -> tuple[Found, ...]:
    """Return the runbooks that come with the bot, under the name of their folder in the index."""
    return tuple(Found(SHIPPED / file.name, file.read_text("utf-8")) for file in sorted(_RUNBOOKS.glob("*.md")))


class DocumentLibrary:
    """Searches the index; each search has a connection of its own, so that any thread may ask.

    `connect` opens the index's file with its schema in it. The shipped runbooks are brought up to date at the first
    search of a process, when their content changed.
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection], *, knowledge_base_id: str | None = None) -> None:
        self._connect = connect
        self._knowledge_base_id = knowledge_base_id
        self._lock = threading.Lock()
        self._current = False

    @property
    def knowledge_base_id(self) -> str | None:
        """The Bedrock knowledge base to ask as well."""
        return self._knowledge_base_id

    def search(self, words: Sequence[str], *, causes: Sequence[str] = (), limit: int = 10) -> tuple[Passage, ...]:
        """Return the sections that fit the words best, and every section about one of the causes, best first."""
        with closing(self.open()) as index:
            return index.search(words, causes=causes, limit=limit)

    def open(self) -> Index:
        """Open the index for this thread, with the shipped runbooks of this version in it; the caller closes it."""
        index = Index(self._connect())
        try:
            with self._lock:
                self._bring_up_to_date(index)
        except BaseException:
            index.close()
            raise
        return index

    def _bring_up_to_date(self, index: Index) -> None:
        if self._current:
            return
        runbooks = shipped_runbooks()
        if not index.holds(SHIPPED, runbooks):
            index.put(SHIPPED, runbooks, now=datetime.now(UTC), shipped=True)
        self._current = True
