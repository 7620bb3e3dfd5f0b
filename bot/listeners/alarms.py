"""What people do about alarms: mute them, hear them again, have one investigated that would not be."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from bot.answers import Asker, asker_of
from bot.asking import Asked
from bot.blocks import alarms as lines
from bot.blocks import ids
from bot.blocks.message import Message
from bot.blocks.usage import refused
from bot.listeners.contract import Bot
from bot.outbox import Label
from bot.outgoing import content
from bot.watch.muting import Order
from domain.values import JsonObject
from orchestrator.alarm_store import Mute

Ack = Callable[..., Awaitable[Any]]

BUTTON = timedelta(hours=2)
"""For how long the button mutes."""
FORGOTTEN = "I do not know that alarm any more. Mute it by its name: `/rca mute <alarm> 2h`."


async def command(bot: Bot, ack: Ack, asked: Asked) -> None:
    """/rca mute …: all in the channel see what is muted; lists and refusals go to the person alone."""
    order = asked.order or Order()
    said = await obeyed(bot, order, asked.trigger.user or "")
    private = bool(order.wrong) or not order.pattern
    await ack(response_type="ephemeral" if private else "in_channel", **content(said))


async def mention(bot: Bot, asked: Asked, key: str) -> None:
    """@rca mute …: answered in the thread."""
    said = await obeyed(bot, asked.order or Order(), asked.trigger.user or "")
    label = Label(investigation="", role="mute", key=key)
    await bot.outbox.post(asked.trigger.channel or "", said, label, thread_ts=asked.trigger.thread)


async def obeyed(bot: Bot, order: Order, user: str) -> Message:
    """Do what was ordered, and return what came of it."""
    now, alarms = bot.now(), bot.watch.alarms
    if order.wrong:
        return refused(order.wrong)
    if not order.pattern:
        return lines.mutes([(m.pattern, m.until, m.user) for m in await alarms.mutes(now=now)])
    if order.length is None:
        return lines.unmuted(order.pattern, await alarms.unmute(order.pattern, now=now), user)
    await alarms.mute(Mute(pattern=order.pattern, until=now + order.length, user=user), now=now)
    return lines.muted(order.pattern, now + order.length, user)


async def mute(bot: Bot, ack: Ack, body: JsonObject) -> None:
    """[Mute 2 h]: said where all can see it, with a button that ends it."""
    await _pressed(bot, ack, body, BUTTON)


async def unmute(bot: Bot, ack: Ack, body: JsonObject) -> None:
    """[Unmute]: the same."""
    await _pressed(bot, ack, body, None)


async def _pressed(bot: Bot, ack: Ack, body: JsonObject, length: timedelta | None) -> None:
    await ack()
    asker, pressed = asker_of(body), body["actions"][0]
    value = str(pressed.get("value") or "")
    name = await _alarm_of(bot, value)
    if not name:
        await bot.answers.say(asker, refused(FORGOTTEN))
        return
    said = await obeyed(bot, Order(name, length), asker.user)
    button = [lines.unmute_button(value)] if length is not None else []
    label = Label(investigation="", role="mute", key=str(pressed.get("action_ts") or ""))
    shown = said.model_copy(update={"blocks": (*said.blocks, *button)})
    await bot.outbox.post(asker.channel, shown, label, thread_ts=asker.thread or asker.message_ts or None)


async def _alarm_of(bot: Bot, value: str) -> str:
    """Return the name of the alarm that a button is about: of a transition, or of an investigation."""
    number, pointed = ids.transition_referred(value), ids.referred(value)
    if number is not None:
        taken = await bot.watch.alarms.get(number)
        return taken.notice.alarm.name if taken else ""
    investigation = await bot.store.get(pointed.investigation_id) if pointed else None
    alarm = investigation.trigger.alarm if investigation else None
    return alarm.name if alarm else ""


async def investigate(bot: Bot, ack: Ack, body: JsonObject, asked: Asked | None) -> None:
    """[Investigate anyway]: the intake has written the investigation down."""
    await ack()
    asker: Asker = asker_of(body)
    if asked is None or asked.investigation is None:
        await bot.answers.say(asker, refused(FORGOTTEN))
        return
    bot.desk.take(asked.investigation, asker)
