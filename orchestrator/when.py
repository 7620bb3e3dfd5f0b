"""Times in words: since, until, the last 30 minutes."""

import re
from datetime import UTC, datetime, timedelta

from domain.values import utc
from domain.window import Window
from orchestrator.errors import UnusableInput

ISO = r"([0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)"
SINCE = re.compile(rf"\bsince[ =:]{{1,3}}{ISO}", re.IGNORECASE)
UNTIL = re.compile(rf"\b(?:until|till)[ =:]{{1,3}}{ISO}", re.IGNORECASE)
LAST = re.compile(
    r"\b(?:last|past)\s{1,3}([0-9]{1,3})\s{0,3}(m|min|mins|minutes?|h|hours?|d|days?)\b",
    re.IGNORECASE,
)
UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
LONGEST = timedelta(days=7)
YEARS = range(2000, 3000)


def window_of(text: str, now: datetime, since: str | None, until: str | None) -> Window | None:
    """Return the window that the options name, else the one that the text names; None when neither names any.

    Raises UnusableInput for a time that is none, and for a window that is empty or longer than a week.
    """
    start, end = _moment(since, "--since", SINCE, text), _moment(until, "--until", UNTIL, text)
    recent = LAST.search(text)
    if start is None and end is None and recent:
        start, end = now - int(recent[1]) * UNITS[recent[2][0].lower()], now
    if start is None and end is None:
        return None
    end = end or min(now, (start or now) + timedelta(hours=6))
    start = start or end - timedelta(hours=1)
    if start >= end:
        raise UnusableInput(
            f"The window must start before it ends: {start.isoformat()} is not before {end.isoformat()}."
        )
    if end - start > LONGEST:
        raise UnusableInput("A window of more than 7 days is too long to read: narrow it with --since and --until.")
    return Window(start=start, end=end)


def _moment(option: str | None, name: str, pattern: re.Pattern[str], text: str) -> datetime | None:
    if option:
        return moment(option, name)
    found = pattern.search(text)
    return moment(found[1], name.lstrip("-")) if found else None


def moment(text: str, option: str) -> datetime:
    """Read an ISO 8601 time, UTC when no offset is given; raises UnusableInput naming the option."""
    found = iso_time(text)
    if found is None:
        example = datetime(2026, 11, 20, 9, 50, tzinfo=UTC).isoformat()
        raise UnusableInput(f"{option} takes an ISO 8601 time such as {example}, not “{text[:40]}”")
    return found


def iso_time(text: object) -> datetime | None:
    """Return the UTC moment that an ISO 8601 text names, None for anything else."""
    try:
        at = utc(datetime.fromisoformat(text.strip())) if isinstance(text, str) else None
    except (ValueError, OverflowError):
        return None
    return at if at is not None and at.year in YEARS else None
