"""Which cause an outcome states: one pure function, used by the rules and by the measuring of accuracy alike.

Error names: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
The first row that fits is meant, so that the sharper one stands before the general one.
"""

import re

from specialists.stepfunctions.called import HTTP_FAULT, LAMBDA, REFUSALS, SERVICES, unknown_to_lambda
from specialists.stepfunctions.outcome import Outcome, Task
from specialists.stepfunctions.rows import Row, first, named, says, service_of, text_of, told

SENDS_TOKEN = frozenset({"sendTaskSuccess", "sendTaskFailure", "sendTaskHeartbeat"})
HISTORY_FULL = says(r"(?:maximum|limit)\b.{0,60}\bhistory events|history events.{0,40}\b(?:maximum|limit|25[,.]?000)")
EVALUATION = frozenset({"States.Runtime", "States.QueryEvaluationError", "States.DataLimitExceeded"})
IN_AWS_WORDS = says(r"executing the state|state/task '")


def _by_design(outcome: Outcome) -> bool:
    """Whether a Fail state did its work; its own paths and expressions can fail as well."""
    own_fault = outcome.error in EVALUATION and IN_AWS_WORDS.search(outcome.cause) is not None
    return outcome.state_type == "Fail" and not own_fault


def _timed_out(outcome: Outcome) -> bool:
    return outcome.event.endswith("TimedOut") or outcome.error == "States.Timeout"


def no_heartbeat(outcome: Outcome) -> bool:
    """Whether a task's heartbeat ran out: AWS calls that States.Timeout as well, so its limits and its time decide."""
    if outcome.error == "States.HeartbeatTimeout":
        return True
    task = outcome.task
    if task is None or task.heartbeat_seconds is None or not _timed_out(outcome):
        return False
    if task.timeout_seconds is None:
        return True
    if task.seconds:
        return task.seconds < task.timeout_seconds - 1
    return task.heartbeat_seconds < task.timeout_seconds


def awaits_token(task: Task | None) -> bool:
    """Whether somebody else must send the task's token back."""
    return task is not None and task.pattern == "waitForTaskToken"


def _sends_token(outcome: Outcome) -> bool:
    return outcome.task is not None and outcome.task.operation in SENDS_TOKEN


OF_DATA = frozenset(
    {
        "sfn-jsonpath-missing",
        "sfn-jsonata-error",
        "sfn-no-choice",
        "sfn-invalid-field-value",
        "sfn-resultpath-failure",
        "sfn-intrinsic-failure",
        "sfn-data-limit",
    }
)
"""Causes that lie between a state and the data that it was given."""

NOT_FOUND = "sfn-function-not-found"

ENDINGS: tuple[Row, ...] = (
    Row("sfn-aborted", lambda o: o.status == "ABORTED"),
    Row("sfn-history-limit", lambda o: HISTORY_FULL.search(text_of(o)) is not None),
    Row("sfn-execution-timeout", lambda o: o.status == "TIMED_OUT"),
    Row("sfn-explicit-fail", _by_design),
)

OWN_ERRORS: tuple[Row, ...] = (
    Row("sfn-heartbeat-timeout", no_heartbeat),
    Row("sfn-callback-lost", lambda o: _timed_out(o) and awaits_token(o.task)),
    Row("sfn-timeout-task", lambda o: _timed_out(o) and o.function_error is None),
    named("sfn-data-limit", "States.DataLimitExceeded"),
    named("sfn-jsonata-error", "States.QueryEvaluationError"),
    named("sfn-no-choice", "States.NoChoiceMatched"),
    named("sfn-resultpath-failure", "States.ResultPathMatchFailure"),
    named("sfn-intrinsic-failure", "States.IntrinsicFailure"),
    named("sfn-jsonpath-missing", "States.ParameterPathFailure"),
    named("sfn-branch-failed", "States.BranchFailed"),
    named(
        "sfn-map-item-failed",
        "States.ExceedToleratedFailureThreshold",
        "States.ItemReaderFailed",
        "States.ResultWriterFailed",
    ),
)

