"""Throttled: by the table's capacity, an index's, a hot partition, the account, or too many management calls."""

from collections.abc import Callable, Iterator, Sequence

from domain.evidence import Evidence
from domain.findings import Finding, Strength
from domain.trace import TraceCall, TraceSegment
from specialists.contract import Case, rule
from specialists.dynamodb.evidence import Scaling, ScalingActivity, ScalingTarget, TableState
from specialists.dynamodb.signs import Reading, signs
from specialists.dynamodb.throttling import Limit, Pressure, Throttle, lived_with, throttles
from specialists.kit.change import Change
from specialists.kit.loglines import LogLines
from specialists.kit.overheard import began, cited
from specialists.kit.series import MetricSeries, plain

SEES = (TraceCall, TraceSegment, LogLines, MetricSeries, TableState)

NEARLY_FULL_PERCENT = 90


@rule("ddb-provisioned-exceeded", sees=(*SEES, Scaling, ScalingActivity, Change))
def capacity_is_used_up(case: Case) -> Iterator[Finding]:
    """The table throttles, and its provisioned capacity or its own on-demand maximum is what was exceeded."""
    found = [throttle for throttle in throttles(case, Limit.CAPACITY) if throttle.pressure.index is None]
    if not found:
        return
    full = [evidence for throttle in found for evidence in _scaling_at_its_end(case, throttle.pressure)]
    yield _hypothesis(case, "ddb-provisioned-exceeded", found, _used_up, full)
    scaling, state = case.one(Scaling), case.one(TableState)
    for throttle in found:
        if throttle.pressure.own_maximum:
            yield _raise_maximum(case, throttle.pressure)
    if full:
        yield case.advice("Raise the maximum of autoscaling: it cannot add capacity any more.", *full)
    elif scaling is not None and not scaling.targets and state is not None and not state.on_demand:
        yield case.advice(
            "Nothing adds capacity when traffic grows: register autoscaling, or switch to on-demand.", scaling
        )


@rule("ddb-gsi-throttle", sees=SEES)
def index_throttles(case: Case) -> Iterator[Finding]:
    """A global secondary index throttles, and with it the writes to its table."""
    found = [throttle for throttle in throttles(case, Limit.CAPACITY) if throttle.pressure.index is not None]
    if found:
        yield _hypothesis(case, "ddb-gsi-throttle", found, _used_up)
    state = case.one(TableState)
    filling = [index.name for index in state.indexes if index.backfilling] if state else []
    if state and found and filling:
        yield case.advice(f"`{filling[0]}` is being backfilled, which takes write capacity until it is done.", state)


@rule("ddb-hot-partition", sees=SEES)
def partition_is_hot(case: Case) -> Iterator[Finding]:
    """Requests are throttled although the table as a whole has capacity left, or DynamoDB says that a key is hot."""
    found = throttles(case, Limit.PARTITION)
    if found:
        yield _hypothesis(case, "ddb-hot-partition", found, _hot)


@rule("ddb-account-limit", sees=SEES)
def account_limit_is_reached(case: Case) -> Iterator[Finding]:
    """DynamoDB says that the account's throughput quota, not the table's capacity, is used up."""
    found = throttles(case, Limit.ACCOUNT)
    if not found:
        return
    full = [
        used
        for side in ("Read", "Write")
        for used in [_account_series(case, f"AccountProvisioned{side}CapacityUtilization")]
        if used is not None and used.peak >= NEARLY_FULL_PERCENT
    ]
    yield _hypothesis(case, "ddb-account-limit", found, _account, full)


@rule("ddb-control-throttle", sees=(TraceCall, TraceSegment, LogLines))
def management_calls_are_throttled(case: Case) -> Iterator[Finding]:
    """DescribeTable, UpdateTable or their like are refused for their rate; requests for items are not concerned."""
    found = signs(case, Reading.CONTROL)
    if found:
        operations = sorted({f"`{sign.operation}`" for sign in found if sign.operation})
        calls = ", ".join(operations) or f"management call{'' if len(found) == 1 else 's'}"
        were = "was" if len(found) == 1 else "were"
        yield case.hypothesis(
            "ddb-control-throttle",
            f"{len(found)} {calls} on `{case.target.name}` {were} throttled: the control plane is called too often",
            proof=cited(found),
            since=began(found),
        )


@rule(sees=SEES)
def throttling_lived_with(case: Case) -> Iterator[Finding]:
    """The table throttles as it usually does, and the traced requests went well: the SDKs' retries outlive it."""
    for throttle in lived_with(case):
        what = _what_was_throttled(case.target.name, throttle)
        yield case.fact(
            f"{what[0].upper()}{what[1:]}, no more than usual, and the traced requests got through",
            *throttle.pressure.seen,
        )


