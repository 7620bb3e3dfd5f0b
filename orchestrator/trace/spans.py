"""What producers call a service, and what an OpenTelemetry span tells in attributes where X-Ray has fields.

The collector's exporter names the span of a call by its database before its service, knows a table's and a queue's
attribute of some versions only, and leaves all others in `metadata.default` or, where they are indexed, in annotations.
https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/exporter/awsxrayexporter
"""

import re
from collections.abc import Iterator

from orchestrator.trace.documents import Node

SERVICES: dict[str, str] = {
    "lambda": "lambda",
    "dynamodb": "dynamodb",
    "dynamodbv2": "dynamodb",
    "sqs": "sqs",
    "simplequeueservice": "sqs",
    "sns": "sns",
    "simplenotificationservice": "sns",
    "s3": "s3",
    "stepfunctions": "states",
    "sfn": "states",
    "states": "states",
    "eventbridge": "events",
    "events": "events",
    "cloudwatchevents": "events",
    "secretsmanager": "secretsmanager",
    "secrets manager": "secretsmanager",
    "kms": "kms",
    "ssm": "ssm",
    "simplesystemsmanagement": "ssm",
    "kinesis": "kinesis",
}
"""The names SDKs and services give a subsegment, lower case without AWS's or Amazon's; another has no resources."""

OWNER = re.compile(r"(?:aws::|aws\.sdk\.|aws|amazon)[ .]?")
"""What stands before a service's name: "Amazon S3", "AWSLambda", "AmazonDynamoDBv2", "AWS::SQS"."""

TOLD: dict[str, tuple[str, ...]] = {
    "lambda": ("aws.lambda.function.arn", "aws.lambda.function.name", "faas.invoked_name"),
    "dynamodb": ("aws.dynamodb.table_names", "aws.table_name", "aws.table.name"),
    "sqs": ("aws.sqs.queue.url", "aws.sqs.queue_url", "aws.queue_url", "aws.queue.url", "messaging.url"),
    "sns": ("aws.sns.topic.arn",),
    "s3": ("aws.s3.bucket", "aws.bucket.name"),
    "states": ("aws.step_functions.state_machine.arn", "aws.stepfunctions.state_machine.arn"),
    "secretsmanager": ("aws.secretsmanager.secret.arn",),
    "kinesis": ("aws.kinesis.stream.name", "aws.kinesis.stream_name"),
}
"""The attributes that name what was called, by service; the older and newer of the conventions."""

REMOTE: dict[str, str] = {
    "AWS::Lambda::Function": "lambda",
    "AWS::DynamoDB::Table": "dynamodb",
    "AWS::SQS::Queue": "sqs",
    "AWS::SNS::Topic": "sns",
    "AWS::S3::Bucket": "s3",
    "AWS::StepFunctions::StateMachine": "states",
    "AWS::Kinesis::Stream": "kinesis",
}
"""What Application Signals names in `aws.remote.resource.type`."""


def service_of(name: str) -> str:
    """Return the service that producers call so, empty for one without resources."""
    plain = name.strip().lower()
    return SERVICES.get(plain) or SERVICES.get(OWNER.sub("", plain, count=1) if OWNER.match(plain) else "", "")


def called_service(call: Node) -> str:
    """Return the service that a call went to: a span may be named after a table, but tells its service."""
    return service_of(told(call, "rpc.service")) or service_of(call.name) if call.namespace != "remote" else ""


def service_name(call: Node) -> str:
    """Return what to call the service: a span's own where its name is none; a database with its host is no address."""
    spoken = told(call, "rpc.service")
    if call.namespace == "aws" and service_of(spoken) != service_of(call.name) and spoken:
        return spoken[:250]
    return call.name.replace("@", " at ")


def told_names(call: Node, service: str) -> Iterator[str]:
    """Yield what the span's attributes name of a service: ARNs, URLs, names."""
    for key in TOLD.get(service, ()):
        if name := told(call, key):
            yield name
    if service == "dynamodb" and told(call, "db.system") == "dynamodb" and (table := told(call, "db.name")):
        yield table
    if service == "sns" and (topic := told(call, "messaging.destination.name")).startswith("arn:"):
        yield topic
    if REMOTE.get(told(call, "aws.remote.resource.type")) == service:
        yield from filter(None, [told(call, "aws.remote.resource.identifier")])


def operation_of(call: Node) -> str | None:
    """Return the operation of a call, or the method of a request."""
    found = call.aws.get("operation") or told(call, "rpc.method") or call.request.get("method")
    return found if isinstance(found, str) and found else None


def retried(call: Node) -> int:
    """Return how often a call was tried again."""
    retries = call.aws.get("retries")
    return retries if isinstance(retries, int) and retries > 0 else call.failed_tries


def told(call: Node, key: str) -> str:
    """Return an attribute of the span: text, or the one text in a list of one."""
    value = call.told.get(key.replace(".", "_"))
    if isinstance(value, list) and len(value) == 1:
        [value] = value
    return value if isinstance(value, str) else ""
