"""Which configurations would explain a bare 403: when two fit, neither is more than weak. Pure."""

from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlsplit

from domain.evidence import Evidence
from domain.trace import TraceCall
from specialists.apigateway.evidence import (
    ApiConfig,
    Authorizer,
    Deployment,
    DomainMappings,
    Protocol,
    Route,
    Routes,
    StageConfig,
)
from specialists.apigateway.guards import ApiKeys, UsagePlans, WebAcl
from specialists.apigateway.requests import Answer, authorizer_calls, route_of, url_of
from specialists.apigateway.signs import unexplained
from specialists.apigateway.traffic import changes_like
from specialists.contract import Case
from specialists.kit.change import Change
from specialists.kit.series import MetricSeries

ROUTING_CHANGES = (
    "CreateResource",
    "PutMethod",
    "UpdateMethod",
    "PutIntegration",
    "UpdateIntegration",
    "CreateRoute",
    "UpdateRoute",
    "CreateIntegration",
    "PutRestApi",
    "ImportApi",
    "ReimportApi",
)


def refused_requests(case: Case, *statuses: int) -> tuple[Answer, ...]:
    """Return the unexplained refusals of requests proper: a browser's preflight is its own story."""
    return tuple(a for a in unexplained(case, *statuses) if a.method != "OPTIONS")


def _routes_of(case: Case, found: tuple[Answer, ...]) -> list[Route]:
    return [route for a in found if (route := route_of(case, a))]


def key_required(case: Case, found: tuple[Answer, ...]) -> tuple[Evidence, ...]:
    """The routes ask for an API key; with it whatever is wrong with keys or plans."""
    known, plans, keys = case.one(Routes), case.one(UsagePlans), case.one(ApiKeys)
    asked = [r for r in _routes_of(case, found) if r.api_key_required]
    if not asked or known is None:
        return ()
    wrong: list[Evidence] = []
    if plans and not plans.plans:
        wrong.append(plans)
    if keys and (keys.disabled or not keys.enabled):
        wrong.append(keys)
    edits = changes_like(
        case, "UpdateApiKey", "DeleteApiKey", "DeleteUsagePlanKey", "UpdateUsagePlan", "DeleteUsagePlan"
    )
    return (known, *wrong, *edits)


def blocked_by_acl(case: Case, found: tuple[Answer, ...]) -> tuple[Evidence, ...]:
    """A web ACL stands in front and blocked requests in the window."""
    acl = next((a for a in case.all(WebAcl) if a.name), None)
    blocked = next((s for s in case.all(MetricSeries) if s.metric == "BlockedRequests" and s.total), None)
    return (acl, blocked) if acl and blocked and found else ()


def denied_by_authorizer(case: Case, found: tuple[Answer, ...]) -> tuple[Evidence, ...]:
    """The routes have a Lambda authorizer, which answered."""
    asked = {r.authorizer_id for r in _routes_of(case, found) if r.authorizer_id}
    deciding = [a for a in case.all(Authorizer) if a.authorizer_id in asked and a.type in {"TOKEN", "REQUEST"}]
    calls = authorizer_calls(case)
    if not deciding or any(call.failed for call in calls):
        return ()
    return (*deciding[:1], *calls[:1])


def closed_by_policy(case: Case, found: tuple[Answer, ...]) -> tuple[Evidence, ...]:
    """The API's resource policy keeps callers out: a Deny, or a private API without any Allow."""
    config = case.one(ApiConfig)
    if config is None or not found or (config.policy is not None and not config.policy.readable):
        return ()
    statements = config.policy.statements if config.policy else ()
    denies = any(s.effect == "Deny" for s in statements)
    shut = config.private and not any(s.effect == "Allow" for s in statements)
    return (config, *changes_like(case, "UpdateRestApi")) if denies or shut else ()


def no_such_route(case: Case, found: tuple[Answer, ...]) -> tuple[Evidence, ...]:
    """The API has no route for the request."""
    known = case.one(Routes)
    asked = [a for a in found if a.method and a.path]
    if known is None or known.truncated or not asked or any(route_of(case, a) for a in asked):
        return ()
    return (known,)


def undeployed(case: Case, found: tuple[Answer, ...]) -> tuple[Evidence, ...]:
    """The route is configured, and the deployment that the stage serves does not have it."""
    known = case.one(Routes)
    for deployment in case.all(Deployment):
        routes = [r for r in _routes_of(case, found) if r.path != "$default"]
        if deployment.methods is None or not routes or known is None:
            continue
        served = {m.upper() for m in deployment.methods}
        if all(
            {r.label.upper(), f"ANY {r.path}".upper(), f"X-AMAZON-APIGATEWAY-ANY-METHOD {r.path}".upper()}.isdisjoint(
                served
            )
            for r in routes
        ):
            return (deployment, known)
    return ()


