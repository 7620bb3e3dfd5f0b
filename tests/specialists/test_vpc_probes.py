"""The VPC probes over HTTP against the local AWS."""

import json
import os
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from aws.reads import Read
from aws.session import AwsConfig, ReadSession
from domain.evidence import Evidence, EvidenceBundle, load_evidence
from domain.findings import Hypothesis
from domain.graph import ServiceGraph
from domain.resource import resource_from_arn
from sandbox.aws import resources, signals
from sandbox.aws.faults import ACCESS_DENIED
from sandbox.aws.local import LocalAws
from sandbox.aws.world import World
from specialists.contract import Look, Probe
from specialists.kit.change import Change
from specialists.kit.loglines import LogLines
from specialists.registry import all_specialists
from specialists.vpc import SPECIALIST
from specialists.vpc.describe import interface, nat_gateway, network_acl, security_group
from specialists.vpc.evidence import (
    Attachment,
    CalledGroups,
    Endpoints,
    Interfaces,
    NatGateways,
    NetworkAcls,
    NetworkChanges,
    OwnGroups,
    RejectedFlows,
    RouteTables,
    Subnets,
)
from specialists.vpc.network import HIGHEST, LOWEST
from specialists.vpc.probes import PROBES, guards, parts, place
from specialists.vpc.probes import signals as looks
from tests.specialists.vpc_building import FUNCTION, START, attachment, call, case, log, minute
from tests.support.probing import NOW, WINDOW, findings

REGION, ACCOUNT = "eu-west-1", "123456789012"


@pytest.fixture(scope="module")
def _local() -> Iterator[LocalAws]:
    with LocalAws() as local:
        yield local


@pytest.fixture
def local(_local: LocalAws, monkeypatch: pytest.MonkeyPatch) -> LocalAws:
    _local.reset()
    for name, value in _local.environment().items():
        monkeypatch.setenv(name, value)
    return _local


class Net:
    """A VPC with a private subnet for a function, a subnet for a database and a NAT gateway in a public one."""

    def __init__(self) -> None:
        self.ec2: Any = boto3.client("ec2", region_name=REGION)
        self.vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.a, self.db, self.public = (self.subnet(f"10.0.{third}.0/24") for third in (1, 3, 9))
        self.fn_group, self.db_group = self.group("fn"), self.group("db")
        self.igw = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(VpcId=self.vpc, InternetGatewayId=self.igw)
        self.nat = self.ec2.create_nat_gateway(
            SubnetId=self.public, AllocationId=self.ec2.allocate_address(Domain="vpc")["AllocationId"]
        )["NatGateway"]["NatGatewayId"]
        self.private_table = self.table(self.a, NatGatewayId=self.nat)
        self.public_table = self.table(self.public, GatewayId=self.igw)

    def subnet(self, cidr: str) -> str:
        made: str = self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=cidr)["Subnet"]["SubnetId"]
        return made

    def group(self, name: str) -> str:
        made: str = self.ec2.create_security_group(GroupName=name, Description=name, VpcId=self.vpc)["GroupId"]
        return made

    def table(self, subnet: str, **way: str) -> str:
        made: str = self.ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]
        self.ec2.create_route(RouteTableId=made, DestinationCidrBlock="0.0.0.0/0", **way)
        self.ec2.associate_route_table(RouteTableId=made, SubnetId=subnet)
        return made

    def interface(self, subnet: str, address: str, group: str, description: str = "RDSNetworkInterface") -> str:
        made: str = self.ec2.create_network_interface(
            SubnetId=subnet, PrivateIpAddress=address, Groups=[group], Description=description
        )["NetworkInterface"]["NetworkInterfaceId"]
        return made

    def attached(self, *subnets: str, **fields: Any) -> Attachment:
        given = {"vpc_id": self.vpc, "subnet_ids": subnets or (self.a,), "group_ids": (self.fn_group,)}
        return attachment(**given | fields)

    def seen(self, *more: Any) -> list[Any]:
        """The attachment and the subnets that other probes need."""
        own = self.attached()
        return [own, *read(parts.subnets, seen=[own]), *more]


