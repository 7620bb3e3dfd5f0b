"""Which limit throttled requests hit: the one place that decides between capacity, index, partition and account.

A throttled table says so in up to three ways: its error texts, its metrics by reason, and its plain throttle events
beside what it consumed. They are weighed in this order, and each side of the table and of each index gets one answer.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import median

from domain.evidence import Evidence
from domain.findings import Strength
from domain.trace import TraceSegment
from specialists.contract import Case
from specialists.dynamodb.evidence import SIDES, Side, TableState
from specialists.dynamodb.metrics import ACCOUNT, KEY_RANGE, LIMITS, MAXIMUM, PROVISIONED, series
from specialists.dynamodb.signs import THROTTLES, Reading, Sign, signs
from specialists.kit.overheard import began, cited
from specialists.kit.rising import risen
from specialists.kit.series import MetricSeries

USED_UP = 0.8
"""From this share of the limit on, consumption explains throttling; seconds peak above their minute's mean."""

HARDLY_USED = 0.5
"""Below this share of the limit, the table's capacity does not explain throttling."""

PROVISIONED_LAG = timedelta(minutes=6)
"""Provisioned capacity is published every five minutes, so a change shows up to that much later."""


class Limit(StrEnum):
    """What was exceeded."""

    CAPACITY = "capacity"
    PARTITION = "partition"
    ACCOUNT = "account"


@dataclass(frozen=True)
class Pressure:
    """One side of the table, or of one index: what was asked of it, and what it may take a second."""

    side: Side
    index: str | None  # None: the table itself; "": an index whose name is not known
    events: MetricSeries | None
    consumed: MetricSeries | None
    provisioned: MetricSeries | None
    reasons: tuple[tuple[str, MetricSeries], ...]
    limit: float | None
    used: float | None  # units a second over the throttled minutes
    since: datetime | None
    stated: TableState | None = None  # the table's own word of that limit

    @property
    def throttled(self) -> float:
        """How many events were throttled."""
        by_reason = sum(found.total for _, found in self.reasons)
        return max(self.events.total if self.events else 0.0, by_reason)

    @property
    def share(self) -> float | None:
        """The used share of the limit, 0 to 1 and above; None where either is not known."""
        return None if self.used is None or not self.limit else self.used / self.limit

    @property
    def own_maximum(self) -> bool:
        """Whether the limit is what somebody set for an on-demand table or index, not a capacity."""
        return self.stated is not None and self.stated.on_demand

    @property
    def reason(self) -> tuple[str, MetricSeries] | None:
        """The limit that most throttled events hit, where CloudWatch tells by reason."""
        return max(self.reasons, key=lambda pair: pair[1].total, default=None)

    @property
    def seen(self) -> tuple[MetricSeries, ...]:
        """The series that show the throttling and the consumption."""
        events = self.events if self.events and self.events.total else None
        return tuple(found for found in (events, self.consumed) if found is not None and found.points)


@dataclass(frozen=True)
class Throttle:
    """One answer: this side of the table or index was throttled by this limit, and how well that is known."""

    limit: Limit
    strength: Strength
    pressure: Pressure
    signs: tuple[Sign, ...] = ()
    by: tuple[Evidence, ...] = ()  # the evidence with that strength

    @property
    def since(self) -> datetime | None:
        """When it began, by whatever saw it first."""
        return min((at for at in (self.pressure.since, began(self.signs)) if at), default=None)

    @property
    def as_usual(self) -> bool:
        """Whether only metrics tell of it, and count no more than they usually do."""
        counts = [s for s in (self.pressure.events, *(s for _, s in self.pressure.reasons)) if s is not None]
        return bool(counts) and not self.signs and not any(risen(series) for series in counts)

    def supports(self) -> dict[str, tuple[Evidence, ...]]:
        """Return the evidence by strength, each piece once."""
        rest = tuple(item for item in (*cited(self.signs), *self.pressure.seen) if item not in self.by)
        follows = Strength.WEAK if self.strength is Strength.WEAK else Strength.STRONG
        graded: dict[str, tuple[Evidence, ...]] = {self.strength.value: self.by}
        graded[follows.value] = graded.get(follows.value, ()) + rest
        return graded


def throttles(case: Case, *limits: Limit) -> tuple[Throttle, ...]:
    """Return every throttled side of the table and its indexes, only those that hit one of the limits when named.

    What throttles as it usually does, while all that was traced went well, is no trouble: see `lived_with`.
    """
    found = (throttle for throttle in _all(case) if not throttle.as_usual or not _all_went_well(case))
    return tuple(throttle for throttle in found if not limits or throttle.limit in limits)


