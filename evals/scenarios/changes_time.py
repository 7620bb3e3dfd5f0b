"""Time-outs and throttles twice each: once because somebody changed a limit, once without any change."""

from datetime import timedelta

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._functions import CONFIGURATION, changed, deploy, elsewhere, traffic, whole_minute
from evals.scenarios._journeys import Journey
from evals.scenarios._runtimes import java, node, timed_out
from evals.scenarios._tables import EXCEEDED, WORDS, Throttling, table_changed, table_traffic
from sandbox.aws import resources, signals
from sandbox.aws.resources import allow
from sandbox.aws.signals import counted
from sandbox.aws.world import World

UNCHANGED = "CloudTrail tells of no change"


@scenario(Kind.CHANGE, "lambda")
def timeout_tidied_with_the_module(world: World) -> Expect:
    """The new module for functions brought its default timeout of 4 s; policy-pdf takes seven for a long policy."""
    began = whole_minute(world, 8)
    pdf = deploy(world, "policy-pdf", "dotnet8", timeout=4, memory=1024, last_modified=began - timedelta(seconds=30))
    changed(pdf, CONFIGURATION, who="terraform-cloud", when=world.ago(hours=19), timeout=45, memorySize=1024)
    changed(pdf, CONFIGURATION, who="terraform-cloud", when=began - timedelta(seconds=30), timeout=4, memorySize=1024)
    elsewhere(world, CONFIGURATION, "policy-mail", who="terraform-cloud", when=began, timeout=4)
    traffic(pdf, 14, 6900, fault=timed_out(4), since=began, share=0.9, lines=["{time}\t{request}\tinfo\t61 pages"])
    store = resources.bucket(world, "policies-out")
    journey = Journey(world, world.ago(minutes=2, seconds=20))
    read = journey.s3("GetObject", "policies-out", "templates/life.docx", 0.05, 0.12)
    journey.function(pdf, 0.0, 4.01, calls=[read], fault=timed_out(4))
    return Expect(
        journey.send(),
        cause="lambda-timeout-all-invocations-after-change",
        resource=pdf.arn,
        trigger=pdf.arn,
        says=("terraform-cloud",),
        runbook="lambda-timeouts",
        innocent=(store, pdf.role_arn),
    )


@scenario(Kind.CHANGE, "lambda")
def rating_agency_slow_and_nothing_changed(world: World) -> Expect:
    """The same time-outs without anybody's hand in it: the rating agency takes forever, credit-limit waits for it."""
    limit = deploy(world, "credit-limit", "dotnet8", timeout=6, memory=512)
    fault = timed_out(6)
    traffic(limit, 25, 340, fault=fault, since=whole_minute(world, 9), share=0.8)
    journey = Journey(world, world.ago(minutes=3))
    asked = journey.http("GET", "https://gateway.ratingagency.example/v3/score", 0.06, None, status=None)
    journey.function(limit, 0.0, 6.02, calls=[asked], fault=fault)
    return Expect(
        journey.send(),
        cause="downstream-http-error",
        resource=limit.arn,
        accept=(("lambda-timeout", limit.arn),),
        trigger="",
        facts=(UNCHANGED,),
        innocent=(limit.role_arn,),
    )


@scenario(Kind.CHANGE, "dynamodb")
def capacity_cut_over_the_weekend(world: World) -> Expect:
    """The savings job set bookmarks from 250 to 25 WCU on Friday's figures; on Saturday people have time to read."""
    bookmarks = resources.table(world, "bookmarks", key="reader", write_capacity=25)
    keep = deploy(world, "bookmark-keep", "java21", allow(["dynamodb:PutItem"], bookmarks), memory=768)
    began = whole_minute(world, 13)
    for when, units in ((world.ago(hours=21), 250), (began - timedelta(seconds=50), 25)):
        given = {"provisionedThroughput": {"readCapacityUnits": 25, "writeCapacityUnits": units}}
        table_changed(world, "UpdateTable", "bookmarks", who="savings-job", when=when, **given)
    refused = Throttling(began, 2900)
    table_traffic(world, "bookmarks", "Write", 74, provisioned=25, now=25, since=began, throttling=refused)
    fault = java(
        f"software.amazon.awssdk.services.dynamodb.model.{EXCEEDED}",
        WORDS.format("the table"),
        ("KeepHandler.java", 52, "com.reader.KeepHandler.handleRequest"),
        milliseconds=520,
    )
    traffic(keep, 4400, 19, fault=fault, since=began, share=0.65)
    journey = Journey(world, world.ago(minutes=2, seconds=30))
    cause = journey.exception(fault, remote=True)
    write = journey.dynamodb("PutItem", "bookmarks", 0.02, 0.47, status=400, retries=3, cause=cause)
    journey.function(keep, 0.0, 0.53, calls=[write], fault=fault)
    return Expect(
        journey.send(),
        cause="ddb-provisioned-exceeded",
        resource=bookmarks,
        trigger=bookmarks,
        says=("savings-job",),
        innocent=(keep.arn, keep.role_arn),
    )


@scenario(Kind.CHANGE, "dynamodb")
def match_day_outgrows_the_table(world: World) -> Expect:
    """The final begins and everybody votes: live-votes has had its 90 WCU for a year, nobody touched it."""
    votes = resources.table(world, "live-votes", key="voter", write_capacity=90)
    vote = deploy(world, "live-vote", "nodejs22.x", allow(["dynamodb:UpdateItem"], votes))
    began = whole_minute(world, 7)
    refused = Throttling(began, 9400)
    table_traffic(world, "live-votes", "Write", 22, provisioned=90, now=90, since=began, throttling=refused)
    fault = node(EXCEEDED, WORDS.format("the table"), ("/var/task/vote.mjs", 27, "count"), milliseconds=350)
    traffic(vote, 1300, 16, fault=fault, since=began, share=0.7)
    more = [counted(9000)] * 7
    signals.metric(world, "AWS/Lambda", "Invocations", {"FunctionName": vote.name}, more, start=began, unit="Count")
    journey = Journey(world, world.ago(minutes=1, seconds=30))
    cause = journey.exception(fault, remote=True)
    write = journey.dynamodb("UpdateItem", "live-votes", 0.01, 0.31, status=400, retries=2, cause=cause)
    journey.function(vote, 0.0, 0.36, calls=[write], fault=fault)
    return Expect(
        journey.send(),
        cause="ddb-provisioned-exceeded",
        resource=votes,
        trigger="",
        facts=(UNCHANGED,),
        innocent=(vote.arn, vote.role_arn),
    )
