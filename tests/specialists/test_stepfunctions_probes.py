"""The Step Functions probes against the local AWS, which really runs state machines."""

import json
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from domain.evidence import EvidenceBundle, load_evidence
from domain.resource import resource_from_arn
from domain.window import Window
from sandbox.aws import resources, signals
from sandbox.aws.faults import ACCESS_DENIED, Ending, Fault
from sandbox.aws.local import LocalAws
from sandbox.aws.world import World
from specialists.kit.change import Change, ChangeCount
from specialists.kit.series import MetricSeries
from specialists.stepfunctions import SPECIALIST, probes
from specialists.stepfunctions.evidence import (
    Execution,
    ExecutionsSearched,
    FunctionConcurrency,
    History,
    Machine,
    MapRun,
)
from specialists.stepfunctions.reading import MAX_PAGES, known_executions
from tests.specialists.stepfunctions_building import (
    CHILD,
    EXECUTION,
    EXPRESS,
    FUNCTION,
    MACHINE,
    ROLE,
    ask,
    end,
    enter,
    events,
    execution,
    failed_task,
    history,
    invoke,
    machine,
    minute,
    segment,
)
from tests.support.probing import NOW, look_with

PUT = {
    "Type": "Task",
    "Resource": "arn:aws:states:::dynamodb:putItem",
    "Parameters": {"TableName": "gone", "Item": {"id": {"S": "1"}}},
    "End": True,
}
FAILS = {"StartAt": "Put", "States": {"Put": PUT}}
GOOD = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
STANDS = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 600, "End": True}}}


@pytest.fixture(scope="module")
def _aws() -> Iterator[LocalAws]:
    with LocalAws() as aws:
        yield aws


@pytest.fixture
def aws(_aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> LocalAws:
    _aws.reset()
    for name, value in _aws.environment().items():
        monkeypatch.setenv(name, value)
    return _aws


@pytest.fixture
def world(aws: LocalAws) -> World:
    return World(aws, now=NOW)


def read(probe, *, arn: str = MACHINE, **more):
    found = look_with(probe, arn, **more)
    for evidence in found:
        assert isinstance(evidence, probe.yields)
        assert evidence.resource == arn
        assert load_evidence(json.loads(json.dumps(evidence.dump()))) == evidence
        assert "\n" not in evidence.summary()
    return found


def make(world: World, definition: dict, *, name: str = "checkout", **settings) -> str:
    return resources.state_machine(world, name, definition, role=ROLE, **settings)


def run(world: World, arn: str, *, until: str = "", name: str = "run-1") -> str:
    """Start an execution and wait for its end, or for a status."""
    sfn = world.client("stepfunctions")
    started: str = sfn.start_execution(stateMachineArn=arn, name=name, input="{}")["executionArn"]
    limit = time.monotonic() + 10
    while time.monotonic() < limit:
        status = sfn.describe_execution(executionArn=started)["status"]
        if status == until or (not until and status != "RUNNING"):
            return started
        time.sleep(0.02)
    raise AssertionError(f"{started} is {status}")


def now_window(world: World) -> Window:
    """The local AWS runs executions by the real clock."""
    at = World(world.aws).now
    return Window(start=at - timedelta(minutes=10), end=at + timedelta(minutes=10))


def test_every_probe_is_documented_and_reads_only() -> None:
    assert all(len(probe.doc) > 30 and probe.reads for probe in SPECIALIST.probes)
    assert {action.split(":")[0] for p in SPECIALIST.probes for action in p.actions} == {
        "states",
        "logs",
        "cloudwatch",
        "cloudtrail",
        "lambda",
    }


def test_the_machine_is_read_with_its_states(world: World) -> None:
    make(world, {**FAILS, "TimeoutSeconds": 60})
    found = read(probes.machine)[0]

    assert (found.exists, found.type, found.role_arn, found.timeout_seconds) == (True, "STANDARD", ROLE, 60)
    assert [(s.name, s.type) for s in found.states] == [("Put", "Task")]
    assert read(probes.machine, arn=EXECUTION)[0].machine_arn == MACHINE


def test_a_machine_that_is_gone_is_evidence(aws: LocalAws) -> None:
    assert not read(probes.machine)[0].exists
    assert read(probes.executions) == []


def test_an_unreadable_definition_is_evidence(aws: LocalAws, world: World) -> None:
    make(world, GOOD)
    aws.amend("stepfunctions", "DescribeStateMachine", {"definition": "{broken"})

    assert "cannot be read" in read(probes.machine)[0].summary()


def test_a_log_group_is_read_from_its_arn(aws: LocalAws, world: World) -> None:
    make(world, GOOD)
    arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/vendedlogs/states/checkout:*"
    logging = {"level": "ERROR", "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": arn}}]}
    aws.amend("stepfunctions", "DescribeStateMachine", {"loggingConfiguration": logging})
    found = read(probes.machine)[0]

    assert (found.log_level, found.log_group) == ("ERROR", "/aws/vendedlogs/states/checkout")


