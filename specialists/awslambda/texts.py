"""Which cause an error text states: one ordered table, so that a text has one cause and the sharper one wins. Pure.

Error texts and codes: https://docs.aws.amazon.com/lambda/latest/dg/lambda-troubleshooting.html and the exceptions of
https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

import re
from functools import lru_cache
from typing import NamedTuple


class Signature(NamedTuple):
    """A text that states a cause."""

    cause: str
    pattern: re.Pattern[str]


def _row(cause: str, *alternatives: str) -> Signature:
    return Signature(cause, re.compile("|".join(alternatives), re.IGNORECASE))


PRINTED: tuple[Signature, ...] = (
    _row(
        "lambda-bootstrap-missing",
        r"Runtime\.Invalid(?:Entrypoint|WorkingDir)",
        r"fork/exec [^\r\n]{1,200}?: (?:no such file|permission denied|exec format error)",
        r"Couldn't find valid bootstrap",
        r"entrypoint requires the handler name",
    ),
    _row(
        "lambda-wrapper-not-found", r"exit(?:ed with)? status 127\b", r"/opt/[^\r\n]{1,100}: (?:No such file|not found)"
    ),
    _row(
        "lambda-import-native-arch",
        r"invalid ELF header",
        r"wrong ELF class",
        r"cannot open shared object file",
        r"GLIBC(?:XX)?_[\d.]{1,10}'? not found",
        r"exec format error",
        r"UnsatisfiedLinkError",
        r"DllNotFoundException|Unable to load shared library",
        r"No module named '?(?:\w{1,60}\.){0,6}(?:_rust|_cffi_backend|_multiarray_umath)\b",
        r"No module named '?(?:\w{1,60}\.){0,6}(?:_psycopg|_pydantic_core|_imaging|_bcrypt)\b",
        r"Could not load the \"\w{1,40}\" module using the \S{1,40} runtime",
        r"importing the numpy c-extensions failed",
    ),
    _row(
        "lambda-handler-not-found",
        r"Runtime\.(?:HandlerNotFound|MalformedHandlerName|UnknownHandler)",
        r"Handler '[^'\r\n]{1,200}' missing on module",
        r"is undefined or not exported",
        r"No public method named \S{1,200} with appropriate method signature",
        r"Unable to find method '[^'\r\n]{1,300}' in type",
    ),
    _row(
        "lambda-class-not-found",
        r"\bClass not found: ",
        r"ClassNotFoundException",
        r"Unable to load type '",
        r"Could not find the specified handler assembly",
        r"NoClassDefFoundError",
    ),
    _row(
        "lambda-import-error-node",
        r"Cannot find (?:module|package) '",
        r"ERR_MODULE_NOT_FOUND|ERR_REQUIRE_ESM|ERR_PACKAGE_PATH_NOT_EXPORTED",
        r"Cannot use import statement outside a module",
        r"require\(\) of ES Module",
        r"(?:require|exports|module) is not defined in ES module scope",
        r"does not provide an export named",
    ),
    _row(
        "lambda-import-error-python",
        r"Unable to import module",
        r"\bModuleNotFoundError\b",
        r"\bNo module named ",
        r"\bImportError\b",
        r"Runtime\.ImportModuleError",
    ),
    _row(
        "lambda-syntax-error",
        r"Runtime\.UserCodeSyntaxError",
        r"Syntax error in module",
        r"\bIndentationError\b|\bTabError\b",
        r"(?<![.\w])SyntaxError: (?![^\r\n]{0,200}(?:JSON|Unexpected end of input|regular expression))",
    ),
    _row(
        "lambda-permission-on-files",
        r"(?:EACCES|Errno 13)[^\r\n]{0,60}permission denied[^\r\n]{0,20}['\"(]?/(?:var/task|opt|var/runtime)/",
        r"/(?:var/task|opt)/[^\r\n]{1,200}\(Permission denied\)",
        r"Access to the path '/(?:var/task|opt)/[^'\r\n]{1,200}' is denied",
    ),
    _row("lambda-readonly-fs", r"read-only file system", r"\bEROFS\b"),
    _row("lambda-tmp-full", r"no space left on device", r"\bENOSPC\b(?![^\r\n]{0,80}watchers)"),
    _row("lambda-fd-exhausted", r"too many open files", r"\bE[MN]FILE\b"),
    _row("lambda-oom-python-memoryerror", r"(?<![A-Za-z])MemoryError\b"),
    _row(
        "lambda-oom-node-heap",
        r"JavaScript heap out of memory",
        r"Reached heap limit",
        r"Ineffective mark-compacts near heap",
    ),
    _row(
        "lambda-oom",
        r"Runtime\.OutOfMemory",
        r"Runtime exited with error: signal: killed",
        r"\bOutOfMemory(?:Error|Exception)\b",
        r"runtime: out of memory",
        r"\bNoMemoryError\b",
    ),
    _row(
        "lambda-runtime-exit",
        r"Runtime\.ExitError",
        r"Runtime exited (?:without providing a reason|with error: )",
        r"Process exited before completing request",
    ),
    _row("lambda-marshal-error", r"Runtime\.MarshalError", r"Unable to (?:marshal response|stringify response body)"),
    _row(
        "lambda-response-too-large",
        r"Function\.ResponseSizeTooLarge",
        r"Response payload size[^\r\n]{0,40} exceeded maximum allowed payload size",
        r"Failed to post handler success response\. Http response code: 413",
    ),
    _row("lambda-timeout-in-init", r"FunctionError\.InitTimeout", r"Init(?:ialization)? (?:phase )?timed out"),
    # An exception that quotes it tells of another function's end.
    _row(
        "lambda-timeout",
        r"Sandbox\.Timedout",
        r"(?:^|\n)(?:: )?(?:[^\s\"{\[]{0,63}[^\s:\"{\[]\s){0,4}Task timed out after \d",
    ),
    _row(
        "lambda-snapstart",
        r"SnapStart\w{0,24}Exception",
        r"Runtime\.(?:BeforeCheckpointError|AfterRestoreError)",
        r"Runtime hooks? .{0,60}failed",
    ),
    _row("lambda-recursive-loop", r"RecursiveInvocationException", r"invoked in a recursive loop"),
    _row("lambda-async-event-expired", r"\"condition\"\s{0,2}:\s{0,2}\"(?:EventAgeExceeded|RetriesExhausted)\""),
    _row("lambda-reserved-zero", r"ZeroReservedConcurrency"),
    _row("lambda-kms-denied", r"environment variables because KMS access was denied"),
    _row(
        "lambda-kms-disabled",
        r"environment variables because the KMS key used is disabled",
        r"(?<![A-Za-z.])DisabledException[^\r\n]{0,200}key/\S{1,80} is disabled",
    ),
    _row("kms-pending-deletion", r"\bkey/\S{1,80} is pending deletion"),
    _row("kms-key-not-found", r"Key 'arn:[^'\r\n]{1,200}' does not exist"),
    _row("kms-throttled", r"the rate at which you may call KMS"),
    _row("secret-marked-deleted", r"on (?:the|this) secret because it was (?:marked for deletion|deleted)"),
    _row("secret-not-found", r"Secrets Manager can.t find the specified secret"),
    _row(
        "ssm-parameter-not-found",
        r"\bParameterNotFound\b",
        r"(?:ssm|SimpleSystemsManagement)\.model\.ParameterNotFound",
    ),
    _row(
        "ssm-throttling",
        r"\(ThrottlingException\) when calling the GetParameter",
        r"operation error SSM: Get[^\r\n]{1,300}ThrottlingException",
        r"services\.ssm\.model\.[^\r\n]{1,120}Rate exceeded",
        r"Rate exceeded \(ssm:",
    ),
    _row("stream-poison-record", r"\"condition\"\s{0,2}:\s{0,2}\"(?:RetryAttemptsExhausted|RecordAgeExceeded)\""),
)
"""What a function and its runtime print, sharper rows first."""

ANSWERED: tuple[Signature, ...] = (
    _row("lambda-throttle-reserved", r"ReservedFunctionConcurrentInvocationLimitExceeded"),
    _row("lambda-invoke-rate", r"(?:CallerRateLimit|FunctionInvocationRateLimit)Exceeded"),
    _row("lambda-throttle-account", r"(?<!Function)ConcurrentInvocationLimitExceeded"),
    _row(
        "lambda-function-not-found",
        r"Function not found: ",
        r"(?:Alias not found|Cannot find alias arn): ",
        r"Functions from '[\w-]{1,30}' are not reachable",
    ),
    _row("lambda-request-too-large", r"RequestTooLargeException", r"Request must be smaller than \d{1,12} bytes"),
    _row(
        "lambda-invoke-permission-denied",
        r"not authorized to perform: lambda:InvokeFunction(?:Url)?\b(?![^\r\n]{0,400}explicit deny)",
    ),
    _row("lambda-env-4kb", r"environment variables you have provided exceeded the 4 ?KB limit"),
    _row(
        "lambda-runtime-deprecated", r"runtime parameter of \S{1,40} is no longer supported", r"InvalidRuntimeException"
    ),
    _row("lambda-code-storage", r"CodeStorageExceededException", r"Code storage limit exceeded"),
    _row("lambda-role-not-assumable", r"role defined for the function cannot be assumed by Lambda"),
    _row(
        "lambda-kms-denied",
        r"KMSAccessDeniedException",
        r"unable to decrypt the environment variables because KMS access was denied",
    ),
    _row(
        "lambda-kms-disabled",
        r"KMSDisabledException",
        r"because the KMS key used is disabled",
        r"key/[0-9a-f-]{36} is disabled",
    ),
    _row(
        "kms-pending-deletion",
        r"KMSInvalidStateException",
        r"\bis pending deletion",
        r"KMS key used is in an invalid state",
    ),
    _row(
        "kms-key-not-found",
        r"KMSNotFoundException",
        r"Key 'arn:[^'\r\n]{1,200}' does not exist",
        r"the KMS key was not found",
    ),
    _row("lambda-efs-mount", r"EFS(?:Mount)?\w{0,16}Exception", r"could not mount the EFS file system"),
    _row("lambda-eni-limit", r"ENILimitReachedException", r"elastic network interface limit was reached"),
    _row(
        "lambda-subnet-ip-exhausted", r"SubnetIPAddressLimitReachedException", r"subnets? has no available IP addresses"
    ),
    _row("lambda-ec2-throttled", r"EC2ThrottledException", r"Lambda was throttled by Amazon EC2"),
    _row(
        "lambda-ec2-access-denied",
        r"EC2AccessDeniedException",
        r"role does not have permissions to call CreateNetworkInterface",
        r"additional permissions to configure VPC",
    ),
    _row("lambda-subnet-sg-deleted", r"Invalid(?:SubnetID|SecurityGroupID)Exception"),
    _row(
        "lambda-pending-state",
        r"currently in the following state: '?Pending",
        r"An update is in progress for resource",
    ),
    _row(
        "lambda-inactive-or-failed",
        r"ResourceNotReadyException",
        r"currently in the following state: '?(?:Inactive|Failed)",
        r"InvalidZipFileException",
    ),
)
"""What Lambda's API answers to whoever calls the function or changes it."""

