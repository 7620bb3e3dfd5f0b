"""The payloads Slack sends, as its reference shows them (docs.slack.dev/interactivity, /apis/events-api)."""

import time
from typing import Any

from sandbox.slack.interactions import state_of
from sandbox.slack.state import Json, Message, View
from sandbox.slack.workspace import Channel, User, Workspace

TOKEN = "local-verification-token"  # deprecated by Slack, still in every payload


def bot_fields(home: Workspace) -> Json:
    """Return who wrote it, in a message of our bot."""
    app = home.app
    profile = {"id": app.bot_id, "app_id": app.id, "name": app.name, "team_id": home.team, "deleted": False}
    return {
        "user": app.bot_user,
        "bot_id": app.bot_id,
        "app_id": app.id,
        "team": home.team,
        "bot_profile": profile | {"updated": 0, "icons": {}},
    }


def event_callback(home: Workspace, event: Json, event_id: str, *, shared: bool) -> Json:
    """Wrap an event as the Events API does."""
    authorization = {
        "enterprise_id": None,
        "team_id": home.team,
        "user_id": home.app.bot_user,
        "is_bot": True,
        "is_enterprise_install": False,
    }
    return {
        "token": TOKEN,
        "team_id": home.team,
        "context_team_id": home.team,
        "context_enterprise_id": None,
        "api_app_id": home.app.id,
        "event": event,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": int(time.time()),
        "authorizations": [authorization],
        "is_ext_shared_channel": shared,
        "event_context": f"4-{event_id}",
    }


def command(home: Workspace, user: User, channel: Channel, name: str, text: str, **grants: str) -> Json:
    """Return the payload of a slash command; every value is a string, as in a form."""
    named = {"channel": channel.name, "group": "privategroup", "im": "directmessage"}[channel.kind]
    return {
        "token": TOKEN,
        "team_id": user.team,
        "team_domain": home.domain,
        "channel_id": channel.id,
        "channel_name": named,
        "user_id": user.id,
        "user_name": user.name,
        "command": name,
        "text": text,
        "api_app_id": home.app.id,
        "is_enterprise_install": "false",
        **grants,
    }


def _interactive(kind: str, home: Workspace, user: User) -> Json:
    return {
        "type": kind,
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team},
        "api_app_id": home.app.id,
        "token": TOKEN,
        "team": {"id": home.team, "domain": home.domain},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def message_actions(home: Workspace, user: User, message: Message, action: Json, **grants: str) -> Json:
    """Return block_actions from a message; an ephemeral one is not in the payload, only its ts."""
    channel = home.channels[message.channel]
    ephemeral = message.only_for is not None
    container = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": ephemeral,
        **({"thread_ts": message.thread_ts} if message.thread_ts else {}),
    }
    return {
        **_interactive("block_actions", home, user),
        "container": container,
        "channel": {"id": channel.id, "name": channel.name},
        **({} if ephemeral else {"message": message.body}),
        "state": {"values": state_of(message.blocks, message.chosen)},
        "actions": [action],
        **grants,
    }


def view_actions(home: Workspace, user: User, view: View, action: Json, trigger_id: str) -> Json:
    """Return block_actions from a modal or an App Home."""
    return {
        **_interactive("block_actions", home, user),
        "container": {"type": "view", "view_id": view.id},
        "view": shown(view),
        "actions": [action],
        "trigger_id": trigger_id,
    }


def view_submission(home: Workspace, user: User, view: View, trigger_id: str) -> Json:
    """Return a submitted modal with what was filled in."""
    base = _interactive("view_submission", home, user)
    return {**base, "trigger_id": trigger_id, "view": shown(view), "response_urls": []}


def view_closed(home: Workspace, user: User, view: View) -> Json:
    """Return a modal closed by the person."""
    return {**_interactive("view_closed", home, user), "view": shown(view), "is_cleared": False}


def message_shortcut(home: Workspace, user: User, callback_id: str, message: Message, **grants: str) -> Json:
    """Return a message shortcut (message_action)."""
    channel = home.channels[message.channel]
    return {
        **_interactive("message_action", home, user),
        "action_ts": f"{time.time():.6f}",
        "callback_id": callback_id,
        "channel": {"id": channel.id, "name": channel.name},
        "message_ts": message.ts,
        "message": message.body,
        **grants,
    }


def home_opened(user: User, channel: Channel, view: View | None, ts: str) -> Json:
    """Return app_home_opened; the view is there from the second time on."""
    event: Json = {"type": "app_home_opened", "user": user.id, "channel": channel.id, "tab": "home", "event_ts": ts}
    return event | ({"view": shown(view)} if view else {})


def shown(view: View) -> Json:
    """Return the view object with its state."""
    return {**view.body, "state": {"values": state_of(view.body.get("blocks", []), view.chosen)}}


def source_fields(user: User, channel: Channel) -> dict[str, Any]:
    """Return whose team a message comes from: Slack Connect adds user_team and source_team."""
    fields = {"user": user.id, "team": user.team}
    return fields | ({"user_team": user.team, "source_team": user.team} if channel.shared else {})
