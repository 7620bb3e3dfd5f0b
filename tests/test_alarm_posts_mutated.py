"""However a post is damaged, reading it never raises, and no damage makes ALARM of another state."""

import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.alarms.explain import explain
from bot.alarms.verdict import EVERY_APP, judged
from domain.alarm import AlarmState
from tests.support.alarm_posts import CONSTRUCTED, ENVELOPES, SAMPLES

POSTS = [*SAMPLES.values(), *(envelope(post["message"]) for post in CONSTRUCTED for envelope in ENVELOPES)]
QUIET = [post for post in POSTS if not judged(post).starts and "is_share" not in json.dumps(post)]
"""Posts whose words start nothing; a quoted alarm is quiet by the mark of the quotation alone."""
WORDS = st.text(alphabet=st.characters(blacklist_categories=()), max_size=30)
"""Any text, halves of characters too."""
JUNK = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), WORDS, st.sampled_from(["<", "<|>", ":x", "*", "```{", '{"a":'])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=3)),
    max_leaves=5,
)  # fmt: skip


def paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [*([at] if at else []), *(path for key, worth in inner for path in paths(worth, (*at, key)))]


CONTENT = {"text", "blocks", "attachments", "files"}
"""What says something; the rest says who and where."""


def damaged(post: dict[str, Any], draw: st.DrawFn, *, content: bool) -> dict[str, Any]:
    """The post with up to three parts dropped, replaced, wrapped, doubled, or with a shortcode cut short."""
    post = copy.deepcopy(post)
    for _ in range(draw(st.integers(1, 3))):
        choice = [path for path in paths(post) if not content or (len(path) > 1 and path[1] in CONTENT)]
        if not choice:
            break
        *way, last = draw(st.sampled_from(choice))
        place = post
        for key in way:
            place = place[key]
        value = place[last]
        how = draw(st.sampled_from(["drop", "junk", "wrap", "double", "cut emoji"]))
        if how == "drop":
            del place[last]
        elif how == "cut emoji" and isinstance(value, str):
            place[last] = value.replace("_mark:", "_ma").replace("_light:", "_li").replace("\ufe0f", "")
        elif how == "junk":
            place[last] = draw(JUNK)
        else:
            place[last] = [value] if how == "wrap" else [value, value]
    return post


@st.composite
def damage(draw: st.DrawFn, posts: list[dict[str, Any]], *, content: bool = False) -> dict[str, Any]:
    return damaged(draw(st.sampled_from(posts)), draw, content=content)


@settings(max_examples=400, deadline=None)
@given(damage(POSTS))
def test_a_damaged_post_is_judged_without_an_exception_and_starts_only_by_its_state(post: dict[str, Any]) -> None:
    verdict = judged(post)

    assert verdict.why
    assert verdict.starts is False or (verdict.alarm is not None and verdict.alarm.state is AlarmState.ALARM)


@settings(max_examples=1500, deadline=None)
@given(damage(QUIET, content=True))
def test_no_damage_makes_alarm_of_another_state(post: dict[str, Any]) -> None:
    assert judged(post).starts is False


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(["type", "event", "message", "blocks", "attachments", "files", "text", "bot_id", "subtype", "thread_ts", "ts"]), JUNK))  # fmt: skip
def test_junk_starts_nothing(post: dict[str, Any]) -> None:
    assert judged(post).starts is False


@settings(max_examples=150, deadline=None)
@given(damage(POSTS))
def test_every_damaged_post_can_be_explained(post: dict[str, Any]) -> None:
    told = explain(json.dumps(post), EVERY_APP)

    assert told.startswith(("It starts", "This is not"))
