"""What happened in the system, in time order."""

from collections.abc import Iterable, Iterator, Sequence

from domain.alarm import AlarmTransition
from domain.causes import cause
from domain.evidence import EvidenceBundle
from domain.graph import ServiceGraph
from domain.report import RankedHypothesis, Role, TimelineEntry
from domain.trace import TraceOverview
from orchestrator.alarms.metric import MetricSilence
from orchestrator.alarms.words import told as alarm_told
from orchestrator.conclude.naming import label, short
from specialists.kit.change import Change

TOLD = (Role.ROOT_CAUSE, Role.SYMPTOM, Role.CONTRIBUTING)


def timeline(
    ranked: Iterable[RankedHypothesis], bundle: EvidenceBundle, graph: ServiceGraph
) -> tuple[TimelineEntry, ...]:
    """Return the changes that the hypotheses cite, when each part of the failure began, alarms, and the traces."""
    told = tuple(ranked)
    cited = {e for hypothesis in told if hypothesis.role is not Role.RULED_OUT for e in hypothesis.evidence}
    entries = [
        TimelineEntry(
            at=change.observed_at,
            what=f"{short(change.resource, graph)}: {change.deed()}",
            resource=change.resource,
            evidence=(change.id,),
        )
        for change in bundle.of(Change)
        if change.observed_at is not None and change.took_effect and change.id in cited
    ]
    entries += [
        TimelineEntry(
            at=h.since,
            what=f"first sign at {label(h.resource, graph)}: {cause(h.cause).title}",
            resource=h.resource,
            evidence=h.evidence[:3],
        )
        for h in told
        if h.since is not None and h.role in TOLD
    ]
    entries += _traced(bundle.of(TraceOverview))
    entries += [
        TimelineEntry(at=a.observed_at, what=alarm_told(a), resource=a.resource, evidence=(a.id,))
        for a in bundle.of(AlarmTransition)
        if a.observed_at is not None
    ]
    entries += [
        TimelineEntry(at=a.over_at, what=f"alarm `{a.name}` was OK again", resource=a.resource, evidence=(a.id,))
        for a in bundle.of(AlarmTransition)
        if a.over_at is not None
    ]
    entries += [
        TimelineEntry(at=s.observed_at, what=s.summary(), resource=s.resource, evidence=(s.id,))
        for s in bundle.of(MetricSilence)
        if s.observed_at is not None
    ]
    return tuple(sorted(entries, key=lambda e: (e.at, e.resource, e.what)))


def _traced(requests: Sequence[TraceOverview]) -> Iterator[TimelineEntry]:
    """Yield one line for the traced requests: an alarm leads to several, and the first of them says enough."""
    if requests:
        first = min(requests, key=lambda o: (o.start, o.id))
        what = f"the first of {len(requests)} traced requests" if len(requests) > 1 else "the traced request"
        cited = (first.id, *(o.id for o in requests if o is not first))
        yield TimelineEntry(at=first.start, what=f"{what}: {first.summary()}", resource=first.resource, evidence=cited)
