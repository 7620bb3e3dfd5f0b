"""What the rules make of executions: the cause, the accused resource, the strength, and what explains what."""

import json
from datetime import timedelta

import pytest

from domain.causes import CAUSES
from domain.findings import Strength
from orchestrator.conclude.settle import settle
from specialists.kit.change import ChangeCount
from specialists.kit.loglines import LogEvent, LogLines
from specialists.registry import all_specialists
from specialists.stepfunctions import SPECIALIST
from specialists.stepfunctions.definition import StateDefinition
from specialists.stepfunctions.evidence import ExecutionsSearched, ExpressLog, FunctionConcurrency, MapRun
from tests.specialists.stepfunctions_building import (
    CHILD,
    CHILD_MACHINE,
    EXECUTION,
    FUNCTION,
    MACHINE,
    QUEUE,
    ROLE,
    TABLE,
    advised,
    ask,
    case,
    change,
    end,
    enter,
    events,
    execution,
    fail,
    failed_task,
    history,
    invoke,
    judged,
    leave,
    machine,
    metric,
    minute,
    proven,
    segment,
    start_call,
    stated,
)

RAISED = json.dumps({"errorMessage": "no card", "errorType": "ValueError"})
MISSING = "DynamoDB.ResourceNotFoundException"
PUT = ask("dynamodb", "putItem", TableName="orders")
WAIT = ask("sqs", "sendMessage.waitForTaskToken", QueueUrl="https://sqs.eu-west-1.amazonaws.com/123456789012/approvals")
THROTTLED = failed_task(invoke(), "Lambda.TooManyRequestsException", "Rate Exceeded.")
START = ask("states", "startExecution.sync", StateMachineArn=CHILD_MACHINE)
CHILD_FAILED = failed_task(START, "States.TaskFailed", json.dumps({"ExecutionArn": CHILD, "Error": "Oops"}))
NO_PATH = events(enter("A", "Pass"), end("States.Runtime", "Invalid path '$.x' : No results for path: $['x']"))


def root(*evidence, **more):
    """The root cause that the settlement makes of what the rules found, and its resource."""
    about = case(*evidence, **more)
    found = settle(judged(*evidence, **more).values(), about.evidence, about.graph).root
    return None if found is None else (found.cause, found.resource)


def test_the_specialist_is_found_and_its_causes_are_in_the_catalogue() -> None:
    named = {code for rule in SPECIALIST.rules for code in rule.causes}

    assert SPECIALIST in all_specialists()
    assert {code for code in CAUSES if code.startswith("sfn-")} <= named <= set(CAUSES)
    assert all(len(rule.doc) > 30 for rule in SPECIALIST.rules)


def test_a_function_that_raised_is_the_root_and_the_state_a_symptom() -> None:
    seen = (history(failed_task(invoke(), "ValueError", RAISED)), execution(error="ValueError", cause=RAISED))
    found = judged(*seen)

    assert proven(found) == {"sfn-task-failed-lambda", "lambda-unhandled-exception"}
    assert found["lambda-unhandled-exception"].resource == FUNCTION
    assert found["sfn-task-failed-lambda"].defers_to == (FUNCTION,)
    assert (
        found["sfn-task-failed-lambda"].summary
        == "State `Work` of `checkout` failed: the function `charge` raised ValueError: no card"
    )
    assert root(*seen) == ("lambda-unhandled-exception", FUNCTION)


def test_a_function_that_raised_on_a_named_resource_defers_to_it() -> None:
    told = json.dumps({"errorMessage": f"cannot write {TABLE}", "errorType": "ClientError"})
    found = judged(history(failed_task(invoke(), "ClientError", told)))

    assert found["lambda-unhandled-exception"].defers_to == (TABLE,)


def test_a_missing_table_is_accused_itself() -> None:
    found = judged(
        history(failed_task(PUT, MISSING, "Requested resource not found (Service: AmazonDynamoDBv2; Status Code: 400)"))
    )

    assert {(c, h.resource) for c, h in found.items()} == {("ddb-table-not-found", TABLE)}
    assert found["ddb-table-not-found"].since == minute(10) + timedelta(seconds=6)
    assert (
        found["ddb-table-not-found"].summary
        == f"State `Work` of `checkout` failed at `orders`: {MISSING}: Requested resource not found"
    )


