"""Looks at the parts of the network: each is asked once for a VPC, however many functions stand in it."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import TypeVar

from aws.reads import read
from domain.evidence import Evidence
from specialists.contract import Look, probe
from specialists.kit.loglines import LogLines
from specialists.vpc import describe
from specialists.vpc.attempts import failed_connections
from specialists.vpc.destinations import is_private
from specialists.vpc.evidence import (
    Attachment,
    CalledGroups,
    DnsSettings,
    Endpoints,
    FlowLog,
    FlowLogs,
    FunctionInterfaces,
    Interfaces,
    InternetGateways,
    NatGateways,
    NetworkAcls,
    OwnGroups,
    PrefixLists,
    RouteTables,
    Subnets,
)
from specialists.vpc.network import Interface, PrefixList, SecurityGroup, Subnet

T = TypeVar("T")

MAX_PARTS = 1000
MAX_INTERFACES = 1000
MAX_ADDRESSES = 20
MAX_LISTS = 5
MAX_BLOCKS = 1000
LAMBDAS = "AWS Lambda VPC ENI*"
"""How Lambda describes its interfaces (https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html)."""

MOUNT_TARGETS = "EFS mount target for *"
DEFAULT_FORMAT = "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr}"

DESCRIBE_SUBNETS = read("ec2", "DescribeSubnets")
DESCRIBE_GROUPS = read("ec2", "DescribeSecurityGroups")
DESCRIBE_INTERFACES = read("ec2", "DescribeNetworkInterfaces")


def vpc_of(look: Look) -> str:
    """Return the VPC of the target: its subnets know it best."""
    own = look.seen.first(Attachment, look.target.id)
    seen = look.seen.first(Subnets, look.target.id)
    named = [s.vpc_id for s in (seen.subnets if seen else ()) if own and s.id in own.subnet_ids and s.vpc_id]
    return named[0] if named else own.vpc_id if own else ""


def _shared(look: Look, what: str, vpc_id: str, ask: Callable[[], T]) -> T:
    return look.once((what, look.target.account, look.target.region, vpc_id), ask)


@probe(DESCRIBE_SUBNETS, needs=(Attachment,), yields=(Subnets,))
def subnets(look: Look) -> Iterator[Evidence]:
    """The subnets with their blocks, zones and free addresses, and whether those that are configured exist."""
    own = look.seen.of(Attachment, look.target.id)[0]
    asked = _subnets(look, "subnet-id", own.subnet_ids) if own.subnet_ids else ()
    vpc_id = asked[0].vpc_id if asked else own.vpc_id
    around = _shared(look, "subnets", vpc_id, lambda: _subnets(look, "vpc-id", (vpc_id,))) if vpc_id else ()
    found = {s.id: s for s in (*around, *asked)}
    if found or own.subnet_ids:
        yield Subnets(
            resource=look.target.id,
            source="ec2:DescribeSubnets",
            asked=own.subnet_ids,
            subnets=tuple(found[name] for name in sorted(found)),
        )


def _subnets(look: Look, name: str, values: tuple[str, ...]) -> tuple[Subnet, ...]:
    pages = look.aws.ec2.get_paginator("describe_subnets").paginate(
        Filters=[{"Name": name, "Values": list(values)}], PaginationConfig={"MaxItems": MAX_PARTS}
    )
    return tuple(describe.subnet(found) for page in pages for found in page["Subnets"])


@probe(read("ec2", "DescribeRouteTables"), needs=(Subnets,), yields=(RouteTables,))
def route_tables(look: Look) -> Iterator[Evidence]:
    """Where the VPC's route tables send traffic, and which routes lead to something that is gone."""
    vpc_id = vpc_of(look)
    pages = _shared(
        look,
        "route tables",
        vpc_id,
        lambda: list(
            look.aws.ec2.get_paginator("describe_route_tables").paginate(
                Filters=[{"Name": "vpc-id", "Values": [vpc_id]}], PaginationConfig={"MaxItems": MAX_PARTS}
            )
        ),
    )
    found = sorted((describe.route_table(t) for page in pages for t in page["RouteTables"]), key=lambda t: t.id)
    yield RouteTables(resource=look.target.id, source="ec2:DescribeRouteTables", tables=tuple(found))


