"""What starts investigations: the slash command, a mention, the message shortcut, "Run again".

The intake has already written the investigation down, or found that the words name nothing to investigate.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from bot.answers import asker_of
from bot.asking import Asked
from bot.blocks.message import Message
from bot.blocks.usage import how_to_ask, not_understood, refused
from bot.inquiring import FORGOTTEN
from bot.listeners import alarms
from bot.listeners.contract import Bot
from bot.outbox import Label
from bot.outgoing import content
from domain.request import Trigger
from domain.values import JsonObject

Ack = Callable[..., Awaitable[Any]]


async def command(bot: Bot, ack: Ack, body: JsonObject, asked: Asked) -> None:
    """/rca …: the ack shows how to ask, or nothing, because the channel will see the investigation."""
    if asked.order is not None:
        await alarms.command(bot, ack, asked)
        return
    if asked.investigation is None:
        await ack(response_type="ephemeral", **content(usage(asked, str(body["command"]))))
        return
    await ack()
    bot.desk.take(asked.investigation, asker_of(body))


async def mention(bot: Bot, body: JsonObject, asked: Asked) -> None:
    """@rca …: answered in the thread of the message, where all can learn how to ask; other bots get no lessons."""
    if asked.order is not None:
        await alarms.mention(bot, asked, str(body.get("event_id")))
    elif asked.inquiry is not None:
        await bot.questions.answer(asked.inquiry)
    elif asked.investigation is not None:
        bot.desk.take(asked.investigation, asker_of(body))
    elif not body["event"].get("bot_id"):
        await _teach(bot, asked.trigger, usage(asked, "@rca"), str(body.get("event_id")))


async def _teach(bot: Bot, trigger: Trigger, lesson: Message, key: str) -> None:
    label = Label(investigation="", role="usage", key=key)
    await bot.outbox.post(trigger.channel or "", lesson, label, thread_ts=trigger.thread)


async def shortcut(bot: Bot, ack: Ack, body: JsonObject, asked: Asked) -> None:
    """The message shortcut: answered in the thread of the message, or to the person alone."""
    await ack()
    if asked.investigation is not None:
        bot.desk.take(asked.investigation, asker_of(body))
    else:
        await bot.answers.say(asker_of(body), usage(asked, "/rca"))


async def run_again(bot: Bot, ack: Ack, body: JsonObject, asked: Asked | None) -> None:
    """Run again: a new investigation of the same, in the same thread."""
    await ack()
    if asked is None or asked.investigation is None:
        await bot.answers.say(asker_of(body), refused(asked.unusable if asked else FORGOTTEN))
        return
    bot.desk.take(asked.investigation, asker_of(body))


def usage(asked: Asked, command: str) -> Message:
    """Return how to ask, or what was wrong with what was asked."""
    return how_to_ask(command) if asked.help else not_understood(asked.unusable, command)
