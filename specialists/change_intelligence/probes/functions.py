"""Looks at functions: their settings now, the versions published before, and where their aliases point."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from aws.reads import read
from domain.evidence import Evidence
from domain.resource import Resource, ResourceType
from domain.values import utc
from specialists.change_intelligence.evidence import (
    LATEST,
    UNKNOWN,
    AliasState,
    FunctionRevisions,
    Revision,
    RevisionChange,
)
from specialists.change_intelligence.order import failing_first
from specialists.contract import Look, probe
from specialists.kit.answers import absent
from specialists.kit.changes import LOOK_BACK
from specialists.kit.functions import GET_CONFIGURATION, NO_FUNCTION, configuration_of

if TYPE_CHECKING:
    from types_boto3_lambda.type_defs import FunctionConfigurationTypeDef

MAX_FUNCTIONS = 8
MAX_VERSIONS = 200
KEPT_VERSIONS = 10
LAMBDA = (ResourceType.LAMBDA,)
NUMBERS = {"Timeout": "timeout", "MemorySize": "memorySize", "Runtime": "runtime", "Handler": "handler", "Role": "role"}
"""Settings that may be told, and how CloudTrail spells them."""


@probe(
    GET_CONFIGURATION,
    read("lambda", "ListVersionsByFunction"),
    yields=(FunctionRevisions, RevisionChange),
    only=LAMBDA,
    together=True,
)
def function_revisions(look: Look) -> Iterator[Evidence]:
    """When each function's code or settings were last changed, and what differs from the version before."""
    for target in failing_first(look, look.targets)[:MAX_FUNCTIONS]:
        now = absent(partial(configuration_of, look, target.name), NO_FUNCTION)
        if now is not None:
            yield from _revisions(look, target, now)


def _revisions(look: Look, target: Resource, now: Mapping[str, Any]) -> Iterator[Evidence]:
    pages = look.aws.lambda_.get_paginator("list_versions_by_function").paginate(
        FunctionName=target.name, PaginationConfig={"MaxItems": MAX_VERSIONS + 1}
    )
    listed = [version for page in pages for version in page.get("Versions", []) if version.get("Version") != LATEST]
    listed.sort(key=lambda version: int(version.get("Version", "0")))
    truncated = len(listed) >= MAX_VERSIONS
    network = now.get("VpcConfig") or {}
    yield FunctionRevisions(
        resource=target.id,
        source="lambda:ListVersionsByFunction",
        role=now.get("Role", ""),
        key_arn=now.get("KMSKeyArn", ""),
        security_groups=tuple(network.get("SecurityGroupIds", ())[:2]),
        latest=_revision(now),
        # The list begins with the oldest: of a longer one the newest are not known.
        published=() if truncated else tuple(_revision(version) for version in listed[-KEPT_VERSIONS:]),
        truncated=truncated,
    )
    steps: list[tuple[Mapping[str, Any] | None, Mapping[str, Any]]] = [] if truncated else list(_steps(listed))
    newest = None if truncated or not listed else listed[-1]
    for before, after in [*steps, (newest, now)]:
        change = _change(target, before, after)
        if change.observed_at and look.window.start - LOOK_BACK <= change.observed_at <= look.window.end:
            yield change


def _steps(
    listed: "Sequence[FunctionConfigurationTypeDef]",
) -> Iterator[tuple[Mapping[str, Any] | None, Mapping[str, Any]]]:
    yield from ((None, version) for version in listed[:1])
    yield from pairwise(listed)


def _revision(configuration: Mapping[str, Any]) -> Revision:
    return Revision(
        version=configuration.get("Version", LATEST), at=_moment(configuration), settings=_settings(configuration)
    )


def _settings(configuration: Mapping[str, Any]) -> dict[str, str]:
    told = {new: str(configuration[key]) for key, new in NUMBERS.items() if configuration.get(key)}
    return {**told, "codeSha256": configuration.get("CodeSha256", "")}


def _change(target: Resource, before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> RevisionChange:
    """Compare two versions; values that are nobody's business are compared here and not kept."""
    version = after.get("Version", LATEST)
    old, new = ({} if before is None else _settings(before)), _settings(after)
    changed = sorted(key for key in new if old and old.get(key, "") != new[key])
    unsaid = _unsaid(before, after) if before is not None else []
    code = "codeSha256" in changed
    told = [key for key in changed if key != "codeSha256"]
    name = "UpdateFunctionCode" if code else "UpdateFunctionConfiguration" if changed or unsaid else "UpdateFunction"
    return RevisionChange(
        resource=target.id,
        source="lambda:GetFunctionConfiguration" if version == LATEST else "lambda:ListVersionsByFunction",
        observed_at=_moment(after),
        event_id=f"{target.name}:{version}",
        event_name=name,
        event_source="lambda.amazonaws.com",
        who=UNKNOWN,
        parameters={
            **{key: new[key] for key in told},
            **dict.fromkeys(unsaid, ""),
            **({"codeSha256": ""} if code else {}),
        },
        before={key: old[key] for key in told if key in old},
        version=version,
    )


def _unsaid(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return the settings that differ and whose values are not told: variables by name, layers, network, key."""
    old, new = ((one.get("Environment") or {}).get("Variables", {}) for one in (before, after))
    names = [f"environment.{name}" for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
    layers = [[layer.get("Arn") for layer in one.get("Layers", ())] for one in (before, after)]
    network = [sorted((one.get("VpcConfig") or {}).get("SecurityGroupIds", ())) for one in (before, after)]
    return [
        *names[:20],
        *(["layers"] if layers[0] != layers[1] else []),
        *(["vpcConfig"] if network[0] != network[1] else []),
    ]


def _moment(configuration: Mapping[str, Any]) -> datetime | None:
    """Read Lambda's "2026-11-11T10:00:00.000+0000"."""
    try:
        return utc(datetime.fromisoformat(configuration.get("LastModified", "")))
    except ValueError:
        return None


@probe(read("lambda", "ListAliases"), yields=(AliasState,), only=LAMBDA, together=True)
def aliases(look: Look) -> Iterator[Evidence]:
    """Which version each alias of the functions points to, and whether it sends a share elsewhere."""
    for target in failing_first(look, look.targets)[:MAX_FUNCTIONS]:
        answer = absent(partial(look.aws.lambda_.list_aliases, FunctionName=target.name), NO_FUNCTION)
        for alias in answer.get("Aliases", []) if answer else []:
            routing = alias.get("RoutingConfig") or {}
            yield AliasState(
                resource=target.id,
                source="lambda:ListAliases",
                alias=alias.get("Name", ""),
                version=alias.get("FunctionVersion", ""),
                weights=dict(routing.get("AdditionalVersionWeights") or {}),
            )


FUNCTION_PROBES = (function_revisions, aliases)