def test_the_error_that_a_fail_state_hides_is_the_root() -> None:
    raw = events(enter("Put"), PUT, fail(MISSING), leave("Put"), enter("Bad", "Fail"), end("Broken"))
    found = judged(history(raw))

    assert found["sfn-explicit-fail"].defers_to == (MACHINE, TABLE)
    assert root(history(raw)) == ("ddb-table-not-found", TABLE)


def test_a_fail_state_with_nothing_behind_it_is_the_root() -> None:
    raw = events(
        enter("Enough?", "Choice"),
        leave("Enough?", "Choice"),
        enter("Bad", "Fail"),
        end("PaymentRejected", "card declined"),
    )
    found = judged(history(raw))

    assert found["sfn-explicit-fail"].defers_to == ()
    assert (
        found["sfn-explicit-fail"].summary == "`checkout` ended in the Fail state `Bad`: PaymentRejected: card declined"
    )
    assert root(history(raw)) == ("sfn-explicit-fail", MACHINE)


def test_a_child_execution_explains_its_parent() -> None:
    child = history(failed_task(PUT, MISSING), execution=CHILD, parent=EXECUTION)
    found = judged(history(CHILD_FAILED), child)

    assert found["sfn-child-failed"].defers_to == (CHILD_MACHINE,)
    assert root(history(CHILD_FAILED), child) == ("ddb-table-not-found", TABLE)


def test_a_child_that_fails_by_itself_is_accused_at_its_own_machine() -> None:
    child = history(NO_PATH, execution=CHILD, parent=EXECUTION)

    assert root(history(CHILD_FAILED), child) == ("sfn-jsonpath-missing", CHILD_MACHINE)


def test_a_child_that_could_not_be_read_leaves_it_open() -> None:
    assert root(history(CHILD_FAILED), execution(error="States.TaskFailed")) is None


def test_items_that_fail_explain_the_map() -> None:
    map_failed = events(enter("Each", "Map"), end("States.ExceedToleratedFailureThreshold"))
    child = history(failed_task(PUT, MISSING), execution=f"{EXECUTION}-item", parent=EXECUTION)
    run = MapRun(
        resource=MACHINE,
        source="states:DescribeMapRun",
        map_run_arn="m",
        execution_arn=EXECUTION,
        status="FAILED",
        total=9,
        failed=4,
    )
    found = judged(history(map_failed), child, run)

    assert run.id in found["sfn-map-item-failed"].evidence
    assert root(history(map_failed), child, run) == ("ddb-table-not-found", TABLE)
    assert root(history(map_failed), run) == ("sfn-map-item-failed", MACHINE)
    assert "Map Run FAILED: 4 of 9 items failed, 0 were aborted" in stated(run)


def test_a_branchs_failure_explains_its_parallel_state() -> None:
    steps = [
        enter("All", "Parallel"),
        enter("Put"),
        PUT,
        fail(MISSING),
        "ParallelStateFailed",
        end("States.BranchFailed"),
    ]
    found = judged(history(events(*steps)))

    assert proven(found) == {"sfn-branch-failed", "ddb-table-not-found"}
    assert root(history(events(*steps))) == ("ddb-table-not-found", TABLE)


def reserved(number: int | None) -> FunctionConcurrency:
    return FunctionConcurrency(
        resource=MACHINE, source="lambda:GetFunctionConcurrency", function=FUNCTION, reserved=number
    )


@pytest.mark.parametrize(
    ("number", "code", "strength"),
    [(0, "lambda-reserved-zero", Strength.PROOF), (5, "lambda-throttle-reserved", Strength.STRONG), (None, "lambda-throttle-account", Strength.STRONG)],
)  # fmt: skip
def test_a_throttled_task_is_explained_by_the_functions_reservation(number, code, strength) -> None:
    found = judged(history(THROTTLED), reserved(number))

    assert set(found) == {"sfn-lambda-toomany", code}
    assert {s.strength for s in found[code].supports} == {strength}
    assert found[code].resource == FUNCTION


