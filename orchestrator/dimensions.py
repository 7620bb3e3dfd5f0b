"""Which resource a metric is about: the dimensions that AWS's services publish their metrics under.

The tables are AWS's own, one page a service, for example
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html and
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
"""

from collections.abc import Mapping
from typing import NamedTuple

from domain.request import Target


class Dimension(NamedTuple):
    """A dimension whose value names a resource; `service` says who looks the name up (`orchestrator.resolve`).

    Where the metric carries the dimension `also` too, the name is `narrowed`, in terms of both values.
    """

    namespace: str
    name: str
    service: str
    also: str = ""
    narrowed: str = ""


DIMENSIONS: tuple[Dimension, ...] = (
    Dimension("AWS/Lambda", "FunctionName", "lambda", "Resource", "{also}"),
    Dimension("AWS/Lambda", "EventSourceMappingUUID", "mapping"),
    Dimension("LambdaInsights", "function_name", "lambda"),
    Dimension("AWS/DynamoDB", "TableName", "dynamodb", "GlobalSecondaryIndexName", "{name}/index/{also}"),
    Dimension("AWS/ApiGateway", "ApiName", "apigateway"),
    Dimension("AWS/ApiGateway", "ApiId", "apigateway"),
    Dimension("AWS/SQS", "QueueName", "sqs"),
    Dimension("AWS/SNS", "TopicName", "sns"),
    Dimension("AWS/States", "StateMachineArn", "stepfunctions"),
    Dimension("AWS/Events", "RuleName", "eventbridge", "EventBusName", "{also}/{name}"),
    Dimension("AWS/Events", "EventBusName", "bus"),
    Dimension("AWS/EventBridge/Pipes", "PipeName", "pipe"),
    Dimension("AWS/S3", "BucketName", "s3"),
    Dimension("AWS/NATGateway", "NatGatewayId", "vpc"),
    Dimension("AWS/PrivateLinkEndpoints", "VPC Endpoint Id", "vpc"),
    Dimension("AWS/PrivateLinkEndpoints", "VpcEndpointId", "vpc"),
    Dimension("AWS/Kinesis", "StreamName", "kinesis"),
    Dimension("AWS/Logs", "LogGroupName", "logs"),
    Dimension("AWS/KMS", "KeyId", "kms"),
)

SECOND_BEST: Mapping[str, str] = {"bus": "eventbridge"}
"""What is named only where nothing closer is: a rule's metrics carry its bus too."""


def targets_of(namespace: str, dimensions: Mapping[str, str]) -> tuple[Target, ...]:
    """Return what a metric's dimensions name: by the table, else by ARNs among their values; nothing when neither."""
    found = [
        Target(service=row.service, name=_name(row, dimensions))
        for row in DIMENSIONS
        if row.namespace == namespace and dimensions.get(row.name)
    ]
    services = {target.service for target in found}
    closest = tuple(t for t in found if SECOND_BEST.get(t.service) not in services)
    return closest or tuple(Target(service="arn", name=v) for v in dimensions.values() if v.startswith("arn:"))


def _name(row: Dimension, dimensions: Mapping[str, str]) -> str:
    own, also = dimensions[row.name], dimensions.get(row.also, "")
    return row.narrowed.format(name=own, also=also) if also else own