def lived_with(case: Case) -> tuple[Throttle, ...]:
    """Return what is throttled no more than usual while the traced requests, which called the table, went well."""
    return tuple(throttle for throttle in _all(case) if throttle.as_usual) if _all_went_well(case) else ()


def _all_went_well(case: Case) -> bool:
    """Tell whether the table was called in a trace, and neither a call of it nor any part of the trace failed."""
    calls, segments = case.calls_to(), case.evidence.of(TraceSegment)
    unfinished = any(call.failed or call.pending for call in calls)
    return bool(calls) and not unfinished and not any(segment.failed for segment in segments)


def _all(case: Case) -> tuple[Throttle, ...]:
    said = signs(case, *THROTTLES)
    indexes = [found for name in _indexes(case) for found in _of_index(case, name, said)]
    told_of_index = {id(sign) for found in indexes for sign in found.signs}
    rest = tuple(sign for sign in said if id(sign) not in told_of_index)
    return (*_of_table(case, rest, indexes), *_of_unseen_index(case, rest, indexes), *indexes)


def pressure(case: Case, side: Side, index: str | None = None, said: Iterable[Sign] = ()) -> Pressure:
    """Return what one side of the table or an index was asked; `said` places its throttling where no metric does."""
    name = side.capitalize()
    events = series(case, f"{name}ThrottleEvents", index=index)
    by_reason = ((limit, series(case, f"{name}{limit}ThrottleEvents", index=index)) for limit in LIMITS)
    reasons = tuple((limit, found) for limit, found in by_reason if found is not None and found.total)
    consumed = series(case, f"Consumed{name}CapacityUnits", index=index)
    provisioned = series(case, f"Provisioned{name}CapacityUnits", index=index)
    counted = {p.at for found in (events, *(r for _, r in reasons)) if found for p in found.points if p.value > 0}
    minutes = counted or {sign.at.replace(second=0, microsecond=0) for sign in said if sign.at}
    state = case.one(TableState)
    fixed = state.limit(side, index) if state else None
    limits = [limit for at in sorted(minutes) if (limit := _limit_at(at, provisioned, fixed))]
    used = [p.value / consumed.period_seconds for p in consumed.points if p.at in minutes] if consumed else []
    return Pressure(
        side=side,
        index=index,
        events=events,
        consumed=consumed,
        provisioned=provisioned,
        reasons=reasons,
        limit=median(limits) if limits else _limit_at(case.window.end, provisioned, fixed),
        used=median(used) if used else None,
        since=min(counted, default=None),
        stated=state if fixed else None,
    )


def _limit_at(moment: datetime, provisioned: MetricSeries | None, fixed: float | None) -> float | None:
    """Return the units a second in force: the lower of the neighbouring datapoints, since a cut shows late."""
    points = (*provisioned.baseline, *provisioned.points) if provisioned else ()
    after = bisect_right([p.at for p in points], moment)
    near = [points[after - 1].value] if after else []
    if after < len(points) and points[after].at - moment <= PROVISIONED_LAG:
        near.append(points[after].value)
    elif after == len(points) and fixed:
        near.append(fixed)
    return min((value for value in near if value), default=fixed)


def _indexes(case: Case) -> tuple[str, ...]:
    state = case.one(TableState)
    named = {index.name for index in state.indexes} if state else set()
    seen = {found.dimensions.get("GlobalSecondaryIndexName", "") for found in case.all(MetricSeries)}
    return tuple(sorted(named | seen - {""}))


def _of_index(case: Case, index: str, said: tuple[Sign, ...]) -> Iterator[Throttle]:
    for side in SIDES:
        found = pressure(case, side, index)
        if not found.throttled:
            continue
        about = [s for s in said if s.reading is Reading.INDEX_CAPACITY and s.side in {side, None}]
        about += [s for s in said if s.reading is Reading.KEY_RANGE and f"/index/{index}" in s.text]
        judged = _weigh(found, tuple(about), on_demand=False)
        # That the series is the index's own already tells table from index.
        yield replace(judged, strength=Strength.STRONG) if judged.strength is Strength.WEAK else judged


def _of_table(case: Case, said: tuple[Sign, ...], indexes: list[Throttle]) -> Iterator[Throttle]:
    """Judge the table's own sides; an unnamed throttle is an index's when only indexes have throttle events."""
    state = case.one(TableState)
    about = [sign for sign in said if sign.reading is not Reading.INDEX_CAPACITY]
    heavier = max(SIDES, key=lambda side: (pressure(case, side).throttled, side == "write"))
    for side in SIDES:
        mine = tuple(sign for sign in about if (sign.side or heavier) == side)
        found = pressure(case, side, said=mine)
        if not found.throttled and (not mine or _explained_by(indexes, found, mine)):
            continue
        on_demand = state is not None and state.on_demand and not _switched_after(state, mine, found)
        yield _weigh(found, mine, on_demand=on_demand and found.limit is None)


