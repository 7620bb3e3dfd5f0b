"""How much speaks for a hypothesis: strength of its evidence, and where it stands in the trace.

Pieces of evidence that come from one look are not independent, so the strongest of them counts; independent looks
add up as probabilities do (noisy-or). What contradicts takes away in the same way.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from domain.evidence import EvidenceBundle
from domain.findings import Hypothesis, Strength, Support
from domain.graph import ServiceGraph
from domain.trace import TraceCall, TraceOverview, TraceSegment
from orchestrator.conclude.explain import BLINDNESS

WEIGHT = {Strength.PROOF: 0.80, Strength.STRONG: 0.50, Strength.WEAK: 0.20}
"""The share of doubt that one look of this strength removes."""

AT_ORIGIN = 0.40
"""The share of doubt that standing where the trace's failure began removes from what evidence makes certain.

Position alone is no evidence: it strengthens in proportion, so that guesses stay guesses and what is contradicted
stays ruled out.
"""

UNTOUCHED = 0.45
"""What is left of a hypothesis about a resource whose every traced call succeeded, unless it cites the trace."""

UNTOUCHED_IN_PEACE = 0.72
"""The same in a trace in which nothing failed: what happens after a call, as a delivery, its success does not tell."""

ELSEWHERE = 0.75
"""What is left of a hypothesis about a resource that the failing trace does not know, unless it cites the trace."""

ASIDE = 0.60
"""What is left of a hypothesis that something cannot be seen, about a resource that the trace does not know."""


class TraceView(NamedTuple):
    """What the trace says about position: where failures began, which resources took part in them, which did not.

    What a failing caller was still waiting for took part.
    """

    known: bool
    failed: bool
    origins: frozenset[str]
    failing: frozenset[str]
    seen: frozenset[str]
    origin_evidence: frozenset[str]

    @classmethod
    def of(cls, bundle: EvidenceBundle) -> "TraceView":
        """Read the positions from the trace's evidence."""
        calls, segments = bundle.of(TraceCall), bundle.of(TraceSegment)
        tried_again = _made_good(calls, segments)
        failed_segments = [] if tried_again else [s for s in segments if s.failed]
        bad_segments = [s for s in failed_segments if not _passed_on(s, calls, segments)]
        callers_that_failed = {s.resource for s in bad_segments}
        failed_calls = [] if tried_again else [c for c in calls if c.failed]
        unwell = [*failed_calls, *(c for c in calls if c.pending)]
        bad_calls = [
            c for c in failed_calls if not c.left_behind(unwell) and (c.caller in callers_that_failed or not c.refused)
        ]
        waited_for = {c.resource for c in calls if c.pending and c.caller in callers_that_failed}
        origins = {c.resource for c in bad_calls if c.origin} | {s.resource for s in bad_segments if s.origin}
        return cls(
            known=bool(bundle.of(TraceOverview)),
            failed=bool(bad_calls or bad_segments),
            origins=frozenset(origins),
            failing=frozenset(
                {r for c in bad_calls for r in (c.resource, c.caller)} | callers_that_failed | waited_for
            ),
            seen=frozenset({c.resource for c in calls} | {s.resource for s in segments}),
            origin_evidence=frozenset({c.id for c in bad_calls if c.origin} | {s.id for s in bad_segments if s.origin}),
        )


def _made_good(calls: Iterable[TraceCall], segments: Iterable[TraceSegment]) -> bool:
    """Whether everything in the trace that failed was tried again later and succeeded then."""
    good_calls = {
        (c.caller, c.resource): c.start for c in sorted(calls, key=lambda c: c.start) if not c.failed and not c.pending
    }
    good_segments = {
        s.resource: s.start for s in sorted(segments, key=lambda s: s.start) if not s.failed and s.seconds is not None
    }
    tried = [good_calls.get((c.caller, c.resource), c.start) > c.start for c in calls if c.failed]
    tried += [good_segments.get(s.resource, s.start) > s.start for s in segments if s.failed]
    return bool(tried) and all(tried)


ANSWERS = frozenset({400, 404, 405, 406, 409, 410, 412, 415, 422})
"""What a program answers to a request that it cannot fulfil; 401, 403 and 429 may come from what guards it."""


def _passed_on(segment: TraceSegment, calls: Iterable[TraceCall], segments: Iterable[TraceSegment]) -> bool:
    """Whether a segment only handed on an HTTP 4xx that what it called had answered, without failing itself."""
    if segment.fault or segment.throttle or segment.errors or segment.http_status not in ANSWERS:
        return False
    called = [c for c in calls if c.caller == segment.resource and c.trace_id == segment.trace_id]
    callees = {c.resource for c in called}
    there = [s for s in segments if s.resource in callees and s.trace_id == segment.trace_id]
    return bool(there) and not any(c.failed or c.pending for c in called) and not any(s.failed for s in there)


