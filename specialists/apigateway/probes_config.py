"""How the API is set up: itself, its stages and deployments, error answers and custom domains."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from aws.reads import Read, read
from domain.trace import TraceCall, TraceSegment
from domain.values import utc
from specialists.apigateway.evidence import (
    ApiConfig,
    Deployment,
    DomainMappings,
    GatewayResponses,
    PathMapping,
    StageConfig,
    Throttle,
)
from specialists.apigateway.logformat import format_fields
from specialists.apigateway.lookups import (
    CONTROL,
    STAGES,
    WHICH,
    api_of,
    stage_name,
    stages_of,
)
from specialists.apigateway.policy import parse_policy
from specialists.apigateway.requests import url_of
from specialists.contract import Look, probe
from specialists.kit.answers import absent

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


@probe(*WHICH, rest("GetDeployment"), http("GetDeployment"), needs=(StageConfig,), yields=(Deployment,))
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
                if any(
                    key.lower().endswith("access-control-allow-origin") for key in item.get("responseParameters", {})
                )
            )
        ),
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
    own = [url_of(s) for s in look.seen.of(TraceSegment, look.target.id) if s.failed]
    refused = [url_of(c) for c in look.seen.of(TraceCall) if c.http_status in {403, 404}]
    hosts = ((urlsplit(url).hostname or "").lower() for url in (*own, *refused))
    return sorted({host for host in hosts if host and not host.endswith((".amazonaws.com", ".amazonaws.com.cn"))})
