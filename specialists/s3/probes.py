"""What the S3 specialist looks at: the bucket's place, policies, encryption and past, its requests and callers."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from aws.reads import read
from domain.arn import Arn, arns_in
from domain.evidence import Evidence
from domain.trace import TraceCall
from specialists.contract import Look, Probe, probe
from specialists.kit.answers import absent
from specialists.kit.change import Change, ChangeCount
from specialists.kit.changes import LOOKUP_EVENTS, counted_changes
from specialists.kit.key import KeyState
from specialists.kit.keys import DESCRIBE_KEY, key_changes, key_state
from specialists.kit.loglines import LogLines
from specialists.kit.logs import FILTER_LOG_EVENTS, callers_logs
from specialists.kit.metrics import GET_METRIC_DATA, Metric, metric_series
from specialists.kit.overheard import failed_calls
from specialists.kit.policies import policy_of
from specialists.kit.series import MetricSeries
from specialists.s3.evidence import (
    BucketPolicy,
    BucketState,
    Encryption,
    Expiry,
    Lifecycle,
    MetricsConfiguration,
    Ownership,
    PolicyStatus,
    PublicAccess,
    Versioning,
)
from specialists.s3.metrics import NAMES, NAMESPACE
from specialists.s3.probes_notifications import NOTIFICATION_PROBES
from specialists.s3.signs import MENTIONS

GONE = "NoSuchBucket"
REGIONS = {"": "us-east-1", "EU": "eu-west-1"}
"""How GetBucketLocation names the two oldest Regions."""

MAX_FILTERS = 5
MAX_KEYS = 3


@probe(read("s3", "GetBucketLocation"), yields=(BucketState,))
def bucket(look: Look) -> Iterator[Evidence]:
    """Reads in which Region the bucket is, or finds that there is no such bucket."""
    answer: Mapping[str, Any] | None = absent(lambda: look.aws.s3.get_bucket_location(Bucket=look.target.name), GONE)
    place = "" if answer is None else answer.get("LocationConstraint") or ""  # us-east-1 is told as null
    yield BucketState(
        resource=look.target.id,
        source="s3:GetBucketLocation",
        exists=answer is not None,
        name=look.target.name,
        region="" if answer is None else REGIONS.get(place, place),
        from_region=look.aws.s3.meta.region_name,
    )


@probe(read("s3", "GetBucketPolicy"), yields=(BucketPolicy,))
def bucket_policy(look: Look) -> Iterator[Evidence]:
    """Reads the bucket policy, statement by statement."""
    answer = _setting(lambda: look.aws.s3.get_bucket_policy(Bucket=look.target.name), "NoSuchBucketPolicy")
    if answer is not None:
        yield BucketPolicy(
            resource=look.target.id,
            source="s3:GetBucketPolicy",
            configured=bool(answer),
            policy=policy_of(answer.get("Policy", "")),
        )


@probe(read("s3", "GetBucketPolicyStatus"), yields=(PolicyStatus,))
def policy_status(look: Look) -> Iterator[Evidence]:
    """Reads whether S3 counts the bucket policy as public."""
    answer = _setting(lambda: look.aws.s3.get_bucket_policy_status(Bucket=look.target.name), "NoSuchBucketPolicy")
    if answer is not None:
        public = answer.get("PolicyStatus", {}).get("IsPublic", False)
        yield PolicyStatus(resource=look.target.id, source="s3:GetBucketPolicyStatus", public=public)


@probe(read("s3", "GetPublicAccessBlock", "s3:GetBucketPublicAccessBlock"), yields=(PublicAccess,))
def public_access(look: Look) -> Iterator[Evidence]:
    """Reads the bucket's Block Public Access settings; the account's are not read."""
    answer = _setting(
        lambda: look.aws.s3.get_public_access_block(Bucket=look.target.name), "NoSuchPublicAccessBlockConfiguration"
    )
    if answer is not None:
        found = answer.get("PublicAccessBlockConfiguration", {})
        yield PublicAccess(
            resource=look.target.id,
            source="s3:GetPublicAccessBlock",
            configured=bool(found),
            block_acls=found.get("BlockPublicAcls", False),
            ignore_acls=found.get("IgnorePublicAcls", False),
            block_policy=found.get("BlockPublicPolicy", False),
            restrict_buckets=found.get("RestrictPublicBuckets", False),
        )


@probe(read("s3", "GetBucketEncryption", "s3:GetEncryptionConfiguration"), yields=(Encryption,))
def encryption(look: Look) -> Iterator[Evidence]:
    """Reads how new objects are encrypted, and with which key."""
    answer = _setting(
        lambda: look.aws.s3.get_bucket_encryption(Bucket=look.target.name),
        "ServerSideEncryptionConfigurationNotFoundError",
    )
    if answer is not None:
        rules = answer.get("ServerSideEncryptionConfiguration", {}).get("Rules") or [{}]
        default = rules[0].get("ApplyServerSideEncryptionByDefault", {})
        yield Encryption(
            resource=look.target.id,
            source="s3:GetBucketEncryption",
            algorithm=default.get("SSEAlgorithm", ""),
            key_id=default.get("KMSMasterKeyID", ""),
            bucket_key=rules[0].get("BucketKeyEnabled", False),
        )


@probe(read("s3", "GetBucketOwnershipControls"), yields=(Ownership,))
def ownership(look: Look) -> Iterator[Evidence]:
    """Reads whether ACLs are off for the bucket's objects."""
    answer = _setting(
        lambda: look.aws.s3.get_bucket_ownership_controls(Bucket=look.target.name), "OwnershipControlsNotFoundError"
    )
    if answer is not None:
        rules = answer.get("OwnershipControls", {}).get("Rules") or [{}]
        setting = rules[0].get("ObjectOwnership", "")
        yield Ownership(resource=look.target.id, source="s3:GetBucketOwnershipControls", setting=setting)


