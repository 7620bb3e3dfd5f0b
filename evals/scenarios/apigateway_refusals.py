"""Requests that API Gateway refuses by itself: keys, limits, authorizers, routes that are not there yet."""

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._apis import (
    ApiJourney,
    Failing,
    access_log,
    api_changed,
    api_traffic,
    execution_log,
    guard_route,
    http_access_log,
    moments,
)
from evals.scenarios._functions import CODE, deploy, elsewhere, traffic, whole_minute
from sandbox.aws import resources, signals
from sandbox.aws.faults import THROTTLED
from sandbox.aws.world import World


@scenario(Kind.SINGLE, "apigateway")
def stage_throttled_to_five_requests(world: World) -> Expect:
    """Someone tried the stage's throttle at 5 requests a second and left it: most of the fares traffic gets 429."""
    fares = deploy(world, "fares", "nodejs20.x", timeout=8)
    throttle = {"/*/*/throttling/rateLimit": "5", "/*/*/throttling/burstLimit": "10"}
    stage = resources.rest_api(world, "fares-api", [("GET", "/fares", fares.arn)], stage_settings=throttle)
    began = whole_minute(world, 14)
    api_traffic(world, {"ApiName": "fares-api"}, 1500, 41, Failing(429, began, 0.8, 2))
    traffic(fares, 300, 38)
    row = {"httpMethod": "GET", "path": "/fares", "status": 429, "errorType": "THROTTLED"}
    lines = [(at, {**row, "errorMessage": "Too Many Requests"}) for at in moments(world, began)]
    access_log(world, stage, "/apigw/fares-api", lines)
    patch = [{"op": "replace", "path": "/*/*/throttling/rateLimit", "value": "5"}]
    api_changed(
        world,
        "UpdateStage",
        who="piotr",
        when=world.ago(minutes=14, seconds=40),
        restApiId=stage.api_id,
        stageName="prod",
        updateStageInput={"patchOperations": patch},
    )
    elsewhere(world, CODE, "fares-import", who="ci-fares", when=world.ago(minutes=16), publish=True)
    journey = ApiJourney(world, world.ago(minutes=2, seconds=5))
    journey.refused(stage, "GET", "/fares", 429)
    api = resources.rest_api_arn(world, stage)
    return Expect(journey.send(), cause="apigw-throttled", resource=api, innocent=(fares.arn, fares.role_arn))


@scenario(Kind.SINGLE, "apigateway")
def partner_used_up_its_daily_quota(world: World) -> Expect:
    """A partner's nightly job ran in a loop and used up its 20,000 requests a day; the other partner is well."""
    feed = deploy(world, "product-feed", "python3.13")
    stage = resources.rest_api(world, "partners", [("GET", "/feed", feed.arn)])
    client = world.client("apigateway")
    plan = client.create_usage_plan(
        name="partner-basic",
        apiStages=[{"apiId": stage.api_id, "stage": "prod"}],
        quota={"limit": 20000, "period": "DAY"},
        throttle={"rateLimit": 50.0, "burstLimit": 100},
    )["id"]
    keys = [client.create_api_key(name=name, enabled=True)["id"] for name in ("hellmann", "kuehn")]
    days = {keys[0]: [[20000, 0]], keys[1]: [[3120, 16880]]}
    today = world.now.date().isoformat()
    usage = {"usagePlanId": plan, "startDate": today, "endDate": today, "items": days}
    world.aws.serve("apigateway", "GetUsage", usage, when={"usagePlanId": plan})
    began = whole_minute(world, 40)
    api_traffic(world, {"ApiName": "partners"}, 60, 88, Failing(429, began, 0.55, 2))
    traffic(feed, 27, 80)
    said = ["API Key hellma authorized because method 'GET /feed' requires API Key", "Usage Plan check failed"]
    quota = ["API Key exceeded quota limits for Usage Plan partner-basic", "Gateway response type: QUOTA_EXCEEDED"]
    execution_log(world, stage, "GET", "/feed", 429, [*said, *quota], moments(world, began, every=60))
    journey = ApiJourney(world, world.ago(minutes=6))
    journey.refused(stage, "GET", "/feed", 429)
    api = resources.rest_api_arn(world, stage)
    return Expect(journey.send(), cause="apigw-quota-exceeded", resource=api, innocent=(feed.arn, feed.role_arn))


