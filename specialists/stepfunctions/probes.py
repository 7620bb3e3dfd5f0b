"""What the Step Functions specialist looks at: the machine, its executions and their histories, Map Runs, changes."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from aws.reads import read
from domain.evidence import Evidence
from domain.resource import Resource, ResourceType, resource_from_arn
from domain.values import utc
from specialists.contract import Look, probe
from specialists.kit.answers import absent
from specialists.kit.change import Change, ChangeCount
from specialists.kit.changes import LOOKUP_EVENTS, changes, counted_changes
from specialists.kit.functions import GET_CONCURRENCY, NO_FUNCTION, reserved_concurrency_of
from specialists.kit.loglines import LogLines
from specialists.kit.logs import FILTER_LOG_EVENTS, log_lines
from specialists.kit.metrics import GET_METRIC_DATA, Metric, metric_series
from specialists.kit.series import MetricSeries
from specialists.stepfunctions.classify import awaits_token, cause_of, hangs_on
from specialists.stepfunctions.definition import read_definition
from specialists.stepfunctions.evidence import (
    EXPRESS,
    Execution,
    ExecutionsSearched,
    ExpressLog,
    FunctionConcurrency,
    History,
    Machine,
    MapRun,
)
from specialists.stepfunctions.expresslog import failed_in, histories_in
from specialists.stepfunctions.reading import (
    DESCRIBE_EXECUTION,
    GET_HISTORY,
    LIST_EXECUTIONS,
    describe,
    described_child,
    history,
    keeps_history,
    known_executions,
)
from specialists.stepfunctions.targets import machine_id, machine_of
from specialists.stepfunctions.tokens import LOG_PATTERN, speaks_of_token

if TYPE_CHECKING:
    from types_boto3_stepfunctions.literals import ExecutionStatusType
    from types_boto3_stepfunctions.type_defs import ExecutionListItemTypeDef

NAMESPACE = "AWS/States"
COUNTS = (
    "ExecutionsStarted",
    "ExecutionsSucceeded",
    "ExecutionsFailed",
    "ExecutionsTimedOut",
    "ExecutionsAborted",
    "ExecutionThrottled",
)
SAMPLES = 3
"""How many executions of a machine are read when none was asked about."""

MAX_HOLDERS = 2
"""How many functions' logs are read that were given a task token."""


@probe(read("stepfunctions", "DescribeStateMachine"), yields=(Machine,))
def machine(look: Look) -> Iterator[Evidence]:
    """Reads the state machine's type, states, limits, role and logging, or finds that it does not exist."""
    target = machine_of(look.target)
    found = absent(
        lambda: look.aws.stepfunctions.describe_state_machine(stateMachineArn=target.id), "StateMachineDoesNotExist"
    )
    source = "states:DescribeStateMachine"
    if found is None:
        yield Machine(resource=look.target.id, source=source, exists=False, machine_arn=target.id, name=target.name)
        return
    definition = read_definition(found.get("definition", ""))
    logging = found.get("loggingConfiguration", {})
    yield Machine(
        resource=look.target.id,
        source=source,
        exists=True,
        machine_arn=target.id,
        name=found["name"],
        type=found["type"],
        status=found.get("status", ""),
        role_arn=found.get("roleArn", ""),
        start_at=definition.start_at,
        timeout_seconds=definition.timeout_seconds,
        states=definition.states,
        definition_problem=definition.problem,
        log_level=logging.get("level", "OFF"),
        log_group=_log_group(logging),
        created_at=utc(found["creationDate"]),
    )


