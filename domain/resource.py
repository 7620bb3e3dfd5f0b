"""Resources: one AWS thing each, whatever qualifier it was named with."""

import re
from enum import StrEnum
from typing import NamedTuple

from domain.arn import Arn, partition_of
from domain.values import Value


class ResourceType(StrEnum):
    """What a resource is; CloudFormation's names where CloudFormation has one."""

    LAMBDA = "AWS::Lambda::Function"
    EVENT_SOURCE_MAPPING = "AWS::Lambda::EventSourceMapping"
    REST_API = "AWS::ApiGateway::RestApi"
    HTTP_API = "AWS::ApiGatewayV2::Api"
    API = "AWS::ApiGateway::Api"  # named by an execute-api ARN, which does not tell REST from HTTP
    STATE_MACHINE = "AWS::StepFunctions::StateMachine"
    EXECUTION = "AWS::StepFunctions::Execution"
    TABLE = "AWS::DynamoDB::Table"
    BUCKET = "AWS::S3::Bucket"
    QUEUE = "AWS::SQS::Queue"
    TOPIC = "AWS::SNS::Topic"
    RULE = "AWS::Events::Rule"
    EVENT_BUS = "AWS::Events::EventBus"
    SCHEDULE = "AWS::Scheduler::Schedule"
    PIPE = "AWS::Pipes::Pipe"
    ROLE = "AWS::IAM::Role"
    USER = "AWS::IAM::User"
    POLICY = "AWS::IAM::Policy"
    ASSUMED_ROLE = "AWS::STS::AssumedRole"
    KEY = "AWS::KMS::Key"
    SECRET = "AWS::SecretsManager::Secret"  # noqa: S105 - a type name
    PARAMETER = "AWS::SSM::Parameter"
    LOG_GROUP = "AWS::Logs::LogGroup"
    ALARM = "AWS::CloudWatch::Alarm"
    VPC = "AWS::EC2::VPC"
    SUBNET = "AWS::EC2::Subnet"
    SECURITY_GROUP = "AWS::EC2::SecurityGroup"
    VPC_ENDPOINT = "AWS::EC2::VPCEndpoint"
    STREAM = "AWS::Kinesis::Stream"
    REMOTE = "remote"  # a host outside AWS, by its name in the trace
    SERVICE = "service"  # a traced program whose AWS resource the trace does not tell
    AWS_SERVICE = "aws"  # an AWS service called without a resource (logs:DescribeLogGroups)
    OTHER = "other"


class Resource(Value):
    """One thing.

    `id` is its ARN without qualifier, or `<type>:<name>` where no ARN is known: an ARN is never invented.
    `qualifiers` are the aliases and versions it was seen under, `alias` is the name people know where the ARN has an id
    only; neither is part of the identity.
    """

    id: str
    type: ResourceType
    name: str
    region: str = ""
    account: str = ""
    qualifiers: tuple[str, ...] = ()
    alias: str = ""

    @property
    def title(self) -> str:
        """What people call it: an API by its name where its ARN has an id only."""
        return self.alias or self.name

    @property
    def arn(self) -> str | None:
        """The ARN, when it is known."""
        return self.id if self.id.startswith("arn:") else None

    @property
    def partition(self) -> str:
        """The partition: from the ARN, else from the Region."""
        return self.id.split(":", 2)[1] if self.arn else partition_of(self.region)

    @property
    def label(self) -> str:
        """How people call it: "DynamoDB table `orders`"."""
        noun = NOUNS.get(self.type, "resource")
        return f"{noun} `{self.title}`"

    def merged(self, other: "Resource") -> "Resource":
        """Return this resource with the other's qualifiers added; both must have one id."""
        if other.id != self.id:
            raise ValueError(f"two resources, not one: {self.id} and {other.id}")
        qualifiers = tuple(sorted({*self.qualifiers, *other.qualifiers}))
        return self.model_copy(update={"qualifiers": qualifiers, "alias": self.alias or other.alias})


