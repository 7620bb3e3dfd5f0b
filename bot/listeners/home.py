"""The App Home: the investigations that a person asked for, newest first."""

from collections.abc import Sequence
from typing import Any

from bot.blocks import ids
from bot.blocks.limits import MOST_BLOCKS, Surface
from bot.blocks.message import Block, actions, button, context, divider, section
from bot.blocks.root import sign_of
from bot.blocks.text import code, prose
from bot.blocks.usage import how_to_ask
from bot.blocks.words import SEPARATOR, day_and_clock, duration, percent
from bot.listeners.contract import Bot
from domain.report import Report
from domain.values import JsonObject

SHOWN = 20
AMONG = 200


async def show_home(bot: Bot, body: JsonObject) -> None:
    """Publish the home of who opened it: others' investigations may be of channels they are not in."""
    event = body["event"]
    if event.get("tab") != "home":
        return
    recent = await bot.store.recent(AMONG)
    own = [report for report in recent if report.trigger.user == event["user"]]
    await bot.answers.publish(event["user"], home_view(own[:SHOWN]))


def home_view(reports: Sequence[Report]) -> dict[str, Any]:
    """Return the home view of these reports: https://docs.slack.dev/surfaces/app-home."""
    blocks: list[Block] = [*how_to_ask().blocks, divider(), section("*Your recent investigations*")]
    for report in reports:
        blocks += _row(report)
    if not reports:
        blocks.append(context("None yet."))
    return {"type": "home", "blocks": blocks[: MOST_BLOCKS[Surface.HOME]]}


def _row(report: Report) -> list[Block]:
    sure = f" ({percent(report.root_cause.confidence)})" if report.root_cause else ""
    small = (
        f"{day_and_clock(report.completed_at)} UTC",
        duration(report.duration_seconds),
        code(report.investigation_id),
    )
    buttons = actions(
        button("Evidence", ids.EVIDENCE, ids.reference(report.investigation_id)),
        button("Why this verdict", ids.WHY, ids.reference(report.investigation_id)),
    )
    said = f"{sign_of(report)} *{prose(report.headline, 200)}*{sure}"
    return [section(said), context(SEPARATOR.join(small)), buttons]
