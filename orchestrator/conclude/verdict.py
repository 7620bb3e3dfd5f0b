"""The verdict in words: what is wrong, what to look at next, or that nothing is."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from domain.alarm import AlarmState, AlarmTransition
from domain.causes import cause
from domain.evidence import EvidenceBundle
from domain.gap import Gap, GapReason
from domain.graph import ServiceGraph
from domain.report import ReportStatus, Role
from domain.result import SpecialistResult, SpecialistStatus
from domain.trace import TraceOverview
from domain.words import listed
from orchestrator.alarms.metric import MetricSilence
from orchestrator.alarms.words import told
from orchestrator.conclude.naming import label, short
from orchestrator.conclude.settle import SUSPICION, SUSPICION_IN_PEACE, Settlement
from orchestrator.conclude.weigh import TraceView
from specialists.historical_incident.evidence import PastIncident
from specialists.kit.passage import KnowledgePassage
from specialists.signal_analysis.evidence import UsualHour

NAME_NO_CAUSE = frozenset({"historical-incident", "knowledge-rag", "risk-blast-radius"})
"""Specialists that look around a failure: what they see or miss leaves open whether anything is wrong."""

NOT_LOOKED_AT = (PastIncident, KnowledgePassage, AlarmTransition, MetricSilence)
"""What the team has kept, and what was asked about: it shows nothing of the system as it is."""


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
        return _decided(settled, graph)
    judging = [r for r in results if r.name not in NAME_NO_CAUSE]
    blind = [r for r in judging if r.status in {SpecialistStatus.FAILED, SpecialistStatus.TIMEOUT}]
    if view.failed or settled.strongest >= (SUSPICION_IN_PEACE if view.known else SUSPICION):
        return _open(settled, view, graph, gaps, blind)
    seen = any(not isinstance(item, NOT_LOOKED_AT) for item in bundle) and (view.known or bool(judging))
    if not seen or (blind and not view.known):
        return _unseen(judging, blind, gaps, graph, seen=seen)
    rang = next((a for a in bundle.of(AlarmTransition) if a.state is AlarmState.ALARM), None)
    if rang is not None:
        return _unexplained(rang, bundle, results, gaps, graph)
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


def _decided(settled: Settlement, graph: ServiceGraph) -> Verdict:
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
    return Verdict(
        ReportStatus.COMPLETED, f"{label(root.resource, graph)} — {cause(root.cause).title}", " ".join(sentences), None
    )


def _open(
    settled: Settlement,
    view: TraceView,
    graph: ServiceGraph,
    gaps: Sequence[Gap],
    blind: Sequence[SpecialistResult],
) -> Verdict:
    likely = [h for h in settled.by_rules if h.role in {Role.MINORITY, Role.CONTRIBUTING, Role.TRIGGER}][:3]
    where = sorted(view.origins) or [h.resource for h in likely[:1]] or _only(view.failing)
    place = label(where[0], graph) if where else "this request"
    if likely:
        fits = "; ".join(f"{cause(h.cause).title} at {short(h.resource, graph)} ({h.confidence:.0%})" for h in likely)
        said = f"{'One cause fits' if len(likely) == 1 else f'{len(likely)} causes fit'}, none well enough: {fits}."
    else:
        said = "No rule explains what was seen."
    if blind:
        said = f"{said} No full view from {listed([r.name for r in blind])}."
    return Verdict(
        ReportStatus.INCONCLUSIVE,
        f"Something is failing in {place}, but the evidence does not decide",
        said,
        _next_look(gaps, {*where, *(h.resource for h in likely)}, graph),
    )


def _only(failing: frozenset[str]) -> list[str]:
    """The one resource that failed, where there is one."""
    return sorted(failing) if len(failing) == 1 else []


def _next_look(gaps: Sequence[Gap], about: set[str], graph: ServiceGraph) -> str | None:
    """The one look that would tell: a denied one at the suspects first, then any denied one, then any that failed.

    Of several that are denied, one whose permission most of them lack.
    """
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
    said = f"{told(rang)[:1].upper()}{told(rang)[1:]}. {_as_ever(bundle, graph)}{_checked(results)}"
    return Verdict(ReportStatus.INCONCLUSIVE, headline, said, _next_look(gaps, {rang.resource}, graph))


def _as_ever(bundle: EvidenceBundle, graph: ServiceGraph) -> str:
    """What looks odd by the hours before and is so at this hour of other days: it may be all that the alarm saw."""
    same = dict.fromkeys((h.signal.split()[1], h.resource) for h in bundle.of(UsualHour) if h.usual)
    names = [f"{metric} of {label(resource, graph)}" for metric, resource in same][:3]
    return f"{listed(names)} did the same at this hour of other days. " if names else ""


def _checked(results: Sequence[SpecialistResult]) -> str:
    looks = sum(r.looks for r in results)
    return f"Checked: {len(results)} {'specialist' if len(results) == 1 else 'specialists'}, {looks} looks."


def _healthy(bundle: EvidenceBundle, results: Sequence[SpecialistResult], gaps: Sequence[Gap]) -> Verdict:
    missed = [g for g in gaps if g.reason not in {GapReason.NOT_FOUND, GapReason.NO_DATA}]
    unseen = f"Could not check everything: {missed[0].message.rstrip('.')}." if missed else ""
    traces = [f"{_outcome(t)}: {t.summary()}." for t in bundle.of(TraceOverview)[:1]]
    silent = [f"{s.summary()}." for s in bundle.of(MetricSilence)]
    said = " ".join(part for part in (*silent, *traces, _checked(results), unseen) if part)
    return Verdict(ReportStatus.COMPLETED, "Nothing wrong found here", said, None)


def _outcome(trace: TraceOverview) -> str:
    return "The request succeeded, its code dealt with what failed" if trace.failed_calls else "The trace is healthy"
