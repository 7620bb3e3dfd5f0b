"""How suspicious a change is: whether it explains what went wrong, and how near it came before it.

    suspicion = FIT[fit] × 0.5 ** (minutes between the change and the onset / HALF_LIFE)

The fit is the best over what the change touches and what went wrong at the resources that it can reach. A change after
the onset has none. The number orders changes and decides what is worth saying; confidence is computed elsewhere.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from domain.alarm import AlarmTransition
from specialists.change_intelligence.symptoms import Kind, Symptom
from specialists.change_intelligence.told import Told
from specialists.kit.changekinds import Aspect

HALF_LIFE = timedelta(minutes=30)
NEAR = timedelta(hours=1)
"""How long before the onset a change may lie that is taken to have set it off."""

WORTH_SAYING = 0.125
"""Less is no hypothesis: a possible explanation an hour before, a sure one an hour and a half, an unlikely one ever."""


class Fit(StrEnum):
    """Whether what a change touches explains a kind of failure."""

    EXPLAINS = "explains"
    POSSIBLE = "may explain"
    UNLIKELY = "does not explain"


FIT = {Fit.EXPLAINS: 1.0, Fit.POSSIBLE: 0.5, Fit.UNLIKELY: 0.1}

ORDER = (Fit.UNLIKELY, Fit.POSSIBLE, Fit.EXPLAINS)

LOWERED = frozenset({Aspect.TIMEOUT, Aspect.MEMORY, Aspect.CONCURRENCY, Aspect.CAPACITY})
"""What breaks something only by becoming less: a change to more explains nothing, one to who knows what perhaps."""

OWN_CODE = frozenset({Kind.START, Kind.EXCEPTION, Kind.INVALID})
"""What new code explains where that very code raised it."""

NEW_CODE = frozenset({Aspect.CODE, Aspect.ALIAS})

EXPLAINS: Mapping[Aspect, frozenset[Kind]] = {
    Aspect.TIMEOUT: frozenset({Kind.TIMEOUT}),
    Aspect.MEMORY: frozenset({Kind.MEMORY, Kind.TIMEOUT}),
    Aspect.CONCURRENCY: frozenset({Kind.THROTTLE}),
    Aspect.CAPACITY: frozenset({Kind.THROTTLE}),
    Aspect.LIMIT: frozenset({Kind.THROTTLE}),
    Aspect.CODE: OWN_CODE,
    Aspect.ALIAS: OWN_CODE,
    Aspect.RUNTIME: frozenset({Kind.START}),
    Aspect.HANDLER: frozenset({Kind.START}),
    Aspect.LAYERS: frozenset({Kind.START}),
    Aspect.DEFINITION: frozenset({Kind.INVALID, Kind.EXCEPTION}),
    Aspect.ROLE: frozenset({Kind.DENIED}),
    Aspect.PERMISSIONS: frozenset({Kind.DENIED}),
    Aspect.ACCESS: frozenset({Kind.DENIED}),
    Aspect.KEY: frozenset({Kind.DENIED}),
    Aspect.NETWORK: frozenset({Kind.CONNECTION, Kind.TIMEOUT}),
    Aspect.DELETED: frozenset({Kind.NOT_FOUND}),
}

ANY_CODE = frozenset(
    {*OWN_CODE, Kind.TIMEOUT, Kind.MEMORY, Kind.CONNECTION, Kind.NOT_FOUND, Kind.DENIED, Kind.SLOWNESS}
)

POSSIBLE: Mapping[Aspect, frozenset[Kind]] = {
    Aspect.TIMEOUT: frozenset({Kind.BACKLOG}),
    Aspect.MEMORY: frozenset({Kind.SLOWNESS, Kind.BACKLOG}),
    Aspect.CONCURRENCY: frozenset({Kind.BACKLOG, Kind.SLOWNESS}),
    Aspect.CAPACITY: frozenset({Kind.SLOWNESS, Kind.BACKLOG}),
    Aspect.CODE: ANY_CODE,
    Aspect.ALIAS: ANY_CODE,
    Aspect.RUNTIME: OWN_CODE,
    Aspect.LAYERS: OWN_CODE,
    Aspect.HANDLER: OWN_CODE,
    Aspect.ENVIRONMENT: frozenset({*OWN_CODE, Kind.CONNECTION, Kind.NOT_FOUND, Kind.DENIED}),
    Aspect.SECRET: frozenset({Kind.DENIED, Kind.CONNECTION, Kind.EXCEPTION}),
    Aspect.ROUTES: frozenset({Kind.NOT_FOUND, Kind.DENIED, Kind.INVALID, Kind.BACKLOG}),
    Aspect.FILTER: frozenset({Kind.BACKLOG}),
    Aspect.DEAD_LETTER: frozenset({Kind.BACKLOG}),
    Aspect.DELETED: frozenset({Kind.DENIED, Kind.CONNECTION}),
    Aspect.DEFINITION: frozenset({Kind.DENIED, Kind.NOT_FOUND, Kind.TIMEOUT}),
}
"""Besides what it explains. Any change may be behind failures of which nothing says the kind."""


class Suspect(NamedTuple):
    """A change, how it fits what went wrong, how long before the onset it came (negative: after), its suspicion.

    `explained` is the kind of failure that it explains best, with what shows it.
    """

    told: Told
    fit: Fit
    ahead: timedelta
    suspicion: float
    explained: Symptom | None = None

    @property
    def after(self) -> bool:
        """Whether it came when it had already begun."""
        return self.ahead < timedelta()

    @property
    def sure(self) -> bool:
        """Whether it came just before and explains this kind of failure."""
        return self.fit is Fit.EXPLAINS and timedelta() <= self.ahead <= NEAR


def suspects(
    changes: Iterable[Told], found: Sequence[Symptom], onset: datetime, users: Mapping[str, frozenset[str]]
) -> tuple[Suspect, ...]:
    """Return the changes, the most suspicious first; `users` are the functions that use a role or a key."""
    judged = (_judged(told, found, onset, users.get(told.resource, frozenset())) for told in changes)
    return tuple(sorted(judged, key=lambda s: (-s.suspicion, abs(s.ahead), s.told.resource, s.told.seen[0].id)))


def _judged(told: Told, found: Sequence[Symptom], onset: datetime, users: frozenset[str]) -> Suspect:
    reach = {told.resource, *users}
    near = [(_fit_over(told, symptom), symptom) for symptom in _telling(s for s in found if reach & s.touches)]
    fit, symptom = max(near, key=_best, default=(Fit.UNLIKELY, None))
    ahead = onset - told.at
    weight = FIT[fit] * 0.5 ** (ahead / HALF_LIFE) if ahead >= timedelta() else 0.0
    return Suspect(told, fit, ahead, weight, None if fit is Fit.UNLIKELY else symptom)


def _telling(near: Iterable[Symptom]) -> list[Symptom]:
    """Leave out alarms that only say that something fails, where the requests say what."""
    known = list(near)
    if all(symptom.kind is Kind.FAILURE for symptom in known):
        return known
    return [s for s in known if s.kind is not Kind.FAILURE or not isinstance(s.evidence, AlarmTransition)]


def _best(pair: tuple[Fit, Symptom]) -> tuple[int, bool]:
    """Sort by the fit, then what says its kind before what does not."""
    fit, symptom = pair
    return ORDER.index(fit), symptom.kind is not Kind.FAILURE


def _fit_over(told: Told, symptom: Symptom) -> Fit:
    """Return how the change fits one symptom at a resource that it can reach."""
    return max((_fit(told, aspect, symptom) for aspect in told.aspects), key=ORDER.index, default=Fit.UNLIKELY)


def _fit(told: Told, aspect: Aspect, symptom: Symptom) -> Fit:
    if aspect in LOWERED:
        directions = {delta.lowered for delta in told.deltas if delta.aspect is aspect}
        if directions == {False}:
            return Fit.UNLIKELY
        if symptom.kind in EXPLAINS[aspect]:
            return Fit.EXPLAINS if True in directions else Fit.POSSIBLE
    elif symptom.kind in EXPLAINS.get(aspect, frozenset()):
        elsewhere = aspect in NEW_CODE and symptom.inside != told.resource
        return Fit.POSSIBLE if elsewhere else Fit.EXPLAINS
    possible = symptom.kind is Kind.FAILURE or symptom.kind in POSSIBLE.get(aspect, frozenset())
    return Fit.POSSIBLE if possible else Fit.UNLIKELY
