"""Log lines as evidence."""

from datetime import datetime

from pydantic import AwareDatetime

from domain.evidence import Evidence
from domain.values import Value

REFUSED = "refused calls"
"""The filter of lines in which AWS refuses calls of the function that wrote them."""


class LogEvent(Value):
    """One log event, UTC; the message is redacted and cut before any rule sees it."""

    at: AwareDatetime
    message: str
    stream: str = ""


class LogLines(Evidence, kind="logs"):
    """Log events that a filter matched, ascending. `truncated`: there were more than the probe read."""

    log_group: str
    filter: str  # what was asked for, in words: "errors", "request 3f1c…"
    events: tuple[LogEvent, ...] = ()
    truncated: bool = False

    @property
    def first_at(self) -> datetime | None:
        """The time of the first event."""
        return self.events[0].at if self.events else None

    def summary(self) -> str:
        """Say how many lines matched and show the first."""
        count = f"at least {len(self.events)}" if self.truncated else str(len(self.events))
        first = (
            f"; first: {self.events[0].message.strip().splitlines()[0][:160]}"
            if self.events and self.events[0].message.strip()
            else ""
        )
        return f"{count} lines ({self.filter}) in {self.log_group}{first}"
