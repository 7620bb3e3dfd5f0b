"""The outbox against a local Slack that limits, breaks and forgets to answer."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from bot.blocks.message import Message, message, section
from bot.calls import NotDelivered, slack_client
from bot.outbox import Label, Outbox
from bot.pacing import Clock, Pace
from orchestrator.store import MessageRef
from sandbox.slack import LocalSlack, Rates

ALERTS = "C0ALERTS"
FAST = Pace(posts_per_second=50, post_burst=20, between_updates_seconds=0.05)
ROOT = Label(investigation="INV-1", role="root")


class Hasty(Clock):
    """A clock whose pauses are a twentieth as long."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / 20)


def said(text: str) -> Message:
    return message(text, [section(text)])


@pytest.fixture
async def slack() -> AsyncIterator[LocalSlack]:
    async with LocalSlack(rates=None) as running:
        yield running


def outbox_of(slack: LocalSlack, pace: Pace = FAST, clock: Clock | None = None) -> Outbox:
    client = slack_client(slack.bot_token, slack.api_url)
    client.timeout = 1
    return Outbox(client, bot_user=slack.world.workspace.app.bot_user, pace=pace, clock=clock)


def texts(slack: LocalSlack) -> list[str]:
    return [m.text for m in slack.messages(ALERTS)]


async def test_a_post_carries_metadata_that_names_it(slack: LocalSlack) -> None:
    where = await outbox_of(slack).post(ALERTS, said("looking"), ROOT)

    (posted,) = slack.messages(ALERTS)

    assert where == MessageRef(channel=ALERTS, ts=posted.ts)
    assert posted.body["metadata"] == {
        "event_type": "rca_message",
        "event_payload": {"investigation": "INV-1", "role": "root", "key": ""},
    }


@pytest.mark.parametrize(
    "fault",
    [
        {"drop": "after_accept"},
        {"drop": "before_accept"},
        {"status": 500},
        {"status": 503, "times": 3},
        {"error": "ratelimited"},
        {"error": "fatal_error"},
        {"error": "internal_error", "times": 2},
        {"hang": True},
    ],
    ids=str,
)
async def test_whatever_happens_to_a_post_there_is_exactly_one(slack: LocalSlack, fault: dict[str, object]) -> None:
    slack.fail("chat.postMessage", **fault)

    await outbox_of(slack, clock=Hasty()).post(ALERTS, said("looking"), ROOT)

    assert texts(slack) == ["looking"]


async def test_a_reply_whose_answer_was_lost_is_found_in_its_thread(slack: LocalSlack) -> None:
    outbox = outbox_of(slack)
    root = await outbox.post(ALERTS, said("looking"), ROOT)
    slack.fail("chat.postMessage", drop="after_accept")
    reply = Label(investigation="INV-1", role="reply", key="lambda")

    where = await outbox.post(ALERTS, said("found"), reply, thread_ts=root.ts)

    thread = slack.thread(ALERTS, root.ts)
    assert [m.text for m in thread] == ["looking", "found"]
    assert where.ts == thread[1].ts


async def test_a_search_that_fails_is_repeated_before_anything_is_posted_again(slack: LocalSlack) -> None:
    slack.fail("chat.postMessage", drop="after_accept")
    slack.fail("conversations.history", status=500, times=2)

    await outbox_of(slack, clock=Hasty()).post(ALERTS, said("looking"), ROOT)

    assert texts(slack) == ["looking"]
    assert len(slack.called("conversations.history")) == 3


async def test_what_an_earlier_process_posted_is_found_not_posted_again(slack: LocalSlack) -> None:
    first = await outbox_of(slack).post(ALERTS, said("looking"), ROOT)

    again = await outbox_of(slack).post(
        ALERTS, said("looking"), ROOT, maybe_since=datetime.now(UTC) - timedelta(hours=1)
    )

    assert again == first
    assert texts(slack) == ["looking"]


