"""The bot when Slack repeats, limits, breaks and forgets, and when the bot itself dies: each thing happens once."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bot import socketmode
from bot.conversation import Conversation
from bot.listeners.contract import Bot
from domain.report import Report
from domain.request import Trigger, TriggerKind
from domain.values import JsonObject
from orchestrator.errors import UnusableInput
from orchestrator.sqlite_store import SqliteStore
from orchestrator.store import MessageRole
from sandbox.slack import LocalSlack, Message, Timing
from tests.support.bot import TRACE, Running, ScriptedInvestigator, running_bot, utc_now

ALERTS = "C0ALERTS"
MIA, TOM = "U0MIA", "U0TOM"
VERDICT = "DynamoDB table `orders` is throttling writes (92 %)"
BOTH = pytest.mark.parametrize("http", [False, True], ids=["socket", "http"])


@pytest.fixture
async def slack() -> AsyncIterator[LocalSlack]:
    async with LocalSlack(rates=None, timing=Timing(retries=(0.05, 0.1, 0.2))) as running:
        yield running
        assert running.violations == []


async def told(slack: LocalSlack, number: int = 1) -> list[Message]:
    """Wait until so many investigations are told to their end; return their root messages."""

    def ended() -> list[Message] | None:
        roots = [root for root in slack.messages(ALERTS) if root.text.startswith(VERDICT)]
        reports = [m for root in roots for m in slack.thread(ALERTS, root.ts) if "rca_evidence" in str(m.blocks)]
        return roots if len(roots) == len(reports) == number else None

    return await slack.wait_for(ended, timeout=15)


@BOTH
async def test_a_command_delivered_many_times_is_investigated_once(
    slack: LocalSlack, tmp_path: Path, http: bool
) -> None:
    async with running_bot(slack, tmp_path, http=http) as bot:
        delivery = await slack.command(MIA, ALERTS, "/rca", TRACE)
        await asyncio.gather(*(slack.repeat(delivery) for _ in range(20)))
        await told(slack)

        assert all(attempt.error is None for attempt in delivery.attempts)
        assert len(bot.investigator.asked) == 1
        assert len(slack.messages(ALERTS)) == 1


@BOTH
async def test_events_delivered_together_are_investigated_once_each(
    slack: LocalSlack, tmp_path: Path, http: bool
) -> None:
    async with running_bot(slack, tmp_path, http=http) as bot:
        for _ in range(5):
            await slack.mention(MIA, ALERTS, TRACE)
        mentions = [d for d in slack.deliveries if d.payload["event"]["type"] == "app_mention"]
        await asyncio.gather(*(slack.repeat(delivery) for delivery in mentions * 10))
        await slack.wait_for(lambda: len(bot.investigator.asked) == 5)
        await slack.settle()

        assert len(bot.investigator.asked) == 5


async def test_a_delivery_repeated_after_a_restart_is_not_investigated_again(slack: LocalSlack, tmp_path: Path) -> None:
    async with running_bot(slack, tmp_path):
        delivery = await slack.command(MIA, ALERTS, "/rca", TRACE)
        await told(slack)
    async with running_bot(slack, tmp_path) as again:
        await slack.repeat(delivery)
        await asyncio.sleep(0.2)

        assert again.investigator.asked == []
        assert delivery.attempts[-1].error is None
        assert delivery.attempts[-1].body is None


@BOTH
async def test_a_button_pressed_once_and_delivered_often_answers_once(
    slack: LocalSlack, tmp_path: Path, http: bool
) -> None:
    async with running_bot(slack, tmp_path, http=http) as bot:
        await slack.command(MIA, ALERTS, "/rca", TRACE)
        (root,) = await told(slack)
        report = slack.thread(ALERTS, root.ts)[-1]
        grade = await slack.press(MIA, report, "rca_grade_exact")
        again = await slack.press(MIA, report, "rca_run_again")
        await asyncio.gather(*(slack.repeat(delivery) for delivery in [grade, again] * 5))
        await slack.wait_for(lambda: len(bot.investigator.asked) == 2)
        await asyncio.sleep(0.2)

        assert len(slack.ephemerals(MIA)) == 1
        assert len(bot.investigator.asked) == 2


@BOTH
async def test_what_cannot_be_written_down_is_not_acked_and_taken_on_when_slack_repeats_it(
    slack: LocalSlack, tmp_path: Path, http: bool
) -> None:
    async with running_bot(slack, tmp_path, http=http) as bot:
        accept, failures = bot.store.accept, [OSError("disk full")]

        async def failing_once(key: str, trigger: Trigger, *, now: object) -> object:
            if failures:
                raise failures.pop()
            return await accept(key, trigger, now=now)

        bot.store.accept = failing_once
        slack.world.timing = Timing(ack=0.3, retries=(0.05,))
        await slack.mention(MIA, ALERTS, TRACE)
        await slack.wait_for(lambda: bot.investigator.asked)
        (mention,) = [d for d in slack.deliveries if d.payload["event"]["type"] == "app_mention"]

        assert mention.attempts[0].error is not None
        assert mention.attempts[1].error is None
        assert len(bot.investigator.asked) == 1


FAULTS = (
    {"status": 500},
    {"status": 503, "times": 2},
    {"drop": "after_accept"},
    {"drop": "before_accept"},
    {"error": "ratelimited"},
    {"error": "internal_error"},
)


@pytest.mark.parametrize("fault", FAULTS, ids=str)
@pytest.mark.parametrize("method", ["chat.postMessage", "chat.update"])
async def test_whatever_slack_does_every_message_is_there_exactly_once(
    slack: LocalSlack, tmp_path: Path, method: str, fault: dict[str, object]
) -> None:
    async with running_bot(slack, tmp_path):
        slack.fail(method, **fault)
        await slack.command(MIA, ALERTS, "/rca", TRACE)
        (root,) = await told(slack)

        assert len(slack.thread(ALERTS, root.ts)) == 4
        assert len(slack.messages(ALERTS)) == 1


async def test_a_thread_is_complete_though_every_second_call_breaks(slack: LocalSlack, tmp_path: Path) -> None:
    async with running_bot(slack, tmp_path):
        for _ in range(4):
            slack.fail("chat.postMessage", drop="after_accept")
            slack.fail("chat.postMessage", times=1, delay=0.01)
        await slack.command(MIA, ALERTS, "/rca", TRACE)
        (root,) = await told(slack)

        assert len(slack.thread(ALERTS, root.ts)) == 4


@BOTH
async def test_thirty_commands_at_once_are_acked_well_within_three_seconds(
    slack: LocalSlack, tmp_path: Path, http: bool
) -> None:
    async with running_bot(slack, tmp_path, http=http, most=30) as bot:
        deliveries = await asyncio.gather(
            *(slack.command(MIA, ALERTS, "/rca", f"1-6740a1b2-{n:024x}") for n in range(1, 31))
        )
        await told(slack, 30)

        assert max(d.ack_seconds or 99 for d in deliveries) < 1.0
        assert len(bot.investigator.asked) == 30


async def test_more_than_the_limit_wait_and_say_how_many_are_ahead(slack: LocalSlack, tmp_path: Path) -> None:
    hold = asyncio.Event()

    def prepare(investigator: ScriptedInvestigator) -> None:
        investigator.hold = hold

    async with running_bot(slack, tmp_path, most=2, prepare=prepare) as bot:
        for n in range(1, 5):
            await slack.command(MIA, ALERTS, "/rca", f"1-6740a1b2-{n:024x}")
        await slack.wait_for(
            lambda: (
                [m.text for m in slack.messages(ALERTS)][2:]
                == [
                    "Investigation queued, 1 ahead",
                    "Investigation queued, 2 ahead",
                ]
            )
        )
        async with aiohttp.ClientSession() as session, session.get(f"{bot.url}/healthz") as answer:
            health = await answer.json()
        hold.set()
        await told(slack, 4)

        assert (health["running"], health["waiting"]) == (2, 2)
        assert bot.investigator.most_at_once == 2


async def test_an_investigator_that_breaks_still_ends_the_thread(slack: LocalSlack, tmp_path: Path) -> None:
    def prepare(investigator: ScriptedInvestigator) -> None:
        investigator.breaks = RuntimeError("out of luck")

    async with running_bot(slack, tmp_path, prepare=prepare) as bot:
        await slack.command(MIA, ALERTS, "/rca", TRACE)
        (root,) = await slack.wait_for(lambda: [m for m in slack.messages(ALERTS) if "failed" in m.text])

        assert "The bot itself broke. Run it again" in str(root.blocks)
        await slack.wait_for(lambda: "rca_run_again" in str([m.blocks for m in slack.thread(ALERTS, root.ts)]))
        assert await bot.store.unfinished() == ()


@pytest.mark.parametrize("seconds", [0.0, 0.5], ids=["as it comes", "while the verdict is slow to be shown"])
async def test_a_report_that_cannot_be_shown_still_ends_the_thread(
    slack: LocalSlack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    show = Conversation._show_verdict

    async def late(conversation: Conversation, report: Report) -> bool:
        await asyncio.sleep(seconds)
        return await show(conversation, report)

    monkeypatch.setattr(Conversation, "_show_verdict", late)

    def prepare(investigator: ScriptedInvestigator) -> None:
        good = investigator.conclude
        investigator.conclude = lambda ident, trigger: good(ident, trigger).model_copy(update={"timeline": (None,)})

    async with running_bot(slack, tmp_path, prepare=prepare) as bot:
        bot.investigator.store = Forgiving(bot.store)
        await slack.command(MIA, ALERTS, "/rca", TRACE)
        last = await slack.wait_for(
            lambda: [
                m for root in slack.messages(ALERTS) for m in slack.thread(ALERTS, root.ts) if "cannot show" in m.text
            ]
        )

        assert len(last) == 1
        assert VERDICT.removesuffix(" (92 %)") in last[0].text
        assert slack.messages(ALERTS)[0].text == VERDICT


class Forgiving:
    """A store that keeps a good report when it is given one that cannot be kept."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store

    async def start(self, ident: str, *, now: object) -> None:
        await self._store.start(ident, now=now)

    async def finish(self, report: Report, bundle: None) -> None:
        await self._store.finish(report.model_copy(update={"timeline": ()}), bundle)


