"""Requests that fail between API Gateway and what stands behind it: permissions, formats, time, connections."""

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._apis import (
    ApiJourney,
    Failing,
    api_changed,
    api_traffic,
    execution_log,
    http_access_log,
    moments,
)
from evals.scenarios._functions import CODE, CONFIGURATION, changed, deploy, elsewhere, traffic, whole_minute
from sandbox.aws import resources
from sandbox.aws.world import World


@scenario(Kind.SINGLE, "apigateway")
def invoke_permission_dropped_by_a_stack_update(world: World) -> Expect:
    """A stack update removed the permission by which vouchers may be invoked; GET still works, POST answers 500."""
    redeem, show = deploy(world, "voucher-redeem", "nodejs22.x"), deploy(world, "voucher-show", "nodejs22.x")
    stage = resources.rest_api(world, "vouchers", [("POST", "/redeem", redeem.arn), ("GET", "/vouchers", show.arn)])
    world.client("lambda").remove_permission(FunctionName=redeem.name, StatementId=f"POST-{stage.api_id}")
    began = whole_minute(world, 18)
    api_traffic(world, {"ApiName": "vouchers"}, 190, 58, Failing(500, began, 0.4, 9))
    traffic(show, 114, 50)
    removed = f"POST-{stage.api_id}"
    when = world.ago(minutes=18, seconds=30)
    changed(redeem, "RemovePermission20150331v2", who="cdk-deploy", when=when, statementId=removed)
    changed(show, CODE, who="cdk-deploy", when=world.ago(minutes=18, seconds=20), publish=False)
    journey = ApiJourney(world, world.ago(minutes=3, seconds=20))
    words = "Invalid permissions on Lambda function"
    said = [f"Execution failed due to configuration error: {words}", "Gateway response type: DEFAULT_5XX"]
    execution_log(world, stage, "POST", "/redeem", 500, said, moments(world, began))
    journey.refused(stage, "POST", "/redeem", 500, seconds=0.011)
    return Expect(
        journey.send(),
        cause="apigw-invalid-lambda-permission",
        resource=resources.rest_api_arn(world, stage),
        innocent=(redeem.arn, show.arn, redeem.role_arn),
    )


@scenario(Kind.SINGLE, "apigateway")
def answer_without_status_code(world: World) -> Expect:
    """The rewrite of shipping-quote returns the bare quote: the function is content, API Gateway is not."""
    quote = deploy(world, "shipping-quote", "python3.13", last_modified=world.ago(minutes=26))
    zones = deploy(world, "shipping-zones", "python3.13")
    stage = resources.rest_api(world, "shipping", [("POST", "/quote", quote.arn), ("GET", "/zones", zones.arn)])
    began = whole_minute(world, 25)
    api_traffic(world, {"ApiName": "shipping"}, 260, 77, Failing(502, began, 0.35, 70))
    traffic(quote, 91, 62, lines=["[INFO]\t{time}\t{request}\tquoted 3 parcels"])
    traffic(zones, 169, 15)
    changed(quote, CODE, who="ci-shipping", when=world.ago(minutes=25, seconds=50), publish=False)
    words = "Execution failed due to configuration error: Malformed Lambda proxy response"
    execution_log(world, stage, "POST", "/quote", 502, [words], moments(world, began))
    journey = ApiJourney(world, world.ago(minutes=5, seconds=12))
    parent = journey.api(stage, "POST", "/quote", quote.name, 0.081, status=502)
    journey.function(quote, 0.006, 0.07, parent=parent)
    return Expect(
        journey.send(),
        cause="apigw-malformed-proxy",
        resource=resources.rest_api_arn(world, stage),
        innocent=(zones.arn, quote.role_arn),
    )


@scenario(Kind.SINGLE, "apigateway")
def yearly_statement_takes_longer_than_the_gateway_waits(world: World) -> Expect:
    """Yearly statements take the function 41 of its 120 seconds; API Gateway gives up after 29."""
    year = deploy(world, "yearly-statement", "java21", memory=3008, timeout=120)
    stage = resources.rest_api(world, "statements-api", [("GET", "/yearly", year.arn)])
    began = whole_minute(world, 200)
    api_traffic(world, {"ApiName": "statements-api"}, 6, 9800, Failing(504, began, 0.5, 29004))
    traffic(year, 6, 41000, lines=["{time} {request} INFO  12 months rendered"])
    elsewhere(world, CONFIGURATION, "monthly-statement", who="bea", when=world.ago(minutes=30), timeout=60)
    said = ["Execution failed due to a timeout error", "Gateway response type: INTEGRATION_TIMEOUT"]
    execution_log(world, stage, "GET", "/yearly", 504, said, moments(world, began, every=240))
    journey = ApiJourney(world, world.ago(minutes=7))
    parent = journey.api(stage, "GET", "/yearly", year.name, 29.01, status=504)
    journey.function(year, 0.006, 41.2, parent=parent, lines=["{time} {request} INFO  12 months rendered"])
    return Expect(
        journey.send(),
        cause="apigw-lambda-timeout-504",
        resource=resources.rest_api_arn(world, stage),
        innocent=(year.role_arn,),
    )


