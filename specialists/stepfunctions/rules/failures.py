"""Why executions failed: what their histories state, at the machine, at what it called, and at the functions it ran."""

from collections.abc import Iterable, Iterator, Sequence

from domain.evidence import Evidence
from domain.findings import Finding, Hypothesis
from domain.trace import TraceSegment
from specialists.contract import Case, rule
from specialists.kit.change import Change
from specialists.stepfunctions.claims import Claim, Seen, claims, observed
from specialists.stepfunctions.classify import cause_of
from specialists.stepfunctions.evidence import Execution, FunctionConcurrency, History, Machine, MapRun
from specialists.stepfunctions.history import described
from specialists.stepfunctions.words import name_of, sentence

SEES = (History, Execution, TraceSegment, Machine)

MACHINE_CAUSES = (
    "sfn-task-failed-lambda",
    "sfn-lambda-unknown",
    "sfn-lambda-toomany",
    "sfn-lambda-service-exception",
    "sfn-function-not-found",
    "sfn-role-denied",
    "sfn-timeout-task",
    "sfn-execution-timeout",
    "sfn-heartbeat-timeout",
    "sfn-data-limit",
    "sfn-jsonpath-missing",
    "sfn-jsonata-error",
    "sfn-no-choice",
    "sfn-invalid-field-value",
    "sfn-resultpath-failure",
    "sfn-intrinsic-failure",
    "sfn-branch-failed",
    "sfn-child-failed",
    "sfn-map-item-failed",
    "sfn-callback-lost",
    "sfn-execution-limit",
    "sfn-history-limit",
    "sfn-api-throttle",
    "sfn-explicit-fail",
    "sfn-aborted",
)
CALLED_CAUSES = (
    "ddb-table-not-found",
    "ddb-gsi-throttle",
    "ddb-account-limit",
    "ddb-provisioned-exceeded",
    "ddb-conditional-failed",
    "ddb-transaction-cancelled",
    "ddb-item-too-large",
    "ddb-validation-key",
    "sns-topic-not-found",
    "sqs-queue-not-exist",
    "sqs-message-too-large",
    "s3-no-such-bucket",
    "s3-no-such-key",
    "s3-slow-down",
    "s3-wrong-region",
    "eb-bus-not-found",
    "eb-put-failed-entries",
    "secret-marked-deleted",
    "secret-not-found",
    "ssm-parameter-not-found",
    "kms-pending-deletion",
    "kms-key-not-found",
    "downstream-http-error",
)
REFUSED_CAUSES = (
    "iam-assume-role-denied",
    "iam-explicit-deny-scp",
    "iam-permission-boundary",
    "iam-explicit-deny-identity",
    "iam-no-resource-policy-cross-account",
    "iam-resource-policy-deny",
)
FUNCTION_CAUSES = (
    "lambda-unhandled-exception",
    "lambda-timeout",
    "lambda-oom",
    "lambda-handler-not-found",
    "lambda-import-error-node",
    "lambda-import-error-python",
    "lambda-syntax-error",
    "lambda-marshal-error",
    "lambda-bootstrap-missing",
    "lambda-oom-python-memoryerror",
    "lambda-response-too-large",
    "lambda-runtime-exit",
    "lambda-throttle-reserved",
    "lambda-throttle-account",
    "lambda-invoke-rate",
    "lambda-ec2-throttled",
    "lambda-ec2-access-denied",
    "lambda-eni-limit",
    "lambda-subnet-ip-exhausted",
    "lambda-subnet-sg-deleted",
    "lambda-kms-disabled",
    "lambda-kms-denied",
    "lambda-efs-mount",
    "lambda-pending-state",
    "lambda-snapstart",
    "lambda-request-too-large",
)


@rule(*MACHINE_CAUSES, sees=(*SEES, Change, MapRun))
def execution_failed(case: Case) -> Iterator[Finding]:
    """An execution's own error, or the event that ended it, states the cause."""
    for group in _groups(claims(case), MACHINE_CAUSES):
        extra = [*_stops(case, group), *_counts(case, group)]
        yield _hypothesis(case, group, extra)


@rule(*CALLED_CAUSES, sees=SEES)
def called_service_failed(case: Case) -> Iterator[Finding]:
    """The service that a task called refused the request with an error that states the cause."""
    for group in _groups(claims(case), CALLED_CAUSES):
        yield _hypothesis(case, group)


@rule(*REFUSED_CAUSES, sees=SEES)
def policy_refused(case: Case) -> Iterator[Finding]:
    """A task was refused, and AWS's words name the kind of policy that refused it."""
    for group in _groups(claims(case), REFUSED_CAUSES):
        yield _hypothesis(case, group)


@rule(*FUNCTION_CAUSES, sees=(*SEES, FunctionConcurrency))
def function_failed(case: Case) -> Iterator[Finding]:
    """The error that a function returned to its state, or Lambda's reason for not running it, states the cause."""
    for group in _groups(claims(case), FUNCTION_CAUSES):
        yield _hypothesis(case, group)


