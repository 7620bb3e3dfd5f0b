"""Each cause of the Lambda specialist: a situation that names it, and the same situation with the deciding detail changed."""

import time

import pytest

from domain.causes import CAUSES
from domain.findings import Strength
from domain.resource import ResourceType, resource_from_arn, unnamed
from specialists.awslambda import SPECIALIST
from specialists.awslambda.evidence import (
    Alias,
    Aliases,
    AsyncSettings,
    FunctionMissing,
    Grant,
    ProvisionedConcurrency,
    ProvisionedConfigs,
    PublishedVersion,
    ResourcePolicy,
    SourceQueue,
    Status,
    Unset,
    Versions,
)
from specialists.kit.key import KeyState
from specialists.registry import all_specialists
from tests.specialists.awslambda_building import (
    CALLER,
    FN,
    QUEUE,
    REMOTE,
    REQUEST,
    STREAM,
    TABLE,
    call,
    change,
    config,
    error,
    facts,
    fed_by,
    grade,
    group,
    invoked,
    limits,
    logs,
    minute,
    named,
    proven,
    report,
    reported,
    reserved,
    segment,
    series,
)
from tests.support.probing import case_of, findings

TIMED_OUT = f"2026-11-20T09:41:00Z {REQUEST} Task timed out after 3.00 seconds"
KILLED = f"RequestId: {REQUEST} Error: Runtime exited with error: signal: killed"
EXITED = f"RequestId: {REQUEST} Error: Runtime exited without providing a reason"
NOT_FOUND_127 = f"RequestId: {REQUEST} Error: Runtime exited with error: exit status 127"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:orders"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/1b2c3d4e-1111-4222-8333-444455556666"
DLQ = "arn:aws:sqs:eu-west-1:123456789012:orders-dlq"
FAILING = series("Errors", [3, 4], [0, 0])
THROTTLED = series("Throttles", [100, 113], [0, 0])
REFUSED = invoked(error("ClientError", "Rate Exceeded.", code="TooManyRequestsException"), throttle=True)
STATE = {"source": "lambda:x", "resource": FN}


def key_state(state: str) -> KeyState:
    return KeyState(resource=FN, source="kms:DescribeKey", key_arn=KEY, state=state)


def aliases(**weights: float) -> Aliases:
    return Aliases(**STATE, aliases=(Alias(name="live", version="7", weights=weights),))


def versions(bad: tuple[float, float], good: tuple[float, float]) -> list:
    where = {"FunctionName": "orders-fn", "Resource": "orders-fn:live"}
    return [
        series(name, [value], ExecutedVersion=version, **where)
        for version, values in (("8", bad), ("7", good))
        for name, value in zip(("Invocations", "Errors"), values, strict=True)
    ]


def queue(name: str, values: list[float], usual: list[float], statistic: str = "Sum"):
    return series(name, values, usual, statistic, "AWS/SQS", QueueName="orders")


def policy(*principals: str) -> ResourcePolicy:
    return ResourcePolicy(**STATE, grants=tuple(Grant(principals=(p,)) for p in principals))


MISSING = FunctionMissing(**STATE, message="Function not found")
IDLE = series("Invocations", [], [5, 5, 5])
RUNS = series("Invocations", [5, 5], [5, 5])
WARM = reported(*(report(ms=40) for _ in range(4)))
COLD = segment(failed=False, seconds=2.5, init_seconds=2.1)
BEHIND = series("IteratorAge", [60_000, 900_000], [900, 1000], "Maximum")
SETTINGS = AsyncSettings(**STATE, configured=True, retries=1, max_age_seconds=60, on_failure=DLQ)
KEPT = ProvisionedConfigs(
    **STATE, configs=(ProvisionedConcurrency(qualifier="live", requested=5, available=5, status="READY"),)
)
LOWERED = change("UpdateFunctionConfiguration20150331v2", timeout="3")
SLOW_BEFORE = series("Duration", [3000], [9000], "Maximum")
FILTERED = {"filters": ('{"body":{"kind":["no-such"]}}',)}

