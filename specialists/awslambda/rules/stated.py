"""Causes that an error text or a state code states by itself; which text states which is in `texts`."""

from collections.abc import Iterator

from domain.arn import arns_in
from domain.findings import Hypothesis
from domain.resource import resource_from_arn
from domain.trace import TraceCall, TraceSegment
from specialists.awslambda.evidence import Aliases, FunctionConfiguration, FunctionMissing, InvocationReports
from specialists.awslambda.reading import changed, reports, running
from specialists.awslambda.rules.claims import claim
from specialists.awslambda.symptoms import Diagnosis, Seen, diagnoses
from specialists.contract import Case, Rule, rule
from specialists.kit.change import Change
from specialists.kit.key import KeyState
from specialists.kit.loglines import LogLines

SAYS: tuple[tuple[str, str], ...] = (
    ("lambda-import-error-python", "cannot import a Python module"),
    ("lambda-import-error-node", "cannot load a Node.js module"),
    ("lambda-import-native-arch", "loads a native library that does not fit its platform"),
    ("lambda-handler-not-found", "has a Handler setting that names no function of the code"),
    ("lambda-class-not-found", "does not find its handler class"),
    ("lambda-syntax-error", "runs code that does not parse"),
    ("lambda-permission-on-files", "may not read files of its own package"),
    ("lambda-bootstrap-missing", "cannot start its program"),
    ("lambda-marshal-error", "returns a value that cannot be turned into JSON"),
    ("lambda-response-too-large", "answers with more than the response limit"),
    ("lambda-request-too-large", "is called with a payload above the limit"),
    ("lambda-env-4kb", "was given more than 4 KB of environment variables"),
    ("lambda-readonly-fs", "writes to a read-only file system"),
    ("lambda-tmp-full", "has no space left in its temporary storage"),
    ("lambda-fd-exhausted", "has no file descriptors left"),
    ("lambda-oom-python-memoryerror", "failed to allocate memory inside the Python process"),
    ("lambda-oom-node-heap", "filled the JavaScript heap"),
    ("lambda-runtime-deprecated", "uses a runtime that Lambda no longer supports"),
    ("lambda-snapstart", "cannot make or restore its SnapStart snapshot"),
    ("lambda-code-storage", "cannot be deployed because the account's code storage is full"),
    ("lambda-role-not-assumable", "has an execution role that Lambda cannot assume"),
    ("lambda-efs-mount", "cannot mount its EFS file system"),
    ("lambda-image-deleted", "cannot get its container image"),
    ("lambda-eni-limit", "gets no network interface: the quota is used up"),
    ("lambda-subnet-ip-exhausted", "gets no address: its subnets are full"),
    ("lambda-ec2-throttled", "gets no network interface: EC2 throttles its creation"),
    ("lambda-ec2-access-denied", "has a role that may not create network interfaces"),
    ("lambda-subnet-sg-deleted", "is configured with a subnet or security group that is gone"),
    ("lambda-kms-denied", "may not use the KMS key of its environment variables"),
    ("lambda-kms-disabled", "cannot decrypt: the KMS key is disabled"),
    ("kms-pending-deletion", "cannot decrypt: the KMS key is about to be deleted"),
    ("kms-key-not-found", "cannot decrypt: the KMS key does not exist"),
    ("kms-throttled", "calls KMS faster than its quota allows"),
    ("secret-not-found", "asks for a secret or a version of it that does not exist"),
    ("secret-marked-deleted", "asks for a secret that is marked for deletion"),
    ("ssm-parameter-not-found", "asks for a parameter that does not exist"),
    ("ssm-throttling", "reads parameters faster than Parameter Store allows"),
    ("lambda-invoke-permission-denied", "may not be invoked by its caller"),
    ("lambda-pending-state", "was called while an update was still in progress"),
)
"""Causes that need no second look, and how the sentence goes on after the function's name."""

