"""What publishers were told when the topic refused them: every error text read once, as one thing.

Codes: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
Alarms word their failures in their own history ("Failed to execute action …").
"""

import re
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from domain.evidence import Evidence
from domain.resource import Resource
from specialists.contract import Case
from specialists.kit.overheard import (
    error_text,
    failed_calls,
    oldest_first,
    overheard,
    refused_by_identity,
    refused_by_resource,
    refused_principal,
)
from specialists.sns.evidence import AlarmAction

MAX_TEXT = 2_000


class Reading(StrEnum):
    """What an error text says. The first that fits is meant."""

    KEY_RATE = "too many calls to KMS"
    KEY_GOING = "the key waits for its deletion"
    KEY = "the key may not be used"
    DENIED = "not allowed to publish"
    NO_TOPIC = "no such topic"


TEXTS = tuple(
    (reading, re.compile(pattern, re.IGNORECASE))
    for reading, pattern in (
        (Reading.KEY_RATE, r"KMS\.?Throttl|rate at which you may call KMS"),
        (Reading.KEY_GOING, r"(?:\bkms\b|KMS\w{1,20}|:key/).{0,200}pending ?deletion"),
        (Reading.KEY, r"\bKMS\.?\w{0,12}(?:AccessDenied|Disabled|InvalidState|NotFound|OptInRequired)|AWSKMS"),
        (Reading.KEY, r"\bkms:(?:Decrypt|Encrypt|ReEncrypt|GenerateDataKey|DescribeKey)|topic encryption key"),
        (Reading.KEY, r"\bKMS key\b|\bService: Kms\b"),
        (Reading.DENIED, r"AuthorizationError|not authorized to perform:?\s{0,4}sns:"),
        (Reading.NO_TOPIC, r"Topic does not exist|Topic not found|Invalid parameter: TopicArn"),
        (Reading.NO_TOPIC, r"\btopic:? [`'\"]?arn:aws[^\s'\"`]{1,400}[`'\"]? (?:does not exist|not found)"),
    )
)
"""Tried in this order; each pattern is bounded."""

BARE_NOT_FOUND = re.compile(r"\bNotFound(?:Exception)?\b", re.IGNORECASE)
OTHER_THINGS = re.compile(r"\b(?:Endpoint|Subscription|PlatformApplication)\b", re.IGNORECASE)
"""What else SNS may not find; a topic is not missing then."""

MENTIONS = re.compile(
    r"\bsns\b|:sns:|AmazonSNS|Topic does not exist|SnsException|calling the (?:Publish|PublishBatch) operation",
    re.IGNORECASE,
)
"""Marks a line that speaks of SNS."""


class Sign(NamedTuple):
    """One refusal: what was said, to whom, and the evidence that holds it."""

    reading: Reading
    text: str
    at: datetime | None
    caller: str
    evidence: Evidence

    @property
    def principal(self) -> str:
        """The ARN of who was refused, where the text names it."""
        return refused_principal(self.text)

    @property
    def by_identity(self) -> bool:
        """Whether AWS says that a policy on the caller's side refused; permissions are judged there."""
        return refused_by_identity(self.text)

    @property
    def by_resource(self) -> bool:
        """Whether AWS says that the policy of the resource refused."""
        return refused_by_resource(self.text)


def read_text(text: str, *, of_call: bool = False) -> Reading | None:
    """Say what an error text means; None when it is none of the topic's refusals.

    The error of a call to the topic may be a bare "NotFound"; elsewhere that is too little to go by.
    """
    found = _read(text[:MAX_TEXT])
    bare = of_call and found is None and BARE_NOT_FOUND.search(text) and not OTHER_THINGS.search(text)
    return Reading.NO_TOPIC if bare else found


@lru_cache(maxsize=2048)  # every rule reads the same texts again
def _read(text: str) -> Reading | None:
    return next((reading for reading, pattern in TEXTS if pattern.search(text)), None)


def signs(case: Case, *readings: Reading) -> tuple[Sign, ...]:
    """Return the refusals with one of these readings, all without any, oldest first."""
    found = [sign for sign in _all(case) if not readings or sign.reading in readings]
    return oldest_first(found)


def _all(case: Case) -> Iterator[Sign]:
    for call in failed_calls(case.evidence, case.target.id):
        texts = (error_text(error) for error in call.errors)
        read = ((reading, text) for text in texts if (reading := read_text(text, of_call=True)))
        yield from (Sign(reading, text, call.start, call.caller, call) for reading, text in list(read)[:1])
    for said in overheard(case, "sns"):
        about = MENTIONS.search(said.text) and (said.alone or _names(said.text, case.target))
        if about and (reading := read_text(said.text)):
            yield Sign(reading, said.text, said.at, said.caller, said.evidence)
    for action in case.all(AlarmAction):
        refused = None if action.succeeded else read_text(action.text)
        if refused:
            yield Sign(refused, action.text, action.observed_at, action.alarm, action)


def _names(text: str, topic: Resource) -> bool:
    return re.search(rf":{re.escape(topic.name)}(?![\w-])", text) is not None
