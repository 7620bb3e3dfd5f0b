"""What happened: metrics, logs and changes around the failing requests."""

import json
import re
from collections.abc import Iterator
from typing import Any

from domain.evidence import Evidence
from domain.trace import TraceSegment
from domain.values import utc
from specialists.apigateway import logformat
from specialists.apigateway.evidence import Authorizer, MissingLogGroup, Routes, StageConfig
from specialists.apigateway.guards import InvokePermission
from specialists.apigateway.lookups import STAGES, api_of, stage_name, stages_of
from specialists.apigateway.policy import lets_api_in
from specialists.apigateway.requests import EXECUTION
from specialists.contract import Look, probe
from specialists.kit.answers import absent
from specialists.kit.change import Change
from specialists.kit.changes import LOOK_BACK, LOOKUP_EVENTS, MAX_PAGES, changes, flatten
from specialists.kit.loglines import LogLines
from specialists.kit.logs import FILTER_LOG_EVENTS, log_lines
from specialists.kit.metrics import GET_METRIC_DATA, Metric, metric_series
from specialists.kit.series import MetricSeries

REST_METRICS = (("Count", "Sum"), ("4XXError", "Sum"), ("5XXError", "Sum"))
HTTP_METRICS = (("Count", "Sum"), ("4xx", "Sum"), ("5xx", "Sum"))
LATENCIES = (("Latency", "Maximum"), ("IntegrationLatency", "Maximum"))
FUNCTION_METRICS = (("Invocations", "Sum"), ("Errors", "Sum"), ("Throttles", "Sum"), ("Duration", "Maximum"))
SHARED = re.compile(r"ApiKey|UsagePlan|BasePathMapping|ApiMapping|DomainName|VpcLink")
REFUSED = frozenset({401, 403, 500})
"""What an API answers where its authorizer said no, or nothing."""

MAX_FUNCTIONS = 3
MAX_REQUESTS = 5


@probe(*STAGES, GET_METRIC_DATA, yields=(MetricSeries,))
def traffic(look: Look) -> Iterator[MetricSeries]:
    """How many requests came, how many failed, and how slow the API and its integration were."""
    found = api_of(look)
    if found is None:
        return
    whole = {"ApiName": found.name} if found.rest else {"ApiId": look.target.name}
    names = (*(REST_METRICS if found.rest else HTTP_METRICS), *LATENCIES)
    series = [whole, *({**whole, "Stage": stage_name(stage)} for stage in stages_of(look, found))]
    yield from metric_series(
        look, [Metric("AWS/ApiGateway", name, dims, statistic) for dims in series for name, statistic in names]
    )


@probe(GET_METRIC_DATA, needs=(Routes,), yields=(MetricSeries,))
def function_traffic(look: Look) -> Iterator[MetricSeries]:
    """Whether the functions behind the routes were invoked, failed, were throttled or slow."""
    known = look.seen.first(Routes, look.target.id)
    routed = [route.function for route in known.routes if route.function] if known else []
    called = set(look.graph.callees(look.target.id))
    functions = sorted(dict.fromkeys(routed), key=lambda f: (f not in called, routed.index(f)))[:MAX_FUNCTIONS]
    yield from metric_series(
        look,
        [
            Metric("AWS/Lambda", name, {"FunctionName": function.rsplit(":", 1)[-1]}, statistic)
            for function in functions
            for name, statistic in FUNCTION_METRICS
        ],
    )


@probe(FILTER_LOG_EVENTS, needs=(StageConfig,), yields=(LogLines, MissingLogGroup))
def execution_log(look: Look) -> Iterator[Evidence]:
    """What API Gateway wrote about requests that failed, and the whole story of the first few of them."""
    for stage in look.seen.of(StageConfig, look.target.id):
        group = f"{EXECUTION}{look.target.name}/{stage.stage}"
        failures = absent(lambda name=group: _failures(look, name), "ResourceNotFoundException")  # type: ignore[misc]
        if failures is None:
            yield MissingLogGroup(resource=look.target.id, source="logs:FilterLogEvents", log_group=group)
            continue
        yield failures
        ids = list(dict.fromkeys(filter(None, (logformat.request_id(e.message) for e in failures.events))))[
            :MAX_REQUESTS
        ]
        if ids:
            yield log_lines(
                look,
                group,
                " ".join(f'?"{request}"' for request in ids),
                named="first failing requests",
                keep=lambda line, ids=ids: any(request in line for request in ids),  # type: ignore[misc]
            )


