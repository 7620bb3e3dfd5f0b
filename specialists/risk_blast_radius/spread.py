"""How far a failure spreads: who calls what fails and fails with it, who is next, and whose work waits.

Pure, over the service graph of the trace and what the risk specialist saw; concluding uses it as well as its rules.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from domain.evidence import EvidenceBundle
from domain.graph import ServiceGraph
from domain.resource import Resource, ResourceType, resource_from_arn
from domain.trace import TraceSegment
from specialists.kit.services import SERVING
from specialists.risk_blast_radius.evidence import Counts, Handover, ServiceTraffic

FLOOR = 0.01
"""Below this share single failures are what every system has."""

ENOUGH = 20
"""How many traced requests a share needs to say something of the others."""

PASSES_ON = frozenset({ResourceType.QUEUE, ResourceType.TOPIC, ResourceType.STREAM, ResourceType.EVENT_BUS})
KEEPS = frozenset({ResourceType.QUEUE, ResourceType.STREAM})


class Affected(NamedTuple):
    """A service that fails because of the origin; `entry`: nobody who calls it is affected as well.

    `traffic` is what X-Ray counted of it, None where only the trace tells.
    """

    resource: str
    name: str
    entry: bool
    traffic: ServiceTraffic | None

    @property
    def measured(self) -> ServiceTraffic | None:
        """Its traffic, where that is enough to tell a share from."""
        return self.traffic if self.traffic is not None and self.traffic.counts.total >= ENOUGH else None


class Follower(NamedTuple):
    """What fails or waits next: a sentence's end, beginning with its name, and the evidence for it."""

    resource: str
    said: str
    evidence: tuple[str, ...]


class Spread(NamedTuple):
    """Who is affected, entries first and the busiest first, and what follows."""

    affected: tuple[Affected, ...]
    followers: tuple[Follower, ...]

    @property
    def entries(self) -> tuple[Affected, ...]:
        """The affected services that no other affected one calls: what the outside sees failing."""
        return tuple(one for one in self.affected if one.entry)


class _Feed(NamedTuple):
    upstream: str
    downstream: str
    evidence: tuple[str, ...]


class _View(NamedTuple):
    """What both sources tell, in one shape; `failing` and `calls` are (caller, callee), `broken` failed themselves."""

    graph: ServiceGraph
    traffic: dict[str, ServiceTraffic]
    failing: frozenset[tuple[str, str]]
    calls: frozenset[tuple[str, str]]
    feeds: tuple[_Feed, ...]
    broken: frozenset[str]

    def name(self, resource: str) -> str:
        """What people call it."""
        node, seen = self.graph.node(resource), self.traffic.get(resource)
        if node is not None:
            return node.title
        return seen.name if seen is not None else _resource(resource, self.graph).title

    def serves(self, resource: str) -> bool:
        """Whether it is a service of a team."""
        return _resource(resource, self.graph).type in SERVING


def spread(graph: ServiceGraph, bundle: EvidenceBundle, origins: Collection[str]) -> Spread:
    """Follow failing calls from where the failure began up to the entries, and look around there for what is next."""
    view = _view(graph, bundle, origins)
    reached, todo = set(origins), list(origins)
    while todo:
        here = todo.pop()
        new = {caller for caller, callee in view.failing if callee == here} - reached
        reached |= new
        todo.extend(new)
    hit = {resource for resource in reached if view.serves(resource)}
    entries = {r for r in hit if not any(callee == r and caller in hit for caller, callee in view.failing)}
    affected = (Affected(r, view.name(r), r in entries, view.traffic.get(r)) for r in hit)
    found = {f.resource: f for f in reversed(list(_followers(view, hit, origins)))}
    return Spread(
        affected=tuple(sorted(affected, key=_entries_first)),
        followers=tuple(found[resource] for resource in sorted(found)),
    )


