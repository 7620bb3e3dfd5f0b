"""Text from outside does nothing in Slack, and reads as it was written."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.blocks import words
from bot.blocks.text import code, cut, defang, escape, link, ours, prose
from domain.window import Window
from tests.support.slack import live

PIECES = [*"&<>*_~`@:|/ \n!ab1-", "http://", "<@U1>", "`x`", "arn:aws:s3:::b ", "\u202e", "🔥", "@here", "```", ":x:"]
ODD = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)


def test_ampersands_are_escaped_first_and_once():
    assert escape("a < b && c > &lt;") == "a &lt; b &amp;&amp; c &gt; &amp;lt;"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<!here> and <@U12345>", "&lt;!here&gt; and &lt;@U12345&gt;"),
        ("@channel @Here @everyone mia@here.example", "＠channel ＠Here ＠everyone mia＠here.example"),
        ("*b* _i_ ~s~ 5*3 create_order", "∗b∗ ˍiˍ ∼s∼ 5∗3 create_order"),
        ("```rm``` and `", "'''rm''' and '"),
        (":fire: 09:53:01 :+1:", "∶fire: 09:53:01 ∶+1:"),
        ("<https://evil.example|AWS>", "&lt;hxxps://evil.example|AWS&gt;"),
        ("slack://open s3://bucket/key", "slack[:]//open s3://bucket/key"),
        ("> quoted", "› quoted"),
        ("one\r\n two\u202e\u200b", "one two"),
        ("`orders` fails (`a<b`)", "`orders` fails (`a&lt;b`)"),
        ("in a`*b*`c", "in a'∗b∗'c"),
        ("of arn:aws:sns:eu-west-1:123456789012:t now", "of `arn:aws:sns:eu-west-1:123456789012:t` now"),
        ("see 1-6740a1b2-1234567890abcdef12345678.", "see `1-6740a1b2-1234567890abcdef12345678`."),
    ],
)
def test_nothing_in_a_statement_is_live(text: str, shown: str):
    assert prose(text) == shown


@given(ODD)
def test_no_text_comes_alive(text: str):
    assert live(prose(text)) == []
    assert live(code(text)) == []


@given(st.text(max_size=600), st.integers(20, 300))
def test_a_statement_is_bounded_and_its_entities_are_whole(text: str, limit: int):
    shown = prose(text, limit)

    assert len(shown) <= 2 * limit
    assert re.search(r"&(?!amp;|lt;|gt;)", shown) is None


def test_text_is_cut_before_it_is_escaped():
    assert prose("&" * 100, 50) == "&amp;" * 19 + "…"
    assert cut("abcdef", 4) == "abc…"


def test_code_is_one_span_whatever_is_in_it():
    assert code("a`b` <c>\nd") == "`a'b' &lt;c&gt; d`"
    assert code(" ") == ""


def test_urls_of_evidence_cannot_be_clicked():
    assert defang("HTTP://a.example https://b.example") == "hxxp://a.example hxxps://b.example"


@pytest.mark.parametrize(
    "url",
    [
        "https://eu-west-1.console.aws.amazon.com/lambda/home?region=eu-west-1#/functions/a",
        "https://console.amazonaws-us-gov.com/x",
        "https://cn-north-1.console.amazonaws.cn/x#logs$252Fa",
        "https://docs.aws.amazon.com/lambda/latest/dg/a.html",
    ],
)
def test_pages_of_aws_are_linked(url: str):
    assert link(url, "open") == f"<{url}|open>"


@pytest.mark.parametrize(
    "url",
    [
        "http://console.aws.amazon.com/x",
        "https://console.aws.amazon.com.evil.example/x",
        "https://evil.example/console.aws.amazon.com",
        "https://evilaws.amazon.com/x",
        "https://console.aws.amazon.com@evil.example/x",
        "https://user:pass@console.aws.amazon.com/x",
        "https://console.aws.amazon.com:8443/x",
        "https://console.aws.amazon.com/x|y>",
        "https://console.aws.amazon.com/a b",
        "https://console.aws.amazon.com\\@evil.example/",
        "https://[console.aws.amazon.com/",
        "https://console.aws.amazon.com/" + "a" * 3000,
        "javascript:alert(1)//.aws.amazon.com/",
        "",
    ],
)
def test_other_urls_are_never_linked(url: str):
    assert not ours(url)
    assert link(url, "open | <it>") == "open ¦ &lt;it&gt;"


def test_an_ampersand_in_a_link_is_escaped():
    assert link("https://console.aws.amazon.com/x?a=1&b=2", "x") == "<https://console.aws.amazon.com/x?a=1&amp;b=2|x>"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.0, "0 ms"),
        (0.05, "50 ms"),
        (0.42, "0.4 s"),
        (6.13, "6.1 s"),
        (59.97, "1 min"),
        (60, "1 min"),
        (125, "2 min 5 s"),
        (12000, "3 h 20 min"),
        (7200, "2 h"),
    ],
)
def test_durations_read_as_people_say_them(seconds: float, shown: str):
    assert words.duration(seconds) == shown


def test_what_is_not_all_never_reads_as_all():
    assert [words.percent(share) for share in (0, 0.92, 0.999, 1)] == ["0 %", "92 %", "99 %", "100 %"]


def test_windows_are_in_utc_and_name_their_days():
    def window(*ends: tuple[int, int, int]) -> Window:
        start, end = (datetime(2026, 11, day, hour, minute, tzinfo=UTC) for day, hour, minute in ends)
        return Window(start=start, end=end)

    assert words.span(window((20, 9, 52), (20, 9, 56))) == "20 Nov 09:52–09:56 UTC"
    assert words.span(window((20, 23, 58), (21, 0, 3))) == "20 Nov 23:58 – 21 Nov 00:03 UTC"


def test_counts_agree_with_their_nouns():
    assert [words.count(n, "look") for n in (0, 1, 3210)] == ["0 looks", "1 look", "3,210 looks"]
