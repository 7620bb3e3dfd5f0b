"""Reading changes: CloudTrail's write events on one resource.

LookupEvents takes one attribute, gives 50 events a page, 90 days back, at 2 calls a second for the whole account:
https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from aws.clients import Clients
from aws.reads import Read, read
from domain.evidence import Evidence
from domain.resource import Resource, ResourceType, state_machine_of
from domain.values import utc
from specialists.contract import Look
from specialists.kit.change import Change, ChangeCount

if TYPE_CHECKING:
    from types_boto3_cloudtrail.type_defs import EventTypeDef

LOOKUP_EVENTS: Read = read("cloudtrail", "LookupEvents")
LOOK_BACK = timedelta(hours=24)
MAX_PAGES = 3
MAX_EVENTS = 50 * MAX_PAGES


def _arn(resource: Resource) -> str:
    return resource.id


def parameter_name(parameter: Resource) -> str:
    """Return an SSM parameter's name: an ARN leaves out the slash that a path begins with."""
    return f"/{parameter.name}" if "/" in parameter.name else parameter.name


_LISTED_AS: Mapping[ResourceType, Callable[[Resource], str]] = {
    ResourceType.TOPIC: _arn,
    ResourceType.STATE_MACHINE: _arn,
    ResourceType.KEY: _arn,
    ResourceType.SECRET: _arn,
    ResourceType.PARAMETER: parameter_name,
    ResourceType.EXECUTION: lambda resource: state_machine_of(resource).id,
}


def listed_as(resource: Resource) -> str:
    """Return the name that CloudTrail lists a resource's events under: an ARN for some types, else its own name."""
    naming = _LISTED_AS.get(resource.type)
    return naming(resource) if naming else resource.name


IAM_EVENTS = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
"""The one Region of a partition that records IAM's events.

https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html
"""


def recorded_in(look: Look, resource: str) -> str:
    """Return the Region whose CloudTrail tells of the resource: the target's, for roles and policies IAM's own."""
    here = look.aws.cloudtrail.meta.region_name
    partition, _, service = resource.removeprefix("arn:").partition(":")
    return IAM_EVENTS.get(partition, here) if service.startswith("iam:") else here


def changes(
    look: Look, name: str, *, resource: str | None = None, look_back: timedelta = LOOK_BACK
) -> Iterator[Change]:
    """Yield the write events that name the resource, from `look_back` before the window to its end, oldest first.

    `name` is the resource's name as CloudTrail lists it; `resource` the id the evidence is about (the target's by
    default). Asked once per name in an investigation.
    """
    about = resource or look.target.id
    events = _asked_once(look, "ResourceName", name, _before(look, look_back), look.window.end, about)
    yield from _written(events, about)


def counted_changes(look: Look, name: str) -> Iterator[Evidence]:
    """Yield the same of the day before the window, and how many they are."""
    found = list(changes(look, name))
    yield from found
    yield ChangeCount(
        resource=look.target.id,
        source="cloudtrail:LookupEvents",
        searched_from=_before(look, LOOK_BACK),
        events=len(found),
    )


def changes_between(look: Look, name: str, start: datetime, end: datetime, *, resource: str) -> Iterator[Change]:
    """Yield the write events of another time that name the resource, oldest first. CloudTrail goes 90 days back."""
    yield from _written(_asked_once(look, "ResourceName", name, start, end, resource), resource)


def cut_short(look: Look, name: str, resource: str) -> bool:
    """Tell whether CloudTrail held more events about that name than `changes` reads: the oldest are then not known."""
    events = _asked_once(look, "ResourceName", name, _before(look, LOOK_BACK), look.window.end, resource)
    return len(events) >= MAX_EVENTS


def service_changes(look: Look, source: str, *, resource: str) -> Iterator[Change]:
    """Yield a whole service's write events, as if all were about one resource: some services name none.

    `source` is CloudTrail's name of the service ("apigateway.amazonaws.com"); the caller picks what concerns it.
    """
    events = _asked_once(look, "EventSource", source, _before(look, LOOK_BACK), look.window.end, resource)
    yield from _written(events, resource)


def _before(look: Look, look_back: timedelta) -> datetime:
    return look.window.start - look_back


def _asked_once(
    look: Look, attribute: str, value: str, start: datetime, end: datetime, about: str
) -> "list[EventTypeDef]":
    region = recorded_in(look, about)
    question = ("changes", look.target.account, region, attribute, value, start, end)
    return look.once(question, lambda: _lookup(look.aws.in_region(region), attribute, value, start, end))


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


def _lookup(aws: Clients, attribute: str, value: str, start: datetime, end: datetime) -> "list[EventTypeDef]":
    pages = aws.cloudtrail.get_paginator("lookup_events").paginate(
        LookupAttributes=[{"AttributeKey": attribute, "AttributeValue": value}],  # type: ignore[typeddict-item]  # one of its names
        StartTime=start,
        EndTime=end,
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
