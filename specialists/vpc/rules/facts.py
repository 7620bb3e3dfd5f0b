"""What is so about the network, good and bad: what a verdict can argue with, and what it can rule out."""

from collections.abc import Iterator

from domain.findings import Finding
from domain.resource import ResourceType
from domain.trace import TraceSegment
from specialists.contract import Case, Rule, rule
from specialists.kit.loglines import LogLines
from specialists.vpc.attempts import failed_connections
from specialists.vpc.destinations import UNRESOLVED, Destination, Place
from specialists.vpc.evidence import (
    Attachment,
    DnsSettings,
    Endpoints,
    FlowLogs,
    FunctionInterfaces,
    NetworkChanges,
    OwnGroups,
    RejectedFlows,
    RouteTables,
    Subnets,
)
from specialists.vpc.map import map_of
from specialists.vpc.reachability import obstacles
from specialists.vpc.rules.blocked import SEES

FEW = 8
"""So few free addresses are worth a word: Lambda may need one more for each zone and group."""

INTERNET = Destination(place=Place.INTERNET, host="the internet", port=443)


@rule(sees=(Attachment,))
def says_where_it_stands(case: Case) -> Iterator[Finding]:
    """States in which VPC the target stands, or that it does not exist."""
    where = case.one(Attachment)
    if where is None:
        return
    if not where.exists:
        yield case.fact(f"There is no {case.target.label}", where)
        return
    subnets = case.one(Subnets)
    known = [s for s in subnets.subnets if s.id in where.subnet_ids] if subnets else []
    shown = ", ".join(f"`{s.id}` ({s.zone}, {s.cidr})" for s in known) or _listed(where.subnet_ids)
    in_subnets = f" in {shown}" if shown else ""
    groups = f", guarded by {_listed(where.group_ids)}" if where.group_ids else ""
    seen = [e for e in (where, subnets) if e is not None]
    yield case.fact(f"`{case.target.name}` stands{in_subnets} of {_vpc(where, subnets)}{groups}", *seen)


@rule(sees=(*SEES, Attachment))
def says_what_is_reachable(case: Case) -> Iterator[Finding]:
    """States whether the function's subnets lead to the internet, and what would stop a connection there."""
    tables = case.one(RouteTables)
    network = map_of(case.evidence, case.target)
    if case.target.type is not ResourceType.LAMBDA or tables is None or not network.own_subnets:
        return
    stops = obstacles(network, INTERNET)
    if stops:
        yield case.fact(f"`{case.target.name}` cannot reach the internet: {stops[0].text}", tables)
        return
    ways = sorted(
        {
            r.via
            for s in network.own_subnets
            if (t := network.table_of(s.id))
            for r in t.routes
            if r.destination == "0.0.0.0/0"
        }
    )
    if ways:
        yield case.fact(f"`{case.target.name}` reaches the internet through {_listed(tuple(ways))}", tables)


@rule(sees=SEES)
def says_the_way_is_open(case: Case) -> Iterator[Finding]:
    """States that nothing in this VPC blocks a connection that failed: the other side is to blame, or too slow."""
    network = map_of(case.evidence, case.target)
    complete = network.own_subnets and network.tables and network.own_groups and network.acls
    if not complete:
        return
    signs = failed_connections(case.evidence, case.target)
    named = {str(s.destination): s for s in signs if s.destination.place is not Place.ANYWHERE}
    for shown, sign in sorted(named.items())[:3]:
        if not obstacles(network, sign.destination):
            seen = (*case.all(RouteTables), *case.all(OwnGroups))
            yield case.fact(
                f"Nothing in this VPC blocks `{case.target.name}` on the way to {shown}", sign.evidence, *seen
            )