@probe(DESCRIBE_EXECUTION, LIST_EXECUTIONS, yields=(Execution, ExecutionsSearched))
def executions(look: Look) -> Iterator[Evidence]:
    """Reads how the traced execution ended; without one, finds the window's failed and running executions."""
    known = known_executions(look.target, look.seen)
    if known:
        yield from [describe(look, arn) for arn in known if keeps_history(arn)]
        return
    listed = absent(lambda: _listed(look), "StateMachineTypeNotSupported", "StateMachineDoesNotExist")
    if listed is None:
        return
    found, truncated = listed
    yield ExecutionsSearched(
        resource=look.target.id,
        source="states:ListExecutions",
        failed=len(found["FAILED"]),
        timed_out=len(found["TIMED_OUT"]),
        aborted=len(found["ABORTED"]),
        running=len(found["RUNNING"]),
        truncated=truncated,
    )
    ended = [e for status in ("FAILED", "TIMED_OUT", "ABORTED") for e in found[status]]
    newest = sorted(ended, key=lambda e: (e.get("stopDate", e["startDate"]), e["executionArn"]), reverse=True)
    oldest_running = sorted(found["RUNNING"], key=lambda e: (e["startDate"], e["executionArn"]))
    wanted = newest[:SAMPLES] or oldest_running[:1]
    # All at once: the next look begins when it sees the first of them.
    yield from [describe(look, one["executionArn"]) for one in wanted]


@probe(GET_HISTORY, needs=(Execution,), yields=(History,))
def histories(look: Look) -> Iterator[Evidence]:
    """Reads each failed or running execution's history from its end, until the state and the error are found."""
    own = [e for e in look.seen.of(Execution, look.target.id) if e.parent is None]
    yield from [history(look, e) for e in own if e.failed or e.status == "RUNNING"]


@probe(
    DESCRIBE_EXECUTION,
    GET_HISTORY,
    GET_CONCURRENCY,
    needs=(History,),
    yields=(Execution, History, FunctionConcurrency),
)
def child_executions(look: Look) -> Iterator[Evidence]:
    """Follows a failed nested execution one hop: how the child ended and why, and what throttled it."""
    for parent in _own(look):
        behind = parent.outcome.behind
        child = parent.outcome.child or (behind.child if behind else None)
        yield from _below(look, child, parent)


def _below(look: Look, child: str | None, parent: History) -> Iterator[Evidence]:
    """Yield a child, and the reserved concurrency of a function that was throttled there."""
    found = list(described_child(look, child, parent.execution_arn))
    yield from found
    yield from _reservations(look, [item for item in found if isinstance(item, History)])


@probe(
    read("stepfunctions", "ListMapRuns"),
    read("stepfunctions", "DescribeMapRun"),
    LIST_EXECUTIONS,
    DESCRIBE_EXECUTION,
    GET_HISTORY,
    GET_CONCURRENCY,
    needs=(History, Machine),
    yields=(MapRun, Execution, History, FunctionConcurrency),
)
def map_runs(look: Look) -> Iterator[Evidence]:
    """Counts the failed items of a Distributed Map and reads why one of its child executions failed."""
    for parent in _own(look):
        arn = _map_run(look, parent)
        if arn is None:
            continue
        found = look.aws.stepfunctions.describe_map_run(mapRunArn=arn)
        counts = found["itemCounts"]
        yield MapRun(
            resource=look.target.id,
            source="states:DescribeMapRun",
            observed_at=utc(found.get("stopDate") or found["startDate"]),
            map_run_arn=arn,
            execution_arn=parent.execution_arn,
            status=found["status"],
            total=counts["total"],
            succeeded=counts["succeeded"],
            failed=counts["failed"],
            timed_out=counts["timedOut"],
            aborted=counts["aborted"],
            tolerated_percentage=found["toleratedFailurePercentage"],
            tolerated_count=found["toleratedFailureCount"],
        )
        if counts["failed"]:
            children = look.aws.stepfunctions.list_executions(mapRunArn=arn, statusFilter="FAILED", maxResults=1)
            for child in children["executions"][:1]:
                yield from _below(look, child["executionArn"], parent)


