"""Two things broken at once: both must be told."""

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._functions import CODE, changed, deploy, elsewhere, traffic, whole_minute
from evals.scenarios._journeys import Journey
from evals.scenarios._runtimes import killed, node, python
from sandbox.aws import resources, signals
from sandbox.aws.resources import allow
from sandbox.aws.signals import counted
from sandbox.aws.world import World


@scenario(Kind.TWO_FAULTS, "lambda")
def two_branches_of_a_page_fail(world: World) -> Expect:
    """product-page asks two functions side by side: ratings lacks a module since its release, and the role of
    availability lost its table an hour later."""
    counts = resources.table(world, "availability", key="sku")
    ratings = deploy(world, "ratings", "python3.12", last_modified=world.ago(minutes=70))
    stock = deploy(world, "availability", "nodejs22.x", allow(["dynamodb:Query"], counts))
    calls = allow(["lambda:InvokeFunction"], [ratings.arn, stock.arn])
    page = deploy(world, "product-page", "nodejs22.x", calls)
    missing = python("Runtime.ImportModuleError", "Unable to import module 'app': No module named 'orjson'")
    session = f"arn:aws:sts::{world.account}:assumed-role/{stock.role}/{stock.name}"
    refused = node(
        "AccessDeniedException",
        f"User: {session} is not authorized to perform: dynamodb:GetItem on resource: {counts} because no "
        "identity-based policy allows the dynamodb:GetItem action",
        ("/var/task/index.mjs", 14, "available"),
    )
    own = node("Error", "2 of 3 parts of the page are missing", ("/var/task/index.mjs", 41, "render"))
    traffic(ratings, 60, 20, fault=missing, since=whole_minute(world, 69))
    traffic(stock, 60, 14, fault=refused, since=whole_minute(world, 9))
    traffic(page, 60, 95, fault=own, since=whole_minute(world, 9))
    changed(ratings, CODE, who="ci-ratings", when=world.ago(minutes=69, seconds=50), publish=False)
    elsewhere(world, CODE, "wish-list", who="ci-shop", when=world.ago(minutes=10), publish=False)
    journey = Journey(world, world.ago(minutes=2, seconds=30))
    first, second = journey.invoke(ratings.name, 0.02, 0.25), journey.invoke(stock.name, 0.021, 0.05)
    get = journey.dynamodb(
        "GetItem", counts.rsplit("/", 1)[-1], 0.04, 0.01, status=400, cause=journey.exception(refused)
    )
    journey.function(page, 0.0, 0.31, calls=[first, second], fault=own)
    journey.function(ratings, 0.022, 0.24, parent=str(first["id"]), fault=missing, init=0.2)
    journey.function(stock, 0.023, 0.04, parent=str(second["id"]), calls=[get], fault=refused)
    faults = (("lambda-import-error-python", ratings.arn), ("lambda-role-missing-permission", stock.role_arn))
    return Expect(
        journey.send(),
        cause=faults[0][0],
        resource=faults[0][1],
        accept=faults[1:],
        also=faults,
        innocent=(counts, page.arn, page.role_arn, ratings.role_arn, stock.arn),
    )


@scenario(Kind.TWO_FAULTS, "lambda")
def events_that_fail_are_also_lost(world: World) -> Expect:
    """video-probe runs out of memory on long films, and the queue for its failed events was deleted in spring."""
    gone = world.arn("sqs", "video-probe-dead")
    settings = {"DeadLetterConfig": {"TargetArn": gone}}
    probe = deploy(world, "video-probe", "nodejs22.x", memory=1024, timeout=120, members=settings)
    fault = killed(1024, "{time}\t{request}\tINFO\tprobing 3 h 12 min", milliseconds=7400)
    began = whole_minute(world, 18)
    traffic(probe, 21, 2600, fault=fault, since=began, share=0.5)
    name = {"FunctionName": probe.name}
    lost = [counted(3)] * 18
    signals.metric(world, "AWS/Lambda", "DeadLetterErrors", name, lost, start=began, unit="Count")
    changed(probe, CODE, who="ci-video", when=world.ago(hours=16), publish=False)
    journey = Journey(world, world.ago(minutes=3))
    journey.function(probe, 0.0, 7.41, fault=fault)
    return Expect(
        journey.send(),
        cause="lambda-oom",
        resource=probe.arn,
        also=(("lambda-dlq-delivery-error", probe.arn),),
        innocent=(probe.role_arn,),
    )


@scenario(Kind.TWO_FAULTS, "lambda")
def two_suppliers_of_a_quote_are_broken(world: World) -> Expect:
    """quote asks freight and duty side by side: freight's handler was renamed in a release, and the table that duty
    reads was deleted the same evening."""
    rates = world.arn("dynamodb", "table/duty-rates")
    freight = deploy(world, "freight", "python3.13", last_modified=world.ago(minutes=52))
    duty = deploy(world, "duty", "nodejs22.x", allow(["dynamodb:GetItem"], rates))
    quote = deploy(world, "quote", "nodejs22.x", allow(["lambda:InvokeFunction"], [freight.arn, duty.arn]))
    renamed = python("Runtime.HandlerNotFound", "Handler 'lambda_handler' missing on module 'freight'")
    gone = node("ResourceNotFoundException", "Requested resource not found", ("/var/task/duty.mjs", 9, "rate"))
    own = node("Error", "no quote without freight and duty", ("/var/task/index.mjs", 30, "total"))
    traffic(freight, 40, 30, fault=renamed, since=whole_minute(world, 51))
    traffic(duty, 40, 25, fault=gone, since=whole_minute(world, 13))
    traffic(quote, 40, 120, fault=own, since=whole_minute(world, 51))
    changed(freight, CODE, who="release-bot", when=world.ago(minutes=51, seconds=40), publish=False)
    journey = Journey(world, world.ago(minutes=3, seconds=5))
    first, second = journey.invoke(freight.name, 0.01, 0.2), journey.invoke(duty.name, 0.011, 0.06)
    get = journey.dynamodb("GetItem", "duty-rates", 0.03, 0.012, status=400, cause=journey.exception(gone, remote=True))
    journey.function(quote, 0.0, 0.26, calls=[first, second], fault=own)
    journey.function(freight, 0.012, 0.19, parent=str(first["id"]), fault=renamed, init=0.15)
    journey.function(duty, 0.013, 0.05, parent=str(second["id"]), calls=[get], fault=gone)
    faults = (("lambda-handler-not-found", freight.arn), ("ddb-table-not-found", rates))
    return Expect(
        journey.send(),
        cause=faults[0][0],
        resource=faults[0][1],
        accept=faults[1:],
        also=faults,
        innocent=(quote.arn, quote.role_arn, duty.arn, duty.role_arn, freight.role_arn),
    )
