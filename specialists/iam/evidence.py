"""What the iam specialist can see: roles, their trust, their policies and what became of them."""

from pydantic import AwareDatetime

from domain.evidence import Evidence
from domain.values import utc
from specialists.iam.policies import Statement


class RunsAs(Evidence, kind="iam.runs_as"):
    """The role that the target runs as, and what else its configuration tells about permissions.

    `reasons` are a function's StateReasonCode and LastUpdateStatusReasonCode where set; `credential_variables` are
    the names (never values) of environment variables that look like credentials of its own.
    """

    role_arn: str
    log_group: str = ""
    vpc_id: str = ""
    reasons: tuple[str, ...] = ()
    credential_variables: tuple[str, ...] = ()

    @property
    def role(self) -> str:
        """The role's name."""
        return self.role_arn.rsplit("/", 1)[-1]

    def summary(self) -> str:
        """Name the role and anything else that was noticed."""
        vpc = f", in {self.vpc_id}" if self.vpc_id else ""
        reasons = f", state reason {', '.join(self.reasons)}" if self.reasons else ""
        keys = f", credentials in variables {', '.join(self.credential_variables)}" if self.credential_variables else ""
        return f"Runs as role {self.role}{vpc}{reasons}{keys}"


class RoleState(Evidence, kind="iam.role"):
    """A role as GetRole tells it; `exists` False when IAM says that there is none.

    `trust` is its trust policy, `trust_problem` why that could not be understood; `last_used` is up to four hours old.
    """

    name: str
    exists: bool = True
    created: AwareDatetime | None = None
    last_used: AwareDatetime | None = None
    boundary_arn: str = ""
    trust: tuple[Statement, ...] = ()
    trust_problem: str = ""

    def summary(self) -> str:
        """Say whether it exists, whom it trusts and when it was last used."""
        if not self.exists:
            return f"Role {self.name} does not exist"
        trusted = sorted({p.partition(":")[2] or p for s in self.trust if s.allows for p in s.principals})
        whom = self.trust_problem or ", ".join(trusted) or "nobody"
        used = f"last used {utc(self.last_used):%Y-%m-%d %H:%M} UTC" if self.last_used else "no use recorded"
        boundary = f", boundary {self.boundary_arn.rsplit('/', 1)[-1]}" if self.boundary_arn else ""
        return f"Role {self.name} trusts {whom}{boundary}, {used}"


class PolicyList(Evidence, kind="iam.policy_list"):
    """The names of a role's policies of one form, "attached" or "inline"; `resource` is the role."""

    form: str
    names: tuple[str, ...] = ()

    def summary(self) -> str:
        """Name them."""
        return f"{self.form.capitalize()} policies: {', '.join(self.names) or 'none'}"


class RolePolicy(Evidence, kind="iam.role_policy"):
    """One policy of a role, `resource` being the role; `form` is "attached", "inline" or "boundary".

    `observed_at` is when its default version was made; `problem` says why its document could not be understood.
    """

    form: str
    name: str
    arn: str = ""
    version: str = ""
    statements: tuple[Statement, ...] = ()
    problem: str = ""

    @property
    def customer_managed(self) -> bool:
        """Whether the account itself keeps it as a policy of its own."""
        return bool(self.arn) and ":aws:policy/" not in self.arn

    def summary(self) -> str:
        """Say what it is and how many statements it has."""
        version = f" {self.version}" if self.version else ""
        since = f" of {utc(self.observed_at):%Y-%m-%d %H:%M} UTC" if self.observed_at else ""
        content = self.problem or f"{len(self.statements)} in all"
        return f"Statements of {self.form} policy {self.name}{version}{since}: {content}"


class ChangesSearched(Evidence, kind="iam.changes_searched"):
    """That CloudTrail was searched for changes of a role and its policies, and how many it showed.

    `region` is the one of the partition in which IAM's events are recorded.
    """

    region: str
    count: int

    def summary(self) -> str:
        """Say where was searched and how many changes there are."""
        return f"Changes of the role in CloudTrail of {self.region}: {self.count}"


class FunctionLogs(Evidence, kind="iam.function_logs"):
    """Whether a function's log group exists and holds any event of the window."""

    log_group: str
    exists: bool
    has_events: bool

    def summary(self) -> str:
        """Say what was found."""
        if not self.exists:
            return f"Log group {self.log_group} does not exist"
        return f"Log group {self.log_group} has {'events' if self.has_events else 'no event'} in the window"


class EndpointPolicy(Evidence, kind="iam.endpoint_policy"):
    """The policy of a VPC endpoint in the function's VPC; `resource` is the endpoint."""

    service: str
    statements: tuple[Statement, ...] = ()
    problem: str = ""

    def summary(self) -> str:
        """Say which service's endpoint it is and how many statements its policy has."""
        return f"Statements in the policy of the endpoint of {self.service}: {self.problem or len(self.statements)}"
