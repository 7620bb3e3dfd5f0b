"""Which of a few causes that weigh about the same comes first: by whose signals left the usual first, and by excess.

Each of the two tells a little and decides alone only what is otherwise even; both together put a cause before another
of about its weight. Neither sets anything before what is proved.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from domain.evidence import Evidence, EvidenceBundle
from domain.findings import Strength
from domain.graph import ServiceGraph
from orchestrator.conclude.explain import Weighed
from orchestrator.conclude.naming import short
from specialists.kit.series import MetricSeries
from specialists.kit.signals import Excess, Onset
from specialists.signal_analysis.evidence import GraphNode
from specialists.signal_analysis.watched import signal_name

WENT_FIRST = 0.04
"""What a hypothesis gains whose resource left the usual before those of the others."""

EXPLAINS_MORE = 0.04
"""What it gains where more of what no dependency explains is its own."""

CLEARLY = 0.20
"""By how much more of it, as a share of all."""

MINUTE = timedelta(minutes=1)
PERIOD = MINUTE
"""The period of a signal that no series tells of, such as log lines."""


class Favour(NamedTuple):
    """Why a hypothesis stands before others of about its weight, to go on after its resource's name."""

    gain: float
    said: str
    evidence: tuple[str, ...]


class _Began(NamedTuple):
    """When a resource left the usual, and how exactly that is known."""

    at: datetime
    period: timedelta
    seen: Onset


def favours(
    candidates: Sequence[Weighed], about_equal: float, bundle: EvidenceBundle, graph: ServiceGraph
) -> dict[str, Favour]:
    """Return what the signals add to some of the likeliest hypotheses, by key; in any order of the candidates.

    Only those within `about_equal` of the likeliest are compared, and only where all of their resources were measured:
    what nobody measured may have gone first.
    """
    best = max((one.score for one in candidates), default=0.0)
    close = [one for one in candidates if best - one.score < about_equal]
    if any(_proved(one) for one in close):
        close = [one for one in close if _proved(one)]
    resources = sorted({one.hypothesis.resource for one in close})
    if len(resources) < 2:
        return {}
    found: dict[str, list[Favour]] = {}
    for resource, favour in (*_first(resources, bundle, graph), *_most(resources, bundle, graph)):
        found.setdefault(resource, []).append(favour)
    return {one.key: _joined(found[one.hypothesis.resource]) for one in close if one.hypothesis.resource in found}


def _proved(weighed: Weighed) -> bool:
    return any(support.strength is Strength.PROOF for support in weighed.hypothesis.supports)


def _joined(parts: Sequence[Favour]) -> Favour:
    said = ", and ".join(part.said for part in parts)
    return Favour(sum(part.gain for part in parts), said, tuple(e for part in parts for e in part.evidence))


def _first(resources: Iterable[str], bundle: EvidenceBundle, graph: ServiceGraph) -> list[tuple[str, Favour]]:
    """The resource that left the usual more than a period before every other."""
    known = {resource: _began(resource, bundle) for resource in resources}
    ordered = sorted((b.at, resource, b) for resource, b in known.items() if b is not None)
    if len(ordered) < len(known):
        return []
    (_, first, one), (_, second, other) = ordered[:2]
    ahead = other.at - one.at
    if ahead <= max(one.period, other.period):
        return []
    said = f"went wrong {ahead / MINUTE:.0f} min before {short(second, graph)}"
    return [(first, Favour(WENT_FIRST, said, (one.seen.id, other.seen.id)))]


def _began(resource: str, bundle: EvidenceBundle) -> _Began | None:
    periods = {signal_name(s): timedelta(seconds=s.period_seconds) for s in bundle.of(MetricSeries, resource)}
    seen = [(o.observed_at, o.id, o) for o in bundle.of(Onset, resource) if o.observed_at is not None]
    if not seen:
        return None
    at, _, onset = min(seen)
    return _Began(at, periods.get(onset.signal, PERIOD), onset)


def _most(resources: Iterable[str], bundle: EvidenceBundle, graph: ServiceGraph) -> list[tuple[str, Favour]]:
    """The resource of whose own excess there is clearly more than of every other's."""
    known = {resource: _share(resource, bundle) for resource in resources}
    ordered = sorted((-s[0], resource, s) for resource, s in known.items() if s is not None)
    if len(ordered) < len(known):
        return []
    (_, most, one), (_, next_, other) = ordered[:2]
    if one[0] - other[0] < CLEARLY:
        return []
    said = f"explains {one[0]:.0%} of what no dependency explains, {short(next_, graph)} {other[0]:.0%}"
    return [(most, Favour(EXPLAINS_MORE, said, (one[1].id, other[1].id)))]


def _share(resource: str, bundle: EvidenceBundle) -> tuple[float, Evidence] | None:
    """Return a resource's share of the unexplained excess: none where it was measured and has no excess."""
    excess = bundle.first(Excess, resource)
    if excess is not None:
        return excess.share, excess
    node = bundle.first(GraphNode, resource) if bundle.of(Excess) else None
    return None if node is None else (0.0, node)
