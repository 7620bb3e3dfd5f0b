"""A trace's tree to evidence and graph: segments, calls, where the failure began, what was still pending."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from aws.errors import THROTTLED
from domain.evidence import Evidence
from domain.graph import Edge, ServiceGraph
from domain.resource import Resource
from domain.trace import TraceCall, TracedError, TraceOverview, TraceSegment
from orchestrator.parse import trace_ids
from orchestrator.trace.documents import Node, TraceTree
from orchestrator.trace.naming import Home, batched, call_resource, segment_resource
from orchestrator.trace.spans import operation_of, retried, service_name, told

THROTTLES = THROTTLED - {"LimitExceededException", "429"}
"""Codes that mean too many requests; DynamoDB answers them with HTTP 400, and no SDK sets the flag then."""

SOURCE = "xray:BatchGetTraces"
ATTRIBUTES = (
    "request_id",
    "table_name",
    "queue_url",
    "topic_arn",
    "bucket_name",
    "function_name",
    "key",
    "index_name",
    "retries",
)


class TraceReading(NamedTuple):
    """What one trace says: its graph, its evidence, and the trace ids it links to."""

    graph: ServiceGraph
    evidence: tuple[Evidence, ...]
    overview: TraceOverview
    links: tuple[str, ...]


def read_trace(tree: TraceTree, home: Home, *, complete: bool = True) -> TraceReading | None:
    """Return what the trace says, or None when it holds no readable segment."""
    real = tuple(s for s in tree.segments if not s.repeats_its_caller)
    if not real:
        return None
    owners = {segment.id: segment_resource(segment, home) for segment in real}
    calls = tuple(_calls(tree, real, owners, home))
    segments = tuple(_segment(tree, segment, owners[segment.id]) for segment in real)
    spread = tuple(_spread(real, owners, home))
    edges = [*(_call_edge(call, tree.by_id[call.segment_id]) for call in calls), *_uncalled(real, owners, home)]
    edges += [edge for edge, _ in spread]
    nodes = [*owners.values(), *_callees(real, home), *(resource for _, resource in spread)]
    overview = _overview(tree, segments, calls, owners[real[0].id], complete=complete)
    return TraceReading(
        graph=ServiceGraph.of(nodes, [e for e in edges if e.source != e.target]),
        evidence=(overview, *segments, *calls),
        overview=overview,
        links=_links(real),
    )


def _callees(segments: Iterable[Node], home: Home) -> Iterator[Resource]:
    for segment in segments:
        yield from (call_resource(node, home) for node in segment.walk() if node.is_call)


def _spread(segments: Iterable[Node], owners: dict[str, Resource], home: Home) -> Iterator[tuple[Edge, Resource]]:
    """Yield an edge to each resource of a call that names several: a failed one leads to all of them."""
    for segment in segments:
        for node in segment.walk():
            for resource in batched(node, home) if node.is_call else ():
                yield Edge(source=owners[segment.id].id, target=resource.id, calls=1, errors=int(node.failed)), resource


def _calls(tree: TraceTree, segments: Iterable[Node], owners: dict[str, Resource], home: Home) -> Iterator[TraceCall]:
    for segment in segments:
        for node in segment.walk():
            if node.is_call:
                yield _call(tree, node, owners[segment.id], call_resource(node, home))


def _call(tree: TraceTree, node: Node, caller: Resource, callee: Resource) -> TraceCall:
    error, fault, throttle = node.flags
    status_failed = (node.http_status or 0) >= 400 or bool(node.errors)
    unflagged = status_failed and not (error or fault or throttle)
    return TraceCall(
        resource=callee.id,
        source=SOURCE,
        observed_at=node.start,
        trace_id=tree.trace_id,
        segment_id=node.id,
        caller=caller.id,
        service=service_name(node),
        operation=operation_of(node),
        start=node.start,
        seconds=node.seconds or 0.0,
        http_status=node.http_status,
        error=error or (unflagged and (node.http_status or 0) < 500),
        fault=fault or (unflagged and (node.http_status or 0) >= 500),
        throttle=throttle or node.http_status == 429 or any(e.code in THROTTLES for e in node.errors),
        errors=node.errors,
        origin=_began_here(node),
        pending=node.seconds is None,
        retries=retried(node),
        attributes=_attributes(node),
    )


def _segment(tree: TraceTree, segment: Node, resource: Resource) -> TraceSegment:
    error, fault, throttle = segment.flags
    unflagged = (segment.http_status or 0) >= 400 and not (error or fault or throttle)
    inside = [node for node in segment.walk() if not node.is_call and not node.carries]
    init = next((n.seconds for n in inside if n.name == "Initialization" and n.seconds is not None), None)
    own = _own_errors(segment, inside)
    return TraceSegment(
        resource=resource.id,
        source=SOURCE,
        observed_at=segment.start,
        trace_id=tree.trace_id,
        segment_id=segment.id,
        origin_type=segment.origin,
        name=segment.name,
        start=segment.start,
        seconds=segment.seconds,
        http_status=segment.http_status,
        error=error or (unflagged and (segment.http_status or 0) < 500),
        fault=fault or (unflagged and (segment.http_status or 0) >= 500),
        throttle=throttle or segment.http_status == 429,
        errors=own,
        origin=(bool(own) and any(_began_here(node) for node in inside)) or _began_here(segment),
        init_seconds=init,
        pending=tuple(
            service_name(n)
            for n in segment.walk()
            if n is not segment and n.seconds is None and (n.is_call or segment.failed or segment.seconds is None)
        ),
        attributes=_attributes(segment),
    )


def _own_errors(segment: Node, inside: list[Node]) -> tuple[TracedError, ...]:
    """Its own exceptions: those of its calls are the calls', also where a parent repeats them."""
    of_calls = {_identity(e) for node in segment.walk() if node.is_call for e in node.errors}
    own = {_identity(e): e for node in inside for e in node.errors if _identity(e) not in of_calls}
    return tuple(own.values())


