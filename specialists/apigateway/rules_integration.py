"""Requests that failed on their way to the integration or back: malformed, not permitted, too slow, not reachable."""

import re
from collections.abc import Iterator

from domain.evidence import Evidence
from domain.findings import Finding
from domain.trace import TraceCall, TraceSegment
from specialists.apigateway.evidence import ApiConfig, Authorizer, Protocol, Route, Routes, StageConfig, VpcLink
from specialists.apigateway.guards import InvokePermission
from specialists.apigateway.policy import lets_api_in
from specialists.apigateway.requests import (
    Answer,
    answers,
    api_name,
    failed_functions,
    first_of,
    functions_behind,
    integration_calls,
    matching,
    route_of,
    seen_in,
    stages,
)
from specialists.apigateway.signs import (
    CONFIGURATION_ERROR,
    FUNCTION_ERROR,
    INTEGRATION_FAILURE,
    named,
    stated,
    unexplained,
)
from specialists.apigateway.traffic import changes_like, function_series, integration_latency, server_errors
from specialists.contract import Case, Rule, rule
from specialists.kit.change import Change
from specialists.kit.loglines import LogLines
from specialists.kit.series import MetricSeries

REQUESTS = (TraceSegment, TraceCall, LogLines, StageConfig, Authorizer, Routes)
DEFAULT_TIMEOUT_SECONDS = {Protocol.REST: 29.0, Protocol.HTTP: 30.0}


def _name(arn: str) -> str:
    return arn.rsplit(":", 1)[-1]


def _functions(case: Case) -> str:
    return ", ".join(f"`{_name(f)}`" for f in functions_behind(case)[:3]) or "the integration"


def _is_http(case: Case) -> bool:
    config = case.one(ApiConfig)
    return config is not None and config.protocol is Protocol.HTTP


@rule("apigw-malformed-proxy", sees=(*REQUESTS, MetricSeries))
def malformed_proxy_response(case: Case) -> Iterator[Finding]:
    """The function answered, and API Gateway could not read its answer; or it raised instead of answering."""
    code = "apigw-malformed-proxy"
    said, failed, behind = stated(case, code), failed_functions(case), functions_behind(case)
    raised, bare = matching(answers(case), FUNCTION_ERROR), unexplained(case, 502)
    name, functions = f"`{api_name(case)}`", _functions(case)
    since = first_of([*said, *raised, *bare])
    if said:
        summary = f"{functions} answered in a form that {name} cannot pass on, {len(said)} times"
        deferring = behind if failed or raised else ()
        yield case.hypothesis(code, summary, proof=seen_in(said), since=since, defers_to=deferring)
    elif raised or (bare and failed):
        summary = f"{name} answered 502 because {functions} failed instead of answering"
        seen = (*seen_in([*raised, *bare]), *failed[:2])
        yield case.hypothesis(code, summary, weak=seen, since=since, defers_to=behind)
    elif bare and behind:
        summary = f"{name} answered 502 though {functions} ran without error: its answer is not in proxy format"
        ran = _ran_well(case, behind)
        strong, weak = ((*seen_in(bare), *ran), ()) if ran else ((), seen_in(bare))
        deferring = () if ran else behind
        yield case.hypothesis(code, summary, strong=strong, weak=weak, since=since, defers_to=deferring)


def _ran_well(case: Case, behind: tuple[str, ...]) -> tuple[Evidence, ...]:
    """Return what shows that the functions ran without error, and met none that they could have answered 502 for."""
    if any(c.failed for c in case.evidence.of(TraceCall) if c.caller in behind):
        return ()
    good = tuple(c for c in integration_calls(case) if not c.failed and c.resource in behind)
    return good[:1] or tuple(s for s in function_series(case, "Errors", behind) if s.points and not s.total)[:1]


