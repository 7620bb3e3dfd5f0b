"""What Slack delivers, taken on once: each delivery has a key, and what starts an investigation is written down first.

This runs as Bolt's global middleware, before the ack: when the write fails, Slack gets no ack and delivers again.
Slack delivers at least once: events have an event_id that stays the same, commands and clicks have none, so theirs is
made of what identifies them.
"""

import hashlib
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from slack_bolt import BoltResponse

from bot.asking import ASKS, HELP, Asked, alarm_reference, by_alarm_press, by_rerun, rerun_reference
from bot.blocks.ids import QUESTION_INPUT
from bot.blocks.views import said_in
from bot.inquiring import Inquiries, is_question_form
from bot.payloads import id_of
from bot.watch.muting import order_of
from bot.watch.notices import redacted
from bot.watch.watch import Watch
from domain.redaction import clean, redact
from domain.request import Request, Trigger, TriggerKind
from domain.values import JsonObject
from orchestrator.errors import UnusableInput
from orchestrator.parse import request_of
from orchestrator.store import Store

logger = logging.getLogger(__name__)

REMEMBERED = 20_000
"""How many deliveries are remembered; Slack repeats one within about five minutes."""


ORDERED_BY = frozenset({TriggerKind.SLASH_COMMAND, TriggerKind.MENTION})
"""Where words can be orders, if a person says them."""


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
    if is_question_form(body):
        view = body["view"]
        words = hashlib.sha256(said_in(view, QUESTION_INPUT).encode()).hexdigest()[:16]
        return _key("question", view.get("id"), who, words)
    if body.get("type") == "message_action":
        return _key("shortcut", body.get("callback_id"), body.get("message_ts"), who, body.get("action_ts"))
    return None


def _key(kind: str, *parts: Any) -> str | None:
    return ":".join((kind, *map(str, parts))) if all(parts) else None


def _read(trigger: Trigger, now: datetime) -> tuple[Request | None, str]:
    """Return what is asked to be investigated, or a sentence that says why that is nothing."""
    try:
        return request_of(trigger, now=now), ""
    except UnusableInput as error:
        return None, str(error)


class Intake:
    """Takes deliveries on: `now` is UTC."""

    def __init__(self, store: Store, now: Callable[[], datetime], watch: Watch) -> None:
        self._store = store
        self._watch = watch
        self._now = now
        self._inquiries = Inquiries(store, now)
        self._recent: OrderedDict[str, None] = OrderedDict()

    async def middleware(
        self, body: JsonObject, context: dict[str, Any], next_: Callable[[], Awaitable[None]]
    ) -> BoltResponse | None:
        """Let a new delivery through, with what it asked or told as context["asked"] and context["taken"].

        A repeated one is acked without more.
        """
        context["asked"], context["taken"], key = None, None, delivery_key(body)
        if key in self._recent:
            return BoltResponse(status=200, body="")
        if key is not None:
            alarm = await self._watch.hear(key, body)
            asked = await self._asked(key, body) if alarm is None else None
            if (asked is not None and asked.repeated) or (alarm is not None and alarm.taken is None):
                return BoltResponse(status=200, body="")
            context["asked"], context["taken"] = asked, alarm.taken if alarm else None
            self._remember(key)
        await next_()
        return None

    async def _asked(self, key: str, body: JsonObject) -> Asked | None:
        """Take on what the delivery asks for; None when it asks for nothing."""
        if is_question_form(body):
            return await self._inquiries.submitted(key, body)
        trigger = next((trigger for ask in ASKS if (trigger := ask(body)) is not None), None)
        again = rerun_reference(body)
        before = await self._store.get(again) if again else None
        if before is not None:
            trigger = by_rerun(body, before)
        number = alarm_reference(body)
        alarm = await self._watch.alarms.get(number) if number is not None else None
        if alarm is not None:
            trigger = by_alarm_press(body, alarm.notice.trigger)
        return None if trigger is None else await self._accept(key, trigger, body)

    async def _accept(self, key: str, trigger: Trigger, body: JsonObject) -> Asked:
        """Write down the investigation, or the question about one; not what an earlier delivery brought already."""
        if trigger.text.strip().lower() in HELP:
            return Asked(trigger, help=True)
        by_app = bool((body.get("event") or {}).get("bot_id"))
        order = order_of(trigger.text) if trigger.kind in ORDERED_BY and not by_app else None
        if order is not None:
            return Asked(trigger, order=order)
        now = self._now()
        request, unusable = _read(trigger, now)
        inquired = await self._inquiries.mentioned(key, body, trigger, request)
        if inquired is not None:
            return inquired
        if request is None:
            return Asked(trigger, unusable=unusable)
        alarm = redacted(trigger.alarm) if trigger.alarm else None
        shown = trigger.model_copy(update={"text": redact(clean(trigger.text)), "alarm": alarm})
        accepted = await self._store.accept(key, shown, now=now)
        if accepted is not None and shown.alarm is not None:
            await self._watch.note(key, accepted)
        return Asked(shown, accepted)

    def _remember(self, key: str) -> None:
        self._recent[key] = None
        if len(self._recent) > REMEMBERED:
            self._recent.popitem(last=False)