async def test_words_that_are_no_request_any_more_end_in_a_last_word(slack: LocalSlack, tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path)
    trigger = Trigger(kind=TriggerKind.SLASH_COMMAND, text="what is love", user=MIA, channel=ALERTS)
    await store.accept("command:1", trigger, now=utc_now())
    await store.close()

    async with running_bot(slack, tmp_path) as bot:
        (root,) = await slack.wait_for(lambda: [m for m in slack.messages(ALERTS) if "failed" in m.text])

        assert "I found no trace id" in str(root.blocks)
        assert bot.investigator.asked == []
        await slack.wait_for(lambda: len(slack.thread(ALERTS, root.ts)) == 2)
    store = SqliteStore.open(tmp_path)
    assert await store.unfinished() == ()
    await store.close()


async def test_after_a_restart_an_unfinished_investigation_is_told_in_its_own_messages(
    slack: LocalSlack, tmp_path: Path
) -> None:
    def prepare(investigator: ScriptedInvestigator) -> None:
        investigator.hold = asyncio.Event()

    async with running_bot(slack, tmp_path, prepare=prepare, drain=0.1) as first:
        await slack.command(MIA, ALERTS, "/rca", TRACE)
        await slack.wait_for(
            lambda: slack.messages(ALERTS) and len(slack.thread(ALERTS, slack.messages(ALERTS)[0].ts)) == 3
        )
        (before,) = slack.messages(ALERTS)
        ident = first.investigator.asked[0][0]
    async with running_bot(slack, tmp_path) as second:
        (root,) = await told(slack)

        assert root.ts == before.ts
        assert len(slack.thread(ALERTS, root.ts)) == 4
        assert [asked[0] for asked in second.investigator.asked] == [ident]