def test_executions_that_failed_in_the_window_are_found_and_explained(world: World) -> None:
    arn = make(world, FAILS)
    failed = run(world, arn)
    searched, found = sorted(read(probes.executions, window=now_window(world)), key=lambda e: e.kind, reverse=True)
    explained = read(probes.histories, seen=[found])[0]

    assert (searched.failed, searched.running) == (1, 0)
    assert (found.execution_arn, found.status, found.error) == (failed, "FAILED", "DynamoDB.ResourceNotFoundException")
    assert (explained.outcome.state, explained.outcome.called) == (
        "Put",
        "arn:aws:dynamodb:eu-west-1:123456789012:table/gone",
    )
    assert explained.outcome.role_arn == ROLE


def test_executions_outside_the_window_are_not_counted(world: World) -> None:
    run(world, make(world, FAILS))
    found = read(probes.executions)

    assert [type(e) for e in found] == [ExecutionsSearched]
    assert found[0].failed == 0


def test_a_running_execution_is_read_only_when_none_failed(world: World) -> None:
    arn = make(world, STANDS)
    standing = run(world, arn, until="RUNNING")
    found = [e for e in read(probes.executions, window=now_window(world)) if isinstance(e, Execution)]

    assert [(e.execution_arn, e.status) for e in found] == [(standing, "RUNNING")]
    assert read(probes.histories, seen=found)[0].outcome.state == "W"
    world.client("stepfunctions").stop_execution(executionArn=standing)


def test_the_execution_of_the_trace_is_read_and_no_other(aws: LocalAws, world: World) -> None:
    arn = make(world, FAILS)
    mine, _ = run(world, arn), run(world, arn, name="run-2")
    aws.forget_calls()
    found = read(probes.executions, seen=[segment(arn=mine)])

    assert [e.execution_arn for e in found] == [mine]
    assert {call.operation for call in aws.calls} == {"DescribeExecution"}


def test_several_executions_of_one_machine_stay_distinct() -> None:
    other = segment(failed=False, arn=f"{EXECUTION}-b").model_copy(update={"segment_id": "00"})
    seen = EvidenceBundle([segment(arn=EXECUTION), other])

    assert known_executions(resource_from_arn(MACHINE), seen) == (EXECUTION, f"{EXECUTION}-b")
    assert known_executions(resource_from_arn(CHILD), seen) == (CHILD,)


def test_an_execution_that_succeeded_needs_no_history(world: World) -> None:
    good = run(world, make(world, GOOD))
    found = read(probes.executions, arn=good)

    assert found[0].status == "SUCCEEDED"
    assert read(probes.histories, arn=good, seen=found) == []


def test_an_execution_that_is_gone_is_evidence(world: World) -> None:
    make(world, GOOD)

    assert not read(probes.executions, arn=EXECUTION)[0].exists


def test_a_long_history_is_read_from_its_end_and_no_further_than_needed(aws: LocalAws) -> None:
    raw = events(*[enter("Poll"), invoke(), ("TaskSucceeded", {})] * 300, enter("Work"), invoke(), end("Oops"))
    pages = list(reversed(raw))
    aws.serve("stepfunctions", "GetExecutionHistory", {"events": sent(pages[:200]), "nextToken": "2"})
    found = read(probes.histories, seen=[execution()])[0]

    assert (found.outcome.state, found.events, found.complete) == ("Work", 200, True)
    assert len([c for c in aws.calls if c.operation == "GetExecutionHistory"]) == 1


def test_a_history_that_never_explains_itself_is_read_to_a_bound(aws: LocalAws) -> None:
    noise = [{"id": 9, "previousEventId": 8, "type": "TaskSucceeded", "timestamp": minute(1)}]
    aws.serve("stepfunctions", "GetExecutionHistory", {"events": noise, "nextToken": "more"})
    found = read(probes.histories, seen=[execution()])[0]

    assert not found.complete
    assert len([c for c in aws.calls if c.operation == "GetExecutionHistory"]) == MAX_PAGES


def test_a_denied_history_is_raised_for_the_runner(aws: LocalAws) -> None:
    aws.inject("stepfunctions", "GetExecutionHistory", ACCESS_DENIED)

    with pytest.raises(ClientError, match="GetExecutionHistory"):
        read(probes.histories, seen=[execution()])


