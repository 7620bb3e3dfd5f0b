"""Causes that follow from configuration, metrics and changes beside a symptom, each with a near miss."""

from datetime import timedelta

import pytest

from domain.causes import CAUSES
from domain.findings import Advice, Fact, Hypothesis, Strength
from specialists.apigateway import SPECIALIST
from specialists.apigateway.evidence import DomainMappings, MissingLogGroup, PathMapping, Protocol, Throttle, VpcLink
from specialists.apigateway.guards import ApiKeys, KeyUsage, PlanUsage, UsagePlan, UsagePlans, WebAcl
from specialists.apigateway.policy import parse_policy
from specialists.registry import all_specialists
from tests.specialists.apigateway_building import (
    API,
    AT,
    CHECKER,
    FUNCTION,
    ID,
    about,
    access,
    answered,
    authorizer,
    call,
    change,
    config,
    deployment,
    execution,
    metric,
    permission,
    route,
    routes,
    segment,
    stage,
)
from tests.specialists.test_apigateway_words import STATED
from tests.support.probing import findings

OURS = f"arn:aws:execute-api:eu-west-1:123456789012:{ID}/*/*/*"
OTHERS = "arn:aws:execute-api:eu-west-1:123456789012:zzzzzzzzzz/*/*/*"
TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"


def hypotheses(case):
    return {f.cause: f for f in findings(SPECIALIST.rules, case) if isinstance(f, Hypothesis)}


def graded(case):
    """Every cause named, with its best strength."""
    order = (Strength.PROOF, Strength.STRONG, Strength.WEAK)
    return {cause: str(min((s.strength for s in h.supports), key=order.index)) for cause, h in hypotheses(case).items()}


def acl(name="edge"):
    return WebAcl(resource=API, source="wafv2:GetWebACLForResource", stage="prod", name=name, metric=name)


def plans(*found):
    return UsagePlans(resource=API, source="apigateway:GetUsagePlans", plans=found)


def plan(**more):
    return UsagePlan(plan_id="p1", name="gold", stages=("prod",), **more)


def usage(remaining):
    keys = (KeyUsage(key_id="k1", used=1000, remaining=remaining),)
    return PlanUsage(resource=API, source="apigateway:GetUsage", plan_id="p1", plan="gold", keys=keys)


def keys(*disabled):
    return ApiKeys(resource=API, source="apigateway:GetApiKeys", enabled=3, disabled=disabled)


def link(status, **more):
    return VpcLink(resource=API, source="apigateway:GetVpcLink", link_id="vl1", status=status, **more)


def domain(*paths, api=ID):
    mapped = tuple(PathMapping(path=p, api_id=api, stage="prod") for p in paths)
    return DomainMappings(
        resource=API, source="apigateway:GetBasePathMappings", domain="api.example.com", mappings=mapped
    )


BLOCKED = metric("BlockedRequests", 0, 40, namespace="AWS/WAFV2", WebACL="edge", Region="eu-west-1", Rule="ALL")
NO_ERRORS = metric("Errors", 0, 0, namespace="AWS/Lambda", FunctionName="create-order")
IDLE = metric("Invocations", namespace="AWS/Lambda", FunctionName="create-order")
BUSY = metric("Invocations", 50, namespace="AWS/Lambda", FunctionName="create-order")
ERRORS_5XX = metric("5XXError", 3, 40, 51)
HTTP_CALL = call(
    "remote:api.example.com", failed=True, caller="service:shop", status=403, url="https://api.example.com/v2/orders"
)
DENY = parse_policy(
    '{"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "*"}]}'
)
ALLOW = parse_policy(
    '{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "*"}}'
)

