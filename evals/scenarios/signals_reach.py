"""How far a failure reaches: who calls what failed, what waits meanwhile, and how bad that makes it."""

from datetime import timedelta

from domain.report import SeverityLevel
from evals.scenario import Expect, Kind, scenario
from evals.scenarios._functions import CONFIGURATION, Function, changed, deploy, traffic, whole_minute
from evals.scenarios._journeys import Journey
from evals.scenarios._messages import Flow, queue_flow, read_by, reading
from evals.scenarios._runtimes import Fault, killed, node, timed_out
from evals.scenarios._tables import EXCEEDED, WORDS, Throttling, table_traffic
from sandbox.aws import resources
from sandbox.aws.resources import allow
from sandbox.aws.world import World

ASKED = 24
"""How many requests of each caller are traced: enough to tell a share from."""


def _asks(world: World, caller: Function, table: str, fault: Fault, *, failing: int) -> str:
    """Trace a caller's requests for a table, the last ones failing; returns the id of the last."""
    last = ""
    for number in range(ASKED):
        bad = number >= ASKED - failing
        journey = Journey(world, world.ago(minutes=6) + timedelta(seconds=9 * number))
        cause = journey.exception(fault, remote=True) if bad else None
        call = journey.dynamodb("GetItem", table, 0.01, 0.2 if bad else 0.006, status=400 if bad else 200, cause=cause)
        journey.function(caller, 0.0, 0.22 if bad else 0.02, calls=[call], fault=fault if bad else None)
        last = journey.send()
    return last


@scenario(Kind.SIGNAL, "dynamodb")
def three_shop_fronts_on_one_table(world: World) -> Expect:
    """web, app and kiosk all read price-list, which throttles: a fifth of what three entries are asked for fails."""
    prices = resources.table(world, "price-list", key="sku", read_capacity=40)
    began = whole_minute(world, 9)
    refused = Throttling(began, 2100)
    table_traffic(world, "price-list", "Read", 21, provisioned=40, now=40, since=began, throttling=refused)
    fault = node(EXCEEDED, WORDS.format("the table"), ("/var/task/price.mjs", 12, "of"), milliseconds=220)
    traces = []
    for name, share in (("web-front", 0.2), ("app-front", 0.15), ("kiosk-front", 0.18)):
        front = deploy(world, name, "nodejs22.x", allow(["dynamodb:GetItem"], prices))
        traffic(front, 400, 18, fault=fault, since=began, share=share)
        traces.append(_asks(world, front, "price-list", fault, failing=5))
    return Expect(
        traces[0],
        cause="ddb-provisioned-exceeded",
        resource=prices,
        severity=SeverityLevel.CRITICAL,
        facts=("3 services are affected",),
    )


@scenario(Kind.SIGNAL, "dynamodb")
def one_entry_and_few_of_its_requests(world: World) -> Expect:
    """Only the back office reads tax-codes, and only one in twenty of its requests meets the throttle: no emergency."""
    codes = resources.table(world, "tax-codes", key="code", read_capacity=6)
    began = whole_minute(world, 12)
    refused = Throttling(began, 24)
    table_traffic(world, "tax-codes", "Read", 5, provisioned=6, now=6, since=began, throttling=refused)
    office = deploy(world, "back-office", "python3.12", allow(["dynamodb:GetItem"], codes))
    fault = node(EXCEEDED, WORDS.format("the table"), ("/var/task/code.mjs", 31, "find"), milliseconds=260)
    traffic(office, 120, 25, fault=fault, since=began, share=0.05)
    journey = Journey(world, world.ago(minutes=3))
    cause = journey.exception(fault, remote=True)
    call = journey.dynamodb("GetItem", "tax-codes", 0.01, 0.2, status=400, retries=2, cause=cause)
    journey.function(office, 0.0, 0.26, calls=[call], fault=fault)
    return Expect(
        journey.send(),
        cause="ddb-provisioned-exceeded",
        resource=codes,
        severity=SeverityLevel.MEDIUM,
        innocent=(office.arn, office.role_arn),
    )


@scenario(Kind.SIGNAL, "lambda")
def work_waits_behind_a_worker(world: World) -> Expect:
    """clip-encode has been killed since its memory was halved; nobody waits for an answer, the clips do in a queue."""
    clips = resources.queue(world, "clips", VisibilityTimeout="900")
    began = whole_minute(world, 22)
    cut = began - timedelta(seconds=45)
    encode = deploy(world, "clip-encode", "python3.12", reading(clips), memory=1024, timeout=120, last_modified=cut)
    read_by(encode, clips, BatchSize=1)
    changed(encode, CONFIGURATION, who="finops", when=world.ago(hours=16), memorySize=2048)
    changed(encode, CONFIGURATION, who="finops", when=cut, memorySize=1024)
    fault = killed(1024, "[INFO]\t{time}\t{request}\t4k, 61 s", milliseconds=8800)
    traffic(encode, 20, 7400, fault=fault, since=began, share=0.7)
    queue_flow(
        world, "clips", Flow(20, 20, 20, 2, 3, 9), since=began, then=Flow(20, 26, 6, visible=240, flying=20, age=1290)
    )
    journey = Journey(world, world.ago(minutes=2))
    journey.function(encode, 0.0, 8.82, fault=fault)
    return Expect(
        journey.send(),
        cause="lambda-oom",
        resource=encode.arn,
        trigger=encode.arn,
        severity=SeverityLevel.HIGH,
        says=("finops",),
        innocent=(clips, encode.role_arn),
    )


@scenario(Kind.CASCADE, "lambda")
def desk_waits_for_booking_waits_for_an_airline(world: World) -> Expect:
    """The airline's booking host hangs, flight-book runs out of time over it, flight-desk fails with it; flight-price
    asks another host of the same airline and is well."""
    began = whole_minute(world, 8)
    book = deploy(world, "flight-book", "nodejs22.x", timeout=7)
    price = deploy(world, "flight-price", "nodejs22.x")
    may_call = allow(["lambda:InvokeFunction"], [book.arn, price.arn])
    desk = deploy(world, "flight-desk", "nodejs22.x", may_call, timeout=20)
    fault = timed_out(7)
    traffic(book, 60, 420, fault=fault, since=began, share=0.9)
    traffic(price, 200, 60)
    own = node("Error", "booking failed: no answer", ("/var/task/desk.mjs", 52, "book"), milliseconds=7100)
    traffic(desk, 60, 500, fault=own, since=began, share=0.9)
    journey = Journey(world, world.ago(minutes=2))
    asked = journey.invoke(price.name, 0.01, 0.07)
    booked = journey.invoke(book.name, 0.09, 7.03)
    journey.function(desk, 0.0, 7.15, calls=[asked, booked], fault=own)
    answer = journey.http("GET", "https://prices.airline.example/v1", 0.02, 0.04)
    journey.function(price, 0.012, 0.066, parent=str(asked["id"]), calls=[answer])
    waiting = journey.http("POST", "https://booking.airline.example/v1", 0.12, None, status=None)
    journey.function(book, 0.095, 7.02, parent=str(booked["id"]), calls=[waiting], fault=fault)
    return Expect(
        journey.send(),
        cause="downstream-http-error",
        resource=book.arn,
        accept=(("lambda-timeout", book.arn),),
        trigger="",
        facts=("`flight-desk`",),
        innocent=(price.arn, desk.arn, desk.role_arn, book.role_arn),
    )