@scenario(Kind.THROTTLED, "apigateway")
def api_key_disabled_by_a_clean_up(world: World) -> Expect:
    """A clean-up of old keys disabled the one the tills use. Nothing is logged; AWS throttles our first reads."""
    tills = deploy(world, "till-sync", "dotnet8", memory=512)
    stage = resources.rest_api(world, "stores", [("POST", "/sync", tills.arn)])
    guard_route(world, stage, "POST", "/sync", tills.arn, apiKeyRequired=True)
    client = world.client("apigateway")
    client.create_usage_plan(name="tills", apiStages=[{"apiId": stage.api_id, "stage": "prod"}])
    key = client.create_api_key(name="tills-2023", enabled=False)["id"]
    client.create_api_key(name="backoffice", enabled=True)
    began = whole_minute(world, 9)
    api_traffic(world, {"ApiName": "stores"}, 210, 66, Failing(403, began, 1.0, 2))
    traffic(tills, 210, 60, logged=False)
    patches = [{"op": "replace", "path": "/enabled", "value": "false"}]
    api_changed(
        world,
        "UpdateApiKey",
        who="cleanup-2026",
        when=world.ago(minutes=9, seconds=20),
        apiKey=key,
        updateApiKeyInput={"patchOperations": patches},
    )
    journey = ApiJourney(world, world.ago(minutes=1, seconds=40))
    journey.refused(stage, "POST", "/sync", 403)
    for service, operation in (("apigateway", "*"), ("cloudtrail", "LookupEvents"), ("cloudwatch", "*")):
        world.aws.inject(service, operation, THROTTLED, times=2)
    api = resources.rest_api_arn(world, stage)
    return Expect(journey.send(), cause="apigw-invalid-api-key", resource=api, innocent=(tills.arn, tills.role_arn))


@scenario(Kind.SINGLE, "apigateway")
def refund_route_added_and_not_deployed(world: World) -> Expect:
    """POST /refunds was configured this morning; nobody deployed it, so the app's new button gets 403."""
    pay, refund = deploy(world, "payments", "java21", memory=1024), deploy(world, "refunds", "java21", memory=1024)
    stage = resources.rest_api(
        world, "payments-api", [("POST", "/payments", pay.arn), ("POST", "/refunds", refund.arn)]
    )
    api = resources.rest_api_arn(world, stage)
    deployment = world.client("apigateway").get_stage(restApiId=stage.api_id, stageName="prod")["deploymentId"]
    served = {"/payments": {"POST": {"authorizationType": "NONE", "apiKeyRequired": False}}}
    made = world.ago(days=6)
    answer = {"id": deployment, "createdDate": made, "apiSummary": served}
    world.aws.serve("apigateway", "GetDeployment", answer, when={"deploymentId": deployment})
    began = whole_minute(world, 55)
    api_traffic(world, {"ApiName": "payments-api"}, 340, 130, Failing(403, began, 0.06, 2))
    traffic(pay, 320, 120)
    for name in ("PutMethod", "PutIntegration"):
        when = world.ago(hours=2, minutes=4)
        given = {"restApiId": stage.api_id, "resourceId": "kx02hb", "httpMethod": "POST"}
        api_changed(world, name, who="sofia", when=when, **given)
    elsewhere(world, CODE, "payments", who="ci-payments", when=world.ago(minutes=50), publish=True)
    journey = ApiJourney(world, world.ago(minutes=5))
    journey.refused(stage, "POST", "/refunds", 403)
    innocent = (pay.arn, refund.arn, refund.role_arn)
    return Expect(journey.send(), cause="apigw-not-deployed", resource=api, innocent=innocent)


