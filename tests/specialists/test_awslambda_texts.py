"""Reading what functions, runtimes and Lambda print: which text states which cause, and which states none."""

import json
from datetime import UTC, datetime

import pytest

from domain.causes import CAUSES
from specialists.awslambda.logformat import is_error, read_error
from specialists.awslambda.reports import read_report
from specialists.awslambda.texts import ANSWERED, BY_STATE, PRINTED, answered_cause, printed_cause
from tests.specialists.awslambda_building import REQUEST, error, invoked, logs, named, proven, segment

AT = datetime(2026, 11, 20, 9, 50, tzinfo=UTC)

PRINTS = [
    (
        "lambda-import-error-python",
        "Runtime.ImportModuleError: Unable to import module 'handlers.main': No module named 'stripe'",
    ),
    (
        "lambda-import-error-python",
        "Unable to import module 'app': cannot import name 'soft_unicode' from 'markupsafe'",
    ),
    (
        "lambda-import-error-node",
        "Runtime.ImportModuleError: Error: Cannot find module 'index'\nRequire stack:\n- /var/runtime/index.mjs",
    ),
    (
        "lambda-import-error-node",
        "Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'zod' imported from /var/task/index.mjs",
    ),
    (
        "lambda-import-error-node",
        "Runtime.UserCodeSyntaxError: SyntaxError: Cannot use import statement outside a module",
    ),
    ("lambda-import-native-arch", "Unable to import module 'app': /var/task/x.so: cannot open shared object file"),
    (
        "lambda-import-native-arch",
        "Runtime.ImportModuleError: Unable to import module 'a': No module named 'pydantic_core._pydantic_core'",
    ),
    ("lambda-import-native-arch", "Error: /var/task/node_modules/bcrypt/bcrypt.node: invalid ELF header"),
    ("lambda-import-native-arch", "/lib64/libc.so.6: version `GLIBC_2.34' not found"),
    ("lambda-handler-not-found", "Runtime.HandlerNotFound: Handler 'handler' missing on module 'function'"),
    ("lambda-handler-not-found", "Runtime.HandlerNotFound: index.main is undefined or not exported"),
    ("lambda-class-not-found", "Class not found: com.shop.Handler: java.lang.ClassNotFoundException"),
    ("lambda-class-not-found", "Unable to load type 'Shop.Handler' from assembly 'Shop'."),
    (
        "lambda-syntax-error",
        "Runtime.UserCodeSyntaxError: Syntax error in module 'app': invalid syntax (app.py, line 3)",
    ),
    ("lambda-syntax-error", "SyntaxError: Unexpected token '}'"),
    ("lambda-permission-on-files", "Error: EACCES: permission denied, open '/var/task/index.js'"),
    ("lambda-permission-on-files", "PermissionError: [Errno 13] Permission denied: '/var/task/function.py'"),
    (
        "lambda-bootstrap-missing",
        "Runtime.InvalidEntrypoint: RequestId: x Error: fork/exec /var/task/main: no such file or directory",
    ),
    ("lambda-bootstrap-missing", "fork/exec /var/task/bootstrap: exec format error"),
    ("lambda-wrapper-not-found", "Runtime.ExitError: RequestId: x Error: Runtime exited with error: exit status 127"),
    ("lambda-runtime-exit", "Runtime.ExitError: RequestId: x Error: Runtime exited with error: exit status 1"),
    ("lambda-runtime-exit", "Runtime exited with error: signal: segmentation fault"),
    ("lambda-oom", "Runtime.ExitError: RequestId: x Error: Runtime exited with error: signal: killed"),
    ("lambda-oom", "java.lang.OutOfMemoryError: Java heap space"),
    ("lambda-oom", "System.OutOfMemoryException: Exception of type was thrown"),
    ("lambda-oom-python-memoryerror", "MemoryError"),
    ("lambda-oom-node-heap", "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory"),
    (
        "lambda-marshal-error",
        "Runtime.MarshalError: Unable to marshal response: Object of type Decimal is not JSON serializable",
    ),
    ("lambda-response-too-large", "LAMBDA_RUNTIME Failed to post handler success response. Http response code: 413."),
    ("lambda-readonly-fs", "OSError: [Errno 30] Read-only file system: '/var/task/cache'"),
    ("lambda-readonly-fs", "EROFS: read-only file system, mkdir '/var/task/x'"),
    ("lambda-tmp-full", "write /tmp/a.bin: no space left on device"),
    ("lambda-fd-exhausted", "Error: EMFILE: too many open files, open '/tmp/x'"),
    ("lambda-fd-exhausted", "java.net.SocketException: Too many open files"),
    ("lambda-timeout", "2026-11-20T09:50:00Z 3f1c Task timed out after 900.10 seconds"),
    ("lambda-snapstart", "Runtime.AfterRestoreError: hook failed"),
    (
        "lambda-kms-disabled",
        "An error occurred (DisabledException) when calling Decrypt: arn:aws:kms:eu-west-1:1:key/ab12 is disabled.",
    ),
    ("kms-pending-deletion", "KMSInvalidStateException: arn:aws:kms:eu-west-1:1:key/ab12 is pending deletion."),
]

