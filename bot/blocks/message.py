"""A message, and the few blocks that all of ours are made of."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from bot.blocks.limits import BLOCKS_BUDGET, MOST_BLOCKS, Surface, blocks_size
from bot.blocks.text import cut
from domain.values import Value

Block = dict[str, Any]
Part = Sequence[Block]
"""Blocks that belong together: one message holds all of them."""

SECTION = 2800
"""Characters of mrkdwn in one section: below Slack's 3,000."""

INDENT = "     "
"""Sets a line under the text of the numbered one above it."""

FALLBACK = 3000
"""Characters of a message's plain text: notifications show its start, and an edit may carry 4,000."""


class Message(Value):
    """What Slack shows: blocks, and the text for notifications, screen readers and clients without blocks."""

    text: str
    blocks: tuple[Block, ...] = ()


def message(text: str, blocks: Iterable[Block]) -> Message:
    """Return a message; its text is cut to what every method of Slack takes."""
    return Message(text=cut(text, FALLBACK), blocks=tuple(blocks))


def mrkdwn(text: str) -> Block:
    """Return a text object in which Slack looks for no links, mentions or channels of its own."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def plain_text(text: str) -> Block:
    """Return a text object in which nothing is parsed."""
    return {"type": "plain_text", "text": text, "emoji": False}


def section(text: str) -> Block:
    """Return a paragraph, shown in full."""
    return {"type": "section", "text": mrkdwn(text), "expand": True}


def sections(lines: Iterable[str]) -> list[Block]:
    """Return the lines in as few paragraphs as hold them; each line is at most SECTION characters long."""
    blocks: list[Block] = []
    held: list[str] = []
    for line in lines:
        if held and len("\n".join((*held, line))) > SECTION:
            blocks.append(section("\n".join(held)))
            held = []
        held.append(line)
    return [*blocks, section("\n".join(held))] if held else blocks


def context(text: str) -> Block:
    """Return small print."""
    return {"type": "context", "elements": [mrkdwn(text)]}


def divider() -> Block:
    """Return a line."""
    return {"type": "divider"}


def preformatted(text: str) -> Block:
    """Return text to copy, exactly as it is."""
    element = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": cut(text, SECTION) or " "}]}
    return {"type": "rich_text", "elements": [element]}


def button(label: str, action_id: str, value: str, *, style: str | None = None) -> Block:
    """Return a button; `style` is "primary", "danger" or none."""
    styled = {"style": style} if style else {}
    return {"type": "button", "text": plain_text(label), "action_id": action_id, "value": value} | styled


def actions(*buttons: Block) -> Block:
    """Return a row of buttons."""
    return {"type": "actions", "elements": list(buttons)}


def packed(parts: Iterable[Part]) -> Iterator[tuple[Block, ...]]:
    """Yield the blocks of as few messages as hold all parts in order, each within Slack's limits.

    A part alone must fit: every builder keeps its own below a quarter of the budget.
    """
    held: tuple[Block, ...] = ()
    for part in parts:
        grown = (*held, *part)
        if held and (blocks_size(grown) > BLOCKS_BUDGET or len(grown) > MOST_BLOCKS[Surface.MESSAGE]):
            yield held
            grown = tuple(part)
        held = grown
    if held:
        yield held
