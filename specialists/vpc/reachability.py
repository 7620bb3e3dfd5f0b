"""Can a function's network interface reach a destination, and if not, what exactly is in the way? Pure.

Only what is seen to block is named: what was not read, or leads out of this VPC, counts as open.
Functions in a VPC: https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc-internet.html
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address

from specialists.vpc.addresses import Peer, network_of, peer_in, peer_of
from specialists.vpc.destinations import Destination, Place, is_private
from specialists.vpc.filters import EPHEMERAL, Other, Ports, acl_passage, ports_of, rules_allow
from specialists.vpc.map import Map
from specialists.vpc.network import Endpoint, NetworkAcl, RouteTable, SecurityRule, Subnet
from specialists.vpc.routing import next_hop

WORKING = frozenset({"available", "partial"})
"""States of an endpoint that answers, if only in some zones."""


class Kind(StrEnum):
    """What is in the way."""

    ROUTE = "route"
    GROUP = "security group"
    ACL = "network ACL"


@dataclass(frozen=True)
class Obstacle:
    """One thing that blocks the way from a subnet.

    `parts` are EC2's ids of it, the one to mend first; `partial`: only some of the traffic is blocked; `broken`: it
    leads to something that is gone or failed, which nobody sets up on purpose.
    """

    kind: Kind
    subnet: str
    parts: tuple[str, ...]
    text: str
    partial: bool = False
    broken: bool = False


@dataclass(frozen=True)
class _Way:
    """A destination as the packets from one subnet see it; `inside` are the subnets of this VPC that it lies in."""

    subnet: Subnet
    destination: Destination
    ports: Ports
    other: Other
    inside: tuple[Subnet, ...] = ()
    ingress: tuple[SecurityRule, ...] | None = None
    routed: bool = True


def obstacles(network: Map, destination: Destination) -> tuple[Obstacle, ...]:
    """Return what blocks a TCP connection, for each of the function's subnets that were read."""
    return tuple(found for subnet in network.own_subnets for found in _from_subnet(network, subnet, destination))


def blocked_subnets(found: tuple[Obstacle, ...]) -> frozenset[str]:
    """Return the subnets from which nothing gets through."""
    return frozenset(one.subnet for one in found if not one.partial)


def endpoint_for(network: Map, subnet: Subnet, destination: Destination) -> Endpoint | None:
    """Return the VPC endpoint that calls from a subnet to an AWS service go through; None: they leave the VPC."""
    if destination.place is not Place.SERVICE or destination.region not in {"", network.region}:
        return None
    same = [e for e in network.endpoints if e.service == destination.service]
    table = network.table_of(subnet.id)
    public = bool(destination.address) and not is_private(destination.address)
    named = destination.host.startswith("vpce-")
    interface = next((e for e in same if not e.gateway and (e.private_dns or named)), None)
    if interface is not None and not public:
        return interface
    gateways = [e for e in same if e.gateway]
    return next((e for e in gateways if table is not None and _serves(e, table)), None)


def _serves(endpoint: Endpoint, table: RouteTable) -> bool:
    return table.id in endpoint.route_table_ids or any(route.via == endpoint.id for route in table.routes)


def _from_subnet(network: Map, subnet: Subnet, destination: Destination) -> Iterator[Obstacle]:
    endpoint = endpoint_for(network, subnet, destination)
    if endpoint is not None and endpoint.state.lower() not in WORKING:
        text = f"VPC endpoint `{endpoint.id}` for `{endpoint.service}` is {endpoint.state}"
        yield Obstacle(Kind.ROUTE, subnet.id, (endpoint.id,), text, broken=True)
        return
    way = _way(network, subnet, destination, endpoint)
    if way.routed:
        yield from _routes(network, way)
    yield from _groups(network, way)
    yield from _acls(network, way)


def _way(network: Map, subnet: Subnet, destination: Destination, endpoint: Endpoint | None) -> _Way:
    ports = ports_of(destination.port)
    if endpoint is not None and endpoint.gateway:
        peer = Peer(public=True)
        return _Way(subnet, destination, ports, Other(peer, frozenset(), endpoint.service), routed=False)
    if endpoint is not None:
        inside = tuple(s for s in network.subnets if s.id in endpoint.subnet_ids)
        peer = peer_in(tuple(s.cidr for s in inside))
        groups = frozenset(endpoint.group_ids)
        return _Way(
            subnet, destination, ports, Other(peer, groups), inside, network.rules_in(endpoint.group_ids), routed=False
        )
    peer = peer_of(destination)
    inside = tuple(s for s in network.subnets if destination.address and _within(s, destination.address))
    interface = network.interface_at(destination.address)
    known = None if interface is None else frozenset(interface.group_ids)
    ingress = None if interface is None else network.rules_in(interface.group_ids)
    other = Other(peer, known, destination.service)
    return _Way(subnet, destination, ports, other, inside, ingress, routed=destination.place is not Place.HOST)


def _within(subnet: Subnet, address: str) -> bool:
    where = ip_address(address)
    blocks = (network_of(cidr) for cidr in (subnet.cidr, *subnet.ipv6_cidrs))
    return any(block is not None and where.version == block.version and where in block for block in blocks)