ANSWERS = [
    (
        "lambda-function-not-found",
        "ResourceNotFoundException: Function not found: arn:aws:lambda:eu-west-1:1:function:x:live",
    ),
    (
        "lambda-invoke-permission-denied",
        "User: u is not authorized to perform: lambda:InvokeFunction on resource: f because no identity-based",
    ),
    ("lambda-throttle-reserved", "Rate Exceeded. Reason: ReservedFunctionConcurrentInvocationLimitExceeded"),
    ("lambda-throttle-account", "TooManyRequestsException Reason: ConcurrentInvocationLimitExceeded"),
    ("lambda-invoke-rate", "TooManyRequestsException Reason: CallerRateLimitExceeded"),
    ("lambda-request-too-large", "Request must be smaller than 6291456 bytes for the InvokeFunction operation"),
    (
        "lambda-env-4kb",
        "InvalidParameterValueException: the environment variables you have provided exceeded the 4KB limit.",
    ),
    (
        "lambda-runtime-deprecated",
        "The runtime parameter of java8 is no longer supported for creating or updating AWS Lambda functions.",
    ),
    ("lambda-code-storage", "CodeStorageExceededException: Code storage limit exceeded."),
    ("lambda-role-not-assumable", "The role defined for the function cannot be assumed by Lambda."),
    ("lambda-kms-denied", "Lambda was unable to decrypt the environment variables because KMS access was denied."),
    (
        "lambda-kms-disabled",
        "KMSDisabledException: Lambda was unable to decrypt the environment variables because the KMS key used is disabled.",
    ),
    ("kms-key-not-found", "KMSNotFoundException: the key was not found"),
    (
        "lambda-efs-mount",
        "EFSMountTimeoutException: The function could not mount the EFS file system with access point a",
    ),
    (
        "lambda-eni-limit",
        "ENILimitReachedException: The elastic network interface limit was reached for the function's VPC.",
    ),
    ("lambda-subnet-ip-exhausted", "SubnetIPAddressLimitReachedException: x"),
    ("lambda-ec2-throttled", "EC2ThrottledException: Lambda was throttled by Amazon EC2"),
    ("lambda-ec2-access-denied", "EC2AccessDeniedException: Need additional permissions"),
    ("lambda-subnet-sg-deleted", "InvalidSecurityGroupIDException: gone"),
    ("lambda-pending-state", "ResourceConflictException: The function is currently in the following state: Pending"),
    ("lambda-inactive-or-failed", "ResourceNotReadyException: not ready"),
    ("lambda-snapstart", "SnapStartNotReadyException: later"),
    (
        "lambda-recursive-loop",
        "RecursiveInvocationException: Lambda has detected your function being invoked in a recursive loop",
    ),
]