NOUNS: dict[ResourceType, str] = {
    ResourceType.LAMBDA: "Lambda function",
    ResourceType.EVENT_SOURCE_MAPPING: "event source mapping",
    ResourceType.REST_API: "API",
    ResourceType.HTTP_API: "HTTP API",
    ResourceType.API: "API",
    ResourceType.STATE_MACHINE: "state machine",
    ResourceType.EXECUTION: "execution",
    ResourceType.TABLE: "DynamoDB table",
    ResourceType.BUCKET: "S3 bucket",
    ResourceType.QUEUE: "SQS queue",
    ResourceType.TOPIC: "SNS topic",
    ResourceType.RULE: "EventBridge rule",
    ResourceType.EVENT_BUS: "event bus",
    ResourceType.SCHEDULE: "schedule",
    ResourceType.PIPE: "pipe",
    ResourceType.ROLE: "IAM role",
    ResourceType.USER: "IAM user",
    ResourceType.POLICY: "IAM policy",
    ResourceType.ASSUMED_ROLE: "role session",
    ResourceType.KEY: "KMS key",
    ResourceType.SECRET: "secret",
    ResourceType.PARAMETER: "SSM parameter",
    ResourceType.LOG_GROUP: "log group",
    ResourceType.ALARM: "alarm",
    ResourceType.VPC: "VPC",
    ResourceType.SUBNET: "subnet",
    ResourceType.SECURITY_GROUP: "security group",
    ResourceType.VPC_ENDPOINT: "VPC endpoint",
    ResourceType.STREAM: "Kinesis stream",
    ResourceType.REMOTE: "external service",
    ResourceType.SERVICE: "service",
    ResourceType.AWS_SERVICE: "AWS service",
}


class _Shape(NamedTuple):
    """How one kind of ARN reads: the service, the resource part, and which of it is the identity."""

    service: str
    pattern: re.Pattern[str]
    type: ResourceType
    identity: str  # the resource part of the identity, in terms of the pattern's groups


def _shape(service: str, pattern: str, kind: ResourceType, identity: str) -> _Shape:
    return _Shape(service, re.compile(pattern), kind, identity)


SHAPES: tuple[_Shape, ...] = (
    _shape("lambda", r"function:(?P<name>[^:/]+)(?::(?P<qualifier>[^:/]+))?", ResourceType.LAMBDA, "function:{name}"),
    _shape(
        "lambda",
        r"event-source-mapping:(?P<name>[^:/]+)",
        ResourceType.EVENT_SOURCE_MAPPING,
        "event-source-mapping:{name}",
    ),
    _shape(
        "apigateway",
        r"/restapis/(?P<name>[^/]+)(?:/stages/(?P<qualifier>[^/]+))?(?:/.*)?",
        ResourceType.REST_API,
        "/restapis/{name}",
    ),
    _shape(
        "apigateway",
        r"/apis/(?P<name>[^/]+)(?:/stages/(?P<qualifier>[^/]+))?(?:/.*)?",
        ResourceType.HTTP_API,
        "/apis/{name}",
    ),
    _shape("execute-api", r"(?P<name>[^/]+)(?:/(?P<qualifier>[^/]+)(?:/.*)?)?", ResourceType.API, "{name}"),
    _shape(
        "states",
        r"stateMachine:(?P<name>[^:/]+)(?:[:/](?P<qualifier>.+))?",
        ResourceType.STATE_MACHINE,
        "stateMachine:{name}",
    ),
    _shape(
        "states",
        r"(?P<form>execution|express):(?P<machine>[^:]+):(?P<name>.+)",
        ResourceType.EXECUTION,
        "{form}:{machine}:{name}",
    ),
    _shape(
        "dynamodb",
        r"table/(?P<name>[^/]+)(?:/(?:index|stream|backup|export)/(?P<qualifier>.+))?",
        ResourceType.TABLE,
        "table/{name}",
    ),
    _shape("s3", r"(?!accesspoint[/:])(?P<name>[^/*]+)(?:/.*)?", ResourceType.BUCKET, "{name}"),
    _shape("sqs", r"(?P<name>[^:/]+)", ResourceType.QUEUE, "{name}"),
    _shape("sns", r"(?P<name>[^:/]+)(?::(?P<qualifier>[0-9a-f-]+))?", ResourceType.TOPIC, "{name}"),
    _shape("events", r"rule/(?P<path>(?:[^/]+/)*)(?P<name>[^/]+)", ResourceType.RULE, "rule/{path}{name}"),
    _shape("events", r"event-bus/(?P<name>.+)", ResourceType.EVENT_BUS, "event-bus/{name}"),
    _shape("scheduler", r"schedule/(?P<path>[^/]+/)(?P<name>[^/]+)", ResourceType.SCHEDULE, "schedule/{path}{name}"),
    _shape("pipes", r"pipe/(?P<name>[^/]+)", ResourceType.PIPE, "pipe/{name}"),
    _shape("iam", r"role/(?P<path>(?:[^/]+/)*)(?P<name>[^/]+)", ResourceType.ROLE, "role/{path}{name}"),
    _shape("iam", r"user/(?P<path>(?:[^/]+/)*)(?P<name>[^/]+)", ResourceType.USER, "user/{path}{name}"),
    _shape("iam", r"policy/(?P<path>(?:[^/]+/)*)(?P<name>[^/]+)", ResourceType.POLICY, "policy/{path}{name}"),
    _shape(
        "sts",
        r"assumed-role/(?P<name>[^/]+)/(?P<qualifier>[^/]+)",
        ResourceType.ASSUMED_ROLE,
        "assumed-role/{name}/{qualifier}",
    ),
    _shape("kms", r"key/(?P<name>[^/]+)", ResourceType.KEY, "key/{name}"),
    _shape("secretsmanager", r"secret:(?P<name>[^:]+)(?::.*)?", ResourceType.SECRET, "secret:{name}"),
    _shape("ssm", r"parameter/(?P<name>.+)", ResourceType.PARAMETER, "parameter/{name}"),
    _shape("logs", r"log-group:(?P<name>[^:]+)(?::.*)?", ResourceType.LOG_GROUP, "log-group:{name}"),
    _shape("cloudwatch", r"alarm:(?P<name>.+)", ResourceType.ALARM, "alarm:{name}"),
    _shape("ec2", r"vpc/(?P<name>[^/]+)", ResourceType.VPC, "vpc/{name}"),
    _shape("ec2", r"subnet/(?P<name>[^/]+)", ResourceType.SUBNET, "subnet/{name}"),
    _shape("ec2", r"security-group/(?P<name>[^/]+)", ResourceType.SECURITY_GROUP, "security-group/{name}"),
    _shape("ec2", r"vpc-endpoint/(?P<name>[^/]+)", ResourceType.VPC_ENDPOINT, "vpc-endpoint/{name}"),
    _shape("kinesis", r"stream/(?P<name>[^/]+)(?:/.*)?", ResourceType.STREAM, "stream/{name}"),
)


