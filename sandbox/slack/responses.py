"""Answers by response_url and in acks: a message to one person or to all, or a change of the message acted on.

Source: docs.slack.dev/interactivity/handling-user-interaction (5 answers in 30 minutes).
"""

from bot.blocks.limits import Surface
from sandbox.slack.methods.contract import Args, content
from sandbox.slack.payloads import bot_fields
from sandbox.slack.state import Json, ResponseUrl, World


def spend(world: World, secret: str) -> ResponseUrl | str:
    """Return the grant behind a response_url, one answer fewer, or the code with which Slack refuses it."""
    grant = world.response_urls.get(secret)
    if grant is None:
        return "no_service"
    if world.clock() > grant.expires:
        return "expired_url"
    if grant.left == 0:
        return "used_url"
    grant.left -= 1
    return grant


def respond(world: World, grant: ResponseUrl, said: Json) -> None:
    """Carry out an answer; raises ApiError when Slack would not take what it says."""
    args = Args(said)
    original = grant.message
    if original is not None and args.flag("delete_original"):
        world.delete(original)
        return
    body = content(world, args, Surface.MESSAGE)
    if original is not None and args.flag("replace_original"):
        world.edit(original, {"text": "", "blocks": None, **body})
        return
    thread = {"thread_ts": said["thread_ts"]} if said.get("thread_ts") else {}
    whole = {**bot_fields(world.workspace), "text": "", **body, **thread}
    if said.get("response_type") == "in_channel":
        world.post(world.workspace.channels[grant.channel], whole)
    else:
        world.whisper(grant.channel, grant.user, whole)
