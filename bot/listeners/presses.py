"""Buttons of a report: each shows or records something, and answers the person who pressed it."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from bot.answers import Asker, asker_of
from bot.blocks import ids
from bot.blocks.answer import question_view
from bot.blocks.message import Message, message, section
from bot.blocks.report import part_with, report_messages
from bot.blocks.usage import refused
from bot.blocks.views import evidence_view, gaps_view, review_view, why_view
from bot.blocks.views.ask import THANKS
from bot.listeners.contract import Bot
from bot.outbox import Label
from domain.report import Report
from domain.values import JsonObject
from orchestrator.store import Grade, MessageRef, MessageRole
from remediation.catalogue import Refused, checked

Ack = Callable[..., Awaitable[Any]]

FORGOTTEN = "I do not have that report any more. Ask again with `/rca` and the trace id."
NO_SUCH_ACTION = "That step is not in this report any more. Press *Run again* for a fresh one."
UNKNOWN = "I do not know that button any more: it is of an older version of me. Press *Run again* for fresh ones."


class Press(NamedTuple):
    """A pressed button of a stored report; `position` is the one thing it points at, if any."""

    bot: Bot
    asker: Asker
    action_id: str
    report: Report
    position: int


async def evidence(press: Press) -> None:
    """Show the evidence."""
    await press.bot.answers.open(press.asker, evidence_view(press.report))


async def evidence_page(press: Press) -> None:
    """Turn a page of the evidence."""
    await press.bot.answers.replace(press.asker, evidence_view(press.report, press.position))


async def why(press: Press) -> None:
    """Show the hypotheses and what speaks for and against each."""
    await press.bot.answers.open(press.asker, why_view(press.report))


async def gaps(press: Press) -> None:
    """Show what could not be checked, and what to grant."""
    await press.bot.answers.open(press.asker, gaps_view(press.report))


async def question(press: Press) -> None:
    """Open the form for a question about the report."""
    await press.bot.answers.open(press.asker, question_view(press.report.investigation_id))


async def review(press: Press) -> None:
    """Show exactly what a proposed action would do; one that the catalogue does not know is refused."""
    if press.position >= len(press.report.proposed_actions):
        await press.bot.answers.say(press.asker, refused(NO_SUCH_ACTION))
        return
    try:
        checked(press.report.proposed_actions[press.position])
    except Refused as no:
        await press.bot.answers.say(press.asker, refused(str(no)))
        return
    await press.bot.answers.open(press.asker, review_view(press.report, press.position))


async def dismiss(press: Press) -> None:
    """Record that nobody needs to look at a proposed action any more."""
    if press.position >= len(press.report.proposed_actions):
        await press.bot.answers.say(press.asker, refused(NO_SUCH_ACTION))
        return
    action = press.report.proposed_actions[press.position]
    ident = press.report.investigation_id
    first = await press.bot.store.dismiss(ident, action.id, press.asker.user, now=press.bot.now())
    said = "Dismissed. Nothing will be done." if first else "That was dismissed already."
    await press.bot.answers.say(press.asker, _said(said))
    if press.asker.message_ts:
        await _show_dismissed(press)


async def _show_dismissed(press: Press) -> None:
    """Edit the report's message so that it shows the step as dismissed."""
    ident = press.report.investigation_id
    dismissed = await press.bot.store.dismissed(ident)
    number = part_with(press.report, press.position, dismissed)
    parts = report_messages(press.report, dismissed)
    if number < len(parts):
        where = MessageRef(channel=press.asker.channel, ts=press.asker.message_ts)
        press.bot.outbox.update(
            where, parts[number], Label(investigation=ident, role=MessageRole.REPORT, key=str(number))
        )


async def grade(press: Press) -> None:
    """Record how right the verdict was, in this person's eyes."""
    given = next(each for each in ids.GRADES if each.action_id == press.action_id)
    ident, user = press.report.investigation_id, press.asker.user
    await press.bot.store.grade(ident, user, Grade(given.name), now=press.bot.now())
    await press.bot.answers.say(press.asker, _said(THANKS[given.name]))


def _said(text: str) -> Message:
    return message(text, [section(text)])


PRESSES: dict[str, Callable[[Press], Awaitable[None]]] = {
    ids.EVIDENCE: evidence,
    ids.EVIDENCE_PREVIOUS: evidence_page,
    ids.EVIDENCE_NEXT: evidence_page,
    ids.WHY: why,
    ids.GAPS: gaps,
    ids.QUESTION: question,
    ids.REVIEW: review,
    ids.DISMISS: dismiss,
    **{each.action_id: grade for each in ids.GRADES},
}
"""What each button does."""


async def on_press(bot: Bot, ack: Ack, body: JsonObject) -> None:
    """Ack, find the report, do what the button says; a button of nothing we know is answered too."""
    await ack()
    asker, pressed = asker_of(body), body["actions"][0]
    action_id = str(pressed.get("action_id") or "")
    if action_id not in PRESSES:
        await bot.answers.say(asker, refused(UNKNOWN))
        return
    pointed = ids.referred(str(pressed.get("value") or ""))
    report = await bot.store.report(pointed.investigation_id) if pointed else None
    if report is None or pointed is None:
        await bot.answers.say(asker, refused(FORGOTTEN))
        return
    await PRESSES[action_id](Press(bot, asker, action_id, report, pointed.position or 0))