@probe(read("ec2", "DescribeNatGateways"), needs=(Subnets,), yields=(NatGateways,))
def nat_gateways(look: Look) -> Iterator[Evidence]:
    """The VPC's NAT gateways: available, failed or just deleted, and in which subnets they stand."""
    vpc_id = vpc_of(look)
    pages = _shared(
        look,
        "nat gateways",
        vpc_id,
        lambda: list(
            look.aws.ec2.get_paginator("describe_nat_gateways").paginate(
                Filter=[{"Name": "vpc-id", "Values": [vpc_id]}], PaginationConfig={"MaxItems": MAX_PARTS}
            )
        ),
    )
    found = sorted((describe.nat_gateway(g) for page in pages for g in page["NatGateways"]), key=lambda g: g.id)
    yield NatGateways(resource=look.target.id, source="ec2:DescribeNatGateways", gateways=tuple(found))


@probe(read("ec2", "DescribeInternetGateways"), needs=(Subnets,), yields=(InternetGateways,))
def internet_gateways(look: Look) -> Iterator[Evidence]:
    """The internet gateways that are attached to the VPC."""
    vpc_id = vpc_of(look)
    pages = _shared(
        look,
        "internet gateways",
        vpc_id,
        lambda: list(
            look.aws.ec2.get_paginator("describe_internet_gateways").paginate(
                Filters=[{"Name": "attachment.vpc-id", "Values": [vpc_id]}], PaginationConfig={"MaxItems": MAX_PARTS}
            )
        ),
    )
    ids = sorted(g.get("InternetGatewayId", "") for page in pages for g in page["InternetGateways"])
    yield InternetGateways(resource=look.target.id, source="ec2:DescribeInternetGateways", ids=tuple(ids))


@probe(read("ec2", "DescribeNetworkAcls"), needs=(Subnets,), yields=(NetworkAcls,))
def network_acls(look: Look) -> Iterator[Evidence]:
    """The numbered entries of the VPC's network ACLs, and which subnets they guard."""
    vpc_id = vpc_of(look)
    pages = _shared(
        look,
        "network acls",
        vpc_id,
        lambda: list(
            look.aws.ec2.get_paginator("describe_network_acls").paginate(
                Filters=[{"Name": "vpc-id", "Values": [vpc_id]}], PaginationConfig={"MaxItems": MAX_PARTS}
            )
        ),
    )
    found = sorted((describe.network_acl(a) for page in pages for a in page["NetworkAcls"]), key=lambda a: a.id)
    yield NetworkAcls(resource=look.target.id, source="ec2:DescribeNetworkAcls", acls=tuple(found))


@probe(read("ec2", "DescribeVpcEndpoints"), needs=(Subnets,), yields=(Endpoints,))
def endpoints(look: Look) -> Iterator[Evidence]:
    """The VPC's endpoints: for which services, in which state, with which policies, subnets and groups."""
    vpc_id = vpc_of(look)
    pages = _shared(
        look,
        "endpoints",
        vpc_id,
        lambda: list(
            look.aws.ec2.get_paginator("describe_vpc_endpoints").paginate(
                Filters=[{"Name": "vpc-id", "Values": [vpc_id]}], PaginationConfig={"MaxItems": MAX_PARTS}
            )
        ),
    )
    target = look.target
    found = (
        describe.endpoint(e, target.partition, target.region, target.account)
        for page in pages
        for e in page["VpcEndpoints"]
    )
    yield Endpoints(
        resource=target.id,
        source="ec2:DescribeVpcEndpoints",
        endpoints=tuple(sorted(found, key=lambda e: (e.service, e.id))),
    )


@probe(DESCRIBE_GROUPS, needs=(Attachment,), yields=(OwnGroups,))
def own_groups(look: Look) -> Iterator[Evidence]:
    """What the security groups of the target let out and in, and whether those that are configured exist."""
    asked = look.seen.of(Attachment, look.target.id)[0].group_ids
    if asked:
        found = _groups(look, asked)
        yield OwnGroups(resource=look.target.id, source="ec2:DescribeSecurityGroups", asked=asked, groups=found)