HITS_AND_NEAR_MISSES = [
    # timeouts
    ("lambda-timeout", [logs(TIMED_OUT), config()], [logs("[ERROR] ReadTimeout: upstream timed out"), config()]),
    ("lambda-timeout", [reported(report(3000, more="Status: timeout"))], [reported(report(2900))]),
    (
        "lambda-timeout",
        [config(), FAILING, series("Duration", [3000], [80], "Maximum")],
        [config(timeout_seconds=30), FAILING, series("Duration", [3000], [80], "Maximum")],
    ),
    (
        "lambda-timeout-all-invocations-after-change",
        [logs(TIMED_OUT), LOWERED, SLOW_BEFORE],
        [logs(TIMED_OUT), change("UpdateFunctionConfiguration20150331v2", at=19, timeout="3"), SLOW_BEFORE],
    ),
    (
        "lambda-timeout-all-invocations-after-change",
        [logs(TIMED_OUT), LOWERED],
        [logs(TIMED_OUT), change("UpdateFunctionConfiguration20150331v2", at=1, timeout="2"), LOWERED],
    ),
    (
        "lambda-timeout-all-invocations-after-change",
        [logs(TIMED_OUT), LOWERED],
        [
            logs(TIMED_OUT),
            change("UpdateFunctionConfiguration20150331v2", refused="InvalidParameterValueException", timeout="3"),
        ],
    ),
    (
        "lambda-timeout-in-init",
        [reported("INIT_REPORT Init Duration: 10008.74 ms\tPhase: init\tStatus: timeout")],
        [reported("INIT_REPORT Init Duration: 900.74 ms\tPhase: init\tStatus: error\tError Type: Runtime.ExitError")],
    ),
    # memory and process
    ("lambda-oom", [logs(KILLED), reported(report(used=128))], [logs(KILLED), reported(report(used=40))]),
    ("lambda-oom", [logs(EXITED), reported(report(used=128))], [logs(EXITED), reported(report(used=90))]),
    (
        "lambda-oom",
        [reported(report(used=128, more="Status: error\tError Type: Runtime.OutOfMemory"))],
        [reported(report(used=128))],
    ),
    ("lambda-runtime-exit", [logs(EXITED), reported(report(used=40))], [logs(EXITED), reported(report(used=128))]),
    ("lambda-runtime-exit", [logs(KILLED), reported(report(used=40))], [logs(KILLED)]),
    (
        "lambda-runtime-exit",
        [logs(EXITED)],
        [logs("FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory", EXITED)],
    ),
    (
        "lambda-wrapper-not-found",
        [logs(NOT_FOUND_127), config(env_names=("AWS_LAMBDA_EXEC_WRAPPER",))],
        [logs(EXITED), config(env_names=("AWS_LAMBDA_EXEC_WRAPPER",))],
    ),
    # code
    (
        "lambda-missing-env-var",
        [segment(error("KeyError", "'TABLE_NAME'")), config(env_names=("STAGE",))],
        [segment(error("KeyError", "'TABLE_NAME'")), config(env_names=("TABLE_NAME",))],
    ),
    (
        "lambda-missing-env-var",
        [logs("panic: required key DB_URL missing value"), config()],
        [logs("panic: required key DB_URL missing value"), config(env_names=("DB_URL",))],
    ),
    (
        "lambda-missing-env-var",
        [segment(error("KeyError", "'table'", frame="os.py:679 in __getitem__")), config()],
        [segment(error("KeyError", "'table'", frame="app.py:6 in handler")), config()],
    ),
    (
        "lambda-unhandled-exception",
        [segment(error("ValueError", "bad total"))],
        [segment(failed=False), logs("[ERROR]\tt\tid\tretrying")],
    ),
    ("lambda-unhandled-exception", [FAILING], [series("Errors", [3, 4], [4, 4])]),
    (
        "downstream-http-error",
        [segment(), call(REMOTE.id, service="api.payments.example", http_status=503, fault=True)],
        [segment(), call(REMOTE.id, service="api.payments.example", http_status=404)],
    ),
    (
        "downstream-http-error",
        [
            logs(
                "[ERROR] HTTPError: 503 Server Error: Service Unavailable for url: https://api.payments.example/v1\rTraceback"
            )
        ],
        [logs("[ERROR] HTTPError: 404 Client Error: Not Found for url: https://api.payments.example/v1\rTraceback")],
    ),
    # capacity
    ("lambda-reserved-zero", [reserved(0), THROTTLED], [reserved(1), THROTTLED]),
    (
        "lambda-throttle-reserved",
        [reserved(5), THROTTLED, series("ConcurrentExecutions", [5, 5], [2], "Maximum")],
        [reserved(50), THROTTLED, series("ConcurrentExecutions", [5, 5], [2], "Maximum")],
    ),
    ("lambda-throttle-reserved", [reserved(5), REFUSED], [reserved(None), REFUSED]),
    (
        "lambda-throttle-account",
        [reserved(None), REFUSED, limits(), series("ConcurrentExecutions", [1000], [300], "Maximum", account="all")],
        [reserved(5), REFUSED, limits()],
    ),
    (
        "lambda-invoke-rate",
        [reserved(50), THROTTLED, series("ConcurrentExecutions", [5, 5], [2], "Maximum")],
        [reserved(5), THROTTLED, series("ConcurrentExecutions", [5, 5], [2], "Maximum")],
    ),
    (
        "lambda-provisioned-spillover",
        [KEPT, series("ProvisionedConcurrencySpilloverInvocations", [40], [0])],
        [KEPT, series("ProvisionedConcurrencySpilloverInvocations", [0], [0])],
    ),
    ("lambda-cold-start", [COLD, WARM], [COLD, reported(*(report(ms=2000) for _ in range(4)))]),
    # state
    ("lambda-function-not-found", [MISSING], [config()]),
    (
        "lambda-function-not-found",
        [invoked(error("ResourceNotFoundException", "gone"))],
        [invoked(error("ResourceNotFoundException", "gone"), operation="GetFunctionUrlConfig")],
    ),
    (
        "lambda-inactive-or-failed",
        [config(state=Status(state="Failed", reason_code="InternalError", reason="x")), REFUSED],
        [config(state=Status(state="Failed", reason_code="InvalidSubnet", reason="x")), REFUSED],
    ),
    (
        "lambda-pending-state",
        [config(state=Status(state="Pending", reason_code="Creating")), invoked()],
        [config(), invoked()],
    ),
    (
        "lambda-image-deleted",
        [config(state=Status(state="Failed", reason_code="ImageDeleted", reason="gone"))],
        [config(state=Status(state="Failed", reason_code="InvalidImage", reason="bad"))],
    ),
    (
        "lambda-alias-routing-bad-version",
        [aliases(**{"8": 0.1}), *versions((10, 9), (90, 0))],
        [aliases(**{"8": 0.1}), *versions((10, 3), (90, 27))],
    ),
    ("lambda-logs-missing", [group(exists=False), RUNS], [group(exists=True), RUNS]),
    ("lambda-logs-missing", [group(exists=False), RUNS], [group(exists=False)]),
    # keys
    (
        "lambda-kms-disabled",
        [config(kms_key_arn=KEY), key_state("Disabled"), FAILING],
        [config(), key_state("Disabled"), FAILING],
    ),
    (
        "kms-pending-deletion",
        [config(kms_key_arn=KEY), key_state("PendingDeletion")],
        [config(kms_key_arn=KEY), key_state("Enabled")],
    ),
    (
        "kms-key-not-found",
        [config(kms_key_arn=KEY), key_state("")],
        [config(kms_key_arn=KEY), key_state("PendingImport")],
    ),
    (
        "lambda-kms-denied",
        [
            config(
                env_error=Unset(
                    code="AccessDeniedException",
                    message="Lambda was unable to decrypt the environment variables because KMS access was denied.",
                )
            )
        ],
        [config(env_error=Unset(code="Other", message="try again"))],
    ),
    # refused changes
    (
        "lambda-env-4kb",
        [
            change(
                "UpdateFunctionConfiguration20150331v2",
                refused="InvalidParameterValueException",
                said="... have provided exceeded the 4KB limit. environment variables you have provided exceeded the 4KB limit",
            )
        ],
        [
            change(
                "UpdateFunctionConfiguration20150331v2",
                refused="InvalidParameterValueException",
                said="Timeout too high",
            )
        ],
    ),
    (
        "lambda-code-storage",
        [change("UpdateFunctionCode20150331v2", refused="CodeStorageExceededException")],
        [change("UpdateFunctionCode20150331v2")],
    ),
    # events
    (
        "lambda-recursive-loop",
        [series("RecursiveInvocationsDropped", [3], [0])],
        [series("RecursiveInvocationsDropped", [], [0])],
    ),
    (
        "lambda-async-event-expired",
        [series("AsyncEventsDropped", [3], [0]), SETTINGS],
        [series("AsyncEventsReceived", [3], [0]), SETTINGS],
    ),
    (
        "lambda-dlq-delivery-error",
        [series("DeadLetterErrors", [2], [0]), config(dlq_arn=DLQ)],
        [series("DeadLetterErrors", [0], [0]), config(dlq_arn=DLQ)],
    ),
    # sources
    ("esm-disabled", [fed_by(state="Disabled"), IDLE], [fed_by(state="Enabled"), IDLE]),
    (
        "esm-disabled",
        [fed_by(state="Disabled", last_modified=minute(-1)), RUNS],
        [fed_by(state="Disabled", last_modified=minute(-60 * 24 * 90)), RUNS],
    ),
    ("esm-function-call-failed", [fed_by(last_result="PROBLEM: Function call failed")], [fed_by(last_result="OK")]),
    (
        "esm-filter-drops-all",
        [fed_by(**FILTERED), IDLE, queue("NumberOfMessagesDeleted", [40], [40])],
        [fed_by(), IDLE, queue("NumberOfMessagesDeleted", [40], [40])],
    ),
    (
        "esm-filter-drops-all",
        [fed_by(**FILTERED), IDLE, queue("NumberOfMessagesDeleted", [40], [40])],
        [fed_by(**FILTERED), RUNS, queue("NumberOfMessagesDeleted", [40], [40])],
    ),
    ("stream-poison-record", [fed_by(STREAM, retries=-1), BEHIND, FAILING], [fed_by(STREAM, retries=-1), BEHIND]),
    ("stream-consumer-slow", [fed_by(STREAM), BEHIND], [fed_by(STREAM), BEHIND, FAILING]),
    (
        "stream-consumer-slow",
        [fed_by(STREAM), BEHIND],
        [fed_by(STREAM), series("IteratorAge", [900, 1000], [900], "Maximum")],
    ),
]


