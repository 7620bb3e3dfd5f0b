"""Rules about refused calls: which policy refused, whose it is, and the smallest change that would allow it."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TypedDict

from domain.evidence import Evidence
from domain.findings import Finding
from domain.trace import TraceCall, TraceSegment
from specialists.contract import Case, rule
from specialists.iam.denials import PolicyType
from specialists.iam.diagnosis import (
    LOSSES,
    Diagnosis,
    Ground,
    assumption,
    diagnoses,
    of_cause,
    principal_at_fault,
    resource_at_fault,
)
from specialists.iam.evaluator import Outcome, Policy, Request, decide
from specialists.iam.evidence import EndpointPolicy, PolicyList, RolePolicy, RoleState, RunsAs
from specialists.iam.words import after, changed, grant, last_before, short, times, what
from specialists.kit.change import Change
from specialists.kit.loglines import LogLines

SEEN = (TraceCall, TraceSegment, LogLines, RunsAs, RoleState, PolicyList, RolePolicy, Change)


class Graded(TypedDict):
    """The evidence of a diagnosis by what it carries."""

    proof: tuple[Evidence, ...]
    strong: tuple[Evidence, ...]
    weak: tuple[Evidence, ...]
    against: tuple[Evidence, ...]


def graded(diagnosis: Diagnosis, change: Change | None = None, *, regranted: bool = False) -> Graded:
    """Grade the evidence: AWS's own words prove, and so does a refusal that the policies repeat."""
    told, read = diagnosis.refusal.evidence, diagnosis.read
    more: tuple[Evidence, ...] = (change,) if change else ()
    agrees = diagnosis.deciding.outcome in {Outcome.IMPLICIT_DENY, Outcome.EXPLICIT_DENY}
    if diagnosis.ground is Ground.POLICIES:
        return Graded(proof=(*told, *read), strong=more, weak=(), against=())
    if diagnosis.ground is Ground.TEXT:
        contradicting = () if agrees or regranted else read
        return Graded(proof=told, strong=(*(read if agrees else ()), *more), weak=(), against=contradicting)
    if diagnosis.ground is Ground.OPEN and not fits_others(diagnosis):
        return Graded(proof=(), strong=(*told, *more), weak=(), against=())
    return Graded(proof=(), strong=more, weak=told, against=())


def fits_others(diagnosis: Diagnosis) -> bool:
    """Tell whether an unexplained refusal would fit a policy that was not read just as well."""
    conditional = diagnosis.standing is not None and diagnosis.standing.complete
    return conditional or diagnosis.refusal.terse or diagnosis.refusal.denial.crosses_accounts is True


def losses(case: Case, diagnosis: Diagnosis, names: Iterable[str] = LOSSES) -> Change | None:
    """Return the last change before the refusal that can have caused it."""
    role_arn = diagnosis.standing.role_arn if diagnosis.standing else ""
    return last_before(changed(case.evidence, role_arn, names), diagnosis.refusal.first_at)


def given_back(case: Case, diagnosis: Diagnosis) -> bool:
    """Tell whether the role's policies allow it now because somebody changed them after the refusal."""
    if diagnosis.standing is None or diagnosis.verdict.outcome is not Outcome.ALLOWED:
        return False
    return any(at > diagnosis.refusal.first_at for at, _ in changed(case.evidence, diagnosis.standing.role_arn, LOSSES))


def onset(diagnosis: Diagnosis) -> datetime:
    """Return when the refusal was first seen."""
    return diagnosis.refusal.first_at


@rule("lambda-role-missing-permission", "lambda-invoke-permission-denied", "sfn-role-denied", sees=SEEN)
def permission_missing(case: Case) -> Iterator[Finding]:
    """A call was refused because no policy of the caller's role allows it."""
    codes = ("lambda-role-missing-permission", "lambda-invoke-permission-denied", "sfn-role-denied")
    for found in of_cause(case, *codes):
        change = losses(case, found)
        regranted = given_back(case, found)
        yield case.hypothesis(
            found.cause,
            f"{upper(found.principal)} may not {what(found.refusal)}: {reason(found, regranted)} "
            f"{times(found.refusal)}{after(change)}",
            **graded(found, change, regranted=regranted),
            resource=principal_at_fault(case, found),
            since=onset(found),
        )
        if not regranted:
            denial = found.refusal.denial
            yield case.advice(
                f"Smallest grant for {found.principal}: {grant(denial.action, denial.resource)}",
                *found.refusal.evidence[:1],
            )


def reason(found: Diagnosis, regranted: bool) -> str:
    """Say why the call is refused, as far as it is known."""
    if regranted:
        return "its policies allow it now, but were changed after the refusal"
    if found.standing and found.verdict.outcome is Outcome.IMPLICIT_DENY:
        count = len(found.standing.identity)
        some = f"none of its {count} policies allows it" if count > 1 else "its only policy does not allow it"
        return some if count else "it has no policy at all"
    if found.standing and found.standing.complete and found.verdict.policy:
        return f"the condition of {found.verdict.by} decides"
    if found.ground is Ground.TEXT:
        return "no identity-based policy allows it"
    return "AWS refused it without naming a policy"