def resource_from_arn(text: str) -> Resource:
    """Return the resource an ARN names; raises ValueError when the text is not an ARN.

    `…:function:fn:live` and `…:function:fn:$LATEST` are one function with two qualifiers; a table's index and stream
    are its table; an execution stays distinct from its state machine. An ARN of a kind not in the table is a resource
    of type `other` under its full ARN.
    """
    arn = Arn.parse(text)
    for shape in SHAPES:
        match = shape.pattern.fullmatch(arn.resource) if shape.service == arn.service else None
        if match is None:
            continue
        groups = {key: value or "" for key, value in match.groupdict().items()}
        identity = arn.model_copy(update={"resource": shape.identity.format(**groups)})
        qualifier = groups.get("qualifier", "")
        keeps = shape.type is not ResourceType.ASSUMED_ROLE and qualifier
        return Resource(
            id=str(identity),
            type=shape.type,
            name=groups["name"],
            region=arn.region,
            account=arn.account,
            qualifiers=(qualifier,) if keeps else (),
        )
    return Resource(
        id=str(arn),
        type=ResourceType.OTHER,
        name=re.split(r"[:/]", arn.resource)[-1] or arn.resource,
        region=arn.region,
        account=arn.account,
    )


def state_machine_of(execution: Resource) -> Resource:
    """Return the state machine that an execution (Standard or Express) belongs to."""
    arn = Arn.parse(execution.id)
    machine = arn.resource.split(":")[1]
    return resource_from_arn(str(arn.model_copy(update={"resource": f"stateMachine:{machine}"})))


def unnamed(kind: ResourceType, name: str, *, region: str = "", account: str = "") -> Resource:
    """Return a resource whose ARN is not known: `remote:api.stripe.com`, `service:checkout`."""
    return Resource(id=f"{kind.value}:{name}", type=kind, name=name, region=region, account=account)