@probe(DESCRIBE_GROUPS, needs=(Endpoints,), yields=(CalledGroups,))
def endpoint_groups(look: Look) -> Iterator[Evidence]:
    """What the security groups of the VPC's endpoints let in."""
    seen = look.seen.of(Endpoints, look.target.id)[0]
    yield from _called(look, {name for one in seen.endpoints for name in one.group_ids})


@probe(DESCRIBE_GROUPS, needs=(Interfaces,), yields=(CalledGroups,))
def address_groups(look: Look) -> Iterator[Evidence]:
    """What the security groups of the addresses that were called, and of mount targets, let in."""
    seen = look.seen.of(Interfaces, look.target.id)[0]
    yield from _called(look, {name for one in seen.interfaces for name in one.group_ids})


def _called(look: Look, names: set[str]) -> Iterator[Evidence]:
    asked = tuple(sorted(names))[:200]  # a filter takes 200 values
    if asked:
        found = _groups(look, asked)
        yield CalledGroups(resource=look.target.id, source="ec2:DescribeSecurityGroups", asked=asked, groups=found)


def _groups(look: Look, names: tuple[str, ...]) -> tuple[SecurityGroup, ...]:
    pages = look.aws.ec2.get_paginator("describe_security_groups").paginate(
        Filters=[{"Name": "group-id", "Values": list(names)}]
    )
    found = (describe.security_group(group) for page in pages for group in page["SecurityGroups"])
    return tuple(sorted(found, key=lambda group: group.id))


@probe(DESCRIBE_INTERFACES, needs=(Subnets, LogLines), yields=(Interfaces,))
def called_interfaces(look: Look) -> Iterator[Evidence]:
    """What stands behind the private addresses that could not be reached, and the file systems' mount targets."""
    vpc_id = vpc_of(look)
    named = {s.destination.address for s in failed_connections(look.seen, look.target)} - {""}
    private = tuple(sorted(address for address in named if is_private(address)))[:MAX_ADDRESSES]
    found: dict[str, Interface] = {}
    for name, family in (("addresses.private-ip-address", 4), ("ipv6-addresses.ipv6-address", 6)):
        wanted = [a for a in private if (":" in a) == (family == 6)]
        if wanted:
            found |= {i.id: i for i in _interfaces(look, vpc_id, name, wanted)}
    if look.seen.of(Attachment, look.target.id)[0].file_systems:
        found |= {i.id: i for i in _interfaces(look, vpc_id, "description", [MOUNT_TARGETS])}
    if private or found:
        yield Interfaces(
            resource=look.target.id,
            source="ec2:DescribeNetworkInterfaces",
            addresses=private,
            interfaces=tuple(found[name] for name in sorted(found)),
        )


@probe(DESCRIBE_INTERFACES, needs=(Subnets,), yields=(FunctionInterfaces,))
def function_interfaces(look: Look) -> Iterator[Evidence]:
    """How many network interfaces Lambda holds in the VPC: they count against its quota."""
    vpc_id = vpc_of(look)
    found = _shared(look, "interfaces", vpc_id, lambda: _interfaces(look, vpc_id, "description", [LAMBDAS]))
    yield FunctionInterfaces(
        resource=look.target.id,
        source="ec2:DescribeNetworkInterfaces",
        interfaces=found,
        truncated=len(found) >= MAX_INTERFACES,
    )


def _interfaces(look: Look, vpc_id: str, name: str, values: list[str]) -> tuple[Interface, ...]:
    pages = look.aws.ec2.get_paginator("describe_network_interfaces").paginate(
        Filters=[{"Name": "vpc-id", "Values": [vpc_id]}, {"Name": name, "Values": values}],
        PaginationConfig={"MaxItems": MAX_INTERFACES},
    )
    found = (describe.interface(one) for page in pages for one in page["NetworkInterfaces"])
    return tuple(sorted(found, key=lambda one: one.id))


