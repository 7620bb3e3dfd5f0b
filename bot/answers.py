"""Answers to one person: a message only they see, or a view. Every press gets one, also when it is refused."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.blocks.message import Message
from bot.calls import CALL_TIMEOUT_SECONDS, Done, Limited, NotDelivered, Outcome, Refused, outcome_of
from bot.outgoing import content, fitting
from bot.pacing import Clock, backoff
from bot.payloads import id_of
from domain.values import JsonObject

logger = logging.getLogger(__name__)

ATTEMPTS = 3
LONGEST_WAIT_SECONDS = 30.0


class Asker(NamedTuple):
    """Who did something, and where they can be answered; what a payload does not say is empty."""

    user: str = ""
    channel: str = ""
    thread: str = ""
    response_url: str = ""
    trigger_id: str = ""
    view_id: str = ""
    message_ts: str = ""


def asker_of(body: JsonObject) -> Asker:
    """Read who did something from a payload of any kind."""
    event, container = body.get("event") or {}, body.get("container") or {}
    message = body.get("message") or {}
    return Asker(
        user=id_of(body.get("user")) or body.get("user_id") or id_of(event.get("user")),
        channel=id_of(body.get("channel")) or body.get("channel_id") or id_of(event.get("channel")),
        thread=message.get("thread_ts") or container.get("thread_ts") or event.get("thread_ts") or "",
        response_url=body.get("response_url") or "",
        trigger_id=body.get("trigger_id") or "",
        view_id=(body.get("view") or {}).get("id") or "",
        message_ts=container.get("message_ts") or "",
    )


class Answers:
    """Answers people of one workspace."""

    def __init__(self, client: AsyncWebClient, clock: Clock | None = None) -> None:
        self._client = client
        self._clock = clock or Clock()

    async def say(self, asker: Asker, message: Message) -> None:
        """Show them the message: where they are, else by the response_url (5 uses in 30 minutes), else directly."""
        said = content(fitting(message))
        for way in (self._ephemeral, self._respond, self._direct):
            call = way(asker, said)
            if call is not None and isinstance(await self._patiently(call), Done):
                return
        logger.error("user=<%s>, channel=<%s> | nobody could be answered", asker.user, asker.channel)

    async def open(self, asker: Asker, view: JsonObject) -> None:
        """Open a modal, on top of the one they are in; raises NotDelivered, after 3 s always (expired_trigger_id)."""
        method = self._client.views_push if asker.view_id else self._client.views_open
        await self._at_once(partial(method, trigger_id=asker.trigger_id, view=dict(view)))

    async def replace(self, asker: Asker, view: JsonObject) -> None:
        """Let the modal they are in show something else; raises NotDelivered."""
        await self._at_once(partial(self._client.views_update, view_id=asker.view_id, view=dict(view)))

    async def publish(self, user: str, view: JsonObject) -> None:
        """Show their App Home; raises NotDelivered."""
        await self._at_once(partial(self._client.views_publish, user_id=user, view=dict(view)))

    def _ephemeral(self, asker: Asker, said: JsonObject) -> Callable[[], Awaitable[Any]] | None:
        if not (asker.channel and asker.user):
            return None
        thread = {"thread_ts": asker.thread} if asker.thread else {}
        return partial(self._client.chat_postEphemeral, channel=asker.channel, user=asker.user, **{**said, **thread})

    def _respond(self, asker: Asker, said: JsonObject) -> Callable[[], Awaitable[Any]] | None:
        if not asker.response_url:
            return None
        hook = AsyncWebhookClient(asker.response_url, timeout=CALL_TIMEOUT_SECONDS, retry_handlers=[])
        body = {**said, "response_type": "ephemeral", "replace_original": False}
        return partial(_hooked, hook, body)

    def _direct(self, asker: Asker, said: JsonObject) -> Callable[[], Awaitable[Any]] | None:
        return partial(self._client.chat_postMessage, channel=asker.user, **said) if asker.user else None

    async def _patiently(self, call: Callable[[], Awaitable[Any]]) -> Outcome:
        outcome = await outcome_of(call)
        for attempt in range(1, ATTEMPTS):
            if isinstance(outcome, Done | Refused):
                break
            wait = outcome.seconds if isinstance(outcome, Limited) else backoff(attempt)
            await self._clock.sleep(min(wait, LONGEST_WAIT_SECONDS))
            outcome = await outcome_of(call)
        return outcome

    async def _at_once(self, call: Callable[[], Awaitable[Any]]) -> None:
        """Call, once more when nobody knows how it ended: a view is the same when it is opened or shown twice."""
        outcome = await outcome_of(call)
        if not isinstance(outcome, Done | Refused | Limited):
            outcome = await outcome_of(call)
        if not isinstance(outcome, Done):
            raise NotDelivered(outcome.code if isinstance(outcome, Refused) else "unreachable")


class _Hooked(NamedTuple):
    data: dict[str, Any]
    headers: Mapping[str, Any]


async def _hooked(hook: AsyncWebhookClient, body: dict[str, Any]) -> _Hooked:
    """Answer by the response_url, which says with its HTTP status alone how that went."""
    response = await hook.send_dict(body)
    if response.status_code != 200:
        raise ConnectionError(f"response_url answered {response.status_code}: {response.body[:100]}")
    return _Hooked({}, response.headers)
