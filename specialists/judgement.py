"""What a model answers about one specialist's evidence, and what of it counts: only what cites evidence that exists.

A model may state what it reads, name a cause of the catalogue, and doubt a rule's hypothesis. It removes nothing, and
what it writes is words: no link, mention or markup in it gets through.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict

from domain.causes import CAUSES
from domain.findings import Fact, Hypothesis, Origin, Strength, Support
from domain.redaction import clean, redact
from specialists.contract import Specialist

HOW = (
    "Judge from the lines alone and cite their labels (E1). claims: at most 3 plain sentences under 20 words that add "
    "to the hypotheses. causes: at most 2, from the list, only where evidence points to one that no hypothesis names. "
    "doubts: hypotheses that evidence contradicts. Empty lists are a good answer."
)
"""What every specialist's model is told, after the specialist's own instructions."""

CLAIMS, NAMED, DOUBTS = 3, 2, 2
"""How many statements of each kind count."""

SAY = 160
"""Characters of one statement."""

CLAIMED = "A model reads: "
SUGGESTED = "A model suggests: "

_AROUND = " []().,;"
_LINK = re.compile(r"\S*://\S*|\b(?:www\.|mailto:)\S+|\b[\w-]+(?:\.[\w-]+)+/\S*", re.IGNORECASE)
_LOUD = re.compile(r"@+(?=\w)")
_MARKS = str.maketrans({"<": "(", ">": ")", "[": "(", "]": ")", "`": "'", "*": None, "~": None})


def _undescribed(schema: dict[str, Any]) -> None:
    """Leave the docstring out of the schema: every question would pay for it, and the field names say it."""
    schema.pop("description", None)


class _Part(BaseModel):
    model_config = ConfigDict(json_schema_extra=_undescribed)


class Claim(_Part):
    """A statement, with the labels of the evidence that shows it."""

    say: str
    evidence: list[str]


class NamedCause(_Part):
    """A possible cause, by its code, at a resource's label."""

    cause: str
    resource: str
    evidence: list[str]
    say: str


class Doubt(_Part):
    """A hypothesis's label, with evidence that contradicts it."""

    hypothesis: str
    evidence: list[str]


class Judgement(BaseModel):
    """Your judgement."""

    claims: list[Claim] = []
    causes: list[NamedCause] = []
    doubts: list[Doubt] = []


@dataclass(frozen=True)
class Shown:
    """What the labels stand for that a model was shown.

    `evidence` and `resources` are ids by label, `hypotheses` the rules' own; `causes` are the codes it may name.
    """

    evidence: Mapping[str, str]
    resources: Mapping[str, str]
    hypotheses: Mapping[str, Hypothesis]
    causes: Collection[str]


@dataclass(frozen=True)
class Checked:
    """What is left of a judgement; `doubts` go by the label of the hypothesis, `dropped` counts what failed."""

    facts: tuple[Fact, ...] = ()
    hypotheses: tuple[Hypothesis, ...] = ()
    doubts: Mapping[str, tuple[Support, ...]] = field(default_factory=dict)
    dropped: int = 0


def nameable(specialist: Specialist) -> tuple[str, ...]:
    """Return the causes that a specialist's model may name: those of its rules and those of its service."""
    own = {code for rule in specialist.rules for code in rule.causes}
    return tuple(code for code, cause in CAUSES.items() if code in own or cause.service == specialist.name)


def checked(judgement: Judgement, shown: Shown, specialist: str) -> Checked:
    """Return what of a judgement counts; a statement with any citation that does not exist is dropped and counted."""
    facts = [fact for claim in judgement.claims[:CLAIMS] if (fact := _fact(claim, shown))]
    named = [h for cause in judgement.causes[:NAMED] if (h := _hypothesis(cause, shown, specialist))]
    doubts = [pair for doubt in judgement.doubts[:DOUBTS] if (pair := _doubt(doubt, shown))]
    said = len(judgement.claims) + len(judgement.causes) + len(judgement.doubts)
    return Checked(
        facts=tuple(dict.fromkeys(facts)),
        hypotheses=tuple({(h.cause, h.resource): h for h in named}.values()),
        doubts={key: tuple(s for k, supports in doubts if k == key for s in supports) for key, _ in doubts},
        dropped=said - len(facts) - len(named) - len(doubts),
    )


def plain(text: str) -> str:
    """Return a model's words as one bounded line in which nothing links, mentions or formats."""
    line = " ".join(redact(clean(text[: 4 * SAY])).split())
    line = _LINK.sub("(link)", _LOUD.sub("", line.translate(_MARKS)))  # what is left out first joins what it parted
    return line if len(line) <= SAY else line[: SAY - 1].rstrip() + "…"


def _fact(claim: Claim, shown: Shown) -> Fact | None:
    cited, said = _cited(claim.evidence, shown.evidence), plain(claim.say)
    return Fact(statement=f"{CLAIMED}{said}", evidence=cited, origin=Origin.MODEL) if cited and said else None


def _hypothesis(named: NamedCause, shown: Shown, specialist: str) -> Hypothesis | None:
    cited, place = _cited(named.evidence, shown.evidence), _cited([named.resource], shown.resources)
    if not cited or len(place) != 1 or named.cause not in shown.causes:
        return None
    return Hypothesis(
        cause=named.cause,
        resource=place[0],
        summary=f"{SUGGESTED}{plain(named.say) or CAUSES[named.cause].title}",
        supports=tuple(Support(evidence=e, strength=Strength.WEAK) for e in cited),
        specialist=specialist,
        origin=Origin.MODEL,
    )


def _doubt(doubt: Doubt, shown: Shown) -> tuple[str, tuple[Support, ...]] | None:
    """Return the doubted hypothesis with what speaks against it; its own evidence does not."""
    label = doubt.hypothesis.strip(_AROUND)
    hypothesis = shown.hypotheses.get(label)
    cited = _cited(doubt.evidence, shown.evidence)
    if hypothesis is None or not cited or set(cited) & set(hypothesis.evidence):
        return None
    return label, tuple(Support(evidence=e, strength=Strength.WEAK) for e in cited)


def _cited(labels: Iterable[str], meaning: Mapping[str, str]) -> tuple[str, ...]:
    """Return what the labels stand for, each once; nothing at all when one of them stands for nothing."""
    names = [name for label in labels for name in re.split(r"[\s,;]+", label.strip(_AROUND)) if name]
    if not all(name in meaning for name in names):
        return ()
    return tuple(dict.fromkeys(meaning[name] for name in names))
