"""Turning a diagnosis into a hypothesis. Pure."""

from collections.abc import Iterable
from datetime import datetime

from domain.evidence import Evidence
from domain.findings import Hypothesis
from specialists.awslambda.symptoms import Diagnosis
from specialists.contract import Case


def claim(
    case: Case,
    stated: Diagnosis,
    summary: str,
    *,
    strong: Iterable[Evidence] = (),
    weak: Iterable[Evidence] = (),
    against: Iterable[Evidence] = (),
    resource: str | None = None,
    since: datetime | None = None,
    defers_to: Iterable[str] = (),
) -> Hypothesis:
    """Name the stated cause with what states it, and with more evidence beside it."""
    proof = stated.proof
    more = [e for e in strong if e not in proof]
    rest = [e for e in (*stated.weak, *weak) if e not in proof and e not in more and e not in stated.strong]
    return case.hypothesis(
        stated.cause,
        summary,
        proof=proof,
        strong=dict.fromkeys((*stated.strong, *more)),
        weak=dict.fromkeys(rest),
        against=against,
        resource=resource,
        since=since or stated.since,
        defers_to=defers_to,
    )


def weakened(stated: Diagnosis) -> Diagnosis:
    """Return the diagnosis without proof: its text fits, and a sharper cause explains it."""
    return Diagnosis(stated.cause, stated.symptoms, (), (), (*stated.proof, *stated.strong, *stated.weak))
