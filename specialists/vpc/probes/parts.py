"""Looks at the parts of the network: each is asked once for a VPC, however many functions stand in it."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from aws.reads import read
from domain.evidence import Evidence
from specialists.contract import Look, probe
from specialists.vpc import describe
from specialists.vpc.evidence import (
    Attachment,
    DnsSettings,
    Endpoints,
    FlowLog,
    FlowLogs,
    InternetGateways,
    NatGateways,
    NetworkAcls,
    RouteTables,
    Subnets,
)
from specialists.vpc.network import Subnet

T = TypeVar("T")

MAX_PARTS = 1000
DEFAULT_FORMAT = "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr}"


def vpc_of(look: Look) -> str:
    """Return the VPC of the target: its subnets know it best."""
    own = look.seen.first(Attachment, look.target.id)
    seen = look.seen.first(Subnets, look.target.id)
    named = [s.vpc_id for s in (seen.subnets if seen else ()) if own and s.id in own.subnet_ids and s.vpc_id]
    return named[0] if named else own.vpc_id if own else ""


def _listed(look: Look, what: str, paginate: Callable[..., Iterable[T]], filters: str = "Filters") -> list[T]:
    """Return the pages of what the target's VPC has, asked once for all its functions.

    `filters` is the name that the operation gives to that parameter.
    """
    vpc_id = vpc_of(look)
    chosen = {filters: [{"Name": "vpc-id", "Values": [vpc_id]}], "PaginationConfig": {"MaxItems": MAX_PARTS}}
    return look.once((what, look.target.account, look.target.region, vpc_id), lambda: list(paginate(**chosen)))


@probe(read("ec2", "DescribeSubnets"), needs=(Attachment,), yields=(Subnets,))
def subnets(look: Look) -> Iterator[Evidence]:
    """The subnets with their blocks, zones and free addresses, and whether those that are configured exist."""
    own = look.seen.of(Attachment, look.target.id)[0]
    asked = _subnets(look, "subnet-id", own.subnet_ids) if own.subnet_ids else ()
    vpc_id = asked[0].vpc_id if asked else own.vpc_id
    question = ("subnets", look.target.account, look.target.region, vpc_id)
    around = look.once(question, lambda: _subnets(look, "vpc-id", (vpc_id,))) if vpc_id else ()
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
    pages = _listed(look, "route tables", look.aws.ec2.get_paginator("describe_route_tables").paginate)
    found = sorted((describe.route_table(t) for page in pages for t in page["RouteTables"]), key=lambda t: t.id)
    yield RouteTables(resource=look.target.id, source="ec2:DescribeRouteTables", tables=tuple(found))


@probe(read("ec2", "DescribeNatGateways"), needs=(Subnets,), yields=(NatGateways,))
def nat_gateways(look: Look) -> Iterator[Evidence]:
    """The VPC's NAT gateways: available, failed or just deleted, and in which subnets they stand."""
    pages = _listed(look, "nat gateways", look.aws.ec2.get_paginator("describe_nat_gateways").paginate, "Filter")
    found = sorted((describe.nat_gateway(g) for page in pages for g in page["NatGateways"]), key=lambda g: g.id)
    yield NatGateways(resource=look.target.id, source="ec2:DescribeNatGateways", gateways=tuple(found))


@probe(read("ec2", "DescribeInternetGateways"), needs=(Subnets,), yields=(InternetGateways,))
def internet_gateways(look: Look) -> Iterator[Evidence]:
    """The internet gateways that are attached to the VPC."""
    pages = look.aws.ec2.get_paginator("describe_internet_gateways").paginate(
        Filters=[{"Name": "attachment.vpc-id", "Values": [vpc_of(look)]}]
    )
    ids = sorted(g.get("InternetGatewayId", "") for page in pages for g in page["InternetGateways"])
    yield InternetGateways(resource=look.target.id, source="ec2:DescribeInternetGateways", ids=tuple(ids))


@probe(read("ec2", "DescribeNetworkAcls"), needs=(Subnets,), yields=(NetworkAcls,))
def network_acls(look: Look) -> Iterator[Evidence]:
    """The numbered entries of the VPC's network ACLs, and which subnets they guard."""
    pages = _listed(look, "network acls", look.aws.ec2.get_paginator("describe_network_acls").paginate)
    found = sorted((describe.network_acl(a) for page in pages for a in page["NetworkAcls"]), key=lambda a: a.id)
    yield NetworkAcls(resource=look.target.id, source="ec2:DescribeNetworkAcls", acls=tuple(found))


@probe(read("ec2", "DescribeVpcEndpoints"), needs=(Subnets,), yields=(Endpoints,))
def endpoints(look: Look) -> Iterator[Evidence]:
    """The VPC's endpoints: for which services, in which state, with which policies, subnets and groups."""
    pages = _listed(look, "endpoints", look.aws.ec2.get_paginator("describe_vpc_endpoints").paginate)
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
        Filter=[{"Name": "resource-id", "Values": [vpc_id, *own]}],  # type: ignore[call-arg]  # the stubs misname it
        PaginationConfig={"MaxItems": MAX_PARTS},
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
        for page in pages
        for log in page["FlowLogs"]
    ]
    ordered = sorted(found, key=lambda log: log.id)
    yield FlowLogs(resource=look.target.id, source="ec2:DescribeFlowLogs", logs=tuple(ordered))


PROBES = (subnets, route_tables, nat_gateways, internet_gateways, network_acls, endpoints, dns, flow_logs)
