"""From a message event to a neutral post: who posted it where, and all that it says, by where it says it.

Both envelopes of an app's post are read (subtype `bot_message`, or `bot_id` without a subtype), an edit by the message
inside it, a message as the history gives it, and a whole `event_callback`. Texts come from the message, its blocks
(rich text and tables too), its attachments and theirs, and from mails among its files; an attachment's fallback, which
is often cut, is kept apart. What a post quotes of another message is not its own and is left out.
https://docs.slack.dev/reference/events/message, https://docs.slack.dev/messaging/attachments
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from bot.alarms.markup import Link, links_in, plain, unescaped, unwrapped
from bot.alarms.times import from_epoch_text
from bot.payloads import id_of
from domain.values import JsonObject

MAX_CHARACTERS, MAX_PARTS, MAX_DEPTH = 40_000, 1_500, 12
"""How much of a post is read: Slack cuts texts at 40,000 characters itself; an alarm's facts stand at the beginning."""

QUOTES = ("is_msg_unfurl", "is_share", "is_reply_unfurl", "is_app_unfurl", "from_url")
"""What marks an attachment that Slack made of another message or of a link."""
QUOTED_LINE = re.compile(r"^>.{0,2000}$", re.MULTILINE)
"""A line of the mail that an answer quotes."""


class Origin(StrEnum):
    """Where in a post a text stands."""

    TEXT = "text"
    BLOCK = "block"
    TITLE = "attachment title"
    AUTHOR = "attachment author"
    ATTACHMENT = "attachment text"
    SUBJECT = "mail subject"
    MAIL = "mail"
    FALLBACK = "fallback"


class Said(NamedTuple):
    """One text: plain, but for the marks of bold and code."""

    origin: Origin
    text: str


class Field(NamedTuple):
    """A named value, as attachments, sections and tables have them."""

    key: str
    value: str


class Post(NamedTuple):
    """A message as it is judged. `stamp` is an attachment's own time as text, seconds since 1970; "" for no such id."""

    type: str
    subtype: str = ""
    edit: bool = False
    hidden: bool = False
    typed: bool = False
    user: str = ""
    bot: str = ""
    app: str = ""
    sender: str = ""
    channel: str = ""
    channel_type: str = ""
    ts: str = ""
    thread: str = ""
    mail: bool = False
    texts: tuple[Said, ...] = ()
    fields: tuple[Field, ...] = ()
    links: tuple[Link, ...] = ()
    stamp: str = ""


@dataclass
class _Heap:
    """What was gathered so far, and how much more is read."""

    texts: list[Said] = field(default_factory=list)
    fields: list[Field] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    characters: int = MAX_CHARACTERS
    parts: int = MAX_PARTS

    def take(self, value: Any) -> str:
        """Return as much of a text as may still be read; the links in it are kept."""
        text = _text(value)[: self.characters] if self.parts > 0 else ""
        self.characters -= len(text)
        self.parts -= 1
        self.links += links_in(text)
        return plain(text).strip()

    def say(self, origin: Origin, value: Any) -> None:
        if text := self.take(value):
            self.texts.append(Said(origin, text))

    def name(self, key: str, value: str) -> None:
        """Keep a named value; nothing is kept of what was not read any more."""
        if value:
            self.fields.append(Field(key, value))

    def link(self, url: Any, label: Any = "") -> None:
        if _text(url) and self.parts > 0:
            self.parts -= 1
            self.links.append(Link(unescaped(_text(url)), plain(_text(label))))


def flattened(event: JsonObject) -> Post:
    """Return the post that an event, an `event_callback` or a message of the history holds; never raises."""
    outer = _object(event.get("event")) if event.get("type") == "event_callback" else event
    subtype = _text(outer.get("subtype"))
    edit = subtype == "message_changed"
    message = _object(outer.get("message")) if edit else outer
    profile, heap = _object(message.get("bot_profile")), _Heap()
    files = _objects(message.get("files"))
    _gather(message, files, heap)
    return Post(
        type=_text(outer.get("type")),
        subtype=_text(message.get("subtype")) if edit else subtype,
        edit=edit or bool(message.get("edited")),
        hidden=bool(outer.get("hidden")) and not edit,
        typed=bool(message.get("client_msg_id")),
        user=_id(message.get("user")),
        bot=_id(message.get("bot_id")) or _text(profile.get("id")),
        app=_id(message.get("app_id")) or _text(profile.get("app_id")),
        sender=_text(message.get("username")) or _text(profile.get("name")),
        channel=_id(outer.get("channel")),
        channel_type=_text(outer.get("channel_type")),
        ts=_text(message.get("ts")),
        thread=_text(message.get("thread_ts")),
        mail=any(_is_mail(file) for file in files),
        texts=tuple(heap.texts),
        fields=tuple(heap.fields),
        links=tuple(heap.links),
        stamp=next((stamp for a in _objects(message.get("attachments")) if (stamp := _stamp(a))), ""),
    )


def _gather(message: Mapping[str, Any], files: list[Mapping[str, Any]], heap: _Heap) -> None:
    heap.say(Origin.TEXT, message.get("text"))
    for block in _objects(message.get("blocks")):
        _block(block, heap)
    own = [a for a in _objects(message.get("attachments")) if not _is_quoted(a)]
    for attachment in own:
        _attachment(attachment, heap)
    for mail in files:
        if _is_mail(mail):
            heap.say(Origin.SUBJECT, mail.get("subject") or mail.get("title"))
            body = mail.get("plain_text") or mail.get("preview_plain_text") or mail.get("preview")
            heap.say(Origin.MAIL, QUOTED_LINE.sub("", _text(body)[:MAX_CHARACTERS]))
    for attachment in own:
        heap.say(Origin.FALLBACK, attachment.get("fallback"))


