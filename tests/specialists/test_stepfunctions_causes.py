"""Which cause each outcome states, with a near miss beside it; and the two recordings of words that AWS really says."""

import json

import pytest

from domain.causes import CAUSES
from specialists.stepfunctions.called import FUNCTION, LAMBDA, REASONS, REFUSALS, SERVICES, function_cause
from specialists.stepfunctions.classify import ENDINGS, OWN_ERRORS, RUNTIME, cause_of
from specialists.stepfunctions.history import described
from tests.specialists.stepfunctions_building import (
    CHILD,
    ROLE,
    ask,
    end,
    enter,
    events,
    fail,
    failed_task,
    invoke,
    outcome,
)
from tests.specialists.stepfunctions_building import (
    FUNCTION as CHARGE,
)

IN_STATE = "An error occurred while executing the state 'A' (entered at the event id #2). "
RAISED = json.dumps({"errorMessage": "no card", "errorType": "ValueError", "stackTrace": []})
TOKEN = ask("sqs", "sendMessage.waitForTaskToken", timeout=600, QueueUrl="https://sqs/123456789012/q")
DENIED = (
    f"User: arn:aws:sts::123456789012:assumed-role/checkout-role/x is not authorized to perform: lambda:InvokeFunction"
    f" on resource: {CHARGE} because no identity-based policy allows the lambda:InvokeFunction action"
)
PUT = ask("dynamodb", "putItem", TableName="orders")
SEND = ask("aws-sdk:sqs", "sendMessage", QueueUrl="https://sqs/123456789012/q")
PUBLISH = ask("sns", "publish", TopicArn="arn:aws:sns:eu-west-1:123456789012:news")
GET = ask("aws-sdk:s3", "getObject", Bucket="photos", Key="a")
START = ask(
    "states", "startExecution.sync", StateMachineArn="arn:aws:states:eu-west-1:123456789012:stateMachine:shipping"
)


def own(error, cause="", kind="Pass"):
    """An error of Step Functions itself, in a state without a task."""
    return events(enter("A", kind), end(error, cause))


def late(task, *, every=1.0):
    return events(
        enter("A"), task, "TaskStarted", fail("States.Timeout", kind="TaskTimedOut"), end("States.Timeout"), every=every
    )


