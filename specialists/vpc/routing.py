"""Where a route table sends a packet, and whether that leads anywhere. Pure.

Routing: https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Route_Tables.html
"""

from typing import NamedTuple

from specialists.vpc.addresses import DEFAULTS, Peer, holds_all, network_of
from specialists.vpc.map import Map
from specialists.vpc.network import NatGateway, Route, RouteTable

DEAD = frozenset({"failed", "deleting", "deleted"})
LOCAL = "local"


class Stop(NamedTuple):
    """Why a packet goes no further; `parts` are the ids of what is to be mended, the first one first."""

    parts: tuple[str, ...]
    text: str
    broken: bool = False


def next_hop(network: Map, table: RouteTable, peer: Peer, *, anywhere: bool) -> Stop | None:
    """Follow the route to the peer; None when it leads somewhere, or out of sight.

    `anywhere`: the address is not known, so that the peer may as well be in a network joined to this one.
    """
    route = best_route(network, table, peer)
    if route is None:
        if _may_lead_elsewhere(table, peer, anywhere=anywhere):
            return None
        where = f"{peer.networks[0].network_address}" if peer.private else f"the internet ({peer.default})"
        return Stop((table.id,), f"route table `{table.id}` has no route to {where}")
    return leads_nowhere(network, table, route, peer)


def leads_nowhere(network: Map, table: RouteTable, route: Route, peer: Peer) -> Stop | None:
    """Say why a route ends at its next hop; None when it does not, or cannot be followed."""
    what = f"{route.destination} of route table `{table.id}`"
    if route.blackhole:
        return Stop((table.id, route.via), f"{what} leads to `{route.via or 'nothing'}`, which is gone", broken=True)
    if route.via.startswith("igw-"):
        attached = network.internet_gateways
        if attached is not None and route.via not in attached:
            return Stop((table.id, route.via), f"{what} leads to `{route.via}`, which is not attached", broken=True)
        if peer.version == 4:
            text = f"{what} leads straight to `{route.via}`, and a function has no public address: it needs NAT"
            return Stop((table.id, route.via), text)
    if route.via.startswith("nat-") and network.nat_gateways is not None:
        return _nat(network, what, table, route, peer)
    return None


def best_route(network: Map, table: RouteTable, peer: Peer) -> Route | None:
    """Return the most specific route that holds the peer; for an unknown address only a default route does."""
    if not peer.networks:
        return next((r for r in table.routes if r.destination == peer.default), None)
    lists = {one.id: one.cidrs for one in network.prefix_lists}
    fitting = [
        (block.prefixlen, route)
        for route in table.routes
        for cidr in lists.get(route.destination, (route.destination,))
        if (block := network_of(cidr)) is not None and holds_all(cidr, peer)
    ]
    return max(fitting, key=lambda pair: pair[0])[1] if fitting else None


def _nat(network: Map, what: str, table: RouteTable, route: Route, peer: Peer) -> Stop | None:
    gateway = network.nat_gateway(route.via)
    if gateway is None or gateway.state.lower() in DEAD:
        state = gateway.state if gateway else "gone"
        why = f": {gateway.failure}" if gateway and gateway.failure else ""
        return Stop((route.via, table.id), f"{what} leads to NAT gateway `{route.via}`, which is {state}{why}", True)
    if not peer.private and not gateway.public:
        return Stop((route.via, table.id), f"{what} leads to NAT gateway `{route.via}`, which is a private one")
    own = network.table_of(gateway.subnet_id) if gateway.subnet_id else None
    if own is None:
        return None
    return _private_over_nat(network, what, (table, own), route, peer) if peer.private else _out(network, own, gateway)


def _out(network: Map, own: RouteTable, gateway: NatGateway) -> Stop | None:
    """Say why a NAT gateway's own route table leads it to no internet gateway."""
    onward = next((r for r in own.routes if r.destination == DEFAULTS[4]), None)
    where = f"NAT gateway `{gateway.id}` stands in `{gateway.subnet_id}`"
    if onward is None or onward.via.startswith("nat-"):
        text = f"{where}, whose route table `{own.id}` has no route to an internet gateway"
        return Stop((own.id, gateway.id), text)
    detached = network.internet_gateways is not None and onward.via not in network.internet_gateways
    if onward.blackhole or (onward.via.startswith("igw-") and detached):
        return Stop((own.id, onward.via), f"{where}, whose way out `{onward.via}` is gone", True)
    return None


def _private_over_nat(
    network: Map, what: str, tables: tuple[RouteTable, RouteTable], route: Route, peer: Peer
) -> Stop | None:
    """Say that a private address is sent to the internet: neither table, the NAT gateway's the second, knows better."""
    onward = best_route(network, tables[1], peer)
    elsewhere = any(_may_lead_elsewhere(table, peer, anywhere=False) for table in tables)
    if not peer.networks or elsewhere or onward is None or not onward.via.startswith("igw-"):
        return None
    address = peer.networks[0].network_address
    text = f"{what} is the only way to {address}, and NAT gateway `{route.via}` sends that to the internet in vain"
    return Stop((tables[0].id, route.via), text)


def _may_lead_elsewhere(table: RouteTable, peer: Peer, *, anywhere: bool) -> bool:
    """Tell whether a route that cannot be judged may hold the peer: a prefix list, or another network than this."""
    others = [r for r in table.routes if r.via != LOCAL and not r.via.startswith("vpce-")]
    unread = any(network_of(r.destination) is None for r in others)
    wide = any(_wide(r.destination) for r in others)
    return unread or wide or (anywhere and not peer.networks and bool(others))


def _wide(cidr: str) -> bool:
    block = network_of(cidr)
    return block is not None and block.prefixlen == 1