@probe(read("s3", "GetBucketVersioning"), yields=(Versioning,))
def versioning(look: Look) -> Iterator[Evidence]:
    """Reads whether deleted and overwritten objects are kept as versions."""
    answer = _setting(lambda: look.aws.s3.get_bucket_versioning(Bucket=look.target.name))
    if answer is not None:
        status = answer.get("Status", "")
        yield Versioning(resource=look.target.id, source="s3:GetBucketVersioning", status=status)


@probe(read("s3", "GetBucketLifecycleConfiguration", "s3:GetLifecycleConfiguration"), yields=(Lifecycle,))
def lifecycle(look: Look) -> Iterator[Evidence]:
    """Reads which lifecycle rules delete objects, and of which prefix."""
    answer = _setting(
        lambda: look.aws.s3.get_bucket_lifecycle_configuration(Bucket=look.target.name), "NoSuchLifecycleConfiguration"
    )
    if answer is not None:
        rules = [one for one in answer.get("Rules", []) if one.get("Status") == "Enabled" and one.get("Expiration")]
        yield Lifecycle(
            resource=look.target.id,
            source="s3:GetBucketLifecycleConfiguration",
            expiries=tuple(
                Expiry(
                    rule=one.get("ID", ""),
                    prefix=_prefix(one),
                    days=one["Expiration"].get("Days"),
                )
                for one in rules
                if {"Days", "Date"} & set(one["Expiration"])
            ),
        )


@probe(DESCRIBE_KEY, needs=(Encryption,), yields=(KeyState,))
def default_key(look: Look) -> Iterator[Evidence]:
    """Reads whether the KMS key of the bucket's default encryption can be used."""
    found = look.seen.first(Encryption, look.target.id)
    if found is not None and found.by_customer_key:
        yield from _key_state(look, found.key_id)


@probe(DESCRIBE_KEY, needs=(TraceCall,), yields=(KeyState,))
def keys_in_errors(look: Look) -> Iterator[Evidence]:
    """Reads the state of the KMS keys that the trace's errors name: an object's key need not be the default one."""
    texts = (error.message for call in failed_calls(look.seen, look.target.id) for error in call.errors)
    named = dict.fromkeys(arn for text in texts for arn in arns_in(text) if ":kms:" in arn)
    for arn in list(named)[:MAX_KEYS]:
        yield from _key_state(look, arn)


@probe(LOOKUP_EVENTS, needs=(KeyState,), yields=(Change,))
def changes_of_keys(look: Look) -> Iterator[Evidence]:
    """Reads who disabled a KMS key of the bucket's objects or scheduled its deletion, where it cannot be used."""
    yield from key_changes(look)


@probe(
    read("s3", "ListBucketMetricsConfigurations", "s3:GetMetricsConfiguration"),
    GET_METRIC_DATA,
    yields=(MetricsConfiguration, MetricSeries),
)
def requests(look: Look) -> Iterator[Evidence]:
    """Reads the bucket's requests and their 4xx and 5xx errors, where request metrics are switched on."""
    answer = _setting(lambda: look.aws.s3.list_bucket_metrics_configurations(Bucket=look.target.name))
    if answer is None:
        return
    filters = [one["Id"] for one in answer.get("MetricsConfigurationList", [])]
    yield MetricsConfiguration(
        resource=look.target.id, source="s3:ListBucketMetricsConfigurations", filters=tuple(filters)
    )
    wanted = [
        Metric(NAMESPACE, name, {"BucketName": look.target.name, "FilterId": one})
        for one in filters[:MAX_FILTERS]
        for name in NAMES
    ]
    yield from metric_series(look, wanted)


@probe(LOOKUP_EVENTS, yields=(Change, ChangeCount))
def bucket_changes(look: Look) -> Iterator[Evidence]:
    """Reads who changed the bucket in the day before: policy, public access, notifications, encryption, deletion."""
    yield from counted_changes(look, look.target.name)


@probe(FILTER_LOG_EVENTS, yields=(LogLines,))
def caller_errors(look: Look) -> Iterator[Evidence]:
    """Reads S3's errors in the logs of the functions that call the bucket, where the trace does not hold them."""
    if any(call.errors for call in failed_calls(look.seen, look.target.id)):
        return
    yield from callers_logs(look, "?S3 ?s3 ?NoSuch ?AccessDenied ?SlowDown ?Object ?Bucket", "S3", MENTIONS)


def _setting(call: Callable[[], Any], unset: str = "") -> Any:
    """Return a setting of the bucket, {} where it was never made; None without the bucket, which `bucket` tells."""
    return absent(lambda: absent(call, unset) or {}, GONE)


def _prefix(rule: Any) -> str:
    filtered = rule.get("Filter", {})
    return str(filtered.get("Prefix") or filtered.get("And", {}).get("Prefix") or rule.get("Prefix") or "")


def _key_state(look: Look, key_id: str) -> Iterator[KeyState]:
    """Yield the key's state; a key of another Region answers here like one that does not exist, so it is left out."""
    here = look.aws.kms.meta.region_name
    if key_id.startswith("arn:") and Arn.parse(key_id).region != here:
        return
    yield key_state(look, key_id)


PROBES: tuple[Probe, ...] = (
    bucket,
    bucket_policy,
    policy_status,
    public_access,
    encryption,
    ownership,
    versioning,
    lifecycle,
    default_key,
    keys_in_errors,
    changes_of_keys,
    *NOTIFICATION_PROBES,
    requests,
    bucket_changes,
    caller_errors,
)
