"""A small network around one function, so that a test shows what is different in it in a line or two.

vpc-1 10.0.0.0/16: the function in subnet-a (10.0.1.0/24) and subnet-b (10.0.2.0/24), a database in subnet-db
(10.0.3.0/24) at 10.0.3.15, a NAT gateway in subnet-pub (10.0.9.0/24).
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from domain.evidence import Evidence
from domain.findings import Advice, Fact, Hypothesis, Strength
from domain.graph import Edge, ServiceGraph
from domain.resource import resource_from_arn
from domain.trace import TraceCall, TracedError, TraceSegment
from specialists.contract import Case
from specialists.kit.change import Change
from specialists.kit.loglines import LogEvent, LogLines
from specialists.kit.series import MetricSeries, Point
from specialists.vpc import SPECIALIST
from specialists.vpc.evidence import (
    Attachment,
    CalledGroups,
    Endpoints,
    Interfaces,
    InternetGateways,
    NatGateways,
    NetworkAcls,
    NetworkChanges,
    OwnGroups,
    PrefixLists,
    RouteTables,
    Status,
    Subnets,
)
from specialists.vpc.network import (
    AclEntry,
    Endpoint,
    Interface,
    NatGateway,
    NetworkAcl,
    PrefixList,
    Route,
    RouteTable,
    SecurityGroup,
    SecurityRule,
    Subnet,
)
from specialists.vpc.policies import statements_of
from tests.support.probing import WINDOW, case_of, findings

FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:create-order"
ROLE = "arn:aws:iam::123456789012:role/create-order-role"
DATABASE = "10.0.3.15"
START = WINDOW.start


def minute(number: float) -> datetime:
    """A moment, in minutes from the window's start (09:36 UTC)."""
    return START + timedelta(minutes=number)


def of(kind: type[Evidence], **fields: Any) -> Any:
    return kind(resource=fields.pop("resource", FUNCTION), source=fields.pop("source", "ec2:Describe"), **fields)


def attachment(**fields: Any) -> Attachment:
    given: dict[str, Any] = {
        "vpc_id": "vpc-1",
        "subnet_ids": ("subnet-a", "subnet-b"),
        "group_ids": ("sg-fn",),
        "role": ROLE,
        "state": Status(state="Active"),
        "last_update": Status(state="Successful"),
    }
    return of(Attachment, **given | fields)


def subnet(name: str, third: int, *, zone: str = "a", free: int = 200, **fields: Any) -> Subnet:
    return Subnet(
        id=f"subnet-{name}",
        vpc_id="vpc-1",
        zone=f"eu-west-1{zone}",
        cidr=f"10.0.{third}.0/24",
        free=free,
        **fields,
    )


def subnets(free: int = 200, missing: tuple[str, ...] = (), ipv6: bool = False) -> Subnets:
    six = {"ipv6_cidrs": ("2600:1f18:1::/64",)} if ipv6 else {}
    there = (
        subnet("a", 1, free=free, **six),
        subnet("b", 2, zone="b", free=free, **six),
        subnet("db", 3),
        subnet("pub", 9),
    )
    asked = ("subnet-a", "subnet-b")
    return of(Subnets, asked=asked, subnets=tuple(s for s in there if s.id not in missing))


LOCAL = Route(destination="10.0.0.0/16", via="local")
PUBLIC = Route(destination="0.0.0.0/0", via="igw-1")


def route(via: str, destination: str = "0.0.0.0/0", *, blackhole: bool = False) -> Route:
    return Route(destination=destination, via=via, blackhole=blackhole)


def tables(*routes: Route, public: tuple[Route, ...] = (PUBLIC,), b: tuple[Route, ...] | None = None) -> RouteTables:
    """The function's subnets have these routes beside the local one; subnet-b its own when `b` is given."""
    private = ("subnet-a", "subnet-db") if b is not None else ("subnet-a", "subnet-b", "subnet-db")
    found = [
        RouteTable(id="rtb-private", subnet_ids=private, routes=(LOCAL, *routes)),
        RouteTable(id="rtb-public", main=True, subnet_ids=("subnet-pub",), routes=(LOCAL, *public)),
    ]
    if b is not None:
        found.append(RouteTable(id="rtb-b", subnet_ids=("subnet-b",), routes=(LOCAL, *b)))
    return of(RouteTables, tables=tuple(found))


NAT_ROUTE = route("nat-1")


def nat(state: str = "available", **fields: Any) -> NatGateways:
    given: dict[str, Any] = {"id": "nat-1", "state": state, "subnet_id": "subnet-pub"}
    return of(NatGateways, gateways=(NatGateway(**given | fields),))


