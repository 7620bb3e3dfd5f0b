"""What can be seen of who may call an API and whom it may call: permissions, keys and quotas, web ACLs."""

from domain.evidence import Evidence
from domain.values import Value
from specialists.apigateway.policy import Policy


class InvokePermission(Evidence, kind="apigateway.invoke_permission"):
    """Whom a Lambda function lets in. `policy` is None when it has no resource policy at all."""

    function: str
    qualifier: str | None = None
    authorizer_id: str | None = None  # set when the API calls it as an authorizer
    function_exists: bool = True
    policy: Policy | None = None

    @property
    def function_name(self) -> str:
        """The function's name."""
        return self.function.rsplit(":", 1)[-1]

    @property
    def label(self) -> str:
        """The function as the API calls it: an alias or version has a resource policy of its own."""
        return f"`{self.function_name}:{self.qualifier}`" if self.qualifier else f"`{self.function_name}`"

    def summary(self) -> str:
        """Say whether a resource policy is there and how long it is."""
        if not self.function_exists:
            return f"Function {self.label} does not exist"
        if self.policy is None:
            return f"Function {self.label} has no resource policy: no service may invoke it"
        if not self.policy.readable:
            return f"Function {self.label} has a resource policy that is not readable JSON"
        return f"Function {self.label} has a resource policy with {len(self.policy.statements)} statements"


class UsagePlan(Value):
    """One usage plan of the API: requests a second and burst for each key, and the quota of a period."""

    plan_id: str
    name: str
    stages: tuple[str, ...]
    rate: float | None = None
    burst: int | None = None
    quota: int | None = None
    period: str | None = None  # DAY, WEEK, MONTH


class UsagePlans(Evidence, kind="apigateway.usage_plans"):
    """The usage plans that the API's stages are in; none is an answer too."""

    plans: tuple[UsagePlan, ...] = ()

    def summary(self) -> str:
        """Name the plans with their limits."""
        if not self.plans:
            return "No usage plan includes a stage of this API"
        return "; ".join(
            f"usage plan `{p.name}` for {', '.join(p.stages)}: rate {p.rate or 'unlimited'}, quota "
            + (f"{p.quota} a {p.period or 'period'}".lower() if p.quota else "unlimited")
            for p in self.plans
        )


class KeyUsage(Value):
    """What a key used of its quota in the period, and what is left."""

    key_id: str
    used: int
    remaining: int


class PlanUsage(Evidence, kind="apigateway.plan_usage"):
    """How much of a plan's quota each key has used, most used first."""

    plan_id: str
    plan: str
    keys: tuple[KeyUsage, ...] = ()

    @property
    def exhausted(self) -> tuple[KeyUsage, ...]:
        """The keys with nothing left."""
        return tuple(key for key in self.keys if key.remaining <= 0)

    def summary(self) -> str:
        """Say how many keys ran out."""
        return f"Usage plan `{self.plan}`: {len(self.exhausted)} of {len(self.keys)} keys have no quota left"


class ApiKeys(Evidence, kind="apigateway.api_keys"):
    """The account's API keys by state; their values are never read."""

    enabled: int = 0
    disabled: tuple[str, ...] = ()  # names
    truncated: bool = False

    def summary(self) -> str:
        """Say how many keys are on and which are off."""
        off = f", disabled: {', '.join(self.disabled[:5])}" if self.disabled else ", none disabled"
        return f"{'at least ' if self.truncated else ''}{self.enabled} API keys enabled{off}"


class WebAcl(Evidence, kind="apigateway.web_acl"):
    """The web ACL in front of a stage; `name` is None when there is none."""

    stage: str
    name: str | None = None
    metric: str | None = None
    default_action: str = ""  # Allow, Block
    blocking_rules: tuple[str, ...] = ()

    def summary(self) -> str:
        """Say what stands in front of the stage."""
        if self.name is None:
            return f"No web ACL in front of stage `{self.stage}`"
        rules = ", ".join(self.blocking_rules[:5]) or "no rule of its own that blocks"
        return (
            f"Web ACL `{self.name}` in front of stage `{self.stage}`: default {self.default_action}; blocking: {rules}"
        )
