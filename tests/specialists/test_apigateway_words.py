"""Causes that API Gateway states in words: each is proof of itself and of nothing else."""

import pytest

from domain.findings import Hypothesis, Strength
from specialists.apigateway import SPECIALIST
from specialists.contract import Case
from tests.specialists.apigateway_building import about, access, answered, call, execution, segment, stage
from tests.support.probing import findings

FIELDS = {
    "st": "status",
    "rt": "error.responseType",
    "why": "error.message",
    "ie": "integrationErrorMessage",
    "ist": "integrationStatus",
    "own": "integration.status",
}


def proven(case: Case) -> set[str]:
    """The causes that some rule claims proof for."""
    found = (f for f in findings(SPECIALIST.rules, case) if isinstance(f, Hypothesis))
    return {h.cause for h in found if any(s.strength is Strength.PROOF for s in h.supports)}


def hypotheses(case: Case) -> dict[str, Hypothesis]:
    return {f.cause: f for f in findings(SPECIALIST.rules, case) if isinstance(f, Hypothesis)}


STATED = [
    ("apigw-malformed-proxy", execution("Execution failed due to configuration error: Malformed Lambda proxy response")),
    ("apigw-malformed-proxy", answered(502, "InternalServerErrorException: Malformed proxy response")),
    ("apigw-invalid-lambda-permission", execution("Execution failed due to configuration error: Invalid permissions on Lambda function")),
    ("apigw-invalid-lambda-permission", access({"st": 500, "ie": "The IAM role configured on the integration or API Gateway doesn't have permissions to call the integration. Check the permissions and try again."})),
    ("apigw-lambda-timeout-504", execution("Execution failed due to a timeout error", "Method completed with status: 504")),
    ("apigw-lambda-timeout-504", access({"st": "504", "rt": "INTEGRATION_TIMEOUT"})),
    ("apigw-lambda-timeout-504", answered(504, 'ApiError: {"message": "Endpoint request timed out"}')),
    ("apigw-integration-failure", execution("Execution failed due to a network error communicating with endpoint")),
    ("apigw-integration-failure", execution("Execution failed due to configuration error: Invalid endpoint address")),
    ("apigw-missing-auth-token", answered(403, "MissingAuthenticationTokenException: Missing Authentication Token")),
    ("apigw-missing-auth-token", access({"st": 404, "rt": "RESOURCE_NOT_FOUND"})),
    ("apigw-throttled", answered(429, 'HttpClientErrorException: 429 Too Many Requests: "{"message":"Too Many Requests"}"')),
    ("apigw-throttled", access({"st": 429, "rt": "THROTTLED"})),
    ("apigw-throttled", execution("Key throttle limit exceeded for Usage Plan ID p1", "Method completed with status: 429")),
    ("apigw-quota-exceeded", answered(429, "429 Client Error: Too Many Requests for url, LimitExceededException: Limit Exceeded")),
    ("apigw-quota-exceeded", access({"st": 429, "rt": "QUOTA_EXCEEDED", "why": "Limit Exceeded"})),
    ("apigw-quota-exceeded", execution("Key quota limit exceeded for Usage Plan ID p1", "Method completed with status: 429")),
    ("apigw-invalid-api-key", access({"st": 403, "rt": "INVALID_API_KEY", "why": "Forbidden"})),
    ("apigw-invalid-api-key", execution("API Key  not authorized because method 'POST /orders' requires API Key", "Method completed with status: 403")),
    ("apigw-authorizer-denied", answered(403, "AccessDeniedException: User is not authorized to access this resource with an explicit deny")),
    ("apigw-authorizer-denied", execution("The client is not authorized to perform this operation.", "Method completed with status: 403")),
    ("apigw-unauthorized", answered(401, 'UnauthorizedException: {"message":"Unauthorized"}')),
    ("apigw-unauthorized", access({"st": 401, "rt": "UNAUTHORIZED"})),
    ("apigw-authorizer-failure", access({"st": 500, "rt": "AUTHORIZER_CONFIGURATION_ERROR"})),
    ("apigw-authorizer-failure", answered(500, "AuthorizerConfigurationException:")),
    ("apigw-authorizer-failure", execution("Starting authorizer: auth01 for request", "Execution failed due to configuration error: Invalid permissions on Lambda function")),
    ("apigw-expired-signature", answered(403, "ExpiredTokenException: The security token included in the request is expired")),
    ("apigw-expired-signature", answered(403, "InvalidSignatureException: The request signature we calculated does not match the signature you provided")),
    ("apigw-expired-signature", access({"st": 403, "rt": "EXPIRED_TOKEN"})),
    ("apigw-waf-blocked", access({"st": 403, "rt": "WAF_FILTERED", "why": "Forbidden"})),
    ("apigw-request-too-large", answered(413, 'Error: {"message": "Request Too Long"}')),
    ("apigw-request-too-large", access({"st": 413, "rt": "REQUEST_TOO_LARGE"})),
    ("apigw-bad-request-validation", answered(400, 'BadRequestException: {"message": "Invalid request body"}')),
    ("apigw-bad-request-validation", access({"st": 400, "rt": "BAD_REQUEST_PARAMETERS", "why": "Missing required request parameters: [q]"})),
    ("apigw-mapping-error", execution("Execution failed due to configuration error: Unable to transform request")),
    ("apigw-mapping-error", execution("Execution failed due to configuration error: No match for output mapping and no default endpoint response configured. Endpoint Response Status Code: 404")),
    ("apigw-cors", answered(0, "TypeError: Access to fetch at 'https://x' from origin 'https://y' has been blocked by CORS policy: No 'Access-Control-Allow-Origin' header")),
    ("apigw-private-endpoint-policy", answered(403, "AccessDeniedException: User: anonymous is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:eu-west-1:********9012:a1b2c3d4e5/prod/GET/")),
]  # fmt: skip