async def test_a_root_posted_just_before_the_end_is_found_after_the_restart(slack: LocalSlack, tmp_path: Path) -> None:
    async with running_bot(slack, tmp_path, drain=0.0) as first:

        async def never(*_: object) -> None:
            await asyncio.Event().wait()

        first.store.place = never
        await slack.command(MIA, ALERTS, "/rca", TRACE)
        await slack.wait_for(lambda: slack.messages(ALERTS))
    async with running_bot(slack, tmp_path):
        await told(slack)

        assert len(slack.messages(ALERTS)) == 1


async def test_a_report_finished_but_untold_is_told_after_the_restart(slack: LocalSlack, tmp_path: Path) -> None:
    async with running_bot(slack, tmp_path, drain=0.0) as first:
        slack.fail("chat.postMessage", hang=True, times=2)
        await slack.command(MIA, ALERTS, "/rca", TRACE)
        await asyncio.sleep(0.1)
        (waiting,) = await first.store.unfinished()
        await first.store.finish(first.investigator.conclude(waiting.id, waiting.trigger), None)
    slack.heal()
    async with running_bot(slack, tmp_path) as second:
        (root,) = await told(slack)

        assert second.investigator.asked == []
        stored = await slack_reported(second, waiting.id)
        assert stored.channel == root.channel


