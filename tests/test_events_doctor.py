"""`rca doctor` on events: which row one takes, whether the queue and the channels can be used, and what to grant."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from aws.reads import read
from aws.session import AwsConfig, ReadSession
from bot.calls import slack_client
from bot.cli import main
from bot.events.check import Checked, check_channels, check_queue
from bot.events.explain import explained_event, statements
from bot.events.routes import Routes
from bot.events.tags import TAGS, AlarmTags
from domain.alarm import AlarmReference, AlarmState
from sandbox.aws import LocalAws, faults
from sandbox.slack import LocalSlack
from tests.support.events import ACCOUNT, REGION, EventsQueue, alarm_event, incident_event

ROUTES = Routes.model_validate(
    [
        {"tag": "team=payments", "channel": "C0ORDERS"},
        {"service": "dynamodb", "channel": "C0GENERAL"},
        {"channel": "C0ALERTS"},
    ]
)
ALARM = AlarmReference(name="orders-throttled", state=AlarmState.ALARM, region=REGION, account=ACCOUNT)


@pytest.fixture(scope="module")
def running() -> Iterator[LocalAws]:
    with LocalAws() as aws:
        yield aws


@pytest.fixture
def aws(running: LocalAws, monkeypatch: pytest.MonkeyPatch) -> LocalAws:
    running.reset()
    for name, value in running.environment().items():
        monkeypatch.setenv(name, value)
    return running


@pytest.fixture
async def slack() -> AsyncIterator[LocalSlack]:
    async with LocalSlack(rates=None) as running:
        yield running


def test_an_incident_is_explained_with_the_row_it_takes() -> None:
    said = explained_event(json.dumps(incident_event(owner="team-a", tags={"team": "payments"})), ROUTES)

    assert said.splitlines() == [
        "It starts an investigation, once for the incident INC-2041: INC-2041 · HIGH · order-service.",
        "Window: 2026-11-20 09:50:00 to 2026-11-20 10:10:00 UTC.",
        "Fields kept as they are: owner, tags.",
        "Routed by: account 123456789012, region eu-west-1, service order-service, severity HIGH, tags team=payments.",
        "row 1 → C0ORDERS: it fits",
    ]


def test_an_alarm_is_explained_with_what_decides_its_row() -> None:
    said = explained_event(json.dumps(alarm_event()), ROUTES)

    assert said.splitlines() == [
        "It is an alarm: orders-throttled went to ALARM at 2026-11-20 09:53:12 UTC.",
        "Its tags are not in the event: rows that ask for a tag or a severity are decided by CloudWatch's.",
        "Routed by: account 123456789012, region eu-west-1, service dynamodb.",
        "row 1 → C0ORDERS: tag is not team=payments",
        "row 2 → C0GENERAL: it fits",
    ]


def test_poison_and_a_missing_table_are_explained() -> None:
    assert explained_event("hello", ROUTES).startswith("It starts nothing: it is not a JSON object.")
    assert explained_event(json.dumps(alarm_event()), Routes()).endswith("there is no channel to go to.\n")


def test_the_command_reads_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RCA_ROUTES", '[{"channel": "C0ALERTS"}]')
    event = tmp_path / "event.json"
    event.write_text(json.dumps(incident_event()))

    assert main(["doctor", "--event", str(event)]) == 0
    assert "row 1 → C0ALERTS: it fits" in capsys.readouterr().out
    assert main(["doctor", "--event", str(tmp_path / "none.json")]) == 2
    assert "cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("most", "good", "said"),
    [(3, True, "after 3 receives to rca-events-dlq"), (None, False, "has no dead-letter queue")],
)
async def test_the_queue_is_checked(aws: LocalAws, most: int | None, good: bool, said: str) -> None:
    queue = EventsQueue(aws, most=most)
    found = await check_queue(queue.url)

    assert found.good is good
    assert said in found.words


async def test_a_queue_that_cannot_be_read_says_what_to_do(aws: LocalAws) -> None:
    queue = EventsQueue(aws)
    missing = await check_queue(f"{queue.url}-gone")
    aws.inject("sqs", "*", faults.ACCESS_DENIED)
    denied = await check_queue(queue.url)

    assert (missing.good, denied.good) == (False, False)
    assert "Set RCA_EVENTS_QUEUE_URL to a queue's URL." in missing.words
    assert "give the bot's role the statement" in denied.words


async def test_each_channel_of_the_table_is_checked_once(slack: LocalSlack) -> None:
    found = [c async for c in check_channels(ROUTES, slack_client(slack.bot_token, slack.api_url))]

    assert found[0] == Checked(good=True, subject="channel C0ORDERS", words="the bot is in it")
    assert [c.good for c in found] == [True, False, True]
    assert "/invite @rca" in found[1].words


def test_the_statements_name_the_queue_and_what_routing_by_tag_reads() -> None:
    url = "https://sqs.eu-west-1.amazonaws.com/123456789012/q"

    assert [s["Sid"] for s in statements(url, ROUTES)] == ["RcaBotTakesEvents", "RcaBotRoutesByTag"]
    assert [s["Sid"] for s in statements(url, Routes())] == ["RcaBotTakesEvents"]


async def test_an_alarms_tags_are_read_from_cloudwatch(aws: LocalAws) -> None:
    aws.serve("cloudwatch", "ListTagsForResource", {"Tags": [{"Key": "team", "Value": "payments"}]})
    tags_of = AlarmTags(ReadSession(AwsConfig(max_attempts=1), (TAGS,)))

    assert await tags_of(ALARM) == {"team": "payments"}


async def test_tags_that_cannot_be_read_are_none(aws: LocalAws, caplog: pytest.LogCaptureFixture) -> None:
    aws.inject("cloudwatch", "*", faults.ACCESS_DENIED)
    unreadable = await AlarmTags(ReadSession(AwsConfig(max_attempts=1), (TAGS,)))(ALARM)
    refused = await AlarmTags(ReadSession(AwsConfig(max_attempts=1), (read("sqs", "ListQueues"),)))(ALARM)

    assert (unreadable, refused) == ({}, {})
    assert caplog.text.count("routed without its tags") == 2


async def test_the_doctor_checks_the_queue_and_prints_its_statement(
    aws: LocalAws, slack: LocalSlack, tmp_path: Path
) -> None:
    queue = EventsQueue(aws)
    environment = aws.environment() | {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "SLACK_API_URL": slack.api_url,
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "RCA_DATA_DIR": str(tmp_path),
        "RCA_EVENTS_QUEUE_URL": queue.url,
        "RCA_ROUTES": '[{"channel": "C0ALERTS"}]',
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot.cli", "doctor", env=environment, stdout=-1, stderr=-1, cwd=Path(__file__).parents[1]
    )
    out, _ = await process.communicate()

    assert f"ok   events: {queue.url}, after 3 receives" in out.decode()
    assert "ok   channel C0ALERTS: the bot is in it" in out.decode()
    assert '"sqs:ReceiveMessage"' in out.decode()
