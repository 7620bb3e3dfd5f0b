# ruff: noqa: E501 - a table reads best with a row to a line
"""What went wrong, by its kind, and when it began, as the trace and the alarms tell."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from domain.alarm import AlarmState, AlarmTransition
from domain.evidence import Evidence, EvidenceBundle
from domain.graph import ServiceGraph
from domain.resource import ResourceType
from domain.trace import TraceCall, TracedError, TraceSegment
from domain.window import Window

BEFORE_TRACE = timedelta(minutes=15)
"""How long before what was asked about a window begins."""


AT_LIMIT = 0.02
"""How near its time limit a run must have ended to have run into it, as a share of the limit."""


OUT_OF_SERVICE = frozenset({502, 503})
"""What a proxy or a server answers for a service that is down or overloaded."""


class Kind(StrEnum):
    """A kind of failure, in words for people."""

    TIMEOUT = "time-outs"
    THROTTLE = "throttling"
    DENIED = "denied access"
    NOT_FOUND = "something not found"
    MEMORY = "exhausted memory"
    START = "code that does not start"
    CONNECTION = "failed connections"
    INVALID = "rejected input"
    EXCEPTION = "an exception in its code"
    UNAVAILABLE = "a service outside AWS that is not available"
    FAILURE = "failures"
    SLOWNESS = "slowness"
    BACKLOG = "a backlog"


class Symptom(NamedTuple):
    """One thing that went wrong: its kind, the resources it happened between, the one whose own code raised it."""

    kind: Kind
    touches: frozenset[str]
    inside: str | None
    evidence: Evidence
    at: datetime


class Began(NamedTuple):
    """When it began to go wrong, UTC, at the latest; `told` says by what that is known, `seen` whether anything was."""

    at: datetime
    told: str
    seen: bool
    evidence: Evidence | None = None


def _row(pattern: str, kind: Kind) -> tuple[re.Pattern[str], Kind]:
    return re.compile(pattern, re.IGNORECASE), kind


ERRORS: tuple[tuple[re.Pattern[str], Kind], ...] = (
    _row(r"ImportModuleError|HandlerNotFound|InvalidEntrypoint|InvalidRuntime|No module named|Cannot find module|ClassNotFoundException|MalformedHandlerName|UserCodeSyntaxError", Kind.START),
    _row(r"OutOfMemory|MemoryError|signal: killed|heap out of memory", Kind.MEMORY),
    _row(r"AccessDenied|not authorized|AuthorizationError|Unauthorized|Forbidden|KMS\.?\w*(?:Disabled|InvalidState|AccessDenied)|ExpiredToken", Kind.DENIED),
    _row(r"Throttl|TooManyRequests|ProvisionedThroughputExceeded|SlowDown|LimitExceeded|Rate exceeded", Kind.THROTTLE),
    _row(r"ECONNREFUSED|ECONNRESET|\bENOTFOUND|EAI_AGAIN|UnknownHost|ConnectionError|EndpointConnection|Connect(?:ion)? ?timed? ?out|ConnectTimeout|could not connect", Kind.CONNECTION),
    _row(r"(?:statement|query|lock(?: wait)?|transaction|session) time-?out|maximum statement execution time", Kind.SLOWNESS),
    _row(r"Task timed out|time-?d? ?out|ETIMEDOUT|DeadlineExceeded", Kind.TIMEOUT),
    _row(r"ResourceNotFound|NoSuch(?:Bucket|Key|Entity)|NonExistentQueue|QueueDoesNotExist|ParameterNotFound|NotFoundException|Function not found", Kind.NOT_FOUND),
    _row(r"ValidationException|InvalidParameter|JSONDecodeError|SyntaxError|Unmarshal|SerializationException|ConditionalCheck", Kind.INVALID),
)  # fmt: skip
"""An error's type, code and message say its kind; the first row that fits decides."""

METRICS: tuple[tuple[re.Pattern[str], Kind], ...] = (
    _row(r"Throttle", Kind.THROTTLE),
    _row(r"Duration|Latency", Kind.SLOWNESS),
    _row(r"TimedOut", Kind.TIMEOUT),
    _row(r"Age|NumberOfMessagesVisible|DeadLetter|Backlog", Kind.BACKLOG),
)
"""An alarm's metric says the kind of its alarm; any other tells of failures."""


