"""Finding the lines that match a question: BM25 over stems (Robertson and Zaragoza 2009), in plain Python."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from orchestrator.ask.record import Line

K1, B = 1.2, 0.75
"""How soon a repeated word counts no more, and how much long lines are held back: the usual values."""

LONGEST = 400
"""Words of a line that are read."""

WORD = re.compile(r"[a-z0-9]+")
ENDINGS = ("ations", "ation", "ings", "ing", "ions", "ion", "ies", "ed", "es", "s", "e", "y")
STOP = frozenset(
    WORD.findall(
        "a about after all also am an and any are as at be because been before but by can could did do does doing done"
        " else for from get got had has have he her here him his how i if in into is isn it its just let many may me"
        " might much must my no not now of off on one or other our out over please said same say she should show so"
        " some still such tell than that the their them then there these they thing this those to too us very was wasn"
        " we were what when where which who why will with would you your"
    )
)


def words_of(text: str) -> list[str]:
    """Return the words that mean something, lower case, in order."""
    return [word for word in WORD.findall(text.lower())[:LONGEST] if word not in STOP]


def stem(word: str) -> str:
    """Return what is left without an ending: "throttl" of "throttled"; at least three characters are left."""
    return next((word[: -len(end)] for end in ENDINGS if word.endswith(end) and len(word) - len(end) >= 3), word)


def stems(text: str) -> list[str]:
    """Return the stems of those words."""
    return [stem(word) for word in words_of(text)]


def found(wanted: Iterable[str], lines: Sequence[Line], *, most: int) -> list[Line]:
    """Return the lines that match the stems best, the best first, each text once; none that matches no stem."""
    words = [Counter(stems(f"{line.said.text} {line.also}")) for line in lines]
    usual = sum(map(Counter.total, words)) / max(1, len(words)) or 1.0
    asked = dict.fromkeys(wanted)
    rarity = {w: _rarity(sum(w in counted for counted in words), len(words)) for w in asked}
    scored = [
        (_score(counted, rarity, usual) * line.weight, -n)
        for n, (counted, line) in enumerate(zip(words, lines, strict=True))
    ]
    unique: dict[str, Line] = {}
    for score, n in sorted(scored, reverse=True):
        if score > 0:
            unique.setdefault(lines[-n].said.text, lines[-n])
    return list(unique.values())[:most]


def _rarity(holding: int, lines: int) -> float:
    return math.log(1 + (lines - holding + 0.5) / (holding + 0.5))


def _score(counted: Counter[str], rarity: dict[str, float], usual: float) -> float:
    short = K1 * (1 - B + B * counted.total() / usual)
    return sum(weight * counted[w] * (K1 + 1) / (counted[w] + short) for w, weight in rarity.items() if counted[w])
