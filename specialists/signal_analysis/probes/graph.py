"""The service graph as X-Ray draws it, slice by slice, and which node of it explains the others.

API: https://docs.aws.amazon.com/xray/latest/api/API_GetServiceGraph.html (6 hours at most).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from aws.reads import read
from domain.alarm import AlarmState, AlarmTransition
from domain.evidence import Evidence
from domain.graph import ServiceGraph
from domain.resource import ResourceType, unnamed
from specialists.contract import Look, probe
from specialists.kit.series import MetricSeries
from specialists.kit.signals import Excess
from specialists.signal_analysis.evidence import GraphNode, NodeRow
from specialists.signal_analysis.picture import Picture
from specialists.signal_analysis.pictures import busy, picture_of_metrics, picture_of_nodes
from specialists.signal_analysis.ranking import ranked

if TYPE_CHECKING:
    from types_boto3_xray.type_defs import ServiceTypeDef

WINDOW_SLICES, BASELINE_SLICES = 4, 6
BASELINE = timedelta(hours=3)
LONGEST = timedelta(hours=6)
"""What GetServiceGraph takes at most."""
MAX_NODES = 100
MAX_EXCESS = 5
INFERRED = ("client", "remote")
"""X-Ray's types of what sends no segments and is no AWS resource."""


class _Slice(NamedTuple):
    """One answer: an interval, and its services by X-Ray's own reference."""

    start: datetime
    end: datetime
    services: "Mapping[int, ServiceTypeDef]"


@probe(read("xray", "GetServiceGraph"), needs=(MetricSeries,), yields=(GraphNode, Excess), together=True)
def service_graph(look: Look) -> Iterator[Evidence]:
    """Reads X-Ray's service graph now and before, and ranks the resources by what their dependencies leave unexplained.

    Where X-Ray has too few requests, the resources' own metrics are ranked over the calls of the trace.
    """
    nodes: list[GraphNode] = []
    failure: ClientError | BotoCoreError | None = None
    try:
        nodes = _nodes(look)
    except (ClientError, BotoCoreError) as error:
        failure = error
    yield from nodes
    yield from _excess(look, nodes)
    if failure is not None:
        raise failure


def _excess(look: Look, nodes: Sequence[GraphNode]) -> Iterator[Excess]:
    alarm = next((a for a in look.seen.of(AlarmTransition) if a.state is AlarmState.ALARM), None)
    picture = picture_of_nodes(nodes, alarm, look.targets)
    source = "xray:GetServiceGraph"
    if not busy(picture):
        here = {target.id for target in look.targets}
        series = [one for one in look.seen.of(MetricSeries) if one.resource in here]
        picture = picture_of_metrics(series, look.graph, alarm, look.targets)
        source = "cloudwatch:GetMetricData"
    yield from _ranked(picture, source)


def _ranked(picture: Picture, source: str) -> Iterator[Excess]:
    standing = ranked(picture) if busy(picture) and len(picture.nodes) > 1 else ()
    measured = [one for one in standing if not picture.nodes[one.node].inferred]
    total = sum(max(0.0, one.own) for one in measured)
    for rank, one in enumerate(measured[:MAX_EXCESS], 1):
        if one.own > 0:
            yield Excess(
                resource=one.node, source=source, rank=rank, share=round(one.own / total, 4), over=len(picture.nodes)
            )


def _nodes(look: Look) -> list[GraphNode]:
    """Read the graph and return its nodes; those before the window only where the window has any."""
    length = min(look.window.end - look.window.start, LONGEST)
    start = look.window.end - length
    window = [_slice(look, *span) for span in _spans(start, look.window.end, WINDOW_SLICES)]
    if not any(one.services for one in window):
        return []
    baseline = [_slice(look, *span) for span in _spans(start - BASELINE, start, BASELINE_SLICES)]
    return _merged(look.graph, window, baseline)[:MAX_NODES]


def _spans(start: datetime, end: datetime, number: int) -> list[tuple[datetime, datetime]]:
    step = (end - start) / number
    return [(start + place * step, start + (place + 1) * step) for place in range(number)]