@rule("lambda-reserved-zero", "lambda-throttle-reserved", "lambda-throttle-account", sees=(*SEES, FunctionConcurrency))
def reservation_throttles(case: Case) -> Iterator[Finding]:
    """A task was throttled by Lambda, and the function's reserved concurrency tells which limit that was."""
    throttled = [claim for claim in claims(case) if claim.code == "sfn-lambda-toomany"]
    for found in case.all(FunctionConcurrency):
        mine = [claim for claim in throttled if claim.outcome.called == found.function]
        if not mine:
            continue
        shown = [item for claim in mine for item in claim.seen.evidence]
        name = f"`{name_of(found.function)}`"
        since = min((claim.since for claim in mine if claim.since), default=None)
        if found.reserved == 0:
            said = f"{name} is switched off: its reserved concurrency is 0, and Lambda throttles every invocation"
            yield case.hypothesis(
                "lambda-reserved-zero", said, proof=(found, *shown), resource=found.function, since=since
            )
        elif found.reserved is not None:
            said = f"{name} is throttled; it has {found.reserved} concurrent executions reserved"
            yield case.hypothesis(
                "lambda-throttle-reserved", said, strong=(found, *shown), resource=found.function, since=since
            )
        else:
            said = f"{name} is throttled without a reservation of its own: the account's concurrency is the limit left"
            yield case.hypothesis(
                "lambda-throttle-account", said, strong=(found, *shown), resource=found.function, since=since
            )


@rule("downstream-http-error", sees=SEES)
def unknown_failure(case: Case) -> Iterator[Finding]:
    """An execution failed with an error that no cause of the catalogue is known for: what was said is passed on."""
    unknown = [seen for seen in observed(case) if seen.outcome.failed and cause_of(seen.outcome) is None]
    for seen in unknown[:1]:
        outcome = seen.outcome
        yield case.hypothesis(
            "downstream-http-error",
            sentence(seen, outcome, "downstream-http-error"),
            strong=seen.evidence[:1],  # alone it is no verdict: it keeps a failed execution from looking healthy
            resource=seen.machine,
            since=outcome.at,
        )


def _groups(found: Iterable[Claim], codes: Sequence[str]) -> list[list[Claim]]:
    """Return the claims of one cause at one resource together, in the order of the codes."""
    grouped: dict[tuple[str, str], list[Claim]] = {}
    for claim in found:
        if claim.code in codes:
            grouped.setdefault((claim.code, claim.resource), []).append(claim)
    return [grouped[key] for key in sorted(grouped, key=lambda key: (codes.index(key[0]), key[1]))]


def _hypothesis(case: Case, group: Sequence[Claim], extra: Iterable[Evidence] = ()) -> Hypothesis:
    """Return one hypothesis for a group: a minority of the executions read proves less than most of them do."""
    first = group[0]
    ended = [seen for seen in observed(case) if seen.outcome.failed and not seen.nested]
    shown = _unique(seen for claim in group for seen in (claim.seen,))
    common = any(seen.nested for seen in shown) or 2 * len(shown) >= len(ended)
    proof: list[Evidence] = [seen.history for seen in shown if seen.history is not None]
    proof += [e for claim in group if (e := claim.seen.execution) is not None and _states(e, claim.code)]
    proof = proof or [seen.segment for seen in shown if seen.segment is not None]
    stated: list[Evidence] = [*proof, *extra]
    other = [item for seen in shown for item in seen.evidence if item not in proof]
    often = f" ({len(shown)} of {len(ended)} failed executions read)" if len(ended) > 1 and first.top else ""
    return case.hypothesis(
        first.code,
        sentence(first.seen, first.outcome, first.code) + often + _who(extra),
        proof=stated if common else (),
        strong=other if common else (*stated, *other),
        resource=first.resource,
        since=min((claim.since for claim in group if claim.since), default=None),
        defers_to=[target for claim in group for target in claim.defers_to],
    )


def _unique(found: Iterable[Seen]) -> list[Seen]:
    return list({(seen.evidence[0].id if seen.evidence else ""): seen for seen in found}.values())


def _states(execution: Execution, code: str) -> bool:
    """Whether the description of an execution states the cause as well as its history does."""
    return cause_of(described(execution.status, execution.error, execution.cause)) == code


def _stops(case: Case, group: Sequence[Claim]) -> list[Evidence]:
    if group[0].code != "sfn-aborted":
        return []
    stops: list[Evidence] = [c for c in case.all(Change) if c.event_name == "StopExecution" and c.took_effect]
    return stops[:1]


def _counts(case: Case, group: Sequence[Claim]) -> list[Evidence]:
    return [run for run in case.all(MapRun) if run.failed] if group[0].code == "sfn-map-item-failed" else []


def _who(extra: Iterable[Evidence]) -> str:
    stops = [c for c in extra if isinstance(c, Change)]
    at = f" at {stops[0].observed_at:%H:%M}" if stops and stops[0].observed_at else ""
    return f"; `{stops[0].who}` stopped it{at}" if stops else ""


RULES = (
    execution_failed,
    called_service_failed,
    policy_refused,
    function_failed,
    reservation_throttles,
    unknown_failure,
)