NEAR_MISSES = [
    "SyntaxError: Unexpected token < in JSON at position 0",
    "SyntaxError: Unexpected token '<', \"<!DOCTYPE \"... is not valid JSON",
    "psycopg2.errors.SyntaxError: syntax error at or near SELECT",
    "ENOSPC: System limit for number of file watchers reached",
    "PermissionError: [Errno 13] Permission denied: '/mnt/share/x'",
    "FileNotFoundError: [Errno 2] No such file or directory: '/tmp/x'",
    "ProvisionedThroughputExceededException: The level of configured provisioned throughput",
    "KeyError: 'MemoryErrors'",
    "ResourceNotFoundException: Requested resource not found",
]


@pytest.mark.parametrize(("cause", "text"), PRINTS)
def test_a_printed_text_states_its_cause(cause, text):
    assert printed_cause(text) == cause


@pytest.mark.parametrize(("cause", "text"), ANSWERS)
def test_an_answer_of_lambda_states_its_cause(cause, text):
    assert answered_cause(text) == cause


@pytest.mark.parametrize("text", NEAR_MISSES)
def test_a_text_that_only_resembles_states_nothing(text):
    assert printed_cause(text) is None


@pytest.mark.parametrize(("cause", "text"), PRINTS)
def test_a_printed_text_in_the_traced_function_proves_its_cause(cause, text):
    kind, _, message = text.partition(": ")
    found = proven(segment(error(kind, message or text)))

    assert found == ({cause} if cause != "lambda-wrapper-not-found" else set())


@pytest.mark.parametrize(("cause", "text"), ANSWERS)
def test_an_answer_to_a_caller_proves_its_cause_alone(cause, text):
    code, _, message = text.partition(": ")

    assert proven(invoked(error("ClientError", message or text, code=code))) == {cause}


def test_every_cause_of_the_tables_is_in_the_catalogue():
    assert {row.cause for row in (*PRINTED, *ANSWERED)} | set(BY_STATE.values()) <= set(CAUSES)


LINES = [
    ("[ERROR] KeyError: 'TABLE_NAME'\rTraceback (most recent call last):\r  File x", "KeyError", True),
    ("[ERROR] PaymentRejected: card declined\rTraceback (most recent call last):", "PaymentRejected", True),
    ("[ERROR]\t2026-11-20T09:50:00Z\t3f1c\tcould not load profile", "", False),
    (
        '2026-11-20T09:50:00Z\t3f1c\tERROR\tInvoke Error \t{"errorType":"TypeError","errorMessage":"x is undefined","stack":["at a"]}',
        "TypeError",
        True,
    ),
    (
        '{"timestamp":"t","level":"ERROR","errorType":"ValueError","errorMessage":"bad","stackTrace":[]}',
        "ValueError",
        True,
    ),
    ('{"level":"ERROR","message":"gave up","exception_name":"KeyError"}', "KeyError", False),
    (
        "java.lang.IllegalStateException: no connection\n\tat com.shop.Handler.handle(Handler.java:3)",
        "java.lang.IllegalStateException",
        True,
    ),
    (
        "System.NullReferenceException: Object reference not set\n   at Shop.Handler.Handle()",
        "System.NullReferenceException",
        True,
    ),
    ("RequestId: 3f1c Error: Runtime exited without providing a reason", "Runtime.ExitError", True),
    ("2026-11-20T09:50:00Z 3f1c Task timed out after 3.00 seconds", "Sandbox.Timedout", True),
    ('{"errorType":"Error","errorMessage":"cut off","stackTrace":["at a"', "Error", True),
]


@pytest.mark.parametrize(("line", "kind", "fatal"), LINES)
def test_an_error_is_read_in_every_log_format(line, kind, fatal):
    found = read_error(line)

    assert found is not None
    assert (found.type, found.fatal) == (kind, fatal)
    assert is_error(line)


