"""What a provider did instead of answering, in one line for people. Never a provider's own words: they may quote us."""

from typing import NamedTuple

from botocore.exceptions import ClientError, HTTPClientError, NoCredentialsError, ReadTimeoutError
from strands.types.exceptions import (
    ContextWindowOverflowException,
    EventLoopException,
    MaxTokensReachedException,
    ModelThrottledException,
    StructuredOutputException,
)

from domain.gap import GapReason
from reasoning.door import ProviderFailed
from reasoning.inputs import Unreadable
from reasoning.models import ModelUnusable

INVOKE = "bedrock:InvokeModelWithResponseStream"


class Problem(NamedTuple):
    """Why there is no answer; `elsewhere` tells that another model may be asked the same."""

    words: str
    reason: GapReason = GapReason.FAILED
    action: str | None = None
    elsewhere: bool = True


THROTTLED = Problem("throttled the question", GapReason.THROTTLED)
TIMED_OUT = Problem("did not answer in time", GapReason.TIMED_OUT)
DENIED = Problem(f"is denied to us by AWS: grant {INVOKE} and ask for the model", GapReason.ACCESS_DENIED, INVOKE)
CREDENTIALS = Problem("refused the credentials: renew them", GapReason.ACCESS_DENIED)
NO_CREDENTIALS = Problem("was not asked: there are no AWS credentials", GapReason.ACCESS_DENIED)
NO_SUCH_MODEL = Problem("has no such model here: check RCA_MODEL and its Region", GapReason.NOT_FOUND)
UNAVAILABLE = Problem("is not available at the moment")
UNREACHABLE = Problem("cannot be reached")
BROKEN_OFF = Problem("broke off in the middle of its answer")
REFUSED = Problem("refused the question as invalid")
TOO_LONG = Problem("found the question too long")
PROSE = Problem("answered in prose, not in the shape it was asked for", elsewhere=False)
UNREADABLE = Problem("wrote an answer that is no JSON", elsewhere=False)
CUT_OFF = Problem("had its answer cut off at the length it was allowed", elsewhere=False)
UNKNOWN = Problem("failed in an unknown way")

STOPPED: dict[str, Problem] = {
    "limit_turns": Problem("did not give the answer in the calls it was allowed", elsewhere=False),
    "limit_total_tokens": Problem("had used its tokens before it answered", elsewhere=False),
    "limit_output_tokens": Problem("had used its tokens before it answered", elsewhere=False),
    "guardrail_intervened": Problem("was stopped by a guardrail", elsewhere=False),
    "content_filtered": Problem("filtered its answer out", elsewhere=False),
    "cancelled": Problem("was cancelled", GapReason.TIMED_OUT, elsewhere=False),
}
"""By the reason why Strands stopped without an answer."""

CODES: dict[str, Problem] = {
    "ThrottlingException": THROTTLED,
    "TooManyRequestsException": THROTTLED,
    "ServiceQuotaExceededException": THROTTLED,
    "AccessDeniedException": DENIED,
    "ExpiredTokenException": CREDENTIALS,
    "ExpiredToken": CREDENTIALS,
    "UnrecognizedClientException": CREDENTIALS,
    "InvalidSignatureException": CREDENTIALS,
    "InvalidClientTokenId": CREDENTIALS,
    "IncompleteSignature": CREDENTIALS,
    "MissingAuthenticationToken": CREDENTIALS,
    "ResourceNotFoundException": NO_SUCH_MODEL,
    "ValidationException": REFUSED,
    "ModelTimeoutException": TIMED_OUT,
    "ServiceUnavailableException": UNAVAILABLE,
    "InternalServerException": UNAVAILABLE,
    "ModelNotReadyException": UNAVAILABLE,
    "ModelErrorException": UNAVAILABLE,
    "ModelStreamErrorException": UNAVAILABLE,
}
"""By AWS's error code; in the middle of a stream the same codes come with a small first letter."""

NO_MODEL_WORDS = ("model identifier is invalid", "on-demand throughput", "end of its life")
"""What Bedrock says in a ValidationException when the id is wrong for the Region."""

KINDS: tuple[tuple[type[BaseException], Problem], ...] = (
    (ModelThrottledException, THROTTLED),
    (ContextWindowOverflowException, TOO_LONG),
    (MaxTokensReachedException, CUT_OFF),
    (StructuredOutputException, PROSE),
    (Unreadable, UNREADABLE),
    (ReadTimeoutError, TIMED_OUT),
    (HTTPClientError, UNREACHABLE),
    (NoCredentialsError, NO_CREDENTIALS),
    (TimeoutError, TIMED_OUT),
    (ConnectionError, UNREACHABLE),
)

STATUSES: tuple[tuple[range, Problem], ...] = (
    (range(401, 402), CREDENTIALS),
    (range(403, 404), CREDENTIALS),
    (range(404, 405), NO_SUCH_MODEL),
    (range(408, 409), TIMED_OUT),
    (range(429, 430), THROTTLED),
    (range(400, 500), REFUSED),
    (range(500, 600), UNAVAILABLE),
)
"""By HTTP status, which the libraries of the other providers keep on their errors."""

NAMES: tuple[tuple[str, Problem], ...] = (
    ("ConnectTimeout", UNREACHABLE),
    ("Timeout", TIMED_OUT),
    ("Connect", UNREACHABLE),
    ("Credential", CREDENTIALS),
    ("TokenError", CREDENTIALS),
    ("Protocol", BROKEN_OFF),
    ("ResponseStreaming", BROKEN_OFF),
)
"""By a word in the error's class name: the many of botocore, and those of libraries that are not installed here."""


def problem_of(error: BaseException) -> Problem:
    """Return what an error of a provider, of its library or of Strands means."""
    if isinstance(error, EventLoopException):
        return problem_of(error.original_exception)
    if isinstance(error, ProviderFailed):
        return problem_of(error.original)
    if isinstance(error, ModelUnusable):
        return Problem(f"cannot be asked: {error}")
    if isinstance(error, ClientError):
        return _of_aws(error)
    status = getattr(error, "status_code", None)
    by_status = (p for codes, p in STATUSES if isinstance(status, int) and status in codes)
    by_kind = (p for kind, p in KINDS if isinstance(error, kind))
    by_name = (p for word, p in NAMES if word in type(error).__name__)
    return next((found for row in (by_kind, by_status, by_name) for found in row), UNKNOWN)


def _of_aws(error: ClientError) -> Problem:
    details = error.response.get("Error", {})
    code = details.get("Code", "")
    if any(words in details.get("Message", "") for words in NO_MODEL_WORDS):
        return NO_SUCH_MODEL
    return CODES.get(code[:1].upper() + code[1:], UNKNOWN)