@pytest.mark.parametrize(
    ("cause", "hit", "miss"), HITS_AND_NEAR_MISSES, ids=[f"{n}-{row[0]}" for n, row in enumerate(HITS_AND_NEAR_MISSES)]
)
def test_the_situation_names_the_cause_and_the_near_miss_does_not(cause, hit, miss):
    assert cause in named(*hit)
    assert cause not in named(*miss)


@pytest.mark.parametrize(
    "hit", [row[1] for row in HITS_AND_NEAR_MISSES], ids=[f"{n}-{row[0]}" for n, row in enumerate(HITS_AND_NEAR_MISSES)]
)
def test_at_most_one_cause_claims_proof_in_a_situation(hit):
    assert len(proven(*hit)) <= 1


def test_every_cause_of_the_lambda_service_is_declared_and_in_the_catalogue():
    declared = {cause for rule in SPECIALIST.rules for cause in rule.causes}

    assert {c.code for c in CAUSES.values() if c.service == "lambda"} <= declared
    assert declared <= set(CAUSES)


def test_the_registry_finds_the_specialist():
    assert SPECIALIST in all_specialists()


def test_every_probe_and_rule_says_what_it_is_for():
    assert all(probe.doc.endswith(".") for probe in SPECIALIST.probes)
    assert all(rule.doc.endswith(".") for rule in SPECIALIST.rules)


