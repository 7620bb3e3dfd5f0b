"""Requests that S3 refuses: by a policy, for a bucket that is gone, at the wrong Region, or without a reason told."""

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._buckets import bucket_changed
from evals.scenarios._functions import CODE, CONFIGURATION, changed, deploy, elsewhere, traffic, whole_minute
from evals.scenarios._journeys import Journey
from evals.scenarios._runtimes import go, java, node, python
from sandbox.aws import resources
from sandbox.aws.faults import ACCESS_DENIED, THROTTLED
from sandbox.aws.resources import allow, policy_document
from sandbox.aws.world import World


@scenario(Kind.SINGLE, "s3")
def bucket_closed_to_all_but_the_pipeline(world: World) -> Expect:
    """A new Deny in the policy of the contracts' bucket lets only the pipeline's role read: contract-view is refused
    though its own role may read."""
    name = "shop-contracts-7f31"
    only = {"StringNotLike": {"aws:PrincipalArn": world.arn("iam", "role/contract-pipeline")}}
    deny = allow(["s3:GetObject"], f"arn:aws:s3:::{name}/*", effect="Deny", **only)
    bucket = resources.bucket(world, name, policy=({"Sid": "OnlyPipeline", "Principal": "*", **deny},))
    view = deploy(world, "contract-view", "java21", allow(["s3:GetObject"], f"{bucket}/*"), memory=768)
    stage = resources.rest_api(world, "contracts", [("GET", "/contract", view.arn)])
    session = f"arn:aws:sts::{world.account}:assumed-role/{view.role}/{view.name}"
    fault = java(
        "software.amazon.awssdk.services.s3.model.S3Exception",
        f'User: {session} is not authorized to perform: s3:GetObject on resource: "{bucket}/2026/c-2291.pdf" with an '
        "explicit deny in a resource-based policy (Service: S3, Status Code: 403, Request ID: 7Q2M0D1XW5RYB3TN)",
        ("AwsXmlPredicatedResponseHandler.java", 155, "handleErrorResponse"),
        ("ContractView.java", 61, "com.shop.contracts.ContractView.read"),
    )
    traffic(view, 12, 140, fault=fault, since=whole_minute(world, 18))
    bucket_changed(world, "PutBucketPolicy", name, who="compliance", minutes=19.3, bucketPolicy=policy_document(deny))
    changed(view, CODE, who="ci-contracts", when=world.ago(hours=4), publish=False)
    journey = Journey(world, world.ago(minutes=3))
    parent = journey.api(stage, "GET", "/contract", view.name, 0.23, status=502)
    cause = journey.exception(fault, remote=True)
    call = journey.s3("GetObject", name, "2026/c-2291.pdf", 0.03, 0.04, status=403, cause=cause)
    journey.function(view, 0.006, 0.21, parent=parent, calls=[call], fault=fault)
    return Expect(
        journey.send(),
        cause="s3-access-denied",
        resource=bucket,
        accept=(("iam-resource-policy-deny", bucket),),
        innocent=(view.arn, view.role_arn, resources.rest_api_arn(world, stage)),
    )


@scenario(Kind.THROTTLED, "s3")
def bucket_deleted_as_unused(world: World) -> Expect:
    """A clean-up deleted the bucket of the avatars as unused; AWS throttles the bot's own reads meanwhile."""
    name, kept = "shop-avatars-02ce", resources.bucket(world, "shop-banners-02ce")
    missing = f"arn:aws:s3:::{name}"
    avatar = deploy(world, "avatar-get", "nodejs20.x", allow(["s3:GetObject"], [f"{missing}/*", f"{kept}/*"]))
    fault = node(
        "NoSuchBucket",
        "The specified bucket does not exist",
        ("/var/task/node_modules/@smithy/smithy-client/dist-cjs/index.js", 388, "throwDefaultError"),
        ("/var/task/index.mjs", 17, "avatar"),
    )
    traffic(avatar, 70, 38, fault=fault, since=whole_minute(world, 24), share=0.6)
    bucket_changed(world, "DeleteBucket", name, who="cost-sweeper", minutes=25.2)
    elsewhere(world, CONFIGURATION, "banner-get", who="ci-shop", when=world.ago(minutes=26), memorySize=512)
    journey = Journey(world, world.ago(minutes=5))
    banner = journey.s3("GetObject", "shop-banners-02ce", "spring.webp", 0.014, 0.02)
    call = journey.s3(
        "GetObject", name, "u/88213.webp", 0.035, 0.018, status=404, cause=journey.exception(fault, remote=True)
    )
    journey.function(avatar, 0.0, 0.068, calls=[banner, call], fault=fault)
    for service, operation in (("s3", "GetBucketLocation"), ("cloudtrail", "LookupEvents"), ("xray", "*")):
        world.aws.inject(service, operation, THROTTLED, times=2)
    return Expect(
        journey.send(), cause="s3-no-such-bucket", resource=missing, innocent=(kept, avatar.arn, avatar.role_arn)
    )