def sent(raw):
    """The events as the API sends them: parameters are JSON text."""
    return [{key: as_text(value) if isinstance(value, dict) else value for key, value in e.items()} for e in raw]


def as_text(details):
    return {k: json.dumps(v) if k == "parameters" else v for k, v in details.items()}


def test_a_child_is_followed_one_hop(world: World) -> None:
    child = run(world, make(world, FAILS, name="shipping"))
    start = ("TaskScheduled", {"resourceType": "states", "resource": "startExecution.sync"})
    parent = history(failed_task(start, "States.TaskFailed", json.dumps({"ExecutionArn": child})))
    described, explained = sorted(read(probes.child_executions, seen=[parent]), key=lambda e: e.kind)

    assert (described.execution_arn, described.parent) == (child, EXECUTION)
    assert (explained.outcome.state, explained.parent) == ("Put", EXECUTION)
    assert explained.machine_arn.endswith(":stateMachine:shipping")
    assert read(probes.child_executions, seen=[parent.model_copy(update={"parent": CHILD})]) == []


MAP_RUN = "arn:aws:states:eu-west-1:123456789012:mapRun:checkout/Each:1"
COUNTS = dict.fromkeys(
    ("pending", "running", "succeeded", "failed", "timedOut", "aborted", "total", "resultsWritten"), 0
)


def test_a_map_run_is_counted_and_one_failed_item_is_read(aws: LocalAws, world: World) -> None:
    item = run(world, make(world, FAILS), name="item-1")
    counts = {**COUNTS, "total": 9, "failed": 4, "succeeded": 5}
    described = {
        "mapRunArn": MAP_RUN, "executionArn": EXECUTION, "status": "FAILED", "startDate": minute(9), "stopDate": minute(10),
        "maxConcurrency": 0, "toleratedFailurePercentage": 10.0, "toleratedFailureCount": 0, "itemCounts": counts, "executionCounts": counts,
    }  # fmt: skip
    child = {"executionArn": item, "stateMachineArn": MACHINE, "name": "i", "status": "FAILED", "startDate": minute(9)}
    aws.serve("stepfunctions", "DescribeMapRun", described)
    aws.serve("stepfunctions", "ListExecutions", {"executions": [child]}, when={"mapRunArn": MAP_RUN})
    started = ("MapRunStarted", {"mapRunArn": MAP_RUN})
    parent = history(
        events(enter("Each", "Map"), started, ("MapRunFailed", {}), end("States.ExceedToleratedFailureThreshold"))
    )
    found = read(probes.map_runs, seen=[parent, machine()])
    by_type = {type(e): e for e in found}

    assert (by_type[MapRun].failed, by_type[MapRun].total) == (4, 9)
    assert by_type[Execution].execution_arn == item
    assert by_type[History].outcome.state == "Put"


def test_a_map_run_is_listed_where_the_history_does_not_name_it(aws: LocalAws, world: World) -> None:
    make(world, GOOD)
    listed = {"executionArn": EXECUTION, "mapRunArn": MAP_RUN, "stateMachineArn": MACHINE, "startDate": minute(9)}
    aws.serve("stepfunctions", "ListMapRuns", {"mapRuns": [listed]})
    aws.serve("stepfunctions", "DescribeMapRun", {
        "mapRunArn": MAP_RUN, "executionArn": EXECUTION, "status": "RUNNING", "startDate": minute(9), "maxConcurrency": 0,
        "toleratedFailurePercentage": 0.0, "toleratedFailureCount": 0, "itemCounts": COUNTS, "executionCounts": COUNTS,
    })  # fmt: skip
    each = {"Type": "Map", "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED"}, **GOOD}, "End": True}
    aws.amend(
        "stepfunctions",
        "DescribeStateMachine",
        {"definition": json.dumps({"StartAt": "Each", "States": {"Each": each}})},
    )
    known = read(probes.machine)[0]
    parent = history(events(enter("Each", "Map"), end("States.ItemReaderFailed")))

    assert [type(e) for e in read(probes.map_runs, seen=[parent, known])] == [MapRun]
    assert read(probes.map_runs, seen=[parent, machine()]) == []


def logged(raw, arn=EXPRESS):
    for event in raw:
        details = next((v for k, v in event.items() if k.endswith("EventDetails")), {})
        line = {
            "id": str(event["id"]), "type": event["type"], "details": details, "previous_event_id": str(event["previousEventId"]),
            "event_timestamp": str(int(event["timestamp"].timestamp() * 1000)), "execution_arn": arn,
        }  # fmt: skip
        yield event["timestamp"], json.dumps(line)


