"""EC2's answers as values."""

from typing import TYPE_CHECKING

from specialists.vpc.network import (
    HIGHEST,
    LOWEST,
    AclEntry,
    Endpoint,
    Interface,
    NatGateway,
    NetworkAcl,
    Route,
    RouteTable,
    SecurityGroup,
    SecurityRule,
    Subnet,
)
from specialists.vpc.policies import statements_of

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        IpPermissionOutputTypeDef,
        NatGatewayTypeDef,
        NetworkAclEntryTypeDef,
        NetworkAclTypeDef,
        NetworkInterfaceTypeDef,
        RouteTableTypeDef,
        RouteTypeDef,
        SecurityGroupTypeDef,
        SubnetTypeDef,
        VpcEndpointTypeDef,
    )

FINAL = 32767
"""The number of an ACL's last entry, which denies everything."""


def subnet(found: "SubnetTypeDef") -> Subnet:
    """Read a subnet."""
    blocks = (b.get("Ipv6CidrBlock", "") for b in found.get("Ipv6CidrBlockAssociationSet", []))
    return Subnet(
        id=found.get("SubnetId", ""),
        vpc_id=found.get("VpcId", ""),
        zone=found.get("AvailabilityZone", ""),
        cidr=found.get("CidrBlock", ""),
        ipv6_cidrs=tuple(block for block in blocks if block),
        free=found.get("AvailableIpAddressCount", 0),
    )


def route_table(found: "RouteTableTypeDef") -> RouteTable:
    """Read a route table with its routes and subnets."""
    ties = found.get("Associations", [])
    return RouteTable(
        id=found.get("RouteTableId", ""),
        main=any(tie.get("Main", False) for tie in ties),
        subnet_ids=tuple(sorted(tie["SubnetId"] for tie in ties if tie.get("SubnetId"))),
        routes=tuple(_route(route) for route in found.get("Routes", [])),
    )


def _route(found: "RouteTypeDef") -> Route:
    ways = (
        found.get("GatewayId"),
        found.get("NatGatewayId"),
        found.get("EgressOnlyInternetGatewayId"),
        found.get("TransitGatewayId"),
        found.get("VpcPeeringConnectionId"),
        found.get("NetworkInterfaceId"),
        found.get("InstanceId"),
        found.get("LocalGatewayId"),
        found.get("CarrierGatewayId"),
        found.get("CoreNetworkArn"),
    )
    names = (
        found.get("DestinationCidrBlock"),
        found.get("DestinationIpv6CidrBlock"),
        found.get("DestinationPrefixListId"),
    )
    return Route(
        destination=next((name for name in names if name), ""),
        via=next((way for way in ways if way), ""),
        blackhole=found.get("State") == "blackhole",
    )


def nat_gateway(found: "NatGatewayTypeDef") -> NatGateway:
    """Read a NAT gateway."""
    return NatGateway(
        id=found.get("NatGatewayId", ""),
        state=found.get("State", "available"),
        subnet_id=found.get("SubnetId", ""),
        public=found.get("ConnectivityType", "public") != "private",
        failure=found.get("FailureMessage", "")[:300],
    )


def security_group(found: "SecurityGroupTypeDef") -> SecurityGroup:
    """Read a security group with its rules."""
    return SecurityGroup(
        id=found.get("GroupId", ""),
        name=found.get("GroupName", ""),
        egress=tuple(_permission(rule) for rule in found.get("IpPermissionsEgress", [])),
        ingress=tuple(_permission(rule) for rule in found.get("IpPermissions", [])),
    )


def _permission(found: "IpPermissionOutputTypeDef") -> SecurityRule:
    low, high = found.get("FromPort", -1), found.get("ToPort", -1)
    cidrs = [r.get("CidrIp", "") for r in found.get("IpRanges", [])]
    cidrs += [r.get("CidrIpv6", "") for r in found.get("Ipv6Ranges", [])]
    return SecurityRule(
        protocol=found.get("IpProtocol", "-1"),
        low=low if low >= 0 else LOWEST,
        high=high if high >= 0 else HIGHEST,
        cidrs=tuple(cidr for cidr in cidrs if cidr),
        groups=tuple(p["GroupId"] for p in found.get("UserIdGroupPairs", []) if p.get("GroupId")),
        prefix_lists=tuple(p["PrefixListId"] for p in found.get("PrefixListIds", []) if p.get("PrefixListId")),
    )


def network_acl(found: "NetworkAclTypeDef") -> NetworkAcl:
    """Read a network ACL; the final deny of everything is left out."""
    entries = (_entry(e) for e in found.get("Entries", []) if e.get("RuleNumber", FINAL) < FINAL)
    ties = (tie.get("SubnetId", "") for tie in found.get("Associations", []))
    return NetworkAcl(
        id=found.get("NetworkAclId", ""),
        subnet_ids=tuple(sorted(tie for tie in ties if tie)),
        entries=tuple(sorted(entries, key=lambda e: (e.egress, e.number))),
    )


def _entry(found: "NetworkAclEntryTypeDef") -> AclEntry:
    ports = found.get("PortRange") or {}
    return AclEntry(
        number=found.get("RuleNumber", 0),
        egress=bool(found.get("Egress", False)),
        allows=found.get("RuleAction") == "allow",
        cidr=found.get("CidrBlock") or found.get("Ipv6CidrBlock") or "",
        protocol=str(found.get("Protocol", "-1")),
        low=ports.get("From", LOWEST),
        high=ports.get("To", HIGHEST),
    )


def endpoint(found: "VpcEndpointTypeDef", partition: str, region: str, account: str) -> Endpoint:
    """Read a VPC endpoint with its policy; its ARN is made of its owner and id, as IAM documents it."""
    name, owner = found.get("VpcEndpointId", ""), found.get("OwnerId") or account
    kind = found.get("VpcEndpointType")
    return Endpoint(
        id=name,
        arn=f"arn:{partition}:ec2:{region}:{owner}:vpc-endpoint/{name}",
        service=_service(found.get("ServiceName", ""), region),
        gateway=kind == "Gateway" if kind else not found.get("SubnetIds"),
        state=found.get("State", "available"),
        route_table_ids=tuple(found.get("RouteTableIds", [])),
        subnet_ids=tuple(found.get("SubnetIds", [])),
        group_ids=tuple(group["GroupId"] for group in found.get("Groups", []) if group.get("GroupId")),
        private_dns=bool(found.get("PrivateDnsEnabled", False)),
        statements=statements_of(found.get("PolicyDocument") or ""),
    )


def _service(name: str, region: str) -> str:
    """Return what follows the Region in "com.amazonaws.eu-west-1.ecr.api"; other names stay whole."""
    _, found, rest = name.partition(f".{region}.")
    return rest if found else name


def interface(found: "NetworkInterfaceTypeDef") -> Interface:
    """Read a network interface with its addresses and groups."""
    four = [found.get("PrivateIpAddress", "")]
    four += [one.get("PrivateIpAddress", "") for one in found.get("PrivateIpAddresses", [])]
    six = [one.get("Ipv6Address", "") for one in found.get("Ipv6Addresses", [])]
    return Interface(
        id=found.get("NetworkInterfaceId", ""),
        addresses=tuple(dict.fromkeys(a for a in (*four, *six) if a)),
        subnet_id=found.get("SubnetId", ""),
        group_ids=tuple(group["GroupId"] for group in found.get("Groups", []) if group.get("GroupId")),
        description=found.get("Description", ""),
        status=found.get("Status", ""),
    )