SUPPLIERS = frozenset({"secretsmanager", "ssm", "kms"})
"""Services whose refusals to the function no other specialist looks into, as boto3 names them."""

BY_STATE = {
    "EniLimitExceeded": "lambda-eni-limit",
    "SubnetOutOfIPAddresses": "lambda-subnet-ip-exhausted",
    "InvalidSubnet": "lambda-subnet-sg-deleted",
    "InvalidSecurityGroup": "lambda-subnet-sg-deleted",
    "InsufficientRolePermissions": "lambda-ec2-access-denied",
    "EC2RequestLimitExceeded": "lambda-ec2-throttled",
    "ImageDeleted": "lambda-image-deleted",
    "ImageAccessDenied": "lambda-image-deleted",
    "KMSKeyAccessDenied": "lambda-kms-denied",
    "DisabledKMSKey": "lambda-kms-disabled",
    "InvalidStateKMSKey": "kms-pending-deletion",
    "KMSKeyNotFound": "kms-key-not-found",
    "EFSIOError": "lambda-efs-mount",
    "EFSMountConnectivityError": "lambda-efs-mount",
    "EFSMountFailure": "lambda-efs-mount",
    "EFSMountTimeout": "lambda-efs-mount",
    "InvalidRuntime": "lambda-runtime-deprecated",
    "FunctionError.InitTimeout": "lambda-timeout-in-init",
    "FunctionError.InvalidEntryPoint": "lambda-bootstrap-missing",
    "FunctionError.InvalidWorkingDirectory": "lambda-bootstrap-missing",
    "FunctionError.PermissionDenied": "lambda-permission-on-files",
}
"""StateReasonCode and LastUpdateStatusReasonCode: the cause where the code states one."""

