"""What the local Slack remembers: messages with their edits, views, files, and the short-lived grants."""

import asyncio
import copy
import itertools
import secrets
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.slack.interactions import held, inner
from sandbox.slack.workspace import Channel, Workspace

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Timing:
    """Slack's clocks in seconds: to ack, before each retry of an event, for a trigger_id and for a response_url."""

    ack: float = 3.0
    retries: tuple[float, ...] = (0.0, 60.0, 300.0)
    trigger: float = 3.0
    response_url: float = 1800.0


@dataclass(frozen=True, slots=True)
class Version:
    """What a message or view said from that moment (epoch seconds) on."""

    at: float
    body: Json


@dataclass(slots=True)
class Message:
    """A message; `body` is Slack's message object as it is now, `versions` all it has been, oldest first."""

    channel: str
    body: Json
    versions: list[Version]
    only_for: str | None = None  # the user who sees an ephemeral one
    deleted: bool = False
    chosen: Json = field(default_factory=dict)  # what was picked in its menus: block_id -> action_id -> value

    @property
    def ts(self) -> str:
        """Its id in the channel: epoch seconds with six decimals."""
        return str(self.body["ts"])

    @property
    def thread_ts(self) -> str | None:
        """The root of the thread it is in, if any."""
        return self.body.get("thread_ts")

    @property
    def text(self) -> str:
        """Its text, the fallback of its blocks."""
        return str(self.body.get("text", ""))

    @property
    def blocks(self) -> list[Json]:
        """Its blocks, with the ids Slack gave them."""
        return list(self.body.get("blocks", []))

    @property
    def user(self) -> str | None:
        """The user or bot user who wrote it."""
        return self.body.get("user")

    @property
    def edits(self) -> int:
        """How often it was edited."""
        return len(self.versions) - 1


@dataclass(slots=True)
class View:
    """A modal or App Home of one user."""

    id: str
    user: str
    body: Json
    versions: list[Version]
    open: bool = True
    errors: Json = field(default_factory=dict)  # what the app said of the last submission, by block_id
    chosen: Json = field(default_factory=dict)


@dataclass(slots=True)
class File:
    """An uploaded file; `data` is None until the bytes arrived, `channels` is empty until it was shared."""

    id: str
    name: str
    size: int
    alt_text: str
    title: str = ""
    data: bytes | None = None
    channels: tuple[str, ...] = ()
    thread_ts: str | None = None


@dataclass(slots=True)
class Trigger:
    """A trigger_id: whose it is, until when it is good, and the modal it was pressed in."""

    user: str
    expires: float
    view: View | None = None
    used: bool = False


@dataclass(slots=True)
class ResponseUrl:
    """A response_url: where its answers go, until when, and how many more it takes."""

    user: str
    channel: str
    expires: float
    message: Message | None = None
    left: int = 5


