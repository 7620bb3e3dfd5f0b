"""What the VPC specialist can see of the network around a function, a subnet, a security group or an endpoint.

All of it is about the target of the investigation: the same network stands once for every function in it.
API: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/OperationList-query-vpc.html
"""

from collections import Counter

from pydantic import AwareDatetime

from domain.evidence import Evidence
from domain.values import Value
from specialists.vpc.network import (
    Endpoint,
    Interface,
    NatGateway,
    NetworkAcl,
    PrefixList,
    RouteTable,
    SecurityGroup,
    Subnet,
)


class Status(Value):
    """A state that Lambda reports, with its reason where there is one."""

    state: str = ""
    code: str = ""
    reason: str = ""

    def __str__(self) -> str:
        return self.state + (f" ({self.code}: {self.reason})" if self.code else "")


class Attachment(Evidence, kind="vpc.attachment"):
    """Where the target stands in which VPC: a function by its VpcConfig, a part of a VPC by itself.

    A target that does not exist any more has no VPC.
    """

    vpc_id: str = ""
    subnet_ids: tuple[str, ...] = ()
    group_ids: tuple[str, ...] = ()
    ipv6: bool = False
    role: str = ""
    state: Status = Status()
    last_update: Status = Status()
    file_systems: tuple[str, ...] = ()
    exists: bool = True

    def summary(self) -> str:
        """Say where it stands."""
        if not self.exists:
            return "It does not exist"
        named = ", ".join((*self.subnet_ids, *self.group_ids)) or "no subnet or group of its own"
        states = f", state {self.state}, last update {self.last_update}" if self.state.state else ""
        return f"In {self.vpc_id or 'a VPC'}: {named}{states}"