@rule(sees=(Endpoints,))
def says_endpoints(case: Case) -> Iterator[Finding]:
    """States which AWS services the VPC reaches through endpoints of its own, and which of those are not available."""
    found = case.one(Endpoints)
    if found is None or not found.endpoints:
        return
    shown = ", ".join(f"`{e.service}` ({'gateway' if e.gateway else 'interface'})" for e in found.endpoints[:8])
    yield case.fact(f"The VPC has endpoints for {shown}", found)
    for one in found.endpoints:
        if one.state.lower() != "available":
            yield case.fact(f"VPC endpoint `{one.id}` for `{one.service}` is {one.state}", found)
        elif one.statements is None:
            yield case.fact(f"The policy of VPC endpoint `{one.id}` could not be read", found)


@rule(sees=(Subnets,))
def says_free_addresses(case: Case) -> Iterator[Finding]:
    """States how many addresses are left, and advises where there are none."""
    found = case.one(Subnets)
    own = [s for s in found.subnets if s.id in found.asked] if found else []
    if found is None or not own:
        return
    scarce = [s for s in own if s.free <= FEW]
    shown = ", ".join(f"`{s.id}` has {s.free}" for s in (scarce or own)[:6])
    yield case.fact(f"Free addresses: {shown}", found)
    full = [s.id for s in own if s.free == 0]
    if full:
        yield case.advice(
            f"No address is free in {_listed(tuple(full))}: new network interfaces cannot be made there.", found
        )


@rule(sees=(DnsSettings, LogLines, TraceSegment))
def says_names(case: Case) -> Iterator[Finding]:
    """States that the VPC resolves no names, which breaks every call by name."""
    found = case.one(DnsSettings)
    if found is None or found.support:
        return
    lines = [e for e in case.all(LogLines) if any(UNRESOLVED.search(event.message) for event in e.events)]
    segments = [s for s in case.segments(failed=True) if any(UNRESOLVED.search(e.message) for e in s.errors)]
    hit = ", and names do not resolve in the function" if lines or segments else ""
    yield case.fact(f"DNS resolution is switched off in the VPC{hit}", found, *lines, *segments)
    yield case.advice("Switch on DNS resolution (enableDnsSupport) in the VPC.", found)


@rule(sees=(FlowLogs, RejectedFlows))
def says_flow_logs(case: Case) -> Iterator[Finding]:
    """States what the flow logs rejected, or that they do not arrive."""
    for rejected in case.all(RejectedFlows):
        if rejected.flows:
            yield case.fact(f"Flow logs: {rejected.summary()}", rejected)
        else:
            yield case.fact(f"The flow logs in `{rejected.log_group}` hold no rejected traffic of it", rejected)
    for found in case.all(FlowLogs):
        for log in found.logs:
            if log.delivery == "FAILED":
                yield case.fact(f"Flow log `{log.id}` of `{log.resource_id}` is not delivered: {log.error}", found)


@rule(sees=(FunctionInterfaces,))
def says_interfaces(case: Case) -> Iterator[Finding]:
    """States how many network interfaces Lambda holds in the VPC."""
    found = case.one(FunctionInterfaces)
    if found is not None and found.interfaces:
        yield case.fact(found.summary(), found)


@rule(sees=(NetworkChanges,))
def says_no_changes(case: Case) -> Iterator[Finding]:
    """States that nobody changed what lies in the way."""
    for found in case.all(NetworkChanges):
        if not found.events:
            since = f"since {found.searched_from:%Y-%m-%d %H:%M} UTC"
            yield case.fact(f"Nobody changed {_listed(found.names)} {since}", found)


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _vpc(where: Attachment, subnets: Subnets | None) -> str:
    known = next((s.vpc_id for s in (subnets.subnets if subnets else ()) if s.id in where.subnet_ids and s.vpc_id), "")
    return f"`{known or where.vpc_id}`" if known or where.vpc_id else "a VPC"


RULES: tuple[Rule, ...] = (
    says_where_it_stands,
    says_what_is_reachable,
    says_the_way_is_open,
    says_endpoints,
    says_free_addresses,
    says_names,
    says_flow_logs,
    says_interfaces,
    says_no_changes,
)
