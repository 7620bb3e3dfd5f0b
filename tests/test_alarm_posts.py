"""Every format of alarm posts, in both envelopes, is read into the same record, and only ALARM starts anything."""

from typing import Any

import pytest

from bot.alarms.flatten import flattened
from bot.alarms.formats import FORMATS, read
from bot.alarms.verdict import judged
from tests.support.alarm_posts import CONSTRUCTED, ENVELOPES, SAMPLES, Envelope

TOLD: dict[str, tuple[Any, ...] | None] = {
    "02_amazon_q_full_constructed:as_event": ("Amazon Q", "orders-api-5xx", "ALARM", "us-east-1", "123456789012"),
    "02_amazon_q_full_constructed:as_event_top_level_blocks": ("Amazon Q", "orders-api-5xx", "ALARM", "us-east-1", "123456789012"),
    "02_amazon_q_full_constructed:ok_variant": ("Amazon Q", "orders-api-5xx", "OK", "us-east-1", "123456789012"),
    "03_aws_alarm_text_bot_message:as_event": ("words", "responder-aws-alarm-e2e-lambda-errors", "ALARM", "eu-west-3", None),
    "03_aws_alarm_text_bot_message:body 0": ("words", "productUpdateWebhook-DlqAlarm", "ALARM", "eu-west-1", None),
    "03_aws_alarm_text_bot_message:body 1": ("console link", "dialog-monolith-freeable-memory", "ALARM", "eu-west-1", None),
    "03_aws_alarm_text_bot_message:body 2": ("words", "checkout-errors", "OK", "eu-west-3", None),
    "04_terraform_notify_slack_alarm:as_event": ("terraform-aws-notify-slack", "Example", "ALARM", "us-east-1", None),
    "05_terraform_notify_slack_ok:as_event": ("terraform-aws-notify-slack", "DBMigrationRequired", "OK", "us-east-1", None),
    "08_aws_lambda_blueprint_text:as_event": ("AWS Lambda blueprint", "Example alarm name", "ALARM", None, None),
    "11_raw_alarm_json_in_text:as_event": ("JSON", "my-sqs-queue-depth", "ALARM", "ap-southeast-2", "123456789012"),
    "14_envelope_bot_message_subtype:as_event": None,
    "15_envelope_bot_no_subtype:as_event": None,
}  # fmt: skip
"""What each sample tells: format, name, state, Region, account."""


def record(message: dict[str, Any], envelope: Envelope) -> dict[str, Any] | None:
    alarm = judged(envelope(message)).alarm
    if alarm is None:
        return None
    told = {**alarm.model_dump(mode="json", exclude={"name", "told_by"}), "alarm": alarm.name, "format": alarm.told_by}
    return {**told, "at": alarm.at.isoformat() if alarm.at else None}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_read_as_what_it_tells(name: str) -> None:
    alarm = judged(SAMPLES[name]).alarm

    assert (alarm and (alarm.told_by, alarm.name, alarm.state.value, alarm.region, alarm.account)) == TOLD[name]


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_starts_an_investigation_only_for_alarm(name: str) -> None:
    told = TOLD[name]

    assert judged(SAMPLES[name]).starts is bool(told and told[2] == "ALARM")


@pytest.mark.parametrize("name", [name for name, told in TOLD.items() if told])
def test_a_sample_is_the_same_record_in_both_envelopes(name: str) -> None:
    said = {
        key: SAMPLES[name]["event"][key]
        for key in ("text", "attachments", "blocks", "app_id")
        if key in SAMPLES[name]["event"]
    }
    first, second = (record(said, envelope) for envelope in ENVELOPES)

    assert first is not None
    assert first == second


def test_the_samples_tell_reason_time_and_dimensions() -> None:
    alarm = judged(SAMPLES["02_amazon_q_full_constructed:as_event"]).alarm

    assert alarm is not None
    assert alarm.at is not None
    assert alarm.at.isoformat() == "2026-11-20T10:04:12+00:00"
    assert alarm.reason.startswith("Threshold Crossed: 1 out of the last 1 datapoints")
    assert (alarm.dimensions, alarm.description) == ({"FunctionName": "orders-api"}, "Orders API 5xx")


@pytest.mark.parametrize("envelope", ENVELOPES)
@pytest.mark.parametrize("post", CONSTRUCTED, ids=lambda post: post["name"])
def test_a_post_is_read_as_what_it_tells_in_both_envelopes(post: dict[str, Any], envelope: Envelope) -> None:
    expected, told = post["expected"], record(post["message"], envelope)

    assert ({key: told.get(key) for key in expected} if expected and told else told) == expected


@pytest.mark.parametrize("envelope", ENVELOPES)
@pytest.mark.parametrize("post", CONSTRUCTED, ids=lambda post: post["name"])
def test_only_alarm_starts_an_investigation(post: dict[str, Any], envelope: Envelope) -> None:
    expected = post["expected"] or {}

    assert judged(envelope(post["message"])).starts is (expected.get("state") == "ALARM")


def test_every_format_has_a_sample() -> None:
    posts = [*SAMPLES.values(), *(ENVELOPES[0](post["message"]) for post in CONSTRUCTED)]

    assert {read(flattened(post)).format for post in posts} == {row.name for row in FORMATS}
