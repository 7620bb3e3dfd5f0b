"""One change told once: what CloudTrail, Lambda, CloudFormation and CodeDeploy each saw of it, joined."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from specialists.change_intelligence.evidence import (
    LATEST,
    UNKNOWN,
    DeploymentChange,
    FunctionRevisions,
    KnownChange,
    ParameterChange,
    RevisionChange,
    StackChange,
)
from specialists.kit.change import Change
from specialists.kit.changekinds import Aspect, aspects, plain_name, setting_of, trivial

SAME_MOMENT = timedelta(minutes=1)
"""How far apart two sources may see one change."""

SERVICES = frozenset({"awscloudformation", "cloudformation", "codedeploy", UNKNOWN})
"""Names, in lower case, that stand for a service: whoever made it act is the better answer."""


class Delta(NamedTuple):
    """One setting that changed; `old` is empty where nobody knows, both are where a value may not be told."""

    name: str
    old: str
    new: str
    aspect: Aspect
    unit: str = ""

    @property
    def lowered(self) -> bool | None:
        """Whether a number became smaller; None where that cannot be told. Nothing is less than 0."""
        try:
            return float(self.new) < float(self.old or ("inf" if float(self.new) == 0 else ""))
        except ValueError:
            return None

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        if not self.new:
            return f"changed {self.name}"
        if not self.old:
            return f"set {self.name} to {self.new}{unit}"
        verb = {True: "lowered", False: "raised", None: "changed"}[self.lowered]
        return f"{verb} {self.name} {self.old} → {self.new}{unit}"


class Told(NamedTuple):
    """One change of one resource; `seen` is what tells of it, the best source first."""

    at: datetime
    resource: str
    who: str
    seen: tuple[Change, ...]
    aspects: frozenset[Aspect]
    deltas: tuple[Delta, ...] = ()

    @property
    def what(self) -> str:
        """What was done, to go on after who did it."""
        name = plain_name(self.seen[0])
        shown = "; ".join(str(delta) for delta in self.deltas[:3])
        return f"{shown} ({name})" if shown else f"made {name}"


def tell(
    changes: Iterable[Change], revisions: Mapping[str, FunctionRevisions], called: Collection[tuple[str, str]]
) -> tuple[Told, ...]:
    """Return the changes that took effect and matter, each once, the oldest first.

    `called` are the versions, as (function, version), that an alias sends calls to.
    """
    listed = tuple(changes)
    same_again = {(c.resource, c.observed_at) for c in listed if isinstance(c, ParameterChange) and c.changed is False}
    dated = [
        (change.observed_at, change)
        for change in listed
        if change.observed_at and _matters(change, called) and not _wrote_again(change, same_again)
    ]
    by_resource: dict[str, list[tuple[datetime, Change]]] = {}
    for at, change in sorted(dated, key=lambda pair: (pair[0], pair[1].id)):
        by_resource.setdefault(change.resource, []).append((at, change))
    told = [
        _one(group, [change for _, change in history], revisions.get(resource))
        for resource, history in by_resource.items()
        for group in _groups(history)
    ]
    return tuple(sorted(told, key=lambda one: (one.at, one.resource, one.seen[0].id)))


def _matters(change: Change, called: Collection[tuple[str, str]]) -> bool:
    if isinstance(change, RevisionChange) and change.version != LATEST:
        return (change.resource, change.version) in called
    return change.took_effect and not trivial(change)


def _wrote_again(change: Change, same_again: Collection[tuple[str, datetime | None]]) -> bool:
    """Whether it wrote a parameter's value that was there before, by whichever source it is told."""
    at = change.observed_at
    return plain_name(change) == "PutParameter" and any(
        change.resource == resource and at and again and abs(at - again) <= SAME_MOMENT
        for resource, again in same_again
    )