def unanswered(resource: str, bundle: EvidenceBundle) -> tuple[TraceCall, ...]:
    """Return the calls in which a failure began at the resource, where none of them had an answer of it at all.

    A resource that was reached has a segment of its own, or its calls have an HTTP status.
    """
    began = [c for c in bundle.of(TraceCall, resource) if c.failed and c.origin]
    reached = bundle.of(TraceSegment, resource) or any(c.http_status or not _no_way(c) for c in began)
    return () if reached else tuple(began)


def given_up(resource: str, bundle: EvidenceBundle) -> tuple[TraceCall, ...]:
    """Return the calls in which a failure began at the resource, where their caller stopped waiting and it went well.

    Its own segments show it: all of them ended without a failure.
    """
    began = [c for c in bundle.of(TraceCall, resource) if c.failed and c.origin]
    own = bundle.of(TraceSegment, resource)
    well = bool(own) and all(s.seconds is not None and not s.failed for s in own)
    return tuple(began) if well and all(_no_way(c) and not c.http_status for c in began) else ()


NO_WAY = re.compile(
    r"time-?d? ?out|connect|ECONN|EAI_AGAIN|ENOTFOUND|UnknownHost|no such host|unreachable", re.IGNORECASE
)
"""What clients write who got no connection, or no answer over one."""


def _no_way(call: TraceCall) -> bool:
    return call.pending or any(NO_WAY.search(f"{error.type} {error.message}") for error in call.errors)


def grounded(hypotheses: Iterable[Hypothesis], bundle: EvidenceBundle) -> Iterator[Hypothesis]:
    """Yield the hypotheses that cite evidence which was seen, without any citation that was not."""
    for hypothesis in hypotheses:
        supports = tuple(s for s in hypothesis.supports if s.evidence in bundle)
        contradicting = tuple(s for s in hypothesis.contradicting if s.evidence in bundle)
        doubts = tuple(s for s in hypothesis.doubts if s.evidence in bundle)
        if supports:
            yield hypothesis.model_copy(update={"supports": supports, "contradicting": contradicting, "doubts": doubts})


def merged(hypotheses: Iterable[Hypothesis]) -> tuple[Hypothesis, ...]:
    """Join what several specialists say of one cause at one resource, in a fixed order."""
    groups: dict[tuple[str, str], list[Hypothesis]] = {}
    for hypothesis in hypotheses:
        groups.setdefault((hypothesis.cause, hypothesis.resource), []).append(hypothesis)
    return tuple(_join(sorted(groups[key], key=_best_first)) for key in sorted(groups))


def _best_first(hypothesis: Hypothesis) -> tuple[float, str, str]:
    return (-sum(WEIGHT[s.strength] for s in hypothesis.supports), hypothesis.specialist, hypothesis.summary)


def _join(group: Sequence[Hypothesis]) -> Hypothesis:
    return group[0].model_copy(
        update={
            "supports": _strongest(s for h in group for s in h.supports),
            "contradicting": _strongest(s for h in group for s in h.contradicting),
            "since": min((h.since for h in group if h.since is not None), default=None),
            "defers_to": tuple(sorted({r for h in group for r in h.defers_to})),
            "doubts": _strongest(s for h in group for s in h.doubts),
        }
    )


def _strongest(supports: Iterable[Support]) -> tuple[Support, ...]:
    best: dict[str, Support] = {}
    for support in supports:
        known = best.get(support.evidence)
        if known is None or WEIGHT[support.strength] > WEIGHT[known.strength]:
            best[support.evidence] = support
    return tuple(best[key] for key in sorted(best, key=lambda k: (-WEIGHT[best[k].strength], k)))


def evidence_score(hypothesis: Hypothesis, bundle: EvidenceBundle) -> float:
    """Return how much the evidence alone supports it, 0 to 1."""
    supported = noisy_or(hypothesis.supports, bundle)
    return supported * (1 - noisy_or(hypothesis.contradicting, bundle))


def noisy_or(supports: Iterable[Support], bundle: EvidenceBundle) -> float:
    """Return how much doubt all of it removes together, 0 to 1."""
    by_look: dict[tuple[str, str, str], float] = {}
    for support in supports:
        item = bundle[support.evidence]
        look = (item.kind, item.source, item.resource)
        by_look[look] = max(by_look.get(look, 0.0), WEIGHT[support.strength])
    doubt = 1.0
    for weight in by_look.values():
        doubt *= 1 - weight
    return 1 - doubt


def positioned(score: float, hypothesis: Hypothesis, view: TraceView, graph: ServiceGraph) -> float:
    """Return the score after asking where in the trace the hypothesis stands."""
    if not view.known:
        return score
    cites_origin = bool(view.origin_evidence & set(hypothesis.evidence))
    if view.failed and (hypothesis.resource in view.origins or cites_origin):
        return 1 - (1 - score) * (1 - AT_ORIGIN * score)
    if cites_origin or hypothesis.resource in view.failing:
        return score
    if hypothesis.resource in view.seen:
        return score * (UNTOUCHED if view.failed else UNTOUCHED_IN_PEACE)
    if hypothesis.cause in BLINDNESS:
        return score * ASIDE
    return score * ELSEWHERE if graph.node(hypothesis.resource) is None or view.failed else score
