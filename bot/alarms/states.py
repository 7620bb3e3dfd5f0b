"""How posts tell an alarm's state: AWS's words, transitions, the marks that stand for them, a relay's own words.

Wherever one text tells two states, ALARM is the one that is not believed: a wrong start costs more than a missed one.
"""

import re
import unicodedata
from collections.abc import Iterable

from bot.alarms.markup import SHORTCODE
from domain.alarm import AlarmState

WORD = r"(?:ALARM|OK|INSUFFICIENT[_ ]DATA)"
STATE = re.compile(rf"(?<![\w/.#$-])({WORD})(?![\w/-]|\.\w)")
VALUE = re.compile(rf"(?:(?:is|in|now|state|the)\W{{1,3}}){{0,3}}({WORD})(?:\W{{1,3}}state)?", re.IGNORECASE)
ARROW = re.compile(
    rf"({WORD})[\W_]{{0,12}}(?:->|→|=>|⇒|⟶|➡|➜|>|\b(?i:to)\b|:(?i:arrow_right|arrow_forward):)(?![\w>])"
    rf"[\W_]{{0,24}}({WORD})(?!\w)"
)
"""A transition: the state before and the one after."""

FORMERLY = re.compile(r"\((?:was|from|previously|before|old)\b[^()]{0,60}\)", re.IGNORECASE)
ENDED = re.compile(
    r"\b(?:resolved|recovered|cleared|closed|ended|(?:back|returned|returns) to (?:ok|normal)|no longer)\b",
    re.IGNORECASE,
)
HANDLED = re.compile(
    r"\b(?:ack|acked|acknowledged?|acknowledges|acknowledgement|snoozed?|muted?|silenced|suppressed|reassigned|escalated|"
    r"delegated|added (?:a )?note|noted|commented|comment|merged|annotated)\b",
    re.IGNORECASE,
)
OPENED = re.compile(
    r"\b(?:triggered|re-?triggered|triggers|re-?opened|opened|created|firing|new[\s+]{1,2}(?:alert|incident))\b|\bopen$",
    re.IGNORECASE,
)
"""A relay's own words: PagerDuty's triggered, acknowledged, resolved; Opsgenie's new or created, acked, closed."""

MARKS: dict[str, AlarmState] = {
    **dict.fromkeys(
        ("rotating_light", "🚨", "x", "❌", "red_circle", "🔴", "large_red_square", "🟥", "fire", "🔥", "bangbang", "‼",
         "exclamation", "heavy_exclamation_mark", "❗", "sos", "🆘", "no_entry", "⛔", "octagonal_sign", "stop_sign",
         "🛑"),
        AlarmState.ALARM,
    ),
    **dict.fromkeys(
        ("white_check_mark", "✅", "heavy_check_mark", "✔", "ballot_box_with_check", "☑", "large_green_circle",
         "green_circle", "🟢", "large_green_square", "🟩", "green_heart", "💚", "ok", "🆗"),
        AlarmState.OK,
    ),
}  # fmt: skip
"""Emoji by shortcode or character. U+FE0F after a character says nothing."""

UNCERTAIN = frozenset({"warning", "⚠", "grey_question", "❔", "question", "❓"})
"""Amazon Q's marks for INSUFFICIENT_DATA; elsewhere they mean anything."""


def state_of(text: str) -> AlarmState | None:
    """Return the state that a value is: "ALARM", "In alarm", "OK -> ALARM", ":red_circle:"; None for others."""
    bare = FORMERLY.sub("", _bare(text[:200])).upper()
    found = VALUE.fullmatch(re.sub(r"^[\W_]+|[\W_]+$", "", bare))
    if found:
        return _named(found[1])
    arrows = ARROW.findall(bare)
    if len(arrows) == 1 and len(re.findall(WORD, bare)) == 2:
        return _named(arrows[0][1])
    return None if re.search(r"\w", bare) else marked(text)


def told_in(line: str) -> AlarmState | None:
    """Return the state that a line of any wording tells in AWS's capital letters; the end of one is OK."""
    line = _bare(line)
    if handled(line):
        return None
    arrow = ARROW.search(line)
    found = [_named(arrow[2])] if arrow else [_named(word) for word in STATE.findall(line)]
    return settled([*found, *([AlarmState.OK] if found and ENDED.search(line) else [])])


def settled(states: Iterable[AlarmState]) -> AlarmState | None:
    """Return the first state told, but another one than ALARM if any was told; None where none was."""
    told = list(states)
    return next((state for state in told if state is not AlarmState.ALARM), told[0] if told else None)


def marked(line: str, *, uncertain: bool = False) -> AlarmState | None:
    """Return the state that the emoji at a line's beginning stands for; `uncertain` marks are Amazon Q's alone."""
    lead = line.lstrip(" *_~>\ufe0f")
    code = SHORTCODE.match(lead)
    mark = code[1] if code else lead[:1]
    if uncertain and mark in UNCERTAIN:
        return AlarmState.INSUFFICIENT_DATA
    return MARKS.get(mark)


def handled(line: str) -> bool:
    """Whether a line says that somebody does something about an alert: that changes no alarm."""
    return bool(HANDLED.search(line))


def relayed(line: str) -> AlarmState | None:
    """Return what a relay's line says became of the alert: opened is ALARM, ended is OK, anything else is nothing."""
    if handled(line):
        return None
    if ENDED.search(line):
        return AlarmState.OK
    return AlarmState.ALARM if OPENED.search(line) else None


def unmarked(line: str) -> str:
    """Take the emoji and the marks of bold from a line's beginning."""
    text = line.strip()
    while True:
        lead = text.lstrip(" *_~>•|-–\ufe0f\u200d")
        code = SHORTCODE.match(lead)
        rest = lead[code.end() :] if code else lead[1:] if lead and unicodedata.category(lead[0]) == "So" else lead
        if rest == text:
            return text
        text = rest


def _bare(text: str) -> str:
    """Leave out what is no word: emoji, but for the arrow of a transition, and the marks of italics."""
    kept = SHORTCODE.sub(lambda match: match[0] if match[1].startswith("arrow_") else " ", text)
    return re.sub(r"(?<!\w)_|_(?!\w)", " ", kept)


def _named(word: str) -> AlarmState:
    return AlarmState(word.upper().replace(" ", "_"))
