"""How histories are explained: the recorded ones of AWS exactly, and the shapes that other sources give them."""

import json
import random
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.recorded import main
from specialists.stepfunctions.classify import cause_of
from specialists.stepfunctions.definition import read_definition
from specialists.stepfunctions.events import Events
from specialists.stepfunctions.history import explain, home_of
from specialists.stepfunctions.tasks import Home
from tests.specialists.stepfunctions_building import (
    CHILD,
    FUNCTION,
    QUEUE,
    TABLE,
    TOPIC,
    ask,
    end,
    enter,
    events,
    fail,
    failed_task,
    invoke,
    leave,
    minute,
    outcome,
)

FILE = Path(__file__).parents[1] / "data" / "stepfunctions" / "failed_executions.json"
RECORDED = json.loads(FILE.read_text(encoding="utf-8"))
CODES = {
    "dynamodb.table_not_found": {"ddb-table-not-found"},
    "dynamodb.validation_error": {None},
    "ecs.task_failed": {None},
    "eventbridge.put_events_entry_rejected": {"eb-put-failed-entries"},
    "lambda.function_not_found": {"sfn-function-not-found"},
    "lambda.unhandled_exception": {"sfn-task-failed-lambda"},
    "sfn.callback_reported_failure": {None},
    "sfn.child_execution_failed": {"sfn-child-failed"},
    "sfn.explicit_fail_state": {"sfn-explicit-fail"},
    "sfn.invalid_runtime_field_value": {"sfn-invalid-field-value"},
    "sfn.invalid_task_token": {"sfn-callback-lost"},
    "sfn.jsonata_expression_error": {"sfn-jsonata-error"},
    "sfn.jsonpath_missing_in_input": {"sfn-jsonpath-missing"},
    "sfn.map_item_reader_bad_input": {"sfn-map-item-failed"},
    "sfn.payload_over_256kb": {"sfn-data-limit"},
    "sfn.task_timeout": {"sfn-timeout-task", "sfn-heartbeat-timeout"},
    "sns.invalid_parameter": {None},
    "sns.topic_not_found": {"sns-topic-not-found"},
}
"""What the recording's own classes are in the catalogue; None where it has no code for them."""


def found_in(raw):
    found = explain(raw).outcome
    return found.status, found.error, found.state


def expected(record):
    return tuple(record["expected"][key] for key in ("status", "error", "failed_state"))


def as_log(event):
    details = next((value for key, value in event.items() if key.endswith("EventDetails")), {})
    previous = str(event["previousEventId"])
    return {
        "id": str(event["id"]),
        "type": event["type"],
        "details": details,
        "previous_event_id": previous,
        "event_timestamp": "1795168000000",
        "execution_arn": "arn:aws:states:eu-west-1:123456789012:express:a:b:c",
    }


@pytest.mark.parametrize("record", RECORDED, ids=[record["id"] for record in RECORDED])
def test_a_recorded_history_is_explained(record) -> None:
    found = explain(record["input"]["events"])

    assert found_in(record["input"]["events"]) == expected(record)
    assert found.outcome.state_type == (record["expected"]["failed_state_type"] or found.outcome.state_type)
    assert cause_of(found.outcome) in CODES[record["expected"]["cause_class"]]
    assert found.settled


def test_a_timeout_with_only_a_heartbeat_is_the_heartbeats() -> None:
    by_id = {record["id"]: cause_of(explain(record["input"]["events"]).outcome) for record in RECORDED}

    assert by_id["sfn-e9bf8ef915"] == "sfn-heartbeat-timeout"
    assert by_id["sfn-741167108d"] == "sfn-timeout-task"


@pytest.mark.parametrize(
    "given",
    [
        lambda raw: random.Random(3).sample(raw, len(raw)),
        lambda raw: [{k: v for k, v in event.items() if k != "previousEventId"} for event in raw],
        lambda raw: [as_log(event) for event in raw],
        lambda raw: [*raw, *raw],
    ],
    ids=["in any order", "without links", "as an Express log", "read twice"],
)
def test_the_source_of_the_events_does_not_matter(given) -> None:
    assert [found_in(given(r["input"]["events"])) for r in RECORDED] == [expected(r) for r in RECORDED]