def internet(*ids: str) -> InternetGateways:
    return of(InternetGateways, ids=ids or ("igw-1",))


ANY_OUT = SecurityRule(cidrs=("0.0.0.0/0",))


def allow(port: int, *cidrs: str, groups: tuple[str, ...] = (), lists: tuple[str, ...] = ()) -> SecurityRule:
    return SecurityRule(protocol="tcp", low=port, high=port, cidrs=cidrs, groups=groups, prefix_lists=lists)


def own(*egress: SecurityRule, missing: bool = False) -> OwnGroups:
    groups = () if missing else (SecurityGroup(id="sg-fn", name="create-order", egress=egress),)
    return of(OwnGroups, asked=("sg-fn",), groups=groups)


def called(*ingress: SecurityRule, group: str = "sg-db") -> CalledGroups:
    return of(CalledGroups, asked=(group,), groups=(SecurityGroup(id=group, name="other", ingress=ingress),))


def database(description: str = "RDSNetworkInterface", address: str = DATABASE, **fields: Any) -> Interfaces:
    one = Interface(
        id="eni-db", addresses=(address,), subnet_id="subnet-db", group_ids=("sg-db",), description=description
    )
    return of(Interfaces, addresses=(address,), interfaces=(one,), **fields)


def entry(number: int, what: str, cidr: str = "0.0.0.0/0", *, low: int = 0, high: int = 65535) -> AclEntry:
    """`what` is "allow out", "deny in" ...; all TCP ports unless told."""
    verb, direction = what.split()
    return AclEntry(
        number=number, egress=direction == "out", allows=verb == "allow", cidr=cidr, protocol="6", low=low, high=high
    )


OPEN = (
    AclEntry(number=100, egress=True, allows=True, cidr="0.0.0.0/0"),
    AclEntry(number=100, egress=False, allows=True, cidr="0.0.0.0/0"),
)


def acls(**by_subnet: tuple[AclEntry, ...]) -> NetworkAcls:
    """ACLs that let everything through, but for the subnets named: `acls(db=(entry(…),))`."""
    others = tuple(f"subnet-{n}" for n in ("a", "b", "db", "pub") if n not in by_subnet)
    found = [NetworkAcl(id="acl-open", subnet_ids=others, entries=OPEN)]
    found += [NetworkAcl(id=f"acl-{n}", subnet_ids=(f"subnet-{n}",), entries=e) for n, e in by_subnet.items()]
    return of(NetworkAcls, acls=tuple(found))


def endpoint(service: str = "sqs", policy: str = "", **fields: Any) -> Endpoint:
    given: dict[str, Any] = {
        "id": f"vpce-{service}",
        "arn": f"arn:aws:ec2:eu-west-1:123456789012:vpc-endpoint/vpce-{service}",
        "service": service,
        "subnet_ids": ("subnet-db",),
        "group_ids": ("sg-vpce",),
        "private_dns": True,
        "statements": statements_of(policy),
    }
    return Endpoint(**given | fields)


def gateway(service: str = "s3", policy: str = "", **fields: Any) -> Endpoint:
    given: dict[str, Any] = {"gateway": True, "route_table_ids": ("rtb-private",), "subnet_ids": (), "group_ids": ()}
    return endpoint(service, policy, **{**given, "private_dns": False} | fields)


def endpoints(*found: Endpoint) -> Endpoints:
    return of(Endpoints, endpoints=found)


def s3_list(list_id: str = "pl-s3") -> PrefixLists:
    one = PrefixList(id=list_id, name="com.amazonaws.eu-west-1.s3", cidrs=("52.218.0.0/17",))
    return of(PrefixLists, lists=(one,))


def healthy(**parts: Evidence | None) -> list[Evidence]:
    """A network that lets everything through; parts by the names of their builders replace its own, None: not read."""
    usual: dict[str, Evidence | None] = {
        "attachment": attachment(),
        "subnets": subnets(),
        "tables": tables(NAT_ROUTE),
        "nat": nat(),
        "internet": internet(),
        "own": own(ANY_OUT),
        "acls": acls(),
        "endpoints": endpoints(),
    }
    return [part for part in (usual | parts).values() if part is not None]


def log(*lines: str, at: float = 18) -> LogLines:
    events = tuple(LogEvent(at=minute(at), message=line) for line in lines)
    return of(
        LogLines,
        source="logs:FilterLogEvents",
        log_group="/aws/lambda/create-order",
        filter="connection errors",
        events=events,
    )