SITUATIONS = [
    ("502, function ran", [segment(502), call()], {"apigw-malformed-proxy": "strong"}),
    ("502, function failed", [segment(502), call(failed=True)], {"apigw-malformed-proxy": "weak"}),
    ("502, function answered so because its table failed", [segment(502), call(), call("arn:aws:dynamodb:eu-west-1:123456789012:table/orders", caller=FUNCTION, failed=True)], {"apigw-malformed-proxy": "weak"}),
    ("502 in the access log, no function errors", [access({"status": 502}), stage(), NO_ERRORS], {"apigw-malformed-proxy": "strong"}),
    ("502 in the access log alone", [access({"status": 502}), stage()], {"apigw-malformed-proxy": "weak"}),
    ("function error in the execution log", [execution("Lambda execution failed with status 200 due to customer function error: boom")], {"apigw-malformed-proxy": "weak"}),
    ("500, no permission", [segment(500), permission(None)], {"apigw-invalid-lambda-permission": "proof"}),
    ("500, permission of another API only", [segment(500), permission(OTHERS)], {"apigw-invalid-lambda-permission": "proof"}),
    ("500, permission there", [segment(500), permission(OURS)], {}),
    ("500, no permission for this method", [segment(500), routes(route()), permission(OURS.replace("*/*/*", "*/GET/orders"))], {"apigw-invalid-lambda-permission": "proof"}),
    ("500, permission for this method", [segment(500), routes(route()), permission(OURS.replace("*/*/*", "*/POST/orders"))], {}),
    ("500, permission by path pattern", [segment(500, path="/prod/orders/7"), routes(route(path="/orders/{id}")), permission(OURS.replace("*/*/*", "prod/POST/orders/*"))], {}),
    ("500, no permission, yet the function ran", [segment(500), call(status=200), permission(None)], {}),
    ("500, no permission, and the call was refused", [segment(500), call(failed=True, status=403), permission(None)], {"apigw-invalid-lambda-permission": "proof"}),
    ("200, no permission", [segment(200), permission(None)], {}),
    ("500, function gone", [segment(500), permission(None, exists=False)], {"apigw-invalid-lambda-permission": "strong"}),
    ("5xx metric, no permission, function idle", [ERRORS_5XX, IDLE, permission(None), routes(route())], {"apigw-invalid-lambda-permission": "strong"}),
    ("5xx metric, no permission, function busy", [ERRORS_5XX, BUSY, permission(None), routes(route())], {}),
    ("usual 5xx, no permission", [metric("5XXError", 3, usual=5), IDLE, permission(None), routes(route())], {}),
    ("504 after 29 s", [segment(504, seconds=29.01)], {"apigw-lambda-timeout-504": "strong"}),
    ("504 after the route's own 5 s", [segment(504, seconds=5.0), routes(route(timeout_ms=5000))], {"apigw-lambda-timeout-504": "strong"}),
    ("504 at once, function behind", [segment(504, seconds=0.1)], {}),
    ("504 at once, HTTP backend", [segment(504, seconds=0.1), routes(route(function=None, integration="HTTP_PROXY", endpoint="b.example.com"))], {"apigw-integration-failure": "strong"}),
    ("504 in the log, slow integration", [access({"status": 504}), stage(), metric("IntegrationLatency", 29001)], {"apigw-lambda-timeout-504": "strong"}),
    ("504 in the log, quick integration", [access({"status": 504}), stage(), metric("IntegrationLatency", 300)], {"apigw-lambda-timeout-504": "weak"}),
    ("5xx metric, slow integration", [ERRORS_5XX, metric("IntegrationLatency", 29003)], {"apigw-lambda-timeout-504": "strong"}),
    ("slow integration, no 5xx", [metric("IntegrationLatency", 29003)], {}),
    ("VPC link failed", [segment(500), link("FAILED")], {"apigw-integration-failure": "proof"}),
    ("VPC link gone", [segment(503), link("", exists=False)], {"apigw-integration-failure": "proof"}),
    ("VPC link available", [segment(500), link("AVAILABLE")], {}),
    ("VPC link failed, request fine", [segment(200), link("FAILED")], {}),
    ("token INTEGRATION_FAILURE, function behind", [access({"status": 504, "responseType": "INTEGRATION_FAILURE"}), stage()], {"apigw-integration-failure": "weak"}),
    ("token API_CONFIGURATION_ERROR, no template edited", [access({"status": 500, "responseType": "API_CONFIGURATION_ERROR"}), stage(), change("UpdateStage")], {"apigw-mapping-error": "weak"}),
    ("token API_CONFIGURATION_ERROR after a template edit", [access({"status": 500, "responseType": "API_CONFIGURATION_ERROR"}), stage(), change("UpdateIntegration")], {"apigw-mapping-error": "strong"}),
    ("token API_CONFIGURATION_ERROR, no permission", [access({"status": 500, "responseType": "API_CONFIGURATION_ERROR"}), stage(), permission(None)], {"apigw-invalid-lambda-permission": "proof"}),
    ("HTTP API 500 with the reason", [config(Protocol.HTTP), access({"status": 500, "integrationErrorMessage": "Lambda returned a 429"}), stage()], {"apigw-http-api-integration-error": "proof"}),
    ("HTTP API 500 without a reason", [config(Protocol.HTTP), access({"status": 500}), stage()], {"apigw-http-api-integration-error": "weak"}),
    ("HTTP API 500 without permission", [config(Protocol.HTTP), access({"status": 500}), stage(), permission(None)], {"apigw-invalid-lambda-permission": "proof"}),
    ("REST API 500 with the reason", [config(), access({"status": 500, "integrationErrorMessage": "Lambda returned a 429"}), stage()], {}),
    ("403 on a path that is no route", [segment(403, path="/prod/orderz"), routes(route())], {"apigw-missing-auth-token": "strong"}),
    ("403 on a path that is a route", [segment(403), routes(route())], {}),
    ("HTTP API 404 on no route", [config(Protocol.HTTP), segment(404, path="/prod/x"), routes(route())], {"apigw-missing-auth-token": "strong"}),
    ("HTTP API 404 with $default", [config(Protocol.HTTP), segment(404, path="/prod/x"), routes(route("ANY", "$default"))], {}),
    ("missing token, route not in the snapshot", [segment(403, said="Missing Authentication Token"), routes(route()), deployment("GET /pets")], {"apigw-not-deployed": "proof"}),
    ("missing token, route in the snapshot", [segment(403, said="Missing Authentication Token"), routes(route()), deployment("POST /orders")], {"apigw-missing-auth-token": "proof"}),
    ("missing token, route changed after the deployment", [segment(403, said="Missing Authentication Token"), routes(route()), deployment(), change("PutMethod")], {"apigw-missing-auth-token": "proof", "apigw-not-deployed": "strong"}),
    ("missing token, route changed before the deployment", [segment(403, said="Missing Authentication Token"), routes(route()), deployment(), change("PutMethod", before=timedelta(days=3))], {"apigw-missing-auth-token": "proof"}),
    ("route not in the snapshot, no symptom", [segment(200), routes(route()), deployment("GET /pets"), change("PutMethod")], {}),
    ("403, key required, key disabled", [segment(403), routes(route(api_key_required=True)), keys("shop")], {"apigw-invalid-api-key": "strong"}),
    ("403, no key required", [segment(403), routes(route()), keys("shop")], {}),
    ("200, key disabled", [segment(200), routes(route(api_key_required=True)), keys("shop")], {}),
    ("403, web ACL blocked", [segment(403), routes(route()), acl(), BLOCKED], {"apigw-waf-blocked": "strong"}),
    ("403, web ACL blocked nothing", [segment(403), routes(route()), acl(), metric("BlockedRequests", 0, namespace="AWS/WAFV2", Rule="ALL")], {}),
    ("403, web ACL blocked and key required", [segment(403), routes(route(api_key_required=True)), acl(), BLOCKED], {"apigw-waf-blocked": "weak", "apigw-invalid-api-key": "weak"}),
    ("403, authorizer answered", [segment(403), routes(route(authorization="CUSTOM", authorizer_id="auth01")), authorizer(), call(CHECKER)], {"apigw-authorizer-denied": "strong"}),
    ("403, authorizer and integration answered", [segment(403), routes(route(authorization="CUSTOM", authorizer_id="auth01")), authorizer(), call(CHECKER), call()], {}),
    ("403, user pool on the route", [segment(403), routes(route(authorization="COGNITO_USER_POOLS", authorizer_id="auth01")), authorizer(type="COGNITO_USER_POOLS", function=None)], {}),
    ("ACCESS_DENIED, Lambda authorizer", [access({"status": 403, "responseType": "ACCESS_DENIED"}), stage(), authorizer()], {"apigw-authorizer-denied": "strong"}),
    ("ACCESS_DENIED, no authorizer", [access({"status": 403, "responseType": "ACCESS_DENIED"}), stage()], {}),
    ("401, authorizer configured", [segment(401), authorizer()], {"apigw-unauthorized": "strong"}),
    ("401, no authorizer", [segment(401)], {}),
    ("401 by the function", [segment(401), authorizer(), call()], {}),
    ("500, authorizer failed", [segment(500), authorizer(), call(CHECKER, failed=True)], {"apigw-authorizer-failure": "strong"}),
    ("500, authorizer fine, function failed", [segment(500), authorizer(), call(CHECKER), call(failed=True)], {}),
    ("500, authorizer may not be invoked", [segment(500), authorizer(), permission(OURS), permission(OTHERS, function=CHECKER, of_authorizer="auth01")], {"apigw-authorizer-failure": "proof"}),
    ("500, authorizer may be invoked", [segment(500), authorizer(), permission(OURS), permission(f"{OURS[:-6]}/authorizers/auth01", function=CHECKER, of_authorizer="auth01")], {}),
    ("403, policy denies", [segment(403), routes(route()), config(policy=DENY)], {"apigw-private-endpoint-policy": "strong"}),
    ("403, policy allows", [segment(403), routes(route()), config(policy=ALLOW)], {}),
    ("403, private without policy", [segment(403), routes(route()), config(endpoint_types=("PRIVATE",))], {"apigw-private-endpoint-policy": "strong"}),
    ("200, policy denies", [segment(200), config(policy=DENY)], {}),
    ("custom domain without the path", [HTTP_CALL, domain("v1")], {"apigw-custom-domain-mapping": "proof"}),
    ("custom domain with the path", [HTTP_CALL, domain("v1", "v2")], {}),
    ("custom domain with a root mapping", [HTTP_CALL, domain("")], {}),
    ("custom domain of another API", [HTTP_CALL, domain("v1", api="zzzzzzzzzz")], {}),
    ("preflight without OPTIONS", [segment(403, method="OPTIONS", said="Missing Authentication Token"), routes(route())], {"apigw-cors": "proof"}),
    ("preflight with an authorizer", [segment(401, method="OPTIONS"), routes(route("ANY", authorization="CUSTOM"))], {"apigw-cors": "strong"}),
    ("preflight answered", [segment(200, method="OPTIONS"), routes(route())], {}),
    ("preflight, CORS on the HTTP API", [config(Protocol.HTTP, cors=("*",)), segment(404, method="OPTIONS"), routes(route())], {}),
    ("429, low stage rate, many requests", [segment(429), stage(throttles=({"method": "*/*", "rate": 1.0},)), metric("Count", 58)], {"apigw-throttled": "strong"}),
    ("429, low stage rate, few requests", [segment(429), stage(throttles=({"method": "*/*", "rate": 100.0},)), metric("Count", 58)], {"apigw-throttled": "weak"}),
    ("429, no quota anywhere", [segment(429), plans()], {"apigw-throttled": "strong"}),
    ("429, quota left", [segment(429), plans(plan(quota=1000)), usage(10)], {"apigw-throttled": "weak"}),
    ("429, quota used up", [segment(429), plans(plan(quota=1000)), usage(0)], {"apigw-quota-exceeded": "strong"}),
    ("429 by the function", [segment(429), call(), plans()], {}),
    ("200, quota used up", [segment(200), plans(plan(quota=1000)), usage(0)], {}),
    ("413", [segment(413)], {"apigw-request-too-large": "strong"}),
    ("413 by the function", [segment(413), call()], {}),
    ("400, validator on the route", [segment(400), routes(route(validated=True))], {"apigw-bad-request-validation": "strong"}),
    ("400, no validator", [segment(400), routes(route())], {}),
    ("400 by the function", [segment(400), call(), routes(route(validated=True))], {}),
    ("all well", [segment(200), call(), routes(route()), permission(OURS), metric("Count", 10), stage(), deployment()], {}),
    ("nothing known", [], {}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "seen", "expected"), SITUATIONS, ids=[name for name, *_ in SITUATIONS])
