"""What a denied look asks for: the action, and the resource only where the action is one of its service."""

import pytest
from botocore.exceptions import ClientError

from aws.reads import read
from domain.resource import resource_from_arn
from specialists.contract import Look, probe
from specialists.kit.gaps import gap_of

FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:map-tiles"


@probe(read("logs", "FilterLogEvents"), read("lambda", "GetFunctionConfiguration"), yields=())
def error_lines(look: Look) -> None:
    """Looks at nothing."""


@pytest.mark.parametrize(
    ("operation", "asked"),
    [
        ("FilterLogEvents", "grant logs:FilterLogEvents"),
        ("GetFunctionConfiguration", f"grant lambda:GetFunctionConfiguration on {FUNCTION}"),
    ],
)
def test_a_grant_is_asked_on_the_target_only_where_the_action_takes_it(operation: str, asked: str) -> None:
    denied = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, operation)

    assert (
        gap_of("lambda", error_lines, resource_from_arn(FUNCTION), denied).message
        == f"error lines of map-tiles: {asked}"
    )
