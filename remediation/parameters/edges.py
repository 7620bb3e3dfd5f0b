# ruff: noqa: N815 - the names are AWS's
"""What an action may set at the edges: API stages and usage plans, keys, security groups, network ACLs."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from domain.values import Value
from remediation.parameters.text import Text

KeyArn = Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[\w-]+$")]
GroupId = Annotated[str, StringConstraints(pattern=r"^sg-[0-9a-f]{8,17}$")]


class ThrottlePatch(Value):
    """A new rate or burst of all methods of a stage."""

    op: Literal["replace"]
    path: str = Field(pattern=r"^/\*/\*/throttling/(?:rateLimit|burstLimit)$")
    value: str = Field(pattern=r"^\d{1,6}(?:\.\d{1,3})?$")


class SetStageThrottle(Value):
    """apigateway:UpdateStage, the throttle of all methods only."""

    restApiId: Text
    stageName: Text
    patchOperations: tuple[ThrottlePatch, ...] = Field(min_length=1, max_length=2)


class DeploymentPatch(Value):
    """The deployment that a stage serves."""

    op: Literal["replace"]
    path: Literal["/deploymentId"]
    value: str = Field(pattern=r"^[a-z0-9]{5,12}$")


class PointStage(Value):
    """apigateway:UpdateStage, the deployment only."""

    restApiId: Text
    stageName: Text
    patchOperations: tuple[DeploymentPatch, ...] = Field(min_length=1, max_length=1)


class Deploy(Value):
    """apigateway:CreateDeployment: the configuration as it stands goes to the stage."""

    restApiId: Text
    stageName: Text


class PlanThrottlePatch(Value):
    """A new rate or burst of a usage plan."""

    op: Literal["replace"]
    path: Literal["/throttle/rateLimit", "/throttle/burstLimit"]
    value: str = Field(pattern=r"^\d{1,6}(?:\.\d{1,3})?$")


class SetPlanThrottle(Value):
    """apigateway:UpdateUsagePlan, the throttle only."""

    usagePlanId: Text
    patchOperations: tuple[PlanThrottlePatch, ...] = Field(min_length=1, max_length=2)


class RouteThrottle(Value):
    """Requests a second and burst of an HTTP API's stage."""

    ThrottlingRateLimit: float = Field(gt=0)
    ThrottlingBurstLimit: int = Field(ge=1)


class SetHttpThrottle(Value):
    """apigatewayv2:UpdateStage, the default throttle only."""

    ApiId: Text
    StageName: Text
    DefaultRouteSettings: RouteThrottle


class ReviveKey(Value):
    """kms:CancelKeyDeletion or kms:EnableKey."""

    KeyId: KeyArn


class Cidr(Value):
    """A block of IPv4 addresses."""

    CidrIp: str = Field(pattern=r"^[\d.]{7,15}/\d{1,2}$")


class Cidr6(Value):
    """A block of IPv6 addresses."""

    CidrIpv6: str = Field(pattern=r"^[0-9a-fA-F:]{2,39}/\d{1,3}$")


class PrefixListRef(Value):
    """A prefix list."""

    PrefixListId: str = Field(pattern=r"^pl-[0-9a-f]{8,17}$")


class GroupRef(Value):
    """Another security group."""

    GroupId: GroupId


class Permission(Value):
    """One rule of a security group."""

    IpProtocol: str = Field(pattern=r"^(?:tcp|udp|icmp|icmpv6|-1|\d{1,3})$")
    FromPort: int | None = Field(default=None, ge=-1, le=65535)
    ToPort: int | None = Field(default=None, ge=-1, le=65535)
    IpRanges: tuple[Cidr, ...] | None = None
    Ipv6Ranges: tuple[Cidr6, ...] | None = None
    PrefixListIds: tuple[PrefixListRef, ...] | None = None
    UserIdGroupPairs: tuple[GroupRef, ...] | None = None


class Authorize(Value):
    """ec2:AuthorizeSecurityGroupEgress or Ingress."""

    GroupId: GroupId
    IpPermissions: tuple[Permission, ...] = Field(min_length=1)


class DeleteAclEntry(Value):
    """ec2:DeleteNetworkAclEntry, one numbered entry."""

    NetworkAclId: str = Field(pattern=r"^acl-[0-9a-f]{8,17}$")
    RuleNumber: int = Field(ge=1, le=32766)
    Egress: bool
