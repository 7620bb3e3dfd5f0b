"""The whole way of events into one process: the queue's reader, the intake, and the notes about what was rejected."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, Self

from slack_sdk.web.async_client import AsyncWebClient

from aws.queue import LONGEST_WAIT_SECONDS, QueueSession
from aws.session import AwsConfig, ReadSession
from bot.background import Background
from bot.events.channels import Channels
from bot.events.intake import Alarms, Events
from bot.events.reader import QueueReader
from bot.events.routes import Routes
from bot.events.tags import TAGS, AlarmTags
from bot.events.traits import TagsOf
from bot.outbox import Outbox
from orchestrator.rejections import Rejections, SqliteRejections
from orchestrator.store import Investigation, Store


class Source(NamedTuple):
    """Where events come from and where what cannot be used is kept; neither is owned by the feed."""

    queue: QueueSession
    rejections: Rejections
    tags_of: TagsOf | None = None
    wait_seconds: int = LONGEST_WAIT_SECONDS

    @classmethod
    def open(cls, url: str, directory: Path, config: AwsConfig) -> Self:
        """Return the queue of this URL, what is rejected kept in the directory; raises StoreUnusable."""
        tags_of = AlarmTags(ReadSession(config, (TAGS,)))
        return cls(QueueSession(url), SqliteRejections.open(directory), tags_of)


class Feed:
    """Events from one queue, from `start` to `stop`. `begin` starts with an accepted investigation; `now` is UTC."""

    def __init__(
        self,
        source: Source,
        routes: Routes,
        store: Store,
        alarms: Alarms,
        begin: Callable[[Investigation], None],
        *,
        client: AsyncWebClient,
        outbox: Outbox,
        background: Background,
        now: Callable[[], datetime],
    ) -> None:
        self._events = Events(
            store,
            source.rejections,
            alarms,
            begin,
            routes=routes,
            channels=Channels(client),
            outbox=outbox,
            background=background,
            now=now,
            tags_of=source.tags_of,
        )
        self._reader = QueueReader(source.queue, self._events, wait_seconds=source.wait_seconds)
        self._telling: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to read."""
        self._reader.start()
        self._telling = asyncio.create_task(self._events.tell_forever())

    async def stop(self) -> None:
        """Read nothing more; what is being taken on has a moment, the rest comes again to whoever reads next."""
        await self._reader.stop()
        if self._telling is not None:
            self._telling.cancel()

    def health(self) -> dict[str, Any]:
        """Return what /healthz says of the queue."""
        return self._reader.health()
