"""Buckets of whose trouble no trace tells: an alarm, or a function that never ran."""

from datetime import timedelta

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._alarms import metric_alarm
from evals.scenarios._buckets import bucket_changed, notification, notify, requests_of
from evals.scenarios._functions import CODE, changed, deploy, whole_minute
from sandbox.aws import resources, signals
from sandbox.aws.resources import allow
from sandbox.aws.world import World


@scenario(Kind.ALARM, "s3")
def press_kit_no_longer_public(world: World) -> Expect:
    """The press kit is read by everybody through its bucket's policy. Security switched Block Public Access on, and
    each anonymous read is a 403: nothing is traced, the alarm on 4xx is all there is."""
    name = "press-kit-public"
    everybody = {"Sid": "PublicRead", "Principal": "*", **allow(["s3:GetObject"], f"arn:aws:s3:::{name}/*")}
    bucket = resources.bucket(world, name, policy=(everybody,))
    other = resources.bucket(world, "press-kit-drafts")
    blocked = {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": True,
        "RestrictPublicBuckets": True,
    }
    world.client("s3").put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=blocked)
    began = whole_minute(world, 18)
    bucket_changed(
        world,
        "PutBucketPublicAccessBlock",
        name,
        who="sec-baseline",
        minutes=18.3,
        PublicAccessBlockConfiguration=blocked,
    )
    requests_of(world, name, "AllRequests", 700, began, usual=700)
    requests_of(world, name, "GetRequests", 700, began, usual=700)
    requests_of(world, name, "4xxErrors", 690, began, usual=2)
    where = {"BucketName": name, "FilterId": "EntireBucket"}
    text = metric_alarm(
        world, "press-kit-4xx", ("AWS/S3", "4xxErrors"), where, began + timedelta(minutes=2), value=690, threshold=50
    )
    return Expect(
        text,
        cause="s3-block-public-access",
        resource=bucket,
        trigger=bucket,
        says=("sec-baseline",),
        innocent=(other,),
    )


@scenario(Kind.SINGLE, "s3")
def notification_that_was_never_taken(world: World) -> Expect:
    """The first deployment of intake put the bucket's notification before the permission: S3 refused it, so nothing
    has ever started the function."""
    name = "claims-intake-drop"
    bucket = resources.bucket(world, name)
    audit = resources.queue(world, "claims-audit")
    intake = deploy(world, "claims-intake", "python3.12", allow(["s3:GetObject"], f"{bucket}/*"))
    refused = "Unable to validate the following destination configurations"
    signals.cloudtrail_event(
        world,
        "PutBucketNotification",
        "s3",
        [("AWS::S3::Bucket", name)],
        who="claims-tf",
        when=world.ago(minutes=52),
        request={"bucketName": name, "NotificationConfiguration": notification(intake.arn)},
        error=("InvalidArgument", refused),
    )
    notify(world, name, [])
    changed(intake, CODE, who="ci-claims", when=world.ago(minutes=30), publish=False)
    return Expect(
        f"bucket {name} does not start function claims-intake",
        cause="s3-notification-invalid-dest",
        resource=bucket,
        accept=(("s3-notification-invalid-dest", intake.arn),),
        innocent=(audit, intake.role_arn),
    )
