"""The root message: what was asked, and later what came of it, edited in place. The rest is in its thread."""

import re
from datetime import datetime

from bot.blocks.board import Board
from bot.blocks.message import Message, message, section
from bot.blocks.text import code, prose
from bot.blocks.words import (
    DONE,
    FAILED,
    HEALTHY,
    LOOKING,
    SEPARATOR,
    UNDECIDED,
    VERDICT,
    WAITING,
    clock,
    count,
    duration,
    percent,
    span,
)
from domain.report import Report, ReportStatus
from domain.request import Trigger, TriggerKind
from domain.result import SpecialistStatus

ASKED = 48
"""Characters of what was asked that the root message repeats."""

SUMMARY = 500

_USER = re.compile(r"[UW][A-Z0-9]{2,20}")
_BY_A_PERSON = frozenset({TriggerKind.SLASH_COMMAND, TriggerKind.MENTION, TriggerKind.SHORTCUT, TriggerKind.RERUN})
_BY = {
    TriggerKind.ALARM_POST: "from the alarm",
    TriggerKind.EVENTBRIDGE: "from an event",
    TriggerKind.CLI: "from the command line",
    TriggerKind.RERUN: "run again",
}


def queued(trigger: Trigger, ahead: int, until: datetime | None = None) -> Message:
    """Return the root message of an investigation that waits for `ahead` others; none begins before `until`."""
    waits = f"queued, {ahead} ahead" if ahead else "queued, next in line"
    limit = f"; the limit of an hour is reached, it goes on at {clock(until)} UTC" if until else ""
    return message(f"Investigation {waits}", [section(f"{WAITING} {_asked(trigger)}\n_{waits}{limit}_")])


def looking(board: Board) -> Message:
    """Return the root message while specialists look."""
    asked = _asked(board.trigger) if board.trigger else "looking"
    where = SEPARATOR.join(
        part
        for part in (
            prose(board.place, 80),
            code(board.region, 20),
            span(board.window) if board.window else "",
        )
        if part
    )
    known = (
        f"{count(len(board.specialists), 'specialist')}, {board.finished} done" if board.specialists else "the trace"
    )
    lines = [f"{LOOKING} {asked}", where, f"_looking: {known}_"]
    return message(f"Looking: {known}", [section("\n".join(line for line in lines if line))])


def concluded(report: Report) -> Message:
    """Return the root message with the verdict."""
    sure = f" ({percent(report.root_cause.confidence)})" if report.root_cause else ""
    said = report.told.summary if report.told else report.summary
    told = f"{said} {report.next_look or ''}" if report.status is not ReportStatus.COMPLETED else said
    lines = [f"{sign_of(report)} *{prose(report.headline, 200)}*{sure}", prose(told, SUMMARY), _small_print(report)]
    return message(f"{prose(report.headline, 200)}{sure}", [section("\n".join(line for line in lines if line))])


def recovered(root: Message, seconds: float, sentence: str = "") -> Message:
    """Return a root message whose alarm went back to OK after so many seconds; `sentence` says how its metric is."""
    after = f"recovered after {duration(seconds)}"
    shown = "\n".join(str(block["text"]["text"]) for block in root.blocks)
    lines = [f"{DONE} {after}{SEPARATOR}{shown}", prose(sentence, SUMMARY)]
    return message(f"{after}{SEPARATOR}{root.text}", [section("\n".join(line for line in lines if line))])


def sign_of(report: Report) -> str:
    """Return the sign by which people see at a glance how it ended."""
    if report.status is ReportStatus.FAILED:
        return FAILED
    if report.status is ReportStatus.INCONCLUSIVE:
        return UNDECIDED
    return VERDICT if report.root_cause else HEALTHY


def _small_print(report: Report) -> str:
    if report.status is ReportStatus.FAILED:
        return f"Nothing was lost: {code(report.investigation_id)}"
    asked = [s for s in report.specialists if s.status is not SpecialistStatus.SKIPPED]
    whole = [s for s in asked if s.status in {SpecialistStatus.SUCCESS, SpecialistStatus.PARTIAL}]
    return SEPARATOR.join(
        (
            duration(report.duration_seconds),
            f"{len(whole)} of {count(len(asked), 'specialist')}",
            "report in the thread",
        )
    )


def _asked(trigger: Trigger) -> str:
    """Say what was asked and by whom; a person is named only by the user id that Slack itself gave us."""
    text = trigger.text
    if trigger.kind is TriggerKind.SLASH_COMMAND and not text.startswith("/"):
        text = f"/rca {text}"
    what = code(text, ASKED) or "an investigation"
    known = trigger.user and _USER.fullmatch(trigger.user) and trigger.kind in _BY_A_PERSON
    asker = f"asked by <@{trigger.user}>" if known else ""
    return SEPARATOR.join(part for part in (what, _BY.get(trigger.kind, ""), asker) if part)
