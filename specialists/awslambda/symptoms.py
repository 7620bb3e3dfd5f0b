"""Gathering what was said about a function's failure, by whom, and which cause each text states. Pure.

Three kinds of speaker: the function and its runtime (trace, logs), Lambda answering a caller, Lambda reporting a state.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from domain.evidence import Evidence
from domain.trace import TracedError, TraceSegment
from specialists.awslambda.evidence import FunctionConfiguration, FunctionMissing
from specialists.awslambda.logformat import MAX_READ, MAX_TEXT, read_error
from specialists.awslambda.reading import configurations, failing, versions_called
from specialists.awslambda.texts import BY_STATE, answered_cause, printed_cause, supplied_cause
from specialists.contract import Case
from specialists.kit.change import Change
from specialists.kit.key import KeyState
from specialists.kit.loglines import LogEvent, LogLines

INVOKES = ("invoke", "invokeasync", "invokewithresponsestream", "lambda:invoke")
KEY_CAUSES = {
    "Disabled": "lambda-kms-disabled",
    "PendingDeletion": "kms-pending-deletion",
    "PendingReplicaDeletion": "kms-pending-deletion",
    "": "kms-key-not-found",
}
HEAD = 1_000
"""Where in a log line's text a cause is looked for; what follows are stack frames."""

VERSION = re.compile(r"^\d{4}/\d{2}/\d{2}/[^\[\]]{0,140}\[(\$LATEST|\d{1,20})\]")
"""The version in a log stream's name: 2026/11/21/[3]8f0c…; other versions of the function write to the same group."""

REQUEST_FILTER = "request "
"""How the filter of log lines begins that belong to the traced request."""


class Seen(StrEnum):
    """Where a symptom was seen."""

    TRACE = "trace"  # the function's own segment
    REQUEST = "request"  # log lines of the traced request
    ANSWER = "answer"  # what a caller got from Lambda in the trace
    CALL = "call"  # what the function got from Secrets Manager, Parameter Store or KMS in a trace that failed
    LOG = "log"  # log lines of the window, of any request
    STATE = "state"  # what Lambda or KMS reports about the function or its key
    REFUSED = "refused"  # a change that Lambda refused


TRACED = frozenset({Seen.TRACE, Seen.REQUEST, Seen.ANSWER, Seen.CALL})


class Symptom(NamedTuple):
    """One thing that was said; `text` is what a cause is read from, `headline` what people are shown."""

    cause: str | None
    text: str
    headline: str
    type: str
    evidence: Evidence
    seen: Seen
    at: datetime | None
    fatal: bool


@dataclass(frozen=True)
class Diagnosis:
    """A stated cause with everything that states it, graded; `since` is when it was first seen."""

    cause: str
    symptoms: tuple[Symptom, ...]
    proof: tuple[Evidence, ...] = ()
    strong: tuple[Evidence, ...] = ()
    weak: tuple[Evidence, ...] = ()

    @property
    def since(self) -> datetime | None:
        """The first time that it was seen."""
        return min((s.at for s in self.symptoms if s.at), default=None)

    @property
    def headline(self) -> str:
        """The most telling words: the traced ones first."""
        return self.symptoms[0].headline

    @property
    def often(self) -> str:
        """How many log lines state it: " (12 log lines since 09:53 UTC)"."""
        lines = sum(s.seen in {Seen.LOG, Seen.REQUEST} for s in self.symptoms)
        when = f" since {self.since:%H:%M} UTC" if self.since else ""
        return f" ({lines} log lines{when})" if lines > 1 else ""


def symptoms(case: Case) -> tuple[Symptom, ...]:
    """Return every symptom of the target, the traced ones first."""
    return (*_traced(case), *_logged(case), *_states(case), *_refused(case))


def diagnoses(case: Case) -> dict[str, Diagnosis]:
    """Return the causes that texts and states say, by code."""
    said = symptoms(case)
    stated: dict[str, list[Symptom]] = {}
    for symptom in said:
        if symptom.cause:
            stated.setdefault(symptom.cause, []).append(symptom)
    return {cause: _graded(case, cause, tuple(found), said) for cause, found in stated.items()}


