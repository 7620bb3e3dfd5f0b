"""How the API is set up: itself, its stages and deployments, routes, authorizers, links, domains."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from aws.reads import Read, read
from domain.trace import TraceCall, TraceSegment
from domain.values import utc
from specialists.apigateway.evidence import (
    ApiConfig,
    Authorizer,
    Deployment,
    DomainMappings,
    GatewayResponses,
    PathMapping,
    Route,
    Routes,
    StageConfig,
    Throttle,
    VpcLink,
)
from specialists.apigateway.logformat import format_fields
from specialists.apigateway.lookups import (
    CONTROL,
    STAGES,
    WHICH,
    Api,
    api_of,
    lambda_in,
    stage_name,
    stage_variables,
    stages_of,
)
from specialists.apigateway.policy import parse_policy
from specialists.apigateway.requests import url_of
from specialists.contract import Look, probe
from specialists.kit.answers import absent

MAX_ROUTES = 600
MAX_AUTHORIZERS = 5
MAX_LINKS = 3
MAX_DOMAINS = 3
NOT_FOUND = "NotFoundException"


def rest(operation: str) -> Read:
    """Declare a control-plane read of REST APIs."""
    return read("apigateway", operation, CONTROL)


def http(operation: str) -> Read:
    """Declare a control-plane read of HTTP APIs."""
    return read("apigatewayv2", operation, CONTROL)


@probe(*WHICH, yields=(ApiConfig,))
def api(look: Look) -> Iterator[ApiConfig]:
    """Whether the API exists, of which kind it is, its endpoint types and its resource policy."""
    found = api_of(look)
    if found is None:
        yield ApiConfig(resource=look.target.id, source="apigateway:GetRestApi", exists=False)
        return
    endpoint = found.answer.get("endpointConfiguration") or {}
    cors = found.answer.get("CorsConfiguration")
    policy = found.answer.get("policy")
    yield ApiConfig(
        resource=look.target.id,
        source="apigateway:GetRestApi" if found.rest else "apigatewayv2:GetApi",
        protocol=found.protocol,
        name=found.name,
        endpoint_types=tuple(endpoint.get("types") or ()),
        vpc_endpoint_ids=tuple(endpoint.get("vpcEndpointIds") or ()),
        default_endpoint_disabled=bool(
            found.answer.get("disableExecuteApiEndpoint") or found.answer.get("DisableExecuteApiEndpoint")
        ),
        cors=tuple(cors.get("AllowOrigins") or ()) if cors else None,
        policy=parse_policy(policy) if policy else None,
    )


@probe(*STAGES, yields=(StageConfig,))
def stages(look: Look) -> Iterator[StageConfig]:
    """The stages: which deployment each serves, its throttles, its logs and its canary."""
    found = api_of(look)
    for stage in stages_of(look, found) if found else ():
        yield _rest_stage(look, stage) if found and found.rest else _http_stage(look, stage)


def _rest_stage(look: Look, stage: Mapping[str, Any]) -> StageConfig:
    settings = stage.get("methodSettings") or {}
    levels = {s.get("loggingLevel") or "OFF" for s in settings.values()}
    changed = stage.get("lastUpdatedDate")
    return StageConfig(
        resource=look.target.id,
        source="apigateway:GetStages",
        stage=stage_name(stage),
        deployment_id=stage.get("deploymentId"),
        last_updated_at=utc(changed) if changed else None,
        canary_deployment_id=(stage.get("canarySettings") or {}).get("deploymentId"),
        execution_logging=next((level for level in ("INFO", "ERROR") if level in levels), "OFF"),
        throttles=tuple(
            Throttle(method=method, rate=s.get("throttlingRateLimit"), burst=s.get("throttlingBurstLimit"))
            for method, s in sorted(settings.items())
            if s.get("throttlingRateLimit") is not None and s["throttlingRateLimit"] >= 0
        ),
        variable_names=tuple(sorted(stage.get("variables") or ())),
        **_access_log(
            (stage.get("accessLogSettings") or {}).get("destinationArn"),
            (stage.get("accessLogSettings") or {}).get("format"),
        ),
    )


def _http_stage(look: Look, stage: Mapping[str, Any]) -> StageConfig:
    settings = {"*/*": stage.get("DefaultRouteSettings") or {}, **(stage.get("RouteSettings") or {})}
    changed = stage.get("LastUpdatedDate")
    return StageConfig(
        resource=look.target.id,
        source="apigatewayv2:GetStages",
        stage=stage_name(stage),
        deployment_id=stage.get("DeploymentId"),
        last_updated_at=utc(changed) if changed else None,
        auto_deploy=bool(stage.get("AutoDeploy")),
        throttles=tuple(
            Throttle(method=route, rate=s.get("ThrottlingRateLimit"), burst=s.get("ThrottlingBurstLimit"))
            for route, s in sorted(settings.items())
            if s.get("ThrottlingRateLimit") is not None
        ),
        variable_names=tuple(sorted(stage.get("StageVariables") or ())),
        **_access_log(
            (stage.get("AccessLogSettings") or {}).get("DestinationArn"),
            (stage.get("AccessLogSettings") or {}).get("Format"),
        ),
    )


def _access_log(destination: str | None, log_format: str | None) -> dict[str, Any]:
    """Return where the access log goes, as a log group's name; a Firehose stream cannot be read."""
    _, found, group = (destination or "").partition(":log-group:")
    return {
        "access_log_group": group.removesuffix(":*") if found else None,
        "access_log_fields": format_fields(log_format or ""),
    }


