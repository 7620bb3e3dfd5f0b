"""Alarm posts in the local Slack: what starts an investigation, what does not, and what becomes of OK and no data."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from domain.alarm import AlarmState
from domain.request import TriggerKind
from orchestrator.alarm_store import Handling
from orchestrator.store import State
from sandbox.slack import LocalSlack, Message, Timing
from tests.support.bot import TRACE, Running, running_bot
from tests.support.watching import ALERTS, q_post, rings, said, shown, utc_now

MIA = "U0MIA"
VERDICT = "DynamoDB table `orders` is throttling writes (92 %)"
FIVE = "orders-api-5xx"


@pytest.fixture
async def slack() -> AsyncIterator[LocalSlack]:
    async with LocalSlack(rates=None, timing=Timing(retries=(0.05, 0.1, 0.2))) as running:
        yield running
        assert running.violations == []


@pytest.fixture
async def bot(slack: LocalSlack, tmp_path: Path) -> AsyncIterator[Running]:
    async with running_bot(slack, tmp_path) as running:
        yield running


async def told(slack: LocalSlack, post: Message, channel: str = ALERTS) -> list[Message]:
    """Wait until the thread of a post has its verdict and its report; return what was said in it."""

    def ended() -> list[Message] | None:
        thread = slack.thread(channel, post.ts)[1:]
        done = "rca_run_again" in str([m.blocks for m in thread]) and thread[0].text.endswith(VERDICT)
        return thread if done else None

    return await slack.wait_for(ended, timeout=10)


async def settled(slack: LocalSlack) -> None:
    """Wait until all is delivered, and a moment more."""
    await slack.settle()
    await asyncio.sleep(0.15)


async def handlings(bot: Running, name: str = FIVE) -> list[Handling]:
    rows = bot.store.read(
        lambda db: db.execute("SELECT handling FROM alarms WHERE name = ? ORDER BY id", (name,)).fetchall()
    )
    return [Handling(row["handling"]) for row in await rows]


# --- what starts


async def test_an_alarm_post_starts_an_investigation_in_its_thread(slack: LocalSlack, bot: Running) -> None:
    post = await rings(slack, FIVE)
    thread = await told(slack, post)

    (_, trigger, request), *others = bot.investigator.asked
    assert others == []
    assert trigger.kind is TriggerKind.ALARM_POST
    assert (trigger.channel, trigger.thread) == (ALERTS, post.ts)
    assert request.alarm is not None
    assert (request.alarm.name, request.alarm.state, request.region) == (FIVE, AlarmState.ALARM, "eu-west-1")
    assert thread[0].text == VERDICT
    assert len(slack.messages(ALERTS)) == 1
    assert await handlings(bot) == [Handling.STARTED]


async def test_the_first_reply_comes_within_two_seconds(slack: LocalSlack, bot: Running) -> None:
    posts = [await rings(slack, f"{word}-errors") for word in ("orders", "billing", "search")]
    for post in posts:
        first = (await told(slack, post))[0]

        assert float(first.ts) - float(post.ts) < 2


async def test_a_delivery_that_comes_again_starts_nothing_more_whatever_its_retry_header_says(
    slack: LocalSlack, bot: Running
) -> None:
    post = await rings(slack, FIVE)
    await told(slack, post)
    (delivery,) = [d for d in slack.deliveries if d.payload["event"].get("ts") == post.ts]
    await asyncio.gather(*(slack.repeat(delivery) for _ in range(20)))

    assert len(bot.investigator.asked) == 1
    assert all(attempt.error is None for attempt in delivery.attempts)


async def test_what_cannot_be_written_down_is_not_acked_and_its_retry_is_taken_on(
    slack: LocalSlack, bot: Running
) -> None:
    take, failures = bot.store.alarms.take, [OSError("disk full")]

    async def failing_once(*args: object, **kwargs: object) -> object:
        if failures:
            raise failures.pop()
        return await take(*args, **kwargs)

    bot.store.alarms.take = failing_once
    slack.world.timing = Timing(ack=0.3, retries=(0.05,))
    post = await rings(slack, FIVE)
    await told(slack, post)
    (delivery,) = [d for d in slack.deliveries if d.payload["event"].get("ts") == post.ts]

    assert delivery.attempts[0].error is not None
    assert delivery.attempts[1].reason != ""
    assert len(bot.investigator.asked) == 1


async def test_one_transition_told_in_two_channels_and_formats_is_one_investigation(
    slack: LocalSlack, bot: Running
) -> None:
    at = utc_now()
    first = await rings(slack, FIVE, at=at)
    await told(slack, first)
    text = f'ALARM: "{FIVE}" in EU (Ireland)'
    second = await slack.app_says("C0ORDERS", text, app_id="A0HOOK", subtype="bot_message", username="alarms")
    await slack.wait_for(lambda: said(slack, second, "C0ORDERS"))

    assert said(slack, second, "C0ORDERS") == ["This alarm is known"]
    assert f"archives/{ALERTS}/p" in shown(slack, second, "C0ORDERS")
    assert len(bot.investigator.asked) == 1


async def test_an_app_that_mentions_the_bot_in_its_alarm_gets_one_investigation(
    slack: LocalSlack, bot: Running
) -> None:
    post = await slack.app_says(ALERTS, f'<@U0RCA> ALARM: "{FIVE}" in EU (Ireland)', app_id="A0HOOK")
    event = {**post.body, "type": "app_mention", "channel": ALERTS, "event_ts": post.ts}
    slack._event(event, slack._room(ALERTS), "app_mention")
    await told(slack, post)
    await settled(slack)

    assert len(bot.investigator.asked) == 1


async def test_a_person_who_asks_about_an_alarm_that_is_investigated_gets_one_of_their_own(
    slack: LocalSlack, bot: Running
) -> None:
    post = await rings(slack, FIVE)
    await told(slack, post)
    await slack.message_shortcut(MIA, "investigate_message", post)
    await slack.wait_for(lambda: len(bot.investigator.asked) == 2)

    assert [t.kind for _, t, _ in bot.investigator.asked] == [TriggerKind.ALARM_POST, TriggerKind.SHORTCUT]


# --- what starts nothing

ALARM_TEXT = f'ALARM: "{FIVE}" in EU (Ireland)'


async def test_a_person_who_pastes_an_alarm_starts_nothing(slack: LocalSlack, bot: Running) -> None:
    await slack.say(MIA, ALERTS, ALARM_TEXT)
    await settled(slack)

    assert bot.investigator.asked == []
    assert not slack.called("chat.postMessage")


async def test_an_edit_a_reply_and_another_post_of_the_app_start_nothing(slack: LocalSlack, bot: Running) -> None:
    post = await slack.app_says(ALERTS, "Pipeline orders-deploy succeeded")
    await slack.app_says(ALERTS, thread_ts=post.ts, **q_post(FIVE))
    await slack.edit(post, **q_post(FIVE))
    await settled(slack)

    assert bot.investigator.asked == []
    assert not slack.called("chat.postMessage")


async def test_the_bots_own_words_about_an_alarm_start_nothing(slack: LocalSlack, bot: Running) -> None:
    post = await rings(slack, FIVE)
    await told(slack, post)
    own = await bot.service._client.chat_postMessage(channel=ALERTS, text=ALARM_TEXT)
    await bot.service._client.chat_update(channel=ALERTS, ts=own["ts"], text=f"{ALARM_TEXT}!")
    await settled(slack)

    assert len(bot.investigator.asked) == 1


async def test_switched_off_no_alarm_starts_anything(
    slack: LocalSlack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RCA_ALARMS", "off")
    async with running_bot(slack, tmp_path) as bot:
        await rings(slack, FIVE)
        await settled(slack)

        assert bot.investigator.asked == []


@pytest.mark.parametrize(
    "setting", [{"RCA_ALARM_APPS": "A0OTHER, B0OTHER"}, {"RCA_ALARM_CHANNELS": "C0ORDERS"}], ids=str
)
async def test_posts_of_other_apps_and_channels_than_those_set_start_nothing(
    slack: LocalSlack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: dict[str, str]
) -> None:
    for name, value in setting.items():
        monkeypatch.setenv(name, value)
    async with running_bot(slack, tmp_path) as bot:
        await rings(slack, FIVE)
        await settled(slack)
        counted = await slack.app_says("C0ORDERS", app_id="A0OTHER", **q_post("search-errors", at=utc_now()))
        await told(slack, counted, "C0ORDERS")

        assert [t.alarm.name for _, t, _ in bot.investigator.asked if t.alarm] == ["search-errors"]


# --- OK


async def test_ok_edits_the_headline_and_starts_nothing(slack: LocalSlack, bot: Running) -> None:
    at = utc_now() - timedelta(minutes=20)
    post = await rings(slack, FIVE, at=at)
    root = (await told(slack, post))[0]
    await rings(slack, FIVE, "OK", at=at + timedelta(minutes=12))
    await slack.wait_for(lambda: "recovered" in root.text)

    assert root.text == f"recovered after 12 min · {VERDICT}"
    assert str(root.blocks[0]["text"]["text"]).startswith(":white_check_mark: recovered after 12 min · :red_circle: *")
    assert len(bot.investigator.asked) == 1
    assert len(slack.messages(ALERTS)) == 2
    assert await handlings(bot) == [Handling.STARTED, Handling.RECOVERED]


async def test_ok_as_a_reply_or_as_an_edit_of_the_post_counts_too(slack: LocalSlack, bot: Running) -> None:
    at = utc_now() - timedelta(minutes=20)
    for name, tell in (("orders-errors", "reply"), ("search-errors", "edit")):
        post = await rings(slack, name, at=at)
        root = (await told(slack, post))[0]
        over = q_post(name, "OK", at=at + timedelta(minutes=3))
        await (slack.app_says(ALERTS, thread_ts=post.ts, **over) if tell == "reply" else slack.edit(post, **over))
        await slack.wait_for(lambda root=root: "recovered" in root.text)

        assert root.text == f"recovered after 3 min · {VERDICT}"


async def test_ok_while_it_is_looked_into_stays_at_the_headline_with_the_verdict(
    slack: LocalSlack, tmp_path: Path
) -> None:
    hold = asyncio.Event()
    async with running_bot(slack, tmp_path, prepare=lambda i: setattr(i, "hold", hold)):
        at = utc_now() - timedelta(minutes=20)
        post = await rings(slack, FIVE, at=at)
        root = (await slack.wait_for(lambda: slack.thread(ALERTS, post.ts)[1:]))[0]
        await rings(slack, FIVE, "OK", at=at + timedelta(minutes=2))
        await slack.wait_for(lambda: "recovered after 2 min · Looking" in root.text)
        hold.set()
        await slack.wait_for(lambda: "Looking" not in root.text)

        assert root.text == f"recovered after 2 min · {VERDICT}"


async def test_an_alarm_told_after_its_ok_is_investigated_and_said_to_be_over(slack: LocalSlack, bot: Running) -> None:
    at = utc_now() - timedelta(minutes=20)
    await rings(slack, FIVE, "OK", at=at + timedelta(minutes=5))
    await settled(slack)
    post = await rings(slack, FIVE, at=at)
    await slack.wait_for(lambda: said(slack, post)[:1] == [f"recovered after 5 min · {VERDICT}"])

    assert len(bot.investigator.asked) == 1
    assert await handlings(bot) == [Handling.NOTED, Handling.STARTED]


async def test_the_metric_is_looked_at_again_when_the_alarm_is_over(slack: LocalSlack, tmp_path: Path) -> None:
    asked: list[object] = []

    class Care:
        async def recheck(self, investigation_id: str, since: object) -> str:
            asked.append(since)
            return "`orders` WriteThrottleEvents is back at 0 since 10:07"

        async def silence(self, alarm: object) -> str:
            return ""

    async with running_bot(slack, tmp_path, aftercare=Care()):
        at = utc_now() - timedelta(minutes=20)
        post = await rings(slack, FIVE, at=at)
        await told(slack, post)
        await rings(slack, FIVE, "OK", at=at + timedelta(minutes=12))
        await slack.wait_for(lambda: "is back at 0" in shown(slack, post))

        assert asked == [at + timedelta(minutes=12)]


async def test_an_ok_of_an_alarm_that_nobody_saw_says_nothing(slack: LocalSlack, bot: Running) -> None:
    await rings(slack, FIVE, "OK")
    await settled(slack)

    assert not slack.called("chat.postMessage")
    assert await handlings(bot) == [Handling.NOTED]


async def test_an_ok_told_in_a_second_channel_says_nothing_there(slack: LocalSlack, bot: Running) -> None:
    at = utc_now() - timedelta(minutes=20)
    post = await rings(slack, FIVE, at=at)
    root = (await told(slack, post))[0]
    await rings(slack, FIVE, "OK", at=at + timedelta(minutes=12))
    second = await rings(slack, FIVE, "OK", at=at + timedelta(minutes=12), channel="C0ORDERS")
    await slack.wait_for(lambda: "recovered" in root.text)
    await settled(slack)

    assert said(slack, second, "C0ORDERS") == []


# --- INSUFFICIENT_DATA


async def test_missing_data_is_explained_once_and_not_investigated(slack: LocalSlack, tmp_path: Path) -> None:
    class Care:
        async def recheck(self, investigation_id: str, since: object) -> str:
            return ""

        async def silence(self, alarm: object) -> str:
            return "`orders` Invocations last reported at 2026-11-20 09:41 UTC."

    async with running_bot(slack, tmp_path, aftercare=Care()) as bot:
        post = await rings(slack, FIVE, "INSUFFICIENT_DATA")
        await slack.wait_for(lambda: said(slack, post))
        again = await rings(slack, FIVE, "INSUFFICIENT_DATA")
        await settled(slack)

        assert said(slack, post) == [f"{FIVE} has no data"]
        assert "`orders` Invocations last reported at 2026-11-20 09:41 UTC." in shown(slack, post)
        assert said(slack, again) == []
        assert bot.investigator.asked == []


# --- a restart


async def test_an_alarm_taken_on_before_a_crash_is_investigated_after_the_restart(
    slack: LocalSlack, tmp_path: Path
) -> None:
    async with running_bot(slack, tmp_path, prepare=lambda i: setattr(i, "hold", asyncio.Event()), drain=0.1) as first:
        post = await rings(slack, FIVE)
        await slack.wait_for(lambda: first.investigator.asked and said(slack, post))
    async with running_bot(slack, tmp_path) as second:
        await told(slack, post)
        (unfinished,) = [i for i, _, _ in second.investigator.asked]
        known = await second.store.get(unfinished)

        assert known is not None
        assert known.state is State.FINISHED
        assert known.trigger.alarm is not None


async def test_a_trace_id_in_an_apps_post_is_no_alarm(slack: LocalSlack, bot: Running) -> None:
    await slack.app_says(ALERTS, f"{TRACE} looks bad")
    await settled(slack)

    assert bot.investigator.asked == []
