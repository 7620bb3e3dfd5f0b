"""Functions that start and do not end well: memory, time, disk, their own code, services of others."""

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._functions import CODE, CONFIGURATION, changed, deploy, elsewhere, traffic, whole_minute
from evals.scenarios._journeys import Journey
from evals.scenarios._runtimes import Fault, exited, java, killed, node, python, timed_out
from sandbox.aws import resources, signals
from sandbox.aws.faults import THROTTLED
from sandbox.aws.resources import allow
from sandbox.aws.world import World


@scenario(Kind.SINGLE, "lambda")
def memory_cut_to_save_money(world: World) -> Expect:
    """cost-bot halved the memory of thumbnails to 512 MB; large photos now end in a kill, small ones do not."""
    photos = resources.bucket(world, "photos-upload")
    small = allow(["s3:GetObject", "s3:PutObject"], f"{photos}/*")
    thumbnails = deploy(
        world, "thumbnails", "python3.12", small, memory=512, timeout=30, last_modified=world.ago(minutes=13)
    )
    fault = killed(512, "[INFO]\t{time}\t{request}\tdecoding 9504 x 6336", milliseconds=2140)
    good = ["[INFO]\t{time}\t{request}\tdecoding 1600 x 1200", "[INFO]\t{time}\t{request}\tstored 3 sizes"]
    traffic(thumbnails, 40, 830, fault=fault, since=whole_minute(world, 12), share=0.3, lines=good)
    changed(thumbnails, CONFIGURATION, who="cost-bot", when=world.ago(minutes=12, seconds=40), memorySize=512)
    elsewhere(world, CONFIGURATION, "photo-index", who="cost-bot", when=world.ago(minutes=12), memorySize=256)
    journey = Journey(world, world.ago(minutes=2, seconds=10))
    read = journey.s3("GetObject", "photos-upload", "raw/8812.jpg", 0.02, 0.21)
    journey.function(thumbnails, 0.0, 2.15, calls=[read], fault=fault)
    return Expect(journey.send(), cause="lambda-oom", resource=thumbnails.arn, innocent=(photos, thumbnails.role_arn))


@scenario(Kind.SINGLE, "lambda")
def timeout_lowered_in_the_console(world: World) -> Expect:
    """risk-score needs six seconds; since lena set its timeout from 30 to 3 every invocation times out."""
    models = resources.table(world, "risk-models", key="model")
    reads = allow(["dynamodb:GetItem"], models)
    score = deploy(world, "risk-score", "java21", reads, memory=2048, timeout=3, last_modified=world.ago(minutes=10))
    stage = resources.rest_api(world, "lending", [("POST", "/score", score.arn)])
    fault = timed_out(3)
    traffic(score, 18, 5600, fault=fault, since=whole_minute(world, 9), lines=["{time} {request} INFO  scoring"])
    changed(score, CONFIGURATION, who="lena", when=world.ago(minutes=9, seconds=45), timeout=3)
    changed(score, CODE, who="ci-lending", when=world.ago(hours=15), publish=True)
    journey = Journey(world, world.ago(minutes=3))
    parent = journey.api(stage, "POST", "/score", score.name, 3.03, status=502)
    read = journey.dynamodb("GetItem", "risk-models", 0.05, 0.009)
    journey.function(score, 0.008, 3.01, parent=parent, calls=[read], fault=fault)
    return Expect(
        journey.send(),
        cause="lambda-timeout-all-invocations-after-change",
        resource=score.arn,
        innocent=(models, score.role_arn),
    )


