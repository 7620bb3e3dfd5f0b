"""The form of the [Ask] button: its answer comes into the investigation's thread. Mentions are in `starts`."""

from collections.abc import Awaitable, Callable
from typing import Any

from bot.asking import Asked
from bot.blocks.ids import QUESTION_INPUT
from bot.blocks.text import plain
from bot.listeners.contract import Bot
from domain.values import JsonObject

Ack = Callable[..., Awaitable[Any]]


async def submitted(bot: Bot, ack: Ack, body: JsonObject, asked: Asked | None) -> None:  # noqa: ARG001 - as every one
    """Close the form and answer, or say in it why there is nothing to answer."""
    if asked is not None and asked.unusable:
        await ack(response_action="errors", errors={QUESTION_INPUT: plain(asked.unusable)})
        return
    await ack()
    if asked is not None and asked.inquiry is not None:
        await bot.questions.answer(asked.inquiry)
