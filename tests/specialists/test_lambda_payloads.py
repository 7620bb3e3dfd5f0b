"""Recorded payloads of failed functions: type, message and the class of cause, or honestly none."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from domain.findings import Strength
from specialists.awslambda.logformat import read_error
from specialists.awslambda.texts import printed_cause
from tests.specialists.awslambda_building import config, error, grade, logs, named, segment

RECORDED = json.loads((Path(__file__).parents[1] / "data/errors/lambda_error_payloads.json").read_text())
PLAIN = "lambda-unhandled-exception"

STATED = {
    ("test_lambda_invoke_with_timeout", "invoke-result/Payload"): "lambda-timeout",
    ("test_lambda_invoke_timed_out_environment_reuse", "invoke-result-timed-out/Payload"): "lambda-timeout",
    ("test_lambda_runtime_exit_segfault", "invocation_error/Payload"): "lambda-timeout",
    ("test_lambda_runtime_wrapper_not_found", "invocation_error/Payload"): "lambda-wrapper-not-found",
    ("test_lambda_runtime_exit", "invocation_error/Payload"): "lambda-runtime-exit",
    ("test_lambda_too_large_response", "invoke_result/Payload"): "lambda-response-too-large",
}
"""The payloads that state a cause by themselves; Lambda had called the segmentation fault a time-out too."""

GATEWAYS = frozenset({"MissingAuthenticationTokenException", "InternalServerErrorException"})
"""API Gateway's own error types among them, which came from no function."""


def key(record: dict[str, Any]) -> tuple[str, str]:
    return record["test"].rsplit("::", 1)[-1], record["key"]


def stated(record: dict[str, Any]) -> str | None:
    return STATED.get(key(record))


def words(payload: dict[str, Any]) -> tuple[str, str]:
    return payload.get("errorType", ""), payload.get("errorMessage", "")


def label(record: dict[str, Any]) -> str:
    return "/".join(key(record))


every_payload = pytest.mark.parametrize("record", RECORDED, ids=label)


def test_thirty_payloads_of_ten_runtimes_are_known() -> None:
    assert len(RECORDED) == 30
    assert {key(r) for r in RECORDED} >= STATED.keys()


@every_payload
def test_type_and_message_are_read_as_the_payload_gives_them(record: dict[str, Any]) -> None:
    found = read_error(json.dumps(record["payload"]))

    assert found is not None
    assert (found.type, found.message) == words(record["payload"])


def test_the_payloads_state_these_causes_and_no_others() -> None:
    told = Counter(printed_cause(": ".join(words(r["payload"]))) for r in RECORDED)

    assert told == Counter(stated(r) for r in RECORDED)
    assert told[None] == 24


@pytest.mark.parametrize("record", [r for r in RECORDED if words(r["payload"])[0] not in GATEWAYS], ids=label)
def test_in_a_failed_trace_it_is_its_cause_and_no_other(record: dict[str, Any]) -> None:
    causes = named(config(), segment(error(*words(record["payload"]))))

    assert set(causes) == {stated(record) or PLAIN}
    assert grade(causes[stated(record) or PLAIN]) in {Strength.PROOF, Strength.STRONG}


@every_payload
def test_in_a_log_it_is_its_cause_or_nothing(record: dict[str, Any]) -> None:
    causes = named(config(), logs(json.dumps(record["payload"])))

    assert set(causes) <= {stated(record) or PLAIN}
    assert set(causes) == {stated(record)} if stated(record) else True


@pytest.mark.parametrize("record", [r for r in RECORDED if stated(r)], ids=label)
def test_what_the_platform_answered_and_somebody_logged_is_no_proof_against_the_one_who_logged(
    record: dict[str, Any],
) -> None:
    """Lambda prints such ends as text; as JSON they are what a caller got from another function."""
    causes = named(config(), logs(json.dumps(record["payload"])))

    assert grade(causes[stated(record) or PLAIN]) is Strength.WEAK


@every_payload
def test_node_and_the_json_log_format_wrap_it_without_changing_it(record: dict[str, Any]) -> None:
    payload = {**record["payload"], "stackTrace": record["payload"].get("stackTrace", [])}
    node = f"2026-11-20T09:50:00.000Z\t3f1c\tERROR\tInvoke Error \t{json.dumps(payload)}"
    formatted = json.dumps({"timestamp": "2026-11-20T09:50:00Z", "level": "ERROR", "message": payload})

    for line in (node, formatted):
        found = read_error(line)

        assert found is not None
        assert (found.type, found.message, found.fatal) == (*words(record["payload"]), True)


@pytest.mark.parametrize(
    "line",
    [
        '2026-11-20T09:50:00.000Z\t3f1c\tERROR\tInvoke Error \t{"errorType": "Error", "errorMessage": "{said}", "stack": []}',
        '[ERROR] CalleeFailed: {said}\nTraceback (most recent call last):\n  File "/var/task/app.py", line 3, in handler',
        '[ERROR] RuntimeError: {said}\nTraceback (most recent call last):\n  File "/var/task/app.py", line 3, in handler',
    ],
    ids=["node", "python", "python with a plain type"],
)
@pytest.mark.parametrize(
    "said", ["RequestId: 3f1c Error: Task timed out after 1.00 seconds", "Task timed out after 1.00 seconds"]
)
def test_an_exception_that_quotes_another_functions_time_out_is_no_time_out_of_this_one(line: str, said: str) -> None:
    causes = named(config(), logs(line.replace("{said}", said)))

    assert set(causes) == {PLAIN}


@every_payload
def test_cut_anywhere_it_is_never_another_cause(record: dict[str, Any]) -> None:
    text = json.dumps(record["payload"])
    allowed = {stated(record), None}

    for end in range(len(text)):
        found = read_error(text[:end])
        told = (found.type, found.message) if found else ("", "")

        assert told[0] in {words(record["payload"])[0], ""}, text[:end]
        assert printed_cause(f"{told[0]}: {told[1]}\n{text[:end]}") in allowed | _blunter(record), text[:end]


def _blunter(record: dict[str, Any]) -> set[str]:
    """How the runtime ended stands in the type, with which status at the end of the message."""
    return {"lambda-runtime-exit"} if stated(record) == "lambda-wrapper-not-found" else set()
