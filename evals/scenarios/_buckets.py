"""Buckets of a scenario: whom they notify, their requests and keys, and people who change them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from evals.scenarios._functions import HISTORY_MINUTES, whole_minute
from sandbox.aws import signals
from sandbox.aws.world import World

CREATED = ["s3:ObjectCreated:*"]


def notify(world: World, bucket: str, queues: Sequence[str]) -> None:
    """Let a bucket tell queues, and nobody else, of new objects."""
    listed = [{"QueueArn": arn, "Events": CREATED} for arn in queues]
    world.client("s3").put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"QueueConfigurations": listed}
    )


def notification(*functions: str, queues: Sequence[str] = ()) -> Mapping[str, Any]:
    """Return a notification configuration as CloudTrail writes it down."""
    named = [{"Event": CREATED[0], "CloudFunction": arn} for arn in functions]
    return {
        "CloudFunctionConfiguration": named,
        "QueueConfiguration": [{"Event": CREATED[0], "Queue": q} for q in queues],
    }


def admit(world: World, function: str, bucket: str) -> None:
    """Let a bucket of the same account invoke a function."""
    world.client("lambda").add_permission(
        FunctionName=function,
        StatementId=f"from-{bucket}",
        Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com",
        SourceArn=f"arn:aws:s3:::{bucket}",
        SourceAccount=world.account,
    )


def bucket_changed(world: World, name: str, bucket: str, /, *, who: str, minutes: float, **request: Any) -> str:
    """Record that somebody changed a bucket some minutes ago; `name` is CloudTrail's. Returns the event's id."""
    kind = [("AWS::S3::Bucket", bucket)]
    return signals.cloudtrail_event(
        world, name, "s3", kind, who=who, when=world.ago(minutes=minutes), request={"bucketName": bucket, **request}
    )


def requests_of(world: World, bucket: str, name: str, a_minute: float, since: datetime, *, usual: float = 0.0) -> None:
    """Report four hours of a request metric of a bucket that has the filter EntireBucket."""
    kept = {"MetricsConfigurationList": [{"Id": "EntireBucket"}]}
    world.aws.serve("s3", "ListBucketMetricsConfigurations", kept, when={"Bucket": bucket}, region=world.region)
    start = whole_minute(world, HISTORY_MINUTES)
    times = [start + timedelta(minutes=n) for n in range(HISTORY_MINUTES)]
    rates = [a_minute if at >= since else usual for at in times]
    where = {"BucketName": bucket, "FilterId": "EntireBucket"}
    signals.metric(
        world, "AWS/S3", name, where, [{1.0: r} if r else {0.0: 1} for r in rates], start=start, unit="Count"
    )


def key_of(world: World, bucket: str, *, description: str) -> str:
    """Make a key and let a bucket encrypt with it, without a bucket key; returns the key's ARN."""
    arn: str = world.client("kms").create_key(Description=description)["KeyMetadata"]["Arn"]
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": arn}
    rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": False}
    world.client("s3").put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    return arn


def key_changed(world: World, name: str, key: str, *, who: str, minutes: float, **request: Any) -> str:
    """Record that somebody changed a key some minutes ago. Returns the event's id."""
    return signals.cloudtrail_event(
        world,
        name,
        "kms",
        [("AWS::KMS::Key", key)],
        who=who,
        when=world.ago(minutes=minutes),
        request={"keyId": key, **request},
    )
