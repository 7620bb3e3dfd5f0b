"""Text from outside, made safe for Slack's mrkdwn: nothing in it can mention, link, format or show an emoji.

Slack: escape `&`, `<` and `>` and nothing else (docs.slack.dev/messaging/formatting-message-text). Text is cut before
it is escaped, so that no entity is ever cut. What would still format (`*`, `_`, `~`, `:name:`) is shown as its
look-alike, because mrkdwn has no escape for it; code spans in our own sentences stay, and ARNs and trace
ids become code, where nothing is live.
"""

import re
from urllib.parse import urlsplit

from domain.arn import ARN
from domain.redaction import clean

LINE = 240
"""Characters of one statement, before it is escaped."""

NAME = 120
URL = 2000
ELLIPSIS = "…"

_HOSTS = (".aws.amazon.com", ".amazonaws.cn", ".amazonaws-us-gov.com")
_UNSAFE_IN_URL = re.compile(r"[\s<>|\"'`\\^{}\x00-\x20\x7f-\uffff]")
_WEB = re.compile(r"http(?=s?://)", re.IGNORECASE)
_OTHER_SCHEME = re.compile(r"(?<!hxxp)(?<!hxxps)(?<!s3)://", re.IGNORECASE)
_SPAN = re.compile(
    rf"(?<![^\s(\[{{\"'“:,;=/—–→-])`(?P<code>[^`]{{1,{NAME}}})`(?!\w)"
    rf"|(?P<arn>{ARN.pattern})|(?P<trace>\b1-[0-9a-f]{{8}}-[0-9a-f]{{24}}\b)"
)
_LOUD = re.compile(r"@(?=(?:here|channel|everyone)\b)", re.IGNORECASE)
_EMOJI = re.compile(r":(?=(?:[0-9_+'-]{0,20}[a-z][a-z0-9_+'-]{0,63}|[+-]1|100|1234):)")
_EDGE_UNDERSCORE = re.compile(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_LOOKALIKES = str.maketrans({"*": "∗", "~": "∼", "`": "'"})


def one_line(text: str) -> str:
    """Return the text without unseen characters and line ends."""
    return " ".join(clean(text).split())


def cut(text: str, limit: int) -> str:
    """Return the text with at most `limit` characters, an ellipsis for the rest."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + ELLIPSIS


def escape(text: str) -> str:
    """Escape what Slack reads as control characters; once, at render."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def defang(text: str) -> str:
    """Make URLs of evidence unclickable: a preview or a click would tell an attacker that we looked."""
    return _OTHER_SCHEME.sub("[:]//", _WEB.sub("hxxp", text))


def code(text: str, limit: int = NAME) -> str:
    """Return the text as inline code."""
    inner = cut(one_line(text).replace("`", "'"), limit)
    return f"`{_within(escape(defang(inner)), 2 * limit + 4)}`" if inner else ""


def prose(text: str, limit: int = LINE) -> str:
    """Return a statement as mrkdwn on one line, of at most about twice `limit` characters once it is escaped.

    Code spans in it stay code; everything else in it is shown as it is and does nothing.
    """
    raw = one_line(text)
    kept, shown = limit, _rendered(cut(raw, limit))
    while len(shown) > 2 * limit:
        kept = kept * 3 // 4
        shown = _rendered(cut(raw, kept))
    return shown


def plain(text: str, limit: int = LINE) -> str:
    """Return a statement for a plain_text object or rich text: nothing is parsed there, so nothing is escaped."""
    return cut(one_line(text), limit)


def _rendered(text: str) -> str:
    shown, at = [], 0
    for span in _SPAN.finditer(text):
        shown += [_quiet(text[at : span.start()]), code(span["code"] or span["arn"] or span["trace"], LINE)]
        at = span.end()
    return "".join((*shown, _quiet(text[at:])))


def _quiet(text: str) -> str:
    text = _EMOJI.sub("∶", _LOUD.sub("＠", defang(text)))
    text = _EDGE_UNDERSCORE.sub("ˍ", text).translate(_LOOKALIKES)
    return escape("›" + text[1:] if text.startswith(">") else text)


def _within(escaped: str, limit: int) -> str:
    """Return escaped text of at most `limit` characters, never cut inside an entity."""
    if len(escaped) <= limit:
        return escaped
    return re.sub(r"&[a-z]{0,4}$", "", escaped[: limit - 1]) + ELLIPSIS


def link(url: str | None, label: str) -> str:
    """Return a link to AWS's console or documentation, or the label alone when the URL is any other."""
    shown = prose(label, NAME).replace("|", "¦")
    return f"<{escape(url)}|{shown}>" if url and ours(url) else shown


def ours(url: str) -> bool:
    """Tell whether the URL is a page of AWS's console or documentation, written without tricks."""
    if len(url) > URL or _UNSAFE_IN_URL.search(url):
        return False
    try:
        parts = urlsplit(url)
        named = parts.port is None and parts.username is None and parts.password is None
    except ValueError:
        return False
    return parts.scheme == "https" and named and f".{parts.hostname or ''}".endswith(_HOSTS)


def clean_lines(text: str) -> str:
    """Return the text without unseen characters, its lines kept, for fields that people edit."""
    return clean(text).strip()
