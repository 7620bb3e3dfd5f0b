"""What callers were told when the table refused them: every error text read once, as one thing.

Codes and texts: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html and the error
shapes of DynamoDB's API model. Throttling reasons, such as IndexWriteKeyRangeThroughputExceeded:
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ThrottlingReason.html
"""

import re
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from domain.evidence import Evidence
from domain.resource import Resource
from domain.trace import TraceCall
from specialists.contract import Case
from specialists.dynamodb.evidence import Side
from specialists.dynamodb.metrics import READS, WRITES
from specialists.kit.overheard import Overheard, error_text, failed_calls, oldest_first, overheard

MAX_TEXT = 2_000


class Reading(StrEnum):
    """What an error text says. The first that fits is meant: a cancelled transaction that names a throttle is one."""

    KEY_RANGE = "a partition's limit"
    INDEX_CAPACITY = "an index's capacity"
    ACCOUNT = "the account's limit"
    MAXIMUM = "the table's own maximum"
    GROWING = "capacity not there yet, or a hot key"
    CONTROL = "too many management calls"
    CAPACITY = "provisioned capacity"
    KMS = "the key"
    KMS_RATE = "too many calls to KMS"
    STREAM = "no such stream"
    TOO_LARGE = "too large"
    NO_INDEX = "no such index"
    NO_TABLE = "no such table"
    TRANSACTION = "transaction cancelled"
    CONDITION = "condition not met"
    KEY_SCHEMA = "keys do not fit"
    VALIDATION = "invalid request"
    THROTTLED = "throttled, no reason given"
    INTERNAL = "DynamoDB's own error"


THROTTLES = frozenset(
    {
        Reading.KEY_RANGE,
        Reading.INDEX_CAPACITY,
        Reading.ACCOUNT,
        Reading.MAXIMUM,
        Reading.GROWING,
        Reading.CAPACITY,
        Reading.THROTTLED,
    }
)
"""Readings of data requests that were throttled."""


def _rows(*rows: tuple[Reading, str]) -> tuple[tuple[Reading, re.Pattern[str]], ...]:
    return tuple((reading, re.compile(pattern, re.IGNORECASE)) for reading, pattern in rows)


TEXTS = _rows(
    (Reading.KMS_RATE, r"rate at which you may call KMS"),
    (Reading.KMS, r"KMS key|AWSKMS|\bKMS\w{0,12}(?:Disabled|InvalidState|NotFound|AccessDenied)|\bkms:[A-Z]"),
    (Reading.KMS, r"inaccessible.?encryption.?credentials"),
    (Reading.KEY_RANGE, r"(?:Table|Index)(?:Read|Write)KeyRangeThroughputExceeded"),
    (Reading.INDEX_CAPACITY, r"Index(?:Read|Write)(?:Provisioned|MaxOnDemand)ThroughputExceeded"),
    (
        Reading.INDEX_CAPACITY,
        r"(?:throughput|capacity) (?:for|of) (?:one or more )?(?:the )?(?:global )?secondary index",
    ),
    (Reading.ACCOUNT, r"throughput (?:limit|quota) for your account|RequestLimitExceeded|AccountLimitExceeded"),
    (Reading.MAXIMUM, r"maximum OnDemandThroughput|TableReadMaxOnDemand|TableWriteMaxOnDemand"),
    (Reading.GROWING, r"current capacity of your table or index|\bhot (?:key|partition)"),
    (Reading.CONTROL, r"Rate of requests exceeds the allowed throughput|Subscriber limit exceeded"),
    (Reading.CAPACITY, r"ProvisionedThroughputExceeded|provisioned throughput"),
    (Reading.STREAM, r"Stream:? \S{1,400} not found|TrimmedDataAccess"),
    (Reading.TOO_LARGE, r"ItemCollectionSizeLimit|Collection size exceeded|Item size\b.{0,40}\bexceeded"),
    (Reading.TOO_LARGE, r"\bitem\b.{0,40}\bmaximum allowed size"),
    (Reading.NO_INDEX, r"does not have the specified index|IndexNotFound|\bindex:? \S{1,300} not found"),
    (Reading.THROTTLED, r"\[[^\]]{0,400}ThrottlingError"),
    (Reading.TRANSACTION, r"TransactionCancell?ed|TransactionConflict|TransactionInProgress|Transaction is ongoing"),
    (Reading.CONDITION, r"ConditionalCheckFailed|conditional request failed"),
    (Reading.KEY_SCHEMA, r"key element does not match|missing the key|missed key schema|key schema|part of the key"),
    (Reading.KEY_SCHEMA, r"mismatch for (?:index )?key|conditions on the keys is invalid|key attribute|index key"),
    (Reading.KEY_SCHEMA, r"size of (?:the )?(?:hash|range|partition|sort) ?key|non-primary key attributes"),
    (Reading.NO_TABLE, r"Requested resource not found|non-existent table|TableNotFound|ResourceNotFoundException"),
    (Reading.VALIDATION, r"ValidationException|ValidationError"),
    (Reading.THROTTLED, r"Throttl|Too ?Many ?Requests|Rate exceeded"),
    (Reading.INTERNAL, r"InternalServerError|InternalFailure|Internal server error|ServiceUnavailable"),
)
"""Tried in this order; each pattern is bounded."""

