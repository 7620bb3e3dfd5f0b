"""The frame that all modals share."""

from collections.abc import Iterable
from typing import Any

from bot.blocks.ids import INPUT
from bot.blocks.limits import MOST_BLOCKS, Surface
from bot.blocks.message import Block, plain_text

View = dict[str, Any]


def modal(
    title: str,
    callback_id: str,
    blocks: Iterable[Block],
    *,
    reference: str,
    submit: str | None = None,
    close: str = "Close",
) -> View:
    """Return a modal; its three labels have at most 24 characters, `reference` comes back with its events."""
    view: View = {
        "type": "modal",
        "callback_id": callback_id,
        "title": plain_text(title),
        "close": plain_text(close),
        "blocks": list(blocks)[: MOST_BLOCKS[Surface.MODAL]],
        "private_metadata": reference,
    }
    return view | ({"submit": plain_text(submit)} if submit else {})


def field(block_id: str, label: str, *, hint: str = "", optional: bool = False, initial: str = "") -> Block:
    """Return a text field of several lines; its element's action id is `ids.INPUT`."""
    element: Block = {"type": "plain_text_input", "action_id": INPUT, "multiline": True, "max_length": 3000}
    block: Block = {
        "type": "input",
        "block_id": block_id,
        "label": plain_text(label),
        "element": element | ({"initial_value": initial[:3000]} if initial else {}),
        "optional": optional,
    }
    return block | ({"hint": plain_text(hint)} if hint else {})