def _failures(look: Look, group: str) -> LogLines:
    return log_lines(
        look,
        group,
        logformat.EXECUTION_FILTER,
        named="failures",
        keep=lambda line: bool(logformat.EXECUTION_FAILURE.search(line)),
    )


@probe(FILTER_LOG_EVENTS, needs=(StageConfig,), yields=(LogLines, MissingLogGroup))
def access_log(look: Look) -> Iterator[Evidence]:
    """The access log's lines of requests that were answered with 400 or above."""
    for stage in look.seen.of(StageConfig, look.target.id):
        group = stage.access_log_group
        if group is None:
            continue
        lines = absent(lambda s=stage, name=group: _refusals(look, s, name), "ResourceNotFoundException")  # type: ignore[misc]
        yield lines or MissingLogGroup(resource=look.target.id, source="logs:FilterLogEvents", log_group=group)


def _refusals(look: Look, stage: StageConfig, group: str) -> LogLines:
    return log_lines(
        look,
        group,
        logformat.failing_pattern(stage.access_log_fields),
        named="requests answered with 400 or above",
        keep=lambda line: logformat.is_failure(line, stage.access_log_fields),
    )


@probe(LOOKUP_EVENTS, yields=(Change,))
def api_changes(look: Look) -> Iterator[Change]:
    """Who changed the API, its routes, stages, keys or domain in the last day."""
    yield from changes(look, look.target.name)


@probe(LOOKUP_EVENTS, yields=(Change,))
def service_changes(look: Look) -> Iterator[Change]:
    """The same from all of API Gateway's events, whose resource CloudTrail often leaves out."""
    pages = look.aws.cloudtrail.get_paginator("lookup_events").paginate(
        LookupAttributes=[{"AttributeKey": "EventSource", "AttributeValue": "apigateway.amazonaws.com"}],
        StartTime=look.window.start - LOOK_BACK,
        EndTime=look.window.end,
        PaginationConfig={"MaxItems": 50 * MAX_PAGES},
    )
    for event in (event for page in pages for event in page.get("Events", [])):
        detail = _json(event.get("CloudTrailEvent", ""))
        asked = flatten(detail.get("requestParameters") or {})
        if (
            detail.get("readOnly") is True
            or event.get("ReadOnly") == "true"
            or not _concerns(look.target.name, event.get("EventName", ""), asked)
        ):
            continue
        identity = detail.get("userIdentity") or {}
        yield Change(
            resource=look.target.id,
            source="cloudtrail:LookupEvents",
            observed_at=utc(event["EventTime"]),
            event_id=event.get("EventId", ""),
            event_name=event.get("EventName", ""),
            event_source=event.get("EventSource", ""),
            who=event.get("Username") or str(identity.get("arn", "")).rsplit("/", 1)[-1] or "unknown",
            parameters=asked,
            error_code=detail.get("errorCode"),
        )


def _concerns(api_id: str, event_name: str, asked: dict[str, str]) -> bool:
    """Tell whether an event is about the API, or about something that events name without an API: keys, domains."""
    named = [value for key, value in asked.items() if key.rsplit(".", 1)[-1].lower() in {"restapiid", "apiid"}]
    return api_id in named or (not named and SHARED.search(event_name) is not None)


def _json(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except json.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


@probe(LOOKUP_EVENTS, needs=(InvokePermission,), yields=(Change,))
def permission_changes(look: Look) -> Iterator[Change]:
    """Who took away a function's invoke permission, where one is missing."""
    for permission in look.seen.of(InvokePermission, look.target.id):
        if permission.function_exists and not lets_api_in(permission.policy, source_arn(look), look.target.account):
            yield from changes(look, permission.function_name)


@probe(LOOKUP_EVENTS, needs=(Authorizer,), yields=(Change,))
def authorizer_changes(look: Look) -> Iterator[Change]:
    """Who changed the functions of the authorizers, where requests are refused or fail."""
    answered = {s.http_status for s in look.seen.of(TraceSegment, look.target.id)}
    asking = {a.function for a in look.seen.of(Authorizer, look.target.id) if a.function}
    for function in sorted(asking)[:MAX_FUNCTIONS] if not answered or answered & REFUSED else ():
        yield from changes(look, function.rsplit(":", 1)[-1])


def source_arn(look: Look) -> str:
    """Return the API as a function's policy sees it, whatever the stage, method and path."""
    return f"arn:*:execute-api:*:*:{look.target.name}/*"