@pytest.mark.parametrize("size", [1, 2, 7])
def test_reading_from_the_end_stops_early_and_finds_the_same(size) -> None:
    for record in RECORDED:
        newest_first = sorted(record["input"]["events"], key=lambda e: -e["id"])
        read = range(size, len(newest_first) + size, size)
        first = next(explain(newest_first[:count]) for count in read if explain(newest_first[:count]).settled)

        assert (first.outcome.status, first.outcome.error, first.outcome.state) == expected(record)


def test_the_last_of_25_000_events_explain_a_failure() -> None:
    loop = [step for _ in range(6000) for step in (enter("Poll"), invoke(), ("TaskSucceeded", {}), leave("Poll"))]
    raw = events(*loop, enter("Work"), invoke(), fail("Oops", "no"), end("Oops", "no"))
    found = explain(list(reversed(raw[-200:])))

    assert len(raw) > 24_000
    assert (found.outcome.state, found.settled) == ("Work", True)


def test_a_log_of_errors_only_still_tells_the_service_and_the_error() -> None:
    raw = failed_task(ask("dynamodb", "putItem", TableName="orders"), "DynamoDB.ResourceNotFoundException")
    raw[4]["taskFailedEventDetails"] |= {"resourceType": "dynamodb", "resource": "putItem"}
    found = explain([event for event in raw if "Failed" in event["type"]])

    assert (found.outcome.state, found.settled) == (None, False)
    assert cause_of(found.outcome) == "ddb-table-not-found"


def test_a_failure_that_a_retry_got_over_is_not_the_failure() -> None:
    found = outcome(
        events(
            *(enter("Charge"), invoke(), fail("Flaky", "1"), invoke(), ("TaskSucceeded", {}), leave("Charge")),
            *(enter("Save"), ask("dynamodb", "putItem", TableName="orders"), fail("Real", "2"), end("Real", "2")),
        )
    )

    assert (found.state, found.error, found.attempts, found.called) == ("Save", "Real", 1, TABLE)


def test_a_retried_failure_is_counted() -> None:
    found = outcome(events(enter("Charge"), *[invoke(), fail("Flaky", "no")] * 3, end("Flaky", "no")))

    assert (found.state, found.attempts) == ("Charge", 3)


def test_what_was_caught_before_a_fail_state_is_behind_it() -> None:
    put = ask("dynamodb", "putItem", TableName="orders")
    missing = "DynamoDB.ResourceNotFoundException"
    found = outcome(events(enter("Put"), put, fail(missing), leave("Put"), enter("Bad", "Fail"), end("Broken")))

    assert (found.state, found.state_type, found.error) == ("Bad", "Fail", "Broken")
    assert found.behind is not None
    assert (found.behind.state, found.behind.error, found.behind.called) == ("Put", missing, TABLE)


@pytest.mark.parametrize(
    "between",
    [
        [invoke(), ("TaskSucceeded", {}), leave("Charge")],
        [leave("Charge"), enter("Enough?", "Choice"), leave("Enough?", "Choice")],
    ],
    ids=["it was retried with success", "a Choice decided afterwards"],
)
def test_a_failure_that_was_handled_is_not_behind_a_fail_state(between) -> None:
    found = outcome(events(enter("Charge"), invoke(), fail("Flaky"), *between, enter("Bad", "Fail"), end("Broken")))

    assert (found.state, found.behind) == ("Bad", None)


def test_a_fail_state_that_repeats_the_error_has_it_behind_it_also_after_a_choice() -> None:
    way = [leave("Charge"), enter("Known?", "Choice"), leave("Known?", "Choice"), enter("Bad", "Fail")]
    found = outcome(events(enter("Charge"), invoke(), fail("Declined"), *way, end("Declined")))

    assert found.behind is not None
    assert found.behind.state == "Charge"


def test_a_fail_state_that_quotes_another_states_error_is_still_the_failed_state() -> None:
    quoted = "An error occurred while executing the state 'Put' (entered at the event id #2). Invalid path '$.x'"
    found = outcome(events(enter("Put", "Pass"), leave("Put", "Pass"), enter("Bad", "Fail"), end("Wrapped", quoted)))

    assert (found.state, cause_of(found)) == ("Bad", "sfn-explicit-fail")


