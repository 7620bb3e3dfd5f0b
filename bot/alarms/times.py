"""Times as alarm posts tell them. What is ambiguous ("11/12/26 10:00", a zone's letters) is None: CloudWatch is asked.

CloudWatch writes "2020-03-25T11:31:31.380+0000" in JSON and "Wednesday 25 March, 2020 11:31:31 UTC" in mails.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime

from orchestrator.when import iso_time

LONGEST = 120
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
ISO = re.compile(
    r"(?<![0-9])([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?)"
    r"[ ]?(Z\b|UTC\b|GMT\b|[+-][0-9]{2}:?[0-9]{2}(?![0-9])|)(?:[ ]?\(?(UTC|GMT)\b)?([ ]?[A-Z]{2,5}\b)?"
)
LONG = re.compile(
    r"(?<![0-9])([0-9]{1,2})[ -]([A-Za-z]{3,9})\.?,?[ -]([0-9]{4}),?[ ]([0-9]{2}:[0-9]{2}(?::[0-9]{2})?)"
    r"[ ]?(UTC|GMT|Z|[+-][0-9]{2}:?[0-9]{2})"
)
AMERICAN = re.compile(
    r"\b([A-Za-z]{3,9})\.?[ ]([0-9]{1,2}),?[ ]([0-9]{4}),?[ ]([0-9]{2}:[0-9]{2}(?::[0-9]{2})?)"
    r"[ ]?(UTC|GMT|Z|[+-][0-9]{2}:?[0-9]{2})"
)
EPOCH = re.compile(r"([0-9]{10})(?:([0-9]{3})|\.([0-9]{1,9}))?")


def moment_of(text: str) -> datetime | None:
    """Return the UTC moment that a text of at most 120 characters tells in one of the forms that leave no doubt."""
    text = text.strip()
    if len(text) > LONGEST:
        return None
    return next((at for read in FORMS if (at := read(text)) is not None), None)


def from_epoch_text(text: str) -> datetime | None:
    """Read seconds since 1970, with a fraction or not, or milliseconds."""
    found = EPOCH.fullmatch(text.strip())
    if found is None:
        return None
    seconds = int(found[1]) + (int(found[2]) / 1000 if found[2] else float(f"0.{found[3]}") if found[3] else 0)
    return iso_time(datetime.fromtimestamp(seconds, tz=UTC).isoformat())


def _iso(text: str) -> datetime | None:
    found = ISO.search(text)
    if found is None or (found[5] and not found[3]):
        return None
    zone = "" if found[3] in {"UTC", "GMT", "Z"} else found[3]
    return iso_time(f"{found[1]}T{found[2]}{zone}")


def _long(text: str) -> datetime | None:
    found = LONG.search(text)
    return _dated(found[3], found[2], found[1], found[4], found[5]) if found else None


def _american(text: str) -> datetime | None:
    found = AMERICAN.search(text)
    return _dated(found[3], found[1], found[2], found[4], found[5]) if found else None


def _dated(year: str, month: str, day: str, clock: str, zone: str) -> datetime | None:
    name = month[:3].lower()
    if name not in MONTHS:
        return None
    offset = "" if zone in {"UTC", "GMT", "Z"} else zone
    return iso_time(f"{year}-{MONTHS.index(name) + 1:02}-{int(day):02}T{clock}{offset}")


FORMS: tuple[Callable[[str], datetime | None], ...] = (_iso, _long, _american, from_epoch_text)
