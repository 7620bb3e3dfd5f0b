"""Requests that must be read as a whole: far away, hidden, one branch of many, or with failures that are none."""

from datetime import timedelta

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._apis import Failing, api_traffic
from evals.scenarios._functions import (
    CODE,
    HISTORY_MINUTES,
    changed,
    deploy,
    elsewhere,
    role_changed,
    traffic,
    whole_minute,
)
from evals.scenarios._journeys import Journey
from evals.scenarios._runtimes import java, killed, node, python
from evals.scenarios._tables import EXCEEDED, WORDS, Throttling, table_changed, table_traffic
from sandbox.aws import resources, segments, subsegments
from sandbox.aws.documents import exception, timed
from sandbox.aws.faults import ACCESS_DENIED
from sandbox.aws.resources import allow
from sandbox.aws.world import World

OTHER = "210987654321"
FAILED_CONDITION = "The conditional request failed"
SHARDS = 30


@scenario(Kind.HEALTHY, "dynamodb")
def the_article_is_not_there(world: World) -> Expect:
    """A visitor asks for an article that was never written. The lock is held by another reader, the thumbnail is not
    in its bucket, and the API answers 404: nobody is at fault."""
    locks = resources.table(world, "article-locks", key="article")
    resources.bucket(world, "article-thumbs")
    read = deploy(world, "article-read", "ruby3.3", allow(["dynamodb:PutItem", "s3:GetObject", "s3:ListBucket"]))
    stage = resources.rest_api(world, "articles", [("GET", "/article", read.arn)])
    long_ago = whole_minute(world, HISTORY_MINUTES)
    api_traffic(world, {"ApiName": "articles"}, 220, 38, Failing(404, long_ago, 0.07, 30))
    traffic(read, 220, 31, lines=["I, [{time} #8]  INFO -- : article not found, answering 404"])
    table_traffic(world, "article-locks", "Write", 4)
    changed(read, CODE, who="ci-articles", when=world.ago(minutes=25), publish=True)
    journey = Journey(world, world.ago(minutes=2))
    parent = journey.api(stage, "GET", "/article", read.name, 0.06, status=404)
    cause = exception(
        world.ids, "Aws::DynamoDB::Errors::ConditionalCheckFailedException", FAILED_CONDITION, remote=True
    )
    lock = journey.dynamodb("PutItem", "article-locks", 0.01, 0.009, status=400, cause=cause)
    gone = exception(world.ids, "Aws::S3::Errors::NotFound", "", remote=True)
    thumb = journey.s3("HeadObject", "article-thumbs", "a/9817.webp", 0.02, 0.02, status=404, cause=gone)
    journey.function(read, 0.005, 0.05, parent=parent, calls=[lock, thumb])
    return Expect(
        journey.send(),
        innocent=(locks, "arn:aws:s3:::article-thumbs", read.arn, read.role_arn, resources.rest_api_arn(world, stage)),
    )


@scenario(Kind.INSUFFICIENT, "dynamodb")
def a_container_cannot_reach_its_table(world: World) -> Expect:
    """Only the client's view: a container waits for DynamoDB and gets no connection. The table serves everybody else,
    and nothing of the container's network is to be seen."""
    baskets = resources.table(world, "baskets", key="basket")
    table_traffic(world, "baskets", "Read", 40)
    table_traffic(world, "baskets", "Write", 12)
    table_changed(world, "UpdateContinuousBackups", "baskets", who="backup-policy", when=world.ago(minutes=9))
    journey = Journey(world, world.ago(minutes=3))
    words = 'Connect timeout on endpoint URL: "https://dynamodb.eu-west-1.amazonaws.com/"'
    cause = exception(world.ids, "ConnectTimeoutError", words)
    get = subsegments.dynamodb_call(
        world.ids, "GetItem", "baskets", world.ago(minutes=3).timestamp() + 0.02, 3.0, region=world.region,
        status=None, retries=2, cause=cause,
    )  # fmt: skip
    start = world.ago(minutes=3).timestamp()
    web = timed(
        "basket-web",
        world.ids,
        start,
        3.1,
        trace_id=journey.place.trace_id,
        origin="AWS::ECS::Container",
        http={"request": {"method": "GET", "url": "https://baskets.shop.example/b/77"}, "response": {"status": 500}},
        aws={"ecs": {"container": "ip-10-0-3-17.eu-west-1.compute.internal"}},
        fault=True,
        cause=cause["exceptions"][0]["id"],
        subsegments=[get],
    )
    journey.add(web)
    journey.add(segments.inferred_segment(journey.place, get, "AWS::DynamoDB::Table", "baskets"))
    return Expect(journey.send(), status="inconclusive", innocent=(baskets,))


