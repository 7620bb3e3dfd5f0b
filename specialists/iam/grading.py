"""How much the evidence of a refusal carries, and what was changed before it."""

from collections.abc import Iterable
from typing import TypedDict

from domain.evidence import Evidence
from specialists.contract import Case
from specialists.iam.diagnosis import WRITES, Diagnosis, Ground
from specialists.iam.evaluator import Outcome
from specialists.iam.words import changed, last_before
from specialists.kit.change import Change

LOSSES = ("DetachRolePolicy", "DeleteRolePolicy", "DeletePolicyVersion", *WRITES)
"""Operations that can take a permission away; writing a policy anew is one of them."""


class Graded(TypedDict):
    """The evidence of a diagnosis by what it carries."""

    proof: tuple[Evidence, ...]
    strong: tuple[Evidence, ...]
    weak: tuple[Evidence, ...]
    against: tuple[Evidence, ...]


def graded(diagnosis: Diagnosis, change: Change | None = None) -> Graded:
    """Grade the evidence: AWS's own words prove, and so does a refusal that the policies repeat."""
    told, read = diagnosis.refusal.evidence, diagnosis.read
    more: tuple[Evidence, ...] = (change,) if change else ()
    if diagnosis.ground is Ground.POLICIES:
        return Graded(proof=(*told, *read), strong=more, weak=(), against=())
    if diagnosis.ground is Ground.TEXT:
        agreeing = Outcome.EXPLICIT_DENY if diagnosis.explicit else Outcome.IMPLICIT_DENY
        supporting = read if diagnosis.deciding.outcome is agreeing else ()
        contrary = diagnosis.deciding.outcome is Outcome.ALLOWED and not diagnosis.regranted
        return Graded(proof=told, strong=(*supporting, *more), weak=(), against=read if contrary else ())
    if not _fits_others(diagnosis):
        return Graded(proof=(), strong=(*told, *more), weak=(), against=())
    return Graded(proof=(), strong=more, weak=told, against=())


def _fits_others(diagnosis: Diagnosis) -> bool:
    """Tell whether an unexplained refusal would fit a policy that was not read just as well."""
    conditional = diagnosis.ground is Ground.OPEN and diagnosis.standing is not None and diagnosis.standing.complete
    return conditional or diagnosis.refusal.terse or diagnosis.refusal.denial.crosses_accounts is True


def change_behind(case: Case, diagnosis: Diagnosis, names: Iterable[str] = LOSSES) -> Change | None:
    """Return the last change of the role before the refusal that can have caused it."""
    role_arn = diagnosis.standing.role_arn if diagnosis.standing else ""
    return last_before(changed(case.evidence, role_arn, names), diagnosis.refusal.first_at)
