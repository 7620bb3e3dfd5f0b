"""What looks guilty and is not: refusals the code expects, throttles outlived, neighbours, aliases, deployments."""

from datetime import timedelta

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._buckets import bucket_changed
from evals.scenarios._functions import (
    CODE,
    CONFIGURATION,
    changed,
    deploy,
    elsewhere,
    invocation,
    role_changed,
    traffic,
    whole_minute,
)
from evals.scenarios._journeys import Journey
from evals.scenarios._runtimes import Fault, java, killed, node, python
from evals.scenarios._tables import Throttling, table_changed, table_traffic
from sandbox.aws import resources, segments, signals
from sandbox.aws.resources import allow, policy_document
from sandbox.aws.signals import counted
from sandbox.aws.world import World

SILENT = Fault("", "", (), milliseconds=70)
"""A failure of which neither trace nor log says anything."""


def _may_not(world: World, role: str, function: str, action: str) -> str:
    session = f"arn:aws:sts::{world.account}:assumed-role/{role}/{function}"
    return (
        f"User: {session} is not authorized to perform: {action} because no identity-based policy allows the "
        f"{action} action"
    )


@scenario(Kind.HEALTHY, "iam")
def numbers_it_was_never_allowed_to_send(world: World) -> Expect:
    """ticket-print has tried to send a number of its own since it exists, is refused each time and goes on; somebody
    tagged its role an hour ago. Tickets are printed."""
    tickets = resources.table(world, "tickets", key="ticket")
    printer = deploy(world, "ticket-print", "python3.12", allow(["dynamodb:GetItem"], tickets))
    stage = resources.rest_api(world, "tickets", [("GET", "/ticket", printer.arn)])
    words = (
        "An error occurred (AccessDenied) when calling the PutMetricData operation: "
        f"{_may_not(world, printer.role, printer.name, 'cloudwatch:PutMetricData')}"
    )
    refused = python("ClientError", words, ("/var/task/app.py", 31, "count"))
    lines = [f"[ERROR]\t{{time}}\t{{request}}\tcould not count\nTraceback (most recent call last):\n{words}"]
    traffic(printer, 90, 64, lines=lines)
    role_changed(world, "TagRole", printer.role, who="tag-bot", when=world.ago(minutes=61))
    changed(printer, CODE, who="ci-tickets", when=world.ago(minutes=22), publish=False)
    journey = Journey(world, world.ago(minutes=4))
    parent = journey.api(stage, "GET", "/ticket", printer.name, 0.09, status=200)
    read = journey.dynamodb("GetItem", "tickets", 0.016, 0.007)
    cause = journey.exception(refused, remote=True)
    count = journey.aws("CloudWatch", "PutMetricData", 0.03, 0.04, status=403, cause=cause)
    journey.function(printer, 0.006, 0.08, parent=parent, calls=[read, count], lines=lines)
    innocent = (tickets, printer.arn, printer.role_arn, resources.rest_api_arn(world, stage))
    return Expect(journey.send(), innocent=innocent)


@scenario(Kind.HEALTHY, "dynamodb")
def throttles_that_every_retry_outlives(world: World) -> Expect:
    """clicks is provisioned tightly and refuses a handful of writes a minute, now as ever: the SDK tries again, and
    none of 900 requests a minute has failed."""
    clicks = resources.table(world, "clicks", key="click", write_capacity=20)
    keep = deploy(world, "click-keep", "nodejs22.x", allow(["dynamodb:PutItem"], clicks))
    stage = resources.rest_api(world, "clicks", [("POST", "/click", keep.arn)])
    usual = Throttling(whole_minute(world, 240), 5, "ProvisionedThroughput")
    table_traffic(world, "clicks", "Write", 15, provisioned=20, throttling=usual)
    traffic(keep, 900, 21, lines=["{time}\t{request}\tWARN\tPutItem took 3 attempts, ok"])
    given = {"provisionedThroughput": {"readCapacityUnits": 20, "writeCapacityUnits": 20}}
    table_changed(world, "UpdateTable", "clicks", who="finops", when=world.ago(days=6), **given)
    journey = Journey(world, world.ago(minutes=3))
    parent = journey.api(stage, "POST", "/click", keep.name, 0.19, status=200)
    write = journey.dynamodb("PutItem", "clicks", 0.016, 0.15, retries=2)
    journey.function(keep, 0.006, 0.18, parent=parent, calls=[write])
    innocent = (clicks, keep.arn, keep.role_arn, resources.rest_api_arn(world, stage))
    return Expect(journey.send(), innocent=innocent)


