"""What the change specialist states: what changed before it began, what came too late, and which change is suspect."""

from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

from domain.alarm import AlarmTransition
from domain.evidence import Evidence
from domain.findings import Finding
from domain.graph import ServiceGraph
from domain.resource import ResourceType, resource_from_arn
from domain.trace import TraceCall, TraceSegment
from specialists.change_intelligence.evidence import (
    LATEST,
    UNKNOWN,
    AliasState,
    ChangesSearched,
    DeploymentChange,
    FunctionRevisions,
    ParameterChange,
    RevisionChange,
    StackChange,
)
from specialists.change_intelligence.suspicion import WORTH_SAYING, Suspect, suspects
from specialists.change_intelligence.symptoms import Began, Symptom, began, symptoms
from specialists.change_intelligence.told import Told, tell
from specialists.contract import Case, rule
from specialists.kit.change import Change
from specialists.kit.changekinds import plain_name

TOP = 5
"""How many changes are told; the timeline has those that a hypothesis cites."""

MAX_HYPOTHESES = 3
LOOK_BACK = timedelta(hours=24)
MINUTE = timedelta(minutes=1)

CHANGES = (Change, RevisionChange, StackChange, DeploymentChange, ParameterChange)
SEES = (*CHANGES, FunctionRevisions, AliasState, TraceCall, TraceSegment, AlarmTransition)


class View(NamedTuple):
    """What all rules begin with: what went wrong, since when, and the changes, the most suspicious first."""

    found: tuple[Symptom, ...]
    began: Began
    suspects: tuple[Suspect, ...]


def view_of(case: Case) -> View:
    """Read the case."""
    revisions = {item.resource: item for item in case.evidence.of(FunctionRevisions)}
    called = {(a.resource, version) for a in case.evidence.of(AliasState) for version in (a.version, *a.weights)}
    limits = {function: float(item.latest.settings.get("timeout", 0)) for function, item in revisions.items()}
    found = symptoms(case.evidence, case.graph, limits)
    start = began(found, case.window)
    told = tell(case.evidence.of(Change), revisions, called)
    pinned = _pinned(case)
    recent = [_reaching(one, pinned) for one in told if one.at >= start.at - LOOK_BACK]
    users: dict[str, frozenset[str]] = {}
    for function, item in revisions.items():
        for used in filter(None, (item.role, item.key_arn)):
            users[used] = users.get(used, frozenset()) | {function}
    return View(found, start, suspects(recent, found, start.at, users))


def _pinned(case: Case) -> frozenset[str]:
    """Return the functions that were called by published versions alone: those run on as they were published."""
    points = {(a.resource, a.alias): {a.version, *a.weights} for a in case.evidence.of(AliasState)}
    return frozenset(
        node.id
        for node in case.graph.nodes
        if node.type is ResourceType.LAMBDA
        and node.qualifiers
        and all(q.isdigit() or LATEST not in points.get((node.id, q), {LATEST}) for q in node.qualifiers)
    )


def _reaching(told: Told, pinned: frozenset[str]) -> Told:
    """Return the change as touching nothing where it was made to unpublished code or settings of such a function."""
    unpublished = all(
        change.version == LATEST if isinstance(change, RevisionChange) else plain_name(change) in OF_LATEST
        for change in told.seen
    )
    return told._replace(aspects=frozenset()) if unpublished and told.resource in pinned else told


OF_LATEST = frozenset({"UpdateFunctionCode", "UpdateFunctionConfiguration"})
"""Events that change $LATEST; callers of a version or an alias see nothing of it until an alias is moved."""


@rule("deploy-regression", sees=SEES, together=True)
def change_came_just_before(case: Case) -> Iterator[Finding]:
    """A change on the failing path came shortly before it began, and explains this kind of failure or may do so."""
    view = view_of(case)
    named: set[str] = set()
    for suspect in view.suspects:
        if suspect.suspicion < WORTH_SAYING or len(named) == MAX_HYPOTHESES:
            return
        if suspect.told.resource in named:
            continue
        named.add(suspect.told.resource)
        cited = suspect.told.seen[:1]
        yield case.hypothesis(
            "deploy-regression",
            _sentence(suspect, view.began, case.graph),
            strong=cited if suspect.sure else (),
            weak=() if suspect.sure else cited,
            resource=suspect.told.resource,
            since=suspect.told.at,
        )