def measured_failing(graph: ServiceGraph, bundle: EvidenceBundle) -> frozenset[str]:
    """Return the graph's resources of which X-Ray counted enough failing requests: where to begin without a trace."""
    seen = (bundle.first(ServiceTraffic, node.id) for node in graph.nodes)
    return frozenset(t.resource for t in seen if t is not None and t.counts.total >= ENOUGH and t.counts.share >= FLOOR)


def _entries_first(one: Affected) -> tuple[bool, int, str]:
    return (not one.entry, -(one.traffic.counts.failing if one.traffic else 0), one.resource)


def _view(graph: ServiceGraph, bundle: EvidenceBundle, origins: Collection[str]) -> _View:
    traffic = {t.resource: t for t in bundle.of(ServiceTraffic)}
    counted = [(c.resource, t.resource, c.counts) for t in traffic.values() for c in t.callers]
    failing = {(e.source, e.target) for e in graph.edges if e.failing}
    failing |= {(caller, callee) for caller, callee, counts in counted if _fails(counts, refused=callee in origins)}
    calls = {(e.source, e.target) for e in graph.edges if e.calls} | {(caller, callee) for caller, callee, _ in counted}
    feeds = [_Feed(e.source, e.target, ()) for e in graph.edges if not e.calls]
    feeds += [_Feed(h.upstream, h.downstream, (h.id,)) for h in bundle.of(Handover) if h.active]
    broken = frozenset(segment.resource for segment in bundle.of(TraceSegment) if segment.failed)
    return _View(graph, traffic, frozenset(failing), frozenset(calls), tuple(feeds), broken)


def _fails(counts: Counts, *, refused: bool) -> bool:
    """Whether the calls fail; what the origin answers with 4xx counts too: AWS says so that it refuses or throttles."""
    failing = counts.failing + (counts.errors if refused else 0)
    return failing > 0 and failing >= FLOOR * counts.total


def _followers(view: _View, hit: Collection[str], origins: Collection[str]) -> Iterator[Follower]:
    for feed in view.feeds:
        source, target = f"`{view.name(feed.upstream)}`", f"`{view.name(feed.downstream)}`"
        writers = sorted(caller for caller, callee in view.calls if callee == feed.upstream and caller in hit)
        readers = sorted(f.downstream for f in view.feeds if f.upstream == feed.upstream and f.downstream in hit)
        if feed.downstream in hit:
            if _resource(feed.upstream, view.graph).type in KEEPS and feed.upstream not in origins:
                waits = f"{source} feeds {target}: its messages are not worked off meanwhile"
                yield Follower(feed.upstream, waits, feed.evidence)
        elif writers:
            writer = f"`{view.name(writers[0])}`"
            said = f"{target} gets its work from {source}, which {writer} feeds, and will follow"
            yield Follower(feed.downstream, said, feed.evidence)
        elif readers:
            said = f"{target} reads {source} as `{view.name(readers[0])}` does, and may follow"
            yield Follower(feed.downstream, said, feed.evidence)
    yield from _other_callers(view, hit, origins)


def _other_callers(view: _View, hit: Collection[str], origins: Iterable[str]) -> Iterator[Follower]:
    """Who calls the origin too, without failures so far."""
    for caller, callee in sorted(view.calls):
        counted = view.traffic.get(callee)
        well = caller not in hit and caller not in view.broken
        if callee in origins and well and view.serves(caller):
            said = f"`{view.name(caller)}` calls `{view.name(callee)}` too, so far without failures, and may follow"
            yield Follower(caller, said, (counted.id,) if counted is not None else ())


def _resource(ident: str, graph: ServiceGraph) -> Resource:
    """Return the node, or what an id outside the graph tells: an ARN, or a type and a name."""
    node = graph.node(ident)
    if node is not None:
        return node
    if ident.startswith("arn:"):
        return resource_from_arn(ident)
    kind, _, name = ident.partition(":")
    known = kind in {ResourceType.SERVICE.value, ResourceType.REMOTE.value, ResourceType.AWS_SERVICE.value}
    return Resource(id=ident, type=ResourceType(kind) if known else ResourceType.OTHER, name=name or ident)
