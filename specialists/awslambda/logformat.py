"""Telling an error from other log messages, over the runtimes' formats. Pure.

Plain and JSON formats: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html
"""

import json
import re
from functools import lru_cache
from typing import Any, NamedTuple

from specialists.awslambda.reports import is_report

MAX_READ = 4_000
MAX_TEXT = 2_000
"""How many characters of a message are read, and how many of an error's text are kept."""

PATTERN = (
    "?ERROR ?Error ?error ?Exception ?exception ?Traceback ?FATAL ?CRITICAL ?panic ?fatal ?denied"
    ' ?"timed out" ?"not found" ?"no space" ?"Too many" ?"Read-only" ?ETIMEDOUT ?ECONN ?failed ?INIT_REPORT'
)
"""CloudWatch's filter: any of these; `is_error` decides again."""

ERROR_LIKE = re.compile(
    r"\[?\b(?:ERROR|FATAL|CRITICAL)\b|\b[\w.$]{0,80}(?:Error|Exception|Fault)\b\s*[:({]|\"errorType\""
    r"|Traceback \(most recent|signal: \w+|\bpanic: |\bfatal error: |\[Errno \d+\]|exit status \d+"
    r"|\bE(?:ACCES|MFILE|NOSPC|ROFS|TIMEDOUT|CONN[A-Z]{3,7})\b|\bis not authorized to perform"
    r"|Couldn't find valid bootstrap|fork/exec |heap out of memory|\"condition\"\s{0,2}:"
)
QUIET = re.compile(
    r"\[(?:INFO|WARN|WARNING|DEBUG|TRACE)\]|\t(?:INFO|WARN|DEBUG|TRACE)\t|^(?:START|END|EXTENSION|LOGS)\s"
)
TIMED_OUT = re.compile(r"Task timed out after \d{1,4}\.\d{1,3} seconds")
EXITED = re.compile(r"RequestId: \S{1,64} Error: (Runtime exited[^\r\n]{0,200}|Runtime failed[^\r\n]{0,200})")
PYTHON = re.compile(r"\[ERROR\] ([A-Za-z_][\w.]{0,120})(?:: ?([^\r\n]{0,500}))?(?=[\r\n]|$)")
NODE_UNHANDLED = re.compile(
    r"\tERROR\t(?:Invoke Error|Uncaught Exception|Unhandled Promise Rejection)[\s:]{0,4}(\{.{0,4000})", re.DOTALL
)
NAMED = re.compile(
    r"(?:^|[\s:\]])((?:[A-Za-z_$][\w$]{0,60}\.){0,8}[A-Z][\w$]{0,60}(?:Error|Exception)): ?([^\r\n]{0,500})"
)
GO = re.compile(r'\d{4}/\d\d/\d\d \d\d:\d\d:\d\d (\{"errorMessage":.{0,4000})', re.DOTALL)
FRAME = re.compile(r"[\r\n][\t ]{0,8}at ")
FIELD = re.compile(r'"(errorType|errorMessage)"\s{0,2}:\s{0,2}"((?:[^"\\]|\\.){0,1000})"')
BAD_END = re.compile(r'Status: (?:timeout|error)|"status"\s{0,2}:\s{0,2}"(?:timeout|error|failure)"')
FRAMES = ("stackTrace", "stack", "trace")


class LogError(NamedTuple):
    """An error as a log message gives it; `fatal`: the runtime says that the invocation ended with it."""

    type: str
    message: str
    fatal: bool


def is_error(message: str) -> bool:
    """Tell whether a log message speaks of an error."""
    return read_error(message[:MAX_READ]) is not None or (is_report(message) and BAD_END.search(message) is not None)


@lru_cache(maxsize=8192)
def read_error(message: str) -> LogError | None:
    """Return the error in a log message, or None where it is none: another level, or a platform report."""
    if is_report(message):
        return None
    event = _json(message)
    if event is not None:
        return _from_json(event)
    return _from_text(message)


def _from_text(message: str) -> LogError | None:
    return next((error for read in READERS if (error := read(message)) is not None), None)


def _ended(message: str) -> LogError | None:
    """Read how the platform says that an invocation ended; inside JSON that was cut it is a quotation."""
    if message.lstrip()[:1] == "{":
        return None
    if match := TIMED_OUT.search(message):
        return LogError("Sandbox.Timedout", match.group(), fatal=True)
    match = EXITED.search(message)
    return LogError("Runtime.ExitError", match.group(1), fatal=True) if match else None


def _node(message: str) -> LogError | None:
    match = NODE_UNHANDLED.search(message)
    if match is None:
        return None
    event = _json(match.group(1))
    found = _from_json(event) if event is not None else _cut_json(message)
    return (found or LogError("", match.group(1)[:500], fatal=True))._replace(fatal=True)


def _python(message: str) -> LogError | None:
    match = PYTHON.search(message)
    if match is None or not _unhandled(match.group(1), message):
        return None
    return LogError(match.group(1), match.group(2) or "", fatal=True)


def _go(message: str) -> LogError | None:
    """Read what the Go runtime prints of the error that a handler returned and so ended with; it has no stack."""
    match = GO.match(message)
    event = _json(match.group(1)) if match else None
    found = _from_json(event) if event is not None else None
    return found._replace(fatal=True) if found else None


def _cut_json(message: str) -> LogError | None:
    """Read JSON that was cut, or that stands inside other text."""
    fields = dict(FIELD.findall(message))
    fatal = "tackTrace" in message
    return LogError(fields.get("errorType", ""), fields.get("errorMessage", ""), fatal) if fields else None


def _plain(message: str) -> LogError | None:
    if QUIET.search(message) or not ERROR_LIKE.search(message):
        return None
    named = NAMED.search(message)
    if named is None:
        return LogError("", message[:MAX_TEXT], fatal="panic: " in message)
    return LogError(named.group(1), named.group(2), fatal=FRAME.search(message) is not None)


READERS = (_node, _go, _python, _ended, _cut_json, _plain)
"""From what a runtime prints of an exception, which may quote another function's end, to what anybody may print."""


def _unhandled(name: str, message: str) -> bool:
    return name.endswith(("Error", "Exception")) or name.startswith("Runtime.") or "Traceback" in message


def _from_json(event: dict[str, Any]) -> LogError | None:
    inner = event.get("message")
    if isinstance(inner, dict) and inner.keys() & {"errorType", "errorMessage"}:
        event = {**event, **inner}
    if "errorType" in event or "errorMessage" in event:
        fatal = any(name in event for name in FRAMES)
        return LogError(str(event.get("errorType", "")), str(event.get("errorMessage", "")), fatal)
    text = str(event.get("message") or event.get("msg") or event.get("error") or "")
    if match := TIMED_OUT.search(text) or EXITED.search(text):
        return _ended(match.group())
    level = str(event.get("level") or event.get("severity") or event.get("log_level") or "").upper()
    if level not in {"ERROR", "FATAL", "CRITICAL"}:
        return None
    name = str(event.get("exception_name") or "")
    detail = event.get("exception") or event.get("error") or ""
    if isinstance(detail, dict):
        name, detail = name or str(detail.get("name") or ""), detail.get("message") or ""
    return LogError(name, f"{text} {detail}".strip()[:MAX_TEXT], fatal=False)


def _json(text: str) -> dict[str, Any] | None:
    if text.lstrip()[:1] != "{":
        return None
    try:
        event = json.loads(text)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None
