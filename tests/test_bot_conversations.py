"""Conversations with the bot over Slack's real protocols: what is said, and what is answered."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox.slack import LocalSlack, Message
from tests.support.bot import TRACE, Running, running_bot

ALERTS = "C0ALERTS"
MIA, TOM = "U0MIA", "U0TOM"


@pytest.fixture(params=[False, True], ids=["socket", "http"])
async def bot(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Running]:
    async with LocalSlack(rates=None) as slack, running_bot(slack, tmp_path, http=request.param) as running:
        yield running
        assert slack.violations == []


async def told(bot: Running, channel: str = ALERTS) -> tuple[Message, list[Message]]:
    """Wait until the first investigation of a channel is told to its end; return its root and its thread."""

    def ended() -> tuple[Message, list[Message]] | None:
        for root in bot.slack.messages(channel):
            thread = bot.slack.thread(channel, root.ts)
            if "92 %" in root.text and any("Evidence" in str(m.blocks) for m in thread[1:]):
                return root, thread
        return None

    return await bot.slack.wait_for(ended)


def first_lines(messages: list[Message]) -> list[str]:
    return [m.text.split("\n")[0] for m in messages]


THREAD = [
    "DynamoDB table `orders` is throttling writes (92 %)",
    "2 of 2 specialists done",
    "dynamodb: `orders` throttled",
    "DynamoDB table `orders` is throttling writes (92 %). Capacity was cut 500 → 5 WCU at 09:51.",
]
"""What an investigation by the script leaves in its thread."""


async def test_a_slash_command_becomes_a_whole_thread(bot: Running) -> None:
    delivery = await bot.slack.command(MIA, ALERTS, "/rca", TRACE)

    _, thread = await told(bot)

    assert delivery.acked
    assert delivery.ack is None
    assert first_lines(thread) == THREAD
    assert [trigger.user for _, trigger, _ in bot.investigator.asked] == [MIA]
    assert [request.trace_ids for _, _, request in bot.investigator.asked] == [(TRACE,)]


COMMANDS = (
    ("", "Tell me what failed: /rca 1-6740a1b2"),
    ("help", "Tell me what failed: /rca 1-6740a1b2"),
    ("HELP ", "Tell me what failed: /rca 1-6740a1b2"),
    ("what is love", "I found no trace id, ARN or name to investigate in that."),
    ("1-6740a1b2-123", "“1-6740a1b2-123” is not a trace id"),
    ('{"foo": 1}', "I found no trace id, ARN or name to investigate in that."),
)


@pytest.mark.parametrize(("said", "answered"), COMMANDS)
async def test_a_command_that_names_nothing_is_answered_with_how_to_ask(bot: Running, said: str, answered: str) -> None:
    delivery = await bot.slack.command(MIA, ALERTS, "/rca", said)

    (shown,) = bot.slack.ephemerals(MIA)

    assert delivery.ack_seconds is not None
    assert shown.text.startswith(answered)
    assert "/rca" in str(shown.blocks)
    assert bot.slack.messages(ALERTS) == []
    assert bot.investigator.asked == []


MENTIONS = (
    ("", "Tell me what failed: @rca 1-6740a1b2"),
    ("help", "Tell me what failed: @rca 1-6740a1b2"),
    ("why is it slow?", "I found no trace id, ARN or name to investigate in that."),
    (f"have a look at {TRACE} please", THREAD[0]),
    ("function create-order last 30 min", THREAD[0]),
    ("arn:aws:lambda:eu-west-1:123456789012:function:create-order", THREAD[0]),
)


@pytest.mark.parametrize(("said", "answered"), MENTIONS)
async def test_a_mention_is_answered_in_its_thread(bot: Running, said: str, answered: str) -> None:
    message = await bot.slack.mention(MIA, ALERTS, said)

    answer = await bot.slack.wait_for(
        lambda: next((m for m in bot.slack.thread(ALERTS, message.ts)[1:] if m.text.startswith(answered)), None)
    )

    assert answer.thread_ts == message.ts
    assert first_lines(bot.slack.messages(ALERTS)) == [message.text]


async def test_a_mention_in_a_thread_stays_in_that_thread(bot: Running) -> None:
    first = await bot.slack.say(TOM, ALERTS, "orders are failing")

    await bot.slack.mention(MIA, ALERTS, TRACE, thread_ts=first.ts)

    thread = await bot.slack.wait_for(lambda: len(t := bot.slack.thread(ALERTS, first.ts)) == 6 and t)
    assert first_lines(thread[2:]) == THREAD


async def test_the_shortcut_investigates_what_a_message_of_another_app_reports(bot: Running) -> None:
    alarm = await bot.slack.app_says(
        ALERTS,
        "",
        attachments=[{"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": f"Trace {TRACE}"}}]}],
    )

    await bot.slack.message_shortcut(MIA, "investigate_message", alarm)

    thread = await bot.slack.wait_for(
        lambda: len(t := bot.slack.thread(ALERTS, alarm.ts)) == 5 and "92 %" in t[1].text and t
    )
    assert first_lines(thread[1:]) == THREAD


async def test_the_shortcut_on_a_message_that_names_nothing_tells_the_person(bot: Running) -> None:
    lunch = await bot.slack.say(TOM, ALERTS, "lunch, anyone?")

    await bot.slack.message_shortcut(MIA, "investigate_message", lunch)

    (shown,) = await bot.slack.wait_for(lambda: bot.slack.ephemerals(MIA))
    assert shown.text.startswith("I found no trace id")
    assert len(bot.slack.thread(ALERTS, lunch.ts)) == 1


async def test_where_the_bot_is_not_invited_the_person_learns_what_to_do(bot: Running) -> None:
    delivery = await bot.slack.command(MIA, "C0GENERAL", "/rca", TRACE)

    (shown,) = await bot.slack.wait_for(lambda: bot.slack.ephemerals(MIA))

    assert delivery.acked
    assert shown.text == "I cannot write in this channel. Invite me with `/invite @rca`, then ask again."
    assert await bot.store.unfinished() == ()


async def test_in_a_direct_message_the_command_works_as_in_a_channel(bot: Running) -> None:
    direct = bot.slack.world.workspace.direct(MIA).id

    await bot.slack.command(MIA, direct, "/rca", TRACE)

    _, thread = await told(bot, direct)
    assert first_lines(thread) == THREAD


VIEWS = (
    ("rca_evidence", "Evidence"),
    ("rca_why", "Why this verdict"),
    ("rca_gaps", "Could not check"),
    ("rca_action_review", "Review"),
)


@pytest.mark.parametrize(("button", "title"), VIEWS)
async def test_a_button_opens_its_view_for_whoever_presses_it(bot: Running, button: str, title: str) -> None:
    await bot.slack.command(MIA, ALERTS, "/rca", TRACE)
    _, thread = await told(bot)

    delivery = await bot.slack.press(TOM, thread[-1], button)

    (view,) = await bot.slack.wait_for(lambda: bot.slack.views(TOM))
    assert delivery.acked
    assert view.body["title"]["text"] == title


async def test_evidence_is_turned_page_by_page_in_the_same_view(bot: Running) -> None:
    await bot.slack.command(MIA, ALERTS, "/rca", TRACE)
    _, thread = await told(bot)
    await bot.slack.press(MIA, thread[-1], "rca_evidence")
    (view,) = await bot.slack.wait_for(lambda: bot.slack.views(MIA))

    await bot.slack.press(MIA, view, "rca_evidence_next")
    await bot.slack.wait_for(lambda: "look 20" in str(bot.slack.views(MIA)[0].body))
    await bot.slack.press(MIA, bot.slack.views(MIA)[0], "rca_evidence_previous")
    await bot.slack.wait_for(lambda: "look 1'" in str(bot.slack.views(MIA)[0].body))

    assert len(bot.slack.views(MIA)) == 1


GRADES = (
    ("rca_grade_exact", "exact", "Noted as exact"),
    ("rca_grade_one_hop_short", "one_hop_short", "one hop further"),
    ("rca_grade_right_area", "right_area", "the right area"),
    ("rca_grade_wrong", "wrong", "Noted as wrong"),
)


@pytest.mark.parametrize(("button", "grade", "answered"), GRADES)
async def test_a_grade_is_kept_and_answered(bot: Running, button: str, grade: str, answered: str) -> None:
    await bot.slack.command(MIA, ALERTS, "/rca", TRACE)
    _, thread = await told(bot)

    await bot.slack.press(TOM, thread[-1], button)

    (shown,) = await bot.slack.wait_for(lambda: bot.slack.ephemerals(TOM))
    assert answered in shown.text
    assert await bot.store.grades(bot.investigator.asked[0][0]) == {TOM: grade}


async def test_dismissing_is_shown_recorded_once_and_answered_every_time(bot: Running) -> None:
    await bot.slack.command(MIA, ALERTS, "/rca", TRACE)
    _, thread = await told(bot)
    stale = await _with_button(bot, "rca_action_dismiss", f"{bot.investigator.asked[0][0]}:0")

    await bot.slack.press(MIA, thread[-1], "rca_action_dismiss")
    await bot.slack.wait_for(lambda: "dismissed" in str(thread[-1].blocks))
    await bot.slack.press(TOM, stale, "rca_action_dismiss")
    await bot.slack.wait_for(lambda: bot.slack.ephemerals(TOM))

    assert "rca_action_dismiss" not in str(thread[-1].blocks)
    assert "rca_evidence" in str(thread[-1].blocks)

    assert await bot.store.dismissed(bot.investigator.asked[0][0]) == {"act-1"}
    assert bot.slack.ephemerals(MIA)[0].text.startswith("Dismissed.")
    assert bot.slack.ephemerals(TOM)[0].text == "That was dismissed already."


async def test_run_again_investigates_the_same_in_the_same_thread(bot: Running) -> None:
    await bot.slack.command(MIA, ALERTS, "/rca", TRACE)
    root, thread = await told(bot)

    await bot.slack.press(TOM, thread[-1], "rca_run_again")

    again = await bot.slack.wait_for(
        lambda: len(t := bot.slack.thread(ALERTS, root.ts)) == 8 and "92 %" in t[4].text and t
    )
    assert first_lines(again[4:]) == THREAD
    assert [(t.kind.value, t.user) for _, t, _ in bot.investigator.asked] == [("slash_command", MIA), ("rerun", TOM)]
    assert len(bot.slack.messages(ALERTS)) == 1


FORGOTTEN = (
    "rca_evidence",
    "rca_why",
    "rca_gaps",
    "rca_grade_exact",
    "rca_action_review",
    "rca_action_dismiss",
    "rca_run_again",
)


@pytest.mark.parametrize("button", FORGOTTEN)
@pytest.mark.parametrize("value", ["INV-NOSUCH", "INV-NOSUCH:3", "<script>", "", "x" * 2000])
async def test_a_button_of_a_forgotten_report_is_answered(bot: Running, button: str, value: str) -> None:
    old = await _with_button(bot, button, value or "-")

    delivery = await bot.slack.press(TOM, old, button)

    (shown,) = await bot.slack.wait_for(lambda: bot.slack.ephemerals(TOM))
    assert delivery.acked
    assert "any more" in shown.text


async def test_a_button_that_nobody_knows_is_answered(bot: Running) -> None:
    old = await _with_button(bot, "rca_of_an_older_version", "INV-1")

    await bot.slack.press(TOM, old, "rca_of_an_older_version")

    (shown,) = await bot.slack.wait_for(lambda: bot.slack.ephemerals(TOM))
    assert shown.text.startswith("I do not know that button")


async def test_a_review_of_a_step_that_is_not_there_is_answered(bot: Running) -> None:
    await bot.slack.command(MIA, ALERTS, "/rca", TRACE)
    await told(bot)
    stale = await _with_button(bot, "rca_action_review", f"{bot.investigator.asked[0][0]}:7")

    await bot.slack.press(TOM, stale, "rca_action_review")

    (shown,) = await bot.slack.wait_for(lambda: bot.slack.ephemerals(TOM))
    assert shown.text.startswith("That step is not in this report")


async def test_a_review_of_a_step_outside_the_catalogue_is_refused(bot: Running) -> None:
    await bot.slack.command(MIA, ALERTS, "/rca", TRACE)
    _, thread = await told(bot)
    ident = bot.investigator.asked[0][0]
    report = await bot.store.report(ident)
    assert report is not None
    stranger = report.proposed_actions[0].model_copy(update={"kind": "dynamodb.delete_table"})
    await bot.store.finish(report.model_copy(update={"proposed_actions": (stranger,)}), None)

    await bot.slack.press(TOM, thread[-1], "rca_action_review")

    (shown,) = await bot.slack.wait_for(lambda: bot.slack.ephemerals(TOM))
    assert "not an action that this bot knows" in shown.text
    assert bot.slack.views(TOM) == []


async def _with_button(bot: Running, button: str, value: str) -> Message:
    """A message of ours with a button, as an older process may have left it."""
    element = {"type": "button", "action_id": button, "value": value, "text": {"type": "plain_text", "text": "x"}}
    return await bot.slack.app_says(ALERTS, "old", blocks=[{"type": "actions", "elements": [element]}])


async def test_a_view_that_slack_refuses_is_told_to_the_person(bot: Running) -> None:
    await bot.slack.command(MIA, ALERTS, "/rca", TRACE)
    _, thread = await told(bot)
    bot.slack.fail("views.open", error="expired_trigger_id")

    delivery = await bot.slack.press(TOM, thread[-1], "rca_evidence")

    (shown,) = await bot.slack.wait_for(lambda: bot.slack.ephemerals(TOM))
    assert delivery.acked
    assert shown.text == "That took Slack longer than it allows. Press it again."


async def test_the_home_shows_the_investigations_of_who_opens_it(bot: Running) -> None:
    await bot.slack.command(MIA, ALERTS, "/rca", TRACE)
    await told(bot)

    await bot.slack.open_home(MIA)
    await bot.slack.open_home(TOM)

    mine = await bot.slack.wait_for(lambda: bot.slack.home(MIA))
    other = await bot.slack.wait_for(lambda: bot.slack.home(TOM))
    assert "is throttling writes" in str(mine.body)
    assert "is throttling writes" not in str(other.body)


async def test_a_button_in_the_home_opens_its_view(bot: Running) -> None:
    await bot.slack.command(MIA, ALERTS, "/rca", TRACE)
    await told(bot)
    await bot.slack.open_home(MIA)
    home = await bot.slack.wait_for(lambda: bot.slack.home(MIA))

    await bot.slack.press(MIA, home, "rca_why")

    (view,) = await bot.slack.wait_for(lambda: bot.slack.views(MIA))
    assert view.body["title"]["text"] == "Why this verdict"


async def test_everything_else_that_is_said_is_acked_and_left_alone(bot: Running) -> None:
    message = await bot.slack.say(MIA, ALERTS, f"{TRACE} looks bad")
    await bot.slack.edit(message, text="never mind")
    await bot.slack.app_says(ALERTS, "deploy done", subtype="bot_message")
    await bot.slack.delete(message)
    await bot.slack.settle()

    assert all(delivery.acked for delivery in bot.slack.deliveries)
    assert len(bot.slack.deliveries) >= 4
    assert bot.slack.calls[2:] == [] or not bot.slack.called("chat.postMessage")
