"""The verdict in words: what is wrong, what to look at next, or that nothing is."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from domain.alarm import AlarmState, AlarmTransition
from domain.causes import cause
from domain.evidence import EvidenceBundle
from domain.findings import most_telling
from domain.gap import Gap, GapReason
from domain.graph import ServiceGraph
from domain.report import ReportStatus, Role
from domain.result import SpecialistResult, SpecialistStatus
from domain.trace import TraceCall, TraceOverview, TraceSegment
from domain.words import listed
from orchestrator.alarms.metric import MetricSilence
from orchestrator.alarms.words import told
from orchestrator.conclude.impact import Impact, impacts
from orchestrator.conclude.naming import elsewhere, label, short
from orchestrator.conclude.settle import SUSPICION, SUSPICION_IN_PEACE, Settlement, wants_a_name
from orchestrator.conclude.weigh import ANSWERS, TraceView, given_up, unanswered
from specialists.historical_incident.evidence import PastIncident
from specialists.kit.passage import KnowledgePassage
from specialists.signal_analysis.evidence import UsualHour

NAME_NO_CAUSE = frozenset({"historical-incident", "knowledge-rag", "risk-blast-radius"})
"""Specialists that look around a failure: what they see or miss leaves open whether anything is wrong."""

NOT_LOOKED_AT = (PastIncident, KnowledgePassage, AlarmTransition, MetricSilence)
"""What the team has kept, and what was asked about: it shows nothing of the system as it is."""


LONG_SECONDS = 1.0
MOST = 0.5
"""A call is worth naming as what a request waited for when it took at least so long, and this share of the whole."""


MUCH = 0.05
"""The share of failing requests, more than usual, from which on finding nothing is no all-clear."""


CHANGES = "change-intelligence"
"""The specialist whose facts are told last: what changed at the time may have nothing to do with it."""

MOST_NOTICED = 2
"""How many unusual things are told beside an alarm that nothing explains."""


class Verdict(NamedTuple):
    """The status and the sentences that people read first."""

    status: ReportStatus
    headline: str
    summary: str
    next_look: str | None


def verdict(
    settled: Settlement,
    bundle: EvidenceBundle,
    graph: ServiceGraph,
    results: Sequence[SpecialistResult],
    gaps: Sequence[Gap],
) -> Verdict:
    """Say what the settlement means."""
    view = TraceView.of(bundle)
    if settled.root is not None:
        return _decided(settled, bundle, graph)
    judging = [r for r in results if r.name not in NAME_NO_CAUSE]
    blind = [r for r in judging if r.status in {SpecialistStatus.FAILED, SpecialistStatus.TIMEOUT}]
    if view.failed or settled.strongest >= (SUSPICION_IN_PEACE if view.known else SUSPICION):
        return _open(settled, view, bundle, graph, gaps, blind)
    seen = any(not isinstance(item, NOT_LOOKED_AT) for item in bundle) and (view.known or bool(judging))
    if not seen or (blind and not view.known):
        return _unseen(judging, blind, gaps, graph, seen=seen)
    rang = next((a for a in bundle.of(AlarmTransition) if a.state is AlarmState.ALARM), None)
    if rang is not None:
        return _unexplained(rang, bundle, results, gaps, graph)
    failing = [i for i in impacts(bundle, graph) if i.unusual and i.share >= MUCH]
    if failing and not view.known:
        return _failing_without_reason(max(failing, key=lambda i: (i.share, i.resource)), results, gaps, graph)
    return _healthy(bundle, results, gaps)


def _unseen(
    results: Sequence[SpecialistResult],
    blind: Sequence[SpecialistResult],
    gaps: Sequence[Gap],
    graph: ServiceGraph,
    *,
    seen: bool,
) -> Verdict:
    """Without a trace only the specialists can tell that all is well: when some could not look, nobody knows."""
    if not seen or len(blind) == len(results):
        said = "Nothing could be seen", f"None of the {len(results)} specialists brought evidence."
    else:
        names = listed([r.name for r in blind])
        said = "Nothing wrong was seen, but not everything could be looked at", f"No full view from {names}."
    return Verdict(ReportStatus.INCONCLUSIVE, *said, _next_look(gaps, set(), graph))


def _decided(settled: Settlement, bundle: EvidenceBundle, graph: ServiceGraph) -> Verdict:
    root = settled.root
    if root is None:
        raise ValueError("a decided verdict needs a root cause")
    sentences = [root.summary.rstrip(".") + "."]
    sentences += [h.summary.rstrip(".") + "." for h in settled.ranked if h.role is Role.TRIGGER][:1]
    if root.favoured:
        sentences.append(f"{short(root.resource, graph)} {root.favoured}.")
    if settled.rival is not None:
        other = settled.rival
        sentences.append(f"About as likely: {label(other.resource, graph)} — {cause(other.cause).title}.")
    symptoms = list(
        dict.fromkeys(
            short(h.resource, graph) for h in settled.ranked if h.role is Role.SYMPTOM and h.resource != root.resource
        )
    )
    if symptoms:
        sentences.append(f"{listed(symptoms)} {'is a symptom' if len(symptoms) == 1 else 'are symptoms'}.")
    sentences += _over(bundle)
    place = f"{label(root.resource, graph)}{elsewhere(root.resource, graph)}"
    return Verdict(ReportStatus.COMPLETED, f"{place} — {cause(root.cause).title}", " ".join(sentences), None)


def _over(bundle: EvidenceBundle) -> list[str]:
    """Say that the alarm that was asked about is over; one of several may still be in trouble."""
    rang = [a for a in bundle.of(AlarmTransition) if a.state is AlarmState.ALARM]
    ends = [(a.over_at, a.name) for a in rang if a.over_at is not None]
    if not ends or len(ends) < len(rang):
        return []
    at, name = max(ends)
    return [f"Alarm `{name}` was OK again at {at:%H:%M} UTC."]


def _open(
    settled: Settlement,
    view: TraceView,
    bundle: EvidenceBundle,
    graph: ServiceGraph,
    gaps: Sequence[Gap],
    blind: Sequence[SpecialistResult],
) -> Verdict:
    likely = [h for h in settled.by_rules if h.role in {Role.MINORITY, Role.CONTRIBUTING, Role.TRIGGER}][:3]
    where = sorted(view.origins) or [h.resource for h in likely[:1]] or _only(view.failing)
    silent = unanswered(where[0], bundle) if where else ()
    left = given_up(where[0], bundle) if where else ()
    if likely:
        fits = "; ".join(f"{cause(h.cause).title} at {short(h.resource, graph)} ({h.confidence:.0%})" for h in likely)
        said = f"{'One cause fits' if len(likely) == 1 else f'{len(likely)} causes fit'}, none well enough: {fits}."
    else:
        said = "No rule explains what was seen."
    if blind:
        said = f"{said} No full view from {listed([r.name for r in blind])}."
    return Verdict(
        ReportStatus.INCONCLUSIVE,
        f"{_failing(where, silent, left, graph)}, but the evidence does not decide",
        said,
        _onward(gaps, {*where, *(h.resource for h in likely)}, silent, left, graph),
    )


def _onward(
    gaps: Sequence[Gap],
    about: set[str],
    silent: Sequence[TraceCall],
    left: Sequence[TraceCall],
    graph: ServiceGraph,
) -> str | None:
    """Say where to look next: what could not be seen first, then between a caller and what it called."""
    if left and not gaps:
        return _patience(left, graph)
    if silent and not gaps:
        return _way(silent, graph)
    return _next_look(gaps, about, graph)


def _failing(where: Sequence[str], silent: Sequence[TraceCall], left: Sequence[TraceCall], graph: ServiceGraph) -> str:
    """Say where it fails: what got no answer may fail in its caller, on the way, or at what was called."""
    if left:
        called = label(left[0].resource, graph)
        return f"{label(left[0].caller, graph)} stops waiting for {called}, which ends well"
    if silent:
        return f"Calls of {label(silent[0].caller, graph)} to {label(silent[0].resource, graph)} get no answer"
    return f"Something is failing in {label(where[0], graph) if where else 'this request'}"


def _patience(left: Sequence[TraceCall], graph: ServiceGraph) -> str:
    caller, called = label(left[0].caller, graph), label(left[0].resource, graph)
    return f"Compare how long {caller} waits for an answer with how long {called} usually takes."


def _way(silent: Sequence[TraceCall], graph: ServiceGraph) -> str:
    caller, called = label(silent[0].caller, graph), label(silent[0].resource, graph)
    return f"Look at the way from {caller} to {called}: its name, routes, security groups, and the log of the caller."


def _only(failing: frozenset[str]) -> list[str]:
    """The one resource that failed, where there is one."""
    return sorted(failing) if len(failing) == 1 else []


def _next_look(gaps: Sequence[Gap], about: set[str], graph: ServiceGraph) -> str | None:
    """The one look that would tell: a denied one at the suspects first, then any denied one, then any that failed.

    Of several that are denied, one whose permission most of them lack.
    """
    nameless = sorted(filter(wants_a_name, about))
    if nameless and not gaps:
        return f"The trace does not name what of {label(nameless[0], graph)} was called: ask again with its name."
    if not gaps:
        return (
            f"Look at the metrics and logs around {label(min(about), graph)} at the time of the failure."
            if about
            else None
        )
    order = {
        GapReason.ACCESS_DENIED: 0,
        GapReason.TIMED_OUT: 1,
        GapReason.THROTTLED: 1,
        GapReason.FAILED: 2,
        GapReason.NO_DATA: 3,
        GapReason.NOT_FOUND: 3,
    }
    lacking = Counter(g.action for g in gaps)
    best = min(
        gaps,
        key=lambda g: (
            g.specialist in NAME_NO_CAUSE,
            g.resource not in about,
            order[g.reason],
            -lacking[g.action] if g.action else 0,
            g.specialist,
            g.probe,
            g.resource,
        ),
    )
    return best.message


def _unexplained(
    rang: AlarmTransition,
    bundle: EvidenceBundle,
    results: Sequence[SpecialistResult],
    gaps: Sequence[Gap],
    graph: ServiceGraph,
) -> Verdict:
    """An alarm says that something was wrong, so that finding nothing is no all-clear."""
    headline = f"Alarm `{rang.name}` rang, and nothing that was looked at explains it"
    waited = _longest(bundle)
    where_it_went = _waited(*waited, graph) if waited else ""
    over = "".join(f"{sentence} " for sentence in _over(bundle))
    beside = f"{over}{where_it_went}{_as_ever(bundle, graph)}{_noticed(results)}"
    said = f"{told(rang)[:1].upper()}{told(rang)[1:]}. {beside}{_checked(results)}"
    about = waited[1].resource if waited else rang.resource
    return Verdict(ReportStatus.INCONCLUSIVE, headline, said, _next_look(gaps, {about}, graph))


def _failing_without_reason(
    impact: Impact, results: Sequence[SpecialistResult], gaps: Sequence[Gap], graph: ServiceGraph
) -> Verdict:
    """Its own metrics say that requests fail as they usually do not, so that finding nothing is no all-clear."""
    headline = f"Something is failing in {label(impact.resource, graph)}, and nothing that was looked at explains it"
    said = f"{impact.share:.0%} of {impact.said}, more than usual. {_checked(results)}"
    return Verdict(ReportStatus.INCONCLUSIVE, headline, said, _next_look(gaps, {impact.resource}, graph))


def _noticed(results: Sequence[SpecialistResult]) -> str:
    """What specialists saw that is unusual and names no cause: it may be what the alarm saw."""
    by_change = sorted(results, key=lambda r: r.name == CHANGES)
    told = dict.fromkeys(most_telling(r.facts).rstrip(".") for r in by_change if r.name not in NAME_NO_CAUSE)
    return "".join(f"{one}. " for one in [one for one in told if one][:MOST_NOTICED])


def _as_ever(bundle: EvidenceBundle, graph: ServiceGraph) -> str:
    """What looks odd by the hours before and is so at this hour of other days: it may be all that the alarm saw."""
    same = dict.fromkeys((h.signal.split()[1], h.resource) for h in bundle.of(UsualHour) if h.usual)
    names = [f"{metric} of {label(resource, graph)}" for metric, resource in same][:3]
    return f"{listed(names)} did the same at this hour of other days. " if names else ""


def _longest(bundle: EvidenceBundle) -> tuple[TraceOverview, TraceCall] | None:
    """The slowest traced request and the one call that took most of its time, where there is one."""
    slowest = max(bundle.of(TraceOverview), key=lambda o: (o.seconds, o.trace_id), default=None)
    if slowest is None:
        return None
    calls = [c for c in bundle.of(TraceCall) if c.trace_id == slowest.trace_id]
    callers = {c.caller for c in calls}
    ends = [c for c in calls if c.resource not in callers]
    longest = max(ends, key=lambda c: (c.seconds, c.segment_id), default=None)
    worth = longest is not None and longest.seconds >= max(LONG_SECONDS, MOST * slowest.seconds)
    return (slowest, longest) if longest is not None and worth else None


def _waited(slowest: TraceOverview, longest: TraceCall, graph: ServiceGraph) -> str:
    return (
        f"Of the {slowest.seconds:.1f} s that the slowest traced request took, {short(longest.caller, graph)} waited "
        f"{longest.seconds:.1f} s for {label(longest.resource, graph)}. "
    )


def _checked(results: Sequence[SpecialistResult]) -> str:
    looks = sum(r.looks for r in results)
    return f"Checked: {len(results)} {'specialist' if len(results) == 1 else 'specialists'}, {looks} looks."


def _healthy(bundle: EvidenceBundle, results: Sequence[SpecialistResult], gaps: Sequence[Gap]) -> Verdict:
    missed = [g for g in gaps if g.reason not in {GapReason.NOT_FOUND, GapReason.NO_DATA}]
    unseen = f"Could not check everything: {missed[0].message.rstrip('.')}." if missed else ""
    traces = [f"{_outcome(t, bundle)}: {t.summary()}." for t in bundle.of(TraceOverview)[:1]]
    silent = [f"{s.summary()}." for s in bundle.of(MetricSilence)]
    said = " ".join(part for part in (*silent, *traces, _checked(results), unseen) if part)
    return Verdict(ReportStatus.COMPLETED, "Nothing wrong found here", said, None)


def _outcome(trace: TraceOverview, bundle: EvidenceBundle) -> str:
    answered = [s for s in bundle.of(TraceSegment) if s.trace_id == trace.trace_id and s.http_status in ANSWERS]
    if answered:
        return f"The request was answered with HTTP {answered[0].http_status}, and nothing behind that answer failed"
    return "The request succeeded, its code dealt with what failed" if trace.failed_calls else "The trace is healthy"
