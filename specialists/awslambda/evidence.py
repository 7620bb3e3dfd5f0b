"""What the Lambda specialist can see of a function.

API: https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html
"""

from pydantic import AwareDatetime

from domain.evidence import Evidence
from domain.values import Value
from specialists.awslambda.reports import Report


class Unset(Value):
    """A part of a configuration that AWS could not read: its error code and words."""

    code: str
    message: str


class Status(Value):
    """A state that Lambda reports, with the reason where there is one."""

    state: str
    reason_code: str = ""
    reason: str = ""

    def __str__(self) -> str:
        why = f" ({self.reason_code}: {self.reason})" if self.reason_code else ""
        return self.state + why


class FunctionConfiguration(Evidence, kind="lambda.configuration"):
    """The settings of a function, or of the version behind `qualifier`; environment variables by name only."""

    qualifier: str | None = None
    version: str = "$LATEST"
    runtime: str = ""  # empty for container images
    handler: str = ""
    package_type: str = "Zip"
    architecture: str = "x86_64"
    role: str = ""
    timeout_seconds: int = 3
    memory_mb: int = 128
    ephemeral_mb: int = 512
    state: Status = Status(state="Active")
    last_update: Status = Status(state="Successful")
    last_modified: AwareDatetime | None = None
    code_sha256: str = ""
    code_bytes: int = 0
    env_names: tuple[str, ...] = ()
    env_error: Unset | None = None
    layers: tuple[str, ...] = ()
    vpc_id: str = ""
    subnet_ids: tuple[str, ...] = ()
    security_group_ids: tuple[str, ...] = ()
    dlq_arn: str = ""
    kms_key_arn: str = ""
    file_system_arns: tuple[str, ...] = ()
    tracing: str = "PassThrough"
    snapstart: str = "None"
    log_group: str = ""
    log_format: str = "Text"
    system_log_level: str = ""

    def summary(self) -> str:
        """Say what runs and with which limits."""
        what = self.runtime or f"{self.package_type.lower()} package"
        which = f"{self.qualifier} = version {self.version}" if self.qualifier else f"version {self.version}"
        changed = f", last modified {self.last_modified:%Y-%m-%d %H:%M} UTC" if self.last_modified else ""
        return (
            f"{which}: {what}, {self.memory_mb} MB, timeout {self.timeout_seconds} s, state {self.state},"
            f" last update {self.last_update}{changed}"
        )


class FunctionMissing(Evidence, kind="lambda.missing"):
    """AWS knows no function, version or alias of that name."""

    qualifier: str | None = None
    message: str = ""

    def summary(self) -> str:
        """Say what does not exist."""
        what = f"qualifier {self.qualifier} of the function" if self.qualifier else "the function"
        return f"{what} does not exist: {self.message}"


class ReservedConcurrency(Evidence, kind="lambda.reserved_concurrency"):
    """The function's own share of the account's concurrency; None: it uses the unreserved pool."""

    reserved: int | None

    def summary(self) -> str:
        """Say how much is reserved."""
        return "no reserved concurrency" if self.reserved is None else f"reserved concurrency {self.reserved}"


class AccountLimits(Evidence, kind="lambda.account_limits"):
    """The account's Lambda limits in this Region, and the code storage in use (bytes)."""

    concurrent_executions: int
    unreserved_concurrent_executions: int
    code_bytes_limit: int
    code_bytes_used: int

    def summary(self) -> str:
        """Say the limits and the use."""
        return (
            f"account limit {self.concurrent_executions} concurrent executions,"
            f" {self.unreserved_concurrent_executions} of them unreserved;"
            f" code storage {self.code_bytes_used / 1e9:.1f} of {self.code_bytes_limit / 1e9:.1f} GB"
        )


class ProvisionedConcurrency(Value):
    """Warm sandboxes kept for one alias or version."""

    qualifier: str
    requested: int
    available: int
    status: str
    reason: str = ""


class ProvisionedConfigs(Evidence, kind="lambda.provisioned_concurrency"):
    """All provisioned concurrency of the function."""

    configs: tuple[ProvisionedConcurrency, ...] = ()

    def summary(self) -> str:
        """Say what is kept warm."""
        shown = (f"{c.available} of {c.requested} ready for {c.qualifier} ({c.status})" for c in self.configs)
        return "provisioned concurrency: " + (", ".join(shown) or "none")


class Mapping(Value):
    """One event source mapping; `retries` and `max_age_seconds` of -1 mean without end, None that it has no such."""

    uuid: str
    source_arn: str = ""  # empty for self-managed Kafka
    state: str = "Enabled"
    state_reason: str = ""
    last_result: str = ""
    last_modified: AwareDatetime | None = None
    batch_size: int | None = None
    parallelization: int | None = None
    retries: int | None = None
    max_age_seconds: int | None = None
    bisects: bool = False
    on_failure: str = ""
    max_concurrency: int | None = None
    filters: tuple[str, ...] = ()
    filter_error: str = ""
    reports_item_failures: bool = False

    @property
    def enabled(self) -> bool:
        """Whether it reads its source, or is about to."""
        return self.state in {"Enabled", "Enabling", "Creating", "Updating"}

    @property
    def service(self) -> str:
        """The service of its source: "sqs", "kinesis", "dynamodb", "kafka" ..."""
        parts = self.source_arn.split(":")
        return parts[2] if len(parts) > 2 else ""

    @property
    def source_name(self) -> str:
        """The name of the queue, stream or table it reads."""
        tail = self.source_arn.split(":", 5)[-1]
        return tail.split("/")[1] if "/" in tail else tail


