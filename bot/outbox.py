"""The one way out to Slack's channels: every message is sent once, in order, at a pace that Slack takes."""

import asyncio
from datetime import datetime

from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks.message import Message
from bot.outgoing import Label
from bot.pacing import Clock, Pace
from bot.pictures.gallery import Gallery
from bot.pictures.render import Renderer
from bot.posts import Post, Posts
from bot.updates import Updates
from domain.pictures import Pictures
from orchestrator.store import MessageRef

__all__ = ["Label", "Outbox"]


class Outbox:
    """Sends to the channels of one workspace. The client must not retry on its own: see `bot.calls.slack_client`."""

    def __init__(
        self,
        client: AsyncWebClient,
        *,
        bot_user: str = "",
        clock: Clock | None = None,
        pace: Pace | None = None,
        renderer: Renderer | None = None,
    ) -> None:
        self._clock = clock or Clock()
        self._posts = Posts(client, bot_user, self._clock, pace or Pace())
        self._updates = Updates(client, self._clock, pace or Pace())
        self._gallery = Gallery(client, self._posts.turn, self._clock, renderer)

    async def post(
        self,
        channel: str,
        message: Message,
        label: Label,
        *,
        thread_ts: str | None = None,
        maybe_since: datetime | None = None,
        yields: bool = False,
    ) -> MessageRef:
        """Post a message and return where it stands; raises NotDelivered when Slack refuses it or stays away.

        `maybe_since`: an earlier process may have posted it since then, so it is searched for first. One that `yields`
        lets every other post into the channel go before it.
        """
        return await self._posts.post(Post(channel, message, label, thread_ts, yields), maybe_since)

    def update(self, where: MessageRef, message: Message, label: Label) -> None:
        """Let the message show this soon; only the newest of several waiting updates is sent."""
        self._updates.send(where, message, label, last=False)

    async def conclude(self, where: MessageRef, message: Message, label: Label) -> bool:
        """Let the message show this before any progress is sent; False when Slack does not take it."""
        return await asyncio.shield(self._updates.send(where, message, label, last=True))

    async def show(self, pictures: Pictures, investigation_id: str, channel: str, thread_ts: str | None) -> bool:
        """Draw the pictures and upload them in one message; False, and a line in the log, when that does not work."""
        return await self._gallery.show(pictures, investigation_id, channel, thread_ts)

    async def flush(self) -> None:
        """Wait until everything is sent or given up."""
        parts = (self._posts, self._updates, self._gallery)
        while any(part.under_way for part in parts):  # noqa: ASYNC110 - three counts, looked at once a life
            await asyncio.sleep(0.02)
