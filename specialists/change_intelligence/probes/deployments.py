"""Looks at CodeDeploy: deployments of the last day that moved an alias of one of the functions.

Asked without an application's name, ListDeployments tells those of the whole account, so two calls are enough:
https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_ListDeployments.html
"""

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import yaml

from aws.reads import read
from domain.evidence import Evidence
from domain.resource import ResourceType
from domain.values import utc
from specialists.change_intelligence.evidence import UNKNOWN, AliasState, DeploymentChange
from specialists.contract import Look, probe
from specialists.kit.changes import LOOK_BACK

if TYPE_CHECKING:
    from types_boto3_codedeploy.type_defs import DeploymentInfoTypeDef

MAX_DEPLOYMENTS = 25
"""As many as one BatchGetDeployments takes."""

MAX_CONTENT = 50_000


@probe(
    read("codedeploy", "ListDeployments"),
    read("codedeploy", "BatchGetDeployments"),
    needs=(AliasState,),
    yields=(DeploymentChange,),
    only=[ResourceType.LAMBDA],
    together=True,
)
def deployments(look: Look) -> Iterator[Evidence]:
    """Which CodeDeploy deployments moved the functions' aliases in the day before, and to which version."""
    period = {"start": look.window.start - LOOK_BACK, "end": look.window.end}
    listed = look.aws.codedeploy.list_deployments(createTimeRange=period).get("deployments", [])  # type: ignore[arg-type]  # a plain dict
    if not listed:
        return
    functions = {target.name: target.id for target in look.targets}
    answer = look.aws.codedeploy.batch_get_deployments(deploymentIds=listed[:MAX_DEPLOYMENTS])
    for info in answer.get("deploymentsInfo", []):
        if info.get("computePlatform") == "Lambda" and "createTime" in info:
            yield from _changes(info, functions)


def _changes(info: "DeploymentInfoTypeDef", functions: Mapping[str, str]) -> Iterator[DeploymentChange]:
    """Yield one change for each function that the revision names and that we know."""
    status = info.get("status", "")
    problem = info.get("errorInformation") or {}
    ended = status in {"Failed", "Stopped"}
    for properties in _moved(info):
        function = str(properties.get("Name", "")).rsplit(":function:", 1)[-1].split(":")[0]
        if function in functions:
            yield DeploymentChange(
                resource=functions[function],
                source="codedeploy:BatchGetDeployments",
                observed_at=utc(info["createTime"]),
                event_id=info.get("deploymentId", ""),
                event_name="CodeDeploy deployment",
                event_source="codedeploy.amazonaws.com",
                who=f"CodeDeploy ({info['creator']})" if info.get("creator") else UNKNOWN,
                application=info.get("applicationName", ""),
                status=status,
                parameters={"functionVersion": str(properties.get("TargetVersion", ""))},
                before={"functionVersion": str(properties.get("CurrentVersion", ""))},
                error_code=str(problem.get("code") or status) if ended else None,
                error_message=str(problem.get("message", ""))[:500] if ended else "",
            )


def _moved(info: "DeploymentInfoTypeDef") -> Iterator[Mapping[str, Any]]:
    """Yield the properties of the functions in the AppSpec, which is JSON or YAML."""
    revision: Mapping[str, Any] = info.get("revision") or {}
    text = str((revision.get("appSpecContent") or revision.get("string") or {}).get("content", ""))[:MAX_CONTENT]
    try:
        document = json.loads(text) if text.lstrip().startswith("{") else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError, RecursionError):
        return
    resources = document.get("Resources", document.get("resources")) if isinstance(document, dict) else None
    for entry in resources if isinstance(resources, list) else []:
        for part in entry.values() if isinstance(entry, dict) else []:
            properties = part.get("Properties", part.get("properties")) if isinstance(part, dict) else None
            if isinstance(properties, dict):
                yield {key[:1].upper() + key[1:]: value for key, value in properties.items()}


DEPLOYMENT_PROBES = (deployments,)