PUT_FAILED = failed_task(("TaskScheduled", {"resourceType": "dynamodb", "resource": "putItem", "region": "eu-west-1",
                                            "parameters": json.dumps({"TableName": "gone"})}), "DynamoDB.ResourceNotFoundException")  # fmt: skip
EXPRESS_MACHINE = machine(type="EXPRESS", log_level="ALL", log_group="/sfn")


@pytest.mark.parametrize("asked", [(), (segment(arn=EXPRESS),)], ids=["any failed one", "the traced one"])
def test_an_express_execution_is_read_from_its_log(world: World, asked) -> None:
    good = events(enter("P", "Pass"), ("ExecutionSucceeded", {}))
    lines = [*logged(PUT_FAILED), *logged(good, f"{EXPRESS}x"), (minute(10), "no json"), (minute(10), "[1]")]
    signals.log(world, "/sfn", lines)
    log, found = sorted(read(probes.express_log, seen=[EXPRESS_MACHINE, *asked]), key=lambda e: e.kind)

    assert (log.exists, log.executions) == (True, 1)
    assert (found.execution_arn, found.machine_arn, found.source) == (EXPRESS, MACHINE, "logs:FilterLogEvents")
    assert (found.outcome.state, found.outcome.called) == ("Work", "arn:aws:dynamodb:eu-west-1:123456789012:table/gone")


def test_a_missing_log_group_is_evidence_and_a_standard_machine_has_none(aws: LocalAws) -> None:
    assert not read(probes.express_log, seen=[EXPRESS_MACHINE])[0].exists
    assert read(probes.express_log, seen=[machine(log_level="ALL", log_group="/sfn")]) == []
    assert read(probes.express_log, seen=[machine(type="EXPRESS")]) == []


def test_executions_of_an_express_machine_are_not_listed(aws: LocalAws) -> None:
    aws.inject(
        "stepfunctions", "ListExecutions", Fault(Ending.ERROR, codes={"json": (400, "StateMachineTypeNotSupported")})
    )

    assert read(probes.executions) == []
    assert read(probes.executions, seen=[segment(arn=EXPRESS)]) == []


def test_metrics_carry_every_outcome_and_the_time_taken(world: World) -> None:
    mine = {"StateMachineArn": MACHINE}
    signals.metric(world, "AWS/States", "ExecutionsFailed", mine, [3, 4], start=minute(10))
    signals.metric(world, "AWS/States", "ExecutionTime", mine, [2500], start=minute(10))
    signals.metric(world, "AWS/States", "OpenExecutionCount", {}, [7], start=minute(10))
    found = {(s.metric, s.statistic): s for s in read(probes.machine_metrics, arn=EXECUTION)}
    account = read(probes.account_metrics)

    assert found["ExecutionsFailed", "Sum"].total == 7
    assert found["ExecutionTime", "Maximum"].peak == 2500
    assert {"ExecutionsStarted", "ExecutionsTimedOut", "ExecutionsAborted", "ExecutionThrottled"} <= {
        m for m, _ in found
    }
    assert [(s.metric, s.peak) for s in account if isinstance(s, MetricSeries)] == [("OpenExecutionCount", 7)]


def test_changes_of_the_machine_are_read_in_one_look(aws: LocalAws, world: World) -> None:
    kind = "AWS::StepFunctions::StateMachine"
    signals.cloudtrail_event(world, "UpdateStateMachine", "states", [(kind, MACHINE)], who="mia", when=minute(5))
    found = read(probes.machine_changes)

    assert [(e.event_name, e.who) for e in found if isinstance(e, Change)] == [("UpdateStateMachine", "mia")]
    assert [e.events for e in found if isinstance(e, ChangeCount)] == [1]
    assert len([c for c in aws.calls if c.operation == "LookupEvents"]) == 1


def test_who_stopped_an_execution_is_looked_up_only_when_it_was_aborted(aws: LocalAws, world: World) -> None:
    signals.cloudtrail_event(
        world, "StopExecution", "states", [("AWS::StepFunctions::Execution", EXECUTION)], who="mia", when=minute(11)
    )

    assert [e.who for e in read(probes.stopped_by, seen=[execution("ABORTED")])] == ["mia"]
    assert read(probes.stopped_by, seen=[execution("FAILED")]) == []
    assert len([c for c in aws.calls if c.operation == "LookupEvents"]) == 1


