"""The network around a target, put together from what was seen of it; what was not read is None or empty. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from ipaddress import ip_address

from domain.evidence import EvidenceBundle
from domain.resource import Resource
from specialists.vpc.addresses import Peer
from specialists.vpc.evidence import (
    Attachment,
    Endpoints,
    Interfaces,
    InternetGateways,
    NatGateways,
    NetworkAcls,
    PrefixLists,
    RouteTables,
    SecurityGroups,
    Subnets,
)
from specialists.vpc.network import (
    Endpoint,
    Interface,
    NatGateway,
    NetworkAcl,
    PrefixList,
    RouteTable,
    SecurityGroup,
    SecurityRule,
    Subnet,
)


@dataclass(frozen=True)
class Map:
    """What lies around the target. `nat_gateways` and `internet_gateways` are None when they were not read."""

    region: str = ""
    own_subnet_ids: tuple[str, ...] = ()
    own_group_ids: tuple[str, ...] = ()
    ipv6: bool = False
    subnets: tuple[Subnet, ...] = ()
    tables: tuple[RouteTable, ...] = ()
    nat_gateways: tuple[NatGateway, ...] | None = None
    internet_gateways: tuple[str, ...] | None = None
    groups: tuple[SecurityGroup, ...] = ()
    acls: tuple[NetworkAcl, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    interfaces: tuple[Interface, ...] = ()
    prefix_lists: tuple[PrefixList, ...] = ()

    @property
    def own_subnets(self) -> tuple[Subnet, ...]:
        """The target's subnets that exist."""
        return tuple(s for s in self.subnets if s.id in self.own_subnet_ids)

    @property
    def own_groups(self) -> tuple[SecurityGroup, ...]:
        """The target's security groups; empty unless all of them were read."""
        found = tuple(g for g in self.groups if g.id in self.own_group_ids)
        return found if len(found) == len(set(self.own_group_ids)) else ()

    def table_of(self, subnet_id: str) -> RouteTable | None:
        """Return the route table of a subnet: the one that names it, else the main one."""
        named = next((t for t in self.tables if subnet_id in t.subnet_ids), None)
        return named or next((t for t in self.tables if t.main), None)

    def acl_of(self, subnet_id: str) -> NetworkAcl | None:
        """Return the network ACL of a subnet."""
        return next((acl for acl in self.acls if subnet_id in acl.subnet_ids), None)

    def nat_gateway(self, gateway_id: str) -> NatGateway | None:
        """Return a NAT gateway by its id."""
        return next((g for g in self.nat_gateways or () if g.id == gateway_id), None)

    def nat_of(self, subnet_id: str, peer: Peer) -> NatGateway | None:
        """Return the NAT gateway of a subnet's default route."""
        table = self.table_of(subnet_id)
        ways = (r.via for r in table.routes if r.destination == peer.default and not r.blackhole) if table else ()
        return next((g for via in ways if (g := self.nat_gateway(via)) is not None), None)

    def interface_at(self, address: str) -> Interface | None:
        """Return the network interface that has an address."""
        if not address:
            return None
        where = ip_address(address)
        return next((i for i in self.interfaces if where in map(ip_address, i.addresses)), None)

    def rules_in(self, group_ids: Iterable[str]) -> tuple[SecurityRule, ...] | None:
        """Return what these groups let in together; None when one was not read, or there is none to guard it."""
        wanted = set(group_ids)
        found = [g for g in self.groups if g.id in wanted]
        complete = wanted and {g.id for g in found} == wanted
        return tuple(rule for group in found for rule in group.ingress) if complete else None


def map_of(seen: EvidenceBundle, target: Resource) -> Map:
    """Put together what was seen of the network around a target."""
    where = seen.first(Attachment, target.id)
    gateways = seen.first(NatGateways, target.id)
    internet = seen.first(InternetGateways, target.id)
    drawn = Map(
        region=target.region,
        subnets=tuple(s for e in seen.of(Subnets, target.id) for s in e.subnets),
        tables=tuple(t for e in seen.of(RouteTables, target.id) for t in e.tables),
        nat_gateways=None if gateways is None else gateways.gateways,
        internet_gateways=None if internet is None else internet.ids,
        groups=tuple({g.id: g for e in seen.of(SecurityGroups, target.id) for g in e.groups}.values()),
        acls=tuple(a for e in seen.of(NetworkAcls, target.id) for a in e.acls),
        endpoints=tuple(p for e in seen.of(Endpoints, target.id) for p in e.endpoints),
        interfaces=tuple(i for e in seen.of(Interfaces, target.id) for i in e.interfaces),
        prefix_lists=tuple(p for e in seen.of(PrefixLists, target.id) for p in e.lists),
    )
    if where is None:
        return drawn
    return replace(drawn, own_subnet_ids=where.subnet_ids, own_group_ids=where.group_ids, ipv6=where.ipv6)
