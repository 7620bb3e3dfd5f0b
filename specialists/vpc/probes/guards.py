"""Looks at what guards and stands behind connections: security groups, network interfaces, prefix lists."""

from collections.abc import Iterator

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
    Endpoints,
    FunctionInterfaces,
    Interfaces,
    OwnGroups,
    PrefixLists,
    RouteTables,
    Subnets,
)
from specialists.vpc.network import Interface, PrefixList, SecurityGroup
from specialists.vpc.probes.parts import vpc_of

MAX_INTERFACES = 1000
MAX_ADDRESSES = 20
MAX_GROUPS = 200
MAX_LISTS = 5
MAX_BLOCKS = 1000
LAMBDAS = "AWS Lambda VPC ENI*"
"""How Lambda describes its interfaces (https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html)."""

MOUNT_TARGETS = "EFS mount target for *"
DESCRIBE_GROUPS = read("ec2", "DescribeSecurityGroups")
DESCRIBE_INTERFACES = read("ec2", "DescribeNetworkInterfaces")


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
    asked = tuple(sorted(names))[:MAX_GROUPS]
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
    question = ("interfaces", look.target.account, look.target.region, vpc_id)
    found = look.once(question, lambda: _interfaces(look, vpc_id, "description", [LAMBDAS]))
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


PROBES = (
    own_groups,
    endpoint_groups,
    address_groups,
    called_interfaces,
    function_interfaces,
    prefix_lists,
)