def test_situation(name, seen, expected):
    assert graded(about(*seen)) == expected


@pytest.mark.parametrize("seen", [[segment(502), call(failed=True)], [segment(504, seconds=29.0)]])
def test_a_symptom_defers_to_the_function_behind(seen):
    found = list(hypotheses(about(*seen)).values())

    assert [h.defers_to for h in found] == [(FUNCTION,)]


def test_a_timeout_is_its_own_end_when_the_function_works_longer_than_the_gateway_waits():
    run = segment(200, seconds=41.0).model_copy(update={"resource": FUNCTION})
    waiting = call("arn:aws:dynamodb:eu-west-1:123456789012:table/orders", caller=FUNCTION).model_copy(
        update={"seconds": 39.0}
    )

    alone = hypotheses(about(segment(504, seconds=29.0), run))
    below = hypotheses(about(segment(504, seconds=29.0), run, waiting))

    assert alone["apigw-lambda-timeout-504"].defers_to == ()
    assert below["apigw-lambda-timeout-504"].defers_to == (FUNCTION,)


RAN_ON = metric("Duration", 44_000, usual=4000, namespace="AWS/Lambda", FunctionName="create-order")


def test_a_timeout_is_its_own_end_when_the_function_ran_on_to_a_good_one():
    waited = (config(Protocol.HTTP), access({"status": 503}), stage(), metric("IntegrationLatency", 30_002))
    errors = metric("Errors", 4, namespace="AWS/Lambda", FunctionName="create-order")

    well, badly = hypotheses(about(*waited, RAN_ON, NO_ERRORS)), hypotheses(about(*waited, RAN_ON, errors))

    assert set(well) == {"apigw-lambda-timeout-504"}
    assert well["apigw-lambda-timeout-504"].defers_to == ()
    assert RAN_ON.id in well["apigw-lambda-timeout-504"].evidence
    assert badly["apigw-lambda-timeout-504"].defers_to == (FUNCTION,)


