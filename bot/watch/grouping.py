"""Which alarms belong together: the service that one is of, and the resources that it watches. Pure.

An alarm's service is, from the surest to the least: its metric's namespace ("AWS/Lambda" is lambda); the dimension
that names a resource (FunctionName is lambda); the first word of its name that tells more than an environment or a
severity ("prod-orders-api-5xx" is orders), because so teams name the alarms of one thing; "other" where nothing tells.
"""

import re
from collections.abc import Iterable, Iterator

from domain.alarm import AlarmReference
from domain.report import Report
from domain.resource import Resource, ResourceType
from orchestrator.dimensions import DIMENSIONS, targets_of

OTHER = "other"
LONGEST = 40

SERVICES: dict[str, str] = {
    "AWS/States": "stepfunctions",
    "AWS/Events": "eventbridge",
    "AWS/EventBridge/Pipes": "eventbridge",
    "AWS/NATGateway": "vpc",
    "AWS/PrivateLinkEndpoints": "vpc",
    "LambdaInsights": "lambda",
}
"""Namespaces that are not spelt as their service; of any other, what follows "AWS/" is the service."""

NOISE = frozenset({
    "prod", "production", "prd", "stage", "staging", "stg", "dev", "test", "qa", "uat", "live", "aws", "amazon",
    "cloudwatch", "alarm", "alarms", "alert", "alerts", "critical", "crit", "high", "low", "warning", "warn", "error",
    "errors", "sev", "eu", "us", "ap", "sa", "ca", "me", "af", "il", "mx", "east", "west", "north", "south", "central",
    "northeast", "southeast", "the", "new",
})  # fmt: skip
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_]+")

KEYS: dict[ResourceType, str] = {
    ResourceType.LAMBDA: "lambda",
    ResourceType.TABLE: "dynamodb",
    ResourceType.REST_API: "apigateway",
    ResourceType.HTTP_API: "apigateway",
    ResourceType.API: "apigateway",
    ResourceType.QUEUE: "sqs",
    ResourceType.TOPIC: "sns",
    ResourceType.STATE_MACHINE: "stepfunctions",
    ResourceType.RULE: "eventbridge",
    ResourceType.BUCKET: "s3",
    ResourceType.STREAM: "kinesis",
}
"""The services that dimensions name resources of, by the resource's type."""


def service_of(alarm: AlarmReference) -> str:
    """Return the service that an alarm is grouped by, lower case."""
    if alarm.namespace:
        return SERVICES.get(alarm.namespace, alarm.namespace.removeprefix("AWS/").lower())[:LONGEST]
    named = next((row.service for row in DIMENSIONS if row.name in alarm.dimensions), "")
    if named:
        return named
    words = (word.lower() for word in WORD.findall(alarm.name))
    return next((word for word in words if word not in NOISE and len(word) > 1), OTHER)[:LONGEST]


def watches_of(alarm: AlarmReference) -> tuple[str, ...]:
    """Return the resources that an alarm's dimensions name: "lambda:orders-fn"; nothing where none are told."""
    named = [(t.service, t.name) for t in targets_of(alarm.namespace or "", alarm.dimensions)]
    if not alarm.namespace:
        named = [(row.service, alarm.dimensions[row.name]) for row in DIMENSIONS if row.name in alarm.dimensions]
    return tuple(sorted({_key(service, name) for service, name in named if name}))


def explained_by(report: Report) -> tuple[str, ...]:
    """Return what a verdict explains, in the words of `watches_of`: the root cause's resource and what failed over it.

    Callers count as far as failing calls lead from them to the root; nothing without a root cause.
    """
    if report.root_cause is None:
        return ()
    graph, root = report.service_graph, report.root_cause.resource
    nodes = (n for n in graph.nodes if n.id == root or root in graph.downstream(n.id, failing=True))
    return tuple(sorted(set(_keys(nodes))))


def _keys(nodes: Iterable[Resource]) -> Iterator[str]:
    for node in nodes:
        if node.type in KEYS:
            yield from (_key(KEYS[node.type], name) for name in {node.name, node.alias, node.id} if name)


def _key(service: str, name: str) -> str:
    """Leave out an alias, a version and an index: they are parts of the same thing."""
    bare = name if name.startswith("arn:") else re.split(r":|/index/", name, maxsplit=1)[0]
    return f"{service}:{bare}"