@rule(sees=SEES, together=True)
def says_what_changed_before(case: Case) -> Iterator[Finding]:
    """Who changed what before it began, and how long before; without a failure, what changed at all."""
    view = view_of(case)
    before = [s for s in view.suspects if not (s.after and view.began.seen)]
    for suspect in before[:TOP]:
        told = _sentence(suspect, view.began, case.graph)
        yield case.fact(told, *_shown(suspect, view.began), notable=view.began.seen)
    if before[TOP:]:
        rest = [change for suspect in before[TOP:] for change in suspect.told.seen]
        yield case.fact(f"{len(before) - TOP} more changes, all less suspicious", *rest[:20])


@rule(sees=SEES, together=True)
def says_what_changed_after(case: Case) -> Iterator[Finding]:
    """A change that came after it had begun is no cause of it; it may be somebody's attempt to mend it."""
    view = view_of(case)
    late = [s for s in view.suspects if s.after and view.began.seen]
    for suspect in sorted(late, key=lambda s: (s.told.at, s.told.resource))[:TOP]:
        yield case.fact(_sentence(suspect, view.began, case.graph), *_shown(suspect, view.began))


@rule(sees=(*SEES, ChangesSearched), together=True)
def says_that_nothing_changed(case: Case) -> Iterator[Finding]:
    """CloudTrail could be read in full and no source tells of a change before it began."""
    view = view_of(case)
    searched = case.evidence.of(ChangesSearched)
    if (
        not searched
        or not all(item.complete for item in searched)
        or any(not (s.after and view.began.seen) for s in view.suspects)
    ):
        return
    names = {name for item in searched for name in item.names}
    trivial = sum(item.trivial for item in searched)
    but = f", but for {trivial} changes of tags and the like" if trivial else ""
    yield case.fact(
        f"CloudTrail tells of no change to the {len(names)} names asked for in the 24 h before "
        f"{_clock(view.began)} ({view.began.told}){but}",
        *searched,
        *([view.began.evidence] if view.began.evidence else []),
    )


@rule(sees=(AliasState,), together=True)
def says_that_an_alias_is_split(case: Case) -> Iterator[Finding]:
    """An alias sends a share of its calls to another version: a part of the requests runs other code."""
    for alias in case.evidence.of(AliasState):
        if alias.weights:
            yield case.fact(f"{_label(alias.resource, case.graph)}: {alias.summary()}", alias, notable=True)


def _shown(suspect: Suspect, start: Began) -> tuple[Evidence, ...]:
    """Return what a sentence about the change rests on: what tells of it, when it began, and what it explains."""
    explained = suspect.explained.evidence if suspect.explained else None
    return tuple(dict.fromkeys([*suspect.told.seen, *(item for item in (start.evidence, explained) if item)]))


def _sentence(suspect: Suspect, start: Began, graph: ServiceGraph) -> str:
    """Say who did what to what when, how long before it began, and whether that explains it."""
    told = suspect.told
    who = "Somebody" if told.who == UNKNOWN else f"`{told.who}`"
    done = f"{who} {told.what} on {_label(told.resource, graph)} at {told.at:%H:%M:%S}"
    if not start.seen:
        return f"{done} UTC ({told.at:%Y-%m-%d}); {start.told}"
    distance = _distance(abs(suspect.ahead))
    if suspect.after:
        return f"{done}, {distance} after {start.told}: no cause of it"
    explains = ""
    if suspect.explained and suspect.suspicion >= WORTH_SAYING:
        explains = f"; {suspect.fit.value} {suspect.explained.kind.value}"
    return f"{done}, {distance} before {start.told}{explains}"


def _label(resource: str, graph: ServiceGraph) -> str:
    node = graph.node(resource)
    if node is not None:
        return node.label
    try:
        return resource_from_arn(resource).label
    except ValueError:
        return f"`{resource}`"


def _clock(start: Began) -> str:
    return f"{start.at:%H:%M:%S}"


def _distance(time: timedelta) -> str:
    minutes = time / MINUTE
    if minutes < 1:
        return f"{time.total_seconds():.0f} s"
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.0f} h"


RULES = (
    change_came_just_before,
    says_what_changed_before,
    says_what_changed_after,
    says_that_nothing_changed,
    says_that_an_alias_is_split,
)
