"""Which cause a refusal has: exactly one, from AWS's own words, and from the role's policies where those are silent."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from domain.evidence import Evidence
from domain.resource import ResourceType, resource_from_arn
from specialists.contract import Case
from specialists.iam.denials import PolicyType
from specialists.iam.evaluator import Outcome, Verdict, trusts
from specialists.iam.evidence import RoleState, RunsAs
from specialists.iam.refusals import Refusal, refusals
from specialists.iam.standing import UNKNOWN, Standing, request_for, standing_of
from specialists.iam.words import changed, who


class Ground(StrEnum):
    """Where the knowledge of the refusing policy comes from."""

    TEXT = "AWS names the kind of policy"
    POLICIES = "the role's policies, read, refuse it as well"
    OPEN = "AWS names none, and the policies could not be read or depend on a condition"
    ELSEWHERE = "AWS names none, and the role's own policies allow it"


@dataclass(frozen=True)
class Diagnosis:
    """A refusal, what refused it, and what the role's policies say to it."""

    refusal: Refusal
    cause: str
    policy_type: PolicyType | None
    explicit: bool
    ground: Ground
    standing: Standing | None
    verdict: Verdict
    bound: Verdict
    regranted: bool

    @property
    def deciding(self) -> Verdict:
        """The verdict of the kind of policy that refused."""
        return self.bound if self.policy_type is PolicyType.BOUNDARY else self.verdict

    @property
    def principal(self) -> str:
        """The refused principal in words."""
        return who(self.refusal.denial, self.standing.name if self.standing else "")

    @property
    def read(self) -> tuple[Evidence, ...]:
        """The policies behind the verdict; empty when there is none."""
        decided = self.standing is not None and self.deciding.outcome is not Outcome.UNDECIDED
        return self.standing.behind(self.deciding) if self.standing and decided else ()


def diagnoses(case: Case) -> tuple[Diagnosis, ...]:
    """Return one diagnosis for each refusal that concerns the target."""
    return tuple(_diagnose(case, refusal) for refusal in refusals(case.target, case.evidence, case.graph))


def of_cause(case: Case, *codes: str) -> tuple[Diagnosis, ...]:
    """Return the diagnoses with one of these causes; a refusal that the traced request lived with caused nothing."""
    return tuple(d for d in diagnoses(case) if d.cause in codes and not d.refusal.lived_with)


def _diagnose(case: Case, refusal: Refusal) -> Diagnosis:
    denial = refusal.denial
    own = case.one(RunsAs)
    role = denial.role or (own.role if own and _is_own(refusal) else "")
    standing = standing_of(case.evidence, role) if role else None
    verdict, bound = UNKNOWN, UNKNOWN
    if standing:
        request = request_for(case.target, standing.role_arn, denial.action, denial.resource)
        verdict, bound = standing.allows(request), standing.bounds(request)
    kind, explicit, ground = _refused_by(refusal, verdict, bound)
    regranted = verdict.outcome is Outcome.ALLOWED and _given_after(case, refusal, standing)
    traits = Traits(case, refusal, kind, explicit, ground, regranted)
    cause = next(code for applies, code in CAUSES_OF_REFUSALS if applies(traits))
    return Diagnosis(refusal, cause, kind, explicit, ground, standing, verdict, bound, regranted)


def _given_after(case: Case, refusal: Refusal, standing: Standing | None) -> bool:
    """Tell whether a policy of the role was written after the refusal: what is read now was not so then."""
    if standing is None:
        return False
    written = [at for at, _ in changed(case.evidence, standing.role_arn, WRITES)]
    return any(at > refusal.first_at for at in (*written, *(p.observed_at for p in standing.identity if p.observed_at)))


def _is_own(refusal: Refusal) -> bool:
    """Tell whether a refusal without a role in its text was of the target's own role."""
    return not refusal.denial.principal or refusal.denial.principal.endswith(".amazonaws.com")


def _refused_by(refusal: Refusal, verdict: Verdict, bound: Verdict) -> tuple[PolicyType | None, bool, Ground]:
    denial = refusal.denial
    if denial.policy_type:
        return denial.policy_type, denial.explicit, Ground.TEXT
    if verdict.outcome in DENIED:
        return PolicyType.IDENTITY, verdict.outcome is Outcome.EXPLICIT_DENY, Ground.POLICIES
    if bound.outcome in DENIED:
        return PolicyType.BOUNDARY, bound.outcome is Outcome.EXPLICIT_DENY, Ground.POLICIES
    if verdict.outcome is Outcome.ALLOWED:
        return None, False, Ground.ELSEWHERE
    return None, False, Ground.OPEN


VERSIONS = ("CreatePolicyVersion", "SetDefaultPolicyVersion")
WRITES = ("PutRolePolicy", "AttachRolePolicy", *VERSIONS)
"""Operations after which a role may do more, or less."""

DENIED = frozenset({Outcome.IMPLICIT_DENY, Outcome.EXPLICIT_DENY})


