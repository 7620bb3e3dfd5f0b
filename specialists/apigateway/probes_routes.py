"""Where requests go: routes, the authorizers that check them, the VPC links they go through."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from specialists.apigateway.evidence import (
    Authorizer,
    Route,
    Routes,
    VpcLink,
)
from specialists.apigateway.lookups import (
    STAGES,
    WHICH,
    Api,
    api_of,
    lambda_in,
    stage_variables,
)
from specialists.apigateway.probes_config import NOT_FOUND, http, rest
from specialists.contract import Look, probe
from specialists.kit.answers import absent

MAX_ROUTES = 600
MAX_AUTHORIZERS = 5
MAX_LINKS = 3


@probe(*STAGES, rest("GetResources"), http("GetRoutes"), http("GetIntegrations"), yields=(Routes,))
def routes(look: Look) -> Iterator[Routes]:
    """Every method or route as configured now: who may call it, what checks it, and where it leads."""
    found = api_of(look)
    if found is None:
        return
    read_routes = _rest_routes(look, found) if found.rest else _http_routes(look, found)
    first = [route for _, route in zip(range(MAX_ROUTES + 1), read_routes, strict=False)]
    yield Routes(
        resource=look.target.id,
        source="apigateway:GetResources" if found.rest else "apigatewayv2:GetRoutes",
        routes=tuple(sorted(first[:MAX_ROUTES], key=lambda r: (r.path, r.method))),
        truncated=len(first) > MAX_ROUTES,
    )


def _rest_routes(look: Look, found: Api) -> Iterator[Route]:
    variables = stage_variables(look, found)
    pages = look.aws.apigateway.get_paginator("get_resources").paginate(
        restApiId=look.target.name, embed=["methods"], PaginationConfig={"PageSize": 500}
    )
    for page in pages:
        for item in page.get("items", []):
            for name, method in (item.get("resourceMethods") or {}).items():
                integration = method.get("methodIntegration") or {}
                uri = integration.get("uri") or ""
                function, qualifier = lambda_in(uri, variables)
                yield Route(
                    method=name,
                    path=item.get("path", ""),
                    authorization=method.get("authorizationType") or "NONE",
                    authorizer_id=method.get("authorizerId"),
                    api_key_required=bool(method.get("apiKeyRequired")),
                    validated=bool(method.get("requestValidatorId")),
                    integration=integration.get("type", ""),
                    endpoint="" if function else _endpoint(uri),
                    function=function,
                    qualifier=qualifier,
                    timeout_ms=integration.get("timeoutInMillis"),
                    vpc_link_id=integration.get("connectionId") or None,
                    credentials=integration.get("credentials"),
                )


def _http_routes(look: Look, found: Api) -> Iterator[Route]:
    variables = stage_variables(look, found)
    client = look.aws.apigatewayv2
    integrations = {
        integration.get("IntegrationId"): integration
        for page in client.get_paginator("get_integrations").paginate(ApiId=look.target.name)
        for integration in page.get("Items", [])
    }
    for page in client.get_paginator("get_routes").paginate(ApiId=look.target.name):
        for item in page.get("Items", []):
            integration = integrations.get((item.get("Target") or "").removeprefix("integrations/"), {})
            uri = integration.get("IntegrationUri") or ""
            function, qualifier = lambda_in(uri, variables)
            method, _, path = item["RouteKey"].partition(" ")
            yield Route(
                method=method if path else "ANY",
                path=path or method,
                authorization=item.get("AuthorizationType") or "NONE",
                authorizer_id=item.get("AuthorizerId"),
                api_key_required=bool(item.get("ApiKeyRequired")),
                integration=integration.get("IntegrationType", ""),
                endpoint="" if function else _endpoint(uri),
                function=function,
                qualifier=qualifier,
                timeout_ms=integration.get("TimeoutInMillis"),
                vpc_link_id=integration.get("ConnectionId") or None,
                credentials=integration.get("CredentialsArn"),
            )


def _endpoint(uri: str) -> str:
    """Return an HTTP integration's host, or an AWS integration's ARN; never a query, which may hold secrets."""
    host = urlsplit(uri).hostname if "://" in uri else None
    return host or (uri.split("?", 1)[0] if uri.startswith("arn:") else "")


@probe(*STAGES, rest("GetAuthorizer"), http("GetAuthorizer"), needs=(Routes,), yields=(Authorizer,))
def authorizers(look: Look) -> Iterator[Authorizer]:
    """The authorizers that routes use: the function or issuer behind each, and how long answers are cached."""
    found, known = api_of(look), look.seen.first(Routes, look.target.id)
    ids = sorted({route.authorizer_id for route in known.routes if route.authorizer_id}) if known else []
    for authorizer_id in ids[:MAX_AUTHORIZERS] if found else ():
        yield _rest_authorizer(look, authorizer_id) if found and found.rest else _http_authorizer(look, authorizer_id)


def _rest_authorizer(look: Look, authorizer_id: str) -> Authorizer:
    source = "apigateway:GetAuthorizer"
    answer = absent(
        lambda: look.aws.apigateway.get_authorizer(restApiId=look.target.name, authorizerId=authorizer_id), NOT_FOUND
    )
    if answer is None:
        return Authorizer(resource=look.target.id, source=source, authorizer_id=authorizer_id, exists=False)
    found = api_of(look)
    function, qualifier = lambda_in(answer.get("authorizerUri") or "", stage_variables(look, found) if found else {})
    return Authorizer(
        resource=look.target.id,
        source=source,
        authorizer_id=authorizer_id,
        name=answer.get("name", ""),
        type=answer.get("type", ""),
        function=function,
        qualifier=qualifier,
        identity_sources=tuple(filter(None, (answer.get("identitySource") or "").split(","))),
        ttl_seconds=answer.get("authorizerResultTtlInSeconds"),
        user_pools=tuple(answer.get("providerARNs") or ()),
        credentials=answer.get("authorizerCredentials"),
    )


def _http_authorizer(look: Look, authorizer_id: str) -> Authorizer:
    source = "apigatewayv2:GetAuthorizer"
    answer = absent(
        lambda: look.aws.apigatewayv2.get_authorizer(ApiId=look.target.name, AuthorizerId=authorizer_id), NOT_FOUND
    )
    if answer is None:
        return Authorizer(resource=look.target.id, source=source, authorizer_id=authorizer_id, exists=False)
    function, qualifier = lambda_in(answer.get("AuthorizerUri") or "", {})
    token = answer.get("JwtConfiguration") or {}
    return Authorizer(
        resource=look.target.id,
        source=source,
        authorizer_id=authorizer_id,
        name=answer.get("Name", ""),
        type=answer.get("AuthorizerType", ""),
        function=function,
        qualifier=qualifier,
        identity_sources=tuple(answer.get("IdentitySource") or ()),
        ttl_seconds=answer.get("AuthorizerResultTtlInSeconds"),
        issuer=token.get("Issuer"),
        audience=tuple(token.get("Audience") or ()),
        credentials=answer.get("AuthorizerCredentialsArn"),
    )


@probe(*WHICH, rest("GetVpcLink"), http("GetVpcLink"), needs=(Routes,), yields=(VpcLink,))
def vpc_links(look: Look) -> Iterator[VpcLink]:
    """The state of the VPC links that integrations go through."""
    found, known = api_of(look), look.seen.first(Routes, look.target.id)
    ids = sorted({route.vpc_link_id for route in known.routes if route.vpc_link_id}) if known else []
    for link_id in ids[:MAX_LINKS] if found else ():
        yield _rest_link(look, link_id) if found and found.rest else _http_link(look, link_id)


def _rest_link(look: Look, link_id: str) -> VpcLink:
    answer = absent(lambda: look.aws.apigateway.get_vpc_link(vpcLinkId=link_id), NOT_FOUND)
    return VpcLink(
        resource=look.target.id,
        source="apigateway:GetVpcLink",
        link_id=link_id,
        exists=answer is not None,
        status=answer.get("status", "") if answer else "",
        message=answer.get("statusMessage", "") if answer else "",
    )


def _http_link(look: Look, link_id: str) -> VpcLink:
    answer = absent(lambda: look.aws.apigatewayv2.get_vpc_link(VpcLinkId=link_id), NOT_FOUND)
    return VpcLink(
        resource=look.target.id,
        source="apigatewayv2:GetVpcLink",
        link_id=link_id,
        exists=answer is not None,
        status=answer.get("VpcLinkStatus", "") if answer else "",
        message=answer.get("VpcLinkStatusMessage", "") if answer else "",
    )
