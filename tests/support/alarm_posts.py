"""Alarm posts and the envelopes that Slack delivers them in."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "data" / "alarm_posts"
Envelope = Callable[[dict[str, Any]], dict[str, Any]]


def _envelope(event: dict[str, Any]) -> dict[str, Any]:
    return {"type": "event_callback", "api_app_id": "A0RCA", "event_id": "Ev1", "event": event}


def with_subtype(message: dict[str, Any]) -> dict[str, Any]:
    """An app's post under a name of its own: subtype `bot_message`, no user (sample 14)."""
    event = {"type": "message", "subtype": "bot_message", "bot_id": "B0HOOK", "app_id": "A0HOOK", "channel": "C0ALERTS",
             "channel_type": "channel", "ts": "1795169481.000100", "username": "incoming-webhook", **message}  # fmt: skip
    return _envelope(event)


def with_bot_id(message: dict[str, Any]) -> dict[str, Any]:
    """A plain post of an app's bot: no subtype, the bot's user, `bot_id` and `bot_profile` (sample 15)."""
    name = message.get("username", "Slacklinker dev")
    profile = {"id": "B0BOT", "name": name, "app_id": message.get("app_id", "A0BOT"), "deleted": False}
    event = {"type": "message", "user": "U0BOT", "bot_id": "B0BOT", "app_id": "A0BOT", "bot_profile": profile,
             "channel": "C0ALERTS", "channel_type": "channel", "ts": "1795169481.000100", **message}  # fmt: skip
    return _envelope({key: value for key, value in event.items() if key != "username"})


ENVELOPES: tuple[Envelope, ...] = (with_subtype, with_bot_id)


def _samples() -> dict[str, dict[str, Any]]:
    """The recorded events by file and key, and the further bodies of a file as events of their own."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(FOLDER.glob("[0-9]*.json")):
        data = json.loads(path.read_text())
        found |= {f"{path.stem}:{key}": value for key, value in data.items() if key.startswith(("as_event", "ok_"))}
        for index, text in enumerate(data.get("other_text_bodies", ())):
            event = {**data["as_event"]["event"], "text": text}
            found[f"{path.stem}:body {index}"] = {**data["as_event"], "event": event}
    return found


SAMPLES = _samples()
CONSTRUCTED: list[dict[str, Any]] = json.loads((FOLDER / "constructed.json").read_text())["posts"]
