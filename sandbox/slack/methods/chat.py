"""chat.*: what the app says (docs.slack.dev/reference/methods/chat.postMessage and its neighbours)."""

from bot.blocks.limits import Surface
from sandbox.slack.methods.contract import ApiError, Args, Method, channel_of, content, message_of
from sandbox.slack.payloads import bot_fields
from sandbox.slack.state import Json, World
from sandbox.slack.workspace import Channel


def post(world: World, args: Args) -> Json:
    """chat.postMessage."""
    channel = channel_of(world, args)
    said = content(world, args, Surface.MESSAGE)
    message = world.post(channel, {**bot_fields(world.workspace), "text": "", **said, **_thread(world, args, channel)})
    return {"channel": channel.id, "ts": message.ts, "message": message.body}


def post_ephemeral(world: World, args: Args) -> Json:
    """chat.postEphemeral."""
    channel = channel_of(world, args)
    (user,) = args.required("user")
    if user not in channel.members:
        raise ApiError("user_not_in_channel")
    said = content(world, args, Surface.MESSAGE)
    body = {**bot_fields(world.workspace), "text": "", **said, **_thread(world, args, channel)}
    return {"message_ts": world.whisper(channel.id, user, body).ts}


def update(world: World, args: Args) -> Json:
    """chat.update: text without blocks removes the blocks; metadata not given stays."""
    message = message_of(world, args)
    if message.body.get("bot_id") != world.workspace.app.bot_id:
        raise ApiError("cant_update_message")
    said = content(world, args, Surface.UPDATE)
    changes: Json = {"text": "", "blocks": None, **said}
    if not said.get("blocks"):
        changes["edited"] = {"user": world.workspace.app.bot_user, "ts": world.new_ts()}
    world.edit(message, changes)
    return {"channel": message.channel, "ts": message.ts, "text": message.text, "message": message.body}


def delete(world: World, args: Args) -> Json:
    """chat.delete."""
    message = message_of(world, args)
    if message.body.get("bot_id") != world.workspace.app.bot_id:
        raise ApiError("cant_delete_message")
    world.delete(message)
    return {"channel": message.channel, "ts": message.ts}


def permalink(world: World, args: Args) -> Json:
    """chat.getPermalink."""
    message = message_of(world, args, "message_ts")
    link = f"https://{world.workspace.domain}.slack.com/archives/{message.channel}/p{message.ts.replace('.', '')}"
    if message.thread_ts and message.thread_ts != message.ts:
        link += f"?thread_ts={message.thread_ts}&cid={message.channel}"
    return {"channel": message.channel, "permalink": link}


def _thread(world: World, args: Args, channel: Channel) -> Json:
    thread = args.text("thread_ts")
    if not thread:
        return {}
    if thread not in world.messages[channel.id]:
        raise ApiError("thread_not_found")
    return {"thread_ts": thread}


METHODS = {
    "chat.postMessage": Method(post, "chat:write"),
    "chat.postEphemeral": Method(post_ephemeral, "chat:write", 4),
    "chat.update": Method(update, "chat:write", 3),
    "chat.delete": Method(delete, "chat:write", 3),
    "chat.getPermalink": Method(permalink, None, 0),
}