def _attachment(attachment: Mapping[str, Any], heap: _Heap) -> None:
    """https://docs.slack.dev/legacy/legacy-messaging/legacy-secondary-message-attachments."""
    heap.say(Origin.ATTACHMENT, attachment.get("pretext"))
    heap.say(Origin.AUTHOR, attachment.get("author_name"))
    heap.say(Origin.TITLE, attachment.get("title"))
    heap.link(attachment.get("title_link"), attachment.get("title"))
    heap.say(Origin.ATTACHMENT, attachment.get("text"))
    for item in _objects(attachment.get("fields")):
        heap.name(heap.take(item.get("title")), heap.take(item.get("value")))
    for block in _objects(attachment.get("blocks")):
        _block(block, heap)
    for button in _objects(attachment.get("actions")):
        heap.link(button.get("url"), button.get("text"))
    heap.link(attachment.get("author_link"))


def _block(block: Mapping[str, Any], heap: _Heap, depth: int = MAX_DEPTH) -> None:
    """Read a block of any kind; https://docs.slack.dev/reference/block-kit/blocks. Of buttons only the links count."""
    kind = _text(block.get("type"))
    if not depth or heap.parts <= 0:
        return
    heap.link(block.get("url"))
    if kind == "rich_text":
        heap.say(Origin.BLOCK, _rich(block, depth))
    elif kind == "table":
        _table(block, heap, depth)
    elif kind != "button":
        for key in ("title", "subtitle", "text", "body"):
            inner = block.get(key)
            heap.say(Origin.BLOCK, _object(inner).get("text") if isinstance(inner, Mapping) else inner)
        _named([_text(item.get("text")) for item in _objects(block.get("fields"))], heap)
        for key in ("elements", "blocks", "children", "accessory"):
            inner = block.get(key)
            for part in _objects(inner if isinstance(inner, list) else [inner]):
                _block(part, heap, depth - 1)


def _named(values: list[str], heap: _Heap) -> None:
    """Read a section's fields: `*Key*` and the value below it, or beside it, or in the field that follows."""
    pending = ""
    for raw in values:
        text = heap.take(raw)
        head, _, rest = text.partition("\n")
        key, colon, beside = head.partition(":")
        if pending and not rest and not (colon and head.startswith("*")):
            heap.name(pending, text)
            pending = ""
        elif rest or beside.strip("*_ "):
            value = rest if rest and not beside.strip("*_ ") else f"{beside.lstrip('*_ ')}\n{rest}"
            heap.name(_key(key if colon else head), value.strip())
            pending = ""
        else:
            pending = _key(head)


def _table(block: Mapping[str, Any], heap: _Heap, depth: int) -> None:
    """Read a table's rows of two as named values."""
    rows = block.get("rows")
    for row in rows[:100] if isinstance(rows, list) else []:
        cells = [_text(c.get("text")) or _rich(c, depth) for c in _objects(row)]
        taken = [heap.take(cell) for cell in cells[:20]]
        if len(taken) == 2:
            heap.name(_key(taken[0]), taken[1])
        else:
            heap.texts.append(Said(Origin.BLOCK, " | ".join(taken)))


def _rich(element: Mapping[str, Any], depth: int) -> str:
    """Write rich text as markup: sections and list items on lines of their own, emoji by their shortcodes."""
    kind = _text(element.get("type"))
    if kind in RICH:
        return RICH[kind](element)
    if kind == "text" or not depth:
        style = _object(element.get("style"))
        mark = "`" if style.get("code") else "*" if style.get("bold") else ""
        text = _text(element.get("text"))
        return f"{mark}{text}{mark}" if text.strip() else text
    separator = "\n" if kind in {"rich_text", "rich_text_list"} else ""
    return separator.join(_rich(inner, depth - 1) for inner in _objects(element.get("elements"))[:MAX_PARTS])


def _rich_link(element: Mapping[str, Any]) -> str:
    url, label = _text(element.get("url")), _text(element.get("text"))
    return f"<{url}|{label}>" if label else f"<{url}>"


RICH: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "link": _rich_link,
    "emoji": lambda e: f":{_text(e.get('name'))}:",
    "date": lambda e: f"<!date^{e.get('timestamp')}^|{_text(e.get('fallback'))}>",
    "user": lambda e: f"@{_text(e.get('user_id'))}",
    "channel": lambda e: f"#{_text(e.get('channel_id'))}",
}
"""What stands in rich text beside text, as Slack's markup writes it."""


def _key(text: str) -> str:
    return unwrapped(text.strip().strip("*_").rstrip(":：")).strip()


def _is_mail(file: Mapping[str, Any]) -> bool:
    return "email" in (file.get("filetype"), file.get("mode"))


def _is_quoted(attachment: Mapping[str, Any]) -> bool:
    """A shared message or an unfolded link: what it says was said before, elsewhere."""
    return any(attachment.get(mark) for mark in QUOTES)


def _stamp(attachment: Mapping[str, Any]) -> str:
    ts = attachment.get("ts")
    text = str(ts) if isinstance(ts, int | float | str) and not isinstance(ts, bool) else ""
    return text if from_epoch_text(text) else ""


def _text(value: Any) -> str:
    """Return a text without halves of characters, which nothing could store; "" for what is none."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def _id(value: Any) -> str:
    return id_of(value) if isinstance(value, str | Mapping) else ""


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def said(post: Post, *origins: Origin) -> Iterator[str]:
    """Yield the post's texts of some origins, in order."""
    return (text for origin, text in post.texts if origin in origins)
