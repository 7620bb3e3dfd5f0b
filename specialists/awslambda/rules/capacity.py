"""Invocations that Lambda refuses or delays: reserved, account and provisioned concurrency, rates, cold starts."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from statistics import median
from typing import NamedTuple

from domain.evidence import Evidence
from domain.findings import Finding, Hypothesis
from domain.trace import TraceCall, TraceSegment
from specialists.awslambda.evidence import AccountLimits, InvocationReports, ProvisionedConfigs, ReservedConcurrency
from specialists.awslambda.reading import account_metric, changed, happened, metric, reporting, reports, stopped
from specialists.awslambda.rules.stated import EVIDENCE
from specialists.awslambda.symptoms import diagnoses
from specialists.contract import Case, Rule, rule
from specialists.kit.change import Change
from specialists.kit.rising import risen
from specialists.kit.series import MetricSeries

REFUSALS = frozenset(
    {"TooManyRequestsException", "Lambda.TooManyRequestsException", "ThrottlingException", "Throttling"}
)
SEES = (*EVIDENCE, ReservedConcurrency, AccountLimits, MetricSeries, Change)
SLOW_INIT_SECONDS = 1.0
SLACK = timedelta(minutes=2)
"""How far the minutes of a metric and the moment of a change may lie apart."""


def _refused_calls(case: Case) -> tuple[Evidence, ...]:
    """Return the trace's invocations that Lambda throttled."""
    calls = (c for c in case.calls_to(failed=True) if _throttled(c))
    segments = (s for s in case.segments(failed=True) if s.throttle or s.http_status == 429)
    return (*calls, *segments)


def _throttled(call: TraceCall) -> bool:
    named = any((e.code or e.type) in REFUSALS or "rate exceeded" in e.message.lower() for e in call.errors)
    return call.throttle or call.http_status == 429 or named


def _throttles(case: Case) -> MetricSeries | None:
    series = metric(case, "Throttles")
    return series if risen(series) else None


def _since(case: Case) -> datetime | None:
    series = _throttles(case)
    moments = [e.start for e in _refused_calls(case) if isinstance(e, (TraceCall, TraceSegment))]
    return min([*moments, *([m] if series and (m := series.first_over(0)) else [])], default=None)


def _count(case: Case) -> str:
    series = _throttles(case)
    return f"{series.total:g} invocations were throttled" if series else "Invocations were throttled"


class _Off(NamedTuple):
    """The setting of the reserved concurrency to zero, and, where it is known, the one that took it back."""

    put: Change
    back: Change | None

    @property
    def told(self) -> str:
        """Who set it to 0 when, and when that ended, UTC."""
        ended = f"until {self.back.observed_at:%H:%M}" if self.back else "and it is not 0 any more"
        return f"{self.put.who} set its reserved concurrency to 0 at {self.put.observed_at:%H:%M} UTC, {ended}"


def _was_off(case: Case) -> _Off | None:
    """Return when the function was off, where it is on again and everything was refused in that time."""
    series, reserved = _throttles(case), case.one(ReservedConcurrency)
    refused = [p.at for p in series.points if p.value > series.usual_peak] if series else []
    if reserved is None or reserved.reserved == 0 or not refused:
        return None
    settings = changed(case, "PutFunctionConcurrency", "DeleteFunctionConcurrency")
    for put, back in zip(settings, (*settings[1:], None), strict=False):
        if put.parameters.get("reservedConcurrentExecutions") != "0" or put.observed_at is None:
            continue
        over = back.observed_at if back else None
        if put.observed_at - SLACK <= refused[0] and (over is None or refused[-1] <= over + SLACK):
            return _Off(put, back)
    return None


@rule("lambda-reserved-zero", sees=SEES)
def was_switched_off(case: Case) -> Iterator[Hypothesis]:
    """Reserved concurrency was zero for a while, and every throttled invocation lies in that time."""
    off, reserved, series = _was_off(case), case.one(ReservedConcurrency), _throttles(case)
    if off is None or series is None or reserved is None:
        return
    yield case.hypothesis(
        "lambda-reserved-zero",
        f"`{case.target.name}` was switched off: {off.told}",
        proof=(off.put, *([off.back] if off.back else ())),
        strong=(series,),
        weak=(reserved,),
        since=off.put.observed_at,
    )


