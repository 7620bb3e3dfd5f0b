"""Connections that failed, and what is in their way: a route, a security group, a network ACL."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from domain.evidence import Evidence
from domain.findings import Hypothesis
from domain.trace import TraceCall, TraceSegment
from specialists.contract import Case, Rule, rule
from specialists.kit.change import Change
from specialists.kit.loglines import LogLines
from specialists.kit.series import MetricSeries
from specialists.vpc.attempts import answered_calls
from specialists.vpc.destinations import Destination, How, Place
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
    RejectedFlows,
    RouteTables,
    Subnets,
)
from specialists.vpc.map import map_of
from specialists.vpc.reachability import Kind, blocked_subnets, obstacles
from specialists.vpc.suspects import Blockade, blockades

SEES = (
    TraceCall,
    TraceSegment,
    LogLines,
    Attachment,
    Subnets,
    RouteTables,
    NatGateways,
    InternetGateways,
    OwnGroups,
    CalledGroups,
    NetworkAcls,
    Endpoints,
    Interfaces,
    PrefixLists,
    RejectedFlows,
    MetricSeries,
    Change,
    NetworkChanges,
)

BLOCKING: dict[Kind, tuple[str, ...]] = {
    Kind.ROUTE: (
        "DeleteRoute",
        "ReplaceRoute",
        "CreateRoute",
        "DeleteNatGateway",
        "ReplaceRouteTableAssociation",
        "AssociateRouteTable",
        "DisassociateRouteTable",
        "DetachInternetGateway",
        "DisassociateAddress",
        "ReleaseAddress",
        "DeleteVpcEndpoints",
        "ModifyVpcEndpoint",
    ),
    Kind.GROUP: ("RevokeSecurityGroupEgress", "RevokeSecurityGroupIngress", "ModifySecurityGroupRules"),
    Kind.ACL: (
        "ReplaceNetworkAclEntry",
        "CreateNetworkAclEntry",
        "DeleteNetworkAclEntry",
        "ReplaceNetworkAclAssociation",
    ),
}
"""Operations that can put something in the way, as CloudTrail names them."""

MOVES = "UpdateFunctionConfiguration"
SLACK = timedelta(minutes=2)
"""How much later than the first failure CloudTrail's time of the change may be."""


@rule("lambda-vpc-no-nat", sees=SEES)
def no_route(case: Case) -> Iterator[Hypothesis]:
    """Connections fail to what the subnets' route tables have no working route to."""
    yield from _judged(case, Kind.ROUTE, "lambda-vpc-no-nat")


@rule("lambda-vpc-sg-egress", sees=SEES)
def group_in_the_way(case: Case) -> Iterator[Hypothesis]:
    """Connections fail that the function's security group does not let out, or the other side's not in."""
    yield from _judged(case, Kind.GROUP, "lambda-vpc-sg-egress")


@rule("lambda-vpc-nacl", sees=SEES)
def acl_in_the_way(case: Case) -> Iterator[Hypothesis]:
    """Connections fail that a network ACL blocks on the way there or back."""
    yield from _judged(case, Kind.ACL, "lambda-vpc-nacl")


def _judged(case: Case, kind: Kind, code: str) -> Iterator[Hypothesis]:
    found = blockades(case.evidence, case.target, kind)
    if not found:
        return
    first = found[0]
    told = tuple({sign.evidence.id: sign.evidence for sign in first.signs}.values())[:5]
    seen = _seen_state(case, first)
    change = _change(case, first)
    extra: list[Evidence] = [*([change] if change else []), *_rejected(case, first)]
    certain = first.named and first.complete and first.lost
    likely = first.complete and (first.named or (first.broken and any(s.how is How.CONNECT for s in first.signs)))
    began = min((sign.at for sign in first.signs if sign.at), default=None)
    yield case.hypothesis(
        code,
        _sentence(case, first, change, began),
        proof=(*told, *seen) if certain else (),
        strong=(*(told if likely and not certain else ()), *(seen if not certain else ()), *extra),
        weak=told if not (certain or likely) else (),
        against=_contrary(case, first, change),
        since=change.observed_at if change and change.observed_at else began,
    )