@scenario(Kind.HEALTHY, "lambda")
def beta_fails_and_live_is_well(world: World) -> Expect:
    """quote has an alias beta, which testers call and whose new version fails each time; the traced request went to
    live, the old version, and was answered. The function's metrics and log mix the two."""
    quote = deploy(world, "quote", "nodejs22.x")
    client = world.client("lambda")
    old = client.publish_version(FunctionName=quote.name)["Version"]
    client.update_function_configuration(FunctionName=quote.name, Description="new rates")
    new = client.publish_version(FunctionName=quote.name)["Version"]
    for alias, version in (("live", old), ("beta", new)):
        client.create_alias(FunctionName=quote.name, Name=alias, FunctionVersion=version)
    live = f"{quote.arn}:live"
    stage = resources.rest_api(world, "quotes", [("GET", "/quote", live)])
    fault = node(
        "TypeError", "Cannot read properties of undefined (reading 'rate')", ("/var/task/index.mjs", 14, "rate")
    )
    began = whole_minute(world, 25)
    traffic(quote, 200, 33, fault=fault, since=began, share=0.05, logged=False)
    for alias, version, calls, failed in (("live", old, 190, 0), ("beta", new, 10, 10)):
        where = {"FunctionName": quote.name, "Resource": f"{quote.name}:{alias}", "ExecutedVersion": version}
        for where_ in (where, {key: value for key, value in where.items() if key != "ExecutedVersion"}):
            for metric, value in (("Invocations", calls), ("Errors", failed)):
                signals.metric(world, "AWS/Lambda", metric, where_, [counted(value)] * 25, start=began, unit="Count")
    group = f"/aws/lambda/{quote.name}"
    for number in range(25):
        good = invocation(quote, began + timedelta(minutes=number, seconds=8), 33)
        bad = invocation(quote, began + timedelta(minutes=number, seconds=40), 33, fault=fault)
        for version, events in ((old, good), (new, bad)):
            shown = [(at, text.replace("Version: $LATEST", f"Version: {version}")) for at, text in events]
            signals.log(world, group, shown, stream=f"{world.now:%Y/%m/%d}/[{version}]{world.ids.hex(32)}")
    changed(quote, "UpdateAlias20150331", who="ci-quotes", when=began, name="beta", functionVersion=new)
    journey = Journey(world, world.ago(minutes=3))
    parent = journey.api(stage, "GET", "/quote", live, 0.05, status=200)
    start = world.ago(minutes=3).timestamp() + 0.006
    service, own = segments.lambda_segments(journey.place, quote.name, parent, start, 0.04)
    journey.add({**service, "resource_arn": live}, {**own, "aws": {**own["aws"], "function_arn": live}})
    innocent = (quote.arn, live, f"{quote.arn}:beta", quote.role_arn, resources.rest_api_arn(world, stage))
    return Expect(journey.send(), innocent=innocent)


@scenario(Kind.CASCADE, "lambda")
def deployed_two_minutes_before_a_kill_two_hops_away(world: World) -> Expect:
    """web-cart was deployed two minutes before the carts failed, and cart-price between it and stock-fit has its new
    code of the morning; but it is stock-fit that is killed for its memory since the catalogue grew."""
    fit = deploy(world, "stock-fit", "python3.12", memory=512, timeout=20)
    price = deploy(world, "cart-price", "python3.12", allow(["lambda:InvokeFunction"], fit.arn), timeout=25)
    cart = deploy(world, "web-cart", "python3.12", allow(["lambda:InvokeFunction"], price.arn), timeout=28)
    stage = resources.rest_api(world, "cart", [("POST", "/cart", cart.arn)])
    began = whole_minute(world, 13)
    died = killed(512, "[INFO]\t{time}\t{request}\t412000 articles", milliseconds=2900)
    second = python("UpstreamError", "stock-fit answered Unhandled", ("/var/task/app.py", 44, "fit"), milliseconds=3000)
    first = python("UpstreamError", "cart-price answered Unhandled", ("/var/task/app.py", 19, "price"))
    traffic(fit, 40, 700, fault=died, since=began)
    traffic(price, 40, 760, fault=second, since=began)
    traffic(cart, 40, 800, fault=first._replace(milliseconds=3100), since=began)
    changed(cart, CODE, who="ci-web", when=began - timedelta(minutes=2), publish=False)
    changed(price, CODE, who="ci-price", when=world.ago(hours=6), publish=False)
    journey = Journey(world, world.ago(minutes=4))
    parent = journey.api(stage, "POST", "/cart", cart.name, 3.16, status=502)
    one = journey.invoke(price.name, 0.03, 3.06)
    journey.function(cart, 0.006, 3.14, parent=parent, calls=[one], fault=first)
    two = journey.invoke(fit.name, 0.06, 2.96)
    journey.function(price, 0.04, 3.04, parent=str(one["id"]), calls=[two], fault=second)
    journey.function(fit, 0.07, 2.93, parent=str(two["id"]), fault=died)
    return Expect(
        journey.send(),
        cause="lambda-oom",
        resource=fit.arn,
        trigger="",
        innocent=(
            cart.arn,
            price.arn,
            cart.role_arn,
            price.role_arn,
            fit.role_arn,
            resources.rest_api_arn(world, stage),
        ),
    )


