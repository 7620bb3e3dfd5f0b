"""What the SNS specialist can see of a topic: its state and key, its subscriptions, its endpoints, what failed."""

from typing import Literal

from pydantic import AwareDatetime

from domain.evidence import Evidence
from domain.values import Value
from specialists.kit.policies import Policy, Verdict


class TopicState(Evidence, kind="sns.topic"):
    """The topic as GetTopicAttributes tells, or that there is none.

    `key_id` is KmsMasterKeyId as set: an id, an ARN or "alias/…", empty without encryption. `logged` are the protocols
    whose failed deliveries SNS logs ("SQS", "Lambda"). `http_retries` is the delivery policy's numRetries.
    """

    exists: bool
    name: str
    key_id: str = ""
    policy: Policy = Policy()
    confirmed: int = 0
    pending: int = 0
    logged: tuple[str, ...] = ()
    http_retries: int | None = None
    delivery_policy_problem: str = ""

    def summary(self) -> str:
        """Say how it is set up."""
        if not self.exists:
            return f"There is no topic {self.name}"
        key = f"encrypted with {self.key_id}" if self.key_id else "not encrypted with KMS"
        unread = f"; its policy cannot be read: {self.policy.problem}" if self.policy.problem else ""
        logs = f", failed deliveries to {'/'.join(self.logged)} are logged" if self.logged else ""
        return f"Topic {self.name}: {self.confirmed} subscriptions, {self.pending} not confirmed, {key}{logs}{unread}"


class Subscriber(Value):
    """One subscription of the list; `endpoint` is an ARN, a host, or empty for a person's address.

    `arn` is empty while the subscription is not confirmed: SNS gives none then.
    """

    arn: str = ""
    protocol: str
    endpoint: str = ""
    confirmed: bool = True

    def __str__(self) -> str:
        name = self.endpoint.rsplit(":", 1)[-1]
        return f"{self.protocol} `{name}`" if name else self.protocol


class Subscriptions(Evidence, kind="sns.subscriptions"):
    """The topic's subscriptions, as ListSubscriptionsByTopic tells; `truncated`: there are more."""

    subscribers: tuple[Subscriber, ...] = ()
    truncated: bool = False

    @property
    def pending(self) -> tuple[Subscriber, ...]:
        """Those that were never confirmed."""
        return tuple(one for one in self.subscribers if not one.confirmed)

    def summary(self) -> str:
        """Count them by protocol."""
        protocols = ", ".join(sorted({one.protocol for one in self.subscribers}))
        count = f"{'at least ' if self.truncated else ''}{len(self.subscribers)} subscriptions"
        waiting = f", {len(self.pending)} not confirmed" if self.pending else ""
        listed = f" ({protocols})" if protocols else ""
        return f"{count}{listed}{waiting}"


class SubscriptionSettings(Evidence, kind="sns.subscription"):
    """One subscription's own settings.

    `filter_policy` is its JSON text, at most 500 characters; `scope` what it is compared with, "MessageAttributes" or
    "MessageBody"; `problem` says which of its JSON settings cannot be understood.
    """

    subscription: str
    subscriber: Subscriber
    filter_policy: str = ""
    filter_keys: tuple[str, ...] = ()
    scope: str = "MessageAttributes"
    dead_letter_arn: str = ""
    raw: bool = False
    problem: str = ""

    def summary(self) -> str:
        """Say what it lets through and where failures go."""
        filtered = f"only {self.filter_policy[:120]} ({self.scope})" if self.filter_policy else "everything"
        kept = f"failures go to {self.dead_letter_arn.rsplit(':', 1)[-1]}" if self.dead_letter_arn else "no DLQ"
        return f"Subscription {self.subscriber}: {filtered}, {kept}" + (f"; {self.problem}" if self.problem else "")


