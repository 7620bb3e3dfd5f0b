"""Tables that refuse requests for their number: whose limit it was is what the evidence has to tell."""

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._functions import CODE, changed, deploy, elsewhere, traffic, whole_minute
from evals.scenarios._journeys import Journey
from evals.scenarios._runtimes import dotnet, java, node, python
from evals.scenarios._tables import EXCEEDED, WORDS, Throttling, table_changed, table_traffic
from sandbox.aws import resources
from sandbox.aws.faults import ACCESS_DENIED, THROTTLED
from sandbox.aws.resources import allow
from sandbox.aws.world import World


@scenario(Kind.SINGLE, "dynamodb")
def index_too_small_for_its_table(world: World) -> Expect:
    """The index by-courier kept 20 WCU when the table was raised to 400: a campaign's writes are held back by it."""
    index = {
        "IndexName": "by-courier",
        "KeySchema": [{"AttributeName": "courier", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
        "ProvisionedThroughput": {"ReadCapacityUnits": 50, "WriteCapacityUnits": 20},
    }
    names = [{"AttributeName": name, "AttributeType": "S"} for name in ("parcel", "courier")]
    parcels = resources.table(
        world, "parcels", key="parcel", write_capacity=400, GlobalSecondaryIndexes=[index], AttributeDefinitions=names
    )
    scan_in = deploy(world, "scan-in", "java21", allow(["dynamodb:PutItem"], parcels), memory=1024)
    began = whole_minute(world, 17)
    table_traffic(world, "parcels", "Write", 12, provisioned=400, now=41, since=began)
    refused = Throttling(began, 640)
    table_traffic(
        world, "parcels", "Write", 12, index="by-courier", provisioned=20, now=20, since=began, throttling=refused
    )
    fault = java(
        f"software.amazon.awssdk.services.dynamodb.model.{EXCEEDED}",
        WORDS.format("one or more global secondary indexes of the table"),
        ("ScanIn.java", 61, "com.parcels.ScanIn.store"),
        milliseconds=480,
    )
    traffic(scan_in, 700, 24, fault=fault, since=began, share=0.4)
    cut = {"provisionedThroughput": {"readCapacityUnits": 400, "writeCapacityUnits": 400}}
    table_changed(world, "UpdateTable", "parcels", who="platform", when=world.ago(hours=20), **cut)
    journey = Journey(world, world.ago(minutes=3, seconds=3))
    cause = journey.exception(fault, remote=True)
    write = journey.dynamodb("PutItem", "parcels", 0.03, 0.44, status=400, retries=3, cause=cause)
    journey.function(scan_in, 0.0, 0.49, calls=[write], fault=fault)
    return Expect(journey.send(), cause="ddb-gsi-throttle", resource=parcels, innocent=(scan_in.arn, scan_in.role_arn))


@scenario(Kind.SINGLE, "dynamodb")
def one_concert_sells_out(world: World) -> Expect:
    """All buyers of one concert update one item: its partition throttles while the table uses a tenth of 3,000 WCU."""
    seats = resources.table(world, "seat-counters", key="concert", write_capacity=3000)
    buyers = resources.table(world, "buyers", key="buyer")
    reads = allow(["dynamodb:GetItem"], buyers)
    reserve = deploy(world, "reserve-seat", "nodejs22.x", allow(["dynamodb:UpdateItem"], seats), reads)
    stage = resources.rest_api(world, "tickets", [("POST", "/reserve", reserve.arn)])
    began = whole_minute(world, 6)
    table_traffic(
        world, "seat-counters", "Write", 40, provisioned=3000, now=330, since=began, throttling=Throttling(began, 9200)
    )
    table_traffic(world, "buyers", "Read", 18)
    fault = node(
        EXCEEDED, WORDS.format("the table"), ("/var/task/node_modules/@smithy/core/index.js", 867, "de_CommandError")
    )
    traffic(reserve, 21000, 30, fault=fault, since=began, share=0.45)
    changed(reserve, CODE, who="ci-tickets", when=world.ago(hours=5), publish=True)
    journey = Journey(world, world.ago(minutes=1, seconds=15))
    parent = journey.api(stage, "POST", "/reserve", reserve.name, 0.36, status=502)
    known = journey.dynamodb("GetItem", "buyers", 0.02, 0.005)
    cause = journey.exception(fault, remote=True)
    write = journey.dynamodb("UpdateItem", "seat-counters", 0.03, 0.31, status=400, retries=2, cause=cause)
    journey.function(reserve, 0.005, 0.35, parent=parent, calls=[known, write], fault=fault)
    innocent = (buyers, reserve.arn, resources.rest_api_arn(world, stage))
    return Expect(journey.send(), cause="ddb-hot-partition", resource=seats, innocent=innocent)


@scenario(Kind.THROTTLED, "dynamodb")
def autoscaling_stands_at_its_maximum(world: World) -> Expect:
    """Black Friday reads outgrow what autoscaling may add to catalogue: 600 RCU. Our own reads are throttled too."""
    catalogue = resources.table(world, "catalogue", key="sku", read_capacity=600)
    target = {"ServiceNamespace": "dynamodb", "ResourceId": "table/catalogue"}
    dimension = {"ScalableDimension": "dynamodb:table:ReadCapacityUnits"}
    world.client("application-autoscaling").register_scalable_target(
        **target, **dimension, MinCapacity=100, MaxCapacity=600
    )
    page = deploy(world, "product-page", "python3.12", allow(["dynamodb:GetItem"], catalogue), timeout=6)
    began = whole_minute(world, 22)
    table_traffic(
        world, "catalogue", "Read", 310, provisioned=600, now=598, since=began, throttling=Throttling(began, 5100)
    )
    operation = "An error occurred ({}) when calling the GetItem operation (reached max retries: 10): "
    fault = python(
        EXCEEDED,
        operation.format(EXCEEDED) + WORDS.format("the table"),
        ("/var/lang/lib/python3.12/site-packages/botocore/client.py", 1078, "_make_api_call"),
        ("/var/task/app.py", 17, "handler"),
        milliseconds=2900,
    )
    traffic(page, 30000, 14, fault=fault, since=began, share=0.14)
    elsewhere(world, CODE, "product-images", who="ci-shop", when=world.ago(minutes=25), publish=True)
    journey = Journey(world, world.ago(minutes=4))
    cause = journey.exception(fault, remote=True)
    read = journey.dynamodb("GetItem", "catalogue", 0.02, 2.85, status=400, retries=10, cause=cause)
    journey.function(page, 0.0, 2.92, calls=[read], fault=fault)
    for service in ("dynamodb", "application-autoscaling", "cloudwatch"):
        world.aws.inject(service, "*", THROTTLED, times=2)
    return Expect(journey.send(), cause="ddb-provisioned-exceeded", resource=catalogue, innocent=(page.arn,))


@scenario(Kind.SINGLE, "dynamodb")
def backfill_takes_the_accounts_quota(world: World) -> Expect:
    """A backfill of archive uses up the account's write quota; sessions, on demand and quiet, is refused with it."""
    sessions = resources.table(world, "sessions", key="sid")
    resources.table(world, "archive", key="id")
    login = deploy(world, "login", "dotnet8", allow(["dynamodb:PutItem"], sessions), memory=512)
    began = whole_minute(world, 13)
    words = "Throughput exceeds the current throughput limit for your account. Please contact AWS Support"
    fault = dotnet(
        "Amazon.DynamoDBv2.Model.RequestLimitExceededException",
        f"{words} at https://aws.amazon.com/support to request a limit increase.",
        ("/src/Login/SessionStore.cs", 44, "Login.SessionStore.SaveAsync(Session session)"),
        milliseconds=610,
    )
    table_traffic(world, "sessions", "Write", 22, throttling=Throttling(began, 380, reason="AccountLimit"))
    table_traffic(world, "archive", "Write", 900, now=39000, since=began)
    traffic(login, 1500, 35, fault=fault, since=began, share=0.25)
    journey = Journey(world, world.ago(minutes=2, seconds=45))
    cause = journey.exception(fault, remote=True)
    write = journey.dynamodb("PutItem", "sessions", 0.04, 0.56, status=400, retries=4, cause=cause)
    journey.function(login, 0.0, 0.62, calls=[write], fault=fault)
    return Expect(journey.send(), cause="ddb-account-limit", resource=sessions, innocent=(login.arn, login.role_arn))


@scenario(Kind.DENIED, "dynamodb")
def throttle_seen_without_metrics(world: World) -> Expect:
    """loyalty was set to 10 WCU by hand; we may not read metrics, but the errors and the change tell it all."""
    loyalty = resources.table(world, "loyalty", key="member", write_capacity=10)
    points = deploy(world, "add-points", "python3.13", allow(["dynamodb:UpdateItem"], loyalty))
    began = whole_minute(world, 19)
    table_traffic(world, "loyalty", "Write", 55, provisioned=10, now=10, since=began, throttling=Throttling(began, 700))
    said = f"An error occurred ({EXCEEDED}) when calling the UpdateItem operation (reached max retries: 4): "
    fault = python(EXCEEDED, said + WORDS.format("the table"), ("/var/task/points.py", 30, "add"), milliseconds=700)
    traffic(points, 3300, 21, fault=fault, since=began, share=0.6)
    for hours, units in ((22, 120), (0.33, 10)):
        given = {"provisionedThroughput": {"readCapacityUnits": 10, "writeCapacityUnits": units}}
        table_changed(world, "UpdateTable", "loyalty", who="greta", when=world.ago(hours=hours), **given)
    journey = Journey(world, world.ago(minutes=3))
    cause = journey.exception(fault, remote=True)
    write = journey.dynamodb("UpdateItem", "loyalty", 0.02, 0.66, status=400, retries=4, cause=cause)
    journey.function(points, 0.0, 0.71, calls=[write], fault=fault)
    world.aws.inject("cloudwatch", "GetMetricData", ACCESS_DENIED)
    return Expect(
        journey.send(),
        cause="ddb-provisioned-exceeded",
        resource=loyalty,
        innocent=(points.arn, points.role_arn),
        gaps=("cloudwatch:GetMetricData",),
    )


@scenario(Kind.FOREIGN, "dynamodb")
def replica_in_virginia_is_small(world: World) -> Expect:
    """checkout runs in Ireland and writes carts in us-east-1, where the table has a twentieth of the capacity."""
    there = World(world.aws, world.now, f"{world.seed} there", region="us-east-1")
    carts = resources.table(there, "carts", key="cart", write_capacity=15)
    here = resources.table(world, "carts", key="cart", write_capacity=300)
    checkout = deploy(world, "checkout", "nodejs20.x", allow(["dynamodb:PutItem"], [carts, here]))
    began = whole_minute(world, 15)
    table_traffic(there, "carts", "Write", 6, provisioned=15, now=15, since=began, throttling=Throttling(began, 900))
    table_traffic(world, "carts", "Write", 80, provisioned=300)
    fault = node(EXCEEDED, WORDS.format("the table"), ("/var/task/index.mjs", 40, "save"), milliseconds=390)
    traffic(checkout, 1800, 45, fault=fault, since=began, share=0.5)
    journey = Journey(world, world.ago(minutes=2))
    cause = journey.exception(fault, remote=True)
    write = journey.dynamodb("PutItem", "carts", 0.02, 0.34, status=400, retries=2, cause=cause)
    write["aws"]["region"] = there.region
    journey.function(checkout, 0.0, 0.4, calls=[write], fault=fault)
    innocent = (here, checkout.arn, checkout.role_arn)
    return Expect(journey.send(), cause="ddb-provisioned-exceeded", resource=carts, innocent=innocent)
