"""Looks at rules, buses, schedules and pipes themselves."""

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from itertools import islice
from typing import Any

from aws.reads import read
from domain.evidence import Evidence
from domain.resource import ResourceType
from domain.values import utc
from specialists.contract import Look, probe
from specialists.eventbridge.evidence import (
    BusRule,
    BusRules,
    BusState,
    NearbyBuses,
    PipeState,
    RuleState,
    ScheduleState,
    Target,
    Targets,
)
from specialists.eventbridge.metrics import group_of, place_of
from specialists.kit.answers import absent

NOT_FOUND = ("ResourceNotFoundException", "NotFoundException")
MAX_RULES = 300


@probe(
    read("events", "DescribeRule"),
    read("events", "DescribeEventBus"),
    yields=(RuleState,),
    only=(ResourceType.RULE,),
)
def rule(look: Look) -> Iterator[Evidence]:
    """Reads whether the rule is enabled and by which pattern or schedule, or finds that it or its bus is gone."""
    place = place_of(look.target)
    answer = absent(lambda: look.aws.events.describe_rule(Name=place.rule, EventBusName=place.bus), *NOT_FOUND)
    given: Mapping[str, Any] = answer or {}
    bus = answer or absent(lambda: look.aws.events.describe_event_bus(Name=place.bus), *NOT_FOUND)
    yield RuleState(
        resource=look.target.id,
        source="events:DescribeRule",
        exists=answer is not None,
        bus_exists=bus is not None,
        name=place.rule,
        bus=place.bus,
        state=given.get("State", "ENABLED"),
        pattern=given.get("EventPattern") or "",
        schedule=given.get("ScheduleExpression") or "",
        managed_by=given.get("ManagedBy") or "",
    )


@probe(read("events", "ListTargetsByRule"), yields=(Targets,), only=(ResourceType.RULE,))
def targets(look: Look) -> Iterator[Evidence]:
    """Reads the rule's targets: dead-letter queue, retry policy, role and input transformer of each."""
    place = place_of(look.target)
    pages = look.aws.events.get_paginator("list_targets_by_rule").paginate(Rule=place.rule, EventBusName=place.bus)
    found = absent(lambda: [t for page in pages for t in page.get("Targets", [])], *NOT_FOUND)
    if found is None:
        return  # what the rule's own look says
    yield _targets(look, "events:ListTargetsByRule", (_target(t["Id"], t) for t in found))


def _targets(look: Look, source: str, found: Iterable[Target]) -> Targets:
    return Targets(resource=look.target.id, source=source, targets=tuple(sorted(found, key=lambda t: t.id)))


def _target(name: str, answer: Mapping[str, Any]) -> Target:
    retry = answer.get("RetryPolicy") or {}
    transformer = answer.get("InputTransformer") or {}
    return Target(
        id=name,
        arn=answer.get("Arn", ""),
        role_arn=answer.get("RoleArn") or "",
        dead_letter_arn=(answer.get("DeadLetterConfig") or {}).get("Arn") or "",
        retries=retry.get("MaximumRetryAttempts"),
        max_age_seconds=retry.get("MaximumEventAgeInSeconds"),
        paths=transformer.get("InputPathsMap") or {},
        template=transformer.get("InputTemplate") or "",
    )


@probe(read("events", "ListRules"), yields=(BusRules,), only=(ResourceType.RULE, ResourceType.EVENT_BUS))
def rules_of_bus(look: Look) -> Iterator[Evidence]:
    """Lists the rules of the bus: which are switched off, and which can show that events arrive at all."""
    bus = place_of(look.target).bus if look.target.type is ResourceType.RULE else look.target.name
    pages = look.aws.events.get_paginator("list_rules").paginate(EventBusName=bus)
    every = (r for page in pages for r in page.get("Rules", []))
    found = absent(lambda: list(islice(every, MAX_RULES)), *NOT_FOUND)
    if found is None:
        return  # what the bus's or the rule's own look says
    yield BusRules(
        resource=look.target.id,
        source="events:ListRules",
        bus=bus,
        rules=tuple(
            BusRule(
                name=r.get("Name", ""),
                arn=r.get("Arn", ""),
                state=r.get("State", "ENABLED"),
                by_pattern=bool(r.get("EventPattern")),
            )
            for r in sorted(found, key=lambda r: r.get("Name", ""))
        ),
        truncated=len(found) >= MAX_RULES,
    )


