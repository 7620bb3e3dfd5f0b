"""Looks at the function itself: its settings, versions, aliases, concurrency and key."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import ClientError

from aws.reads import read
from domain.evidence import Evidence
from domain.values import utc
from specialists.awslambda.evidence import (
    AccountLimits,
    Alias,
    Aliases,
    FunctionConfiguration,
    FunctionMissing,
    ProvisionedConcurrency,
    ProvisionedConfigs,
    PublishedVersion,
    ReservedConcurrency,
    Status,
    Unset,
    Versions,
)
from specialists.contract import Look, probe
from specialists.kit.functions import (
    GET_CONCURRENCY,
    GET_CONFIGURATION,
    NO_FUNCTION,
    configuration_of,
    reserved_concurrency_of,
)
from specialists.kit.key import KeyState
from specialists.kit.keys import DESCRIBE_KEY, key_state

if TYPE_CHECKING:
    from types_boto3_lambda.type_defs import FunctionConfigurationResponseTypeDef

T = TypeVar("T")

MAX_QUALIFIERS = 3
MAX_VERSIONS = 200


def of_function(look: Look, operation: str, call: Callable[[], T], qualifier: str | None = None) -> T | FunctionMissing:
    """Return the answer, or the evidence that the function (or its qualifier) does not exist."""
    try:
        return call()
    except ClientError as error:
        said = error.response.get("Error", {})
        if said.get("Code") != NO_FUNCTION:
            raise
        return FunctionMissing(
            resource=look.target.id,
            source=f"lambda:{operation}",
            qualifier=qualifier,
            message=said.get("Message", "")[:300],
        )


def moment(text: str | None) -> datetime | None:
    """Read Lambda's "2026-11-11T10:00:00.000+0000"; None for anything else."""
    try:
        return utc(datetime.fromisoformat(text)) if text else None
    except ValueError:
        return None


@probe(GET_CONFIGURATION, yields=(FunctionConfiguration, FunctionMissing))
def configuration(look: Look) -> Iterator[Evidence]:
    """Settings and state: timeout, memory, runtime, role, network, key, layers, names of environment variables."""
    yield _configuration(look, None)


@probe(GET_CONFIGURATION, yields=(FunctionConfiguration, FunctionMissing))
def called_version(look: Look) -> Iterator[Evidence]:
    """Settings of the alias or version that was called, or that there is no such alias or version."""
    for qualifier in [q for q in look.target.qualifiers if q != "$LATEST"][:MAX_QUALIFIERS]:
        yield _configuration(look, qualifier)


def _configuration(look: Look, qualifier: str | None) -> Evidence:
    name = look.target.name
    found = of_function(
        look, "GetFunctionConfiguration", lambda: configuration_of(look, name, qualifier or ""), qualifier
    )
    return found if isinstance(found, FunctionMissing) else _read(look, found, qualifier)


def _read(look: Look, answer: "FunctionConfigurationResponseTypeDef", qualifier: str | None) -> FunctionConfiguration:
    environment = answer.get("Environment") or {}
    error = environment.get("Error")
    network = answer.get("VpcConfig") or {}
    logging = answer.get("LoggingConfig") or {}
    return FunctionConfiguration(
        resource=look.target.id,
        source="lambda:GetFunctionConfiguration",
        qualifier=qualifier,
        version=answer.get("Version", "$LATEST"),
        runtime=answer.get("Runtime", ""),
        handler=answer.get("Handler", ""),
        package_type=answer.get("PackageType", "Zip"),
        architecture=(answer.get("Architectures") or ["x86_64"])[0],
        role=answer.get("Role", ""),
        timeout_seconds=answer.get("Timeout", 3),
        memory_mb=answer.get("MemorySize", 128),
        ephemeral_mb=answer.get("EphemeralStorage", {}).get("Size", 512),
        state=_status(answer.get("State"), "Active", answer.get("StateReasonCode"), answer.get("StateReason")),
        last_update=_status(
            answer.get("LastUpdateStatus"),
            "Successful",
            answer.get("LastUpdateStatusReasonCode"),
            answer.get("LastUpdateStatusReason"),
        ),
        last_modified=moment(answer.get("LastModified")),
        code_sha256=answer.get("CodeSha256", ""),
        code_bytes=answer.get("CodeSize", 0),
        env_names=tuple(sorted(environment.get("Variables") or {})),
        env_error=Unset(code=error.get("ErrorCode", ""), message=error.get("Message", "")) if error else None,
        layers=tuple(layer.get("Arn", "") for layer in answer.get("Layers") or ()),
        vpc_id=network.get("VpcId") or "",
        subnet_ids=tuple(network.get("SubnetIds") or ()),
        security_group_ids=tuple(network.get("SecurityGroupIds") or ()),
        dlq_arn=(answer.get("DeadLetterConfig") or {}).get("TargetArn") or "",
        kms_key_arn=answer.get("KMSKeyArn") or "",
        file_system_arns=tuple(system.get("Arn", "") for system in answer.get("FileSystemConfigs") or ()),
        tracing=(answer.get("TracingConfig") or {}).get("Mode", "PassThrough"),
        snapstart=(answer.get("SnapStart") or {}).get("ApplyOn", "None"),
        log_group=logging.get("LogGroup") or f"/aws/lambda/{look.target.name}",
        log_format=logging.get("LogFormat", "Text"),
        system_log_level=logging.get("SystemLogLevel", ""),
    )


