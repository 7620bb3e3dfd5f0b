"""Many alarms at once, and the same one again and again: grouped, explained, collapsed, muted, in line."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from bot.watch import groups
from domain.graph import Edge, ServiceGraph
from domain.report import Report
from domain.request import Trigger, TriggerKind
from domain.resource import resource_from_arn
from orchestrator.store import Grade
from sandbox.slack import LocalSlack, Message, Timing
from tests.support.bot import TABLE, TRACE, Running, running_bot, verdict
from tests.support.watching import ALERTS, rings, said, shown, utc_now

MIA, TOM = "U0MIA", "U0TOM"
VERDICT = "DynamoDB table `orders` is throttling writes (92 %)"
CALLER = "arn:aws:lambda:eu-west-1:123456789012:function:create-order"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "BETWEEN_SECONDS", 0.1)


@pytest.fixture
async def slack() -> AsyncIterator[LocalSlack]:
    async with LocalSlack(rates=None, timing=Timing(retries=(0.05, 0.1, 0.2))) as running:
        yield running
        assert running.violations == []


@pytest.fixture
async def bot(slack: LocalSlack, tmp_path: Path) -> AsyncIterator[Running]:
    async with running_bot(slack, tmp_path) as running:
        yield running


async def ended(slack: LocalSlack, post: Message) -> None:
    """Wait for the report in the thread of a post, and for its end in the store."""
    await slack.wait_for(lambda: "rca_run_again" in str([m.blocks for m in slack.thread(ALERTS, post.ts)]), timeout=10)
    await asyncio.sleep(0.1)


async def answered(slack: LocalSlack, post: Message) -> str:
    await slack.wait_for(lambda: said(slack, post))
    return shown(slack, post)


def seen_calling(ident: str, trigger: Trigger) -> Report:
    """The verdict, over a trace in which a function called the table and failed."""
    graph = ServiceGraph.of(
        [resource_from_arn(CALLER), resource_from_arn(TABLE)],
        [Edge(source=CALLER, target=TABLE, calls=9, throttles=9)],
    )
    return verdict(ident, trigger).model_copy(update={"service_graph": graph})


# --- groups


async def test_later_alarms_of_a_service_join_in_a_line_and_in_one_list(slack: LocalSlack, bot: Running) -> None:
    first = await rings(slack, "orders-api-5xx")
    await ended(slack, first)
    second = await rings(slack, "orders-worker-errors")
    third = await rings(slack, "orders-queue-age")

    line = await answered(slack, third)
    await answered(slack, second)
    lists = await slack.wait_for(
        lambda: [m for m in slack.thread(ALERTS, first.ts) if m.text == "3 alarms of orders in eu-west-1"]
    )

    assert ": 3rd alarm of orders in eu-west-1 since " in line
    assert f"<https://acme.slack.com/archives/{ALERTS}/p" in line
    assert bot.investigator.asked[0][0] in line
    assert len(bot.investigator.asked) == 1
    assert len(lists) == 1
    assert all(name in str(lists[0].blocks) for name in ("orders-api-5xx", "orders-worker-errors", "orders-queue-age"))


async def test_an_alarm_of_the_group_that_recovers_is_marked_in_the_list(slack: LocalSlack, bot: Running) -> None:
    at = utc_now() - timedelta(minutes=10)
    first = await rings(slack, "orders-api-5xx", at=at)
    await ended(slack, first)
    await rings(slack, "orders-errors", at=at + timedelta(minutes=1))
    await slack.wait_for(lambda: "2 alarms of orders in eu-west-1" in said(slack, first))
    await rings(slack, "orders-errors", "OK", at=at + timedelta(minutes=4))

    await slack.wait_for(lambda: "`orders-errors` · :white_check_mark: recovered after 3 min" in shown(slack, first))
    assert "recovered" not in said(slack, first)[0]


async def test_a_joined_alarm_can_be_investigated_anyway_by_a_person(slack: LocalSlack, bot: Running) -> None:
    await ended(slack, await rings(slack, "orders-api-5xx"))
    second = await rings(slack, "orders-worker-errors")
    await answered(slack, second)
    line = slack.thread(ALERTS, second.ts)[1]
    press = await slack.press(TOM, line, "rca_alarm_investigate")
    await asyncio.gather(*(slack.repeat(press) for _ in range(5)))
    await ended(slack, second)

    (_, trigger, request) = bot.investigator.asked[1]
    assert len(bot.investigator.asked) == 2
    assert (trigger.kind, trigger.user, trigger.thread) == (TriggerKind.SHORTCUT, TOM, second.ts)
    assert request.alarm is not None
    assert request.alarm.name == "orders-worker-errors"


async def test_the_list_of_a_group_is_completed_after_a_crash(slack: LocalSlack, tmp_path: Path) -> None:
    async with running_bot(slack, tmp_path) as bot:
        first = await rings(slack, "orders-api-5xx")
        await ended(slack, first)
        bot.service.watch.act = lambda taken: None  # the process ends after the ack
        second = await rings(slack, "orders-worker-errors")
        await slack.settle()
    async with running_bot(slack, tmp_path):
        await slack.wait_for(lambda: "2 alarms of orders in eu-west-1" in said(slack, first), timeout=8)

        assert said(slack, second) == []


# --- callers of a root cause


async def test_an_alarm_of_a_caller_of_the_root_is_explained_and_not_looked_into(
    slack: LocalSlack, tmp_path: Path
) -> None:
    async with running_bot(slack, tmp_path, prepare=_concludes(seen_calling)) as bot:
        await ended(slack, await rings(slack, "table-throttles"))
        caller = await rings(slack, "create-order-errors", FunctionName="create-order")
        line = await answered(slack, caller)

        assert "explained by <https://acme.slack.com/archives/" in line
        assert "DynamoDB table `orders` is throttling writes" in line
        assert len(bot.investigator.asked) == 1


async def test_an_alarm_that_waits_in_line_ends_with_the_verdict_that_explains_it(
    slack: LocalSlack, tmp_path: Path
) -> None:
    hold = asyncio.Event()

    def prepare(investigator: object) -> None:
        _concludes(seen_calling)(investigator)
        investigator.hold = hold

    async with running_bot(slack, tmp_path, most=1, prepare=prepare) as bot:
        first = await rings(slack, "table-throttles")
        await slack.wait_for(lambda: bot.investigator.asked)
        waiting = await rings(slack, "create-order-errors", FunctionName="create-order")
        other = await rings(slack, "search-errors")
        await slack.wait_for(lambda: said(slack, waiting) == ["Investigation queued, 1 ahead"])
        hold.set()
        for post in (first, waiting, other):
            await ended(slack, post)
        asked = [t.alarm.name for _, t, _ in bot.investigator.asked if t.alarm]

        assert asked == ["table-throttles", "search-errors"]
        assert said(slack, waiting)[0].startswith(
            f"Explained by {bot.investigator.asked[0][0]}: DynamoDB table `orders`"
        )
        assert await bot.store.unfinished() == ()


def _concludes(conclude: Callable[[str, Trigger], Report]) -> Callable[[object], None]:
    def prepare(investigator: object) -> None:
        investigator.conclude = conclude

    return prepare


# --- known causes


async def test_an_alarm_that_rings_for_the_fourth_time_with_one_cause_is_one_line(
    slack: LocalSlack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RCA_GROUP_MINUTES", "0")
    async with running_bot(slack, tmp_path) as bot:
        for hour in (4, 3, 2):
            await ended(slack, await rings(slack, "orders-api-5xx", at=utc_now() - timedelta(hours=hour)))
        fourth = await rings(slack, "orders-api-5xx")
        line = await answered(slack, fourth)

        last = bot.investigator.asked[2][0]
        assert line.startswith(
            ":repeat: 4th time today, same cause: DynamoDB table `orders` is throttling writes · last: "
        )
        assert last in line
        assert len(said(slack, fourth)) == 1
        assert len(bot.investigator.asked) == 3

        await bot.store.grade(last, MIA, Grade.WRONG, now=utc_now())
        fifth = await rings(slack, "orders-api-5xx", at=utc_now() + timedelta(minutes=3))
        await ended(slack, fifth)
        assert len(bot.investigator.asked) == 4


# --- in line


async def test_people_go_before_alarms_and_all_learn_how_many_are_ahead(slack: LocalSlack, tmp_path: Path) -> None:
    hold = asyncio.Event()
    async with running_bot(slack, tmp_path, most=1, prepare=lambda i: setattr(i, "hold", hold)) as bot:
        running = await rings(slack, "orders-errors")
        await slack.wait_for(lambda: bot.investigator.asked)
        waiting = await rings(slack, "search-errors")
        await slack.wait_for(lambda: said(slack, waiting) == ["Investigation queued, 1 ahead"])
        await slack.command(MIA, ALERTS, "/rca", TRACE)
        await slack.wait_for(lambda: said(slack, waiting) == ["Investigation queued, 2 ahead"])
        (root,) = await slack.wait_for(lambda: [m for m in slack.messages(ALERTS) if "queued" in m.text])
        assert root.text == "Investigation queued, 1 ahead"
        hold.set()
        for post in (running, waiting):
            await ended(slack, post)

        assert [t.kind for _, t, _ in bot.investigator.asked] == [
            TriggerKind.ALARM_POST,
            TriggerKind.SLASH_COMMAND,
            TriggerKind.ALARM_POST,
        ]


async def test_beyond_the_limit_of_an_hour_alarms_wait_and_say_until_when(
    slack: LocalSlack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RCA_MAX_PER_HOUR", "2")
    async with running_bot(slack, tmp_path, drain=0.1) as bot:
        for name in ("orders-errors", "search-errors"):
            await ended(slack, await rings(slack, name))
        third, fourth = await rings(slack, "billing-errors"), await rings(slack, "mail-errors")
        await slack.wait_for(lambda: said(slack, fourth) == ["Investigation queued, 1 ahead"])
        await slack.wait_for(lambda: "the limit of an hour is reached, it goes on at " in shown(slack, third))

        assert said(slack, third) == ["Investigation queued, next in line"]
        assert len(bot.investigator.asked) == 2


# --- mutes


async def test_a_muted_alarm_is_neither_investigated_nor_spoken_of(slack: LocalSlack, bot: Running) -> None:
    delivery = await slack.command(MIA, ALERTS, "/rca", "mute orders-* 2h")
    post = await rings(slack, "orders-api-5xx")
    other = await rings(slack, "search-errors")
    await ended(slack, other)

    assert (delivery.ack or {})["response_type"] == "in_channel"
    assert "`orders-*` is muted until" in str(delivery.ack)
    assert f"by <@{MIA}>" in str(delivery.ack)
    assert said(slack, post) == []
    assert [t.alarm.name for _, t, _ in bot.investigator.asked if t.alarm] == ["search-errors"]


async def test_mutes_are_listed_with_who_and_until_and_ended(slack: LocalSlack, bot: Running) -> None:
    await slack.command(MIA, ALERTS, "/rca", 'mute "Orders API 5xx" 30m')
    await slack.command(TOM, ALERTS, "/rca", "mute search-* 1d")
    listed = await slack.command(TOM, ALERTS, "/rca", "mute list")
    ended_one = await slack.command(TOM, ALERTS, "/rca", "unmute Orders API 5xx")
    left = await slack.command(TOM, ALERTS, "/rca", "list")

    assert f"`Orders API 5xx` until {_after(timedelta(minutes=30))} UTC, by <@{MIA}>" in str(listed.ack)
    assert f"`search-*` until {_after(timedelta(days=1))} UTC, by <@{TOM}>" in str(listed.ack)
    assert (listed.ack or {})["response_type"] == "ephemeral"
    assert "is heard again" in str(ended_one.ack)
    assert "Orders API" not in str(left.ack)


def _after(length: timedelta) -> str:
    until = utc_now() + length
    return f"{until.day} {until:%b %H:%M}"


WRONG = (
    ("mute orders-api-5xx", "Say for how long: 30m, 2h or 1d"),
    ("mute 2h", "Say which alarm"),
    ("unmute", "Say which alarm"),
    ("mute orders-* 45d", "from one minute to 30 days"),
    ("mute * 2h", "RCA_ALARMS=off"),
)


@pytest.mark.parametrize(("words", "told"), WRONG, ids=[words for words, _ in WRONG])
async def test_an_order_that_does_not_say_enough_is_answered(
    slack: LocalSlack, bot: Running, words: str, told: str
) -> None:
    delivery = await slack.command(MIA, ALERTS, "/rca", words)

    assert told in str(delivery.ack)
    assert (delivery.ack or {})["response_type"] == "ephemeral"
    assert await bot.store.alarms.mutes(now=utc_now()) == ()


async def test_a_mention_can_mute_and_an_app_cannot(slack: LocalSlack, bot: Running) -> None:
    mention = await slack.mention(MIA, ALERTS, "mute orders-* 2h")
    await slack.wait_for(lambda: "is muted until" in shown(slack, mention))
    assert [m.user for m in await bot.store.alarms.mutes(now=utc_now())] == [MIA]

    post = await slack.app_says(ALERTS, "<@U0RCA> mute search-* 2h")
    event = {**post.body, "type": "app_mention", "channel": ALERTS, "event_ts": post.ts}
    slack._event(event, slack._room(ALERTS), "app_mention")
    await slack.settle()
    await asyncio.sleep(0.1)
    assert len(await bot.store.alarms.mutes(now=utc_now())) == 1


async def test_a_report_of_an_alarm_mutes_it_with_a_button_and_another_ends_that(
    slack: LocalSlack, bot: Running
) -> None:
    post = await rings(slack, "orders-api-5xx")
    await ended(slack, post)
    report = next(m for m in slack.thread(ALERTS, post.ts) if "rca_alarm_mute" in str(m.blocks))
    await slack.press(TOM, report, "rca_alarm_mute")
    notes = await slack.wait_for(lambda: [m for m in slack.thread(ALERTS, post.ts) if "is muted" in m.text])
    assert [(m.pattern, m.user) for m in await bot.store.alarms.mutes(now=utc_now())] == [("orders-api-5xx", TOM)]

    await slack.press(MIA, notes[0], "rca_alarm_unmute")
    await slack.wait_for(lambda: "is heard again" in shown(slack, post))
    assert await bot.store.alarms.mutes(now=utc_now()) == ()


@pytest.mark.parametrize("button", ["rca_alarm_mute", "rca_alarm_unmute", "rca_alarm_investigate"])
@pytest.mark.parametrize("value", ["ALARM-999", "INV-NOSUCH", "<script>", "x" * 2000])
async def test_a_button_of_an_alarm_that_is_forgotten_is_answered(
    slack: LocalSlack, bot: Running, button: str, value: str
) -> None:
    element = {"type": "button", "action_id": button, "value": value, "text": {"type": "plain_text", "text": "x"}}
    old = await slack.app_says(ALERTS, "old", blocks=[{"type": "actions", "elements": [element]}])
    await slack.press(TOM, old, button)

    (note,) = await slack.wait_for(lambda: slack.ephemerals(TOM))
    assert note.text.startswith("I do not know that alarm any more")
