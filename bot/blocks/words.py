"""Times, amounts and signs as people read them."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from domain.report import SeverityLevel
from domain.values import utc
from domain.window import Window

LOOKING = ":mag:"
WAITING = ":hourglass_flowing_sand:"
PENDING = ":white_circle:"
DONE = ":white_check_mark:"
PARTLY = ":warning:"
LATE = ":stopwatch:"
FAILED = ":x:"
SKIPPED = ":fast_forward:"
VERDICT = ":red_circle:"
UNDECIDED = ":grey_question:"
HEALTHY = ":large_green_circle:"

SEPARATOR = " · "

SEVERITY = {
    SeverityLevel.CRITICAL: "critical",
    SeverityLevel.HIGH: "high",
    SeverityLevel.MEDIUM: "medium",
    SeverityLevel.LOW: "low",
}
"""The levels worth naming; the others say that nothing was measured or nothing is wrong."""


def clock(moment: datetime) -> str:
    """Return a UTC time of day: "09:53"."""
    return f"{utc(moment):%H:%M}"


def day_and_clock(moment: datetime) -> str:
    """Return a UTC day and time: "20 Nov 09:53"."""
    return f"{utc(moment).day} {utc(moment):%b %H:%M}"


def span(window: Window) -> str:
    """Return a window: "09:52–09:56 UTC", with days where it crosses midnight."""
    start, end = utc(window.start), utc(window.end)
    if start.date() == end.date():
        return f"{start.day} {start:%b} {clock(start)}–{clock(end)} UTC"
    return f"{day_and_clock(start)} – {day_and_clock(end)} UTC"


def on_the_clock(moments: Sequence[datetime]) -> list[str]:
    """Return times of day, with their days where they lie more than half a day apart."""
    wide = bool(moments) and max(moments) - min(moments) > timedelta(hours=12)
    return [day_and_clock(moment) if wide else clock(moment) for moment in moments]


def duration(seconds: float) -> str:
    """Return a length of time: "85 ms", "0.4 s", "2 min 5 s", "3 h 20 min"."""
    if seconds < 0.1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def percent(share: float) -> str:
    """Return a share of 0 to 1: "92 %"; what is not all never reads "100 %"."""
    rounded = round(share * 100)
    return f"{99 if rounded == 100 and share < 1 else rounded} %"


def count(number: int, noun: str) -> str:
    """Return "1 specialist", "2 specialists", "3,210 looks"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