@scenario(Kind.SINGLE, "apigateway")
def vpc_link_went_inactive(world: World) -> Expect:
    """The HTTP API's VPC link to the warehouse had no traffic for two months and went inactive; 503 since reopening."""
    picks = deploy(world, "pick-list", "dotnet8", memory=512)
    api = resources.http_api(world, "warehouse", [("GET", "/picks", picks.arn)])
    client, api_id = world.client("apigatewayv2"), api.rsplit("/", 1)[-1]
    link = client.create_vpc_link(Name="warehouse", SubnetIds=["subnet-0a1b2c3d"])["VpcLinkId"]
    state = {"VpcLinkId": link, "Name": "warehouse", "VpcLinkStatus": "INACTIVE", "SecurityGroupIds": []}
    state |= {"SubnetIds": ["subnet-0a1b2c3d"], "VpcLinkStatusMessage": "VPC link is inactive"}
    world.aws.serve("apigatewayv2", "GetVpcLink", state, when={"VpcLinkId": link})
    listener = world.arn("elasticloadbalancing", "listener/app/stock/50dc6c495c0c9188/f2f7dc8efc522ab2")
    integration = client.create_integration(
        ApiId=api_id,
        IntegrationType="HTTP_PROXY",
        IntegrationMethod="ANY",
        IntegrationUri=listener,
        ConnectionType="VPC_LINK",
        ConnectionId=link,
        PayloadFormatVersion="1.0",
    )["IntegrationId"]
    client.create_route(ApiId=api_id, RouteKey="GET /stock", Target=f"integrations/{integration}")
    began = whole_minute(world, 33)
    row = {"routeKey": "GET /stock", "status": 503}
    http_access_log(world, api_id, "/apigw/warehouse", [(at, row) for at in moments(world, began)])
    api_traffic(world, {"ApiId": api_id}, 70, 35, Failing(503, began, 0.45, 6), http=True)
    traffic(picks, 38, 30)
    return Expect(api, cause="apigw-integration-failure", resource=api, innocent=(picks.arn, picks.role_arn))


@scenario(Kind.SINGLE, "apigateway")
def response_mapping_deleted_with_the_old_errors(world: World) -> Expect:
    """A tidy-up of a non-proxy API deleted the integration response that mapped everything unmatched."""
    rate = deploy(world, "exchange-rate", "python3.11")
    stage = resources.rest_api(world, "treasury", [("GET", "/rate", rate.arn)])
    began = whole_minute(world, 11)
    api_traffic(world, {"ApiName": "treasury"}, 150, 31, Failing(500, began, 1.0, 29))
    traffic(rate, 150, 22)
    words = "No match for output mapping and no default endpoint response configured"
    said = ["Received response. Status: 200, Integration latency: 25 ms"]
    said += [f"Execution failed due to configuration error: {words}"]
    execution_log(world, stage, "GET", "/rate", 500, said, moments(world, began))
    given = {"restApiId": stage.api_id, "resourceId": "9c1xq2", "httpMethod": "GET", "statusCode": "200"}
    api_changed(world, "DeleteIntegrationResponse", who="otto", when=world.ago(minutes=12), **given)
    deployed = {"restApiId": stage.api_id, "createDeploymentInput": {"stageName": "prod"}}
    api_changed(world, "CreateDeployment", who="otto", when=world.ago(minutes=11, seconds=20), **deployed)
    journey = ApiJourney(world, world.ago(minutes=2))
    parent = journey.api(stage, "GET", "/rate", rate.name, 0.036, status=500)
    journey.function(rate, 0.005, 0.025, parent=parent)
    return Expect(
        journey.send(),
        cause="apigw-mapping-error",
        resource=resources.rest_api_arn(world, stage),
        innocent=(rate.arn, rate.role_arn),
    )


@scenario(Kind.SINGLE, "apigateway")
def supplier_sends_headers_the_gateway_refuses(world: World) -> Expect:
    """A supplier behind an HTTP API sends headers that API Gateway refuses; only one field of the log says so."""
    feed = deploy(world, "supplier-cache", "nodejs20.x")
    api = resources.http_api(world, "suppliers", [("GET", "/cached", feed.arn)])
    client, api_id = world.client("apigatewayv2"), api.rsplit("/", 1)[-1]
    integration = client.create_integration(
        ApiId=api_id,
        IntegrationType="HTTP_PROXY",
        IntegrationMethod="GET",
        IntegrationUri="https://live.supplier.example/offers",
        PayloadFormatVersion="1.0",
    )["IntegrationId"]
    client.create_route(ApiId=api_id, RouteKey="GET /offers", Target=f"integrations/{integration}")
    began = whole_minute(world, 16)
    words = "Invalid response headers received from the integration"
    row = {"routeKey": "GET /offers", "status": 500, "integrationError": words, "integrationStatus": 200}
    http_access_log(world, api_id, "/apigw/suppliers", [(at, row) for at in moments(world, began)])
    api_traffic(world, {"ApiId": api_id}, 95, 140, Failing(500, began, 0.6, 122), http=True)
    traffic(feed, 38, 18)
    elsewhere(world, CODE, "supplier-cache", who="ci-suppliers", when=world.ago(hours=26), publish=False)
    return Expect(f"rca {api}", cause="apigw-http-api-integration-error", resource=api, innocent=(feed.arn,))
