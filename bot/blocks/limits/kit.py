"""The table of blocks, views and metadata (docs.slack.dev/reference/block-kit/blocks)."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from bot.blocks.limits.elements import BOXES, ELEMENTS, IMAGE, MENUS, NAME, PICKERS, URL, elements
from bot.blocks.limits.shapes import (
    Check,
    anything,
    count,
    flag,
    items,
    kinds,
    lazily,
    nullable,
    number,
    one_of,
    plain,
    record,
    string,
    text,
)

SECTION_TEXT = 3_000
FIELD_TEXT = 2_000
HEADER_TEXT = 150
MARKDOWN_CHARACTERS = 12_000  # one block, and all of a message together
TABLE_ROWS = 100
TABLE_COLUMNS = 20
PRIVATE_METADATA = 3_000


class Surface(StrEnum):
    """Where it is sent: a new message, an edit of one, a modal or an App Home."""

    MESSAGE = "message"
    UPDATE = "update"
    MODAL = "modal"
    HOME = "home"


EVERYWHERE = frozenset(Surface)
MESSAGES = frozenset({Surface.MESSAGE, Surface.UPDATE})
VIEWS = frozenset({Surface.MODAL, Surface.HOME})


class Block(NamedTuple):
    """A block's shape, and the surfaces that take it."""

    check: Check
    surfaces: frozenset[Surface]


def _block(
    fields: Mapping[str, Check],
    *required: str,
    on: frozenset[Surface] = EVERYWHERE,
    any_of: tuple[str, ...] = (),
    closed: bool = True,
) -> Block:
    return Block(record({"block_id": NAME} | dict(fields), *required, any_of=any_of, closed=closed), on)


def _nested(*names: str) -> Check:
    return lazily(lambda: kinds({name: BLOCKS[name].check for name in names}))


STYLE = {"style": record(dict.fromkeys(("bold", "italic", "strike", "code", "underline", "highlight"), flag))}
INLINE = kinds(
    {
        "text": record(STYLE | {"text": string(SECTION_TEXT)}, "text"),
        "link": record(STYLE | {"url": URL, "text": string(SECTION_TEXT, 0), "unsafe": flag}, "url"),
        "emoji": record(STYLE | {"name": NAME, "unicode": NAME}, "name"),
        "user": record(STYLE | {"user_id": NAME}, "user_id"),
        "usergroup": record(STYLE | {"usergroup_id": NAME}, "usergroup_id"),
        "channel": record(STYLE | {"channel_id": NAME}, "channel_id"),
        "broadcast": record(STYLE | {"range": one_of("here", "channel", "everyone")}, "range"),
        "date": record(
            STYLE | {"timestamp": number, "format": NAME, "url": URL, "fallback": NAME}, "timestamp", "format"
        ),
    }
)
LINE = {"elements": items(INLINE, 1_000, 0), "border": count(0, 1)}
SECTION = {"rich_text_section": record(LINE, "elements")}
LIST = {
    "style": one_of("bullet", "ordered"),
    "elements": items(kinds(SECTION), 1_000),
    "indent": count(0, 8),
    "offset": count(0, 1_000),
    "border": count(0, 1),
}
RICH_TEXT = kinds(
    SECTION
    | {
        "rich_text_quote": record(LINE, "elements"),
        "rich_text_preformatted": record(LINE | {"language": NAME}, "elements"),
        "rich_text_list": record(LIST, "style", "elements"),
    }
)
CELL = kinds(
    {
        "raw_text": record({"text": string(SECTION_TEXT)}, "text"),
        "raw_number": record({"value": number, "text": NAME}, "value"),
        "rich_text": record({"elements": items(RICH_TEXT, 100)}, "elements"),
    }
)
COLUMN = record({"align": one_of("left", "center", "right"), "is_wrapped": flag})
SOURCE = kinds({"url": record({"url": URL, "text": NAME}, "url", "text")})

