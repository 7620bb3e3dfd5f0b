"""Rows of the tables that say which cause an outcome states. Pure."""

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from specialists.stepfunctions.outcome import Outcome

PREFIXES = {"sfn": "states", "stepfunctions": "states", "eventbridge": "events"}
"""Services whose name in an error differs from the one in a task's resource."""


def says(pattern: str) -> re.Pattern[str]:
    """Compile words; their case is AWS's to choose."""
    return re.compile(pattern, re.IGNORECASE)


class Row(NamedTuple):
    """A cause, and what an outcome must be for it."""

    cause: str
    fits: Callable[[Outcome], bool]


def named(cause: str, *errors: str) -> Row:
    """Fit error names of Step Functions itself."""
    return Row(cause, lambda o: o.error in errors)


def told(cause: str, pattern: str, *, service: str = "") -> Row:
    """Fit words in the error's name or cause, of tasks of one service where given."""
    words = says(pattern)
    return Row(cause, lambda o: (not service or service_of(o) == service) and words.search(text_of(o)) is not None)


def text_of(outcome: Outcome) -> str:
    """Return everything that the failure says."""
    return f"{outcome.error}: {outcome.cause}"


def service_of(outcome: Outcome) -> str:
    """Return the service that the failed task used; from the error's name where no event tells."""
    if outcome.task is not None and outcome.task.service:
        return outcome.task.service
    prefix = outcome.error.partition(".")[0].lower()
    return PREFIXES.get(prefix, prefix) if "." in outcome.error else ""


def first(rows: Iterable[Row], outcome: Outcome) -> str | None:
    """Return the cause of the first row that fits."""
    return next((row.cause for row in rows if row.fits(outcome)), None)
