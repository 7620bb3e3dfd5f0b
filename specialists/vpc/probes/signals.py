"""Looks at what the function reported, what flow logs rejected, and who changed what lies in the way."""

import re
from collections.abc import Iterable, Iterator
from functools import partial
from ipaddress import IPv4Network, IPv6Network, ip_address

from domain.evidence import Evidence
from domain.resource import ResourceType
from specialists.contract import Look, probe
from specialists.kit.answers import absent
from specialists.kit.change import Change
from specialists.kit.changes import LOOK_BACK, LOOKUP_EVENTS, changes
from specialists.kit.loglines import LogEvent, LogLines
from specialists.kit.logs import FILTER_LOG_EVENTS, log_lines
from specialists.kit.metrics import GET_METRIC_DATA, Metric, metric_series
from specialists.kit.series import MetricSeries
from specialists.vpc.addresses import network_of
from specialists.vpc.denials import refusals, refusing_endpoints, swallowed
from specialists.vpc.destinations import MENTIONS, attempt_in
from specialists.vpc.evidence import (
    Attachment,
    CalledGroups,
    Endpoints,
    FlowLogs,
    NatGateways,
    NetworkAcls,
    NetworkChanges,
    OwnGroups,
    RejectedFlow,
    RejectedFlows,
    RouteTables,
    Subnets,
)
from specialists.vpc.map import map_of
from specialists.vpc.reachability import Kind
from specialists.vpc.suspects import blockades
from specialists.vpc.texts import speaks_of_network

LAMBDA = (ResourceType.LAMBDA,)
MAX_LOOKUPS = 2
ENDPOINTS = "vpce-"
RECORD = re.compile(
    r"\d{1,2} \S{1,20} (?P<interface>eni-\w{1,40}) (?P<source>\S{1,45}) (?P<destination>\S{1,45}) \d{1,5}"
    r" (?P<port>\d{1,5}) \d{1,3} \d{1,20} \d{1,20} \d{1,12} \d{1,12} REJECT\b"
)
"""A record of the default format (https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html)."""


@probe(FILTER_LOG_EVENTS, needs=(Attachment,), yields=(LogLines,), only=LAMBDA)
def connection_errors(look: Look) -> Iterator[Evidence]:
    """Lines of the function's log about connections that failed or networks that could not be set up."""
    group, named = f"/aws/lambda/{look.target.name}", "connection errors"
    found = absent(
        lambda: log_lines(look, group, MENTIONS, named=named, keep=_speaks_of_connections, limit=100),
        "ResourceNotFoundException",
    )
    gone = f"{named}; there is no such log group"
    yield found or LogLines(resource=look.target.id, source="logs:FilterLogEvents", log_group=group, filter=gone)


def _speaks_of_connections(line: str) -> bool:
    return attempt_in(line) is not None or speaks_of_network(line)


@probe(GET_METRIC_DATA, needs=(Attachment,), yields=(MetricSeries,), only=LAMBDA)
def metrics(look: Look) -> Iterator[Evidence]:
    """Invocations and errors of the function, with what is usual: whether its network served it until now."""
    where = {"FunctionName": look.target.name}
    yield from metric_series(look, [Metric("AWS/Lambda", name, where) for name in ("Invocations", "Errors")])


@probe(LOOKUP_EVENTS, needs=(Attachment,), yields=(Change,), only=LAMBDA)
def function_changes(look: Look) -> Iterator[Evidence]:
    """Who changed the function in the day before, its network settings among the rest."""
    yield from changes(look, look.target.name)


@probe(
    LOOKUP_EVENTS,
    needs=(Subnets, RouteTables, NatGateways, OwnGroups, NetworkAcls, LogLines),
    yields=(Change, NetworkChanges),
    only=LAMBDA,
)
def network_changes(look: Look) -> Iterator[Evidence]:
    """Who changed the route table, NAT gateway, group or ACL that is in the way of a connection that failed."""
    yield from _changes_of(look, [part for part in _in_the_way(look, *Kind) if not part.startswith(ENDPOINTS)])


