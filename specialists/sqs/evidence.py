"""What the SQS specialist can see of a queue: its settings, who reads it, its dead letters, its key and its past.

Evidence is about the resource it describes: a dead-letter queue's state has that queue's id, a consumer's its own.
"""

from pydantic import AwareDatetime

from domain.evidence import Evidence
from domain.values import Value

MAX_NAMED = 5
"""How many principals of a policy a summary names."""


class Redrive(Value):
    """Where messages go that were received `max_receives` times without being deleted."""

    target: str
    max_receives: int

    @property
    def attempts(self) -> str:
        """How often a message is received before it goes there, in words."""
        return f"{self.max_receives} receive{'' if self.max_receives == 1 else 's'}"


class Statement(Value):
    """One statement of a policy; principals are "*", an ARN or account ("AWS:…"), or "Service:sns.amazonaws.com".

    `negated` marks NotPrincipal, NotAction or NotResource, `conditional` a Condition: who it lets in is then not known
    from here.
    """

    allows: bool
    principals: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    negated: bool = False
    conditional: bool = False


class QueueState(Evidence, kind="sqs.queue"):
    """The queue as GetQueueAttributes tells, or that there is none; counts are those at the time of the look.

    `statements` is None without a policy; `unreadable` names attributes whose JSON could not be read.
    """

    exists: bool
    name: str
    fifo: bool = False
    visibility_seconds: int = 30
    retention_seconds: int = 345_600
    delay_seconds: int = 0
    max_message_bytes: int = 262_144
    redrive: Redrive | None = None
    statements: tuple[Statement, ...] | None = None
    unreadable: tuple[str, ...] = ()
    key: str = ""  # id, ARN or alias as configured; empty without KMS
    content_based_deduplication: bool = False
    deduplication_scope: str = ""
    visible: int = 0
    in_flight: int = 0
    created_at: AwareDatetime | None = None
    modified_at: AwareDatetime | None = None

    def summary(self) -> str:
        """Say its settings and how full it is."""
        if not self.exists:
            return f"There is no queue {self.name}"
        kind = "FIFO queue" if self.fifo else "standard queue"
        after = f"after {self.redrive.attempts} to {self.redrive.target}" if self.redrive else "none"
        key = f", encrypted with {self.key}" if self.key else ""
        broken = f", {' and '.join(self.unreadable)} unreadable" if self.unreadable else ""
        return (
            f"{kind} {self.name}: visibility timeout {self.visibility_seconds} s, retention {self.retention_seconds} s,"
            f" dead letters {after}{key}; {self.visible} visible and {self.in_flight} in flight now{broken}"
        )


class DeadLetterSources(Evidence, kind="sqs.dead_letter_sources"):
    """The queues whose failed messages come here; none when it is no dead-letter queue."""

    queues: tuple[str, ...] = ()
    truncated: bool = False

    def summary(self) -> str:
        """Name them."""
        names = ", ".join(queue.rsplit(":", 1)[-1] for queue in self.queues)
        return f"Dead-letter queue of {names}" + (" and more" if self.truncated else "") if names else "No dead letters"


class Consumer(Value):
    """One event source mapping that reads the queue; `state` is "Enabled", "Disabled", "Creating" …"""

    uuid: str
    function: str
    qualifier: str = ""
    state: str = "Enabled"
    state_reason: str = ""
    last_result: str = ""
    last_modified: AwareDatetime | None = None
    batch_size: int = 10
    window_seconds: int = 0
    filters: tuple[str, ...] = ()
    reports_item_failures: bool = False
    max_concurrency: int | None = None

    @property
    def enabled(self) -> bool:
        """Whether it reads the queue, or is about to."""
        return self.state in {"Enabled", "Enabling", "Creating", "Updating"}

    @property
    def name(self) -> str:
        """The function's name."""
        return self.function.rsplit(":", 1)[-1]


