"""What the S3 specialist can see of a bucket: where it is, who may use it, its key, and whom it notifies."""

from typing import Literal

from domain.evidence import Evidence
from domain.values import Value
from specialists.kit.policies import Policy, Verdict


class BucketState(Evidence, kind="s3.bucket"):
    """Whether the bucket exists, and its Region; `from_region` is the Region that everything else was read in."""

    exists: bool
    name: str
    region: str = ""
    from_region: str = ""

    @property
    def elsewhere(self) -> bool:
        """Whether its metrics, changes, key and destinations lie in another Region than the one that was read."""
        return self.exists and bool(self.from_region) and self.region != self.from_region

    def summary(self) -> str:
        """Say where it is."""
        return f"Bucket {self.name} is in {self.region}" if self.exists else f"There is no bucket {self.name}"


class BucketPolicy(Evidence, kind="s3.policy"):
    """The bucket policy. Not `configured`: there is none."""

    configured: bool
    policy: Policy = Policy()

    @property
    def opens_to_all(self) -> bool:
        """Whether a statement allows something to everybody."""
        return any(one.allows and "*" in one.principals and not one.inverted for one in self.policy.statements)

    def summary(self) -> str:
        """Count what it allows and denies."""
        if not self.configured:
            return "There is no bucket policy"
        if self.policy.problem:
            return f"The bucket policy cannot be read: {self.policy.problem}"
        denying = sum(not one.allows for one in self.policy.statements)
        return f"Bucket policy with {len(self.policy.statements)} statements, {denying} of them Deny"


class PolicyStatus(Evidence, kind="s3.policy_status"):
    """Whether S3 counts the bucket policy as public."""

    public: bool

    def summary(self) -> str:
        """Say it."""
        return f"S3 counts the bucket policy as {'public' if self.public else 'not public'}"


class PublicAccess(Evidence, kind="s3.public_access_block"):
    """Block Public Access of the bucket; the account's own setting may be stricter. Not `configured`: all is off."""

    configured: bool
    block_acls: bool = False
    ignore_acls: bool = False
    block_policy: bool = False
    restrict_buckets: bool = False

    @property
    def stops_reads(self) -> bool:
        """Whether it takes public access away that an ACL or a policy gives."""
        return self.ignore_acls or self.restrict_buckets

    def summary(self) -> str:
        """Name what is on."""
        names = {
            "BlockPublicAcls": self.block_acls,
            "IgnorePublicAcls": self.ignore_acls,
            "BlockPublicPolicy": self.block_policy,
            "RestrictPublicBuckets": self.restrict_buckets,
        }
        return "Block Public Access: " + (", ".join(name for name, on in names.items() if on) or "off")


class Encryption(Evidence, kind="s3.encryption"):
    """Default encryption: "AES256", "aws:kms", ...; `key_id` is empty with S3's own key."""

    algorithm: str = ""
    key_id: str = ""
    bucket_key: bool = False

    @property
    def by_customer_key(self) -> bool:
        """Whether new objects are encrypted with a customer's KMS key."""
        return self.algorithm.startswith("aws:kms") and bool(self.key_id) and "alias/aws/" not in self.key_id

    def summary(self) -> str:
        """Say how new objects are encrypted."""
        key = f" with {self.key_id}" if self.key_id else ""
        return f"Default encryption {self.algorithm or 'not set'}{key}, bucket key {'on' if self.bucket_key else 'off'}"


class Ownership(Evidence, kind="s3.ownership"):
    """Object ownership: with "BucketOwnerEnforced" ACLs are off. Empty when never set."""

    setting: str = ""

    def summary(self) -> str:
        """Say it."""
        return f"Object ownership {self.setting or 'not set'}"


class Versioning(Evidence, kind="s3.versioning"):
    """Versioning: "Enabled", "Suspended", or empty when it was never on."""

    status: str = ""

    def summary(self) -> str:
        """Say whether deleted objects can come back."""
        return f"Versioning {self.status or 'off'}"


class Expiry(Value):
    """One enabled lifecycle rule that deletes current objects; `days` is None where it names a date."""

    rule: str = ""
    prefix: str = ""
    days: int | None = None


class Lifecycle(Evidence, kind="s3.lifecycle"):
    """The lifecycle rules that delete objects."""

    expiries: tuple[Expiry, ...] = ()

    def summary(self) -> str:
        """Name them."""
        if not self.expiries:
            return "No lifecycle rule deletes objects"
        return "Lifecycle rules delete: " + ", ".join(
            f"{one.prefix or 'everything'} after {f'{one.days} days' if one.days is not None else 'a date'}"
            for one in self.expiries[:5]
        )


class Destination(Value):
    """One notification: for which events and keys, and to whom."""

    arn: str
    events: tuple[str, ...] = ()
    prefix: str = ""
    suffix: str = ""

    @property
    def name(self) -> str:
        """The last part of the ARN."""
        return self.arn.rsplit(":", 1)[-1]

    def takes(self, key: str) -> bool:
        """Tell whether its filter lets an object of that key through."""
        return key.startswith(self.prefix) and key.endswith(self.suffix)


class Notifications(Evidence, kind="s3.notifications"):
    """The bucket's notification configuration."""

    destinations: tuple[Destination, ...] = ()
    eventbridge: bool = False

    def summary(self) -> str:
        """Name the destinations."""
        named = ", ".join(
            f"{one.name} ({', '.join(one.events)}{f', {one.prefix}*{one.suffix}' if one.prefix or one.suffix else ''})"
            for one in self.destinations[:5]
        )
        return f"Notifies {named or 'nobody'}{', EventBridge is on' if self.eventbridge else ''}"


class Receiver(Evidence, kind="s3.receiver"):
    """A function, queue or topic that the bucket notifies or may be meant to: does its policy let the bucket in?

    `unread` says why nothing is known.
    """

    arn: str
    sort: Literal["function", "queue", "topic"] = "function"
    exists: bool = True
    verdict: Verdict = Verdict.UNCLEAR
    unread: str = ""

    @property
    def name(self) -> str:
        """The last part of the ARN."""
        return self.arn.rsplit(":", 1)[-1]

    @property
    def refuses(self) -> bool:
        """Whether a notification to it cannot succeed."""
        return not self.unread and (not self.exists or self.verdict in {Verdict.SILENT, Verdict.DENIED})

    def summary(self) -> str:
        """Say whether S3 may notify it."""
        if self.unread:
            return f"The {self.sort} {self.arn} was not looked at: {self.unread}"
        if not self.exists:
            return f"The {self.sort} {self.arn} does not exist"
        return f"The {self.sort} {self.arn} exists; its policy's word on this bucket: {self.verdict}"


class MetricsConfiguration(Evidence, kind="s3.metrics_configuration"):
    """The filters that request metrics are kept for; without one S3 counts no requests."""

    filters: tuple[str, ...] = ()

    def summary(self) -> str:
        """Name them."""
        return f"Request metrics: {', '.join(self.filters) or 'not kept'}"
