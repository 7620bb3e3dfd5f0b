"""Buckets of a scenario: whom they notify, and people who change them."""

from collections.abc import Mapping, Sequence
from typing import Any

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