@probe(
    read("ec2", "DescribeManagedPrefixLists"),
    read("ec2", "GetManagedPrefixListEntries"),
    needs=(OwnGroups, RouteTables),
    yields=(PrefixLists,),
)
def prefix_lists(look: Look) -> Iterator[Evidence]:
    """What stands behind the prefix lists that the target's groups and routes name."""
    groups = look.seen.of(OwnGroups, look.target.id)[0].groups
    tables = look.seen.of(RouteTables, look.target.id)[0].tables
    named = {name for group in groups for rule in group.egress for name in rule.prefix_lists}
    named |= {route.destination for table in tables for route in table.routes if route.destination.startswith("pl-")}
    asked = sorted(named)[:MAX_LISTS]
    if not asked:
        return
    answer = look.aws.ec2.describe_managed_prefix_lists(Filters=[{"Name": "prefix-list-id", "Values": asked}])
    found = [
        PrefixList(id=one["PrefixListId"], name=one.get("PrefixListName", ""), cidrs=_blocks(look, one["PrefixListId"]))
        for one in answer["PrefixLists"]
        if one.get("PrefixListId") in named
    ]
    yield PrefixLists(resource=look.target.id, source="ec2:GetManagedPrefixListEntries", lists=tuple(found))


def _blocks(look: Look, list_id: str) -> tuple[str, ...]:
    pages = look.aws.ec2.get_paginator("get_managed_prefix_list_entries").paginate(
        PrefixListId=list_id, PaginationConfig={"MaxItems": MAX_BLOCKS}
    )
    return tuple(entry["Cidr"] for page in pages for entry in page["Entries"] if entry.get("Cidr"))


@probe(read("ec2", "DescribeVpcAttribute"), needs=(Subnets,), yields=(DnsSettings,))
def dns(look: Look) -> Iterator[Evidence]:
    """Whether the VPC resolves names: without that no private name of an endpoint works."""
    vpc_id = vpc_of(look)
    support = look.aws.ec2.describe_vpc_attribute(VpcId=vpc_id, Attribute="enableDnsSupport")
    names = look.aws.ec2.describe_vpc_attribute(VpcId=vpc_id, Attribute="enableDnsHostnames")
    yield DnsSettings(
        resource=look.target.id,
        source="ec2:DescribeVpcAttribute",
        support=bool(support["EnableDnsSupport"].get("Value", True)),
        hostnames=bool(names["EnableDnsHostnames"].get("Value", False)),
    )


@probe(read("ec2", "DescribeFlowLogs"), needs=(Subnets,), yields=(FlowLogs,))
def flow_logs(look: Look) -> Iterator[Evidence]:
    """Whether rejected traffic of the VPC or the target's subnets is recorded, and arrives where it should."""
    vpc_id = vpc_of(look)
    own = look.seen.of(Attachment, look.target.id)[0].subnet_ids
    pages = look.aws.ec2.get_paginator("describe_flow_logs").paginate(
        Filter=[{"Name": "resource-id", "Values": [vpc_id, *own]}]
    )
    found = [
        FlowLog(
            id=log.get("FlowLogId", ""),
            resource_id=log.get("ResourceId", ""),
            traffic=log.get("TrafficType", ""),
            delivery=log.get("DeliverLogsStatus", ""),
            error=log.get("DeliverLogsErrorMessage", ""),
            log_group=log.get("LogGroupName", "") if log.get("LogDestinationType") == "cloud-watch-logs" else "",
            default_format=log.get("LogFormat", DEFAULT_FORMAT).startswith(DEFAULT_FORMAT),
        )
        for log in islice((one for page in pages for one in page["FlowLogs"]), MAX_PARTS)
    ]
    ordered = sorted(found, key=lambda log: log.id)
    yield FlowLogs(resource=look.target.id, source="ec2:DescribeFlowLogs", logs=tuple(ordered))


PROBES = (
    subnets,
    route_tables,
    nat_gateways,
    internet_gateways,
    network_acls,
    endpoints,
    own_groups,
    endpoint_groups,
    address_groups,
    called_interfaces,
    function_interfaces,
    prefix_lists,
    dns,
    flow_logs,
)