@pytest.mark.parametrize(
    "line",
    [
        f"START RequestId: {REQUEST} Version: $LATEST",
        f"REPORT RequestId: {REQUEST}\tDuration: 3.00 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB",
        "[INFO]\t2026-11-20T09:50:00Z\t3f1c\tValueError: was handled",
        '{"level":"INFO","message":"0 errors"}',
        "orders processed: 12",
        "",
        "{",
    ],
)
def test_an_ordinary_line_is_no_error(line):
    assert read_error(line) is None
    assert not is_error(line)


def test_a_report_is_read_from_text_and_from_json():
    text = (
        f"REPORT RequestId: {REQUEST}\tDuration: 3000.00 ms\tBilled Duration: 3150 ms\tMemory Size: 512 MB\t"
        "Max Memory Used: 510 MB\tInit Duration: 150.5 ms\tStatus: timeout"
    )
    record = {
        "requestId": REQUEST,
        "status": "timeout",
        "metrics": {"durationMs": 3000.0, "memorySizeMB": 512, "maxMemoryUsedMB": 510, "initDurationMs": 150.5},
    }
    as_json = json.dumps({"time": "t", "type": "platform.report", "record": record})

    assert read_report(text, AT) == read_report(as_json, AT) == read_report(text.replace("\t", " "), AT)
    assert read_report(text, AT).model_dump(exclude={"at"}) == {
        "phase": "invoke", "during": "", "request_id": REQUEST, "duration_ms": 3000.0, "init_ms": 150.5,
        "memory_mb": 512, "max_memory_mb": 510, "status": "timeout", "error_type": "",
    }  # fmt: skip


def test_a_failed_initialisation_is_read():
    found = read_report("INIT_REPORT Init Duration: 10008.74 ms\tPhase: init\tStatus: timeout", AT)

    assert found is not None
    assert (found.phase, found.during, found.status, found.duration_ms) == ("init", "init", "timeout", 10008.74)


@pytest.mark.parametrize(
    "line", ['{"type":"platform.report","record":7}', '{"type":"platform.report"', "[]", "REPORTED x"]
)
def test_what_is_no_report_is_none(line):
    assert read_report(line, AT) is None


def test_a_text_of_the_wrong_side_states_nothing_about_this_function():
    """A function that calls another one, which does not exist, is not itself missing."""
    other = "An error occurred (ResourceNotFoundException) when calling the Invoke operation: Function not found: arn:x"

    assert "lambda-function-not-found" not in named(
        segment(error("ClientError", other)), logs(f"[ERROR] ClientError: {other}")
    )


def test_an_old_line_of_another_kind_does_not_outweigh_the_trace():
    found = named(segment(error("MemoryError")), logs("[ERROR] OSError: [Errno 28] No space left on device\rTraceback"))

    assert [s.strength for s in found["lambda-oom-python-memoryerror"].supports] == ["proof"]
    assert [s.strength for s in found["lambda-tmp-full"].supports] == ["weak"]


def test_error_lines_beside_a_healthy_trace_are_weak():
    found = named(segment(failed=False), logs("[ERROR] OSError: [Errno 28] No space left on device\rTraceback"))

    assert [s.strength for s in found["lambda-tmp-full"].supports] == ["weak"]


def test_a_line_without_request_id_between_the_requests_lines_belongs_to_it():
    request = logs(f"START RequestId: {REQUEST}", "x", f"END RequestId: {REQUEST}", named=f"request {REQUEST}")
    lines = logs("unrelated", "[ERROR] OSError: [Errno 28] No space left on device\rTraceback")
    elsewhere = lines.model_copy(update={"events": tuple(e.model_copy(update={"stream": "s2"}) for e in lines.events)})

    assert "lambda-tmp-full" in proven(segment(error("OSError", "boom")), request, lines)
    assert "lambda-tmp-full" not in proven(segment(error("OSError", "boom")), request, elsewhere)