MANAGEMENT = re.compile(r"(?:Create|Update|Delete|Describe|List|Restore|Tag|Untag|Enable|Disable|Export|Import)[A-Z]")
"""Operations of the control plane; those on items are UpdateItem and DeleteItem."""

_OPERATIONS = "|".join((*READS, *WRITES, "ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction"))
OPERATION = re.compile(
    rf"(?:when calling the|DynamoDB:|operation:?) ?({_OPERATIONS}|(?:Describe|Create|Update)Table)\b"
)
"""The operation as boto3 and the Go SDK name it in their errors."""

MENTIONS = re.compile(
    r"dynamo|configured provisioned throughput|capacity of your table|Requested resource not found|conditional request"
    rf"|ConditionalCheckFailed|TransactionCancell?ed|ItemCollectionSize|key element does not match|Missing the key"
    rf"|calling the (?:{_OPERATIONS}|DescribeTable) operation|Item size\b.{{0,40}}\bexceeded",
    re.IGNORECASE,
)
"""Marks a line that speaks of DynamoDB; a code such as ThrottlingException alone may be another service's."""


class Sign(NamedTuple):
    """One refusal: what was said, to whom, about which operation, and the evidence that holds it."""

    reading: Reading
    text: str
    at: datetime | None
    caller: str
    operation: str | None
    evidence: Evidence

    @property
    def side(self) -> Side | None:
        """Which side it burdened, where the operation or the reason tells."""
        if self.operation in READS or re.search(r"(?:Table|Index)Read[A-Z]", self.text):
            return "read"
        return "write" if self.operation in WRITES or re.search(r"(?:Table|Index)Write[A-Z]", self.text) else None


def read_text(text: str, operation: str | None = None) -> Reading | None:
    """Say what an error text means; None when it is none of DynamoDB's refusals (a denied permission is IAM's)."""
    return _read(text[:MAX_TEXT], operation)


@lru_cache(maxsize=2048)  # every rule reads the same texts again
def _read(text: str, operation: str | None) -> Reading | None:
    found = next((reading for reading, pattern in TEXTS if pattern.search(text)), None)
    manages = operation is not None and operation not in WRITES and MANAGEMENT.match(operation) is not None
    if manages and (found in {Reading.THROTTLED, Reading.CAPACITY} or "LimitExceededException" in text):
        return Reading.CONTROL
    on_items = operation in READS or operation in WRITES
    # AWS words an on-demand table's refusal of an item request like that of a management call.
    return Reading.THROTTLED if on_items and found is Reading.CONTROL else found


def signs(case: Case, *readings: Reading) -> tuple[Sign, ...]:
    """Return the refusals with one of these readings, all without any, oldest first."""
    found = [sign for sign in _all(case) if not readings or sign.reading in readings]
    return oldest_first(found)


def _all(case: Case) -> Iterator[Sign]:
    for call in failed_calls(case.evidence, case.target.id):
        yield from _of_call(call)
    for said in overheard(case, "dynamodb"):
        yield from _of_text(said, case.target)


def _of_call(call: TraceCall) -> Iterator[Sign]:
    for error in call.errors:
        reading = read_text(error_text(error), call.operation)
        if reading:
            yield Sign(reading, error_text(error), call.start, call.caller, call.operation, call)
            return
    if not call.errors and (call.throttle or call.http_status == 429):
        yield Sign(Reading.THROTTLED, "", call.start, call.caller, call.operation, call)
    elif not call.errors and (call.http_status or 0) >= 500:
        yield Sign(Reading.INTERNAL, "", call.start, call.caller, call.operation, call)


def _of_text(said: Overheard, table: Resource) -> Iterator[Sign]:
    if MENTIONS.search(said.text) and (said.alone or _names(said.text, table)):
        operation = OPERATION.search(said.text)
        name = operation.group(1) if operation else None
        reading = read_text(said.text, name)
        if reading:
            yield Sign(reading, said.text, said.at, said.caller, name, said.evidence)


def _names(text: str, table: Resource) -> bool:
    return re.search(rf"(?:table/|table:? ?[`'\"]?){re.escape(table.name)}(?![\w.-])", text, re.IGNORECASE) is not None
