"""Names to resources: "function orders-fn" is asked of AWS, because a name alone is no ARN."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import NamedTuple

from botocore.exceptions import ClientError, ParamValidationError

from aws.clients import Clients
from aws.errors import CALL_ERRORS, classify, unusable
from aws.reads import Read, read
from domain.arn import ARN, partition_of
from domain.gap import Gap, GapReason
from domain.request import Target
from domain.resource import Resource, ResourceType, resource_from_arn
from orchestrator.atonce import at_once
from orchestrator.fetch import gap_of


class Where(NamedTuple):
    """The account and Region that names are looked up in."""

    account: str
    region: str

    @property
    def partition(self) -> str:
        """The partition of the Region."""
        return partition_of(self.region)


Resources = tuple[Resource, ...]

FORMS: dict[str, str] = {
    "lambda": "lambda:{region}:{account}:function:{name}",
    "dynamodb": "dynamodb:{region}:{account}:table/{name}",
    "sqs": "sqs:{region}:{account}:{name}",
    "sns": "sns:{region}:{account}:{name}",
    "stepfunctions": "states:{region}:{account}:stateMachine:{name}",
    "s3": "s3:::{name}",
    "eventbridge": "events:{region}:{account}:rule/{name}",
    "bus": "events:{region}:{account}:event-bus/{name}",
    "pipe": "pipes:{region}:{account}:pipe/{name}",
    "kinesis": "kinesis:{region}:{account}:stream/{name}",
    "logs": "logs:{region}:{account}:log-group:{name}",
    "kms": "kms:{region}:{account}:key/{name}",
}
"""How a name makes up an ARN where account and Region are known; an API's id, for one, no name tells.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""


def by_form(service: str, name: str, where: Where) -> Resource | None:
    """Return the resource by its ARN's documented form, None where the form needs more or the name does not fit."""
    arn = name
    if not name.startswith("arn:"):
        form = FORMS.get(service, "")
        arn = f"arn:{where.partition}:{form.format(region=where.region, account=where.account, name=name)}"
    return resource_from_arn(arn) if ARN.fullmatch(arn) else None


def alarm_resource(name: str, where: Where) -> Resource:
    """Return an alarm; its name may have blanks in it, and so may its ARN, which no other ARN has."""
    arn = f"arn:{where.partition}:cloudwatch:{where.region}:{where.account}:alarm:{name}"
    return Resource(id=arn, type=ResourceType.ALARM, name=name, region=where.region, account=where.account)


def _function(aws: Clients, name: str, _: Where) -> Resources:
    return _one(aws.lambda_.get_function_configuration(FunctionName=name)["FunctionArn"])


def _table(aws: Clients, name: str, _: Where) -> Resources:
    """A table; `orders/index/by-user` is the table with that index as its qualifier."""
    table, *index = name.split("/index/", 1)
    arn = aws.dynamodb.describe_table(TableName=table)["Table"].get("TableArn", "")
    return _one("/index/".join([arn, *index]))


def _api(aws: Clients, name: str, where: Where) -> Resources:
    rest = [
        item["id"]
        for page in aws.apigateway.get_paginator("get_rest_apis").paginate()
        for item in page["items"]
        if name in {item.get("name"), item.get("id")}
    ]
    http = [
        api.get("ApiId", "")
        for page in (() if rest else aws.apigatewayv2.get_paginator("get_apis").paginate())
        for api in page["Items"]
        if name in {api.get("Name"), api.get("ApiId")}
    ]
    paths = [f"restapis/{api}" for api in rest[:3]] or [f"apis/{api}" for api in http[:3]]
    return tuple(resource_from_arn(f"arn:{where.partition}:apigateway:{where.region}::/{path}") for path in paths)


def _queue(aws: Clients, name: str, where: Where) -> Resources:
    url = aws.sqs.get_queue_url(QueueName=name)["QueueUrl"].rstrip("/").split("/")
    return _one(f"arn:{where.partition}:sqs:{where.region}:{url[-2]}:{url[-1]}")


def _topic(aws: Clients, name: str, where: Where) -> Resources:
    arn = f"arn:{where.partition}:sns:{where.region}:{where.account}:{name}"
    return _one(aws.sns.get_topic_attributes(TopicArn=arn)["Attributes"].get("TopicArn", arn))


def _state_machine(aws: Clients, name: str, where: Where) -> Resources:
    arn = (
        name
        if name.startswith("arn:")
        else f"arn:{where.partition}:states:{where.region}:{where.account}:stateMachine:{name}"
    )
    return _one(aws.stepfunctions.describe_state_machine(stateMachineArn=arn)["stateMachineArn"])


def _bucket(aws: Clients, name: str, where: Where) -> Resources:
    aws.s3.get_bucket_location(Bucket=name)
    return _one(f"arn:{where.partition}:s3:::{name}")


def _role(aws: Clients, name: str, _: Where) -> Resources:
    return _one(aws.iam.get_role(RoleName=name.rsplit("/", 1)[-1])["Role"]["Arn"])