def _source_arns(case: Case, failing: tuple[Answer, ...], function: str) -> set[str]:
    """Return how the function's policy sees the failing requests; `*` where method, path or stage are not known."""
    stage = case.target.qualifiers[0] if len(case.target.qualifiers) == 1 else "*"
    prefix = f"arn:*:execute-api:{case.target.region or '*'}:{case.target.account or '*'}:{case.target.name}"
    known = {(a.method, route) for a in failing if (route := route_of(case, a)) and route.function == function}
    if not known:
        routes = case.one(Routes)
        known = {("", route) for route in routes.routes if route.function == function} if routes else set()
    return {f"{prefix}/{stage}/{_method_and_path(method, route)}" for method, route in known} or {f"{prefix}/*"}


def _method_and_path(method: str, route: Route) -> str:
    if route.path == "$default":
        return "*"
    verb = method or (route.method if route.method != "ANY" else "*")
    return verb + re.sub(r"\{[^{}]*\}", "*", route.path)


def _barred(case: Case, failing: tuple[Answer, ...]) -> list[InvokePermission]:
    """Return the functions behind the failing requests whose policy does not let this API in."""
    behind = functions_behind(case)
    return [
        p
        for p in case.all(InvokePermission)
        if p.authorizer_id is None
        and (not behind or p.function in behind)
        and not any(lets_api_in(p.policy, arn, case.target.account) for arn in _source_arns(case, failing, p.function))
    ]


def _invoked(case: Case, function: str) -> bool:
    """Tell whether the trace shows that the function ran: it has a segment, or its call was answered with success."""
    good = any(c.resource == function and not c.failed and c.http_status for c in integration_calls(case))
    return good or bool(case.evidence.of(TraceSegment, function))


@rule("apigw-invalid-lambda-permission", sees=(*REQUESTS, InvokePermission, MetricSeries, Change))
def invalid_lambda_permission(case: Case) -> Iterator[Finding]:
    """The function's resource policy does not let this API invoke it, and requests fail with 500 before it runs."""
    code = "apigw-invalid-lambda-permission"
    said = stated(case, code)
    bare = unexplained(case, 500)
    barred = [p for p in _barred(case, said or bare) if not _invoked(case, p.function)]
    there = [p for p in barred if p.function_exists]
    metric = server_errors(case)
    idle = [s for s in function_series(case, "Invocations", [p.function for p in there]) if not s.total]
    removed = changes_like(case, "RemovePermission") if barred else []
    who = ", ".join(p.label for p in barred[:3]) or _functions(case)
    missing = "" if there or not barred else " (it does not exist)"
    summary = f"`{api_name(case)}` may not invoke {who}{missing}: its resource policy has no statement for this API"
    since = first_of([*said, *bare])
    gone = tuple(p.function for p in barred if not p.function_exists)
    if said and not gone:
        yield case.hypothesis(code, summary, proof=(*seen_in(said), *there), strong=removed, since=since)
    elif bare and there:
        yield case.hypothesis(code, summary, proof=(*seen_in(bare), *there), strong=removed, since=since)
    elif (said or bare) and gone:
        yield case.hypothesis(code, summary, strong=(*seen_in(said or bare), *barred), since=since, defers_to=gone)
    elif there and metric and idle and not answers(case):
        since = metric.first_over(metric.usual_peak)
        yield case.hypothesis(code, summary, strong=(metric, *there, *idle[:1], *removed), since=since)


def _timeout_seconds(case: Case) -> float:
    """Return the shortest timeout that the failing requests' integrations have."""
    configured = [r.timeout_ms / 1000 for a in answers(case) if (r := route_of(case, a)) and r.timeout_ms]
    config = case.one(ApiConfig)
    default = DEFAULT_TIMEOUT_SECONDS.get(config.protocol or Protocol.REST, 29.0) if config else 29.0
    return min(configured, default=default)