def test_rules_find_nothing_where_nothing_is_known():
    assert named() == {}
    assert facts() == []


# --- timeouts


def test_a_timeout_names_the_pending_call_and_defers_to_it():
    table = resource_from_arn(TABLE)
    waiting = call(TABLE, failed=False, operation="PutItem", pending=True)
    found = named(segment(seconds=3.0, pending=("DynamoDB",)), waiting, logs(TIMED_OUT), config(), callees=[table])

    assert found["lambda-timeout"].defers_to == (TABLE,)
    assert "while waiting for DynamoDB PutItem on `orders`" in found["lambda-timeout"].summary


def test_a_timeout_names_the_host_of_a_database_once():
    database = unnamed(ResourceType.REMOTE, "db.example.com")
    waiting = call(database.id, failed=False, service="ledger at db.example.com", operation=None, pending=True)
    found = named(segment(seconds=3.0, pending=("x",)), waiting, logs(TIMED_OUT), config(), callees=[database])

    assert found["lambda-timeout"].summary.endswith("while waiting for ledger at db.example.com")


def test_a_timeout_without_a_pending_call_defers_to_nothing():
    quick = call(TABLE, failed=False, operation="PutItem", seconds=0.02)
    found = named(segment(seconds=3.0), quick, logs(TIMED_OUT), config())

    assert found["lambda-timeout"].defers_to == ()


def test_a_call_that_took_nearly_all_the_time_is_what_it_waited_for():
    slow = call(REMOTE.id, service="api.payments.example", failed=False, seconds=2.9)
    found = named(segment(seconds=3.0), slow, logs(TIMED_OUT), config(), callees=[REMOTE])

    assert found["lambda-timeout"].defers_to == (REMOTE.id,)


def test_after_a_lowering_change_the_timeout_itself_is_no_longer_proof():
    found = named(logs(TIMED_OUT), LOWERED, SLOW_BEFORE, config())
    since_change = found["lambda-timeout-all-invocations-after-change"]

    assert grade(since_change) is Strength.PROOF
    assert grade(found["lambda-timeout"]) is Strength.WEAK
    assert since_change.since == minute(2)
    assert "timeout from 9 to 3 s" in since_change.summary