def test_a_reservation_of_zero_is_not_called_too_little_concurrency() -> None:
    raw = failed_task(
        invoke(), "Lambda.TooManyRequestsException", "Reason: ReservedFunctionConcurrentInvocationLimitExceeded"
    )

    assert "lambda-throttle-reserved" in judged(history(raw))
    assert "lambda-throttle-reserved" not in judged(history(raw), reserved(0))


def test_a_throttled_task_defers_only_to_a_function_that_somebody_looks_at() -> None:
    assert judged(history(THROTTLED))["sfn-lambda-toomany"].defers_to == ()
    assert judged(history(THROTTLED), nodes=[FUNCTION])["sfn-lambda-toomany"].defers_to == (FUNCTION,)


def test_a_task_that_takes_too_long_defers_to_a_function_only_where_that_failed() -> None:
    task = ask("lambda", "invoke", timeout=5, FunctionName="charge")
    late = history(events(enter("A"), task, fail("States.Timeout", kind="TaskTimedOut"), end("States.Timeout")))

    assert root(late, segment(failed=False, resource=FUNCTION), nodes=[FUNCTION]) == ("sfn-timeout-task", MACHINE)
    assert judged(late, segment(resource=FUNCTION))["sfn-timeout-task"].defers_to == (FUNCTION,)
    assert (
        judged(late)["sfn-timeout-task"].summary == "State `A` of `checkout` timed out: `charge` took longer than 5 s"
    )


def test_the_role_is_refused_at_the_machine_and_denied_by_a_boundary_at_the_role() -> None:
    words = f"User: arn:aws:sts::123456789012:assumed-role/checkout-role/x is not authorized to perform: lambda:InvokeFunction on resource: {FUNCTION}"
    refused = judged(history(failed_task(invoke(), "Lambda.AWSLambdaException", words)))
    bound = judged(
        history(
            failed_task(invoke(), "Lambda.AWSLambdaException", f"{words} because no permissions boundary allows it")
        )
    )

    assert {(c, h.resource) for c, h in refused.items()} == {("sfn-role-denied", MACHINE)}
    assert {(c, h.resource) for c, h in bound.items()} == {("iam-permission-boundary", ROLE)}


def test_a_tasks_role_that_may_not_be_assumed_is_accused() -> None:
    words = f"The role {ROLE} is not authorized to assume the task state's role, {ROLE}-2."
    found = judged(history(failed_task(invoke(), "States.TaskFailed", words)))

    assert {(c, h.resource) for c, h in found.items()} == {("iam-assume-role-denied", f"{ROLE}-2")}


def test_who_stopped_an_execution_is_told() -> None:
    aborted = events(enter("A"), invoke(), ("ExecutionAborted", {}))
    found = judged(history(aborted), execution("ABORTED"), change("StopExecution", at=11, who="mia"))

    assert (
        found["sfn-aborted"].summary
        == "An execution of `checkout` was stopped from outside while it was in state `A`; `mia` stopped it at 09:47"
    )
    assert (
        "mia"
        not in judged(history(aborted), change("StopExecution", at=11, who="mia", error="AccessDenied"))[
            "sfn-aborted"
        ].summary
    )


def test_a_failure_that_no_code_fits_is_passed_on_without_a_verdict() -> None:
    seen = (
        history(failed_task(ask("glue", "startJobRun"), "Glue.Oops", "no idea")),
        execution(error="Glue.Oops", cause="no idea"),
    )
    found = judged(*seen)

    assert found["downstream-http-error"].summary == "State `Work` of `checkout` failed with Glue.Oops: no idea"
    assert proven(found) == set()
    assert root(*seen) is None


def test_an_execution_that_succeeded_accuses_nobody() -> None:
    good = events(enter("A"), invoke(), fail("Oops"), leave("A"), ("ExecutionSucceeded", {}))

    assert judged(history(good), execution("SUCCEEDED")) == {}


def test_most_executions_decide_over_a_single_other_one() -> None:
    more = [history(NO_PATH, execution=f"{EXECUTION}{n}") for n in range(2)]
    found = judged(*more, history(failed_task(PUT, MISSING), execution=f"{EXECUTION}9"))

    assert proven(found) == {"sfn-jsonpath-missing"}
    assert found["sfn-jsonpath-missing"].summary.endswith("(2 of 3 failed executions read)")