@cache
def session_of(reads: tuple[Read, ...], _endpoint: str) -> ReadSession:
    """One session for each set of reads: making EC2's client takes longer than all its calls."""
    return ReadSession(AwsConfig(region=REGION), reads)


def look_at(probe: Probe, arn: str, seen: Iterable[Evidence]) -> list[Evidence]:
    """Run the probe over HTTP; only its declared reads pass the guard."""
    target = resource_from_arn(arn)
    look = Look(
        aws=session_of(probe.reads, os.environ["AWS_ENDPOINT_URL"]).clients("", REGION),
        target=target,
        window=WINDOW,
        seen=EvidenceBundle(seen),
        graph=ServiceGraph.of([target]),
        now=NOW,
    )
    return list(probe.run(look))


def read(probe: Probe, *, arn: str = FUNCTION, seen: Iterable[Evidence] = ()) -> list[Any]:
    found = look_at(probe, arn, seen)
    for evidence in found:
        assert isinstance(evidence, probe.yields)
        assert evidence.resource == arn
        assert load_evidence(json.loads(json.dumps(evidence.dump()))).dump() == evidence.dump()
        assert "\n" not in evidence.summary()
    return found


def one(probe: Probe, **more: Any) -> Any:
    (found,) = read(probe, **more)
    return found


# --- where the target stands


def test_a_functions_network_settings_and_state_are_read(local: LocalAws) -> None:
    world, net = World(local, now=NOW), Net()
    resources.function(
        world,
        "create-order",
        role=resources.role(world, "create-order-role"),
        VpcConfig={"SubnetIds": [net.a], "SecurityGroupIds": [net.fn_group]},
        members={"State": "Failed", "StateReasonCode": "EniLimitExceeded", "StateReason": "full"},
    )

    found = one(place.attachment)

    assert (found.subnet_ids, found.group_ids) == ((net.a,), (net.fn_group,))
    assert (found.state.state, found.state.code) == ("Failed", "EniLimitExceeded")
    assert found.role.endswith("role/create-order-role")


def test_a_function_in_no_vpc_or_none_at_all_ends_the_look(local: LocalAws) -> None:
    world = World(local, now=NOW)
    resources.function(world, "create-order", role=resources.role(world, "create-order-role"))

    assert read(place.attachment) == []
    assert read(place.attachment, arn=FUNCTION + "-2") == []
    assert all(Attachment in p.needs or Subnets in p.needs or p.needs for p in PROBES if p not in place.PROBES)


def test_a_part_of_a_network_tells_its_vpc_and_a_missing_one_is_evidence(local: LocalAws) -> None:
    net = Net()
    endpoint = net.ec2.create_vpc_endpoint(VpcId=net.vpc, ServiceName=f"com.amazonaws.{REGION}.s3")["VpcEndpoint"]
    there = {
        f"vpc/{net.vpc}": ((), ()),
        f"subnet/{net.a}": ((net.a,), ()),
        f"security-group/{net.fn_group}": ((), (net.fn_group,)),
        f"vpc-endpoint/{endpoint['VpcEndpointId']}": ((), ()),
    }
    for name, expected in there.items():
        found = one(place.place, arn=f"arn:aws:ec2:{REGION}:{ACCOUNT}:{name}")

        assert (found.vpc_id, found.exists) == (net.vpc, True)
        assert (found.subnet_ids, found.group_ids) == expected
    for name in ("vpc/vpc-0123", "subnet/subnet-0123", "security-group/sg-0123", "vpc-endpoint/vpce-0123"):
        assert not one(place.place, arn=f"arn:aws:ec2:{REGION}:{ACCOUNT}:{name}").exists


# --- parts of the network


