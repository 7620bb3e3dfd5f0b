"""Objects that a reader does not get: missing, hidden, archived, asked for too fast; and one that is asked after."""

import json

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._buckets import admit, bucket_changed, requests_of
from evals.scenarios._functions import CODE, CONFIGURATION, changed, deploy, elsewhere, traffic, whole_minute
from evals.scenarios._journeys import Journey
from evals.scenarios._runtimes import java, node, python, ruby
from sandbox.aws import resources
from sandbox.aws.resources import allow
from sandbox.aws.world import World


@scenario(Kind.SINGLE, "s3")
def uploads_with_a_space_in_their_name(world: World) -> Expect:
    """S3 tells of `Scan 4.pdf` as `Scan+4.pdf`, and scan-ocr asks for that very key: only such uploads fail. Its
    Powertools logger prints the error as JSON; a fresh deployment of a neighbour is nothing to do with it."""
    name = "notary-scans-inbox"
    bucket = resources.bucket(world, name)
    ocr = deploy(
        world,
        "scan-ocr",
        "python3.13",
        allow(["s3:GetObject"], f"{bucket}/*"),
        allow(["s3:ListBucket"], bucket),
        memory=1024,
        timeout=60,
    )
    admit(world, ocr.name, name)
    told = [{"LambdaFunctionArn": ocr.arn, "Events": ["s3:ObjectCreated:*"]}]
    world.client("s3").put_bucket_notification_configuration(
        Bucket=name, NotificationConfiguration={"LambdaFunctionConfigurations": told}
    )
    asked = "in/Scan+4.pdf"
    words = "An error occurred (NoSuchKey) when calling the GetObject operation: The specified key does not exist."
    fault = python(
        "NoSuchKey",
        words,
        ("/var/lang/lib/python3.13/site-packages/botocore/client.py", 1078, "_make_api_call"),
        ("/var/task/ocr.py", 41, "load"),
        milliseconds=110,
    )
    line = {
        "level": "ERROR",
        "location": "load:44",
        "message": f"cannot read s3://{name}/{asked}",
        "timestamp": "{time}",
        "service": "scan-ocr",
        "function_request_id": "{request}",
        "exception": f'Traceback (most recent call last):\n  File "/var/task/ocr.py", line 41, in load\n'
        f"botocore.errorfactory.NoSuchKey: {words}",
        "exception_name": "NoSuchKey",
    }
    shown = json.dumps(line).replace("{", "{", 1)
    fault = fault._replace(lines=(shown, *fault.lines))
    traffic(ocr, 16, 900, fault=fault, since=whole_minute(world, 200), share=0.12)
    elsewhere(world, CODE, "scan-mail", who="ci-notary", when=world.ago(minutes=18), publish=True)
    journey = Journey(world, world.ago(minutes=5))
    call = journey.s3("GetObject", name, asked, 0.03, 0.02, status=404, cause=journey.exception(fault, remote=True))
    journey.function(ocr, 0.0, 0.12, calls=[call], fault=fault)
    return Expect(
        journey.send(),
        cause="s3-no-such-key",
        resource=bucket,
        accept=(("s3-no-such-key", ocr.arn),),
        trigger="",
        omits=("ci-notary",),
        innocent=(ocr.role_arn,),
    )


