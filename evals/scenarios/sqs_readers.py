"""Queues whose readers do not get on: too little time, failures, no mapping, or none of it."""

import json
from datetime import timedelta

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._functions import CODE, CONFIGURATION, changed, deploy, elsewhere, traffic, whole_minute
from evals.scenarios._journeys import Journey
from evals.scenarios._messages import Flow, queue_changed, queue_flow, read_by, reading
from evals.scenarios._runtimes import java
from sandbox.aws import resources, signals
from sandbox.aws.faults import ACCESS_DENIED
from sandbox.aws.resources import allow
from sandbox.aws.signals import Reported
from sandbox.aws.world import World


@scenario(Kind.SINGLE, "sqs")
def posters_are_rendered_twice(world: World) -> Expect:
    """Somebody tidied the visibility timeout of posters from 30 minutes to one; large posters take four, and come back
    while they are rendered."""
    queue = resources.queue(world, "posters", VisibilityTimeout="60")
    render = deploy(world, "poster-render", "python3.12", reading(queue), timeout=300, memory=3008)
    read_by(render, queue, BatchSize=1)
    traffic(render, 12, 26000)
    began = whole_minute(world, 24)
    long = [{240000.0: 3}] * 24
    signals.metric(world, "AWS/Lambda", "Duration", {"FunctionName": render.name}, long, start=began)
    queue_flow(
        world, "posters", Flow(12, 12, 12, 2, 5, 8), since=began, then=Flow(12, 31, 12, visible=9, flying=21, age=40)
    )
    tidy = {"attributes": {"VisibilityTimeout": "60"}}
    queue_changed(world, "SetQueueAttributes", "posters", who="tidy-bot", when=began - timedelta(minutes=1), **tidy)
    changed(render, CONFIGURATION, who="ci-print", when=world.ago(hours=9), memorySize=3008)
    innocent = (render.arn, render.role_arn)
    return Expect(
        f"customers get posters twice, {queue}", cause="esm-visibility-lt-timeout", resource=queue, innocent=innocent
    )


@scenario(Kind.CASCADE, "lambda")
def dead_letters_of_a_parser_that_knows_no_pdf(world: World) -> Expect:
    """A supplier began to send PDF; bill-parse throws at each of them, and after three receives they are
    dead letters."""
    dead = resources.queue(world, "bills-dead", MessageRetentionPeriod="1209600")
    bills = resources.queue(world, "bills", dead_letter=dead, max_receives=3, VisibilityTimeout="240")
    archive = resources.table(world, "bill-archive", key="bill")
    rights = (reading(bills), allow("dynamodb:PutItem", archive))
    parse = deploy(world, "bill-parse", "java21", *rights, memory=1024, timeout=40)
    read_by(parse, bills, BatchSize=1)
    fault = java(
        "com.bills.UnsupportedFormat",
        "no parser for application/pdf",
        ("BillParser.java", 118, "com.bills.BillParser.parserFor"),
        ("BillParser.java", 40, "com.bills.BillParser.handleRequest"),
    )
    began = whole_minute(world, 14)
    traffic(parse, 20, 350, fault=fault, since=began, share=0.6)
    queue_flow(
        world, "bills", Flow(20, 20, 20, 1, 2, 3), since=began, then=Flow(12, 20, 8, visible=2, flying=9, age=700)
    )
    queue_flow(world, "bills-dead", Flow(), since=began, then=Flow(visible=52, age=600))
    changed(parse, CODE, who="ci-bills", when=world.ago(days=3), publish=False)
    elsewhere(world, CODE, "bill-remind", who="ci-bills", when=world.ago(minutes=15), publish=False)
    journey = Journey(world, world.ago(minutes=3, seconds=25))
    journey.function(parse, 0.0, 0.31, fault=fault)
    trace = journey.send()
    innocent = (archive, parse.role_arn, dead)
    return Expect(
        f"{dead} fills up, see {trace}", cause="lambda-unhandled-exception", resource=parse.arn, innocent=innocent
    )


@scenario(Kind.SINGLE, "sqs")
def stack_update_left_the_mapping_off(world: World) -> Expect:
    """A stack update set Enabled to false for the mapping that reads returns; an alarm on the oldest message is all
    that anybody sees."""
    dead = resources.queue(world, "returns-dead")
    returns = resources.queue(world, "returns", dead_letter=dead, VisibilityTimeout="180")
    refund = deploy(world, "refund-book", "dotnet8", reading(returns), memory=512, timeout=30)
    began = whole_minute(world, 47)
    uuid = read_by(refund, returns, modified=began, BatchSize=5, Enabled=False)
    calm = [{1.0: 25}] * (240 - 47)
    start, name = whole_minute(world, 240), {"FunctionName": refund.name}
    for metric, samples in (("Invocations", {1.0: 25}), ("Errors", {0.0: 25}), ("Duration", {220.0: 25})):
        values: list[Reported] = [samples for _ in calm]
        signals.metric(world, "AWS/Lambda", metric, name, values, start=start)
    queue_flow(
        world, "returns", Flow(25, 25, 25, 1, 1, 2), since=began, then=Flow(25, 0, 0, visible=1180, flying=0, age=2810)
    )
    mapping = [("AWS::Lambda::EventSourceMapping", uuid), ("AWS::Lambda::Function", refund.name)]
    request = {"uUID": uuid, "enabled": False, "batchSize": 5}
    off = "UpdateEventSourceMapping20150331"
    signals.cloudtrail_event(world, off, "lambda", mapping, who="cloudformation", when=began, request=request)
    age, where = "ApproximateAgeOfOldestMessage", {"QueueName": "returns"}
    transitions = [(world.ago(minutes=31), "ALARM", "Threshold Crossed: 1 datapoint [931.0]")]
    signals.alarm(
        world, "returns-too-old", "AWS/SQS", age, where, threshold=900, statistic="Maximum", transitions=transitions
    )
    return Expect("alarm returns-too-old", cause="esm-disabled", resource=refund.arn, innocent=(dead, refund.role_arn))