def test_all_subnets_of_the_vpc_are_read_by_the_functions_own_and_missing_ones_told(local: LocalAws) -> None:
    net = Net()
    own = net.attached(net.a, "subnet-0123456789", vpc_id="vpc-123abc")

    found = one(parts.subnets, seen=[own])

    assert {s.id for s in found.subnets} == {net.a, net.db, net.public}
    assert found.missing == ("subnet-0123456789",)
    assert next(s for s in found.subnets if s.id == net.a).free == 251
    assert {s.vpc_id for s in found.subnets} == {net.vpc}


def test_routes_gateways_and_their_states_are_read(local: LocalAws) -> None:
    net = Net()
    seen = net.seen()

    tables = {t.id: t for t in one(parts.route_tables, seen=seen).tables}

    assert [(r.destination, r.via) for r in tables[net.private_table].routes] == [
        ("10.0.0.0/16", "local"),
        ("0.0.0.0/0", net.nat),
    ]
    assert tables[net.private_table].subnet_ids == (net.a,)
    assert [t.main for t in tables.values()].count(True) == 1
    nat = one(parts.nat_gateways, seen=seen).gateways[0]
    assert (nat.id, nat.state, nat.subnet_id, nat.public) == (net.nat, "available", net.public, True)
    assert one(parts.internet_gateways, seen=seen).ids == (net.igw,)


def test_acls_are_read_by_number_without_the_final_deny(local: LocalAws) -> None:
    net = Net()
    made = net.ec2.create_network_acl(VpcId=net.vpc)["NetworkAcl"]["NetworkAclId"]
    net.ec2.create_network_acl_entry(
        NetworkAclId=made, RuleNumber=90, Protocol="6", RuleAction="deny", Egress=True, CidrBlock="10.9.0.0/16",
        PortRange={"From": 443, "To": 444},
    )  # fmt: skip

    acl = next(a for a in one(parts.network_acls, seen=net.seen()).acls if a.id == made)

    assert [(e.number, e.allows, e.egress, e.cidr, e.low, e.high) for e in acl.entries] == [
        (90, False, True, "10.9.0.0/16", 443, 444)
    ]


def test_endpoints_are_read_with_service_policy_groups_and_tables(local: LocalAws) -> None:
    net = Net()
    policy = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:Get*", "Resource": "*"}]}
    net.ec2.create_vpc_endpoint(
        VpcId=net.vpc, ServiceName=f"com.amazonaws.{REGION}.s3", RouteTableIds=[net.private_table],
        PolicyDocument=json.dumps(policy),
    )  # fmt: skip
    net.ec2.create_vpc_endpoint(
        VpcId=net.vpc, ServiceName=f"com.amazonaws.{REGION}.ecr.api", VpcEndpointType="Interface",
        SubnetIds=[net.db], SecurityGroupIds=[net.db_group], PrivateDnsEnabled=True,
    )  # fmt: skip

    found = one(parts.endpoints, seen=net.seen())

    registry, store = found.endpoints
    assert (registry.service, registry.gateway, registry.private_dns) == ("ecr.api", False, True)
    assert (registry.subnet_ids, registry.group_ids) == ((net.db,), (net.db_group,))
    assert (store.service, store.gateway, store.route_table_ids) == ("s3", True, (net.private_table,))
    assert store.statements[0].actions == ("s3:Get*",)
    assert store.arn == f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc-endpoint/{store.id}"
    assert one(guards.endpoint_groups, seen=net.seen(found)).asked == (net.db_group,)


def test_dns_and_flow_logs_are_read(local: LocalAws) -> None:
    net = Net()
    net.ec2.modify_vpc_attribute(VpcId=net.vpc, EnableDnsSupport={"Value": False})
    boto3.client("logs").create_log_group(logGroupName="flows")
    net.ec2.create_flow_logs(
        ResourceIds=[net.vpc], ResourceType="VPC", TrafficType="REJECT", LogGroupName="flows",
        DeliverLogsPermissionArn=f"arn:aws:iam::{ACCOUNT}:role/flows",
    )  # fmt: skip

    assert not one(parts.dns, seen=net.seen()).support
    assert [(f.resource_id, f.traffic) for f in one(parts.flow_logs, seen=net.seen()).logs] == [(net.vpc, "REJECT")]


