"""Agreement: whose findings lead to the root cause, and who stands by another. Causes are compared, never numbers."""

from collections.abc import Iterable, Mapping

from domain.findings import Hypothesis
from domain.report import Agreement

DISSENT = 0.90
"""What is left of the verdict's confidence for each specialist that stands by another cause."""

MOST_DISSENT = 0.70
"""What is left of it at the least: however many others, the evidence for it is what it is."""


def opinions(hypotheses: Iterable[Hypothesis]) -> dict[str, frozenset[str]]:
    """Return what each specialist names, as cause@resource."""
    named: dict[str, set[str]] = {}
    for hypothesis in hypotheses:
        named.setdefault(hypothesis.specialist, set()).add(f"{hypothesis.cause}@{hypothesis.resource}")
    return {who: frozenset(keys) for who, keys in named.items()}


def agreement(
    root: str | None, leads_to: Mapping[str, str], standing: frozenset[str], named: Mapping[str, frozenset[str]]
) -> Agreement | None:
    """Compare what the specialists name with the root cause.

    `leads_to` gives the cause@resource that explains a symptom, or that a change set off; `standing` are those that
    nothing explains and that are likely enough to be a verdict. Without a root cause, or where nobody names anything,
    there is no agreement and no dissent.
    """
    if root is None or not named:
        return None
    agreeing = {who for who, keys in named.items() if any(k == root or leads_to.get(k) == root for k in keys)}
    dissenting = {who for who, keys in named.items() if who not in agreeing and keys & (standing - {root})}
    return Agreement(agreeing=tuple(sorted(agreeing)), dissenting=tuple(sorted(dissenting)))


def share_left(found: Agreement | None) -> float:
    """Return the share of the confidence that dissent leaves."""
    return 1.0 if found is None else max(MOST_DISSENT, DISSENT ** len(found.dissenting))
