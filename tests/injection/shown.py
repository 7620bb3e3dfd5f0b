"""Everything that people are shown of a report, and what in it would be alive."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.blocks.answer import answer_message
from bot.blocks.board import Board, board_message
from bot.blocks.message import Message
from bot.blocks.reply import reply
from bot.blocks.report import report_messages
from bot.blocks.root import concluded, looking
from bot.blocks.views import evidence_view, gaps_view, review_view, why_view
from bot.terminal import render_report
from domain.inquiry import Answer, Inquiry
from domain.progress import SpecialistFinished
from domain.report import Report
from orchestrator.store import StoredBundle
from orchestrator.telling import headline
from tests.support.concluding import AT
from tests.support.slack import CODE, live, mrkdwn_in, refusals

UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2028\u2029\u2060-\u206f\ufe00-\ufe0f\U000e0000-\U000e01ef]"
)
CLICKABLE = re.compile(r"(?i)https?://(?![a-z0-9.-]+\.aws\.amazon\.com/)\S+|\x1b\]8")
ASKER = "U0MIA"
MARKED = re.compile(r"\*now\*|\*bold\*|:rotating_light:|```")


def messages(report: Report, stored: StoredBundle) -> tuple[Message, ...]:
    """The messages of a thread, from the first to the report."""
    replies = (
        reply(SpecialistFinished(investigation_id=report.investigation_id, result=r, headline=headline(r), found=True))
        for r in stored.results
    )
    board = Board(place=report.trigger.text, region="eu-west-1", trigger=report.trigger)
    return (looking(board), board_message(board), *replies, *report_messages(report), concluded(report))


def answered(answer: Answer, report: Report, inquiry: Inquiry) -> Message:
    return answer_message(answer, report, inquiry)


def views(report: Report) -> Iterator[object]:
    """Every modal that a report can open."""
    yield from (evidence_view(report, page) for page in range(1 + len(report.evidence) // 15))
    yield from (why_view(report), gaps_view(report))
    yield from (review_view(report, n) for n in range(len(report.proposed_actions)))


def alive(report: Report, stored: StoredBundle) -> list[str]:
    """Return what of a report is a live link, a mention or markup and not ours, in Slack or in a terminal."""
    posted = [each for message in messages(report, stored) for each in alive_in(message)]
    opened = [each for view in views(report) for text in mrkdwn_in(view) for each in _alive(text)]
    terminal = render_report(report)
    return [*posted, *opened, *UNSEEN.findall(terminal), *CLICKABLE.findall(terminal)]


def alive_in(message: Message) -> list[str]:
    """Return the same of one message, which Slack must take."""
    assert refusals(message) == ()

    return [each for text in (*mrkdwn_in(message.blocks), message.text) for each in _alive(text)]


def _alive(text: str) -> list[str]:
    return [*live(text, user=ASKER), *MARKED.findall(CODE.sub("", text)), *UNSEEN.findall(text)]


def everything(report: Report, stored: StoredBundle) -> str:
    """Return all that is kept and shown of an investigation, as one text."""
    blocks = [m.model_dump_json() if hasattr(m, "model_dump_json") else repr(m) for m in messages(report, stored)]
    return "\n".join(
        (report.model_dump_json(), stored.model_dump_json(), *blocks, render_report(report), repr(list(views(report))))
    )


def asked(text: str) -> Inquiry:
    return Inquiry(
        key="q1", investigation_id="INV-7F3K9Q2M", text=text, user=ASKER, channel="C1", thread="1.5", named=True, asked_at=AT
    )  # fmt: skip


def verbatim(report: Report, stored: StoredBundle) -> bool:
    """Whether Slack is told to look for no links, channels or mentions of its own in any text that it formats."""
    objects = [
        o for shown in (*(m.blocks for m in messages(report, stored)), *views(report)) for o in _formatted(shown)
    ]
    return bool(objects) and all(o.get("verbatim") is True for o in objects)


def _formatted(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        if value.get("type") == "mrkdwn":
            yield value
        for inner in value.values():
            yield from _formatted(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _formatted(inner)
