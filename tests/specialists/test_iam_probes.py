"""The probes of the iam specialist against moto, and against the local AWS where moto answers nothing."""

import io
import json
import zipfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from domain.evidence import Evidence, EvidenceT
from domain.trace import TraceCall, TracedError
from domain.window import Window
from sandbox.aws import LocalAws
from sandbox.aws.signals import cloudtrail_event
from sandbox.aws.world import World
from specialists.contract import Probe
from specialists.iam import probes
from specialists.iam.evidence import (
    ChangesSearched,
    EndpointPolicy,
    FunctionLogs,
    PolicyList,
    RolePolicy,
    RoleState,
    RunsAs,
)
from specialists.kit.change import Change
from specialists.kit.loglines import LogLines
from tests.support.probing import NOW, look_with

ACCOUNT = "123456789012"
REGION = "eu-west-1"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:orders"
MACHINE = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:orders"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/service-role/orders-role"
TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/orders"
LOGS = "/aws/lambda/orders"


def trust(service: str = "lambda.amazonaws.com") -> str:
    return document("sts:AssumeRole", Principal={"Service": service})


def document(action: object, effect: str = "Allow", **more: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": action, **more}]})


def anything(action: str, effect: str = "Allow") -> str:
    return document(action, effect, Resource="*")


@pytest.fixture
def iam(moto_url: str) -> Any:
    """IAM with the role that the function runs as."""
    client = boto3.client("iam")
    client.create_role(RoleName="orders-role", Path="/service-role/", AssumeRolePolicyDocument=trust())
    return client


def make_function(**more: Any) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as package:
        package.writestr("app.py", "def handler(event, context): return 1")
    boto3.client("lambda").create_function(
        FunctionName="orders",
        Runtime="python3.12",
        Role=ROLE,
        Handler="app.handler",
        Code={"ZipFile": archive.getvalue()},
        **more,
    )


def runs_as(target: str = FUNCTION, role: str = ROLE, **more: object) -> RunsAs:
    return RunsAs(resource=target, source="lambda:GetFunctionConfiguration", role_arn=role, log_group=LOGS, **more)  # type: ignore[arg-type]


def refused(who: str, action: str = "dynamodb:PutItem", on: str = TABLE) -> TraceCall:
    text = f"User: {who} is not authorized to perform: {action} on resource: {on}"
    return TraceCall(
        resource=TABLE,
        source="xray:BatchGetTraces",
        trace_id="1-0-0",
        segment_id="aa",
        caller=FUNCTION,
        service="DynamoDB",
        operation="PutItem",
        start=NOW,
        error=True,
        errors=(TracedError(type="ClientError", code="AccessDeniedException", message=text),),
    )


def seen(probe: Probe, *known: Evidence, target: str = FUNCTION, **more: Any) -> list[Evidence]:
    return look_with(probe, target, seen=known or (runs_as(target),), **more)


def of(kind: type[EvidenceT], items: Iterable[Evidence]) -> list[EvidenceT]:
    return [item for item in items if isinstance(item, kind)]


def test_function_tells_its_role_and_names_but_no_values(iam):
    make_function(Environment={"Variables": {"PARTNER_ACCESS_KEY": "hush-hush", "TABLE": "orders"}})
    (found,) = look_with(probes.execution_role, FUNCTION)

    assert isinstance(found, RunsAs)
    assert (found.role_arn, found.role, found.log_group) == (ROLE, "orders-role", LOGS)
    assert found.credential_variables == ("PARTNER_ACCESS_KEY",)
    assert "hush-hush" not in found.model_dump_json()


def test_state_machine_tells_its_role(iam):
    definition = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})
    boto3.client("stepfunctions").create_state_machine(name="orders", definition=definition, roleArn=ROLE)
    (found,) = look_with(probes.machine_role, MACHINE)

    assert isinstance(found, RunsAs)
    assert found.role_arn == ROLE


def test_role_session_of_the_trace_finds_its_role(iam):
    (found,) = look_with(probes.named_role, f"arn:aws:sts::{ACCOUNT}:assumed-role/orders-role/orders")
    (missing,) = look_with(probes.named_role, f"arn:aws:sts::{ACCOUNT}:assumed-role/gone/x")

    assert isinstance(found, RunsAs)
    assert found.role_arn == ROLE
    assert isinstance(missing, RoleState)
    assert not missing.exists


