"""What could be done about failed executions: let them go on from where they failed, once the cause is mended."""

from collections.abc import Iterator

from domain.action import Effect, ProposedAction, Risk
from domain.evidence import EvidenceBundle
from domain.report import RankedHypothesis
from specialists.contract import Proposal, proposal
from specialists.kit.actions import proposed
from specialists.kit.proposals import shown
from specialists.stepfunctions.evidence import Execution

MENDED_ELSEWHERE = (
    "sfn-lambda-toomany",
    "sfn-lambda-service-exception",
    "sfn-task-failed-lambda",
    "sfn-function-not-found",
    "sfn-role-denied",
    "sfn-timeout-task",
    "sfn-heartbeat-timeout",
    "lambda-reserved-zero",
    "lambda-throttle-reserved",
    "lambda-throttle-account",
    "lambda-timeout",
    "lambda-oom",
    "lambda-unhandled-exception",
    "ddb-provisioned-exceeded",
    "ddb-gsi-throttle",
)
"""Causes that lie outside of the execution's own input and definition, so that going on can succeed."""

AT_ONCE = 3
"""How many executions are offered one by one; more of them are a job for a script."""


@proposal(*MENDED_ELSEWHERE)
def redrive(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[ProposedAction]:
    """Offer to redrive the failed executions that the verdict rests on, as the step after the one that mends it."""
    failed = [e for e in bundle.of(Execution) if e.id in accepted.evidence and e.failed and e.redrivable]
    for execution in failed[:AT_ONCE]:
        yield proposed(
            "stepfunctions.redrive",
            call=("stepfunctions", "RedriveExecution"),
            parameters={"executionArn": execution.execution_arn},
            resource=execution.machine_arn,
            title=f"When the cause is mended: let execution `{execution.name}` go on",
            rationale=f"It ended {execution.status} with {execution.error or 'an error'}, and can be redriven.",
            expected_effect="It goes on from the state that failed, with the input it had; what succeeded is kept.",
            risk=Risk.MEDIUM,
            reversible=False,
            undo="StopExecution ends it again; what it has done until then stays done.",
            verification=f"DescribeExecution of `{execution.name}` says RUNNING, then SUCCEEDED.",
            effect=Effect.RELIEVES,
            trade_off="while the cause lasts it only fails again; the failed task runs twice, so it has to bear that",
            evidence=shown(accepted, execution),
        )


PROPOSALS: tuple[Proposal, ...] = (redrive,)
