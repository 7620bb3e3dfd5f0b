"""The service graph: resources and the calls between them, as the trace tells."""

from collections.abc import Iterable

from domain.resource import Resource
from domain.values import Value


class Edge(Value):
    """Calls from one resource to another; `seconds` is their total latency.

    Without calls it says that the source feeds the target: a queue or stream that Lambda polls for a function.
    """

    source: str
    target: str
    calls: int = 0
    errors: int = 0
    faults: int = 0
    throttles: int = 0
    seconds: float = 0.0

    @property
    def failing(self) -> bool:
        """Whether any call on it failed."""
        return bool(self.errors or self.faults or self.throttles)


class ServiceGraph(Value):
    """Nodes by id and edges between them, both in a fixed order."""

    nodes: tuple[Resource, ...] = ()
    edges: tuple[Edge, ...] = ()

    @classmethod
    def of(cls, nodes: Iterable[Resource], edges: Iterable[Edge] = ()) -> "ServiceGraph":
        """Build a graph: resources of one id become one node, edges of one pair one edge."""
        merged: dict[str, Resource] = {}
        for node in nodes:
            merged[node.id] = merged[node.id].merged(node) if node.id in merged else node
        joined: dict[tuple[str, str], Edge] = {}
        for edge in edges:
            key = (edge.source, edge.target)
            known = joined.get(key)
            joined[key] = edge if known is None else _sum(known, edge)
        return cls(nodes=tuple(merged[k] for k in sorted(merged)), edges=tuple(joined[k] for k in sorted(joined)))

    def node(self, resource_id: str) -> Resource | None:
        """Return the resource of that id."""
        return next((node for node in self.nodes if node.id == resource_id), None)

    def callees(self, resource_id: str, *, failing: bool = False) -> tuple[str, ...]:
        """Return the ids it calls directly; only over failing edges when asked."""
        return tuple(e.target for e in self.edges if e.source == resource_id and (e.failing or not failing))

    def callers(self, resource_id: str, *, failing: bool = False) -> tuple[str, ...]:
        """Return the ids that call it directly."""
        return tuple(e.source for e in self.edges if e.target == resource_id and (e.failing or not failing))

    def downstream(self, resource_id: str, *, failing: bool = False) -> frozenset[str]:
        """Return every id reachable from it, itself excluded."""
        seen: set[str] = set()
        todo = [resource_id]
        while todo:
            for target in self.callees(todo.pop(), failing=failing):
                if target not in seen and target != resource_id:
                    seen.add(target)
                    todo.append(target)
        return frozenset(seen)

    def with_nodes(self, more: Iterable[Resource]) -> "ServiceGraph":
        """Return a graph with more resources in it."""
        return ServiceGraph.of((*self.nodes, *more), self.edges)

    def with_edges(self, more: Iterable[Edge]) -> "ServiceGraph":
        """Return a graph with more calls in it."""
        return ServiceGraph.of(self.nodes, (*self.edges, *more))


def _sum(one: Edge, other: Edge) -> Edge:
    return Edge(
        source=one.source,
        target=one.target,
        calls=one.calls + other.calls,
        errors=one.errors + other.errors,
        faults=one.faults + other.faults,
        throttles=one.throttles + other.throttles,
        seconds=round(one.seconds + other.seconds, 6),
    )
