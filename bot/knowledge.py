"""`rca knowledge`: add the team's documents to the library, list what is in it, search it."""

import argparse
import json
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from bot.blocks.words import count
from bot.settings import Settings
from domain.library import Passage
from domain.redaction import clean
from orchestrator.errors import UnusableInput
from orchestrator.investigate import utc_now
from orchestrator.sqlite_file import StoreUnusable, connect
from specialists.knowledge_rag.files import DocumentsUnusable, LeftOut, markdown_files
from specialists.knowledge_rag.index import SCHEMA, Folder, Put, match_query
from specialists.knowledge_rag.library import DocumentLibrary
from specialists.knowledge_rag.words import excerpt

FILE = "knowledge.db"
RESULTS = 10
SNIPPET = 240


def open_library(directory: Path, knowledge_base_id: str | None = None) -> DocumentLibrary:
    """Return the library that is kept in a data directory; its file is opened at the first search."""
    return DocumentLibrary(partial(connect, directory / FILE, SCHEMA), knowledge_base_id=knowledge_base_id)


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    knowledge = commands.add_parser("knowledge", help="add, list and search the team's runbooks and documents")
    deeds = knowledge.add_subparsers(dest="deed", required=True, metavar="add|list|search")
    add = deeds.add_parser("add", help="index Markdown files, or bring them up to date")
    add.add_argument("paths", nargs="+", metavar="PATH", help="a Markdown file, or a folder with some below it")
    shown = deeds.add_parser("list", help="show what was added")
    search = deeds.add_parser("search", help="search by words")
    search.add_argument("words", nargs="+", metavar="WORD")
    for each in (add, shown, search):
        each.add_argument("--json", action="store_true", help="print JSON")


async def knowledge(options: argparse.Namespace, settings: Settings) -> int:
    """Do what was asked; raises UnusableInput or StoreUnusable with one line."""
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnusable(
            f"{settings.data_dir} cannot be made: {error}. Set RCA_DATA_DIR to a writable directory."
        ) from error
    library = open_library(settings.data_dir)
    try:
        return DEEDS[options.deed](options, library)
    except DocumentsUnusable as error:
        raise UnusableInput(str(error)) from error
    except sqlite3.Error as error:
        raise StoreUnusable(f"{settings.data_dir / FILE} cannot be used: {error}.") from error


def _add(options: argparse.Namespace, library: DocumentLibrary) -> int:
    """Read everything before anything is kept: one unusable path, and nothing changes."""
    read = [(path, *markdown_files(path)) for path in dict.fromkeys(map(_path, options.paths))]
    with closing(library.open()) as index:
        done = [(path, left, index.put(path, found, left, now=utc_now())) for path, found, left in read]
    for one in (one for _, left, _ in done for one in left):
        sys.stderr.write(f"rca: left out {clean(str(one.path))}: it {one.why}.\n")
    _print(options, [_put_json(*each) for each in done], (_put_line(path, put) for path, _, put in done))
    return 0


def _path(text: str) -> Path:
    try:
        return Path(text).expanduser().resolve()
    except (OSError, RuntimeError) as error:  # a name that is too long, links in a circle, an unknown user
        raise DocumentsUnusable(f"{text[:200]} cannot be opened ({error}).") from error


def _list(options: argparse.Namespace, library: DocumentLibrary) -> int:
    with closing(library.open()) as index:
        folders = index.folders()
    _print(
        options,
        [{**one._asdict(), "added_at": one.added_at.isoformat()} for one in folders],
        map(_folder_line, folders),
    )
    return 0


def _search(options: argparse.Namespace, library: DocumentLibrary) -> int:
    words = [word for text in options.words for word in text.split()]
    if not match_query(words):
        raise UnusableInput("Tell me which words to search for.")
    found = library.search(words, limit=RESULTS)
    lines = (line for one in found for line in _found_lines(one, words))
    _print(options, [one.model_dump(mode="json") for one in found], lines if found else ["Nothing has these words."])
    return 0


DEEDS = {"add": _add, "list": _list, "search": _search}


def _print(options: argparse.Namespace, values: Sequence[Any], lines: Iterator[str] | Sequence[str]) -> None:
    said = json.dumps(values, indent=2, ensure_ascii=False) if options.json else "\n".join(lines)
    sys.stdout.write(said + "\n")


def _put_json(path: Path, left: Sequence[LeftOut], put: Put) -> dict[str, Any]:
    out = [{"path": str(one.path), "why": one.why} for one in left]
    return {"path": str(path), **put._asdict(), "left_out": out}


def _put_line(path: Path, put: Put) -> str:
    return f"{clean(str(path))}: {put.new} new, {put.changed} changed, {put.gone} gone, {put.same} as before"


def _folder_line(folder: Folder) -> str:
    whose = "shipped with the bot" if folder.shipped else f"added {folder.added_at:%Y-%m-%d %H:%M} UTC"
    return f"{clean(folder.path)}: {count(folder.documents, 'document')}, {count(folder.sections, 'section')}, {whose}"


def _found_lines(passage: Passage, words: Sequence[str]) -> Iterator[str]:
    yield f"{clean(passage.source)}: {passage.heading}"
    yield f"    {' '.join(excerpt(passage.text, words, SNIPPET).split())}"
