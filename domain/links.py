"""Console links, made from ARNs alone: nothing from outside ends up in a URL unquoted."""

from collections.abc import Callable
from urllib.parse import quote

from domain.arn import Arn
from domain.resource import Resource, ResourceType, resource_from_arn

HOSTS = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}


def _q(text: str) -> str:
    return quote(text, safe="")


def _dollar(text: str) -> str:
    """CloudWatch's own encoding inside the fragment: percent signs as `$25`."""
    return _q(_q(text)).replace("%", "$")


PATHS: dict[ResourceType, Callable[[Resource], str]] = {
    ResourceType.LAMBDA: lambda r: f"lambda/home?region={r.region}#/functions/{_q(r.name)}",
    ResourceType.TABLE: lambda r: f"dynamodbv2/home?region={r.region}#table?name={_q(r.name)}",
    ResourceType.REST_API: lambda r: f"apigateway/main/apis/{_q(r.name)}/resources?api={_q(r.name)}&region={r.region}",
    ResourceType.HTTP_API: lambda r: f"apigateway/main/api-detail?api={_q(r.name)}&region={r.region}",
    ResourceType.STATE_MACHINE: lambda r: f"states/home?region={r.region}#/statemachines/view/{_q(r.id)}",
    ResourceType.EXECUTION: lambda r: f"states/home?region={r.region}#/v2/executions/details/{_q(r.id)}",
    ResourceType.QUEUE: lambda r: f"sqs/v3/home?region={r.region}#/queues",
    ResourceType.TOPIC: lambda r: f"sns/v3/home?region={r.region}#/topic/{_q(r.id)}",
    ResourceType.BUCKET: lambda r: f"s3/buckets/{_q(r.name)}",
    ResourceType.ROLE: lambda r: f"iam/home#/roles/details/{_q(r.name)}",
    ResourceType.KEY: lambda r: f"kms/home?region={r.region}#/kms/keys/{_q(r.name)}",
    ResourceType.LOG_GROUP: lambda r: (
        f"cloudwatch/home?region={r.region}#logsV2:log-groups/log-group/{_dollar(r.name)}"
    ),
    ResourceType.ALARM: lambda r: f"cloudwatch/home?region={r.region}#alarmsV2:alarm/{_q(r.name)}",
}


def console_link(resource_id: str) -> str | None:
    """Return the console page of a resource, or None where there is none for its type or partition."""
    try:
        resource = resource_from_arn(resource_id)
    except ValueError:
        return None
    path, host = PATHS.get(resource.type), HOSTS.get(Arn.parse(resource_id).partition)
    if path is None or host is None:
        return None
    prefix = f"{resource.region}." if resource.region else ""
    return f"https://{prefix}{host}/{path(resource)}"


def trace_link(trace_id: str, region: str, partition: str) -> str | None:
    """Return the console page of a trace."""
    host = HOSTS.get(partition)
    return (
        f"https://{region}.{host}/cloudwatch/home?region={region}#xray:traces/{_q(trace_id)}"
        if host and region
        else None
    )
