"""The change probes over HTTP: CloudTrail and served answers for what moto lacks, moto for the rest."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aws.session import AwsConfig, ReadSession
from domain.evidence import Evidence, EvidenceBundle, load_evidence
from domain.graph import ServiceGraph
from domain.resource import resource_from_arn
from domain.result import SpecialistStatus
from domain.trace import TraceCall, TracedError
from sandbox.aws import resources
from sandbox.aws.faults import ACCESS_DENIED
from sandbox.aws.local import LocalAws
from sandbox.aws.signals import cloudtrail_event
from sandbox.aws.world import World
from specialists.awslambda.probes.telemetry import recent_changes
from specialists.change_intelligence import SPECIALIST
from specialists.change_intelligence.evidence import (
    LATEST,
    AliasState,
    ChangesSearched,
    DeploymentChange,
    FunctionRevisions,
    ParameterChange,
    Revision,
    RevisionChange,
    StackChange,
)
from specialists.change_intelligence.probes import deployments, functions, parameters, stacks, trail
from specialists.contract import Look, Probe
from specialists.kit.change import Change
from specialists.once import Once
from specialists.run import run_specialist
from tests.support.probing import NOW, WINDOW
from tests.support.running import assignment, tools

FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:create-order"
TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:order-events"
QUEUE = "arn:aws:sqs:eu-west-1:123456789012:jobs"
API = "arn:aws:apigateway:eu-west-1::/restapis/a1b2c3"
ROLE = "arn:aws:iam::123456789012:role/create-order-role"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
PARAMETER = "arn:aws:ssm:eu-west-1:123456789012:parameter/orders/endpoint"
STACK = "arn:aws:cloudformation:eu-west-1:123456789012:stack/orders/6f1b"
SECRET = "https://payments.internal/?token=wj49-never-kept"


@pytest.fixture(scope="module")
def _local() -> Iterator[LocalAws]:
    with LocalAws() as local:
        yield local


@pytest.fixture
def world(_local: LocalAws, monkeypatch: pytest.MonkeyPatch) -> World:
    _local.reset()
    for name, value in _local.environment().items():
        monkeypatch.setenv(name, value)
    return World(_local, now=NOW)


def look_at(
    probe: Probe,
    *arns: str,
    seen: tuple[Evidence, ...] = (),
    once: Once | None = None,
    missed: list[Exception] | None = None,
) -> list[Any]:
    """What the probe brings about these targets together; only its declared reads pass the guard."""
    targets = tuple(resource_from_arn(arn) for arn in arns)
    session = ReadSession(AwsConfig(region="eu-west-1", max_attempts=1), probe.reads)
    look = Look(
        aws=session.clients("", "eu-west-1"),
        target=targets[0],
        window=WINDOW,
        seen=EvidenceBundle(seen),
        graph=ServiceGraph.of(targets),
        now=NOW,
        once=once or Once(),
        targets=targets,
        missed=[] if missed is None else missed,
    )
    found = list(probe.run(look))
    for evidence in found:
        assert isinstance(evidence, probe.yields)
        assert load_evidence(json.loads(json.dumps(evidence.dump()))) == evidence
        assert "\n" not in evidence.summary()
    return found


def event(world: World, name: str, service: str, named: str, minutes: float, who: str = "mia", **more: Any) -> str:
    return cloudtrail_event(
        world, name, service, [("AWS::Any", named)] if named else [], who=who, when=world.ago(minutes=minutes), **more
    )


def failing(code: str = "AccessDeniedException", called: str = TABLE) -> TraceCall:
    return TraceCall(
        resource=called, source="xray:BatchGetTraces", observed_at=NOW, trace_id="1-6740a1b2-1234567890abcdef12345678", segment_id="c", caller=FUNCTION,
        service="DynamoDB", start=NOW, error=True, errors=(TracedError(type=code, code=code),), origin=True,
    )  # fmt: skip


def revisions(**fields: Any) -> FunctionRevisions:
    return FunctionRevisions(
        resource=FUNCTION, source="lambda:ListVersionsByFunction", role=ROLE, latest=Revision(version=LATEST), **fields
    )


def test_every_resource_is_asked_for_by_the_name_that_cloudtrail_has_for_it(world: World) -> None:
    event(world, "UpdateTable", "dynamodb", "orders", 30, request={"tableName": "orders"})
    event(world, "SetTopicAttributes", "sns", TOPIC, 40)
    event(world, "UpdateFunctionCode20150331v2", "lambda", "create-order", 50)
    event(world, "TagResource20170331v2", "lambda", "create-order", 20)
    event(world, "GetPolicy20150331", "lambda", "create-order", 20, read_only=True)
    event(world, "UpdateTable", "dynamodb", "elsewhere", 30)
    event(world, "UpdateTable", "dynamodb", "orders", 60 * 26, request={"tableName": "orders"})
    found = look_at(trail.resource_changes, FUNCTION, TABLE, TOPIC)

    assert {(c.event_name, c.resource) for c in found if isinstance(c, Change)} == {
        ("UpdateTable", TABLE),
        ("SetTopicAttributes", TOPIC),
        ("UpdateFunctionCode20150331v2", FUNCTION),
    }
    [searched] = [e for e in found if isinstance(e, ChangesSearched)]
    assert (searched.names, searched.trivial, searched.complete) == (("create-order", "orders", TOPIC), 1, True)


def test_what_a_service_specialist_asked_already_is_not_asked_again_and_is_the_same_evidence(world: World) -> None:
    event(world, "UpdateFunctionCode20150331v2", "lambda", "create-order", 50)
    once = Once()
    theirs = look_at(recent_changes, FUNCTION, once=once)
    world.aws.forget_calls()
    ours = look_at(trail.resource_changes, FUNCTION, once=once)

    assert [c.id for c in ours if isinstance(c, Change)] == [c.id for c in theirs]
    assert world.aws.calls == ()


def test_names_are_bounded_and_those_on_the_failing_path_come_first(world: World) -> None:
    crowd = [f"arn:aws:sqs:eu-west-1:123456789012:q{n:02}" for n in range(20)]
    [searched] = look_at(trail.resource_changes, *crowd, TABLE, FUNCTION, seen=(failing(),))

    assert searched.names[:2] == ("orders", "create-order")
    assert (len(searched.names), searched.left_out, searched.complete) == (trail.MAX_NAMES, 22 - trail.MAX_NAMES, False)


def test_more_events_than_are_read_make_the_search_incomplete(world: World) -> None:
    for n in range(151):
        event(world, "UpdateTable", "dynamodb", "orders", 30 + n)
    found = look_at(trail.resource_changes, TABLE)

    assert found[-1].cut_short == ("orders",)
    assert len(found) == trail.MAX_CHANGES + 1


def test_what_a_function_runs_as_and_with_is_asked_for_when_it_can_matter(world: World) -> None:
    event(world, "DisableKey", "kms", KEY, 30)
    event(world, "PutRolePolicy", "iam", "create-order-role", 30)
    event(world, "RevokeSecurityGroupEgress", "ec2", "sg-0a1b", 30)
    mine = revisions(key_arn=KEY, security_groups=("sg-0a1b",))

    def seen(*evidence: Evidence) -> set[tuple[str, str]]:
        found = look_at(trail.dependency_changes, FUNCTION, seen=(mine, *evidence))
        return {(c.event_name, c.resource) for c in found if isinstance(c, Change)}

    assert seen() == {("PutRolePolicy", ROLE)}
    assert seen(failing("AccessDeniedException")) == {("PutRolePolicy", ROLE), ("DisableKey", KEY)}
    assert seen(failing("ConnectTimeoutError")) == {("PutRolePolicy", ROLE), ("RevokeSecurityGroupEgress", FUNCTION)}


def test_a_region_that_cannot_be_asked_is_missed_once_and_hides_no_other(world: World) -> None:
    event(world, "PutRolePolicy", "iam", "create-order-role", 30)
    asked = {"LookupAttributes": [{"AttributeKey": "ResourceName", "AttributeValue": "create-order"}]}
    world.aws.inject("cloudtrail", "LookupEvents", ACCESS_DENIED, when=asked)
    world.aws.forget_calls()
    missed: list[Exception] = []

    found = look_at(trail.resource_changes, FUNCTION, TABLE, ROLE, missed=missed)

    assert [c.resource for c in found if isinstance(c, Change)] == [ROLE]
    assert (found[-1].names, found[-1].left_out, found[-1].complete) == (("create-order-role",), 2, False)
    assert len(missed) == 1
    assert len([call for call in world.aws.calls if call.operation == "LookupEvents"]) == 2


def test_where_no_name_can_be_asked_for_nothing_counts_as_searched(world: World) -> None:
    world.aws.inject("cloudtrail", "LookupEvents", ACCESS_DENIED)
    missed: list[Exception] = []

    assert look_at(trail.resource_changes, FUNCTION, TABLE, missed=missed) == []
    assert len(missed) == 1


def test_api_gateways_events_are_matched_by_the_api_they_name(world: World) -> None:
    event(world, "CreateDeployment", "apigateway", "", 30, request={"restApiId": "a1b2c3", "stageName": "prod"})
    event(world, "UpdateStage", "apigateway", "", 31, request={"restApiId": "zzzzzz"})
    found = look_at(trail.api_changes, API)

    assert [(c.event_name, c.resource, c.who) for c in found] == [("CreateDeployment", API, "mia")]


def make_function(world: World, **fields: Any) -> None:
    role = resources.role(world, "create-order-role")
    resources.function(world, "create-order", role=role, **fields)


def version(number: str, minutes: float, **fields: Any) -> dict[str, Any]:
    at = (NOW - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    given = {"Version": number, "LastModified": at, "Timeout": 30, "MemorySize": 256, "CodeSha256": "a", "Role": ROLE, "Runtime": "python3.12", "Handler": "app.main"}  # fmt: skip
    return {**given, **fields}


def test_versions_are_compared_and_values_that_are_nobodys_business_are_not_kept(world: World) -> None:
    make_function(world)
    variables = [{"Environment": {"Variables": {"URL": url, "MODE": "on"}}} for url in ("https://old", SECRET)]
    listed = [version("9", 40, Timeout=3, **variables[1]), version("8", 3000, **variables[0])]
    world.aws.serve("lambda", "ListVersionsByFunction", {"Versions": listed})
    latest = version(LATEST, 10, Timeout=3, CodeSha256="b", **variables[1])
    world.aws.serve("lambda", "GetFunctionConfiguration", {"FunctionName": "create-order", **latest})
    state, published, updated = look_at(functions.function_revisions, FUNCTION)

    assert isinstance(state, FunctionRevisions)
    assert ([r.version for r in state.published], state.role) == (["8", "9"], ROLE)
    assert isinstance(published, RevisionChange)
    assert published.parameters == {"timeout": "3", "environment.URL": ""}
    assert (published.before, published.version) == ({"timeout": "30"}, "9")
    assert (updated.event_name, updated.version, updated.parameters) == (
        "UpdateFunctionCode",
        LATEST,
        {"codeSha256": ""},
    )
    assert SECRET not in json.dumps([e.dump() for e in (state, published, updated)])


def test_a_function_without_versions_tells_only_that_it_was_updated(world: World) -> None:
    make_function(world, last_modified=world.ago(minutes=12))
    _, updated = look_at(functions.function_revisions, FUNCTION)

    assert (updated.event_name, updated.observed_at, updated.parameters) == (
        "UpdateFunction",
        world.ago(minutes=12),
        {},
    )


def test_a_function_that_was_updated_long_ago_or_does_not_exist_tells_no_change(world: World) -> None:
    make_function(world, last_modified=world.ago(days=3))

    assert [type(e) for e in look_at(functions.function_revisions, FUNCTION)] == [FunctionRevisions]
    assert look_at(functions.function_revisions, FUNCTION.replace("create-order", "gone")) == []


def test_of_more_versions_than_are_read_none_is_compared(world: World) -> None:
    make_function(world, last_modified=world.ago(days=3))
    listed = [version(str(n), 30) for n in range(1, functions.MAX_VERSIONS + 5)]
    world.aws.serve("lambda", "ListVersionsByFunction", {"Versions": listed})
    [state] = look_at(functions.function_revisions, FUNCTION)

    assert (state.truncated, state.published) == (True, ())


def test_an_alias_tells_its_weights(world: World) -> None:
    make_function(world)
    client = world.client("lambda")
    for _ in range(2):
        client.publish_version(FunctionName="create-order")
    routing = {"AdditionalVersionWeights": {"2": 0.1}}
    client.create_alias(FunctionName="create-order", Name="live", FunctionVersion="1", RoutingConfig=routing)
    [alias] = look_at(functions.aliases, FUNCTION)

    assert (alias.alias, alias.version, alias.weights) == ("live", "1", {"2": 0.1})


def in_stack(world: World, *events: dict[str, Any]) -> None:
    parts = [("Function", "create-order", "AWS::Lambda::Function"), ("Jobs", "https://sqs.eu-west-1.amazonaws.com/123456789012/jobs", "AWS::SQS::Queue")]  # fmt: skip
    listed = [
        {"StackId": STACK, "StackName": "orders", "LogicalResourceId": logical, "PhysicalResourceId": physical, "ResourceType": kind, "Timestamp": world.ago(days=9), "ResourceStatus": "UPDATE_COMPLETE"}
        for logical, physical, kind in parts
    ]  # fmt: skip
    for _, physical, _ in parts:
        world.aws.serve("cloudformation", "DescribeStackResources", {"StackResources": listed}, when={"PhysicalResourceId": physical})  # fmt: skip
    world.aws.serve("cloudformation", "DescribeStackEvents", {"StackEvents": list(events)})


def stack_event(world: World, status: str, minutes: float, logical: str = "Function", **fields: Any) -> dict[str, Any]:
    properties = fields.pop("properties", None)
    return {
        "StackId": STACK, "StackName": "orders", "EventId": f"{logical}-{status}-{minutes}", "LogicalResourceId": logical, "Timestamp": world.ago(minutes=minutes),
        "ResourceStatus": status, **({"ResourceProperties": json.dumps(properties)} if properties else {}), **fields,
    }  # fmt: skip


def test_a_stack_tells_what_it_did_to_its_resources_with_old_and_new_values(world: World) -> None:
    old = {"Timeout": 30, "MemorySize": 256, "Environment": {"Variables": {"URL": "https://old"}}}
    new = {"Timeout": 3, "MemorySize": 256, "Environment": {"Variables": {"URL": SECRET}}}
    in_stack(
        world,
        stack_event(world, "UPDATE_COMPLETE", 30, properties=new),
        stack_event(world, "UPDATE_IN_PROGRESS", 31, properties=new),
        stack_event(world, "UPDATE_COMPLETE", 32, logical="orders"),
        stack_event(world, "UPDATE_COMPLETE", 5000, properties=old),
    )
    [change] = look_at(stacks.stack_events, FUNCTION, QUEUE)

    assert isinstance(change, StackChange)
    assert (change.resource, change.who, change.observed_at) == (
        FUNCTION,
        "CloudFormation stack orders",
        world.ago(minutes=31),
    )
    assert change.parameters == {"Timeout": "3", "Environment.Variables.URL": ""}
    assert change.before == {"Timeout": "30"}
    assert "CloudFormation UPDATE by CloudFormation stack orders" in change.summary()
    assert SECRET not in json.dumps(change.dump())
    assert sum(call.operation == "DescribeStackResources" for call in world.aws.calls) == 1


def test_a_stack_update_that_failed_did_not_take_effect(world: World) -> None:
    failed = stack_event(world, "UPDATE_FAILED", 30, logical="Jobs", ResourceStatusReason="Resource handler returned")
    in_stack(world, failed)
    [change] = look_at(stacks.stack_events, FUNCTION, QUEUE)

    assert (change.resource, change.took_effect, change.error_message) == (QUEUE, False, "Resource handler returned")


def test_what_belongs_to_no_stack_has_no_stack_events(world: World) -> None:
    assert look_at(stacks.stack_events, FUNCTION, TABLE) == []


APP_SPEC = {
    "version": 0.0,
    "Resources": [
        {"Fn": {"Type": "AWS::Lambda::Function", "Properties": {"Name": "create-order", "Alias": "live", "CurrentVersion": "7", "TargetVersion": "8"}}}
    ],
}  # fmt: skip
IN_YAML = "version: 0.0\nResources:\n  - Fn:\n      Type: AWS::Lambda::Function\n      Properties:\n        name: create-order\n        currentversion: 7\n"


def deployed(world: World, content: str, **fields: Any) -> None:
    info = {"deploymentId": "d-ABC", "applicationName": "orders", "computePlatform": "Lambda", "createTime": world.ago(minutes=20), "status": "Succeeded",
            "creator": "user", "revision": {"revisionType": "AppSpecContent", "appSpecContent": {"content": content}}, **fields}  # fmt: skip
    world.aws.serve("codedeploy", "ListDeployments", {"deployments": ["d-ABC"]})
    world.aws.serve("codedeploy", "BatchGetDeployments", {"deploymentsInfo": [info]})


ALIAS = AliasState(resource=FUNCTION, source="lambda:ListAliases", alias="live", version="8")


def test_a_deployment_tells_which_versions_it_moved_an_alias_between(world: World) -> None:
    deployed(world, json.dumps(APP_SPEC))
    [change] = look_at(deployments.deployments, FUNCTION, seen=(ALIAS,))

    assert isinstance(change, DeploymentChange)
    assert (change.resource, change.who, change.took_effect) == (FUNCTION, "CodeDeploy (user)", True)
    assert (change.before, change.parameters) == ({"functionVersion": "7"}, {"functionVersion": "8"})


@pytest.mark.parametrize(
    ("content", "fields", "count"),
    [
        (IN_YAML, {}, 1),
        (json.dumps(APP_SPEC).replace("create-order", "elsewhere"), {}, 0),
        (json.dumps(APP_SPEC), {"computePlatform": "ECS"}, 0),
        ("{not json", {}, 0),
        ("- just: [a, list]", {}, 0),
    ],
)
def test_only_deployments_of_our_functions_count(
    world: World, content: str, fields: dict[str, Any], count: int
) -> None:
    deployed(world, content, **fields)

    assert len(look_at(deployments.deployments, FUNCTION, seen=(ALIAS,))) == count


def test_a_failed_deployment_did_not_take_effect(world: World) -> None:
    deployed(world, json.dumps(APP_SPEC), status="Failed", errorInformation={"code": "ALARM_ACTIVE", "message": "rolled back"})  # fmt: skip
    [change] = look_at(deployments.deployments, FUNCTION, seen=(ALIAS,))

    assert (change.took_effect, change.error_code) == (False, "ALARM_ACTIVE")


def wrote(minutes: float, number: int, value: str, world: World, kind: str = "String") -> dict[str, Any]:
    return {
        "Name": "/orders/endpoint", "Type": kind, "Value": value, "Version": number, "LastModifiedDate": world.ago(minutes=minutes),
        "LastModifiedUser": "arn:aws:sts::123456789012:assumed-role/deployments/mia",
    }  # fmt: skip


def with_history(world: World, *versions: dict[str, Any]) -> None:
    known = {
        "Name": "/orders/endpoint",
        "LastModifiedDate": versions[-1]["LastModifiedDate"],
        "Version": versions[-1]["Version"],
    }
    world.aws.serve("ssm", "DescribeParameters", {"Parameters": [known]})
    world.aws.serve("ssm", "GetParameterHistory", {"Parameters": list(versions)}, when={"Name": "/orders/endpoint", "WithDecryption": False})  # fmt: skip


def test_a_parameter_tells_who_wrote_which_version_and_never_a_value(world: World) -> None:
    with_history(world, wrote(3000, 1, "https://old", world), wrote(30, 2, SECRET, world), wrote(20, 3, SECRET, world))
    found = look_at(parameters.parameter_changes, PARAMETER)

    assert [(c.version, c.changed, c.who, c.resource) for c in found] == [
        (2, True, "mia", PARAMETER),
        (3, False, "mia", PARAMETER),
    ]
    assert isinstance(found[0], ParameterChange)
    assert not [word for word in ("never-kept", "payments", "https", "old") if word in json.dumps([c.dump() for c in found])]  # fmt: skip


def test_of_an_encrypted_parameter_nobody_can_tell_whether_it_changed(world: World) -> None:
    kind = "SecureString"
    with_history(world, wrote(3000, 1, "AQICAHg1", world, kind), wrote(30, 2, "AQICAHg2", world, kind))
    [change] = look_at(parameters.parameter_changes, PARAMETER)

    assert change.changed is None
    assert "perhaps the same value" in change.summary()


def test_motos_parameters_are_read_by_their_path(world: World) -> None:
    client = world.client("ssm")
    client.put_parameter(Name="/orders/endpoint", Value="https://old", Type="String")
    client.put_parameter(Name="/orders/endpoint", Value=SECRET, Type="String", Overwrite=True)
    asked = ReadSession(AwsConfig(region="eu-west-1"), parameters.parameter_changes.reads).clients("", "eu-west-1")
    later = replace(_look(PARAMETER, asked), window=WINDOW.model_copy(update={"end": NOW + timedelta(days=4000)}))
    found = list(parameters.parameter_changes.run(later))

    assert [c.changed for c in found if isinstance(c, ParameterChange)] == [True, True]


def _look(arn: str, aws: Any) -> Look:
    target = resource_from_arn(arn)
    return Look(aws, target, WINDOW, EvidenceBundle(), ServiceGraph.of([target]), NOW, targets=(target,))


async def test_a_denied_cloudtrail_is_a_gap_and_the_other_sources_still_tell(world: World) -> None:
    make_function(world, last_modified=world.ago(minutes=22))
    world.aws.inject("cloudtrail", "LookupEvents", ACCESS_DENIED)
    reads = [read for probe in SPECIALIST.probes for read in probe.reads]
    with tools(reads) as held:
        run = await run_specialist(assignment(SPECIALIST, resource_from_arn(FUNCTION)), held, lambda _: None)

    assert run.result.status is SpecialistStatus.PARTIAL
    assert {gap.action for gap in run.result.gaps} == {"cloudtrail:LookupEvents"}
    assert [fact.statement.split(" on ")[0] for fact in run.result.facts] == ["Somebody made UpdateFunction"]
    assert world.aws.writes() == ()


async def test_a_denied_stack_does_not_keep_cloudtrail_from_telling(world: World) -> None:
    make_function(world, last_modified=world.ago(days=9))
    event(world, "UpdateFunctionCode20150331v2", "lambda", "create-order", 30)
    world.aws.inject("cloudformation", "DescribeStackResources", ACCESS_DENIED)
    with tools([read for probe in SPECIALIST.probes for read in probe.reads]) as held:
        run = await run_specialist(assignment(SPECIALIST, resource_from_arn(FUNCTION)), held, lambda _: None)

    assert {gap.action for gap in run.result.gaps} == {"cloudformation:DescribeStackResources"}
    assert run.result.facts[0].statement.startswith("`mia` made UpdateFunctionCode")


def test_a_refused_look_is_an_error_and_no_empty_answer(world: World) -> None:
    for service, operation, probe, arn in (
        ("ssm", "DescribeParameters", parameters.parameter_changes, PARAMETER),
        ("codedeploy", "ListDeployments", deployments.deployments, FUNCTION),
        ("lambda", "ListAliases", functions.aliases, FUNCTION),
    ):
        world.aws.inject(service, operation, ACCESS_DENIED)
        with pytest.raises(ClientError):
            look_at(probe, arn)