def _status(state: str | None, usual: str, code: str | None, reason: str | None) -> Status:
    return Status(state=state or usual, reason_code=code or "", reason=(reason or "")[:300])


@probe(GET_CONCURRENCY, yields=(ReservedConcurrency, FunctionMissing))
def reserved_concurrency(look: Look) -> Iterator[Evidence]:
    """Reserved concurrency: zero switches the function off, a low value throttles it."""
    found = of_function(look, "GetFunctionConcurrency", lambda: reserved_concurrency_of(look, look.target.name))
    if isinstance(found, FunctionMissing):
        yield found
        return
    yield ReservedConcurrency(
        resource=look.target.id,
        source="lambda:GetFunctionConcurrency",
        reserved=found.get("ReservedConcurrentExecutions"),
    )


@probe(read("lambda", "GetAccountSettings"), yields=(AccountLimits,))
def account_limits(look: Look) -> Iterator[Evidence]:
    """The account's concurrency and code storage limits in this Region."""
    answer = look.once(
        ("lambda-account-limits", look.target.account, look.target.region), look.aws.lambda_.get_account_settings
    )
    limit, usage = answer["AccountLimit"], answer["AccountUsage"]
    yield AccountLimits(
        resource=look.target.id,
        source="lambda:GetAccountSettings",
        concurrent_executions=limit.get("ConcurrentExecutions", 0),
        unreserved_concurrent_executions=limit.get("UnreservedConcurrentExecutions", 0),
        code_bytes_limit=limit.get("TotalCodeSize", 0),
        code_bytes_used=usage.get("TotalCodeSize", 0),
    )


@probe(read("lambda", "ListAliases"), yields=(Aliases, FunctionMissing))
def aliases(look: Look) -> Iterator[Evidence]:
    """Aliases and how each divides its traffic between versions."""
    pages = look.aws.lambda_.get_paginator("list_aliases").paginate(FunctionName=look.target.name)
    found = of_function(look, "ListAliases", lambda: [a for page in pages for a in page.get("Aliases", [])])
    if isinstance(found, FunctionMissing):
        yield found
        return
    yield Aliases(
        resource=look.target.id,
        source="lambda:ListAliases",
        aliases=tuple(
            Alias(
                name=alias.get("Name", ""),
                version=alias.get("FunctionVersion", ""),
                weights=dict((alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}),
            )
            for alias in found
        ),
    )


@probe(read("lambda", "ListVersionsByFunction"), yields=(Versions, FunctionMissing))
def versions(look: Look) -> Iterator[Evidence]:
    """Published versions with the time of each: what was deployed when (the first 200)."""
    pages = look.aws.lambda_.get_paginator("list_versions_by_function").paginate(
        FunctionName=look.target.name, PaginationConfig={"MaxItems": MAX_VERSIONS + 1}
    )
    found = of_function(look, "ListVersionsByFunction", lambda: [v for page in pages for v in page.get("Versions", [])])
    if isinstance(found, FunctionMissing):
        yield found
        return
    yield Versions(
        resource=look.target.id,
        source="lambda:ListVersionsByFunction",
        versions=tuple(
            PublishedVersion(
                version=version.get("Version", ""),
                last_modified=moment(version.get("LastModified")),
                code_sha256=version.get("CodeSha256", ""),
            )
            for version in found[:MAX_VERSIONS]
        ),
        truncated=len(found) > MAX_VERSIONS,
    )


@probe(read("lambda", "ListProvisionedConcurrencyConfigs"), yields=(ProvisionedConfigs, FunctionMissing))
def provisioned_concurrency(look: Look) -> Iterator[Evidence]:
    """Provisioned concurrency: how much is kept warm for which alias or version."""
    pages = look.aws.lambda_.get_paginator("list_provisioned_concurrency_configs").paginate(
        FunctionName=look.target.name
    )
    found = of_function(
        look,
        "ListProvisionedConcurrencyConfigs",
        lambda: [c for page in pages for c in page.get("ProvisionedConcurrencyConfigs", [])],
    )
    if isinstance(found, FunctionMissing):
        yield found
        return
    yield ProvisionedConfigs(
        resource=look.target.id,
        source="lambda:ListProvisionedConcurrencyConfigs",
        configs=tuple(
            ProvisionedConcurrency(
                qualifier=config.get("FunctionArn", "").rsplit(":", 1)[-1],
                requested=config.get("RequestedProvisionedConcurrentExecutions", 0),
                available=config.get("AvailableProvisionedConcurrentExecutions", 0),
                status=config.get("Status", ""),
                reason=config.get("StatusReason", ""),
            )
            for config in found
        ),
    )


@probe(DESCRIBE_KEY, needs=(FunctionConfiguration,), yields=(KeyState,))
def environment_key(look: Look) -> Iterator[Evidence]:
    """The state of the customer-managed key that encrypts the environment variables, where there is one."""
    arns = {c.kms_key_arn for c in look.seen.of(FunctionConfiguration, look.target.id) if c.kms_key_arn}
    for arn in sorted(arns):
        yield key_state(look, arn)


FUNCTION_PROBES = (
    configuration,
    called_version,
    reserved_concurrency,
    account_limits,
    aliases,
    versions,
    provisioned_concurrency,
    environment_key,
)