def test_the_reason_of_an_http_api_is_asked_for_only_where_it_is_not_logged():
    failing = (config(Protocol.HTTP), access({"status": 500, "why": "-"}))

    def advice(seen):
        return [f.text for f in findings(SPECIALIST.rules, about(*failing, seen)) if isinstance(f, Advice)]

    assert any("integrationErrorMessage" in told for told in advice(stage()))
    assert advice(stage(fields={"status": "status", "why": "integrationErrorMessage"})) == []


def test_an_alias_without_a_policy_is_named_with_its_function():
    alias = permission(None).model_copy(update={"qualifier": "live"})

    found = hypotheses(about(segment(500), alias))["apigw-invalid-lambda-permission"]

    assert "may not invoke `create-order:live`" in found.summary
    assert alias.summary().startswith("Function `create-order:live` has no resource policy")


def test_who_lowered_a_throttle_is_named_though_nothing_is_logged():
    low = stage(throttles=(Throttle(method="*/*", rate=2.0, burst=4),))
    lowered = change("UpdateStage", path="/*/*/throttling/rateLimit", value="2")
    count = metric("Count", 700)

    found = hypotheses(about(segment(429), low, UsagePlans(resource=API, source="x"), count, lowered))
    other = hypotheses(about(segment(429), low, count, change("UpdateStage", path="/variables/a", value="b")))

    assert lowered.id in found["apigw-throttled"].evidence
    assert found["apigw-throttled"].summary.endswith("of stage `prod`, after UpdateStage by mia")
    assert "after" not in other["apigw-throttled"].summary


