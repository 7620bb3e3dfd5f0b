"""Which hypothesis explains which: a downstream fault explains the upstream symptom, a sharp cause the blunt one."""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from domain.causes import cause
from domain.evidence import EvidenceBundle
from domain.findings import Hypothesis
from domain.graph import ServiceGraph
from domain.trace import TraceCall, TraceOverview

CHANGE = "deploy-regression"
"""The one cause that is a change: it triggers another cause, where there is one, and explains nothing by itself."""

BLINDNESS = frozenset({"lambda-logs-missing", "lambda-traces-missing", "alarm-insufficient-data", "cw-logs-throttled"})
"""Causes that hide a failure from view and break nothing: they explain none, and are no root of a failing request."""

CLOCK_SLACK = timedelta(minutes=5)
"""How much later than its symptom a cause may show: metrics come by the minute, and clocks differ."""


class Weighed(NamedTuple):
    """A hypothesis and its score so far."""

    hypothesis: Hypothesis
    score: float

    @property
    def key(self) -> str:
        """cause@resource."""
        return f"{self.hypothesis.cause}@{self.hypothesis.resource}"


def explanations(
    weighed: Sequence[Weighed], graph: ServiceGraph, bundle: EvidenceBundle, *, threshold: float
) -> dict[str, Weighed]:
    """Return, for each explained hypothesis, the one that explains it in the end."""
    direct: dict[str, Weighed] = {}
    for one in weighed:
        fitting = [other for other in weighed if other.score >= threshold and _explains(other, one, graph, bundle)]
        if fitting:
            direct[one.key] = max(fitting, key=lambda w: _nearest_root(w, graph))
    for one in sorted(weighed, key=lambda w: _nearest_root(w, graph), reverse=True):
        if one.key in direct and _last(direct[one.key], direct).key == one.key:
            del direct[one.key]  # a circle of symptoms ends at the likeliest of them
    return {key: _last(explainer, direct) for key, explainer in direct.items()}


def _nearest_root(weighed: Weighed, graph: ServiceGraph) -> tuple[int, float, str]:
    """Sort by depth, which is fewer resources below it on the failing path, then by score."""
    return (-len(graph.downstream(weighed.hypothesis.resource, failing=True)), weighed.score, weighed.key)


def _last(explainer: Weighed, direct: dict[str, Weighed]) -> Weighed:
    seen = {explainer.key}
    while explainer.key in direct and direct[explainer.key].key not in seen:
        explainer = direct[explainer.key]
        seen.add(explainer.key)
    return explainer


def _explains(cause_of: Weighed, symptom: Weighed, graph: ServiceGraph, bundle: EvidenceBundle) -> bool:
    deep, shallow = cause_of.hypothesis, symptom.hypothesis
    if (
        cause_of.key == symptom.key
        or CHANGE in {deep.cause, shallow.cause}
        or deep.cause in BLINDNESS
        or _later(deep, shallow, bundle)
        or _defers(deep, shallow)
    ):
        return False
    if deep.resource in shallow.defers_to or _same_failure(cause_of, symptom):
        return True
    if not cause(shallow.cause).generic:
        return False
    if deep.resource == shallow.resource:
        return not cause(deep.cause).generic
    below = graph.downstream(shallow.resource, failing=True)
    return deep.resource in below or _about_a_call_of(deep, shallow.resource, graph, bundle)


def _later(one: Hypothesis, other: Hypothesis, bundle: EvidenceBundle) -> bool:
    """Whether the first began so much later that it cannot have caused the second.

    What was first seen in the traced request may have begun at any time before it.
    """
    if one.since is None or other.since is None:
        return False
    traced = min((o.start for o in bundle.of(TraceOverview)), default=None)
    return one.since > other.since + CLOCK_SLACK and (traced is None or one.since < traced)


def _same_failure(better: Weighed, other: Weighed) -> bool:
    """Whether both name one cause from the same evidence, at two resources: the better supported one stands."""
    same = better.hypothesis.cause == other.hypothesis.cause
    shared = set(better.hypothesis.evidence) & set(other.hypothesis.evidence)
    return same and bool(shared) and (better.score, better.key) > (other.score, other.key)


def _defers(one: Hypothesis, other: Hypothesis) -> bool:
    """Whether the first itself points to the second: then it cannot explain it."""
    return other.resource in one.defers_to and other.resource != one.resource


def takes_part(resource: str, graph: ServiceGraph) -> bool:
    """Whether the resource makes calls or is called, as a role or a key is not."""
    return any(edge.calls and resource in {edge.source, edge.target} for edge in graph.edges)


def _about_a_call_of(deep: Hypothesis, caller: str, graph: ServiceGraph, bundle: EvidenceBundle) -> bool:
    """Whether the deep one stands outside the calls (a role, a key) and is about a call that the caller's side made."""
    if takes_part(deep.resource, graph):
        return False
    below = {caller, *graph.downstream(caller, failing=True)}
    cited = (bundle[e] for e in deep.evidence if e in bundle)
    return any(
        (isinstance(item, TraceCall) and item.caller in below)
        or (item.resource in below and item.resource != deep.resource)
        for item in cited
    )