def _hypothesis(
    case: Case,
    code: str,
    found: Sequence[Throttle],
    tell: Callable[[str, Throttle], str],
    also: Sequence[Evidence] = (),
) -> Finding:
    """Return one hypothesis for all throttled sides; a piece of evidence counts by its best strength."""
    graded: dict[str, Strength] = {}
    items: dict[str, Evidence] = {}
    for strength in (Strength.PROOF, Strength.STRONG, Strength.WEAK):
        more = also if strength is Strength.STRONG else ()
        for item in (*(e for throttle in found for e in throttle.supports().get(strength, ())), *more):
            items[item.id] = item
            graded.setdefault(item.id, strength)
    by = {s: [items[key] for key, strength in graded.items() if strength is s] for s in Strength}
    return case.hypothesis(
        code,
        "; ".join(tell(case.target.name, throttle) for throttle in found),
        proof=by[Strength.PROOF],
        strong=by[Strength.STRONG],
        weak=by[Strength.WEAK],
        since=min((throttle.since for throttle in found if throttle.since), default=None),
    )


def _used_up(table: str, throttle: Throttle) -> str:
    at, what = throttle.pressure, _what_was_throttled(table, throttle)
    maximum = ", the maximum set for its on-demand mode," if at.own_maximum else ""
    if at.used is not None and at.limit:
        return f"Consumed {at.used:.1f} of {at.limit:g} {_unit(at)}{maximum} while {what}"
    limit = f" of {at.limit:g} {_unit(at)}{maximum}" if at.limit else ""
    return f"{what[0].upper()}{what[1:]} because its {at.side} capacity{limit} is used up"


def _hot(table: str, throttle: Throttle) -> str:
    at, what = throttle.pressure, _what_was_throttled(table, throttle)
    if at.used is not None and at.limit:
        return f"One partition key is too hot: {what} at only {at.used:.1f} of {at.limit:g} {_unit(at)}"
    return f"One partition key gets more {at.side}s than a partition can take: {what}"


def _account(table: str, throttle: Throttle) -> str:
    return f"The account's DynamoDB throughput quota is reached: {_what_was_throttled(table, throttle)}"


def _what_was_throttled(table: str, throttle: Throttle) -> str:
    at = throttle.pressure
    index = f"index `{at.index}` of " if at.index else ("an index of " if at.index == "" else "")
    if at.throttled:
        return f"{index}`{table}` throttled {plain(at.throttled)} {at.side}{'' if at.throttled == 1 else 's'}"
    operations = sorted({f"`{sign.operation}`" for sign in throttle.signs if sign.operation})
    return f"{index}`{table}` throttled {', '.join(operations) or f'{at.side}s'}"


def _unit(at: Pressure) -> str:
    capacity = not at.own_maximum and (at.provisioned or at.reason is None)
    return f"{at.side[0].upper()}CU" if capacity else f"{at.side} units"


def _raise_maximum(case: Case, at: Pressure) -> Finding:
    """Advise on the maximum that somebody gave an on-demand table: it is no capacity that AWS could add."""
    setting = f"Max{at.side.capitalize()}RequestUnits"
    set_by = [
        change
        for change in case.all(Change)
        if change.took_effect and any(key.lower().endswith(setting.lower()) for key in change.parameters)
    ]
    last = max(set_by, key=lambda change: (change.observed_at is not None, change.observed_at, change.id), default=None)
    when = f" at {last.observed_at:%Y-%m-%d %H:%M} UTC" if last and last.observed_at else ""
    by = f", which `{last.who}` set{when}" if last else ""
    return case.advice(
        f"Raise or remove the on-demand maximum of `{case.target.name}` ({setting} {at.limit:g}){by}: DynamoDB refuses "
        "what is above it, whatever it could serve.",
        *(item for item in (at.stated, last) if item is not None),
    )


def _scaling_at_its_end(case: Case, at: Pressure) -> list[Evidence]:
    """Return the evidence that autoscaling could not add capacity: at its maximum, suspended, or failed."""
    scaling = case.one(Scaling)
    target = scaling.target(at.side, at.index) if scaling else None
    ended: list[Evidence] = [scaling] if scaling and target and _at_end(target, at.limit) else []
    stuck = (a for a in case.all(ScalingActivity) if (a.side, a.index) == (at.side, at.index))
    return [
        *ended,
        *(a for a in stuck if a.status in {"Failed", "Unfulfilled"} or "AlreadyAtMaxCapacity" in a.not_scaled),
    ]


def _at_end(target: ScalingTarget, limit: float | None) -> bool:
    return target.suspended or (limit is not None and limit >= target.maximum)


def _account_series(case: Case, name: str) -> MetricSeries | None:
    return next((s for s in case.all(MetricSeries) if s.metric == name and not s.dimensions), None)


RULES = (
    capacity_is_used_up,
    index_throttles,
    partition_is_hot,
    account_limit_is_reached,
    management_calls_are_throttled,
    throttling_lived_with,
)
