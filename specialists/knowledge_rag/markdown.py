"""Markdown documents cut into sections at their headings, as far as CommonMark matters for that.

ATX and setext headings count; what looks like one in code, lists, quotes or HTML comments does not:
https://spec.commonmark.org/0.31.2/#headings. Front matter (YAML between `---` lines) gives title, causes and link.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from domain.causes import CAUSES
from domain.redaction import clean, redact

SEPARATOR = " > "
MAX_SECTION = 6_000
MAX_HEADING = 120
MAX_LINK = 500
MAX_FRONT_MATTER = 8_192

_HASHES = re.compile(r" {0,3}(#{1,6})(?=[ \t]|$)")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_CONTAINER = re.compile(r" {0,3}(?:[>|]|[-*+][ \t]|\d{1,9}[.)][ \t])")
_INDENTED = re.compile(r" {4}|\t")
_LINK = re.compile(r"!?\[([^\]]{0,200})\]\([^)]{0,500}\)")
_FRONT_MATTER = re.compile(r"---[ \t]*\n(.*?\n)?(?:---|\.\.\.)[ \t]*(?:\n|$)", re.DOTALL)
_CODE = re.compile(r"(?<![\w-])(?:" + "|".join(sorted(CAUSES, key=len, reverse=True)) + r")(?![\w-])")


class Section(NamedTuple):
    """What stands under one heading; `heading` has those above it, `causes` are codes that it is about."""

    heading: str
    text: str
    causes: tuple[str, ...]


class Document(NamedTuple):
    """A document's sections that have text, in its order, and where its front matter says to read on."""

    sections: tuple[Section, ...]
    link: str | None


def read_document(text: str, *, name: str) -> Document:
    """Cut a document into sections without secrets and unseen characters; `name` stands in for a missing title.

    A section is about the causes of the front matter's `causes`, and about those whose codes it writes out.
    """
    front, body = _split(redact(clean(text)))
    title = _words(str(front.get("title") or "")) or name
    every = _known(front.get("causes"))
    sections = tuple(
        Section(heading, piece, tuple(dict.fromkeys((*every, *_CODE.findall(f"{heading}\n{piece}")))))
        for heading, piece in _sections(body, title)
    )
    return Document(sections, str(front.get("link") or "").strip()[:MAX_LINK] or None)


def _split(text: str) -> tuple[dict[str, Any], str]:
    """Take the front matter off; what cannot be read as YAML says nothing, and is no text either."""
    found = _FRONT_MATTER.match(text, 0, MAX_FRONT_MATTER)
    if found is None:
        return {}, text
    import yaml  # noqa: PLC0415 - needed when documents change, not in every process

    try:
        values = yaml.load(found[1] or "", Loader=yaml.BaseLoader)  # noqa: S506 - makes texts, lists and mappings only
    except (yaml.YAMLError, RecursionError):
        values = None
    return (values if isinstance(values, dict) else {}), text[found.end() :]


def _known(value: Any) -> tuple[str, ...]:
    """Return the catalogue's codes in a YAML list or a text with commas."""
    given = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else []
    return tuple(dict.fromkeys(code for item in given if isinstance(item, str) and (code := item.strip()) in CAUSES))


def _sections(body: str, title: str) -> Iterator[tuple[str, str]]:
    """Yield each heading with those above it, and the text under it."""
    path: list[tuple[int, str]] = []
    lines: list[str] = []
    for line, level in _marked(body):
        if not level:
            lines.append(line)
            continue
        yield from _pieces(path, lines, title)
        lines = []
        path = [*(above for above in path if above[0] < level), (level, _words(line))]
    yield from _pieces(path, lines, title)


def _pieces(path: list[tuple[int, str]], lines: list[str], title: str) -> Iterator[tuple[str, str]]:
    """Yield the section in pieces of bounded size, cut at line ends where there are any."""
    heading = SEPARATOR.join(name for _, name in path if name) or title
    text = "\n".join(lines).strip()
    while text:
        end = len(text) if len(text) <= MAX_SECTION else text.rfind("\n", 1, MAX_SECTION) + 1 or MAX_SECTION
        yield heading, text[:end].rstrip()
        text = text[end:].lstrip()


def _marked(body: str) -> Iterator[tuple[str, int]]:
    """Yield every line with the level of the heading it is, 0 for text; a setext heading without the rule below it."""
    paragraph: list[str] = []  # what a rule below would make a heading
    contained = False  # in a list, a quote or a table, up to the next empty line
    for line, live in _lines(body):
        rule = _UNDERLINE.fullmatch(line) if live and paragraph else None
        hashes = _HASHES.match(line) if live else None
        if rule:
            yield " ".join(part.strip() for part in paragraph), 1 if rule[1][0] == "=" else 2
            paragraph = []
            continue
        contained = live and bool(line.strip()) and not hashes and (contained or bool(_CONTAINER.match(line)))
        loose = live and line.strip() and not (hashes or contained)
        if loose and (paragraph or not _INDENTED.match(line)):
            paragraph.append(line)
            continue
        yield from ((part, 0) for part in paragraph)
        paragraph = []
        yield (_without_closing(line[hashes.end() :]), len(hashes[1])) if hashes else (line, 0)
    yield from ((part, 0) for part in paragraph)


def _lines(body: str) -> Iterator[tuple[str, bool]]:
    """Yield every line, and whether it is live: outside fenced code and HTML comments."""
    fence, comment = "", False
    for line in body.split("\n"):
        mark = None if comment else _FENCE.match(line)
        if fence:
            yield line, False
            if mark is not None and mark[1].startswith(fence) and not mark[2].strip():
                fence = ""
        elif mark is not None and not (mark[1][0] == "`" and "`" in mark[2]):
            fence = mark[1]
            yield line, False
        else:
            starts = comment or line.lstrip().startswith("<!--")
            comment = starts and "-->" not in line
            yield line, not starts


def _without_closing(heading: str) -> str:
    """Return an ATX heading's text without the hashes that may close it."""
    text = heading.strip()
    bare = text.rstrip("#")
    return bare.rstrip() if not bare or bare[-1] in " \t" else text


def _words(heading: str) -> str:
    """Return a heading as plain words on one line."""
    plain = _LINK.sub(r"\1", heading).replace("`", "").replace("*", "").replace(SEPARATOR, " › ")
    return " ".join(plain.split())[:MAX_HEADING]