@scenario(Kind.FOREIGN, "dynamodb")
def the_replica_across_the_ocean(world: World) -> Expect:
    """session-mirror, in Ireland, writes to the table of the same name in Virginia, whose capacity a tuner cut. The
    table at home is idle and well."""
    there = World(world.aws, world.now, f"{world.seed} there", region="us-east-1")
    far = resources.table(there, "sessions", key="sid", write_capacity=10)
    near = resources.table(world, "sessions", key="sid", write_capacity=200)
    mirror = deploy(world, "session-mirror", "java21", allow(["dynamodb:PutItem"], far), memory=1024)
    began = whole_minute(world, 13)
    for when, units in ((world.ago(hours=20), 200), (began - timedelta(seconds=30), 10)):
        given = {"provisionedThroughput": {"readCapacityUnits": 10, "writeCapacityUnits": units}}
        table_changed(there, "UpdateTable", "sessions", who="tuner", when=when, **given)
    table_changed(world, "UpdateTimeToLive", "sessions", who="data-team", when=began - timedelta(minutes=2))
    refused = Throttling(began, 900)
    table_traffic(there, "sessions", "Write", 90, provisioned=10, now=10, since=began, throttling=refused)
    table_traffic(world, "sessions", "Write", 2, provisioned=200)
    fault = java(
        f"software.amazon.awssdk.services.dynamodb.model.{EXCEEDED}",
        f"{WORDS.format('the table')} (Service: DynamoDb, Status Code: 400, Request ID: {world.ids.request().upper()})"
        " (SDK Attempt Count: 9)",
        ("AwsJsonProtocolErrorUnmarshaller.java", 150, "software.amazon.awssdk.protocols.json.internal.unmarshall"),
        ("Mirror.java", 61, "com.shop.Mirror.put"),
        milliseconds=1900,
    )
    traffic(mirror, 500, 210, fault=fault, since=began, share=0.5)
    at = world.ago(minutes=3)
    journey = Journey(world, at)
    put = subsegments.dynamodb_call(
        world.ids, "PutItem", "sessions", at.timestamp() + 0.03, 1.8, region="us-east-1", status=400, retries=8,
        cause=journey.exception(fault, remote=True),
    )  # fmt: skip
    journey.function(mirror, 0.0, 1.9, calls=[put], fault=fault)
    journey.add(segments.inferred_segment(journey.place, put, "AWS::DynamoDB::Table", "sessions"))
    return Expect(
        journey.send(),
        cause="ddb-provisioned-exceeded",
        resource=far,
        trigger=far,
        says=("tuner",),
        omits=("data-team",),
        innocent=(near, mirror.arn, mirror.role_arn),
    )


@scenario(Kind.INSUFFICIENT, "lambda")
def the_log_that_nobody_may_read(world: World) -> Expect:
    """map-tiles ends without a word in its trace. Its log would tell of the kill, and the bot may not read it; a
    neighbour was released the minute before."""
    tiles = deploy(world, "map-tiles", "python3.12", memory=512, timeout=30)
    began = whole_minute(world, 10)
    fault = killed(512, "[INFO]\t{time}\t{request}\tzoom 14", milliseconds=2300)
    traffic(tiles, 40, 800, fault=fault, since=began, share=0.5)
    elsewhere(world, CODE, "map-search", who="ci-maps", when=began - timedelta(minutes=1), publish=True)
    role_changed(world, "TagRole", tiles.role, who="tag-robot", when=began - timedelta(minutes=1))
    journey = Journey(world, world.ago(minutes=2))
    journey.function(tiles, 0.0, 2.32, fault=fault)
    for operation in ("FilterLogEvents", "StartQuery", "GetLogEvents"):
        world.aws.inject("logs", operation, ACCESS_DENIED)
    return Expect(
        journey.send(),
        status="inconclusive",
        gaps=("logs:FilterLogEvents",),
        omits=("ci-maps", "tag-robot"),
        innocent=(tiles.arn, tiles.role_arn),
    )