def test_lowered_memory_is_seen_by_the_memory_of_earlier_reports():
    lowered = change("UpdateFunctionConfiguration20150331v2", at=3, memorySize="128")
    found = named(logs(TIMED_OUT), lowered, reported(report(size=1024), at=1))

    assert "memory from 1024 to 128 MB" in found["lambda-timeout-all-invocations-after-change"].summary


# --- exceptions and variables


def test_an_exception_after_a_failed_call_defers_to_what_was_called():
    throttle = error("ProvisionedThroughputExceededException", "exceeded")
    found = named(segment(error("ClientError", "wrapped")), call(TABLE, throttle), callees=[resource_from_arn(TABLE)])

    assert found["lambda-unhandled-exception"].defers_to == (TABLE,)
    assert grade(found["lambda-unhandled-exception"]) is Strength.STRONG


def test_an_sdk_error_in_the_log_defers_to_what_the_function_calls():
    line = "[ERROR] ClientError: An error occurred (ThrottlingException) when calling the PutItem operation: slow\rTraceback"
    found = named(logs(line), callees=[resource_from_arn(TABLE)])

    assert found["lambda-unhandled-exception"].defers_to == (TABLE,)


def test_an_exception_of_its_own_is_proof_and_defers_to_nothing():
    found = named(segment(error("ValueError", "bad total")), callees=[resource_from_arn(TABLE)])

    assert grade(found["lambda-unhandled-exception"]) is Strength.PROOF
    assert found["lambda-unhandled-exception"].defers_to == ()


def test_an_exception_after_an_invoked_function_failed_defers_to_it_though_invoke_answered_200():
    other = "arn:aws:lambda:eu-west-1:123456789012:function:ratings"
    invoke = call(other, failed=False, service="Lambda", operation="Invoke", http_status=200)
    broken = segment(error("Runtime.ImportModuleError", "No module named 'orjson'")).model_copy(
        update={"resource": other}
    )
    well = broken.model_copy(update={"fault": False, "errors": ()})
    own = segment(error("Error", "part of the page is missing"))

    assert named(own, invoke, broken, callees=[resource_from_arn(other)])["lambda-unhandled-exception"].defers_to == (
        other,
    )
    assert named(own, invoke, well, callees=[resource_from_arn(other)])["lambda-unhandled-exception"].defers_to == ()


def test_a_variable_that_the_traceback_shows_being_read_is_proof_and_the_exception_is_not():
    line = "[ERROR] KeyError: 'TABLE_NAME'\rTraceback (most recent call last):\r  os.environ['TABLE_NAME']"
    found = named(logs(line), config(), change("UpdateFunctionConfiguration20150331v2", environment="{}"))

    assert grade(found["lambda-missing-env-var"]) is Strength.PROOF
    assert "after deploy-bot changed the variables" in found["lambda-missing-env-var"].summary
    assert grade(found["lambda-unhandled-exception"]) is not Strength.PROOF


def test_a_variable_that_lambda_sets_itself_is_not_missing():
    assert "lambda-missing-env-var" not in named(segment(error("KeyError", "'AWS_REGION'")), config())


@pytest.mark.parametrize(
    ("fields", "strength"),
    [
        ({"http_status": 502, "fault": True}, Strength.PROOF),
        ({"fault": True}, Strength.WEAK),
        ({"pending": True, "failed": False}, Strength.WEAK),
    ],
)
def test_a_remote_service_is_accused_as_far_as_it_answered(fields, strength):
    found = named(segment(), call(REMOTE.id, service="api.payments.example", **fields), callees=[REMOTE])

    assert grade(found["downstream-http-error"]) is strength
    assert found["downstream-http-error"].resource == FN


def test_a_time_out_towards_a_remote_service_is_strong_where_no_network_of_ours_lies_between():
    gave_up = error("ConnectTimeout", "Connection to api.payments.example timed out. (connect timeout=9)")
    seen = (segment(), call(REMOTE.id, gave_up, service="api.payments.example", fault=True))

    assert grade(named(*seen, config(), callees=[REMOTE])["downstream-http-error"]) is Strength.STRONG
    assert grade(named(*seen, config(vpc_id="vpc-1"), callees=[REMOTE])["downstream-http-error"]) is Strength.WEAK
    assert grade(named(*seen, callees=[REMOTE])["downstream-http-error"]) is Strength.WEAK


