"""Changes that lie near and did nothing: too early, elsewhere, too late, of tags only, refused, or the right way."""

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
from evals.scenarios._runtimes import dotnet, java, killed, node, python, timed_out
from evals.scenarios._tables import EXCEEDED, WORDS, Throttling, table_changed, table_traffic
from sandbox.aws import resources, signals
from sandbox.aws.resources import allow
from sandbox.aws.world import World


@scenario(Kind.CHANGE, "lambda")
def deploy_of_last_night(world: World) -> Expect:
    """voucher-check was deployed eleven hours ago and ran well all night; since noon a partner sends codes without a
    hyphen."""
    check = deploy(world, "voucher-check", "python3.13", last_modified=world.ago(hours=11))
    fault = python(
        "ValueError",
        "not enough values to unpack (expected 2, got 1)",
        ("/var/task/voucher/codes.py", 18, "split"),
        ("/var/task/voucher/app.py", 31, "handler"),
    )
    traffic(check, 45, 28, fault=fault, since=whole_minute(world, 12), share=0.35)
    changed(check, CODE, who="ci-vouchers", when=world.ago(hours=11), publish=True)
    stage = resources.rest_api(world, "vouchers", [("POST", "/check", check.arn)])
    journey = Journey(world, world.ago(minutes=3))
    parent = journey.api(stage, "POST", "/check", check.name, 0.05, status=502)
    journey.function(check, 0.005, 0.035, parent=parent, fault=fault)
    return Expect(
        journey.send(),
        cause="lambda-unhandled-exception",
        resource=check.arn,
        trigger="",
        facts=("`ci-vouchers`",),
        omits=("ci-vouchers",),
        innocent=(check.role_arn,),
    )


@scenario(Kind.CHANGE, "dynamodb")
def deploy_of_a_neighbour_in_the_same_request(world: World) -> Expect:
    """cart-price went out four minutes before cart-save began to fail; it is in the trace and answers well."""
    carts = resources.table(world, "saved-carts", key="cart", write_capacity=30)
    began = whole_minute(world, 9)
    price = deploy(world, "cart-price", "nodejs22.x", last_modified=began - timedelta(minutes=4))
    rights = (allow(["dynamodb:PutItem"], carts), allow(["lambda:InvokeFunction"], price.arn))
    save = deploy(world, "cart-save", "nodejs22.x", *rights)
    changed(price, CODE, who="ci-pricing", when=began - timedelta(minutes=4), publish=True)
    traffic(price, 900, 22)
    refused = Throttling(began, 1500)
    table_traffic(world, "saved-carts", "Write", 14, provisioned=30, now=30, since=began, throttling=refused)
    fault = node(EXCEEDED, WORDS.format("the table"), ("/var/task/save.mjs", 44, "put"), milliseconds=400)
    traffic(save, 900, 60, fault=fault, since=began, share=0.6)
    journey = Journey(world, world.ago(minutes=2))
    ask = journey.invoke(price.name, 0.01, 0.03)
    cause = journey.exception(fault, remote=True)
    put = journey.dynamodb("PutItem", "saved-carts", 0.05, 0.33, status=400, retries=3, cause=cause)
    journey.function(price, 0.012, 0.026, parent=str(ask["id"]))
    journey.function(save, 0.0, 0.4, calls=[ask, put], fault=fault)
    return Expect(
        journey.send(),
        cause="ddb-provisioned-exceeded",
        resource=carts,
        trigger="",
        omits=("ci-pricing",),
        innocent=(price.arn, price.role_arn, save.arn, save.role_arn),
    )


@scenario(Kind.CHANGE, "lambda")
def memory_raised_when_it_had_already_begun(world: World) -> Expect:
    """mosaic has been killed for want of memory for a quarter of an hour; the engineer on duty gave it more."""
    began = whole_minute(world, 14)
    mended = began + timedelta(minutes=4)
    mosaic = deploy(world, "mosaic", "python3.12", memory=1024, timeout=60, last_modified=mended)
    fault = killed(1024, "[INFO]\t{time}\t{request}\ttiling 22000 x 14000", milliseconds=5200)
    traffic(mosaic, 16, 2100, fault=fault, since=began, share=0.7)
    changed(mosaic, CONFIGURATION, who="on-duty", when=mended, memorySize=1024)
    journey = Journey(world, began + timedelta(minutes=2))
    journey.function(mosaic, 0.0, 5.22, fault=fault)
    return Expect(
        journey.send(),
        cause="lambda-oom",
        resource=mosaic.arn,
        trigger="",
        facts=("no cause of it",),
        omits=("on-duty",),
        innocent=(mosaic.role_arn,),
    )


