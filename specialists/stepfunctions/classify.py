"""Which cause an outcome states: one pure function, used by the rules and by the measuring of accuracy alike.

Error names: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
The first row that fits is meant, so that the sharper one stands before the general one.
"""

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from specialists.stepfunctions.outcome import Outcome, Task

SENDS_TOKEN = frozenset({"sendTaskSuccess", "sendTaskFailure", "sendTaskHeartbeat"})
STATES_ERROR = re.compile(r"States\.[A-Za-z]{1,60}")


def _says(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


class Row(NamedTuple):
    """A cause, and what an outcome must be for it."""

    cause: str | None
    fits: Callable[[Outcome], bool]


def _named(cause: str | None, *errors: str) -> Row:
    """Fit error names of Step Functions itself."""
    return Row(cause, lambda o: o.error in errors)


def _told(cause: str | None, pattern: str, *, service: str = "") -> Row:
    """Fit words in the error's name or cause, of tasks of one service where given."""
    words = _says(pattern)
    return Row(cause, lambda o: (not service or service_of(o) == service) and words.search(text_of(o)) is not None)


def text_of(outcome: Outcome) -> str:
    """Return everything that the failure says."""
    return f"{outcome.error}: {outcome.cause}"


def service_of(outcome: Outcome) -> str:
    """Return the service that the failed task used; from the error's name where no event tells."""
    if outcome.task is not None and outcome.task.service:
        return outcome.task.service
    prefix = outcome.error.partition(".")[0].lower()
    return PREFIXES.get(prefix, prefix) if "." in outcome.error else ""


PREFIXES = {"sfn": "states", "stepfunctions": "states", "eventbridge": "events"}

DENIED = _says(
    r"not authorized to perform|AccessDenied|Access Denied|UnauthorizedOperation|AuthorizationError(?!\w)|"
    r"^States\.Permissions:"
)
HISTORY_FULL = _says(r"(?:maximum|limit)\b.{0,60}\bhistory events|history events.{0,40}\b(?:maximum|limit|25[,.]?000)")
EVALUATION = frozenset({"States.Runtime", "States.QueryEvaluationError", "States.DataLimitExceeded"})


def _by_design(outcome: Outcome) -> bool:
    """Whether a Fail state did its work; its own paths and expressions can fail as well."""
    own_fault = outcome.error in EVALUATION and _says(r"executing the state|state/task '").search(outcome.cause)
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


def _lambda_fault(outcome: Outcome) -> bool:
    """Whether Lambda, not the function, failed in a passing way."""
    return re.fullmatch(r"Lambda\.(?:ServiceException|AWSLambdaException|SdkClientException|ClientExecutionTimeoutException)", outcome.error) is not None


def _sends_token(outcome: Outcome) -> bool:
    return outcome.task is not None and outcome.task.operation in SENDS_TOKEN


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
    _named("sfn-data-limit", "States.DataLimitExceeded"),
    _named("sfn-jsonata-error", "States.QueryEvaluationError"),
    _named("sfn-no-choice", "States.NoChoiceMatched"),
    _named("sfn-resultpath-failure", "States.ResultPathMatchFailure"),
    _named("sfn-intrinsic-failure", "States.IntrinsicFailure"),
    _named("sfn-jsonpath-missing", "States.ParameterPathFailure"),
    _named("sfn-branch-failed", "States.BranchFailed"),
    _named("sfn-map-item-failed", "States.ExceedToleratedFailureThreshold", "States.ItemReaderFailed", "States.ResultWriterFailed"),
)

RUNTIME: tuple[Row, ...] = (
    _told("sfn-jsonata-error", r"JSONata expression"),
    _told("sfn-intrinsic-failure", r"intrinsic|the function 'States\.|\bStates\.(?:Format|StringToJson|JsonToString|Array\w{0,20}|Base64\w{0,8}|Hash|JsonMerge|Math\w{0,8}|StringSplit|UUID)\b"),
    _told("sfn-resultpath-failure", r"\bResultPath\b|unable to apply (?:reference ?path|step) "),
    _told("sfn-data-limit", r"exceed\w{0,4} the maximum number of bytes|(?:payload|data) (?:size )?(?:limit|exceed)"),
    _told("sfn-invalid-field-value", r"references? a negative|must (?:point to|be) (?:an? )?(?:array|positive|integer|number|string|object|valid|between|greater|less|non-negative)"),
    _told("sfn-invalid-field-value", r"not (?:reference |refer to )?an? valid|has an invalid (?:format|value|type)|could not be used to start the Task"),
    _told("sfn-jsonpath-missing", r"JSONPath '|Invalid path '|No results for path|could not be found in the input|Missing property in path|path references an invalid value"),
    _told("sfn-invalid-field-value", r"\b(?:SecondsPath|TimestampPath|TimeoutSecondsPath|HeartbeatSecondsPath|MaxItemsPath|MaxConcurrencyPath|ItemsPath|ToleratedFailure\w{1,20}Path)\b|invalid value"),
)
"""What States.Runtime means, by its cause."""