def test_a_silent_remote_service_is_strongly_accused_where_invocations_wait_for_it_to_the_end():
    waiting = call(REMOTE.id, service="api.payments.example", failed=False, pending=True)
    over = (segment(seconds=3.0), waiting, logs(TIMED_OUT))

    assert grade(named(*over, config(), callees=[REMOTE])["downstream-http-error"]) is Strength.STRONG
    assert grade(named(*over, config(vpc_id="vpc-1"), callees=[REMOTE])["downstream-http-error"]) is Strength.WEAK
    assert grade(named(*over, callees=[REMOTE])["downstream-http-error"]) is Strength.WEAK


def test_a_remote_failure_that_the_function_survived_is_weak():
    found = named(segment(failed=False), call(REMOTE.id, service="api.payments.example", http_status=503, fault=True))

    assert grade(found["downstream-http-error"]) is Strength.WEAK


def test_a_call_still_pending_after_a_good_run_is_no_failure():
    pending = call(REMOTE.id, service="api.payments.example", failed=False, pending=True)

    assert named(segment(failed=False), pending) == {}


def test_an_exception_after_a_remote_server_error_proves_nothing_about_the_code():
    raised = segment(error("AxiosError", "Request failed with status code 503"))
    down = call(REMOTE.id, service="api.payments.example", http_status=503, fault=True)
    wrong = call(REMOTE.id, service="api.payments.example", http_status=404)

    assert grade(named(raised, down, callees=[REMOTE])["lambda-unhandled-exception"]) is Strength.WEAK
    assert grade(named(raised, wrong, callees=[REMOTE])["lambda-unhandled-exception"]) is Strength.STRONG


def test_a_failed_call_to_aws_is_no_remote_service():
    assert "downstream-http-error" not in named(segment(), call(TABLE, http_status=503, fault=True))


# --- capacity


def test_reserved_zero_wins_over_the_other_throttles():
    found = named(
        reserved(0), THROTTLED, REFUSED, change("PutFunctionConcurrency20171031", reservedConcurrentExecutions="0")
    )

    assert grade(found["lambda-reserved-zero"]) is Strength.PROOF
    assert found["lambda-reserved-zero"].since == minute(2)
    assert not {"lambda-throttle-reserved", "lambda-throttle-account", "lambda-invoke-rate"} & set(found)


def test_a_throttle_by_a_reservation_of_zero_is_the_switch_and_not_the_load():
    reason = "Rate Exceeded. Reason: ReservedFunctionConcurrentInvocationLimitExceeded"
    refused = invoked(error("ClientError", reason, code="TooManyRequestsException"), throttle=True)

    assert set(named(reserved(0), refused)) == {"lambda-reserved-zero"}
    assert set(named(reserved(5), refused)) == {"lambda-throttle-reserved"}


def test_reserved_zero_without_a_symptom_is_strong_and_a_later_run_speaks_against_it():
    assert grade(named(reserved(0))["lambda-reserved-zero"]) is Strength.STRONG
    assert named(reserved(0), segment(failed=False))["lambda-reserved-zero"].contradicting


def test_a_reservation_that_was_not_read_is_not_called_absent():
    assert "no concurrency of its own" in named(REFUSED, reserved(None))["lambda-throttle-account"].summary
    assert "no concurrency of its own" not in named(REFUSED)["lambda-throttle-account"].summary


def test_a_throttle_with_an_idle_account_contradicts_the_account_limit():
    idle = series("ConcurrentExecutions", [20], [20], "Maximum", account="all")

    assert named(REFUSED, reserved(None), limits(), idle)["lambda-throttle-account"].contradicting


def test_a_stated_reason_decides_which_limit_it_was():
    reason = "Rate Exceeded. Reason: ConcurrentInvocationLimitExceeded"
    refused = invoked(error("ClientError", reason, code="TooManyRequestsException"), throttle=True)

    assert proven(refused, reserved(None)) == {"lambda-throttle-account"}


def test_a_long_initialisation_without_warm_runs_to_compare_is_a_fact():
    assert "lambda-cold-start" not in named(COLD)
    assert any("cold start" in fact for fact in facts(COLD))


# --- state, access, events


def test_a_deleted_function_with_failing_callers_is_proof_and_dated():
    gone = invoked(error("ResourceNotFoundException", "Function not found: " + FN))
    found = named(MISSING, gone, change("DeleteFunction20150331", at=1))

    assert grade(found["lambda-function-not-found"]) is Strength.PROOF
    assert found["lambda-function-not-found"].since == minute(1)


