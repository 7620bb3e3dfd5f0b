"""What the services that tasks call say when they fail or refuse, and what Lambda says of functions. Pure.

Lambda's exceptions: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

import re

from specialists.stepfunctions.outcome import Outcome
from specialists.stepfunctions.rows import Row, first, named, says, service_of, text_of, told

DENIED = says(
    r"not authorized to perform|AccessDenied|Access Denied|UnauthorizedOperation|AuthorizationError(?!\w)"
    r"|^States\.Permissions:"
)
PASSING_FAULT = re.compile(
    r"Lambda\.(?:ServiceException|AWSLambdaException|SdkClientException|ClientExecutionTimeoutException)"
)

LAMBDA: tuple[Row, ...] = (
    told("sfn-lambda-toomany", r"TooManyRequestsException|\bRate Exceeded\b"),
    told("sfn-function-not-found", r"\bResourceNotFoundException\b|Function not found"),
    named("sfn-lambda-unknown", "Lambda.Unknown"),
    Row("sfn-lambda-service-exception", lambda o: PASSING_FAULT.fullmatch(o.error) is not None),
)

SERVICES: tuple[Row, ...] = (
    told("sfn-execution-limit", r"ExecutionLimitExceeded", service="states"),
    told(
        "sfn-callback-lost",
        r"InvalidToken|TaskDoesNotExist|TaskTimedOut|Provided task does not exist",
        service="states",
    ),
    told("sfn-api-throttle", r"ThrottlingException|Rate exceeded|TooManyRequests", service="states"),
    told("ddb-table-not-found", r"ResourceNotFoundException|Requested resource not found", service="dynamodb"),
    told("ddb-gsi-throttle", r"throughput for one or more global secondary indexes", service="dynamodb"),
    told("ddb-account-limit", r"RequestLimitExceeded|throughput limit for your account", service="dynamodb"),
    told("ddb-provisioned-exceeded", r"ProvisionedThroughputExceeded", service="dynamodb"),
    told("ddb-conditional-failed", r"ConditionalCheckFailed", service="dynamodb"),
    told("ddb-transaction-cancelled", r"TransactionCancell?ed|TransactionConflict", service="dynamodb"),
    told(
        "ddb-item-too-large",
        r"Item size (?:to update )?has exceeded|ItemCollectionSizeLimitExceeded",
        service="dynamodb",
    ),
    told("ddb-validation-key", r"key element does not match|Missing the key|Type mismatch for key", service="dynamodb"),
    told("sns-topic-not-found", r"Topic does not exist|SNS\.NotFound", service="sns"),
    told("sqs-queue-not-exist", r"NonExistentQueue|QueueDoesNotExist|specified queue does not exist", service="sqs"),
    told("sqs-message-too-large", r"Message must be shorter than|InvalidMessageContents.{0,80}size", service="sqs"),
    told("s3-no-such-bucket", r"NoSuchBucket|specified bucket does not exist", service="s3"),
    told("s3-no-such-key", r"NoSuchKey|specified key does not exist", service="s3"),
    told("s3-slow-down", r"SlowDown|reduce your request rate", service="s3"),
    told("s3-wrong-region", r"PermanentRedirect|AuthorizationHeaderMalformed", service="s3"),
    told("eb-bus-not-found", r"ResourceNotFoundException|Event bus .{1,256} does not exist", service="events"),
    told("eb-put-failed-entries", r"FailedEntry", service="events"),
    told("secret-marked-deleted", r"marked (?:for deletion|as deleted)", service="secretsmanager"),
    told("secret-not-found", r"ResourceNotFoundException", service="secretsmanager"),
    told("ssm-parameter-not-found", r"ParameterNotFound", service="ssm"),
    told("kms-pending-deletion", r"pending deletion", service="kms"),
    told("kms-key-not-found", r"NotFoundException", service="kms"),
)
"""Failures of the service that a task called: causes at the called resource, where AWS's error states them."""

HTTP_FAULT = says(r"^(?:States\.Http\.StatusCode\.|ApiGateway\.)(?:5\d\d|429)\b|^States\.Http\.Socket")

