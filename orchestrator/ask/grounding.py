"""Whether a model's sentences say only what they were given: no name, number, cause or step of their own. Pure.

The check errs towards refusing: what is refused is replaced by what the rules say, which is never wrong for it.
"""

import re
from collections.abc import Iterator

from orchestrator.ask.blame import THINGS
from orchestrator.ask.retrieve import WORD, stem, stems
from orchestrator.ask.subject import TOPICS

LINKS = re.compile(r"://|www\.|[<>\[\]{}|]|```|@(?:here|channel|everyone)\b|\bmailto:", re.IGNORECASE)
COMMAND = re.compile(
    r"\b(?:aws|kubectl|terraform|cdk|sam|sudo|curl|git|docker|rm)\s+[a-z-]{2,}[^.;,]{0,80}", re.IGNORECASE
)
DISGUISED = re.compile(r"\w*(?:[A-Za-z][\u0400-\u052f]|[\u0400-\u052f][A-Za-z])\w*")
"""A word of two alphabets, which people read as one of theirs."""

NUMBER = re.compile(r"(?<![\w.])\d[\d.,:]*\d|(?<![\w.])\d")
QUOTED = re.compile(r"`([^`]{1,200})`|[“\"]([^”\"]{1,200})[”\"]")
NAME = re.compile(
    r"[A-Za-z0-9$](?:[\w$]*[-_./:@#])+[\w$]+|\b[a-z]*[A-Z]?[a-z0-9]+[A-Z]\w*|\b[A-Z][A-Z0-9]+\w*|\b[a-z]+\d\w*"
)
PROPER = re.compile(r"(?<=[a-z0-9,;:)%`'’] )[A-Z][a-z]+\b")
ORDINARY = frozenset(
    {"aws", "amazon", "utc", "e.g", "i.e", "and/or", "on-call", "on-demand", "up-to-date", "so-called"}
)
PREFIXES = frozenset(
    {"under", "over", "re", "non", "pre", "post", "read", "write", "long", "short", "high", "low", "well"}
)
"""What an ordinary word with a hyphen has in it."""

NUMBER_WORDS = {
    word: str(number)
    for number, word in enumerate("two three four five six seven eight nine ten eleven twelve".split(), start=2)  # noqa: SIM905 - reads as it counts
}
AMOUNTS = "half twice thrice double doubled triple tripled dozen dozens hundred hundreds thousand thousands million"
STEPS = (
    "delete remove drop purge disable stop terminate restart reboot rollback revert redeploy detach kill truncate reset"
    " reimage recreate scale grant revoke approve ignore mute whitelist disconnect failover"
)
STEP_STEMS = frozenset(stem(word) for word in STEPS.split())
ORDER = re.compile(
    r"(?:^|[.!?:;,–—]|\s-\s|\b(?:to|then|and|or|please|must|should|first|now|just)\b)[\s\"'“‘(`*]{0,4}"
    rf"({'|'.join(STEPS.split())})\b",
    re.IGNORECASE,
)
"""A step that is told to be taken, wherever in a sentence; "was deleted" and "a reset" tell of one."""

TURN = re.compile(r"\b(?:system|assistant|human|developer)\s*:|\binstructions\b", re.IGNORECASE)
"""Words of the talk between people and models: what is wrong with a system has none of them."""

GUARDED = STEP_STEMS | {stem(w) for w in f"{AMOUNTS} {THINGS}".split()} | {w for t in TOPICS for w in t.words}
"""Stems that name a cause, a thing, an amount or a step: a text may have those of its material and no others."""


def unfounded(text: str, material: str, steps: str) -> str:
    """Return what the text says that its material does not, in a few words for people; empty when there is nothing.

    `steps` are the proposed ones, in code's words: what is to be done may come from nowhere else, because much of the
    material is the system's own words.
    """
    given = _called(set(stems(material)))
    findings = (*_forbidden(text, steps), *_names(text, material, given), *_numbers(text, material))
    words = (f"it tells of {word}" for word in WORD.findall(text.casefold()) if stem(word) in GUARDED - given)
    return next(iter((*findings, *words)), "")


def _forbidden(text: str, steps: str) -> Iterator[str]:
    """Yield links, markup and turns of a talk, and commands and steps that nobody proposed."""
    yield from (f"it has {found[0]!r}" for pattern in (LINKS, TURN, DISGUISED) for found in pattern.finditer(text))
    commands = (found[0].strip() for found in COMMAND.finditer(text))
    yield from (f"it gives a command, {c[:60]!r}" for c in commands if c.casefold() not in steps.casefold())
    proposed = set(stems(steps))
    told = (found[1].casefold() for found in ORDER.finditer(text))
    yield from (f"it tells to {word}" for word in told if stem(word) not in proposed)


def _names(text: str, material: str, given: set[str]) -> Iterator[str]:
    """Yield names that the material has not, as a whole."""
    known = material.casefold()
    quoted = (q[1] or q[2] for q in QUOTED.finditer(text))
    for name in (*quoted, *(found[0] for pattern in (NAME, PROPER) for found in pattern.finditer(text))):
        whole = re.search(rf"(?<![\w-]){re.escape(name.casefold())}(?![\w-])", known)
        if not (whole or NUMBER.fullmatch(name) or _ordinary(name.casefold(), given)):
            yield f"it names {name[:60]}"


def _ordinary(name: str, given: set[str]) -> bool:
    """Whether it is no name but a word: of what the material tells of, or made of such words with a prefix."""
    parts = name.split("-")
    prefixed = len(parts) > 1 and any(part in PREFIXES for part in parts)
    words = all(part in PREFIXES or (part.isalpha() and stem(part) in given) for part in parts)
    return name in ORDINARY or (words and (prefixed or len(parts) == 1))


def _numbers(text: str, material: str) -> Iterator[str]:
    """Yield numbers that the material has not, in figures or in words."""
    numbers = {_plain(found[0]) for found in NUMBER.finditer(material)}
    yield from (f"it says {found[0]}" for found in NUMBER.finditer(text) if _plain(found[0]) not in numbers)
    told = set(WORD.findall(material.casefold()))
    counted = (w for w in WORD.findall(text.casefold()) if w in NUMBER_WORDS and w not in told)
    yield from (f"it says {word}" for word in counted if NUMBER_WORDS[word] not in numbers)


def _called(given: set[str]) -> set[str]:
    """Return the stems with what else such things are called: who reads of a table may speak of the database."""
    kinds = (topic.words for topic in TOPICS if topic.types and topic.words & given)
    return given.union(*kinds)


def _plain(number: str) -> str:
    """Return a number without its thousands' separators and empty decimals: "1,200.0" and "1200" are one."""
    bare = number.strip(".,:").replace(",", "")
    return re.sub(r"(?<=\d)\.0+$", "", bare)