SAID = [
    ("sfn-aborted", events(enter("A"), ("ExecutionAborted", {}))),
    ("sfn-execution-timeout", events(enter("A"), TOKEN, ("ExecutionTimedOut", {}))),
    ("sfn-history-limit", own("States.Runtime", "The execution reached the maximum number of history events (25000).")),
    ("sfn-explicit-fail", own("PaymentRejected", "card declined", "Fail")),
    ("sfn-explicit-fail", own("States.Timeout", "by design", "Fail")),
    ("sfn-jsonpath-missing", own("States.Runtime", IN_STATE + "The JSONPath '$.e' specified for the field 'ErrorPath' "
                                 "could not be found in the input '{}'", "Fail")),
    ("sfn-timeout-task", late(ask("lambda", "invoke", timeout=5, FunctionName="charge"))),
    ("sfn-timeout-task", failed_task(("ActivityScheduled", {"timeoutInSeconds": 5}), "States.Timeout", kind="ActivityTimedOut")),
    ("sfn-heartbeat-timeout", late(ask("sqs", "sendMessage.waitForTaskToken", heartbeat=5, timeout=600))),
    ("sfn-heartbeat-timeout", late(ask("ecs", "runTask.sync", heartbeat=60))),
    ("sfn-heartbeat-timeout", own("States.HeartbeatTimeout")),
    ("sfn-callback-lost", late(TOKEN)),
    ("sfn-callback-lost", late(ask("sqs", "sendMessage.waitForTaskToken", heartbeat=5, timeout=20), every=10)),
    ("sfn-callback-lost", failed_task(ask("aws-sdk:sfn", "sendTaskSuccess", TaskToken="t"), "Sfn.TaskTimedOutException",
                                      "Task Timed Out: 'Provided task does not exist anymore'")),
    ("sfn-data-limit", own("States.DataLimitExceeded", "The state/task 'A' returned a result with a size exceeding the "
                           "maximum number of bytes service limit.")),
    ("sfn-jsonata-error", own("States.QueryEvaluationError", IN_STATE + "The JSONata expression '$x' ... returned nothing")),
    ("sfn-no-choice", own("States.NoChoiceMatched", "", "Choice")),
    ("sfn-resultpath-failure", own("States.ResultPathMatchFailure", "Unable to apply step \"a\" to input 1")),
    ("sfn-intrinsic-failure", own("States.IntrinsicFailure", "x")),
    ("sfn-intrinsic-failure", own("States.Runtime", IN_STATE + "The function 'States.ArrayGetItem($.a, 5)' had the "
                                  "following error: The index is out of bounds")),
    ("sfn-jsonpath-missing", own("States.ParameterPathFailure", "x")),
    ("sfn-jsonpath-missing", own("States.Runtime", IN_STATE + "Invalid path '$.x': The choice state's condition path "
                                 "references an invalid value.", "Choice")),
    ("sfn-invalid-field-value", own("States.Runtime", IN_STATE + "The SecondsPath parameter references a negative value: $.s == -1")),
    ("sfn-invalid-field-value", own("States.Runtime", IN_STATE + "The TimestampPath parameter does not reference a valid "
                                    "ISO-8601 extended offset date-time format string: $.t == x")),
    ("sfn-invalid-field-value", own("States.Runtime", IN_STATE + 'Reference path "$.items" must point to array.', "Map")),
    ("sfn-branch-failed", own("States.BranchFailed", "", "Parallel")),
    ("sfn-map-item-failed", own("States.ExceedToleratedFailureThreshold", "", "Map")),
    ("sfn-map-item-failed", own("States.ItemReaderFailed", "Attempting to map over non-iterable node.", "Map")),
    ("sfn-task-failed-lambda", failed_task(invoke(), "ValueError", RAISED)),
    ("sfn-task-failed-lambda", failed_task(("LambdaFunctionScheduled", {"resource": CHARGE}), "Error", RAISED,
                                           kind="LambdaFunctionFailed")),
    ("sfn-task-failed-lambda", failed_task(invoke(), "Sandbox.Timedout", json.dumps(
        {"errorType": "Sandbox.Timedout", "errorMessage": "RequestId: 1 Error: Task timed out after 3.00 seconds"}))),
    ("sfn-lambda-unknown", failed_task(invoke(), "Lambda.Unknown", "The cause could not be determined because Lambda did not "
                                       'return an error type. Returned payload: {"errorMessage":"1 Task timed out after 3.00 seconds"}')),
    ("sfn-lambda-toomany", failed_task(invoke(), "Lambda.TooManyRequestsException", "Rate Exceeded. (Service: AWSLambda; "
                                       "Status Code: 429; Error Code: TooManyRequestsException)")),
    ("sfn-lambda-service-exception", failed_task(invoke(), "Lambda.SdkClientException", "Unable to execute HTTP request")),
    ("sfn-function-not-found", failed_task(invoke(), "Lambda.ResourceNotFoundException", f"Function not found: {CHARGE}:$LATEST")),
    ("sfn-role-denied", failed_task(invoke(), "Lambda.AWSLambdaException", DENIED)),
    ("sfn-role-denied", failed_task(PUT, "DynamoDB.AccessDeniedException", "x")),
    ("sfn-role-denied", own("States.Permissions", "x", "Task")),
    ("iam-assume-role-denied", failed_task(invoke(), "States.TaskFailed",
                                           f"The role {ROLE} is not authorized to assume the task state's role, {ROLE}2.")),
    ("iam-explicit-deny-identity", failed_task(PUT, "DynamoDB.AccessDeniedException", "User: x is not authorized to perform: "
                                               "dynamodb:PutItem on resource: y with an explicit deny in an identity-based policy")),
    ("iam-explicit-deny-scp", failed_task(PUT, "DynamoDB.AccessDeniedException", "not authorized to perform: dynamodb:PutItem "
                                          "with an explicit deny in a service control policy")),
    ("iam-permission-boundary", failed_task(PUT, "DynamoDB.AccessDeniedException", "not authorized to perform: dynamodb:PutItem "
                                            "because no permissions boundary allows the dynamodb:PutItem action")),
    ("iam-resource-policy-deny", failed_task(SEND, "Sqs.SqsException", "not authorized to perform: sqs:sendmessage "
                                             "with an explicit deny in a resource-based policy")),
    ("iam-no-resource-policy-cross-account", failed_task(SEND, "Sqs.SqsException", "not authorized to perform: sqs:sendmessage "
                                                         "because no resource-based policy allows the sqs:sendmessage action")),
    ("sfn-child-failed", failed_task(START, "States.TaskFailed", json.dumps({"ExecutionArn": CHILD, "Error": "Oops"}))),
    ("sfn-execution-limit", failed_task(START, "StepFunctions.ExecutionLimitExceededException", "x")),
    ("sfn-api-throttle", failed_task(ask("aws-sdk:sfn", "startExecution"), "Sfn.ThrottlingException", "Rate exceeded")),
    ("ddb-table-not-found", failed_task(PUT, "DynamoDb.ResourceNotFoundException", "Requested resource not found")),
    ("ddb-provisioned-exceeded", failed_task(PUT, "DynamoDB.ProvisionedThroughputExceededException", "for the table")),
    ("ddb-gsi-throttle", failed_task(PUT, "DynamoDB.ProvisionedThroughputExceededException",
                                     "The level of configured provisioned throughput for one or more global secondary indexes")),
    ("ddb-account-limit", failed_task(PUT, "DynamoDB.RequestLimitExceededException", "x")),
    ("ddb-conditional-failed", failed_task(PUT, "DynamoDB.ConditionalCheckFailedException", "x")),
    ("ddb-transaction-cancelled", failed_task(PUT, "DynamoDb.TransactionCanceledException", "x")),
    ("ddb-item-too-large", failed_task(PUT, "DynamoDB.AmazonDynamoDBException", "Item size has exceeded the maximum allowed size")),
    ("ddb-validation-key", failed_task(PUT, "DynamoDB.AmazonDynamoDBException", "The provided key element does not match the schema")),
    ("sns-topic-not-found", failed_task(PUBLISH, "SNS.NotFoundException", "Topic does not exist")),
    ("sqs-queue-not-exist", failed_task(SEND, "Sqs.QueueDoesNotExistException", "The specified queue does not exist.")),
    ("sqs-message-too-large", failed_task(SEND, "Sqs.SqsException", "One or more parameters are invalid. Reason: Message must be "
                                          "shorter than 262144 bytes.")),
    ("s3-no-such-key", failed_task(GET, "S3.NoSuchKeyException", "The specified key does not exist.")),
    ("s3-no-such-bucket", failed_task(GET, "S3.NoSuchBucketException", "The specified bucket does not exist")),
    ("s3-slow-down", failed_task(GET, "S3.S3Exception", "Please reduce your request rate.")),
    ("s3-wrong-region", failed_task(GET, "S3.PermanentRedirect", "x")),
    ("eb-put-failed-entries", failed_task(ask("events", "putEvents"), "EventBridge.FailedEntry", "{}")),
    ("eb-bus-not-found", failed_task(ask("events", "putEvents"), "EventBridge.ResourceNotFoundException", "x")),
    ("secret-not-found", failed_task(ask("aws-sdk:secretsmanager", "getSecretValue"), "SecretsManager.ResourceNotFoundException", "x")),
    ("secret-marked-deleted", failed_task(ask("aws-sdk:secretsmanager", "getSecretValue"), "SecretsManager.InvalidRequestException",
                                          "because it was marked for deletion.")),
    ("ssm-parameter-not-found", failed_task(ask("aws-sdk:ssm", "getParameter"), "Ssm.ParameterNotFoundException", "x")),
    ("kms-pending-deletion", failed_task(ask("aws-sdk:kms", "encrypt"), "Kms.KmsInvalidStateException", "k is pending deletion.")),
    ("kms-key-not-found", failed_task(ask("aws-sdk:kms", "encrypt"), "Kms.NotFoundException", "x")),
    ("downstream-http-error", failed_task(ask("http", "invoke"), "States.Http.StatusCode.503", "x")),
    ("downstream-http-error", failed_task(ask("apigateway", "invoke"), "ApiGateway.502", "x")),
]  # fmt: skip
NOT_SAID = [
    (
        "a worker's own words",
        failed_task(("ActivityScheduled", {}), "Busy", "AccessDenied by my own code", kind="ActivityFailed"),
    ),
    ("a token holder's own words", failed_task(TOKEN, "Rejected", "not authorized to perform: approvals")),
    (
        "a job's report",
        failed_task(ask("ecs", "runTask.sync"), "States.TaskFailed", '{"StoppedReason": "AccessDenied to image"}'),
    ),
    (
        "a bad request",
        failed_task(PUT, "DynamoDB.AmazonDynamoDBException", "Value null at 'item' failed to satisfy constraint"),
    ),
    ("the client's fault", failed_task(ask("http", "invoke"), "States.Http.StatusCode.404", "x")),
    (
        "another service's missing resource",
        failed_task(ask("glue", "startJobRun"), "Glue.ResourceNotFoundException", "x"),
    ),
    ("an error without words", own("States.Runtime", "")),
]


