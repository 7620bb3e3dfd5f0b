"""The catalogue of actions is an allow-list that fails closed."""

import importlib
import json
import pkgutil
import shlex
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from botocore.model import OperationModel, ServiceModel, Shape
from botocore.validate import ParamValidator

import tests.specialists
from domain.action import Effect, ProposedAction, Risk
from domain.arn import Arn
from remediation.catalogue import KINDS, Refused, checked
from specialists.contract import Proposal
from specialists.kit.actions import cli_line, proposed
from specialists.registry import all_specialists
from tests.specialists.proposals_building import Scene, offered

TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"
CAPACITY = {"TableName": "orders", "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 500}}


def action(kind: str = "dynamodb.set_capacity", parameters: dict[str, object] = CAPACITY) -> ProposedAction:
    return proposed(
        kind,
        call=("dynamodb", "UpdateTable"),
        parameters=parameters,
        resource=TABLE,
        title="Restore `orders`",
        rationale="it had that",
        expected_effect="throttling ends",
        risk=Risk.LOW,
        undo="set it back",
        verification="throttle events fall to 0",
        evidence=("E-1",),
    )


def test_a_known_kind_with_fitting_parameters_passes() -> None:
    assert checked(action()).operation == "UpdateTable"


def test_a_kind_that_is_not_in_the_catalogue_is_refused() -> None:
    with pytest.raises(Refused, match=r"dynamodb\.delete_table"):
        checked(action("dynamodb.delete_table", {"TableName": "orders"}))


@pytest.mark.parametrize(
    "parameters",
    [
        {**CAPACITY, "ProvisionedThroughput": {"ReadCapacityUnits": 0, "WriteCapacityUnits": 500}},
        {**CAPACITY, "DeletionProtectionEnabled": False},
        {"TableName": "orders"},
    ],
)
def test_parameters_that_do_not_fit_are_refused(parameters: dict[str, object]) -> None:
    with pytest.raises(Refused, match="do not fit"):
        checked(action(parameters=parameters))


def test_a_preview_of_another_call_is_refused() -> None:
    lying = action().model_copy(update={"api_call": "dynamodb:DeleteTable {}"})

    with pytest.raises(Refused, match="another call"):
        checked(lying)


def test_the_same_action_has_the_same_id_and_another_one_has_not() -> None:
    assert action().id == action().id
    assert action().id != action(parameters={**CAPACITY, "TableName": "invoices"}).id


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "line"),
    [
        (
            "dynamodb",
            "UpdateTable",
            CAPACITY,
            (
                "aws dynamodb update-table --region eu-west-1 --table-name orders "
                "--provisioned-throughput ReadCapacityUnits=5,WriteCapacityUnits=500"
            ),
        ),
        (
            "lambda",
            "UpdateEventSourceMapping",
            {"UUID": "3f1c", "Enabled": True},
            "aws lambda update-event-source-mapping --region eu-west-1 --uuid 3f1c --enabled",
        ),
        (
            "lambda",
            "DeleteFunctionConcurrency",
            {"FunctionName": "a b"},
            "aws lambda delete-function-concurrency --region eu-west-1 --function-name 'a b'",
        ),
        (
            "ec2",
            "DeleteNetworkAclEntry",
            {"NetworkAclId": "acl-1", "Egress": False},
            "aws ec2 delete-network-acl-entry --region eu-west-1 --network-acl-id acl-1 --ingress",
        ),
        (
            "sqs",
            "SetQueueAttributes",
            {"Attributes": {"RedrivePolicy": '{"maxReceiveCount":5}'}},
            (
                "aws sqs set-queue-attributes --region eu-west-1 "
                """--attributes '{"RedrivePolicy": "{\\"maxReceiveCount\\":5}"}'"""
            ),
        ),
    ],
)
def test_the_cli_line_makes_the_same_call(
    service: str, operation: str, parameters: dict[str, object], line: str
) -> None:
    assert cli_line(service, operation, parameters, "eu-west-1") == line


def test_kinds_only_write_what_their_name_says() -> None:
    assert {kind.service for kind in KINDS} == {kind.name.split(".")[0] for kind in KINDS}


