"""The parts of a VPC as values. Ids are EC2's; CIDR blocks are text, IPv4 or IPv6."""

from domain.values import Value

LOWEST, HIGHEST = 0, 65535


class Subnet(Value):
    """A subnet. `free` is the number of IPv4 addresses left."""

    id: str
    vpc_id: str = ""
    zone: str = ""
    cidr: str = ""
    ipv6_cidrs: tuple[str, ...] = ()
    free: int = 0


class Route(Value):
    """One route; `destination` is a CIDR block or a prefix list's id, `via` the id of what it leads to, or "local"."""

    destination: str
    via: str = ""
    blackhole: bool = False


class RouteTable(Value):
    """A route table, and the subnets that name it; the main one also serves those that name none."""

    id: str
    main: bool = False
    subnet_ids: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()


class NatGateway(Value):
    """A NAT gateway. `subnet_id` is empty for a regional one; only a `public` one leads to the internet."""

    id: str
    state: str = "available"
    subnet_id: str = ""
    public: bool = True
    failure: str = ""


class SecurityRule(Value):
    """One permission of a security group: peers are CIDR blocks, groups and prefix lists. Protocol -1 is any."""

    protocol: str = "-1"
    low: int = LOWEST
    high: int = HIGHEST
    cidrs: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    prefix_lists: tuple[str, ...] = ()


class SecurityGroup(Value):
    """A security group with what it lets out and in."""

    id: str
    name: str = ""
    egress: tuple[SecurityRule, ...] = ()
    ingress: tuple[SecurityRule, ...] = ()


class AclEntry(Value):
    """One numbered entry of a network ACL. Protocol -1 is any, 6 is TCP."""

    number: int
    egress: bool
    allows: bool
    cidr: str
    protocol: str = "-1"
    low: int = LOWEST
    high: int = HIGHEST


class NetworkAcl(Value):
    """A network ACL and the subnets that it guards; entries by number, without the final deny of everything."""

    id: str
    subnet_ids: tuple[str, ...] = ()
    entries: tuple[AclEntry, ...] = ()


class Statement(Value):
    """One statement of an endpoint's policy; `conditional` where something else than action and resource decides."""

    allows: bool
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    not_resources: tuple[str, ...] = ()
    conditional: bool = False


class Endpoint(Value):
    """A VPC endpoint. `service` is the name after the Region: "sqs", "s3", "ecr.api".

    `statements` is None when the policy could not be read.
    """

    id: str
    arn: str = ""
    service: str
    gateway: bool = False
    state: str = "available"
    route_table_ids: tuple[str, ...] = ()
    subnet_ids: tuple[str, ...] = ()
    group_ids: tuple[str, ...] = ()
    private_dns: bool = False
    statements: tuple[Statement, ...] | None = ()


class Interface(Value):
    """A network interface; `addresses` are its private IPv4 and its IPv6 addresses."""

    id: str
    addresses: tuple[str, ...] = ()
    subnet_id: str = ""
    group_ids: tuple[str, ...] = ()
    description: str = ""
    status: str = ""


class PrefixList(Value):
    """A prefix list; AWS's own are named like "com.amazonaws.eu-west-1.s3"."""

    id: str
    name: str = ""
    cidrs: tuple[str, ...] = ()