def test_a_description_serves_where_the_history_could_not_be_read() -> None:
    found = judged(execution(error=MISSING, cause="Requested resource not found"))

    assert proven(found) == {"ddb-table-not-found"}
    assert found["ddb-table-not-found"].resource == MACHINE


def test_a_sentence_needs_no_name_of_the_state() -> None:
    words = f"User: arn:aws:sts::123456789012:assumed-role/checkout-role/x is not authorized to perform: SQS:SendMessage on resource: {QUEUE}"
    found = judged(execution(error="SQS.AccessDeniedException", cause=words))["sfn-role-denied"]

    assert found.summary == (
        "The role of `checkout` may not do what a state asks for: not allowed SQS:SendMessage on `approvals`"
    )


def test_the_trace_serves_where_no_execution_could_be_read() -> None:
    words = (
        "States.DataLimitExceeded",
        "The state/task 'A' returned a result with a size exceeding the maximum number of bytes",
    )

    assert proven(judged(segment(words))) == {"sfn-data-limit"}
    assert judged(segment(words, failed=False)) == {}
    assert judged(segment(words), execution("SUCCEEDED")) == {}


def test_a_history_is_about_the_machine_also_when_the_execution_was_asked_about() -> None:
    about = history(NO_PATH, target=EXECUTION)
    found = judged(about, target=EXECUTION)

    assert {(c, h.resource) for c, h in found.items()} == {("sfn-jsonpath-missing", MACHINE)}


WAITING = events(enter("Approve"), WAIT, "TaskStarted", "TaskSubmitted", at=1)
USUAL = metric("ExecutionTime", {}, usual=20_000, statistic="Maximum")


def test_a_token_that_is_awaited_longer_than_usual_is_lost() -> None:
    found = judged(history(WAITING), execution("RUNNING"), USUAL)["sfn-callback-lost"]

    assert {s.strength for s in found.supports} == {Strength.STRONG}
    assert (
        found.summary
        == "State `Approve` of `checkout` has waited 1137 s for its task token; executions usually took 20 s at most"
    )
    assert root(history(WAITING), execution("RUNNING"), USUAL) == ("sfn-callback-lost", MACHINE)


@pytest.mark.parametrize(
    "seen",
    [
        [history(WAITING)],
        [history(WAITING), metric("ExecutionTime", {}, usual=3_600_000, statistic="Maximum")],
    ],
    ids=["nobody knows what is usual", "it usually takes an hour"],
)
def test_a_token_that_may_still_come_is_no_verdict(seen) -> None:
    assert {s.strength for s in judged(*seen)["sfn-callback-lost"].supports} == {Strength.WEAK}


def test_a_token_that_was_just_handed_out_is_nothing() -> None:
    assert judged(history(events(enter("Approve"), WAIT, "TaskStarted", at=19)), USUAL) == {}
    assert judged(history(events(enter("Work"), invoke(), "TaskStarted", at=1)), USUAL) == {}


def test_an_execution_that_timed_out_waiting_for_a_token_says_both() -> None:
    found = judged(history(events(enter("Approve"), WAIT, "TaskStarted", ("ExecutionTimedOut", {}))))

    assert proven(found) == {"sfn-execution-timeout"}
    assert set(found) == {"sfn-execution-timeout", "sfn-callback-lost"}


def test_a_token_that_timed_out_is_claimed_once() -> None:
    task = ask(
        "sqs",
        "sendMessage.waitForTaskToken",
        timeout=60,
        QueueUrl=f"https://sqs.eu-west-1.amazonaws.com/{QUEUE.split(':')[4]}/approvals",
    )
    raw = events(enter("A"), task, fail("States.Timeout", kind="TaskTimedOut"), end("States.Timeout"), every=30)

    assert set(judged(history(raw))) == {"sfn-callback-lost"}
    assert "waited 30 s" in judged(history(raw))["sfn-callback-lost"].summary


def test_throttled_starts_are_proved_by_the_callers_error_and_shown_by_the_metric() -> None:
    counted = metric("ExecutionThrottled", {10: 40, 11: 30}, usual=0)

    assert proven(judged(start_call("ThrottlingException"))) == {"sfn-api-throttle"}
    assert {s.strength for s in judged(counted)["sfn-api-throttle"].supports} == {Strength.STRONG}
    assert judged(metric("ExecutionThrottled", {10: 40}, usual=40)) == {}
    assert judged(metric("ExecutionThrottled", {10: 2}, usual=0)) == {}


