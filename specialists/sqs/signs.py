"""What senders and readers were told when the queue refused them: every error text read once, as one thing.

Errors: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html#API_SendMessage_Errors
Access denied wordings: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
"""

import re
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from domain.arn import Arn
from domain.evidence import Evidence
from domain.resource import Resource
from domain.trace import TraceCall
from specialists.contract import Case
from specialists.kit.change import Change
from specialists.kit.overheard import Overheard, error_text, failed_calls, oldest_first, overheard
from specialists.sqs.evidence import Consumers

MAX_TEXT = 2_000


class Reading(StrEnum):
    """What an error text says. The first that fits is meant."""

    TIMEOUTS = "the visibility timeout is below the function's timeout"
    POLLER_DENIED = "the poller's role may not read"
    POLLER_NO_QUEUE = "the poller finds no queue"
    KMS_RATE = "too many calls to KMS"
    KMS_STATE = "the key cannot be used by anybody"
    KMS_DENIED = "the key may not be used"
    NO_QUEUE = "no such queue"
    IN_FLIGHT = "too many messages in flight"
    TOO_LARGE = "too large"
    DENIED = "not allowed"
    THROTTLED = "throttled"
    INVALID = "invalid request"
    INTERNAL = "SQS's own error"


def _rows(*rows: tuple[Reading, str]) -> tuple[tuple[Reading, re.Pattern[str]], ...]:
    return tuple((reading, re.compile(pattern, re.IGNORECASE)) for reading, pattern in rows)


_KMS = r"\bKms\.?"

TEXTS = _rows(
    (Reading.TIMEOUTS, r"visibility ?timeout\b.{0,60}\bless than\b.{0,20}\bfunction ?timeout"),
    (Reading.POLLER_DENIED, r"execution role\b.{0,60}\bpermissions?\b.{0,40}\bcall \w{1,40} on SQS"),
    (
        Reading.POLLER_NO_QUEUE,
        r"occurred while \w{1,40}\.? .{0,20}SQS Error Code: \S{0,60}(?:NonExistent|DoesNotExist)",
    ),
    (Reading.KMS_RATE, rf"{_KMS}Thrott\w{{1,30}}|rate at which you may call KMS"),
    (Reading.KMS_STATE, rf"{_KMS}(?:Disabled|InvalidState|NotFound|InvalidKeyUsage|KeyUnavailable|OptInRequired)"),
    (Reading.KMS_STATE, r"\bkey/\S{1,80} is (?:disabled|pending deletion|pending import|unavailable)"),
    (
        Reading.KMS_DENIED,
        rf"{_KMS}AccessDenied|\bkms:(?:GenerateDataKey|Decrypt)\b|\bciphertext refers to a\b.{{0,40}}key",
    ),
    (Reading.NO_QUEUE, r"NonExistentQueue|QueueDoesNotExist|QueueDeletedRecently|queue\b.{0,12}\bdoes not exist"),
    (Reading.IN_FLIGHT, r"\bOverLimit(?:Exception)?\b(?!.{0,80}permission)|too many (?:messages )?in.?flight"),
    (Reading.TOO_LARGE, r"Message must be shorter than|BatchRequestTooLong|Batch requests cannot be longer"),
    (Reading.TOO_LARGE, r"\bmessages?\b.{0,60}\b(?:exceeds?|larger than)\b.{0,40}\b(?:size|length|bytes|maximum)"),
    (Reading.DENIED, r"not authorized to perform|\bAccessDenied|Access to the resource \S{0,300} is denied"),
    (Reading.DENIED, r"\bAuthorizationError|\bAccess ?Denied\b"),
    (Reading.THROTTLED, r"Throttl|Too ?Many ?Requests|Rate exceeded"),
    (Reading.INVALID, r"InvalidParameter|MissingParameter|InvalidMessageContents|InvalidAttribute|EmptyBatch"),
    (Reading.INVALID, r"TooManyEntriesInBatch|BatchEntryIds|InvalidBatchEntryId|ReceiptHandle|UnsupportedOperation"),
    (Reading.INVALID, r"MessageDeduplicationId|MessageGroupId|InvalidSecurity|InvalidAddress"),
    (Reading.INTERNAL, r"InternalError|InternalFailure|Internal server error|ServiceUnavailable"),
)
"""Tried in this order; each pattern is bounded."""

SENDS = frozenset({"sendmessage", "sendmessagebatch"})

_OPERATIONS = (
    r"SendMessage(?:Batch)?|ReceiveMessage|DeleteMessage(?:Batch)?|ChangeMessageVisibility(?:Batch)?|GetQueue\w{3,10}"
)
OPERATION = re.compile(rf"(?:when calling the|SQS:|sqs:|operation:?|call) ?({_OPERATIONS})\b", re.IGNORECASE)
"""The operation as boto3, the Go SDK and IAM ("sqs:sendmessage") name it in their errors."""

MENTIONS = re.compile(
    rf"\bsqs\b|SimpleQueueService|\bqueue\b.{{0,12}}\bdoes not exist|QueueDoesNotExist|Message must be shorter than"
    rf"|MessageDeduplicationId|MessageGroupId|BatchRequestTooLong|OverLimit|calling the (?:{_OPERATIONS}) operation"
    r"|AmazonSQS|\bSqsException",
    re.IGNORECASE,
)
"""Marks a line that speaks of SQS; a code such as AccessDenied alone may be another service's."""

ERROR_LIKE = re.compile(r"error|exception|fail|denied|not authorized|invalid|exist|shorter|OverLimit", re.IGNORECASE)
PRINCIPAL = re.compile(r"User:\s{0,4}(arn:[^\s\"']{1,600})", re.IGNORECASE)
BLAMES = re.compile(
    r"(?:because (?:no|the)|explicit deny in(?: an?| the)?) "
    r"(identity-based|resource-based|session|vpc endpoint|service control|resource control|permissions boundar)",
    re.IGNORECASE,
)


