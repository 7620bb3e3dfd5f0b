"""Functions that cannot start, or not as they were: what a deployment or a change of settings left behind."""

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._functions import CODE, CONFIGURATION, changed, deploy, elsewhere, traffic, whole_minute
from evals.scenarios._journeys import Journey
from evals.scenarios._runtimes import dotnet, init_error, java, node, python
from sandbox.aws import resources
from sandbox.aws.resources import allow
from sandbox.aws.world import World


@scenario(Kind.SINGLE, "lambda")
def pdf_module_left_out_of_bundle(world: World) -> Expect:
    """The evening release of invoice-pdf was bundled without pdfkit; invoice-list on the same API works on."""
    pdf = deploy(world, "invoice-pdf", "nodejs22.x", memory=512, timeout=15, last_modified=world.ago(minutes=12))
    others = deploy(world, "invoice-list", "nodejs22.x", timeout=5)
    stage = resources.rest_api(world, "billing", [("GET", "/pdf", pdf.arn), ("GET", "/invoices", others.arn)])
    words = "Error: Cannot find module 'pdfkit'\nRequire stack:\n- /var/task/index.js\n- /var/runtime/index.mjs"
    printed = node("Runtime.ImportModuleError", words, ("/var/runtime/index.mjs", 1199, "_loadUserApp")).lines[0]
    line = printed.replace("{request}", "undefined").replace("Invoke Error", "Uncaught Exception")
    fault = init_error("Runtime.ImportModuleError", words, [line])
    began = whole_minute(world, 11)
    traffic(pdf, 48, 640, fault=fault, since=began)
    traffic(others, 130, 35, lines=["{time}\t{request}\tINFO\tlisted 20 invoices, 0 errors"])
    changed(pdf, CODE, who="release-bot", when=world.ago(minutes=11, seconds=50), publish=False)
    elsewhere(world, CODE, "newsletter", who="release-bot", when=world.ago(minutes=20), publish=False)
    journey = Journey(world, world.ago(minutes=3, seconds=12))
    parent = journey.api(stage, "GET", "/pdf", pdf.name, 0.31, status=502)
    journey.function(pdf, 0.006, 0.29, parent=parent, fault=fault, init=0.18)
    return Expect(
        journey.send(),
        cause="lambda-import-error-node",
        resource=pdf.arn,
        innocent=(others.arn, others.role_arn, pdf.role_arn, resources.rest_api_arn(world, stage)),
    )


@scenario(Kind.SINGLE, "lambda")
def numpy_built_for_the_other_processor(world: World) -> Expect:
    """Somebody moved forecast to arm64 for the price and kept the wheels that were built for x86_64."""
    forecast = deploy(
        world,
        "forecast",
        "python3.12",
        allow(["s3:GetObject"], "arn:aws:s3:::sales-history/*"),
        memory=1024,
        timeout=60,
        Architectures=["arm64"],
        last_modified=world.ago(minutes=9),
    )
    words = (
        "Unable to import module 'app': Error importing numpy: you should not try to import numpy from its source "
        "directory; Original error was: No module named 'numpy._core._multiarray_umath'"
    )
    fault = init_error("Runtime.ImportModuleError", words, init=1460)
    traffic(forecast, 6, 5200, fault=fault, since=whole_minute(world, 8), lines=["[INFO]\t{time}\t{request}\t52 weeks"])
    changed(forecast, CODE, who="ines", when=world.ago(minutes=9), architectures=["arm64"], publish=False)
    changed(forecast, CONFIGURATION, who="ines", when=world.ago(hours=7), description="weekly forecast")
    journey = Journey(world, world.ago(minutes=2, seconds=40))
    journey.function(forecast, 0.0, 1.61, fault=fault, init=1.46)
    return Expect(
        f"forecast is dead, what happened? {journey.send()}",
        cause="lambda-import-native-arch",
        resource=forecast.arn,
        innocent=(forecast.role_arn,),
    )


