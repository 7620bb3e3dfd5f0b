"""Lambda's answers about a function: one question each, however many specialists need it and however they name it."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aws.session import AwsConfig, ReadSession
from domain.evidence import EvidenceBundle
from domain.graph import ServiceGraph
from domain.resource import resource_from_arn
from sandbox.aws import resources
from sandbox.aws.local import LocalAws
from sandbox.aws.world import World
from specialists.contract import Look
from specialists.kit.functions import (
    GET_CONCURRENCY,
    GET_CONFIGURATION,
    GET_POLICY,
    configuration_of,
    policy_text_of,
    reserved_concurrency_of,
)
from tests.support.probing import NOW, WINDOW

FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:pay"


@pytest.fixture(scope="module")
def _local() -> Iterator[LocalAws]:
    with LocalAws() as local:
        yield local


@pytest.fixture
def world(_local: LocalAws, monkeypatch: pytest.MonkeyPatch) -> World:
    _local.reset()
    for name, value in _local.environment().items():
        monkeypatch.setenv(name, value)
    made = World(_local, now=NOW)
    resources.function(made, "pay", role=resources.role(made, "pay-role"))
    return made


@pytest.fixture
def look(world: World) -> Look:
    session = ReadSession(AwsConfig(region="eu-west-1"), [GET_CONFIGURATION, GET_CONCURRENCY, GET_POLICY])
    target = resource_from_arn(FUNCTION)
    aws = session.clients("", "eu-west-1")
    return Look(aws=aws, target=target, window=WINDOW, seen=EvidenceBundle(), graph=ServiceGraph.of([target]), now=NOW)


def asked(world: World) -> list[str]:
    return [call.operation for call in world.aws.calls if call.service == "lambda"]


def test_whoever_asks_by_name_or_arn_shares_one_answer(world: World, look: Look) -> None:
    world.aws.forget_calls()

    answers = [configuration_of(look, name) for name in ("pay", FUNCTION, "pay")]

    assert {answer["FunctionName"] for answer in answers} == {"pay"}
    assert asked(world) == ["GetFunctionConfiguration"]


@pytest.mark.parametrize(
    "other",
    [
        ("pay", "$LATEST"),
        (f"{FUNCTION}:$LATEST", ""),
        (FUNCTION.replace("123456789012", "210987654321"), ""),
        (FUNCTION.replace("eu-west-1", "eu-west-2"), ""),
        ("pay-more", ""),
    ],
)
def test_another_version_account_region_or_function_is_another_question(
    world: World, look: Look, other: tuple[str, str]
) -> None:
    configuration_of(look, "pay")
    world.aws.forget_calls()

    try:
        configuration_of(look, *other)
    except ClientError as error:
        assert error.response["Error"]["Code"] == "ResourceNotFoundException"

    assert asked(world) == ["GetFunctionConfiguration"]


def test_a_qualifier_is_the_same_beside_the_name_and_inside_the_arn(world: World, look: Look) -> None:
    world.aws.forget_calls()

    configuration_of(look, "pay", "$LATEST")
    configuration_of(look, f"{FUNCTION}:$LATEST")
    configuration_of(look, "pay:$LATEST")

    assert asked(world) == ["GetFunctionConfiguration"]


def test_an_error_reaches_everyone_who_asks(world: World, look: Look) -> None:
    world.aws.forget_calls()
    told: list[Any] = []
    for _ in range(2):
        with pytest.raises(ClientError) as raised:
            policy_text_of(look, "pay")
        told.append(raised.value.response["Error"]["Code"])

    assert told == ["ResourceNotFoundException"] * 2
    assert asked(world) == ["GetPolicy"]


def test_each_question_has_an_answer_of_its_own(world: World, look: Look) -> None:
    world.aws.forget_calls()

    assert "ReservedConcurrentExecutions" not in reserved_concurrency_of(look, "pay")
    assert configuration_of(look, "pay")["Runtime"] == "python3.12"
    assert sorted(asked(world)) == ["GetFunctionConcurrency", "GetFunctionConfiguration"]