def test_removing_a_reservation_is_not_deleting_the_function():
    found = named(MISSING, change("DeleteFunctionConcurrency20171031", at=1))

    assert found["lambda-function-not-found"].since is None


def test_a_failed_state_with_a_telling_code_proves_only_that_cause():
    subnets = config(state=Status(state="Failed", reason_code="SubnetOutOfIPAddresses", reason="no addresses"))

    assert proven(subnets, REFUSED) == {"lambda-subnet-ip-exhausted"}


def test_a_failed_last_update_alone_is_no_cause():
    assert named(config(last_update=Status(state="Failed", reason_code="InvalidSubnet", reason="gone"))) == {}


def test_a_trigger_that_the_policy_shuts_out_is_named():
    topic = resource_from_arn(TOPIC)
    removed = change("RemovePermission20150331v2")

    assert "lambda-trigger-no-resource-permission" in named(policy(), IDLE, removed, callers=[topic])
    assert "lambda-trigger-no-resource-permission" not in named(policy("sns.amazonaws.com"), IDLE, callers=[topic])
    assert "lambda-trigger-no-resource-permission" not in named(policy(), RUNS, removed, callers=[topic])


def test_a_function_that_stops_when_a_permission_is_removed_is_named_though_others_of_the_kind_are_let_in():
    halved, let_in = series("Invocations", [5] * 8, [5] * 60), policy("events.amazonaws.com")
    removal = "RemovePermission20150331v2"

    assert "lambda-trigger-no-resource-permission" in named(let_in, halved, change(removal, at=7.5))
    assert "lambda-trigger-no-resource-permission" not in named(let_in, halved, change(removal, at=2))
    assert "lambda-trigger-no-resource-permission" not in named(let_in, halved, change(removal, at=14))


def test_an_api_that_may_not_invoke_is_left_to_the_api():
    api = resource_from_arn(CALLER)

    assert "lambda-trigger-no-resource-permission" not in named(policy(), IDLE, callers=[api])


def test_a_denial_by_an_explicit_deny_is_left_to_the_policies():
    text = "not authorized to perform: lambda:InvokeFunction on resource: x with an explicit deny in a service control policy"

    assert "lambda-invoke-permission-denied" not in named(invoked(error("AccessDeniedException", text)))


def test_the_key_is_accused_where_it_is_known():
    found = named(config(kms_key_arn=KEY), key_state("PendingDeletion"), FAILING)

    assert found["kms-pending-deletion"].resource == KEY
    assert grade(found["kms-pending-deletion"]) is Strength.PROOF


def test_a_refused_deployment_is_weak_beside_a_failing_trace():
    refused = change("UpdateFunctionCode20150331v2", refused="CodeStorageExceededException")
    found = named(segment(error("ValueError", "bad")), refused)

    assert grade(found["lambda-code-storage"]) is Strength.WEAK


def test_dropped_events_are_no_proof_while_the_function_fails():
    found = named(series("AsyncEventsDropped", [3], [0]), SETTINGS, FAILING, segment(error("ValueError", "bad")))

    assert proven(series("AsyncEventsDropped", [3], [0]), SETTINGS) == {"lambda-async-event-expired"}
    assert grade(found["lambda-async-event-expired"]) is Strength.STRONG


def test_undeliverable_events_defer_to_the_queue():
    found = named(series("DeadLetterErrors", [2], [0]), config(dlq_arn=DLQ))

    assert found["lambda-dlq-delivery-error"].defers_to == (DLQ,)


def test_a_deleted_mapping_of_a_function_that_stopped_is_named():
    none_left = fed_by().model_copy(update={"mappings": ()})
    deleted = change("DeleteEventSourceMapping20150331")

    assert "esm-disabled" in named(none_left, deleted, IDLE)
    assert "esm-disabled" not in named(none_left, deleted, RUNS)


def test_a_backlog_proves_a_disabled_mapping():
    backlog = queue("ApproximateNumberOfMessagesVisible", [900], [3], "Maximum")

    assert proven(fed_by(QUEUE, state="Disabled"), backlog) == {"esm-disabled"}


def test_a_poison_record_condition_is_proof():
    line = '{"requestContext":{"condition":"RetryAttemptsExhausted"},"level":"ERROR","message":"{\\"condition\\": 1}"}'

    assert "stream-poison-record" in proven(
        segment(error("Batch", '"condition": "RetryAttemptsExhausted"')), logs(line)
    )


# --- facts


