"""Posting a message exactly once: one at a time per channel, at Slack's pace.

Each post carries metadata that names it. When a call ends without saying whether it was carried out, the channel is
searched for that name before the message is posted again. Slack has no idempotency key for chat.postMessage; a search
made before Slack shows its own accepted post could still miss it.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks.message import Message
from bot.calls import Done, Limited, NotDelivered, Outcome, Refused, Unsure, outcome_of
from bot.outgoing import METADATA_TYPE, TOO_MUCH, Label, content, fitting, shorter
from bot.pacing import Bucket, Clock, Pace, backoff
from orchestrator.store import MessageRef

logger = logging.getLogger(__name__)

GIVE_UP_SECONDS = 600.0
SEARCH_PAGES = 5
YIELD_SECONDS = 0.1
CLOCK_SKEW_SECONDS = 120


@dataclass(frozen=True)
class Post:
    """A message on its way into a channel or thread; one that `yields` lets all others of its channel go before."""

    channel: str
    message: Message
    label: Label
    thread_ts: str | None = None
    yields: bool = False

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of chat.postMessage: https://docs.slack.dev/reference/methods/chat.postMessage."""
        thread = {"thread_ts": self.thread_ts} if self.thread_ts else {}
        quiet = {"unfurl_links": False, "unfurl_media": False}
        return {"channel": self.channel, **content(self.message), **thread, **quiet, "metadata": self.label.metadata()}


class Posts:
    """The posts of one workspace. `bot_user` is our own user id, by which we know our own messages."""

    def __init__(self, client: AsyncWebClient, bot_user: str, clock: Clock, pace: Pace) -> None:
        self._client = client
        self._bot_user = bot_user
        self._clock = clock
        self._pace = pace
        self._locks: dict[str, asyncio.Lock] = {}
        self._buckets: dict[str, Bucket] = {}
        self._yielding: dict[str, asyncio.Lock] = {}
        self._urgent: Counter[str] = Counter()
        self.under_way = 0

    async def post(self, post: Post, maybe_since: datetime | None = None) -> MessageRef:
        """Post it and return where it stands; raises NotDelivered when Slack refuses it or stays away.

        `maybe_since`: an earlier process may have posted it since then, so it is searched for first.
        """
        self.under_way += 1
        try:
            if not post.yields:
                return await self._in_order(post, maybe_since)
            async with self._yielding.setdefault(post.channel, asyncio.Lock()):
                while self._urgent[post.channel] or self._bucket(post.channel).wait(self._clock.now(), spare=1):
                    await self._clock.sleep(YIELD_SECONDS)
                return await self._deliver(post, maybe_since)
        finally:
            self.under_way -= 1

    async def _in_order(self, post: Post, maybe_since: datetime | None) -> MessageRef:
        self._urgent[post.channel] += 1
        try:
            return await self._deliver(post, maybe_since)
        finally:
            self._urgent[post.channel] -= 1

    async def _deliver(self, post: Post, maybe_since: datetime | None) -> MessageRef:
        async with self._locks.setdefault(post.channel, asyncio.Lock()):
            fit = replace(post, message=fitting(post.message))
            since = maybe_since.timestamp() if maybe_since else time.time()
            return await self._until_known(fit, since, searching=maybe_since is not None)

    async def _until_known(self, post: Post, since: float, *, searching: bool) -> MessageRef:
        began, failures = self._clock.now(), 0
        while self._clock.now() - began < GIVE_UP_SECONDS:
            outcome = await self._attempt(post, since, searching=searching)
            match outcome:
                case Done(data):
                    return MessageRef(channel=str(data["channel"]), ts=str(data["ts"]))
                case Refused(code):
                    if code not in TOO_MUCH or not post.message.blocks:
                        raise NotDelivered(code)
                    post = replace(post, message=shorter(post.message))
                case Limited(seconds):
                    await self._clock.sleep(seconds)
                case Unsure(why):
                    logger.warning("role=<%s>, channel=<%s> | unsure of a post: %s", post.label.role, post.channel, why)
                    searching = True
                    await self._clock.sleep(backoff(failures))
                    failures += 1
        raise NotDelivered("unreachable")

    async def _attempt(self, post: Post, since: float, *, searching: bool) -> Outcome:
        """Search when it may be there already, then post; a search that does not end leaves us as unsure as before."""
        if searching:
            found = await self._search(post, since)
            if not isinstance(found, Done) or found.data:
                return found
        await self.turn(post.channel)
        return await outcome_of(partial(self._client.chat_postMessage, **post.arguments()))

    async def turn(self, channel: str) -> None:
        """Wait until one more message may go into the channel."""
        bucket = self._bucket(channel)
        while wait := bucket.wait(self._clock.now()):
            await self._clock.sleep(wait)
        bucket.take(self._clock.now())

    def _bucket(self, channel: str) -> Bucket:
        return self._buckets.setdefault(channel, Bucket(self._pace.posts_per_second, self._pace.post_burst))

    async def _search(self, post: Post, since: float) -> Outcome:
        """Look for the message among ours; Done without data when it is not there or we may not look."""
        cursor = ""
        for _ in range(SEARCH_PAGES):
            outcome = await outcome_of(partial(self._read, post, since, cursor))
            if isinstance(outcome, Refused):
                logger.warning("channel=<%s>, error=<%s> | cannot look for our message", post.channel, outcome.code)
                return Done({})
            if not isinstance(outcome, Done):
                return outcome
            found = next((m for m in outcome.data.get("messages", ()) if self._is_it(m, post.label)), None)
            if found is not None:
                return Done({"channel": post.channel, "ts": found["ts"]})
            cursor = (outcome.data.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                break
        return Done({})

    async def _read(self, post: Post, since: float, cursor: str) -> Any:
        window: dict[str, Any] = {"oldest": f"{since - CLOCK_SKEW_SECONDS:.6f}", "limit": 200}
        window |= {"cursor": cursor} if cursor else {}
        if post.thread_ts:
            return await self._client.conversations_replies(
                channel=post.channel, ts=post.thread_ts, include_all_metadata=True, **window
            )
        return await self._client.conversations_history(channel=post.channel, include_all_metadata=True, **window)

    def _is_it(self, found: Mapping[str, Any], label: Label) -> bool:
        metadata = found.get("metadata") or {}
        same = metadata.get("event_type") == METADATA_TYPE and metadata.get("event_payload") == label.model_dump()
        return same and (not self._bot_user or found.get("user") == self._bot_user)
