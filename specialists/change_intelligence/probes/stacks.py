"""Looks at CloudFormation: which stack a resource belongs to, and what the stack did to it in the day before.

API: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackEvents.html
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from aws.reads import read
from domain.evidence import Evidence
from domain.resource import Resource, ResourceType
from domain.values import utc
from specialists.change_intelligence.evidence import StackChange
from specialists.change_intelligence.order import failing_first
from specialists.contract import Look, probe
from specialists.kit.answers import absent
from specialists.kit.changekinds import setting_of
from specialists.kit.changes import LOOK_BACK, flatten

if TYPE_CHECKING:
    from types_boto3_cloudformation.type_defs import StackEventTypeDef

MAX_LOOKUPS = 8
MAX_STACKS = 3
MAX_EVENT_PAGES = 3
NO_STACK = "ValidationError"
BEYOND = timedelta(days=30)
"""How far back the events are read for the values before."""

BY_ARN = frozenset({ResourceType.TOPIC, ResourceType.STATE_MACHINE, ResourceType.SECRET})
IN_STACKS = frozenset({
    ResourceType.LAMBDA, ResourceType.TABLE, ResourceType.QUEUE, ResourceType.TOPIC, ResourceType.BUCKET,
    ResourceType.STATE_MACHINE, ResourceType.REST_API, ResourceType.HTTP_API, ResourceType.RULE, ResourceType.EVENT_BUS,
    ResourceType.SCHEDULE, ResourceType.PIPE, ResourceType.KEY, ResourceType.SECRET, ResourceType.STREAM,
})  # fmt: skip


@probe(
    read("cloudformation", "DescribeStackResources"),
    read("cloudformation", "DescribeStackEvents"),
    yields=(StackChange,),
    only=IN_STACKS,
    together=True,
)
def stack_events(look: Look) -> Iterator[Evidence]:
    """What CloudFormation stacks created, updated or deleted among the resources in the day before."""
    members = _members(look)
    for stack in list(dict.fromkeys(stack for stack, _ in members.values()))[:MAX_STACKS]:
        names = {logical: resource for resource, (own, logical) in members.items() if own == stack}
        yield from _changes(look, stack, names)


def _members(look: Look) -> dict[str, tuple[str, str]]:
    """Return (stack id, logical id) by resource id. One answer tells a whole stack, so most need no question."""
    waiting = failing_first(look, look.targets)
    found: dict[str, tuple[str, str]] = {}
    for target in waiting[:MAX_LOOKUPS]:
        if target.id in found:
            continue
        ask = partial(look.aws.cloudformation.describe_stack_resources, PhysicalResourceId=physical_id(target))
        answer = absent(ask, NO_STACK)
        for part in answer.get("StackResources", []) if answer else []:
            physical = part.get("PhysicalResourceId", "")
            for one in waiting:
                if physical_id(one) == physical:
                    found[one.id] = (part.get("StackId", ""), part.get("LogicalResourceId", ""))
    return found


def physical_id(target: Resource) -> str:
    """Return what CloudFormation calls the resource: a queue by its URL, a topic by its ARN, most by their names."""
    if target.type is ResourceType.QUEUE:
        domain = "amazonaws.com.cn" if target.partition == "aws-cn" else "amazonaws.com"
        return f"https://sqs.{target.region}.{domain}/{target.account}/{target.name}"
    return target.id if target.type in BY_ARN else target.name


def _changes(look: Look, stack: str, names: Mapping[str, str]) -> Iterator[StackChange]:
    history: dict[str, list[StackEventTypeDef]] = {}
    for event in _events(look, stack):
        history.setdefault(event.get("LogicalResourceId", ""), []).append(event)
    for logical, resource in sorted(names.items()):
        before: dict[str, str] = {}
        for begun, ended in _steps(sorted(history.get(logical, ()), key=lambda e: e["Timestamp"])):
            settings = _settings(ended)
            if utc(begun) >= look.window.start - LOOK_BACK and utc(begun) <= look.window.end:
                yield _change(resource, utc(begun), ended, before, settings)
            before = settings or before


def _events(look: Look, stack: str) -> "Iterator[StackEventTypeDef]":
    """Yield the events, the newest first, as far back as they tell the values before."""
    pages = look.aws.cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack)
    for number, page in enumerate(pages, 1):
        yield from page.get("StackEvents", [])
        oldest = min((e["Timestamp"] for e in page.get("StackEvents", [])), default=None)
        if number == MAX_EVENT_PAGES or oldest is None or utc(oldest) < look.window.start - BEYOND:
            return


def _steps(events: "Iterable[StackEventTypeDef]") -> "Iterator[tuple[datetime, StackEventTypeDef]]":
    """Yield when each operation began, with the event that it ended with."""
    begun: datetime | None = None
    for event in events:
        status = event.get("ResourceStatus", "")
        if status.endswith("_IN_PROGRESS"):
            begun = begun or event["Timestamp"]
        elif status.endswith(("_COMPLETE", "_FAILED")):
            yield begun or event["Timestamp"], event
            begun = None


def _settings(event: "StackEventTypeDef") -> dict[str, str]:
    """Return the properties that are settings we know, by dotted name."""
    try:
        properties: Any = json.loads(event.get("ResourceProperties") or "{}")
    except ValueError:
        return {}
    found = flatten(properties) if isinstance(properties, dict) else {}
    return {key: value for key, value in found.items() if setting_of(key) is not None}


def _change(
    resource: str, begun: datetime, ended: "StackEventTypeDef", before: Mapping[str, str], after: Mapping[str, str]
) -> StackChange:
    """Compare with the properties of the operation before; values that may not be told are not kept."""
    status = ended.get("ResourceStatus", "")
    differing = sorted(key for key in {*before, *after} if before and before.get(key) != after.get(key))
    shown = {key for key in differing if (setting := setting_of(key)) is not None and setting.shown}
    stack = ended.get("StackName", "")
    failed = status.endswith("_FAILED")
    return StackChange(
        resource=resource,
        source="cloudformation:DescribeStackEvents",
        observed_at=begun,
        event_id=ended.get("EventId", ""),
        event_name=f"CloudFormation {status.split('_')[0]}",
        event_source="cloudformation.amazonaws.com",
        who=f"CloudFormation stack {stack}",
        stack=stack,
        parameters={key: after.get(key, "") if key in shown else "" for key in differing},
        before={key: before[key] for key in differing if key in shown and key in before},
        error_code=status if failed else None,
        error_message=ended.get("ResourceStatusReason", "")[:500] if failed else "",
    )


STACK_PROBES = (stack_events,)