# --- guards


def test_own_groups_are_read_with_ports_peers_and_what_is_missing(local: LocalAws) -> None:
    net = Net()
    net.ec2.authorize_security_group_ingress(
        GroupId=net.db_group,
        IpPermissions=[{"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432,
                        "UserIdGroupPairs": [{"GroupId": net.fn_group}]}],
    )  # fmt: skip

    found = one(guards.own_groups, seen=[net.attached(group_ids=(net.db_group, "sg-0123456789"))])

    (rule,) = found.groups[0].ingress
    assert (rule.protocol, rule.low, rule.high, rule.groups) == ("tcp", 5432, 5432, (net.fn_group,))
    assert [(r.protocol, r.low, r.high, r.cidrs) for r in found.groups[0].egress] == [
        ("-1", LOWEST, HIGHEST, ("0.0.0.0/0",))
    ]
    assert found.missing == ("sg-0123456789",)
    assert read(guards.own_groups, seen=[net.attached(group_ids=())]) == []


def test_what_stands_behind_a_private_address_is_looked_up_with_its_groups(local: LocalAws) -> None:
    net = Net()
    made = net.interface(net.db, "10.0.3.15", net.db_group)
    net.interface(net.db, "10.0.3.16", net.db_group)
    lines = log("connect ETIMEDOUT 10.0.3.15:5432", "connect ETIMEDOUT 10.0.3.99:5432", "connect ETIMEDOUT 8.8.8.8:53")

    found = one(guards.called_interfaces, seen=net.seen(lines))

    assert [(i.id, i.addresses, i.group_ids) for i in found.interfaces] == [(made, ("10.0.3.15",), (net.db_group,))]
    assert found.addresses == ("10.0.3.15", "10.0.3.99")
    assert "10.0.3.99 is no interface" in found.summary()
    assert one(guards.address_groups, seen=net.seen(found)).groups[0].id == net.db_group
    assert read(guards.called_interfaces, seen=net.seen(log())) == []


def test_mount_targets_are_looked_up_where_the_function_has_a_file_system(local: LocalAws) -> None:
    net = Net()
    made = net.interface(net.db, "10.0.3.20", net.db_group, "EFS mount target for fs-1 (fsmt-1)")
    mounts = net.attached(file_systems=("arn:aws:elasticfilesystem:eu-west-1:123456789012:access-point/fsap-1",))
    around = read(parts.subnets, seen=[mounts])

    found = one(guards.called_interfaces, seen=[mounts, *around, log()])

    assert [i.id for i in found.interfaces] == [made]


def test_lambdas_interfaces_are_counted(local: LocalAws) -> None:
    net = Net()
    for last in (5, 6):
        net.interface(net.a, f"10.0.1.{last}", net.fn_group, f"AWS Lambda VPC ENI-create-order-{last}")
    net.interface(net.a, "10.0.1.7", net.fn_group, "something else")

    assert len(one(guards.function_interfaces, seen=net.seen()).interfaces) == 2


def test_prefix_lists_that_rules_name_are_read(local: LocalAws) -> None:
    net = Net()
    made = net.ec2.create_managed_prefix_list(
        PrefixListName="partners", MaxEntries=2, AddressFamily="IPv4", Entries=[{"Cidr": "198.51.100.0/24"}]
    )["PrefixList"]["PrefixListId"]
    group = security_group({
        "GroupId": net.fn_group,
        "IpPermissionsEgress": [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443,
                                 "PrefixListIds": [{"PrefixListId": made}]}],
    })  # fmt: skip
    own = OwnGroups(resource=FUNCTION, source="x", asked=(net.fn_group,), groups=(group,))
    tables = RouteTables(resource=FUNCTION, source="x")

    found = one(guards.prefix_lists, seen=[own, tables]).lists

    assert [(p.id, p.name, p.cidrs) for p in found] == [(made, "partners", ("198.51.100.0/24",))]
    assert read(guards.prefix_lists, seen=[own.model_copy(update={"groups": ()}), tables]) == []