def test_facts_say_what_was_checked_and_is_normal():
    quiet = config(last_modified=minute(-60 * 24 * 9))
    said = " | ".join(
        facts(quiet, RUNS, series("Errors", [0]), series("Throttles", []), WARM, logs(), segment(failed=False))
    )

    for part in (
        "unchanged for 9 days",
        "0 of 10 invocations",
        "was throttled",
        "60 of 128 MB",
        "No error line",
        "ran without error",
    ):
        assert part in said


def test_a_change_is_stated_with_who_made_it():
    assert any(
        "UpdateFunctionCode20150331v2 by deploy-bot" in f
        for f in facts(change("UpdateFunctionCode20150331v2"), config())
    )


def test_every_summary_is_one_line_for_people():
    hits = [h for row in HITS_AND_NEAR_MISSES for h in named(*row[1]).values()]

    assert all("\n" not in h.summary and len(h.summary) < 400 for h in hits)


def test_thousands_of_different_log_lines_are_judged_quickly():
    frames = "\r  File /var/task/app.py line 3 in handler" * 80
    lines = logs(
        *(f"[ERROR] ValueError: order {n} is bad\rTraceback (most recent call last):{frames}" for n in range(1000))
    )
    began = time.thread_time()
    found = named(segment(error("ValueError", "order 1 is bad")), lines, config())

    assert "lambda-unhandled-exception" in found
    assert time.thread_time() - began < 10


@pytest.mark.parametrize("dropped", range(8))
def test_rules_stand_any_subset_of_the_evidence(dropped):
    everything = [item for row in HITS_AND_NEAR_MISSES for item in row[1]]
    some = [item for n, item in enumerate(everything) if n % 8 != dropped]

    assert named(*some)


def test_a_version_published_within_the_day_is_a_fact_and_an_older_one_is_not():
    def published(at: float) -> Versions:
        return Versions(**STATE, versions=(PublishedVersion(version="8", last_modified=minute(at)),))

    assert any("Version 8" in fact for fact in facts(published(-30)))
    assert not any("Version 8" in fact for fact in facts(published(-60 * 48)))


def test_many_looks_at_a_missing_function_count_once():
    again = MISSING.model_copy(update={"source": "lambda:ListAliases"})

    assert len(named(MISSING, again)["lambda-function-not-found"].supports) == 1


@pytest.mark.parametrize(
    ("hidden", "longest", "named"),
    [(30, 41_000, True), (30, 29_000, False), (360, 41_000, False)],
    ids=["a run outlasts it", "no run did", "it is long enough"],
)
def test_a_queue_that_hides_messages_shorter_than_a_run_takes_is_named(hidden, longest, named):
    queue = "arn:aws:sqs:eu-west-1:123456789012:orders"
    kept = SourceQueue(resource=FN, source="sqs:GetQueueAttributes", queue=queue, visibility_seconds=hidden)
    runs = series("Duration", [900, longest], statistic="Maximum")

    case = case_of(FN, kept, config(timeout_seconds=60), runs)
    found = [f for f in findings(SPECIALIST.rules, case) if getattr(f, "cause", "") == "esm-visibility-lt-timeout"]

    assert [(f.resource, f.since) for f in found] == ([(queue, minute(1))] if named else [])


@pytest.mark.parametrize(
    "words", ["getaddrinfo EAI_AGAIN vault.corp.internal", "connect ETIMEDOUT 10.200.4.8:8443", "Connect timed out"]
)
def test_an_exception_about_a_connection_that_was_never_made_proves_nothing_about_the_code(words):
    assert grade(named(segment(error("Error", words)))["lambda-unhandled-exception"]) is Strength.WEAK


# --- switched off for a while


def off_and_on():
    off = change("PutFunctionConcurrency20171031", reservedConcurrentExecutions="0")
    return named(THROTTLED, off, reserved(None))


def test_a_function_that_is_on_again_was_switched_off_and_the_account_is_not_to_blame():
    found = off_and_on()

    assert grade(found["lambda-reserved-zero"]) is Strength.PROOF
    assert "it is not 0 any more" in found["lambda-reserved-zero"].summary
    assert "lambda-throttle-account" not in found


def test_throttles_after_it_was_switched_on_again_are_of_something_else():
    on = change("DeleteFunctionConcurrency20171031").model_copy(update={"observed_at": minute(-30)})
    off = change("PutFunctionConcurrency20171031", reservedConcurrentExecutions="0")
    early = off.model_copy(update={"observed_at": minute(-40)})
    found = named(THROTTLED, early, on, reserved(None))

    assert "lambda-reserved-zero" not in found
    assert "lambda-throttle-account" in found