def _identity(error: TracedError) -> tuple[str, str]:
    return (error.type, error.message)


def _began_here(node: Node) -> bool:
    """Whether the failure began at this node: it failed, and nothing below it did."""
    return node.failed and not node.failed_below


def _attributes(node: Node) -> dict[str, str]:
    found = {key: str(node.aws[key])[:500] for key in ATTRIBUTES if isinstance(node.aws.get(key), str | int)}
    found |= {
        f"http.{key}": str(node.request[key])[:500]
        for key in ("method", "url")
        if isinstance(node.request.get(key), str)
    }
    if node.is_call and "key" not in found and (key := told(node, "aws.s3.key")):
        found["key"] = key[:500]
    execution = node.aws.get("resource_arn")
    if isinstance(execution, str) and ":states:" in execution:
        found["execution_arn"] = execution
    annotations = node.document.get("annotations")
    if isinstance(annotations, dict):
        plain = [(k, v) for k, v in annotations.items() if isinstance(v, str | int | float)]
        found |= {f"annotation.{k[:50]}": str(v)[:200] for k, v in plain[:10]}
    return found


def _call_edge(call: TraceCall, node: Node) -> Edge:
    """A call that was answered in time with the news of a failure (a function's error under HTTP 200) failed too."""
    answered_badly = not call.failed and any(s.failed for s in node.server if not s.inferred)
    return Edge(
        source=call.caller,
        target=call.resource,
        calls=1,
        errors=int(call.error),
        faults=int(call.fault or answered_badly),
        throttles=int(call.throttle),
        seconds=call.seconds,
    )


def _uncalled(segments: Iterable[Node], owners: dict[str, Resource], home: Home) -> Iterator[Edge]:
    """Edges into segments that no call went to: a function run by a state, a subscriber behind a topic."""
    for segment in segments:
        parent = segment.caller
        if parent is None or parent.owner.id not in owners:
            continue
        source = call_resource(parent, home) if parent.is_call else owners[parent.owner.id]
        error, fault, throttle = segment.flags
        yield Edge(
            source=source.id,
            target=owners[segment.id].id,
            calls=1,
            errors=int(error),
            faults=int(fault),
            throttles=int(throttle),
            seconds=segment.seconds or 0.0,
        )


def _overview(
    tree: TraceTree,
    segments: tuple[TraceSegment, ...],
    calls: tuple[TraceCall, ...],
    first: Resource,
    *,
    complete: bool,
) -> TraceOverview:
    start = min(node.start for node in tree.segments)
    ends = [node.start.timestamp() + (node.seconds or 0.0) for node in tree.nodes()]
    failed = sorted((c for c in calls if c.failed and c.origin), key=lambda c: (c.start, c.segment_id))
    own = sorted((s for s in segments if s.failed and s.origin), key=lambda s: (s.start, s.segment_id))
    first_fault = (failed[0].operation or failed[0].service) if failed else (own[0].name if own else None)
    return TraceOverview(
        resource=first.id,
        source=SOURCE,
        observed_at=start,
        trace_id=tree.trace_id,
        start=start,
        seconds=round(max(ends) - start.timestamp(), 3),
        segments=len(tree.segments),
        subsegments=sum(1 for node in tree.nodes() if not node.segment),
        calls=len(calls),
        failed_calls=sum(1 for c in calls if c.failed),
        failed_segments=sum(1 for s in segments if s.failed),
        in_progress=any(s.seconds is None for s in segments),
        complete=complete and not tree.unreadable,
        first_fault=first_fault,
    )


def _links(segments: Iterable[Node]) -> tuple[str, ...]:
    """The traces that segments and the spans in them link to; one malformed id would make X-Ray refuse the batch."""
    links = (node.document.get("links") for segment in segments for node in segment.walk())
    ids = (
        link.get("trace_id") for found in links if isinstance(found, list) for link in found if isinstance(link, dict)
    )
    return trace_ids(" ".join(i for i in ids if isinstance(i, str)))
