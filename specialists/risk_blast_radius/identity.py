"""Which resource a service of X-Ray's graph is. X-Ray names and types it; an ARN it does not tell.

Types: https://docs.aws.amazon.com/xray/latest/api/API_Service.html
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from domain.arn import Arn, partition_of
from domain.graph import ServiceGraph
from domain.resource import Resource, ResourceType, resource_from_arn, unnamed

CLIENT = "client"


class _Kind(NamedTuple):
    """What X-Ray's type means, and how name and account make up the ARN ("" where they do not)."""

    types: frozenset[ResourceType]
    service: str
    arn: Callable[[str], str]


APIS = frozenset({ResourceType.REST_API, ResourceType.HTTP_API, ResourceType.API})
FUNCTION = _Kind(frozenset({ResourceType.LAMBDA}), "lambda", lambda name: f"function:{name}")
TOPIC = _Kind(frozenset({ResourceType.TOPIC}), "sns", lambda name: name.rsplit(":", 1)[-1])
KINDS: dict[str, _Kind] = {
    "AWS::Lambda": FUNCTION,
    "AWS::Lambda::Function": FUNCTION,
    "AWS::ApiGateway::Stage": _Kind(APIS, "", lambda _: ""),
    "AWS::DynamoDB::Table": _Kind(frozenset({ResourceType.TABLE}), "dynamodb", lambda name: f"table/{name}"),
    "AWS::SQS::Queue": _Kind(frozenset({ResourceType.QUEUE}), "sqs", lambda name: name.rsplit("/", 1)[-1]),
    "AWS::SNS": TOPIC,
    "AWS::SNS::Topic": TOPIC,
    "AWS::StepFunctions::StateMachine": _Kind(
        frozenset({ResourceType.STATE_MACHINE}), "states", lambda name: f"stateMachine:{name}"
    ),
}


def identify(service: Mapping[str, Any], graph: ServiceGraph, region: str) -> Resource:
    """Return the resource: the one of that type and name in the graph, else the one that type and account make up.

    What neither tells keeps its name only: `service:checkout`, `remote:api.example.com`.
    """
    name, account = str(service.get("Name", "")), str(service.get("AccountId") or "")
    kind = KINDS.get(str(service.get("Type") or ""))
    known = _known(name, account, kind, graph)
    if known is not None:
        return known
    if kind is not None and kind.service and account and region:
        parts = {"partition": partition_of(region), "service": kind.service, "region": region, "account": account}
        return resource_from_arn(str(Arn(**parts, resource=kind.arn(name))))
    remote = service.get("Type") == "remote"
    return unnamed(ResourceType.REMOTE if remote else ResourceType.SERVICE, _plain(name, kind), region=region)


def _known(name: str, account: str, kind: _Kind | None, graph: ServiceGraph) -> Resource | None:
    names = {name, _plain(name, kind)}
    fitting = (
        node
        for node in graph.nodes
        if node.title in names
        and (kind is None or node.type in kind.types)
        and (not account or node.account in {"", account})
    )
    return next(fitting, None)


def _plain(name: str, kind: _Kind | None) -> str:
    """Return the name without what X-Ray puts to it: an API's stage, a queue's URL, a topic's ARN."""
    if kind is None:
        return name
    return name.rsplit("/", 1)[0] if kind.types is APIS else kind.arn(name).rsplit(":", 1)[-1].rsplit("/", 1)[-1]