@pytest.mark.parametrize(("cause", "seen"), STATED, ids=[f"{i}-{cause}" for i, (cause, _) in enumerate(STATED)])
def test_words_of_api_gateway_prove_their_cause_and_no_other(cause, seen):
    case = about(seen, stage(fields=FIELDS))

    assert proven(case) == {cause}


BACKEND = [
    ("the function's own 401", segment(401, said="Unauthorized"), call()),
    ("the function's own 429", segment(429, said="Too Many Requests"), call()),
    ("the function's own 400", segment(400, said="Invalid request body"), call()),
    ("a backend's 403 in the access log", access({"st": 403, "ist": "403", "why": "Missing Authentication Token"})),
    ("a function's own 502", access({"st": 502, "own": "502", "ist": "200"})),
]


@pytest.mark.parametrize(("name", "seen"), [(n, e) for n, *e in BACKEND], ids=[n for n, *_ in BACKEND])
def test_an_answer_that_the_integration_gave_is_not_api_gateways(name, seen):
    assert hypotheses(about(*seen, stage(fields=FIELDS))) == {}


@pytest.mark.parametrize(
    "line",
    [
        'Method request body before transformations: {"note": "Execution failed due to a timeout error, THROTTLED"}',
        'Endpoint response body before transformations: {"error": "Malformed Lambda proxy response"}',
        "Method request headers: {x-why=INVALID_API_KEY}",
    ],
)
def test_words_of_a_client_in_the_execution_log_prove_nothing(line):
    case = about(execution(line, "Method completed with status: 400"), stage())

    assert proven(case) == set()


@pytest.mark.parametrize("key", ["path", "userAgent", "sourceIp", "resourcePath"])
def test_words_of_a_client_in_the_access_log_prove_nothing(key):
    case = about(access({"status": 400, key: "/THROTTLED Missing Authentication Token INTEGRATION_TIMEOUT"}), stage())

    assert proven(case) == set()


@pytest.mark.parametrize(
    "phrase",
    [
        "429 Client Error: Too Many Requests for url: https://x",
        "code 429 (Too Many Requests).",
        "429 Too Many Requests",
    ],
)
def test_the_reason_phrase_of_a_429_does_not_tell_throttle_from_quota(phrase):
    assert proven(about(answered(429, phrase))) == set()


def test_a_named_principals_missing_permission_is_not_the_apis_policy():
    said = "User: arn:aws:sts::123456789012:assumed-role/shop/s is not authorized to perform: execute-api:Invoke on resource: *"

    assert "apigw-private-endpoint-policy" not in hypotheses(about(answered(403, f"AccessDeniedException: {said}")))


def test_the_execution_log_tells_the_integrations_missing_permission_from_the_authorizers():
    lines = ("Starting authorizer: auth01", "Successfully completed authorizer execution")
    failed = "Execution failed due to configuration error: Invalid permissions on Lambda function"

    assert proven(about(execution(*lines, failed))) == {"apigw-invalid-lambda-permission"}


def test_a_line_of_the_common_log_format_is_read():
    line = '10.0.0.1 - - [20/Nov/2026:09:53:01 +0000] "POST /orders HTTP/1.1" 429 23 3f1c THROTTLED'

    assert proven(about(access(line), stage())) == {"apigw-throttled"}


@pytest.mark.parametrize(
    "line", ["", "not json at all", "[1, 2]", '{"status": {"deep": 1}}', '{"status": "abc"}', "null"]
)
def test_an_unreadable_access_log_line_is_no_failure(line):
    assert hypotheses(about(access(line), stage())) == {}