def test_the_concurrency_of_a_throttled_function_is_read(world: World) -> None:
    resources.function(world, "charge", role=resources.role(world, "charge-role"))
    throttled = history(failed_task(invoke(), "Lambda.TooManyRequestsException", "Rate Exceeded."))
    unset = read(probes.throttled_function, seen=[throttled])
    world.client("lambda").put_function_concurrency(FunctionName="charge", ReservedConcurrentExecutions=0)

    assert [(e.function, e.reserved) for e in unset] == [(FUNCTION, None)]
    assert [e.reserved for e in read(probes.throttled_function, seen=[throttled])] == [0]
    assert read(probes.throttled_function, seen=[history(failed_task(invoke(), "Oops"))]) == []


def test_a_throttled_function_that_is_gone_is_no_crash(aws: LocalAws) -> None:
    throttled = history(failed_task(invoke(), "Lambda.TooManyRequestsException", "Rate Exceeded."))

    assert read(probes.throttled_function, seen=[throttled]) == []


def test_probes_that_look_further_find_nothing_without_a_reason(aws: LocalAws) -> None:
    fine = history(failed_task(invoke(), "Oops"))

    assert read(probes.child_executions, seen=[fine]) == []
    assert read(probes.map_runs, seen=[fine, machine()]) == []
    assert aws.calls == ()


def test_a_machine_is_read_once_as_it_is_named(world: World) -> None:
    make(world, GOOD, name="kasse-ü")
    found = read(probes.machine, arn="arn:aws:states:eu-west-1:123456789012:stateMachine:kasse-ü")[0]

    assert isinstance(found, Machine)
    assert found.name == "kasse-ü"


def throttled_item(aws: LocalAws) -> None:
    item = {"executionArn": CHILD, "stateMachineArn": MACHINE, "name": "i", "status": "FAILED", "startDate": minute(9)}
    told = failed_task(invoke(), "Lambda.TooManyRequestsException", "Rate Exceeded.")
    aws.serve("stepfunctions", "DescribeExecution", item, when={"executionArn": CHILD})
    aws.serve("stepfunctions", "GetExecutionHistory", {"events": sent(told)}, when={"executionArn": CHILD})


def test_what_throttles_a_child_is_read_with_it(aws: LocalAws, world: World) -> None:
    resources.function(world, "charge", role=resources.role(world, "charge-role"), reserved=4)
    throttled_item(aws)
    start = ("TaskScheduled", {"resourceType": "states", "resource": "startExecution.sync"})
    parent = history(failed_task(start, "States.TaskFailed", json.dumps({"ExecutionArn": CHILD})))

    assert [e.reserved for e in read(probes.child_executions, seen=[parent]) if isinstance(e, FunctionConcurrency)] == [
        4
    ]


def test_changes_of_the_function_that_gave_the_data_are_read(aws: LocalAws, world: World) -> None:
    fed = events(
        enter("Sum"), invoke(), "TaskStarted", "TaskSucceeded", enter("Hold"), end("States.Runtime", "JSONPath '$.x' could")
    )  # fmt: skip
    kind = [("AWS::Lambda::Function", "charge")]
    signals.cloudtrail_event(world, "UpdateFunctionCode20150331v2", "lambda", kind, who="mia", when=minute(5))
    found = look_with(probes.function_changes, MACHINE, seen=[history(fed)])

    assert [(e.who, e.resource) for e in found if isinstance(e, Change)] == [("mia", FUNCTION)]
    assert look_with(probes.function_changes, MACHINE, seen=[history(failed_task(invoke(), "Oops"))]) == []


def test_who_holds_a_task_token_is_read_of_its_queue_and_its_log(aws: LocalAws, world: World) -> None:
    queue = resources.queue(world, "approvals")
    resources.function(world, "charge", role=resources.role(world, "charge-role"))
    resources.event_source(world, "charge", queue)
    said = [(minute(6), "SendTaskSuccess: not authorized"), (minute(7), "nothing to see")]
    signals.log(world, "/aws/lambda/charge", said)
    url = "https://sqs.eu-west-1.amazonaws.com/123456789012/approvals"
    by_queue = ask("sqs", "sendMessage.waitForTaskToken", QueueUrl=url)
    by_call = ask("lambda", "invoke.waitForTaskToken", FunctionName="charge")
    for task in (by_queue, by_call):
        found = read(probes.token_holders, seen=[history(failed_task(task, "States.Timeout", kind="TaskTimedOut"))])

        assert [[event.message for event in lines.events] for lines in found] == [["SendTaskSuccess: not authorized"]]

    assert read(probes.token_holders, seen=[history(failed_task(invoke(), "States.Timeout"))]) == []
