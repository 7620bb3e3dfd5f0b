"""What callers were told, and what AWS answered to changes: every error text read once, as one thing.

Codes and texts: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html, the error shapes of the
API models, and the attributes of dead letters: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
"""

import re
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from domain.evidence import Evidence
from domain.trace import TraceCall, TraceSegment
from specialists.contract import Case
from specialists.kit.change import Change
from specialists.kit.loglines import LogLines
from specialists.kit.overheard import error_text, oldest_first

MAX_TEXT = 4_000


class Reading(StrEnum):
    """What a text says; the first that fits is meant."""

    NO_BUS = "no such bus"
    BAD_TEMPLATE = "input template refused"
    BAD_PATTERN = "pattern refused"
    BAD_SCHEDULE = "schedule expression refused"
    FAILED_ENTRIES = "entries rejected"
    EXHAUSTED = "retries used up"
    NO_PERMISSION = "target refuses"
    NO_TARGET = "no such target"


def _rows(*rows: tuple[Reading, str]) -> tuple[tuple[Reading, re.Pattern[str]], ...]:
    return tuple((reading, re.compile(pattern, re.IGNORECASE)) for reading, pattern in rows)


TEXTS = _rows(
    (Reading.NO_BUS, r"event.?bus:? \S{1,300} (?:does not exist|not found|doesn't exist)"),
    (
        Reading.BAD_TEMPLATE,
        r"InputTemplate for target|invalid placeholder <|InputTransformer\b.{0,80}\b(?:in|not )valid",
    ),
    (Reading.BAD_PATTERN, r"InvalidEventPattern|event pattern is not valid"),
    (Reading.BAD_SCHEDULE, r"ScheduleExpression is not valid|invalid schedule expression"),
    (Reading.BAD_SCHEDULE, r"(?:invalid|not a valid) (?:schedule ?expression ?)?time ?zone"),
    (Reading.FAILED_ENTRIES, r"failed.?entry.?count\W{1,6}[1-9]|EventBridge\.FailedEntry|\bMalformedDetail\b"),
    (Reading.FAILED_ENTRIES, r"\bDetail is malformed\b|total size of the entries in the request is over"),
    (Reading.EXHAUSTED, r"EXHAUSTED_RETRY_CONDITION\W{1,12}(?:\w{1,20}\W{1,12}){0,4}Maximum"),
    (Reading.NO_PERMISSION, r"\bNO_PERMISSIONS\b"),
    (Reading.NO_TARGET, r"\bERROR_CODE\W{1,12}(?:\w{1,20}\W{1,12}){0,4}RESOURCE_NOT_FOUND"),
)
"""Tried in this order; each pattern is bounded. Dead letters' attributes carry a type beside their value."""

MENTIONS = re.compile(
    r"failed.?entr|EventBridge|PutEvents|put_events|event.?bus|MalformedDetail|detail is malformed", re.IGNORECASE
)
"""Marks a line that speaks of EventBridge."""


class Sign(NamedTuple):
    """One text, when it was said, and the evidence that holds it."""

    reading: Reading
    text: str
    at: datetime | None
    evidence: Evidence


def read_text(text: str) -> Reading | None:
    """Say what a text means; None when it is nothing of EventBridge's (a denied permission is IAM's)."""
    return next((reading for reading, pattern in TEXTS if pattern.search(text[:MAX_TEXT])), None)


def signs(case: Case, *readings: Reading) -> tuple[Sign, ...]:
    """Return what was said about the target with one of these readings, oldest first."""
    found = [
        Sign(reading, text, at, evidence)
        for text, at, evidence in _texts(case)
        if (reading := read_text(text)) in readings and reading is not None
    ]
    return oldest_first(found)


def _texts(case: Case) -> Iterator[tuple[str, datetime | None, Evidence]]:
    """Yield the texts that are about the target: of calls to it, of callers that name it or know no other bus."""
    for call in case.calls_to(failed=True):
        yield from ((error_text(error), call.start, call) for error in call.errors)
    sole = {caller for caller in _callers(case) if _buses_of(case, caller) == {case.target.id}}
    for segment in case.evidence.of(TraceSegment):
        for error in segment.errors if segment.failed else ():
            if segment.resource in sole or _names(case, error.message):
                yield error_text(error), segment.start, segment
    names = {node.name: node.id for node in case.graph.nodes}
    for lines in case.all(LogLines):
        caller = names.get(lines.log_group.removeprefix("/aws/lambda/"), "")
        for event in lines.events:
            if caller in sole or _names(case, event.message):
                yield event.message, event.at, lines
    for change in case.all(Change):
        if not change.took_effect:
            yield f"{change.error_code} {change.error_message}", change.observed_at, change


def _callers(case: Case) -> set[str]:
    return {*case.graph.callers(case.target.id), *(call.caller for call in case.calls_to())}


def _buses_of(case: Case, caller: str) -> set[str]:
    called = {*case.graph.callees(caller), *(c.resource for c in case.evidence.of(TraceCall) if c.caller == caller)}
    return {resource for resource in called if ":event-bus/" in resource}


def _names(case: Case, text: str) -> bool:
    name = re.escape(case.target.name)
    return case.target.id in text or re.search(rf"(?<![\w.-]){name}(?![\w-])", text) is not None
