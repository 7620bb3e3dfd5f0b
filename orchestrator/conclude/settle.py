"""The settlement: which hypothesis is the root cause, what the others are, or that the evidence does not decide."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from domain.alarm import AlarmState, AlarmTransition
from domain.causes import cause
from domain.evidence import EvidenceBundle
from domain.findings import Hypothesis, Origin, Strength
from domain.gap import Gap, GapReason
from domain.graph import ServiceGraph
from domain.report import Agreement, RankedHypothesis, Role
from orchestrator.conclude.advised import doubted, suggested
from orchestrator.conclude.agree import agreement, opinions, share_left
from orchestrator.conclude.explain import BLINDNESS, CHANGE, Weighed, explanations, takes_part
from orchestrator.conclude.outlived import outlived
from orchestrator.conclude.precedence import Favour, favours
from orchestrator.conclude.weigh import TraceView, evidence_score, grounded, merged, positioned
from orchestrator.trace.spans import service_of
from specialists.kit.change import Change

THRESHOLD = 0.60
"""A hypothesis below it is no verdict."""

SUSPICION = 0.30
"""A hypothesis below it does not by itself say that something is wrong."""

SUSPICION_IN_PEACE = 0.50
"""The same beside a trace in which nothing failed."""

ABOUT_EQUAL = 0.05
"""Two roots whose scores differ by less are shown as two."""

SHARED = 0.90
"""What is left of a verdict's confidence when another root of about equal weight stands beside it."""

DEEPER_UNSEEN = 0.60
"""What is left of a hypothesis that points below itself while nothing was found there."""

LOOKED_INTO = frozenset({"dynamodb", "events", "lambda", "s3", "sns", "sqs", "states"})
"""Services with specialists; X-Ray names no table of a transaction, for one."""

OUTLIVED = 0.30
"""What is left of a refusal with which the function ran well before it failed with something else."""

TOO_LATE = 0.30
"""What is left of a change that came after the failure had begun."""

BEFORE_CHANGE = timedelta(minutes=2)
"""How much earlier than its change an effect may show, by clocks that differ."""

CHANGE_REACH = timedelta(hours=24)
CHANGE_CONFIRMS = 0.25
"""The share of doubt that a change just before the onset removes from the cause it explains."""

FLOORS = (THRESHOLD, SUSPICION)
"""What a model's doubt may not cross: a verdict stays one, and what is worth telling is told."""

ROLE_ORDER = (Role.ROOT_CAUSE, Role.TRIGGER, Role.CONTRIBUTING, Role.SYMPTOM, Role.MINORITY, Role.RULED_OUT)


@dataclass(frozen=True)
class Settlement:
    """All hypotheses with their parts, the root first; `rival` is a second root that weighs about as much."""

    ranked: tuple[RankedHypothesis, ...]
    root: RankedHypothesis | None
    rival: RankedHypothesis | None
    strongest: float
    agreement: Agreement | None = None

    @property
    def by_rules(self) -> tuple[RankedHypothesis, ...]:
        """What rules say, in the same order: words, severity and advice follow from nothing else."""
        return tuple(h for h in self.ranked if h.origin is Origin.RULE)


def settle(
    hypotheses: Iterable[Hypothesis], bundle: EvidenceBundle, graph: ServiceGraph, gaps: Iterable[Gap] = ()
) -> Settlement:
    """Weigh all hypotheses against each other; the order they come in does not matter."""
    denied = frozenset((g.resource, g.specialist) for g in gaps if g.reason is GapReason.ACCESS_DENIED)
    view = TraceView.of(bundle)
    given = tuple(grounded(hypotheses, bundle))
    seen = tuple(h for h in given if h.origin is Origin.RULE)
    joined = merged(seen)
    weighed = [Weighed(h, positioned(evidence_score(h, bundle), h, view, graph)) for h in joined]
    weighed = [w._replace(score=w.score * OUTLIVED) if outlived(w.hypothesis, bundle) else w for w in weighed]
    weighed = [_in_time(w, weighed) for w in weighed]
    explained = explanations(weighed, graph, bundle, threshold=THRESHOLD)
    weighed = [_unexplained_deferral(w, explained, view, graph, denied) for w in weighed]
    triggers = _triggers(weighed, explained, graph, bundle)
    weighed = [_confirmed(w, weighed, triggers) for w in weighed]
    failing = view.failed or _rang(bundle)
    standing = [w for w in weighed if w.key not in explained and w.key not in triggers]
    roots = [w for w in standing if _may_be_root(w, failing=failing)]
    favoured = favours(roots, ABOUT_EQUAL, bundle, graph)
    weighed = _with(favoured, weighed)
    candidates = sorted(_with(favoured, roots), key=lambda w: _most_likely(w, view))
    root = candidates[0] if candidates else None
    rivals = {w.key for w in candidates[1:] if root and root.score - w.score < ABOUT_EQUAL}
    leads_to = {**triggers, **{key: explainer.key for key, explainer in explained.items()}}
    views = agreement(root.key if root else None, leads_to, frozenset(w.key for w in candidates), opinions(seen))
    share = min(SHARED if rivals else 1.0, share_left(views))
    if root is not None and root.score * share < THRESHOLD:
        root, views = None, None
    ranked = [_rank(w, root, rivals, share, explained, triggers, favoured, bundle) for w in weighed]
    ranked += suggested((h for h in given if h.origin is Origin.MODEL), joined, bundle)
    ordered = tuple(sorted(ranked, key=lambda r: (ROLE_ORDER.index(r.role), -r.confidence, r.cause, r.resource)))
    first = ordered[0] if ordered and ordered[0].role is Role.ROOT_CAUSE else None
    return Settlement(
        ranked=ordered,
        root=first,
        rival=next((r for r in ordered if f"{r.cause}@{r.resource}" in rivals), None),
        strongest=max((w.score for w in weighed if not (failing and w.hypothesis.cause in BLINDNESS)), default=0.0),
        agreement=views,
    )


