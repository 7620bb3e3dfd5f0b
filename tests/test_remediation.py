"""The catalogue of actions is an allow-list that fails closed."""

import pytest

from domain.action import ProposedAction, Risk
from remediation.catalogue import KINDS, Refused, checked
from specialists.kit.actions import cli_line, proposed

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
    ],
)
def test_the_cli_line_makes_the_same_call(
    service: str, operation: str, parameters: dict[str, object], line: str
) -> None:
    assert cli_line(service, operation, parameters, "eu-west-1") == line


def test_kinds_only_write_what_their_name_says() -> None:
    assert {kind.service for kind in KINDS} == {kind.name.split(".")[0] for kind in KINDS}