@scenario(Kind.SINGLE, "s3")
def missing_object_looks_like_a_missing_right(world: World) -> Expect:
    """The nightly export did not write today's rates, and rates-get may not list the bucket: S3 answers a read of what
    is not there with Access Denied for s3:ListBucket. The role's rights are as they always were."""
    name = "treasury-rates-daily"
    bucket = resources.bucket(world, name)
    world.client("s3").put_object(Bucket=name, Key="rates/2026-11-20.json", Body=b"{}")
    get = deploy(world, "rates-get", "nodejs20.x", allow(["s3:GetObject"], f"{bucket}/*"))
    stage = resources.rest_api(world, "treasury", [("GET", "/rates", get.arn)])
    session = f"arn:aws:sts::{world.account}:assumed-role/{get.role}/{get.name}"
    words = (
        f'User: {session} is not authorized to perform: s3:ListBucket on resource: "{bucket}" because no '
        "identity-based policy allows the s3:ListBucket action"
    )
    fault = node(
        "AccessDenied",
        words,
        ("/var/runtime/node_modules/@aws-sdk/client-s3/dist-cjs/index.js", 6110, "throwDefaultError"),
        ("/var/task/rates.mjs", 14, "today"),
        milliseconds=75,
    )
    began = whole_minute(world, 33)
    traffic(get, 60, 31, fault=fault, since=began)
    changed(get, CODE, who="ci-treasury", when=world.ago(hours=31), publish=False)
    journey = Journey(world, world.ago(minutes=4))
    parent = journey.api(stage, "GET", "/rates", get.name, 0.09, status=502)
    call = journey.s3(
        "GetObject", name, "rates/2026-11-21.json", 0.02, 0.03, status=403, cause=journey.exception(fault, remote=True)
    )
    journey.function(get, 0.005, 0.08, parent=parent, calls=[call], fault=fault)
    return Expect(
        journey.send(),
        cause="s3-no-such-key",
        resource=bucket,
        trigger="",
        innocent=(get.arn, get.role_arn, resources.rest_api_arn(world, stage)),
    )


@scenario(Kind.SINGLE, "s3")
def tiles_asked_too_fast(world: World) -> Expect:
    """A new import writes all map tiles under one prefix; S3 tells the Ruby client to slow down, and a third of the
    objects is refused even after the SDK's tries."""
    name = "geo-tiles-eu"
    bucket = resources.bucket(world, name)
    put = deploy(world, "tile-write", "ruby3.3", allow(["s3:PutObject"], f"{bucket}/*"), memory=512, timeout=30)
    began = whole_minute(world, 12)
    fault = ruby(
        "Aws::S3::Errors::SlowDown",
        "Please reduce your request rate.",
        ("/var/runtime/gems/aws-sdk-core-3.211.0/lib/seahorse/client/plugins/raise_response_errors.rb", 17, "call"),
        ("/var/task/tile.rb", 22, "store"),
        milliseconds=2600,
    )
    traffic(put, 90000, 90, fault=fault, since=began, share=0.3)
    requests_of(world, name, "AllRequests", 400_000, began, usual=9000)
    requests_of(world, name, "5xxErrors", 130_000, began)
    changed(put, CONFIGURATION, who="geo-ops", when=world.ago(hours=30), timeout=30)
    journey = Journey(world, world.ago(minutes=2))
    cause = journey.exception(fault, remote=True)
    good = journey.s3("PutObject", name, "v9/14/8712/5590.png", 0.02, 0.4, retries=1)
    bad = journey.s3("PutObject", name, "v9/14/8712/5591.png", 0.45, 2.1, status=503, retries=3, cause=cause)
    journey.function(put, 0.0, 2.6, calls=[good, bad], fault=fault)
    return Expect(journey.send(), cause="s3-slow-down", resource=bucket, trigger="", innocent=(put.arn, put.role_arn))


@scenario(Kind.HEALTHY, "s3")
def asks_first_whether_it_is_there(world: World) -> Expect:
    """thumb-make asks whether a thumbnail exists (404), writes it under the condition that it does not, and loses one
    race for it (412): all of that is meant, and it answers 200."""
    name = "shop-thumbs-77aa"
    bucket = resources.bucket(world, name)
    may = (allow(["s3:GetObject", "s3:PutObject"], f"{bucket}/*"), allow(["s3:ListBucket"], bucket))
    thumb = deploy(world, "thumb-make", "python3.13", *may, memory=512)
    stage = resources.rest_api(world, "thumbs", [("GET", "/thumb", thumb.arn)])
    note = '{"level":"INFO","message":"lost the race for t/8812.webp, using theirs","error":"PreconditionFailed"}'
    traffic(thumb, 300, 60, lines=[note])
    bucket_changed(world, "PutBucketLifecycle", name, who="storage-tf", minutes=70)
    journey = Journey(world, world.ago(minutes=6))
    parent = journey.api(stage, "GET", "/thumb", thumb.name, 0.16, status=200)
    absent = journey.exception(
        python("ClientError", "An error occurred (404) when calling the HeadObject operation: Not Found"), remote=True
    )
    lost = journey.exception(
        python(
            "ClientError",
            "An error occurred (PreconditionFailed) when calling the PutObject operation: At least one of the "
            "pre-conditions you specified did not hold",
        ),
        remote=True,
    )
    calls = [
        journey.s3("HeadObject", name, "t/8812.webp", 0.02, 0.02, status=404, cause=absent),
        journey.s3("PutObject", name, "t/8812.webp", 0.06, 0.03, status=412, cause=lost),
        journey.s3("GetObject", name, "t/8812.webp", 0.1, 0.02),
    ]
    journey.function(thumb, 0.005, 0.15, parent=parent, calls=calls, lines=[note])
    return Expect(journey.send(), innocent=(bucket, thumb.arn, thumb.role_arn, resources.rest_api_arn(world, stage)))