def test_throttles_of_the_whole_account_alone_are_weak() -> None:
    found = judged(metric("ThrottledEvents", {10: 40}, usual=0, APIName="StartExecution"))

    assert {s.strength for s in found["sfn-api-throttle"].supports} == {Strength.WEAK}


def test_a_full_quota_of_open_executions_is_named() -> None:
    full = [
        metric(name, {10: 1_000_000}, statistic="Maximum", Account="x")
        for name in ("OpenExecutionCount", "OpenExecutionLimit")
    ]
    half = [
        metric("OpenExecutionCount", {10: 5}, statistic="Maximum"),
        metric("OpenExecutionLimit", {10: 10}, statistic="Maximum"),
    ]

    assert set(judged(*full)) == {"sfn-execution-limit"}
    assert proven(judged(start_call("ExecutionLimitExceeded"))) == {"sfn-execution-limit"}
    assert judged(*half) == {}


def test_another_refusal_of_a_start_is_a_fact_and_no_cause() -> None:
    assert judged(start_call("StateMachineDoesNotExist")) == {}
    assert "A call to `checkout` was refused: StateMachineDoesNotExist" in stated(
        start_call("StateMachineDoesNotExist")
    )


RISEN = metric("ExecutionsFailed", {10: 4, 11: 5}, usual=0)


def test_a_new_definition_just_before_the_failures_set_them_off() -> None:
    found = judged(history(NO_PATH), RISEN, change(at=8))

    assert proven(found) == {"sfn-jsonpath-missing", "deploy-regression"}
    assert (
        found["deploy-regression"].summary
        == "`checkout` was changed by `deploy-bot` at 09:44 (UpdateStateMachine), 2 min before executions began to fail"
    )
    assert root(history(NO_PATH), RISEN, change(at=8)) == ("sfn-jsonpath-missing", MACHINE)


@pytest.mark.parametrize(
    "seen",
    [
        [history(NO_PATH), RISEN, change(at=12)],
        [history(NO_PATH), RISEN, change(at=8, error="AccessDenied")],
        [history(NO_PATH), RISEN, change(at=-70)],
        [history(NO_PATH), RISEN, change("TagResource", at=8)],
        [history(failed_task(PUT, MISSING)), RISEN, change(at=8)],
    ],
    ids=["after", "refused", "long before", "of its tags", "of another kind of failure"],
)
def test_a_change_that_does_not_explain_the_failures_is_not_blamed(seen) -> None:
    assert "deploy-regression" not in judged(*seen)


def test_a_change_is_no_proof_when_executions_failed_before_it_too() -> None:
    before = metric("ExecutionsFailed", {10: 9}, usual=2)

    assert "deploy-regression" not in proven(judged(history(NO_PATH), before, change(at=8)))


def test_facts_say_what_is_normal_and_what_was_checked() -> None:
    unchanged = ChangeCount(resource=MACHINE, source="cloudtrail:LookupEvents", searched_from=minute(-1440), events=0)
    counted = ExecutionsSearched(resource=MACHINE, source="states:ListExecutions", failed=2)
    started = metric("ExecutionsStarted", {10: 40}, usual=40)

    assert stated(
        machine(), execution("SUCCEEDED"), counted, started, metric("ExecutionsFailed", {}, usual=0), unchanged
    ) == [
        "checkout is ACTIVE, STANDARD, 0 states, no time limit of its own, logging OFF",
        "Execution run-1 is SUCCEEDED after 60.0 s",
        "In the window 2 executions failed, 0 timed out, 0 were aborted, 0 run",
        "None of the 40 executions of `checkout` failed",
        "Nobody changed `checkout` since 2026-11-19 09:36 UTC",
    ]
    assert "9 of 40 executions of `checkout` failed; usually at most 0 a minute" in stated(started, RISEN)
    assert "There is no state machine checkout" in stated(machine(exists=False))


