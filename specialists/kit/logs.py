"""Reading log events with FilterLogEvents, bounded in pages and lines.

API: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
"""

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from aws.errors import CALL_ERRORS
from aws.reads import Read, read
from domain.resource import ResourceType
from domain.values import from_epoch
from specialists.contract import Look
from specialists.kit.loglines import LogEvent, LogLines

if TYPE_CHECKING:
    from types_boto3_logs.type_defs import FilterLogEventsResponseTypeDef

FILTER_LOG_EVENTS: Read = read("logs", "FilterLogEvents")
MAX_MESSAGE = 4_000
MAX_PAGES = 4
MAX_CALLERS = 2
"""How many callers' logs are read."""


def log_lines(
    look: Look, group: str, pattern: str, *, named: str, keep: Callable[[str], bool], limit: int = 200
) -> LogLines:
    """Return the window's events that match, at most `limit` of them.

    `pattern` is CloudWatch's filter syntax and narrows what travels; `keep` decides again here, because a page can be
    partial and an emulator may ignore patterns. `named` says in words what was asked for. A later page that cannot be
    read is noted in `look.missed`. Raises botocore's ClientError for the first one, ResourceNotFoundException when the
    group does not exist.
    """
    events: list[LogEvent] = []
    truncated = False
    token = ""
    for page_number in range(MAX_PAGES + 1):
        try:
            page = _page(look, group, pattern, token)
        except CALL_ERRORS as error:
            if page_number == 0:
                raise
            look.missed.append(error)
            truncated = True
            break
        found = (e for e in page.get("events", []) if keep(e.get("message", "")))
        events.extend(
            LogEvent(
                at=from_epoch(e.get("timestamp", 0) / 1000),
                message=e.get("message", "")[:MAX_MESSAGE],
                stream=e.get("logStreamName", ""),
            )
            for e in found
        )
        token = page.get("nextToken", "")
        truncated = bool(token) and (len(events) >= limit or page_number == MAX_PAGES)
        if not token or truncated:
            break
    ordered = sorted(events, key=lambda e: (e.at, e.stream, e.message))
    return LogLines(
        resource=look.target.id,
        source="logs:FilterLogEvents",
        observed_at=ordered[0].at if ordered else None,
        log_group=group,
        filter=named,
        events=tuple(ordered[:limit]),
        truncated=truncated or len(ordered) > limit,
    )


def _page(look: Look, group: str, pattern: str, token: str) -> "FilterLogEventsResponseTypeDef":
    more = {"nextToken": token} if token else {}
    return look.aws.logs.filter_log_events(
        logGroupName=group,
        startTime=int(look.window.start.timestamp() * 1000),
        endTime=int(look.window.end.timestamp() * 1000),
        filterPattern=pattern,
        limit=1000,
        **more,  # type: ignore[arg-type]  # the stubs know no partial keyword dicts
    )


def callers_logs(look: Look, pattern: str, service: str, mentions: re.Pattern[str]) -> Iterator[LogLines]:
    """Read what the functions that call the target logged about a service, where CloudWatch's filter `pattern` fits."""
    callers = [node for node in map(look.graph.node, look.graph.callers(look.target.id)) if node is not None]
    for function in [node for node in callers if node.type is ResourceType.LAMBDA][:MAX_CALLERS]:
        yield log_lines(
            look,
            f"/aws/lambda/{function.name}",
            pattern,
            named=f"{service} errors of {function.name}",
            keep=lambda line: mentions.search(line) is not None,
        )
