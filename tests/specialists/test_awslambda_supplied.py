"""What a function asks of Secrets Manager, Parameter Store and KMS, and does not get."""

import json

import pytest

from domain.findings import Strength
from domain.resource import ResourceType, unnamed
from specialists.awslambda.logformat import read_error
from specialists.awslambda.texts import printed_cause, supplied_cause
from tests.specialists.awslambda_building import (
    CALLER,
    REQUEST,
    call,
    change,
    config,
    error,
    grade,
    logs,
    minute,
    named,
    proven,
    report,
    reported,
    segment,
)

SECRETS = unnamed(ResourceType.AWS_SERVICE, "Secrets Manager").id
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:bank-AbCdEf"
MARKED = "You can't perform this operation on the secret because it was marked for deletion."
GO = (
    "load: operation error Secrets Manager: GetSecretValue, https response error StatusCode: 400, RequestID: "
    f"{REQUEST}, InvalidRequestException: {MARKED}"
)
GO_LINE = "2026/11/21 09:53:11 " + json.dumps({"errorMessage": GO, "errorType": "wrapError"})


@pytest.mark.parametrize(
    ("cause", "text"),
    [
        ("secret-marked-deleted", f"InvalidRequestException: {MARKED}"),
        ("secret-marked-deleted", GO),
        ("secret-not-found", "ResourceNotFoundException: Secrets Manager can't find the specified secret."),
        (
            "secret-not-found",
            "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT (Service: SecretsManager)",
        ),
        (
            "ssm-parameter-not-found",
            "ClientError: An error occurred (ParameterNotFound) when calling the GetParameter operation: ",
        ),
        ("ssm-parameter-not-found", "ParameterNotFound: UnknownError"),
        ("ssm-parameter-not-found", "software.amazon.awssdk.services.ssm.model.ParameterNotFoundException: null"),
        (
            "ssm-throttling",
            "An error occurred (ThrottlingException) when calling the GetParametersByPath operation: Rate exceeded",
        ),
        (
            "ssm-throttling",
            (
                "operation error SSM: GetParameter, exceeded maximum number of attempts, 3, https response error "
                "StatusCode: 400, RequestID: x, api error ThrottlingException: Rate exceeded"
            ),
        ),
        ("kms-throttled", "ThrottlingException: You have exceeded the rate at which you may call KMS."),
    ],
)
def test_a_suppliers_words_state_their_cause(cause, text):
    assert printed_cause(text) == cause


@pytest.mark.parametrize(
    "text",
    [
        "ThrottlingException: Rate exceeded",
        "RequestParameterNotFoundException: colour",
        "InvalidRequestException: the order was marked for deletion",
    ],
)
def test_words_that_others_use_as_well_state_nothing(text):
    assert printed_cause(text) is None


def test_a_bare_throttle_states_a_cause_only_where_the_trace_names_the_supplier():
    assert supplied_cause("SSM", "ThrottlingException", "Rate exceeded") == "ssm-throttling"
    assert supplied_cause("Secrets Manager", "ThrottlingException", "Rate exceeded") is None
    assert supplied_cause("DynamoDB", "InvalidRequestException", MARKED) is None


def asked(code: str = "InvalidRequestException", said: str = MARKED, **fields):
    return call(SECRETS, error("ClientError", said, code=code), service="Secrets Manager", **fields)


def test_a_call_that_failed_for_its_secret_proves_it_though_the_function_raises_the_same_words():
    found = named(segment(), asked(), logs(GO_LINE))

    assert grade(found["secret-marked-deleted"]) is Strength.PROOF
    assert "lambda-unhandled-exception" not in found


def test_the_secret_is_accused_where_the_trace_names_it():
    named_call = asked().model_copy(update={"resource": SECRET})

    assert named(segment(), named_call)["secret-marked-deleted"].resource == SECRET


