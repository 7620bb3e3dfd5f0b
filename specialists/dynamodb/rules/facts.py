"""What is so about the table, good and bad: what a verdict can argue with, and what it can rule out."""

from collections.abc import Iterator

from domain.evidence import Evidence
from domain.findings import Finding
from domain.trace import TraceCall
from specialists.contract import Case, rule
from specialists.dynamodb.evidence import SIDES, Side, TableState
from specialists.dynamodb.metrics import READS, WRITES, series
from specialists.dynamodb.rules.capacity import SEES
from specialists.dynamodb.signs import Reading, signs
from specialists.dynamodb.throttling import pressure
from specialists.kit.lastchange import says_changes
from specialists.kit.overheard import cited
from specialists.kit.series import MetricSeries, plain


@rule(sees=(TableState, MetricSeries))
def says_state(case: Case) -> Iterator[Finding]:
    """States whether the table works and how its capacity is set, now and before."""
    state = case.one(TableState)
    if state is None or not state.exists:
        return
    before = [said for side in SIDES if (said := _capacity_before(case, side))]
    earlier = f" ({', '.join(text for text, _ in before)})" if before else ""
    yield case.fact(
        f"`{state.name}` is {state.status}, {state.capacity()}{earlier}", state, *(item for _, item in before)
    )


@rule(sees=(MetricSeries, TableState))
def says_consumption(case: Case) -> Iterator[Finding]:
    """States what was consumed at most a second, of what, and when throttling began, on each side."""
    for side in SIDES:
        found = pressure(case, side)
        consumed = found.consumed
        if consumed is None or not consumed.points:
            continue
        usual = f", usually at most {consumed.usual_peak / consumed.period_seconds:.1f}" if consumed.baseline else ""
        of = f" of {found.limit:g}" if found.limit else ""
        began = (
            f"; {plain(found.throttled)} throttled since {found.since:%H:%M}" if found.since and found.throttled else ""
        )
        none = "; none throttled" if found.events is not None and not found.throttled else ""
        most = f"{consumed.peak / consumed.period_seconds:.1f}{of}"
        yield case.fact(
            f"`{case.target.name}` consumed up to {most} {side} units a second{usual}{began}{none}",
            *(item for item in (consumed, found.events) if item is not None),
        )


@rule(sees=(MetricSeries,))
def says_share_throttled(case: Case) -> Iterator[Finding]:
    """States which share of each kind of request was throttled."""
    for operation in (*READS, *WRITES):
        refused = series(case, "ThrottledRequests", operation=operation)
        served = series(case, "SuccessfulRequestLatency", operation=operation, statistic="SampleCount")
        if refused is None or served is None or not refused.total:
            continue
        share = refused.total / (refused.total + served.total)
        yield case.fact(
            f"{share:.0%} of `{operation}` requests to `{case.target.name}` were throttled"
            f" ({plain(refused.total)} of {plain(refused.total + served.total)})",
            refused,
            served,
            notable=True,
        )


@rule(sees=(TraceCall,))
def says_calls_succeeded(case: Case) -> Iterator[Finding]:
    """States that all of the trace's calls to the table succeeded, when they did."""
    calls = case.calls_to()
    if calls and not any(call.failed or call.pending for call in calls):
        slowest = max(call.seconds for call in calls)
        every = f"All {len(calls)} calls" if len(calls) > 1 else "The one call"
        yield case.fact(f"{every} to `{case.target.name}` succeeded, {slowest * 1000:.0f} ms at most", *calls[:5])


@rule(sees=(*SEES, MetricSeries))
def says_other_errors(case: Case) -> Iterator[Finding]:
    """States errors that name no cause at the table: DynamoDB's own, malformed requests, throttled key use."""
    own: list[Evidence] = [
        found
        for operation in (*READS, *WRITES)
        if (found := series(case, "SystemErrors", operation=operation)) is not None and found.total
    ]
    own += cited(signs(case, Reading.INTERNAL))
    if own:
        yield case.fact(f"DynamoDB itself failed requests to `{case.target.name}` (HTTP 5xx)", *own, notable=True)
    invalid = signs(case, Reading.VALIDATION)
    if invalid:
        yield case.fact(
            f"`{case.target.name}` rejected {len(invalid)} requests as invalid, for other reasons than their keys: "
            f"the caller builds them wrongly",
            *cited(invalid),
            notable=True,
        )
    rate = signs(case, Reading.KMS_RATE)
    if rate:
        yield case.fact(f"Calls to KMS for `{case.target.name}` were throttled", *cited(rate), notable=True)


def _capacity_before(case: Case, side: Side) -> tuple[str, Evidence] | None:
    """Return what the provisioned units were in the baseline, where they differ from the last ones."""
    published = series(case, f"Provisioned{side.capitalize()}CapacityUnits")
    state = case.one(TableState)
    now = state.limit(side) if state else None
    if published is None or not published.baseline or now in {None, published.typical}:
        return None
    return f"{published.typical:g} {side[0].upper()}CU before", published


RULES = (says_state, says_consumption, says_share_throttled, says_calls_succeeded, says_other_errors, says_changes)