@scenario(Kind.THROTTLED, "lambda")
def temporary_files_never_deleted(world: World) -> Expect:
    """merge-reports leaves its parts in /tmp; warm sandboxes fill up. AWS throttles our first reads."""
    parts = resources.bucket(world, "report-parts")
    merge = deploy(
        world, "merge-reports", "python3.11", allow(["s3:GetObject"], f"{parts}/*"), memory=1024, timeout=120
    )
    fault = python(
        "OSError",
        "[Errno 28] No space left on device: '/tmp/part-00412.parquet'",
        ("/var/lang/lib/python3.11/shutil.py", 256, "copyfile"),
        ("/var/task/app.py", 44, "fetch"),
        ("/var/task/app.py", 21, "handler"),
        milliseconds=3900,
    )
    traffic(merge, 9, 6100, fault=fault, since=whole_minute(world, 14), share=0.6)
    elsewhere(world, CODE, "split-reports", who="nightly", when=world.ago(minutes=16), publish=False)
    journey = Journey(world, world.ago(minutes=4, seconds=20))
    read = journey.s3("GetObject", "report-parts", "2026/11/part-00412", 0.03, 0.34)
    journey.function(merge, 0.0, 3.92, calls=[read], fault=fault)
    for service, operation in (("logs", "FilterLogEvents"), ("cloudtrail", "LookupEvents"), ("lambda", "*")):
        world.aws.inject(service, operation, THROTTLED, times=2)
    return Expect(journey.send(), cause="lambda-tmp-full", resource=merge.arn, innocent=(parts, merge.role_arn))


@scenario(Kind.SINGLE, "lambda")
def null_where_a_customer_has_no_address(world: World) -> Expect:
    """A release of parcel-label trips over missing addresses; no trace tells, and its log complains of much else."""
    label = deploy(world, "parcel-label", "java17", memory=768, timeout=15, last_modified=world.ago(minutes=18))
    fault = java(
        "java.lang.NullPointerException",
        'Cannot invoke "com.parcels.Address.street()" because "address" is null',
        ("LabelHandler.java", 71, "com.parcels.LabelHandler.line"),
        ("LabelHandler.java", 33, "com.parcels.LabelHandler.handleRequest"),
    )
    good = ["{time} {request} ERROR postcode 0815 is unknown, printed without route", "{time} {request} INFO  printed"]
    began = whole_minute(world, 17)
    traffic(label, 90, 120, fault=fault, since=began, share=0.22, lines=good)
    changed(label, CODE, who="ci-parcels", when=world.ago(minutes=17, seconds=30), publish=True)
    elsewhere(world, CONFIGURATION, "parcel-track", who="ci-parcels", when=world.ago(minutes=40), memorySize=512)
    signals.alarm(
        world,
        "parcel-label-errors",
        "AWS/Lambda",
        "Errors",
        {"FunctionName": label.name},
        threshold=5,
        transitions=[(world.ago(minutes=15), "ALARM", "Threshold Crossed: 1 datapoint [19.0] was greater than 5.0.")],
    )
    return Expect(
        "alarm parcel-label-errors",
        cause="lambda-unhandled-exception",
        resource=label.arn,
        innocent=(label.role_arn,),
    )


@scenario(Kind.SINGLE, "lambda")
def address_service_answers_503(world: World) -> Expect:
    """The address validation of a provider is down; checkout-address gives up after three tries."""
    check = deploy(world, "checkout-address", "nodejs20.x", timeout=12)
    stage = resources.rest_api(world, "checkout", [("POST", "/address", check.arn)])
    url = "https://api.addresscheck.example/v2/validate"
    fault = node(
        "AxiosError",
        "Request failed with status code 503",
        ("/var/task/node_modules/axios/lib/core/settle.js", 19, "settle"),
        ("/var/task/index.mjs", 27, "validate"),
        code="ERR_BAD_RESPONSE",
        milliseconds=930,
    )
    traffic(check, 55, 210, fault=fault, since=whole_minute(world, 10), share=0.9)
    changed(check, CODE, who="ci-checkout", when=world.ago(hours=5), publish=False)
    elsewhere(world, CODE, "checkout-payment", who="ci-checkout", when=world.ago(minutes=14), publish=False)
    journey = Journey(world, world.ago(minutes=2, seconds=30))
    parent = journey.api(stage, "POST", "/address", check.name, 0.96, status=502)
    tries = [journey.http("POST", url, 0.03 + 0.3 * n, 0.24, status=503) for n in range(3)]
    journey.function(check, 0.006, 0.945, parent=parent, calls=tries, fault=fault)
    return Expect(
        journey.send(),
        cause="downstream-http-error",
        resource=check.arn,
        innocent=(check.role_arn, resources.rest_api_arn(world, stage)),
    )