def test_a_function_that_swallows_the_failure_of_a_failed_request_is_explained_by_it():
    entry = segment().model_copy(update={"resource": CALLER})
    throttled = asked("ThrottlingException", "Rate exceeded").model_copy(update={"service": "SSM"})

    assert proven(entry, segment(failed=False), throttled) == {"ssm-throttling"}


def test_what_a_request_lived_with_or_got_at_the_second_time_is_no_cause():
    again = call(SECRETS, failed=False, service="Secrets Manager", start=minute(6.5))

    assert named(segment(failed=False), asked()) == {}
    assert "secret-marked-deleted" not in named(segment(), asked(), again)


def test_a_line_of_a_request_that_ended_well_is_weak():
    line = "2026-11-20T09:50:00Z\t3f1c\tERROR\tno campaign: ParameterNotFound: UnknownError, using the default"
    found = named(segment(failed=False), logs(line, named=f"request {REQUEST}"))

    assert grade(found["ssm-parameter-not-found"]) is Strength.WEAK


def test_an_error_that_a_go_handler_returned_ended_its_invocation_though_it_has_no_stack():
    found = read_error(GO_LINE)

    assert found is not None
    assert (found.type, found.fatal) == ("wrapError", True)


def test_an_error_nested_in_a_structured_line_keeps_its_name():
    nested = {"name": "ThrottlingException", "message": "Rate exceeded", "stack": "at x"}
    found = read_error(json.dumps({"level": "ERROR", "message": "no prices", "error": nested}))

    assert found is not None
    assert (found.type, found.message, found.fatal) == ("ThrottlingException", "no prices Rate exceeded", False)


def test_what_a_sdk_wraps_around_the_words_of_aws_is_not_shown():
    summary = named(segment(error("wrapError", GO)))["secret-marked-deleted"].summary

    assert "GetSecretValue, InvalidRequestException: You can't perform" in summary
    assert REQUEST not in summary


def test_a_code_that_ends_its_type_is_not_said_twice():
    said = "Unable to marshal response: Object of type Decimal is not JSON serializable"
    failed = segment(error("Runtime.MarshalError", said, code="MarshalError"))

    assert f"into JSON: Runtime.MarshalError: {said}" in named(failed)["lambda-marshal-error"].summary


CUT_INIT = "INIT_REPORT Init Duration: 9999.81 ms\tPhase: init\tStatus: timeout"
CUT_INVOKE = "INIT_REPORT Init Duration: 11994.20 ms\tPhase: invoke\tStatus: timeout"


def test_a_start_that_is_repeated_within_the_invocation_is_counted_once():
    summary = named(reported(CUT_INIT, CUT_INVOKE, CUT_INIT, CUT_INVOKE))["lambda-timeout-in-init"].summary

    assert "cut off after 10 s 2 times" in summary


def test_starts_that_are_cut_off_since_the_memory_was_lowered_say_so():
    lowered = change("UpdateFunctionConfiguration20150331v2", at=3, memorySize="512")
    warm = reported(report(size=3008), at=1)
    all_named = named(reported(CUT_INIT), reported(report(ms=3000, size=512, more="Status: timeout")), warm, lowered)
    found = all_named["lambda-timeout-in-init"]

    assert "lambda-timeout-all-invocations-after-change" not in all_named
    assert found.summary.endswith("since deploy-bot set its memory from 3008 to 512 MB")
    assert lowered.id in found.evidence
    assert "since" not in named(reported(CUT_INIT), warm)["lambda-timeout-in-init"].summary


def test_a_full_heap_tells_how_much_memory_it_left_unused():
    heap = logs("FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory")
    ended = reported(report(used=431, size=2048, more="Status: error\tError Type: Runtime.ExitError"))
    found = named(heap, ended, config(env_names=("NODE_OPTIONS",)))["lambda-oom-node-heap"]

    assert "with 431 of 2048 MB in use under NODE_OPTIONS of its own" in found.summary
