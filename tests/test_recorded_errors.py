"""What recorded AWS error answers state by themselves, and what they do not."""

import json
from collections import Counter
from pathlib import Path

import pytest

from domain.causes import CAUSES
from domain.errorcauses import ROWS, stated_cause
from evals.recorded import errors

RECORDED = json.loads((Path(__file__).parent / "data/errors/aws_api_errors.json").read_text())


def test_every_recorded_error_keeps_its_service_and_code() -> None:
    told = list(errors(RECORDED))

    assert [(t["index"], t["service"], t["code"]) for t in told] == [
        (n, r["service"], r["code"]) for n, r in enumerate(RECORDED)
    ]


def test_the_recorded_errors_state_these_causes_and_no_others() -> None:
    causes = Counter(t["cause"] for t in errors(RECORDED) if t["cause"])

    assert set(causes) == {
        "ddb-conditional-failed",
        "ddb-table-not-found",
        "eb-bus-not-found",
        "eb-schedule-wrong",
        "esm-queue-gone",
        "kms-key-not-found",
        "kms-pending-deletion",
        "lambda-function-not-found",
        "lambda-runtime-deprecated",
        "s3-access-denied",
        "s3-kms-denied",
        "s3-no-such-bucket",
        "s3-no-such-key",
        "s3-wrong-region",
        "secret-marked-deleted",
        "secret-not-found",
        "secret-rotation-lambda-denied",
        "sqs-message-too-large",
        "sqs-queue-not-exist",
    }


@pytest.mark.parametrize(
    ("service", "code", "message", "cause"),
    [
        ("dynamodb", "ProvisionedThroughputExceededException", "The level of configured provisioned throughput for the table was exceeded.", "ddb-provisioned-exceeded"),
        ("dynamodb", "ProvisionedThroughputExceededException", "... one or more global secondary indexes of the table was exceeded.", "ddb-gsi-throttle"),
        ("dynamodb", "ThrottlingException", "Rate of requests exceeds the allowed throughput.", "ddb-control-throttle"),
        ("lambda", "TooManyRequestsException", "Rate Exceeded.", None),
        ("lambda", "ResourceNotFoundException", "The resource you requested does not exist.", None),
        ("kms", "AccessDeniedException", "User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: kms:Decrypt on resource: k because no identity-based policy allows the kms:Decrypt action", "lambda-role-missing-permission"),
        ("sqs", "AccessDenied", "User: u is not authorized to perform: sqs:sendmessage on resource: q because no identity-based policy allows the sqs:sendmessage action", "lambda-role-missing-permission"),
        ("sqs", "AccessDenied", "User: u is not authorized to perform: sqs:sendmessage on resource: q", "sqs-access-denied"),
        ("s3", "AccessDenied", "User: u is not authorized to perform: s3:GetObject on resource: k with an explicit deny in a service control policy", "iam-explicit-deny-scp"),
        ("secretsmanager", "NotFoundException", "Key 'arn:aws:kms:eu-west-1:1:key/x' does not exist", "kms-key-not-found"),
        ("anything", "SomethingElse", "no idea", None),
        ("", "", "", None),
    ],
)  # fmt: skip
def test_an_answer_states_its_cause_or_nothing(service: str, code: str, message: str, cause: str | None) -> None:
    assert stated_cause(service, code, message) == cause


def test_every_row_names_a_cause_of_the_catalogue() -> None:
    assert {row.cause for row in ROWS} <= set(CAUSES)