# --- signals


def test_lines_about_connections_are_kept_and_others_not(local: LocalAws) -> None:
    world = World(local, now=NOW)
    lines = [
        "START RequestId: 1",
        "Error: connect ETIMEDOUT 10.0.3.15:5432",
        "is not authorized to perform: s3:GetObject because no VPC endpoint policy allows the s3:GetObject action",
        "ValueError: timeout must be positive",
        "Task timed out after 10.00 seconds",
    ]
    signals.log(world, "/aws/lambda/create-order", [(minute(n), line) for n, line in enumerate(lines)])

    found = one(looks.connection_errors, seen=[attachment()])

    assert [event.message for event in found.events] == [lines[1], lines[2], lines[4]]


def test_a_function_that_never_logged_has_no_lines_and_says_why(local: LocalAws) -> None:
    found = one(looks.connection_errors, seen=[attachment()])

    assert found.events == ()
    assert "no such log group" in found.filter


def test_metrics_are_read(local: LocalAws) -> None:
    found = {series.metric for series in read(looks.metrics, seen=[attachment()])}

    assert found == {"Invocations", "Errors"}


def flow_log(group: str, network: Any) -> dict[str, str]:
    return {"FlowLogId": "fl-1", "ResourceId": network.vpc, "TrafficType": "REJECT", "DeliverLogsStatus": "SUCCESS",
              "LogGroupName": group, "LogDestinationType": "cloud-watch-logs"}  # fmt: skip


def test_rejected_flows_of_the_functions_subnets_are_read(local: LocalAws) -> None:
    world, net = World(local, now=NOW), Net()
    local.serve("ec2", "DescribeFlowLogs", {"FlowLogs": [flow_log("flows", net)]})
    tail = "6 3 180 1795168000 1795168060"
    lines = [
        f"2 {ACCOUNT} eni-1 10.0.1.9 10.0.3.15 40000 5432 {tail} REJECT OK",
        f"2 {ACCOUNT} eni-1 10.0.1.9 10.0.3.15 40000 5432 {tail} ACCEPT OK",
        f"2 {ACCOUNT} eni-2 203.0.113.7 10.0.9.4 40000 22 {tail} REJECT OK",
        f"2 {ACCOUNT} eni-3 - - - - - - - 1 2 - NODATA",
    ]
    signals.log(world, "flows", [(minute(n), line) for n, line in enumerate(lines)])
    logs = one(parts.flow_logs, seen=net.seen())

    found = one(looks.rejected_flows, seen=net.seen(logs))

    assert [(f.source, f.destination, f.port) for f in found.flows] == [("10.0.1.9", "10.0.3.15", 5432)]


def around(net: Net, *lines: str) -> list[Any]:
    """Everything that the looks at changes need, read from the network."""
    seen = net.seen(log(*lines))
    for probe in (parts.route_tables, parts.nat_gateways, parts.network_acls, parts.endpoints, guards.own_groups):
        seen += read(probe, seen=seen)
    return seen


def test_changes_of_what_is_in_the_way_are_looked_up_and_no_others(local: LocalAws) -> None:
    world, net = World(local, now=NOW), Net()
    net.ec2.delete_route(RouteTableId=net.private_table, DestinationCidrBlock="0.0.0.0/0")
    signals.cloudtrail_event(
        world, "DeleteRoute", "ec2", [("AWS::EC2::RouteTable", net.private_table)], who="mia", when=minute(10),
        request={"routeTableId": net.private_table, "destinationCidrBlock": "0.0.0.0/0"},
    )  # fmt: skip
    local.forget_calls()

    found = read(looks.network_changes, seen=around(net, "connect ETIMEDOUT 8.8.8.8:443"))

    assert [type(e) for e in found] == [Change, NetworkChanges]
    assert (found[0].event_name, found[0].who) == ("DeleteRoute", "mia")
    assert found[1].names == (net.private_table,)
    assert read(looks.network_changes, seen=around(net, "connect ETIMEDOUT 10.0.3.15:443")) == []
    assert read(looks.network_changes, seen=around(net)) == []
    assert [c.operation for c in local.calls].count("LookupEvents") == 1


