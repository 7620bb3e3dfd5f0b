"""Which resource a segment ran on, and which one a call went to.

Only what the document states is used: its ARNs, its origin, and the aws block that the SDKs fill in. A name becomes
an ARN only where the document's own type, Region and account make it up by AWS's documented format; where the account
is not known the resource keeps its plain name.
"""

from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlsplit

from domain.arn import Arn, arns_in, partition_of
from domain.resource import Resource, ResourceType, resource_from_arn, unnamed
from orchestrator.trace.documents import Node


class Home(NamedTuple):
    """The account and Region whose X-Ray answered: where a resource is that names neither."""

    account: str
    region: str


class _Kind(NamedTuple):
    """How a service's resources are named in the aws block, and the ARN's resource part."""

    service: str
    type: ResourceType
    keys: tuple[str, ...]
    arn: Callable[[str], str]


def _plain(name: str) -> str:
    return name


KINDS: tuple[_Kind, ...] = (
    _Kind("lambda", ResourceType.LAMBDA, ("function_name",), lambda n: f"function:{n}"),
    _Kind("dynamodb", ResourceType.TABLE, ("table_name",), lambda n: f"table/{n}"),
    _Kind("sqs", ResourceType.QUEUE, ("queue_url", "queue_name"), _plain),
    _Kind("sns", ResourceType.TOPIC, ("topic_arn",), _plain),
    _Kind("s3", ResourceType.BUCKET, ("bucket_name", "bucket"), _plain),
    _Kind("states", ResourceType.STATE_MACHINE, ("state_machine_arn",), lambda n: f"stateMachine:{n}"),
    _Kind("events", ResourceType.EVENT_BUS, ("event_bus_name",), lambda n: f"event-bus/{n}"),
    _Kind("secretsmanager", ResourceType.SECRET, ("secret_id",), _plain),
    _Kind("kms", ResourceType.KEY, ("key_id",), lambda n: f"key/{n}"),
    _Kind("ssm", ResourceType.PARAMETER, ("parameter_name",), lambda n: f"parameter/{n.lstrip('/')}"),
    _Kind("kinesis", ResourceType.STREAM, ("stream_name",), lambda n: f"stream/{n}"),
)

SERVICES: dict[str, str] = {
    "lambda": "lambda",
    "dynamodb": "dynamodb",
    "amazondynamodbv2": "dynamodb",
    "amazondynamodb": "dynamodb",
    "sqs": "sqs",
    "amazonsqs": "sqs",
    "sns": "sns",
    "amazonsns": "sns",
    "s3": "s3",
    "amazons3": "s3",
    "stepfunctions": "states",
    "sfn": "states",
    "states": "states",
    "eventbridge": "events",
    "events": "events",
    "secretsmanager": "secretsmanager",
    "secrets manager": "secretsmanager",
    "kms": "kms",
    "ssm": "ssm",
    "kinesis": "kinesis",
}
"""The names SDKs and services give a subsegment, whole and lower case; another name is a service without resources."""

ORIGINS: dict[str, str] = {
    "AWS::Lambda": "lambda",
    "AWS::Lambda::Function": "lambda",
    "AWS::DynamoDB::Table": "dynamodb",
    "AWS::SQS::Queue": "sqs",
    "AWS::SNS": "sns",
    "AWS::SNS::Topic": "sns",
    "AWS::S3::Bucket": "s3",
    "AWS::StepFunctions::StateMachine": "states",
}
"""Segment origins whose name is the resource's name."""


def segment_resource(segment: Node, home: Home) -> Resource:
    """Return the resource that a segment ran on."""
    found = _stated(segment, home)
    if found is not None and segment.origin == "AWS::ApiGateway::Stage" and "/" in segment.name:
        return found.model_copy(update={"alias": segment.name.rsplit("/", 1)[0]})
    if found is not None:
        return found
    kind = _kind(ORIGINS.get(segment.origin, ""))
    if kind is not None:
        return _named(kind, segment.name, segment, home) or unnamed(kind.type, segment.name, region=home.region)
    return unnamed(ResourceType.SERVICE, segment.name, region=home.region)