# --- laws over every proposal of every specialist, by the scenes of their tests


def _scenes() -> list[Scene]:
    modules = (
        importlib.import_module(f"tests.specialists.{module.name}")
        for module in pkgutil.iter_modules(tests.specialists.__path__)
        if module.name.startswith("test_proposals_")
    )
    return [scene for module in modules for scene in module.SCENES]


SCENES = _scenes()
PROPOSALS = [(s.name, p) for s in all_specialists() for p in s.proposals]
ACTIONS = {action.id: action for scene in SCENES if scene.expected for action in offered(scene)}
OFFERED = tuple(sorted(ACTIONS.values(), key=lambda a: (a.kind, a.id)))
CLIENTS: dict[str, ServiceModel] = {}


def operation_of(action: ProposedAction) -> OperationModel:
    """AWS's own description of the action's call, as botocore ships it."""
    kind = checked(action)
    if kind.service not in CLIENTS:
        CLIENTS[kind.service] = botocore.session.get_session().get_service_model(kind.service)
    return CLIENTS[kind.service].operation_model(kind.operation)


def _action_label(action: ProposedAction) -> str:
    return f"{action.kind} {action.id}"


@pytest.mark.parametrize(
    ("specialist", "proposal"), [pytest.param(n, p, id=f"{n} {p.propose.__name__}") for n, p in PROPOSALS]
)
def test_every_proposal_has_a_hit_and_a_near_miss_for_its_causes(specialist: str, proposal: Proposal) -> None:
    mine = [scene for scene in SCENES if scene.offer is proposal]

    assert any(scene.expected for scene in mine), specialist
    assert any(not scene.expected for scene in mine), specialist
    assert {scene.cause for scene in mine} <= set(proposal.causes)


def test_every_scene_is_about_a_proposal_that_some_specialist_has() -> None:
    known = {id(proposal) for _, proposal in PROPOSALS}

    assert [scene.name for scene in SCENES if id(scene.offer) not in known] == []


def test_every_kind_is_proposed_by_somebody() -> None:
    assert {action.kind for action in OFFERED} | {"cloudwatch.watch"} == {kind.name for kind in KINDS}


@pytest.mark.parametrize("action", OFFERED, ids=_action_label)
def test_a_proposed_call_is_one_that_aws_knows(action: ProposedAction) -> None:
    operation = operation_of(action)

    assert ParamValidator().validate(action.parameters, operation.input_shape).generate_report() == ""


@pytest.mark.parametrize("action", OFFERED, ids=_action_label)
def test_the_api_call_and_the_cli_line_of_a_proposal_are_the_same_call(action: ProposedAction) -> None:
    operation = operation_of(action)
    previewed = json.loads(action.api_call.split(" ", 1)[1])

    assert previewed == action.parameters
    assert read_cli(action.cli, operation) == {"region": Arn.parse(action.resource).region, **action.parameters}


@pytest.mark.parametrize("action", OFFERED, ids=_action_label)
def test_a_proposal_says_what_it_does_what_it_costs_and_how_to_see_that_it_worked(action: ProposedAction) -> None:
    told = (action.title, action.rationale, action.expected_effect, action.undo, action.verification, action.trade_off)

    assert all(len(text.split()) >= 3 for text in told)
    assert action.evidence
    assert action.effect is not Effect.WATCHES


@pytest.mark.parametrize("scene", [s for s in SCENES if s.expected], ids=lambda s: s.name)
def test_a_proposal_cites_only_what_was_seen(scene: Scene) -> None:
    seen = {item.id for item in scene.evidence}

    assert all(set(action.evidence) <= seen for action in offered(scene))


@pytest.mark.parametrize("action", OFFERED, ids=_action_label)
def test_one_more_parameter_is_refused(action: ProposedAction) -> None:
    more = action.model_copy(update={"parameters": {**action.parameters, "DryRun": False}})

    with pytest.raises(Refused, match="do not fit"):
        checked(more)