@scenario(Kind.CHANGE, "lambda")
def only_tags_were_changed(world: World) -> Expect:
    """The tagging robot went over everything minutes before the customs service stopped answering customs-declare."""
    declare = deploy(world, "customs-declare", "java21", memory=1024, timeout=9)
    began = whole_minute(world, 10)
    changed(
        declare, "TagResource20170331v2", who="tag-robot", when=began - timedelta(minutes=2), tags={"owner": "intl"}
    )
    role_changed(world, "TagRole", declare.role, who="tag-robot", when=began - timedelta(minutes=2))
    fault = java(
        "java.net.ConnectException",
        "Connection refused: customs.gov.example/203.0.113.40:443",
        ("CustomsClient.java", 77, "com.intl.CustomsClient.submit"),
        milliseconds=640,
    )
    traffic(declare, 22, 410, fault=fault, since=began)
    journey = Journey(world, world.ago(minutes=4))
    cause = journey.exception(fault)
    post = journey.http("POST", "https://customs.gov.example/v2/declarations", 0.05, 0.55, status=None, cause=cause)
    journey.function(declare, 0.0, 0.66, calls=[post], fault=fault)
    return Expect(
        journey.send(),
        cause="downstream-http-error",
        resource=declare.arn,
        trigger="",
        omits=("tag-robot",),
        facts=("changes of tags and the like",),
        innocent=(declare.role_arn,),
    )


@scenario(Kind.CHANGE, "dynamodb")
def change_that_aws_refused(world: World) -> Expect:
    """An intern tried to lower seat-holds to 5 WCU and was refused; the throttling is of the sale that opened then."""
    holds = resources.table(world, "seat-holds", key="seat", write_capacity=150)
    hold = deploy(world, "seat-hold", "dotnet8", allow(["dynamodb:PutItem"], holds), memory=512)
    began = whole_minute(world, 12)
    signals.cloudtrail_event(
        world,
        "UpdateTable",
        "dynamodb",
        [("AWS::DynamoDB::Table", "seat-holds")],
        who="intern-7",
        when=began - timedelta(minutes=1),
        request={"tableName": "seat-holds", "provisionedThroughput": {"writeCapacityUnits": 5}},
        error=("AccessDenied", "User is not authorized to perform: dynamodb:UpdateTable"),
    )
    refused = Throttling(began, 3600)
    table_traffic(world, "seat-holds", "Write", 31, provisioned=150, now=150, since=began, throttling=refused)
    fault = dotnet(
        f"Amazon.DynamoDBv2.Model.{EXCEEDED}",
        WORDS.format("the table"),
        ("/src/Seats/Holds.cs", 58, "Seats.Holds.TakeAsync(Seat seat)"),
        milliseconds=430,
    )
    traffic(hold, 2000, 25, fault=fault, since=began, share=0.3)
    journey = Journey(world, world.ago(minutes=5))
    cause = journey.exception(fault, remote=True)
    put = journey.dynamodb("PutItem", "seat-holds", 0.02, 0.39, status=400, retries=4, cause=cause)
    journey.function(hold, 0.0, 0.44, calls=[put], fault=fault)
    return Expect(
        journey.send(),
        cause="ddb-provisioned-exceeded",
        resource=holds,
        trigger="",
        omits=("intern-7",),
        innocent=(hold.arn, hold.role_arn),
    )


@scenario(Kind.CHANGE, "lambda")
def timeout_raised_before_the_time_outs(world: World) -> Expect:
    """Somebody raised the timeout of tariff-sync from 15 to 30 s in good time; the operator's API hangs regardless."""
    began = whole_minute(world, 9)
    raised = began - timedelta(minutes=12)
    sync = deploy(world, "tariff-sync", "nodejs20.x", timeout=30, last_modified=raised)
    changed(sync, CONFIGURATION, who="rosa", when=world.ago(hours=22), timeout=15)
    changed(sync, CONFIGURATION, who="rosa", when=raised, timeout=30)
    elsewhere(world, CODE, "tariff-page", who="ci-mobile", when=began, publish=False)
    fault = timed_out(30)
    traffic(sync, 4, 1900, fault=fault, since=began)
    journey = Journey(world, world.ago(minutes=3))
    ask = journey.http("GET", "https://partner.operator.example/tariffs?page=1", 0.05, None, status=None)
    journey.function(sync, 0.0, 30.01, calls=[ask], fault=fault)
    return Expect(
        journey.send(),
        cause="downstream-http-error",
        resource=sync.arn,
        accept=(("lambda-timeout", sync.arn),),
        trigger="",
        omits=("rosa",),
        innocent=(sync.role_arn,),
    )


@scenario(Kind.HEALTHY, "dynamodb")
def capacity_cut_that_is_still_enough(world: World) -> Expect:
    """The savings job took half of glossary's capacity an hour ago; it uses a tenth of what is left: all is well."""
    glossary = resources.table(world, "glossary", key="term", read_capacity=40)
    lookup = deploy(world, "glossary-lookup", "python3.12", allow(["dynamodb:GetItem"], glossary))
    cut = {"provisionedThroughput": {"readCapacityUnits": 40, "writeCapacityUnits": 40}}
    table_changed(world, "UpdateTable", "glossary", who="savings-job", when=world.ago(hours=1), **cut)
    changed(lookup, CODE, who="ci-docs", when=world.ago(minutes=12), publish=True)
    table_traffic(world, "glossary", "Read", 4, provisioned=40)
    traffic(lookup, 240, 14)
    journey = Journey(world, world.ago(minutes=2))
    read = journey.dynamodb("GetItem", "glossary", 0.005, 0.006)
    journey.function(lookup, 0.0, 0.02, calls=[read])
    return Expect(journey.send(), innocent=(glossary, lookup.arn, lookup.role_arn))
