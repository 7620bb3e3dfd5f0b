"""What Slack refuses, found before Slack is asked: `violations` over a whole message or view.

Sources: docs.slack.dev/reference/block-kit and the constants of slack_sdk 3.47 for the shapes; the reference of
chat.postMessage and chat.update for the texts. The size of all blocks together is not documented; it was observed at
about 13,200 characters (bolt-js issue 2509), so we keep to a budget below it.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.blocks.limits.elements import BUTTON_TEXT, BUTTON_VALUE
from bot.blocks.limits.kit import (
    BLOCKS,
    FIELD_TEXT,
    HEADER_TEXT,
    MARKDOWN_CHARACTERS,
    METADATA,
    PRIVATE_METADATA,
    SECTION_TEXT,
    SHELLS,
    TABLE_COLUMNS,
    TABLE_ROWS,
    VIEWS,
    Surface,
)
from bot.blocks.limits.shapes import Found, items, kinds, record, string
from domain.values import Value

MOST_BLOCKS = {Surface.MESSAGE: 50, Surface.UPDATE: 50, Surface.MODAL: 100, Surface.HOME: 100}
MOST_TEXT = {Surface.MESSAGE: 40_000, Surface.UPDATE: 4_000}
"""Characters. A longer post is cut by Slack, which loses its end: we count that as refused."""
MOST_OF = {"table": 1, "data_visualization": 2}
"""How many blocks of a type one message holds."""
BLOCKS_CHARACTERS = 13_200
BLOCKS_BUDGET = 12_000
VIEW_BYTES = 250_000
ATTACHMENTS = 100

__all__ = [
    "BLOCKS_BUDGET",
    "BLOCKS_CHARACTERS",
    "BUTTON_TEXT",
    "BUTTON_VALUE",
    "FIELD_TEXT",
    "HEADER_TEXT",
    "MARKDOWN_CHARACTERS",
    "MOST_BLOCKS",
    "MOST_TEXT",
    "PRIVATE_METADATA",
    "SECTION_TEXT",
    "TABLE_COLUMNS",
    "TABLE_ROWS",
    "Surface",
    "Violation",
    "blocks_size",
    "violations",
]


class Violation(Value):
    """One thing Slack would refuse: where (a JSON pointer), with which error code, and why."""

    pointer: str
    error: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.sentence} [json-pointer:{self.pointer}]"


def violations(message: Mapping[str, Any], surface: Surface = Surface.MESSAGE) -> tuple[Violation, ...]:
    """Return everything Slack would refuse in a message (text, blocks, attachments, metadata) or in a view."""
    found = _view(message, surface) if surface in VIEWS else _message(message, surface)
    return tuple(found)


def blocks_size(blocks: Sequence[Mapping[str, Any]]) -> int:
    """Return the characters of the blocks as compact JSON, the measure of BLOCKS_BUDGET."""
    return len(json.dumps(blocks, ensure_ascii=False, separators=(",", ":")))


def _coded(error: str, found: Iterator[Found]) -> Iterator[Violation]:
    return (Violation(pointer=pointer, error=error, sentence=sentence) for pointer, sentence in found)


def _message(message: Mapping[str, Any], surface: Surface) -> Iterator[Violation]:
    if not any(message.get(part) for part in ("text", "markdown_text", "blocks", "attachments")):
        yield Violation(pointer="", error="no_text", sentence="a message needs text, blocks or attachments")
    yield from _texts(message, MOST_TEXT[surface])
    blocks = message.get("blocks") or []
    found = tuple(_blocks(blocks, "/blocks", surface))
    yield from _coded("invalid_blocks", iter(found))
    if not found:
        yield from _sizes(blocks)
    yield from _attachments(message.get("attachments") or [], surface)
    if message.get("metadata"):
        yield from _coded("invalid_metadata_schema", METADATA(message["metadata"], "/metadata"))


def _texts(message: Mapping[str, Any], most: int) -> Iterator[Violation]:
    text, markdown = message.get("text") or "", message.get("markdown_text") or ""
    yield from _coded("msg_too_long", string(most, 0)(text, "/text"))
    yield from _coded("msg_too_long", string(MARKDOWN_CHARACTERS, 0)(markdown, "/markdown_text"))
    if markdown and (text or message.get("blocks")):
        yield Violation(
            pointer="/markdown_text", error="markdown_text_conflict", sentence="not together with text or blocks"
        )


def _attachments(attachments: Any, surface: Surface) -> Iterator[Violation]:
    shape = items(record({"footer": string(300, 0)}, closed=False), ATTACHMENTS, 0)
    over = isinstance(attachments, list) and len(attachments) > ATTACHMENTS
    yield from _coded("too_many_attachments" if over else "invalid_attachments", shape(attachments, "/attachments"))
    for position, attachment in enumerate(attachments if isinstance(attachments, list) else []):
        blocks = attachment.get("blocks") if isinstance(attachment, Mapping) else None
        yield from _coded("invalid_blocks", _blocks(blocks or [], f"/attachments/{position}/blocks", surface))


def _sizes(blocks: Sequence[Mapping[str, Any]]) -> Iterator[Violation]:
    """What is wrong with well-formed blocks taken together; Slack looks at this last."""
    size = blocks_size(blocks)
    markdown = sum(len(block["text"]) for block in blocks if block["type"] == "markdown")
    if size > BLOCKS_CHARACTERS:
        sentence = f"all blocks together must be less than {BLOCKS_CHARACTERS + 1} characters (have {size})"
        yield Violation(pointer="/blocks", error="msg_blocks_too_long", sentence=sentence)
    if markdown > MARKDOWN_CHARACTERS:
        sentence = f"all markdown must be less than {MARKDOWN_CHARACTERS + 1} characters (has {markdown})"
        yield Violation(pointer="/blocks", error="msg_blocks_too_long", sentence=sentence)


def _view(view: Mapping[str, Any], surface: Surface) -> Iterator[Violation]:
    found = [*SHELLS[surface](view, "/view"), *_blocks(view.get("blocks") or [], "/view/blocks", surface)]
    blocks = view.get("blocks") if isinstance(view.get("blocks"), list) else []
    if view.get("type") != surface.value:
        found.append(("/view/type", f"must be {surface.value}"))
    asks = any(isinstance(block, Mapping) and block.get("type") == "input" for block in blocks or [])
    if surface is Surface.MODAL and asks and "submit" not in view:
        found.append(("/view", "missing required field: submit (the view has inputs)"))
    yield from _coded("invalid_arguments", iter(found))
    size = len(json.dumps(view).encode())
    if size > VIEW_BYTES:
        yield Violation(
            pointer="/view", error="view_too_large", sentence=f"must be less than {VIEW_BYTES} bytes (has {size})"
        )


def _blocks(blocks: Any, pointer: str, surface: Surface) -> Iterator[Found]:
    allowed = kinds({name: block.check for name, block in BLOCKS.items() if surface in block.surfaces})
    found = tuple(items(allowed, MOST_BLOCKS[surface], 0)(blocks, pointer))
    yield from found
    if isinstance(blocks, list | tuple) and all(isinstance(block, Mapping) for block in blocks):
        yield from _repeated(blocks, pointer)


def _repeated(blocks: Sequence[Mapping[str, Any]], pointer: str) -> Iterator[Found]:
    ids = Counter(str(block["block_id"]) for block in blocks if block.get("block_id"))
    for position, block in enumerate(blocks):
        if ids[str(block.get("block_id"))] > 1:
            yield f"{pointer}/{position}/block_id", f"block_id is not unique: {block['block_id']}"
        actions = Counter(element["action_id"] for element in _held(block) if isinstance(element.get("action_id"), str))
        for name, times in actions.items():
            if times > 1:
                yield f"{pointer}/{position}", f"action_id is not unique in its block: {name}"
    everything = [block for outer in blocks for block in (outer, *_children(outer))]
    for kind, most in MOST_OF.items():
        if sum(block.get("type") == kind for block in everything) > most:
            yield pointer, f"no more than {most} {kind} allowed"


def _held(block: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    elements = block.get("elements")
    return (e for e in elements if isinstance(e, Mapping)) if isinstance(elements, list | tuple) else iter(())


def _children(block: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    inner = block.get("child_blocks")
    return (b for b in inner if isinstance(b, Mapping)) if isinstance(inner, list | tuple) else iter(())