BY_CODE = {
    "ResourceNotFoundException": "lambda-function-not-found",
}
"""Codes that decide only because the call was to this function."""


@lru_cache(maxsize=8192)
def printed_cause(text: str) -> str | None:
    """Return the cause that a text of the function or its runtime states."""
    return next((row.cause for row in PRINTED if row.pattern.search(text)), None)


@lru_cache(maxsize=2048)
def supplied_cause(service: str, code: str, message: str) -> str | None:
    """Return the cause that a supplier's answer to the function states; `service` is as the trace names it."""
    name = re.sub(r"[^a-z]", "", service.lower().removeprefix("aws").removeprefix("amazon"))
    if name not in SUPPLIERS:
        return None
    said = f"{code}: {message}"
    return printed_cause(said) or ("ssm-throttling" if name == "ssm" and SLOW_DOWN.search(said) else None)


SLOW_DOWN = re.compile(r"\bThrottling(?:Exception)?\b|Rate exceeded", re.IGNORECASE)


@lru_cache(maxsize=2048)
def answered_cause(text: str, code: str = "") -> str | None:
    """Return the cause that an answer of Lambda about the function states."""
    said = next((row.cause for row in ANSWERED if row.pattern.search(text)), None)
    return said or printed_cause(text) or BY_CODE.get(code)
