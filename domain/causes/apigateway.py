"""API Gateway: what goes wrong between a client and an integration."""

from domain.causes.row import rows

INTEGRATION = rows(
    "apigateway",
    (
        "apigw-malformed-proxy",
        "the function's answer is not in the proxy format",
        "Return statusCode, headers and a string body from every path of the function, errors included.",
        "apigateway/latest/developerguide/handle-errors-in-lambda-integration.html",
    ),
    (
        "apigw-invalid-lambda-permission",
        "it is not allowed to invoke the function",
        "Let apigateway.amazonaws.com invoke the function, or the alias in use, from this API's ARN.",
        "lambda/latest/dg/services-apigateway.html",
    ),
    (
        "apigw-lambda-timeout-504",
        "the integration does not answer in time",
        "Find what the backend waits for. Answer long work asynchronously, or raise the integration timeout.",
        "apigateway/latest/developerguide/supported-gateway-response-types.html",
        "generic",
    ),
    (
        "apigw-integration-failure",
        "the backend refuses or drops the connection",
        "Check the backend's health, then its TLS certificate and the VPC link's targets.",
        "apigateway/latest/developerguide/supported-gateway-response-types.html",
        "generic",
    ),
    (
        "apigw-http-api-integration-error",
        "the HTTP API's integration fails",
        "Log integrationErrorMessage in the access log; it names the reason, often a missing invoke permission.",
        "apigateway/latest/developerguide/http-api-troubleshooting-lambda.html",
        "generic",
    ),
    (
        "apigw-mapping-error",
        "requests or responses cannot be transformed",
        "Correct the template and give the method a default integration response, then deploy the stage.",
        "apigateway/latest/developerguide/supported-gateway-response-types.html",
    ),
)

ACCESS = rows(
    "apigateway",
    (
        "apigw-missing-auth-token",
        "the path is not in the stage, or the request is unsigned",
        "Check path and method against the deployed stage. Where IAM authorization is on, sign the request.",
        "apigateway/latest/developerguide/supported-gateway-response-types.html",
        "generic",
    ),
    (
        "apigw-invalid-api-key",
        "clients send no API key that is valid here",
        "Send an enabled key, and associate it with a usage plan that covers this stage.",
        "apigateway/latest/developerguide/supported-gateway-response-types.html",
    ),
    (
        "apigw-authorizer-denied",
        "the authorizer denies the request",
        "Check the policy that the authorizer returns: with caching on it must cover every path of the API.",
        "apigateway/latest/developerguide/supported-gateway-response-types.html",
    ),
    (
        "apigw-authorizer-failure",
        "the authorizer itself fails",
        "Read the authorizer function's errors, and check that the API may invoke it.",
        "apigateway/latest/developerguide/supported-gateway-response-types.html",
        "generic",
    ),
    (
        "apigw-unauthorized",
        "the request has no valid token",
        "Send a current token, and compare its issuer and audience with the authorizer's settings.",
        "apigateway/latest/developerguide/supported-gateway-response-types.html",
    ),
    (
        "apigw-expired-signature",
        "the request's signature is wrong or has expired",
        "Renew the client's credentials and set its clock; then compare the canonical request.",
        "apigateway/latest/developerguide/supported-gateway-response-types.html",
    ),
    (
        "apigw-waf-blocked",
        "requests are stopped by a WAF rule",
        "Find the matching rule in the web ACL's samples and narrow it, or set it to count.",
        "apigateway/latest/developerguide/supported-gateway-response-types.html",
    ),
    (
        "apigw-private-endpoint-policy",
        "callers are shut out by the API's resource policy",
        "Allow the caller or its VPC endpoint in the resource policy, then deploy the stage again.",
        "apigateway/latest/developerguide/apigateway-resource-policies.html",
    ),
    (
        "apigw-cors",
        "responses lack their CORS headers",
        "Answer OPTIONS, and add the headers to the function's answers and to the gateway's error responses.",
        "apigateway/latest/developerguide/how-to-cors.html",
    ),
)

STAGE = rows(
    "apigateway",
    (
        "apigw-not-deployed",
        "the latest change is not deployed to the stage",
        "Create a deployment for the stage.",
        "apigateway/latest/developerguide/how-to-deploy-api.html",
    ),
    (
        "apigw-custom-domain-mapping",
        "the custom domain has no mapping for the path",
        "Add the base path mapping from the domain to the API's stage again.",
        "apigateway/latest/developerguide/how-to-custom-domains.html",
    ),
    (
        "apigw-throttled",
        "requests exceed a throttle limit",
        "See whether method, stage, usage plan or account sets the limit; raise it, or let clients back off.",
        "apigateway/latest/developerguide/api-gateway-request-throttling.html",
    ),
    (
        "apigw-quota-exceeded",
        "a client's quota for the period is spent",
        "Extend the key's quota for this period, or move it to a larger usage plan.",
        "apigateway/latest/developerguide/supported-gateway-response-types.html",
    ),
    (
        "apigw-request-too-large",
        "the request exceeds the size limit",
        "Let clients upload large bodies straight to S3 through a presigned link.",
        "apigateway/latest/developerguide/limits.html",
    ),
    (
        "apigw-bad-request-validation",
        "the request validator rejects the requests",
        "See whether the model or the client changed, and bring them back in line.",
        "apigateway/latest/developerguide/api-gateway-method-request-validation.html",
    ),
)

CAUSES = INTEGRATION + ACCESS + STAGE
