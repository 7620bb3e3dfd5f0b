"""The index of documents: sections in SQLite's FTS5, ranked by BM25 with a heading's words counting more.

A document is known by its path and re-read when its content changed. https://www.sqlite.org/fts5.html
"""

import hashlib
import json
import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from domain.library import Passage
from domain.redaction import clean
from specialists.knowledge_rag.files import Found, LeftOut
from specialists.knowledge_rag.markdown import Document, read_document

HEADING_WEIGHT = 4.0
MAX_WORDS = 40
MAX_WORD = 80
MAX_HITS = 400
MAX_ABOUT = 2_000
READING = "1"
"""Changes when documents are read in another way, so that all of them are read again."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS folders (path TEXT PRIMARY KEY, shipped INTEGER NOT NULL, added_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS documents (
    id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, folder TEXT NOT NULL, source TEXT NOT NULL,
    digest TEXT NOT NULL, link TEXT
);
CREATE TABLE IF NOT EXISTS sections (
    id INTEGER PRIMARY KEY, document INTEGER NOT NULL, heading TEXT NOT NULL, body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS sections_document ON sections (document);
CREATE TABLE IF NOT EXISTS causes (cause TEXT, section INTEGER, PRIMARY KEY (section, cause)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS causes_cause ON causes (cause);
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(
    heading, body, content='sections', content_rowid='id', tokenize='porter unicode61'
);
CREATE TRIGGER IF NOT EXISTS section_in AFTER INSERT ON sections BEGIN
    INSERT INTO words (rowid, heading, body) VALUES (new.id, new.heading, new.body);
END;
CREATE TRIGGER IF NOT EXISTS section_out AFTER DELETE ON sections BEGIN
    INSERT INTO words (words, rowid, heading, body) VALUES ('delete', old.id, old.heading, old.body);
END;
"""

MATCHING = "SELECT rowid, -bm25(words, ?, 1.0) AS score FROM words WHERE words MATCH ? ORDER BY score DESC LIMIT ?"
ABOUT = "SELECT DISTINCT section FROM causes WHERE cause IN (SELECT value FROM json_each(?)) ORDER BY section LIMIT ?"
PASSAGES = """
SELECT s.id, d.source, s.heading, s.body, d.link, f.shipped,
    (SELECT group_concat(cause, ' ') FROM causes WHERE section = s.id) AS causes
FROM sections s JOIN documents d ON d.id = s.document JOIN folders f ON f.path = d.folder
WHERE s.id IN (SELECT value FROM json_each(?))
"""


class Put(NamedTuple):
    """What adding did, in documents."""

    new: int
    changed: int
    gone: int
    same: int


class Folder(NamedTuple):
    """A folder or file that was added; `added_at` is when last, UTC."""

    path: str
    documents: int
    sections: int
    added_at: datetime
    shipped: bool


