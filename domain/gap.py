"""Gaps: evidence asked for and not obtained. A failed look is a gap, never an empty answer."""

from enum import StrEnum

from domain.values import Value


class GapReason(StrEnum):
    """Why a look gave no evidence."""

    ACCESS_DENIED = "access_denied"
    NOT_FOUND = "not_found"
    THROTTLED = "throttled"
    TIMED_OUT = "timed_out"
    FAILED = "failed"
    NO_DATA = "no_data"


class Gap(Value):
    """One look that failed.

    `action` is the exact IAM action to grant, set when the reason is `access_denied`; `message` is one sentence
    that says what is unknown because of it and what to do.
    """

    specialist: str
    probe: str
    resource: str
    reason: GapReason
    action: str | None = None
    message: str