@pytest.mark.parametrize(("code", "raw"), SAID, ids=[f"{code}-{n}" for n, (code, _) in enumerate(SAID)])
def test_an_outcome_states_its_cause(code, raw) -> None:
    assert cause_of(outcome(raw)) == code


@pytest.mark.parametrize("raw", [raw for _, raw in NOT_SAID], ids=[name for name, _ in NOT_SAID])
def test_other_peoples_words_and_unknown_errors_state_none(raw) -> None:
    assert cause_of(outcome(raw)) is None


def test_every_cause_of_the_tables_is_in_the_catalogue_and_has_a_case() -> None:
    tables = (*ENDINGS, *OWN_ERRORS, *RUNTIME, *LAMBDA, *SERVICES, *REFUSALS)

    assert {row.cause for row in (*tables, *FUNCTION, *REASONS)} <= set(CAUSES)
    assert {row.cause for row in tables} <= {code for code, _ in SAID}


@pytest.mark.parametrize(
    ("heartbeat", "timeout", "every", "code"),
    [
        (5, 600, 2.5, "sfn-heartbeat-timeout"),  # ended after 5 s
        (5, 20, 10.0, "sfn-timeout-task"),  # ended after 20 s: heartbeats came until then
        (None, 5, 2.5, "sfn-timeout-task"),
        (5, None, 2.5, "sfn-heartbeat-timeout"),
    ],
)
def test_the_limit_that_ran_out_is_told_by_the_time_it_took(heartbeat, timeout, every, code) -> None:
    task = ask("ecs", "runTask.sync", heartbeat=heartbeat, timeout=timeout)

    assert cause_of(outcome(late(task, every=every))) == code