def changed_since_deployment(case: Case) -> tuple[Evidence, ...]:
    """Routes were changed after the deployment that the stage serves; the deployment first."""
    for deployment in case.all(Deployment):
        stage = next((s for s in case.all(StageConfig) if s.stage == deployment.stage), None)
        later = [
            c for c in changes_like(case, *ROUTING_CHANGES) if c.observed_at and c.observed_at > deployment.created_at
        ]
        if later and not (stage and stage.auto_deploy):
            return (deployment, *later[:3])
    return ()


def mapping_refusals(case: Case) -> tuple[tuple[TraceCall, ...], DomainMappings | None]:
    """Return the calls that a custom domain refused for want of a mapping, and that domain."""
    for domain in case.all(DomainMappings):
        calls = tuple(
            c
            for c in case.evidence.of(TraceCall)
            if c.http_status in {403, 404}
            and (place := host_and_path(c))[0] == domain.domain
            and domain.mapping_for(place[1]) is None
        )
        if domain.exists and calls and (leads_here(case, domain) or _lost(case, domain, calls)):
            return calls, domain
    return (), None


def leads_here(case: Case, domain: DomainMappings) -> bool:
    """Tell whether the domain is this API's: it leads here, or led somewhere that is mapped no more."""
    leads = {m.api_id for m in domain.mappings}
    return not leads or case.target.name in leads


def _lost(case: Case, domain: DomainMappings, calls: tuple[TraceCall, ...]) -> bool:
    """Tell whether the domain, which leads elsewhere by other paths, may have led here until somebody changed it."""
    return bool(mapping_changes(case, domain, calls)) and not case.segments(failed=False)


def mapping_changes(case: Case, domain: DomainMappings, calls: tuple[TraceCall, ...]) -> list[Change]:
    """Return the changes that took the mapping of the refused calls away, oldest first."""
    edits = changes_like(case, "DeleteBasePathMapping", "UpdateBasePathMapping", "DeleteApiMapping", "UpdateApiMapping")
    paths = [host_and_path(c)[1] for c in calls]
    return [
        c
        for c in edits
        if domain.domain in c.parameters.values()
        and any(_below(path, c.parameters.get("basePath", "")) for path in paths)
    ]


def _below(path: str, base: str) -> bool:
    return base in {"", "(none)"} or f"{path}/".startswith(f"/{base}/")


def host_and_path(call: TraceCall) -> tuple[str, str]:
    """Return the host and path of a traced request."""
    url = urlsplit(url_of(call))
    return (url.hostname or "").lower(), url.path


def rest_api(case: Case) -> bool:
    """Tell whether the API is a REST API, as far as known."""
    config = case.one(ApiConfig)
    return config is None or config.protocol in {Protocol.REST, None}


REASONS: dict[str, Callable[[Case, tuple[Answer, ...]], tuple[Evidence, ...]]] = {
    "apigw-invalid-api-key": key_required,
    "apigw-waf-blocked": blocked_by_acl,
    "apigw-authorizer-denied": denied_by_authorizer,
    "apigw-private-endpoint-policy": closed_by_policy,
    "apigw-missing-auth-token": no_such_route,
    "apigw-not-deployed": undeployed,
}
"""What explains a bare 403, by cause."""


class Reason(NamedTuple):
    """What explains bare 403s by one cause; `rivals` holds a piece of evidence for every other cause that would too."""

    found: tuple[Answer, ...]
    why: tuple[Evidence, ...]
    rivals: tuple[Evidence, ...]

    @property
    def sure(self) -> bool:
        """Whether nothing else explains them, and API Gateway is known to have refused them itself."""
        return not self.rivals and all(a.reached is False for a in self.found)


def reason_for_403(case: Case, code: str) -> Reason | None:
    """Return the bare 403s and what explains them by this cause, or None where it does not."""
    found = refused_requests(case, 403)
    if not found or mapping_refusals(case)[0]:
        return None
    fits = {other: why for other, explains in REASONS.items() if (why := explains(case, found))}
    others = (why[0] for other, why in fits.items() if other != code)
    return Reason(found, fits[code], tuple(others)) if code in fits else None