@scenario(Kind.INSUFFICIENT, "lambda")
def caller_hangs_up_on_a_callee_that_is_as_fast_as_ever(world: World) -> Expect:
    """trip-plan waits two seconds for route-find, which takes 2.4 s for long routes and always has; it is the caller
    that hangs up. Nothing shows what its patience was before, or who set it."""
    find = deploy(world, "route-find", "java21", memory=2048, timeout=15)
    plan = deploy(world, "trip-plan", "nodejs22.x", allow(["lambda:InvokeFunction"], find.arn), timeout=10)
    stage = resources.rest_api(world, "trips", [("GET", "/plan", plan.arn)])
    fault = node(
        "TimeoutError",
        "Connection timed out after 2000 ms",
        ("/var/task/node_modules/@smithy/node-http-handler/dist-cjs/index.js", 179, "timeoutId"),
        milliseconds=2080,
    )
    traffic(find, 60, 2400)
    traffic(plan, 60, 1500, fault=fault, since=whole_minute(world, 230), share=0.1)
    changed(find, CODE, who="ci-routes", when=world.ago(minutes=9), publish=False)
    journey = Journey(world, world.ago(minutes=3))
    parent = journey.api(stage, "GET", "/plan", plan.name, 2.11, status=502)
    call = journey.invoke(find.name, 0.04, 2.0, status=None, cause=journey.exception(fault))
    journey.function(plan, 0.006, 2.09, parent=parent, calls=[call], fault=fault)
    journey.function(find, 0.05, 2.43, parent=str(call["id"]))
    innocent = (find.arn, find.role_arn, plan.role_arn, resources.rest_api_arn(world, stage))
    return Expect(
        journey.send(),
        status="inconclusive",
        innocent=innocent,
    )


@scenario(Kind.SINGLE, "iam")
def bucket_denies_others_and_the_role_lost_its_right(world: World) -> Expect:
    """The policy of the bucket denies unencrypted access and the interns, and somebody put it again while
    looking for the fault; what invoice-keep is missing went with its role's policy, which a clean-up had taken."""
    name = "shop-invoices-4c1e"
    interns = allow("s3:*", f"arn:aws:s3:::{name}/*", effect="Deny")
    plain = allow("s3:*", f"arn:aws:s3:::{name}/*", effect="Deny", Bool={"aws:SecureTransport": "false"})
    intern = resources.role(world, "interns", assumed_by="ec2.amazonaws.com")
    policy = ({"Sid": "Interns", "Principal": {"AWS": intern}, **interns}, {"Sid": "Tls", "Principal": "*", **plain})
    bucket = resources.bucket(world, name, policy=policy)
    keep = deploy(world, "invoice-keep", "python3.12")
    session = f"arn:aws:sts::{world.account}:assumed-role/{keep.role}/{keep.name}"
    fault = python(
        "ClientError",
        f"An error occurred (AccessDenied) when calling the PutObject operation: User: {session} is not authorized to "
        f'perform: s3:PutObject on resource: "{bucket}/2026/11/i-7731.pdf" because no identity-based policy allows the '
        "s3:PutObject action",
        ("/var/lang/lib/python3.12/site-packages/botocore/client.py", 1094, "_make_api_call"),
        ("/var/task/app.py", 27, "keep"),
    )
    began = whole_minute(world, 11)
    traffic(keep, 20, 120, fault=fault, since=began)
    gone = began - timedelta(seconds=20)
    role_changed(world, "DeleteRolePolicy", keep.role, who="iam-sweeper", when=gone, policyName="keep-invoices")
    bucket_changed(world, "PutBucketPolicy", name, who="nils", minutes=6.2, bucketPolicy=policy_document(*policy))
    changed(keep, CODE, who="ci-invoices", when=began - timedelta(minutes=3), publish=False)
    journey = Journey(world, world.ago(minutes=3))
    call = journey.s3(
        "PutObject", name, "2026/11/i-7731.pdf", 0.03, 0.04, status=403, cause=journey.exception(fault, remote=True)
    )
    journey.function(keep, 0.0, 0.11, calls=[call], fault=fault)
    return Expect(
        journey.send(), cause="lambda-role-missing-permission", resource=keep.role_arn, innocent=(bucket, keep.arn)
    )