def test_nobody_having_changed_it_is_an_answer_too(local: LocalAws) -> None:
    net = Net()
    net.ec2.delete_route(RouteTableId=net.private_table, DestinationCidrBlock="0.0.0.0/0")

    found = one(looks.network_changes, seen=around(net, "connect ETIMEDOUT 8.8.8.8:443"))

    assert (found.events, found.searched_from.date()) == (0, START.date().replace(day=19))


def test_changes_of_the_called_sides_group_are_looked_up(local: LocalAws) -> None:
    world, net = World(local, now=NOW), Net()
    net.interface(net.db, "10.0.3.15", net.db_group)
    signals.cloudtrail_event(
        world, "RevokeSecurityGroupIngress", "ec2", [("AWS::EC2::SecurityGroup", net.db_group)], who="mia",
        when=minute(10), request={"groupId": net.db_group},
    )  # fmt: skip
    seen = around(net, "connect ETIMEDOUT 10.0.3.15:5432")
    seen += read(guards.called_interfaces, seen=seen)
    seen += read(guards.address_groups, seen=seen)

    found = read(looks.called_group_changes, seen=seen)

    assert [type(e) for e in found] == [Change, NetworkChanges]
    assert found[1].names == (net.db_group,)


def test_changes_of_a_refusing_endpoint_are_looked_up(local: LocalAws) -> None:
    net = Net()
    policy = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:Put*", "Resource": "*"}]}
    made = net.ec2.create_vpc_endpoint(
        VpcId=net.vpc, ServiceName=f"com.amazonaws.{REGION}.s3", RouteTableIds=[net.private_table],
        PolicyDocument=json.dumps(policy),
    )["VpcEndpoint"]["VpcEndpointId"]  # fmt: skip
    denied = call("arn:aws:s3:::photos", ("AccessDenied", "Access Denied"), operation="GetObject")

    assert one(looks.endpoint_changes, seen=[*around(net), denied]).names == (made,)
    assert read(looks.endpoint_changes, seen=around(net)) == []


def test_changes_of_an_endpoint_that_calls_do_not_go_through_are_looked_up(local: LocalAws) -> None:
    net = Net()
    net.ec2.delete_route(RouteTableId=net.private_table, DestinationCidrBlock="0.0.0.0/0")
    made = net.ec2.create_vpc_endpoint(
        VpcId=net.vpc, ServiceName=f"com.amazonaws.{REGION}.s3", VpcEndpointType="Gateway", RouteTableIds=[]
    )["VpcEndpoint"]["VpcEndpointId"]
    lost = call("arn:aws:s3:::photos", ("Timeout", "connect timed out"))

    assert one(looks.endpoint_changes, seen=[*around(net), lost]).names == (made,)
    assert one(looks.network_changes, seen=[*around(net), lost]).names == (net.private_table,)


def test_changes_of_an_endpoint_that_takes_calls_of_an_api_are_looked_up(local: LocalAws) -> None:
    net = Net()
    made = net.ec2.create_vpc_endpoint(
        VpcId=net.vpc, ServiceName=f"com.amazonaws.{REGION}.execute-api", VpcEndpointType="Interface",
        SubnetIds=[net.db], PrivateDnsEnabled=True,
    )["VpcEndpoint"]["VpcEndpointId"]  # fmt: skip
    url = f"https://a1b2c3d4e5.execute-api.{REGION}.amazonaws.com/prod/points"
    refused = call("remote:a1b2c3d4e5", http_status=403, error=True, attributes={"url": url})

    assert one(looks.endpoint_changes, seen=[*around(net), refused]).names == (made,)
    assert read(looks.endpoint_changes, seen=[*around(net), refused.model_copy(update={"http_status": 200})]) == []


