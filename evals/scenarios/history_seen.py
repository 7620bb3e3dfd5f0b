"""Incidents that were here before: it is told beside the verdict, and never sways it."""

from datetime import timedelta

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._functions import CODE, CONFIGURATION, changed, deploy, traffic, whole_minute
from evals.scenarios._journeys import Journey
from evals.scenarios._past import found_before
from evals.scenarios._runtimes import Fault, go, java, killed, node, python
from evals.scenarios._tables import EXCEEDED, WORDS, Throttling, table_traffic
from sandbox.aws import resources
from sandbox.aws.resources import allow
from sandbox.aws.world import World

OOM, THROTTLED, RAISED = "lambda-oom", "ddb-provisioned-exceeded", "lambda-unhandled-exception"


@scenario(Kind.HISTORY, "lambda")
def third_kill_in_two_weeks(world: World) -> Expect:
    """atlas-tile is killed for want of memory, as four and eleven days ago; last time more of it helped."""
    tile = deploy(world, "atlas-tile", "nodejs22.x", memory=512, timeout=25)
    fault = killed(512, "{time}\t{request}\tINFO\tzoom 14, 8190 features", milliseconds=3100)
    traffic(tile, 30, 640, fault=fault, since=whole_minute(world, 11), share=0.25)
    journey = Journey(world, world.ago(minutes=3))
    journey.function(tile, 0.0, 3.12, fault=fault)
    verdict = world.ago(days=4)
    changed(tile, CONFIGURATION, who="dana", when=verdict + timedelta(minutes=21), memorySize=512)
    changed(tile, "TagResource20170331v2", who="inventory", when=verdict + timedelta(minutes=23))
    changed(tile, CODE, who="ci-atlas", when=verdict + timedelta(minutes=40))
    over = verdict + timedelta(minutes=26)
    past = (
        found_before(world, 1, OOM, tile.arn, days=4, about=tile, grades={"exact": 2}, recovered_at=over),
        found_before(world, 2, OOM, tile.arn, days=11, about=tile),
        found_before(world, 3, OOM, tile.arn, days=60, about=tile),
    )
    return Expect(
        journey.send(),
        cause=OOM,
        resource=tile.arn,
        says=(
            "Third time in 14 days: INV-PAST01 (4 days ago), whose alarm was OK again 5 min after dana's Update",
            "FunctionConfiguration; graded exact by 2",
        ),
        runbook="memory",
        past=past,
        innocent=(tile.role_arn,),
    )


@scenario(Kind.HISTORY, "dynamodb")
def five_times_memory_and_now_the_table(world: World) -> Expect:
    """Five times this month geo-index ran out of memory; today its table throttles, which is another thing."""
    cells = resources.table(world, "geo-cells", key="cell", write_capacity=60)
    index = deploy(world, "geo-index", "java17", allow(["dynamodb:PutItem"], cells), memory=2048, timeout=30)
    began = whole_minute(world, 9)
    refused = Throttling(began, 1900)
    table_traffic(world, "geo-cells", "Write", 25, provisioned=60, now=60, since=began, throttling=refused)
    fault = java(
        f"software.amazon.awssdk.services.dynamodb.model.{EXCEEDED}",
        WORDS.format("the table"),
        ("CellWriter.java", 90, "com.geo.CellWriter.flush"),
        milliseconds=880,
    )
    traffic(index, 500, 130, fault=fault, since=began, share=0.5)
    journey = Journey(world, world.ago(minutes=2))
    cause = journey.exception(fault, remote=True)
    put = journey.dynamodb("PutItem", "geo-cells", 0.05, 0.79, status=400, retries=5, cause=cause)
    journey.function(index, 0.0, 0.9, calls=[put], fault=fault)
    earlier = (1.5, 5, 9, 14, 20)
    past = tuple(
        found_before(world, n, OOM, index.arn, days=days, about=index, grades={"exact": 1})
        for n, days in enumerate(earlier, 1)
    )
    return Expect(
        journey.send(),
        cause=THROTTLED,
        resource=cells,
        omits=("time in 14 days", "Seen before"),
        facts=("was found",),
        past=past,
        innocent=(index.arn, index.role_arn),
    )


