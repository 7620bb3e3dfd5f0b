"""Every id by which Slack tells us what a person did, and the one form of value that goes with them.

A value names an investigation, and at most one thing of it by its position. What would be done stays on our side.
"""

import re
from typing import NamedTuple

REVIEW = "rca_action_review"
DISMISS = "rca_action_dismiss"
EVIDENCE = "rca_evidence"
EVIDENCE_PREVIOUS = "rca_evidence_previous"
EVIDENCE_NEXT = "rca_evidence_next"
WHY = "rca_why"
GAPS = "rca_gaps"
QUESTION = "rca_question"
RUN_AGAIN = "rca_run_again"
INVESTIGATE_ALARM = "rca_alarm_investigate"
MUTE = "rca_alarm_mute"
UNMUTE = "rca_alarm_unmute"
GRADE_EXACT = "rca_grade_exact"
GRADE_ONE_HOP_SHORT = "rca_grade_one_hop_short"
GRADE_RIGHT_AREA = "rca_grade_right_area"
GRADE_WRONG = "rca_grade_wrong"

ASK_VIEW = "rca_ask"
GRADE_VIEW = "rca_grade"
EVIDENCE_VIEW = "rca_evidence_view"
WHY_VIEW = "rca_why_view"
GAPS_VIEW = "rca_gaps_view"
REVIEW_VIEW = "rca_action_view"
QUESTION_VIEW = "rca_question_view"

ASK_INPUT = "rca_ask_text"
GRADE_INPUT = "rca_grade_text"
QUESTION_INPUT = "rca_question_text"
"""Block ids of inputs; the element in each has the action id `INPUT`."""

INPUT = "text"


class Grade(NamedTuple):
    """One answer to "was this right?"."""

    action_id: str
    name: str
    label: str


GRADES: tuple[Grade, ...] = (
    Grade(GRADE_EXACT, "exact", "Exact"),
    Grade(GRADE_ONE_HOP_SHORT, "one_hop_short", "One hop short"),
    Grade(GRADE_RIGHT_AREA, "right_area", "Right area"),
    Grade(GRADE_WRONG, "wrong", "Wrong"),
)
"""From best to worst; the position is what a grade's view refers to."""

_INVESTIGATION = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TRANSITION = re.compile(r"ALARM-([0-9]{1,12})")
_REFERENCE = re.compile(rf"({_INVESTIGATION.pattern})(?::([0-9]{{1,4}}))?")


class Reference(NamedTuple):
    """What a button points at: an investigation, and one thing of it by position."""

    investigation_id: str
    position: int | None = None


def reference(investigation_id: str, position: int | None = None) -> str:
    """Return the value of a button or the metadata of a view; raises ValueError for what is no investigation's id."""
    if not _INVESTIGATION.fullmatch(investigation_id):
        raise ValueError(f"not an investigation's id: {investigation_id[:80]!r}")
    return investigation_id if position is None else f"{investigation_id}:{position}"


def referred(value: str) -> Reference | None:
    """Return what a value points at, or None when it is not one of ours."""
    found = _REFERENCE.fullmatch(value)
    return Reference(found[1], int(found[2]) if found[2] else None) if found else None


def transition(ident: int) -> str:
    """Return the value of a button that is about one transition of an alarm, by its number in the store."""
    return f"ALARM-{ident}"


def transition_referred(value: str) -> int | None:
    """Return the number of the transition that a value points at, or None when it is not one of ours."""
    found = _TRANSITION.fullmatch(value)
    return int(found[1]) if found else None