def _routes(network: Map, way: _Way) -> Iterator[Obstacle]:
    subnet, peer = way.subnet, way.other.peer
    table = network.table_of(subnet.id)
    if peer.version == 6 and not (network.ipv6 and subnet.ipv6_cidrs):
        text = "the function's network settings do not allow IPv6"
        yield Obstacle(Kind.ROUTE, subnet.id, (subnet.id,), text)
    elif table is not None and not way.inside:
        stop = next_hop(network, table, peer, anywhere=not way.destination.address)
        if stop is not None:
            idle = _idle_endpoints(network, table, way.destination)
            parts = (*stop.parts[:1], *(one.id for one in idle), *stop.parts[1:])
            text = stop.text + "".join(f", and {_why_idle(one, table)}" for one in idle)
            yield Obstacle(Kind.ROUTE, subnet.id, parts, text, broken=stop.broken)


def _idle_endpoints(network: Map, table: RouteTable, destination: Destination) -> list[Endpoint]:
    """Return the VPC's endpoints for the service that calls from this route table's subnets do not go through."""
    if destination.place is not Place.SERVICE or destination.region not in {"", network.region}:
        return []
    same = [e for e in network.endpoints if e.service == destination.service]
    return [e for e in same if (not _serves(e, table) if e.gateway else not e.private_dns)]


def _why_idle(endpoint: Endpoint, table: RouteTable) -> str:
    named = f"VPC endpoint `{endpoint.id}` for `{endpoint.service}`"
    if endpoint.gateway:
        return f"{named} is not in route table `{table.id}`"
    return f"{named} has private DNS switched off, so that calls by the usual name do not go there"


def _groups(network: Map, way: _Way) -> Iterator[Obstacle]:
    port = way.destination.port
    what = f"port {port}" if port else "TCP"
    if network.own_groups:
        rules = [rule for group in network.own_groups for rule in group.egress]
        if rules_allow(rules, way.ports, way.other, network.prefix_lists) is False:
            ids = tuple(group.id for group in network.own_groups)
            text = f"{_listed('security group', ids)} lets nothing out to {way.destination} on {what}"
            yield Obstacle(Kind.GROUP, way.subnet.id, ids, text)
    if way.ingress is None:
        return
    caller = Other(peer_in((_block(way.subnet, way.other.peer.version),)), frozenset(network.own_group_ids))
    if rules_allow(way.ingress, way.ports, caller, network.prefix_lists) is False:
        ids = tuple(sorted(way.other.groups or ()))
        text = f"{_listed('security group', ids)} of the other side does not let the function in on {what}"
        yield Obstacle(Kind.GROUP, way.subnet.id, ids, text)


def _block(subnet: Subnet, version: int) -> str:
    return subnet.cidr if version == 4 else next(iter(subnet.ipv6_cidrs), "")


def _listed(noun: str, ids: tuple[str, ...]) -> str:
    return f"{noun} " + " and ".join(f"`{name}`" for name in ids)


@dataclass(frozen=True)
class _Crossing:
    """One passage of an ACL: whose, which way, to or from whom, on which ports."""

    acl: NetworkAcl
    egress: bool
    peer: Peer
    ports: Ports


def _acls(network: Map, way: _Way) -> Iterator[Obstacle]:
    own, peer = way.subnet, way.other.peer
    if any(s.id == own.id for s in way.inside):
        return
    yield from _stopped(way, _both_ways(network.acl_of(own.id), peer, way.ports, outgoing=True))
    caller = peer_in((_block(own, peer.version),))
    beyond = [list(_both_ways(network.acl_of(s.id), caller, way.ports, outgoing=False)) for s in way.inside]
    stops = [list(_stopped(way, crossings)) for crossings in beyond]
    if stops and all(stops):
        yield from stops[0]
    nat = network.nat_of(own.id, peer) if way.routed and not way.inside else None
    if nat is not None and nat.subnet_id and nat.subnet_id != own.id:
        acl = network.acl_of(nat.subnet_id)
        yield from _stopped(way, _both_ways(acl, caller, way.ports, outgoing=False))
        yield from _stopped(way, _both_ways(acl, peer, way.ports, outgoing=True))


def _both_ways(acl: NetworkAcl | None, peer: Peer, ports: Ports, *, outgoing: bool) -> Iterator[_Crossing]:
    """Yield the request's and the answer's passage of a subnet's ACL."""
    if acl is not None:
        yield _Crossing(acl, outgoing, peer, ports)
        yield _Crossing(acl, not outgoing, peer, EPHEMERAL)


def _stopped(way: _Way, crossings: Iterator[_Crossing] | list[_Crossing]) -> Iterator[Obstacle]:
    for one in crossings:
        passage = acl_passage(one.acl, one.peer, one.ports, egress=one.egress)
        answer = one.ports == EPHEMERAL
        if not passage.nothing and (passage.everything or not answer):
            continue
        entry = passage.stopped_by
        why = f"entry {entry.number} denies" if entry is not None else "no entry allows"
        direction = "outbound" if one.egress else "inbound"
        if answer:
            share = "" if passage.nothing else "some of "
            what = f"{share}the answers of {way.destination} ({direction} ports {EPHEMERAL[0]}-{EPHEMERAL[1]})"
        else:
            port = f" port {way.destination.port}" if way.destination.port else ""
            what = f"{direction}{port} for {way.destination}"
        text = f"network ACL `{one.acl.id}`: {why} {what}"
        yield Obstacle(Kind.ACL, way.subnet.id, (one.acl.id,), text, partial=not passage.nothing)