DEPLOYS = ("UpdateFunctionCode", "UpdateFunctionConfiguration", "CreateFunction", "UpdateAlias")
PACKAGE = frozenset({
    "lambda-import-error-python",
    "lambda-import-error-node",
    "lambda-import-native-arch",
    "lambda-handler-not-found",
    "lambda-class-not-found",
    "lambda-syntax-error",
    "lambda-permission-on-files",
    "lambda-bootstrap-missing",
})  # fmt: skip
"""Causes that come with a deployment, so that the last change before them belongs to the case."""

EVIDENCE = (TraceSegment, TraceCall, LogLines, FunctionConfiguration, FunctionMissing, KeyState, Aliases, Change)
"""What symptoms are gathered from."""


@rule(*(cause for cause, _ in SAYS), sees=(*EVIDENCE, InvocationReports))
def stated_causes(case: Case) -> Iterator[Hypothesis]:
    """An error text or a state code states the cause by itself."""
    found = diagnoses(case)
    for cause, says in SAYS:
        if cause not in found:
            continue
        stated = found[cause]
        deployed = changed(case, *DEPLOYS, before=stated.since)[-1:] if cause in PACKAGE and stated.since else ()
        after = f", after {deployed[0].event_name} by {deployed[0].who}" if deployed else ""
        yield claim(
            case,
            stated,
            f"`{case.target.name}` {says}{_heap_of(case, cause)}: {stated.headline}{stated.often}{after}",
            strong=deployed,
            resource=_accused(case, stated),
        )


def _heap_of(case: Case, cause: str) -> str:
    """Say how much of the memory a full heap left unused, and that Node.js was given options of its own."""
    used = [r for r in reports(case) if r.phase == "invoke" and r.memory_mb and r.failed]
    if cause != "lambda-oom-node-heap" or not used:
        return ""
    top, settings = max(used, key=lambda r: r.max_memory_mb), running(case)
    options = " under NODE_OPTIONS of its own" if settings and "NODE_OPTIONS" in settings.env_names else ""
    return f" with {top.max_memory_mb} of {top.memory_mb} MB in use{options}"


OF_A_KEY = frozenset({"kms-pending-deletion", "kms-key-not-found"})
OF_A_SUPPLY = {"secret-not-found": ":secretsmanager:", "secret-marked-deleted": ":secretsmanager:",
               "ssm-parameter-not-found": ":ssm:"}  # fmt: skip
"""Causes that are mended at a secret or parameter, where something names it; what its ARN holds."""

OF_THE_ROLE = frozenset({"lambda-role-not-assumable", "lambda-ec2-access-denied"})
"""Causes that are mended at the execution role."""


def _accused(case: Case, stated: Diagnosis) -> str | None:
    """Return the key, secret, parameter or role where a cause is mended there; None is the function."""
    if stated.cause in OF_A_KEY:
        return _key(case, stated)
    if stated.cause in OF_A_SUPPLY:
        return _supply(stated)
    configuration = running(case)
    if stated.cause in OF_THE_ROLE and configuration and configuration.role.startswith("arn:"):
        return resource_from_arn(configuration.role).id
    return None


def _supply(stated: Diagnosis) -> str | None:
    """Return the secret's or parameter's id: as the trace knows it, else as a text names it."""
    service = OF_A_SUPPLY[stated.cause]
    called = [s.evidence.resource for s in stated.symptoms if s.seen is Seen.CALL]
    named = [arn for s in stated.symptoms for arn in arns_in(s.text)]
    return next((resource_from_arn(arn).id for arn in (*called, *named) if service in arn), None)


def _key(case: Case, stated: Diagnosis) -> str | None:
    """Return the key's id: as the text names it, else as the function is configured."""
    named = [arn for symptom in stated.symptoms for arn in arns_in(symptom.text) if ":kms:" in arn]
    configuration = running(case)
    configured = [configuration.kms_key_arn] if configuration and configuration.kms_key_arn else []
    keys = [arn for arn in (*named, *configured) if arn.startswith("arn:")]
    return resource_from_arn(keys[0]).id if keys else None


STATED_RULES: tuple[Rule, ...] = (stated_causes,)
