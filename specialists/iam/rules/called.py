"""Rules about calls that the called side refuses: a resource's policy, an endpoint on the way, a role's trust."""

from collections.abc import Iterator

from domain.evidence import Evidence
from domain.findings import Finding
from domain.trace import TraceCall, TraceSegment
from specialists.contract import Case, rule
from specialists.iam.denials import PolicyType
from specialists.iam.diagnosis import (
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
from specialists.iam.words import after, capital, changed, grant, last_before, short, times, what
from specialists.kit.change import Change
from specialists.kit.loglines import LogLines

SEEN = (TraceCall, TraceSegment, LogLines, RunsAs, RoleState, PolicyList, RolePolicy, Change)


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
            since=found.refusal.first_at,
        )
        yield case.advice(
            f"Read the resource policy of {whose(found, about)}: it must let {found.principal} call "
            f"`{found.refusal.denial.action}`",
            *told[:1],
        )
        if found.ground is Ground.ELSEWHERE and crossing is not True:
            yield case.hypothesis(
                "iam-explicit-deny-scp",
                f"{capital(found.principal)} is refused {what(found.refusal)} although its own policies allow it: "
                f"an organization's policy would explain that as well {times(found.refusal)}",
                weak=told,
                resource=principal_at_fault(case, found),
                since=found.refusal.first_at,
            )


def whose(found: Diagnosis, about: str) -> str:
    """Name the owner of the policy that refused: S3 and others pass on what the key of their data said."""
    behind = found.refusal.denial.action.lower().startswith("kms:") and ":kms:" not in about
    return f"the KMS key behind `{short(about)}`" if behind else f"`{short(about)}`"


def resource_says(found: Diagnosis, about: str) -> str:
    """Say what the resource's policy does."""
    action = f"`{found.refusal.denial.action}`"
    if found.ground is Ground.TEXT and found.explicit:
        return f"The resource policy of {whose(found, about)} explicitly denies {found.principal} {action}"
    if found.ground is Ground.TEXT:
        other = ", which is in another account," if found.refusal.denial.crosses_accounts else ""
        return f"No resource policy of {whose(found, about)} lets {found.principal}{other} call {action}"
    return (
        f"{capital(whose(found, about))} refuses {found.principal} {action} although the role's own policies allow it"
    )


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
            since=found.refusal.first_at,
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
            f"{capital(found.principal)} could not assume role `{asked}`: {why} {times(found.refusal)}{after(change)}",
            proof=(*told, *trust_seen),
            strong=(*(found.read if by_caller else ()), *((change,) if change else ())),
            resource=principal_at_fault(case, found) if by_caller or not known.startswith("arn:") else known,
            since=found.refusal.first_at,
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
                f"{capital(found.principal)} was refused {what(found.refusal)}, although {found.verdict.by} allows it: "
                "the refusal comes from the resource's policy, its key, or the organization",
                *found.refusal.evidence,
                *found.read,
            )


@rule(sees=SEEN)
def refusals_lived_with(case: Case) -> Iterator[Finding]:
    """A refusal in a trace in which nothing failed: the code expects it, or swallows it."""
    for found in diagnoses(case):
        if found.refusal.lived_with:
            yield case.fact(
                f"{capital(found.principal)} was refused {what(found.refusal)} {times(found.refusal)}, and the traced "
                "request ended well without it",
                *found.refusal.evidence,
            )


RULES = (
    refused_by_the_resource,
    stopped_at_the_endpoint,
    role_not_to_be_assumed,
    refusals_without_a_cause,
    refusals_lived_with,
)