@scenario(Kind.CASCADE, "dynamodb")
def one_of_thirty_shards(world: World) -> Expect:
    """The nightly tally asks thirty functions, each with a table of its own, and fails over one of them: the sweep
    took the table of the twenty-third for a leftover."""
    began = whole_minute(world, 8)
    shards, gone, last = [], 22, ""
    for number in range(SHARDS):
        table = f"tally-{number + 1:02}"
        if number != gone:
            resources.table(world, table, key="day")
        rights = allow(["dynamodb:Query"], world.arn("dynamodb", f"table/{table}"))
        shards.append(deploy(world, f"tally-shard-{number + 1:02}", "nodejs22.x", rights))
    tally = deploy(world, "night-tally", "nodejs22.x", allow("lambda:InvokeFunction"), timeout=60)
    missing = node("ResourceNotFoundException", "Requested resource not found", ("/var/task/shard.mjs", 17, "sum"))
    own = node("AggregateError", "1 of 30 shards failed", ("/var/task/tally.mjs", 44, "handler"), milliseconds=900)
    for number, shard in enumerate(shards):
        traffic(shard, 3, 40, fault=missing if number == gone else None, since=began, logged=number == gone)
    traffic(tally, 3, 850, fault=own, since=began)
    table_changed(world, "DeleteTable", "tally-23", who="cost-sweep", when=began - timedelta(seconds=30))
    changed(shards[4], CODE, who="ci-tally", when=began - timedelta(minutes=3), publish=True)
    journey = Journey(world, world.ago(minutes=3))
    asked = [journey.invoke(shard.name, 0.01 + 0.002 * n, 0.2) for n, shard in enumerate(shards)]
    journey.function(tally, 0.0, 0.9, calls=asked, fault=own)
    for number, shard in enumerate(shards):
        bad = number == gone
        cause = journey.exception(missing, remote=True) if bad else None
        query = journey.dynamodb("Query", f"tally-{number + 1:02}", 0.05, 0.02, status=400 if bad else 200, cause=cause)
        at = 0.013 + 0.002 * number
        journey.function(
            shard, at, 0.15, parent=str(asked[number]["id"]), calls=[query], fault=missing if bad else None
        )
    last = journey.send()
    return Expect(
        last,
        cause="ddb-table-not-found",
        resource=world.arn("dynamodb", "table/tally-23"),
        trigger=world.arn("dynamodb", "table/tally-23"),
        says=("cost-sweep",),
        omits=("ci-tally",),
        innocent=(tally.arn, tally.role_arn, *(shard.arn for shard in shards), shards[gone].role_arn),
    )


@scenario(Kind.HEALTHY, "lambda")
def the_second_try_went_well(world: World) -> Expect:
    """stock-sync met a 503 of the warehouse and a throttle of its table, tried both again, and answered as it should.
    Somebody pastes the trace because it has red in it."""
    stock = resources.table(world, "stock-levels", key="sku", write_capacity=40)
    sync = deploy(world, "stock-sync", "java17", allow(["dynamodb:UpdateItem"], stock), memory=1024, timeout=20)
    table_traffic(world, "stock-levels", "Write", 22, provisioned=40)
    traffic(sync, 80, 300, lines=["{time} {request} WARN Retry - attempt 1 failed with 503, trying again in 200 ms"])
    changed(sync, CODE, who="ci-stock", when=world.ago(hours=2), publish=True)
    journey = Journey(world, world.ago(minutes=2))
    first = journey.http("POST", "https://wms.depot.example/reserve", 0.02, 0.04, status=503)
    second = journey.http("POST", "https://wms.depot.example/reserve", 0.27, 0.05, status=200)
    update = journey.dynamodb("UpdateItem", "stock-levels", 0.33, 0.14, retries=2)
    journey.function(sync, 0.0, 0.5, calls=[first, second, update])
    return Expect(journey.send(), innocent=(stock, sync.arn, sync.role_arn))


@scenario(Kind.FOREIGN, "lambda")
def their_function_in_their_account(world: World) -> Expect:
    """Our rate-quote invokes the rating function of a partner's account, which we may not read. It answers with an
    error of its own code; ours only passes it on."""
    there = World(world.aws, world.now, f"{world.seed} there", account=OTHER)
    rating = deploy(there, "rating", "python3.12")
    quote = deploy(world, "rate-quote", "nodejs22.x", allow(["lambda:InvokeFunction"], rating.arn))
    began = whole_minute(world, 10)
    theirs = python("ZeroDivisionError", "division by zero", ("/var/task/rating.py", 88, "weight"))
    ours = node("Error", "rating answered FunctionError=Unhandled", ("/var/task/index.mjs", 33, "quote"))
    traffic(rating, 60, 40, fault=theirs, since=began, share=0.5)
    traffic(quote, 60, 80, fault=ours, since=began, share=0.5)
    changed(quote, CODE, who="ci-rates", when=world.ago(hours=3), publish=True)
    journey = Journey(world, world.ago(minutes=2))
    call = journey.invoke(rating.name, 0.02, 0.05)
    journey.function(quote, 0.0, 0.08, calls=[call], fault=ours)
    journey.place = journey.place._replace(account=OTHER)
    journey.function(rating, 0.025, 0.04, parent=str(call["id"]), fault=theirs)
    return Expect(
        journey.send(),
        cause="lambda-unhandled-exception",
        resource=rating.arn,
        trigger="",
        innocent=(quote.arn, quote.role_arn),
    )
