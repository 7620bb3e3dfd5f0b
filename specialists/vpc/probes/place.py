"""Looks at where the target stands: a function by its settings, a part of a network by itself."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from aws.reads import read
from domain.evidence import Evidence
from domain.resource import ResourceType
from specialists.contract import Look, probe
from specialists.kit.answers import absent
from specialists.kit.functions import GET_CONFIGURATION, NO_FUNCTION, configuration_of
from specialists.vpc.evidence import Attachment, Status

if TYPE_CHECKING:
    from types_boto3_lambda.type_defs import FunctionConfigurationResponseTypeDef

LAMBDA = (ResourceType.LAMBDA,)


@probe(GET_CONFIGURATION, yields=(Attachment,), only=LAMBDA)
def attachment(look: Look) -> Iterator[Evidence]:
    """Which subnets and security groups the function is attached to, and its state; nothing when it is in no VPC."""
    name = look.target.name
    called = [q for q in look.target.qualifiers if q != "$LATEST"]
    answer = None
    if len(called) == 1:
        answer = absent(lambda: configuration_of(look, name, called[0]), NO_FUNCTION)
    answer = answer or absent(lambda: configuration_of(look, name), NO_FUNCTION)
    if answer is not None and (answer.get("VpcConfig") or {}).get("SubnetIds"):
        yield _attached(look, answer)


def _attached(look: Look, answer: "FunctionConfigurationResponseTypeDef") -> Attachment:
    network = answer["VpcConfig"]
    return Attachment(
        resource=look.target.id,
        source="lambda:GetFunctionConfiguration",
        vpc_id=network.get("VpcId") or "",
        subnet_ids=tuple(sorted(network.get("SubnetIds", []))),
        group_ids=tuple(sorted(network.get("SecurityGroupIds", []))),
        ipv6=bool(network.get("Ipv6AllowedForDualStack", False)),
        role=answer.get("Role", ""),
        state=Status(
            state=answer.get("State", ""),
            code=answer.get("StateReasonCode", ""),
            reason=(answer.get("StateReason") or "")[:300],
        ),
        last_update=Status(
            state=answer.get("LastUpdateStatus", ""),
            code=answer.get("LastUpdateStatusReasonCode", ""),
            reason=(answer.get("LastUpdateStatusReason") or "")[:300],
        ),
        file_systems=tuple(sorted(f["Arn"] for f in answer.get("FileSystemConfigs") or [] if f.get("Arn"))),
    )


@probe(
    read("ec2", "DescribeVpcs"),
    read("ec2", "DescribeSubnets"),
    read("ec2", "DescribeSecurityGroups"),
    read("ec2", "DescribeVpcEndpoints"),
    yields=(Attachment,),
    only=(ResourceType.VPC, ResourceType.SUBNET, ResourceType.SECURITY_GROUP, ResourceType.VPC_ENDPOINT),
)
def place(look: Look) -> Iterator[Evidence]:
    """In which VPC a subnet, security group or endpoint lies, or that it does not exist."""
    source, find = FINDERS[look.target.type]
    found = find(look)
    if found is None:
        yield Attachment(resource=look.target.id, source=source, exists=False)
        return
    vpc_id, subnets, groups = found
    yield Attachment(
        resource=look.target.id, source=source, vpc_id=vpc_id, subnet_ids=tuple(subnets), group_ids=tuple(groups)
    )


Found = tuple[str, list[str], list[str]]


def _vpc(look: Look) -> Found | None:
    answer = look.aws.ec2.describe_vpcs(Filters=[{"Name": "vpc-id", "Values": [look.target.name]}])
    return next(((vpc.get("VpcId", ""), [], []) for vpc in answer["Vpcs"]), None)


def _subnet(look: Look) -> Found | None:
    answer = look.aws.ec2.describe_subnets(Filters=[{"Name": "subnet-id", "Values": [look.target.name]}])
    return next(((s.get("VpcId", ""), [s.get("SubnetId", "")], []) for s in answer["Subnets"]), None)


def _group(look: Look) -> Found | None:
    answer = look.aws.ec2.describe_security_groups(Filters=[{"Name": "group-id", "Values": [look.target.name]}])
    return next(((g.get("VpcId", ""), [], [g.get("GroupId", "")]) for g in answer["SecurityGroups"]), None)


def _endpoint(look: Look) -> Found | None:
    answer = absent(
        lambda: look.aws.ec2.describe_vpc_endpoints(VpcEndpointIds=[look.target.name]), "InvalidVpcEndpointId.NotFound"
    )
    for found in answer["VpcEndpoints"] if answer else ():
        groups = (group.get("GroupId", "") for group in found.get("Groups", []))
        return found.get("VpcId", ""), sorted(found.get("SubnetIds", [])), sorted(groups)
    return None


FINDERS: dict[ResourceType, tuple[str, Callable[[Look], Found | None]]] = {
    ResourceType.VPC: ("ec2:DescribeVpcs", _vpc),
    ResourceType.SUBNET: ("ec2:DescribeSubnets", _subnet),
    ResourceType.SECURITY_GROUP: ("ec2:DescribeSecurityGroups", _group),
    ResourceType.VPC_ENDPOINT: ("ec2:DescribeVpcEndpoints", _endpoint),
}

PROBES = (attachment, place)