BLOCKS: dict[str, Block] = {
    "section": _block(
        {
            "text": text(SECTION_TEXT),
            "fields": items(text(FIELD_TEXT), 10),
            "accessory": elements("button", "overflow", "image", *MENUS, *PICKERS),
            "expand": flag,
        },
        any_of=("text", "fields"),
    ),
    "header": _block({"text": plain(HEADER_TEXT)}, "text"),
    "divider": _block({}),
    "context": _block(
        {
            "elements": items(
                kinds({"image": ELEMENTS["image"], **dict.fromkeys(("plain_text", "mrkdwn"), text(SECTION_TEXT))}), 10
            )
        },
        "elements",
    ),
    "actions": _block(
        {"elements": items(elements("button", "overflow", "datetimepicker", *MENUS, *PICKERS), 25)}, "elements"
    ),
    "context_actions": _block(
        {"elements": items(elements("feedback_buttons", "icon_button"), 5)}, "elements", on=MESSAGES
    ),
    "image": _block(IMAGE | {"title": plain(2_000)}, "alt_text", any_of=("image_url", "slack_file")),
    "input": _block(
        {
            "label": plain(2_000),
            "hint": plain(2_000),
            "optional": flag,
            "dispatch_action": flag,
            "element": elements(*BOXES, *MENUS, *PICKERS),
        },
        "label",
        "element",
        on=VIEWS,
    ),
    "rich_text": _block({"elements": items(RICH_TEXT, 1_000)}, "elements"),
    "markdown": _block({"text": string(MARKDOWN_CHARACTERS)}, "text", on=MESSAGES),
    "table": _block(
        {
            "rows": items(items(CELL, TABLE_COLUMNS), TABLE_ROWS),
            "column_settings": items(nullable(COLUMN), TABLE_COLUMNS),
        },
        "rows",
        on=MESSAGES,
    ),
    "data_table": _block(
        {"caption": NAME, "rows": items(items(CELL, TABLE_COLUMNS), 101, 2), "page_size": count(1, 100)},
        "caption",
        "rows",
        on=MESSAGES,
        closed=False,
    ),
    "data_visualization": _block({"title": string(50)}, on=MESSAGES, closed=False),
    "file": _block({"external_id": NAME, "source": one_of("remote")}, "external_id", "source", on=MESSAGES),
    "video": _block(
        {
            "title": plain(199),
            "alt_text": string(2_000),
            "video_url": URL,
            "thumbnail_url": URL,
            "author_name": string(49),
        },
        "title",
        "alt_text",
        "video_url",
        "thumbnail_url",
        closed=False,
    ),
    "plan": _block({"title": NAME, "tasks": items(_nested("task_card"), 50)}, "title", on=MESSAGES),
    "task_card": _block(
        {
            "task_id": NAME,
            "title": NAME,
            "status": one_of("pending", "in_progress", "complete", "error"),
            "details": _nested("rich_text"),
            "output": _nested("rich_text"),
            "sources": items(SOURCE, 100),
        },
        "task_id",
        "title",
        "status",
        on=MESSAGES,
    ),
    "alert": _block(
        {"text": text(SECTION_TEXT), "level": one_of("default", "info", "warning", "error", "success")}, "text"
    ),
    "card": _block(
        {
            "title": text(150),
            "subtitle": text(150),
            "body": text(200),
            "actions": items(elements("button"), 25),
            "hero_image": elements("image"),
            "icon": elements("image"),
        },
        on=MESSAGES,
        any_of=("hero_image", "title", "actions", "body"),
    ),
    "carousel": _block({"elements": items(_nested("card"), 10)}, "elements", on=MESSAGES),
    "container": _block(
        {
            "title": plain(150),
            "rich_text_title": _nested("rich_text"),
            "subtitle": text(150),
            "child_blocks": items(
                _nested("section", "header", "divider", "context", "actions", "image", "rich_text", "table", "alert"),
                10,
            ),
            "width": one_of("narrow", "standard", "wide", "full"),
            "icon": elements("image"),
            "is_collapsible": flag,
            "default_collapsed": flag,
            "has_header_divider": flag,
        },
        "child_blocks",
        on=MESSAGES,
        any_of=("title", "rich_text_title"),
    ),
}

VIEW = {
    "type": one_of("modal", "home"),
    "blocks": anything,
    "private_metadata": string(PRIVATE_METADATA, 0),
    "callback_id": string(255, 0),
    "external_id": string(255, 0),
}
TITLES = dict.fromkeys(("title", "submit", "close"), plain(24))
SWITCHES = dict.fromkeys(("clear_on_close", "notify_on_close", "submit_disabled"), flag)
SHELLS: dict[Surface, Check] = {
    Surface.MODAL: record(VIEW | TITLES | SWITCHES, "type", "title", "blocks"),
    Surface.HOME: record(VIEW, "type", "blocks"),
}
"""What a view is besides its blocks."""

METADATA = record({"event_type": NAME, "event_payload": record({}, closed=False)}, "event_type", "event_payload")
