"""What a Web API method is: a row with its scopes and tier, and a function over the world and the arguments."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from bot.blocks.limits import Surface, Violation, violations
from sandbox.slack.state import Json, Message, World
from sandbox.slack.workspace import Channel


class ApiError(Exception):
    """An answer with ok false; `fields` go beside the error code."""

    def __init__(self, code: str, *, found: tuple[Violation, ...] = (), **fields: Any) -> None:
        super().__init__(code)
        self.code = code
        self.found = found
        self.fields = fields


class Args:
    """The arguments of a call, whether they came in a form, a query or JSON."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values

    def text(self, name: str, default: str = "") -> str:
        """Return an argument as a string."""
        value = self.values.get(name)
        return default if value is None else str(value)

    def required(self, *names: str) -> tuple[str, ...]:
        """Return arguments that must be there; raises invalid_arguments as Slack does."""
        missing = [name for name in names if self.values.get(name) in (None, "")]
        if missing:
            messages = [f"[ERROR] missing required field: {name}" for name in missing]
            raise ApiError("invalid_arguments", response_metadata={"messages": messages})
        return tuple(str(self.values[name]) for name in names)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return a boolean, in any of the spellings Slack takes."""
        value = self.values.get(name)
        return default if value is None else value in (True, "1", "true", "True")

    def number(self, name: str, default: int) -> int:
        """Return a whole number."""
        text = self.text(name, str(default))
        if not text.isdigit():
            raise ApiError("invalid_arguments")
        return int(text)

    def structure(self, name: str, error: str) -> Any:
        """Return an object or array, which forms carry as JSON text; raises the error when it is not JSON."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except json.JSONDecodeError:
            raise ApiError(error) from None


Handler = Callable[[World, Args], Json]
SCOPES_TO_READ = {"channel": "channels:history", "group": "groups:history", "im": "im:history"}
SCOPES_TO_LIST = {"channel": "channels:read", "group": "groups:read", "im": "im:read"}


class Method(NamedTuple):
    """One row of the API: `scope` is one for all, or by the kind of the channel asked about; None needs none."""

    run: Handler
    scope: str | Mapping[str, str] | None = None
    tier: int = 3
    token: str = "bot"  # "bot", "app" or "none"


def channel_of(world: World, args: Args, name: str = "channel", *, member: bool = True) -> Channel:
    """Return the channel an argument names; private ones without the bot do not exist for it."""
    (reference,) = args.required(name)
    channel = world.workspace.find(reference)
    if channel is None or (channel.kind == "group" and not world.workspace.has_bot(channel)):
        raise ApiError("channel_not_found")
    if channel.archived:
        raise ApiError("is_archived")
    if member and not world.workspace.has_bot(channel):
        raise ApiError("not_in_channel")
    return channel


def message_of(world: World, args: Args, name: str = "ts") -> Message:
    """Return the message two arguments name; raises message_not_found."""
    channel = channel_of(world, args, member=False)
    (ts,) = args.required(name)
    message = world.messages[channel.id].get(ts)
    if message is None:
        raise ApiError("message_not_found")
    return message


def refuse(found: Sequence[Violation]) -> None:
    """Answer as Slack does when there is anything wrong with what is sent."""
    if found:
        messages = [str(violation) for violation in found]
        metadata = {"messages": [f"[ERROR] {message}" for message in messages]}
        raise ApiError(found[0].error, found=tuple(found), errors=messages, response_metadata=metadata)


def content(world: World, args: Args, surface: Surface) -> Json:
    """Return what a message says (text, blocks, attachments, metadata), within Slack's limits or not at all."""
    said = {
        "text": args.values.get("text"),
        "markdown_text": args.values.get("markdown_text"),
        "blocks": args.structure("blocks", "invalid_blocks_format"),
        "attachments": args.structure("attachments", "invalid_attachments"),
        "metadata": args.structure("metadata", "invalid_metadata_format"),
    }
    given = {name: value for name, value in said.items() if value is not None}
    refuse(violations(given, surface))
    missing = [id_ for id_ in _slack_files(given.get("blocks") or []) if id_ not in world.files]
    if missing:
        messages = [f"[ERROR] invalid slack file: {id_}" for id_ in missing]
        raise ApiError("invalid_blocks", response_metadata={"messages": messages})
    if "markdown_text" in given:
        given["text"] = given.pop("markdown_text")
    return given


def _slack_files(blocks: Sequence[Mapping[str, Any]]) -> list[str]:
    images = [part for block in blocks for part in (block, block.get("accessory"), *block.get("elements", []))]
    files = [image["slack_file"] for image in images if isinstance(image, dict) and "slack_file" in image]
    return [file["id"] for file in files if "id" in file]