def test_role_shows_its_trust_and_its_boundary(iam):
    boundary = iam.create_policy(PolicyName="limit", PolicyDocument=anything("s3:*"))["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName="orders-role", PermissionsBoundary=boundary)
    found = seen(probes.role_and_boundary)
    (role,), (policy,) = of(RoleState, found), of(RolePolicy, found)

    assert (role.resource, role.boundary_arn) == (ROLE, boundary)
    assert role.trust[0].principals == ("Service:lambda.amazonaws.com",)
    assert (policy.form, policy.name, policy.statements[0].actions) == ("boundary", "limit", ("s3:*",))


def test_role_without_a_boundary_asks_for_no_policy(iam):
    assert [type(item) for item in seen(probes.role_and_boundary)] == [RoleState]


def test_role_that_is_gone_is_evidence(moto_url):
    (role,) = of(RoleState, seen(probes.role_and_boundary))

    assert not role.exists
    assert role.summary() == "Role orders-role does not exist"


def test_policies_of_a_role_that_is_gone_are_not_called_none(moto_url):
    assert seen(probes.attached_policies) == []
    assert seen(probes.inline_policies) == []


def test_attached_policies_come_with_the_statements_of_their_default_version(iam):
    own = iam.create_policy(PolicyName="orders-write", PolicyDocument=anything("dynamodb:PutItem"))["Policy"]["Arn"]
    iam.create_policy_version(PolicyArn=own, PolicyDocument=anything("dynamodb:GetItem"), SetAsDefault=True)
    managed = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    for arn in (own, managed):
        iam.attach_role_policy(RoleName="orders-role", PolicyArn=arn)
    found = seen(probes.attached_policies)
    (listed,) = of(PolicyList, found)
    by_name = {policy.name: policy for policy in of(RolePolicy, found)}

    assert sorted(listed.names) == ["AWSLambdaBasicExecutionRole", "orders-write"]
    assert by_name["orders-write"].version == "v2"
    assert by_name["orders-write"].statements[0].actions == ("dynamodb:GetItem",)
    assert by_name["orders-write"].customer_managed
    assert not by_name["AWSLambdaBasicExecutionRole"].customer_managed
    assert "logs:PutLogEvents" in by_name["AWSLambdaBasicExecutionRole"].statements[0].actions


def test_inline_policies_come_with_their_statements(iam):
    iam.put_role_policy(RoleName="orders-role", PolicyName="größe", PolicyDocument=anything("dynamodb:*", "Deny"))
    found = seen(probes.inline_policies)
    (listed,), (policy,) = of(PolicyList, found), of(RolePolicy, found)

    assert (listed.form, listed.names) == ("inline", ("größe",))
    assert not policy.statements[0].allows


def test_role_without_policies_is_known_to_have_none(iam):
    (attached,), (inline,) = seen(probes.attached_policies), seen(probes.inline_policies)

    assert (attached.summary(), inline.summary()) == ("Attached policies: none", "Inline policies: none")


def test_other_role_that_the_trace_names_is_read_too(iam):
    iam.create_role(RoleName="reports-role", AssumeRolePolicyDocument=trust())
    iam.put_role_policy(RoleName="reports-role", PolicyName="p", PolicyDocument=anything("s3:*"))
    call = refused(f"arn:aws:sts::{ACCOUNT}:assumed-role/reports-role/job")
    found = of(PolicyList, seen(probes.inline_policies, runs_as(), call))

    assert [item.resource for item in found] == [ROLE, f"arn:aws:iam::{ACCOUNT}:role/reports-role"]


def test_role_of_another_account_is_not_looked_for_here(iam):
    iam.create_role(RoleName="reports-role", AssumeRolePolicyDocument=trust())
    call = refused("arn:aws:sts::999999999999:assumed-role/reports-role/job")

    assert [item.resource for item in seen(probes.inline_policies, runs_as(), call)] == [ROLE]


def test_trust_of_the_role_that_could_not_be_assumed_is_read(iam):
    wanted = iam.create_role(RoleName="partner", AssumeRolePolicyDocument=trust("ec2.amazonaws.com"))["Role"]["Arn"]
    call = refused(f"arn:aws:sts::{ACCOUNT}:assumed-role/orders-role/orders", "sts:AssumeRole", wanted)
    found = of(RoleState, seen(probes.role_and_boundary, runs_as(), call))

    assert [role.resource for role in found] == [ROLE, wanted]


def write_log(*messages: str) -> None:
    logs = boto3.client("logs")
    logs.create_log_group(logGroupName=LOGS)
    logs.create_log_stream(logGroupName=LOGS, logStreamName="s")
    now = round(datetime.now(UTC).timestamp() * 1000)
    if messages:
        events = [{"timestamp": now + n, "message": message} for n, message in enumerate(messages)]
        logs.put_log_events(logGroupName=LOGS, logStreamName="s", logEvents=events)


def today() -> Window:
    now = datetime.now(UTC)
    return Window(start=now - timedelta(minutes=20), end=now + timedelta(minutes=1))


REFUSALS = (
    f"[ERROR] User: x is not authorized to perform: dynamodb:PutItem on resource: {TABLE}",
    "AccessDenied: Access Denied",
    "ExpiredTokenException: The security token included in the request is expired",
)


def test_log_lines_that_refuse_are_kept_and_others_not(moto_url):
    write_log(*REFUSALS, "START RequestId: 1", "user 42 is not authorised, token refreshed")
    (lines,) = of(LogLines, seen(probes.denials_in_logs, window=today()))

    assert [event.message for event in lines.events] == list(REFUSALS)


def test_log_group_that_is_missing_is_evidence(moto_url):
    (logs,) = of(FunctionLogs, seen(probes.denials_in_logs, window=today()))

    assert logs.summary() == f"Log group {LOGS} does not exist"


@pytest.mark.parametrize(
    ("granted", "messages", "expected"),
    [("s3:*", (), [False]), ("s3:*", ("hello",), [True]), ("logs:*", (), [])],
)
def test_log_is_looked_into_only_when_the_role_may_not_write_it(iam, granted, messages, expected):
    iam.put_role_policy(RoleName="orders-role", PolicyName="p", PolicyDocument=anything(granted))
    write_log(*messages)
    found = of(FunctionLogs, seen(probes.log_delivery, window=today()))

    assert [logs.has_events for logs in found] == expected


def test_endpoint_policies_of_the_functions_vpc_are_read(moto_url):
    ec2 = boto3.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    made = ec2.create_vpc_endpoint(
        VpcId=vpc,
        ServiceName=f"com.amazonaws.{REGION}.s3",
        VpcEndpointType="Gateway",
        PolicyDocument=document("s3:GetObject", Principal="*", Resource="*"),
    )["VpcEndpoint"]["VpcEndpointId"]
    (found,) = of(EndpointPolicy, seen(probes.endpoint_policies, runs_as(vpc_id=vpc)))

    assert found.resource == f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc-endpoint/{made}"
    assert (found.service, found.statements[0].actions) == ("s3", ("s3:GetObject",))


def test_function_outside_a_vpc_asks_for_no_endpoint(moto_url):
    assert seen(probes.endpoint_policies) == []


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws() as local:
        yield local


@pytest.fixture
def world(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> World:
    """A local AWS with the role, whose CloudTrail answers."""
    aws.reset()
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    world = World(aws, NOW)
    client = world.client("iam")
    client.create_role(RoleName="orders-role", Path="/service-role/", AssumeRolePolicyDocument=trust())
    return world


def test_changes_of_the_role_are_told_and_those_of_its_namesake_not(world):
    named = [("AWS::IAM::Role", "orders-role")]
    when = NOW - timedelta(minutes=10)
    cloudtrail_event(
        world, "DetachRolePolicy", "iam", named, who="mia", when=when, request={"policyArn": "arn:x/write"}
    )
    cloudtrail_event(world, "UpdateTable", "dynamodb", [("AWS::DynamoDB::Table", "orders-role")], who="mia", when=when)
    found = seen(probes.role_changes)
    (change,), (searched,) = of(Change, found), of(ChangesSearched, found)

    assert (change.resource, change.event_name, change.who, change.observed_at) == (
        ROLE,
        "DetachRolePolicy",
        "mia",
        when,
    )
    assert (searched.count, searched.region) == (1, "us-east-1")


def test_new_version_of_an_attached_policy_is_a_change_of_the_role(world):
    iam = world.client("iam")
    arn = iam.create_policy(PolicyName="write", PolicyDocument=anything("s3:*"))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="orders-role", PolicyArn=arn)
    now = datetime.now(UTC)
    cloudtrail_event(world, "CreatePolicyVersion", "iam", [("AWS::IAM::Policy", arn)], who="mia", when=now)
    found = seen(probes.role_changes, window=today())

    assert [(change.event_name, change.resource) for change in of(Change, found)] == [("CreatePolicyVersion", ROLE)]


def test_unreadable_policy_document_is_evidence_that_says_so(world):
    world.aws.serve("iam", "ListRolePolicies", {"PolicyNames": ["odd"], "IsTruncated": False})
    world.aws.serve(
        "iam", "GetRolePolicy", {"RoleName": "orders-role", "PolicyName": "odd", "PolicyDocument": "{not json"}
    )
    (policy,) = of(RolePolicy, seen(probes.inline_policies))

    assert policy.statements == ()
    assert "cannot be understood" in policy.summary()


def test_policy_deleted_between_two_looks_is_an_error_and_no_empty_answer(world):
    world.aws.serve(
        "iam",
        "ListAttachedRolePolicies",
        {
            "AttachedPolicies": [{"PolicyName": "gone", "PolicyArn": f"arn:aws:iam::{ACCOUNT}:policy/gone"}],
            "IsTruncated": False,
        },
    )
    with pytest.raises(ClientError, match="NoSuchEntity"):
        seen(probes.attached_policies)


def test_looks_only_read(world):
    for probe in (probes.role_and_boundary, probes.attached_policies, probes.inline_policies, probes.role_changes):
        seen(probe)

    assert world.aws.calls
    assert world.aws.writes() == ()