def call(
    resource: str = "arn:aws:sqs:eu-west-1:123456789012:orders",
    *errors: tuple[str, str],
    at: float = 18,
    caller: str = FUNCTION,
    **fields: Any,
) -> TraceCall:
    """A call of the function; failed when it has errors (code, message)."""
    given: dict[str, Any] = {
        "resource": resource,
        "source": "xray:BatchGetTraces",
        "trace_id": "1-6b0023b3-a032a49863d6b1fcc92c322d",
        "segment_id": f"{int(at * 60):016x}",
        "caller": caller,
        "service": resource.split(":")[2] if resource.startswith("arn:") else resource.split(":")[1],
        "start": minute(at),
        "seconds": 9.9 if errors else 0.02,
        "errors": tuple(TracedError(type=code, code=code, message=text) for code, text in errors),
        "fault": bool(errors),
        "error": bool(errors),
        "http_status": None if errors else 200,
    }
    return TraceCall(**given | fields)


def segment(*errors: tuple[str, str], origin: str = "AWS::Lambda::Function", failed: bool = True) -> TraceSegment:
    return TraceSegment(
        resource=FUNCTION,
        source="xray:BatchGetTraces",
        trace_id="1-6b0023b3-a032a49863d6b1fcc92c322d",
        segment_id="192b31d5a743248f",
        origin_type=origin,
        name="create-order",
        start=minute(18),
        seconds=10.0,
        fault=failed,
        errors=tuple(TracedError(type=kind, message=message) for kind, message in errors),
    )


def change(name: str, *, at: float = 15, who: str = "deploy-bot", error: str = "", **parameters: str) -> Change:
    """A CloudTrail event; parameters by name with `__` for a dot."""
    return Change(
        resource=FUNCTION,
        source="cloudtrail:LookupEvents",
        observed_at=minute(at),
        event_id=f"{name}-{at}",
        event_name=name,
        event_source="ec2.amazonaws.com",
        who=who,
        parameters={key.replace("__", "."): value for key, value in parameters.items()},
        error_code=error or None,
        error_message=error,
    )


def nothing_changed(*names: str) -> NetworkChanges:
    return of(
        NetworkChanges, source="cloudtrail:LookupEvents", names=names or ("rtb-private",), searched_from=START, events=0
    )


def metric(name: str, value: float, usual: float | None = None) -> MetricSeries:
    return of(
        MetricSeries,
        source="cloudwatch:GetMetricData",
        namespace="AWS/Lambda",
        metric=name,
        dimensions={"FunctionName": "create-order"},
        statistic="Sum",
        period_seconds=60,
        points=(Point(at=minute(18), value=value),) if value else (),
        baseline=() if usual is None else tuple(Point(at=minute(-m), value=usual) for m in range(60, 0, -1)),
    )


def graph(*called_too: str) -> ServiceGraph:
    """The function calls these."""
    nodes = [resource_from_arn(arn) for arn in (FUNCTION, *called_too)]
    return ServiceGraph.of(nodes, [Edge(source=FUNCTION, target=arn, calls=1) for arn in called_too])


def case(*evidence: Evidence | Iterable[Evidence], target: str = FUNCTION, around: ServiceGraph | None = None) -> Case:
    flat = [item for part in evidence for item in ([part] if isinstance(part, Evidence) else part)]
    return case_of(target, *flat, graph=around, specialist="vpc")


def judged(
    *evidence: Evidence | Iterable[Evidence], target: str = FUNCTION, around: ServiceGraph | None = None
) -> dict[str, Hypothesis]:
    """Return the hypotheses by cause; two of one cause at one resource would be a fault."""
    found = findings(SPECIALIST.rules, case(*evidence, target=target, around=around))
    named = [f for f in found if isinstance(f, Hypothesis)]
    assert len({(f.cause, f.resource) for f in named}) == len(named)
    return {f.cause: f for f in named}


def facts(*evidence: Evidence | Iterable[Evidence], target: str = FUNCTION) -> list[str]:
    return [f.statement for f in findings(SPECIALIST.rules, case(*evidence, target=target)) if isinstance(f, Fact)]


def advice(*evidence: Evidence | Iterable[Evidence]) -> list[str]:
    return [f.text for f in findings(SPECIALIST.rules, case(*evidence)) if isinstance(f, Advice)]


def proven(found: dict[str, Hypothesis]) -> set[str]:
    """Return the causes that any evidence states."""
    return {cause for cause, one in found.items() if any(s.strength is Strength.PROOF for s in one.supports)}
