"""Asking in an investigation's thread, over Slack's real protocols: what is said, and what is answered."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domain.inquiry import Inquiry
from domain.report import Role
from orchestrator.ask.answerer import Answerer
from orchestrator.sqlite_store import SqliteStore
from sandbox.slack import LocalSlack, Message
from tests.support.bot import TRACE, Running, ScriptedInvestigator, running_bot, utc_now, verdict

ALERTS = "C0ALERTS"
MIA, TOM = "U0MIA", "U0TOM"
OTHER_TRACE = "1-6740a1b2-ffffffffffffffffffffffff"


@pytest.fixture(params=[False, True], ids=["socket", "http"])
async def bot(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Running]:
    async with LocalSlack(rates=None) as slack, running_bot(slack, tmp_path, http=request.param) as running:
        yield running
        assert slack.violations == []


async def investigated(bot: Running) -> Message:
    """Let the bot investigate, and return the root of its thread once the report is told."""
    await bot.slack.command(MIA, ALERTS, "/rca", TRACE)
    return await bot.slack.wait_for(lambda: _reported(bot))


def _reported(bot: Running) -> Message | None:
    for root in bot.slack.messages(ALERTS):
        if any("rca_question" in str(message.blocks) for message in bot.slack.thread(ALERTS, root.ts)):
            return root
    return None


def answers(bot: Running, root: Message) -> list[Message]:
    """What was answered in the thread: the last words of answers tell where they are from."""
    return [m for m in bot.slack.thread(ALERTS, root.ts) if "from the evidence of" in str(m.blocks)]


async def answer(bot: Running, root: Message) -> Message:
    """Wait for the one answer in the thread."""
    (only,) = await bot.slack.wait_for(lambda: answers(bot, root))
    return only


def shown(message: Message) -> str:
    return "\n".join(block["text"]["text"] for block in message.blocks if block["type"] == "section")


CONVERSATION = (
    ("why not the database?", "It is the verdict: DynamoDB table `orders` — provisioned read or write capacity is exceeded (92 %)"),
    ("why not the table orders?", "It is the verdict: DynamoDB table `orders`"),
    ("why did the table throttle?", "It is the verdict: DynamoDB table `orders`"),
    ("why", "DynamoDB table `orders` is throttling writes (92 %): Consumed 5 of 5 WCU [E1]"),
    ("who changed it?", "Nobody looked for changes."),
    ("how sure are you?", "1 observation speaks for it, nothing against it. [E1]"),
    ("what next?", "Restore `orders` to 500 WCU: writes succeed again (low risk, reversible)"),
    ("what did you check?", "Not seen: error logs are unknown"),
    ("why not the queue?", "Nobody looked at the queue"),
    ("look 17", "look 17 [E17]"),
    ("lunch, anyone?", "Nothing that was seen matches that."),
)  # fmt: skip


@pytest.mark.parametrize(("said", "answered"), CONVERSATION)
async def test_a_question_in_the_thread_is_answered_there(bot: Running, said: str, answered: str) -> None:
    root = await investigated(bot)

    await bot.slack.mention(TOM, ALERTS, said, thread_ts=root.ts)

    message = await answer(bot, root)
    assert answered in shown(message)
    assert message.thread_ts == root.ts
    assert len(bot.investigator.asked) == 1
    assert "no model used" in str(message.blocks)


INVESTIGATIONS = (
    OTHER_TRACE,
    f"why did {OTHER_TRACE} fail?",
    "arn:aws:lambda:eu-west-1:123456789012:function:create-order",
    "function payments last 30 min",
    "can you look at function payments?",
    "create-order",
    "alarm named payments-5xx",
)


@pytest.mark.parametrize("said", INVESTIGATIONS)
async def test_what_names_something_else_to_look_at_is_investigated(bot: Running, said: str) -> None:
    root = await investigated(bot)

    await bot.slack.mention(TOM, ALERTS, said, thread_ts=root.ts)

    await bot.slack.wait_for(lambda: len(bot.investigator.asked) == 2)
    await bot.slack.settle()
    assert answers(bot, root) == []


LESSONS = (
    ("help", "Tell me what failed: @rca 1-6740a1b2"),
    ("1-6740a1b2-123", "“1-6740a1b2-123” is not a trace id"),
    ('{"foo": 1}', "I found no trace id, ARN or name to investigate in that."),
)


@pytest.mark.parametrize(("said", "taught"), LESSONS)
async def test_what_is_no_question_is_answered_with_how_to_ask(bot: Running, said: str, taught: str) -> None:
    root = await investigated(bot)

    await bot.slack.mention(TOM, ALERTS, said, thread_ts=root.ts)

    await bot.slack.wait_for(lambda: [m for m in bot.slack.thread(ALERTS, root.ts) if m.text.startswith(taught)])
    assert answers(bot, root) == []


async def test_outside_of_an_investigations_thread_a_question_is_answered_with_how_to_ask(bot: Running) -> None:
    await investigated(bot)
    elsewhere = await bot.slack.say(TOM, ALERTS, "orders are slow")

    await bot.slack.mention(TOM, ALERTS, "why is that?", thread_ts=elsewhere.ts)

    thread = await bot.slack.wait_for(lambda: len(t := bot.slack.thread(ALERTS, elsewhere.ts)) == 3 and t)
    assert thread[-1].text.startswith("I found no trace id, ARN or name")


async def test_in_a_thread_where_it_was_mentioned_a_question_is_about_that(bot: Running) -> None:
    talk = await bot.slack.say(TOM, ALERTS, "orders are slow")
    await bot.slack.mention(TOM, ALERTS, TRACE, thread_ts=talk.ts)
    await bot.slack.wait_for(lambda: "rca_question" in str([m.blocks for m in bot.slack.thread(ALERTS, talk.ts)]))

    await bot.slack.mention(MIA, ALERTS, "why not the database?", thread_ts=talk.ts)

    assert "It is the verdict" in shown(await answer(bot, talk))


async def test_while_the_investigation_runs_it_says_so(tmp_path: Path) -> None:
    hold = asyncio.Event()

    def slowly(investigator: ScriptedInvestigator) -> None:
        investigator.hold = hold

    async with LocalSlack(rates=None) as slack, running_bot(slack, tmp_path, prepare=slowly) as bot:
        await slack.command(MIA, ALERTS, "/rca", TRACE)
        root = await slack.wait_for(lambda: next(iter(slack.messages(ALERTS)), None))
        await slack.wait_for(lambda: bot.investigator.asked)

        await slack.mention(TOM, ALERTS, "why not the database?", thread_ts=root.ts)

        await slack.wait_for(lambda: [m for m in slack.thread(ALERTS, root.ts) if "I am still looking" in m.text])
        hold.set()
        await slack.wait_for(lambda: _reported(bot))
        assert len(bot.investigator.asked) == 1
        assert await bot.store.unanswered() == ()


async def test_a_delivery_that_comes_again_is_answered_once(bot: Running) -> None:
    root = await investigated(bot)
    await bot.slack.mention(TOM, ALERTS, "why not the database?", thread_ts=root.ts)
    await answer(bot, root)
    mention = next(d for d in bot.slack.deliveries if "app_mention" in str(d.payload) and "database" in str(d.payload))

    await asyncio.gather(*(bot.slack.repeat(mention) for _ in range(5)))
    await bot.slack.settle()

    assert len(answers(bot, root)) == 1
    assert mention.acked


async def test_what_an_earlier_process_left_is_answered_at_the_next_start(tmp_path: Path) -> None:
    async with LocalSlack(rates=None) as slack:
        async with running_bot(slack, tmp_path) as bot:
            root = await investigated(bot)
            ident = bot.investigator.asked[0][0]
        store = SqliteStore.open(tmp_path)
        left = Inquiry(
            key="event:Ev1", investigation_id=ident, text="why not the queue?", user=TOM, channel=ALERTS,
            thread=root.ts, asked_at=utc_now(),
        )  # fmt: skip
        assert await store.inquire(left)
        assert not await store.inquire(left)
        await store.close()

        async with running_bot(slack, tmp_path) as bot:
            assert "Nobody looked at the queue" in shown(await answer(bot, root))
            await slack.wait_for(lambda: not bot.service.bot.background._tasks)
            assert await bot.store.unanswered() == ()


async def test_the_ask_button_opens_a_form_and_its_answer_names_who_asked(bot: Running) -> None:
    root = await investigated(bot)
    report = bot.slack.thread(ALERTS, root.ts)[-1]
    await bot.slack.press(TOM, report, "rca_question")
    (view,) = await bot.slack.wait_for(lambda: bot.slack.views(TOM))

    delivery = await bot.slack.submit(view, {"text": "why not the *database*?"})

    message = await answer(bot, root)
    assert delivery.acked
    assert bot.slack.views(TOM) == []
    assert view.body["title"]["text"] == "Ask"
    assert shown(message).startswith(f"<@{TOM}> asked: _why not the ∗database∗?_\nIt is the verdict")


async def test_a_submitted_form_that_comes_again_is_answered_once(bot: Running) -> None:
    root = await investigated(bot)
    await bot.slack.press(TOM, bot.slack.thread(ALERTS, root.ts)[-1], "rca_question")
    (view,) = await bot.slack.wait_for(lambda: bot.slack.views(TOM))
    delivery = await bot.slack.submit(view, {"text": "why not the database?"})

    await bot.slack.repeat(delivery)
    await answer(bot, root)
    await bot.slack.settle()

    assert len(answers(bot, root)) == 1


async def test_an_empty_form_stays_open_and_says_what_to_write(bot: Running) -> None:
    root = await investigated(bot)
    await bot.slack.press(TOM, bot.slack.thread(ALERTS, root.ts)[-1], "rca_question")
    (view,) = await bot.slack.wait_for(lambda: bot.slack.views(TOM))

    delivery = await bot.slack.submit(view, {"text": "   "})

    assert delivery.ack is not None
    assert delivery.ack["errors"]["rca_question_text"].startswith("Ask in words")
    assert len(bot.slack.views(TOM)) == 1
    assert answers(bot, root) == []


HOSTILE = "why not <!channel> <@U0TOM> <https://evil.example|here> @here *bold* `code` " + "x" * 5000


async def test_what_is_asked_can_neither_mention_nor_link_nor_grow(bot: Running) -> None:
    root = await investigated(bot)
    await bot.slack.press(MIA, bot.slack.thread(ALERTS, root.ts)[-1], "rca_question")
    (view,) = await bot.slack.wait_for(lambda: bot.slack.views(MIA))

    await bot.slack.submit(view, {"text": HOSTILE[:2900]})

    said = str((await answer(bot, root)).blocks)
    assert said.count("<@") == 1
    assert "<!" not in said
    assert "<https" not in said
    assert "@here" not in said
    assert len(said) < 3000


async def test_a_secret_in_a_question_is_not_kept(bot: Running) -> None:
    root = await investigated(bot)
    await bot.slack.press(MIA, bot.slack.thread(ALERTS, root.ts)[-1], "rca_question")
    (view,) = await bot.slack.wait_for(lambda: bot.slack.views(MIA))

    await bot.slack.submit(view, {"text": "why not password=hunter2hunter2"})

    assert "hunter2" not in str((await answer(bot, root)).blocks)


async def test_two_ask_different_things_at_once_and_both_are_answered(bot: Running) -> None:
    root = await investigated(bot)

    await asyncio.gather(
        bot.slack.mention(MIA, ALERTS, "why not the database?", thread_ts=root.ts),
        bot.slack.mention(TOM, ALERTS, "why not the queue?", thread_ts=root.ts),
    )

    told = await bot.slack.wait_for(lambda: len(a := answers(bot, root)) == 2 and a)
    assert {"It is the verdict" in shown(m) for m in told} == {True, False}


async def test_of_several_in_one_thread_the_newest_concluded_is_meant(bot: Running) -> None:
    root = await investigated(bot)
    bot.investigator.conclude = lambda ident, trigger: verdict(ident, trigger).model_copy(
        update={"root_cause": None, "hypotheses": (verdict(ident, trigger).hypotheses[0].model_copy(update={"role": Role.RULED_OUT}),)}
    )  # fmt: skip
    await bot.slack.press(TOM, bot.slack.thread(ALERTS, root.ts)[-1], "rca_run_again")
    await bot.slack.wait_for(
        lambda: str([m.blocks for m in bot.slack.thread(ALERTS, root.ts)]).count("rca_question'") == 2
    )

    await bot.slack.mention(MIA, ALERTS, "why not the database?", thread_ts=root.ts)

    assert "ruled out" in shown(await answer(bot, root))


async def test_an_answer_without_a_report_is_none(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path)
    asked = Inquiry(
        key="k", investigation_id="INV-NONE", text="why?", user=MIA, channel=ALERTS, thread="1.2", asked_at=utc_now()
    )

    assert await Answerer(store).answer(asked) is None
    await store.close()
