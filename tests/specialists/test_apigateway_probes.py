"""Every look at an API, over HTTP."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from domain.resource import resource_from_arn
from sandbox.aws import LocalAws, faults, resources, signals
from sandbox.aws.world import World
from specialists.apigateway import SPECIALIST
from specialists.apigateway.evidence import (
    ApiConfig,
    Authorizer,
    Deployment,
    DomainMappings,
    GatewayResponses,
    MissingLogGroup,
    Protocol,
    Routes,
    StageConfig,
    VpcLink,
)
from specialists.apigateway.guards import ApiKeys, InvokePermission, KeyUsage, PlanUsage, UsagePlan, UsagePlans, WebAcl
from specialists.apigateway.lookups import lambda_in
from specialists.kit.change import Change
from specialists.kit.loglines import LogLines
from specialists.kit.series import MetricSeries
from tests.specialists import apigateway_building as build
from tests.support.probing import NOW, look_with

REGION = "eu-west-1"
PROBES = {probe.name: probe for probe in SPECIALIST.probes}


@pytest.fixture(scope="module")
def running():
    with LocalAws(region=REGION) as aws:
        yield aws


@pytest.fixture
def world(running, monkeypatch):
    running.reset()
    for name, value in running.environment().items():
        monkeypatch.setenv(name, value)
    return World(running, NOW)


def look(name, arn, *seen):
    """Run a probe by name."""
    return look_with(PROBES[name], arn, seen=seen)


def one(name, arn, kind, *seen):
    """Run a probe by name, and return the only evidence of that kind."""
    (found,) = [item for item in look(name, arn, *seen) if isinstance(item, kind)]
    return found


def function(world, name="create-order"):
    return world.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role=world.client("iam").create_role(RoleName=f"r-{name}", AssumeRolePolicyDocument="{}")["Role"]["Arn"],
        Handler="app.handler",
        Code={"ZipFile": b"x"},
    )["FunctionArn"]


@pytest.fixture
def fn(world):
    return function(world)


@pytest.fixture
def rest(world, fn):
    """A REST API with POST /orders on `create-order`; its ARN."""
    settings = {"/*/*/throttling/rateLimit": "5", "/*/*/throttling/burstLimit": "2", "/*/*/logging/loglevel": "ERROR"}
    return resources.rest_api_arn(
        world, resources.rest_api(world, "orders", [("POST", "/orders", fn)], stage_settings=settings)
    )


@pytest.fixture
def http(world, fn):
    return resources.http_api(world, "orders-http", [("POST", "/orders", fn)])


def id_of(arn):
    return arn.rsplit("/", 1)[-1]


def execute_api(world, arn):
    return world.arn("execute-api", id_of(arn))


def stage_of(arn, **more):
    given = {"resource": arn, "source": "apigateway:GetStages", "stage": "prod", **more}
    return StageConfig(**given)


def routes_of(arn, *found):
    return Routes(resource=arn, source="apigateway:GetResources", routes=found)


def test_every_probe_has_a_docstring_and_declares_reads():
    assert all(probe.doc.endswith(".") and probe.reads for probe in SPECIALIST.probes)


def test_every_probe_is_looked_with_in_a_test():
    source = Path(__file__).read_text(encoding="utf-8")

    assert [name for name in PROBES if f'("{name}"' not in source] == []


# --- itself


@pytest.mark.parametrize(("kind", "protocol"), [("rest", Protocol.REST), ("http", Protocol.HTTP)])
def test_an_api_is_found_by_its_own_arn_and_by_its_endpoints(world, request, kind, protocol):
    arn = request.getfixturevalue(kind)

    own, by_endpoint = one("api", arn, ApiConfig), one("api", execute_api(world, arn), ApiConfig)

    assert (own.exists, own.protocol, by_endpoint.protocol) == (True, protocol, protocol)


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:apigateway:eu-west-1::/restapis/gone000000",
        "arn:aws:apigateway:eu-west-1::/apis/gone0000",
        "arn:aws:execute-api:eu-west-1:123456789012:gone000000",
    ],
)
def test_an_api_that_is_gone_is_evidence_and_leaves_the_other_looks_empty(world, arn):
    assert one("api", arn, ApiConfig).exists is False
    assert [look(name, arn) for name in ("stages", "routes", "traffic", "usage_plans", "gateway_responses")] == [[]] * 5


def test_the_resource_policy_is_read_into_statements(world):
    policy = json.dumps({"Statement": [{"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "execute-api:Invoke", "Resource": "*", "Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}}]})  # fmt: skip
    api = world.client("apigateway").create_rest_api(
        name="inner", policy=policy, endpointConfiguration={"types": ["PRIVATE"]}
    )["id"]

    found = one("api", f"arn:aws:apigateway:eu-west-1::/restapis/{api}", ApiConfig)

    assert found.private
    assert [(s.effect, s.principals, s.conditions[0].values) for s in found.policy.statements] == [
        ("Deny", ("*",), ("vpce-1",))
    ]


def test_a_denied_look_is_an_error_for_the_runner_and_never_an_empty_answer(world, rest):
    world.aws.inject("apigateway", "GetRestApi", faults.ACCESS_DENIED)

    with pytest.raises(ClientError):
        look("api", rest)
    world.aws.clear_faults()


# --- stages and deployments


def test_a_stage_tells_its_throttles_and_logs(world, rest):
    world.client("apigateway").update_stage(
        restApiId=id_of(rest),
        stageName="prod",
        patchOperations=[
            {"op": "replace", "path": "/accessLogSettings/destinationArn", "value": world.arn("logs", "log-group:/access/x")},
            {"op": "replace", "path": "/accessLogSettings/format", "value": '{"st": "$context.status", "why": "$context.integration.error"}'},
        ],
    )  # fmt: skip

    found = one("stages", rest, StageConfig)

    assert (found.stage, found.execution_logging, found.access_log_group) == ("prod", "ERROR", "/access/x")
    assert found.access_log_fields == {"st": "status", "why": "integrationErrorMessage"}
    assert [(t.method, t.rate, t.burst) for t in found.throttles] == [("*/*", 5.0, 2)]


def test_only_the_stages_that_the_trace_named_are_looked_at(world, rest):
    world.client("apigateway").create_deployment(restApiId=id_of(rest), stageName="test")

    assert {s.stage for s in look("stages", rest)} == {"prod", "test"}
    assert {s.stage for s in look("stages", f"{rest}/stages/test")} == {"test"}


def test_an_http_apis_stage_deploys_itself(world, http):
    found = one("stages", http, StageConfig)

    assert (found.stage, found.auto_deploy) == ("$default", True)


def test_the_deployment_that_a_stage_serves_is_dated_and_listed(world, rest):
    stage = one("stages", rest, StageConfig)
    world.aws.serve(
        "apigateway",
        "GetDeployment",
        {"id": stage.deployment_id, "createdDate": NOW, "apiSummary": {"/orders": {"POST": {"apiKeyRequired": False}}}},
    )

    found = one("deployments", rest, Deployment, stage)

    assert (found.created_at, found.methods) == (NOW, ("POST /orders",))


def test_a_deployment_without_a_summary_has_unknown_methods(world, rest):
    assert one("deployments", rest, Deployment, one("stages", rest, StageConfig)).methods is None


def test_an_http_apis_deployment_is_dated(world, http):
    world.aws.serve("apigatewayv2", "GetDeployment", {"DeploymentId": "d1", "CreatedDate": NOW})

    assert one("deployments", http, Deployment, stage_of(http, deployment_id="d1")).created_at == NOW


def test_customised_gateway_responses_are_told_from_default_ones(world, rest):
    world.client("apigateway").put_gateway_response(
        restApiId=id_of(rest),
        responseType="DEFAULT_4XX",
        responseParameters={"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"},
    )
    world.client("apigateway").put_gateway_response(restApiId=id_of(rest), responseType="THROTTLED")

    found = one("gateway_responses", rest, GatewayResponses)

    assert (found.customised, found.with_cors) == (("DEFAULT_4XX", "THROTTLED"), ("DEFAULT_4XX",))


# --- where requests go


@pytest.mark.parametrize("kind", ["rest", "http"])
def test_routes_lead_to_their_functions(request, fn, kind):
    (found,) = one("routes", request.getfixturevalue(kind), Routes).routes

    assert (found.label, found.function, found.integration) == ("POST /orders", fn, "AWS_PROXY")


def test_stage_variables_are_resolved_in_routes_and_not_kept(world, rest):
    client, api = world.client("apigateway"), id_of(rest)
    root = client.get_resources(restApiId=api)["items"][0]["id"]
    client.put_method(
        restApiId=api, resourceId=root, httpMethod="GET", authorizationType="AWS_IAM", apiKeyRequired=True
    )
    uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/arn:aws:lambda:{REGION}:123456789012:function:${{stageVariables.fn}}:live/invocations"
    client.put_integration(restApiId=api, resourceId=root, httpMethod="GET", type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)  # fmt: skip
    client.update_stage(restApiId=api, stageName="prod", patchOperations=[{"op": "replace", "path": "/variables/fn", "value": "reader"}])  # fmt: skip

    found = one("routes", rest, Routes).route_for("GET", "/")

    assert (found.function.rsplit(":", 1)[-1], found.qualifier) == ("reader", "live")
    assert (found.authorization, found.api_key_required) == ("AWS_IAM", True)
    assert one("stages", rest, StageConfig).variable_names == ("fn",)


def test_an_http_backend_is_kept_by_host_without_its_query(world, rest):
    client, api = world.client("apigateway"), id_of(rest)
    root = client.get_resources(restApiId=api)["items"][0]["id"]
    client.put_method(restApiId=api, resourceId=root, httpMethod="GET", authorizationType="NONE")
    client.put_integration(restApiId=api, resourceId=root, httpMethod="GET", type="HTTP_PROXY", integrationHttpMethod="GET", uri="https://b.example.com/x?key=hush")  # fmt: skip

    found = one("routes", rest, Routes)

    assert found.route_for("GET", "/").endpoint == "b.example.com"
    assert "hush" not in str(found.dump())


@pytest.mark.parametrize(
    ("method", "path", "route"),
    [
        ("POST", "/orders", "POST /orders"),
        ("post", "/orders/", "POST /orders"),
        ("GET", "/orders", "ANY /{proxy+}"),
        ("GET", "/orders/7", "GET /orders/{id}"),
        ("GET", "/orders/7/lines", "ANY /{proxy+}"),
        ("GET", "/", None),
        ("GET", "/ünïcode/päth", "ANY /{proxy+}"),
    ],
)
def test_the_most_specific_route_takes_a_request(method, path, route):
    known = routes_of(
        build.API,
        build.route(),
        build.route("GET", "/orders/{id}"),
        build.route("ANY", "/{proxy+}"),
    )

    found = known.route_for(method, path)

    assert (found.label if found else None) == route


def test_a_rest_authorizer_tells_its_function_and_cache(world, rest):
    uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{build.CHECKER}/invocations"
    auth = world.client("apigateway").create_authorizer(
        restApiId=id_of(rest),
        name="tokens",
        type="TOKEN",
        authorizerUri=uri,
        identitySource="method.request.header.Auth",
    )["id"]

    found = one("authorizers", rest, Authorizer, routes_of(rest, build.route(authorizer_id=auth)))

    assert (found.function, found.ttl_seconds, found.identity_sources) == (
        build.CHECKER,
        300,
        ("method.request.header.Auth",),
    )


def test_an_http_authorizer_tells_its_issuer(world, http):
    auth = world.client("apigatewayv2").create_authorizer(
        ApiId=id_of(http),
        Name="jwt",
        AuthorizerType="JWT",
        IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={"Issuer": "https://id.example.com", "Audience": ["shop"]},
    )["AuthorizerId"]

    found = one("authorizers", http, Authorizer, routes_of(http, build.route(authorizer_id=auth)))

    assert (found.type, found.issuer, found.audience) == ("JWT", "https://id.example.com", ("shop",))


@pytest.mark.parametrize("kind", ["rest", "http"])
def test_an_authorizer_that_is_gone_is_evidence(request, kind):
    arn = request.getfixturevalue(kind)

    assert one("authorizers", arn, Authorizer, routes_of(arn, build.route(authorizer_id="gone00"))).exists is False


def test_a_vpc_link_tells_its_state(world, rest):
    balancer = world.arn("elasticloadbalancing", "loadbalancer/net/x/1")
    link = world.client("apigateway").create_vpc_link(name="inner", targetArns=[balancer])["id"]

    found = one("vpc_links", rest, VpcLink, routes_of(rest, build.route(vpc_link_id=link)))
    gone = one("vpc_links", rest, VpcLink, routes_of(rest, build.route(vpc_link_id="gone00")))

    assert (found.status, found.usable, gone.exists, gone.usable) == ("AVAILABLE", True, False, False)


def test_an_http_apis_vpc_link_tells_its_state(world, http):
    world.aws.serve("apigatewayv2", "GetVpcLink", {"VpcLinkId": "vl1", "VpcLinkStatus": "FAILED", "VpcLinkStatusMessage": "no subnet"})  # fmt: skip

    found = one("vpc_links", http, VpcLink, routes_of(http, build.route(vpc_link_id="vl1")))

    assert (found.status, found.message, found.usable) == ("FAILED", "no subnet", False)


def test_a_custom_domains_mappings_are_read_for_the_refused_call(world, rest):
    client = world.client("apigateway")
    client.create_domain_name(domainName="api.example.com")
    client.create_base_path_mapping(domainName="api.example.com", basePath="v1", restApiId=id_of(rest), stage="prod")
    refused = build.call("remote:api.example.com", failed=True, caller="service:shop", status=403, url="https://api.example.com/v2/x")  # fmt: skip

    found = one("domain_mappings", rest, DomainMappings, refused)

    assert found.mapping_for("/v1/orders").api_id == id_of(rest)
    assert (found.mapping_for("/v2/x"), found.mapping_for("/v11")) == (None, None)


def test_a_host_that_is_no_custom_domain_is_said_so(world, rest):
    refused = build.call(
        "remote:x.example.com", failed=True, caller="service:shop", status=403, url="https://x.example.com/"
    )

    assert one("domain_mappings", rest, DomainMappings, refused).exists is False
    assert look("domain_mappings", rest) == []


# --- who may


def permission_of(world, rest, fn):
    return one("integration_permissions", rest, InvokePermission, routes_of(rest, build.route(function=fn)))


def test_the_functions_policy_is_read(world, rest, fn):
    found = permission_of(world, rest, fn)

    assert found.policy.statements[0].principals == ("apigateway.amazonaws.com",)


def test_a_function_without_a_policy_is_told_from_a_function_that_is_gone(world, rest):
    bare, gone = function(world, "bare"), build.FUNCTION.replace("create-order", "gone")

    assert (permission_of(world, rest, bare).policy, permission_of(world, rest, bare).function_exists) == (None, True)
    assert permission_of(world, rest, gone).function_exists is False


def test_a_denied_policy_is_no_missing_policy(world, rest, fn):
    world.aws.inject("lambda", "GetPolicy", faults.ACCESS_DENIED)

    with pytest.raises(ClientError):
        permission_of(world, rest, fn)
    world.aws.clear_faults()


def test_a_route_with_its_own_role_needs_no_policy(world, rest, fn):
    by_role = build.route(function=fn, credentials=world.arn("iam", "role/invoke"))

    assert look("integration_permissions", rest, routes_of(rest, by_role)) == []


def test_the_authorizers_function_is_asked_too(world, rest, fn):
    seen = build.authorizer(function=fn).model_copy(update={"resource": rest})

    assert one("authorizer_permissions", rest, InvokePermission, seen).authorizer_id == "auth01"


def test_usage_plans_of_other_apis_are_left_out(world, rest):
    client, api = world.client("apigateway"), id_of(rest)
    client.create_usage_plan(name="other", apiStages=[])
    client.create_usage_plan(
        name="gold",
        apiStages=[{"apiId": api, "stage": "prod"}],
        throttle={"rateLimit": 2, "burstLimit": 1},
        quota={"limit": 10, "period": "DAY"},
    )

    (plan,) = one("usage_plans", rest, UsagePlans).plans

    assert (plan.name, plan.rate, plan.quota, plan.period) == ("gold", 2.0, 10, "DAY")


def test_an_api_in_no_plan_is_an_answer(world, rest):
    assert one("usage_plans", rest, UsagePlans).plans == ()


def test_a_used_up_quota_is_seen(world, rest):
    world.aws.serve(
        "apigateway", "GetUsage", {"usagePlanId": "p1", "items": {"k1": [[10, 0]], "k2": [[3, 7]], "k3": []}}
    )
    plan = UsagePlan(plan_id="p1", name="gold", stages=("prod",), quota=10)
    plans = UsagePlans(resource=rest, source="apigateway:GetUsagePlans", plans=(plan,))

    found = one("plan_usage", rest, PlanUsage, plans)

    assert found.exhausted == (KeyUsage(key_id="k1", used=10, remaining=0),)


def test_keys_are_told_by_name_and_never_by_value(world, rest):
    world.client("apigateway").create_api_key(name="shop", enabled=False, value="hush-hush-hush-hush-hush")
    asking = routes_of(rest, build.route(api_key_required=True))

    found = one("api_keys", rest, ApiKeys, asking)

    assert found.disabled == ("shop",)
    assert "hush" not in str(found.dump())
    assert look("api_keys", rest, routes_of(rest, build.route())) == []


def test_the_web_acl_and_what_it_blocked_are_seen(world, rest):
    visibility = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "edge-m"}
    acl = {
        "Name": "edge",
        "Id": "1",
        "ARN": world.arn("wafv2", "regional/webacl/edge/1"),
        "DefaultAction": {"Allow": {}},
        "VisibilityConfig": visibility,
        "Rules": [
            {"Name": "geo", "Priority": 0, "Action": {"Block": {}}, "Statement": {}, "VisibilityConfig": visibility},
            {"Name": "count", "Priority": 1, "Action": {"Count": {}}, "Statement": {}, "VisibilityConfig": visibility},
        ],
    }
    world.aws.serve("wafv2", "GetWebACLForResource", {"WebACL": acl})
    dimensions = {"WebACL": "edge-m", "Region": REGION, "Rule": "ALL"}
    signals.metric(world, "AWS/WAFV2", "BlockedRequests", dimensions, [4, 5], start=world.ago(minutes=10))

    acl_seen, blocked = look("web_acls", rest, stage_of(rest))

    assert (acl_seen.name, acl_seen.blocking_rules, blocked.total) == ("edge", ("geo",), 9)


def test_no_web_acl_is_an_answer(world, rest):
    assert one("web_acls", rest, WebAcl, stage_of(rest)).name is None


# --- what happened


@pytest.mark.parametrize(
    ("kind", "errors", "dimensions"),
    [
        ("rest", "5XXError", {"ApiName": "orders", "Stage": "prod"}),
        ("rest", "5XXError", {"ApiName": "orders"}),
        ("http", "5xx", {"Stage": "$default"}),
    ],
)
def test_traffic_is_read_under_the_names_of_its_protocol(world, request, kind, errors, dimensions):
    arn = request.getfixturevalue(kind)
    named = dimensions if kind == "rest" else {"ApiId": id_of(arn), **dimensions}
    signals.metric(world, "AWS/ApiGateway", errors, named, [3, 4], start=world.ago(minutes=10))

    found = [s for s in look("traffic", arn) if s.points]

    assert [(s.metric, s.total, s.dimensions) for s in found] == [(errors, 7, named)]


def test_the_functions_own_numbers_are_read(world, rest, fn):
    signals.metric(
        world, "AWS/Lambda", "Invocations", {"FunctionName": "create-order"}, [9], start=world.ago(minutes=5)
    )

    found = look("function_traffic", rest, routes_of(rest, build.route(function=fn)))

    assert {s.metric: s.total for s in found if isinstance(s, MetricSeries)} == {
        "Invocations": 9,
        "Errors": 0,
        "Throttles": 0,
        "Duration": 0,
    }


def test_the_execution_log_brings_failures_and_the_story_of_the_first(world, rest):
    group, at = f"API-Gateway-Execution-Logs_{id_of(rest)}/prod", world.ago(minutes=2)
    bad, good = "3f1c2c9e-0000-4c1b-9f10-2a9b8c7d6e5f", "77777777-0000-4c1b-9f10-2a9b8c7d6e5f"
    lines = [
        f"({bad}) HTTP Method: POST, Resource Path: /orders",
        f"({bad}) Execution failed due to configuration error: Malformed Lambda proxy response",
        f"({bad}) Method completed with status: 502",
        f"({good}) HTTP Method: POST, Resource Path: /orders",
        f"({good}) Method completed with status: 200",
    ]
    signals.log(world, group, [(at + timedelta(milliseconds=i), line) for i, line in enumerate(lines)])

    failures, story = (item for item in look("execution_log", rest, stage_of(rest)) if isinstance(item, LogLines))

    assert [e.message for e in failures.events] == lines[1:3]
    assert [e.message for e in story.events] == lines[:3]


def test_a_log_group_that_is_not_there_is_evidence(world, rest):
    found = one("execution_log", rest, MissingLogGroup, stage_of(rest))

    assert found.log_group.endswith("/prod")
    assert one("access_log", rest, MissingLogGroup, stage_of(rest, access_log_group="/none")).log_group == "/none"
    assert look("access_log", rest, stage_of(rest)) == []


def test_the_access_log_brings_only_what_failed(world, rest):
    lines = [f'{{"n": {n}, "st": "{status}", "path": "/ö"}}' for n, status in enumerate(("200", "502", "429", "-"))]
    signals.log(world, "/access/x", [(world.ago(minutes=2), line) for line in lines])
    stage = stage_of(rest, access_log_group="/access/x", access_log_fields={"st": "status"})

    found = one("access_log", rest, LogLines, stage)

    assert {json.loads(e.message)["n"] for e in found.events} == {1, 2}


def test_changes_are_found_by_the_apis_name_and_among_all_of_the_services(world, rest):
    api, asked = id_of(rest), {"restApiId": id_of(rest), "httpMethod": "POST"}
    event = {"who": "mia", "when": world.ago(minutes=30)}
    signals.cloudtrail_event(
        world, "PutMethod", "apigateway", [("AWS::ApiGateway::RestApi", api)], request=asked, **event
    )
    signals.cloudtrail_event(world, "CreateDeployment", "apigateway", [], request=asked, **event)
    signals.cloudtrail_event(world, "DeleteStage", "apigateway", [], request={"restApiId": "other00000"}, **event)
    signals.cloudtrail_event(world, "UpdateApiKey", "apigateway", [], request={"apiKey": "k1"}, **event)
    signals.cloudtrail_event(world, "GetRestApi", "apigateway", [], request=asked, read_only=True, **event)

    by_name, by_service = look("api_changes", rest), look("service_changes", rest)

    assert [c.event_name for c in by_name] == ["PutMethod"]
    assert {c.event_name for c in by_service} == {"PutMethod", "CreateDeployment", "UpdateApiKey"}
    assert by_name[0].id in {c.id for c in by_service}


def test_who_removed_a_missing_permission_is_looked_up_only_where_one_is_missing(world, rest, fn):
    signals.cloudtrail_event(
        world, "RemovePermission20150331v2", "lambda", [("AWS::Lambda::Function", "create-order")], who="mia",
        when=world.ago(minutes=30), request={"functionName": "create-order"},
    )  # fmt: skip
    there = permission_of(world, rest, fn)
    missing = there.model_copy(update={"policy": None})

    assert look("permission_changes", rest, there) == []
    assert one("permission_changes", rest, Change, missing).event_name == "RemovePermission20150331v2"


def test_who_changed_an_authorizer_is_looked_up_where_requests_are_refused(world, rest):
    signals.cloudtrail_event(
        world, "UpdateFunctionCode20150331v2", "lambda", [("AWS::Lambda::Function", "check-token")], who="mia",
        when=world.ago(minutes=30), request={"functionName": "check-token"},
    )  # fmt: skip
    asked = build.authorizer().model_copy(update={"resource": resource_from_arn(rest).id})

    def answering(status):
        return build.segment(status).model_copy(update={"resource": asked.resource})

    assert one("authorizer_changes", rest, Change, asked, answering(403)).who == "mia"
    assert look("authorizer_changes", rest, asked, answering(200)) == []


@pytest.mark.parametrize(
    ("uri", "function", "qualifier"),
    [
        (f"arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/{build.FUNCTION}/invocations", build.FUNCTION, None),
        (f"arn:aws-cn:apigateway:cn-north-1:lambda:path/2015-03-31/functions/{build.FUNCTION}:7/invocations", build.FUNCTION, "7"),
        (f"{build.FUNCTION}:live", build.FUNCTION, "live"),
        ("arn:aws:apigateway:eu-west-1:sqs:path/123456789012/q", None, None),
        ("https://b.example.com", None, None),
        ("", None, None),
    ],
)  # fmt: skip
def test_the_function_is_read_from_any_form_of_uri(uri, function, qualifier):
    assert lambda_in(uri, {}) == (function, qualifier)


def test_every_look_over_a_whole_api_only_reads(world, rest, http):
    for arn in (rest, http):
        seen: list = []
        for probe in SPECIALIST.probes:
            if all(any(isinstance(item, kind) for item in seen) for kind in probe.needs):
                seen += look(probe.name, arn, *seen)
        assert all(item.summary() and item.resource == arn for item in seen)

    assert world.aws.writes() == ()