def _groups(history: Sequence[tuple[datetime, Change]]) -> list[list[Change]]:
    """Join what lies within a moment of the group's first, unless CloudTrail names two people."""
    groups: list[tuple[datetime, list[Change]]] = []
    for at, change in history:
        if groups and at - groups[-1][0] <= SAME_MOMENT and not _by_another(change, groups[-1][1]):
            groups[-1][1].append(change)
        else:
            groups.append((at, [change]))
    return [group for _, group in groups]


def _by_another(change: Change, group: Sequence[Change]) -> bool:
    names = {one.who for one in group if _person(one)}
    return _person(change) and bool(names) and change.who not in names


def _person(change: Change) -> bool:
    return not isinstance(change, StackChange | DeploymentChange) and change.who.lower() not in SERVICES


def _one(group: Sequence[Change], history: Sequence[Change], revisions: FunctionRevisions | None) -> Told:
    best = tuple(sorted(group, key=lambda c: (isinstance(c, KnownChange), not _person(c), c.id)))
    named = [*filter(_person, best), *(c for c in best if c.who.lower() not in SERVICES), *best]
    deltas: dict[str, Delta] = {}
    for change in best:
        for delta in _deltas(change, history, revisions):
            known = deltas.get(delta.name.lower())
            if known is None or (delta.old and not known.old):
                deltas[delta.name.lower()] = delta
    real = [d for d in deltas.values() if not (d.old and d.old == d.new)]
    # A request repeats settings that stay as they are; those it leaves alone are not what it touches.
    clear = [change for change in best if not _vague(change)] or best
    touched = {d.aspect for d in real} | {a for c in clear for a in aspects(c) if not _repeated(a, deltas, real)}
    return Told(
        at=min(c.observed_at for c in group if c.observed_at),
        resource=best[0].resource,
        who=named[0].who,
        seen=best,
        aspects=frozenset(touched),
        deltas=tuple(sorted(real, key=lambda d: (not d.old, not d.new, d.name))),
    )


def _vague(change: Change) -> bool:
    """Whether it only tells that something was changed."""
    return isinstance(change, RevisionChange | StackChange) and not change.parameters


def _repeated(aspect: Aspect, deltas: Mapping[str, Delta], real: Sequence[Delta]) -> bool:
    about = [delta for delta in deltas.values() if delta.aspect is aspect]
    return bool(about) and not any(delta in real for delta in about)


def _deltas(change: Change, history: Sequence[Change], revisions: FunctionRevisions | None) -> list[Delta]:
    found = []
    for key, value in sorted(change.parameters.items()):
        setting = setting_of(key)
        if setting is None:
            continue
        new = value if setting.shown else ""
        old = _old(change, key, history, revisions) if setting.shown else ""
        found.append(Delta(_title(key), old, new, setting.aspect, setting.unit))
    return found


def _title(key: str) -> str:
    """Return "Timeout" for "timeout", "Environment PAYMENT_URL" for "environment.PAYMENT_URL"."""
    first, *rest = key.split(".")
    if first.lower() == "environment":
        names = [part for part in rest if part.lower() != "variables"]
        return " ".join(["Environment", *names[:1]])
    last = key if not rest else rest[-1] if not rest[-1].isdigit() else first
    return last[:1].upper() + last[1:]


def _old(change: Change, key: str, history: Sequence[Change], revisions: FunctionRevisions | None) -> str:
    """Return the value before: from the source itself, the last request that set it, or the version before."""
    if isinstance(change, KnownChange):
        return change.before.get(key, "")
    at = change.observed_at
    earlier = [c for c in history if c.observed_at and at and c.observed_at < at and not isinstance(c, KnownChange)]
    asked = [c.parameters[key] for c in earlier if plain_name(c) == plain_name(change) and key in c.parameters]
    if asked:
        return asked[-1]
    published = [r for r in (revisions.published if revisions else ()) if r.at and at and r.at < at - SAME_MOMENT]
    return published[-1].settings.get(key, "") if published else ""
