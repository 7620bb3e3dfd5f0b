"""Markdown files on disk: which ones a path stands for, and their text."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ENDINGS = (".md", ".markdown")
SKIPPED_FOLDERS = frozenset({"node_modules", "__pycache__", "venv"})
MAX_BYTES = 1_000_000
MAX_FILES = 5_000


class DocumentsUnusable(Exception):
    """A path holds nothing that can be searched; the message is one line that says why."""


class Found(NamedTuple):
    """A file's absolute path and its text."""

    path: Path
    text: str


class LeftOut(NamedTuple):
    """A file that cannot be used, and why in words."""

    path: Path
    why: str


def markdown_files(path: Path) -> tuple[tuple[Found, ...], tuple[LeftOut, ...]]:
    """Return the Markdown below a folder (or the one file), by path, and what had to be left out.

    Hidden folders are not looked into, links to folders not followed. Raises DocumentsUnusable when nothing is usable.
    """
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise DocumentsUnusable(f"{path} cannot be opened ({error.strerror}).") from error
    folder = stat.S_ISDIR(mode)
    if not folder and path.suffix.lower() not in ENDINGS:
        raise DocumentsUnusable(f"{path} is not Markdown: its name must end in {' or '.join(ENDINGS)}.")
    closed: list[LeftOut] = []
    paths = [path] if not folder else sorted(_below(path, closed))
    if len(paths) > MAX_FILES:
        raise DocumentsUnusable(f"{path} has {len(paths)} Markdown files, more than {MAX_FILES}: add folders below it.")
    read = [_read(each) for each in paths]
    found = tuple(one for one in read if isinstance(one, Found))
    left = (*closed, *(one for one in read if isinstance(one, LeftOut)))
    if not found:
        why = f"{left[0].path} {left[0].why}" if left else f"{path} has no Markdown files ({', '.join(ENDINGS)})"
        raise DocumentsUnusable(f"{why}.")
    return found, left


def _below(folder: Path, closed: list[LeftOut]) -> Iterator[Path]:
    def note(error: OSError) -> None:
        closed.append(LeftOut(Path(error.filename), f"cannot be opened ({error.strerror})"))

    for where, folders, names in os.walk(folder, onerror=note):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in SKIPPED_FOLDERS]
        yield from (Path(where, name) for name in names if Path(name).suffix.lower() in ENDINGS and name[0] != ".")


def _read(path: Path) -> Found | LeftOut:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return LeftOut(path, "is not an ordinary file")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        return LeftOut(path, f"cannot be read ({error.strerror})")
    if len(content) > MAX_BYTES:
        return LeftOut(path, f"is larger than {MAX_BYTES // 1_000_000} MB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return LeftOut(path, "is not UTF-8 text")
    return LeftOut(path, "is not text") if "\x00" in text else Found(path, text)