def _sentence(case: Case, found: Blockade, change: Change | None, began: datetime | None) -> str:
    stop = found.obstacles[0]
    network = map_of(case.evidence, case.target)
    hit = {one.subnet for one in found.obstacles}
    of = len(network.own_subnets)
    scope = f" (from {len(hit)} of its {of} subnets)" if len(hit) < of else ""
    missing = ""
    if stop.kind is Kind.ROUTE and found.destination.place is Place.SERVICE:
        served = any(e.service == found.destination.service for e in network.endpoints)
        missing = "" if served else f", and the VPC has no endpoint for `{found.destination.service}`"
    verb = f"cannot reach {found.destination}" if found.named else "gets no answer, and no error says from where"
    often = f"; {len(found.signs)} attempts failed" if len(found.signs) > 1 else ""
    since = f" since {began:%H:%M} UTC" if began and often else ""
    after = f", after {change.event_name} by {change.who}" if change else ""
    return f"`{case.target.name}` {verb}{scope}: {stop.text}{missing}{after}{often}{since}"


def _seen_state(case: Case, found: Blockade) -> tuple[Evidence, ...]:
    """Return the evidence that holds what is in the way."""
    parts, kind = set(found.parts), found.obstacles[0].kind
    if kind is Kind.ACL:
        return case.all(NetworkAcls)
    if kind is Kind.GROUP:
        groups = (*case.all(OwnGroups), *case.all(CalledGroups))
        return tuple(e for e in groups if parts & {group.id for group in e.groups})
    rows: tuple[tuple[str, tuple[Evidence, ...]], ...] = (
        ("rtb-", case.all(RouteTables)),
        ("nat-", case.all(NatGateways)),
        ("igw-", case.all(InternetGateways)),
        ("vpce-", case.all(Endpoints)),
        ("subnet-", case.all(Attachment)),
    )
    return tuple(e for prefix, evidence in rows if any(part.startswith(prefix) for part in parts) for e in evidence)


def _change(case: Case, found: Blockade) -> Change | None:
    """Return the last change before the first failure that can have put this in the way."""
    names = BLOCKING[found.obstacles[0].kind]
    began = min((sign.at for sign in found.signs if sign.at), default=None)
    fitting = [
        change
        for change in case.all(Change)
        if change.took_effect
        and (_about(change, names, found.parts) or _moves(change))
        and (began is None or change.observed_at is None or change.observed_at <= began + SLACK)
    ]
    return max(fitting, key=lambda change: (str(change.observed_at), change.event_id), default=None)


def _about(change: Change, names: tuple[str, ...], parts: tuple[str, ...]) -> bool:
    told = set(change.parameters.values())
    return change.event_name in names and (not told - {"null"} or bool(told & set(parts)))


def _moves(change: Change) -> bool:
    """Tell whether a change put the function into other subnets or security groups."""
    return change.event_name.startswith(MOVES) and any("vpcconfig" in key.lower() for key in change.parameters)


def _rejected(case: Case, found: Blockade) -> list[Evidence]:
    """Return flow logs that recorded the rejection; without a route nothing is recorded."""
    if found.obstacles[0].kind is Kind.ROUTE or not found.destination.address:
        return []
    where = (found.destination.address, found.destination.port)
    return [e for e in case.all(RejectedFlows) if any((f.destination, f.port) == where for f in e.flows)]


def _contrary(case: Case, found: Blockade, change: Change | None) -> tuple[Evidence, ...]:
    """Return what speaks against it: answers over the same blocked way; an untold failure of what used to work."""
    network = map_of(case.evidence, case.target)
    every = {subnet.id for subnet in network.own_subnets}
    answered = [
        call
        for where, call in answered_calls(case.evidence, case.target)
        if (not found.named or _same(where, found.destination))
        and every <= blocked_subnets(tuple(o for o in obstacles(network, where) if o.kind is found.obstacles[0].kind))
    ]
    looked = case.one(NetworkChanges)
    served = _served_before(case)
    if found.named or found.broken or change is not None or looked is None or looked.events or not served:
        return tuple(answered[:3])
    return (*answered[:3], looked, *served)


def _same(one: Destination, other: Destination) -> bool:
    return (one.place, one.service, one.host, one.address) == (
        other.place,
        other.service,
        other.host,
        other.address,
    ) or (one.place is Place.SERVICE and one.service == other.service)


def _served_before(case: Case) -> tuple[Evidence, ...]:
    """Return the metrics that show most invocations without an error until the window."""
    series = {s.metric: s for s in case.all(MetricSeries)}
    ran, failed = series.get("Invocations"), series.get("Errors")
    if ran is None or failed is None:
        return ()
    invocations, errors = (sum(point.value for point in one.baseline) for one in (ran, failed))
    return (ran, failed) if errors < invocations / 2 else ()


RULES: tuple[Rule, ...] = (no_route, group_in_the_way, acl_in_the_way)
