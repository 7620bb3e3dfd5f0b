"""Buckets that no longer tell their functions of new objects."""

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._buckets import admit, bucket_changed, notification, notify
from evals.scenarios._functions import CODE, HISTORY_MINUTES, changed, deploy, traffic, whole_minute
from sandbox.aws import resources, signals
from sandbox.aws.resources import allow, policy_document
from sandbox.aws.signals import counted
from sandbox.aws.world import World


@scenario(Kind.SINGLE, "s3")
def second_stack_took_the_notifications_over(world: World) -> Expect:
    """Another team's stack put its queue into the notifications of the scans' bucket, and with that took scan-index
    out of them: a bucket has one configuration, and the last to write it wins."""
    name = "clinic-scans-inbox"
    bucket = resources.bucket(world, name)
    may = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage"}
    audit = world.arn("sqs", "scan-audit")
    resources.queue(world, "scan-audit", Policy=policy_document({**may, "Resource": audit}))
    index = deploy(world, "scan-index", "python3.12", allow(["s3:GetObject"], f"{bucket}/*"), memory=512)
    thumb = deploy(world, "scan-thumb", "nodejs22.x")
    admit(world, index.name, name)
    notify(world, name, [audit])
    runs = [counted(7) if minute < HISTORY_MINUTES - 85 else None for minute in range(HISTORY_MINUTES)]
    start = whole_minute(world, HISTORY_MINUTES)
    signals.metric(world, "AWS/Lambda", "Invocations", {"FunctionName": index.name}, runs, start=start, unit="Count")
    traffic(thumb, 7, 210)
    first, last = notification(index.arn), notification(queues=[audit])
    bucket_changed(world, "PutBucketNotification", name, who="scans-tf", minutes=1260, NotificationConfiguration=first)
    bucket_changed(world, "PutBucketNotification", name, who="audit-tf", minutes=85.5, NotificationConfiguration=last)
    changed(index, CODE, who="ci-scans", when=world.ago(hours=5), publish=False)
    return Expect(
        f"bucket {name} does not start function scan-index",
        cause="s3-notification-missing",
        resource=bucket,
        innocent=(audit, index.arn, index.role_arn, thumb.arn),
    )
