"""Names to resources: "function orders-fn" is asked of AWS, because a name alone is no ARN."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from botocore.exceptions import ClientError, ParamValidationError

from aws.clients import Clients
from aws.errors import classify
from aws.reads import Read, read
from domain.arn import partition_of
from domain.gap import GapReason
from domain.request import Target
from domain.resource import Resource, resource_from_arn
from domain.values import utc
from orchestrator.pasted import DIMENSIONS


class Where(NamedTuple):
    """The account and Region that names are looked up in."""

    account: str
    region: str

    @property
    def partition(self) -> str:
        """The partition of the Region."""
        return partition_of(self.region)


class Resolved(NamedTuple):
    """The resources under a name; `at` is an alarm's last transition, UTC."""

    resources: tuple[Resource, ...] = ()
    at: datetime | None = None


def _function(aws: Clients, name: str, _: Where) -> Resolved:
    return _one(aws.lambda_.get_function_configuration(FunctionName=name)["FunctionArn"])


def _table(aws: Clients, name: str, _: Where) -> Resolved:
    return _one(aws.dynamodb.describe_table(TableName=name)["Table"].get("TableArn", ""))


def _api(aws: Clients, name: str, where: Where) -> Resolved:
    rest = [
        item["id"]
        for page in aws.apigateway.get_paginator("get_rest_apis").paginate()
        for item in page["items"]
        if name in {item.get("name"), item.get("id")}
    ]
    if rest:
        return Resolved(
            tuple(
                resource_from_arn(f"arn:{where.partition}:apigateway:{where.region}::/restapis/{api}")
                for api in rest[:3]
            )
        )
    http = [
        api.get("ApiId", "")
        for page in aws.apigatewayv2.get_paginator("get_apis").paginate()
        for api in page["Items"]
        if name in {api.get("Name"), api.get("ApiId")}
    ]
    return Resolved(
        tuple(resource_from_arn(f"arn:{where.partition}:apigateway:{where.region}::/apis/{api}") for api in http[:3])
    )


def _queue(aws: Clients, name: str, where: Where) -> Resolved:
    url = aws.sqs.get_queue_url(QueueName=name)["QueueUrl"].rstrip("/").split("/")
    return _one(f"arn:{where.partition}:sqs:{where.region}:{url[-2]}:{url[-1]}")


def _topic(aws: Clients, name: str, where: Where) -> Resolved:
    arn = f"arn:{where.partition}:sns:{where.region}:{where.account}:{name}"
    return _one(aws.sns.get_topic_attributes(TopicArn=arn)["Attributes"].get("TopicArn", arn))


def _state_machine(aws: Clients, name: str, where: Where) -> Resolved:
    arn = (
        name
        if name.startswith("arn:")
        else f"arn:{where.partition}:states:{where.region}:{where.account}:stateMachine:{name}"
    )
    return _one(aws.stepfunctions.describe_state_machine(stateMachineArn=arn)["stateMachineArn"])


def _bucket(aws: Clients, name: str, where: Where) -> Resolved:
    aws.s3.get_bucket_location(Bucket=name)
    return _one(f"arn:{where.partition}:s3:::{name}")


def _role(aws: Clients, name: str, _: Where) -> Resolved:
    return _one(aws.iam.get_role(RoleName=name.rsplit("/", 1)[-1])["Role"]["Arn"])


def _rule(aws: Clients, name: str, _: Where) -> Resolved:
    return _one(aws.events.describe_rule(Name=name).get("Arn", ""))


def _alarm(aws: Clients, name: str, where: Where) -> Resolved:
    """What the alarm watches; the alarm itself where its metric names no resource that we know."""
    answer = aws.cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    found: list[Resource] = []
    at: datetime | None = None
    for alarm in answer.get("MetricAlarms", []):
        at = alarm.get("StateTransitionedTimestamp") or alarm.get("StateUpdatedTimestamp")
        stats = [m.get("MetricStat", {}).get("Metric", {}) for m in alarm.get("Metrics", [])]
        for metric in (alarm, *stats):
            for dimension in metric.get("Dimensions", []):
                service = DIMENSIONS.get((metric.get("Namespace", ""), dimension.get("Name", "")))
                if service:
                    watched = Target(service=service, name=dimension.get("Value", ""))
                    found.extend(resolve(aws, watched, where).resources)
    alarms = [*answer.get("MetricAlarms", []), *answer.get("CompositeAlarms", [])]
    own = [resource_from_arn(alarm["AlarmArn"]) for alarm in alarms if alarm.get("AlarmArn")]
    return Resolved(tuple({r.id: r for r in found or own}.values()), utc(at) if at else None)