def unstated(case: Case) -> tuple[Symptom, ...]:
    """Return the function's own failures that state no cause of the table: plain exceptions."""
    return tuple(s for s in symptoms(case) if s.cause is None and s.seen in {Seen.TRACE, Seen.REQUEST, Seen.LOG})


def _graded(case: Case, cause: str, found: tuple[Symptom, ...], said: tuple[Symptom, ...]) -> Diagnosis:
    """Grade: the failed trace proves; a state proves with a symptom; logs prove where no trace says otherwise."""
    traced = [s for s in said if s.seen in TRACED]
    agrees = any(s.cause == cause for s in traced)
    grades: dict[str, list[Evidence]] = {"proof": [], "strong": [], "weak": []}
    for symptom in found:
        if symptom.seen in TRACED:
            grade = "weak" if symptom.seen is Seen.REQUEST and not symptom.fatal and _ended_well(case) else "proof"
        elif symptom.seen is Seen.STATE:
            grade = "proof" if failing(case) else "strong"
        elif symptom.seen is Seen.REFUSED:
            grade = "weak" if traced else "proof"
        elif agrees:
            grade = "strong"
        else:
            grade = _grade_of_logs(case, found, said, contradicted=bool(traced))
        if symptom.evidence not in grades[grade]:
            grades[grade].append(symptom.evidence)
    proof, strong, weak = (tuple(grades[name]) for name in ("proof", "strong", "weak"))
    return Diagnosis(
        cause,
        found,
        proof,
        tuple(e for e in strong if e not in proof),
        tuple(e for e in weak if e not in proof + strong),
    )


def _ended_well(case: Case) -> bool:
    """Tell whether the traced request has an end and no failure: what it logged on its way, it lived with."""
    return bool(case.segments()) and not case.segments(failed=True) and not case.calls_to(failed=True)


def _grade_of_logs(case: Case, found: tuple[Symptom, ...], said: tuple[Symptom, ...], *, contradicted: bool) -> str:
    healthy = bool(case.segments()) and not failing(case)
    if contradicted or healthy:
        return "weak"
    lines = [s for s in said if s.seen is Seen.LOG]
    common = 2 * sum(s.seen is Seen.LOG for s in found) >= len(lines)
    fatal = any(s.fatal for s in found)
    if fatal and common:
        return "proof"
    return "strong" if fatal or (common and failing(case)) else "weak"


def _traced(case: Case) -> Iterator[Symptom]:
    for segment in case.segments(failed=True):
        answered = segment.origin_type == "AWS::Lambda"
        for error in segment.errors:
            text = _words(error)
            cause = answered_cause(text) if answered else printed_cause(text)
            yield Symptom(cause, text, _headline(text), error.type, segment, Seen.TRACE, segment.start, fatal=True)
    for lines, event, of_request in _log_events(case):
        if of_request:
            yield from _said_in(lines, event, Seen.REQUEST)
    for call in case.calls_to(failed=True):
        invokes = (call.operation or "invoke").lower() in INVOKES
        for error in call.errors:
            text = _words(error)
            cause = answered_cause(text, error.code or error.type if invokes else "")
            yield Symptom(
                cause, text, _headline(text), error.code or error.type, call, Seen.ANSWER, call.start, fatal=True
            )
    yield from _supplied(case)


def _supplied(case: Case) -> Iterator[Symptom]:
    """Yield what the function did not get; an answer that it lived with, or asked for again with success, is none."""
    if not any(segment.failed for segment in case.evidence.of(TraceSegment)):
        return
    for call in case.calls_from(failed=True):
        again = (c for c in case.calls_from(failed=False) if (c.service, c.operation) == (call.service, call.operation))
        if any(c.start > call.start and not c.pending for c in again):
            continue
        for error in call.errors:
            cause = supplied_cause(call.service, error.code or error.type, error.message)
            if cause is not None:
                text = _words(error)
                yield Symptom(
                    cause, text, _headline(text), error.code or error.type, call, Seen.CALL, call.start, fatal=True
                )


def _logged(case: Case) -> Iterator[Symptom]:
    called = versions_called(case) if _ended_well(case) else frozenset()
    for lines, event, of_request in _log_events(case):
        ran = VERSION.search(event.stream)
        elsewhere = bool(called) and ran is not None and ran[1] not in called
        if not (of_request or elsewhere):
            yield from _said_in(lines, event, Seen.LOG)


