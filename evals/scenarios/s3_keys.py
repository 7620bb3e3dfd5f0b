"""Buckets whose objects are encrypted with a KMS key that stops their readers."""

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._buckets import bucket_changed, key_changed, key_of
from evals.scenarios._functions import CODE, changed, deploy, traffic, whole_minute
from evals.scenarios._journeys import Journey
from evals.scenarios._runtimes import go, java, python
from sandbox.aws import resources
from sandbox.aws.faults import ACCESS_DENIED
from sandbox.aws.resources import allow
from sandbox.aws.world import World


@scenario(Kind.CASCADE, "s3")
def receipts_under_a_key_to_be_deleted(world: World) -> Expect:
    """A clean-up scheduled the deletion of the key that encrypts the receipts: S3 answers the Go reader with 400, and
    front and API behind it fail."""
    name = "shop-receipts-5cc1"
    bucket = resources.bucket(world, name)
    key = key_of(world, name, description="receipts")
    world.client("kms").schedule_key_deletion(KeyId=key[-36:], PendingWindowInDays=30)
    may = (allow(["s3:GetObject"], f"{bucket}/*"), allow(["kms:Decrypt"], key))
    read = deploy(world, "receipt-read", "provided.al2023", *may, Handler="bootstrap", memory=128)
    front = deploy(world, "receipt-front", "python3.13", allow(["lambda:InvokeFunction"], read.arn))
    stage = resources.rest_api(world, "receipts", [("GET", "/receipt", front.arn)])
    began = whole_minute(world, 26)
    said = f"{key} is pending deletion."
    fault = go(
        "OperationError",
        "operation error S3: GetObject, https response error StatusCode: 400, RequestID: 9K2B7Q0XF3M1Z8TD, HostID: "
        f"b0Jd9w2s8Jk=, api error KMS.KMSInvalidStateException: {said}",
    )
    outer = python(
        "RuntimeError",
        "receipt-read answered with FunctionError=Unhandled",
        ("/var/task/front.py", 27, "receipt"),
        ("/var/task/front.py", 11, "handler"),
        milliseconds=130,
    )
    traffic(read, 45, 24, fault=fault, since=began)
    traffic(front, 45, 70, fault=outer, since=began)
    key_changed(world, "ScheduleKeyDeletion", key, who="cost-sweeper", minutes=26.4, pendingWindowInDays=30)
    changed(read, CODE, who="ci-receipts", when=world.ago(hours=3), publish=False)
    bucket_changed(world, "PutBucketLifecycle", name, who="storage-tf", minutes=340)
    journey = Journey(world, world.ago(minutes=4))
    parent = journey.api(stage, "GET", "/receipt", front.name, 0.15, status=502)
    invoke = journey.invoke(read.name, 0.03, 0.09, cause=journey.exception(outer, remote=True))
    journey.function(front, 0.005, 0.14, parent=parent, calls=[invoke], fault=outer)
    cause = journey.exception(go("KMS.KMSInvalidStateException", said), remote=True)
    call = journey.s3("GetObject", name, "2026/11/r-11921.pdf", 0.05, 0.03, status=400, cause=cause)
    journey.function(read, 0.035, 0.08, parent=invoke["id"], calls=[call], fault=fault)
    return Expect(
        journey.send(),
        cause="s3-kms-denied",
        resource=bucket,
        accept=(("kms-pending-deletion", key), ("s3-kms-denied", key), ("kms-pending-deletion", bucket)),
        trigger=key,
        says=("cost-sweeper",),
        innocent=(read.arn, read.role_arn, front.arn, resources.rest_api_arn(world, stage)),
    )


@scenario(Kind.SINGLE, "s3")
def each_object_asks_kms(world: World) -> Expect:
    """A re-encoding reads millions of small objects; without a bucket key each read is a call of KMS, whose rate is
    used up. S3 passes the refusal on as 400."""
    name = "voice-notes-raw"
    bucket = resources.bucket(world, name)
    key = key_of(world, name, description="voice notes")
    may = (allow(["s3:GetObject"], f"{bucket}/*"), allow(["kms:Decrypt"], key))
    encode = deploy(world, "voice-encode", "python3.12", *may, memory=1024, timeout=60)
    said = "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls."
    words = (
        "An error occurred (KMS.ThrottlingException) when calling the GetObject operation (reached max retries: 4): "
        + said
    )
    fault = python(
        "ClientError",
        words,
        ("/var/lang/lib/python3.12/site-packages/botocore/client.py", 1078, "_make_api_call"),
        ("/var/task/encode.py", 19, "fetch"),
        milliseconds=3100,
    )
    traffic(encode, 60000, 140, fault=fault, since=whole_minute(world, 19), share=0.25)
    bucket_changed(world, "PutBucketTagging", name, who="cost-tags", minutes=44)
    journey = Journey(world, world.ago(minutes=3))
    call = journey.s3(
        "GetObject", name, "n/81/22.opus", 0.03, 3.0, status=400, retries=4, cause=journey.exception(fault, remote=True)
    )
    journey.function(encode, 0.0, 3.1, calls=[call], fault=fault)
    return Expect(
        journey.send(),
        cause="kms-throttled",
        resource=bucket,
        accept=(("kms-throttled", key),),
        trigger="",
        innocent=(encode.arn, encode.role_arn),
    )


@scenario(Kind.FOREIGN, "s3")
def shared_bucket_with_a_closed_key(world: World) -> Expect:
    """The other account's bucket lets ledger-sync read; its KMS key's policy does not name us any more, and S3 says
    so. Our role may use the key as it always might: it is innocent."""
    other = World(world.aws, world.now, f"{world.seed} other", account="444455556666")
    name = "group-ledgers-shared"
    bucket = resources.bucket(other, name)
    key = f"arn:aws:kms:{world.region}:444455556666:key/7d1e0a53-51f4-4c0f-9a66-0c3f3b3f9f10"
    may = (allow(["s3:GetObject"], f"{bucket}/*"), allow(["kms:Decrypt"], key))
    sync = deploy(world, "ledger-sync", "java21", *may, memory=512, timeout=60)
    session = f"arn:aws:sts::{world.account}:assumed-role/{sync.role}/{sync.name}"
    fault = java(
        "software.amazon.awssdk.services.s3.model.S3Exception",
        f"User: {session} is not authorized to perform: kms:Decrypt on the resource associated with this ciphertext "
        "because no resource-based policy allows the kms:Decrypt action (Service: S3, Status Code: 403, Request ID: "
        "0T5W1Q9ZJ3)",
        ("AwsXmlPredicatedResponseHandler.java", 155, "handleErrorResponse"),
        ("LedgerSync.java", 44, "group.LedgerSync.load"),
    )
    traffic(sync, 4, 420, fault=fault, since=whole_minute(world, 29))
    changed(sync, CODE, who="ci-ledger", when=world.ago(hours=2), publish=False)
    journey = Journey(world, world.ago(minutes=5))
    call = journey.s3(
        "GetObject", name, "2026/11/20.parquet", 0.04, 0.06, status=403, cause=journey.exception(fault, remote=True)
    )
    journey.function(sync, 0.0, 0.14, calls=[call], fault=fault)
    for operation in ("GetBucketPolicy", "GetBucketEncryption", "GetPublicAccessBlock"):
        world.aws.inject("s3", operation, ACCESS_DENIED)
    return Expect(
        journey.send(),
        cause="s3-kms-denied",
        resource=bucket,
        accept=(("iam-no-resource-policy-cross-account", key), ("iam-no-resource-policy-cross-account", bucket)),
        innocent=(sync.arn, sync.role_arn),
    )