def _slice(look: Look, start: datetime, end: datetime) -> _Slice:
    pages = look.aws.xray.get_paginator("get_service_graph").paginate(StartTime=start, EndTime=end)
    found = (service for page in pages for service in page.get("Services", []))
    return _Slice(start, end, {service.get("ReferenceId", -1): service for service in found})


def _merged(graph: ServiceGraph, window: Sequence[_Slice], baseline: Sequence[_Slice]) -> list[GraphNode]:
    """Put the slices together by node: X-Ray numbers the services of each answer anew."""
    found: dict[str, ServiceTypeDef] = {}
    calls: dict[str, set[str]] = {}
    for one in (*window, *baseline):
        ids = {number: _id_of(service, graph) for number, service in one.services.items()}
        for number, service in one.services.items():
            name = ids[number]
            if _stands_for(service, found.get(name)):
                found[name] = service
            callees = (ids.get(edge.get("ReferenceId", -1)) for edge in service.get("Edges", []))
            calls.setdefault(name, set()).update(callee for callee in callees if callee and callee != name)
    return [
        GraphNode(
            resource=name,
            source="xray:GetServiceGraph",
            observed_at=window[0].start,
            name=service.get("Name", ""),
            type=service.get("Type", ""),
            inferred=service.get("Type", "") in INFERRED,
            calls=tuple(sorted(calls[name])),
            window=tuple(_row(one, service) for one in window),
            baseline=tuple(_row(one, service) for one in baseline),
        )
        for name, service in sorted(found.items())
    ]


def _stands_for(service: "ServiceTypeDef", known: "ServiceTypeDef | None") -> bool:
    """Of the two nodes that X-Ray draws for one function, take the function's own rather than the service's."""
    return known is None or (known.get("Type") == "AWS::Lambda" and service.get("Type") != "AWS::Lambda")


def _row(one: _Slice, service: "ServiceTypeDef") -> NodeRow:
    same = (service.get("Name"), service.get("Type"))
    now = next((s for s in one.services.values() if (s.get("Name"), s.get("Type")) == same), None)
    seen = now.get("SummaryStatistics", {}) if now else {}
    total = seen.get("TotalCount", 0)
    if not total:
        return NodeRow(at=one.start, requests=0.0)
    failed = seen.get("FaultStatistics", {}).get("TotalCount", 0) + seen.get("ErrorStatistics", {}).get("TotalCount", 0)
    return NodeRow(
        at=one.start,
        requests=round(total / ((one.end - one.start).total_seconds() / 60), 4),
        latency=round(seen.get("TotalResponseTime", 0.0) / total, 6),
        errors=round(failed / total, 6),
    )


TYPES: Mapping[str, ResourceType] = {
    "AWS::Lambda": ResourceType.LAMBDA,
    "AWS::Lambda::Function": ResourceType.LAMBDA,
    "AWS::DynamoDB::Table": ResourceType.TABLE,
    "AWS::SQS::Queue": ResourceType.QUEUE,
    "AWS::SNS::Topic": ResourceType.TOPIC,
    "AWS::S3::Bucket": ResourceType.BUCKET,
    "AWS::StepFunctions::StateMachine": ResourceType.STATE_MACHINE,
    "AWS::ApiGateway::Stage": ResourceType.REST_API,
}
"""X-Ray's types of services, as far as a resource can be one."""


def _id_of(service: "ServiceTypeDef", graph: ServiceGraph) -> str:
    """Return the id of the resource that a service is, by its type and name; else an id of its own."""
    told, names = service.get("Type", ""), {service.get("Name", ""), *service.get("Names", [])}
    short = {part for name in names for part in (name, name.rsplit("/", 1)[-1], name.split("/", 1)[0])}
    kind = TYPES.get(told)
    fitting = [node for node in graph.nodes if node.type is kind and {node.name, node.alias} & (short - {""})]
    if len(fitting) == 1:
        return fitting[0].id
    outside = ResourceType.REMOTE if told == "remote" else ResourceType.SERVICE
    name = service.get("Name", "")
    return unnamed(outside, name if told in {"", "remote"} else f"{name} ({told})").id
