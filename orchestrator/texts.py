"""Text from outside, made ready to be read: Slack's markup undone, JSON read without surprises."""

import html
import json
import re
from typing import Any

MAX_TEXT = 100_000
LINK = re.compile(r"<(?:mailto:)?([^<>|\s]{1,2000})(?:\|([^<>]{0,2000}))?>")
ENTITY = re.compile(r"&(?:amp|lt|gt|quot|apos|nbsp|#0?39|#34|#x27|#x22);", re.IGNORECASE)
DASHES = dict.fromkeys((0x2010, 0x2011, 0x2012, 0x2013, 0x2014, 0x2212), "-")
ENCODED = re.compile(r"(?:%|\$(?:25)?)(3a|2f|3d|3b|7c|20|22|26)", re.IGNORECASE)
LONE_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def plain(text: str) -> str:
    """Undo what Slack and keyboards do to text: links, entities, typographic dashes, code marks; at most MAX_TEXT."""
    readable = _encodable(text[:MAX_TEXT])
    unescaped = ENTITY.sub(lambda m: html.unescape(m[0].lower()), LINK.sub(_unlinked, readable))
    return unescaped.translate(DASHES).replace("\u00a0", " ").strip().strip("`").strip()


def separated(text: str) -> str:
    """Decode the separators of URLs, also in CloudWatch's own encoding (`$3A`, `$252F`), so that ids stand free."""
    return ENCODED.sub(lambda m: chr(int(m[1], 16)), text)


def read_json(text: str) -> Any | None:
    """Return the JSON value that the text is, None for anything else; no text in it holds half a character."""
    return _decoded(json.loads, text)


def first_object(text: str, *, tries: int = 8) -> tuple[dict[str, Any], str] | None:
    """Return the first JSON object that stands in the text, and the text around it."""
    start = text.find("{")
    while start >= 0 and tries:
        found = _decoded(json.JSONDecoder().raw_decode, text[start:])
        if found is not None and isinstance(found[0], dict):
            return found[0], f"{text[:start]} {text[start + found[1] :]}"
        start = text.find("{", start + 1)
        tries -= 1
    return None


def _decoded(decode: Any, text: str) -> Any | None:
    try:
        value = decode(text)
        if LONE_SURROGATE.search(text):
            value = json.loads(_encodable(json.dumps(value, ensure_ascii=False)))
    except (ValueError, RecursionError):
        return None
    return value


def _encodable(text: str) -> str:
    """Replace lone surrogates: no store, no hash and no network takes them."""
    return text.encode("utf-8", "replace").decode()


def _unlinked(link: re.Match[str]) -> str:
    """Slack links what looks like a host by itself: then the label is what was typed."""
    url, label = link[1], link[2]
    if not label:
        return url
    return label if url in {label, f"http://{label}", f"https://{label}"} else f"{url} {label}"