@probe(
    LOOKUP_EVENTS,
    needs=(Subnets, OwnGroups, CalledGroups, LogLines),
    yields=(Change, NetworkChanges),
    only=LAMBDA,
)
def called_group_changes(look: Look) -> Iterator[Evidence]:
    """Who changed the security group of what the function cannot reach."""
    called = {g.id for e in look.seen.of(CalledGroups, look.target.id) for g in e.groups}
    own = {g.id for e in look.seen.of(OwnGroups, look.target.id) for g in e.groups}
    yield from _changes_of(look, [part for part in _in_the_way(look, Kind.GROUP) if part in called - own])


def _in_the_way(look: Look, *kinds: Kind) -> list[str]:
    found = (blockade for kind in kinds for blockade in blockades(look.seen, look.target, kind))
    return list(dict.fromkeys(part for blockade in found for part in blockade.parts if part))


def _changes_of(look: Look, names: Iterable[str]) -> Iterator[Evidence]:
    asked = tuple(names)[:MAX_LOOKUPS]
    found = {change.id: change for name in asked for change in changes(look, name)}
    yield from found.values()
    if asked:
        yield NetworkChanges(
            resource=look.target.id,
            source="cloudtrail:LookupEvents",
            names=asked,
            searched_from=look.window.start - LOOK_BACK,
            events=len(found),
        )


@probe(LOOKUP_EVENTS, needs=(Subnets, RouteTables, Endpoints, LogLines), yields=(Change, NetworkChanges), only=LAMBDA)
def endpoint_changes(look: Look) -> Iterator[Evidence]:
    """Who changed the endpoint that denied a call, took calls of an API away, or that calls do not go through."""
    network = map_of(look.seen, look.target)
    denied = refusals(look.seen, look.target)
    refusing = (e.id for r in denied for e in refusing_endpoints(network, r))
    idle = (part for part in _in_the_way(look, Kind.ROUTE) if part.startswith(ENDPOINTS))
    _, taking = swallowed(look.seen, look.target, network)
    yield from _changes_of(look, dict.fromkeys((*refusing, *idle, *([taking.id] if taking else []))))


@probe(LOOKUP_EVENTS, needs=(Subnets, OwnGroups), yields=(Change,), only=LAMBDA)
def missing_part_changes(look: Look) -> Iterator[Evidence]:
    """Who deleted the subnet or security group that the function's settings still name."""
    seen: tuple[Subnets | OwnGroups, ...] = (
        *look.seen.of(Subnets, look.target.id),
        *look.seen.of(OwnGroups, look.target.id),
    )
    for name in tuple(dict.fromkeys(name for one in seen for name in one.missing))[:MAX_LOOKUPS]:
        yield from changes(look, name)


@probe(FILTER_LOG_EVENTS, needs=(FlowLogs, Subnets, Attachment), yields=(RejectedFlows,), only=LAMBDA)
def rejected_flows(look: Look) -> Iterator[Evidence]:
    """Traffic from the function's subnets that a security group or network ACL rejected, by the VPC's flow logs."""
    seen = look.seen.of(FlowLogs, look.target.id)[0]
    own = look.seen.of(Attachment, look.target.id)[0].subnet_ids
    blocks = [network_of(s.cidr) for e in look.seen.of(Subnets, look.target.id) for s in e.subnets if s.id in own]
    mine = [block for block in blocks if block is not None]
    groups = sorted({log.log_group for log in seen.logs if log.log_group and log.default_format})
    for group in groups[:1]:
        found = log_lines(look, group, "REJECT", named="rejected flows", keep=partial(_leaves, mine), limit=100)
        yield RejectedFlows(
            resource=look.target.id,
            source="logs:FilterLogEvents",
            observed_at=found.observed_at,
            log_group=group,
            flows=tuple(flow for event in found.events if (flow := _flow(event)) is not None),
            truncated=found.truncated,
        )


def _leaves(blocks: list[IPv4Network | IPv6Network], line: str) -> bool:
    flow = RECORD.search(line)
    if flow is None:
        return False
    try:
        source = ip_address(flow["source"])
    except ValueError:
        return False
    return any(source.version == block.version and source in block for block in blocks)


def _flow(event: LogEvent) -> RejectedFlow | None:
    found = RECORD.search(event.message)
    if found is None:
        return None
    return RejectedFlow(
        at=event.at,
        interface=found["interface"],
        source=found["source"],
        destination=found["destination"],
        port=int(found["port"]),
    )


PROBES = (
    connection_errors,
    metrics,
    function_changes,
    network_changes,
    called_group_changes,
    endpoint_changes,
    missing_part_changes,
    rejected_flows,
)
