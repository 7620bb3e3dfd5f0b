"""What to ask the documents: names and codes that single this investigation out, and words of what went wrong."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from domain.alarm import AlarmTransition
from domain.awserrors import NOT_CODES
from domain.evidence import EvidenceBundle
from domain.graph import ServiceGraph
from domain.redaction import clean, redact
from domain.resource import ResourceType
from domain.trace import TraceCall, TracedError, TraceSegment

MAX_NAMES = 24
MAX_WORDS = 40
MAX_TEXT = 2_000
MAX_QUESTION = 900
EXCERPT = 600

WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{2,40}[A-Za-z0-9]")
ID = re.compile(r"(?:.*\d){4}|[0-9a-f-]{12,}")
FENCE = re.compile(r"^ {0,3}(?:`{3,}|~{3,}).*\n?", re.MULTILINE)
HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
UNNAMED = frozenset({ResourceType.SERVICE, ResourceType.AWS_SERVICE, ResourceType.OTHER})
"""Types whose names are kinds of things, which any document may write out."""

MIN_NAME, MAX_NAME = 4, 120


class Question(NamedTuple):
    """What to look for: `codes` and `resources` tell that a section is about this, `words` order what is found."""

    codes: tuple[str, ...]
    resources: tuple[str, ...]
    words: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The question for a search by meaning."""
        return " ".join(self.words)[:MAX_QUESTION]


def question(seen: EvidenceBundle, graph: ServiceGraph) -> Question:
    """Ask about the failures of a trace, the alarm, and the resources on the way."""
    traced: tuple[TraceCall | TraceSegment, ...] = (*seen.of(TraceCall), *seen.of(TraceSegment))
    errors = [error for item in traced if item.failed for error in item.errors]
    alarms = seen.of(AlarmTransition)
    nodes = (name for node in graph.nodes if node.type not in UNNAMED for name in (node.title, node.name))
    codes = _distinct(code for error in errors if (code := _code(error)))
    resources = _distinct((*(alarm.name for alarm in alarms), *nodes))
    texts = (*_texts(errors), *(f"{alarm.metric} {alarm.reason}" for alarm in alarms))
    words = (*codes, *(HUMP.sub(" ", code) for code in codes), *resources, *_words(texts))
    return Question(codes, resources, tuple(dict.fromkeys(words))[:MAX_WORDS])


def _code(error: TracedError) -> str | None:
    """Return what an error is called, unless it is called what any error may be."""
    name = error.code or error.type.rpartition(".")[2]
    return None if name in NOT_CODES else name


def _texts(errors: Iterable[TracedError]) -> list[str]:
    return list(dict.fromkeys(error.message for error in errors if error.message))


def _words(texts: Iterable[str]) -> Iterator[str]:
    """Yield the words of error messages; ids and numbers tell nothing to a document."""
    text = redact(clean(" ".join(texts)[:MAX_TEXT]))
    return (word for word in WORD.findall(text) if not ID.fullmatch(word))


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    """Return each name that is long enough to tell something once, safe to be asked for and shown."""
    safe = (redact(clean(name)).strip()[:MAX_NAME] for name in names)
    return tuple(dict.fromkeys(name for name in safe if len(name) >= MIN_NAME))[:MAX_NAMES]


def named_in(text: str, names: Iterable[str]) -> tuple[str, ...]:
    """Return the names that the text writes out as whole words, whatever their case."""
    lowered = text.lower()
    return tuple(name for name in names if _stands_in(name.lower(), lowered))


def _stands_in(name: str, text: str) -> bool:
    at = text.find(name)
    while at >= 0:
        before, after = text[at - 1 : at], text[at + len(name) : at + len(name) + 1]
        if not (before.isalnum() or before in {"-", "_"} or after.isalnum() or after in {"-", "_"}):
            return True
        at = text.find(name, at + 1)
    return False


def excerpt(text: str, words: Iterable[str], limit: int = EXCERPT) -> str:
    """Return the part of a section that has most of the words, from the start of a line on."""
    text = FENCE.sub("", text).strip()
    if len(text) <= limit:
        return text
    lowered = text.lower()
    wanted = [word.lower() for word in words]
    starts = [0, *(found.end() for found in re.finditer(r"\n+", text) if len(text) - found.end() > limit // 3)]
    best = max(starts, key=lambda at: (sum(word in lowered[at : at + limit - 2] for word in wanted), -at))
    piece = text[best : best + limit - 2].rstrip()
    return f"{'…' if best else ''}{piece}{'…' if best + len(piece) < len(text) else ''}"
