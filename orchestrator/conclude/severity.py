"""Severity from measured impact: the share of requests that fail at the entry, how many entries, and who waits there.

Nothing is assumed where nothing was measured: one failed request says nothing of the others.
"""

from collections.abc import Collection
from enum import StrEnum
from typing import NamedTuple

from domain.evidence import EvidenceBundle
from domain.graph import ServiceGraph
from domain.report import Severity, SeverityLevel
from domain.resource import ResourceType
from domain.trace import TraceOverview
from orchestrator.conclude.impact import Impact, backlogs, impacts, traced_impacts
from specialists.risk_blast_radius.evidence import Handover
from specialists.risk_blast_radius.spread import Spread, spread

ORDER = (SeverityLevel.LOW, SeverityLevel.MEDIUM, SeverityLevel.HIGH, SeverityLevel.CRITICAL)
NAMED = 5


class Facing(StrEnum):
    """Who notices: somebody who waits for an answer, or work that is tried again or waits in a queue.

    What is not known to be asynchronous counts as asked by somebody.
    """

    SOMEBODY = "somebody waits for the answer"
    NOBODY = "no one waits for it, it is tried again"


class _Level(NamedTuple):
    """The least share and the least number of failing entry services for a level."""

    share: float
    entries: int
    facing: Facing
    level: SeverityLevel


LEVELS: tuple[_Level, ...] = (
    _Level(0.50, 1, Facing.SOMEBODY, SeverityLevel.CRITICAL),
    _Level(0.10, 3, Facing.SOMEBODY, SeverityLevel.CRITICAL),
    _Level(0.10, 1, Facing.SOMEBODY, SeverityLevel.HIGH),
    _Level(0.01, 3, Facing.SOMEBODY, SeverityLevel.HIGH),
    _Level(0.01, 1, Facing.SOMEBODY, SeverityLevel.MEDIUM),
    _Level(0.50, 3, Facing.NOBODY, SeverityLevel.CRITICAL),
    _Level(0.50, 1, Facing.NOBODY, SeverityLevel.HIGH),
    _Level(0.10, 3, Facing.NOBODY, SeverityLevel.HIGH),
    _Level(0.10, 1, Facing.NOBODY, SeverityLevel.MEDIUM),
    _Level(0.01, 3, Facing.NOBODY, SeverityLevel.MEDIUM),
)
"""The first row that fits decides; what fits none is low."""

WAITS: tuple[tuple[float, SeverityLevel], ...] = (
    (3600.0, SeverityLevel.HIGH),
    (900.0, SeverityLevel.MEDIUM),
    (0.0, SeverityLevel.LOW),
)
"""How bad a growing backlog is, by the seconds that its oldest message has waited."""

HANDING_ON = frozenset(
    {
        ResourceType.QUEUE,
        ResourceType.TOPIC,
        ResourceType.STREAM,
        ResourceType.RULE,
        ResourceType.EVENT_BUS,
        ResourceType.SCHEDULE,
        ResourceType.PIPE,
    }
)


class _Judged(NamedTuple):
    """One measured impact, judged."""

    level: SeverityLevel
    reason: str
    share: float | None
    evidence: tuple[str, ...]


def severity(
    bundle: EvidenceBundle, graph: ServiceGraph, affected: Collection[str], origins: Collection[str], *, wrong: bool
) -> Severity:
    """Return how bad it is: the worse of the requests that fail at the entry and the work that waits.

    `affected` are the resources that the conclusion is about, `origins` those where the failure began.
    """
    if not wrong:
        return Severity(level=SeverityLevel.NONE, reason="nothing wrong was found")
    reach = spread(graph, bundle, origins)
    names = {*affected, *(one.resource for one in reach.affected)}
    judged = [_requests(bundle, graph, names, reach), *_waiting(bundle, graph, names)]
    known = [one for one in judged if one is not None]
    if not known:
        return _unknown(bundle, reach, origins)
    worst = max(known, key=lambda one: ORDER.index(one.level))
    others = [one for one in known if one is not worst]
    return Severity(
        level=worst.level,
        reason="; ".join(one.reason for one in (worst, *others[:1])),
        failing_share=next((one.share for one in known if one.share is not None), None),
        evidence=tuple(dict.fromkeys(e for one in (worst, *others[:1]) for e in one.evidence)),
        **_told(reach, origins),
    )


def _told(reach: Spread, origins: Collection[str]) -> dict[str, object]:
    """Tell who fails and who follows; where it began fails with nothing but itself."""
    alone = {one.resource for one in reach.affected} <= set(origins)
    return {
        "affected_services": () if alone else tuple(one.name for one in reach.affected),
        "spread": "; ".join(follower.said for follower in reach.followers[:NAMED]),
    }


def _unknown(bundle: EvidenceBundle, reach: Spread, origins: Collection[str]) -> Severity:
    traced = tuple(o.id for o in bundle.of(TraceOverview) if o.failed_calls or o.failed_segments)
    reason = (
        "a traced request failed; no metric tells how many others do"
        if traced
        else "no metric tells how many requests fail"
    )
    return Severity(level=SeverityLevel.UNKNOWN, reason=reason, evidence=traced, **_told(reach, origins))


def _requests(bundle: EvidenceBundle, graph: ServiceGraph, names: Collection[str], reach: Spread) -> _Judged | None:
    """Judge the entry-most resource that was measured: by CloudWatch, which counts all, else by what X-Ray traced."""
    counted = [i for i in impacts(bundle, graph) if i.resource in names]
    measured = counted or traced_impacts(reach.affected, graph)
    if not measured:
        return None
    entry = min(measured, key=lambda i: _entry_first(i, graph, names))
    entries, facing = max(1, len(reach.entries)), _facing(entry.resource, bundle, graph)
    fits = (row for row in LEVELS if row.facing is facing and entry.share >= row.share and entries >= row.entries)
    found = next(fits, None)
    broad = f"; {entries} services fail at their entries" if found is not None and found.entries > 1 else ""
    waited = f"; {facing.value}" if facing is Facing.NOBODY else ""
    reason = f"{entry.share:.0%} of {entry.said}{broad}{waited}"
    level = found.level if found is not None else SeverityLevel.LOW
    return _Judged(level, reason, round(entry.share, 4), entry.evidence)


def _entry_first(impact: Impact, graph: ServiceGraph, names: Collection[str]) -> tuple[int, int, float, str]:
    """Sort by how few affected resources call it, then by how many it reaches itself."""
    callers = sum(edge.target == impact.resource and edge.source in names for edge in graph.edges if edge.calls)
    return (callers, -len(graph.downstream(impact.resource)), -impact.share, impact.resource)


def _facing(entry: str, bundle: EvidenceBundle, graph: ServiceGraph) -> Facing:
    """Tell whether the entry's work is handed to it, and nothing calls it that waits for an answer."""
    node = graph.node(entry)
    callers = [graph.node(name) for name in graph.callers(entry)]
    asked = [caller for caller in callers if caller is not None and caller.type not in HANDING_ON]
    handed = len(callers) > len(asked) or any(h.active and h.downstream == entry for h in bundle.of(Handover))
    is_handing_on = node is not None and node.type in HANDING_ON
    return Facing.NOBODY if is_handing_on or (handed and not asked) else Facing.SOMEBODY


def _waiting(bundle: EvidenceBundle, graph: ServiceGraph, names: Collection[str]) -> list[_Judged]:
    return [
        _Judged(next(level for floor, level in WAITS if one.seconds >= floor), one.said, None, one.evidence)
        for one in sorted(backlogs(bundle, graph, names), key=lambda b: (-b.seconds, b.resource))[:1]
    ]
