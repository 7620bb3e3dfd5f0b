"""What is so about the state machine, good and bad: what a verdict can argue with, and what it can rule out."""

from collections.abc import Iterator

from domain.findings import Finding
from domain.trace import TraceSegment
from specialists.contract import Case, rule
from specialists.kit.lastchange import says_changes
from specialists.kit.series import MetricSeries
from specialists.stepfunctions.claims import observed
from specialists.stepfunctions.classify import awaits_token, cause_of
from specialists.stepfunctions.evidence import (
    Execution,
    ExecutionsSearched,
    ExpressLog,
    History,
    Machine,
    MapRun,
)
from specialists.stepfunctions.words import name_of

PASSING = frozenset({"sfn-lambda-toomany", "sfn-lambda-service-exception", "ddb-provisioned-exceeded", "s3-slow-down"})
"""Causes that a Retry with backoff gets over."""

MOST = 3
ENDED_OTHERWISE = (("ExecutionsTimedOut", "timed out"), ("ExecutionsAborted", "were aborted"))


@rule(sees=(Machine,))
def says_machine(case: Case) -> Iterator[Finding]:
    """States what the state machine is and how it is set, or that there is none."""
    machine = case.one(Machine)
    if machine is not None:
        yield case.fact(machine.summary(), machine)


@rule(sees=(Execution, ExecutionsSearched))
def says_executions(case: Case) -> Iterator[Finding]:
    """States how the executions that were read ended, and how many others ended badly."""
    for execution in case.all(Execution)[:MOST]:
        yield case.fact(execution.summary(), execution)
    for found in case.all(ExecutionsSearched):
        yield case.fact(found.summary(), found)


@rule(sees=(MetricSeries,))
def says_share_failed(case: Case) -> Iterator[Finding]:
    """States which share of the started executions failed, and what is usual; that none failed is a fact too."""
    by_name = {s.metric: s for s in case.all(MetricSeries) if s.namespace == "AWS/States" and s.statistic == "Sum"}
    started, failed = by_name.get("ExecutionsStarted"), by_name.get("ExecutionsFailed")
    others = [(by_name[name], verb) for name, verb in ENDED_OTHERWISE if name in by_name and by_name[name].total]
    if started is None or failed is None or not started.total:
        return
    name = name_of(case.target.id)
    usual = f"; usually at most {failed.usual_peak:g} a minute" if failed.baseline else ""
    if failed.total:
        said = f"{failed.total:g} of {started.total:g} executions of `{name}` failed{usual}"
    else:
        said = f"None of the {started.total:g} executions of `{name}` failed"
    beside = "".join(f"; {series.total:g} {verb}" for series, verb in others)
    yield case.fact(said + beside, failed, started, *(series for series, _ in others))


@rule(sees=(MapRun,))
def says_map_runs(case: Case) -> Iterator[Finding]:
    """States how many items of a Distributed Map failed."""
    for run in case.all(MapRun)[:MOST]:
        yield case.fact(run.summary(), run)


@rule(sees=(Machine, ExpressLog, TraceSegment, MetricSeries))
def advises_logging(case: Case) -> Iterator[Finding]:
    """Recommends to log an Express workflow, whose failures are kept nowhere else."""
    machine = case.one(Machine)
    log = case.one(ExpressLog)
    if machine is None or not machine.exists or not machine.express:
        return
    if machine.log_level == "OFF" or not machine.log_group:
        yield case.advice(
            f"Log errors of the Express workflow `{machine.name}` to CloudWatch Logs: AWS keeps no history of its "
            "executions",
            machine,
        )
    elif log is not None and not log.exists:
        yield case.advice(f"Restore the log group {log.log_group}, which `{machine.name}` is set to log to", log)


@rule(sees=(History, Machine, Execution))
def advises_handling(case: Case) -> Iterator[Finding]:
    """Recommends a Retry for a passing fault, a time limit for a token, or to redrive a failed execution."""
    machine = case.one(Machine)
    for seen in observed(case)[:MOST]:
        state = machine.state(seen.outcome.state) if machine else None
        if machine is None or state is None or seen.history is None:
            continue
        if cause_of(seen.outcome) in PASSING and not state.retries_error(seen.outcome.error):
            yield case.advice(
                f"State `{state.name}` does not retry {seen.outcome.error}: add a Retry with backoff",
                machine,
                seen.history,
            )
        unlimited = not (state.timeout_seconds or state.heartbeat_seconds)
        if awaits_token(seen.outcome.task) and seen.outcome.status == "RUNNING" and unlimited:
            yield case.advice(
                f"State `{state.name}` waits for its token without any limit: set HeartbeatSeconds", machine
            )
    for execution in [e for e in case.all(Execution) if e.redrivable][:1]:
        yield case.advice(
            f"Once the cause is mended, execution `{execution.name}` can be redriven: it goes on from its failed state",
            execution,
        )


RULES = (
    says_machine,
    says_executions,
    says_share_failed,
    says_changes,
    says_map_runs,
    advises_logging,
    advises_handling,
)
