"""What stands before an API and lets nobody in, or not any more: authorizers, policies, endpoints, domains."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._apis import ApiJourney, Failing, access_log, api_changed, api_traffic, guard_route, moments
from evals.scenarios._functions import CODE, changed, deploy, role_changed, traffic, whole_minute
from evals.scenarios._networks import endpoint, group, inside, network, network_changed
from evals.scenarios._runtimes import python, structured
from evals.scenarios.apigateway_cascades import authorizer_of
from sandbox.aws import resources, signals
from sandbox.aws.resources import allow, policy_document
from sandbox.aws.world import World


@scenario(Kind.SINGLE, "apigateway")
def cached_policy_names_one_route_only(world: World) -> Expect:
    """The authorizer's rewrite allows the asked route only, and API Gateway keeps the answer for the token: who looks
    at the cart first may not add to it for five minutes."""
    carts = deploy(world, "cart-api", "provided.al2023", Handler="bootstrap")
    check = deploy(world, "cart-authorizer", "nodejs22.x", timeout=5, last_modified=world.ago(minutes=26))
    stage = resources.rest_api(world, "carts", [("GET", "/cart", carts.arn), ("POST", "/cart", carts.arn)])
    checker = authorizer_of(world, stage, "shop-token", check.arn, ttl=300)
    for method in ("GET", "POST"):
        guard_route(world, stage, method, "/cart", carts.arn, authorizationType="CUSTOM", authorizerId=checker)
    began = whole_minute(world, 25)
    api_traffic(world, {"ApiName": "carts"}, 640, 55, Failing(403, began, 0.22, 2))
    traffic(carts, 500, 40)
    said = structured("cart-auth", "token accepted", sub="u-48113", decision="Allow")
    traffic(check, 60, 12, lines=[said])
    row = {"httpMethod": "POST", "path": "/cart", "status": 403, "errorType": "ACCESS_DENIED"}
    words = "User is not authorized to access this resource"
    good = {"httpMethod": "GET", "path": "/cart", "status": 200, "integrationStatus": 200}
    rows: list[tuple[datetime, Mapping[str, Any]]] = [
        (at, {**row, "errorMessage": words}) for at in moments(world, began, every=40)
    ]
    rows += [(at, good) for at in moments(world, whole_minute(world, 44), every=25)]
    access_log(world, stage, "/apigw/carts", rows)
    changed(check, CODE, who="ci-shop", when=world.ago(minutes=26), publish=False)
    role_changed(world, "PutRolePolicy", carts.role, who="sec-audit", when=world.ago(minutes=41), policyName="logs")
    journey = ApiJourney(world, world.ago(minutes=3, seconds=20))
    journey.refused(stage, "POST", "/cart", 403)
    api = resources.rest_api_arn(world, stage)
    innocent = (carts.arn, carts.role_arn, check.role_arn)
    return Expect(
        journey.send(),
        cause="apigw-authorizer-denied",
        resource=api,
        says=("another route", "ci-shop"),
        innocent=innocent,
    )


@scenario(Kind.SINGLE, "apigateway")
def authorizer_forgot_the_principal(world: World) -> Expect:
    """The authorizer was written anew in Go and returns a policy without `principalId`: it never fails, and API
    Gateway cannot use its answer."""
    list_, check = deploy(world, "invoice-list", "java21"), deploy(world, "invoice-auth", "provided.al2023", timeout=4)
    stage = resources.rest_api(world, "invoices", [("GET", "/invoices", list_.arn)])
    checker = authorizer_of(world, stage, "invoice-auth", check.arn, ttl=60)
    guard_route(world, stage, "GET", "/invoices", list_.arn, authorizationType="CUSTOM", authorizerId=checker)
    began = whole_minute(world, 8)
    api_traffic(world, {"ApiName": "invoices"}, 170, 70, Failing(500, began, 1.0, 18))
    traffic(check, 120, 9, lines=['{"time":"{time}","level":"INFO","msg":"token ok","sub":"u-1"}'])
    traffic(list_, 170, 60)
    row = {"httpMethod": "GET", "path": "/invoices", "status": 500, "errorType": "AUTHORIZER_CONFIGURATION_ERROR"}
    access_log(world, stage, "/apigw/invoices", [(at, row) for at in moments(world, began)])
    changed(check, CODE, who="ci-auth", when=world.ago(minutes=8, seconds=40), publish=False)
    journey = ApiJourney(world, world.ago(minutes=2))
    ask = journey.invoke(check.name, 0.004, 0.011)
    journey.forwarded(stage, "GET", "/invoices", 500, 0.019, ask)
    journey.function(check, 0.006, 0.01, parent=ask["id"])
    api = resources.rest_api_arn(world, stage)
    return Expect(
        journey.send(),
        cause="apigw-authorizer-failure",
        resource=api,
        says=("cannot use its answer", "ci-auth"),
        innocent=(list_.arn, check.role_arn),
    )


@scenario(Kind.SINGLE, "apigateway")
def policy_still_names_the_old_endpoint(world: World) -> Expect:
    """The network team made the VPC endpoint anew; the private API's resource policy refuses every other endpoint
    than the old one. An authorizer does not exist, and the functions are well."""
    meter = deploy(world, "meter-readings", "dotnet8", memory=512)
    stage = resources.rest_api(world, "meters", [("GET", "/readings", meter.arn)])
    old, new = "vpce-0aa11bb22cc33dd44", "vpce-0ff99ee88dd77cc66"
    everything = world.arn("execute-api", f"{stage.api_id}/*")
    policy = policy_document(
        {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": everything},
        {"Effect": "Deny", "Principal": "*", "Action": "execute-api:Invoke", "Resource": everything,
         "Condition": {"StringNotEquals": {"aws:SourceVpce": old}}},
    )  # fmt: skip
    shape = {"types": ["PRIVATE"], "vpcEndpointIds": [new]}
    more = {"policy": policy.replace('"', '\\"'), "endpointConfiguration": shape}
    world.aws.amend("apigateway", "GetRestApi", more, when={"restApiId": stage.api_id})
    began = whole_minute(world, 19)
    api_traffic(world, {"ApiName": "meters"}, 210, 44, Failing(403, began, 1.0, 2))
    traffic(meter, 210, 30)
    masked = f"arn:aws:execute-api:{world.region}:********{world.account[-4:]}:{stage.api_id}/prod/GET/readings"
    words = (
        f"User: anonymous is not authorized to perform: execute-api:Invoke on resource: {masked} with an explicit deny"
    )
    row = {"httpMethod": "GET", "path": "/readings", "status": 403, "errorType": "ACCESS_DENIED", "errorMessage": words}
    access_log(world, stage, "/apigw/meters", [(at, row) for at in moments(world, began)])
    signals.cloudtrail_event(
        world, "DeleteVpcEndpoints", "ec2", [("AWS::EC2::VPCEndpoint", old)], who="net-tf",
        when=world.ago(minutes=19, seconds=30),
        request={"DeleteVpcEndpointsRequest": {"VpcEndpointId": {"content": old, "tag": 1}}},
    )  # fmt: skip
    patch = [{"op": "replace", "path": "/endpointConfiguration/vpcEndpointIds", "value": new}]
    given = {"restApiId": stage.api_id, "updateRestApiInput": {"patchOperations": patch}}
    api_changed(world, "UpdateRestApi", who="net-tf", when=world.ago(minutes=19, seconds=10), **given)
    changed(meter, CODE, who="ci-meters", when=world.ago(minutes=50), publish=False)
    journey = ApiJourney(world, world.ago(minutes=4))
    journey.refused(stage, "GET", "/readings", 403)
    api = resources.rest_api_arn(world, stage)
    return Expect(
        journey.send(),
        cause="apigw-private-endpoint-policy",
        resource=api,
        says=("lets in only `vpce-0aa11bb22cc33dd44`",),
        innocent=(meter.arn, meter.role_arn),
    )


@scenario(Kind.SINGLE, "apigateway")
def public_api_asked_through_a_new_private_endpoint(world: World) -> Expect:
    """The network team made an endpoint for execute-api with private DNS: every call of a public API from inside the
    VPC now ends at the endpoint with 403, and the API sees none of them."""
    net = network(world, "10.52")
    sync = inside(net, "loyalty-sync", "python3.12", group(net, "loyalty-sync"))
    points = deploy(world, "points", "nodejs22.x")
    stage = resources.rest_api(world, "loyalty", [("GET", "/points", points.arn)])
    name, arn = endpoint(net, "execute-api", group(net, "endpoints"), allow(["execute-api:*"]))
    network_changed(
        world, "CreateVpcEndpoint", name, who="net-tf", minutes=16,
        CreateVpcEndpointRequest={"VpcId": net.vpc, "ServiceName": f"com.amazonaws.{world.region}.execute-api",
                                  "VpcEndpointType": "Interface", "PrivateDnsEnabled": True},
    )  # fmt: skip
    began = whole_minute(world, 15)
    start = whole_minute(world, 240)
    for metric, each in (("Count", 60.0), ("4XXError", 0.0), ("5XXError", 0.0)):
        for where in ({"ApiName": "loyalty"}, {"ApiName": "loyalty", "Stage": "prod"}):
            signals.metric(world, "AWS/ApiGateway", metric, where, [each] * 225, start=start, unit="Count")
    url = f"https://{stage.api_id}.execute-api.{world.region}.amazonaws.com/prod/points"
    fault = python("HTTPError", f"403 Client Error: Forbidden for url: {url}", ("/var/task/sync.py", 31, "pull"))
    traffic(sync, 60, 70, fault=fault, since=began)
    journey = ApiJourney(world, world.ago(minutes=4))
    call = journey.http("GET", url, 0.02, 0.015, status=403)
    journey.function(sync, 0.0, 0.05, calls=[call], fault=fault)
    return Expect(
        journey.send(), cause="apigw-private-endpoint-policy", resource=arn,
        innocent=(points.arn, sync.role_arn, points.role_arn),
    )  # fmt: skip


@scenario(Kind.CHANGE, "apigateway")
def mapping_of_the_domain_deleted(world: World) -> Expect:
    """A clean-up deleted a base path mapping: 403 for everyone who comes by the custom domain, and the API behind it
    gets no request any more."""
    items = deploy(world, "stock-items", "nodejs20.x")
    stage = resources.rest_api(world, "stock", [("GET", "/items", items.arn)])
    sync = deploy(world, "order-sync", "python3.12")
    client = world.client("apigateway")
    client.create_domain_name(
        domainName="api.lumen-shop.example",
        regionalCertificateArn=world.arn("acm", "certificate/0e8a2b66-0000-4c61-9be0-4f1d9d2c7a10"),
        endpointConfiguration={"types": ["REGIONAL"]},
    )
    orders = resources.rest_api(world, "orders", [("GET", "/orders", items.arn)])
    client.create_base_path_mapping(
        domainName="api.lumen-shop.example", basePath="orders", restApiId=orders.api_id, stage="prod"
    )
    began = whole_minute(world, 12)
    start = whole_minute(world, 240)
    for name, each in (("Count", 90.0), ("4XXError", 0.0), ("5XXError", 0.0)):
        for where in ({"ApiName": "stock"}, {"ApiName": "stock", "Stage": "prod"}):
            signals.metric(world, "AWS/ApiGateway", name, where, [each] * 228, start=start, unit="Count")
    fault = python(
        "HTTPError",
        "403 Client Error: Forbidden for url: https://api.lumen-shop.example/stock/items",
        ("/var/task/requests/models.py", 1024, "raise_for_status"),
        ("/var/task/sync.py", 22, "fetch"),
    )
    traffic(sync, 90, 60, fault=fault, since=began)
    given = {"domainName": "api.lumen-shop.example", "basePath": "stock"}
    api_changed(world, "DeleteBasePathMapping", who="cleanup", when=world.ago(minutes=12, seconds=25), **given)
    changed(sync, CODE, who="ci-orders", when=world.ago(minutes=55), publish=False)
    journey = ApiJourney(world, world.ago(minutes=3))
    call = journey.http("GET", "https://api.lumen-shop.example/stock/items", 0.02, 0.02, status=403)
    journey.function(sync, 0.0, 0.06, calls=[call], fault=fault)
    api = resources.rest_api_arn(world, stage)
    return Expect(
        f"{journey.send()} and nothing arrives at {api}",
        cause="apigw-custom-domain-mapping",
        resource=api,
        says=("DeleteBasePathMapping by cleanup",),
        omits=("ci-orders",),
        innocent=(items.arn, sync.role_arn, items.role_arn),
    )