async def test_another_apps_message_with_our_metadata_is_not_taken_for_ours(slack: LocalSlack) -> None:
    await slack.app_says(ALERTS, "forged", metadata=ROOT.metadata())

    await outbox_of(slack).post(ALERTS, said("looking"), ROOT, maybe_since=datetime.now(UTC))

    assert texts(slack) == ["forged", "looking"]


async def test_a_refused_post_says_why_and_is_not_repeated(slack: LocalSlack) -> None:
    with pytest.raises(NotDelivered) as refused:
        await outbox_of(slack).post("C0GENERAL", said("looking"), ROOT)

    assert refused.value.code == "not_in_channel"
    assert len(slack.called("chat.postMessage")) == 1


async def test_posts_of_one_channel_keep_their_order_though_one_is_repeated(slack: LocalSlack) -> None:
    outbox = outbox_of(slack)
    slack.fail("chat.postMessage", status=500)

    await asyncio.gather(
        *(outbox.post(ALERTS, said(str(n)), Label(investigation="INV-1", role="reply", key=str(n))) for n in range(5))
    )

    assert texts(slack) == ["0", "1", "2", "3", "4"]


async def test_a_burst_of_posts_stays_within_slacks_pace() -> None:
    async with LocalSlack(rates=Rates()) as slack:
        outbox = outbox_of(slack, pace=Pace())

        await asyncio.gather(
            *(outbox.post(ALERTS, said(str(n)), Label(investigation="I", role="reply", key=str(n))) for n in range(7))
        )

        assert len(slack.messages(ALERTS)) == 7
        assert [c.answer["ok"] for c in slack.called("chat.postMessage")] == [True] * 7


async def test_a_message_that_slack_would_refuse_is_sent_as_its_summary(slack: LocalSlack) -> None:
    too_long = Message(text="The queue is backed up", blocks=(section("x" * 4000),))

    await outbox_of(slack).post(ALERTS, too_long, ROOT)

    (posted,) = slack.messages(ALERTS)
    assert posted.text.startswith("The queue is backed up\n_(The full message did not fit")
    assert slack.violations == []


async def test_blocks_that_only_slack_finds_wrong_are_sent_as_their_summary(slack: LocalSlack) -> None:
    slack.fail("chat.postMessage", error="invalid_blocks")

    await outbox_of(slack).post(ALERTS, said("The queue is backed up"), ROOT)

    assert texts(slack)[0].startswith("The queue is backed up\n_(The full message did not fit")


async def test_of_many_updates_the_last_is_seen_and_few_are_sent(slack: LocalSlack) -> None:
    outbox = outbox_of(slack)
    root = await outbox.post(ALERTS, said("0"), ROOT)

    for n in range(1, 50):
        outbox.update(root, said(str(n)), ROOT)
        await asyncio.sleep(0.002)
    await outbox.flush()

    assert texts(slack) == ["49"]
    assert len(slack.called("chat.update")) < 10


async def test_updates_of_one_message_are_a_second_apart(slack: LocalSlack) -> None:
    outbox = outbox_of(slack, pace=Pace())
    root = await outbox.post(ALERTS, said("0"), ROOT)

    for n in range(1, 25):
        outbox.update(root, said(str(n)), ROOT)
        await asyncio.sleep(0.1)
    await outbox.flush()

    at = [call.at for call in slack.called("chat.update")]
    assert len(at) >= 3
    assert min(later - earlier for earlier, later in itertools.pairwise(at)) >= 0.95