def _named(kind: str) -> ProposedAction:
    return next(action for action in OFFERED if action.kind == kind)


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("lambda.set_timeout", {"Timeout": 901}),
        ("lambda.set_memory", {"MemorySize": 64}),
        ("lambda.set_reservation", {"ReservedConcurrentExecutions": 0}),
        ("lambda.stop", {"ReservedConcurrentExecutions": 1}),
        ("lambda.point_alias", {"FunctionVersion": "$LATEST"}),
        ("lambda.point_alias", {"RoutingConfig": {"AdditionalVersionWeights": {"7": 0.5}}}),
        ("lambda.enable_mapping", {"Enabled": False}),
        ("lambda.limit_retries", {"MaximumRetryAttempts": 0}),
        ("lambda.let_in", {"Principal": "*"}),
        ("lambda.let_in", {"Action": "lambda:*"}),
        ("lambda.let_in", {"StatementId": "another"}),
        ("lambda.let_in", {"SourceArn": "*"}),
        ("lambda.let_in", {"SourceArn": "arn:aws:events:eu-west-1:*:rule/x"}),
        ("sqs.set_visibility", {"Attributes": {"VisibilityTimeout": "43201"}}),
        ("sqs.set_visibility", {"Attributes": {"Policy": "{}"}}),
        ("sqs.set_retention", {"Attributes": {"MessageRetentionPeriod": "59"}}),
        ("sqs.set_max_receives", {"Attributes": {"RedrivePolicy": ""}}),
        ("sqs.redrive", {"SourceArn": "arn:aws:sns:eu-west-1:123456789012:orders"}),
        ("sns.set_subscription", {"AttributeName": "RawMessageDelivery"}),
        ("application-autoscaling.set_bounds", {"ServiceNamespace": "ecs"}),
        ("application-autoscaling.set_bounds", {"MaxCapacity": 40_001}),
        (
            "apigateway.set_stage_throttle",
            {"patchOperations": [{"op": "remove", "path": "/*/*/throttling/rateLimit", "value": "1"}]},
        ),
        (
            "apigateway.point_stage",
            {"patchOperations": [{"op": "replace", "path": "/variables/url", "value": "abc123"}]},
        ),
        ("kms.enable_key", {"KeyId": "alias/aws/sqs"}),
        ("ec2.authorize_egress", {"IpPermissions": []}),
        ("ec2.authorize_ingress", {"IpPermissions": [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "anywhere"}]}]}),
        ("ec2.delete_acl_entry", {"RuleNumber": 32767}),
        ("stepfunctions.redrive", {"executionArn": "arn:aws:states:eu-west-1:123456789012:express:checkout:run:1"}),
    ],
)
def test_a_parameter_out_of_its_bounds_is_refused(kind: str, wrong: dict[str, object]) -> None:
    known = _named(kind)

    with pytest.raises(Refused, match="do not fit"):
        checked(known.model_copy(update={"parameters": {**known.parameters, **wrong}}))


def read_cli(line: str, operation: OperationModel) -> dict[str, Any]:
    """Read a CLI line back into parameters, by the rules of the AWS CLI for names, flags and shorthand."""
    program, service, command, *words = shlex.split(line)
    assert (program, service) == ("aws", operation.service_model.service_name)
    assert command == xform_name(operation.name, "-")
    members = {xform_name(name, "-"): (name, shape) for name, shape in operation.input_shape.members.items()}
    found: dict[str, Any] = {}
    while words:
        option = words.pop(0).removeprefix("--")
        if option == "region":
            found["region"] = words.pop(0)
        elif (operation.service_model.service_name, option) == ("ec2", "ingress"):
            found["Egress"] = False
        elif option in members and members[option][1].type_name != "boolean":
            name, shape = members[option]
            found[name] = _read_value(words.pop(0), shape)
        else:
            found[members[option.removeprefix("no-")][0]] = not option.startswith("no-")
    return found


def _read_value(text: str, shape: Shape) -> Any:
    if shape.type_name == "string":
        return text
    if shape.type_name in {"integer", "long", "float", "double"}:
        return json.loads(text)
    if text[0] in "{[":
        return json.loads(text)
    pairs = dict(pair.split("=", 1) for pair in text.split(","))
    members = shape.members if shape.type_name == "structure" else dict.fromkeys(pairs, shape.value)
    return {name: _read_value(value, members[name]) for name, value in pairs.items()}
