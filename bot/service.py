"""The running bot: everything wired together, started, and stopped without losing anything."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from importlib.metadata import version
from typing import Any

import aiohttp

from bot.answers import Answers
from bot.app import Identity, build_app
from bot.background import Background
from bot.calls import slack_client
from bot.desk import Desk, Investigates
from bot.events.feed import Feed, Source
from bot.http import HttpServer, http_app, take_requests
from bot.listeners.contract import Bot
from bot.looplag import LoopLag
from bot.outbox import Outbox
from bot.pacing import Pace
from bot.questions import Questions
from bot.settings import Settings
from bot.socketmode import Socket
from bot.watch.policy import policy_of
from bot.watch.watch import Aftercare, Watch
from orchestrator.alarm_store import StoreWithAlarms
from orchestrator.ask.answerer import Answerer
from orchestrator.store import Store

logger = logging.getLogger(__name__)

DRAIN_SECONDS = 150.0
FLUSH_SECONDS = 20.0


class Service:
    """One process of the bot, over a store and an investigator that it does not own."""

    def __init__(
        self,
        settings: Settings,
        store: StoreWithAlarms,
        investigator: Investigates,
        identity: Identity,
        *,
        now: Callable[[], datetime],
        answerer: Answerer | None = None,
        aftercare: Aftercare | None = None,
        pace: Pace | None = None,
        events: Source | None = None,
    ) -> None:
        self._settings = settings
        self._session = aiohttp.ClientSession()
        token = settings.bot_token.get_secret_value() if settings.bot_token else ""
        self._client = slack_client(token, settings.api_url, self._session)
        self._outbox = Outbox(self._client, bot_user=identity.user, pace=pace)
        self._lag = LoopLag()
        self._lag_watch: asyncio.Task[None] | None = None
        answers, self._background = Answers(self._client), Background()
        self.desk = Desk(
            store,
            investigator,
            self._outbox,
            answers,
            self._background,
            most=settings.max_concurrent,
            per_hour=settings.max_per_hour,
            time_limit=settings.time_limit_seconds,
            now=now,
        )
        self.watch = Watch(
            store.alarms,
            store,
            self.desk,
            self._outbox,
            self._background,
            policy=policy_of(settings, (identity.user, identity.bot), identity.home),
            now=now,
            aftercare=aftercare,
        )
        self.feed = self._feed(events, store, now) if events is not None else None
        self.questions = Questions(store, answerer or Answerer(store), self._outbox, self._background, now)
        self.bot = Bot(store, self.desk, self._outbox, answers, self._background, self.questions, self.watch, now)
        secret = (
            "" if settings.socket_mode or not settings.signing_secret else settings.signing_secret.get_secret_value()
        )
        self.bolt = build_app(self.bot, self._client, identity, secret)
        web_app = http_app(self.health)
        if not settings.socket_mode:
            take_requests(web_app, self.bolt, secret)
        self.http = HttpServer(web_app, settings.http_host, settings.http_port)
        app_token = settings.app_token.get_secret_value() if settings.app_token else ""
        self.socket = Socket(self.bolt, app_token, self._client) if app_token else None

    def _feed(self, source: Source, store: Store, now: Callable[[], datetime]) -> Feed:
        return Feed(
            source,
            self._settings.routes,
            store,
            self.watch,
            self.desk.take,
            client=self._client,
            outbox=self._outbox,
            background=self._background,
            now=now,
        )

    async def start(self) -> None:
        """Take deliveries, then take up what an earlier process left; raises OSError when the port is taken."""
        await self.http.start()
        if self.socket is not None:
            await self.socket.start()
        await self.desk.resume()
        await self.watch.resume()
        await self.questions.resume()
        if self.feed is not None:
            self.feed.start()
        self._lag_watch = asyncio.create_task(self._lag.watch())
        logger.info("mode=<%s>, port=<%d> | ready", self.mode, self.http.port)

    async def stop(self, seconds: float = DRAIN_SECONDS) -> None:
        """Take no more work, let what runs come to its end for so long, send what is unsent."""
        if self.feed is not None:
            await self.feed.stop()
        self.desk.close()
        if self.socket is not None:
            await self.socket.stop()
        await self.http.stop()
        left = await self._background.drain(seconds)
        if left:
            logger.warning("count=<%d> | cut short, they go on at the next start", left)
        try:
            await asyncio.wait_for(self._outbox.flush(), FLUSH_SECONDS)
        except TimeoutError:
            logger.warning("seconds=<%.0f> | not everything could be sent", FLUSH_SECONDS)
        if self._lag_watch is not None:
            self._lag_watch.cancel()
        await self._session.close()

    @property
    def mode(self) -> str:
        """How Slack reaches us: "socket" or "http"."""
        return "http" if self.socket is None else "socket"

    def health(self) -> dict[str, Any]:
        """Return what GET /healthz says; `connected` is about Socket Mode and always true in HTTP mode."""
        return {
            "version": version("rca-bot"),
            "mode": self.mode,
            "connected": self.socket is None or self.socket.connected,
            "running": self.desk.line.running,
            "waiting": self.desk.line.waiting,
            "events": self.feed.health() if self.feed is not None else None,
            "loop_lag_ms": round(self._lag.worst_ms, 1),
        }