LAMBDA: tuple[Row, ...] = (
    _told("sfn-lambda-toomany", r"TooManyRequestsException|\bRate Exceeded\b"),
    _told("sfn-function-not-found", r"\bResourceNotFoundException\b|Function not found"),
    _named("sfn-lambda-unknown", "Lambda.Unknown"),
    Row("sfn-lambda-service-exception", _lambda_fault),
)

SERVICES: tuple[Row, ...] = (
    _told("sfn-execution-limit", r"ExecutionLimitExceeded", service="states"),
    _told("sfn-callback-lost", r"InvalidToken|TaskDoesNotExist|TaskTimedOut|Provided task does not exist", service="states"),
    _told("sfn-api-throttle", r"ThrottlingException|Rate exceeded|TooManyRequests", service="states"),
    _told("ddb-table-not-found", r"ResourceNotFoundException|Requested resource not found", service="dynamodb"),
    _told("ddb-gsi-throttle", r"throughput for one or more global secondary indexes", service="dynamodb"),
    _told("ddb-account-limit", r"RequestLimitExceeded|throughput limit for your account", service="dynamodb"),
    _told("ddb-provisioned-exceeded", r"ProvisionedThroughputExceeded", service="dynamodb"),
    _told("ddb-conditional-failed", r"ConditionalCheckFailed", service="dynamodb"),
    _told("ddb-transaction-cancelled", r"TransactionCancell?ed|TransactionConflict", service="dynamodb"),
    _told("ddb-item-too-large", r"Item size (?:to update )?has exceeded|ItemCollectionSizeLimitExceeded", service="dynamodb"),
    _told("ddb-validation-key", r"key element does not match|Missing the key|Type mismatch for key", service="dynamodb"),
    _told("sns-topic-not-found", r"Topic does not exist|SNS\.NotFound", service="sns"),
    _told("sqs-queue-not-exist", r"NonExistentQueue|QueueDoesNotExist|specified queue does not exist", service="sqs"),
    _told("sqs-message-too-large", r"Message must be shorter than|InvalidMessageContents.{0,80}size", service="sqs"),
    _told("s3-no-such-bucket", r"NoSuchBucket|specified bucket does not exist", service="s3"),
    _told("s3-no-such-key", r"NoSuchKey|specified key does not exist", service="s3"),
    _told("s3-slow-down", r"SlowDown|reduce your request rate", service="s3"),
    _told("s3-wrong-region", r"PermanentRedirect|AuthorizationHeaderMalformed", service="s3"),
    _told("eb-bus-not-found", r"ResourceNotFoundException|Event bus .{1,256} does not exist", service="events"),
    _told("eb-put-failed-entries", r"FailedEntry", service="events"),
    _told("secret-marked-deleted", r"marked (?:for deletion|as deleted)", service="secretsmanager"),
    _told("secret-not-found", r"ResourceNotFoundException", service="secretsmanager"),
    _told("ssm-parameter-not-found", r"ParameterNotFound", service="ssm"),
    _told("kms-pending-deletion", r"pending deletion", service="kms"),
    _told("kms-key-not-found", r"NotFoundException", service="kms"),
)
"""Failures of the service that a task called: causes at the called resource, where AWS's error states them."""

HTTP_FAULT = _says(r"^(?:States\.Http\.StatusCode\.|ApiGateway\.)(?:5\d\d|429)\b|^States\.Http\.Socket")

REFUSALS: tuple[Row, ...] = (
    _told("iam-assume-role-denied", r"not authorized to (?:perform:? ?sts:)?assume"),
    _told("iam-explicit-deny-scp", r"(?:service|resource) control polic"),
    _told("iam-permission-boundary", r"permissions boundar"),
    _told("iam-explicit-deny-identity", r"explicit deny in an? identity-based"),
    _told("iam-no-resource-policy-cross-account", r"no resource-based polic"),
    _told("iam-resource-policy-deny", r"explicit deny in an? resource-based"),
    Row("sfn-role-denied", lambda o: DENIED.search(text_of(o)) is not None),
)


def cause_of(outcome: Outcome) -> str | None:
    """Return the catalogue's code of what made an execution end so; None when it succeeded, runs, or no code fits."""
    if not outcome.failed:
        return None
    ended = _first(ENDINGS, outcome)
    if ended is not None:
        return ended
    if outcome.function_error is not None and service_of(outcome) in {"lambda", ""} and not _unknown_to_lambda(outcome):
        return "sfn-task-failed-lambda"
    if outcome.child is not None and service_of(outcome) == "states" and not _sends_token(outcome):
        return "sfn-child-failed"
    found = _first(OWN_ERRORS, outcome)
    if found is not None or outcome.error == "States.Runtime":
        return found or _first(RUNTIME, outcome)
    return _of_called(outcome)