def _one(arn: str) -> Resolved:
    return Resolved((resource_from_arn(arn),)) if arn else Resolved()


class _Resolver(NamedTuple):
    noun: str
    reads: tuple[Read, ...]
    find: Callable[[Clients, str, Where], Resolved]


RESOLVERS: dict[str, _Resolver] = {
    "lambda": _Resolver("Lambda function", (read("lambda", "GetFunctionConfiguration"),), _function),
    "dynamodb": _Resolver("DynamoDB table", (read("dynamodb", "DescribeTable"),), _table),
    "apigateway": _Resolver(
        "API",
        (read("apigateway", "GetRestApis", "apigateway:GET"), read("apigatewayv2", "GetApis", "apigateway:GET")),
        _api,
    ),
    "sqs": _Resolver("SQS queue", (read("sqs", "GetQueueUrl"),), _queue),
    "sns": _Resolver("SNS topic", (read("sns", "GetTopicAttributes"),), _topic),
    "stepfunctions": _Resolver("state machine", (read("stepfunctions", "DescribeStateMachine"),), _state_machine),
    "s3": _Resolver("S3 bucket", (read("s3", "GetBucketLocation"),), _bucket),
    "iam": _Resolver("IAM role", (read("iam", "GetRole"),), _role),
    "eventbridge": _Resolver("EventBridge rule", (read("events", "DescribeRule"),), _rule),
    "alarm": _Resolver("alarm", (read("cloudwatch", "DescribeAlarms"),), _alarm),
}
"""Who finds a name, by the specialist that knows such resources."""

ANY = ("lambda", "alarm", "dynamodb", "stepfunctions", "sqs", "apigateway")
"""What a bare name may be, in the order it is tried."""

READS: tuple[Read, ...] = tuple(r for resolver in RESOLVERS.values() for r in resolver.reads)
NO_SUCH_NAME = frozenset(
    {
        "ValidationException",
        "InvalidParameterValue",
        "InvalidParameterValueException",
        "InvalidArn",
        "InvalidParameter",
        "InvalidAddress",
        "InvalidBucketName",
    }
)


class Unresolved(Exception):
    """A name that nothing was found under; the message says where was looked, or which action to grant."""

    def __init__(self, message: str, action: str | None = None) -> None:
        super().__init__(message)
        self.action = action


def resolve(aws: Clients, target: Target, where: Where) -> Resolved:
    """Return the resources under a name; raises Unresolved with a sentence that says what to do."""
    services = (target.service,) if target.service in RESOLVERS else ANY
    denied: str | None = None
    for service in services:
        resolver = RESOLVERS[service]
        try:
            found = resolver.find(aws, target.name, where)
        except ParamValidationError:  # boto3 knows that no such thing can have that name
            continue
        except ClientError as error:
            failure = classify(error)
            if failure.reason is GapReason.ACCESS_DENIED:
                denied = next(
                    (r.action for r in resolver.reads if r.operation == error.operation_name), resolver.reads[0].action
                )
            elif failure.reason is not GapReason.NOT_FOUND and failure.code not in NO_SUCH_NAME:
                raise
            continue
        if found.resources:
            return found
    noun = RESOLVERS[services[0]].noun if len(services) == 1 else "resource"
    if denied:
        raise Unresolved(f"Looking up {noun} “{target.name}” was denied: grant {denied}, or give its ARN.", denied)
    raise Unresolved(
        f"No {noun} “{target.name}” in {where.region} of account {where.account}. "
        "Check the name, or pass another Region."
    )
