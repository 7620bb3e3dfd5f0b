"""Looks at SSM parameters that the resources use: who wrote which version when. No value leaves this module.

API: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameterHistory.html
"""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from aws.reads import read
from domain.evidence import Evidence
from domain.resource import Resource, ResourceType
from domain.values import utc
from specialists.change_intelligence.evidence import UNKNOWN, ParameterChange
from specialists.change_intelligence.order import failing_first
from specialists.contract import Look, probe
from specialists.kit.answers import absent
from specialists.kit.changes import LOOK_BACK, parameter_name

MAX_PARAMETERS = 5
MAX_VERSIONS = 100
"""SSM keeps no more of a parameter."""


@probe(
    read("ssm", "DescribeParameters"),
    read("ssm", "GetParameterHistory"),
    yields=(ParameterChange,),
    only=[ResourceType.PARAMETER],
    together=True,
)
def parameter_changes(look: Look) -> Iterator[Evidence]:
    """Who wrote the SSM parameters in the day before, and whether their value became another; never the value."""
    named = {parameter_name(target): target for target in failing_first(look, look.targets)[:MAX_PARAMETERS]}
    filters: Any = [{"Key": "Name", "Option": "Equals", "Values": list(named)}]
    for known in look.aws.ssm.describe_parameters(ParameterFilters=filters).get("Parameters", []):
        target = named.get(known.get("Name", ""))
        written = known.get("LastModifiedDate")
        if target is not None and written is not None and utc(written) >= look.window.start - LOOK_BACK:
            yield from _versions(look, target, known.get("Name", ""))


def _versions(look: Look, target: Resource, name: str) -> Iterator[ParameterChange]:
    def history() -> list[Mapping[str, Any]]:
        pages = look.aws.ssm.get_paginator("get_parameter_history").paginate(
            Name=name, WithDecryption=False, PaginationConfig={"MaxItems": MAX_VERSIONS}
        )
        return [version for page in pages for version in page.get("Parameters", [])]

    listed = sorted(absent(history, "ParameterNotFound") or [], key=lambda version: version.get("Version", 0))
    for before, after in [(None, listed[0]), *pairwise(listed)] if listed else []:
        at = utc(after["LastModifiedDate"])
        if look.window.start - LOOK_BACK <= at <= look.window.end:
            yield ParameterChange(
                resource=target.id,
                source="ssm:GetParameterHistory",
                observed_at=at,
                event_id=f"{name}:{after.get('Version', 0)}",
                event_name="PutParameter",
                event_source="ssm.amazonaws.com",
                who=str(after.get("LastModifiedUser", "")).rsplit("/", 1)[-1] or UNKNOWN,
                version=after.get("Version", 0),
                changed=_another_value(before, after),
            )


def _another_value(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> bool | None:
    if before is None:
        return True
    if "SecureString" in (before.get("Type"), after.get("Type")):
        return None
    return bool(before.get("Value") != after.get("Value"))


PARAMETER_PROBES = (parameter_changes,)
