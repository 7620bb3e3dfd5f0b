"""What could be done about a blocked connection: give back the rule that was revoked, take away an ACL's deny."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from domain.action import Effect, ProposedAction, Risk
from domain.evidence import EvidenceBundle
from domain.report import RankedHypothesis
from specialists.contract import Proposal, proposal
from specialists.kit.actions import proposed
from specialists.kit.change import Change
from specialists.kit.proposals import KEPT_AS_CODE, cited, shown

PEERS: tuple[tuple[str, str, str, str], ...] = (
    ("ipRanges", "cidrIp", "IpRanges", "CidrIp"),
    ("ipv6Ranges", "cidrIpv6", "Ipv6Ranges", "CidrIpv6"),
    ("prefixListIds", "prefixListId", "PrefixListIds", "PrefixListId"),
    ("groups", "groupId", "UserIdGroupPairs", "GroupId"),
)
"""Peers of a rule: list and id as CloudTrail spells them, then as EC2's API does."""


@proposal("lambda-vpc-sg-egress", "deploy-regression")
def restore_rule(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[ProposedAction]:
    """Offer the rule of a security group that the change that the verdict rests on revoked, exactly as it was."""
    for way in ("Egress", "Ingress"):
        change = cited(accepted, bundle, f"RevokeSecurityGroup{way}")
        group = change.parameters.get("groupId", "") if change else ""
        permissions = revoked_permissions(change) if change else None
        if change is None or not permissions or not group.startswith("sg-"):
            continue
        yield proposed(
            f"ec2.authorize_{way.lower()}",
            call=("ec2", f"AuthorizeSecurityGroup{way}"),
            parameters={"GroupId": group, "IpPermissions": permissions},
            resource=accepted.resource,
            title=f"Give `{group}` back the {way.lower()} rule that was revoked",
            rationale=f"`{change.who}` revoked it at {change.observed_at:%H:%M} UTC, and connections fail since.",
            expected_effect="New connections get through within seconds.",
            risk=Risk.MEDIUM,
            undo=f"Revoke the same rule again (RevokeSecurityGroup{way}).",
            verification="The connection errors end: errors of the function fall to 0.",
            effect=Effect.UNDOES,
            trade_off=f"somebody may have closed it on purpose: ask who did; {KEPT_AS_CODE}",
            evidence=shown(accepted, change),
        )


def revoked_permissions(change: Change) -> list[dict[str, Any]] | None:
    """Return the rules that a revocation names, None where it names them by id or not in full.

    CloudTrail nests lists as `{"items": […]}`.
    """
    asked = _nested(change.parameters).get("ipPermissions")
    found = [_permission(item) for item in _items(asked)]
    return None if None in found or not found else [permission for permission in found if permission]


def _permission(item: Any) -> dict[str, Any] | None:
    if not isinstance(item, Mapping) or not item.get("ipProtocol"):
        return None
    known = {"ipProtocol", "fromPort", "toPort", *(row[0] for row in PEERS)}
    permission: dict[str, Any] = {"IpProtocol": str(item["ipProtocol"])}
    for low, high in (("fromPort", "FromPort"), ("toPort", "ToPort")):
        if low in item and str(item[low]) != "null":
            permission[high] = int(item[low])
    for told, identity, name, key in PEERS:
        peers = [peer.get(identity) if isinstance(peer, Mapping) else None for peer in _items(item.get(told))]
        if None in peers:
            return None
        if peers:
            permission[name] = [{key: str(peer)} for peer in peers]
    complete = set(item) <= known and any(row[2] in permission for row in PEERS)
    return permission if complete else None


def _nested(flat: Mapping[str, str]) -> dict[str, Any]:
    """Put dotted names back into objects; what was too deep to be flattened is JSON text."""
    whole: dict[str, Any] = {}
    for key, text in flat.items():
        *path, last = key.split(".")
        inside = whole
        for part in path:
            step = inside.setdefault(part, {})
            if not isinstance(step, dict):
                return {}
            inside = step
        inside[last] = _json(text)
    return whole


def _json(text: str) -> Any:
    try:
        return json.loads(text) if text.startswith("{") else text
    except ValueError:
        return text


def _items(listed: Any) -> list[Any]:
    items = listed.get("items", {}) if isinstance(listed, Mapping) else {}
    return list(items.values()) if isinstance(items, Mapping) else []


@proposal("lambda-vpc-nacl")
def remove_denying_entry(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[ProposedAction]:
    """Offer to take away the denying entry of a network ACL that the change that the verdict rests on added."""
    change = cited(accepted, bundle, "CreateNetworkAclEntry")
    told = change.parameters if change else {}
    number, acl, egress = (told.get(name, "") for name in ("ruleNumber", "networkAclId", "egress"))
    if change is None or told.get("ruleAction") != "deny" or not acl.startswith("acl-"):
        return
    if not number.isdecimal() or egress not in {"true", "false"}:
        return
    again = ", ".join(f"{name} {value}" for name, value in sorted(told.items()))
    yield proposed(
        "ec2.delete_acl_entry",
        call=("ec2", "DeleteNetworkAclEntry"),
        parameters={"NetworkAclId": acl, "RuleNumber": int(number), "Egress": egress == "true"},
        resource=accepted.resource,
        title=f"Take the denying entry {number} of `{acl}` away",
        rationale=f"`{change.who}` added it at {change.observed_at:%H:%M} UTC, and connections fail since.",
        expected_effect="Traffic gets through the subnets' ACL within seconds.",
        risk=Risk.MEDIUM,
        undo=f"Create the entry again: {again}.",
        verification="The connection errors end: errors of the function fall to 0.",
        effect=Effect.UNDOES,
        trade_off=f"somebody may have closed it against an attack: ask who did; {KEPT_AS_CODE}",
        evidence=shown(accepted, change),
    )


PROPOSALS: tuple[Proposal, ...] = (restore_rule, remove_denying_entry)
