"""What a role may do, as far as the evidence about its policies tells."""

from dataclasses import dataclass

from domain.evidence import Evidence, EvidenceBundle
from domain.resource import Resource
from specialists.iam.evaluator import Outcome, Policy, Request, Verdict, decide
from specialists.iam.evidence import PolicyList, RolePolicy, RoleState, RunsAs

UNKNOWN = Verdict(Outcome.UNDECIDED)


@dataclass(frozen=True)
class Standing:
    """One role's policies. `complete`: every policy that the role has was read, so that a missing Allow is missing."""

    role_arn: str
    state: RoleState | None = None
    lists: tuple[PolicyList, ...] = ()
    policies: tuple[RolePolicy, ...] = ()

    @property
    def name(self) -> str:
        """The role's name."""
        return self.role_arn.rsplit("/", 1)[-1]

    @property
    def complete(self) -> bool:
        """Whether both lists were seen and every policy on them understood."""
        read = {(p.form, p.name) for p in self.identity if not p.problem}
        listed = {(each.form, name) for each in self.lists for name in each.names}
        return {each.form for each in self.lists} == {"attached", "inline"} and listed <= read

    @property
    def identity(self) -> tuple[RolePolicy, ...]:
        """The attached and inline policies."""
        return tuple(p for p in self.policies if p.form != "boundary")

    @property
    def boundary(self) -> RolePolicy | None:
        """The permissions boundary's policy, where there is one and it was read."""
        return next((p for p in self.policies if p.form == "boundary"), None)

    def allows(self, request: Request) -> Verdict:
        """Say what the attached and inline policies say; a Deny counts even when others were not read."""
        verdict = _decide(self.identity, request)
        return verdict if self.complete or verdict.outcome is Outcome.EXPLICIT_DENY else UNKNOWN

    def bounds(self, request: Request) -> Verdict:
        """Say what the permissions boundary says; a role without one is not bounded."""
        if self.state is None or (self.state.boundary_arn and (self.boundary is None or self.boundary.problem)):
            return UNKNOWN
        return _decide((self.boundary,), request) if self.boundary else Verdict(Outcome.ALLOWED)

    def behind(self, verdict: Verdict) -> tuple[Evidence, ...]:
        """Return the evidence that a verdict rests on: the deciding policy, or the lists when none decided."""
        deciding = tuple(p for p in self.policies if p.name == verdict.policy)
        return deciding or self.lists


def standing_of(evidence: EvidenceBundle, role: str) -> Standing | None:
    """Return what is known of the role of that name, None when nothing is."""
    arns = [runs.role_arn for runs in evidence.of(RunsAs)]
    arns += [state.resource for state in evidence.of(RoleState)]
    arn = next((a for a in arns if a.startswith("arn:") and a.rsplit("/", 1)[-1] == role), None)
    if arn is None:
        return None
    return Standing(
        role_arn=arn,
        state=evidence.first(RoleState, arn),
        lists=evidence.of(PolicyList, arn),
        policies=evidence.of(RolePolicy, arn),
    )


def request_for(target: Resource, role_arn: str, action: str, resource: str) -> Request:
    """Return the request with the condition keys that are known of it."""
    parts = resource.split(":")
    context = {
        "aws:securetransport": "true",
        "aws:requestedregion": parts[3] if len(parts) > 3 and parts[3] else target.region,
        "aws:principalarn": role_arn,
        "aws:principalaccount": role_arn.split(":")[4] if role_arn.count(":") > 4 else "",
    }
    return Request(action, resource, {key: value for key, value in context.items() if value})


def log_request(target: Resource, runs: RunsAs) -> Request:
    """Return the request by which a function's events reach its log group."""
    group = f"arn:{target.partition}:logs:{target.region}:{target.account}:log-group:{runs.log_group}:*"
    return request_for(target, runs.role_arn, "logs:PutLogEvents", group)


def _decide(policies: tuple[RolePolicy, ...], request: Request) -> Verdict:
    return decide((Policy(p.name, p.statements) for p in policies), request)