class Index:
    """Documents over an open connection with SCHEMA in it; for one thread at a time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def put(
        self, path: Path, found: Sequence[Found], left: Sequence[LeftOut] = (), *, now: datetime, shipped: bool = False
    ) -> Put:
        """Make the index hold what is below the path now: new and changed documents in, those that are gone out.

        What was left out keeps the content it had. A path in a folder that was added before renews its part of it;
        folders below the path become part of it. All of it happens, or nothing.
        """
        folder = self._folder_of(path)
        held = self._digests(folder)
        new = (one for one in found if held.get(one.path) != _digest(one, folder))
        read = {one: read_document(one.text, name=one.path.stem) for one in new}  # before others have to wait
        self._db.execute("BEGIN IMMEDIATE")
        try:
            done = self._put(path, found, left, read, now=now, shipped=shipped)
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        return done

    def holds(self, folder: Path, found: Sequence[Found]) -> bool:
        """Tell whether a folder's documents are exactly these, as they are."""
        return self._digests(folder) == {one.path: _digest(one, folder) for one in found}

    def folders(self) -> tuple[Folder, ...]:
        """Return what was added, the team's own first, by path."""
        rows = self._db.execute(
            "SELECT f.path, f.shipped, f.added_at, count(DISTINCT d.id) AS documents, count(s.id) AS sections "
            "FROM folders f LEFT JOIN documents d ON d.folder = f.path LEFT JOIN sections s ON s.document = d.id "
            "GROUP BY f.path ORDER BY f.shipped, f.path"
        )
        return tuple(
            Folder(r["path"], r["documents"], r["sections"], datetime.fromisoformat(r["added_at"]), bool(r["shipped"]))
            for r in rows
        )

    def search(self, words: Sequence[str], *, causes: Sequence[str] = (), limit: int = 10) -> tuple[Passage, ...]:
        """Return the sections that fit the words best, and every section about one of the causes, best first.

        The team's own about a cause stand before the bot's about a cause, and those before what only has the words.
        """
        query = match_query(words)
        found = self._db.execute(MATCHING, (HEADING_WEIGHT, query, MAX_HITS)).fetchall() if query else []
        scores: dict[int, float] = {row["rowid"]: row["score"] for row in found}
        about = {row["section"] for row in self._db.execute(ABOUT, (_json(causes), MAX_ABOUT))} if causes else set()
        wanted = {*about, *list(scores)[: max(0, limit)]}
        rows = self._db.execute(PASSAGES, (_json(wanted),)).fetchall()
        rows.sort(
            key=lambda r: (
                r["id"] not in about,
                r["shipped"] if r["id"] in about else 0,
                -scores.get(r["id"], 0.0),
                r["id"],
            )
        )
        return tuple(_passage(row, scores.get(row["id"], 0.0)) for row in rows)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def _put(
        self,
        path: Path,
        found: Sequence[Found],
        left: Sequence[LeftOut],
        read: Mapping[Found, Document],
        *,
        now: datetime,
        shipped: bool,
    ) -> Put:
        folder = self._folder_of(path)
        self._take_over(folder)
        held = self._digests(folder)
        below = {each for each in held if each.is_relative_to(path)}
        unread = {each for each in below if any(each.is_relative_to(one.path) for one in left)}
        gone = below - unread - {one.path for one in found}
        changed = [one for one in found if held.get(one.path) != _digest(one, folder)]
        for each in (*gone, *(one.path for one in changed if one.path in held)):
            self._take_out(each)
        for one in changed:
            self._take_in(one, read.get(one) or read_document(one.text, name=one.path.stem), folder)
        self._db.execute("INSERT OR REPLACE INTO folders VALUES (?, ?, ?)", (str(folder), shipped, now.isoformat()))
        new = sum(one.path not in held for one in changed)
        return Put(new, len(changed) - new, len(gone), len(found) - len(changed))

    def _folder_of(self, path: Path) -> Path:
        """Return the folder added before that the path is in, else the path itself."""
        return next((each for each in self._folders() if path.is_relative_to(each)), path)

    def _take_over(self, folder: Path) -> None:
        """Make the folders below this one part of it."""
        for below in self._folders():
            if below != folder and below.is_relative_to(folder):
                self._db.execute("UPDATE documents SET folder = ? WHERE folder = ?", (str(folder), str(below)))
                self._db.execute("DELETE FROM folders WHERE path = ?", (str(below),))

    def _folders(self) -> list[Path]:
        return [Path(row["path"]) for row in self._db.execute("SELECT path FROM folders ORDER BY path")]

    def _digests(self, folder: Path) -> dict[Path, str]:
        rows = self._db.execute("SELECT path, digest FROM documents WHERE folder = ?", (str(folder),))
        return {Path(row["path"]): row["digest"] for row in rows}

    def _take_out(self, path: Path) -> None:
        gone = self._db.execute("SELECT id FROM documents WHERE path = ?", (str(path),)).fetchone()["id"]
        self._db.execute("DELETE FROM causes WHERE section IN (SELECT id FROM sections WHERE document = ?)", (gone,))
        self._db.execute("DELETE FROM sections WHERE document = ?", (gone,))
        self._db.execute("DELETE FROM documents WHERE id = ?", (gone,))

    def _take_in(self, one: Found, content: Document, folder: Path) -> None:
        source = str(one.path.relative_to(folder.parent))
        document = self._insert(
            "documents (path, folder, source, digest, link)",
            str(one.path),
            str(folder),
            source,
            _digest(one, folder),
            content.link,
        )
        for heading, text, codes in content.sections:
            section = self._insert("sections (document, heading, body)", document, heading, text)
            self._db.executemany(
                "INSERT INTO causes (cause, section) VALUES (?, ?)", [(code, section) for code in codes]
            )

    def _insert(self, into: str, *values: object) -> int | None:
        marks = ", ".join("?" * len(values))
        return self._db.execute(f"INSERT INTO {into} VALUES ({marks})", values).lastrowid  # noqa: S608 - our own tables


def match_query(words: Iterable[str]) -> str:
    """Return FTS5's query for any of the words, "" for none; each is quoted, so that nothing in it is syntax."""
    plain = (" ".join(clean(word).split())[:MAX_WORD] for word in words)
    usable = dict.fromkeys(word for word in plain if re.search(r"\w", word))
    return " OR ".join('"{}"'.format(word.replace('"', '""')) for word in list(usable)[:MAX_WORDS])


def _passage(row: sqlite3.Row, score: float) -> Passage:
    return Passage(
        source=row["source"],
        heading=row["heading"],
        text=row["body"],
        score=round(score, 6),
        causes=tuple(sorted((row["causes"] or "").split())),
        link=row["link"],
        shipped=bool(row["shipped"]),
    )


def _digest(one: Found, folder: Path) -> str:
    """Return what a document is known by: its content, where it is shown to be, and how it was read."""
    return hashlib.sha256("\x00".join((READING, str(folder), one.text)).encode()).hexdigest()


def _json(values: Iterable[str | int]) -> str:
    return json.dumps(list(values))
