"""Reading changes: CloudTrail's write events on one resource.

LookupEvents takes one attribute, gives 50 events a page, 90 days back, at 2 calls a second for the whole account:
https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
"""

import json
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from aws.reads import Read, read
from domain.values import utc
from specialists.contract import Look
from specialists.kit.change import Change

if TYPE_CHECKING:
    from types_boto3_cloudtrail.type_defs import EventTypeDef

LOOKUP_EVENTS: Read = read("cloudtrail", "LookupEvents")
LOOK_BACK = timedelta(hours=24)
MAX_PAGES = 3
MAX_EVENTS = 50 * MAX_PAGES


def changes(
    look: Look, name: str, *, resource: str | None = None, look_back: timedelta = LOOK_BACK
) -> Iterator[Change]:
    """Yield the write events that name the resource, from `look_back` before the window to its end, oldest first.

    `name` is the resource's name as CloudTrail lists it; `resource` the id the evidence is about (the target's by
    default). Asked once per name in an investigation.
    """
    events = _asked_once(look, "ResourceName", name, look_back)
    yield from _written(events, resource or look.target.id)


def cut_short(look: Look, name: str) -> bool:
    """Tell whether CloudTrail held more events about that name than `changes` reads: the oldest are then not known."""
    return len(_asked_once(look, "ResourceName", name, LOOK_BACK)) >= MAX_EVENTS


def service_changes(look: Look, source: str, *, resource: str) -> Iterator[Change]:
    """Yield a whole service's write events, as if all were about one resource: some services name none.

    `source` is CloudTrail's name of the service ("apigateway.amazonaws.com"); the caller picks what concerns it.
    """
    yield from _written(_asked_once(look, "EventSource", source, LOOK_BACK), resource)


def _asked_once(look: Look, attribute: str, value: str, look_back: timedelta) -> "list[EventTypeDef]":
    question = ("changes", look.target.account, look.target.region, attribute, value)
    return look.once(question, lambda: _lookup(look, attribute, value, look_back))


def _written(events: "Iterable[EventTypeDef]", about: str) -> Iterator[Change]:
    """Yield the write events, oldest first."""
    for event in sorted(events, key=lambda e: (e["EventTime"], e.get("EventId", ""))):
        detail = _detail(event)
        if detail.get("readOnly") is True or event.get("ReadOnly") == "true":
            continue
        yield Change(
            resource=about,
            source="cloudtrail:LookupEvents",
            observed_at=utc(event["EventTime"]),
            event_id=event.get("EventId", ""),
            event_name=event.get("EventName", ""),
            event_source=event.get("EventSource", ""),
            who=_who(event, detail),
            parameters=flatten(detail.get("requestParameters") or {}),
            error_code=detail.get("errorCode"),
            error_message=str(detail.get("errorMessage") or "")[:500],
        )


def _lookup(look: Look, attribute: str, value: str, look_back: timedelta) -> "list[EventTypeDef]":
    pages = look.aws.cloudtrail.get_paginator("lookup_events").paginate(
        LookupAttributes=[{"AttributeKey": attribute, "AttributeValue": value}],  # type: ignore[typeddict-item]  # one of its names
        StartTime=look.window.start - look_back,
        EndTime=look.window.end,
        PaginationConfig={"MaxItems": MAX_EVENTS},
    )
    return [event for page in pages for event in page.get("Events", [])]


def _detail(event: "EventTypeDef") -> dict[str, Any]:
    try:
        detail = json.loads(event.get("CloudTrailEvent") or "{}")
    except json.JSONDecodeError:
        return {}
    return detail if isinstance(detail, dict) else {}


def _who(event: "EventTypeDef", detail: dict[str, Any]) -> str:
    identity = detail.get("userIdentity") or {}
    session = str(identity.get("arn", "")).rsplit("/", 1)[-1]
    return event.get("Username") or session or identity.get("invokedBy") or "unknown"


def flatten(value: Any, prefix: str = "", depth: int = 6) -> dict[str, str]:
    """Return nested JSON as dotted names and text values; lists by index, at most six levels.

    An empty object inside stays: CloudTrail writes `"environment": {}` where it leaves the values out.
    """
    if depth and isinstance(value, dict) and (value or not prefix):
        return {k: v for key, inner in value.items() for k, v in flatten(inner, f"{prefix}{key}.", depth - 1).items()}
    if depth and isinstance(value, list):
        return {
            k: v for index, inner in enumerate(value) for k, v in flatten(inner, f"{prefix}{index}.", depth - 1).items()
        }
    text = value if isinstance(value, str) else json.dumps(value)
    return {prefix.rstrip("."): text[:500]}
