"""What security groups and network ACLs let through. Pure.

Security groups: https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
Network ACLs: https://docs.aws.amazon.com/vpc/latest/userguide/nacl-rules.html
"""

from collections.abc import Iterable
from typing import NamedTuple

from specialists.vpc.addresses import Peer, holds_all, may_hold
from specialists.vpc.network import HIGHEST, LOWEST, AclEntry, NetworkAcl, PrefixList, SecurityRule

TCP = frozenset({"-1", "6", "tcp"})
ANY_PROTOCOL = "-1"

Ports = tuple[int, int]
EPHEMERAL: Ports = (1024, 65535)
"""The ports that answers to functions and NAT gateways come back to."""


class Other(NamedTuple):
    """The other side as security groups see it.

    `groups` are its own security groups, None when they are not known; `service` is the AWS service it is.
    """

    peer: Peer
    groups: frozenset[str] | None = None
    service: str = ""


def ports_of(port: int | None) -> Ports:
    """Return the range of one port, or of all when it is not known."""
    return (LOWEST, HIGHEST) if port is None else (port, port)


def rules_allow(
    rules: Iterable[SecurityRule], ports: Ports, other: Other, lists: Iterable[PrefixList] = ()
) -> bool | None:
    """Tell whether any rule lets TCP on some of these ports through; None where a rule may and cannot be read."""
    known = {one.id: one for one in lists}
    told = [_rule_allows(rule, ports, other, known) for rule in rules]
    return True if True in told else None if None in told else False


def _rule_allows(rule: SecurityRule, ports: Ports, other: Other, lists: dict[str, PrefixList]) -> bool | None:
    if rule.protocol.lower() not in TCP:
        return False
    if rule.protocol != ANY_PROTOCOL and (rule.high < ports[0] or ports[1] < rule.low):
        return False
    if any(may_hold(cidr, other.peer) for cidr in rule.cidrs):
        return True
    told = [_list_holds(lists.get(name), other) for name in rule.prefix_lists]
    if rule.groups and not other.peer.public:
        told.append(None if other.groups is None else bool(other.groups & set(rule.groups)))
    return True if True in told else None if None in told else False


def _list_holds(found: PrefixList | None, other: Other) -> bool | None:
    if found is None:
        return None
    if found.name.startswith("com.amazonaws.") and other.service:
        return found.name.rsplit(".", 1)[-1] == other.service
    return any(may_hold(cidr, other.peer) for cidr in found.cidrs)


class Passage(NamedTuple):
    """How much of a range of ports an ACL lets through, and the entry that stops the rest (None: the final deny)."""

    nothing: bool
    everything: bool
    stopped_by: AclEntry | None


def acl_passage(acl: NetworkAcl, peer: Peer, ports: Ports, *, egress: bool) -> Passage:
    """Walk the entries of one direction by number: the first that fits a port decides on it."""
    open_ports: list[Ports] = [ports]
    allowed = False
    stopped_by: AclEntry | None = None
    for entry in sorted(acl.entries, key=lambda e: e.number):
        if entry.egress is not egress or entry.protocol.lower() not in TCP:
            continue
        decides = may_hold(entry.cidr, peer) if entry.allows else holds_all(entry.cidr, peer)
        span = (LOWEST, HIGHEST) if entry.protocol == ANY_PROTOCOL else (entry.low, entry.high)
        rest = [part for one in open_ports for part in _without(one, span)]
        if not decides or rest == open_ports:
            continue
        open_ports = rest
        allowed = allowed or entry.allows
        stopped_by = stopped_by if entry.allows or stopped_by else entry
    complete = allowed and not open_ports and stopped_by is None
    return Passage(nothing=not allowed, everything=complete, stopped_by=stopped_by)


def _without(ports: Ports, span: Ports) -> list[Ports]:
    """Return what is left of a range without another."""
    low, high = max(ports[0], span[0]), min(ports[1], span[1])
    if low > high:
        return [ports]
    return [part for part in ((ports[0], low - 1), (high + 1, ports[1])) if part[0] <= part[1]]