def _with(favoured: dict[str, Favour], weighed: Sequence[Weighed]) -> list[Weighed]:
    return [w._replace(score=w.score + favoured[w.key].gain) if w.key in favoured else w for w in weighed]


def _rang(bundle: EvidenceBundle) -> bool:
    """Whether an alarm saw something, which is more than that nothing came."""
    return any(a.state is AlarmState.ALARM and not a.for_missing_data for a in bundle.of(AlarmTransition))


def _may_be_root(weighed: Weighed, *, failing: bool) -> bool:
    """Evidence that would fit something else as well is no verdict, however much of it there is."""
    only_fits = all(support.strength is Strength.WEAK for support in weighed.hypothesis.supports)
    blind = failing and weighed.hypothesis.cause in BLINDNESS
    return weighed.score >= THRESHOLD and not (only_fits or blind)


def _most_likely(weighed: Weighed, view: TraceView) -> tuple[float, bool, bool, str]:
    """Sort by score, then what stands where the failure began, then the sharper cause."""
    hypothesis = weighed.hypothesis
    return (
        -round(weighed.score, 6),
        hypothesis.resource not in view.origins,
        cause(hypothesis.cause).generic,
        weighed.key,
    )


def _in_time(weighed: Weighed, all_of_them: Sequence[Weighed]) -> Weighed:
    """A change that came after everything had begun to fail did not start it."""
    change = weighed.hypothesis
    onsets = [
        w.hypothesis.since
        for w in all_of_them
        if w.hypothesis.cause != CHANGE and w.hypothesis.since is not None and w.score >= THRESHOLD
    ]
    if change.cause != CHANGE or change.since is None or not onsets or change.since <= max(onsets) + BEFORE_CHANGE:
        return weighed
    return weighed._replace(score=weighed.score * TOO_LATE)


def _unexplained_deferral(
    weighed: Weighed,
    explained: dict[str, Weighed],
    view: TraceView,
    graph: ServiceGraph,
    denied: frozenset[tuple[str, str]],
) -> Weighed:
    """A symptom-shaped hypothesis that points at something deeper, where nothing was found, is not the end of it.

    Nor is one that points out of AWS while another specialist was denied its look at the way there.

    It points there in words of its own, or the trace does: the failure began not at its resource but at one below it
    in AWS, that a specialist could have looked at, had the trace named it.
    """
    hypothesis = weighed.hypothesis
    if weighed.key in explained or not cause(hypothesis.cause).generic:
        return weighed
    below = {r for r in hypothesis.defers_to if r != hypothesis.resource}
    if hypothesis.resource not in view.origins:
        below |= graph.downstream(hypothesis.resource, failing=True) & view.origins
    outward = any(not r.startswith("arn:") for r in below)
    barred = any(r == hypothesis.resource and s != hypothesis.specialist for r, s in denied)
    below = {r for r in below if r.startswith("arn:") or wants_a_name(r) or (outward and barred)}
    return weighed._replace(score=weighed.score * DEEPER_UNSEEN) if below else weighed


def wants_a_name(resource: str) -> bool:
    """Whether it is a service of whose resources a specialist knows more, and the trace does not say which one."""
    return resource.startswith("aws:") and service_of(resource.removeprefix("aws:")) in LOOKED_INTO


def _triggers(
    weighed: Sequence[Weighed], explained: dict[str, Weighed], graph: ServiceGraph, bundle: EvidenceBundle
) -> dict[str, str]:
    """Return what each change set off."""
    changes = [w for w in weighed if w.hypothesis.cause == CHANGE]
    return {w.key: target.key for w in changes if (target := _triggered(w, weighed, explained, graph, bundle))}


