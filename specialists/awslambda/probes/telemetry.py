"""Looks at what the function did: metrics, logs, changes."""

from collections.abc import Callable, Iterator
from functools import partial

from domain.evidence import Evidence
from domain.trace import TraceSegment
from specialists.awslambda.evidence import Aliases, FunctionConfiguration, InvocationReports, LogGroup
from specialists.awslambda.logformat import PATTERN, is_error
from specialists.awslambda.reports import is_report, read_report
from specialists.awslambda.symptoms import REQUEST_FILTER
from specialists.contract import Look, probe
from specialists.kit.answers import absent
from specialists.kit.change import Change
from specialists.kit.changes import LOOKUP_EVENTS, changes
from specialists.kit.loglines import LogLines
from specialists.kit.logs import FILTER_LOG_EVENTS, log_lines
from specialists.kit.metrics import GET_METRIC_DATA, Metric, metric_series
from specialists.kit.series import MetricSeries

SUMS = (
    "Invocations",
    "Errors",
    "Throttles",
    "DeadLetterErrors",
    "DestinationDeliveryFailures",
    "AsyncEventsReceived",
    "AsyncEventsDropped",
    "RecursiveInvocationsDropped",
    "ProvisionedConcurrencySpilloverInvocations",
)
MAXIMA = ("Duration", "ConcurrentExecutions", "IteratorAge", "AsyncEventAge", "ProvisionedConcurrencyUtilization")
REPORT_PATTERN = '?"REPORT RequestId" ?INIT_REPORT ?RESTORE_REPORT ?"platform.report" ?"platform.initReport"'
MAX_REQUESTS = 2
MAX_ERRORS = 100


@probe(GET_METRIC_DATA, yields=(MetricSeries,))
def metrics(look: Look) -> Iterator[Evidence]:
    """Invocations, errors, throttles, duration, concurrency, dropped events and iterator age, with what is usual."""
    function = {"FunctionName": look.target.name}
    own = [Metric("AWS/Lambda", name, function) for name in SUMS]
    own += [Metric("AWS/Lambda", name, function, "Maximum") for name in MAXIMA]
    yield from metric_series(look, [*own, Metric("AWS/Lambda", "ConcurrentExecutions", {}, "Maximum")])


@probe(GET_METRIC_DATA, needs=(Aliases,), yields=(MetricSeries,))
def version_metrics(look: Look) -> Iterator[Evidence]:
    """Invocations and errors by version, where an alias divides its traffic."""
    found = look.seen.first(Aliases, look.target.id)
    name = look.target.name
    wanted = [
        Metric(
            "AWS/Lambda",
            metric,
            {"FunctionName": name, "Resource": f"{name}:{alias.name}", "ExecutedVersion": version},
        )
        for alias in (found.aliases if found else ())
        if alias.weights
        for version in (alias.version, *alias.weights)
        for metric in ("Invocations", "Errors")
    ]
    if wanted:
        yield from metric_series(look, wanted)


@probe(FILTER_LOG_EVENTS, yields=(LogLines, LogGroup))
def error_lines(look: Look) -> Iterator[Evidence]:
    """Error lines of the log group in the window."""
    yield from _errors(look, _usual_group(look))


@probe(FILTER_LOG_EVENTS, yields=(InvocationReports, LogGroup))
def invocation_reports(look: Look) -> Iterator[Evidence]:
    """What the platform reported of each invocation: duration, memory, cold start, how it ended."""
    yield from _reports(look, _usual_group(look))


@probe(FILTER_LOG_EVENTS, needs=(TraceSegment,), yields=(LogLines, InvocationReports, LogGroup))
def request_lines(look: Look) -> Iterator[Evidence]:
    """All log lines that name the traced request."""
    yield from _requests(look, _usual_group(look))


@probe(FILTER_LOG_EVENTS, needs=(FunctionConfiguration,), yields=(LogLines, InvocationReports, LogGroup))
def own_log_group(look: Look) -> Iterator[Evidence]:
    """The same log lines where the function writes to a log group of another name."""
    groups = {c.log_group for c in look.seen.of(FunctionConfiguration, look.target.id)}
    for group in sorted(groups - {"", _usual_group(look)}):
        yield from _errors(look, group)
        yield from _requests(look, group)
        yield from _reports(look, group)


@probe(LOOKUP_EVENTS, yields=(Change,))
def recent_changes(look: Look) -> Iterator[Evidence]:
    """Who changed or deployed the function in the day before, refused attempts included."""
    yield from changes(look, look.target.name)


def _usual_group(look: Look) -> str:
    return f"/aws/lambda/{look.target.name}"


def _group(look: Look, name: str, *, exists: bool) -> LogGroup:
    return LogGroup(resource=look.target.id, source="logs:FilterLogEvents", name=name, exists=exists)


def _lines(
    look: Look, group: str, pattern: str, named: str, keep: Callable[[str], bool], limit: int
) -> LogLines | LogGroup:
    """Return the lines, or that there is no such log group."""
    found = absent(
        lambda: log_lines(look, group, pattern, named=named, keep=keep, limit=limit), "ResourceNotFoundException"
    )
    return found if found is not None else _group(look, group, exists=False)


def _errors(look: Look, group: str) -> Iterator[Evidence]:
    found = _lines(look, group, PATTERN, "errors", is_error, MAX_ERRORS)
    yield found
    if isinstance(found, LogLines):
        yield _group(look, group, exists=True)


def _reports(look: Look, group: str) -> Iterator[Evidence]:
    found = _lines(look, group, REPORT_PATTERN, "platform reports", is_report, 200)
    yield found if isinstance(found, LogGroup) else _read_reports(look, found)


def _requests(look: Look, group: str) -> Iterator[Evidence]:
    segments = look.seen.of(TraceSegment, look.target.id)
    ids = dict.fromkeys(s.attributes.get("request_id", "") for s in sorted(segments, key=lambda s: not s.failed))
    for request_id in [i for i in ids if i][:MAX_REQUESTS]:
        named = f"{REQUEST_FILTER}{request_id}"
        found = _lines(look, group, f'"{request_id}"', named, partial(_names, request_id), MAX_ERRORS)
        yield found
        if isinstance(found, LogLines):
            yield _read_reports(look, found)


def _names(request_id: str, message: str) -> bool:
    return request_id in message


def _read_reports(look: Look, lines: LogLines) -> InvocationReports:
    read = (read_report(event.message, event.at) for event in lines.events)
    return InvocationReports(
        resource=look.target.id,
        source="logs:FilterLogEvents",
        observed_at=lines.first_at,
        log_group=lines.log_group,
        reports=tuple(report for report in read if report is not None),
        truncated=lines.truncated,
    )


TELEMETRY_PROBES = (
    metrics,
    version_metrics,
    error_lines,
    invocation_reports,
    request_lines,
    own_log_group,
    recent_changes,
)
