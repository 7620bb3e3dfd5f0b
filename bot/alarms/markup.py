"""Slack's markup undone: links and mentions by their labels, entities, the marks around a value.

https://docs.slack.dev/messaging/formatting-message-text: Slack escapes `&`, `<` and `>`, once, in all that it sends.
"""

import html
import re
from collections.abc import Iterator
from typing import NamedTuple

from bot.alarms.times import from_epoch_text
from orchestrator.texts import ENTITY

ANGLED = re.compile(r"<([^<>|]{1,4000})(?:\|([^<>]{0,4000}))?>")
MARKDOWN_LINK = re.compile(r"\[([^\[\]\n]{1,400})\]\((https?://[^\s()]{1,4000})\)")
BARE_URL = re.compile(r"https?://[^\s<>\"'`|\\]{4,4000}")
DATE = re.compile(r"!date\^([0-9]{9,11})\^")
SHORTCODE = re.compile(r":([a-z0-9_+-]{1,60}):")
WRAPPERS = (("```", "```"), ("`", "`"), ("*", "*"), ("_", "_"), ("~", "~"), ('"', '"'), ("“", "”"))
CODE = 2
"""How many of the wrappers make code: what stands in them is meant as it is."""


class Link(NamedTuple):
    """A link of a post, with the words that show it."""

    url: str
    label: str = ""


def unescaped(text: str) -> str:
    """Undo Slack's escaping, once: `&amp;` in an alarm's own name stays."""
    return ENTITY.sub(lambda match: html.unescape(match[0].lower()), text)


def plain(text: str) -> str:
    """Return the text as people see it, with the marks of bold and code, which show where a field begins."""
    return unescaped(ANGLED.sub(_shown, MARKDOWN_LINK.sub(r"\1", text))).replace("\u00a0", " ").replace("**", "*")


def links_in(text: str) -> Iterator[Link]:
    """Yield the links of a text: in Slack's angles, in Markdown, and bare."""
    for match in ANGLED.finditer(text):
        if match[1].startswith(("http://", "https://")):
            yield Link(unescaped(match[1]), unescaped(match[2] or ""))
    for match in MARKDOWN_LINK.finditer(text):
        yield Link(unescaped(match[2]), match[1])
    for match in BARE_URL.finditer(unescaped(MARKDOWN_LINK.sub(" ", ANGLED.sub(" ", text)))):
        yield Link(match[0].rstrip(".,;:!)]}*_"))


def unwrapped(text: str) -> str:
    """Take the marks of code, bold and quotation from around a value; what stands in code is taken as it is."""
    text = text.strip()
    for index, (before, after) in enumerate(WRAPPERS):
        if len(text) > len(before) + len(after) and text.startswith(before) and text.endswith(after):
            inner = text[len(before) : -len(after)].strip()
            return inner if index < CODE else unwrapped(inner)
    return text


def _shown(match: re.Match[str]) -> str:
    target, label = match[1], match[2]
    date = DATE.match(target)
    if date:
        at = from_epoch_text(date[1].zfill(10))
        return at.isoformat() if at else label or ""
    return label or target.removeprefix("mailto:")
