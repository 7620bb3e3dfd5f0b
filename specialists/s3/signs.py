"""What callers were told when the bucket refused them: every error text read once, as one thing.

Codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
S3 answers HEAD requests without a body, so their errors are a bare status: "An error occurred (404) when calling the
HeadObject operation: Not Found".
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from domain.evidence import Evidence
from domain.resource import Resource
from domain.trace import TraceCall
from specialists.contract import Case
from specialists.kit.overheard import (
    Overheard,
    error_text,
    failed_calls,
    hides_missing_object,
    oldest_first,
    overheard,
    refused_by_identity,
    refused_by_resource,
    refused_principal,
)

MAX_TEXT = 2_000


class Reading(StrEnum):
    """What an error text says. The first that fits is meant."""

    KEY_RATE = "too many calls to KMS"
    KEY_GOING = "the KMS key waits for its deletion"
    KEY_GONE = "no such KMS key"
    KEY = "the KMS key may not be used"
    DESTINATION = "destination not valid"
    PUBLIC = "public access is blocked"
    ACL = "ACLs are off"
    REGION = "another Region"
    NO_BUCKET = "no such bucket"
    NO_KEY = "no such object"
    SLOW = "too many requests"
    DENIED = "access denied"
    BUSY = "unavailable"


TEXTS = tuple(
    (reading, re.compile(pattern, re.IGNORECASE))
    for reading, pattern in (
        (Reading.KEY_RATE, r"KMS\.?Throttl|rate at which you may call KMS"),
        (Reading.KEY_GOING, r"(?:\bkms\b|KMS\w{1,20}|:key/).{0,200}pending ?deletion"),
        (Reading.KEY_GONE, r"\bKMS\.?NotFound|Key '?arn:aws[^\s']{1,200}'? does not exist|\bInvalid keyId\b"),
        (Reading.KEY, r"\bKMS\.?\w{0,14}(?:AccessDenied|Disabled|InvalidState|InvalidKeyUsage)|customer master key"),
        (Reading.KEY, r"\bkms:(?:Decrypt|Encrypt|ReEncrypt|GenerateDataKey|DescribeKey)|:key/\S{1,80} is disabled"),
        (Reading.KEY, r"\bKMS key\b|\bService: (?:AWS)?Kms\b"),
        (Reading.DESTINATION, r"Unable to validate the following destination configurations?"),
        (Reading.PUBLIC, r"\bBlockPublic(?:Policy|Acls|Access)\b|RestrictPublicBuckets|IgnorePublicAcls"),
        (Reading.PUBLIC, r"Block Public Access\b|\bpublic access (?:is|was) (?:prevented|blocked)"),
        (Reading.ACL, r"AccessControlListNotSupported|bucket does not allow ACLs"),
        (Reading.REGION, r"PermanentRedirect|IllegalLocationConstraint|BucketRegionError|Moved Permanently"),
        (Reading.REGION, r"must be addressed using the specified endpoint|bucket is in this region|incorrect region"),
        (Reading.REGION, r"the region '[^']{0,40}' is wrong|location constraint is incompatible"),
        (Reading.NO_BUCKET, r"NoSuchBucket(?!Policy)|\bbucket does not exist"),
        (Reading.NO_KEY, r"NoSuchKey|NoSuchVersion|specified (?:key|version) does not exist"),
        (Reading.SLOW, r"Slow ?Down|reduce your request rate"),
        (Reading.DENIED, r"Access ?Denied|AllAccessDisabled|not authorized to perform:?\s{0,4}s3|\b403\b|Forbidden"),
        (Reading.BUSY, r"Service ?Unavailable|\b503\b"),
    )
)
"""Tried in this order; each pattern is bounded."""

NOT_PERMISSION = re.compile(
    r"SignatureDoesNotMatch|InvalidAccessKeyId|ExpiredToken|InvalidToken|RequestTimeTooSkewed|Request has expired"
    r"|Policy Condition failed|which were not signed|request signature we calculated",
    re.IGNORECASE,
)
"""Refusals with HTTP 403 that no policy causes: credentials, clocks, forms."""

BARE_MISSING = re.compile(r"\b404\b|\bNot ?Found\b", re.IGNORECASE)
STATUS = {403: Reading.DENIED, 301: Reading.REGION, 503: Reading.BUSY}

_OPERATIONS = (
    r"(?:(?:Head|Get|Put|Copy|Delete|Restore|List)Objects?(?:V2|Tagging|Attributes|Acl)?"
    r"|(?:Head|Get|Put|List|Create|Delete)Bucket\w{0,40}|CreateMultipartUpload|UploadPart|CompleteMultipartUpload)"
)
OPERATION = re.compile(rf"(?:when calling the|S3:|operation:?) ?({_OPERATIONS})\b")
MENTIONS = re.compile(
    rf"\bs3\b|AmazonS3|S3Exception|NoSuch(?:Key|Bucket)|specified key does|calling the {_OPERATIONS} operation",
    re.IGNORECASE,
)
"""Marks a line that speaks of S3."""

ANONYMOUS = re.compile(r"\banonymous\b", re.IGNORECASE)


class Sign(NamedTuple):
    """One refusal: what was said, to whom, about which operation and object, and the evidence that holds it."""

    reading: Reading
    text: str
    at: datetime | None
    caller: str
    operation: str
    key: str
    evidence: Evidence

    @property
    def principal(self) -> str:
        """The ARN of who was refused, where the text names it."""
        return refused_principal(self.text)

    @property
    def anonymous(self) -> bool:
        """Whether S3 says that nobody signed the request."""
        return ANONYMOUS.search(self.text) is not None

    @property
    def hidden(self) -> bool:
        """Whether S3 told of a missing object as of a missing right, because its caller may not list the bucket."""
        return hides_missing_object(self.text, self.operation)

    @property
    def by_identity(self) -> bool:
        """Whether AWS says that a policy on the caller's side refused; permissions are judged there."""
        return refused_by_identity(self.text)

    @property
    def by_resource(self) -> bool:
        """Whether AWS says that the policy of the resource refused."""
        return refused_by_resource(self.text)