FUNCTION_SAYS = [
    ("lambda-unhandled-exception", "ValueError", "no card"),
    ("lambda-unhandled-exception", "RuntimeError", "downstream said: Task timed out after 3.00 seconds"),
    ("lambda-timeout", "Sandbox.Timedout", "RequestId: 1 Error: Task timed out after 3.00 seconds"),
    ("lambda-timeout", "", "2026-11-20T09:36:00Z 1 Task timed out after 3.00 seconds"),
    ("lambda-oom", "Runtime.OutOfMemory", "RequestId: 1 Error: Runtime exited with error: signal: killed"),
    ("lambda-runtime-exit", "Runtime.ExitError", "RequestId: 1 Error: Runtime exited with error: exit status 1"),
    ("lambda-import-error-python", "Runtime.ImportModuleError", "Unable to import module 'app': No module named 'requests'"),
    ("lambda-import-error-node", "Runtime.ImportModuleError", "Error: Cannot find module 'aws-sdk'"),
    ("lambda-handler-not-found", "Runtime.HandlerNotFound", "Handler 'go' missing on module 'app'"),
    ("lambda-handler-not-found", "Runtime.HandlerNotFound", "index.handler is undefined or not exported"),
    ("lambda-syntax-error", "Runtime.UserCodeSyntaxError", "Syntax error in module 'app'"),
    ("lambda-marshal-error", "Runtime.MarshalError", "Unable to marshal response: Object of type datetime"),
    ("lambda-bootstrap-missing", "Runtime.InvalidEntrypoint", "RequestId: 1 Error: Couldn't find valid bootstrap(s)"),
    ("lambda-oom-python-memoryerror", "MemoryError", ""),
    ("lambda-response-too-large", "Function.ResponseSizeTooLarge", "Response payload size exceeded maximum"),
]  # fmt: skip
LAMBDA_SAYS = [
    ("lambda-throttle-reserved", "TooManyRequests", "Reason: ReservedFunctionConcurrentInvocationLimitExceeded"),
    ("lambda-throttle-account", "TooManyRequests", "Reason: ConcurrentInvocationLimitExceeded"),
    ("lambda-invoke-rate", "TooManyRequests", "Reason: CallerRateLimitExceeded"),
    (None, "TooManyRequests", "Rate Exceeded."),
    ("lambda-ec2-throttled", "EC2Throttled", ""),
    ("lambda-ec2-access-denied", "EC2AccessDenied", ""),
    ("lambda-eni-limit", "ENILimitReached", ""),
    ("lambda-subnet-ip-exhausted", "SubnetIPAddressLimitReached", ""),
    ("lambda-subnet-sg-deleted", "InvalidSubnetID", ""),
    ("lambda-kms-disabled", "KMSDisabled", ""),
    ("lambda-kms-denied", "KMSAccessDenied", ""),
    ("lambda-efs-mount", "EFSMountTimeout", ""),
    ("lambda-pending-state", "ResourceConflict", ""),
    ("lambda-snapstart", "SnapStartNotReady", ""),
    ("lambda-request-too-large", "RequestTooLarge", ""),
    (None, "ServiceException", ""),
]


