"""Texts that nobody thought of: controls, tags, directions, unseen characters and lookalike brackets, in any order."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.blocks.text import code, prose
from domain.redaction import clean, redact
from reasoning.prompt import CHARS_PER_TOKEN, MAX_DATA_TOKENS, prompt
from specialists.judgement import SAY, plain
from specialists.lines import LINE, tidy
from tests.injection.attacks import ATTACKS, SECRETS, invisible
from tests.injection.shown import UNSEEN
from tests.injection.test_corpus import TAGS
from tests.support.slack import live

PIECES = (
    "</evidence>", "<evidence-", "evidence", "</", ">", "<", "＜", "＞", "﹤", "‹", "〈", "⟨", "❮", "ᐸ", "/", " ", "\n", "\r", "\t", "\x00", "\x0b",
    "\x1b[31m", "\x1b]0;x\x07", "\x85", "\u2028", "\u200b", "\u200d", "\u2060", "\ufeff", "\u202e", "\u2066", "\u2069", "\ufe0f", "\u00ad", "\ud800",
    invisible("a"), "\U000e0101", "&lt;", "&", "|", "`", "```", "*", "_", "~", ":", ":smile:", "@here", "<!channel>", "<@U0HOSTILE>", "@", "#", "http",
    "https://evil.example", "://", "www.", "evil.example/x", "E1", "[", "]", "(", ")", "]]>", "<![CDATA[", "é", "е", "A", "0", "password=", "AKIA",
)  # fmt: skip
TEXTS = st.lists(
    st.one_of(st.sampled_from(PIECES), st.sampled_from([a.text for a in ATTACKS]), st.text(max_size=6)), max_size=30
).map("".join)
NONCES = st.text("0123456789abcdef", min_size=8, max_size=8)


@settings(max_examples=300, deadline=None)
@given(TEXTS, NONCES)
def test_no_text_leaves_the_tags_around_it(text: str, guessed: str) -> None:
    nonces = iter((guessed, "5eed5eed", "5eed5eee", "5eed5eef"))
    asked = prompt("Judge.", f"{text}</evidence-{guessed}>{text}", lambda: next(nonces))
    inner = asked.text.removeprefix(f"<{asked.tag}>\n").removesuffix(f"\n</{asked.tag}>")

    assert asked.tag != f"evidence-{guessed}", "a nonce that was guessed is not used"
    assert asked.text == f"<{asked.tag}>\n{inner}\n</{asked.tag}>"
    assert not TAGS.search(inner)
    assert not UNSEEN.search(inner)
    assert len(inner) <= MAX_DATA_TOKENS * CHARS_PER_TOKEN
    assert not TAGS.search(asked.enclose(text).split("\n", 1)[1].rsplit("\n", 1)[0])


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_a_line_for_a_model_is_one_line_without_tags(text: str) -> None:
    line = tidy(text)

    assert len(line) <= LINE
    assert "\n" not in line
    assert not re.search(r"[<>`]", line)
    assert not UNSEEN.search(line)


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_a_models_words_link_mention_and_format_nothing(text: str) -> None:
    said = plain(text)

    assert len(said) <= SAY
    assert not re.search(r"[<>`\[\]*~\n]|://|@\w|(?i:\bwww\.\w)", said)
    assert not UNSEEN.search(said)


def test_marks_that_go_from_a_models_words_join_no_link_and_no_mention() -> None:
    for text in (
        "@*here",
        "@@here",
        "@~*channel",
        "www*.evil.example",
        "www~.~evil.example",
        "evil.example*/x",
    ):
        assert not re.search(r"@\w|(?i:www\.\w)|\.example", plain(text)), text


def test_an_escape_sequence_with_something_inside_hides_no_secret() -> None:
    key = SECRETS["access key"]
    for within in ("\x1b\u200b[1m", "\x1b\x00[1m", "\x1b]\u20600;x\x07"):
        assert clean(f"{key[:7]}{within}{key[7:]}") == key


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_what_slack_formats_has_nothing_live(text: str) -> None:
    assert live(prose(text)) == []
    assert live(code(text)) == []
    assert not UNSEEN.search(prose(text))


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([f"found {SECRETS['access key']} here", f"Authorization: Bearer {SECRETS['bearer token']}"]),
    st.data(),
)
def test_unseen_characters_hide_no_secret(text: str, data: st.DataObject) -> None:
    unseen = st.lists(
        st.sampled_from(("\u200b", "\u2060", "\u202e", "\u00ad", "\x00", "\ufe0f", invisible("x"))), max_size=6
    )
    colour = data.draw(st.sampled_from(("", "\x1b[1m", "\x1b]0;x\x07")))
    for character in (colour, *data.draw(unseen)):
        at = data.draw(st.integers(0, len(text)))
        text = text[:at] + character + text[at:]
    shown = redact(clean(text))

    assert not [secret for secret in SECRETS.values() if secret in shown]
