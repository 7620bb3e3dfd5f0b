"""Characters that people cannot see, and lines that are too long to look through."""

import re

MAX_LINE = 16_384
"""Characters of a line that are kept; the rest of it is cut before any pattern is tried."""

CUT = " …[cut]"

_ESCAPE_SEQUENCES = re.compile(r"\x1b(?:\[[0-9;:?]{0,32}[ -/]{0,4}[@-~]|\][^\x07\x1b]{0,512}(?:\x07|\x1b\\)|[@-Z\\-_])")
_INVISIBLE = re.compile(
    "["
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # controls, but for tab and line feed
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # directions: text that reads otherwise than it is
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f"  # no width
    "\u200b-\u200d\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0"  # no width either
    "\ufe00-\ufe0f\U000e0100-\U000e01ef"  # variation selectors carry hidden bytes
    "\U000e0000-\U000e007f"  # tags: a hidden copy of ASCII
    "\ufff0-\uffff\ud800-\udfff"  # specials and lone surrogates
    "]+"
)
_LINE_ENDS = re.compile("\r\n?|[\u2028\u2029\u0085\x0b\x0c]")


def clean(text: str) -> str:
    """Return the text without controls, direction marks, zero-width, tag and other unseen characters.

    Tabs stay; every line end becomes a line feed; terminal colours go as whole sequences.
    """
    if "\x1b" in text:
        text = _ESCAPE_SEQUENCES.sub("", _INVISIBLE.sub(_of_sequences, text))
    return _INVISIBLE.sub("", _LINE_ENDS.sub("\n", text))


def _of_sequences(unseen: re.Match[str]) -> str:
    """Return what begins and ends escape sequences, and lines: any other unseen character would hide a sequence."""
    return "".join(character for character in unseen[0] if character in "\x07\x1b\x85")


def capped(text: str) -> str:
    """Return the text with every line of at most MAX_LINE characters, cut between words where possible."""
    if len(text) <= MAX_LINE:
        return text
    return "\n".join(line if len(line) <= MAX_LINE else _cut(line) for line in text.split("\n"))


def _cut(line: str) -> str:
    kept = line[: MAX_LINE - len(CUT)]
    space = max(kept.rfind(" ", -1024), kept.rfind("\t", -1024))
    return (kept[:space] if space > 0 else kept).rstrip() + CUT
