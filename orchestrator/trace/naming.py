"""Which resource a segment ran on, and which one a call went to.

Only what the document states is used: its ARNs, its origin, and the aws block that the SDKs fill in. A name becomes
an ARN only where the document's own type, Region and account make it up by AWS's documented format; where the account
is not known the resource keeps its plain name.
"""

import re
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from domain.arn import Arn, arns_in, partition_of
from domain.resource import Resource, ResourceType, resource_from_arn, unnamed
from orchestrator.trace.documents import UNNAMED, Node
from orchestrator.trace.spans import called_service, service_name, service_of, told, told_names


class Home(NamedTuple):
    """The account and Region whose X-Ray answered: where a resource is that names neither."""

    account: str
    region: str


class _Kind(NamedTuple):
    """How a service's resources are named in the aws block, and the ARN's resource part.

    An empty part says that a name does not make up the ARN: a secret's ends in characters that only AWS knows.
    """

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
    _Kind("secretsmanager", ResourceType.SECRET, ("secret_id",), lambda _: ""),
    _Kind("kms", ResourceType.KEY, ("key_id",), lambda n: n if n.startswith("alias/") else f"key/{n}"),
    _Kind("ssm", ResourceType.PARAMETER, ("parameter_name",), lambda n: f"parameter/{n.lstrip('/')}"),
    _Kind("kinesis", ResourceType.STREAM, ("stream_name",), lambda n: f"stream/{n}"),
)

ACCOUNT_DIGITS = 12

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
"""Segment origins whose name is the resource's name, unless it is the service's."""

PASSES_ON = frozenset({ResourceType.TOPIC, ResourceType.QUEUE, ResourceType.EVENT_BUS, ResourceType.STREAM})
"""What hands a message on, with the sender's trace header: who answers the call is its consumer, not the callee."""

QUEUE_HOST = re.compile(r"sqs\.([a-z0-9-]{1,32})\.amazonaws\.com(?:\.cn)?|([a-z0-9-]{1,32})\.queue\.amazonaws\.com")
ACCOUNT = re.compile(r"[0-9]{12}")


def segment_resource(segment: Node, home: Home) -> Resource:
    """Return the resource that a segment ran on."""
    found = _stated(segment, home)
    if found is not None and segment.origin == "AWS::ApiGateway::Stage" and "/" in segment.name:
        return found.model_copy(update={"alias": segment.name.rsplit("/", 1)[0], "account": _account_of_api(segment)})
    if found is not None:
        return found
    if segment.is_lost_call:
        return call_resource(segment, home)
    return _function_around(segment, home) or _by_origin(segment, home)


def _by_origin(segment: Node, home: Home) -> Resource:
    kind = _kind(ORIGINS.get(segment.origin, ""))
    if kind is None or segment.name == UNNAMED:
        return unnamed(ResourceType.SERVICE, segment.name, region=home.region)
    if service_of(segment.name):
        return _called(segment, home) or unnamed(ResourceType.AWS_SERVICE, segment.name, region=_region(segment, home))
    return _named(kind, segment.name, segment, home) or unnamed(kind.type, segment.name, region=home.region)


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


def _function_around(segment: Node, home: Home) -> Resource | None:
    """The function whose handler it is: OpenTelemetry's layers tell a handler in a segment of its own, without origin.

    It stands right below the function's segment under the same name, or its attributes name the function; under
    another name it may be a service that the function called without a trace of the call.
    """
    if segment.origin or segment.inferred:
        return None
    around = segment.caller.owner if segment.caller is not None and not segment.caller.is_call else None
    if around is not None and ORIGINS.get(around.origin) == "lambda" and around.name == segment.name:
        return segment_resource(around, home)
    named = (_from_arn(told(segment, key)) for key in ("cloud.resource_id", "faas.id"))
    return next((found for found in named if found is not None and found.type is ResourceType.LAMBDA), None)


def _account_of_api(segment: Node) -> str:
    """The account of an API, which its ARN does not name; empty where the segment does not tell."""
    gateway = segment.aws.get("api_gateway")
    account = str(gateway.get("account_id", "")) if isinstance(gateway, dict) else ""
    return account if len(account) == ACCOUNT_DIGITS and account.isdigit() else ""


