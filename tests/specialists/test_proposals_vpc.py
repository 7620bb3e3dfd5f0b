"""Which changes of a network are offered to be taken back: those that say exactly what they took."""

from typing import Any

import pytest

from domain.action import Effect
from specialists.kit.change import Change
from specialists.kit.changes import flatten
from specialists.vpc import proposals as of
from tests.specialists.proposals_building import Scene, change, label, offers

FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:checkout"
BLOCKED, ACL = "lambda-vpc-sg-egress", "lambda-vpc-nacl"
GROUP, PEER = "sg-0a1b2c3d4e5f60718", "sg-0ffffffffffffff00"


def revoked(way: str = "Egress", group: str = GROUP, **item: Any) -> Change:
    asked = {"groupId": group, "ipPermissions": {"items": [item]}} if item else {"groupId": group}
    return change(FUNCTION, f"RevokeSecurityGroup{way}", 2, flatten(asked))


def denied(**fields: object) -> Change:
    entry = {"networkAclId": "acl-0a1b2c3d", "ruleNumber": 90, "egress": True, "ruleAction": "deny"}
    return change(FUNCTION, "CreateNetworkAclEntry", 2, flatten({**entry, "cidrBlock": "0.0.0.0/0", **fields}))


TO_DATABASE: dict[str, Any] = {
    "ipProtocol": "tcp",
    "fromPort": 5432,
    "toPort": 5432,
    "groups": {"items": [{"groupId": PEER}]},
    "ipRanges": {"items": [{"cidrIp": "10.0.0.0/16"}, {"cidrIp": "10.1.0.0/16"}]},
    "ipv6Ranges": {},
    "prefixListIds": {},
}
GIVEN_BACK = {
    "IpProtocol": "tcp",
    "FromPort": 5432,
    "ToPort": 5432,
    "IpRanges": [{"CidrIp": "10.0.0.0/16"}, {"CidrIp": "10.1.0.0/16"}],
    "UserIdGroupPairs": [{"GroupId": PEER}],
}
ANYTHING: dict[str, Any] = {"ipProtocol": "-1", "ipv6Ranges": {"items": [{"cidrIpv6": "::/0"}]}}
BY_ID = change(
    FUNCTION,
    "RevokeSecurityGroupEgress",
    2,
    flatten({"groupId": GROUP, "securityGroupRuleIds": {"items": [{"securityGroupRuleId": "sgr-1"}]}}),
)
UNKNOWN_PEER: dict[str, Any] = {"ipProtocol": "tcp", "groups": {"items": [{"groupName": "database"}]}}

SCENES = (
    Scene(
        "a rule out",
        of.restore_rule,
        BLOCKED,
        FUNCTION,
        (revoked(**TO_DATABASE),),
        (("ec2.authorize_egress", Effect.UNDOES, {"GroupId": GROUP, "IpPermissions": [GIVEN_BACK]}),),
    ),
    Scene(
        "a rule in, for any protocol",
        of.restore_rule,
        BLOCKED,
        FUNCTION,
        (revoked("Ingress", **ANYTHING),),
        (
            (
                "ec2.authorize_ingress",
                Effect.UNDOES,
                {"GroupId": GROUP, "IpPermissions": [{"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}]},
            ),
        ),
    ),
    Scene("a rule named by its id", of.restore_rule, BLOCKED, FUNCTION, (BY_ID,)),
    Scene("a rule without a peer", of.restore_rule, BLOCKED, FUNCTION, (revoked(ipProtocol="tcp", fromPort=1),)),
    Scene("a peer that is not told", of.restore_rule, BLOCKED, FUNCTION, (revoked(**UNKNOWN_PEER),)),
    Scene("a part that is not known", of.restore_rule, BLOCKED, FUNCTION, (revoked(**TO_DATABASE, colour="red"),)),
    Scene("no group told", of.restore_rule, BLOCKED, FUNCTION, (revoked(group="", **TO_DATABASE),)),
    Scene("not cited", of.restore_rule, BLOCKED, FUNCTION, (revoked(**TO_DATABASE),), cites=()),
    Scene(
        "a denying entry",
        of.remove_denying_entry,
        ACL,
        FUNCTION,
        (denied(),),
        (
            (
                "ec2.delete_acl_entry",
                Effect.UNDOES,
                {"NetworkAclId": "acl-0a1b2c3d", "RuleNumber": 90, "Egress": True},
            ),
        ),
    ),
    Scene("an allowing entry", of.remove_denying_entry, ACL, FUNCTION, (denied(ruleAction="allow"),)),
    Scene("no direction told", of.remove_denying_entry, ACL, FUNCTION, (denied(egress="unknown"),)),
    Scene("no number told", of.remove_denying_entry, ACL, FUNCTION, (denied(ruleNumber="any"),)),
)


@pytest.mark.parametrize("scene", SCENES, ids=label)
def test_an_action_is_offered_only_with_what_was_observed(scene: Scene) -> None:
    assert offers(scene) == scene.expected