@rule("apigw-lambda-timeout-504", sees=(*REQUESTS, ApiConfig, MetricSeries))
def integration_timeout(case: Case) -> Iterator[Finding]:
    """The integration did not answer within its timeout."""
    code, limit = "apigw-lambda-timeout-504", _timeout_seconds(case)
    said = stated(case, code)
    statuses = {504, 503} if _is_http(case) else {504}
    bare = unexplained(case, *statuses)
    late = [a for a in bare if (a.seconds or 0) >= 0.95 * limit]
    peaks = _waited(case, limit)
    ran_on = _ran_on(case, limit)
    metric = server_errors(case)
    summary = f"{_functions(case)} did not answer `{api_name(case)}` within the integration timeout of {limit:g} s"
    deeper = tuple(f for f in functions_behind(case) if not ran_on and not _slow_by_itself(case, f, limit))
    common = {"since": first_of([*said, *bare]), "defers_to": deeper}
    strong = (*peaks, *ran_on)
    if said:
        yield case.hypothesis(code, summary, proof=seen_in(said), strong=strong, **common)  # type: ignore[arg-type]
    elif late or (bare and peaks):
        yield case.hypothesis(code, summary, strong=(*seen_in(late or bare), *strong), **common)  # type: ignore[arg-type]
    elif bare and not _quick(bare, limit) and not _tokens(case, INTEGRATION_FAILURE):
        yield case.hypothesis(code, summary, weak=seen_in(bare), **common)  # type: ignore[arg-type]
    elif metric and peaks and not answers(case):
        since = metric.first_over(metric.usual_peak)
        yield case.hypothesis(code, summary, strong=(metric, *strong), since=since, defers_to=deeper)


def _waited(case: Case, limit: float) -> list[MetricSeries]:
    """Return the integration's latency where it came up to the timeout."""
    return [s for s in integration_latency(case) if s.peak >= 950 * limit][:1]


def _ran_on(case: Case, limit: float) -> list[MetricSeries]:
    """Return the durations of the one function behind, where it ran on beyond the timeout and came to a good end."""
    behind = functions_behind(case)
    durations = function_series(case, "Duration", behind)
    failed = any(s.total for s in function_series(case, "Errors", behind))
    return [s for s in durations if len(behind) == 1 and not failed and s.peak > 1000 * limit]


def _slow_by_itself(case: Case, function: str, limit: float) -> bool:
    """Tell whether the traced run ended well after the limit and worked, not waited: nothing below it is to blame."""
    runs = case.evidence.of(TraceSegment, function)
    longest = max((s.seconds or 0.0 for s in runs), default=0.0)
    waited = sum(c.seconds for c in case.evidence.of(TraceCall) if c.caller == function)
    return longest >= limit and not any(s.failed for s in runs) and waited < 0.5 * longest


def _quick(found: tuple[Answer, ...], limit: float) -> bool:
    """Tell whether every answer came too early for a timeout."""
    return all(a.seconds is not None and a.seconds < 0.9 * limit for a in found)


def _tokens(case: Case, sign: re.Pattern[str]) -> tuple[Answer, ...]:
    """Return the answers that carry only the token, with no words that say more."""
    return tuple(a for a in matching(answers(case), sign) if not named(a))


def _endpoints(case: Case) -> list[Route]:
    """Return the failing requests' routes that lead to an HTTP endpoint or a VPC link."""
    found = (route_of(case, a) for a in answers(case))
    return list({r.label: r for r in found if r and not r.function and (r.endpoint or r.vpc_link_id)}.values())


@rule("apigw-integration-failure", sees=(*REQUESTS, ApiConfig, VpcLink, MetricSeries))
def integration_not_reachable(case: Case) -> Iterator[Finding]:
    """The HTTP backend or VPC link refused or closed the connection."""
    code, http = "apigw-integration-failure", _endpoints(case)
    said, tokens = stated(case, code), _tokens(case, INTEGRATION_FAILURE)
    broken = [link for link in case.all(VpcLink) if not link.usable]
    failing = unexplained(case, 500, 503, 504)
    limit = _timeout_seconds(case)
    quick = [a for a in failing if a.status in {503, 504}] if http and _quick(failing, limit) else []
    where = ", ".join(f"`{r.endpoint or r.vpc_link_id}`" for r in http[:2]) or "the integration"
    summary = f"`{api_name(case)}` could not talk to {where}: the connection was refused or broke"
    since, behind = first_of([*said, *tokens, *failing]), functions_behind(case)
    if broken and (said or tokens or failing):
        state = broken[0].status or "gone"
        summary = f"VPC link {broken[0].link_id}, through which `{api_name(case)}` reaches {where}, is {state}"
        yield case.hypothesis(code, summary, proof=(*seen_in([*said, *tokens, *failing]), *broken), since=since)
    elif said:
        yield case.hypothesis(code, summary, proof=seen_in(said), since=since)
    elif tokens and not behind:
        yield case.hypothesis(code, summary, proof=seen_in(tokens), since=since)
    elif quick:
        yield case.hypothesis(code, summary, strong=(*seen_in(quick), *_known_routes(case)), since=since)
    elif tokens:
        yield case.hypothesis(code, summary, weak=seen_in(tokens), since=since, defers_to=behind)


