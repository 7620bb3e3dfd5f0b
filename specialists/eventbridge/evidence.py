"""What the EventBridge specialist can see: rules, buses, schedules and pipes, their targets, and who may call those."""

from collections.abc import Mapping

from pydantic import AwareDatetime

from domain.evidence import Evidence
from domain.values import Value

DEFAULT_BUS = "default"
DISABLED = "DISABLED"


class RuleState(Evidence, kind="eventbridge.rule"):
    """The rule as DescribeRule tells, or that there is none; `pattern` is JSON text as AWS keeps it.

    `managed_by` names the AWS service that made the rule, if one did.
    """

    exists: bool
    bus_exists: bool = True
    name: str
    bus: str = DEFAULT_BUS
    state: str = "ENABLED"
    pattern: str = ""
    schedule: str = ""
    managed_by: str = ""

    @property
    def enabled(self) -> bool:
        """Whether it is switched on; there are two states that are."""
        return self.exists and self.state != DISABLED

    def summary(self) -> str:
        """Say whether it is on, and what sets it off."""
        if not self.bus_exists:
            return f"There is no event bus {self.bus}, so no rule {self.name} on it"
        if not self.exists:
            return f"There is no rule {self.name} on event bus {self.bus}"
        by = [f"schedule {self.schedule}"] if self.schedule else []
        by += [f"pattern {self.pattern[:200]}"] if self.pattern else []
        return f"Rule {self.name} on event bus {self.bus} is {self.state}, " + (" and ".join(by) or "without a pattern")


class Target(Value):
    """Where events go: a rule's target, a schedule's, a pipe's; None where AWS's default applies.

    `paths` and `template` are an input transformer's.
    """

    id: str
    arn: str
    role_arn: str = ""
    dead_letter_arn: str = ""
    retries: int | None = None
    max_age_seconds: int | None = None
    paths: Mapping[str, str] = {}
    template: str = ""


class Targets(Evidence, kind="eventbridge.targets"):
    """All targets, in the order of their ids."""

    targets: tuple[Target, ...] = ()

    def summary(self) -> str:
        """Name them."""
        if not self.targets:
            return "It has no targets"
        shown = ", ".join(f"{t.id} {t.arn}" for t in self.targets[:5])
        return f"{len(self.targets)} targets: {shown}" if len(self.targets) > 1 else f"Its target is {shown}"


class Destination(Evidence, kind="eventbridge.destination"):
    """A target or dead-letter queue seen from its own side; None where that could not be judged, with the reason.

    `admits`: its resource policy lets EventBridge in from this rule. `key` is the KMS key of a queue or topic.
    """

    arn: str
    exists: bool | None
    admits: bool | None = None
    why: str = ""
    key: str = ""

    def summary(self) -> str:
        """Say whether it is there, and whether its policy lets the rule in."""
        if self.exists is None:
            return f"{self.arn} was not looked at: {self.why}"
        if not self.exists:
            return f"{self.arn} does not exist"
        verdict = {True: "its policy lets the rule in", False: f"its policy keeps the rule out ({self.why})"}
        return f"{self.arn} exists" + (f", {verdict[self.admits]}" if self.admits is not None else "")


class RoleAccess(Evidence, kind="eventbridge.role_access"):
    """Whether the role that delivers may do so; None where that could not be judged.

    `trusts`: the role's trust lets the service assume it; `allowed`: IAM's simulator allows `action` on the target.
    """

    role_arn: str
    target_arn: str
    action: str
    exists: bool = True
    trusts: bool | None = None
    allowed: bool | None = None
    service: str = "events.amazonaws.com"

    @property
    def refusal(self) -> str:
        """Say what stands in the way, empty when nothing known does."""
        name = self.role_arn.rsplit("/", 1)[-1]
        if not self.exists:
            return f"its role `{name}` does not exist"
        if self.trusts is False:
            return f"its role `{name}` does not trust {self.service}"
        return f"its role `{name}` is not allowed {self.action}" if self.allowed is False else ""

    def summary(self) -> str:
        """Say what the role may do."""
        return f"For {self.target_arn} {self.refusal or 'nothing known in the role stands in the way'}".replace("`", "")


class BusState(Evidence, kind="eventbridge.bus"):
    """The bus as DescribeEventBus tells, or that there is none."""

    exists: bool
    name: str
    has_policy: bool = False

    def summary(self) -> str:
        """Say whether it is there."""
        if not self.exists:
            return f"There is no event bus {self.name}"
        return f"Event bus {self.name} exists" + (", with a resource policy" if self.has_policy else "")


class NearbyBuses(Evidence, kind="eventbridge.nearby_buses"):
    """The account's buses in this Region, where the one that was named does not exist."""

    names: tuple[str, ...]
    truncated: bool = False

    def summary(self) -> str:
        """Name them."""
        return f"Event buses here: {', '.join(self.names)}" + (" and more" if self.truncated else "")


class BusRule(Value):
    """One rule of a bus, as ListRules tells."""

    name: str
    arn: str
    state: str = "ENABLED"
    by_pattern: bool = True


class BusRules(Evidence, kind="eventbridge.bus_rules"):
    """The rules of a bus, by name."""

    bus: str
    rules: tuple[BusRule, ...] = ()
    truncated: bool = False

    def summary(self) -> str:
        """Count them."""
        off = [rule.name for rule in self.rules if rule.state == DISABLED]
        more = "at least " if self.truncated else ""
        return f"Event bus {self.bus} has {more}{len(self.rules)} rules" + (
            f", {len(off)} switched off: {', '.join(off[:5])}" if off else ", none switched off"
        )


class ScheduleState(Evidence, kind="eventbridge.schedule"):
    """A schedule of EventBridge Scheduler as GetSchedule tells, or that there is none."""

    exists: bool
    name: str
    group: str = "default"
    state: str = "ENABLED"
    expression: str = ""
    timezone: str = "UTC"
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None
    modified_at: AwareDatetime | None = None

    def summary(self) -> str:
        """Say whether it is on, and when it runs."""
        if not self.exists:
            return f"There is no schedule {self.name} in group {self.group}"
        bounds = [
            f"{word} {at:%Y-%m-%d %H:%M} UTC" for word, at in (("from", self.starts_at), ("until", self.ends_at)) if at
        ]
        return ", ".join([f"Schedule {self.name} is {self.state}, {self.expression} in {self.timezone}", *bounds])


class PipeState(Evidence, kind="eventbridge.pipe"):
    """A pipe as DescribePipe tells, or that there is none; `reason` is AWS's own sentence about its state."""

    exists: bool
    name: str
    state: str = "RUNNING"
    desired: str = "RUNNING"
    reason: str = ""
    source_arn: str = ""
    target_arn: str = ""
    modified_at: AwareDatetime | None = None

    def summary(self) -> str:
        """Say which state it is in, and why."""
        if not self.exists:
            return f"There is no pipe {self.name}"
        why = f": {self.reason}" if self.reason else ""
        return f"Pipe {self.name} from {self.source_arn} to {self.target_arn} is {self.state}{why}"
