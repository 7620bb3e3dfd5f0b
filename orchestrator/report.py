"""The report: the conclusion, what was seen and what was not, in the shape that others rely on."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import datetime

from domain.action import ProposedAction
from domain.alarm import AlarmTransition
from domain.arn import partition_of
from domain.causes import cause
from domain.evidence import Evidence, EvidenceBundle
from domain.findings import Advice
from domain.gap import Gap
from domain.graph import ServiceGraph
from domain.incident import IncidentTold
from domain.links import console_link, trace_link
from domain.report import (
    CitedEvidence,
    RankedHypothesis,
    Report,
    ReportStatus,
    Role,
    Severity,
    SeverityLevel,
    SpecialistReport,
)
from domain.request import Trigger
from domain.resource import Resource, resource_from_arn
from domain.result import SpecialistResult
from domain.told import Wording
from domain.trace import TraceCall, TraceOverview, TraceSegment
from domain.usage import Usage
from orchestrator.alarms.metric import MetricSilence
from orchestrator.conclude.conclusion import Conclusion
from orchestrator.conclude.weigh import TraceView
from orchestrator.illustrate import illustrate
from orchestrator.runbooks import runbooks
from orchestrator.store import Investigation, StoredBundle
from specialists.kit.passage import KnowledgePassage

VOLATILE = frozenset(
    (
        *("investigation_id", "trigger", "started_at", "completed_at", "duration_seconds", "usage", "digest", "looks"),
        *("told", "told_note"),
    )
)
"""What differs between two runs over the same evidence."""

ASKED_ABOUT: tuple[type[Evidence], ...] = (TraceOverview, AlarmTransition, MetricSilence, IncidentTold)
"""What was told and seen of the traces, alarms and incidents that were asked about: it is shown with every report."""


def build_report(
    investigation_id: str,
    conclusion: Conclusion,
    stored: StoredBundle,
    evidence: EvidenceBundle,
    actions: Sequence[ProposedAction],
) -> Report:
    """Assemble the report; every id it cites is in its evidence list, in a fixed order."""
    verdict = conclusion.verdict
    offer = stored.nearby and verdict.status is ReportStatus.COMPLETED and conclusion.root_cause is None
    summary = verdict.summary + (f" Failing traces nearby: {', '.join(stored.nearby)}." if offer else "")
    results = [_grounded(r, evidence) for r in sorted(stored.results, key=lambda r: r.name)]
    report = Report(
        investigation_id=investigation_id,
        status=verdict.status,
        trigger=stored.trigger,
        window=stored.window,
        started_at=stored.started_at,
        completed_at=stored.completed_at,
        duration_seconds=_seconds(stored.started_at, stored.completed_at),
        headline=verdict.headline,
        summary=summary,
        next_look=verdict.next_look,
        affected_resources=_affected(conclusion, evidence, stored.graph),
        service_graph=stored.graph,
        specialists=tuple(_specialist(r, conclusion) for r in results),
        root_cause=conclusion.root_cause,
        agreement=conclusion.settlement.agreement,
        contributing_factors=tuple(h for h in conclusion.ranked if h.role in {Role.TRIGGER, Role.CONTRIBUTING}),
        hypotheses=conclusion.ranked,
        severity=conclusion.severity,
        timeline=conclusion.timeline,
        gaps=_distinct((*all_gaps(stored), *(r.model_gap for r in results if r.model_gap))),
        proposed_actions=tuple(actions),
        advice=_advice(conclusion, results),
        runbooks=runbooks(conclusion.root_cause, evidence, stored.graph),
        pictures=illustrate(conclusion, evidence, stored.graph, stored.window),
        usage=sum((r.usage for r in results), Usage()).model_copy(update={"aws_calls": stored.aws_calls}),
    )
    cited = report.model_copy(update={"evidence": _cited(report, evidence)})
    return with_wording(cited.model_copy(update={"digest": digest(cited)}), stored.wording, stored.completed_at)


def with_wording(report: Report, wording: Wording | None, at: datetime) -> Report:
    """Return the report, completed at that time, with the verdict in a model's words: its digest is the same."""
    if wording is None:
        return report
    said = {"told": wording.told, "told_note": wording.note, "usage": report.usage + wording.usage}
    ended = {"completed_at": at, "duration_seconds": _seconds(report.started_at, at)}
    return report.model_copy(update={**said, **ended})


def all_gaps(stored: StoredBundle) -> tuple[Gap, ...]:
    """Return every gap, of discovery and of the specialists."""
    return (*stored.discovery_gaps, *(gap for result in stored.results for gap in result.gaps))


def failed_report(
    investigation_id: str,
    trigger: Trigger,
    message: str,
    *,
    started_at: datetime,
    completed_at: datetime,
    gaps: Sequence[Gap] = (),
) -> Report:
    """Return the report of an investigation that could not be made; the message says what to do next."""
    report = Report(
        investigation_id=investigation_id,
        status=ReportStatus.FAILED,
        trigger=trigger,
        window=None,
        started_at=started_at,
        completed_at=completed_at,
        duration_seconds=_seconds(started_at, completed_at),
        headline="The investigation failed",
        summary=message,
        severity=Severity(level=SeverityLevel.UNKNOWN, reason="nothing could be looked at"),
        gaps=tuple(gaps),
    )
    return report.model_copy(update={"digest": digest(report)})