@scenario(Kind.SINGLE, "lambda")
def tax_service_never_answers(world: World) -> Expect:
    """The provider's tax API hangs; vat-rate has no time limit of its own and runs into the function's."""
    rate = deploy(world, "vat-rate", "python3.12", timeout=8)
    stage = resources.rest_api(world, "tax", [("GET", "/vat", rate.arn)])
    fault = timed_out(8)
    traffic(rate, 33, 260, fault=fault, since=whole_minute(world, 12), lines=["[INFO]\t{time}\t{request}\tasking DE"])
    elsewhere(world, CODE, "vat-report", who="deploy", when=world.ago(minutes=13), publish=False)
    journey = Journey(world, world.ago(minutes=3, seconds=5))
    parent = journey.api(stage, "GET", "/vat", rate.name, 8.03, status=502)
    asking = journey.http("GET", "https://rates.taxprovider.example/v1/de", 0.04, None, status=None)
    journey.function(rate, 0.006, 8.01, parent=parent, calls=[asking], fault=fault)
    return Expect(
        journey.send(),
        cause="downstream-http-error",
        resource=rate.arn,
        accept=(("lambda-timeout", rate.arn),),
        innocent=(rate.role_arn,),
    )


@scenario(Kind.SINGLE, "lambda")
def licence_check_calls_exit(world: World) -> Expect:
    """A library in geocode ends the process when its licence has run out: it prints nothing that says so."""
    geocode = deploy(world, "geocode", "nodejs22.x", memory=512, timeout=6)
    fault = exited(1, milliseconds=120)
    traffic(geocode, 26, 95, fault=fault, since=whole_minute(world, 13))
    _old_errors(world, geocode.name)
    journey = Journey(world, world.ago(minutes=4))
    journey.function(geocode, 0.0, 0.13, fault=fault)
    return Expect(journey.send(), cause="lambda-runtime-exit", resource=geocode.arn, innocent=(geocode.role_arn,))


def _old_errors(world: World, function: str) -> None:
    """Write an error of another kind that was mended two hours ago."""
    mended = node(
        "TypeError", "Cannot read properties of undefined (reading 'lat')", ("/var/task/index.mjs", 12, "place")
    )
    lines = [line.replace("{request}", world.ids.request()).replace("{time}", "-") for line in mended.lines]
    signals.log(world, f"/aws/lambda/{function}", [(world.ago(hours=2, minutes=n), lines[0]) for n in range(6)])


@scenario(Kind.SINGLE, "lambda")
def answer_over_six_megabytes(world: World) -> Expect:
    """The largest customers' exports have outgrown what a function may answer; everybody else's work."""
    export = deploy(world, "export-orders", "python3.12", memory=1024, timeout=25)
    stage = resources.rest_api(world, "exports", [("GET", "/orders.json", export.arn)])
    words = "Response payload size exceeded maximum allowed payload size (6291556 bytes)."
    line = (
        f"[ERROR] [{{time}}] LAMBDA_RUNTIME Failed to post handler success response. Http response code: 413. {words}"
    )
    fault = Fault("Function.ResponseSizeTooLarge", words, (line,), milliseconds=4100)
    traffic(export, 12, 700, fault=fault, since=whole_minute(world, 235), share=0.04)
    changed(export, CONFIGURATION, who="maria", when=world.ago(hours=3), memorySize=1024)
    journey = Journey(world, world.ago(minutes=6))
    parent = journey.api(stage, "GET", "/orders.json", export.name, 4.16, status=502)
    journey.function(export, 0.006, 4.14, parent=parent, fault=fault)
    return Expect(journey.send(), cause="lambda-response-too-large", resource=export.arn, innocent=(export.role_arn,))