class Subnets(Evidence, kind="vpc.subnets"):
    """The subnets of the VPC, and those of `asked` that do not exist."""

    asked: tuple[str, ...] = ()
    subnets: tuple[Subnet, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """The subnets that were asked for and are not there."""
        there = {subnet.id for subnet in self.subnets}
        return tuple(name for name in self.asked if name not in there)

    def summary(self) -> str:
        """Say how many addresses are left where."""
        wanted = [s for s in self.subnets if s.id in self.asked] or list(self.subnets)
        shown = [f"{s.id} ({s.cidr}, {s.zone}) has {s.free} free addresses" for s in wanted]
        return "; ".join([*shown[:6], *(f"{name} does not exist" for name in self.missing)]) or "no subnets"


class RouteTables(Evidence, kind="vpc.route_tables"):
    """The route tables of the VPC."""

    tables: tuple[RouteTable, ...] = ()

    def summary(self) -> str:
        """Say where each table sends traffic to the internet."""
        return "; ".join(f"{t.id}{' (main)' if t.main else ''}: {_defaults(t)}" for t in self.tables[:6]) or "none"


class NatGateways(Evidence, kind="vpc.nat_gateways"):
    """The NAT gateways of the VPC; deleted ones are listed for about an hour."""

    gateways: tuple[NatGateway, ...] = ()

    def summary(self) -> str:
        """Say the state of each."""
        shown = (f"{g.id} {g.state}" + (f" ({g.failure})" if g.failure else "") for g in self.gateways)
        return "NAT gateways: " + (", ".join(shown) or "none")


class InternetGateways(Evidence, kind="vpc.internet_gateways"):
    """The internet gateways attached to the VPC."""

    ids: tuple[str, ...] = ()

    def summary(self) -> str:
        """Name them."""
        return "Internet gateways attached: " + (", ".join(self.ids) or "none")


class SecurityGroups(Evidence):
    """Security groups, and those of `asked` that do not exist."""

    asked: tuple[str, ...] = ()
    groups: tuple[SecurityGroup, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """The groups that were asked for and are not there."""
        there = {group.id for group in self.groups}
        return tuple(name for name in self.asked if name not in there)

    def summary(self) -> str:
        """Count their rules."""
        shown = [f"{g.id} {g.name}: {len(g.egress)} rules out, {len(g.ingress)} in" for g in self.groups]
        return "; ".join([*shown[:6], *(f"{name} does not exist" for name in self.missing)]) or "no groups"


class OwnGroups(SecurityGroups, kind="vpc.own_groups"):
    """The target's own security groups."""


class CalledGroups(SecurityGroups, kind="vpc.called_groups"):
    """The security groups of what the target calls: endpoints, addresses, mount targets."""


class NetworkAcls(Evidence, kind="vpc.network_acls"):
    """The network ACLs of the VPC."""

    acls: tuple[NetworkAcl, ...] = ()

    def summary(self) -> str:
        """Count their entries."""
        shown = (f"{a.id}: {len(a.entries)} entries, {len(a.subnet_ids)} subnets" for a in self.acls[:6])
        return "; ".join(shown) or "no network ACLs"


class Endpoints(Evidence, kind="vpc.endpoints"):
    """The endpoints of the VPC."""

    endpoints: tuple[Endpoint, ...] = ()

    def summary(self) -> str:
        """Name each with its service and state."""
        shown = (f"{e.service} {e.id} ({'gateway' if e.gateway else 'interface'}, {e.state})" for e in self.endpoints)
        return "VPC endpoints: " + (", ".join(shown) or "none")


class Interfaces(Evidence, kind="vpc.interfaces"):
    """The network interfaces at the private addresses that were called, and the mount targets of file systems."""

    addresses: tuple[str, ...] = ()
    interfaces: tuple[Interface, ...] = ()

    def summary(self) -> str:
        """Say what stands behind the addresses."""
        shown = [f"{', '.join(i.addresses)} is {i.id} ({i.description})" for i in self.interfaces]
        there = {address for interface in self.interfaces for address in interface.addresses}
        gone = [f"{address} is no interface of this VPC" for address in self.addresses if address not in there]
        return "; ".join([*shown[:6], *gone]) or "no interface was looked for"


class FunctionInterfaces(Evidence, kind="vpc.function_interfaces"):
    """The network interfaces that Lambda keeps in the VPC, of all functions there."""

    interfaces: tuple[Interface, ...] = ()
    truncated: bool = False

    def summary(self) -> str:
        """Count them by status."""
        counted = sorted(Counter(i.status or "unknown" for i in self.interfaces).items())
        least = "at least " if self.truncated else ""
        shown = ", ".join(f"{number} {status}" for status, number in counted)
        return f"{least}{len(self.interfaces)} network interfaces of Lambda in the VPC" + (
            f": {shown}" if shown else ""
        )


class PrefixLists(Evidence, kind="vpc.prefix_lists"):
    """The prefix lists that rules and routes name."""

    lists: tuple[PrefixList, ...] = ()

    def summary(self) -> str:
        """Name them."""
        shown = (f"{p.id} is {p.name}, {len(p.cidrs)} blocks" for p in self.lists)
        return "Prefix lists: " + (", ".join(shown) or "none")


class DnsSettings(Evidence, kind="vpc.dns"):
    """Whether the VPC resolves names, and gives its interfaces names of their own."""

    support: bool
    hostnames: bool

    def summary(self) -> str:
        """Say both."""
        return f"DNS resolution {'on' if self.support else 'off'}, DNS host names {'on' if self.hostnames else 'off'}"


class FlowLog(Value):
    """One flow log; `resource_id` is the VPC, subnet or interface that it records."""

    id: str
    resource_id: str
    traffic: str = ""
    delivery: str = ""
    error: str = ""
    log_group: str = ""
    default_format: bool = True


class FlowLogs(Evidence, kind="vpc.flow_logs"):
    """The flow logs of the VPC and its subnets."""

    logs: tuple[FlowLog, ...] = ()

    def summary(self) -> str:
        """Say what is recorded and whether it arrives."""
        shown = (
            f"{log.id} of {log.resource_id} ({log.traffic}) {log.delivery} {log.error}".rstrip() for log in self.logs
        )
        return "Flow logs: " + (", ".join(shown) or "none")


class RejectedFlow(Value):
    """One record of traffic that a security group or a network ACL rejected."""

    at: AwareDatetime
    interface: str
    source: str
    destination: str
    port: int


class RejectedFlows(Evidence, kind="vpc.rejected_flows"):
    """Rejected traffic from the function's subnets in the window, as flow logs record it."""

    log_group: str
    flows: tuple[RejectedFlow, ...] = ()
    truncated: bool = False

    def summary(self) -> str:
        """Count them and show the first."""
        least = "at least " if self.truncated else ""
        first = self.flows[0] if self.flows else None
        shown = f"; first: {first.source} to {first.destination} port {first.port}" if first else ""
        return f"{least}{len(self.flows)} rejected flows in {self.log_group}{shown}"


class NetworkChanges(Evidence, kind="vpc.network_changes"):
    """How many write events CloudTrail holds about parts of the network that lie on the way: none is an answer too."""

    names: tuple[str, ...]
    searched_from: AwareDatetime
    events: int

    def summary(self) -> str:
        """Say whether anything changed."""
        since = f"since {self.searched_from:%Y-%m-%d %H:%M} UTC"
        return f"{self.events} write events about {', '.join(self.names)} {since}"


def _defaults(table: RouteTable) -> str:
    ways = [r for r in table.routes if r.destination in {"0.0.0.0/0", "::/0"}]
    shown = (f"{r.destination} via {r.via or 'nothing'}{' (blackhole)' if r.blackhole else ''}" for r in ways)
    return ", ".join(shown) or "no default route"