def test_a_branchs_failure_is_behind_the_parallel_states() -> None:
    steps = [enter("All", "Parallel"), "ParallelStateStarted", enter("Charge"), invoke(), fail("Oops", "no")]
    found = outcome(events(*steps, "ParallelStateFailed", end("States.BranchFailed", "a branch failed")))

    assert (found.error, found.state) == ("States.BranchFailed", "Charge")
    assert found.behind is not None
    assert found.behind.error == "Oops"


def test_a_timed_out_execution_stands_in_the_state_it_never_left() -> None:
    raw = events(enter("A"), leave("A"), enter("Wait", "Wait"), ("ExecutionTimedOut", {}))
    found = outcome(raw)

    assert (found.status, found.error, found.state) == ("TIMED_OUT", "ExecutionTimedOut", "Wait")
    assert cause_of(found) == "sfn-execution-timeout"


def test_an_aborted_map_stands_in_the_state_of_its_item() -> None:
    steps = [
        enter("Each", "Map"),
        "MapStateStarted",
        ("MapIterationStarted", {"name": "Each", "index": 0}),
        enter("Item"),
    ]
    raw = events(*steps, ("ExecutionAborted", {"error": "Stopped", "cause": "by hand"}))
    raw[-1]["previousEventId"] = 0
    found = outcome(raw)

    assert (found.status, found.error, found.state) == ("ABORTED", "Stopped", "Item")


def test_a_redriven_execution_that_goes_on_is_not_failed() -> None:
    failed = [enter("Work"), invoke(), fail("Oops"), end("Oops")]
    found = outcome(events(*failed, ("ExecutionRedriven", {"redriveCount": 1})))

    assert outcome(events(*failed)).failed
    assert (found.status, found.failed) == ("RUNNING", False)


def test_a_running_execution_shows_what_it_waits_for() -> None:
    task = ask(
        "sqs", "sendMessage.waitForTaskToken", QueueUrl="https://sqs.eu-west-1.amazonaws.com/123456789012/approvals"
    )
    found = outcome(events(enter("Approve"), task, "TaskStarted", "TaskSubmitted"))

    assert (found.status, found.state) == ("RUNNING", "Approve")
    assert found.task is not None
    assert (found.task.pattern, found.task.called, found.task.scheduled_at) == (
        "waitForTaskToken",
        QUEUE,
        minute(10) + timedelta(seconds=3),
    )


def test_a_succeeded_execution_has_no_cause() -> None:
    found = outcome(events(enter("A"), invoke(), fail("Oops"), leave("A"), ("ExecutionSucceeded", {})))

    assert (found.status, cause_of(found)) == ("SUCCEEDED", None)


@pytest.mark.parametrize(
    ("task", "called"),
    [
        (invoke(), FUNCTION),
        (invoke(f"{FUNCTION}:live"), FUNCTION),
        (invoke("123456789012:function:charge"), FUNCTION),
        (("LambdaFunctionScheduled", {"resource": f"{FUNCTION}:7"}), FUNCTION),
        (ask("aws-sdk:dynamodb", "query", TableName="orders"), TABLE),
        (ask("sns", "publish", TopicArn=TOPIC), TOPIC),
        (ask("sns", "publish", PhoneNumber="+44"), None),
        (ask("aws-sdk:s3", "getObject", Bucket="photos", Key="a"), "arn:aws:s3:::photos"),
        (
            ask("events", "putEvents", Entries=[{"EventBusName": "main"}]),
            "arn:aws:events:eu-west-1:123456789012:event-bus/main",
        ),
        (ask("sqs", "sendMessage", QueueUrl="not a url"), None),
        (ask("http", "invoke", ApiEndpoint="https://api.example.com/v1"), "remote:api.example.com"),
        (ask("glue", "startJobRun", JobName="etl"), None),
    ],
)
def test_the_called_resource_is_named_where_the_event_tells(task, called) -> None:
    assert outcome(failed_task(task, "Oops")).called == called


def test_an_arn_is_not_made_up_without_an_account() -> None:
    assert explain(failed_task(invoke(), "Oops"), Home()).outcome.called is None