def _log_events(case: Case) -> Iterator[tuple[LogLines, LogEvent, bool]]:
    """Yield every log event once, with whether it belongs to the traced request.

    A runtime's own error line often lacks the request id: it belongs to the request when it stands in the same stream
    between lines that have it.
    """
    requests = [lines for lines in case.all(LogLines) if lines.filter.startswith(REQUEST_FILTER)]
    others = [lines for lines in case.all(LogLines) if not lines.filter.startswith(REQUEST_FILTER)]
    shown = {event for lines in requests for event in lines.events}
    spans = [span for lines in requests for span in _spans(lines.events)]
    yield from ((lines, event, True) for lines in requests for event in lines.events)
    for lines in others:
        for event in lines.events:
            if event not in shown:
                yield (
                    lines,
                    event,
                    any(event.stream == stream and first <= event.at <= last for stream, first, last in spans),
                )


def _spans(events: tuple[LogEvent, ...]) -> Iterator[tuple[str, datetime, datetime]]:
    for stream in sorted({e.stream for e in events} - {""}):
        times = [e.at for e in events if e.stream == stream]
        if len(times) > 1:
            yield stream, min(times), max(times)


def _said_in(lines: LogLines, event: LogEvent, seen: Seen) -> Iterator[Symptom]:
    error = read_error(event.message[:MAX_READ])
    if error is not None:
        text = f"{error.type}: {error.message}\n{event.message[:MAX_TEXT]}"
        headline = _headline(f"{error.type}: {error.message}" if error.type else error.message)
        yield Symptom(printed_cause(text[:HEAD]), text, headline, error.type, lines, seen, event.at, error.fatal)


def _states(case: Case) -> Iterator[Symptom]:
    for missing in {m.qualifier: m for m in case.all(FunctionMissing)}.values():
        text = missing.message or missing.summary()
        yield Symptom("lambda-function-not-found", text, _headline(text), "", missing, Seen.STATE, None, fatal=True)
    for configuration in configurations(case):
        yield from _configured(configuration)
    keys = {c.kms_key_arn for c in configurations(case) if c.kms_key_arn}
    for key in case.all(KeyState):
        if key.state in KEY_CAUSES and keys & {key.named, key.key_arn}:
            yield Symptom(KEY_CAUSES[key.state], key.summary(), key.summary(), "", key, Seen.STATE, None, fatal=True)


def _configured(configuration: FunctionConfiguration) -> Iterator[Symptom]:
    state = configuration.state
    if state.state == "Failed":
        cause = BY_STATE.get(state.reason_code, "lambda-inactive-or-failed")
        yield Symptom(
            cause, str(state), f"State {state}", state.reason_code, configuration, Seen.STATE, None, fatal=True
        )
    if configuration.env_error is not None:
        text = f"{configuration.env_error.code}: {configuration.env_error.message}"
        yield Symptom(answered_cause(text), text, _headline(text), "", configuration, Seen.STATE, None, fatal=True)


def _refused(case: Case) -> Iterator[Symptom]:
    for change in case.all(Change):
        cause = None if change.took_effect else answered_cause(f"{change.error_code}: {change.error_message}")
        if cause is not None:
            text = f"{change.event_name} refused: {change.error_code} {change.error_message}".rstrip()
            yield Symptom(cause, text, _headline(text), "", change, Seen.REFUSED, change.observed_at, fatal=False)


def _words(error: TracedError) -> str:
    """Return type, code and message; a code that only shortens the type ("Runtime.MarshalError") is not said again."""
    said = error.code is None or error.type == error.code or error.type.endswith(f".{error.code}")
    return f"{error.type}: {error.message}" if said else f"{error.type} {error.code}: {error.message}"


WRAPPING = re.compile(
    r"https response error StatusCode: \d{3}, RequestID: [^,\r\n]{0,80}, (?:HostID: [^,\r\n]{0,120}, )?(?:api error )?"
)
"""What Go's SDK puts before the words of AWS."""


def _headline(text: str) -> str:
    text = WRAPPING.sub("", text)
    line = next((part.strip() for part in text.replace("\r", "\n").split("\n") if part.strip()), "").removesuffix(":")
    return line if len(line) <= 160 else line[:159] + "…"