@scenario(Kind.HEALTHY, "sqs")
def import_of_every_hour(world: World) -> Expect:
    """Every hour the till systems send 1,800 receipts at once; ten minutes later they are worked off, as ever."""
    tills = resources.queue(world, "till-receipts", VisibilityTimeout="120")
    book = deploy(world, "receipt-book", "nodejs22.x", reading(tills), timeout=20)
    read_by(book, tills, BatchSize=10, ScalingConfig={"MaximumConcurrency": 4})
    traffic(book, 18, 900)
    start, where = whole_minute(world, 240), {"QueueName": "till-receipts"}
    wave = [1800.0 - 180 * minute for minute in range(10)] + [0.0] * 50
    ages = [60.0 * minute for minute in range(10)] + [0.0] * 50
    for name, hour in (("ApproximateNumberOfMessagesVisible", wave), ("ApproximateAgeOfOldestMessage", ages)):
        now = [*hour[40:], *hour * 3, *hour[:40]]
        signals.metric(world, "AWS/SQS", name, where, now, start=start, unit="Count")
    for name, hour in (
        ("NumberOfMessagesSent", [1800.0] + [0.0] * 59),
        ("NumberOfMessagesReceived", [180.0] * 10 + [0.0] * 50),
        ("NumberOfMessagesDeleted", [180.0] * 10 + [0.0] * 50),
    ):
        signals.metric(world, "AWS/SQS", name, where, [*hour[40:], *hour * 3, *hour[:40]], start=start, unit="Count")
    changed(book, CODE, who="ci-tills", when=world.ago(hours=2), publish=True)
    return Expect("is the queue till-receipts stuck?", innocent=(tills, book.arn, book.role_arn))


@scenario(Kind.DENIED, "sqs")
def backlog_whose_readers_may_not_be_listed(world: World) -> Expect:
    """geo-events is read by nobody since lunch; whether a mapping is off, gone or failing cannot be seen from here."""
    geo = resources.queue(world, "geo-events", MessageRetentionPeriod="345600")
    deploy(world, "geo-enrich", "python3.12", reading(geo), timeout=15)
    usual, now = Flow(300, 300, 300, 12, 20, 4), Flow(300, 0, 0, visible=17900, flying=0, age=3540)
    queue_flow(world, "geo-events", usual, since=whole_minute(world, 59), then=now)
    queue_changed(world, "TagQueue", "geo-events", who="finops", when=world.ago(hours=5), tags={"team": "geo"})
    world.aws.inject("lambda", "ListEventSourceMappings", ACCESS_DENIED)
    return Expect(
        f"{geo} has a backlog",
        status="inconclusive",
        gaps=("lambda:ListEventSourceMappings",),
    )


@scenario(Kind.INSUFFICIENT, "sqs")
def producer_says_five_hundred_and_nothing_else(world: World) -> Expect:
    """SQS answered one SendMessage with an internal error after its retries; queue and metrics are as ever."""
    picks = resources.queue(world, "picks", VisibilityTimeout="90")
    walk = deploy(world, "pick-walk", "provided.al2023", reading(picks), Handler="bootstrap", timeout=12)
    read_by(walk, picks)
    plan = deploy(world, "pick-plan", "java17", allow(["sqs:SendMessage"], picks), memory=1024)
    fault = java(
        "software.amazon.awssdk.services.sqs.model.SqsException",
        "We encountered an internal error. Please try again. (Service: Sqs, Status Code: 500, Request ID: "
        f"{world.ids.request()}) (SDK Attempt Count: 4)",
        ("PickPlan.java", 71, "com.wms.PickPlan.send"),
        milliseconds=2100,
    )
    traffic(walk, 40, 55)
    traffic(plan, 40, 130)
    queue_flow(world, "picks", Flow(40, 40, 40, 1, 2, 2))
    queue_changed(world, "TagQueue", "picks", who="finops", when=world.ago(hours=1), tags={"team": json.dumps("wms")})
    journey = Journey(world, world.ago(minutes=5))
    cause = journey.exception(fault, remote=True)
    call = journey.sqs("SendMessage", "picks", 0.05, 2.0, status=500, retries=3, cause=cause)
    journey.function(plan, 0.0, 2.12, calls=[call], fault=fault)
    innocent = (picks, walk.arn, plan.arn, plan.role_arn)
    return Expect(journey.send(), status="inconclusive", innocent=innocent)
