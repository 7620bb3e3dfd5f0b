# ruff: noqa: E501 - a table reads best with a row to a line
"""Which cause one error answer of an AWS API states by itself, from its service, code and message alone.

A row names a cause only where the answer could mean nothing else; everything else is honestly unknown.
"""

import re
from typing import NamedTuple


class _Row(NamedTuple):
    """What an answer must look like: services whose API gives it ("" is any), its code, and what the message holds."""

    cause: str
    services: frozenset[str]
    code: re.Pattern[str]
    message: re.Pattern[str]


def _row(cause: str, services: str, code: str, message: str = "") -> _Row:
    return _Row(cause, frozenset(services.split()), re.compile(code), re.compile(message, re.IGNORECASE | re.DOTALL))


DENIED = r"AccessDenied(?:Exception)?|AuthorizationError(?:Exception)?|UnauthorizedOperation|NotAuthorized|403"
THROTTLED = r"Throttling(?:Exception)?|ThrottledException|TooManyRequestsException|RequestLimitExceeded"
INVALID = r"InvalidParameterValue(?:Exception)?|ValidationException|InvalidParameter|InvalidRequestException"

ROWS: tuple[_Row, ...] = (
    _row("iam-explicit-deny-scp", "", DENIED, r"explicit deny in a service control policy"),
    _row("iam-explicit-deny-identity", "", DENIED, r"explicit deny in an identity-based policy"),
    _row("iam-resource-policy-deny", "", DENIED, r"explicit deny in a resource-based policy"),
    _row("iam-permission-boundary", "", DENIED, r"no permissions boundary allows|explicit deny in a permissions boundary"),
    _row("vpc-endpoint-policy", "", DENIED, r"no VPC endpoint policy allows|explicit deny in a VPC endpoint policy"),
    _row("iam-no-resource-policy-cross-account", "", DENIED, r"no resource-based policy allows"),
    _row("iam-assume-role-denied", "", DENIED, r"not authorized to perform: sts:AssumeRole\b|not authorized to assume the task state"),
    _row("lambda-invoke-permission-denied", "", DENIED, r"not authorized to perform: lambda:InvokeFunction"),
    _row("sns-publish-denied", "", DENIED, r"not authorized to perform: sns:Publish(?!.*no identity-based policy)"),
    _row("sqs-access-denied", "", DENIED, r"not authorized to perform: sqs:(?!.*no identity-based policy)"),
    _row("lambda-role-missing-permission", "", DENIED, r"no identity-based policy allows"),
    _row("secret-rotation-lambda-denied", "secretsmanager", DENIED, r"cannot invoke the specified Lambda function"),
    _row("iam-expired-token", "", r"ExpiredToken(?:Exception)?|UnrecognizedClientException|InvalidClientTokenId"),
    _row("kms-pending-deletion", "", r"(?:KMS\.?)?(?:KMS)?InvalidStateException", r"is pending deletion"),
    _row("lambda-kms-disabled", "lambda", r"KMSDisabledException"),
    _row("lambda-kms-denied", "lambda", r"KMSAccessDeniedException"),
    _row("kms-key-not-found", "lambda", r"KMSNotFoundException"),
    _row("kms-key-not-found", "", r"(?:KMS\.)?NotFoundException", r"^Key '\S{1,300}' does not exist|^Invalid keyId '"),
    _row("kms-throttled", "kms", THROTTLED),
    _row("secret-not-found", "", r"ResourceNotFoundException", r"Secrets Manager can.t find the specified secret"),
    _row("secret-marked-deleted", "", r"InvalidRequestException", r"because it was marked for deletion"),
    _row("ssm-parameter-not-found", "ssm", r"ParameterNotFound"),
    _row("ssm-throttling", "ssm", THROTTLED),
    _row("ddb-gsi-throttle", "", r"ProvisionedThroughputExceededException", r"global secondary index"),
    _row("ddb-provisioned-exceeded", "dynamodb", r"ProvisionedThroughputExceededException"),
    _row("ddb-provisioned-exceeded", "", r"ProvisionedThroughputExceededException", r"provisioned throughput for the table"),
    _row("ddb-hot-partition", "dynamodb", r"ThrottlingException", r"hot key"),
    _row("ddb-account-limit", "dynamodb", r"RequestLimitExceeded"),
    _row("ddb-control-throttle", "dynamodb", r"ThrottlingException", r"Rate of requests exceeds"),
    _row("stream-trimmed-or-missing", "", r"ResourceNotFoundException|TrimmedDataAccessException", r"Stream: \S{1,300} not found|trim"),
    _row("ddb-table-not-found", "dynamodb", r"ResourceNotFoundException", r"^(?:Cannot do operations on a non-existent table|Requested resource not found(?!: ResourceArn))"),
    _row("ddb-table-not-found", "", r"ResourceNotFoundException", r"Requested resource not found: Table"),
    _row("ddb-conditional-failed", "", r"ConditionalCheckFailedException"),
    _row("ddb-transaction-cancelled", "", r"TransactionCanceledException|TransactionConflictException"),
    _row("ddb-item-too-large", "", r"ValidationException|ItemCollectionSizeLimitExceededException", r"Item size (?:to update )?has exceeded|Collection size exceeded"),
    _row("ddb-validation-key", "dynamodb", r"ValidationException", r"key element does not match the schema|Missing the key|Type mismatch for key"),
    _row("lambda-function-not-found", "lambda", r"ResourceNotFoundException", r"Function not found: |Cannot find alias|Alias not found: |The function doesn.t exist|^Functions from '"),
    _row("lambda-throttle-reserved", "lambda", r"TooManyRequestsException", r"ReservedFunctionConcurrentInvocationLimitExceeded"),
    _row("lambda-throttle-account", "lambda", r"TooManyRequestsException", r"\bConcurrentInvocationLimitExceeded"),
    _row("lambda-invoke-rate", "lambda", r"TooManyRequestsException", r"(?:CallerRateLimit|FunctionInvocationRateLimit)Exceeded"),
    _row("lambda-env-4kb", "lambda", INVALID, r"environment variables you have provided exceeded the 4 ?KB limit"),
    _row("lambda-role-not-assumable", "lambda", INVALID, r"role defined for the function cannot be assumed"),
    _row("lambda-runtime-deprecated", "lambda", INVALID, r"runtime parameter of \S{1,40} is no longer supported"),
    _row("lambda-request-too-large", "lambda", r"RequestTooLargeException|RequestEntityTooLargeException|413", r"must be smaller than \d+ bytes for the Invoke"),
    _row("lambda-code-storage", "lambda", r"CodeStorageExceededException"),
    _row("lambda-pending-state", "lambda", r"ResourceConflictException", r"currently in the following state: Pending|update is in progress"),
    _row("lambda-recursive-loop", "lambda", r"RecursiveInvocationException"),
    _row("lambda-snapstart", "lambda", r"SnapStart(?:NotReady|Timeout)?Exception"),
    _row("lambda-eni-limit", "lambda", r"ENILimitReachedException"),
    _row("lambda-subnet-ip-exhausted", "lambda", r"SubnetIPAddressLimitReachedException"),
    _row("lambda-ec2-throttled", "lambda", r"EC2ThrottledException"),
    _row("lambda-ec2-access-denied", "lambda", r"EC2AccessDeniedException"),
    _row("lambda-ec2-access-denied", "lambda", INVALID, r"permissions to call CreateNetworkInterface"),
    _row("lambda-subnet-sg-deleted", "lambda", r"InvalidSubnetIDException|InvalidSecurityGroupIDException"),
    _row("lambda-efs-mount", "lambda", r"EFSMount(?:Failure|Timeout|Connectivity)Exception"),
    _row("esm-visibility-lt-timeout", "lambda", INVALID, r"Queue visibility timeout: \d+ seconds is less than Function timeout"),
    _row("esm-role-cannot-read-queue", "lambda", INVALID, r"permissions to call ReceiveMessage on SQS"),
    _row("esm-queue-gone", "lambda", INVALID, r"Error occurred while ReceiveMessage.{0,200}NonExistentQueue"),
    _row("sqs-queue-not-exist", "", r"AWS\.SimpleQueueService\.NonExistentQueue|QueueDoesNotExist"),
    _row("sqs-message-too-large", "sqs", INVALID, r"Message must be shorter than \d+ bytes"),
    _row("sqs-inflight-limit", "", r"OverLimit", r"in flight"),
    _row("sqs-kms", "sqs", r"KMS\.AccessDeniedException|KmsAccessDenied"),
    _row("sns-topic-not-found", "sns", r"NotFound(?:Exception)?", r"Topic does not exist"),
    _row("sns-encrypted-topic", "sns", r"KMSAccessDenied(?:Exception)?"),
    _row("eb-bus-not-found", "events", r"ResourceNotFoundException", r"Event bus \S{1,300} does not exist"),
    _row("eb-schedule-wrong", "events scheduler", r"ValidationException", r"ScheduleExpression is not valid|Invalid Schedule Expression"),
    _row("eb-input-transformer", "events", r"ValidationException", r"InputTemplate for target"),
    _row("s3-no-such-key", "", r"NoSuchKey"),
    _row("s3-no-such-bucket", "", r"NoSuchBucket"),
    _row("s3-wrong-region", "s3", r"PermanentRedirect|AuthorizationHeaderMalformed|301", r"region"),
    _row("s3-slow-down", "s3", r"SlowDown|503", r"reduce your request rate"),
    _row("s3-notification-invalid-dest", "s3", r"InvalidArgument", r"Unable to validate the following destination configurations"),
    _row("s3-kms-denied", "s3", r"KMS\.(?:Disabled|AccessDenied)(?:Exception)?"),
    _row("s3-access-denied", "s3", r"AccessDenied", r"^Access Denied\.?$"),
    _row("sfn-api-throttle", "stepfunctions states", THROTTLED),
    _row("sfn-execution-limit", "stepfunctions states", r"ExecutionLimitExceeded"),
    _row("sfn-callback-lost", "stepfunctions states", r"TaskTimedOut|TaskDoesNotExist|InvalidToken", r"token|does not exist"),
    _row("sfn-data-limit", "stepfunctions states", r"States\.DataLimitExceeded"),
    _row("cw-logs-throttled", "logs", THROTTLED + r"|LimitExceededException"),
)  # fmt: skip
"""The first row that fits decides."""


def stated_cause(service: str, code: str, message: str) -> str | None:
    """Return the cause that one error answer states, or None where it states none; `service` is boto3's client name."""
    for row in ROWS:
        fits = (not row.services or service in row.services) and row.code.fullmatch(code)
        if fits and row.message.search(message[:4000]):
            return row.cause
    return None