@rule("iam-explicit-deny-identity", sees=SEEN)
def denied_by_own_policy(case: Case) -> Iterator[Finding]:
    """A Deny statement in one of the role's own policies matches the refused call."""
    for found in of_cause(case, "iam-explicit-deny-identity"):
        change = losses(
            case, found, ("PutRolePolicy", "AttachRolePolicy", "CreatePolicyVersion", "SetDefaultPolicyVersion")
        )
        named = found.refusal.denial.policy_arn.rsplit("/", 1)[-1]
        by = found.verdict.by if found.verdict.outcome is Outcome.EXPLICIT_DENY else f"`{named}`" if named else ""
        yield case.hypothesis(
            found.cause,
            f"{upper(found.principal)} is explicitly denied {what(found.refusal)} by "
            f"{by or 'an identity-based policy'} {times(found.refusal)}{after(change)}",
            **graded(found, change, regranted=given_back(case, found)),
            resource=principal_at_fault(case, found),
            since=onset(found),
        )
        yield case.advice(
            f"Remove or narrow the Deny in {by or 'the identity-based policies'} so that it does not cover "
            f"{what(found.refusal)}; an Allow elsewhere cannot override it",
            *found.refusal.evidence[:1],
        )


@rule("iam-permission-boundary", sees=SEEN)
def outside_the_boundary(case: Case) -> Iterator[Finding]:
    """The role's permissions boundary does not let the refused call through."""
    for found in of_cause(case, "iam-permission-boundary"):
        change = losses(case, found, ("PutRolePermissionsBoundary", "CreatePolicyVersion", "SetDefaultPolicyVersion"))
        state = found.standing.state if found.standing else None
        arn = found.refusal.denial.policy_arn or (state.boundary_arn if state else "")
        named = f" `{arn.rsplit('/', 1)[-1]}`" if arn else ""
        verb = "denies" if found.explicit else "does not allow"
        yield case.hypothesis(
            found.cause,
            f"The permissions boundary{named} of {found.principal} {verb} {what(found.refusal)} "
            f"{times(found.refusal)}{after(change)}",
            **graded(found, change),
            resource=principal_at_fault(case, found),
            since=onset(found),
        )
        denial = found.refusal.denial
        yield case.advice(
            f"Add to the permissions boundary{named}: {grant(denial.action, denial.resource)}; the role's own "
            "policies must allow it too",
            *found.refusal.evidence[:1],
        )


@rule("iam-explicit-deny-scp", sees=SEEN)
def denied_by_the_organization(case: Case) -> Iterator[Finding]:
    """AWS says that a policy of the organization refused the call."""
    for found in of_cause(case, "iam-explicit-deny-scp"):
        told = found.refusal.evidence
        kind = found.policy_type.value if found.policy_type else ""
        exact = found.policy_type is PolicyType.SERVICE_CONTROL
        named = found.refusal.denial.policy_arn.rsplit("/", 1)[-1]
        yield case.hypothesis(
            found.cause,
            f"A {kind}{f' (`{named}`)' if named else ''} of the organization refuses {found.principal} "
            f"{what(found.refusal)} {times(found.refusal)}",
            proof=told if exact else (),
            strong=() if exact else told,
            resource=principal_at_fault(case, found),
            since=onset(found),
        )
        yield case.advice(
            f"Ask whoever keeps the organization's policies to exempt {what(found.refusal)}: nothing in this account "
            "can allow it",
            *told[:1],
        )


@rule("iam-resource-policy-deny", "iam-no-resource-policy-cross-account", "iam-explicit-deny-scp", sees=SEEN)
def refused_by_the_resource(case: Case) -> Iterator[Finding]:
    """The policy of the resource that was called refuses the caller, or does not let another account in."""
    for found in of_cause(case, "iam-resource-policy-deny", "iam-no-resource-policy-cross-account"):
        told = found.refusal.evidence
        about = resource_at_fault(case, found)
        allowed = found.read if found.verdict.outcome is Outcome.ALLOWED else ()
        crossing = found.refusal.denial.crosses_accounts
        stated = found.ground is Ground.TEXT and (found.explicit or crossing is not False)
        likely = found.ground is Ground.TEXT or crossing is True
        yield case.hypothesis(
            found.cause,
            f"{resource_says(found, about)} {times(found.refusal)}",
            proof=told if stated else (),
            strong=(*(told if likely and not stated else ()), *(allowed if likely else ())),
            weak=told if not likely else (),
            resource=about,
            since=onset(found),
        )
        yield case.advice(
            f"Read the resource policy of {short(about)}: it must let {found.principal} call "
            f"`{found.refusal.denial.action}`",
            *told[:1],
        )
        if found.ground is Ground.ELSEWHERE and crossing is not True:
            yield case.hypothesis(
                "iam-explicit-deny-scp",
                f"{upper(found.principal)} is refused {what(found.refusal)} although its own policies allow it: "
                f"an organization's policy would explain that as well {times(found.refusal)}",
                weak=told,
                resource=principal_at_fault(case, found),
                since=onset(found),
            )