@scenario(Kind.INSUFFICIENT, "lambda")
def fails_without_a_word_beside_three_tempting_causes(world: World) -> Expect:
    """slot-book fails and says nothing. Its role may not delete from the table, but nobody asked it to; the table is
    nearly used up, but refuses nothing; slot-list beside it is refused by the same table, and its log is loud."""
    slots = resources.table(world, "slots", key="slot", write_capacity=10)
    book = deploy(
        world, "slot-book", "provided.al2023", allow(["dynamodb:PutItem"], slots), Handler="bootstrap",
        env={"TABLE": "slots"},
    )  # fmt: skip
    neighbour = deploy(world, "slot-list", "python3.12", env={"TABLE": "slots"})
    stage = resources.rest_api(world, "slots", [("POST", "/book", book.arn), ("GET", "/slots", neighbour.arn)])
    table_traffic(world, "slots", "Write", 9.2, provisioned=10)
    words = (
        "An error occurred (AccessDeniedException) when calling the Query operation: User: "
        f"arn:aws:sts::{world.account}:assumed-role/{neighbour.role}/{neighbour.name} is not authorized to perform: "
        f"dynamodb:Query on resource: {slots} because no identity-based policy allows the dynamodb:Query action"
    )
    loud = python("ClientError", words, ("/var/task/app.py", 9, "handler"))
    began = whole_minute(world, 14)
    traffic(neighbour, 30, 45, fault=loud, since=began)
    traffic(book, 60, 30, fault=SILENT, since=began, share=0.5)
    elsewhere(world, CONFIGURATION, neighbour.name, who="ci-slots", when=began - timedelta(minutes=1), timeout=10)
    journey = Journey(world, world.ago(minutes=4))
    parent = journey.api(stage, "POST", "/book", book.name, 0.09, status=502)
    write = journey.dynamodb("PutItem", "slots", 0.02, 0.006)
    journey.function(book, 0.006, 0.07, parent=parent, calls=[write], fault=SILENT)
    innocent = (slots, book.role_arn, neighbour.arn, neighbour.role_arn, resources.rest_api_arn(world, stage))
    return Expect(journey.send(), status="inconclusive", innocent=innocent)


@scenario(Kind.SINGLE, "lambda")
def refused_as_ever_beside_a_bug_of_the_new_code(world: World) -> Expect:
    """offer-rank has never been allowed to put its numbers and goes on; what fails since this deployment is its new
    code, which does not know offers without a price."""
    offers = resources.table(world, "offers", key="offer", read_capacity=40)
    rank = deploy(world, "offer-rank", "java21", allow(["dynamodb:Query"], offers), memory=1024)
    stage = resources.rest_api(world, "offers", [("GET", "/rank", rank.arn)])
    words = (
        f"{_may_not(world, rank.role, rank.name, 'cloudwatch:PutMetricData')} (Service: CloudWatch, Status Code: 403, "
        f"Request ID: {world.ids.request()})"
    )
    refused = java("software.amazon.awssdk.services.cloudwatch.model.CloudWatchException", words)
    lines = [f"{{time}} {{request}} ERROR could not count\n{refused.type}: {words}"]
    fault = java(
        "java.lang.NullPointerException",
        'Cannot invoke "java.math.BigDecimal.compareTo(java.math.BigDecimal)" because "a.price" is null',
        ("Ranking.java", 52, "com.offers.Ranking.compare"),
        ("RankHandler.java", 24, "com.offers.RankHandler.handleRequest"),
    )
    began = whole_minute(world, 12)
    outlived = Throttling(whole_minute(world, 240), 4, "ProvisionedThroughput")
    table_traffic(world, "offers", "Read", 31, provisioned=40, throttling=outlived)
    traffic(rank, 110, 70, fault=fault, since=began, share=0.4, lines=lines)
    changed(rank, CODE, who="ci-offers", when=began - timedelta(seconds=25), publish=False)
    journey = Journey(world, world.ago(minutes=3))
    parent = journey.api(stage, "GET", "/rank", rank.name, 0.13, status=502)
    read = journey.dynamodb("Query", "offers", 0.016, 0.06, retries=1)
    cause = journey.exception(refused, remote=True)
    count = journey.aws("CloudWatch", "PutMetricData", 0.08, 0.02, status=403, cause=cause)
    journey.function(rank, 0.006, 0.12, parent=parent, calls=[read, count], fault=fault, lines=lines)
    return Expect(
        journey.send(),
        cause="lambda-unhandled-exception",
        resource=rank.arn,
        innocent=(offers, rank.role_arn, resources.rest_api_arn(world, stage)),
    )
