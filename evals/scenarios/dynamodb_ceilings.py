"""Tables that are held to a limit somebody set, and one whose throttles are nobody's trouble."""

import json
from datetime import timedelta

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._apis import Failing, api_traffic
from evals.scenarios._functions import CODE, HISTORY_MINUTES, changed, deploy, elsewhere, traffic, whole_minute
from evals.scenarios._journeys import Journey
from evals.scenarios._runtimes import python
from evals.scenarios._tables import EXCEEDED, WORDS, Throttling, table_changed, table_traffic
from sandbox.aws import documents, resources
from sandbox.aws.resources import allow
from sandbox.aws.world import World


@scenario(Kind.SINGLE, "dynamodb")
def on_demand_with_a_ceiling(world: World) -> Expect:
    """finance gave the on-demand table bids a ceiling of 40 writes a second; the evening's auction needs 300. The
    Node code catches the refusal, logs it with pino and answers 503 itself: the function has no error at all."""
    bids = resources.table(world, "bids", key="bid")
    ceiling = {"MaxReadRequestUnits": -1, "MaxWriteRequestUnits": 40}
    world.aws.amend("dynamodb", "DescribeTable", {"Table": {"OnDemandThroughput": ceiling}}, when={"TableName": "bids"})
    place = deploy(world, "bid-place", "nodejs22.x", allow(["dynamodb:PutItem"], bids))
    stage = resources.rest_api(world, "auction", [("POST", "/bid", place.arn)])
    began = whole_minute(world, 16)
    refused = Throttling(began, 15000, reason="MaxOnDemandThroughput")
    table_traffic(world, "bids", "Write", 22, now=40, since=began, throttling=refused)
    table_changed(world, "UpdateTable", "bids", who="finance-ops", when=world.ago(hours=5), onDemandThroughput=ceiling)
    words = "Throughput exceeds the maximum OnDemandThroughput configured on table or index"
    pino = {
        "level": 50,
        "reqId": "{request}",
        "err": {
            "type": "ThrottlingException",
            "message": words,
            "stack": f"ThrottlingException: {words}\n    at throwDefaultError (file:///var/task/index.mjs:3881:20)",
            "name": "ThrottlingException",
            "$fault": "client",
            "$metadata": {"httpStatusCode": 400, "attempts": 3, "totalRetryDelay": 183},
        },
        "msg": "bid not taken",
    }
    traffic(place, 18000, 24, lines=[json.dumps(pino)])
    api_traffic(world, {"ApiName": "auction"}, 18000, 40, Failing(503, began, 0.8, 240))
    elsewhere(world, CODE, "bid-mail", who="ci-auction", when=world.ago(minutes=19), publish=True)
    journey = Journey(world, world.ago(minutes=2, seconds=10))
    parent = journey.api(stage, "POST", "/bid", place.name, 0.26, status=503)
    cause = documents.exception(journey.place.ids, "ThrottlingException", words, remote=True)
    call = journey.dynamodb("PutItem", "bids", 0.02, 0.2, status=400, retries=2, cause=cause)
    journey.function(place, 0.005, 0.25, parent=parent, calls=[call], lines=[json.dumps(pino)])
    return Expect(
        journey.send(),
        cause="ddb-provisioned-exceeded",
        resource=bids,
        innocent=(place.arn, place.role_arn, resources.rest_api_arn(world, stage)),
    )


@scenario(Kind.SINGLE, "dynamodb")
def batch_refused_as_a_whole(world: World) -> Expect:
    """click-sink counts a click and writes the day's lines as one batch to clicks-daily, whose capacity a pipeline cut:
    not one item of the batch gets in. X-Ray lists the tables of a batch instead of naming one."""
    clicks = resources.table(world, "clicks", key="click")
    daily = resources.table(world, "clicks-daily", key="day", write_capacity=12)
    may = allow(["dynamodb:BatchWriteItem", "dynamodb:UpdateItem"], [clicks, daily])
    sink = deploy(world, "click-sink", "python3.13", may, timeout=30)
    began = whole_minute(world, 17)
    table_traffic(world, "clicks", "Write", 60)
    refused = Throttling(began, 1900)
    table_traffic(world, "clicks-daily", "Write", 58, provisioned=12, now=12, since=began, throttling=refused)
    said = f"An error occurred ({EXCEEDED}) when calling the BatchWriteItem operation (reached max retries: 4): "
    fault = python(EXCEEDED, said + WORDS.format("the table"), ("/var/task/sink.py", 48, "flush"), milliseconds=1300)
    traffic(sink, 240, 60, fault=fault, since=began, share=0.8)
    for when, units in ((world.ago(hours=21), 150), (began - timedelta(seconds=15), 12)):
        given = {"provisionedThroughput": {"readCapacityUnits": 12, "writeCapacityUnits": units}}
        table_changed(world, "UpdateTable", "clicks-daily", who="data-tf", when=when, **given)
    changed(sink, CODE, who="ci-clicks", when=world.ago(hours=7), publish=False)
    journey = Journey(world, world.ago(minutes=3))
    count = journey.dynamodb("UpdateItem", "clicks", 0.015, 0.006)
    cause = journey.exception(fault, remote=True)
    tables = {"table_names": ["clicks-daily"]}
    batch = journey.aws("DynamoDB", "BatchWriteItem", 0.03, 1.2, status=400, retries=4, cause=cause, **tables)
    journey.function(sink, 0.0, 1.3, calls=[count, batch], fault=fault)
    return Expect(
        journey.send(),
        cause="ddb-provisioned-exceeded",
        resource=daily,
        trigger=daily,
        says=("data-tf",),
        innocent=(clicks, sink.arn, sink.role_arn),
    )


@scenario(Kind.CHANGE, "dynamodb")
def throttles_that_the_retries_outlive(world: World) -> Expect:
    """trolleys always refuses a few writes a minute, which the SDK's second try gets through. What fails since the
    release of trolley-add is its own code: it reads a field that old clients do not send."""
    trolleys = resources.table(world, "trolleys", key="trolley", write_capacity=60)
    add = deploy(
        world,
        "trolley-add",
        "python3.12",
        allow(["dynamodb:UpdateItem"], trolleys),
        last_modified=world.ago(minutes=15, seconds=20),
    )
    stage = resources.rest_api(world, "trolley", [("POST", "/add", add.arn)])
    began = whole_minute(world, 15)
    steady = Throttling(whole_minute(world, HISTORY_MINUTES), 6)
    table_traffic(world, "trolleys", "Write", 51, provisioned=60, throttling=steady)
    fault = python("KeyError", "'gift_note'", ("/var/task/add.py", 37, "line_of"), ("/var/task/add.py", 12, "handler"))
    traffic(add, 3000, 35, fault=fault, since=began, share=0.6)
    changed(add, CODE, who="ci-trolley", when=world.ago(minutes=15, seconds=20), publish=False)
    journey = Journey(world, world.ago(minutes=3))
    parent = journey.api(stage, "POST", "/add", add.name, 0.1, status=502)
    write = journey.dynamodb("UpdateItem", "trolleys", 0.02, 0.06, retries=1)
    journey.function(add, 0.005, 0.09, parent=parent, calls=[write], fault=fault)
    return Expect(
        journey.send(),
        cause="lambda-unhandled-exception",
        resource=add.arn,
        trigger=add.arn,
        innocent=(trolleys, add.role_arn, resources.rest_api_arn(world, stage)),
    )