def _rule(aws: Clients, name: str, _: Where) -> Resources:
    """A rule; `orders-bus/nightly` is on a bus of its own."""
    *bus, rule = name.rsplit("/", 1)
    found = aws.events.describe_rule(Name=rule, EventBusName=bus[0]) if bus else aws.events.describe_rule(Name=rule)
    return _one(found.get("Arn", ""))


def _mapping(aws: Clients, name: str, _: Where) -> Resources:
    """An event source mapping, by its UUID: what it reads from, and the function that it calls."""
    mapping = aws.lambda_.get_event_source_mapping(UUID=name)
    return (*_one(mapping.get("FunctionArn", "")), *_one(mapping.get("EventSourceArn", "")))


def _network(aws: Clients, name: str, where: Where) -> Resources:
    """A NAT gateway's or an endpoint's VPC, and the endpoint itself."""
    own = f"arn:{where.partition}:ec2:{where.region}:{where.account}"
    if name.startswith("vpce-"):
        found = aws.ec2.describe_vpc_endpoints(VpcEndpointIds=[name])["VpcEndpoints"]
        endpoints = _one(f"{own}:vpc-endpoint/{name}") if found else ()
        return (*endpoints, *(r for e in found for r in _one(f"{own}:vpc/{e.get('VpcId', '')}")))
    gateways = aws.ec2.describe_nat_gateways(NatGatewayIds=[name])["NatGateways"]
    return tuple(r for g in gateways for r in _one(f"{own}:vpc/{g.get('VpcId', '')}"))


def _alarm(aws: Clients, name: str, where: Where) -> Resources:
    """The alarm itself; what it watches, `orchestrator.alarms` finds out."""
    answer = aws.cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    alarms = [*answer.get("MetricAlarms", []), *answer.get("CompositeAlarms", [])]
    return tuple(alarm_resource(alarm.get("AlarmName", name), where) for alarm in alarms)


def _formed(service: str, _: Clients, name: str, where: Where) -> Resources:
    """What no look of ours can confirm: its ARN follows from the name."""
    resource = by_form(service, name, where)
    return (resource,) if resource else ()


def _one(arn: str) -> Resources:
    return (resource_from_arn(arn),) if ARN.fullmatch(arn) else ()


class _Resolver(NamedTuple):
    noun: str
    reads: tuple[Read, ...]
    find: Callable[[Clients, str, Where], Resources]


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
    "mapping": _Resolver("event source mapping", (read("lambda", "GetEventSourceMapping"),), _mapping),
    "vpc": _Resolver(
        "NAT gateway or VPC endpoint",
        (read("ec2", "DescribeNatGateways"), read("ec2", "DescribeVpcEndpoints")),
        _network,
    ),
    "bus": _Resolver("event bus", (), partial(_formed, "bus")),
    "pipe": _Resolver("pipe", (), partial(_formed, "pipe")),
    "kinesis": _Resolver("Kinesis stream", (), partial(_formed, "kinesis")),
    "logs": _Resolver("log group", (), partial(_formed, "logs")),
    "kms": _Resolver("KMS key", (), partial(_formed, "kms")),
    "arn": _Resolver("ARN", (), partial(_formed, "arn")),
}
"""Who finds a name, by the specialist that knows such resources, or by the kind where no specialist's name tells."""

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
        "NatGatewayNotFound",
        "NatGatewayMalformed",
        "InvalidVpcEndpointId.NotFound",
        "InvalidVpcEndpointId.Malformed",
    }
)


class Unresolved(Exception):
    """A name that nothing was found under; the message says where was looked, or which action to grant."""

    def __init__(self, message: str, action: str | None = None) -> None:
        super().__init__(message)
        self.action = action


def resolve(aws: Clients, target: Target, where: Where) -> Resources:
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
        if found:
            return found
    noun = RESOLVERS[services[0]].noun if len(services) == 1 else "resource"
    if denied:
        raise Unresolved(f"Looking up {noun} “{target.name}” was denied: grant {denied}, or give its ARN.", denied)
    raise Unresolved(
        f"No {noun} “{target.name}” in {where.region} of account {where.account}. "
        "Check the name, or pass another Region."
    )


class LookedUp(NamedTuple):
    """What is under a name, or why nothing is."""

    target: Target
    resources: Resources = ()
    gap: Gap | None = None


def look_up(aws: Clients, targets: Sequence[Target], where: Where, pool: Executor) -> list[LookedUp]:
    """Ask for all names at once; raises botocore's errors only where nothing at all can be read."""
    return at_once(pool, [partial(_look_up, aws, target, where) for target in targets])


def _look_up(aws: Clients, target: Target, where: Where) -> LookedUp:
    try:
        return LookedUp(target, resolve(aws, target, where))
    except Unresolved as unresolved:
        gap = Gap(
            specialist="trace",
            probe="name",
            resource=target.name,
            reason=GapReason.ACCESS_DENIED if unresolved.action else GapReason.NOT_FOUND,
            action=unresolved.action,
            message=str(unresolved),
        )
        return LookedUp(target, gap=gap)
    except CALL_ERRORS as error:
        if unusable(error):
            raise
        return LookedUp(target, gap=gap_of("name", target.name, error, ""))
