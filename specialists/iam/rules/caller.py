"""Rules about calls that the caller's side refuses: its role's policies, its boundary, its organization."""

from collections.abc import Iterator

from domain.findings import Finding
from domain.trace import TraceCall, TraceSegment
from specialists.contract import Case, rule
from specialists.iam.denials import PolicyType
from specialists.iam.diagnosis import VERSIONS, WRITES, Diagnosis, Ground, of_cause, principal_at_fault
from specialists.iam.evaluator import Outcome
from specialists.iam.evidence import PolicyList, RolePolicy, RoleState, RunsAs
from specialists.iam.grading import change_behind, graded
from specialists.iam.words import after, capital, grant, times, what
from specialists.kit.change import Change
from specialists.kit.loglines import LogLines

SEEN = (TraceCall, TraceSegment, LogLines, RunsAs, RoleState, PolicyList, RolePolicy, Change)


@rule("lambda-role-missing-permission", "lambda-invoke-permission-denied", "sfn-role-denied", sees=SEEN)
def permission_missing(case: Case) -> Iterator[Finding]:
    """A call was refused because no policy of the caller's role allows it."""
    codes = ("lambda-role-missing-permission", "lambda-invoke-permission-denied", "sfn-role-denied")
    for found in of_cause(case, *codes):
        change = change_behind(case, found)
        yield case.hypothesis(
            found.cause,
            f"{capital(found.principal)} may not {what(found.refusal)}: {reason(found)} "
            f"{times(found.refusal)}{after(change)}",
            **graded(found, change),
            resource=principal_at_fault(case, found),
            since=found.refusal.first_at,
        )
        if not found.regranted:
            denial = found.refusal.denial
            yield case.advice(
                f"Smallest grant for {found.principal}: {grant(denial.action, denial.resource)}",
                *found.refusal.evidence[:1],
            )


def reason(found: Diagnosis) -> str:
    """Say why the call is refused, as far as it is known."""
    if found.regranted:
        return "its policies allow it now, but were changed after the refusal"
    if found.standing and found.verdict.outcome is Outcome.IMPLICIT_DENY:
        count = len(found.standing.identity)
        some = f"none of its {count} policies allows it" if count > 1 else "its only policy does not allow it"
        return some if count else "it has no policy at all"
    if found.standing and found.standing.complete and found.verdict.policy and not found.refusal.about:
        return f"AWS does not say on what, and {found.verdict.by} allows it on some resources only"
    if found.standing and found.standing.complete and found.verdict.policy:
        return f"the condition of {found.verdict.by} decides"
    if found.ground is Ground.TEXT:
        return "no identity-based policy allows it"
    return "AWS refused it without naming a policy"


@rule("iam-explicit-deny-identity", sees=SEEN)
def denied_by_own_policy(case: Case) -> Iterator[Finding]:
    """A Deny statement in one of the role's own policies matches the refused call."""
    for found in of_cause(case, "iam-explicit-deny-identity"):
        change = change_behind(case, found, WRITES)
        named = found.refusal.denial.policy_arn.rsplit("/", 1)[-1]
        by = found.verdict.by if found.verdict.outcome is Outcome.EXPLICIT_DENY else f"`{named}`" if named else ""
        yield case.hypothesis(
            found.cause,
            f"{capital(found.principal)} is explicitly denied {what(found.refusal)} by "
            f"{by or 'an identity-based policy'} {times(found.refusal)}{after(change)}",
            **graded(found, change),
            resource=principal_at_fault(case, found),
            since=found.refusal.first_at,
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
        change = change_behind(case, found, ("PutRolePermissionsBoundary", *VERSIONS))
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
            since=found.refusal.first_at,
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
            since=found.refusal.first_at,
        )
        yield case.advice(
            f"Ask whoever keeps the organization's policies to exempt {what(found.refusal)}: nothing in this account "
            "can allow it",
            *told[:1],
        )


RULES = (permission_missing, denied_by_own_policy, outside_the_boundary, denied_by_the_organization)