class Traits(NamedTuple):
    """What decides between causes."""

    case: Case
    refusal: Refusal
    kind: PolicyType | None
    explicit: bool
    ground: Ground
    regranted: bool

    @property
    def elsewhere(self) -> bool:
        """Whether only something other than the role's policies can have refused."""
        return self.ground is Ground.ELSEWHERE and not self.regranted

    @property
    def action(self) -> str:
        """The refused action in lower case."""
        return self.refusal.denial.action.lower()

    @property
    def machine_in_graph(self) -> bool:
        """Whether the target is the role of a state machine that is looked at as well."""
        state = self.case.evidence.first(RoleState, self.case.target.id)
        trusted = {p for s in state.trust if s.allows for p in s.principals} if state else set()
        only_machines = bool(trusted) and all(p.startswith("Service:states.") for p in trusted)
        return only_machines and any(n.type is ResourceType.STATE_MACHINE for n in self.case.graph.nodes)

    @property
    def attaches_function(self) -> bool:
        """Whether Lambda itself needs the action to attach a function to its VPC."""
        in_vpc = not self.refusal.denial.principal
        return in_vpc and self.action.startswith("ec2:") and "networkinterface" in self.action


POLLS_QUEUE = frozenset({"sqs:receivemessage", "sqs:deletemessage", "sqs:getqueueattributes"})
ORGANIZATION = frozenset({PolicyType.SERVICE_CONTROL, PolicyType.RESOURCE_CONTROL})
NOT_OURS = ""
"""A refusal whose cause another specialist names, or that the catalogue has no cause for."""

CAUSES_OF_REFUSALS: tuple[tuple[Callable[[Traits], bool], str], ...] = (
    (lambda t: t.kind is PolicyType.IDENTITY and t.explicit, "iam-explicit-deny-identity"),
    (lambda t: t.kind in ORGANIZATION, "iam-explicit-deny-scp"),
    (lambda t: t.kind is PolicyType.BOUNDARY, "iam-permission-boundary"),
    (lambda t: t.kind is PolicyType.ENDPOINT, "vpc-endpoint-policy"),
    (lambda t: t.kind is PolicyType.SESSION, NOT_OURS),
    (lambda t: t.refusal.denial.assumes_role, "iam-assume-role-denied"),
    (lambda t: t.kind is PolicyType.RESOURCE and t.explicit, "iam-resource-policy-deny"),
    (lambda t: t.kind is PolicyType.RESOURCE, "iam-no-resource-policy-cross-account"),
    (lambda t: t.elsewhere and t.refusal.terse, NOT_OURS),
    (lambda t: t.elsewhere and bool(t.refusal.denial.crosses_accounts), "iam-no-resource-policy-cross-account"),
    (lambda t: t.elsewhere, "iam-resource-policy-deny"),
    (lambda t: t.attaches_function, "lambda-ec2-access-denied"),
    (lambda t: not t.refusal.denial.principal and not t.refusal.terse and t.action in POLLS_QUEUE, NOT_OURS),
    (lambda t: t.case.target.type is ResourceType.STATE_MACHINE, "sfn-role-denied"),
    (lambda t: t.machine_in_graph, NOT_OURS),
    (lambda t: t.action.startswith("lambda:invoke"), "lambda-invoke-permission-denied"),
    (lambda _: True, "lambda-role-missing-permission"),
)
"""The cause of a refusal: the first row that applies. Sharper causes stand before the general one."""


def resource_at_fault(case: Case, diagnosis: Diagnosis) -> str:
    """Return the id of the resource whose policy refused: the one asked for, as far as its ARN is known."""
    for arn in (diagnosis.refusal.denial.resource, diagnosis.refusal.called):
        try:
            return resource_from_arn(arn).id
        except ValueError:
            continue
    return case.target.id


def principal_at_fault(case: Case, diagnosis: Diagnosis) -> str:
    """Return the role's ARN when known, else the user's, else the target's id.

    A state machine that its own role keeps from calling is accused itself: its cause is worded so.
    """
    if diagnosis.cause == "sfn-role-denied":
        return case.target.id
    if diagnosis.standing:
        return diagnosis.standing.role_arn
    principal = diagnosis.refusal.denial.principal
    return principal if ":user/" in principal else case.target.id


class Assumption(NamedTuple):
    """Who failed to let a role be assumed: its trust policy, or the caller's policies; None when not decided."""

    role: RoleState | None
    trusted: bool | None
    caller_allowed: bool | None


def assumption(case: Case, diagnosis: Diagnosis) -> Assumption:
    """Weigh the trust policy of the role asked for against the caller's own policies."""
    denial = diagnosis.refusal.denial
    by_service = denial.principal.endswith(".amazonaws.com")
    own = diagnosis.standing.state if diagnosis.standing else None
    role = own if by_service else case.evidence.first(RoleState, denial.resource) if denial.resource else None
    trusted = None
    if role and not role.exists:
        trusted = False
    elif role and not role.trust_problem:
        trusted = trusts(role.trust, lambda entry: means(entry, diagnosis))
    outcome = diagnosis.verdict.outcome
    allowed = None if outcome is Outcome.UNDECIDED else outcome is Outcome.ALLOWED
    if diagnosis.policy_type is PolicyType.IDENTITY:
        allowed = False
    return Assumption(role, trusted, None if by_service else allowed)


def means(entry: str, diagnosis: Diagnosis) -> bool:
    """Tell whether an entry of a trust policy names the refused principal."""
    denial = diagnosis.refusal.denial
    role_arn = diagnosis.standing.role_arn if diagnosis.standing else ""
    account = denial.account
    kind, _, name = entry.partition(":")
    if entry == "*":
        return True
    if kind == "Service":
        return denial.principal.startswith(name.split(".")[0] + ".") and denial.principal.endswith(".amazonaws.com")
    return name in {role_arn, denial.principal, account} - {""} or (
        bool(account) and name.endswith(f"::{account}:root")
    )