def test_a_childs_execution_is_found_in_the_cause_or_in_the_answer_to_its_start() -> None:
    start = ask("states", "startExecution.sync", StateMachineArn="x")
    told = json.dumps({"ExecutionArn": CHILD, "Status": "FAILED"})
    answered = ("TaskSubmitted", {"output": json.dumps({"ExecutionArn": CHILD})})

    assert outcome(failed_task(start, "States.TaskFailed", told)).child == CHILD
    assert (
        outcome(
            events(enter("S"), start, answered, fail("States.Timeout", kind="TaskTimedOut"), end("States.Timeout"))
        ).child
        == CHILD
    )


@pytest.mark.parametrize(
    "raw",
    [[], [{}], [{"id": "x", "type": 3}], [{"id": 1}], [{"id": 2, "previousEventId": 2, "type": "ExecutionFailed"}],
     [{"id": 5, "type": "ExecutionFailed", "executionFailedEventDetails": None}],
     [{"id": 5, "type": "TaskStateEntered", "timestamp": "never"}, {"id": 6, "previousEventId": 9, "type": "ExecutionFailed"}]],
)  # fmt: skip
def test_broken_events_are_no_crash(raw) -> None:
    assert explain(raw).outcome.status in {"RUNNING", "FAILED"}


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KINDS = st.sampled_from(
    ["ExecutionFailed", "TaskStateEntered", "TaskFailed", "TaskScheduled", "FailStateEntered", "MapStateFailed",
     "TaskStateExited", "ExecutionTimedOut", "EvaluationFailed", "TaskSubmitted", "LambdaFunctionScheduled"]
)  # fmt: skip
DETAILS = st.dictionaries(
    st.sampled_from(["name", "error", "cause", "resource", "resourceType", "parameters", "output", "state"]), JSON
)


@given(st.lists(st.tuples(KINDS, st.integers(0, 12), st.integers(0, 12), DETAILS), max_size=12))
def test_no_history_breaks_the_reading(parts) -> None:
    raw = [{"id": i, "previousEventId": p, "type": kind, "details": details} for kind, i, p, details in parts]
    found = explain(raw, home_of("arn:aws:states:eu-west-1:123456789012:execution:a:b")).outcome

    assert cause_of(found) is None or found.failed


def test_events_of_an_unreadable_time_have_none() -> None:
    assert [e.at for e in Events([{"id": 1, "type": "A", "timestamp": "timestamp"}]).ordered] == [None]


def test_a_definition_is_read_with_its_inner_states() -> None:
    inner = {"StartAt": "I", "States": {"I": {"Type": "Task", "Resource": "r", "TimeoutSeconds": 9}}}
    each = {
        "Type": "Map",
        "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED"}, **inner},
        "Retry": [{"ErrorEquals": ["A"]}, {"ErrorEquals": ["B"], "MaxAttempts": 0}],
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Bad"}],
        "Next": "Last",
    }
    found = read_definition(json.dumps({"StartAt": "Each", "TimeoutSeconds": 60, "States": {"Each": each}}))
    outer, item = found.states

    assert (found.start_at, found.timeout_seconds, found.problem) == ("Each", 60, "")
    assert (outer.distributed, outer.retries, outer.catches) == (True, ("A",), ("States.ALL",))
    assert (item.name, item.within, item.timeout_seconds) == ("I", "Each", 9)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"States": []}', '{"States": {"A": 1, "B": {"Branches": "x"}}}'])
def test_a_broken_definition_is_no_crash(text) -> None:
    assert len(read_definition(text).states) <= 1


def test_the_recorded_command_prints_one_object_a_line(capsys) -> None:
    status = main(["stepfunctions", str(FILE)])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert status == 0
    assert [(x["id"], x["status"], x["error"], x["failed_state"]) for x in lines] == [
        (r["id"], *expected(r)) for r in RECORDED
    ]
    assert set(lines[0]) == {"id", "status", "error", "failed_state", "cause"}


@pytest.mark.parametrize(
    "arguments", [[], ["nothing", "x"], ["stepfunctions", "/no/such/file"], ["stepfunctions", __file__]]
)
def test_the_recorded_command_refuses_what_it_cannot_read_in_one_line(arguments, capsys) -> None:
    status = main(arguments)
    said = capsys.readouterr()

    assert (status, said.out, len(said.err.splitlines())) == (2, "", 1)