class Consumers(Evidence, kind="sqs.consumers"):
    """The event source mappings on the queue; programs that poll by themselves are not seen."""

    mappings: tuple[Consumer, ...] = ()

    def summary(self) -> str:
        """Say who reads it, and how that goes."""
        if not self.mappings:
            return "No Lambda function reads it"
        shown = (
            f"{m.name} ({m.state}{f', {m.last_result}' if m.last_result else ''}, batches of {m.batch_size})"
            for m in self.mappings
        )
        return "Read by " + ", ".join(shown)


class ConsumerFunction(Evidence, kind="sqs.consumer_function"):
    """The settings of a function that reads the queue, or that there is no such function."""

    exists: bool
    timeout_seconds: int = 3
    role: str = ""
    state: str = "Active"

    def summary(self) -> str:
        """Say its timeout and state."""
        if not self.exists:
            return "The consumer function does not exist"
        return f"Consumer function: timeout {self.timeout_seconds} s, state {self.state}"


class ConsumerConcurrency(Evidence, kind="sqs.consumer_concurrency"):
    """The reserved concurrency of a function that reads the queue; None: it uses the unreserved pool."""

    reserved: int | None

    def summary(self) -> str:
        """Say how much it has."""
        return "No reserved concurrency" if self.reserved is None else f"Reserved concurrency {self.reserved}"


class ConsumerAccess(Evidence, kind="sqs.consumer_access"):
    """What IAM's simulator says of the consumer's role reading `queue`: decisions by action ("implicitDeny" …).

    `resource` is the role. The queue's own policy is not part of the simulation.
    """

    queue: str
    decisions: dict[str, str]

    @property
    def denied(self) -> tuple[str, ...]:
        """The actions that are not allowed."""
        return tuple(sorted(action for action, decision in self.decisions.items() if decision != "allowed"))

    def summary(self) -> str:
        """Say what is missing."""
        queue = self.queue.rsplit(":", 1)[-1]
        return (
            f"The role's policies do not allow {', '.join(self.denied)} on {queue}"
            if self.denied
            else (f"The role's policies allow to read {queue}")
        )


class ConsumerDecrypt(Evidence, kind="sqs.consumer_decrypt"):
    """What IAM's simulator says of the consumer's role decrypting with a queue's key: "allowed", "implicitDeny" …

    `resource` is the role. The key's own policy is not part of the simulation.
    """

    key_arn: str
    decision: str

    def summary(self) -> str:
        """Say whether it may."""
        verb = "allow" if self.decision == "allowed" else "do not allow"
        return f"The role's policies {verb} kms:Decrypt with {self.key_arn}"


class KeyPolicy(Evidence, kind="sqs.key_policy"):
    """The policy of the queue's customer managed key; `statements` is None when its JSON could not be read."""

    statements: tuple[Statement, ...] | None

    def names(self, role: str) -> bool:
        """Whether it lets a role in whatever the role's own policies say: by name or with everybody."""
        known = {"*", f"AWS:{role}"}
        return any(s.allows and (s.negated or known & set(s.principals)) for s in self.statements or ())

    def lets_in(self, role: str) -> bool:
        """Whether it may let a role in: by name, with its account, with everybody, or in a way not known from here."""
        account = role.split(":")[4]
        known = {"*", f"AWS:{role}", f"AWS:{account}", f"AWS:{role.split(':role/', maxsplit=1)[0]}:root"}
        return self.statements is None or any(
            s.allows and (s.negated or known & set(s.principals)) for s in self.statements
        )

    def summary(self) -> str:
        """Name whom it lets in."""
        if self.statements is None:
            return "The key's policy is not JSON"
        found = sorted({p for s in self.statements if s.allows for p in s.principals})
        names = ", ".join(principal.split(":", 1)[-1] for principal in found[:MAX_NAMED])
        more = f" and {len(found) - MAX_NAMED} more" if len(found) > MAX_NAMED else ""
        return f"The key's policy lets in {names}{more}" if found else "The key's policy lets nobody in"
