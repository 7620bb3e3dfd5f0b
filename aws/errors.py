"""What went wrong with a call to AWS, in terms of who must act.

AwsError
├── NotAllowed        our own guard refused the operation: a developer must declare it
├── OutOfTime         the investigation's time is over: nobody, the report says so
└── AccountUnusable   the credentials, the Region or the network: the operator, before anything can be read
"""

from collections.abc import Callable
from typing import NamedTuple

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    HTTPClientError,
    InvalidRegionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
)
from botocore.exceptions import ConnectionError as NetworkError

from domain.gap import GapReason

DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "UnauthorizedOperation",
        "AuthorizationError",
        "AuthorizationErrorException",
        "Client.UnauthorizedOperation",
        "NotAuthorized",
        "403",
        "Forbidden",
    }
)
THROTTLED = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ProvisionedThroughputExceededException",
        "LimitExceededException",
        "429",
    }
)
MISSING = frozenset(
    {
        "ResourceNotFoundException",
        "NotFoundException",
        "NotFound",
        "NoSuchEntity",
        "NoSuchBucket",
        "NoSuchKey",
        "404",
        "QueueDoesNotExist",
        "AWS.SimpleQueueService.NonExistentQueue",
        "StateMachineDoesNotExist",
        "ExecutionDoesNotExist",
        "ResourceNotFound",
        "InvalidVpcID.NotFound",
        "ParameterNotFound",
    }
)
CREDENTIALS = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "RequestExpired",
        "IncompleteSignature",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "TokenRefreshRequired",
        "AuthFailure",
    }
)


class AwsError(Exception):
    """A call to AWS that was not made, or cannot be."""


class NotAllowed(AwsError):
    """The guard refused an operation that no probe declared."""


class OutOfTime(AwsError):
    """The deadline of the work that asked has passed; the call was not made."""


class AccountUnusable(AwsError):
    """Nothing can be read: the message says what the operator must do."""


CALL_ERRORS = (ClientError, BotoCoreError, OutOfTime)
"""What one call may raise; which of them stop the whole investigation, `unusable` tells."""


class Failure(NamedTuple):
    """One failed call: why, AWS's error code ("" when it never answered), AWS's words."""

    reason: GapReason
    code: str
    message: str


def classify(error: BaseException) -> Failure:
    """Say why a call failed, over all of AWS's protocols."""
    if isinstance(error, ClientError):
        return _classify_answer(error)
    if isinstance(error, (ReadTimeoutError, ConnectTimeoutError, OutOfTime, TimeoutError)):
        return Failure(GapReason.TIMED_OUT, "", str(error) or "the call took too long")
    return Failure(GapReason.FAILED, type(error).__name__, str(error))


def _classify_answer(error: ClientError) -> Failure:
    code = error.response.get("Error", {}).get("Code", "")
    message = error.response.get("Error", {}).get("Message", "") or str(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in DENIED:
        reason = GapReason.ACCESS_DENIED
    elif code in CREDENTIALS:
        reason = GapReason.FAILED
    elif code in THROTTLED or status == 429:
        reason = GapReason.THROTTLED
    elif code in MISSING or status == 404:
        reason = GapReason.NOT_FOUND
    elif status == 403:
        reason = GapReason.ACCESS_DENIED
    else:
        reason = GapReason.FAILED
    return Failure(reason, code, message)


def _refused(error: BaseException) -> str | None:
    code = error.response.get("Error", {}).get("Code", "") if isinstance(error, ClientError) else ""
    if code in CREDENTIALS:
        return f"AWS refused the credentials ({code}). Renew the bot's role or session, then run it again."
    return None


UNUSABLE: tuple[
    tuple[type[BaseException] | tuple[type[BaseException], ...], Callable[[BaseException], str | None]], ...
] = (
    (AccountUnusable, str),
    (ClientError, _refused),
    (
        (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError),
        lambda _: (
            "No AWS credentials found. Give the bot a role, or set AWS_PROFILE or AWS_ACCESS_KEY_ID, then run it again."
        ),
    ),
    (ProfileNotFound, lambda e: f"{e}. Set AWS_PROFILE to a profile that exists, then run it again."),
    (NoRegionError, lambda _: "No AWS Region is set. Set AWS_REGION or pass --region, then run it again."),
    (InvalidRegionError, lambda e: f"{e} Check AWS_REGION or --region, then run it again."),
    (
        (NetworkError, HTTPClientError),
        lambda e: f"AWS cannot be reached: {e}. Check the network, the Region and AWS_ENDPOINT_URL, then run it again.",
    ),
)
"""Errors that stop the whole investigation, with what the operator must do."""


def unusable(error: BaseException) -> AccountUnusable | None:
    """Return the error that stops the whole investigation, or None when only this one look failed.

    An answer that was too slow is one look: AWS was reached.
    """
    if isinstance(error, ReadTimeoutError):
        return None
    sentence = next((say(error) for kinds, say in UNUSABLE if isinstance(error, kinds)), None)
    return AccountUnusable(sentence) if sentence else None
