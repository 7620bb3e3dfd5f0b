"""Which executions are offered to go on, and which are not."""

import pytest

from domain.action import Effect
from specialists.stepfunctions import proposals as of
from specialists.stepfunctions.evidence import Execution
from tests.specialists.proposals_building import Scene, label, offered, offers

MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:checkout"
RUN = "arn:aws:states:eu-west-1:123456789012:execution:checkout:run"
MANY = "sfn-lambda-toomany"


def execution(number: int = 1, *, status: str = "FAILED", redrivable: bool = True) -> Execution:
    return Execution(
        resource=MACHINE,
        source="stepfunctions:DescribeExecution",
        exists=True,
        execution_arn=f"{RUN}-{number}",
        machine_arn=MACHINE,
        name=f"run-{number}",
        status=status,
        error="Lambda.TooManyRequestsException",
        redrivable=redrivable,
    )


GOES_ON = (("stepfunctions.redrive", Effect.RELIEVES, {"executionArn": f"{RUN}-1"}),)

SCENES = (
    Scene("failed", of.redrive, MANY, MACHINE, (execution(),), GOES_ON),
    Scene("failed by its table", of.redrive, "ddb-provisioned-exceeded", "any", (execution(),), GOES_ON),
    Scene("not redrivable, such as Express", of.redrive, MANY, MACHINE, (execution(redrivable=False),)),
    Scene("still running", of.redrive, MANY, MACHINE, (execution(status="RUNNING"),)),
    Scene("not cited", of.redrive, MANY, MACHINE, (execution(),), cites=()),
)


@pytest.mark.parametrize("scene", SCENES, ids=label)
def test_an_action_is_offered_only_with_what_was_observed(scene: Scene) -> None:
    assert offers(scene) == scene.expected


def test_a_redrive_comes_second_and_few_are_offered() -> None:
    failed = tuple(execution(number) for number in range(9))
    actions = offered(Scene("many", of.redrive, MANY, MACHINE, failed))

    assert len(actions) == of.AT_ONCE
    assert all(a.title.startswith("When the cause is mended") and not a.reversible for a in actions)
