"""The waterfall of the trace that shows the failure: as many rows as can be read, the failing path among them."""

from collections.abc import Sequence
from datetime import datetime

from domain.evidence import EvidenceBundle
from domain.graph import ServiceGraph
from domain.pictures import Span, Waterfall
from domain.report import RankedHypothesis, Role
from domain.trace import TraceCall, TraceOverview, TraceSegment
from orchestrator.conclude.naming import label
from orchestrator.illustrate.work import Work, work_of

ROWS = 12
"""More rows than that are too small to read in a thread."""

CONSIDERED = 4 * ROWS
PATH_NAMES = 4


def waterfall_of(ranked: Sequence[RankedHypothesis], bundle: EvidenceBundle, graph: ServiceGraph) -> Waterfall | None:
    """Return the waterfall of the trace that shows the failure, or None when no trace does, or it is one bar."""
    lead = next((h.resource for h in ranked if h.role is not Role.RULED_OUT), "")
    overview = _telling(bundle, lead)
    everything = work_of(bundle, overview.trace_id, graph, lead) if overview else []
    if overview is None or len(everything) < 2 or not any(work.on_path for work in everything):
        return None
    start = min(work.start for work in everything)
    seconds = max((max(work.end for work in everything) - start).total_seconds(), 0.001)
    return Waterfall(
        title=f"Trace {overview.trace_id}",
        start=start,
        seconds=seconds,
        spans=_spans(everything, start, graph),
        alt=_alt(everything, seconds, lead, graph),
    )


def _telling(bundle: EvidenceBundle, lead: str) -> TraceOverview | None:
    """Return the trace that shows most: where the leading resource fails, else where it takes part, else a failing."""
    pieces: list[TraceSegment | TraceCall] = [*bundle.of(TraceSegment), *bundle.of(TraceCall)]
    seen = {(piece.trace_id, piece.resource) for piece in pieces}
    failing = {(piece.trace_id, piece.resource) for piece in pieces if piece.failed}

    def tells(overview: TraceOverview) -> int:
        key = (overview.trace_id, lead)
        failed = bool(overview.failed_calls or overview.failed_segments or overview.in_progress)
        return 4 * (key in failing) + 2 * (key in seen) + failed

    shown = sorted(bundle.of(TraceOverview), key=lambda o: (-tells(o), o.start, o.trace_id))
    return shown[0] if shown and tells(shown[0]) else None


def _spans(everything: Sequence[Work], start: datetime, graph: ServiceGraph) -> tuple[Span, ...]:
    """Return a row for each piece of work that is kept, and under each one row for all that is left out there."""
    kept = _kept(everything)
    left_out: dict[Work | None, list[Work]] = {}
    for work in everything:
        if work not in kept:
            left_out.setdefault(_place(work, kept), []).append(work)

    def below(parent: Work | None, depth: int) -> list[Span]:
        spans = []
        for work in everything:
            if work in kept and work.parent is parent:
                spans += [_span(work, depth, start, graph), *below(work, depth + 1)]
        return [*spans, _rest(left_out[parent], depth, start)] if parent in left_out else spans

    return tuple(below(None, 0))


def _kept(everything: Sequence[Work]) -> set[Work]:
    """Return the rows to show: everything, else as much as fits, from where the failure began outwards."""
    if len(everything) <= ROWS:
        return set(everything)
    kept: set[Work] = set()
    for work in sorted(everything, key=_importance)[:CONSIDERED]:
        more = kept | {work, *work.above()}
        folds = {_place(w, more) for w in everything if w not in more}
        if len(more) + len(folds) <= ROWS:
            kept = more
    return kept


def _importance(work: Work) -> tuple[bool, bool, bool, float]:
    return (not work.origin, not work.failed, not work.on_path, -(work.seconds or 0.0))


def _place(work: Work, kept: set[Work]) -> Work | None:
    """Return the row under which a piece of work is counted when it is left out."""
    return next((w for w in work.above() if w in kept), None)


def _span(work: Work, depth: int, start: datetime, graph: ServiceGraph) -> Span:
    return Span(
        name=_short(work, graph),
        start=(work.start - start).total_seconds(),
        seconds=work.seconds,
        depth=depth,
        failed=work.failed,
        failing_path=work.on_path,
        note=_note(work),
    )


def _rest(left_out: Sequence[Work], depth: int, start: datetime) -> Span:
    """Return the row that stands for what is left out."""
    begin, end = min(work.start for work in left_out), max(work.end for work in left_out)
    failed = sum(work.failed for work in left_out)
    said = f", {failed} failed" if failed else ""
    return Span(
        name=f"+{len(left_out)} more {'call' if len(left_out) == 1 else 'calls'}{said}",
        start=(begin - start).total_seconds(),
        seconds=(end - begin).total_seconds(),
        depth=depth,
        failed=bool(failed),
        failing_path=any(work.on_path for work in left_out),
        left_out=len(left_out),
    )


def _name(work: Work, graph: ServiceGraph) -> str:
    """Return "DynamoDB table orders: PutItem" for a call, "Lambda function create-order" for what served one."""
    what = label(work.resource, graph).replace("`", "")
    first = work.items[0]
    operation = first.operation if isinstance(first, TraceCall) and len(work.items) == 1 else None
    return f"{what}: {operation}" if operation else what


def _short(work: Work, graph: ServiceGraph) -> str:
    """Return "PutItem orders" for a call, "Lambda create-order" for what served one."""
    noun, name, _ = label(work.resource, graph).split("`", 2)
    first = work.items[0]
    operation = first.operation if isinstance(first, TraceCall) and len(work.items) == 1 else None
    return f"{operation} {name}" if operation else f"{noun.removesuffix(' function ').strip()} {name}"


def _note(work: Work) -> str:
    """Say why it failed where the failure began, and what else makes it stand out."""
    parts = []
    errors = [error for item in work.items for error in item.errors]
    status = next((i.http_status for i in work.items if (i.http_status or 0) >= 400), None)
    if errors and (work.origin or (work.failed and not any(w.failed for w in work.children))):
        parts.append((errors[0].code or errors[0].type).rpartition(".")[2])
    elif work.failed and status:
        parts.append(f"HTTP {status}")
    retries = sum(i.retries for i in work.items if isinstance(i, TraceCall))
    if retries:
        parts.append(f"{retries} {'retry' if retries == 1 else 'retries'}")
    return ", ".join(parts)


def _alt(everything: Sequence[Work], seconds: float, lead: str, graph: ServiceGraph) -> str:
    """Say in one sentence what is seen."""
    marked = [work for work in everything if work.on_path]
    told = max(marked, key=lambda w: (w.origin and w.resource == lead, w.origin, w.waiting, len(list(w.above()))))
    way = [_name(work, graph) for work in (*reversed(list(told.above())), told)]
    shown = way if len(way) <= PATH_NAMES else [way[0], "…", *way[-2:]]
    took = _length(told.seconds or 0.0)
    what = "failed" if told.failed else ("had no end" if told.waiting else f"took {took}")
    note = f" ({said})" if told.failed and (said := _note(told)) else ""
    failed = sum(work.failed for work in everything)
    return (
        f"A trace of {_length(seconds)} in which {failed} of {len(everything)} steps failed: "
        f"{' → '.join(shown)} {what}{note}."
    )


def _length(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