def explained_report(investigation: Investigation, by: Report, *, now: datetime) -> Report:
    """Return the report of an investigation that was not made, because another one's verdict explains what it is about.

    It has that verdict and its evidence, and nothing that was not looked at for it.
    """
    known = by.model_dump(
        include={"status", "window", "affected_resources", "service_graph", "root_cause", "agreement"}
    )
    report = Report(
        **known,
        investigation_id=investigation.id,
        trigger=investigation.trigger,
        started_at=investigation.accepted_at,
        completed_at=now,
        duration_seconds=_seconds(investigation.accepted_at, now),
        headline=f"Explained by {by.investigation_id}: {by.headline}",
        summary=f"Not looked into again, because it calls what failed there. {by.summary}",
        hypotheses=by.hypotheses,
        contributing_factors=by.contributing_factors,
        evidence=by.evidence,
        severity=by.severity,
        gaps=by.gaps,
    )
    return report.model_copy(update={"digest": digest(report)})


def digest(report: Report) -> str:
    """Return the SHA-256 of everything in the report that follows from the evidence."""
    stable = _without_volatile(report.as_json())
    return hashlib.sha256(json.dumps(stable, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _without_volatile(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_volatile(inner) for key, inner in value.items() if key not in VOLATILE}
    return [_without_volatile(inner) for inner in value] if isinstance(value, list) else value


def _seconds(start: datetime, end: datetime) -> float:
    return round((end - start).total_seconds(), 3)


def _affected(conclusion: Conclusion, bundle: EvidenceBundle, graph: ServiceGraph) -> tuple[Resource, ...]:
    """The resources of the failing path and those that the verdict names."""
    told = {
        h.resource
        for h in conclusion.ranked
        if h.role in {Role.ROOT_CAUSE, Role.SYMPTOM, Role.TRIGGER, Role.CONTRIBUTING}
    }
    names = told | set(TraceView.of(bundle).failing)
    found = [
        graph.node(name) or (resource_from_arn(name) if name.startswith("arn:") else None) for name in sorted(names)
    ]
    return tuple(resource for resource in found if resource is not None)


def _grounded(result: SpecialistResult, bundle: EvidenceBundle) -> SpecialistResult:
    """Leave out citations of what was not seen, and facts that cite nothing else."""
    facts = (f.model_copy(update={"evidence": tuple(e for e in f.evidence if e in bundle)}) for f in result.facts)
    advice = (a.model_copy(update={"evidence": tuple(e for e in a.evidence if e in bundle)}) for a in result.advice)
    return result.model_copy(update={"facts": tuple(f for f in facts if f.evidence), "advice": tuple(advice)})


def _specialist(result: SpecialistResult, conclusion: Conclusion) -> SpecialistReport:
    own = {(h.cause, h.resource) for h in result.hypotheses}
    ranked = tuple(h for h in conclusion.ranked if (h.cause, h.resource) in own)
    return SpecialistReport(
        name=result.name,
        status=result.status,
        duration_seconds=result.duration_seconds,
        reason=result.reason,
        message=result.message,
        facts=result.facts,
        hypotheses=ranked,
        advice=result.advice,
        gaps=result.gaps,
        looks=result.looks,
        usage=result.usage,
        dropped=result.dropped,
    )


def _distinct(gaps: Iterable[Gap]) -> tuple[Gap, ...]:
    """Each gap once, whichever specialist met it first by name."""
    unique: dict[tuple[str, str, str | None], Gap] = {}
    for gap in sorted(gaps, key=lambda g: (g.specialist, g.resource, g.probe, g.message)):
        unique.setdefault((gap.resource, gap.message, gap.action), gap)
    return tuple(unique.values())


def _advice(conclusion: Conclusion, results: Iterable[SpecialistResult]) -> tuple[Advice, ...]:
    """What to do about the root cause first, then what the specialists recommend about resources in the verdict."""
    told: list[RankedHypothesis] = [h for h in conclusion.ranked if h.role in {Role.ROOT_CAUSE, Role.CONTRIBUTING}]
    remedies = [Advice(text=cause(h.cause).remedy, resource=h.resource, evidence=h.evidence[:3]) for h in told]
    about = {h.resource for h in conclusion.settlement.by_rules if h.role is not Role.RULED_OUT}
    # Where something fails and nothing is suspect, any advice is about what was asked.
    lost = not about and conclusion.verdict.status is ReportStatus.INCONCLUSIVE
    others = [a for r in sorted(results, key=lambda r: r.name) for a in r.advice if lost or a.resource in about]
    return tuple(dict.fromkeys((*remedies, *others)))


def _cited(report: Report, bundle: EvidenceBundle) -> tuple[CitedEvidence, ...]:
    """Return what is cited anywhere: the verdict's evidence first, then the rest in the order of mention."""
    ids: list[str] = list(report.root_cause.evidence) if report.root_cause else []
    for hypothesis in report.hypotheses:
        ids += [*hypothesis.evidence, *hypothesis.contradicting]
    ids += report.severity.evidence
    ids += [e for entry in report.timeline for e in entry.evidence]
    for specialist in report.specialists:
        ids += [e for fact in specialist.facts for e in fact.evidence]
        ids += [e for advice in specialist.advice for e in advice.evidence]
    ids += [e for action in report.proposed_actions for e in action.evidence]
    ids += [runbook.evidence for runbook in report.runbooks]
    ids += [o.id for kind in ASKED_ABOUT for o in bundle.of(kind)]
    return tuple(_shown(bundle[e]) for e in dict.fromkeys(ids) if e in bundle)


def _shown(item: Evidence) -> CitedEvidence:
    return CitedEvidence(
        id=item.id,
        resource=item.resource,
        summary=item.summary(),
        source=item.source,
        observed_at=item.observed_at,
        link=_link(item),
    )


def _link(item: Evidence) -> str | None:
    if isinstance(item, TraceCall | TraceSegment | TraceOverview):
        region = (
            item.resource.split(":")[3] if item.resource.startswith("arn:") and item.resource.count(":") > 3 else ""
        )
        return trace_link(item.trace_id, region, partition_of(region))
    return item.link if isinstance(item, KnowledgePassage) else console_link(item.resource)
