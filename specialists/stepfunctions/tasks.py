"""What a Scheduled event asked for, and of which resource. Pure.

Service integrations and their parameters: https://docs.aws.amazon.com/step-functions/latest/dg/integrate-services.html
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from domain.arn import Arn, partition_of
from domain.resource import ResourceType, resource_from_arn, unnamed
from specialists.stepfunctions.events import Event, payload
from specialists.stepfunctions.outcome import Pattern, Task

SDK = "aws-sdk:"
SERVICES = {"sfn": "states", "stepfunctions": "states", "eventbridge": "events", "cloudwatchevents": "events"}
"""Names of services in `aws-sdk:` resources where the optimised integrations have another."""


class Home(NamedTuple):
    """Where an execution runs: names without an ARN are in its account and Region. Empty when not known."""

    account: str = ""
    region: str = ""


class _Named(NamedTuple):
    """Where a service's parameters name the resource, and how its name becomes the resource part of an ARN."""

    keys: tuple[str, ...]
    service: str
    resource: Callable[[str], str]


NAMES: dict[str, _Named] = {
    "lambda": _Named(("FunctionName",), "lambda", lambda n: f"function:{n.split('function:', 1)[-1]}"),
    "dynamodb": _Named(("TableName",), "dynamodb", lambda n: f"table/{n}"),
    "sns": _Named(("TopicArn", "TargetArn"), "sns", lambda n: n),
    "sqs": _Named(("QueueUrl",), "sqs", lambda n: n),
    "states": _Named(("StateMachineArn",), "states", lambda n: f"stateMachine:{n}"),
    "events": _Named(("EventBusName",), "events", lambda n: f"event-bus/{n}"),
    "s3": _Named(("Bucket",), "s3", lambda n: n),
    "kinesis": _Named(("StreamARN", "StreamName"), "kinesis", lambda n: f"stream/{n}"),
    "secretsmanager": _Named(("SecretId",), "secretsmanager", lambda n: f"secret:{n}"),
    "ssm": _Named(("Name",), "ssm", lambda n: f"parameter/{n.lstrip('/')}"),
    "kms": _Named(("KeyId",), "kms", lambda n: f"key/{n}"),
}


def task_of(scheduled: Event, end: Event | None, home: Home) -> Task:
    """Return the task of a Scheduled event; `end` is the event it ended with, None while it goes on."""
    details = scheduled.details
    service, operation, pattern = _integration(scheduled)
    parameters = payload(details.get("parameters"))
    name = _name(service, parameters) if service not in {"activity", ""} else ""
    resource = str(details.get("resource", ""))
    if resource.startswith("arn:"):
        name = resource
    ended = end.at if end else None
    return Task(
        service=service,
        operation=operation,
        pattern=pattern,
        called=_called(service, name, Home(home.account, str(details.get("region") or home.region))),
        name=name,
        timeout_seconds=_seconds(details.get("timeoutInSeconds")),
        heartbeat_seconds=_seconds(details.get("heartbeatInSeconds")),
        seconds=(ended - scheduled.at).total_seconds() if ended and scheduled.at else None,
        scheduled_at=scheduled.at,
    )


def _integration(scheduled: Event) -> tuple[str, str, Pattern]:
    """Return the service, the operation and how the state waits for it."""
    if scheduled.type.startswith("LambdaFunction"):
        return "lambda", "invoke", ""
    if scheduled.type.startswith("Activity"):
        return "activity", "", ""
    kind = str(scheduled.details.get("resourceType", "")).lower().removeprefix(SDK)
    operation, _, waits = str(scheduled.details.get("resource", "")).partition(".")
    pattern: Pattern = "waitForTaskToken" if waits == "waitForTaskToken" else "sync" if waits.startswith("sync") else ""
    return SERVICES.get(kind, kind), operation, pattern


def _name(service: str, parameters: Mapping[str, Any]) -> str:
    named = NAMES.get(service)
    values = [parameters.get(key) for key in named.keys] if named else []
    if service == "events":
        entries = parameters.get("Entries")
        values += [entry.get("EventBusName") for entry in entries if isinstance(entry, Mapping)] if entries else []
    if service in {"http", "apigateway"}:
        values.append(parameters.get("ApiEndpoint"))
    return next((value for value in values if isinstance(value, str) and value), "")


def _called(service: str, name: str, home: Home) -> str | None:
    """Return the id of what a task names: an ARN is made up by AWS's format, never without account and Region."""
    named = NAMES.get(service)
    if name.startswith("arn:"):
        return _id(name)
    if name and service in {"http", "apigateway"}:
        host = urlsplit(name if "://" in name else f"https://{name}").hostname
        return unnamed(ResourceType.REMOTE, host).id if host else None
    if not name or named is None:
        return None
    account, region, resource = _place(service, name, home)
    if not (account and region) and service != "s3":
        return None
    partition = partition_of(home.region)
    made = Arn(
        partition=partition, service=named.service, region=region, account=account, resource=named.resource(resource)
    )
    return _id(str(made))


def _place(service: str, name: str, home: Home) -> tuple[str, str, str]:
    """Return the account, the Region and the plain name: a queue's URL has its own account, a bucket has neither."""
    if service == "s3":
        return "", "", name
    if service == "sqs":
        parts = urlsplit(name).path.strip("/").split("/")
        return (parts[0], home.region, parts[1]) if len(parts) == 2 else ("", "", name)
    return home.account, home.region, name


def _id(arn: str) -> str | None:
    try:
        return resource_from_arn(arn).id
    except ValueError:
        return None


def _seconds(value: Any) -> int | None:
    text = str(value)
    return int(text) if text.isdecimal() and len(text) < 12 else None