async def test_the_last_word_does_not_wait_for_the_pace_of_progress(slack: LocalSlack) -> None:
    outbox = outbox_of(slack, pace=Pace(progress_burst=1, progress_per_minute=0.5, between_updates_seconds=30))
    root = await outbox.post(ALERTS, said("looking"), ROOT)
    outbox.update(root, said("first"), ROOT)
    await slack.wait_for(lambda: texts(slack) == ["first"])
    outbox.update(root, said("second"), ROOT)

    began = time.monotonic()
    taken = await outbox.conclude(root, said("verdict"), ROOT)

    assert taken
    assert texts(slack) == ["verdict"]
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "fault",
    [{"status": 500, "times": 2}, {"drop": "after_accept"}, {"error": "ratelimited"}, {"hang": True}],
    ids=str,
)
async def test_the_last_word_gets_through_whatever_happens(slack: LocalSlack, fault: dict[str, object]) -> None:
    outbox = outbox_of(slack, clock=Hasty())
    root = await outbox.post(ALERTS, said("looking"), ROOT)
    slack.fail("chat.update", **fault)

    taken = await outbox.conclude(root, said("verdict"), ROOT)

    assert taken
    assert texts(slack) == ["verdict"]


async def test_a_last_word_that_fails_is_not_overtaken_by_progress_sent_before_it(slack: LocalSlack) -> None:
    outbox = outbox_of(slack, clock=Hasty())
    root = await outbox.post(ALERTS, said("looking"), ROOT)
    slack.fail("chat.update", status=500, times=2)
    outbox.update(root, said("progress"), ROOT)
    await slack.wait_for(lambda: slack.called("chat.update"))

    await outbox.conclude(root, said("verdict"), ROOT)
    await outbox.flush()

    assert texts(slack) == ["verdict"]


async def test_what_replaces_a_waiting_last_word_goes_out_as_soon(slack: LocalSlack) -> None:
    outbox = outbox_of(slack, pace=Pace(progress_burst=1, progress_per_minute=0.5, between_updates_seconds=0.05))
    root = await outbox.post(ALERTS, said("looking"), ROOT)
    outbox.update(root, said("first"), ROOT)
    await slack.wait_for(lambda: texts(slack) == ["first"])

    verdict = asyncio.create_task(outbox.conclude(root, said("verdict"), ROOT))
    await asyncio.sleep(0)
    outbox.update(root, said("verdict, dismissed"), ROOT)

    assert await asyncio.wait_for(verdict, 2)
    assert texts(slack) == ["verdict, dismissed"]


async def test_an_update_of_a_deleted_message_is_given_up(slack: LocalSlack) -> None:
    outbox = outbox_of(slack)

    taken = await outbox.conclude(MessageRef(channel=ALERTS, ts="1.000001"), said("verdict"), ROOT)

    assert not taken


async def test_updates_of_many_messages_stay_within_slacks_minute() -> None:
    async with LocalSlack(rates=Rates()) as slack:
        outbox = outbox_of(slack, pace=Pace(posts_per_second=50, post_burst=50))
        slack.world.workspace.channels[ALERTS].members.add("U0GUS")
        roots = []
        for n in range(5):
            label = Label(investigation=f"INV-{n}", role="root")
            roots.append((await outbox.post(ALERTS, said("looking"), label), label))
        for round_ in range(30):
            for where, label in roots:
                outbox.update(where, said(str(round_)), label)
            await asyncio.sleep(0.05)

        done = await asyncio.gather(*(outbox.conclude(where, said("verdict"), label) for where, label in roots))

        assert done == [True] * 5
        assert all(call.answer.get("ok") for call in slack.called("chat.update"))
        assert len(slack.called("chat.update")) <= 45


async def test_what_yields_lets_every_other_post_of_its_channel_go_before(slack: LocalSlack) -> None:
    outbox = outbox_of(slack)
    slack.fail("chat.postMessage", delay=0.3)
    first = asyncio.create_task(outbox.post(ALERTS, said("report 0"), ROOT))
    await asyncio.sleep(0.05)
    notes = [asyncio.create_task(outbox.post(ALERTS, said(f"note {n}"), ROOT, yields=True)) for n in range(3)]
    await asyncio.sleep(0.05)
    late = [asyncio.create_task(outbox.post(ALERTS, said(f"report {n}"), ROOT)) for n in (1, 2)]
    await asyncio.gather(first, *notes, *late)

    assert texts(slack) == ["report 0", "report 1", "report 2", "note 0", "note 1", "note 2"]
