"""The service graph in numbers, from what there is: X-Ray's nodes, else the metrics of the resources in the trace."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from domain.alarm import AlarmTransition
from domain.graph import ServiceGraph
from domain.resource import Resource
from specialists.kit.series import MetricSeries
from specialists.signal_analysis.evidence import GraphNode, NodeRow
from specialists.signal_analysis.picture import NodeSeries, Picture, Row, Signal
from specialists.signal_analysis.watched import MINOR, Nature, Watched, watched_of

LEAST_REQUESTS = 20.0
"""How many requests in the window a graph must have seen: fewer measure nobody's latency."""


def picture_of_nodes(nodes: Iterable[GraphNode], alarm: AlarmTransition | None, targets: Iterable[Resource]) -> Picture:
    """Put X-Ray's nodes into numbers; an alarm names its node where it watches one of the targets."""
    known = {node.resource: node for node in nodes}
    return Picture(
        nodes={
            name: NodeSeries(
                tuple(map(_row_of, node.window)),
                tuple(map(_row_of, node.baseline)),
                inferred=node.inferred and node.type in {"client", "remote"},
            )
            for name, node in known.items()
        },
        calls=frozenset((name, callee) for name, node in known.items() for callee in node.calls),
        alarmed=next((one for one in _alarmed(alarm, targets) if one in known), None),
        signal=_signal_of(alarm),
    )


def picture_of_metrics(
    series: Iterable[MetricSeries], graph: ServiceGraph, alarm: AlarmTransition | None, targets: Iterable[Resource]
) -> Picture:
    """Put the resources' own metrics into numbers, over the calls of the trace."""
    mine: dict[str, list[tuple[Watched, MetricSeries]]] = {}
    for one in series:
        watched = watched_of(one)
        if watched is not None:
            mine.setdefault(one.resource, []).append((watched, one))
    nodes = {
        name: NodeSeries(_rows(found, baseline=False), _rows(found, baseline=True))
        for name, found in mine.items()
        if any(watched.counts_requests for watched, _ in found)
    }
    return Picture(
        nodes={name: node for name, node in nodes.items() if node.window},
        calls=frozenset((edge.source, edge.target) for edge in graph.edges),
        alarmed=next((one for one in _alarmed(alarm, targets) if one in nodes), None),
        signal=_signal_of(alarm),
    )


def busy(picture: Picture) -> bool:
    """Whether anything in it had enough requests to be compared."""
    return any(sum(row.requests for row in series.window) >= LEAST_REQUESTS for series in picture.nodes.values())


def _row_of(row: NodeRow) -> Row:
    return Row(row.requests, row.latency, row.errors)


def _rows(found: Iterable[tuple[Watched, MetricSeries]], *, baseline: bool) -> tuple[Row, ...]:
    """Return the periods in which requests were counted."""
    requests: dict[datetime, float] = {}
    seconds: dict[datetime, float] = {}
    failed: dict[datetime, float] = {}
    counted = {(tuple(s.dimensions.items())): _points(s, baseline=baseline) for w, s in found if w.counts_requests}
    for points in counted.values():
        for at, value in points.items():
            requests[at] = requests.get(at, 0.0) + value
    for watched, one in found:
        for at, value in _points(one, baseline=baseline).items():
            if watched.nature is Nature.LATENCY:
                weight = counted.get(tuple(one.dimensions.items()), requests).get(at, 0.0)
                seconds[at] = seconds.get(at, 0.0) + weight * value * watched.seconds
            elif watched.nature is Nature.FAULTS and watched.name not in MINOR:
                failed[at] = failed.get(at, 0.0) + value
    return tuple(_rate(requests[at], seconds.get(at), failed.get(at, 0.0)) for at in sorted(requests))


def _rate(requests: float, seconds: float | None, failed: float) -> Row:
    """Throttled requests may not be counted among the requests: the part that failed is never above one."""
    if not requests:
        return Row(0.0, None, None)
    return Row(requests, None if seconds is None else seconds / requests, min(1.0, failed / requests))


def _points(series: MetricSeries, *, baseline: bool) -> Mapping[datetime, float]:
    return {point.at: point.value for point in (series.baseline if baseline else series.points)}


def _alarmed(alarm: AlarmTransition | None, targets: Iterable[Resource]) -> Iterator[str]:
    if alarm is not None:
        named = set(alarm.dimensions.values())
        yield from (target.id for target in targets if named & {target.name, target.alias, target.id} - {""})


def _signal_of(alarm: AlarmTransition | None) -> Signal | None:
    if alarm is None or not alarm.metric:
        return None
    slow = any(word in alarm.metric for word in ("Latency", "Duration", "Time", "Age"))
    return Signal.LATENCY if slow else Signal.ERRORS