def symptoms(
    seen: EvidenceBundle, graph: ServiceGraph, limits: Mapping[str, float] = MappingProxyType({})
) -> tuple[Symptom, ...]:
    """Return what went wrong, the earliest first; what a caller dealt with did not.

    `limits` are the time limits of functions, in seconds: one that fails without a word as it ends ran into it.
    """
    segments, calls = seen.of(TraceSegment), seen.of(TraceCall)
    failed = {s.resource for s in segments if s.failed}
    fine = {s.resource for s in segments} - failed
    wrong = [c for c in calls if c.failed and c.caller not in fine]
    waiting = [c for c in calls if not c.failed and c.pending and c.caller in failed]
    bad = [*(c for c in wrong if not c.left_behind([*wrong, *waiting])), *waiting]
    let_down = {c.caller for c in bad if _unavailable(c, graph)}
    inherited = {c.caller for c in bad} | {c.caller for c in calls if c.resource in failed and c.resource != c.caller}
    own = (
        _of_segment(s, limits) for s in segments if s.failed and (s.errors or s.origin or s.resource not in inherited)
    )
    found = [
        *(one for one in own if not (one.kind is Kind.EXCEPTION and one.touches <= let_down)),
        *(_of_call(call, graph) for call in bad),
        *(_of_alarm(a, graph) for a in seen.of(AlarmTransition) if a.state is AlarmState.ALARM and a.observed_at),
    ]
    return tuple(sorted(found, key=lambda s: (s.at, s.kind, s.evidence.id)))


def began(found: Iterable[Symptom], window: Window) -> Began:
    """Return when it began: the first symptom, else where the window's own request or question stands."""
    first = min(found, key=lambda s: (s.at, s.evidence.id), default=None)
    if first is None:
        return Began(min(window.start + BEFORE_TRACE, window.end), "no failure was seen", seen=False)
    told = (
        f"alarm {first.evidence.name}"
        if isinstance(first.evidence, AlarmTransition)
        else "the first failure in the trace"
    )
    return Began(first.at, told, seen=True, evidence=first.evidence)


def kind_of(error: TracedError) -> Kind:
    """Return the kind of one error."""
    text = f"{error.type} {error.code or ''} {error.message[:2000]}"
    return next((kind for pattern, kind in ERRORS if pattern.search(text)), Kind.EXCEPTION)


def _of_segment(segment: TraceSegment, limits: Mapping[str, float]) -> Symptom:
    limit = limits.get(segment.resource)
    kind = Kind.FAILURE
    if segment.errors:
        kind = kind_of(segment.errors[0])
    elif segment.throttle:
        kind = Kind.THROTTLE
    elif limit and segment.seconds and abs(segment.seconds - limit) <= AT_LIMIT * limit:
        kind = Kind.TIMEOUT
    inside = segment.resource if segment.origin or segment.errors else None
    return Symptom(kind, frozenset({segment.resource}), inside, segment, segment.start)


def _unavailable(call: TraceCall, graph: ServiceGraph) -> bool:
    """Whether a host outside AWS said itself that it cannot serve: no caller's code makes it say so."""
    node = graph.node(call.resource)
    return call.http_status in OUT_OF_SERVICE and node is not None and node.type is ResourceType.REMOTE


def _of_call(call: TraceCall, graph: ServiceGraph) -> Symptom:
    kind = Kind.FAILURE
    if _unavailable(call, graph):
        kind = Kind.UNAVAILABLE
    elif call.throttle:
        kind = Kind.THROTTLE
    elif call.errors:
        kind = kind_of(call.errors[0])
    elif call.pending or call.http_status == 504:
        kind = Kind.TIMEOUT
    return Symptom(kind, frozenset({call.caller, call.resource}), None, call, call.start)


def _of_alarm(alarm: AlarmTransition, graph: ServiceGraph) -> Symptom:
    """An alarm tells of a failure after a whole period of it at least."""
    kind = next((kind for pattern, kind in METRICS if pattern.search(alarm.metric)), Kind.FAILURE)
    names = set(alarm.dimensions.values())
    touches = frozenset(node.id for node in graph.nodes if names & {node.name, node.alias, node.id} - {""})
    at = alarm.observed_at
    if at is None:
        raise ValueError(f"alarm {alarm.name} does not say when it changed")
    return Symptom(kind, touches, None, alarm, at - timedelta(seconds=alarm.period_seconds))