def resource_says(found: Diagnosis, about: str) -> str:
    """Say what the resource's policy does."""
    action = f"`{found.refusal.denial.action}`"
    if found.ground is Ground.TEXT and found.explicit:
        return f"The resource policy of `{short(about)}` explicitly denies {found.principal} {action}"
    if found.ground is Ground.TEXT:
        other = ", which is in another account," if found.refusal.denial.crosses_accounts else ""
        return f"No resource policy of `{short(about)}` lets {found.principal}{other} call {action}"
    return f"`{short(about)}` refuses {found.principal} {action} although the role's own policies allow it"


@rule("vpc-endpoint-policy", sees=(*SEEN, EndpointPolicy))
def stopped_at_the_endpoint(case: Case) -> Iterator[Finding]:
    """AWS says that the policy of the VPC endpoint on the way does not let the call through."""
    for found in of_cause(case, "vpc-endpoint-policy"):
        denial = found.refusal.denial
        service = denial.action.split(":")[0].lower()
        endpoints = [e for e in case.evidence.of(EndpointPolicy) if e.service.lower() == service and not e.problem]
        refusing = [
            e
            for e in endpoints
            if decide([Policy(e.resource, e.statements)], Request(denial.action, denial.resource)).outcome
            in {Outcome.IMPLICIT_DENY, Outcome.EXPLICIT_DENY}
        ]
        named = f" `{refusing[0].resource.rsplit('/', 1)[-1]}`" if refusing else ""
        verb = "denies" if found.explicit else "does not allow"
        yield case.hypothesis(
            "vpc-endpoint-policy",
            f"The policy of the VPC endpoint{named} {verb} {what(found.refusal)} {times(found.refusal)}",
            proof=found.refusal.evidence,
            strong=refusing,
            resource=refusing[0].resource if refusing else None,
            since=onset(found),
        )
        yield case.advice(
            f"Add to the policy of the VPC endpoint{named} for `{service}`: {grant(denial.action, denial.resource)} "
            'with "Principal": "*"',
            *found.refusal.evidence[:1],
        )


@rule("iam-assume-role-denied", sees=SEEN)
def role_not_to_be_assumed(case: Case) -> Iterator[Finding]:
    """A role could not be assumed: its trust policy does not name the caller, or the caller lacks sts:AssumeRole."""
    for found in of_cause(case, "iam-assume-role-denied"):
        weighed = assumption(case, found)
        told = found.refusal.evidence
        asked = weighed.role.name if weighed.role else short(found.refusal.denial.resource) or "the provided role"
        by_caller = weighed.caller_allowed is False and weighed.trusted is not False
        known = weighed.role.resource if weighed.role else found.refusal.denial.resource
        if by_caller:
            why = f"no policy of {found.principal} allows `sts:AssumeRole` on it"
        elif weighed.role and not weighed.role.exists:
            why = "it does not exist"
        elif weighed.trusted is False:
            why = f"its trust policy does not name {found.principal}"
        else:
            why = "its trust policy does not let the caller in, or the caller lacks `sts:AssumeRole`"
        trust_seen: tuple[Evidence, ...] = (weighed.role,) if weighed.role and weighed.trusted is False else ()
        change = last_before(
            changed(case.evidence, known, ("UpdateAssumeRolePolicy", "DeleteRole")), found.refusal.first_at
        )
        yield case.hypothesis(
            "iam-assume-role-denied",
            f"{upper(found.principal)} could not assume role `{asked}`: {why} {times(found.refusal)}{after(change)}",
            proof=(*told, *trust_seen),
            strong=(*(found.read if by_caller else ()), *((change,) if change else ())),
            resource=principal_at_fault(case, found) if by_caller or not known.startswith("arn:") else known,
            since=onset(found),
        )


@rule(sees=SEEN)
def refusals_without_a_cause(case: Case) -> Iterator[Finding]:
    """A refusal that no cause of the catalogue fits, or that another specialist judges, is stated as it is."""
    for found in (d for d in diagnoses(case) if not d.cause):
        if found.policy_type is PolicyType.SESSION:
            yield case.fact(
                f"The session policy of {found.principal} does not let {what(found.refusal)} through; whoever assumes "
                "the role passes it",
                *found.refusal.evidence,
            )
        elif found.ground is Ground.ELSEWHERE:
            yield case.fact(
                f"{upper(found.principal)} was refused {what(found.refusal)}, although {found.verdict.by} allows it: "
                "the refusal comes from the resource's policy, its key, or the organization",
                *found.refusal.evidence,
                *found.read,
            )


def upper(sentence: str) -> str:
    """Return the sentence with a capital first letter."""
    return sentence[:1].upper() + sentence[1:]


RULES = (
    permission_missing,
    denied_by_own_policy,
    outside_the_boundary,
    denied_by_the_organization,
    refused_by_the_resource,
    stopped_at_the_endpoint,
    role_not_to_be_assumed,
    refusals_without_a_cause,
)
