"""Tables of which too little can be seen, or with which nothing is wrong."""

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._functions import CODE, changed, deploy, traffic, whole_minute
from evals.scenarios._journeys import Journey
from evals.scenarios._runtimes import dotnet
from evals.scenarios._tables import Throttling, count_of, table_changed, table_traffic
from sandbox.aws import documents, resources
from sandbox.aws.resources import allow
from sandbox.aws.world import World

CONDITION = "ConditionalCheckFailedException"


@scenario(Kind.HEALTHY, "dynamodb")
def duplicates_refused_as_designed(world: World) -> Expect:
    """Webhooks come twice and a condition keeps the second one out: record-event expects that and answers 200."""
    events = resources.table(world, "webhook-events", key="event")
    record = deploy(world, "record-event", "nodejs20.x", allow(["dynamodb:PutItem"], events))
    stage = resources.rest_api(world, "webhooks", [("POST", "/events", record.arn)])
    table_traffic(world, "webhook-events", "Write", 14)
    count_of(world, "webhook-events", "ConditionalCheckFailedRequests", 31, whole_minute(world, 240), usual=31)
    traffic(record, 800, 19, lines=["{time}\t{request}\tINFO\tduplicate of evt_81f ignored"])
    changed(record, CODE, who="ci-hooks", when=world.ago(hours=9), publish=True)
    journey = Journey(world, world.ago(minutes=6))
    parent = journey.api(stage, "POST", "/events", record.name, 0.04, status=200)
    cause = documents.exception(journey.place.ids, CONDITION, "The conditional request failed", remote=True)
    write = journey.dynamodb("PutItem", "webhook-events", 0.012, 0.006, status=400, cause=cause)
    journey.function(record, 0.005, 0.03, parent=parent, calls=[write])
    return Expect(journey.send(), innocent=(events, record.arn, resources.rest_api_arn(world, stage)))


@scenario(Kind.HEALTHY, "dynamodb")
def burst_of_last_night_is_over(world: World) -> Expect:
    """A batch throttled ledger three hours ago and was done soon after; today's transfer went well."""
    ledger = resources.table(world, "ledger", key="entry", write_capacity=80)
    post = deploy(world, "post-entry", "java17", allow(["dynamodb:PutItem"], ledger), memory=512)
    began, over = whole_minute(world, 190), whole_minute(world, 176)
    table_traffic(world, "ledger", "Write", 22, provisioned=80, throttling=Throttling(began, 300, until=over))
    traffic(post, 1200, 16)
    given = {"provisionedThroughput": {"readCapacityUnits": 80, "writeCapacityUnits": 80}}
    table_changed(world, "UpdateTable", "ledger", who="nadia", when=world.ago(hours=2, minutes=50), **given)
    journey = Journey(world, world.ago(minutes=4))
    journey.function(post, 0.0, 0.03, calls=[journey.dynamodb("PutItem", "ledger", 0.014, 0.006)])
    return Expect(f"transfer slow? {journey.send()}", innocent=(ledger, post.arn, post.role_arn))


@scenario(Kind.INSUFFICIENT, "dynamodb")
def one_internal_error_of_dynamodb(world: World) -> Expect:
    """DynamoDB answered one request with 500, after its SDK's tries; no metric, log or change says more."""
    drafts = resources.table(world, "drafts", key="draft")
    save = deploy(world, "save-draft", "dotnet8", allow(["dynamodb:PutItem"], drafts), memory=512)
    table_traffic(world, "drafts", "Write", 3)
    traffic(save, 150, 28)
    changed(save, CODE, who="ci-docs", when=world.ago(days=2), publish=True)
    words = "Internal server error"
    fault = dotnet("Amazon.DynamoDBv2.Model.InternalServerErrorException", words, milliseconds=420)
    journey = Journey(world, world.ago(minutes=12))
    cause = journey.exception(fault, remote=True)
    write = journey.dynamodb("PutItem", "drafts", 0.03, 0.36, status=500, retries=3, cause=cause)
    journey.function(save, 0.0, 0.43, calls=[write], fault=fault)
    innocent = (save.arn, save.role_arn, drafts)
    return Expect(journey.send(), status="inconclusive", innocent=innocent)