def test_an_answer_of_the_authorizer_that_covers_other_routes_is_told_from_a_deny():
    words = "AccessDeniedException: User is not authorized to access this resource"
    checked = authorizer(ttl_seconds=300)
    code = change("UpdateFunctionCode20150331v2", functionName="check-token")
    elses = change("UpdateFunctionCode20150331v2", functionName="create-order")

    other = hypotheses(about(answered(403, words), checked, code))["apigw-authorizer-denied"]
    denied = hypotheses(about(answered(403, f"{words} with an explicit deny"), checked, elses))

    assert other.summary == (
        "The policy that the authorizer of `a1b2c3d4e5` returned, which is cached 300 s and may have been made for "
        "another route, does not allow requests, after UpdateFunctionCode by mia"
    )
    assert code.id in other.evidence
    assert denied["apigw-authorizer-denied"].summary == (
        "The authorizer of `a1b2c3d4e5` denied requests (its answers are cached 300 s)"
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("ExpiredTokenException: The security token included in the request is expired", "credentials have expired"),
        ("InvalidSignatureException: Signature expired: 20261121T080000Z is now earlier", "clock is off"),
        ("InvalidSignatureException: The request signature we calculated does not match", "does not fit the request"),
        ("UnrecognizedClientException: The security token included in the request is invalid.", "are not valid"),
        ("IncompleteSignatureException: no Credential", "it is wrong, or the credentials have expired"),
    ],
)
def test_a_refused_signature_says_what_is_wrong_with_it(words, told):
    assert told in hypotheses(about(answered(403, words)))["apigw-expired-signature"].summary


