"""Which metrics are watched of which resource, and what each of them tells.

Names and dimensions: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html,
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html (REST),
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html (HTTP),
https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html,
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html,
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html,
https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html,
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html and eb-pipes-monitoring.html.
"""

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple

from domain.resource import Resource, ResourceType
from specialists.kit.series import MetricSeries


class Nature(StrEnum):
    """What a signal tells, and so which way it goes wrong."""

    FAULTS = "faults"  # up
    LATENCY = "latency"  # up
    BACKLOG = "backlog"  # up
    LOAD = "load"  # up, down, or it stops


Dimensions = Callable[[Resource], Mapping[str, str] | None]


class Watched(NamedTuple):
    """One metric of a type of resource; `counts_requests` marks the one that a node's rates are a part of.

    `seconds` are the seconds of one unit of a latency.
    """

    type: ResourceType
    namespace: str
    name: str
    statistic: str
    nature: Nature
    dimensions: Dimensions
    counts_requests: bool = False
    seconds: float = 0.001


def _by(key: str, **more: str) -> Dimensions:
    return lambda resource: {key: resource.name, **more}


def _by_api_name(resource: Resource) -> Mapping[str, str] | None:
    """REST APIs are known to CloudWatch by name only, which an ARN does not tell."""
    return {"ApiName": resource.alias} if resource.alias else None


def _by_arn(resource: Resource) -> Mapping[str, str]:
    return {"StateMachineArn": resource.id}


def _by_rule(resource: Resource) -> Mapping[str, str]:
    bus, _, name = resource.id.split(":", 5)[-1].removeprefix("rule/").rpartition("/")
    return {"EventBusName": bus, "RuleName": name} if bus else {"RuleName": name}


FAULTS, LATENCY, BACKLOG, LOAD = Nature.FAULTS, Nature.LATENCY, Nature.BACKLOG, Nature.LOAD
OPERATIONS = ("GetItem", "Query", "PutItem", "UpdateItem")
"""The operations of a table whose latency is watched: there is none over all of them."""

_Row = tuple[str, str, Nature]
"""A metric's name, statistic and nature; the first of a type counts its requests where it is a load."""


def _rows(kind: ResourceType, namespace: str, dimensions: Dimensions, *rows: _Row) -> Iterator[Watched]:
    for number, (name, statistic, nature) in enumerate(rows):
        yield Watched(kind, namespace, name, statistic, nature, dimensions, number == 0 and nature is LOAD)


def _table_rows() -> Iterator[Watched]:
    mine = (("ReadThrottleEvents", "Sum", FAULTS), ("WriteThrottleEvents", "Sum", FAULTS))
    yield from _rows(ResourceType.TABLE, "AWS/DynamoDB", _by("TableName"), *mine)
    for operation in OPERATIONS:
        by_operation = _by("TableName", Operation=operation)
        yield from _rows(
            ResourceType.TABLE,
            "AWS/DynamoDB",
            by_operation,
            ("SuccessfulRequestLatency", "SampleCount", LOAD),
            ("SuccessfulRequestLatency", "Average", LATENCY),
            ("SystemErrors", "Sum", FAULTS),
        )


WATCHED: tuple[Watched, ...] = (
    *_rows(
        ResourceType.LAMBDA,
        "AWS/Lambda",
        _by("FunctionName"),
        ("Invocations", "Sum", LOAD),
        ("Duration", "Average", LATENCY),
        ("Errors", "Sum", FAULTS),
        ("Throttles", "Sum", FAULTS),
        ("IteratorAge", "Maximum", BACKLOG),
        ("AsyncEventAge", "Maximum", BACKLOG),
    ),
    *_rows(
        ResourceType.REST_API,
        "AWS/ApiGateway",
        _by_api_name,
        ("Count", "Sum", LOAD),
        ("Latency", "Average", LATENCY),
        ("5XXError", "Sum", FAULTS),
        ("4XXError", "Sum", FAULTS),
    ),
    *_rows(
        ResourceType.HTTP_API,
        "AWS/ApiGateway",
        _by("ApiId"),
        ("Count", "Sum", LOAD),
        ("Latency", "Average", LATENCY),
        ("5xx", "Sum", FAULTS),
        ("4xx", "Sum", FAULTS),
    ),
    *_rows(
        ResourceType.STATE_MACHINE,
        "AWS/States",
        _by_arn,
        ("ExecutionsStarted", "Sum", LOAD),
        ("ExecutionTime", "Average", LATENCY),
        ("ExecutionsFailed", "Sum", FAULTS),
        ("ExecutionsTimedOut", "Sum", FAULTS),
        ("ExecutionThrottled", "Sum", FAULTS),
    ),
    *_table_rows(),
    *_rows(
        ResourceType.QUEUE,
        "AWS/SQS",
        _by("QueueName"),
        ("NumberOfMessagesSent", "Sum", LOAD),
        ("NumberOfMessagesDeleted", "Sum", LOAD),
        ("ApproximateNumberOfMessagesVisible", "Maximum", BACKLOG),
        ("ApproximateAgeOfOldestMessage", "Maximum", BACKLOG),
    ),
    *_rows(
        ResourceType.TOPIC,
        "AWS/SNS",
        _by("TopicName"),
        ("NumberOfMessagesPublished", "Sum", LOAD),
        ("NumberOfNotificationsFailed", "Sum", FAULTS),
    ),
    *_rows(
        ResourceType.RULE,
        "AWS/Events",
        _by_rule,
        ("Invocations", "Sum", LOAD),
        ("FailedInvocations", "Sum", FAULTS),
        ("ThrottledRules", "Sum", FAULTS),
    ),
    *_rows(
        ResourceType.PIPE,
        "AWS/EventBridge/Pipes",
        _by("PipeName"),
        ("Invocations", "Sum", LOAD),
        ("ExecutionFailed", "Sum", FAULTS),
    ),
    *_rows(
        ResourceType.BUCKET,
        "AWS/S3",
        _by("BucketName", FilterId="EntireBucket"),
        ("AllRequests", "Sum", LOAD),
        ("TotalRequestLatency", "Average", LATENCY),
        ("5xxErrors", "Sum", FAULTS),
        ("4xxErrors", "Sum", FAULTS),
    ),
)

TYPES = tuple(dict.fromkeys(watched.type for watched in WATCHED))
MINOR = frozenset({"4XXError", "4xx", "4xxErrors"})
"""Failures that callers cause by what they ask for: no part of a node's own error rate."""

_BY_METRIC = {(watched.namespace, watched.name, watched.statistic): watched for watched in WATCHED}


def watched_of(series: MetricSeries) -> Watched | None:
    """Return the row that the series was read for."""
    return _BY_METRIC.get((series.namespace, series.metric, series.statistic))


def signal_name(series: MetricSeries) -> str:
    """Name a series as an onset does."""
    return f"{series.namespace} {series.metric} {series.statistic}"