async def slack_reported(bot: Running, ident: str) -> object:
    """Wait until the store knows that the report was told."""
    for _ in range(100):
        known = await bot.store.get(ident)
        if known is not None and MessageRole.REPORT in known.messages:
            return known.messages[MessageRole.REPORT]
        await asyncio.sleep(0.02)
    raise AssertionError("the report was not recorded as told")


async def test_stopping_waits_for_what_runs_and_sends_what_is_unsent(slack: LocalSlack, tmp_path: Path) -> None:
    hold = asyncio.Event()

    def prepare(investigator: ScriptedInvestigator) -> None:
        investigator.hold = hold

    async with running_bot(slack, tmp_path, prepare=prepare) as bot:
        await slack.command(MIA, ALERTS, "/rca", TRACE)
        await slack.wait_for(lambda: bot.investigator.asked)
        asyncio.get_running_loop().call_later(0.2, hold.set)

    (root,) = await told(slack)
    assert len(slack.thread(ALERTS, root.ts)) == 4


@BOTH
async def test_a_listener_that_raises_right_after_its_ack_keeps_the_ack_and_tells_the_person(
    slack: LocalSlack, tmp_path: Path, http: bool
) -> None:
    async with running_bot(slack, tmp_path, http=http) as bot:
        _break_on_action(bot.service.bot, bot, "broken_button")
        element = {"type": "button", "action_id": "broken_button", "text": {"type": "plain_text", "text": "x"}}
        message = await slack.app_says(ALERTS, "old", blocks=[{"type": "actions", "elements": [element]}])

        delivery = await slack.press(MIA, message, "broken_button")

        (shown,) = await slack.wait_for(lambda: slack.ephemerals(MIA))
        assert delivery.acked
        assert (delivery.ack_seconds or 99) < 1
        assert shown.text.startswith("Something broke on my side")


def _break_on_action(parts: Bot, bot: Running, action_id: str) -> None:
    async def broken(ack: object, body: JsonObject) -> None:
        await ack()
        raise UnusableInput("nothing works")

    bot.service.bolt.action(action_id)(parts.guarded(broken))
    listeners = bot.service.bolt._async_listeners
    listeners.insert(0, listeners.pop())


async def test_the_socket_comes_back_after_slack_asks_it_to_reconnect(slack: LocalSlack, tmp_path: Path) -> None:
    async with running_bot(slack, tmp_path):
        await slack.disconnect()
        await asyncio.sleep(0.1)
        await slack.wait_for(lambda: slack.sockets.connections)

        delivery = await slack.command(MIA, ALERTS, "/rca", TRACE)

        assert delivery.acked
        await told(slack)


async def test_the_loop_is_never_held_up(slack: LocalSlack, tmp_path: Path) -> None:
    async with running_bot(slack, tmp_path, most=30):
        lags: list[float] = []

        async def probe() -> None:
            while True:
                began = time.perf_counter()
                await asyncio.sleep(0.01)
                lags.append(time.perf_counter() - began - 0.01)

        probing = asyncio.create_task(probe())
        await asyncio.gather(*(slack.command(MIA, ALERTS, "/rca", f"1-6740a1b2-{n:024x}") for n in range(1, 11)))
        await told(slack, 10)
        probing.cancel()

        assert sorted(lags)[int(len(lags) * 0.95)] < 0.1


@pytest.fixture
def hasty_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    """A watch over the socket that counts in tenths of seconds."""
    monkeypatch.setattr(socketmode, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(socketmode, "RENEW_AFTER_SECONDS", 0.3)
    monkeypatch.setattr(socketmode, "GIVE_UP_AFTER_SECONDS", 2.0)


@pytest.mark.usefixtures("hasty_watch")
async def test_a_connection_that_stays_away_is_made_anew(slack: LocalSlack, tmp_path: Path) -> None:
    async with running_bot(slack, tmp_path) as bot:
        await bot.service.socket._handler.client.close()
        await slack.wait_for(lambda: not bot.service.socket.connected)

        await slack.wait_for(lambda: bot.service.socket.connected)
        delivery = await slack.command(MIA, ALERTS, "/rca", "help")

        assert delivery.acked
        assert not bot.service.socket.lost.is_set()


@pytest.mark.usefixtures("hasty_watch")
async def test_a_slack_that_stays_away_for_long_is_given_up(slack: LocalSlack, tmp_path: Path) -> None:
    async with running_bot(slack, tmp_path) as bot:
        slack.fail("apps.connections.open", status=500, times=1e9)
        await slack.sockets.close()

        await asyncio.wait_for(bot.service.socket.lost.wait(), 8)

        assert not bot.service.health()["connected"]
