"""Too many executions: starts and transitions that are throttled, and the quota of open executions."""

from collections.abc import Iterator

from domain.findings import Finding
from domain.trace import TraceCall
from specialists.contract import Case, rule
from specialists.kit.series import MetricSeries
from specialists.stepfunctions.targets import machine_of
from specialists.stepfunctions.words import name_of

THROTTLED = frozenset({"ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded"})
LIMIT = frozenset({"ExecutionLimitExceeded", "ExecutionLimitExceededException"})
FEW = 5


@rule("sfn-api-throttle", sees=(TraceCall, MetricSeries))
def starts_are_throttled(case: Case) -> Iterator[Finding]:
    """Callers are told that starts are throttled, or the metrics count throttled starts or transitions."""
    calls = _refused(case, THROTTLED)
    risen = [
        s
        for s in _series(case, "ExecutionThrottled", "ThrottledEvents")
        if s.total >= FEW and s.peak > 3 * s.usual_peak
    ]
    if not calls and not risen:
        return
    machine = machine_of(case.target)
    counted = f"{sum(s.total for s in risen):g} state transitions or starts" if risen else f"{len(calls)} starts"
    own = [s for s in risen if s.metric == "ExecutionThrottled"]
    yield case.hypothesis(
        "sfn-api-throttle",
        f"Step Functions throttled {counted} of `{machine.name}`",
        proof=calls,
        strong=own or (risen if calls else ()),
        weak=() if own or calls else risen,
        resource=machine.id,
        since=min([c.start for c in calls] + [at for s in risen if (at := s.first_over(s.usual_peak))]),
    )


@rule("sfn-execution-limit", sees=(TraceCall, MetricSeries))
def open_executions_reach_quota(case: Case) -> Iterator[Finding]:
    """Starts are refused because too many executions are open, or their number stands at its limit."""
    calls = _refused(case, LIMIT)
    open_ones, limit = _maximum(case, "OpenExecutionCount"), _maximum(case, "OpenExecutionLimit")
    full = [s for s in (open_ones, limit) if s] if open_ones and limit and limit.peak <= open_ones.peak > 0 else []
    if not calls and not full:
        return
    machine = machine_of(case.target)
    numbers = f": {open_ones.peak:g} of {limit.peak:g} are open" if full and open_ones and limit else ""
    yield case.hypothesis(
        "sfn-execution-limit",
        f"No more executions of `{machine.name}` can start{numbers}",
        proof=calls,
        strong=full,
        resource=machine.id,
        since=min((c.start for c in calls), default=None),
    )


@rule(sees=(TraceCall,))
def says_other_refusals(case: Case) -> Iterator[Finding]:
    """States which calls to the state machine failed for other reasons."""
    for call in case.calls_to(failed=True):
        codes = {error.code or error.type for error in call.errors}
        if codes and not codes & (THROTTLED | LIMIT):
            yield case.fact(f"A call to `{name_of(case.target.id)}` was refused: {', '.join(sorted(codes))}", call)
            return


def _refused(case: Case, codes: frozenset[str]) -> list[TraceCall]:
    return [c for c in case.calls_to(failed=True) if any((e.code or e.type) in codes for e in c.errors)]


def _series(case: Case, *names: str) -> list[MetricSeries]:
    return [s for s in case.all(MetricSeries) if s.namespace == "AWS/States" and s.metric in names]


def _maximum(case: Case, name: str) -> MetricSeries | None:
    return next((s for s in _series(case, name) if s.points), None)


RULES = (starts_are_throttled, open_executions_reach_quota, says_other_refusals)