@scenario(Kind.INSUFFICIENT, "s3")
def object_went_to_the_glacier(world: World) -> Expect:
    """A lifecycle rule moved old statements to Glacier, and one is asked for: the bucket, the key and the rights are
    all well, and no cause of the catalogue says it. Nothing but the reader's own error may be named."""
    name = "bank-statements-old"
    bucket = resources.bucket(world, name)
    world.client("s3").put_object(Bucket=name, Key="2019/s-88.pdf", Body=b"%PDF")
    show = deploy(world, "statement-show", "ruby3.3", allow(["s3:GetObject"], f"{bucket}/*"))
    fault = ruby(
        "Aws::S3::Errors::InvalidObjectState",
        "The operation is not valid for the object's storage class",
        ("/var/runtime/gems/aws-sdk-core-3.211.0/lib/seahorse/client/plugins/raise_response_errors.rb", 17, "call"),
        ("/var/task/statement.rb", 15, "show"),
    )
    traffic(show, 30, 60, fault=fault, since=whole_minute(world, 150), share=0.05)
    bucket_changed(world, "PutBucketLifecycle", name, who="storage-tf", minutes=1200)
    journey = Journey(world, world.ago(minutes=7))
    call = journey.s3(
        "GetObject", name, "2019/s-88.pdf", 0.02, 0.03, status=403, cause=journey.exception(fault, remote=True)
    )
    journey.function(show, 0.0, 0.07, calls=[call], fault=fault)
    return Expect(journey.send(), status="inconclusive", innocent=(bucket, show.role_arn))


@scenario(Kind.INSUFFICIENT, "s3")
def one_read_that_never_ended(world: World) -> Expect:
    """The Java SDK gave up on one object after four tries of thirty seconds; the bucket is well, nothing changed, no
    metric of it is kept: whose fault it was cannot be told."""
    name = "legal-archive-eu"
    bucket = resources.bucket(world, name)
    fetch = deploy(world, "archive-fetch", "java21", allow(["s3:GetObject"], f"{bucket}/*"), memory=1024, timeout=180)
    fault = java(
        "software.amazon.awssdk.core.exception.SdkClientException",
        "Unable to execute HTTP request: Read timed out (SDK Attempt Count: 4)",
        ("SdkClientException.java", 130, "software.amazon.awssdk.core.exception.SdkClientException$BuilderImpl.build"),
        ("ArchiveFetch.java", 52, "eu.legal.ArchiveFetch.read"),
        milliseconds=121_000,
    )
    traffic(fetch, 6, 300)
    bucket_changed(world, "PutBucketTagging", name, who="cost-tags", minutes=3000)
    journey = Journey(world, world.ago(minutes=9))
    cause = journey.exception(fault)
    call = journey.s3("GetObject", name, "1998/k-7.tif", 0.05, 120.7, status=None, retries=3, cause=cause)
    journey.function(fetch, 0.0, 121.0, calls=[call], fault=fault)
    return Expect(journey.send(), status="inconclusive", innocent=(bucket, fetch.arn, fetch.role_arn))
