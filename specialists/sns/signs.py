"""What publishers were told when the topic refused them: every error text read once, as one thing.

Codes: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
Alarms word their failures in their own history ("Failed to execute action …").
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from domain.evidence import Evidence, EvidenceBundle
from domain.graph import ServiceGraph
from domain.resource import Resource
from domain.trace import TraceCall, TracedError, TraceSegment
from specialists.contract import Case
from specialists.kit.loglines import LogLines
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

IDENTITY = re.compile(
    r"identity-based|permissions boundar|session polic|service control|resource control|vpc endpoint polic",
    re.IGNORECASE,
)
RESOURCE = re.compile(r"resource-based", re.IGNORECASE)
PRINCIPAL = re.compile(r"User:\s{0,4}(arn:aws[a-z-]{0,12}:(?:sts|iam)::\d{12}:[^\s\"']{1,300})")


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
        found = PRINCIPAL.search(self.text)
        return found[1].rstrip(".,;:") if found else ""

    @property
    def by_identity(self) -> bool:
        """Whether AWS says that a policy on the caller's side refused; permissions are judged there."""
        return IDENTITY.search(self.text) is not None

    @property
    def by_resource(self) -> bool:
        """Whether AWS says that the policy of the resource refused."""
        return RESOURCE.search(self.text) is not None


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
    return tuple(sorted(found, key=lambda sign: sign.at.timestamp() if sign.at else 0.0))


def cited(found: Iterable[Sign], most: int = 5) -> tuple[Evidence, ...]:
    """Return the evidence that holds these refusals, each once, the first few of many."""
    return tuple({id(sign.evidence): sign.evidence for sign in found}.values())[:most]


def began(found: Iterable[Sign]) -> datetime | None:
    """Return the time of the first refusal."""
    return min((sign.at for sign in found if sign.at), default=None)


def failed_calls(seen: EvidenceBundle, topic: str) -> tuple[TraceCall, ...]:
    """Return the trace's failed calls to the topic."""
    return tuple(call for call in seen.of(TraceCall, topic) if call.failed)


def role_of(principal: str) -> str:
    """Return the ARN of the role behind an assumed role's session, empty for anything else.

    A role's path is not part of its session's ARN, so this is the role only if it has none.
    """
    parts = principal.split(":")
    session = parts[5].split("/") if len(parts) > 5 else []
    return f"{parts[0]}:{parts[1]}:iam::{parts[4]}:role/{session[1]}" if session[:1] == ["assumed-role"] else ""


def _all(case: Case) -> Iterator[Sign]:
    calls = failed_calls(case.evidence, case.target.id)
    for call in calls:
        texts = (_text(error) for error in call.errors)
        read = ((reading, text) for text in texts if (reading := read_text(text, of_call=True)))
        yield from (Sign(reading, text, call.start, call.caller, call) for reading, text in list(read)[:1])
    told = {call.caller for call in calls if call.errors}
    topics = _topics_by_caller(case)
    for segment in case.evidence.of(TraceSegment):
        if segment.failed and segment.resource not in told:
            alone = topics.get(segment.resource) == {case.target.id}
            texts_at = ((_text(error), segment.start) for error in segment.errors)
            yield from _of_texts(texts_at, case.target, segment.resource, alone, segment)
    for lines in case.all(LogLines):
        caller = _caller_of(lines, case.graph)
        if caller is not None and caller.id not in told:
            alone = topics.get(caller.id) == {case.target.id}
            yield from _of_texts(((e.message, e.at) for e in lines.events), case.target, caller.id, alone, lines)
    for action in case.all(AlarmAction):
        reading = None if action.succeeded else read_text(action.text)
        if reading:
            yield Sign(reading, action.text, action.observed_at, action.alarm, action)


def _of_texts(
    texts: Iterable[tuple[str, datetime]], topic: Resource, caller: str, alone: bool, evidence: Evidence
) -> Iterator[Sign]:
    """Read a caller's own texts; `alone`: the topic is the only one that it calls, so they are about it."""
    for text, at in texts:
        if MENTIONS.search(text) and (alone or _names(text, topic)) and (reading := read_text(text)):
            yield Sign(reading, text, at, caller, evidence)


def _topics_by_caller(case: Case) -> dict[str, set[str]]:
    pairs = [(edge.source, edge.target) for edge in case.graph.edges]
    pairs += [(call.caller, call.resource) for call in case.evidence.of(TraceCall)]
    found: dict[str, set[str]] = {}
    for caller, called in pairs:
        if ":sns:" in called:
            found.setdefault(caller, set()).add(called)
    return found


def _text(error: TracedError) -> str:
    return " ".join(part for part in (error.code, error.type, error.message) if part)


def _names(text: str, topic: Resource) -> bool:
    return re.search(rf":{re.escape(topic.name)}(?![\w-])", text) is not None


def _caller_of(lines: LogLines, graph: ServiceGraph) -> Resource | None:
    name = lines.log_group.removeprefix("/aws/lambda/")
    return next((node for node in graph.nodes if node.name == name and lines.log_group != name), None)
