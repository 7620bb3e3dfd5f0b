"""What an error of AWS means for us, over all protocols and codes."""

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ReadTimeoutError,
)

from aws.errors import AccountUnusable, NotAllowed, OutOfTime, classify, unusable
from domain.awserrors import error_code
from domain.gap import GapReason
from sandbox.aws import faults

URL = "https://x.amazonaws.com"


def answered(code: str, status: int = 400, message: str = "m") -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "DescribeTable")


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (faults.ACCESS_DENIED, GapReason.ACCESS_DENIED),
        (faults.THROTTLED, GapReason.THROTTLED),
        (faults.SERVER_ERROR, GapReason.FAILED),
    ],
)
def test_one_meaning_has_one_reason_over_every_protocol(fault: faults.Fault, reason: GapReason) -> None:
    assert {classify(answered(code, status)).reason for status, code in fault.codes.values()} == {reason}


@pytest.mark.parametrize(
    ("code", "status", "reason"),
    [
        ("403", 403, GapReason.ACCESS_DENIED),
        ("KMSAccessDeniedException", 403, GapReason.ACCESS_DENIED),
        ("Client.UnauthorizedOperation", 403, GapReason.ACCESS_DENIED),
        ("AuthorizationErrorException", 403, GapReason.ACCESS_DENIED),
        ("ExpiredToken", 403, GapReason.FAILED),
        ("404", 404, GapReason.NOT_FOUND),
        ("NoSuchBucket", 404, GapReason.NOT_FOUND),
        ("AWS.SimpleQueueService.NonExistentQueue", 400, GapReason.NOT_FOUND),
        ("SomethingNew", 429, GapReason.THROTTLED),
        ("SomethingNew", 404, GapReason.NOT_FOUND),
        ("ValidationException", 400, GapReason.FAILED),
        ("", 500, GapReason.FAILED),
    ],
)
def test_a_code_and_a_status_give_the_reason(code: str, status: int, reason: GapReason) -> None:
    assert classify(answered(code, status)).reason is reason


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ReadTimeoutError(endpoint_url=URL), GapReason.TIMED_OUT),
        (ConnectTimeoutError(endpoint_url=URL), GapReason.TIMED_OUT),
        (OutOfTime("no time left"), GapReason.TIMED_OUT),
        (TimeoutError(), GapReason.TIMED_OUT),
        (NotAllowed("x"), GapReason.FAILED),
        (KeyError("x"), GapReason.FAILED),
    ],
)
def test_an_error_without_an_answer_has_its_reason_and_words(error: BaseException, reason: GapReason) -> None:
    failure = classify(error)

    assert failure.reason is reason
    assert failure.message


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (answered("ExpiredTokenException"), "AWS refused the credentials (ExpiredTokenException). Renew"),
        (answered("InvalidClientTokenId", 403), "AWS refused the credentials (InvalidClientTokenId)"),
        (NoCredentialsError(), "No AWS credentials found"),
        (NoRegionError(), "No AWS Region is set"),
        (EndpointConnectionError(endpoint_url=URL), "AWS cannot be reached: "),
        (ConnectTimeoutError(endpoint_url=URL), "AWS cannot be reached: "),
        (AccountUnusable("Do this."), "Do this."),
    ],
)
def test_what_stops_everything_says_what_the_operator_must_do(error: BaseException, sentence: str) -> None:
    stop = unusable(error)

    assert stop is not None
    assert sentence in str(stop)
    assert "\n" not in str(stop)


@pytest.mark.parametrize(
    "error",
    [
        answered("AccessDenied"),
        answered("ThrottlingException"),
        ReadTimeoutError(endpoint_url=URL),
        OutOfTime("x"),
        KeyError("x"),
    ],
)
def test_one_failed_look_does_not_stop_everything(error: BaseException) -> None:
    assert unusable(error) is None


RECORDED = json.loads((Path(__file__).parent / "data" / "errors" / "aws_api_errors.json").read_text())


def test_every_recorded_code_is_read_back_from_boto3s_wording() -> None:
    lost = {
        e["code"]
        for e in RECORDED
        if error_code("ClientError", str(answered(e["code"], message=e["message"]))) != e["code"]
    }

    assert lost == set()


def test_no_recorded_message_without_a_code_becomes_one() -> None:
    codes = {e["code"] for e in RECORDED}
    invented = {code for e in RECORDED if (code := error_code("Exception", e["message"] or "")) and code not in codes}

    assert invented == set()
