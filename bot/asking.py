"""What people ask for, as triggers. Pure: the intake calls these before the ack."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from bot.alarms.flatten import flattened
from bot.alarms.formats import read
from bot.blocks.ids import INVESTIGATE_ALARM, RUN_AGAIN, referred, transition_referred
from bot.payloads import id_of
from bot.watch.muting import Order
from domain.inquiry import Inquiry
from domain.request import Trigger, TriggerKind
from domain.values import JsonObject
from orchestrator.parse import trace_ids
from orchestrator.store import Investigation, MessageRole

INVESTIGATE = "investigate_message"
"""The message shortcut's callback id, as in manifest.yml."""

MENTION = re.compile(r"<@[UW][A-Z0-9]{1,20}(?:\|[^<>]{0,100})?>")
DEPTH = 8
TEXTS = frozenset({"text", "fallback", "pretext", "title", "value"})


HELP = frozenset({"", "help", "?", "-h", "--help", "usage"})


class Asked(NamedTuple):
    """What became of a delivery that asks for something: an investigation, a question about one, an order, or nothing.

    Both are None when help was asked for, when the words are `unusable` (a sentence says why), and when the delivery
    is a repeated one.
    """

    trigger: Trigger
    investigation: Investigation | None = None
    inquiry: Inquiry | None = None
    order: Order | None = None
    help: bool = False
    unusable: str = ""

    @property
    def repeated(self) -> bool:
        """Whether all that it asks was taken on with an earlier delivery."""
        return not (self.investigation or self.inquiry or self.order is not None or self.help or self.unusable)


def by_command(body: JsonObject) -> Trigger | None:
    """/rca …: https://docs.slack.dev/interactivity/implementing-slash-commands."""
    if "command" not in body:
        return None
    return Trigger(
        kind=TriggerKind.SLASH_COMMAND,
        text=str(body.get("text") or "").strip(),
        user=body.get("user_id"),
        channel=body.get("channel_id"),
        team=body.get("team_id"),
    )


def by_mention(body: JsonObject) -> Trigger | None:
    """@rca …, answered in the thread of the message: https://docs.slack.dev/reference/events/app_mention."""
    event = body.get("event") or {}
    if event.get("type") != "app_mention":
        return None
    return Trigger(
        kind=TriggerKind.MENTION,
        text=MENTION.sub(" ", str(event.get("text") or "")).strip(),
        user=event.get("user"),
        channel=event.get("channel"),
        thread=event.get("thread_ts") or event.get("ts"),
        team=body.get("team_id"),
    )


def by_shortcut(body: JsonObject) -> Trigger | None:
    """The message shortcut, answered in the thread of the message it was used on; an alarm's post is read as such."""
    if body.get("type") != "message_action" or body.get("callback_id") != INVESTIGATE:
        return None
    message = body.get("message") or {}
    text = "\n".join(dict.fromkeys(texts_of(message)))
    alarm = None if trace_ids(text) else read(flattened(message)).alarm
    return Trigger(
        kind=TriggerKind.SHORTCUT,
        text=alarm.name if alarm else text,
        alarm=alarm,
        user=id_of(body.get("user")),
        channel=id_of(body.get("channel")),
        thread=message.get("thread_ts") or message.get("ts"),
        team=id_of(body.get("team")),
    )


ASKS: tuple[Callable[[JsonObject], Trigger | None], ...] = (by_command, by_mention, by_shortcut)
"""Who can ask; each returns None for a delivery that is not its own."""


def rerun_reference(body: JsonObject) -> str | None:
    """Return the id of the investigation that a press of "Run again" asks to repeat."""
    pressed = body["actions"][0] if body.get("type") == "block_actions" and body.get("actions") else None
    if pressed is None or pressed.get("action_id") != RUN_AGAIN:
        return None
    reference = referred(str(pressed.get("value") or ""))
    return reference.investigation_id if reference else None


def alarm_reference(body: JsonObject) -> int | None:
    """Return the number of the alarm's transition that a press of "Investigate anyway" is about."""
    pressed = body["actions"][0] if body.get("type") == "block_actions" and body.get("actions") else None
    if pressed is None or pressed.get("action_id") != INVESTIGATE_ALARM:
        return None
    return transition_referred(str(pressed.get("value") or ""))


def by_alarm_press(body: JsonObject, told: Trigger) -> Trigger:
    """Have an alarm investigated that would not be, in its own thread."""
    return told.model_copy(update={"kind": TriggerKind.SHORTCUT, "user": id_of(body.get("user"))})


def by_rerun(body: JsonObject, before: Investigation) -> Trigger:
    """Ask the same again, in the same thread."""
    root = before.messages.get(MessageRole.ROOT)
    return before.trigger.model_copy(
        update={
            "kind": TriggerKind.RERUN,
            "user": id_of(body.get("user")),
            "thread": before.trigger.thread or (root.ts if root else None),
        }
    )


def texts_of(message: Mapping[str, Any], depth: int = DEPTH) -> Iterator[str]:
    """Yield every text of a message: its own, its attachments' and its blocks', in order; not those of buttons."""
    if message.get("type") == "actions":
        return
    for key, value in message.items():
        inner = value if isinstance(value, list) else [value]
        for item in inner:
            if isinstance(item, Mapping) and depth and key not in {"metadata", "bot_profile"}:
                yield from texts_of(item, depth - 1)
            elif isinstance(item, str) and key in TEXTS and item.strip():
                yield item