@probe(
    *WHICH, rest("GetDeployment"), http("GetDeployment"), needs=(StageConfig,), yields=(Deployment,)
)
def deployments(look: Look) -> Iterator[Deployment]:
    """The snapshot of routes that each stage really serves, and when it was made."""
    found = api_of(look)
    for stage in look.seen.of(StageConfig, look.target.id):
        if found is None or not stage.deployment_id or stage.auto_deploy:
            continue
        yield (
            _rest_deployment(look, stage.stage, stage.deployment_id)
            if found.rest
            else _http_deployment(look, stage.stage, stage.deployment_id)
        )


def _rest_deployment(look: Look, stage: str, deployment_id: str) -> Deployment:
    answer = look.aws.apigateway.get_deployment(
        restApiId=look.target.name, deploymentId=deployment_id, embed=["apisummary"]
    )
    summary = answer.get("apiSummary")
    return Deployment(
        resource=look.target.id,
        source="apigateway:GetDeployment",
        observed_at=utc(answer["createdDate"]),
        stage=stage,
        deployment_id=deployment_id,
        created_at=utc(answer["createdDate"]),
        methods=tuple(sorted(f"{m} {path}" for path, methods in summary.items() for m in methods)) if summary else None,
    )


def _http_deployment(look: Look, stage: str, deployment_id: str) -> Deployment:
    answer = look.aws.apigatewayv2.get_deployment(ApiId=look.target.name, DeploymentId=deployment_id)
    return Deployment(
        resource=look.target.id,
        source="apigatewayv2:GetDeployment",
        observed_at=utc(answer["CreatedDate"]),
        stage=stage,
        deployment_id=deployment_id,
        created_at=utc(answer["CreatedDate"]),
    )


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
    """Return an HTTP integration's host, or an AWS integration's service path; never a query, which may hold secrets."""
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


@probe(*WHICH, rest("GetGatewayResponses"), yields=(GatewayResponses,))
def gateway_responses(look: Look) -> Iterator[GatewayResponses]:
    """Which error answers were customised, and whether they carry the CORS headers that a browser asks for."""
    found = api_of(look)
    if found is None or not found.rest:
        return
    items = look.aws.apigateway.get_gateway_responses(restApiId=look.target.name, limit=500).get("items", [])
    own = [item for item in items if not item.get("defaultResponse")]
    yield GatewayResponses(
        resource=look.target.id,
        source="apigateway:GetGatewayResponses",
        customised=tuple(sorted(item.get("responseType", "") for item in own)),
        with_cors=tuple(
            sorted(
                item.get("responseType", "")
                for item in own
                if any(key.lower().endswith("access-control-allow-origin") for key in item.get("responseParameters", {}))
            )
        ),
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


@probe(rest("GetBasePathMappings"), yields=(DomainMappings,))
def domain_mappings(look: Look) -> Iterator[DomainMappings]:
    """Where the custom domain of the failing requests leads: a path without a mapping is refused."""
    for domain in _custom_hosts(look)[:MAX_DOMAINS]:
        pages = look.aws.apigateway.get_paginator("get_base_path_mappings")
        items = absent(
            lambda name=domain, pages=pages: [  # type: ignore[misc]
                item for page in pages.paginate(domainName=name) for item in page.get("items", [])
            ],
            NOT_FOUND,
        )
        yield DomainMappings(
            resource=look.target.id,
            source="apigateway:GetBasePathMappings",
            domain=domain,
            exists=items is not None,
            mappings=tuple(
                PathMapping(
                    path=(item.get("basePath") or "").replace("(none)", ""),
                    api_id=item.get("restApiId", ""),
                    stage=item.get("stage", ""),
                )
                for item in items or ()
            ),
        )


def _custom_hosts(look: Look) -> list[str]:
    """Return the hosts, other than AWS's own, under which this API was called or a call was refused."""
    own = [s for s in look.seen.of(TraceSegment, look.target.id) if s.failed]
    refused = [c for c in look.seen.of(TraceCall) if c.http_status in {403, 404}]
    hosts = ((urlsplit(url_of(seen)).hostname or "").lower() for seen in (*own, *refused))
    return sorted({host for host in hosts if host and not host.endswith((".amazonaws.com", ".amazonaws.com.cn"))})
