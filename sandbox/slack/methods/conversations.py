"""conversations.*: what the app reads (docs.slack.dev/reference/methods/conversations.history and its neighbours)."""

from collections.abc import Sequence
from typing import Any

from sandbox.slack.methods.contract import SCOPES_TO_LIST, SCOPES_TO_READ, ApiError, Args, Method, channel_of
from sandbox.slack.state import Json, Message, World
from sandbox.slack.workspace import Channel

DIRECTORY = {"public_channel": "channel", "private_channel": "group", "im": "im", "mpim": "mpim"}


def history(world: World, args: Args) -> Json:
    """conversations.history: the newest first, without replies."""
    channel = channel_of(world, args)
    roots = [m for m in world.messages[channel.id].values() if m.thread_ts in {None, m.ts}]
    window = _between(roots, args)
    page, more = _page(list(reversed(window)), args, 100)
    return {"messages": [_shown(world, m, args) for m in page], **more, "pin_count": 0}


def replies(world: World, args: Args) -> Json:
    """conversations.replies: the root and its replies, the oldest first; any reply's ts names its thread."""
    channel = channel_of(world, args)
    (ts,) = args.required("ts")
    asked = world.messages[channel.id].get(ts)
    if asked is None:
        raise ApiError("thread_not_found")
    root, *rest = world.thread(channel.id, asked.thread_ts or ts)
    page, more = _page([root, *_between(rest, args)], args, 1000)
    return {"messages": [_shown(world, m, args) for m in page], **more}


def info(world: World, args: Args) -> Json:
    """conversations.info."""
    return {"channel": _described(world, channel_of(world, args, member=False))}


def listed(world: World, args: Args) -> Json:
    """conversations.list: of private channels only those the bot is in."""
    kinds = {DIRECTORY.get(name.strip()) for name in args.text("types", "public_channel").split(",")}
    visible = [c for c in world.workspace.channels.values() if c.kind == "channel" or world.workspace.has_bot(c)]
    asked = [c for c in visible if c.kind in kinds and not (c.archived and args.flag("exclude_archived"))]
    page, more = _page(asked, args, 100)
    return {"channels": [_described(world, c) for c in page], **more}


def members(world: World, args: Args) -> Json:
    """conversations.members."""
    channel = channel_of(world, args, member=False)
    page, more = _page(sorted(channel.members), args, 100)
    return {"members": page, **more}


def join(world: World, args: Args) -> Json:
    """conversations.join: public channels only."""
    channel = channel_of(world, args, member=False)
    if channel.kind != "channel":
        raise ApiError("method_not_supported_for_channel_type")
    channel.members.add(world.workspace.app.bot_user)
    return {"channel": _described(world, channel)}


def _between(messages: Sequence[Message], args: Args) -> list[Message]:
    oldest, latest = _moment(args, "oldest", "0"), _moment(args, "latest", "inf")
    if args.flag("inclusive"):
        return [m for m in messages if oldest <= float(m.ts) <= latest]
    return [m for m in messages if oldest < float(m.ts) < latest]


def _moment(args: Args, name: str, default: str) -> float:
    try:
        return float(args.text(name, default))
    except ValueError:
        raise ApiError(f"invalid_ts_{name}") from None


def _page(things: list[Any], args: Args, default: int) -> tuple[list[Any], Json]:
    limit = args.number("limit", default)
    start = args.number("cursor", 0)
    cursor = str(start + limit) if start + limit < len(things) else ""
    return things[start : start + limit], {"has_more": bool(cursor), "response_metadata": {"next_cursor": cursor}}


def _shown(world: World, message: Message, args: Args) -> Json:
    body = dict(message.body)
    if not args.flag("include_all_metadata"):
        body.pop("metadata", None)
    answers = [m for m in world.thread(message.channel, message.ts) if m is not message]
    if answers:
        people = list(dict.fromkeys(str(m.user) for m in answers))
        counts = {"reply_count": len(answers), "reply_users": people, "reply_users_count": len(people)}
        body |= {"thread_ts": message.ts, "latest_reply": answers[-1].ts, **counts}
    return body


def _described(world: World, channel: Channel) -> Json:
    return {
        "id": channel.id,
        "name": channel.name,
        "is_channel": channel.kind == "channel",
        "is_group": channel.kind == "group",
        "is_im": channel.kind == "im",
        "is_private": channel.kind != "channel",
        "is_archived": channel.archived,
        "is_member": world.workspace.has_bot(channel),
        "is_ext_shared": channel.shared,
        "num_members": len(channel.members),
        "context_team_id": world.workspace.team,
    }


METHODS = {
    "conversations.history": Method(history, SCOPES_TO_READ, 3),
    "conversations.replies": Method(replies, SCOPES_TO_READ, 3),
    "conversations.info": Method(info, SCOPES_TO_LIST, 3),
    "conversations.list": Method(listed, "channels:read", 2),
    "conversations.members": Method(members, SCOPES_TO_LIST, 4),
    "conversations.join": Method(join, "channels:join", 3),
}