@scenario(Kind.FOREIGN, "s3")
def client_pinned_to_the_wrong_region(world: World) -> Expect:
    """The archive's bucket is in Frankfurt; since a change of its settings, archive-put asks for it in Ireland."""
    far = World(world.aws, world.now, f"{world.seed} far", region="eu-central-1", account=world.account)
    name = "shop-archive-fra"
    bucket = resources.bucket(far, name)
    put = deploy(world, "archive-put", "provided.al2023", allow(["s3:PutObject"], f"{bucket}/*"), Handler="bootstrap")
    said = (
        "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all "
        "future requests to this endpoint."
    )
    fault = go(
        "OperationError",
        "operation error S3: PutObject, https response error StatusCode: 301, RequestID: 3DPB81WFN2Q7YV0K, HostID: "
        f"mSf0eT3kQ=, api error PermanentRedirect: {said}",
    )
    traffic(put, 8, 95, fault=fault, since=whole_minute(world, 31))
    changed(
        put, CONFIGURATION, who="platform-tf", when=world.ago(minutes=32, seconds=10), environment={},
    )  # fmt: skip
    journey = Journey(world, world.ago(minutes=7))
    refused = journey.exception(go("PermanentRedirect", said), remote=True)
    call = journey.s3("PutObject", name, "2026/11/day.tar", 0.02, 0.031, status=301, cause=refused)
    journey.function(put, 0.0, 0.07, calls=[call], fault=fault)
    return Expect(journey.send(), cause="s3-wrong-region", resource=bucket, innocent=(put.role_arn,))


@scenario(Kind.INSUFFICIENT, "s3")
def partner_bucket_refuses_without_a_reason(world: World) -> Expect:
    """A partner's bucket answers Access Denied and no more, as S3 does across accounts: its policy, its key, or that
    the object is not there could be why, and none of it may be read from here."""
    partner = World(world.aws, world.now, f"{world.seed} partner", account="444455556666")
    name = "northwind-price-lists"
    bucket = resources.bucket(partner, name)
    feed = deploy(world, "price-feed", "python3.12", allow(["s3:GetObject"], f"{bucket}/*"), timeout=30)
    fault = python(
        "ClientError",
        "An error occurred (AccessDenied) when calling the GetObject operation: Access Denied",
        ("/var/lang/lib/python3.12/site-packages/botocore/client.py", 1094, "_make_api_call"),
        ("/var/task/app.py", 22, "download"),
    )
    traffic(feed, 2, 700, fault=fault, since=whole_minute(world, 35))
    changed(feed, CODE, who="ci-pricing", when=world.ago(days=3), publish=False)
    journey = Journey(world, world.ago(minutes=4))
    cause = journey.exception(fault, remote=True)
    call = journey.s3("GetObject", name, "eu/2026-11-21.csv", 0.03, 0.05, status=403, cause=cause)
    journey.function(feed, 0.0, 0.11, calls=[call], fault=fault)
    for operation in ("GetBucketPolicy", "GetBucketEncryption", "GetBucketLocation", "GetPublicAccessBlock"):
        world.aws.inject("s3", operation, ACCESS_DENIED)
    return Expect(
        journey.send(), status="inconclusive", innocent=(feed.arn, feed.role_arn), gaps=("s3:GetBucketPolicy",)
    )
