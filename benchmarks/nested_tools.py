"""The AWS tools of the nested design: read operations, told to the model in AWS's own words from botocore's models."""

import asyncio
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from botocore import xform_name
from botocore.model import OperationModel, Shape
from strands.tools.tools import PythonAgentTool
from strands.types.tools import ToolResult, ToolSpec, ToolUse

from domain.evidence import Evidence
from sandbox.aws.models import service_model
from sandbox.models.script import compact

Operation = tuple[str, str]
"""boto3's client name, and the API's name of the operation."""

LOGS, METRICS, TRACES = ("logs", "FilterLogEvents"), ("cloudwatch", "GetMetricData"), ("xray", "BatchGetTraces")
CHANGES, SEARCH = ("cloudtrail", "LookupEvents"), ("xray", "GetTraceSummaries")
SHARED = (METRICS, LOGS, TRACES, CHANGES, SEARCH)


def _of(service: str, names: str) -> tuple[Operation, ...]:
    return tuple((service, name) for name in names.split())


OPERATIONS: Mapping[str, tuple[Operation, ...]] = {
    "lambda": (
        *_of("lambda", "GetFunctionConfiguration"),
        LOGS,
        METRICS,
        *_of("lambda", "ListVersionsByFunction GetPolicy GetFunctionConcurrency ListEventSourceMappings"),
        *_of("lambda", "GetFunctionEventInvokeConfig ListAliases"),
        TRACES,
    ),
    "apigateway": (
        *_of("apigateway", "GetStages"),
        LOGS,
        METRICS,
        *_of("apigateway", "GetResources GetRestApi GetDeployment GetIntegration GetGatewayResponses GetUsagePlans"),
        TRACES,
    ),
    "iam": (
        *_of("iam", "GetRole ListAttachedRolePolicies GetRolePolicy ListRolePolicies"),
        CHANGES,
        *_of("iam", "SimulatePrincipalPolicy GetPolicy GetPolicyVersion ListRoleTags"),
        TRACES,
    ),
    "dynamodb": (
        *_of("dynamodb", "DescribeTable"),
        METRICS,
        CHANGES,
        *_of("application-autoscaling", "DescribeScalableTargets"),
        *_of("lambda", "ListEventSourceMappings"),
        *_of("dynamodb", "DescribeContinuousBackups DescribeTimeToLive DescribeLimits ListTagsOfResource"),
        TRACES,
    ),
    "stepfunctions": _of("stepfunctions", "DescribeStateMachine ListExecutions DescribeExecution GetExecutionHistory"),
    "s3": _of("s3", "GetBucketPolicy GetBucketLocation GetBucketEncryption GetPublicAccessBlock"),
    "sqs": _of("sqs", "GetQueueAttributes GetQueueUrl ListDeadLetterSourceQueues ListQueues"),
    "sns": _of("sns", "GetTopicAttributes ListSubscriptionsByTopic GetSubscriptionAttributes ListTopics"),
    "eventbridge": _of("events", "DescribeRule ListTargetsByRule ListRules DescribeEventBus"),
    "vpc": _of("ec2", "DescribeSubnets DescribeSecurityGroups DescribeRouteTables DescribeVpcEndpoints"),
}
"""Ten of each specialist that is asked here, the most telling first; of the others what the lead has of them."""

LEADS_SHARE = 4


def lead_operations() -> tuple[Operation, ...]:
    """Return the lead's forty-five: four of each service, and those that belong to none."""
    own = ([op for op in ops if op not in SHARED][:LEADS_SHARE] for ops in OPERATIONS.values())
    return tuple(dict.fromkeys([*SHARED, *(op for ops in own for op in ops)]))


class Wording(NamedTuple):
    """How much of AWS's documentation a tool carries, and how much of an answer it hands on.

    `description` are its characters, `parameters` how many it has, documented or bare; `whole` hands on the
    observations as JSON up to `answer` characters, otherwise their one-line summaries.
    """

    description: int
    parameters: int
    documented: bool
    whole: bool
    answer: int


REALISTIC = Wording(description=300, parameters=5, documented=True, whole=True, answer=2000)
LEAN = Wording(description=70, parameters=2, documented=False, whole=False, answer=500)

JSON_TYPES = {"integer": "integer", "long": "integer", "boolean": "boolean", "list": "array", "structure": "object"}
JSON_TYPES |= {"map": "object", "double": "number", "float": "number"}
PARAMETER_CHARACTERS = 100


class AwsTools:
    """The tools over what was seen of one incident; `seconds` is how long AWS takes."""

    def __init__(self, evidence: Iterable[Evidence], wording: Wording, seconds: float) -> None:
        self._wording = wording
        self._seconds = seconds
        self._seen: dict[str, list[Evidence]] = {}
        for item in evidence:
            self._seen.setdefault(item.source, []).append(item)

    def make(self, operations: Sequence[Operation]) -> list[PythonAgentTool]:
        """Return a tool for each operation."""
        return [self._tool(operation) for operation in operations]

    def answer(self, operation: Operation) -> str:
        """Return what AWS's answer shows of the incident, as long as the wording lets it be."""
        items = self._seen.get(":".join(operation), [])
        told = [item.dump() for item in items] if self._wording.whole else [item.summary() for item in items]
        return compact(told)[: self._wording.answer]

    def _tool(self, operation: Operation) -> PythonAgentTool:
        async def run(use: ToolUse, **_: Any) -> ToolResult:
            await asyncio.sleep(self._seconds)
            return {"toolUseId": use["toolUseId"], "status": "success", "content": [{"text": self.answer(operation)}]}

        return PythonAgentTool(tool_name(operation), specification(operation, self._wording), run)


def tool_name(operation: Operation) -> str:
    """Return what the model calls it: `dynamodb_describe_table`."""
    return f"{operation[0].replace('-', '_')}_{xform_name(operation[1])}"


def specification(operation: Operation, wording: Wording) -> ToolSpec:
    """Return what the model is told of an operation."""
    model = service_model(operation[0]).operation_model(operation[1])
    schema = {"type": "object", "properties": _parameters(model, wording), "required": _required(model, wording)}
    description = _plain(model.documentation)[: wording.description]
    return {"name": tool_name(operation), "description": description, "inputSchema": {"json": schema}}


def _members(model: OperationModel, wording: Wording) -> list[tuple[str, Shape]]:
    """Return the first parameters, required ones before the others."""
    if model.input_shape is None:
        return []
    needed = set(model.input_shape.required_members)
    members = sorted(model.input_shape.members.items(), key=lambda pair: pair[0] not in needed)
    return members[: wording.parameters]


def _parameters(model: OperationModel, wording: Wording) -> dict[str, Any]:
    return {
        name: {
            "type": JSON_TYPES.get(shape.type_name, "string"),
            **({"description": _plain(shape.documentation)[:PARAMETER_CHARACTERS]} if wording.documented else {}),
        }
        for name, shape in _members(model, wording)
    }


def _required(model: OperationModel, wording: Wording) -> list[str]:
    needed = model.input_shape.required_members if model.input_shape else []
    return [name for name, _ in _members(model, wording) if name in needed]


def _plain(documentation: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", documentation).split())


def arguments(operation: Operation, resource: str) -> str:
    """Return the JSON that a model writes to call the tool about a resource."""
    required = _required(service_model(operation[0]).operation_model(operation[1]), REALISTIC)
    return json.dumps(dict.fromkeys(required or ["name"], resource))