@scenario(Kind.HISTORY, "lambda")
def last_verdict_was_graded_wrong(world: World) -> Expect:
    """Ten days ago the bot blamed the code of fare-quote; two people graded it wrong: told, not counted."""
    quote = deploy(world, "fare-quote", "python3.12", last_modified=world.ago(minutes=21))
    fault = python(
        "ZeroDivisionError",
        "division by zero",
        ("/var/task/fares/split.py", 12, "per_leg"),
        ("/var/task/fares/app.py", 25, "handler"),
    )
    began = whole_minute(world, 13)
    traffic(quote, 70, 33, fault=fault, since=began, share=0.4)
    changed(quote, CODE, who="ci-fares", when=began - timedelta(minutes=1), publish=True)
    journey = Journey(world, world.ago(minutes=4))
    journey.function(quote, 0.0, 0.05, fault=fault)
    wrong = found_before(world, 1, RAISED, quote.arn, days=10, about=quote, grades={"wrong": 2, "right_area": 1})
    return Expect(
        journey.send(),
        cause=RAISED,
        resource=quote.arn,
        trigger=quote.arn,
        omits=("INV-PAST01", "Second time"),
        facts=("people judged that wrong",),
        past=(wrong,),
        innocent=(quote.role_arn,),
    )


@scenario(Kind.HISTORY, "lambda")
def same_incident_asked_about_again(world: World) -> Expect:
    """A colleague had the same failure of ticket-scan looked at ten minutes ago: this is no second time."""
    scan = deploy(world, "ticket-scan", "nodejs20.x", last_modified=world.ago(minutes=30))
    fault = node("TypeError", "Cannot read properties of null (reading 'gate')", ("/var/task/scan.mjs", 9, "handler"))
    began = whole_minute(world, 25)
    traffic(scan, 210, 18, fault=fault, since=began, share=0.3)
    journey = Journey(world, world.ago(minutes=3))
    journey.function(scan, 0.0, 0.03, fault=fault)
    minutes_ago = found_before(world, 1, RAISED, scan.arn, days=10 / (24 * 60), about=scan)
    return Expect(
        journey.send(),
        cause=RAISED,
        resource=scan.arn,
        omits=("Second time",),
        facts=("looked at this same incident",),
        past=(minutes_ago,),
        innocent=(scan.role_arn,),
    )


@scenario(Kind.INSUFFICIENT, "lambda")
def history_alone_decides_nothing(world: World) -> Expect:
    """Thrice before ferry-book failed by its code; now it fails without a word: the past says nothing of it."""
    book = deploy(world, "ferry-book", "provided.al2023", Handler="bootstrap", timeout=5)
    silent = Fault("", "", (), milliseconds=35)
    traffic(book, 26, 30, fault=silent, since=whole_minute(world, 8), share=0.5)
    journey = Journey(world, world.ago(minutes=2))
    journey.function(book, 0.0, 0.04, fault=silent)
    past = tuple(
        found_before(world, n, RAISED, book.arn, days=3 * n, about=book, grades={"exact": 2}) for n in (1, 2, 3)
    )
    return Expect(
        journey.send(), status="inconclusive", facts=("was found 3 times in the last 14 days",), past=past,
        innocent=(book.role_arn,),
    )  # fmt: skip


@scenario(Kind.HEALTHY, "lambda")
def well_again_after_three_incidents(world: World) -> Expect:
    """Three incidents in three weeks, and today's request of meter-read succeeded: the past is no finding."""
    readings = resources.table(world, "readings", key="meter")
    read = deploy(world, "meter-read", "provided.al2", allow(["dynamodb:PutItem"], readings), Handler="bootstrap")
    traffic(read, 130, 9, lines=['{"level":"info","msg":"stored"}'])
    journey = Journey(world, world.ago(minutes=3))
    put = journey.dynamodb("PutItem", "readings", 0.002, 0.004)
    journey.function(read, 0.0, 0.014, calls=[put])
    past = tuple(found_before(world, n, THROTTLED, readings, days=6 * n, about=read) for n in (1, 2, 3))
    return Expect(journey.send(), omits=("INV-PAST",), past=past, innocent=(readings, read.arn))


@scenario(Kind.HISTORY, "lambda")
def seen_once_in_summer(world: World) -> Expect:
    """menu-export died of the same broken feed in August: too long ago to be a series, worth a word nevertheless."""
    export = deploy(world, "menu-export", "provided.al2023", Handler="bootstrap", timeout=12, memory=512)
    fault = go("*json.SyntaxError", "invalid character '<' looking for beginning of value")
    traffic(export, 5, 420, fault=fault, since=whole_minute(world, 14))
    journey = Journey(world, world.ago(minutes=5))
    journey.function(export, 0.0, 0.05, fault=fault)
    over = world.ago(days=88) + timedelta(hours=5)
    past = (found_before(world, 1, RAISED, export.arn, days=88, about=export, recovered_at=over),)
    return Expect(
        journey.send(),
        cause=RAISED,
        resource=export.arn,
        says=("Seen before: INV-PAST01 (88 days ago), whose alarm was OK again without a change there",),
        past=past,
        innocent=(export.role_arn,),
    )
