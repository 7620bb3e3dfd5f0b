"""Tables whose refusal stands in another SDK's words, in a log alone, or nowhere that names them."""

import json
from datetime import timedelta

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._functions import CODE, CONFIGURATION, changed, deploy, traffic, whole_minute
from evals.scenarios._journeys import Journey
from evals.scenarios._runtimes import Fault, dotnet, java, node
from evals.scenarios._tables import Throttling, count_of, table_changed, table_traffic
from sandbox.aws import resources
from sandbox.aws.resources import allow
from sandbox.aws.world import World


@scenario(Kind.SINGLE, "dynamodb")
def rust_says_only_service_error(world: World) -> Expect:
    """Two devices save the same document with a version condition; the Rust SDK prints `service error` and keeps the
    refusal for its debug text. Throttles of last night are over."""
    notes = resources.table(world, "field-notes", key="note", write_capacity=200)
    save = deploy(world, "note-save", "provided.al2023", allow(["dynamodb:PutItem"], notes), Handler="bootstrap")
    stage = resources.rest_api(world, "notes", [("PUT", "/note", save.arn)])
    began = whole_minute(world, 14)
    table_traffic(
        world,
        "field-notes",
        "Write",
        30,
        provisioned=200,
        throttling=Throttling(whole_minute(world, 200), 90, until=whole_minute(world, 188)),
    )
    count_of(world, "field-notes", "ConditionalCheckFailedRequests", 260, began, usual=1)
    meta = (
        'meta: ErrorMetadata { code: Some("ConditionalCheckFailedException"), message: Some("The conditional request '
        'failed"), extras: Some({"aws_request_id": "2M7C0Q"}) }'
    )
    debug = (
        "ServiceError(ServiceError { source: ConditionalCheckFailedException(ConditionalCheckFailedException { item: "
        f'None, message: Some("The conditional request failed"), {meta} }}), raw: Response {{ status: StatusCode(400)'
    )
    kind = (
        "aws_smithy_runtime_api::client::result::SdkError<aws_sdk_dynamodb::operation::put_item::PutItemError, "
        "aws_smithy_runtime_api::http::response::Response>"
    )
    line = f'{{time}} ERROR Lambda runtime invoke{{requestId="{{request}}"}}: note_save: put failed err={debug} }} }})'
    fault = Fault(kind, "service error", (line,), milliseconds=14)
    traffic(save, 900, 8, fault=fault, since=began, share=0.3)
    changed(save, CONFIGURATION, who="notes-tf", when=world.ago(hours=26), memorySize=256)
    journey = Journey(world, world.ago(minutes=3))
    parent = journey.api(stage, "PUT", "/note", save.name, 0.03, status=502)
    call = journey.dynamodb("PutItem", "field-notes", 0.01, 0.006, status=400)
    journey.function(save, 0.005, 0.02, parent=parent, calls=[call], fault=fault)
    return Expect(
        journey.send(),
        cause="ddb-conditional-failed",
        resource=notes,
        trigger="",
        innocent=(save.role_arn, resources.rest_api_arn(world, stage)),
    )


@scenario(Kind.SINGLE, "dynamodb")
def every_request_describes_the_table(world: World) -> Expect:
    """The .NET document model asks what the table is like each time it is loaded; since a release that is each
    request, and DynamoDB refuses the question. The table has five units and needs three: it is innocent."""
    prices = resources.table(world, "fare-rules", key="fare", read_capacity=5)
    may = allow(["dynamodb:GetItem", "dynamodb:DescribeTable"], prices)
    fare = deploy(world, "fare-quote", "dotnet8", may, memory=512, last_modified=world.ago(minutes=21))
    stage = resources.rest_api(world, "fares", [("GET", "/quote", fare.arn)])
    began = whole_minute(world, 20)
    table_traffic(world, "fare-rules", "Read", 3, provisioned=5)
    fault = dotnet(
        "Amazon.DynamoDBv2.AmazonDynamoDBException",
        "Rate of requests exceeds the allowed throughput.",
        ("/src/Fares/FareTable.cs", 19, "Fares.FareTable.Load(IAmazonDynamoDB client)"),
        ("/src/Fares/Function.cs", 33, "Fares.Function.Quote(APIGatewayProxyRequest request)"),
        milliseconds=900,
    )
    traffic(fare, 12000, 26, fault=fault, since=began, share=0.35)
    changed(fare, CODE, who="ci-fares", when=world.ago(minutes=21), publish=False)
    journey = Journey(world, world.ago(minutes=3, seconds=30))
    parent = journey.api(stage, "GET", "/quote", fare.name, 0.95, status=502)
    cause = journey.exception(fault._replace(type="ThrottlingException"), remote=True)
    call = journey.dynamodb("DescribeTable", "fare-rules", 0.02, 0.85, status=400, retries=4, cause=cause)
    journey.function(fare, 0.005, 0.93, parent=parent, calls=[call], fault=fault)
    return Expect(
        journey.send(),
        cause="ddb-control-throttle",
        resource=prices,
        accept=(("ddb-control-throttle", fare.arn),),
        trigger=fare.arn,
        says=("ci-fares",),
        innocent=(fare.role_arn, resources.rest_api_arn(world, stage)),
    )