RUNTIME: tuple[Row, ...] = (
    told("sfn-jsonata-error", r"JSONata expression"),
    told(
        "sfn-intrinsic-failure",
        r"intrinsic|the function 'States\.|\bStates\.(?:Format|StringToJson|JsonToString|Array\w{0,20}|Base64\w{0,8})\b"
        r"|\bStates\.(?:Hash|JsonMerge|Math\w{0,8}|StringSplit|UUID)\b",
    ),
    told("sfn-no-choice", r"no (?:branching option|choice)"),
    told("sfn-resultpath-failure", r"\bResultPath\b|unable to apply (?:reference ?path|step) "),
    told("sfn-data-limit", r"exceed\w{0,4} the maximum number of bytes|(?:payload|data) (?:size )?(?:limit|exceed)"),
    told(
        "sfn-invalid-field-value",
        r"references? a negative|must (?:point to|be) (?:an? )?(?:array|positive|integer|number|string|object|valid)"
        r"|must be (?:between|greater|less|at (?:least|most)|non-negative)",
    ),
    told(
        "sfn-invalid-field-value",
        r"not (?:reference |refer to )?an? valid|has an invalid (?:format|value|type)"
        r"|could not be used to start the Task",
    ),
    told(
        "sfn-jsonpath-missing",
        r"JSONPath '|Invalid path '|No results for path|could not be found in the input|Missing property in path"
        r"|path references an invalid value",
    ),
    told(
        "sfn-invalid-field-value",
        r"\b(?:SecondsPath|TimestampPath|TimeoutSecondsPath|HeartbeatSecondsPath|ItemsPath|MaxItemsPath)\b"
        r"|\b(?:MaxConcurrencyPath|ToleratedFailure\w{1,20}Path)\b|invalid value",
    ),
)
"""What States.Runtime means, by its cause."""


def cause_of(outcome: Outcome) -> str | None:
    """Return the catalogue's code of what made an execution end so; None when it succeeded, runs, or no code fits."""
    if not outcome.failed:
        return None
    ended = first(ENDINGS, outcome)
    if ended is not None:
        return ended
    if outcome.function_error is not None and service_of(outcome) in {"lambda", ""} and not unknown_to_lambda(outcome):
        return "sfn-task-failed-lambda"
    if outcome.child is not None and service_of(outcome) == "states" and not _sends_token(outcome):
        return "sfn-child-failed"
    found = first(OWN_ERRORS, outcome)
    if found is not None or outcome.error == "States.Runtime":
        return found or first(RUNTIME, outcome)
    return _of_called(outcome)


def hangs_on(outcome: Outcome) -> str | None:
    """Return the function whose own changes may have brought a failure about: it gave the data, or is not there."""
    code = cause_of(outcome)
    return outcome.fed_by if code in OF_DATA else outcome.called if code == NOT_FOUND else None


def _of_called(outcome: Outcome) -> str | None:
    """Return the cause of a task that the called service failed or refused."""
    if _in_others_words(outcome):
        return None
    refused = first(REFUSALS, outcome)
    if refused is not None or service_of(outcome) == "lambda":
        return refused or first(LAMBDA, outcome)
    return "downstream-http-error" if HTTP_FAULT.search(outcome.error) else first(SERVICES, outcome)


def _in_others_words(outcome: Outcome) -> bool:
    """Whether a worker, the holder of a token, a job or a resolver reported the failure: its words may say anything."""
    if outcome.event in {"ActivityFailed", "EvaluationFailed"}:
        return True
    job = outcome.task is not None and outcome.task.pattern == "sync" and outcome.error == "States.TaskFailed"
    return job or (awaits_token(outcome.task) and outcome.event == "TaskFailed" and not _own_words(outcome))


def _own_words(outcome: Outcome) -> bool:
    """Whether the error is named as AWS names errors of a service: `SQS.QueueDoesNotExistException`."""
    return re.match(r"[A-Za-z0-9]{2,40}\.[A-Z]\w{2,80}(?:$|\.)", outcome.error) is not None