class World:
    """The state of one workspace. Changing it announces the events Slack would send and wakes who waits for it."""

    def __init__(self, workspace: Workspace, timing: Timing, clock: Callable[[], float] = time.time) -> None:
        self.workspace = workspace
        self.timing = timing
        self.clock = clock
        self.base_url = ""
        self.announce: Callable[[Json, Channel], None] = lambda _event, _channel: None
        self.messages: dict[str, dict[str, Message]] = defaultdict(dict)
        self.ephemerals: list[Message] = []
        self.views: dict[str, View] = {}
        self.stacks: dict[str, list[View]] = defaultdict(list)
        self.homes: dict[str, View] = {}
        self.files: dict[str, File] = {}
        self.reactions: dict[tuple[str, str], set[str]] = defaultdict(set)
        self.triggers: dict[str, Trigger] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self.changed = asyncio.Event()
        self._last_micros = 0
        self._numbers = itertools.count(1)

    def touch(self) -> None:
        """Wake everyone who waits for a change."""
        self.changed.set()
        self.changed = asyncio.Event()

    def new_ts(self) -> str:
        """Return a new message id: now, and later than every one before."""
        self._last_micros = max(int(self.clock() * 1_000_000), self._last_micros + 1)
        return f"{self._last_micros // 1_000_000}.{self._last_micros % 1_000_000:06d}"

    def new_id(self, prefix: str) -> str:
        """Return an id that no other thing here has."""
        return f"{prefix}0{next(self._numbers):08d}"

    def identified(self, blocks: list[Json]) -> list[Json]:
        """Return a copy of the blocks in which every block and every element has an id, as Slack gives them."""
        copied = copy.deepcopy(blocks)
        self._identify(copied)
        return copied

    def _identify(self, blocks: list[Json]) -> None:
        for block in blocks:
            block.setdefault("block_id", self.new_id("b"))
            for element in held(block):
                element.setdefault("action_id", self.new_id("a"))
            self._identify(inner(block))

    def post(self, channel: Channel, body: Mapping[str, Any]) -> Message:
        """Store a message and announce it."""
        message = self._message(channel.id, body)
        self.messages[channel.id][message.ts] = message
        root = self.messages[channel.id].get(message.thread_ts or "")
        extra = {"parent_user_id": root.user} if root and root.user else {}
        about = {"channel": channel.id, "channel_type": channel.kind, "event_ts": message.ts}
        self.announce({**message.body, **extra, **about}, channel)
        self.touch()
        return message

    def whisper(self, channel: str, user: str, body: Mapping[str, Any]) -> Message:
        """Store a message that only the user sees; Slack announces none of these."""
        message = self._message(channel, body)
        message.only_for = user
        self.ephemerals.append(message)
        self.touch()
        return message

    def _message(self, channel: str, body: Mapping[str, Any]) -> Message:
        stored: Json = {"type": "message", **body, "ts": self.new_ts()}
        if stored.get("blocks"):
            stored["blocks"] = self.identified(stored["blocks"])
        return Message(channel, stored, [Version(self.clock(), stored)])

    def edit(self, message: Message, changes: Mapping[str, Any]) -> None:
        """Change fields of a message (None removes one) and announce message_changed, unless it is ephemeral."""
        before = message.body
        after = {name: value for name, value in {**before, **changes}.items() if value is not None}
        if "blocks" in changes and after.get("blocks"):
            after["blocks"] = self.identified(after["blocks"])
        message.body = after
        message.versions.append(Version(self.clock(), after))
        self._announce_hidden(message, "message_changed", message=after, previous_message=before)

    def delete(self, message: Message) -> None:
        """Remove a message and announce message_deleted; it stays readable as an object."""
        message.deleted = True
        if message.only_for is None:
            del self.messages[message.channel][message.ts]
        else:
            self.ephemerals.remove(message)
        self._announce_hidden(message, "message_deleted", deleted_ts=message.ts, previous_message=message.body)

    def _announce_hidden(self, message: Message, subtype: str, /, **fields: Any) -> None:
        if message.only_for is None:
            channel = self.workspace.channels[message.channel]
            ts = self.new_ts()
            about = {"channel": channel.id, "channel_type": channel.kind, "ts": ts, "event_ts": ts, "hidden": True}
            self.announce({"type": "message", "subtype": subtype, **fields, **about}, channel)
        self.touch()

    def thread(self, channel: str, root: str) -> list[Message]:
        """Return the root of a thread and its replies in order."""
        return [m for m in self.messages[channel].values() if root in {m.ts, m.thread_ts}]

    def grant_trigger(self, user: str, view: View | None = None) -> str:
        """Return a new trigger_id for the user."""
        trigger = f"{next(self._numbers)}.{self.workspace.team[1:]}.{secrets.token_hex(16)}"
        self.triggers[trigger] = Trigger(user, self.clock() + self.timing.trigger, view)
        return trigger

    def grant_response_url(self, user: str, channel: str, message: Message | None = None) -> str:
        """Return a new response_url for the channel, about the message if there is one."""
        secret = secrets.token_hex(12)
        self.response_urls[secret] = ResponseUrl(user, channel, self.clock() + self.timing.response_url, message)
        return f"{self.base_url}/actions/{self.workspace.team}/{secret}"