REFUSALS: tuple[Row, ...] = (
    told("iam-assume-role-denied", r"not authorized to (?:perform:? ?sts:)?assume"),
    told("iam-explicit-deny-scp", r"(?:service|resource) control polic"),
    told("iam-permission-boundary", r"permissions boundar"),
    told("iam-explicit-deny-identity", r"explicit deny in an? identity-based"),
    told("iam-no-resource-policy-cross-account", r"no resource-based polic"),
    told("iam-resource-policy-deny", r"explicit deny in an? resource-based"),
    Row("sfn-role-denied", lambda o: DENIED.search(text_of(o)) is not None),
)


TIMED_OUT = says(r"Task timed out after \d")


def _function_timed_out(outcome: Outcome) -> bool:
    """Whether the function ran into its own time limit; an exception with such words may speak of another's."""
    own = outcome.function_error
    untyped = own is not None and not own.type and TIMED_OUT.search(text_of(outcome)) is not None
    return untyped or (own is not None and own.type == "Sandbox.Timedout") or outcome.error == "Sandbox.Timedout"


FUNCTION: tuple[Row, ...] = (
    Row("lambda-timeout", _function_timed_out),
    told("lambda-oom", r"Runtime\.OutOfMemory"),
    told(
        "lambda-handler-not-found",
        r"Runtime\.(?:HandlerNotFound|MalformedHandlerName)|Handler '[^']{1,200}' missing on module"
        r"|is undefined or not exported",
    ),
    told("lambda-import-error-node", r"Cannot find (?:module|package) '|ERR_MODULE_NOT_FOUND"),
    told("lambda-import-error-python", r"Unable to import module|No module named |Runtime\.ImportModuleError"),
    told("lambda-syntax-error", r"Runtime\.UserCodeSyntaxError|Syntax error in module"),
    told("lambda-marshal-error", r"Runtime\.MarshalError|Unable to marshal response"),
    told("lambda-bootstrap-missing", r"Runtime\.InvalidEntrypoint|Couldn't find valid bootstrap"),
    told("lambda-oom-python-memoryerror", r"(?<![A-Za-z])MemoryError\b"),
    told("lambda-response-too-large", r"Function\.ResponseSizeTooLarge|Response payload size .{0,60}exceeded"),
    told("lambda-runtime-exit", r"Runtime\.ExitError|Runtime exited (?:with|without)"),
)

REASONS: tuple[Row, ...] = (
    told("lambda-throttle-reserved", r"ReservedFunctionConcurrentInvocationLimitExceeded"),
    told("lambda-throttle-account", r"(?<!Function)ConcurrentInvocationLimitExceeded"),
    told("lambda-invoke-rate", r"(?:Caller|FunctionInvocation)RateLimitExceeded"),
    told("lambda-ec2-throttled", r"^Lambda\.EC2ThrottledException"),
    told("lambda-ec2-access-denied", r"^Lambda\.EC2AccessDeniedException"),
    told("lambda-eni-limit", r"^Lambda\.ENILimitReachedException"),
    told("lambda-subnet-ip-exhausted", r"^Lambda\.SubnetIPAddressLimitReachedException"),
    told("lambda-subnet-sg-deleted", r"^Lambda\.(?:InvalidSubnetIDException|InvalidSecurityGroupIDException)"),
    told("lambda-kms-disabled", r"^Lambda\.KMSDisabledException"),
    told("lambda-kms-denied", r"^Lambda\.KMSAccessDeniedException"),
    told("lambda-efs-mount", r"^Lambda\.EFS\w{4,40}Exception"),
    told("lambda-pending-state", r"^Lambda\.(?:ResourceConflict|ResourceNotReady)Exception"),
    told("lambda-snapstart", r"^Lambda\.SnapStart\w{0,30}Exception"),
    told("lambda-request-too-large", r"^Lambda\.RequestTooLargeException"),
)
"""Why Lambda did not run the function, where its answer gives the reason."""


def function_cause(outcome: Outcome) -> str | None:
    """Return the cause at the function that a failed Lambda task called, where the history itself proves one."""
    if not outcome.failed or service_of(outcome) != "lambda" or outcome.event.endswith("TimedOut"):
        return None
    if outcome.function_error is not None:
        return first(FUNCTION, outcome) or (None if unknown_to_lambda(outcome) else "lambda-unhandled-exception")
    return first(REASONS, outcome)


def unknown_to_lambda(outcome: Outcome) -> bool:
    """Whether Lambda names the failure itself, also where the function's payload stands in the cause."""
    return outcome.error.startswith("Lambda.")
