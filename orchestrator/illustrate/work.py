"""A trace's pieces of work, nested as they were done for each other, with the way to the failure marked."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from domain.evidence import EvidenceBundle
from domain.graph import ServiceGraph
from domain.trace import TraceCall, TraceSegment

OTHER_CLOCK = timedelta(milliseconds=50)
"""How much earlier than its caller a callee may seem to begin."""

MOST_OF_IT = 0.5
"""The share of a trace without failures that the leading resource must take to be worth a picture."""


@dataclass(eq=False)
class Work:
    """A piece of work and what was done for it. A call and the segments that served it are one.

    `seconds` is None where no end was recorded; `on_path` marks the way from the entry to what failed.
    """

    items: list[TraceCall | TraceSegment]
    start: datetime
    seconds: float | None
    failed: bool
    waiting: bool
    parent: "Work | None" = None
    children: "list[Work]" = field(default_factory=list)
    on_path: bool = False

    @property
    def resource(self) -> str:
        """What did it."""
        return self.items[0].resource

    @property
    def origin(self) -> bool:
        """Whether the failure began here."""
        return any(item.failed and item.origin for item in self.items)

    @property
    def end(self) -> datetime:
        """Its recorded end; its start where there is none."""
        return self.start + timedelta(seconds=self.seconds or 0.0)

    def around(self, other: "Work") -> bool:
        """Whether the other began while this was being done."""
        begun = self.start - OTHER_CLOCK <= other.start
        return begun and (self.seconds is None or other.start <= self.end)

    def walk(self) -> "Iterator[Work]":
        """Yield it and everything below it, in the order of a drawing."""
        yield self
        for child in self.children:
            yield from child.walk()

    def above(self) -> "Iterator[Work]":
        """Yield what it was done for, up to the entry."""
        if self.parent is not None:
            yield self.parent
            yield from self.parent.above()


def work_of(bundle: EvidenceBundle, trace_id: str, graph: ServiceGraph, lead: str) -> list[Work]:
    """Return everything that was done in a trace, in the order of a drawing, the way to the failure marked."""
    calls = (c for c in bundle.of(TraceCall) if c.trace_id == trace_id)
    segments = (s for s in bundle.of(TraceSegment) if s.trace_id == trace_id)
    pieces = [Work([c], c.start, None if c.pending else c.seconds, c.failed, c.pending) for c in calls]
    pieces += [Work([s], s.start, s.seconds, s.failed, s.seconds is None) for s in segments]
    everything = [work for root in _nested(sorted(pieces, key=_order), graph) for work in root.walk()]
    _mark_path(everything, lead)
    return everything


def _order(work: Work) -> tuple[datetime, float, bool, str]:
    """Sort by time; of two that begin together the longer first, and a call before what served it."""
    item = work.items[0]
    longest = float("-inf") if work.seconds is None else -work.seconds
    return (work.start, longest, isinstance(item, TraceSegment), item.segment_id)


def _nested(pieces: Iterable[Work], graph: ServiceGraph) -> list[Work]:
    """Put every piece under the narrowest that it was done for, by resource and time; return those without any.

    Evidence of a trace names caller and callee, not the document's parent.
    """
    standing: dict[str, list[Work]] = defaultdict(list)
    roots: list[Work] = []
    for work in pieces:
        item = work.items[0]
        if isinstance(item, TraceCall):
            parent = _narrowest(work, standing[item.caller])
        else:
            same = _narrowest(work, standing[item.resource])
            if same is not None and not any(_another_run(known, item) for known in same.items):
                _join(same, work)
                continue
            parent = _narrowest(work, (w for caller in graph.callers(item.resource) for w in standing[caller]))
        work.parent = parent
        (parent.children if parent else roots).append(work)
        standing[work.resource].append(work)
    return roots


def _narrowest(work: Work, candidates: Iterable[Work]) -> Work | None:
    """Return the one around it that began last."""
    return max((w for w in candidates if w.around(work)), key=lambda w: w.start, default=None)


def _another_run(known: TraceCall | TraceSegment, new: TraceSegment) -> bool:
    """Whether it is a run of its own: Lambda's segments of the service and of the function are one run."""
    return isinstance(known, TraceSegment) and known.origin_type == new.origin_type


def _join(call: Work, segment: Work) -> None:
    """Let a segment be part of the work that it served; it may outlast a caller that did not wait."""
    if call.seconds is not None and segment.seconds is not None:
        call.seconds = (max(call.end, segment.end) - call.start).total_seconds()
    call.items += segment.items
    call.failed = call.failed or segment.failed
    call.waiting = call.waiting or segment.waiting


def _mark_path(everything: list[Work], lead: str) -> None:
    """Mark what failed and what has no end, else where the leading resource took the time; and what that was for."""
    whole = max((w.seconds or 0.0 for w in everything), default=0.0)
    told = [w for w in everything if w.failed or w.waiting]
    for work in told or [w for w in everything if w.resource == lead and (w.seconds or 0.0) >= MOST_OF_IT * whole]:
        for each in (work, *work.above()):
            each.on_path = True
