"""Slow: scans and broad queries that read much more than they return."""

import re
from collections.abc import Iterator

from domain.evidence import Evidence
from domain.findings import Finding
from domain.trace import TraceCall
from specialists.contract import Case, rule
from specialists.dynamodb.metrics import BROAD, READS, WRITES, series
from specialists.kit.series import MetricSeries

SLOW_SECONDS = 1.0
"""A scan or query page of 1 MB takes far less; a caller that waits this long reads page after page."""

SLOW_MILLISECONDS = 100.0
TIMES_USUAL = 3.0

TIMED_OUT = re.compile(r"timed? ?out", re.IGNORECASE)


@rule("ddb-latency-scan", sees=(TraceCall, MetricSeries))
def scan_is_slow(case: Case) -> Iterator[Finding]:
    """Scans or queries take long in the trace or by the table's metrics, while single-item requests do not."""
    broad = [call for call in case.calls_to() if call.operation in BROAD and (not call.failed or _timed_out(call))]
    long = sum(call.seconds for call in broad) >= SLOW_SECONDS or any(call.pending for call in broad)
    waited = broad if long else []
    slow = [found for operation in BROAD if (found := _slow(case, operation))]
    if not waited and not slow:
        return
    returned = [_jumped(series(case, "ReturnedItemCount", operation=operation)) for operation in BROAD]
    more = [found for found in (_jumped(series(case, "ConsumedReadCapacityUnits")), *returned) if found]
    others = [found for operation in (*READS, *WRITES) if operation not in BROAD and (found := _slow(case, operation))]
    scans = [call for call in waited if call.operation == "Scan"]
    sure = bool(scans or (waited and (slow or more)) or (slow and more))
    seen: tuple[Evidence, ...] = (*waited[:5], *slow, *more)
    yield case.hypothesis(
        "ddb-latency-scan",
        _sentence(case, waited, slow, more),
        strong=seen if sure else (),
        weak=() if sure else seen,
        against=others,
        since=min((call.start for call in waited), default=None) or slow[0].first_over(SLOW_MILLISECONDS),
    )


def _sentence(case: Case, waited: list[TraceCall], slow: list[MetricSeries], more: list[MetricSeries]) -> str:
    name = f"`{case.target.name}`"
    operation = waited[0].operation if waited else slow[0].dimensions["Operation"]
    if waited:
        times = f"{len(waited)} calls" if len(waited) > 1 else "one call"
        times += ", and had not ended" if any(call.pending for call in waited) else ""
        what = f"`{operation}` of {name} took {sum(call.seconds for call in waited):.1f} s in {times}"
    else:
        what = f"`{operation}` of {name} takes {slow[0].peak:.0f} ms on average, usually {slow[0].typical:.0f} ms"
    reads = next((found for found in more if found.metric == "ConsumedReadCapacityUnits"), None)
    if reads is None:
        return what
    peak, usual = reads.peak / reads.period_seconds, reads.typical / reads.period_seconds
    return f"{what}, and it consumes {peak:.0f} read units a second, usually {usual:.0f}"


def _timed_out(call: TraceCall) -> bool:
    """Tell whether the caller gave up waiting; a call that failed otherwise says nothing about slowness."""
    return any(TIMED_OUT.search(f"{error.type} {error.message}") for error in call.errors)


def _slow(case: Case, operation: str) -> MetricSeries | None:
    found = series(case, "SuccessfulRequestLatency", operation=operation, statistic="Average")
    usual = found.typical if found else 0.0
    return found if found and found.peak >= SLOW_MILLISECONDS and found.peak >= TIMES_USUAL * usual else None


def _jumped(found: MetricSeries | None) -> MetricSeries | None:
    return found if found and found.baseline and found.peak >= TIMES_USUAL * max(found.usual_peak, 1.0) else None


RULES = (scan_is_slow,)
