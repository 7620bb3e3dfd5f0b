"""Posts of Amazon Q Developer in chat applications, which was AWS Chatbot: what their titles and sections tell.

The title is "MARK CloudWatch Alarm | NAME | REGION | Account: 123456789012", linked to the console; the account may be
missing, and so may the rest of a fallback. The mark is the state: a field *Alarm State* beside it can only deny it.
"""

import re
from collections.abc import Iterator

from bot.alarms.flatten import Origin, Post, said
from bot.alarms.keys import DIMENSIONS, KEYS, Fact, normal
from bot.alarms.markup import unwrapped
from bot.alarms.regions import region_of
from bot.alarms.sources import Told
from bot.alarms.states import marked

APP = "A6L22LZNH"
"""Its id in every workspace: https://docs.aws.amazon.com/chatbot/latest/adminguide/what-is.html."""
SENDER = re.compile(r"Amazon Q\b|AWS Chatbot\b", re.IGNORECASE)
TITLE = re.compile(r"(?P<mark>.{0,80}?)\bCloudWatch (?:[A-Z][a-z]{1,20} )?Alarm \| (?P<rest>[^\n]{1,600})")
UPDATE = "*Latest Update*"
SOURCE = "Amazon Q's title"


def is_amazon_q(post: Post) -> bool:
    """Whether the post is of its app, by id or name, or has its title."""
    return post.app == APP or bool(SENDER.match(post.sender)) or _title(post) is not None


def _title(post: Post) -> re.Match[str] | None:
    return next((found for text in said(post, *Origin) if (found := TITLE.match(text.lstrip("*_ ")))), None)


def title(post: Post) -> Iterator[Told]:
    """Yield what the title tells, or, where the post has none, the mark that the post begins with."""
    found = _title(post)
    if found is None:
        yield from _mark(next(said(post, *Origin), ""))
        return
    yield from _mark(found["mark"])
    parts = [part.strip() for part in found["rest"].strip().rstrip("*_ ").split(" | ")]
    account = re.fullmatch(r"Account: ?(?:[^|]{0,80}\()?([0-9]{12})\)?", parts[-1])
    if account:
        yield Told(Fact.ACCOUNT, account[1], SOURCE)
        parts.pop()
    region = region_of(parts[-1]) if len(parts) > 1 else None
    if region:
        yield Told(Fact.REGION, region, SOURCE)
        parts.pop()
    if parts:
        yield Told(Fact.NAME, " | ".join(parts), SOURCE)


def _mark(text: str) -> Iterator[Told]:
    state = marked(text, uncertain=True)
    if state is not None:
        yield Told(Fact.STATE, state, f"the mark of {SOURCE}")


def sections(post: Post) -> Iterator[Told]:
    """Yield the section below the title as the reason, and the metric's dimensions, by which fields are named."""
    texts = list(said(post, Origin.BLOCK))
    begins = next((i for i, text in enumerate(texts) if TITLE.match(text.lstrip("*_ "))), None)
    below = [text for text in texts[begins + 1 :] if not text.startswith(UPDATE)] if begins is not None else []
    if below:
        yield Told(Fact.REASON, unwrapped(below[0])[:2000], "section")
    for key, value in post.fields:
        if (
            normal(key) not in KEYS
            and key not in DIMENSIONS
            and re.fullmatch(r"[A-Z][A-Za-z0-9_.-]{1,60}", key)
            and value
        ):
            yield Told(Fact.DIMENSIONS, {key: unwrapped(value)}, "field")