class EventSources(Evidence, kind="lambda.event_sources"):
    """The function's event source mappings, all of them."""

    mappings: tuple[Mapping, ...] = ()

    def summary(self) -> str:
        """Say what feeds the function and how that goes."""
        shown = (
            f"{m.source_name or m.uuid} {m.state}" + (f", last result {m.last_result}" if m.last_result else "")
            for m in self.mappings
        )
        return f"{len(self.mappings)} event source mappings" + "".join(f"; {text}" for text in shown)


class SourceQueue(Evidence, kind="lambda.source_queue"):
    """How long a queue that feeds the function hides a message that was handed out."""

    queue: str
    visibility_seconds: int

    def summary(self) -> str:
        """Say how long a message stays hidden."""
        return f"{self.queue.rsplit(':', 1)[-1]} hides a received message for {self.visibility_seconds} s"


class Grant(Value):
    """One statement of a resource policy: who may do what, under which source."""

    sid: str = ""
    effect: str = "Allow"
    principals: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()  # values of aws:SourceArn and aws:SourceAccount conditions


class ResourcePolicy(Evidence, kind="lambda.resource_policy"):
    """Who may invoke the function by its own policy; `readable` is False when it was not JSON."""

    grants: tuple[Grant, ...] = ()
    readable: bool = True

    def allows(self, principal: str) -> bool:
        """Tell whether any statement lets the principal in; conditions are not evaluated."""
        return any(g.effect == "Allow" and ({"*", principal} & set(g.principals)) for g in self.grants)

    def summary(self) -> str:
        """Say who is let in."""
        if not self.readable:
            return "the resource policy is not JSON"
        shown = (f"{g.effect} {', '.join(g.principals) or 'nobody'}" for g in self.grants)
        return "resource policy: " + ("; ".join(shown) or "none")


class AsyncSettings(Evidence, kind="lambda.async_settings"):
    """What happens to asynchronous events; AWS's defaults where nothing was set."""

    configured: bool
    retries: int = 2
    max_age_seconds: int = 21_600
    on_failure: str = ""
    on_success: str = ""

    def summary(self) -> str:
        """Say how long and how often an event is tried."""
        sink = self.on_failure or "nowhere"
        how = "" if self.configured else " (defaults)"
        return f"asynchronous events: {self.retries} retries, kept {self.max_age_seconds} s, failures go to {sink}{how}"


class Alias(Value):
    """An alias; `weights` are the shares (0 to 1) that go to other versions than its own."""

    name: str
    version: str
    weights: dict[str, float] = {}


class Aliases(Evidence, kind="lambda.aliases"):
    """The function's aliases."""

    aliases: tuple[Alias, ...] = ()

    def summary(self) -> str:
        """Say where each alias leads."""
        shown = (
            f"{a.name} = {a.version}" + "".join(f" + {share:.0%} to {version}" for version, share in a.weights.items())
            for a in self.aliases
        )
        return "aliases: " + (", ".join(shown) or "none")


class PublishedVersion(Value):
    """One published version and when it was made."""

    version: str
    last_modified: AwareDatetime | None = None
    code_sha256: str = ""


class Versions(Evidence, kind="lambda.versions"):
    """The function's versions, oldest first; `truncated`: there are more than were read."""

    versions: tuple[PublishedVersion, ...] = ()
    truncated: bool = False

    def summary(self) -> str:
        """Say how many there are and which is the newest that was read."""
        published = [v for v in self.versions if v.version != "$LATEST"]
        count = f"at least {len(published)}" if self.truncated else str(len(published))
        newest = published[-1] if published else None
        at = f", newest read {newest.version}" if newest else ""
        when = f" of {newest.last_modified:%Y-%m-%d %H:%M} UTC" if newest and newest.last_modified else ""
        return f"{count} published versions{at}{when}"


class LogGroup(Evidence, kind="lambda.log_group"):
    """Whether a log group of the function exists."""

    name: str
    exists: bool

    def summary(self) -> str:
        """Say whether there is anything to read."""
        return f"log group {self.name} {'exists' if self.exists else 'does not exist'}"


class InvocationReports(Evidence, kind="lambda.reports"):
    """What the platform reported at the end of invocations (and of failed initialisations), in time order."""

    log_group: str
    reports: tuple[Report, ...] = ()
    truncated: bool = False

    def summary(self) -> str:
        """Say how long invocations took and how much memory they used."""
        done = [r for r in self.reports if r.phase == "invoke"]
        if not done:
            return f"{len(self.reports)} platform reports in {self.log_group}, none of an invocation"
        slowest = max(r.duration_ms for r in done)
        used, size = max(r.max_memory_mb for r in done), max(r.memory_mb for r in done)
        cold = sum(r.init_ms is not None for r in done)
        return (
            f"{len(done)} invocations reported: slowest {slowest:.0f} ms, {cold} cold starts,"
            f" at most {used} of {size} MB used, {sum(r.failed for r in done)} ended badly"
        )