def test_an_express_workflow_without_a_log_is_advised_to_have_one() -> None:
    gone = ExpressLog(resource=MACHINE, source="logs:FilterLogEvents", log_group="/sfn", exists=False)

    assert "Log errors of the Express workflow `checkout`" in advised(machine(type="EXPRESS"))[0]
    assert advised(machine()) == []
    assert advised(machine(type="EXPRESS", log_level="ALL", log_group="/sfn")) == []
    assert "Restore the log group /sfn" in advised(machine(type="EXPRESS", log_level="ALL", log_group="/sfn"), gone)[0]


def test_a_passing_fault_that_is_not_retried_is_advised_to_be() -> None:
    bare = StateDefinition(name="Work", type="Task")
    retried = StateDefinition(name="Work", type="Task", retries=("Lambda.TooManyRequestsException",))

    assert "add a Retry with backoff" in advised(machine(bare), history(THROTTLED))[0]
    assert advised(machine(retried), history(THROTTLED)) == []
    assert advised(machine(bare), history(failed_task(invoke(), "ValueError", RAISED))) == []


def test_an_endless_wait_and_a_redrivable_execution_are_advised() -> None:
    endless = StateDefinition(name="Approve", type="Task")

    assert "waits for its token without any limit" in advised(machine(endless), history(WAITING))[0]
    assert "can be redriven" in advised(execution(redrivable=True))[0]
    assert advised(execution()) == []


@pytest.mark.parametrize("left_out", range(7))
def test_rules_see_any_part_of_the_evidence(left_out) -> None:
    everything = [
        history(failed_task(invoke(), "ValueError", RAISED)),
        execution(error="ValueError", cause=RAISED),
        machine(StateDefinition(name="Work", type="Task")),
        RISEN,
        change(),
        segment(("ValueError", "no card"), arn=EXECUTION),
        reserved(3),
    ]
    some = everything[:left_out] + everything[left_out + 1 :]

    assert "sfn-task-failed-lambda" in judged(*some)


FEEDER = f"{FUNCTION.rsplit(':', 1)[0]}:sum"
NO_TOTAL = events(
    enter("Sum"), invoke("sum"), "TaskStarted", "TaskSucceeded", leave("Sum"), enter("Hold"),
    fail("States.QueryEvaluationError", "returned nothing (undefined).", kind="EvaluationFailed"),
    end("States.QueryEvaluationError", "The JSONata expression 'x' returned nothing (undefined)."),
)  # fmt: skip
LIVE = failed_task(
    invoke(f"{FUNCTION}:live"), "Lambda.ResourceNotFoundException", f"Function not found: {FUNCTION}:live"
)


def of_function(name: str, function: str = FEEDER, **more):
    return change(name, **more).model_copy(update={"resource": function})


def test_new_code_of_the_function_that_gave_the_data_sets_the_failure_off() -> None:
    deploy = of_function("UpdateFunctionCode20150331v2", at=9)
    found = judged(history(NO_TOTAL), metric("ExecutionsFailed", {9: 2, 10: 3}, usual=0), deploy)

    assert found["deploy-regression"].summary == (
        "`deploy-bot` made UpdateFunctionCode on `sum` at 09:45, less than a minute before state `Hold` of `checkout`, "
        "which reads its result, began to fail"
    )
    assert found["deploy-regression"].resource == MACHINE
    assert root(history(NO_TOTAL), deploy) == ("sfn-jsonata-error", MACHINE)


@pytest.mark.parametrize(
    "seen",
    [
        of_function("UpdateFunctionCode20150331v2", at=14),
        of_function("UpdateFunctionCode20150331v2", at=-80),
        of_function("UpdateFunctionCode20150331v2", at=9, error="AccessDenied"),
        of_function("UpdateFunctionCode20150331v2", FUNCTION, at=9),
        of_function("DeleteAlias20150331", at=9),
    ],
    ids=["after", "long before", "refused", "of another function", "of another kind"],
)
def test_other_changes_of_functions_are_not_blamed_for_data(seen) -> None:
    assert "deploy-regression" not in judged(history(NO_TOTAL), seen)


