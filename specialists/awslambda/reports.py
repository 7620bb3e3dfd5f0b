"""Reading the platform's own lines: REPORT, INIT_REPORT, RESTORE_REPORT, as text or as JSON. Pure.

Text: https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html
JSON: https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html
"""

import json
import re
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime

from domain.values import Value

KINDS = {"REPORT": "invoke", "INIT_REPORT": "init", "RESTORE_REPORT": "restore"}
PLATFORM = {"platform.report": "invoke", "platform.initReport": "init", "platform.restoreReport": "restore"}
TEXT = re.compile(r"\s{0,8}(REPORT|INIT_REPORT|RESTORE_REPORT)\s")
REQUEST = re.compile(r"RequestId: ([0-9a-fA-F-]{36})")
FIELDS = {
    "duration": re.compile(r"(?<!Billed )(?<!Init )(?<!Restore )\bDuration: (\d{1,10}(?:\.\d{1,6})?)"),
    "init": re.compile(r"Init Duration: (\d{1,10}(?:\.\d{1,6})?)"),
    "restore": re.compile(r"(?<!Billed )Restore Duration: (\d{1,10}(?:\.\d{1,6})?)"),
    "memory": re.compile(r"Memory Size: (\d{1,6})"),
    "used": re.compile(r"Max Memory Used: (\d{1,6})"),
    "status": re.compile(r"Status: (\w{1,20})"),
    "error_type": re.compile(r"Error Type: ([\w.<>]{1,100})"),
    "during": re.compile(r"Phase: (\w{1,20})"),
}
"""Fields are parted by tabs in CloudWatch and often by blanks where a line was copied."""


class Report(Value):
    """One report. Times in milliseconds, memory in megabytes; `init_ms` is set on a cold start.

    `phase` is "invoke", "init" or "restore"; `during` the phase in which an init was repeated ("init", "invoke").
    `status` is "success", "error", "failure" or "timeout" where the platform says so, else empty.
    """

    at: AwareDatetime
    phase: str = "invoke"
    during: str = ""
    request_id: str = ""
    duration_ms: float = 0.0
    init_ms: float | None = None
    memory_mb: int = 0
    max_memory_mb: int = 0
    status: str = ""
    error_type: str = ""

    @property
    def failed(self) -> bool:
        """Whether the platform says that it did not end well."""
        return self.status in {"error", "failure", "timeout"}

    @property
    def memory_full(self) -> bool:
        """Whether all of the memory was in use."""
        return 0 < self.memory_mb <= self.max_memory_mb


def is_report(message: str) -> bool:
    """Tell whether a log message is the platform's and not the function's."""
    return TEXT.match(message) is not None or any(f'"{kind}"' in message[:400] for kind in PLATFORM)


def read_report(message: str, at: datetime) -> Report | None:
    """Return the report that a log message holds, or None for any other message."""
    match = TEXT.match(message)
    if match is not None:
        return _from_text(match.group(1), message, at)
    if not message.lstrip().startswith("{"):
        return None
    try:
        event = json.loads(message)
    except ValueError:
        return None
    return _from_json(event, at) if isinstance(event, dict) else None


def _from_text(kind: str, message: str, at: datetime) -> Report:
    found = {name: match.group(1) for name, field in FIELDS.items() if (match := field.search(message))}
    request = REQUEST.search(message)
    phase = KINDS[kind]
    main = {"invoke": "duration", "init": "init", "restore": "restore"}[phase]
    return Report(
        at=at,
        phase=phase,
        during=found.get("during", ""),
        request_id=request.group(1) if request else "",
        duration_ms=_number(found.get(main)) or 0.0,
        init_ms=_number(found.get("init")),
        memory_mb=int(found.get("memory", 0)),
        max_memory_mb=int(found.get("used", 0)),
        status=found.get("status", ""),
        error_type=found.get("error_type", ""),
    )


def _from_json(event: dict[str, Any], at: datetime) -> Report | None:
    phase = PLATFORM.get(str(event.get("type")))
    record = event.get("record")
    if phase is None or not isinstance(record, dict):
        return None
    metrics = record.get("metrics")
    metrics = metrics if isinstance(metrics, dict) else {}
    init = _number(metrics.get("initDurationMs"))
    return Report(
        at=at,
        phase=phase,
        during=str(record.get("phase", "")),
        request_id=str(record.get("requestId", "")),
        duration_ms=_number(metrics.get("durationMs")) or 0.0,
        init_ms=init,
        memory_mb=int(_number(metrics.get("memorySizeMB")) or 0),
        max_memory_mb=int(_number(metrics.get("maxMemoryUsedMB")) or 0),
        status=str(record.get("status", "")),
        error_type=str(record.get("errorType", "")),
    )


def _number(value: object) -> float | None:
    match = re.match(r"\d{1,12}(?:\.\d{1,6})?", str(value)) if value is not None else None
    return float(match.group()) if match else None