@rule("lambda-reserved-zero", sees=SEES)
def switched_off(case: Case) -> Iterator[Hypothesis]:
    """Reserved concurrency is zero: every invocation is refused."""
    reserved = case.one(ReservedConcurrency)
    stated = diagnoses(case).get("lambda-reserved-zero")
    zero = reserved is not None and reserved.reserved == 0
    if not zero and stated is None:
        return
    puts = [
        c for c in changed(case, "PutFunctionConcurrency") if c.parameters.get("reservedConcurrentExecutions") == "0"
    ][-1:]
    series, invocations = _throttles(case), metric(case, "Invocations")
    symptoms = (
        *_refused_calls(case),
        *([series] if series else ()),
        *([invocations] if invocations and stopped(invocations) else ()),
    )
    state = [reserved] if reserved and zero else []
    ran = [s for s in case.segments(failed=False) if s.origin_type == "AWS::Lambda::Function"]
    who = (
        f", set by {puts[0].who}" + (f" at {puts[0].observed_at:%H:%M} UTC" if puts[0].observed_at else "")
        if puts
        else ""
    )
    yield case.hypothesis(
        "lambda-reserved-zero",
        f"`{case.target.name}` is switched off: its reserved concurrency is 0{who}",
        proof=dict.fromkeys((*(state if symptoms or stated else ()), *(stated.proof if stated else ()))),
        strong=dict.fromkeys((*(() if symptoms or stated else state), *symptoms, *puts)),
        weak=stated.weak + stated.strong if stated else (),
        against=ran if zero and not symptoms else (),
        since=puts[0].observed_at if puts else _since(case),
    )


@rule("lambda-throttle-reserved", sees=SEES)
def reservation_is_too_low(case: Case) -> Iterator[Hypothesis]:
    """Throttled while the function uses all of its own reserved concurrency."""
    reserved = case.one(ReservedConcurrency)
    stated = diagnoses(case).get("lambda-throttle-reserved")
    refused, series = _refused_calls(case), _throttles(case)
    amount = reserved.reserved if reserved else None
    if amount == 0 or (stated is None and (not amount or _was_off(case) or not (refused or series))):
        return
    used = metric(case, "ConcurrentExecutions", "Maximum")
    measured = used is not None and bool(used.points)
    full = used is not None and amount is not None and measured and used.peak >= amount
    if stated is None and measured and not full:
        return
    puts = changed(case, "PutFunctionConcurrency", before=_since(case))[-1:]
    share = (
        f" while {used.peak:g} of {amount} reserved ran at once"
        if full and used
        else f" at a reservation of {amount}"
        if amount
        else ""
    )
    yield case.hypothesis(
        "lambda-throttle-reserved",
        f"{_count(case)} at `{case.target.name}`{share}",
        proof=dict.fromkeys((*(stated.proof if stated else ()), *([used] if full and used else ()))),
        strong=dict.fromkeys(
            (*refused, *([series] if series else ()), *([reserved] if reserved and amount else ()), *puts)
        ),
        weak=stated.strong + stated.weak if stated else (),
        since=_since(case),
    )


@rule("lambda-throttle-account", sees=SEES)
def account_is_out_of_concurrency(case: Case) -> Iterator[Hypothesis]:
    """Throttled without a reservation of its own: the account's shared concurrency is used up."""
    found = diagnoses(case)
    stated = found.get("lambda-throttle-account")
    reserved = case.one(ReservedConcurrency)
    refused, series = _refused_calls(case), _throttles(case)
    sharper = {"lambda-throttle-reserved", "lambda-invoke-rate", "lambda-reserved-zero"} & set(found)
    own = reserved is not None and reserved.reserved is not None
    if stated is None and (own or sharper or _was_off(case) or not (refused or series)):
        return
    limits, used = case.one(AccountLimits), account_metric(case, "ConcurrentExecutions")
    full = bool(limits and used and used.points and used.peak >= 0.95 * limits.concurrent_executions > 0)
    free = bool(limits and used and used.points and used.peak < 0.8 * limits.concurrent_executions)
    symptoms = (*refused, *([series] if series else ()))
    grade = "strong" if full or (reserved is not None and not free) else "weak"
    alone = ", which has no concurrency of its own" if reserved is not None and not own else ""
    share = (
        f" while the account ran {used.peak:g} of {limits.concurrent_executions} at once"
        if full and used and limits
        else ""
    )
    yield case.hypothesis(
        "lambda-throttle-account",
        f"{_count(case)} at `{case.target.name}`{alone}{share}",
        proof=dict.fromkeys((*(stated.proof if stated else ()), *([used] if full and used else ()))),
        strong=symptoms if grade == "strong" else (),
        weak=dict.fromkeys(
            (
                *(symptoms if grade == "weak" else ()),
                *([reserved] if reserved else ()),
                *(stated.strong + stated.weak if stated else ()),
            )
        ),
        against=[used] if free and used and stated is None else (),
        since=_since(case),
    )


