"""APIs that fail together with what is around them: authorizers, other accounts and Regions, two faults at once."""

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._apis import (
    ApiJourney,
    Failing,
    access_log,
    api_changed,
    api_traffic,
    execution_log,
    guard_route,
    moments,
)
from evals.scenarios._functions import CODE, changed, deploy, elsewhere, traffic, whole_minute
from evals.scenarios._journeys import Journey
from evals.scenarios._runtimes import node, python
from evals.scenarios._tables import EXCEEDED, WORDS, Throttling, table_changed, table_traffic
from sandbox.aws import resources
from sandbox.aws.resources import allow
from sandbox.aws.segments import Stage
from sandbox.aws.world import World

OTHER = "210987654321"


def authorizer_of(world: World, stage: Stage, name: str, function: str, *, ttl: int) -> str:
    """Make a Lambda authorizer of a REST API that may be invoked; returns its id."""
    uri = f"arn:aws:apigateway:{world.region}:lambda:path/2015-03-31/functions/{function}/invocations"
    made: str = world.client("apigateway").create_authorizer(
        restApiId=stage.api_id,
        name=name,
        type="TOKEN",
        authorizerUri=uri,
        identitySource="method.request.header.Authorization",
        authorizerResultTtlInSeconds=ttl,
    )["id"]
    world.client("lambda").add_permission(
        FunctionName=function,
        StatementId="authorizer",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=world.arn("execute-api", f"{stage.api_id}/authorizers/{made}"),
    )
    return made


@scenario(Kind.CASCADE, "dynamodb")
def authorizer_cannot_read_its_sessions(world: World) -> Expect:
    """Every request asks check-session, whose table was cut to 8 RCU: it throws, and the whole API answers 500."""
    sessions = resources.table(world, "user-sessions", key="sid", read_capacity=8)
    check = deploy(world, "check-session", "nodejs22.x", allow(["dynamodb:GetItem"], sessions), timeout=5)
    inbox = deploy(world, "inbox", "python3.12")
    stage = resources.rest_api(world, "mail", [("GET", "/inbox", inbox.arn)])
    checker = authorizer_of(world, stage, "sessions", check.arn, ttl=0)
    guard_route(world, stage, "GET", "/inbox", inbox.arn, authorizationType="CUSTOM", authorizerId=checker)
    began = whole_minute(world, 12)
    fault = node(EXCEEDED, WORDS.format("the table"), ("/var/task/index.mjs", 12, "session"), milliseconds=420)
    traffic(check, 2600, 18, fault=fault, since=began, share=0.8)
    traffic(inbox, 520, 40)
    api_traffic(world, {"ApiName": "mail"}, 2600, 70, Failing(500, began, 0.8, 440))
    table_traffic(
        world, "user-sessions", "Read", 43, provisioned=8, now=8, since=began, throttling=Throttling(began, 2080)
    )
    for hours, units in ((21, 200), (0.21, 8)):
        given = {"provisionedThroughput": {"readCapacityUnits": units, "writeCapacityUnits": 8}}
        table_changed(world, "UpdateTable", "user-sessions", who="finops", when=world.ago(hours=hours), **given)
    journey = ApiJourney(world, world.ago(minutes=2, seconds=10))
    ask = journey.invoke(check.name, 0.004, 0.43)
    journey.forwarded(stage, "GET", "/inbox", 500, 0.44, ask)
    cause = journey.exception(fault, remote=True)
    read = journey.dynamodb("GetItem", "user-sessions", 0.02, 0.38, status=400, retries=3, cause=cause)
    journey.function(check, 0.006, 0.42, parent=ask["id"], calls=[read], fault=fault)
    innocent = (inbox.arn, check.arn, check.role_arn, resources.rest_api_arn(world, stage))
    return Expect(journey.send(), cause="ddb-provisioned-exceeded", resource=sessions, innocent=innocent)


@scenario(Kind.TWO_FAULTS, "dynamodb")
def cleanup_hits_one_table_and_misses_another(world: World) -> Expect:
    """order-status asks two tables at once: one was cut to 4 RCU, the other deleted; both refusals arrive."""
    orders = resources.table(world, "order-heads", key="order", read_capacity=4)
    gone = world.arn("dynamodb", "table/order-notes")
    status = deploy(world, "order-status", "nodejs20.x", allow(["dynamodb:GetItem"], [orders, gone]))
    began = whole_minute(world, 16)
    frame = ("/var/task/index.mjs", 20, "load")
    slow = node(EXCEEDED, WORDS.format("the table"), frame, milliseconds=350)
    missing = node("ResourceNotFoundException", "Requested resource not found", frame)
    outer = node("AggregateError", "2 of 2 lookups failed", ("/var/task/index.mjs", 31, "handler"), milliseconds=380)
    traffic(status, 640, 30, fault=outer, since=began, share=0.9)
    table_traffic(
        world, "order-heads", "Read", 11, provisioned=4, now=4, since=began, throttling=Throttling(began, 600)
    )
    table_traffic(world, "order-heads", "Write", 2, provisioned=4)
    cut = {"provisionedThroughput": {"readCapacityUnits": 4, "writeCapacityUnits": 4}}
    before = {"provisionedThroughput": {"readCapacityUnits": 60, "writeCapacityUnits": 4}}
    table_changed(world, "UpdateTable", "order-heads", who="finops", when=world.ago(hours=19), **before)
    table_changed(world, "UpdateTable", "order-heads", who="finops", when=world.ago(minutes=17), **cut)
    table_changed(world, "DeleteTable", "order-notes", who="finops", when=world.ago(minutes=16, seconds=40))
    journey = Journey(world, world.ago(minutes=3))
    first = journey.exception(slow, remote=True)
    second = journey.exception(missing, remote=True)
    heads = journey.dynamodb("GetItem", "order-heads", 0.02, 0.31, status=400, retries=3, cause=first)
    notes = journey.dynamodb("GetItem", "order-notes", 0.02, 0.008, status=400, cause=second)
    journey.function(status, 0.0, 0.39, calls=[heads, notes], fault=outer)
    pairs = (("ddb-provisioned-exceeded", orders), ("ddb-table-not-found", gone))
    innocent = (status.arn, status.role_arn)
    return Expect(journey.send(), cause=pairs[0][0], resource=orders, accept=pairs[1:], also=pairs, innocent=innocent)


