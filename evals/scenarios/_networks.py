"""Networks of a scenario: a VPC with a way out, functions that stand in it, and people who change it."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from evals.scenarios._functions import Function, deploy
from sandbox.aws import signals
from sandbox.aws.resources import allow, policy_document
from sandbox.aws.world import World

ATTACHING = ["ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DeleteNetworkInterface"]


class Network(NamedTuple):
    """A VPC; `private` are the subnets for functions, which share a route table, `nat` the gateway it leads to."""

    world: World
    vpc: str
    private: tuple[str, ...]
    table: str
    nat: str


def network(
    world: World, prefix: str, *, private: Sequence[str] = ("11.0/24", "12.0/24"), routed: bool = True
) -> Network:
    """Make a VPC with a public subnet, a NAT gateway and private subnets; `prefix` is "10.20".

    Where it is not `routed`, the private subnets' way to the gateway is missing.
    """
    ec2 = world.client("ec2")
    vpc = ec2.create_vpc(CidrBlock=f"{prefix}.0.0/16")["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    public = _subnet(world, vpc, f"{prefix}.1.0/24", 0)
    outer = _table(world, vpc, (public,))
    ec2.create_route(RouteTableId=outer, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=public, AllocationId=address)["NatGateway"]["NatGatewayId"]
    inner = tuple(_subnet(world, vpc, f"{prefix}.{block}", zone) for zone, block in enumerate(private))
    table = _table(world, vpc, inner)
    if routed:
        ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
    return Network(world, vpc, inner, table, nat)


def _subnet(world: World, vpc: str, cidr: str, zone: int) -> str:
    where = f"{world.region}{'abc'[zone]}"
    made = world.client("ec2").create_subnet(VpcId=vpc, CidrBlock=cidr, AvailabilityZone=where)
    return str(made["Subnet"]["SubnetId"])


def _table(world: World, vpc: str, subnets: Sequence[str]) -> str:
    ec2 = world.client("ec2")
    table = str(ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"])
    for subnet in subnets:
        ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    return table


def group(net: Network, name: str, *, out: Sequence[Mapping[str, Any]] | None = None) -> str:
    """Make a security group; `out` are the permissions that it lets out instead of everything."""
    ec2 = net.world.client("ec2")
    made = str(ec2.create_security_group(GroupName=name, Description=name, VpcId=net.vpc)["GroupId"])
    if out is not None:
        everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
        ec2.revoke_security_group_egress(GroupId=made, IpPermissions=everything)
        ec2.authorize_security_group_egress(GroupId=made, IpPermissions=list(out))
    return made


def tcp(port: int, cidr: str) -> dict[str, Any]:
    """Return a permission for one port and block."""
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": cidr}]}


def inside(
    net: Network, name: str, runtime: str, guard: str, *statements: Mapping[str, Any], **settings: Any
) -> Function:
    """Deploy a function into the private subnets, guarded by a security group."""
    place = {"SubnetIds": list(net.private), "SecurityGroupIds": [guard]}
    return deploy(net.world, name, runtime, allow(ATTACHING), *statements, VpcConfig=place, **settings)


def endpoint(net: Network, service: str, guard: str, *statements: Mapping[str, Any]) -> tuple[str, str]:
    """Make an interface endpoint for an AWS service with a policy; returns its id and ARN."""
    made = net.world.client("ec2").create_vpc_endpoint(
        VpcId=net.vpc,
        ServiceName=f"com.amazonaws.{net.world.region}.{service}",
        VpcEndpointType="Interface",
        SubnetIds=list(net.private),
        SecurityGroupIds=[guard],
        PrivateDnsEnabled=True,
        PolicyDocument=policy_document(*({"Principal": "*", **one} for one in statements)),
    )
    name = str(made["VpcEndpoint"]["VpcEndpointId"])
    return name, net.world.arn("ec2", f"vpc-endpoint/{name}")


KINDS = {
    "rtb-": "AWS::EC2::RouteTable",
    "sg-": "AWS::EC2::SecurityGroup",
    "vpce-": "AWS::EC2::VPCEndpoint",
    "subnet-": "AWS::EC2::Subnet",
}


def network_changed(world: World, name: str, part: str, /, *, who: str, minutes: float, **request: Any) -> str:
    """Record that somebody changed a part of a network some minutes ago. Returns the event's id."""
    kind = next(kind for prefix, kind in KINDS.items() if part.startswith(prefix))
    return signals.cloudtrail_event(
        world, name, "ec2", [(kind, part)], who=who, when=world.ago(minutes=minutes), request=request
    )
