"""Five hundred hostile lines in every place where text from outside is shown: none of them comes alive."""

import itertools
import re
from functools import reduce

from bot.blocks.board import Board, advanced, board_message
from bot.blocks.reply import reply
from bot.blocks.report import report_messages
from bot.blocks.root import concluded, looking, queued
from bot.blocks.usage import not_understood, refused
from bot.blocks.views import ask_view, evidence_view, gaps_view, review_view, why_view
from domain.progress import SpecialistWorking
from tests.support import reports
from tests.support.slack import CODE, live, mrkdwn_in, refusals

BAITS = (
    "<!channel>",
    "<!here|x>",
    "<!everyone>",
    "<!subteam^S1|team>",
    "<@U0HOSTILE>",
    "<#C0HOSTILE|general>",
    "@channel",
    "@here",
    "<https://evil.example|console.aws.amazon.com>",
    "https://evil.example/?q=1&r=2",
    "HTTP://evil.example",
    "<mailto:a@evil.example|mail>",
    "*HOSTILEBOLD*",
    "_HOSTILEITALIC_",
    "~HOSTILESTRIKE~",
    ":hostile_emoji:",
    "```HOSTILEBLOCK```",
    "`HOSTILECODE",
    "&lt;!here&gt;",
    "&amp;lt;!here&amp;gt;",
    "> HOSTILEQUOTE",
    "|evil>",
    "\u202egnihsihp\u202c",
    "https://console.aws.amazon.com@evil.example/",
    "https://console.aws.amazon.com/x|evil><!here>",
)
SHAPES = (
    "{}",
    "{0} {0}",
    "ERROR {} in handler",
    "a`{}`b",
    "`{}`",
    "x{}x",
    '{{"message": "{}"}}',
    "\n{}\n",
    "({})",
    "arn:aws:sqs:eu-west-1:123456789012:{}",
    "{}" + " filler" * 60,
    "filler " * 34 + "{}",
    "filler " * 33 + "abcdefg{}",
    "`unclosed {}",
    "*{}_",
    "[{}](https://evil.example)",
    "<{}>",
    "&{};",
    "{}`{}`{}",
    "E1] {} [E2",
)
LINES = [shape.format(*[bait] * 3) for bait, shape in itertools.product(BAITS, SHAPES)]
MARKS = re.compile(
    r"\*HOSTILEBOLD\*|(?<![A-Za-z0-9])_HOSTILEITALIC_(?![A-Za-z0-9])|~HOSTILESTRIKE~|:hostile_emoji:|```|(?m:^(?:>|&gt;))"
)


def everything(lines: list[str]) -> tuple[list[object], list[str]]:
    """Return all blocks made of these lines, and all fallback texts."""
    report = reports.with_texts(lines)
    events = (
        *reports.course()[:3],
        *(reports.finished(name, line) for name, line in zip(reports.SIXTEEN, lines, strict=False)),
        SpecialistWorking(investigation_id=reports.ID, name=lines[0], message=lines[1]),
    )
    board = reduce(advanced, events, Board())
    board = board.model_copy(update={"place": lines[2], "region": lines[3], "trigger": report.trigger})
    messages = [
        *report_messages(report),
        concluded(report),
        looking(board),
        queued(report.trigger, 2),
        board_message(board),
        reply(reports.finished(lines[4], lines[5], gaps=report.gaps)),
        not_understood(lines[6]),
        refused(lines[7]),
    ]
    views = [
        evidence_view(report, 0),
        evidence_view(report, 1),
        why_view(report),
        gaps_view(report),
        ask_view("x", lines[8]),
    ]
    views += [review_view(report, n) for n in range(3)]

    assert [refusals(message) for message in messages if refusals(message)] == []
    return [*(message.blocks for message in messages), *views], [message.text for message in messages]


def windows() -> list[list[str]]:
    """The lines, each of them first once, so that every line meets every place."""
    return [LINES[start:] + LINES[:start] for start in range(0, len(LINES), 9)]


def test_no_hostile_line_mentions_links_or_formats_anywhere():
    texts = [text for lines in windows() for text in _formatted(everything(lines))]
    alive = {found for text in set(texts) for found in live(text)}
    marked = {found for text in set(texts) for found in MARKS.findall(CODE.sub("", text))}

    assert len(LINES) == 500
    assert len(set(texts)) > 3000
    assert alive == set()
    assert marked == set()


def _formatted(shown: tuple[list[object], list[str]]) -> list[str]:
    blocks, fallbacks = shown
    return [*mrkdwn_in(blocks), *fallbacks]


def test_hostile_words_are_still_readable():
    blocks, _ = everything(LINES)
    text = "\n".join(mrkdwn_in(blocks))

    assert "∗HOSTILEBOLD∗" in text or "`*HOSTILEBOLD*`" in text
    assert "hxxps://evil.example" in text or "&lt;!channel&gt;" in text


def test_our_own_links_are_live():
    blocks, _ = everything(["harmless"] * 9)
    (own,) = {found for text in mrkdwn_in(blocks) for found in re.findall(r"<https://[^>]+>", text)}

    assert own.endswith("|what AWS says about it>")