@probe(FILTER_LOG_EVENTS, needs=(Machine,), yields=(ExpressLog, History))
def express_log(look: Look) -> Iterator[Evidence]:
    """Reads the log of an Express workflow, the only place where its failures are kept, when it has one."""
    found = look.seen.first(Machine, look.target.id)
    known = known_executions(look.target, look.seen)
    wanted = [arn for arn in known if not keeps_history(arn)]
    if found is None or not found.log_group or not (found.type == EXPRESS or wanted):
        return
    failed = absent(lambda: wanted or failed_in(look, found, SAMPLES), "ResourceNotFoundException")
    logged = absent(lambda: histories_in(look, found, failed or []), "ResourceNotFoundException")
    yield ExpressLog(
        resource=look.target.id,
        source="logs:FilterLogEvents",
        log_group=found.log_group,
        exists=failed is not None and logged is not None,
        executions=sum(h.outcome.failed for h in logged or []),
    )
    yield from logged or []


@probe(GET_METRIC_DATA, yields=(MetricSeries,))
def machine_metrics(look: Look) -> Iterator[Evidence]:
    """Reads started, failed, timed-out, aborted and throttled executions and how long they took, a minute each."""
    mine = {"StateMachineArn": machine_id(look.target)}
    wanted = [Metric(NAMESPACE, name, mine) for name in COUNTS]
    wanted += [Metric(NAMESPACE, "ExecutionTime", mine, statistic) for statistic in ("Average", "Maximum")]
    yield from metric_series(look, wanted)


@probe(GET_METRIC_DATA, yields=(MetricSeries,))
def account_metrics(look: Look) -> Iterator[Evidence]:
    """Reads how many executions are open in the account and Region, of how many that may be, and throttled starts."""
    wanted = [Metric(NAMESPACE, name, {}, "Maximum") for name in ("OpenExecutionCount", "OpenExecutionLimit")]
    wanted += [
        Metric(NAMESPACE, "ThrottledEvents", dimensions)
        for dimensions in ({"APIName": "StartExecution"}, {"ServiceMetric": "StateTransition"})
    ]
    yield from (series for series in metric_series(look, wanted) if series.points or series.baseline)


@probe(LOOKUP_EVENTS, yields=(Change, ChangeCount))
def machine_changes(look: Look) -> Iterator[Evidence]:
    """Reads who changed the state machine in the day before."""
    yield from counted_changes(look, machine_id(look.target))


@probe(LOOKUP_EVENTS, needs=(Execution,), yields=(Change,))
def stopped_by(look: Look) -> Iterator[Evidence]:
    """Reads who stopped an aborted execution."""
    aborted = [e for e in look.seen.of(Execution, look.target.id) if e.status == "ABORTED"]
    for execution in aborted[:1]:
        yield from changes(look, execution.execution_arn)


@probe(LOOKUP_EVENTS, needs=(History,), yields=(Change,))
def function_changes(look: Look) -> Iterator[Evidence]:
    """Reads who changed the function that gave a state the data which it failed on, or that a state cannot find."""
    functions = (hangs_on(h.outcome) for h in _own(look))
    for function in sorted({arn for arn in functions if arn})[:1]:
        yield from changes(look, resource_from_arn(function).name, resource=function)


@probe(
    read("lambda", "ListEventSourceMappings"),
    FILTER_LOG_EVENTS,
    needs=(History,),
    yields=(LogLines,),
)
def token_holders(look: Look) -> Iterator[Evidence]:
    """Reads what the functions that were given a task token logged about sending it back."""
    waiting = [h.outcome.task for h in _own(look) if awaits_token(h.outcome.task)]
    for called in sorted({task.called for task in waiting if task and task.called})[:1]:
        for name in _holders(look, resource_from_arn(called))[:MAX_HOLDERS]:
            group = f"/aws/lambda/{name}"
            reading = partial(log_lines, look, group, LOG_PATTERN, named=f"task tokens in {name}", keep=speaks_of_token)
            found = absent(reading, "ResourceNotFoundException")
            if found is not None:
                yield found