def test_a_resource_policy_is_told_by_whom_it_lets_in():
    words = "AccessDeniedException: User: anonymous is not authorized to perform: execute-api:Invoke on resource: x"
    only = '{"Effect": "Deny", "Principal": "*", "Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-old"}}}'
    blocked = '{"Effect": "Deny", "Principal": "*", "Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}'

    def summary(statement):
        policy = parse_policy(f'{{"Statement": [{statement}]}}')
        known = config(policy=policy, vpc_endpoint_ids=("vpce-new",))
        return hypotheses(about(answered(403, words), known))["apigw-private-endpoint-policy"].summary

    assert summary(only).endswith(
        "it lets in only `vpce-old` (aws:SourceVpce), and the API is set up to be reached through `vpce-new`"
    )
    assert summary(blocked).endswith("does not let the caller in")


def test_a_domain_that_leads_elsewhere_accuses_the_api_only_after_its_mapping_was_taken_away():
    code, elsewhere = "apigw-custom-domain-mapping", domain("v1", api="other00000")
    taken = change("DeleteBasePathMapping", domainName="api.example.com", basePath="v2")
    others = change("DeleteBasePathMapping", domainName="api.example.com", basePath="v3")

    found = hypotheses(about(HTTP_CALL, elsewhere, taken))

    assert "for the path of a refused call, after DeleteBasePathMapping by mia" in found[code].summary
    assert {s.strength for s in found[code].supports} == {Strength.STRONG}
    assert code not in hypotheses(about(HTTP_CALL, elsewhere, others))
    assert code not in hypotheses(about(HTTP_CALL, elsewhere, taken, segment(200)))


def test_two_reasons_for_a_bare_403_contradict_each_other():
    known, blocking = routes(route(api_key_required=True)), acl()

    both = hypotheses(about(segment(403), known, blocking, BLOCKED))
    alone = hypotheses(about(segment(403), routes(route()), blocking, BLOCKED))

    assert {s.evidence for s in both["apigw-waf-blocked"].contradicting} == {known.id}
    assert {s.evidence for s in both["apigw-invalid-api-key"].contradicting} == {blocking.id}
    assert alone["apigw-waf-blocked"].contradicting == ()


def test_a_malformed_answer_of_a_healthy_function_defers_to_nobody():
    found = hypotheses(about(segment(502), call()))

    assert found["apigw-malformed-proxy"].defers_to == ()


def test_the_authorizers_failure_defers_to_its_function():
    found = hypotheses(about(segment(500), authorizer(), call(CHECKER, failed=True)))

    assert found["apigw-authorizer-failure"].defers_to == (CHECKER,)


def test_the_removed_permission_supports_the_missing_one():
    removed = change("RemovePermission20150331v2")

    found = hypotheses(about(segment(500), permission(None), removed))

    assert removed.id in found["apigw-invalid-lambda-permission"].evidence


def test_a_server_error_of_the_backends_own_is_a_fact_and_nobodys_fault_here():
    kept = stage(fields={"status": "status", "its": "integrationStatus"})
    balancer = routes(route(path="/orders", function=None, integration="HTTP_PROXY", endpoint="listener/labels"))
    seen = (config(Protocol.HTTP), kept, balancer)

    def answer(its):
        return access({"status": 503, "its": its, "routeKey": "POST /orders"})

    itself, silent = about(*seen, answer(503), called=None), about(*seen, answer("-"), called=None)

    assert hypotheses(itself) == {}
    assert "The backend of `POST /orders` answered HTTP 503 itself, and `orders` passed it on" in facts(itself)
    assert "apigw-lambda-timeout-504" in hypotheses(silent)
    assert not any("itself" in told for told in facts(silent))