class Sign(NamedTuple):
    """One refusal: what was said, to whom, about which operation, and the evidence that holds it."""

    reading: Reading
    text: str
    at: datetime | None
    caller: str
    operation: str | None
    evidence: Evidence

    @property
    def sends(self) -> bool:
        """Whether it refused to take a message; assumed where the text does not name the operation."""
        return self.operation is None or self.operation.lower() in SENDS

    @property
    def principal(self) -> str:
        """The ARN that was refused, empty where the text does not name it."""
        found = PRINCIPAL.search(self.text)
        return found[1].rstrip(".,;:)]}") if found else ""

    @property
    def blames(self) -> str:
        """The kind of policy that AWS blames, in lower case ("identity-based"); empty where it does not say."""
        found = BLAMES.search(" ".join(self.text.split()))
        return found[1].lower() if found else ""

    @property
    def role(self) -> str:
        """The role of the refused session as IAM writes its ARN, which a session's ARN gives without the path."""
        try:
            arn = Arn.parse(self.principal)
        except ValueError:
            return self.principal
        kind, _, rest = arn.resource.partition("/")
        if arn.service != "sts" or kind != "assumed-role":
            return self.principal
        return f"arn:{arn.partition}:iam::{arn.account}:role/{rest.split('/')[0]}"

    @property
    def by_own_policies(self) -> bool:
        """Whether AWS says that the policies on the sender's side refused it: its own, or its organization's."""
        return self.blames not in {"", "resource-based"}

    @property
    def own_side(self) -> tuple[str, ...]:
        """Ids of what the sender's own policies hang on: its role and session, the caller where neither is named."""
        return (self.role, self.principal) if self.principal else (self.caller,)


@lru_cache(maxsize=2048)  # every rule reads the same texts again
def read_text(text: str) -> Reading | None:
    """Say what an error text means; None when it is none of SQS's refusals."""
    return next((reading for reading, pattern in TEXTS if pattern.search(text[:MAX_TEXT])), None)


def signs(case: Case, *readings: Reading) -> tuple[Sign, ...]:
    """Return the refusals with one of these readings, all without any, oldest first."""
    found = [sign for sign in _all(case) if not readings or sign.reading in readings]
    return oldest_first(found)


def _all(case: Case) -> Iterator[Sign]:
    for call in failed_calls(case.evidence, case.target.id):
        yield from _of_call(call)
    for said in overheard(case, "sqs"):
        yield from _of_text(said, case.target)
    yield from _of_pollers(case)


def _of_call(call: TraceCall) -> Iterator[Sign]:
    for error in call.errors:
        reading = read_text(error_text(error))
        if reading:
            yield Sign(reading, error_text(error), call.start, call.caller, call.operation, call)
            return
    if not call.errors and (call.throttle or call.http_status == 429):
        yield Sign(Reading.THROTTLED, "", call.start, call.caller, call.operation, call)
    elif not call.errors and call.http_status == 403:
        yield Sign(Reading.DENIED, "", call.start, call.caller, call.operation, call)
    elif not call.errors and (call.http_status or 0) >= 500:
        yield Sign(Reading.INTERNAL, "", call.start, call.caller, call.operation, call)


def _of_text(said: Overheard, queue: Resource) -> Iterator[Sign]:
    text = said.text
    if MENTIONS.search(text) and ERROR_LIKE.search(text) and (said.alone or _names(text, queue)):
        operation, reading = OPERATION.search(text), read_text(text)
        if reading:
            yield Sign(reading, text, said.at, said.caller, operation.group(1) if operation else None, said.evidence)


def _of_pollers(case: Case) -> Iterator[Sign]:
    """Read what Lambda's pollers report, and what Lambda answered to those who set a mapping up."""
    pollers = {Reading.TIMEOUTS, Reading.POLLER_DENIED, Reading.POLLER_NO_QUEUE}
    for found in case.evidence.of(Consumers):
        for mapping in found.mappings:
            text = f"{mapping.last_result} {mapping.state_reason}".strip()
            reading = poller_reading(text)
            if reading:
                yield Sign(reading, text, mapping.last_modified, mapping.function, "ReceiveMessage", found)
    for change in case.all(Change):
        reading = read_text(f"{change.error_code}: {change.error_message}") if change.error_code else None
        if reading in pollers:
            yield Sign(reading, change.error_message, change.observed_at, change.who, "ReceiveMessage", change)


POLLER_ROLE = re.compile(
    r"\brole\b.{0,120}\b(?:permission|not authorized|denied)|access ?denied|not authorized", re.IGNORECASE
)


def poller_reading(text: str) -> Reading | None:
    """Say what a mapping's last result or state reason means; what a poller is told is about its own reading."""
    found = read_text(text)
    if found in {Reading.NO_QUEUE, Reading.POLLER_NO_QUEUE}:
        return Reading.POLLER_NO_QUEUE
    if found in {Reading.TIMEOUTS, Reading.POLLER_DENIED, Reading.KMS_STATE, Reading.KMS_DENIED, Reading.KMS_RATE}:
        return found
    assumes = re.search(r"assume", text, re.IGNORECASE)
    return Reading.POLLER_DENIED if POLLER_ROLE.search(text) and not assumes else None


def _names(text: str, queue: Resource) -> bool:
    return re.search(rf"(?:[:/]|queue:? ?[`'\"]?){re.escape(queue.name)}(?![\w.-])", text, re.IGNORECASE) is not None