def read_text(text: str, operation: str = "") -> Reading | None:
    """Say what an error text means; None when it is none of the bucket's refusals."""
    return _read(text[:MAX_TEXT], operation)


@lru_cache(maxsize=2048)  # every rule reads the same texts again
def _read(text: str, operation: str) -> Reading | None:
    found = next((reading for reading, pattern in TEXTS if pattern.search(text)), None)
    if found is Reading.DENIED and hides_missing_object(text, operation):
        return Reading.NO_KEY
    if found is Reading.DENIED and NOT_PERMISSION.search(text):
        return None
    if found is None and BARE_MISSING.search(text):
        return _missing(operation)
    return found


def _missing(operation: str) -> Reading | None:
    if operation in {"HeadObject", "GetObject", "CopyObject", "GetObjectAttributes"}:
        return Reading.NO_KEY
    return Reading.NO_BUCKET if operation in {"HeadBucket", "GetBucketLocation"} else None


def signs(case: Case, *readings: Reading) -> tuple[Sign, ...]:
    """Return the refusals with one of these readings, all without any, oldest first."""
    found = [sign for sign in _all(case) if not readings or sign.reading in readings]
    return oldest_first(found)


def counted(found: Iterable[Sign]) -> str:
    """Count them with their operations: "3 `GetObject`"."""
    listed = list(found)
    operations = sorted({f"`{sign.operation}`" for sign in listed if sign.operation})
    noun = "request" if len(listed) == 1 else "requests"
    return f"{len(listed)} {'/'.join(operations) or noun}"


def _all(case: Case) -> Iterator[Sign]:
    for call in failed_calls(case.evidence, case.target.id):
        yield from _of_call(call)
    for said in overheard(case, "s3"):
        yield from _of_text(said, case.target)


def _of_call(call: TraceCall) -> Iterator[Sign]:
    operation, key = call.operation or "", call.attributes.get("key", "")
    for error in call.errors:
        reading = read_text(error_text(error), operation)
        if reading:
            yield Sign(reading, error_text(error), call.start, call.caller, operation, key, call)
            return
    status = call.http_status or 0
    by_status = _missing(operation) if status == 404 else STATUS.get(status)
    if by_status and not call.errors:
        yield Sign(by_status, "", call.start, call.caller, operation, key, call)


def _of_text(said: Overheard, bucket: Resource) -> Iterator[Sign]:
    if MENTIONS.search(said.text) and (said.alone or _names(said.text, bucket)):
        operation = OPERATION.search(said.text)
        name = operation[1] if operation else ""
        reading = read_text(said.text, name)
        if reading:
            yield Sign(reading, said.text, said.at, said.caller, name, "", said.evidence)


def _names(text: str, bucket: Resource) -> bool:
    return re.search(rf"(?<![\w.-]){re.escape(bucket.name)}(?![\w-])", text) is not None