def test_an_authorizer_that_answered_uselessly_is_told_from_one_that_failed():
    useless = access({"status": 500, "responseType": "AUTHORIZER_CONFIGURATION_ERROR"})
    code = change("UpdateFunctionCode20150331v2", functionName="check-token")

    def summary(*more):
        return hypotheses(about(useless, stage(), authorizer(), *more))["apigw-authorizer-failure"].summary

    assert summary(call(CHECKER), code).endswith(
        "it answered, and API Gateway cannot use its answer, after UpdateFunctionCode by mia"
    )
    assert summary(call(CHECKER, failed=True)).endswith("it failed or may not be invoked")
    assert summary().endswith("it failed or may not be invoked")


def test_a_refused_change_supports_nothing():
    refused = change("RemovePermission20150331v2").model_copy(update={"error_code": "AccessDenied"})

    found = hypotheses(about(segment(500), permission(None), refused))

    assert refused.id not in found["apigw-invalid-lambda-permission"].evidence


def test_since_is_the_first_failing_request():
    assert hypotheses(about(segment(504, seconds=29.0)))["apigw-lambda-timeout-504"].since == AT


def test_every_hypothesis_accuses_the_api():
    cases = [about(*seen) for _, seen, _ in SITUATIONS]

    assert {h.resource for case in cases for h in hypotheses(case).values()} == {API}


def facts(case):
    return [f.statement for f in findings(SPECIALIST.rules, case) if isinstance(f, Fact)]


def test_the_share_of_failing_requests_is_a_fact_with_numbers():
    seen = (metric("Count", 100, 12), metric("5XXError", 50, 4), metric("4XXError", 0, 0), stage())

    assert facts(about(*seen)) == [f"`{ID}` stage `prod`: of 112 requests, failed 54 (48%) with 5xx"]


def test_requests_without_failures_are_a_fact_too():
    assert facts(about(metric("Count", 100), metric("5XXError", 0), stage())) == [
        f"`{ID}` stage `prod`: of 100 requests, none failed"
    ]


def test_another_stages_numbers_are_not_this_ones():
    other = {"ApiName": "orders", "Stage": "test"}

    assert facts(about(metric("Count", 100, **other), metric("5XXError", 90, **other))) == []


def test_an_undeployed_change_and_the_deployments_age_are_facts():
    said = facts(about(stage(), deployment("POST /orders"), change("PutIntegration")))

    assert any("2026-11-18 09:56 UTC, 1 days before" in s for s in said)
    assert any("1 changes to routes" in s for s in said)


def test_an_api_that_is_gone_is_a_fact():
    gone = config(exists=False).model_copy(update={"name": "", "protocol": None})

    assert facts(about(gone)) == [f"There is no API `{ID}` in this account and Region"]


def test_failing_requests_without_any_log_bring_the_advice_to_log():
    gone = MissingLogGroup(
        resource=API, source="logs:FilterLogEvents", log_group=f"API-Gateway-Execution-Logs_{ID}/prod"
    )
    silent = stage().model_copy(update={"access_log_group": None})

    def advice(*seen):
        return [f for f in findings(SPECIALIST.rules, about(*seen)) if isinstance(f, Advice)]

    assert len(advice(segment(500), gone, silent)) == len(advice(ERRORS_5XX, gone, silent)) == 1
    assert advice(segment(200), gone, silent) == []
    assert advice(segment(500), gone, stage()) == []


def test_the_registry_finds_the_specialist():
    assert SPECIALIST in all_specialists()


def test_the_rules_name_every_cause_of_the_service_and_tests_expect_each():
    ours = {code for code in CAUSES if code.startswith("apigw-")}
    declared = {code for rule in SPECIALIST.rules for code in rule.causes}
    expected = {code for code, _ in STATED} | {code for *_, graded_causes in SITUATIONS for code in graded_causes}

    assert declared == ours
    assert expected == ours


def test_every_rule_names_only_the_causes_that_it_declares():
    for _, seen, _ in SITUATIONS:
        for rule in SPECIALIST.rules:
            named = {f.cause for f in rule.judge(about(*seen)) if isinstance(f, Hypothesis)}

            assert named <= set(rule.causes)


@pytest.mark.parametrize("missing", range(4))
def test_rules_judge_any_subset_of_the_evidence(missing):
    everything = {item.id: item for _, seen, _ in SITUATIONS for item in seen}.values()
    some = [item for number, item in enumerate(everything) if number % 4 != missing]

    assert list(findings(SPECIALIST.rules, about(*some, called=None)))