@scenario(Kind.SINGLE, "apigateway")
def new_waf_rule_blocks_uploads(world: World) -> Expect:
    """A body size rule was added to the web ACL; documents above 8 KB are blocked before they reach the API."""
    docs = deploy(world, "store-document", "python3.12", memory=512)
    stage = resources.rest_api(world, "documents", [("POST", "/documents", docs.arn), ("GET", "/documents", docs.arn)])
    visible = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "edge-acl"}
    size = {
        "Name": "body-8k",
        "Priority": 0,
        "Statement": {
            "SizeConstraintStatement": {
                "FieldToMatch": {"Body": {"OversizeHandling": "MATCH"}},
                "ComparisonOperator": "GT",
                "Size": 8192,
                "TextTransformations": [{"Priority": 0, "Type": "NONE"}],
            }
        },
        "Action": {"Block": {}},
        "VisibilityConfig": {**visible, "MetricName": "body-8k"},
    }
    arn = world.arn("wafv2", "regional/webacl/edge/5a0c8f9e-0e2f-4f5e-9d6a-0c1f2f5a9b01")
    acl = {"Name": "edge", "Id": arn[-36:], "ARN": arn, "DefaultAction": {"Allow": {}}, "Rules": [size]}
    world.aws.serve("wafv2", "GetWebACLForResource", {"WebACL": {**acl, "VisibilityConfig": visible}})
    began = whole_minute(world, 21)
    api_traffic(world, {"ApiName": "documents"}, 120, 95, Failing(403, began, 0.3, 1))
    blocked = [36.0] * 21
    where = {"WebACL": "edge-acl", "Region": world.region, "Rule": "ALL"}
    signals.metric(world, "AWS/WAFV2", "BlockedRequests", where, blocked, start=began, unit="Count")
    traffic(docs, 84, 90)
    journey = ApiJourney(world, world.ago(minutes=4, seconds=30))
    journey.refused(stage, "POST", "/documents", 403)
    api = resources.rest_api_arn(world, stage)
    return Expect(journey.send(), cause="apigw-waf-blocked", resource=api, innocent=(docs.arn, docs.role_arn))


@scenario(Kind.SINGLE, "apigateway")
def tokens_of_the_new_issuer_not_accepted(world: World) -> Expect:
    """The app moved to another user pool; the HTTP API's JWT authorizer still wants tokens of the old one."""
    profile = deploy(world, "profile", "provided.al2023", Handler="bootstrap")
    api = resources.http_api(world, "mobile", [("GET", "/me", profile.arn)])
    client, api_id = world.client("apigatewayv2"), api.rsplit("/", 1)[-1]
    issuer = f"https://cognito-idp.{world.region}.amazonaws.com/eu-west-1_Old7Pool"
    authorizer = client.create_authorizer(
        ApiId=api_id,
        AuthorizerType="JWT",
        IdentitySource=["$request.header.Authorization"],
        Name="app-users",
        JwtConfiguration={"Issuer": issuer, "Audience": ["4kq0mobile"]},
    )["AuthorizerId"]
    route = client.get_routes(ApiId=api_id)["Items"][0]["RouteId"]
    client.update_route(ApiId=api_id, RouteId=route, AuthorizationType="JWT", AuthorizerId=authorizer)
    began = whole_minute(world, 12)
    row = {"routeKey": "GET /me", "status": 401, "authorizerError": "Unauthorized"}
    http_access_log(world, api_id, "/apigw/mobile", [(at, row) for at in moments(world, began)])
    api_traffic(world, {"ApiId": api_id}, 480, 24, Failing(401, began, 0.7, 3), http=True)
    traffic(profile, 145, 20)
    elsewhere(world, CODE, "profile", who="ci-mobile", when=world.ago(hours=4), publish=False)
    return Expect(f"401 since ten minutes on {api}", cause="apigw-unauthorized", resource=api, innocent=(profile.arn,))