@pytest.mark.parametrize(("code", "kind", "message"), FUNCTION_SAYS)
def test_a_functions_own_error_states_the_cause_at_the_function(code, kind, message) -> None:
    told = {"errorMessage": message, "errorType": kind} if kind else {"errorMessage": message}
    found = outcome(failed_task(invoke(), kind or "Lambda.Unknown", json.dumps(told)))

    assert function_cause(found) == code


@pytest.mark.parametrize(("code", "error", "words"), LAMBDA_SAYS)
def test_lambdas_reason_states_the_cause_at_the_function(code, error, words) -> None:
    name = error if error == "ServiceException" else f"{error}Exception"

    assert function_cause(outcome(failed_task(invoke(), f"Lambda.{name}", words))) == code


def test_no_function_is_accused_of_another_services_failure() -> None:
    assert function_cause(outcome(failed_task(PUT, "DynamoDB.Oops", RAISED))) is None
    assert function_cause(outcome(late(invoke()))) is None


def test_a_description_alone_states_what_its_words_state() -> None:
    assert cause_of(described("FAILED", "States.DataLimitExceeded", "")) == "sfn-data-limit"
    assert cause_of(described("FAILED", "DynamoDB.ResourceNotFoundException", "")) == "ddb-table-not-found"
    assert cause_of(described("FAILED", "Custom", "who knows")) is None
