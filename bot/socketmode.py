"""Socket Mode, kept alive: https://docs.slack.dev/apis/events-api/using-socket-mode.

The SDK reconnects by itself, except when it keeps trying a URL that Slack no longer takes. A connection that stays
away is made anew, and after some minutes we give up, so that whoever supervises the process can start it again.
"""

import asyncio
import logging

from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

logger = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
RENEW_AFTER_SECONDS = 45.0
GIVE_UP_AFTER_SECONDS = 300.0


class Socket:
    """One Socket Mode connection of the app; `lost` is set when it could not be kept."""

    def __init__(self, bolt: AsyncApp, app_token: str, client: AsyncWebClient) -> None:
        self._bolt = bolt
        self._app_token = app_token
        self._client = client
        self._handler: AsyncSocketModeHandler | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None
        self.connected = False
        self.lost = asyncio.Event()

    async def start(self) -> None:
        """Connect, and keep watch from then on."""
        await self._connect()
        self.connected = True
        self._watch = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """Take no more deliveries."""
        for task in (self._watch, self._connecting):
            if task is not None:
                task.cancel()
        await self._close()
        self.connected = False

    async def _connect(self) -> None:
        """Return when connected; the SDK tries for as long as that takes."""
        self._handler = AsyncSocketModeHandler(self._bolt, self._app_token, web_client=self._client)
        await self._handler.connect_async()  # type: ignore[no-untyped-call]

    async def _close(self) -> None:
        if self._handler is not None:
            await self._handler.close_async()  # type: ignore[no-untyped-call]
            self._handler = None

    async def _keep(self) -> None:
        away = 0.0
        while away < GIVE_UP_AFTER_SECONDS:
            await asyncio.sleep(LOOK_SECONDS)
            self.connected = self._handler is not None and await self._handler.client.is_connected()
            before, away = away, 0.0 if self.connected else away + LOOK_SECONDS
            if int(away / RENEW_AFTER_SECONDS) > int(before / RENEW_AFTER_SECONDS):
                logger.warning("seconds=<%.0f> | no connection to Slack, making a new one", away)
                await self._renew()
        logger.error("seconds=<%.0f> | no connection to Slack, giving up", away)
        self.lost.set()

    async def _renew(self) -> None:
        """Replace the connection, without holding up the watch."""
        if self._connecting is not None:
            self._connecting.cancel()
        await self._close()
        self._connecting = asyncio.create_task(self._connect())