@scenario(Kind.TWO_FAULTS, "apigateway")
def two_routes_of_one_api_broken(world: World) -> Expect:
    """One deployment throttled GET /slots to 1 request a second and broke the answer of POST /visits."""
    slots, visits = deploy(world, "visit-slots", "python3.13"), deploy(world, "visit-book", "provided.al2023")
    throttle = {"/~1slots/GET/throttling/rateLimit": "1", "/~1slots/GET/throttling/burstLimit": "2"}
    stage = resources.rest_api(world, "visits", [("GET", "/slots", slots.arn), ("POST", "/visits", visits.arn)])
    api, began = resources.rest_api_arn(world, stage), whole_minute(world, 13)
    api_traffic(world, {"ApiName": "visits"}, 900, 33, Failing(429, began, 0.55, 2), Failing(502, began, 0.3, 28))
    traffic(slots, 60, 20)
    traffic(visits, 270, 24)
    row = {"httpMethod": "GET", "path": "/slots", "status": 429, "errorType": "THROTTLED"}
    rows = [(at, {**row, "errorMessage": "Too Many Requests"}) for at in moments(world, began)]
    access_log(world, stage, "/apigw/visits", rows)
    words = "Execution failed due to configuration error: Malformed Lambda proxy response"
    execution_log(world, stage, "POST", "/visits", 502, [words], moments(world, began, every=45))
    patch = [{"op": "replace", "path": path, "value": value} for path, value in throttle.items()]
    asked = {"restApiId": stage.api_id, "stageName": "prod", "updateStageInput": {"patchOperations": patch}}
    api_changed(world, "UpdateStage", who="ci-visits", when=world.ago(minutes=13, seconds=50), **asked)
    changed(visits, CODE, who="ci-visits", when=world.ago(minutes=13, seconds=45), publish=False)
    pairs = (("apigw-throttled", api), ("apigw-malformed-proxy", api))
    innocent = (slots.arn, slots.role_arn, visits.role_arn)
    return Expect(f"{api} fails", cause=pairs[0][0], resource=api, accept=pairs[1:], also=pairs, innocent=innocent)


@scenario(Kind.FOREIGN, "apigateway")
def tariffs_api_of_the_other_account(world: World) -> Expect:
    """Our quote function calls the tariffs API of another account, where a deployment dropped the invoke permission."""
    there = World(world.aws, world.now, f"{world.seed} there", account=OTHER)
    tariff = deploy(there, "tariff", "java21", memory=1024)
    stage = resources.rest_api(there, "tariffs", [("GET", "/tariff", tariff.arn)])
    there.client("lambda").remove_permission(FunctionName=tariff.name, StatementId=f"GET-{stage.api_id}")
    began = whole_minute(world, 9)
    when = world.ago(minutes=9, seconds=30)
    changed(tariff, "RemovePermission20150331v2", who="sam-deploy", when=when, statementId=f"GET-{stage.api_id}")
    api_traffic(there, {"ApiName": "tariffs"}, 140, 61, Failing(500, began, 1.0, 9))
    words = "Execution failed due to configuration error: Invalid permissions on Lambda function"
    execution_log(there, stage, "GET", "/tariff", 500, [words], moments(there, began))
    quote = deploy(world, "quote-energy", "python3.13")
    fault = python("HTTPError", "500 Server Error: Internal Server Error", ("/var/task/app.py", 25, "tariff"))
    traffic(quote, 140, 90, fault=fault, since=began)
    elsewhere(world, CODE, "quote-gas", who="ci-energy", when=world.ago(minutes=11), publish=False)
    journey = ApiJourney(world, world.ago(minutes=2, seconds=20))
    url = f"https://{stage.api_id}.execute-api.{world.region}.amazonaws.com/prod/tariff"
    call = journey.http("GET", url, 0.03, 0.02, status=500)
    journey.function(quote, 0.0, 0.07, calls=[call], fault=fault)
    journey.place = journey.place._replace(account=OTHER)
    journey.refused(stage, "GET", "/tariff", 500, seconds=0.012, call=call)
    api = resources.rest_api_arn(there, stage)
    innocent = (quote.arn, quote.role_arn, tariff.arn)
    role = f"arn:aws:iam::{OTHER}:role/rca-read"
    return Expect(
        journey.send(),
        cause="apigw-invalid-lambda-permission",
        resource=api,
        innocent=innocent,
        accounts={OTHER: role},
    )
