"""What a person reads in blocks, as text, and what Slack would say to them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bot.blocks.limits import Surface, Violation, violations
from bot.blocks.message import Message

CODE = re.compile(r"`[^`\n]*`")
ANGLED = re.compile(r"<([^<>]*)>")
OWN_LINK = re.compile(r"https://([a-z0-9.-]+\.)?(aws\.amazon\.com|amazonaws\.cn|amazonaws-us-gov\.com)/[^|\s]*\|[^|]+")


def readable(blocks: Iterable[Mapping[str, Any]]) -> str:
    """Return the blocks as text: one paragraph a block, `[Label -> action_id=value]` for a button."""
    return "\n\n".join(_block(block) for block in blocks)


def _block(block: Mapping[str, Any]) -> str:
    match block["type"]:
        case "section":
            return str(block["text"]["text"])
        case "context":
            return "~ " + " ".join(element["text"] for element in block["elements"])
        case "divider":
            return "----"
        case "actions":
            return " ".join(f"[{b['text']['text']} -> {b['action_id']}={b['value']}]" for b in block["elements"])
        case "rich_text":
            return "```\n" + "".join(part["text"] for e in block["elements"] for part in e["elements"]) + "\n```"
        case "input":
            return f"{block['label']['text']} ({block['block_id']}): {block['element'].get('initial_value', '')}____"
        case other:
            raise AssertionError(f"no way to read a {other} block")


def refusals(message: Message) -> tuple[Violation, ...]:
    """Return what Slack would refuse in a message, as a post and as an edit."""
    content = {"text": message.text, "blocks": list(message.blocks)}
    return tuple(found for surface in (Surface.MESSAGE, Surface.UPDATE) for found in violations(content, surface))


def mrkdwn_in(value: Any) -> Iterator[str]:
    """Yield every text that Slack formats, wherever it is nested."""
    if isinstance(value, Mapping):
        if value.get("type") == "mrkdwn":
            yield value["text"]
        for inner in value.values():
            yield from mrkdwn_in(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from mrkdwn_in(inner)


def live(text: str, *, user: str = "") -> list[str]:
    """Return what is live in a formatted text and not ours: mentions, links, URLs, broken entities, open code."""
    found = [inner for inner in ANGLED.findall(text) if not OWN_LINK.fullmatch(inner) and inner != f"@{user}"]
    rest = ANGLED.sub("", text)
    found += re.findall(r"[<>]", rest)
    found += re.findall(r"&(?!amp;|lt;|gt;).{0,5}", rest)
    found += [line for line in rest.split("\n") if line.count("`") % 2]
    quiet = CODE.sub("", rest)
    found += re.findall(r"(?i)@(?:here|channel|everyone)\b|https?://\S*", quiet)
    return found
