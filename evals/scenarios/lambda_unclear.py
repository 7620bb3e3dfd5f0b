"""Functions that are well, whatever their logs sound like, and failures that the evidence does not explain."""

from datetime import timedelta

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._functions import (
    CODE,
    CONFIGURATION,
    changed,
    deploy,
    elsewhere,
    role_changed,
    traffic,
    whole_minute,
)
from evals.scenarios._journeys import Journey
from evals.scenarios._runtimes import Fault, dotnet, java, python
from sandbox.aws import resources, signals
from sandbox.aws.resources import allow
from sandbox.aws.world import World

SILENT = Fault("", "", (), milliseconds=55)
"""A failure of which neither trace nor log says anything."""


@scenario(Kind.HEALTHY, "lambda")
def warnings_of_a_call_that_was_repeated(world: World) -> Expect:
    """A slow first answer was repeated with success and logged as a warning; an hour ago there was a deployment."""
    stock = resources.table(world, "stock-levels", key="sku")
    level = deploy(
        world, "stock-level", "python3.12", allow(["dynamodb:GetItem"], stock), last_modified=world.ago(hours=1)
    )
    stage = resources.rest_api(world, "stock", [("GET", "/level", level.arn)])
    lines = [
        "[WARNING]\t{time}\t{request}\tread timed out once, trying again (error budget 98.2 %)",
        "[INFO]\t{time}\t{request}\t0 errors, 0 exceptions",
    ]
    traffic(level, 160, 38, lines=lines)
    changed(level, CODE, who="ci-stock", when=world.ago(hours=1), publish=False)
    role_changed(world, "TagRole", level.role, who="ci-stock", when=world.ago(minutes=55))
    old = python("KeyError", "'sku'", ("/var/task/app.py", 8, "handler"))
    signals.log(world, f"/aws/lambda/{level.name}", [(world.ago(hours=26, minutes=n), old.lines[0]) for n in range(9)])
    journey = Journey(world, world.ago(minutes=3))
    parent = journey.api(stage, "GET", "/level", level.name, 0.071, status=200)
    read = journey.dynamodb("GetItem", "stock-levels", 0.02, 0.031, retries=1)
    journey.function(level, 0.005, 0.06, parent=parent, calls=[read], lines=lines)
    return Expect(journey.send(), innocent=(stock, level.arn, level.role_arn, resources.rest_api_arn(world, stage)))


@scenario(Kind.HEALTHY, "lambda")
def quiet_worker_after_a_bad_yesterday(world: World) -> Expect:
    """rate-import ran out of memory yesterday and got more; today it runs once a minute without an error."""
    worker = deploy(world, "rate-import", "java21", memory=1536, timeout=90, last_modified=world.ago(hours=20))
    traffic(worker, 1, 8200, lines=["{time} {request} INFO  312 rates stored, no failure"])
    kill = java("java.lang.OutOfMemoryError", "Java heap space", ("RateParser.java", 88, "com.rates.RateParser.read"))
    events = [(world.ago(hours=25) + timedelta(minutes=n), kill.lines[0]) for n in range(5)]
    signals.log(world, f"/aws/lambda/{worker.name}", events)
    changed(worker, CONFIGURATION, who="amelie", when=world.ago(hours=20), memorySize=1536)
    return Expect("is function rate-import well again?", innocent=(worker.arn, worker.role_arn))


@scenario(Kind.INSUFFICIENT, "lambda")
def failure_that_nothing_explains(world: World) -> Expect:
    """seat-map fails in four of ten requests and logs nothing of it; the traces say that it failed, not why."""
    seats = resources.table(world, "seats", key="flight")
    seat_map = deploy(world, "seat-map", "provided.al2023", allow(["dynamodb:Query"], seats), Handler="bootstrap")
    stage = resources.rest_api(world, "flights", [("GET", "/seats", seat_map.arn)])
    traffic(seat_map, 95, 21, fault=SILENT, since=whole_minute(world, 12), share=0.4)
    elsewhere(world, CODE, "fare-rules", who="ci-flights", when=world.ago(minutes=13), publish=False)
    journey = Journey(world, world.ago(minutes=2, seconds=20))
    parent = journey.api(stage, "GET", "/seats", seat_map.name, 0.071, status=502)
    query = journey.dynamodb("Query", "seats", 0.02, 0.008)
    journey.function(seat_map, 0.006, 0.06, parent=parent, calls=[query], fault=SILENT)
    return Expect(
        journey.send(), status="inconclusive", innocent=(seats, seat_map.role_arn, resources.rest_api_arn(world, stage))
    )


@scenario(Kind.INSUFFICIENT, "lambda")
def lambda_itself_answered_500(world: World) -> Expect:
    """Lambda's own service failed for one invocation: the function never saw it, and its metrics know nothing of it."""
    prune = deploy(world, "cache-prune", "dotnet8", memory=512)
    caller = deploy(world, "site-publish", "dotnet8", allow(["lambda:InvokeFunction"], prune.arn), memory=512)
    fault = dotnet(
        "Amazon.Lambda.Model.ServiceException",
        "Service Exception",
        ("/src/Site/Publisher.cs", 77, "Site.Publisher.PruneAsync()"),
        ("/src/Site/Function.cs", 30, "Site.Function.Handler(PublishEvent e)"),
        milliseconds=430,
    )
    traffic(prune, 30, 25)
    traffic(caller, 30, 140)
    changed(caller, CODE, who="octopus", when=world.ago(hours=11), publish=True)
    journey = Journey(world, world.ago(minutes=7))
    call = journey.invoke(prune.name, 0.03, 0.36, status=500, retries=2, cause=journey.exception(fault, remote=True))
    journey.function(caller, 0.0, 0.44, calls=[call], fault=fault)
    return Expect(
        journey.send(), status="inconclusive", innocent=(prune.arn, prune.role_arn, caller.arn, caller.role_arn)
    )
