"""What people ask for, as triggers. Pure: the intake calls these before the ack."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from bot.blocks.ids import RUN_AGAIN, referred
from bot.payloads import id_of
from domain.request import Trigger, TriggerKind
from domain.values import JsonObject
from orchestrator.store import Investigation, MessageRole

INVESTIGATE = "investigate_message"
"""The message shortcut's callback id, as in manifest.yml."""

MENTION = re.compile(r"<@[UW][A-Z0-9]{1,20}(?:\|[^<>]{0,100})?>")
DEPTH = 8
TEXTS = frozenset({"text", "fallback", "pretext", "title", "value"})


HELP = frozenset({"", "help", "?", "-h", "--help", "usage"})


class Asked(NamedTuple):
    """What became of a delivery that asks for an investigation: the investigation, or why there is none.

    `investigation` is None when help was asked for, when the words are `unusable` (a sentence says why), and when the
    delivery is a repeated one.
    """

    trigger: Trigger
    investigation: Investigation | None = None
    help: bool = False
    unusable: str = ""


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
    """The message shortcut, answered in the thread of the message it was used on."""
    if body.get("type") != "message_action" or body.get("callback_id") != INVESTIGATE:
        return None
    message = body.get("message") or {}
    return Trigger(
        kind=TriggerKind.SHORTCUT,
        text="\n".join(dict.fromkeys(texts_of(message))),
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