def _known_routes(case: Case) -> tuple[Evidence, ...]:
    known = case.one(Routes)
    return (known,) if known else ()


@rule("apigw-mapping-error", sees=(*REQUESTS, InvokePermission, Change))
def mapping_template_fails(case: Case) -> Iterator[Finding]:
    """A mapping template or integration response does not fit what came."""
    code = "apigw-mapping-error"
    said = stated(case, code)
    tokens = _tokens(case, CONFIGURATION_ERROR)
    edits = changes_like(case, "PutIntegration", "UpdateIntegration", "DeleteIntegrationResponse", "PutMethodResponse")
    summary = f"`{api_name(case)}` cannot turn the request or the integration's answer into the other's form"
    if said:
        yield case.hypothesis(code, summary, proof=seen_in(said), strong=edits, since=first_of(said))
    elif tokens and not _barred(case, tokens):
        proxied = [a for a in tokens if (r := route_of(case, a)) and r.integration.endswith("_PROXY")]
        graded = "weak" if proxied or not edits else "strong"
        support: dict[str, tuple[Evidence, ...]] = {graded: (*seen_in(tokens), *edits)}
        yield case.hypothesis(code, summary, since=first_of(tokens), **support)  # type: ignore[arg-type]


@rule("apigw-http-api-integration-error", sees=(*REQUESTS, ApiConfig, InvokePermission, MetricSeries))
def http_api_integration_error(case: Case) -> Iterator[Finding]:
    """An HTTP API answers 500, and only its access log variable integrationErrorMessage could say why."""
    if not _is_http(case):
        return
    code, behind, failed = "apigw-http-api-integration-error", functions_behind(case), failed_functions(case)
    bare = unexplained(case, 500, 502, 503)
    told = [a for a in bare if dict(a.variables).get("integrationErrorMessage")]
    limit = _timeout_seconds(case)
    slow = any(a.status == 503 and (a.seconds or 0) >= 0.95 * limit for a in bare)
    waited = not told and all(a.status == 503 and a.seconds is None for a in bare) and _waited(case, limit)
    barred = [p for p in _barred(case, bare) if not _invoked(case, p.function)]
    if not bare or slow or waited or barred:
        return
    since = first_of(bare)
    if told and not failed:
        reason = dict(told[0].variables)["integrationErrorMessage"][:160]
        summary = f"The integration of HTTP API `{api_name(case)}` failed: {reason}"
        yield case.hypothesis(code, summary, proof=seen_in(told), since=since, defers_to=behind)
        return
    summary = f"HTTP API `{api_name(case)}` answered {bare[0].status}: {_functions(case)} failed"
    yield case.hypothesis(code, summary, weak=(*seen_in(bare), *failed[:2]), since=since, defers_to=behind)
    logged = any("integrationErrorMessage" in s.access_log_fields.values() for s in stages(case))
    if not told and not logged:
        yield case.advice(
            f"Log $context.integrationErrorMessage in the access log of `{api_name(case)}`: only it names the reason",
            *seen_in(bare, 1),
        )


RULES: tuple[Rule, ...] = (
    malformed_proxy_response,
    invalid_lambda_permission,
    integration_timeout,
    integration_not_reachable,
    mapping_template_fails,
    http_api_integration_error,
)
