"""Functions that queues and streams feed: blocked, behind, filtered, switched off, or without their queue."""

import json
from datetime import timedelta

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._alarms import metric_alarm
from evals.scenarios._functions import (
    CODE,
    HISTORY_MINUTES,
    changed,
    deploy,
    traffic,
    whole_minute,
)
from evals.scenarios._messages import (
    Flow,
    queue_changed,
    queue_flow,
    read_by,
    reading,
)
from evals.scenarios._runtimes import go
from evals.scenarios._sources import aging, listed, ran
from sandbox.aws import resources, signals
from sandbox.aws.resources import allow
from sandbox.aws.signals import Reported
from sandbox.aws.world import World


@scenario(Kind.ALARM, "lambda")
def bad_record_of_a_table_blocks_its_shard(world: World) -> Expect:
    """A record without `amount` makes the Go projector return an error, for ever: the mapping of the table's stream
    retries without end. Other shards go on, so half of the invocations are good."""
    stream = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    ledger = resources.table(world, "ledger", key="entry", StreamSpecification=stream)
    source = world.client("dynamodb").describe_table(TableName="ledger")["Table"]["LatestStreamArn"]
    rights = allow(
        ["dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream", "dynamodb:ListStreams"], source
    )
    project = deploy(world, "ledger-project", "provided.al2023", rights, Handler="bootstrap", timeout=30)
    resources.event_source(world, project.name, source, StartingPosition="LATEST", BatchSize=100)
    listed(
        world,
        LastProcessingResult="PROBLEM: Function call failed",
        MaximumRetryAttempts=-1,
        MaximumRecordAgeInSeconds=-1,
        BisectBatchOnFunctionError=False,
        ParallelizationFactor=1,
        DestinationConfig={"OnFailure": {}},
    )
    began = whole_minute(world, 52)
    fault = go(
        "errorString",
        "project: entry 8841-c: attribute amount: cannot unmarshal NULL into Go value of type int64",
    )
    traffic(project, 40, 90, fault=fault, since=began, share=0.5)
    aging(world, project.name, began)
    changed(project, CODE, who="ci-ledger", when=world.ago(days=6), publish=False)
    where = {"FunctionName": project.name}
    text = metric_alarm(
        world,
        "ledger-iterator-age",
        ("AWS/Lambda", "IteratorAge"),
        where,
        world.ago(minutes=41),
        value=660900,
        threshold=600000,
        statistic="Maximum",
    )
    return Expect(
        text,
        cause="lambda-unhandled-exception",
        resource=project.arn,
        accept=(
            ("stream-poison-record", project.arn),
            ("stream-poison-record", source),
            ("stream-poison-record", ledger),
        ),
        trigger="",
        shown=(("stream-poison-record", project.arn),),
        innocent=(ledger, project.role_arn),
    )


@scenario(Kind.SINGLE, "lambda")
def filter_of_a_mapping_drops_every_message(world: World) -> Expect:
    """The mapping of refunds got a filter on `body.type`, but the messages have `eventType`: Lambda deletes each
    without an invocation. The queue looks perfectly well."""
    queue = resources.queue(world, "refunds", VisibilityTimeout="180")
    pay = deploy(world, "refund-pay", "java21", reading(queue), memory=1024, timeout=30)
    began = whole_minute(world, 37)
    criteria = {"Filters": [{"Pattern": json.dumps({"body": {"type": ["refund"]}})}]}
    uuid = read_by(pay, queue, modified=began, BatchSize=10, FilterCriteria=criteria)
    ran(pay, 18, 240.0, began)
    queue_flow(world, "refunds", Flow(18, 18, 18, 1, 1, 1))
    mapping = [("AWS::Lambda::EventSourceMapping", uuid), ("AWS::Lambda::Function", pay.name)]
    request = {"uUID": uuid, "filterCriteria": criteria}
    signals.cloudtrail_event(
        world, "UpdateEventSourceMapping20150331", "lambda", mapping, who="ci-refunds", when=began, request=request
    )
    changed(pay, CODE, who="ci-refunds", when=world.ago(hours=5), publish=False)
    return Expect(
        "function refund-pay has not run for half an hour, though refunds are sent",
        cause="esm-filter-drops-all",
        resource=pay.arn,
        accept=(("esm-filter-drops-all", queue),),
        innocent=(pay.role_arn,),
    )