class Endpoint(Evidence, kind="sns.endpoint"):
    """A queue or function that the topic delivers to, or a dead-letter queue: may SNS reach it?

    `verdict` is what its resource policy says to this topic; `key_id` the KMS key of an encrypted queue; `unread` says
    why nothing is known.
    """

    arn: str
    role: Literal["subscriber", "dead-letter queue"] = "subscriber"
    exists: bool = True
    verdict: Verdict = Verdict.UNCLEAR
    key_id: str = ""
    unread: str = ""

    @property
    def refuses(self) -> bool:
        """Whether a delivery to it cannot succeed."""
        if self.unread:
            return False
        return not self.exists or self.verdict in {Verdict.SILENT, Verdict.DENIED} or self.key_id == "alias/aws/sqs"

    @property
    def why(self) -> str:
        """Why a delivery cannot succeed, to go on after its name."""
        if not self.exists:
            return "does not exist"
        if self.verdict is Verdict.DENIED:
            return "explicitly denies this topic in its policy"
        if self.verdict is Verdict.SILENT:
            return "does not let this topic in by its policy"
        return "is encrypted with alias/aws/sqs, which SNS may not use"

    def remedy(self, topic: str) -> str:
        """Say what would let the topic's messages in."""
        name = f"`{self.arn.rsplit(':', 1)[-1]}`"
        if not self.exists:
            return f"Recreate {name}, or take it out of the topic's subscriptions."
        if self.verdict is Verdict.DENIED:
            return f"Take this topic out of the Deny in the policy of {name}."
        if self.verdict is Verdict.SILENT:
            action = "lambda:InvokeFunction" if ":function:" in self.arn else "sqs:SendMessage"
            return (
                f"Allow sns.amazonaws.com to call {action} in the policy of {name}, on condition that aws:SourceArn is"
                f" {topic}."
            )
        return f"Encrypt {name} with a key of your own whose policy lets sns.amazonaws.com use it."

    def summary(self) -> str:
        """Say whether SNS may deliver."""
        name = f"The {self.role} {self.arn}"
        if self.unread:
            return f"{name} was not looked at: {self.unread}"
        return (
            f"{name} {self.why}" if self.refuses else f"{name} exists; its policy's word on this topic: {self.verdict}"
        )


class KeyPolicy(Evidence, kind="sns.key_policy"):
    """What the key's policy says to AWS services that publish to the topic, by their principals' names."""

    key_arn: str
    verdicts: dict[str, Verdict]

    @property
    def shut_out(self) -> tuple[str, ...]:
        """The services that may not use the key."""
        return tuple(s for s, verdict in self.verdicts.items() if verdict in {Verdict.SILENT, Verdict.DENIED})

    def summary(self) -> str:
        """Name the services that may not use the key."""
        return f"By the policy of {self.key_arn}, " + ", ".join(
            f"{service} is {verdict}" for service, verdict in self.verdicts.items()
        )


class AlarmAction(Evidence, kind="sns.alarm_action"):
    """What came of one attempt of a CloudWatch alarm to publish to the topic."""

    alarm: str
    succeeded: bool
    text: str

    def summary(self) -> str:
        """Say whether it could publish."""
        return f"Alarm {self.alarm} {'published' if self.succeeded else 'could not publish'}: {self.text[:300]}"


class DeliveryFailure(Value):
    """One line of the delivery status log; `status` is the endpoint's HTTP status, None when there was none."""

    at: AwareDatetime
    destination: str
    status: int | None = None
    response: str = ""


class DeliveryFailures(Evidence, kind="sns.delivery_failures"):
    """Failed deliveries in SNS's own log. Not `logged`: delivery status logging has never written for this topic."""

    log_group: str
    logged: bool
    failures: tuple[DeliveryFailure, ...] = ()
    truncated: bool = False

    def summary(self) -> str:
        """Count them and show the first."""
        if not self.logged:
            return f"There is no delivery log {self.log_group}"
        count = f"{'at least ' if self.truncated else ''}{len(self.failures)} failed deliveries in {self.log_group}"
        first = self.failures[0] if self.failures else None
        return f"{count}; first: {first.destination} {first.status or ''} {first.response[:160]}" if first else count
