"""The change that made the table throttle or lose an index: capacity cut, billing mode switched, index removed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.evidence import Evidence
from domain.findings import Finding, Hypothesis, Strength
from specialists.contract import Case, rule
from specialists.dynamodb.evidence import PROVISIONED, SIDES, Side, TableState
from specialists.dynamodb.rules.capacity import SEES
from specialists.dynamodb.signs import Reading, signs
from specialists.dynamodb.throttling import Limit, Throttle, pressure, throttles
from specialists.kit.change import Change
from specialists.kit.lastchange import effective_changes
from specialists.kit.overheard import began, cited

AT_ONCE = timedelta(minutes=15)
SOON = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
ON_DEMAND_BEFORE = float("inf")


@dataclass(frozen=True)
class Setting:
    """What one change set one side of the table or an index to, in units a second."""

    change: Change
    at: datetime
    side: Side
    index: str | None
    units: float
    was_on_demand: bool


@rule("deploy-regression", sees=(*SEES, Change))
def change_broke_it(case: Case) -> Iterator[Finding]:
    """Capacity was lowered, on-demand given up or an index removed shortly before requests on it began to fail."""
    found = [*_capacity_cuts(case), *_removed_indexes(case)]
    # One change can cut several sides: it is named once, by what shows it best.
    yield from sorted(found, key=lambda one: any(s.strength is Strength.PROOF for s in one.supports))[-1:]


def _capacity_cuts(case: Case) -> Iterator[Hypothesis]:
    settings = [setting for change in effective_changes(case) for setting in _settings(change)]
    for throttle in throttles(case, Limit.CAPACITY):
        since = throttle.since
        about = (throttle.pressure.side, throttle.pressure.index)
        earlier = [s for s in settings if (s.side, s.index) == about and since and s.at < since + MINUTE]
        if earlier:
            yield from _judge(case, throttle, earlier)


def _removed_indexes(case: Case) -> Iterator[Hypothesis]:
    found = signs(case, Reading.NO_INDEX)
    since = began(found)
    for change in effective_changes(case):
        removed = _value(change, "delete.indexname")
        before = change.observed_at is not None and since is not None and change.observed_at <= since
        if removed and before and any(removed in sign.text for sign in found):
            yield case.hypothesis(
                "deploy-regression",
                f"Index `{removed}` of `{case.target.name}` was removed at {_clock(change)} by `{change.who}`",
                proof=(change,),
                strong=cited(found),
                since=change.observed_at,
            )


def _judge(case: Case, throttle: Throttle, earlier: list[Setting]) -> Iterator[Hypothesis]:
    last, before = _last_cut(case, earlier)
    if last is None:
        return
    consumed = throttle.pressure.consumed
    usual = consumed.usual_peak / consumed.period_seconds if consumed else 0.0
    gap = (throttle.since or last.at) - last.at
    known_cut = before is not None or usual > last.units or _says_decreased(case.one(TableState), last.at)
    if not known_cut or (gap > SOON and usual <= last.units):
        return
    decides = before is not None and (gap <= AT_ONCE or usual > last.units) and not _by_autoscaling(last.change)
    seen = (*throttle.pressure.seen, *cited(throttle.signs, 1))
    yield case.hypothesis(
        "deploy-regression",
        _sentence(case, last, before, usual),
        proof=(last.change,) if decides else (),
        strong=seen if decides else (last.change, *seen),
        since=last.at,
    )


def _last_cut(case: Case, earlier: list[Setting]) -> tuple[Setting | None, float | None]:
    """Return the setting that last changed the units and the units before it, no setting when it raised them.

    The units before are infinite for on-demand, and None where nothing tells them.
    """
    for setting, previous in zip(reversed(earlier), (*reversed(earlier[:-1]), None), strict=True):
        before = _before(case, setting, previous)
        if before != setting.units:
            return (None, None) if before is not None and before < setting.units else (setting, before)
    return None, None


def _before(case: Case, setting: Setting, previous: Setting | None) -> float | None:
    if setting.was_on_demand:
        return ON_DEMAND_BEFORE
    if previous is not None:
        return previous.units
    published = pressure(case, setting.side, setting.index).provisioned
    points = (*published.baseline, *published.points) if published else ()
    return next((point.value for point in reversed(points) if point.at + MINUTE <= setting.at), None)


def _sentence(case: Case, last: Setting, before: float | None, usual: float) -> str:
    unit = f"{last.side[0].upper()}CU"
    place = f"index `{last.index}` of `{case.target.name}`" if last.index else f"`{case.target.name}`"
    was = "" if before is None else "on-demand → " if before == ON_DEMAND_BEFORE else f"{before:g} → "
    to = "" if was else "to "
    needed = f"; usual traffic needs up to {usual:.0f} {unit}" if usual > last.units else ""
    cut = f"{was}{to}{last.units:g} {unit}"
    return f"Capacity of {place} was cut {cut} at {_clock(last.change)} by `{last.change.who}`{needed}"


def _settings(change: Change) -> Iterator[Setting]:
    """Yield the units that a CreateTable or UpdateTable asked for; CloudTrail's spelling of names varies in case."""
    at = change.observed_at
    if at is None or change.event_name not in {"CreateTable", "UpdateTable"}:
        return
    given = {name.lower(): value for name, value in change.parameters.items()}
    switched = change.event_name == "UpdateTable" and given.get("billingmode") == PROVISIONED
    for name, value in sorted(given.items()):
        for side in SIDES:
            ending = (f"provisionedthroughput.{side}capacityunits", f"ondemandthroughput.max{side}requestunits")
            if name.endswith(ending) and value.isdigit():
                prefix = name[: -len(next(e for e in ending if name.endswith(e)))]
                index = given.get(f"{prefix}indexname") if prefix else None
                if not prefix or index:
                    yield Setting(change, at, side, index, float(value), switched)


def _says_decreased(state: TableState | None, at: datetime) -> bool:
    return state is not None and state.decreased_at is not None and abs(state.decreased_at - at) <= 5 * MINUTE


def _by_autoscaling(change: Change) -> bool:
    return "autoscaling" in change.who.lower().replace("-", "")


def _value(change: Change, ending: str) -> str | None:
    return next((value for name, value in change.parameters.items() if name.lower().endswith(ending)), None)


def _clock(change: Evidence) -> str:
    return f"{change.observed_at:%H:%M}" if change.observed_at else "an unknown time"


RULES = (change_broke_it,)