@scenario(Kind.SINGLE, "dynamodb")
def tenant_with_all_the_traffic(world: World) -> Expect:
    """One tenant's import writes under one key of an on-demand table. The caller swallows the refusals into its own
    error; only its structured log has DynamoDB's reasons, and the table's capacity was raised yesterday for nothing."""
    events = resources.table(world, "tenant-events", key="tenant")
    ingest = deploy(world, "event-ingest", "nodejs22.x", allow(["dynamodb:PutItem"], events), memory=512)
    stage = resources.rest_api(world, "ingest", [("POST", "/event", ingest.arn)])
    began = whole_minute(world, 11)
    refused = Throttling(began, 26000, reason="KeyRangeThroughput")
    table_traffic(world, "tenant-events", "Write", 700, now=1450, since=began, throttling=refused)
    words = (
        "Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling your table "
        "or index so please try again shortly. If exceptions persist, check if you have a hot key: "
        "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html"
    )
    line = {
        "level": "error",
        "msg": "event lost",
        "tenant": "t-0441",
        "error": {
            "name": "IngestError",
            "message": "store failed",
            "cause": {
                "name": "ThrottlingException",
                "message": words,
                "throttlingReasons": [{"reason": "TableWriteKeyRangeThroughputExceeded", "resource": events}],
                "$metadata": {"httpStatusCode": 400, "attempts": 3},
            },
        },
    }
    fault = node("IngestError", "store failed", ("/var/task/ingest.mjs", 58, "store"), milliseconds=310)
    fault = fault._replace(lines=(json.dumps(line), *fault.lines))
    traffic(ingest, 48000, 16, fault=fault, since=began, share=0.4)
    changed(ingest, CONFIGURATION, who="ingest-tf", when=world.ago(hours=20), memorySize=512)
    journey = Journey(world, world.ago(minutes=2))
    parent = journey.api(stage, "POST", "/event", ingest.name, 0.33, status=502)
    call = journey.dynamodb("PutItem", "tenant-events", 0.015, 0.28, status=400, retries=2)
    journey.function(ingest, 0.005, 0.32, parent=parent, calls=[call], fault=fault)
    return Expect(
        journey.send(),
        cause="ddb-hot-partition",
        resource=events,
        trigger="",
        innocent=(ingest.arn, ingest.role_arn, resources.rest_api_arn(world, stage)),
    )


@scenario(Kind.SINGLE, "dynamodb")
def table_is_where_the_client_is_not(world: World) -> Expect:
    """A change of its settings points badge-print at Frankfurt; the table badges is here in Ireland, active and well,
    and was never in Frankfurt."""
    badges = resources.table(world, "badges", key="badge")
    far = f"arn:aws:dynamodb:eu-central-1:{world.account}:table/badges"
    may = allow(["dynamodb:GetItem"], [badges, far])
    badge = deploy(world, "badge-print", "dotnet8", may, memory=512, last_modified=world.ago(minutes=24))
    began = whole_minute(world, 24)
    words = "Requested resource not found"
    fault = dotnet(
        "Amazon.DynamoDBv2.Model.ResourceNotFoundException",
        words,
        ("/src/Badge/Store.cs", 31, "Badge.Store.Find(String id)"),
        milliseconds=160,
    )
    traffic(badge, 25, 30, fault=fault, since=began)
    changed(badge, CONFIGURATION, who="badge-tf", when=world.ago(minutes=24, seconds=10), environment={})
    table_traffic(world, "badges", "Read", 4)
    journey = Journey(world, world.ago(minutes=4))
    call = journey.dynamodb("GetItem", "badges", 0.03, 0.09, status=400, cause=journey.exception(fault, remote=True))
    call["aws"]["region"] = "eu-central-1"
    journey.function(badge, 0.0, 0.17, calls=[call], fault=fault)
    return Expect(
        journey.send(),
        cause="ddb-table-not-found",
        resource=far,
        trigger=badge.arn,
        says=("badge-tf",),
        innocent=(badges, badge.role_arn),
    )


@scenario(Kind.INSUFFICIENT, "dynamodb")
def transaction_fails_for_its_second_table(world: World) -> Expect:
    """An order is one transaction over orders and stock. stock was cut to 10 units, and DynamoDB cancels the whole: the
    reasons name the throttle by position and X-Ray records no table of a transaction, so nothing leads there."""
    orders = resources.table(world, "web-orders", key="order")
    stock = resources.table(world, "web-stock", key="sku", write_capacity=10)
    order = deploy(
        world,
        "order-place",
        "java21",
        allow(["dynamodb:PutItem", "dynamodb:UpdateItem"], [orders, stock]),
        memory=1024,
        env={"ORDERS_TABLE": "web-orders", "STOCK_TABLE": "web-stock"},
    )
    began = whole_minute(world, 21)
    table_traffic(world, "web-orders", "Write", 44)
    table_traffic(
        world, "web-stock", "Write", 48, provisioned=10, now=10, since=began, throttling=Throttling(began, 2100)
    )
    fault = java(
        "software.amazon.awssdk.services.dynamodb.model.TransactionCanceledException",
        "Transaction cancelled, please refer cancellation reasons for specific reasons [None, ThrottlingError] "
        "(Service: DynamoDb, Status Code: 400, Request ID: 4M0Q7X2TQ) (SDK Attempt Count: 4)",
        ("OrderPlace.java", 77, "web.OrderPlace.commit"),
        milliseconds=610,
    )
    traffic(order, 2600, 40, fault=fault, since=began, share=0.7)
    for when, units in ((world.ago(hours=20), 200), (began - timedelta(seconds=20), 10)):
        given = {"provisionedThroughput": {"readCapacityUnits": 10, "writeCapacityUnits": units}}
        table_changed(world, "UpdateTable", "web-stock", who="infra-sync", when=when, **given)
    journey = Journey(world, world.ago(minutes=4))
    cause = journey.exception(fault, remote=True)
    call = journey.aws("DynamoDB", "TransactWriteItems", 0.04, 0.55, status=400, retries=3, cause=cause)
    journey.function(order, 0.0, 0.62, calls=[call], fault=fault)
    return Expect(journey.send(), status="inconclusive", innocent=(orders, order.arn, order.role_arn))
