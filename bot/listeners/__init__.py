"""Every listener, by what Slack delivers. Each acks, translates and calls.

Slack delivers an event again that nobody acks, so everything we subscribe to, and every button, has a listener.
"""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.asking import INVESTIGATE, Asked
from bot.blocks.ids import RUN_AGAIN
from bot.listeners import presses, starts
from bot.listeners.contract import Bot
from bot.listeners.home import show_home
from domain.values import JsonObject

Ack = Callable[..., Awaitable[Any]]

ANYTHING = re.compile(".*")


def register(app: AsyncApp, bot: Bot) -> None:
    """Let the app listen."""

    async def on_command(ack: Ack, body: JsonObject, asked: Asked) -> None:
        await starts.command(bot, ack, body, asked)

    async def on_mention(body: JsonObject, asked: Asked) -> None:
        await starts.mention(bot, body, asked)

    async def on_shortcut(ack: Ack, body: JsonObject, asked: Asked) -> None:
        await starts.shortcut(bot, ack, body, asked)

    async def on_run_again(ack: Ack, body: JsonObject, asked: Asked | None) -> None:
        await starts.run_again(bot, ack, body, asked)

    async def on_press(ack: Ack, body: JsonObject) -> None:
        await presses.on_press(bot, ack, body)

    async def on_home(body: JsonObject) -> None:
        await show_home(bot, body)

    async def ignore(ack: Ack, body: JsonObject) -> None:  # noqa: ARG001 - every listener takes the body
        await ack()

    app.command(ANYTHING)(bot.guarded(on_command))
    app.event("app_mention")(bot.guarded(on_mention))
    app.event("app_home_opened")(bot.guarded(on_home))
    app.shortcut(INVESTIGATE)(bot.guarded(on_shortcut))
    app.action(RUN_AGAIN)(bot.guarded(on_run_again))
    app.action(ANYTHING)(bot.guarded(on_press))
    app.view(ANYTHING)(bot.guarded(ignore))
    app.view_closed(ANYTHING)(bot.guarded(ignore))
    app.event("message")(bot.guarded(ignore))
    app.event(ANYTHING)(bot.guarded(ignore))