@scenario(Kind.ALARM, "lambda")
def meter_readings_come_faster_than_they_are_read(world: World) -> Expect:
    """A new region's meters tripled what comes into the stream; meter-store has one lane a shard and falls behind. It
    never fails, and its deployment of this morning changed nothing."""
    world.client("kinesis").create_stream(StreamName="meter-readings", ShardCount=2)
    source = world.arn("kinesis", "stream/meter-readings")
    rights = allow(["kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:DescribeStream"], source)
    store = deploy(world, "meter-store", "java21", rights, memory=1024, timeout=60)
    resources.event_source(world, store.name, source, StartingPosition="LATEST", BatchSize=100)
    listed(
        world,
        LastProcessingResult="OK",
        ParallelizationFactor=1,
        MaximumRetryAttempts=3,
        BisectBatchOnFunctionError=True,
    )
    began = whole_minute(world, 36)
    start = whole_minute(world, HISTORY_MINUTES)
    ran(store, 40, 2900.0, began, 41)
    age: list[Reported] = []
    incoming: list[Reported] = []
    for n in range(HISTORY_MINUTES):
        late = max(0.0, (start + timedelta(minutes=n) - began).total_seconds() / 60)
        age.append(700.0 + 38_000.0 * late)
        incoming.append(12000.0 if late else 3900.0)
    signals.metric(world, "AWS/Lambda", "IteratorAge", {"FunctionName": store.name}, age, start=start)
    for name in ("IncomingRecords",):
        signals.metric(
            world, "AWS/Kinesis", name, {"StreamName": "meter-readings"}, incoming, start=start, unit="Count"
        )
    changed(store, CODE, who="ci-meters", when=world.ago(hours=6), publish=False)
    where = {"FunctionName": store.name}
    text = metric_alarm(
        world,
        "meters-late",
        ("AWS/Lambda", "IteratorAge"),
        where,
        world.ago(minutes=18),
        value=650000,
        threshold=600000,
        statistic="Maximum",
    )
    return Expect(
        text,
        cause="stream-consumer-slow",
        resource=store.arn,
        accept=(("stream-consumer-slow", source),),
        trigger="",
        innocent=(store.role_arn,),
    )


@scenario(Kind.SINGLE, "lambda")
def mapping_was_switched_off_in_a_maintenance_that_ended(world: World) -> Expect:
    """For a maintenance somebody switched the mapping of seat-holds off, and forgot it. Half an hour later a person
    asks about the function; most of the hour looked at was well."""
    queue = resources.queue(world, "seat-holds", VisibilityTimeout="120")
    hold = deploy(world, "seat-hold", "python3.13", reading(queue), timeout=20)
    began = whole_minute(world, 24)
    uuid = read_by(hold, queue, modified=began, BatchSize=10, Enabled=False)
    ran(hold, 26, 120.0, began)
    queue_flow(
        world,
        "seat-holds",
        Flow(26, 26, 26, 1, 1, 1),
        since=began,
        then=Flow(26, 0, 0, visible=624, flying=0, age=1440),
    )
    mapping = [("AWS::Lambda::EventSourceMapping", uuid), ("AWS::Lambda::Function", hold.name)]
    off = "UpdateEventSourceMapping20150331"
    request = {"uUID": uuid, "enabled": False}
    signals.cloudtrail_event(world, off, "lambda", mapping, who="lena", when=began, request=request)
    changed(hold, CODE, who="ci-seats", when=world.ago(minutes=31), publish=False)
    return Expect(
        "function seat-hold does nothing",
        cause="esm-disabled",
        resource=hold.arn,
        says=("lena",),
        innocent=(hold.role_arn, queue),
    )


@scenario(Kind.SINGLE, "sqs")
def janitor_deleted_the_queue_that_a_function_reads(world: World) -> Expect:
    """A clean-up deleted parcel-scans, taken for unused; the function that reads it is as it was, and silent."""
    queue = resources.queue(world, "parcel-scans", VisibilityTimeout="120")
    track = deploy(world, "parcel-track", "java21", reading(queue), memory=1024, timeout=20)
    began = whole_minute(world, 27)
    read_by(track, queue, BatchSize=10)
    said = (
        "PROBLEM: Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. "
        "SQS Error Message: The specified queue does not exist."
    )
    listed(world, LastProcessingResult=said)
    world.client("sqs").delete_queue(QueueUrl=world.client("sqs").get_queue_url(QueueName="parcel-scans")["QueueUrl"])
    ran(track, 14, 330.0, began)
    queue_flow(world, "parcel-scans", Flow(14, 14, 14, 1, 1, 1), since=began, then=Flow())
    queue_changed(world, "DeleteQueue", "parcel-scans", who="tag-janitor", when=began)
    changed(track, CODE, who="ci-parcels", when=world.ago(minutes=33), publish=False)
    return Expect(
        "function parcel-track has not run for a while",
        cause="esm-queue-gone",
        resource=queue,
        accept=(("esm-queue-gone", track.arn), ("sqs-queue-not-exist", queue)),
        innocent=(track.role_arn,),
    )
