"""What Slack delivers, taken on once: each delivery has a key, and what starts an investigation is written down first.

This runs as Bolt's global middleware, before the ack: when the write fails, Slack gets no ack and delivers again.
Slack delivers at least once: events have an event_id that stays the same, commands and clicks have none, so theirs is
made of what identifies them.
"""

import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from slack_bolt import BoltResponse

from bot.asking import ASKS, HELP, Asked, by_rerun, rerun_reference
from bot.payloads import id_of
from domain.redaction import clean, redact
from domain.request import Trigger
from domain.values import JsonObject
from orchestrator.errors import UnusableInput
from orchestrator.parse import parse
from orchestrator.store import Store

logger = logging.getLogger(__name__)

REMEMBERED = 20_000
"""How many deliveries are remembered; Slack repeats one within about five minutes."""


def delivery_key(body: JsonObject) -> str | None:
    """Return what identifies a delivery, the same each time Slack sends it; None when nothing does."""
    if body.get("type") == "event_callback":
        return _key("event", body.get("event_id"))
    if "command" in body:
        return _key("command", body.get("trigger_id"))
    who = id_of(body.get("user"))
    if body.get("type") == "block_actions" and body.get("actions"):
        action, container = body["actions"][0], body.get("container") or {}
        where = container.get("message_ts") or container.get("view_id")
        return _key("action", where, action.get("block_id"), action.get("action_id"), who, action.get("action_ts"))
    if body.get("type") == "message_action":
        return _key("shortcut", body.get("callback_id"), body.get("message_ts"), who, body.get("action_ts"))
    return None


def _key(kind: str, *parts: Any) -> str | None:
    return ":".join((kind, *map(str, parts))) if all(parts) else None


class Intake:
    """Takes deliveries on: `now` is UTC."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now
        self._recent: OrderedDict[str, None] = OrderedDict()

    async def middleware(
        self, body: JsonObject, context: dict[str, Any], next_: Callable[[], Awaitable[None]]
    ) -> BoltResponse | None:
        """Let a new delivery through, with what it asked as context["asked"]; ack a repeated one without more."""
        context["asked"], key = None, delivery_key(body)
        if key in self._recent:
            return BoltResponse(status=200, body="")
        if key is not None:
            asked = await self._asked(key, body)
            if asked is not None and not (asked.investigation or asked.help or asked.unusable):
                return BoltResponse(status=200, body="")
            context["asked"] = asked
            self._remember(key)
        await next_()
        return None

    async def _asked(self, key: str, body: JsonObject) -> Asked | None:
        """Take on what the delivery asks for; None when it asks for no investigation."""
        trigger = next((trigger for ask in ASKS if (trigger := ask(body)) is not None), None)
        again = rerun_reference(body)
        before = await self._store.get(again) if again else None
        if before is not None:
            trigger = by_rerun(body, before)
        return None if trigger is None else await self._accept(key, trigger)

    async def _accept(self, key: str, trigger: Trigger) -> Asked:
        """Write the investigation down, unless that was done for an earlier delivery or there is nothing to look at."""
        if trigger.text.strip().lower() in HELP:
            return Asked(trigger, help=True)
        now = self._now()
        try:
            parse(trigger.text, now=now)
        except UnusableInput as error:
            return Asked(trigger, unusable=str(error))
        shown = trigger.model_copy(update={"text": redact(clean(trigger.text))})
        return Asked(shown, await self._store.accept(key, shown, now=now))

    def _remember(self, key: str) -> None:
        self._recent[key] = None
        if len(self._recent) > REMEMBERED:
            self._recent.popitem(last=False)
