"""APIs whose integration is not invoked, answers too late or fails by itself, with little or nothing logged."""

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._alarms import metric_alarm
from evals.scenarios._apis import ApiJourney, Failing, api_changed, api_traffic, http_access_log, moments
from evals.scenarios._functions import CODE, changed, deploy, elsewhere, traffic, whole_minute
from sandbox.aws import resources, signals
from sandbox.aws.faults import Ending, Fault
from sandbox.aws.world import World

NOT_FOUND = Fault(
    Ending.ERROR,
    codes={"rest-json": (404, "ResourceNotFoundException")},
    message="The resource you requested does not exist.",
)


@scenario(Kind.SINGLE, "apigateway")
def permission_given_to_the_function_but_not_to_its_alias(world: World) -> Expect:
    """The stage calls the alias `live` by a stage variable; the pipeline gave the permission to the function without
    it. Nothing is logged, and the function's own policy looks perfect."""
    price = deploy(world, "price-list", "provided.al2023", Handler="bootstrap")
    stage = resources.rest_api(world, "prices", [("GET", "/prices", price.arn)])
    client, functions = world.client("apigateway"), world.client("lambda")
    version = functions.publish_version(FunctionName=price.name)["Version"]
    functions.create_alias(FunctionName=price.name, Name="live", FunctionVersion=version)
    given = {
        "restApiId": stage.api_id,
        "resourceId": next(
            one["id"] for one in client.get_resources(restApiId=stage.api_id)["items"] if one["path"] == "/prices"
        ),
        "httpMethod": "GET",
    }
    target = f"{price.arn}:${{stageVariables.alias}}"
    uri = f"arn:aws:apigateway:{world.region}:lambda:path/2015-03-31/functions/{target}/invocations"
    client.put_integration(**given, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
    client.update_stage(
        restApiId=stage.api_id, stageName="prod",
        patchOperations=[{"op": "replace", "path": "/variables/alias", "value": "live"}],
    )  # fmt: skip
    for name in (price.name, price.arn):
        world.aws.inject("lambda", "GetPolicy", NOT_FOUND, when={"FunctionName": name, "Qualifier": "live"})
    world.aws.inject("lambda", "GetPolicy", NOT_FOUND, when={"FunctionName": f"{price.arn}:live"})
    began = whole_minute(world, 15)
    api_traffic(world, {"ApiName": "prices"}, 330, 30, Failing(500, began, 1.0, 9))
    traffic(price, 330, 20)
    patch = [{"op": "replace", "path": "/variables/alias", "value": "live"}]
    asked = {"restApiId": stage.api_id, "stageName": "prod", "updateStageInput": {"patchOperations": patch}}
    api_changed(world, "UpdateStage", who="ci-prices", when=world.ago(minutes=15, seconds=35), **asked)
    journey = ApiJourney(world, world.ago(minutes=3))
    journey.refused(stage, "GET", "/prices", 500, seconds=0.01)
    api = resources.rest_api_arn(world, stage)
    return Expect(
        journey.send(),
        cause="apigw-invalid-lambda-permission",
        resource=api,
        says=("`price-list:live`",),
        innocent=(price.arn, price.role_arn),
    )


@scenario(Kind.ALARM, "apigateway")
def export_slower_than_an_http_api_waits(world: World) -> Expect:
    """A yearly export takes the function 44 seconds; the HTTP API gives up after 30 and says 503. An alarm rings."""
    export = deploy(world, "ledger-export", "java21", memory=3008, timeout=90)
    api = resources.http_api(world, "ledger", [("GET", "/export", export.arn)])
    api_id = api.rsplit("/", 1)[-1]
    began = whole_minute(world, 26)
    row = {"routeKey": "GET /export", "status": 503}
    http_access_log(world, api_id, "/apigw/ledger", [(at, row) for at in moments(world, began, every=75)])
    api_traffic(world, {"ApiId": api_id}, 8, 9000, Failing(503, began, 0.5, 30002), http=True)
    traffic(export, 8, 4000, lines=["{time} {request} INFO  Export - 41,882 rows written"])
    where = {"FunctionName": export.name}
    signals.metric(world, "AWS/Lambda", "Duration", where, [{44_000: 4}] * 26, start=began, unit="Milliseconds")
    elsewhere(world, CODE, "ledger-post", who="ci-ledger", when=world.ago(minutes=27), publish=False)
    text = metric_alarm(world, "ledger-5xx", ("AWS/ApiGateway", "5xx"), {"ApiId": api_id}, began, value=4, threshold=1)
    return Expect(text, cause="apigw-lambda-timeout-504", resource=api, innocent=(export.role_arn,))


@scenario(Kind.INSUFFICIENT, "apigateway")
def balancer_behind_the_link_has_no_target(world: World) -> Expect:
    """The load balancer behind an HTTP API's VPC link answers 503 by itself since its service was scaled to nothing:
    the link is well, and so is the function behind the other route."""
    rates = deploy(world, "shipping-rates", "nodejs20.x")
    api = resources.http_api(world, "shipping", [("GET", "/rates", rates.arn)])
    client, api_id = world.client("apigatewayv2"), api.rsplit("/", 1)[-1]
    link = client.create_vpc_link(Name="labels", SubnetIds=["subnet-0a1b2c3d"])["VpcLinkId"]
    state = {"VpcLinkId": link, "Name": "labels", "VpcLinkStatus": "AVAILABLE", "SecurityGroupIds": []}
    state |= {"SubnetIds": ["subnet-0a1b2c3d"], "VpcLinkStatusMessage": "VPC link is ready to route traffic"}
    world.aws.serve("apigatewayv2", "GetVpcLink", state, when={"VpcLinkId": link})
    listener = world.arn("elasticloadbalancing", "listener/app/labels/50dc6c495c0c9188/f2f7dc8efc522ab2")
    integration = client.create_integration(
        ApiId=api_id, IntegrationType="HTTP_PROXY", IntegrationMethod="ANY", IntegrationUri=listener,
        ConnectionType="VPC_LINK", ConnectionId=link, PayloadFormatVersion="1.0",
    )["IntegrationId"]  # fmt: skip
    client.create_route(ApiId=api_id, RouteKey="POST /labels", Target=f"integrations/{integration}")
    began = whole_minute(world, 24)
    row = {"routeKey": "POST /labels", "status": 503, "integrationStatus": 503}
    http_access_log(world, api_id, "/apigw/shipping", [(at, row) for at in moments(world, began)])
    api_traffic(world, {"ApiId": api_id}, 90, 40, Failing(503, began, 0.4, 4), http=True)
    traffic(rates, 54, 30)
    return Expect(
        api, status="inconclusive", facts=("answered HTTP 503 itself",), innocent=(rates.arn, rates.role_arn, api)
    )


@scenario(Kind.INSUFFICIENT, "apigateway")
def five_hundreds_that_nobody_wrote_down(world: World) -> Expect:
    """A tenth of the requests ends with 500, before the function: it is allowed, well, and sees none of them. No log
    is kept, and nothing is traced."""
    quote = deploy(world, "hotel-quote", "java21", memory=1024)
    stage = resources.rest_api(world, "hotels", [("POST", "/quote", quote.arn)])
    began = whole_minute(world, 18)
    api_traffic(world, {"ApiName": "hotels"}, 310, 120, Failing(500, began, 0.1, 11))
    traffic(quote, 280, 100)
    changed(quote, CODE, who="ci-hotels", when=world.ago(hours=5), publish=False)
    where = {"ApiName": "hotels"}
    text = metric_alarm(world, "hotels-5xx", ("AWS/ApiGateway", "5XXError"), where, began, value=31, threshold=5)
    return Expect(
        text, status="inconclusive", innocent=(quote.arn, quote.role_arn, resources.rest_api_arn(world, stage))
    )
