"""Slack messages in a terminal: mrkdwn and blocks to rich text, close enough to read a thread by."""

import html
import re
from collections.abc import Iterable, Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.text import Text

from sandbox.slack.state import Message

Json = dict[str, Any]

EMOJI = {
    "red_circle": "🔴",
    "large_green_circle": "🟢",
    "large_yellow_circle": "🟡",
    "grey_question": "❔",
    "white_check_mark": "✅",
    "hourglass_flowing_sand": "⏳",
    "hourglass": "⌛",
    "warning": "⚠️ ",
    "x": "❌",
    "mag": "🔍",
    "stopwatch": "⏱️ ",
    "bulb": "💡",
    "wrench": "🔧",
    "information_source": "ℹ️ ",
    "rotating_light": "🚨",
}
SHORTCODE = re.compile(r":([a-z0-9_+-]{1,40}):")
LINK = re.compile(r"<(https?://[^|>]{1,2000})\|([^>]{1,500})>")
STYLES = (
    (re.compile(r"(?<!\w)\*([^*\n]{1,1000})\*(?!\w)"), "bold"),
    (re.compile(r"(?<!\w)_([^_\n]{1,1000})_(?!\w)"), "italic"),
)
CODE = re.compile(r"`([^`\n]{1,1000})`")


def mrkdwn(text: str) -> Text:
    """Return Slack's mrkdwn as rich text."""
    shown = escape(html.unescape(LINK.sub(lambda m: m[2], text)))
    shown = SHORTCODE.sub(lambda m: EMOJI.get(m[1], m[0]), shown)
    for pattern, style in STYLES:
        shown = pattern.sub(rf"[{style}]\1[/{style}]", shown)
    shown = CODE.sub(lambda m: f"[cyan]{m[1]}[/cyan]", shown)
    return Text.from_markup(shown)


def message(who: str, shown: Message, *, reply: bool = False) -> RenderableType:
    """Return one message as people see it."""
    said = [*blocks(shown.blocks)] if shown.blocks else [mrkdwn(shown.text)] if shown.text else []
    said += [block for each in shown.body.get("attachments", []) for block in blocks(each.get("blocks", []))]
    body = Group(*said, *files(shown.body.get("files", [])))
    edited = " · edited" if shown.edits else ""
    panel = Panel(
        body, title=f"[bold]{escape(who)}[/bold]{edited}", title_align="left", border_style="dim" if reply else "blue"
    )
    return Padding(panel, (0, 0, 0, 4)) if reply else panel


def blocks(items: Iterable[Json]) -> Iterator[RenderableType]:
    """Return what each block shows."""
    for block in items:
        yield from _block(block)


def files(items: Iterable[Json]) -> Iterator[RenderableType]:
    """Return the title of each file and what it shows, as people hear it who cannot see it."""
    for file in items:
        yield Text(f"🖼️  {file['title']}", style="bold")
        yield Text(file["alt_txt"], style="italic")


def _block(block: Json) -> Iterator[RenderableType]:
    kind = block.get("type")
    if kind == "divider":
        yield Rule(style="dim")
    elif kind == "header":
        yield Text(html.unescape(block["text"]["text"]), style="bold underline")
    elif kind == "context":
        yield Text(" ").join(mrkdwn(e.get("text", "")) for e in block.get("elements", []))
    elif kind == "actions":
        yield Text("  ").join(Text(f" {label} ", style="reverse") for label in _labels(block.get("elements", [])))
    elif kind == "rich_text":
        yield Text("".join(_plain(block)))
    elif kind == "table":
        yield from (Text("  ").join(_cell(cell) for cell in row) for row in block.get("rows", []))
    else:
        texts = [block["text"]] if isinstance(block.get("text"), dict) else []
        yield from (mrkdwn(t.get("text", "")) for t in (*texts, *block.get("fields", [])))
        if block.get("accessory"):
            yield Text("  ").join(Text(f" {label} ", style="reverse") for label in _labels([block["accessory"]]))


def _labels(elements: Iterable[Json]) -> Iterator[str]:
    for element in elements:
        label = element.get("text") or element.get("placeholder") or {}
        yield SHORTCODE.sub(lambda m: EMOJI.get(m[1], m[0]), str(label.get("text") or element.get("type", "")))


def _cell(cell: Json) -> Text:
    return Text(str(cell.get("text", ""))) if cell.get("type") != "rich_text" else Text("".join(_plain(cell)))


def _plain(element: Json) -> Iterator[str]:
    if isinstance(element.get("text"), str):
        yield element["text"]
    for inner in element.get("elements", []):
        yield from _plain(inner)
        if inner.get("type") in {"rich_text_section", "rich_text_preformatted"}:
            yield "\n"