def _triggered(
    change: Weighed,
    weighed: Sequence[Weighed],
    explained: dict[str, Weighed],
    graph: ServiceGraph,
    bundle: EvidenceBundle,
) -> Weighed | None:
    """Return the unexplained cause that the change set off, and that did not begin before it.

    It is on the same resource or next to it, or stands outside the calls and explains a symptom there: new code asks
    for a right its role never had. What fails two calls away fails for reasons of its own.
    A cause that rests on a later change of its own was set off by that one.
    """
    leads_to = {
        explained[w.key].key
        for w in weighed
        if w.hypothesis.resource == change.hypothesis.resource and w.key in explained
    }
    near = {
        change.hypothesis.resource,
        *graph.callers(change.hypothesis.resource),
        *graph.callees(change.hypothesis.resource),
    }
    fitting = [
        w
        for w in weighed
        if w.hypothesis.cause != CHANGE
        and w.key not in explained
        and w.score >= THRESHOLD
        and (w.hypothesis.resource in near or (w.key in leads_to and not takes_part(w.hypothesis.resource, graph)))
        and _follows(change.hypothesis, w.hypothesis)
        and not _has_a_later_one(change.hypothesis, w.hypothesis, bundle)
    ]
    same_first = sorted(fitting, key=lambda w: (w.hypothesis.resource != change.hypothesis.resource, -w.score, w.key))
    return same_first[0] if same_first else None


def _follows(change: Hypothesis, effect: Hypothesis) -> bool:
    if change.since is None or effect.since is None:
        return True
    return change.since - BEFORE_CHANGE <= effect.since <= change.since + CHANGE_REACH


def _has_a_later_one(change: Hypothesis, effect: Hypothesis, bundle: EvidenceBundle) -> bool:
    cited = (bundle[e] for e in effect.evidence if e in bundle)
    own = [c.observed_at for c in cited if isinstance(c, Change) and c.took_effect and c.observed_at]
    return change.since is not None and any(at > change.since for at in own)


def _confirmed(weighed: Weighed, all_of_them: Sequence[Weighed], triggers: dict[str, str]) -> Weighed:
    """A change that comes just before and explains this kind takes doubt away from its effect."""
    changes = [
        w
        for w in all_of_them
        if triggers.get(w.key) == weighed.key and w.hypothesis.resource == weighed.hypothesis.resource
    ]
    if not changes:
        return weighed
    strength = max(change.score for change in changes)
    return weighed._replace(score=1 - (1 - weighed.score) * (1 - CHANGE_CONFIRMS * strength))


def _rank(
    weighed: Weighed,
    root: Weighed | None,
    rivals: set[str],
    share: float,
    explained: dict[str, Weighed],
    triggers: dict[str, str],
    favoured: dict[str, Favour],
    bundle: EvidenceBundle,
) -> RankedHypothesis:
    """Give a hypothesis its part; `share` is what doubt leaves of the root's confidence and of its rivals'."""
    hypothesis = weighed.hypothesis
    shared = weighed.key in rivals or (root is not None and weighed.key == root.key)
    explainer = explained.get(weighed.key)
    favour = favoured.get(weighed.key)
    return RankedHypothesis(
        cause=hypothesis.cause,
        resource=hypothesis.resource,
        summary=hypothesis.summary,
        confidence=round(min(0.99, doubted(hypothesis, weighed.score * (share if shared else 1.0), bundle, FLOORS)), 2),
        role=_role(weighed, root, rivals, explained, triggers),
        evidence=tuple(dict.fromkeys((*hypothesis.evidence, *(favour.evidence if favour else ())))),
        contradicting=tuple(s.evidence for s in hypothesis.contradicting),
        specialist=hypothesis.specialist,
        since=hypothesis.since,
        explained_by=explainer.key if explainer else triggers.get(weighed.key),
        favoured=favour.said if favour else "",
    )


def _role(
    weighed: Weighed, root: Weighed | None, rivals: set[str], explained: dict[str, Weighed], triggers: dict[str, str]
) -> Role:
    if root is not None and weighed.key == root.key:
        return Role.ROOT_CAUSE
    if weighed.key in explained:
        return Role.SYMPTOM
    if weighed.key in triggers:
        return Role.TRIGGER if root is not None and triggers[weighed.key] == root.key else Role.CONTRIBUTING
    if weighed.key in rivals:
        return Role.CONTRIBUTING
    if weighed.score < SUSPICION:
        return Role.RULED_OUT
    near = root is not None and weighed.hypothesis.resource == root.hypothesis.resource
    return Role.CONTRIBUTING if near and weighed.score >= THRESHOLD else Role.MINORITY
