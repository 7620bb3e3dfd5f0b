"""What starts nothing, each with its reason in words; and that the words can be asked for."""

import json
from typing import Any

import pytest

from bot.alarms.explain import explain
from bot.alarms.verdict import AlarmPolicy, judged
from tests.support.alarm_posts import SAMPLES, with_bot_id, with_subtype

LINK = "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#alarmsV2:alarm/orders"
TEXT = f"The alarm orders changed state to ALARM: Threshold Crossed.\n{LINK}"
ALARM: dict[str, Any] = with_bot_id({"text": TEXT})["event"]
PERSON = {"type": "message", "user": "U0MIA", "channel": "C0ALERTS", "ts": "1.1", "text": TEXT}
EDIT: dict[str, Any] = {"type": "message", "subtype": "message_changed", "channel": "C0ALERTS", "message": {**ALARM, "text": TEXT.replace("ALARM", "OK")}}  # fmt: skip


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (PERSON, "a person wrote it"),
        ({**PERSON, "client_msg_id": "6e2", "bot_id": "B0BOT"}, "a person wrote it"),
        ({**PERSON, "subtype": "file_share", "files": [{"filetype": "email", "subject": 'ALARM: "x" in EU (Ireland)'}]}, "a person wrote it"),
        ({**ALARM, "bot_id": "B0RCA"}, "the bot wrote it itself"),
        ({**ALARM, "user": "U0RCA"}, "the bot wrote it itself"),
        (EDIT, "it is an edit of an earlier message"),
        ({**EDIT, "message": {**ALARM, "bot_id": "B0RCA"}}, "it is an edit of an earlier message"),
        ({**ALARM, "edited": {"ts": "2.2"}}, "it is an edit of an earlier message"),
        ({"type": "message", "subtype": "message_deleted", "previous_message": ALARM}, "an earlier message was deleted"),
        ({**ALARM, "subtype": "channel_join"}, "it is a notice of Slack (channel_join)"),
        ({**ALARM, "hidden": True}, "it is hidden"),
        ({**ALARM, "thread_ts": "1795160000.000100"}, "it is a reply in a thread"),
        ({**ALARM, "channel_type": "im"}, "it is a direct message"),
        ({**ALARM, "type": "reaction_added"}, "it is not a message"),
        ({**ALARM, "text": "Deployed orders"}, "it names no CloudWatch alarm"),
        ({**ALARM, "text": f"Have a look: {LINK}"}, "it names the alarm orders but tells no state that it went to"),
        ({**ALARM, "text": TEXT.replace("ALARM", "OK")}, "its state is OK"),
        ({**ALARM, "text": TEXT.replace("ALARM", "INSUFFICIENT_DATA")}, "its state is INSUFFICIENT_DATA"),
        (SAMPLES["02_amazon_q_full_constructed:ok_variant"], "its state is OK (it tells ALARM too, which is not believed)"),
    ],
)  # fmt: skip
def test_it_starts_nothing_and_says_why(event: dict[str, Any], why: str) -> None:
    verdict = judged(event, own_bot={"B0RCA", "U0RCA"})

    assert (verdict.starts, verdict.why) == (False, why)


def test_an_apps_post_of_an_alarm_starts_an_investigation() -> None:
    verdict = judged(ALARM, own_bot={"B0RCA", "U0RCA"})

    assert (verdict.starts, verdict.why) == (True, "the alarm orders went to ALARM")


def test_the_first_post_of_a_thread_starts_as_any_other() -> None:
    assert judged({**ALARM, "thread_ts": ALARM["ts"]}).starts


@pytest.mark.parametrize(
    ("policy", "starts"),
    [
        (AlarmPolicy(), True),
        (AlarmPolicy(apps=frozenset({"A0BOT"})), True),
        (AlarmPolicy(apps=frozenset({"B0BOT"})), True),
        (AlarmPolicy(apps=frozenset({"A0OTHER"})), False),
        (AlarmPolicy(channels=frozenset({"C0ALERTS"})), True),
        (AlarmPolicy(channels=frozenset({"C0OTHER"})), False),
        (AlarmPolicy(apps=frozenset({"A0BOT"}), channels=frozenset({"C0OTHER"})), False),
    ],
)
def test_the_policy_says_which_apps_in_which_channels_count(policy: AlarmPolicy, starts: bool) -> None:
    verdict = judged(ALARM, policy=policy)

    assert verdict.starts is starts
    assert starts or "is not among those that count" in verdict.why


@pytest.mark.parametrize(
    "event", [EDIT, {**EDIT["message"], "thread_ts": "1.1"}, EDIT["message"]], ids=["edit", "thread", "post"]
)
def test_recovery_is_told_by_an_edit_a_thread_and_a_post(event: dict[str, Any]) -> None:
    alarm = judged(event).alarm

    assert alarm is not None
    assert (alarm.name, alarm.state.value) == ("orders", "OK")


@pytest.mark.parametrize("event", [PERSON, {**EDIT, "message": PERSON}, {**ALARM, "bot_id": "B0RCA"}])
def test_what_people_and_the_bot_itself_say_of_an_alarm_is_not_handed_on(event: dict[str, Any]) -> None:
    assert judged(event, own_bot={"B0RCA"}).alarm is None


def test_an_explanation_says_what_happens_and_which_part_told_what() -> None:
    told = explain(json.dumps(SAMPLES["02_amazon_q_full_constructed:ok_variant"]))

    assert "It starts nothing: its state is OK" in told
    assert "posted by Amazon Q Developer in C0ALERTS" in told
    assert "orders-api-5xx  (console link)" in told
    assert "OK  (the mark of Amazon Q's title)" in told
    assert "also said    ALARM  (field 'Alarm State')" in told


@pytest.mark.parametrize(
    "pasted",
    [
        json.dumps(with_subtype({"text": TEXT})),
        json.dumps(with_subtype({"text": TEXT})["event"]),
        json.dumps({"envelope_id": "1", "payload": with_subtype({"text": TEXT})}),
        json.dumps({"ok": True, "messages": [{"bot_id": "B1", "text": TEXT}]}),
        f"look: {json.dumps({'bot_id': 'B1', 'text': TEXT})}",
    ],
)
def test_a_message_can_be_pasted_as_slack_gives_it_anywhere(pasted: str) -> None:
    assert explain(pasted).startswith("It starts an investigation: the alarm orders went to ALARM.")


@pytest.mark.parametrize("pasted", ["", "hello", "[1, 2]"])
def test_what_is_no_message_is_said_to_be_none(pasted: str) -> None:
    assert explain(pasted).startswith("This is not the JSON of a message.")


def test_an_explanation_names_what_was_not_told() -> None:
    told = explain(
        json.dumps({**ALARM, "text": "orders state is now ALARM: x"}), AlarmPolicy(channels=frozenset({"C1"}))
    )

    assert "its channel (C0ALERTS) is not among those that count" in told
    assert "Region       not told" in told