def _holders(look: Look, called: Resource) -> list[str]:
    """Return the functions that get the token: the one that was called, or those that read the queue it was sent to."""
    if called.type is ResourceType.LAMBDA:
        return [called.name]
    if called.type is not ResourceType.QUEUE:
        return []
    answer = look.aws.lambda_.list_event_source_mappings(EventSourceArn=called.id)
    arns = (mapping.get("FunctionArn", "") for mapping in answer.get("EventSourceMappings", []))
    return sorted({resource_from_arn(arn).name for arn in arns if arn})


@probe(GET_CONCURRENCY, needs=(History,), yields=(FunctionConcurrency,))
def throttled_function(look: Look) -> Iterator[Evidence]:
    """Reads the reserved concurrency of the function whose invocation Lambda throttled."""
    yield from _reservations(look, _own(look))


def _reservations(look: Look, histories: Iterable[History]) -> Iterator[FunctionConcurrency]:
    layers = [layer for h in histories for layer in (h.outcome, h.outcome.behind) if layer is not None]
    throttled = (layer for layer in layers if cause_of(layer) == "sfn-lambda-toomany")
    for arn in sorted({o.called for o in throttled if o.called}):
        found = absent(partial(reserved_concurrency_of, look, arn), NO_FUNCTION)
        if found is not None:
            yield FunctionConcurrency(
                resource=look.target.id,
                source="lambda:GetFunctionConcurrency",
                function=arn,
                reserved=found.get("ReservedConcurrentExecutions"),
            )


def _own(look: Look) -> list[History]:
    """Return the histories of the executions asked about, their children's left out."""
    return [h for h in look.seen.of(History, look.target.id) if h.parent is None]


def _listed(look: Look) -> "tuple[dict[str, list[ExecutionListItemTypeDef]], bool]":
    """Return the window's executions by status, from one page of each, and whether there were more."""
    arn = machine_id(look.target)
    statuses: tuple[ExecutionStatusType, ...] = ("FAILED", "TIMED_OUT", "ABORTED", "RUNNING")
    found: dict[str, list[ExecutionListItemTypeDef]] = {}
    truncated = False
    for status in statuses:
        page = look.aws.stepfunctions.list_executions(stateMachineArn=arn, statusFilter=status, maxResults=100)
        items = [e for e in page["executions"] if e["status"] == status and utc(e["startDate"]) <= look.window.end]
        found[status] = [e for e in items if "stopDate" not in e or utc(e["stopDate"]) >= look.window.start]
        truncated = truncated or ("nextToken" in page and len(found[status]) == len(items))
    return found, truncated


def _map_run(look: Look, parent: History) -> str | None:
    """Return the failed Map Run: as the history names it, else as the execution lists it."""
    outcome = parent.outcome
    if outcome.map_run:
        return outcome.map_run
    machine_seen = look.seen.first(Machine, look.target.id)
    state = machine_seen.state(outcome.state) if machine_seen else None
    if not (state and state.distributed) or not outcome.failed:
        return None
    listed = look.aws.stepfunctions.list_map_runs(executionArn=parent.execution_arn)["mapRuns"]
    return next((run["mapRunArn"] for run in listed), None)


def _log_group(logging: Mapping[str, Any]) -> str:
    """Return the name of the first log group that the machine logs to."""
    groups = (d.get("cloudWatchLogsLogGroup", {}).get("logGroupArn", "") for d in logging.get("destinations", []))
    for arn in islice((g for g in groups if g), 1):
        found = resource_from_arn(arn)
        return found.name if found.type is ResourceType.LOG_GROUP else ""
    return ""


PROBES = (
    machine,
    executions,
    histories,
    child_executions,
    map_runs,
    express_log,
    machine_metrics,
    account_metrics,
    machine_changes,
    stopped_by,
    throttled_function,
    function_changes,
    token_holders,
)