def _explained_by(indexes: list[Throttle], found: Pressure, said: tuple[Sign, ...]) -> bool:
    """Tell whether the index's throttling is what an unspecific refusal of a write speaks of."""
    unspecific = all(s.reading in {Reading.THROTTLED, Reading.CAPACITY} and "the table" not in s.text for s in said)
    return unspecific and found.events is not None and any(i.pressure.side == found.side for i in indexes)


def _of_unseen_index(case: Case, said: tuple[Sign, ...], indexes: list[Throttle]) -> Iterator[Throttle]:
    """Judge refusals that blame an index where no index's metrics show throttling."""
    about = tuple(sign for sign in said if sign.reading is Reading.INDEX_CAPACITY)
    if not about or indexes:
        return
    side, names = about[0].side or "write", _indexes(case)
    found = pressure(case, side, names[0], about) if len(names) == 1 else _unmeasured(side)
    yield Throttle(Limit.CAPACITY, Strength.PROOF, found, about, cited(about))


def _unmeasured(side: Side) -> Pressure:
    """Return the pressure on an index of which not even the name is known."""
    return Pressure(side, "", None, None, None, (), None, None, None)


def _switched_after(state: TableState, said: tuple[Sign, ...], found: Pressure) -> bool:
    first = min((at for at in (found.since, began(said)) if at), default=None)
    return bool(state.on_demand_since and first and state.on_demand_since > first)


STATED_BY_TEXT = (
    (Reading.ACCOUNT, Limit.ACCOUNT),
    (Reading.KEY_RANGE, Limit.PARTITION),
    (Reading.MAXIMUM, Limit.CAPACITY),
    (Reading.INDEX_CAPACITY, Limit.CAPACITY),
)
STATED_BY_METRIC = {
    ACCOUNT: Limit.ACCOUNT,
    KEY_RANGE: Limit.PARTITION,
    MAXIMUM: Limit.CAPACITY,
    PROVISIONED: Limit.CAPACITY,
}


def _weigh(found: Pressure, said: tuple[Sign, ...], *, on_demand: bool) -> Throttle:
    """Decide which limit it was; `on_demand`: the table has no capacity of its own that could be used up."""
    for reading, limit in STATED_BY_TEXT:
        about = [sign for sign in said if sign.reading is reading]
        if about:
            return Throttle(limit, Strength.PROOF, found, said, cited(about))
    if found.reason:
        name, by = found.reason
        return Throttle(STATED_BY_METRIC[name], Strength.PROOF, found, said, (by,))
    growing = cited(sign for sign in said if sign.reading is Reading.GROWING)
    if growing:
        return Throttle(Limit.PARTITION, Strength.STRONG if _doubled(found) else Strength.PROOF, found, said, growing)
    return _weigh_unspecific(found, said, on_demand=on_demand)


def _weigh_unspecific(found: Pressure, said: tuple[Sign, ...], *, on_demand: bool) -> Throttle:
    """Decide by consumption what a plain throttle, or the capacity error that partitions also give, means."""
    capacity_error = cited(sign for sign in said if sign.reading is Reading.CAPACITY)
    share = found.share
    if share is not None and share < HARDLY_USED:
        return Throttle(Limit.PARTITION, Strength.STRONG, found, said, found.seen)
    if on_demand:
        return Throttle(Limit.PARTITION, Strength.WEAK, found, said)
    if capacity_error and (share is None or share >= USED_UP):
        return Throttle(Limit.CAPACITY, Strength.PROOF, found, said, capacity_error)
    if capacity_error:
        return Throttle(Limit.CAPACITY, Strength.STRONG, found, said, capacity_error)
    if share is not None and share >= USED_UP:
        stated = (found.stated,) if found.stated else ()
        return Throttle(Limit.CAPACITY, Strength.STRONG, found, said, (*found.seen, *stated))
    return Throttle(Limit.CAPACITY, Strength.WEAK, found, said)


def _doubled(found: Pressure) -> bool:
    """Tell whether traffic passed twice its usual peak, to which on-demand tables only grow over half an hour."""
    return bool(found.consumed and found.consumed.usual_peak and found.consumed.peak > 2 * found.consumed.usual_peak)
