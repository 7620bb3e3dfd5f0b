"""Error lines of the functions' logs, as templates: what they say, how often, since when, and whether that is new.

Logs Insights answers for all log groups at once; FilterLogEvents, group by group, where it may not be used.
API: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartQuery.html
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from botocore.exceptions import ClientError

from aws.errors import classify
from aws.reads import read
from domain.evidence import Evidence
from domain.gap import GapReason
from domain.resource import Resource, ResourceType
from domain.values import from_epoch
from domain.window import Window
from specialists.contract import Look, probe
from specialists.kit.answers import absent
from specialists.kit.loglines import LogEvent
from specialists.kit.logs import FILTER_LOG_EVENTS, MAX_MESSAGE, log_lines
from specialists.signal_analysis.evidence import LogTemplate
from specialists.signal_analysis.templates import looks_wrong, templates

if TYPE_CHECKING:
    from types_boto3_logs.type_defs import ResultFieldTypeDef

START_QUERY = read("logs", "StartQuery")
GET_QUERY_RESULTS = read("logs", "GetQueryResults")
STOP_QUERY = read("logs", "StopQuery")

BASELINE = timedelta(hours=3)
MAX_GROUPS = 20
MAX_GROUPS_FILTERED = 5
"""How many log groups are read without Logs Insights: FilterLogEvents has few calls a second."""
MAX_LINES = 1_000
MAX_LINES_FILTERED = 300
MAX_TEMPLATES = 5
SECONDS = 12.0
"""How long a query may take; what it has found until then counts."""
POLLS = (0.2, 0.4, 0.8, 1.5)
"""Seconds between two looks at a query; the last repeats."""
PATTERN = (
    "?ERROR ?Error ?FATAL ?CRITICAL ?Exception ?Traceback ?nhandled ?ncaught"
    ' ?"Task timed out" ?"Runtime exited" ?"Process exited before" ?"panic:"'
)
QUERY = (
    "fields @timestamp, @message, @log, @logStream"
    " | filter @message like /ERROR|Error|FATAL|CRITICAL|Exception|Traceback|nhandled|ncaught"
    r"|Task timed out|Runtime exited|Process exited before|panic:|\"level\": ?\"(error|fatal|critical)\"/"
    f" | sort @timestamp asc | limit {MAX_LINES}"
)


class _Lines(NamedTuple):
    """Error lines by log group, in time order, and where they came from; `truncated`: there were more."""

    by_group: Mapping[str, Sequence[LogEvent]]
    source: str
    truncated: bool


@probe(
    START_QUERY,
    GET_QUERY_RESULTS,
    STOP_QUERY,
    FILTER_LOG_EVENTS,
    yields=(LogTemplate,),
    only=[ResourceType.LAMBDA],
    together=True,
)
def error_lines(look: Look) -> Iterator[Evidence]:
    """Clusters the functions' error lines into templates, and compares them with the three hours before.

    Without Logs Insights it reads the first five functions' logs line by line, and says what to grant.
    """
    groups = {f"/aws/lambda/{target.name}": target for target in look.targets[:MAX_GROUPS]}
    before = Window(start=look.window.start - BASELINE, end=look.window.start)
    try:
        now, earlier = _queried(look, list(groups), look.window), _queried(look, list(groups), before)
    except ClientError as error:
        missing = classify(error).reason is GapReason.NOT_FOUND
        try:
            now = _filtered(look, list(groups)[:MAX_GROUPS_FILTERED], look.window)
            some = [group for group, events in now.by_group.items() if events]
            yield from _templates(look, groups, now, _filtered(look, some, before))
        except ClientError:
            if missing:
                raise
        if not missing:
            raise
        return
    yield from _templates(look, groups, now, earlier)


def _templates(look: Look, groups: Mapping[str, Resource], now: _Lines, earlier: _Lines) -> Iterator[LogTemplate]:
    part = look.window.seconds / BASELINE.total_seconds()
    for group, target in groups.items():
        events = now.by_group.get(group, ())
        for found in templates(events, earlier.by_group.get(group, ()))[:MAX_TEMPLATES] if events else ():
            yield LogTemplate(
                resource=target.id,
                source=now.source,
                observed_at=found.first_at,
                log_group=group,
                template=found.text,
                count=found.lines,
                usual=round(found.before * part, 3),
                sample=found.sample,
                truncated=now.truncated,
            )


def _queried(look: Look, groups: Sequence[str], window: Window) -> _Lines:
    """Ask Logs Insights for all groups at once. Raises ClientError when it may not, or when a group does not exist."""
    query = look.aws.logs.start_query(
        logGroupNames=list(groups),
        startTime=int(window.start.timestamp()),
        endTime=int(window.end.timestamp()),
        queryString=QUERY,
    )["queryId"]
    rows, complete = _results(look, query)
    by_group: dict[str, list[LogEvent]] = {group: [] for group in groups}
    for row in rows:
        fields = {field.get("field", ""): field.get("value", "") for field in row}
        group = fields.get("@log", "").rsplit(":", 1)[-1] or groups[0]
        event = _event(fields, window)
        if event is not None and group in by_group:
            by_group[group].append(event)
    return _Lines(by_group, "logs:StartQuery", truncated=not complete or len(rows) >= MAX_LINES)


def _results(look: Look, query: str) -> "tuple[list[list[ResultFieldTypeDef]], bool]":
    """Wait for a query, not for ever; return its rows and whether these are all. A query left behind is stopped."""
    began = time.monotonic()
    polls = iter(POLLS)
    pause = POLLS[-1]
    while True:
        answer = look.aws.logs.get_query_results(queryId=query)
        status = answer.get("status", "Unknown")
        if status not in {"Scheduled", "Running"}:
            return answer.get("results", []), status == "Complete"
        pause = next(polls, pause)
        if time.monotonic() - began + pause > SECONDS:
            look.aws.logs.stop_query(queryId=query)
            return answer.get("results", []), False
        time.sleep(pause)


def _event(fields: Mapping[str, str], window: Window) -> LogEvent | None:
    """Read a row: "2026-11-20 10:19:06.656" is UTC, and so are milliseconds of the epoch."""
    message, told = fields.get("@message", ""), fields.get("@timestamp", "")
    if not looks_wrong(message):
        return None
    at = from_epoch(int(told) / 1000) if told.isdigit() else datetime.fromisoformat(told).replace(tzinfo=UTC)
    if not window.contains(at):
        return None
    return LogEvent(at=at, message=message[:MAX_MESSAGE], stream=fields.get("@logStream", ""))


def _filtered(look: Look, groups: Sequence[str], window: Window) -> _Lines:
    """Read group by group; one that does not exist has no lines."""
    there = replace(look, window=window)
    by_group: dict[str, Sequence[LogEvent]] = {}
    truncated = False
    for group in groups:
        found = absent(
            lambda name=group: log_lines(  # type: ignore[misc]  # the default binds this turn's value
                there, name, PATTERN, named="errors", keep=looks_wrong, limit=MAX_LINES_FILTERED
            ),
            "ResourceNotFoundException",
        )
        if found is not None:
            by_group[group] = found.events
            truncated = truncated or found.truncated
    return _Lines(by_group, "logs:FilterLogEvents", truncated)