def test_who_deleted_a_part_that_the_settings_name_is_looked_up(local: LocalAws) -> None:
    world, net = World(local, now=NOW), Net()
    signals.cloudtrail_event(
        world, "DeleteSecurityGroup", "ec2", [("AWS::EC2::SecurityGroup", "sg-gone")], who="mia",
        when=minute(10), request={"groupId": "sg-gone"},
    )  # fmt: skip
    gone = OwnGroups(resource=FUNCTION, source="ec2:DescribeSecurityGroups", asked=("sg-gone",))

    found = read(looks.missing_part_changes, seen=[*net.seen(), gone])

    assert [(change.event_name, change.who) for change in found] == [("DeleteSecurityGroup", "mia")]
    assert read(looks.missing_part_changes, seen=around(net)) == []


def test_function_changes_are_read(local: LocalAws) -> None:
    world = World(local, now=NOW)
    signals.cloudtrail_event(
        world, "UpdateFunctionConfiguration20150331v2", "lambda", [("AWS::Lambda::Function", "create-order")],
        who="mia", when=minute(10), request={"functionName": "create-order", "vpcConfig": {"subnetIds": ["s"]}},
    )  # fmt: skip

    found = read(looks.function_changes, seen=[attachment()])

    assert [change.parameters["vpcConfig.subnetIds.0"] for change in found] == ["s"]


# --- all together


def test_from_real_answers_to_the_cause(local: LocalAws) -> None:
    world, net = World(local, now=NOW), Net()
    net.ec2.delete_nat_gateway(NatGatewayId=net.nat)
    resources.function(
        world, "create-order", role=resources.role(world, "create-order-role"),
        VpcConfig={"SubnetIds": [net.a], "SecurityGroupIds": [net.fn_group]},
    )  # fmt: skip
    line = 'ConnectTimeoutError: Connect timeout on endpoint URL: "https://sqs.eu-west-1.amazonaws.com/"'
    signals.log(world, "/aws/lambda/create-order", [(minute(16), line)])
    local.forget_calls()
    seen: list[Any] = []
    waiting = [p for p in PROBES if p is not place.place]
    while ready := [p for p in waiting if all(any(isinstance(e, need) for e in seen) for need in p.needs)]:
        waiting = [p for p in waiting if p not in ready]
        seen += [evidence for p in ready for evidence in read(p, seen=seen)]

    named = [f for f in findings(SPECIALIST.rules, case(*seen)) if isinstance(f, Hypothesis)]

    assert [(f.cause, f.resource) for f in named] == [("lambda-vpc-no-nat", FUNCTION)]
    assert named[0].since == minute(16)
    assert not local.writes()


def test_a_denied_look_is_an_error_for_the_runner_not_an_empty_answer(local: LocalAws) -> None:
    net = Net()
    seen = net.seen()
    local.inject("ec2", "DescribeRouteTables", ACCESS_DENIED)

    with pytest.raises(ClientError):
        read(parts.route_tables, seen=seen)


# --- reading what AWS leaves out


def test_answers_with_fields_missing_are_read() -> None:
    assert security_group({}).egress == ()
    assert interface({}).addresses == ()
    assert nat_gateway({}).public
    assert network_acl({"Entries": [{}]}).entries == ()


# --- the specialist


def test_the_specialist_is_found_by_the_registry() -> None:
    assert SPECIALIST in all_specialists()


def test_every_probe_is_explained_in_words() -> None:
    for probe in PROBES:
        assert len(probe.doc) > 40, probe.name


def test_kinds_of_evidence_are_seen_by_some_rule() -> None:
    seen = {kind for rule in SPECIALIST.rules for kind in rule.sees}

    assert {kind for probe in PROBES for kind in probe.yields} <= seen
    assert {CalledGroups, Endpoints, Interfaces, LogLines, NatGateways, NetworkAcls, RejectedFlows} <= seen