def _stated(segment: Node, home: Home) -> Resource | None:
    """The resource by the segment's own ARNs, or by the ids that API Gateway puts into its aws block."""
    own = (segment.document.get("resource_arn"), segment.aws.get("function_arn"), segment.aws.get("resource_arn"))
    found = next((resource for text in own if (resource := _from_arn(text)) is not None), None)
    gateway = segment.aws.get("api_gateway")
    if found is not None or not isinstance(gateway, dict) or not gateway.get("rest_api_id"):
        return found
    stage = f"/stages/{gateway['stage']}" if gateway.get("stage") else ""
    api = f"/restapis/{gateway['rest_api_id']}{stage}"
    return _from_arn(f"arn:{partition_of(home.region)}:apigateway:{home.region}::{api}")


def call_resource(call: Node, home: Home) -> Resource:
    """Return the resource that a call went to: as its server's segment says, else as the call itself says."""
    answering = next((s for s in call.server if not s.inferred), None)
    if answering is not None:
        return segment_resource(answering, home)
    if call.namespace == "remote":
        return unnamed(ResourceType.REMOTE, _host(call))
    return (
        _called(call, home)
        or _inferred(call, home)
        or unnamed(ResourceType.AWS_SERVICE, call.name, region=_region(call, home))
    )


def _called(call: Node, home: Home) -> Resource | None:
    """What the call's own aws block and URL name."""
    kind = _kind(SERVICES.get(call.name.lower(), ""))
    named = [value for key in (kind.keys if kind else ()) if isinstance(value := call.aws.get(key), str) and value]
    named += [name for name in call.aws.get("resource_names") or [] if isinstance(name, str)]
    if kind is not None:
        for name in named:
            found = _named(kind, name, call, home)
            if found is not None:
                return found
    for arn in arns_in(str(call.request.get("url", "")).replace("%3A", ":").replace("/invocations", " ")):
        return resource_from_arn(arn)
    return next((found for name in named if (found := _from_arn(name)) is not None), None)


def _inferred(call: Node, home: Home) -> Resource | None:
    """What X-Ray inferred about the other side: only an origin that names a resource says which one."""
    for segment in call.server:
        kind = _kind(ORIGINS.get(segment.origin, ""))
        if kind is not None and (segment.name.lower() not in SERVICES or segment.document.get("resource_arn")):
            return segment_resource(segment, home)
    return None


def _named(kind: _Kind, name: str, node: Node, home: Home) -> Resource | None:
    """Return the resource of that kind and name; names may be ARNs, queue URLs or have a qualifier."""
    if name.startswith("arn:"):
        return _from_arn(name)
    region, account = _region(node, home), _account(node, home)
    if kind.service == "sqs" and "://" in name:
        parts = urlsplit(name).path.strip("/").split("/")
        if len(parts) != 2 or not parts[0].isdigit():
            return None
        account, name = parts
    if kind.service == "lambda" and ":" in name:
        name = name.split("function:", 1)[-1]
    if kind.service == "s3":
        return resource_from_arn(f"arn:{partition_of(region)}:s3:::{name.split('/', 1)[0]}")
    if not account or not region:
        return None
    arn = Arn(
        partition=partition_of(region), service=kind.service, region=region, account=account, resource=kind.arn(name)
    )
    return _from_arn(str(arn))


def _from_arn(text: object) -> Resource | None:
    if not isinstance(text, str) or not text.startswith("arn:"):
        return None
    try:
        found = resource_from_arn(text)
    except ValueError:
        return None
    return None if found.type is ResourceType.EXECUTION else found


def _kind(service: str) -> _Kind | None:
    return next((kind for kind in KINDS if kind.service == service), None)


def _region(node: Node, home: Home) -> str:
    region = node.aws.get("region")
    if isinstance(region, str) and region:
        return region
    own = _from_arn(node.owner.document.get("resource_arn")) or _from_arn(node.owner.aws.get("function_arn"))
    return own.region if own is not None and own.region else home.region


def _account(node: Node, home: Home) -> str:
    for source in (node, node.owner):
        account = source.aws.get("account_id")
        if isinstance(account, str) and account.isdigit():
            return account
    own = _from_arn(node.owner.document.get("resource_arn")) or _from_arn(node.owner.aws.get("function_arn"))
    return own.account if own is not None and own.account.isdigit() else home.account


def _host(call: Node) -> str:
    """The host that a remote call went to; the name is a host when there is no URL."""
    url = call.request.get("url")
    host = urlsplit(url).hostname if isinstance(url, str) and "://" in url[:12] else None
    return (host or call.name)[:250]