@probe(read("events", "DescribeEventBus"), yields=(BusState,), only=(ResourceType.EVENT_BUS,))
def bus(look: Look) -> Iterator[Evidence]:
    """Reads the bus, or finds that it does not exist."""
    answer = absent(lambda: look.aws.events.describe_event_bus(Name=look.target.name), *NOT_FOUND)
    given: Mapping[str, Any] = answer or {}
    yield BusState(
        resource=look.target.id,
        source="events:DescribeEventBus",
        exists=answer is not None,
        name=look.target.name,
        has_policy=bool(given.get("Policy")),
    )


@probe(read("events", "ListEventBuses"), needs=(BusState,), yields=(NearbyBuses,), only=(ResourceType.EVENT_BUS,))
def nearby_buses(look: Look) -> Iterator[Evidence]:
    """Lists buses with a similar name when the one that was called does not exist: a typo or wrong Region shows."""
    state = look.seen.first(BusState, look.target.id)
    if state is None or state.exists:
        return
    answer = look.aws.events.list_event_buses(Limit=100)
    names = [found.get("Name", "") for found in answer.get("EventBuses", [])]
    near = get_close_matches(look.target.name, names, n=3, cutoff=0.6)
    yield NearbyBuses(
        resource=look.target.id,
        source="events:ListEventBuses",
        names=tuple(near or names[:10]),
        truncated="NextToken" in answer or (not near and len(names) > 10),
    )


@probe(read("scheduler", "GetSchedule"), yields=(ScheduleState, Targets), only=(ResourceType.SCHEDULE,))
def schedule(look: Look) -> Iterator[Evidence]:
    """Reads when the schedule runs, in which time zone, until when, whether it is enabled, and what it calls."""
    group = group_of(look.target)
    answer = absent(lambda: look.aws.scheduler.get_schedule(Name=look.target.name, GroupName=group), *NOT_FOUND)
    given: Mapping[str, Any] = answer or {}
    moments = {name: given.get(name) for name in ("StartDate", "EndDate", "LastModificationDate")}
    starts, ends, modified = (utc(at) if at else None for at in moments.values())
    yield ScheduleState(
        resource=look.target.id,
        source="scheduler:GetSchedule",
        exists=answer is not None,
        name=look.target.name,
        group=group,
        state=given.get("State", "ENABLED"),
        expression=given.get("ScheduleExpression", ""),
        timezone=given.get("ScheduleExpressionTimezone") or "UTC",
        starts_at=starts,
        ends_at=ends,
        modified_at=modified,
    )
    if given.get("Target"):
        yield _targets(look, "scheduler:GetSchedule", [_target(look.target.name, given["Target"])])


@probe(read("pipes", "DescribePipe"), yields=(PipeState, Targets), only=(ResourceType.PIPE,))
def pipe(look: Look) -> Iterator[Evidence]:
    """Reads which state the pipe is in and AWS's reason for it, its source and its target."""
    answer = absent(lambda: look.aws.pipes.describe_pipe(Name=look.target.name), *NOT_FOUND)
    given: Mapping[str, Any] = answer or {}
    modified = given.get("LastModifiedTime")
    yield PipeState(
        resource=look.target.id,
        source="pipes:DescribePipe",
        exists=answer is not None,
        name=look.target.name,
        state=given.get("CurrentState", "RUNNING"),
        desired=given.get("DesiredState", "RUNNING"),
        reason=given.get("StateReason") or "",
        source_arn=given.get("Source", ""),
        target_arn=given.get("Target", ""),
        modified_at=utc(modified) if modified else None,
    )
    if given.get("Target"):
        target = {"Arn": given["Target"], "RoleArn": given.get("RoleArn")}
        yield _targets(look, "pipes:DescribePipe", [_target(look.target.name, target)])


STATE_PROBES = (rule, targets, rules_of_bus, bus, nearby_buses, schedule, pipe)
