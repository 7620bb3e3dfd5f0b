"""APIs of which too little can be seen, or with which nothing is wrong."""

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._apis import (
    ApiJourney,
    Failing,
    access_log,
    api_traffic,
    execution_log,
    guard_route,
    moments,
)
from evals.scenarios._functions import CODE, changed, deploy, elsewhere, role_changed, traffic, whole_minute
from sandbox.aws import resources, signals
from sandbox.aws.faults import ACCESS_DENIED
from sandbox.aws.world import World


@scenario(Kind.INSUFFICIENT, "apigateway")
def forbidden_for_one_of_two_reasons(world: World) -> Expect:
    """A route wants an API key and stands behind a web ACL that blocks at times; nothing is logged about this 403."""
    stock = deploy(world, "stock-level", "nodejs20.x")
    stage = resources.rest_api(world, "stock", [("GET", "/stock", stock.arn)])
    guard_route(world, stage, "GET", "/stock", stock.arn, apiKeyRequired=True)
    client = world.client("apigateway")
    client.create_usage_plan(name="shops", apiStages=[{"apiId": stage.api_id, "stage": "prod"}])
    client.create_api_key(name="shop-north", enabled=True)
    visible = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "stock-acl"}
    managed = {"ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": "AWSManagedRulesCommonRuleSet"}}
    rule = {"Name": "common", "Priority": 1, "Statement": managed, "OverrideAction": {"None": {}}}
    arn = world.arn("wafv2", "regional/webacl/stock/0f7c2c31-5b3e-4c0f-8a55-2f0b1d1f7e11")
    acl = {"Name": "stock", "Id": arn[-36:], "ARN": arn, "DefaultAction": {"Allow": {}}, "VisibilityConfig": visible}
    rules = [{**rule, "VisibilityConfig": {**visible, "MetricName": "common"}}]
    world.aws.serve("wafv2", "GetWebACLForResource", {"WebACL": {**acl, "Rules": rules}})
    began = whole_minute(world, 35)
    where = {"WebACL": "stock-acl", "Region": world.region, "Rule": "ALL"}
    signals.metric(world, "AWS/WAFV2", "BlockedRequests", where, [2.0] * 35, start=began, unit="Count")
    api_traffic(world, {"ApiName": "stock"}, 400, 22, Failing(403, began, 0.02, 1))
    traffic(stock, 390, 18)
    journey = ApiJourney(world, world.ago(minutes=11))
    journey.refused(stage, "GET", "/stock", 403)
    return Expect(
        journey.send(),
        status="inconclusive",
        innocent=(stock.arn, stock.role_arn, resources.rest_api_arn(world, stage)),
    )


@scenario(Kind.DENIED, "apigateway")
def permission_policy_not_readable(world: World) -> Expect:
    """POST /claims answers 500 before any function runs and nothing is logged; the one look that tells is denied."""
    claims = deploy(world, "file-claim", "java21", memory=1024)
    stage = resources.rest_api(world, "claims-api", [("POST", "/claims", claims.arn)])
    world.client("lambda").remove_permission(FunctionName=claims.name, StatementId=f"POST-{stage.api_id}")
    began = whole_minute(world, 7)
    api_traffic(world, {"ApiName": "claims-api"}, 45, 160, Failing(500, began, 1.0, 8))
    elsewhere(world, CODE, "claims-report", who="ci-claims", when=world.ago(minutes=20), publish=True)
    journey = ApiJourney(world, world.ago(minutes=2))
    journey.refused(stage, "POST", "/claims", 500, seconds=0.01)
    world.aws.inject("lambda", "GetPolicy", ACCESS_DENIED)
    world.aws.inject("cloudtrail", "LookupEvents", ACCESS_DENIED)
    return Expect(
        journey.send(),
        status="inconclusive",
        innocent=(claims.arn, claims.role_arn),
        gaps=("lambda:GetPolicy", "cloudtrail:LookupEvents"),
    )


@scenario(Kind.DENIED, "apigateway")
def schema_tightened_while_config_is_hidden(world: World) -> Expect:
    """A model began to ask for a field; API Gateway's configuration is denied to us, its execution log is not."""
    order = deploy(world, "order-intake", "dotnet8", memory=512)
    stage = resources.rest_api(world, "intake", [("POST", "/orders", order.arn)])
    began = whole_minute(world, 23)
    api_traffic(world, {"ApiName": "intake"}, 130, 84, Failing(400, began, 0.4, 3))
    traffic(order, 78, 70)
    words = "Request body does not match model schema for content type application/json: [object has missing required"
    said = [f'{words} properties (["vatId"])]', "Gateway response type: BAD_REQUEST_BODY with status code: 400"]
    execution_log(world, stage, "POST", "/orders", 400, said, moments(world, began))
    journey = ApiJourney(world, world.ago(minutes=4))
    journey.refused(stage, "POST", "/orders", 400)
    for operation in ("GetResources", "GetGatewayResponses", "GetUsagePlans"):
        world.aws.inject("apigateway", operation, ACCESS_DENIED)
    return Expect(
        journey.send(),
        cause="apigw-bad-request-validation",
        resource=resources.rest_api_arn(world, stage),
        innocent=(order.arn, order.role_arn),
        gaps=("apigateway:GET",),
    )


@scenario(Kind.HEALTHY, "apigateway")
def deployment_during_a_quiet_evening(world: World) -> Expect:
    """Somebody asks whether tonight's release broke the API: it did not, and a scanner's 403s yesterday are not it."""
    menu, book = deploy(world, "menu", "nodejs22.x"), deploy(world, "book-table", "python3.13")
    stage = resources.rest_api(world, "bistro", [("GET", "/menu", menu.arn), ("POST", "/book", book.arn)])
    scanned, over = whole_minute(world, 200), whole_minute(world, 190)
    api_traffic(world, {"ApiName": "bistro"}, 85, 47, Failing(403, scanned, 0.2, 1, until=over))
    for function, rate, taken in ((menu, 60, 30), (book, 25, 75)):
        traffic(function, rate, taken)
    changed(book, CODE, who="ci-bistro", when=world.ago(minutes=32), publish=True)
    role_changed(world, "TagRole", menu.role, who="finance", when=world.ago(hours=5), tags=[])
    row = {"httpMethod": "GET", "path": "/.env", "status": 403, "errorType": "MISSING_AUTHENTICATION_TOKEN"}
    access_log(world, stage, "/apigw/bistro", [(at, row) for at in moments(world, scanned, until=over)])
    journey = ApiJourney(world, world.ago(minutes=3))
    parent = journey.api(stage, "POST", "/book", book.name, 0.088, status=201)
    write = journey.aws("SES", "SendEmail", 0.03, 0.04)
    journey.function(book, 0.005, 0.08, parent=parent, calls=[write])
    innocent = (menu.arn, book.arn, resources.rest_api_arn(world, stage))
    return Expect(f"did the release break {journey.send()}?", innocent=innocent)
