"""Whether events can come in and be posted: for `rca doctor`. It receives nothing and posts nothing."""

import asyncio
from collections.abc import AsyncIterator
from typing import NamedTuple

from slack_sdk.web.async_client import AsyncWebClient

from aws.errors import CALL_ERRORS
from aws.queue import QueueSession
from bot.events.channels import Channels
from bot.events.routes import Routes
from bot.events.trouble import trouble


class Checked(NamedTuple):
    """One thing that was checked, and how it is, or what to do about it."""

    good: bool
    subject: str
    words: str


async def check_queue(url: str) -> Checked:
    """Ask for the queue's attributes."""
    try:
        facts = await asyncio.to_thread(QueueSession(url).facts)
    except CALL_ERRORS as error:
        return Checked(good=False, subject="events", words=trouble(error, url))
    if facts.dead_letters is None:
        words = (
            f"{url} has no dead-letter queue. Give it a redrive policy; until then the store keeps what is rejected."
        )
        return Checked(good=False, subject="events", words=words)
    words = f"{url}, after {facts.most_receives} receives to {facts.dead_letters}"
    return Checked(good=True, subject="events", words=words)


async def check_channels(routes: Routes, client: AsyncWebClient) -> AsyncIterator[Checked]:
    """Ask for each channel of the table whether we are in it."""
    channels = Channels(client)
    for channel in dict.fromkeys(row.channel for row in routes.rows):
        good = await channels.open(channel)
        words = "the bot is in it" if good else "the bot is not in it. Invite it there with /invite @rca."
        yield Checked(good=good, subject=f"channel {channel}", words=words)