def test_who_deleted_the_alias_that_a_state_calls_is_said() -> None:
    gone = of_function("DeleteAlias20150331", FUNCTION, at=-20)
    before = metric("ExecutionsFailed", {0: 2, 10: 3}, usual=0)
    began = before.model_copy(
        update={"baseline": tuple(p.model_copy(update={"value": float(p.at >= minute(-19))}) for p in before.baseline)}
    )
    found = judged(history(LIVE), began, gone)

    assert "calls `charge:live`, which does not exist: the function, or its alias or version" in (
        found["sfn-function-not-found"].summary
    )
    assert "made DeleteAlias on `charge` at 09:16, 1 min before state `Work` of `checkout`, which calls it, began" in (
        found["deploy-regression"].summary
    )


def test_a_function_without_a_qualifier_is_called_missing_itself() -> None:
    gone = failed_task(invoke(), "Lambda.ResourceNotFoundException", f"Function not found: {FUNCTION}")

    assert judged(history(gone))["sfn-function-not-found"].summary.endswith("a function that does not exist: `charge`")


DENIED_TOKEN = (
    "api error AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/review-role/review is not "
    "authorized to perform: states:SendTaskSuccess on resource: {} because no identity-based policy allows the "
    "states:SendTaskSuccess action"
)
REVIEWER = "arn:aws:iam::123456789012:role/review-role"
WAITED = failed_task(WAIT, "States.Timeout", kind="TaskTimedOut")


def token_log(text: str) -> LogLines:
    return LogLines(
        resource=MACHINE,
        source="logs:FilterLogEvents",
        log_group="/aws/lambda/review",
        filter="task tokens in review",
        events=(LogEvent(at=minute(9), message=text),),
    )


def test_a_token_that_may_not_be_sent_back_is_the_roles_fault() -> None:
    lines = token_log(DENIED_TOKEN.format(MACHINE))
    found = judged(history(WAITED), lines)

    assert root(history(WAITED), lines) == ("lambda-role-missing-permission", REVIEWER)
    assert found["sfn-callback-lost"].defers_to == (REVIEWER,)
    assert "`review` may not send the task token of state `Work` back to `checkout`: not allowed states:SendTask" in (
        found["lambda-role-missing-permission"].summary
    )


def test_the_policy_that_forbids_the_token_is_told_from_a_missing_right() -> None:
    words = DENIED_TOKEN.format(MACHINE).partition("because")[0] + "with an explicit deny in a service control policy"

    assert judged(history(WAITED), token_log(words))["iam-explicit-deny-scp"].resource == REVIEWER


@pytest.mark.parametrize(
    "said",
    [
        DENIED_TOKEN.format(CHILD_MACHINE),
        "SendTaskSuccess: TaskTimedOut: Provided task does not exist anymore",
        "is not authorized to perform: states:SendTaskSuccess",
    ],
    ids=["another machine's", "too late", "nobody named"],
)
def test_other_words_about_tokens_accuse_no_role(said) -> None:
    assert root(history(WAITED), token_log(said)) == ("sfn-callback-lost", MACHINE)


def test_a_refusal_is_told_shortly_with_the_policy_that_refuses() -> None:
    words = (
        f"User: arn:aws:sts::123456789012:assumed-role/checkout-role/x is not authorized to perform: dynamodb:PutItem "
        f"on resource: {TABLE} with an explicit deny in a service control policy (Service: AmazonDynamoDBv2; Status "
        "Code: 400; Error Code: AccessDeniedException; Request ID: 1; Proxy: null)"
    )
    steps = [enter("Put"), PUT, "TaskStarted", fail("DynamoDB.AmazonDynamoDBException", words), leave("Put")]
    seen = history(events(*steps, enter("Give up", "Fail"), end("NotBooked", "ask the office")))
    told = "not allowed dynamodb:PutItem on {}orders{}: explicit deny in a service control policy"

    assert judged(seen)["iam-explicit-deny-scp"].summary.endswith(told.format("`", "`"))
    assert told.format("", "") in seen.summary()
    assert "behind it, in state Put" in seen.summary()


def test_executions_that_timed_out_are_not_passed_over() -> None:
    counts = {"ExecutionsStarted": 4, "ExecutionsFailed": 0, "ExecutionsTimedOut": 4}

    assert "None of the 4 executions of `checkout` failed; 4 timed out" in stated(
        *(metric(name, {10: value}) for name, value in counts.items())
    )