def _of_called(outcome: Outcome) -> str | None:
    """Return the cause of a task that the called service failed or refused."""
    if _in_others_words(outcome):
        return None
    refused = _first(REFUSALS, outcome)
    if refused is not None or service_of(outcome) == "lambda":
        return refused or _first(LAMBDA, outcome)
    return "downstream-http-error" if HTTP_FAULT.search(outcome.error) else _first(SERVICES, outcome)


def _in_others_words(outcome: Outcome) -> bool:
    """Whether a worker, the holder of a token, a job or a resolver reported the failure: its words may say anything."""
    if outcome.event in {"ActivityFailed", "EvaluationFailed"}:
        return True
    job = outcome.task is not None and outcome.task.pattern == "sync" and outcome.error == "States.TaskFailed"
    return job or (awaits_token(outcome.task) and outcome.event == "TaskFailed" and not _own_words(outcome))


def _own_words(outcome: Outcome) -> bool:
    """Whether the error is named as AWS names errors of a service: `SQS.QueueDoesNotExistException`."""
    return re.match(r"[A-Za-z0-9]{2,40}\.[A-Z]\w{2,80}(?:$|\.)", outcome.error) is not None


def _unknown_to_lambda(outcome: Outcome) -> bool:
    return outcome.error.startswith("Lambda.")


def _first(rows: Iterable[Row], outcome: Outcome) -> str | None:
    return next((row.cause for row in rows if row.fits(outcome)), None)


FUNCTION: tuple[Row, ...] = (
    _told("lambda-timeout", r"Sandbox\.Timedout|Task timed out after \d"),
    _told("lambda-oom", r"Runtime\.OutOfMemory|signal: killed"),
    _told("lambda-handler-not-found", r"Runtime\.(?:HandlerNotFound|MalformedHandlerName)|Handler '[^']{1,200}' missing on module|is undefined or not exported"),
    _told("lambda-import-error-node", r"Cannot find (?:module|package) '|ERR_MODULE_NOT_FOUND"),
    _told("lambda-import-error-python", r"Unable to import module|No module named |Runtime\.ImportModuleError"),
    _told("lambda-syntax-error", r"Runtime\.UserCodeSyntaxError|Syntax error in module"),
    _told("lambda-marshal-error", r"Runtime\.MarshalError|Unable to marshal response"),
    _told("lambda-bootstrap-missing", r"Runtime\.InvalidEntrypoint|Couldn't find valid bootstrap"),
    _told("lambda-oom-python-memoryerror", r"(?<![A-Za-z])MemoryError\b"),
    _told("lambda-response-too-large", r"Function\.ResponseSizeTooLarge|Response payload size .{0,60}exceeded"),
    _told("lambda-runtime-exit", r"Runtime\.ExitError|Runtime exited (?:with|without)"),
)

REASONS: tuple[Row, ...] = (
    _told("lambda-throttle-reserved", r"ReservedFunctionConcurrentInvocationLimitExceeded"),
    _told("lambda-throttle-account", r"(?<!Function)ConcurrentInvocationLimitExceeded"),
    _told("lambda-invoke-rate", r"(?:Caller|FunctionInvocation)RateLimitExceeded"),
    _told("lambda-ec2-throttled", r"^Lambda\.EC2ThrottledException"),
    _told("lambda-ec2-access-denied", r"^Lambda\.EC2AccessDeniedException"),
    _told("lambda-eni-limit", r"^Lambda\.ENILimitReachedException"),
    _told("lambda-subnet-ip-exhausted", r"^Lambda\.SubnetIPAddressLimitReachedException"),
    _told("lambda-subnet-sg-deleted", r"^Lambda\.(?:InvalidSubnetIDException|InvalidSecurityGroupIDException)"),
    _told("lambda-kms-disabled", r"^Lambda\.KMSDisabledException"),
    _told("lambda-kms-denied", r"^Lambda\.KMSAccessDeniedException"),
    _told("lambda-efs-mount", r"^Lambda\.EFS\w{4,40}Exception"),
    _told("lambda-pending-state", r"^Lambda\.(?:ResourceConflict|ResourceNotReady)Exception"),
    _told("lambda-snapstart", r"^Lambda\.SnapStart\w{0,30}Exception"),
    _told("lambda-request-too-large", r"^Lambda\.RequestTooLargeException"),
)
"""Why Lambda did not run the function, where its answer gives the reason."""


def function_cause(outcome: Outcome) -> str | None:
    """Return the cause at the function that a failed Lambda task called, where the history itself proves one."""
    if not outcome.failed or service_of(outcome) != "lambda" or outcome.event.endswith("TimedOut"):
        return None
    if outcome.function_error is not None:
        return _first(FUNCTION, outcome) or (None if _unknown_to_lambda(outcome) else "lambda-unhandled-exception")
    return _first(REASONS, outcome)
