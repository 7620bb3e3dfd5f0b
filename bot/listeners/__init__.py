"""Every listener, by what Slack delivers. Each acks, translates and calls.

Slack delivers an event again that nobody acks, so everything we subscribe to, and every button, has a listener.
"""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.asking import INVESTIGATE, Asked
from bot.blocks.ids import INVESTIGATE_ALARM, MUTE, QUESTION_VIEW, RUN_AGAIN, UNMUTE
from bot.listeners import alarms, presses, starts
from bot.listeners.contract import Bot
from bot.listeners.home import show_home
from bot.listeners.questions import submitted
from domain.values import JsonObject
from orchestrator.alarm_store import Taken

Ack = Callable[..., Awaitable[Any]]

ANYTHING = re.compile(".*")


def register(app: AsyncApp, bot: Bot) -> None:
    """Let the app listen; what is listed last catches what no other listener of its kind takes."""
    _register_asks(app, bot)
    _register_buttons(app, bot)
    _register_alarms(app, bot)

    async def on_home(body: JsonObject) -> None:
        await show_home(bot, body)

    async def ignore(ack: Ack, body: JsonObject) -> None:  # noqa: ARG001 - every listener takes the body
        await ack()

    app.event("app_home_opened")(bot.guarded(on_home))
    app.view(ANYTHING)(bot.guarded(ignore))
    app.view_closed(ANYTHING)(bot.guarded(ignore))
    app.event(ANYTHING)(bot.guarded(ignore))


def _register_asks(app: AsyncApp, bot: Bot) -> None:
    async def on_command(ack: Ack, body: JsonObject, asked: Asked) -> None:
        await starts.command(bot, ack, body, asked)

    async def on_shortcut(ack: Ack, body: JsonObject, asked: Asked) -> None:
        await starts.shortcut(bot, ack, body, asked)

    async def on_run_again(ack: Ack, body: JsonObject, asked: Asked | None) -> None:
        await starts.run_again(bot, ack, body, asked)

    async def on_question(ack: Ack, body: JsonObject, asked: Asked | None) -> None:
        await submitted(bot, ack, body, asked)

    app.command(ANYTHING)(bot.guarded(on_command))
    app.shortcut(INVESTIGATE)(bot.guarded(on_shortcut))
    app.action(RUN_AGAIN)(bot.guarded(on_run_again))
    app.view(QUESTION_VIEW)(bot.guarded(on_question))


def _register_buttons(app: AsyncApp, bot: Bot) -> None:
    async def on_investigate(ack: Ack, body: JsonObject, asked: Asked | None) -> None:
        await alarms.investigate(bot, ack, body, asked)

    async def on_mute(ack: Ack, body: JsonObject) -> None:
        await alarms.mute(bot, ack, body)

    async def on_unmute(ack: Ack, body: JsonObject) -> None:
        await alarms.unmute(bot, ack, body)

    async def on_press(ack: Ack, body: JsonObject) -> None:
        await presses.on_press(bot, ack, body)

    app.action(INVESTIGATE_ALARM)(bot.guarded(on_investigate))
    app.action(MUTE)(bot.guarded(on_mute))
    app.action(UNMUTE)(bot.guarded(on_unmute))
    app.action(ANYTHING)(bot.guarded(on_press))


def _register_alarms(app: AsyncApp, bot: Bot) -> None:
    """Messages may tell of an alarm, and so may a mention, where an app wrote it."""

    async def on_message(body: JsonObject, taken: Taken | None) -> None:  # noqa: ARG001 - every listener takes the body
        if taken is not None:
            bot.watch.act(taken)

    async def on_mention(body: JsonObject, asked: Asked | None, taken: Taken | None) -> None:
        await on_message(body, taken)
        if asked is not None:
            await starts.mention(bot, body, asked)

    app.event("message")(bot.guarded(on_message))
    app.event("app_mention")(bot.guarded(on_mention))