@scenario(Kind.SINGLE, "lambda")
def handler_class_moved_to_another_package(world: World) -> Expect:
    """A refactoring moved IntakeHandler; the queue's messages fail since, and the queue itself is well."""
    dead = resources.queue(world, "claims-dead")
    claims = resources.queue(world, "claims", dead_letter=dead, max_receives=8, VisibilityTimeout="180")
    reads = allow(["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], claims)
    intake = deploy(
        world, "claims-intake", "java21", reads, memory=1024, timeout=30, last_modified=world.ago(minutes=14)
    )
    resources.event_source(world, intake.name, claims, BatchSize=5)
    fault = java(
        "java.lang.ClassNotFoundException",
        "Class not found: com.meridian.claims.IntakeHandler",
        ("URLClassLoader.java", 445, "java.base/java.net.URLClassLoader.findClass"),
        milliseconds=310,
    )
    traffic(intake, 22, 410, fault=fault, since=whole_minute(world, 13))
    changed(intake, CODE, who="ci-claims", when=world.ago(minutes=13, seconds=30), s3Bucket="meridian-builds")
    changed(intake, CODE, who="ci-claims", when=world.ago(hours=21), s3Bucket="meridian-builds")
    journey = Journey(world, world.ago(minutes=5))
    journey.function(intake, 0.0, 0.34, fault=fault, init=0.29)
    return Expect(
        journey.send(),
        cause="lambda-class-not-found",
        resource=intake.arn,
        innocent=(claims, dead, intake.role_arn),
    )


@scenario(Kind.SINGLE, "lambda")
def program_built_for_the_other_processor(world: World) -> Expect:
    """Terraform's default set dispatch to x86_64 while the Go binary is for arm64: the process never starts."""
    dispatch = deploy(
        world, "dispatch", "provided.al2023", timeout=5, Handler="bootstrap", last_modified=world.ago(minutes=7)
    )
    tracker = deploy(world, "tracker", "provided.al2023", Handler="bootstrap", Architectures=["arm64"])
    stage = resources.rest_api(world, "couriers", [("POST", "/jobs", dispatch.arn), ("GET", "/jobs", tracker.arn)])
    words = "RequestId: 8a1be5f0-41f6-4c1f-9a53-7f3ce2b4d811 Error: fork/exec /var/task/bootstrap: exec format error"
    fault = init_error("Runtime.InvalidEntrypoint", words, [f"{words}\nRuntime.InvalidEntrypoint"], init=4)
    traffic(dispatch, 310, 14, fault=fault, since=whole_minute(world, 6))
    traffic(tracker, 900, 6)
    changed(dispatch, CODE, who="terraform", when=world.ago(minutes=6, seconds=58), architectures=["x86_64"])
    elsewhere(world, CONFIGURATION, "invoice-export", who="terraform", when=world.ago(minutes=6), timeout=60)
    journey = Journey(world, world.ago(minutes=1, seconds=30))
    parent = journey.api(stage, "POST", "/jobs", dispatch.name, 0.052, status=502)
    journey.function(dispatch, 0.006, 0.04, parent=parent, fault=fault)
    return Expect(
        journey.send(),
        cause="lambda-bootstrap-missing",
        resource=dispatch.arn,
        innocent=(tracker.arn, tracker.role_arn, dispatch.role_arn),
    )


@scenario(Kind.SINGLE, "lambda")
def variables_replaced_by_one_new_one(world: World) -> Expect:
    """A CLI call set LOG_LEVEL and thereby dropped all the other variables; quote asks for PRICE_TABLE."""
    prices = resources.table(world, "prices", key="sku")
    quote = deploy(
        world,
        "quote",
        "python3.13",
        allow(["dynamodb:GetItem"], prices),
        env={"LOG_LEVEL": "DEBUG"},
        last_modified=world.ago(minutes=10),
    )
    stage = resources.rest_api(world, "quotes", [("GET", "/quote", quote.arn)])
    fault = python(
        "KeyError", "'PRICE_TABLE'", ("<frozen os>", 714, "__getitem__"), ("/var/task/app.py", 9, "price_of")
    )
    traffic(quote, 75, 24, fault=fault, since=whole_minute(world, 9), lines=["[INFO]\t{time}\t{request}\tquote asked"])
    changed(quote, CONFIGURATION, who="tomasz", when=world.ago(minutes=9, seconds=40), environment={})
    changed(quote, CODE, who="ci-quotes", when=world.ago(hours=9), publish=False)
    journey = Journey(world, world.ago(minutes=4))
    parent = journey.api(stage, "GET", "/quote", quote.name, 0.055, status=502)
    journey.function(quote, 0.005, 0.044, parent=parent, fault=fault)
    return Expect(journey.send(), cause="lambda-missing-env-var", resource=quote.arn, innocent=(prices, quote.role_arn))


@scenario(Kind.SINGLE, "lambda")
def cache_written_beside_the_code(world: World) -> Expect:
    """The new version of statements caches PDFs below /var/task: requests for them fail, those for CSV do not."""
    statements = deploy(world, "statements", "dotnet8", memory=512, timeout=20, last_modified=world.ago(minutes=16))
    stage = resources.rest_api(world, "bank", [("GET", "/statements", statements.arn)])
    fault = dotnet(
        "System.IO.IOException",
        "Read-only file system : '/var/task/cache/2026-10.pdf'",
        ("/src/Statements/PdfCache.cs", 37, "Statements.PdfCache.StoreAsync(Byte[] pdf)"),
        ("/src/Statements/Function.cs", 58, "Statements.Function.Handler(APIGatewayProxyRequest request)"),
        milliseconds=240,
    )
    good = ["{time}\t{request}\tinfo\tStatement rendered as csv"]
    traffic(statements, 64, 190, fault=fault, since=whole_minute(world, 15), share=0.35, lines=good)
    changed(statements, CODE, who="octopus", when=world.ago(minutes=15, seconds=35), publish=True)
    journey = Journey(world, world.ago(minutes=2))
    parent = journey.api(stage, "GET", "/statements", statements.name, 0.262, status=502)
    journey.function(statements, 0.006, 0.25, parent=parent, fault=fault)
    return Expect(journey.send(), cause="lambda-readonly-fs", resource=statements.arn, innocent=(statements.role_arn,))