@rule("lambda-invoke-rate", sees=SEES)
def invoked_too_fast(case: Case) -> Iterator[Hypothesis]:
    """Throttled by requests a second, with concurrency to spare."""
    stated = diagnoses(case).get("lambda-invoke-rate")
    reserved, used = case.one(ReservedConcurrency), metric(case, "ConcurrentExecutions", "Maximum")
    amount = reserved.reserved if reserved else None
    symptoms = (*_refused_calls(case), *([s] if (s := _throttles(case)) else ()))
    spare = bool(amount and used and used.points and used.peak < amount and symptoms)
    if stated is None and not spare:
        return
    if "lambda-throttle-reserved" in diagnoses(case):
        return
    yield case.hypothesis(
        "lambda-invoke-rate",
        f"{_count(case)} at `{case.target.name}` by requests a second, not by concurrency",
        proof=stated.proof if stated else (),
        strong=stated.strong if stated else (),
        weak=dict.fromkeys((*(stated.weak if stated else ()), *symptoms, *([used] if spare and used else ()))),
        since=_since(case),
    )


@rule("lambda-provisioned-spillover", sees=(ProvisionedConfigs, MetricSeries))
def provisioned_is_not_enough(case: Case) -> Iterator[Hypothesis]:
    """Invocations spill over the provisioned concurrency and start cold."""
    spilled = metric(case, "ProvisionedConcurrencySpilloverInvocations")
    if spilled is None or not risen(spilled):
        return
    kept = case.one(ProvisionedConfigs)
    used = metric(case, "ProvisionedConcurrencyUtilization", "Maximum")
    full = [used] if used and used.peak >= 0.95 else []
    yield case.hypothesis(
        "lambda-provisioned-spillover",
        f"{spilled.total:g} invocations of `{case.target.name}` found no provisioned sandbox and started cold",
        strong=[spilled, *full],
        weak=[kept] if kept and kept.configs else (),
        since=spilled.first_over(0),
    )


@rule("lambda-cold-start", sees=(TraceSegment, InvocationReports))
def cold_start_is_slow(case: Case) -> Iterator[Finding]:
    """Initialisation makes most of a slow request; a cause only where warm invocations are seen to be quick."""
    slow = [
        s
        for s in case.segments()
        if (s.init_seconds or 0) >= SLOW_INIT_SECONDS and (s.init_seconds or 0) >= 0.5 * (s.seconds or 0)
    ]
    if not slow or case.segments(failed=True):
        return
    worst = max(slow, key=lambda s: s.init_seconds or 0)
    seconds = worst.init_seconds or 0.0
    done = [r for r in reports(case) if r.phase == "invoke"]
    warm = [r for r in done if r.init_ms is None]
    what = f"{seconds:.1f} s of this request were the cold start of `{case.target.name}`"
    if len(warm) < 3 or median(r.duration_ms for r in warm) > 250 * seconds:
        yield case.fact(what, worst)
        return
    yield case.hypothesis(
        "lambda-cold-start",
        f"{what}; warm invocations take {median(r.duration_ms for r in warm):.0f} ms",
        strong=[worst, *reporting(case, set(warm))],
        since=worst.start,
    )


@rule(sees=(AccountLimits, MetricSeries))
def account_headroom(case: Case) -> Iterator[Finding]:
    """How near the account is to its limits of concurrency and code storage."""
    limits, used = case.one(AccountLimits), account_metric(case, "ConcurrentExecutions")
    if limits is None:
        return
    if limits.code_bytes_used > 0.95 * limits.code_bytes_limit > 0:
        yield case.advice("Delete old function versions and layers: the account's code storage is nearly full.", limits)
    if used and used.points and not happened(metric(case, "Throttles")):
        yield case.fact(
            f"The account ran {used.peak:g} of {limits.concurrent_executions} concurrent executions at most",
            limits,
            used,
        )


CAPACITY_RULES: tuple[Rule, ...] = (
    switched_off,
    was_switched_off,
    reservation_is_too_low,
    account_is_out_of_concurrency,
    invoked_too_fast,
    provisioned_is_not_enough,
    cold_start_is_slow,
    account_headroom,
)
