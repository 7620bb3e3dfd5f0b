"""How alike two investigations are: by their resources, their services, their error lines, and the time between them.

It runs before any cause is known, so the cause is no part of it.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from domain.arn import ARN
from domain.evidence import Evidence
from domain.graph import ServiceGraph
from domain.trace import TraceCall, TraceSegment
from specialists.kit.services import SERVING

VARIABLE = "<*>"
MAX_TEXT = 300
MAX_TEMPLATES = 20
MAX_SERVICES = 50

RESOURCES, TEMPLATES, SERVICES = 0.45, 0.35, 0.20
"""What each part weighs; a part that neither side has is left out, and the others weigh more."""

HALF_LIFE_DAYS = 30.0
"""After so many days an investigation counts half: systems change."""

WORD = re.compile(r"[\w.+/-]+")


class Traits(NamedTuple):
    """What an investigation is compared by."""

    resources: frozenset[str]
    services: frozenset[str]
    templates: frozenset[str]


def likeness(one: Traits, other: Traits, days: float) -> float:
    """Return 0 to 1: the weighted mean of what the two share (Jaccard, part by part), halved every thirty days."""
    parts = (
        (RESOURCES, one.resources, other.resources),
        (TEMPLATES, one.templates, other.templates),
        (SERVICES, one.services, other.services),
    )
    known = [(weight, len(a & b) / len(a | b)) for weight, a, b in parts if a or b]
    if not known:
        return 0.0
    shared = sum(weight * share for weight, share in known) / sum(weight for weight, _ in known)
    return float(round(shared * 0.5 ** (max(0.0, days) / HALF_LIFE_DAYS), 3))


def services_of(graph: ServiceGraph) -> tuple[str, ...]:
    """Return the names of the graph's services, which they have in every account and Region."""
    return tuple(sorted({node.title for node in graph.nodes if node.type in SERVING}))[:MAX_SERVICES]


def templates_of(evidence: Iterable[Evidence]) -> tuple[str, ...]:
    """Return the trace's errors as templates: "ValidationException: Item <*> is too large"."""
    errors = (e for item in evidence if isinstance(item, TraceCall | TraceSegment) for e in item.errors)
    found = {f"{error.code or error.type}: {template(error.message)}" for error in errors}
    return tuple(sorted(found))[:MAX_TEMPLATES]


def template(text: str) -> str:
    """Return a message's first line with its variable parts as `<*>`: ARNs, words with two digits or more, digits."""
    line = text[:MAX_TEXT].split("\n", 1)[0]
    without_arns = ARN.sub(VARIABLE, line)
    without_ids = WORD.sub(lambda word: VARIABLE if _is_id(word[0]) else word[0], without_arns)
    return re.sub(r"\d", VARIABLE, without_ids).strip()


def _is_id(word: str) -> bool:
    return sum(character.isdigit() for character in word) > 1
