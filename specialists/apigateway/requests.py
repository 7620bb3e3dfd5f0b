"""The requests that failed, as the trace and API Gateway's logs tell of them. Pure."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from urllib.parse import urlsplit

from domain.evidence import Evidence
from domain.resource import ResourceType
from domain.trace import TraceCall, TracedError, TraceSegment
from specialists.apigateway import logformat
from specialists.apigateway.evidence import ApiConfig, Authorizer, DomainMappings, Route, Routes, StageConfig
from specialists.contract import Case
from specialists.kit.loglines import LogEvent, LogLines

EXECUTION = "API-Gateway-Execution-Logs_"
REASON_PHRASE = re.compile(
    r"\b[45]\d\d\W{0,3}(?:(?:client|server) error\W{0,3})?(?:bad request|unauthorized|forbidden|not found"
    r"|too many requests|request entity too large|payload too large|content too large|internal server error|bad gateway"
    r"|service unavailable|gateway time-?out)",
    re.IGNORECASE,
)
"""A status with its standard phrase, as HTTP clients print it: it says no more than the status does."""


@dataclass(frozen=True)
class Answer:
    """One failed answer of the API.

    `said` is what API Gateway (or its caller's exception) said about it; `reached` tells whether the integration was
    called, None where nobody knows; `passed_on` that the status is the function's own; `path` is without the stage.
    """

    evidence: Evidence
    at: datetime
    said: str = ""
    status: int | None = None
    method: str = ""
    host: str = ""
    path: str = ""
    seconds: float | None = None
    reached: bool | None = None
    passed_on: bool = False
    variables: tuple[tuple[str, str], ...] = ()

    @property
    def request(self) -> str:
        """The request as people write it."""
        return f"{self.method} {self.path}".strip() or "a request"


def api_name(case: Case) -> str:
    """Return the API's name where it is known, else its id."""
    config = case.one(ApiConfig)
    return (config.name if config else "") or case.target.alias or case.target.name


@lru_cache(maxsize=4)  # every rule asks, some more than once
def answers(case: Case) -> tuple[Answer, ...]:
    """Return every failed answer that the trace and the logs show, oldest first."""
    found = [*_traced(case), *_logged(case)]
    return tuple(sorted(found, key=lambda a: (a.at, a.evidence.kind, a.status or 0, a.said)))


def _traced(case: Case) -> Iterator[Answer]:
    reached = bool(integration_calls(case)) if case.segments() else None
    traced: tuple[TraceCall | TraceSegment, ...] = (*case.segments(), *case.calls_to())
    for seen in traced:
        if not (seen.failed or (seen.http_status or 0) >= 400):
            continue
        url = urlsplit(url_of(seen))
        yield Answer(
            evidence=seen,
            at=seen.start,
            said=" | ".join(_words(error) for error in seen.errors),
            status=seen.http_status,
            method=_attribute(seen, "method").upper(),
            host=(url.hostname or "").lower(),
            path=_without_stage(case, (url.hostname or "").lower(), url.path),
            seconds=seen.seconds,
            reached=reached,
        )


def url_of(seen: TraceCall | TraceSegment) -> str:
    """Return the URL of a traced request, or ""."""
    return _attribute(seen, "url")


def _attribute(seen: TraceCall | TraceSegment, name: str) -> str:
    return seen.attributes.get(f"http.{name}") or seen.attributes.get(name, "")


def _words(error: TracedError) -> str:
    words = " ".join(filter(None, (error.code, error.type, error.message)))
    return REASON_PHRASE.sub(" ", words)


def _without_stage(case: Case, host: str, path: str) -> str:
    head, _, rest = path.lstrip("/").partition("/")
    if ".execute-api." in host:
        return f"/{rest}" if head and head in stage_names(case) else path
    domain = next((d for d in case.all(DomainMappings) if d.domain == host), None)
    mapping = domain.mapping_for(path) if domain else None
    return "/" + path.removeprefix(f"/{mapping.path}").lstrip("/") if mapping and mapping.path else path


def stage_names(case: Case) -> frozenset[str]:
    """Return the stages that the case is about or knows of."""
    return frozenset({*case.target.qualifiers, *(s.stage for s in case.all(StageConfig))})


def stages(case: Case) -> tuple[StageConfig, ...]:
    """Return the stages that the case is about: those that the trace named, else all."""
    known = case.all(StageConfig)
    return tuple(s for s in known if s.stage in case.target.qualifiers) or known


def _logged(case: Case) -> Iterator[Answer]:
    for lines in case.all(LogLines):
        if lines.log_group.startswith(EXECUTION):
            yield from _executions(lines)
        else:
            stage = next((s for s in case.all(StageConfig) if s.access_log_group == lines.log_group), None)
            for event in lines.events:
                yield from _accessed(case, lines, event, stage.access_log_fields if stage else {})


def _accessed(case: Case, lines: LogLines, event: LogEvent, fields: dict[str, str]) -> Iterator[Answer]:
    variables = logformat.read_access_line(event.message, fields)
    status = variables.get("status", "")
    if not status.isdigit() or int(status) < 400:
        return
    method, _, path = variables.get("routeKey", "").partition(" ")
    answer = Answer(
        evidence=lines,
        at=event.at,
        said=logformat.own_words(variables),
        status=int(status),
        method=variables.get("httpMethod", method).upper(),
        path=_without_stage(case, ".execute-api.", variables.get("path", path)),
        reached=variables.get("integrationStatus", "").isdigit() if "integrationStatus" in fields.values() else None,
        passed_on=variables.get("integration.status") == status,
        variables=tuple(sorted(variables.items())),
    )
    route = route_of(case, answer)
    backends = (
        route is not None and route.integration.startswith("HTTP") and variables.get("integrationStatus") == status
    )
    yield replace(answer, passed_on=True) if backends else answer


def _executions(lines: LogLines) -> Iterator[Answer]:
    """Yield one answer a request, from all the lines that the log has of it."""
    by_request: dict[str, list[LogEvent]] = {}
    for event in lines.events:
        by_request.setdefault(logformat.request_id(event.message) or event.message, []).append(event)
    for events in by_request.values():
        own = "\n".join(e.message for e in events if not logformat.CLIENT_TEXT.search(e.message[:200]))
        if not logformat.EXECUTION_FAILURE.search(own):
            continue
        status, started = logformat.COMPLETED.search(own), logformat.STARTED.search(own)
        yield Answer(
            evidence=lines,
            at=events[0].at,
            said=own,
            status=int(status[1]) if status else None,
            method=started[1].upper() if started else "",
            path=started[2] if started else "",
        )


def integration_calls(case: Case) -> tuple[TraceCall, ...]:
    """Return the API's calls in the trace that are not calls to an authorizer."""
    checking = {a.function for a in case.all(Authorizer)}
    return tuple(call for call in case.calls_from() if call.resource not in checking)


def authorizer_calls(case: Case) -> tuple[TraceCall, ...]:
    """Return the API's calls to its authorizers' functions."""
    checking = {a.function for a in case.all(Authorizer)}
    return tuple(call for call in case.calls_from() if call.resource in checking)


def functions_behind(case: Case) -> tuple[str, ...]:
    """Return the Lambda functions that do the work: those in the trace, else those of the failing requests' routes."""
    traced = [call.resource for call in integration_calls(case) if ":function:" in call.resource]
    if not traced:
        checking = {a.function for a in case.all(Authorizer)}
        nodes = ((case.graph.node(n), n) for n in case.graph.callees(case.target.id))
        traced = [n for node, n in nodes if node and node.type is ResourceType.LAMBDA and n not in checking]
    routed = [route.function for a in answers(case) if (route := route_of(case, a)) and route.function]
    return tuple(dict.fromkeys(traced or routed))


def failed_functions(case: Case) -> tuple[Evidence, ...]:
    """Return what the trace shows of failures in the functions behind: failed calls to them and failed segments."""
    behind = set(functions_behind(case))
    calls = [c for c in integration_calls(case) if c.failed and c.resource in behind]
    segments = [s for s in case.evidence.of(TraceSegment) if s.failed and s.resource in behind]
    return (*calls, *segments)


def route_of(case: Case, answer: Answer) -> Route | None:
    """Return the configured route that takes the request, when its method and path are known."""
    routes = case.one(Routes)
    return routes.route_for(answer.method, answer.path) if routes and answer.method and answer.path else None


def matching(found: Iterable[Answer], sign: re.Pattern[str], *statuses: int) -> tuple[Answer, ...]:
    """Return the answers in which API Gateway said so; with statuses, only those that had one of them or none known."""
    return tuple(a for a in found if sign.search(a.said) and (not statuses or a.status is None or a.status in statuses))


def refused(found: Iterable[Answer], *statuses: int) -> tuple[Answer, ...]:
    """Return the answers with one of the statuses that API Gateway is known to have given itself."""
    return tuple(a for a in found if a.status in statuses and a.reached is False)


def seen_in(found: Iterable[Answer], most: int = 3) -> tuple[Evidence, ...]:
    """Return the evidence of the answers, each once."""
    return tuple({id(a.evidence): a.evidence for a in found}.values())[:most]


def named_requests(found: Iterable[Answer]) -> str:
    """Return the requests as people write them, three at most: "`POST /orders`"."""
    known = list(dict.fromkeys(f"`{a.request}`" for a in found if a.method and a.path))
    return ", ".join(known[:3]) or "requests"


def first_of(found: Iterable[Answer]) -> datetime | None:
    """Return when it was first seen."""
    return min((a.at for a in found), default=None)