def call_resource(call: Node, home: Home) -> Resource:
    """Return the resource that a call went to: as its server's segment says, else as the call itself says."""
    answering = next((s for s in call.server if not s.inferred and not s.is_lost_call), None)
    named = None if call.namespace == "remote" else _called(call, home)
    if answering is not None:
        server = segment_resource(answering, home)
        if named is not None and named.id == server.id:
            return server.merged(named)  # only the caller knows by which alias or version it called
        return named if named is not None and named.type in PASSES_ON and named.type is not server.type else server
    if call.namespace == "remote":
        return unnamed(ResourceType.REMOTE, _host(call))
    return (
        named
        or _inferred(call, home)
        or unnamed(ResourceType.AWS_SERVICE, service_name(call), region=_region(call, home))
    )


def _called(call: Node, home: Home) -> Resource | None:
    """What the call's own URL and aws block name: whole ARNs first, then names."""
    kind = _kind(called_service(call))
    named = [value for key in (kind.keys if kind else ()) if isinstance(value := call.aws.get(key), str) and value]
    listed = [_listed(call, key) for key in ("resource_names", *(f"{key}s" for key in (kind.keys if kind else ())))]
    named += [names[0] for names in listed if len(names) == 1]  # a batch over several went to none of them alone
    named += told_names(call, kind.service) if kind else ()
    url = str(call.request.get("url", ""))[:2000].replace("%3A", ":").replace("/invocations", " ")
    stated = (_from_arn(text) for text in (*arns_in(url), *named))
    made_up = (_named(kind, name, call, home) for name in named) if kind is not None else iter(())
    return next((found for found in (*stated, *made_up) if found is not None), None)


def batched(call: Node, home: Home) -> tuple[Resource, ...]:
    """Return the resources of a call that names several, such as a BatchWriteItem over two tables."""
    kind = _kind(called_service(call))
    if kind is None or call.namespace == "remote":
        return ()
    names = [name for key in kind.keys for name in _listed(call, f"{key}s")]
    found = tuple(resource for name in names if (resource := _named(kind, name, call, home)) is not None)
    return found if len(found) > 1 else ()


def _listed(call: Node, key: str) -> list[str]:
    found = call.aws.get(key)
    return (
        list(dict.fromkeys(name for name in found if isinstance(name, str) and name)) if isinstance(found, list) else []
    )


def _inferred(call: Node, home: Home) -> Resource | None:
    """What X-Ray inferred about the other side: only an origin that names a resource says which one."""
    for segment in call.server:
        kind = _kind(ORIGINS.get(segment.origin, ""))
        if kind is not None and (not service_of(segment.name) or segment.document.get("resource_arn")):
            return segment_resource(segment, home)
    return None


def _named(kind: _Kind, name: str, node: Node, home: Home) -> Resource | None:
    """Return the resource of that kind and name; names may be ARNs, queue URLs or have a qualifier."""
    if name.startswith("arn:"):
        return _from_arn(name)
    region, account = _region(node, home), _account(node, home)
    if kind.service == "sqs" and "://" in name:
        return _queue(name, region)
    if kind.service == "lambda" and ":function:" in name:
        account, name = name.split(":function:", 1)
    if kind.service == "s3":
        return _from_arn(f"arn:{partition_of(region)}:s3:::{name.split('/', 1)[0]}")
    if not kind.arn(name):
        return unnamed(kind.type, name[:250], region=region, account=account)
    return _made_up(kind.service, region, account, kind.arn(name))


def _queue(url: str, region: str) -> Resource | None:
    """A queue's URL ends in account and name, on AWS as on emulators; its host tells the Region on AWS."""
    split = _split(url)
    parts = split.path.strip("/").split("/") if split else []
    if split is None or len(parts) < 2:
        return None
    host = QUEUE_HOST.fullmatch(split.hostname or "")
    return _made_up("sqs", (host[1] or host[2]) if host else region, parts[-2], parts[-1])


def _made_up(service: str, region: str, account: str, resource: str) -> Resource | None:
    """Put an ARN together from its parts; None where the parts make none."""
    if not ACCOUNT.fullmatch(account) or not region:
        return None
    arn = Arn(partition=partition_of(region), service=service, region=region, account=account, resource=resource)
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
        if isinstance(account, str) and ACCOUNT.fullmatch(account):
            return account
    own = _from_arn(node.owner.document.get("resource_arn")) or _from_arn(node.owner.aws.get("function_arn"))
    return own.account if own is not None and ACCOUNT.fullmatch(own.account) else home.account


def _host(call: Node) -> str:
    """The host that a remote call went to; without a URL the name is one, for a database behind its name and an @."""
    url = call.request.get("url")
    split = _split(url) if isinstance(url, str) and "://" in url[:12] else None
    return ((split.hostname if split else None) or call.name.rpartition("@")[2] or call.name)[:250]


def _split(url: str) -> SplitResult | None:
    try:
        return urlsplit(url[:2000])
    except ValueError:
        return None
