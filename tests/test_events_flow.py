"""Events from a queue to a channel, over SQS's and Slack's real protocols: once, in any order, and nothing lost."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from aws.queue import QueueFacts, QueueMessage
from aws.session import AwsConfig, ReadSession
from bot.events import reader
from bot.events.bodies import Told, read_body
from bot.events.intake import DONE, Fate
from bot.events.reader import QueueReader
from domain.request import Trigger, TriggerKind
from orchestrator.investigate import Investigator
from orchestrator.parse import request_of
from orchestrator.reads import every_read
from orchestrator.sqlite_store import SqliteStore
from sandbox.aws import LocalAws, faults
from sandbox.slack import LocalSlack
from specialists.registry import all_specialists
from tests.support.bot import utc_now
from tests.support.events import RANG, EventsQueue, alarm_event, alarm_notification, by_sns, incident_event, taking_bot

ALERTS, ORDERS, GENERAL, HR = "C0ALERTS", "C0ORDERS", "C0GENERAL", "C0HR"
GONE = "C0GONE"


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
        assert running.violations == []


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not done with is seen again within a second or two."""
    monkeypatch.setattr(reader, "HIDDEN_SECONDS", 2)
    monkeypatch.setattr(reader, "KEEP_HIDDEN_EVERY_SECONDS", 0.5)
    monkeypatch.setattr("bot.events.intake.FIRST_AGAIN_SECONDS", 1)


def verdicts(slack: LocalSlack, channel: str) -> list[str]:
    return [m.text for m in slack.messages(channel) if "92 %" in m.text]


def notes(slack: LocalSlack, channel: str = ALERTS) -> list[str]:
    return [str(m.blocks) for m in slack.messages(channel) if "cannot be used" in m.text]


async def emptied(slack: LocalSlack, queue: EventsQueue) -> None:
    await slack.wait_for(lambda: queue.count() == 0, timeout=15)


# --- what starts what


async def test_an_incident_becomes_an_investigation_in_its_channel_without_a_thread(
    aws: LocalAws, slack: LocalSlack, tmp_path: Path
) -> None:
    queue = EventsQueue(aws)
    queue.send(incident_event(owner="team-a"))
    async with taking_bot(slack, tmp_path, queue) as bot:
        await slack.wait_for(lambda: verdicts(slack, ALERTS), timeout=10)
        await emptied(slack, queue)

    (_, trigger, asked) = bot.investigator.asked[0]
    assert trigger.text == "INC-2041 · HIGH · order-service"
    assert (trigger.kind, trigger.thread, trigger.channel) == ("eventbridge", None, ALERTS)
    assert trigger.incident is not None
    assert trigger.incident.details == {"owner": "team-a"}
    assert [t.name for t in asked.targets] == ["order-service"]
    assert len(bot.investigator.asked) == 1


@pytest.mark.parametrize(
    "body", [alarm_event(), by_sns(alarm_event()), by_sns(alarm_notification())], ids=["event", "event-sns", "sns"]
)
async def test_an_alarm_becomes_an_investigation_in_every_envelope(
    aws: LocalAws, slack: LocalSlack, tmp_path: Path, body: dict[str, object]
) -> None:
    queue = EventsQueue(aws)
    queue.send(body)
    async with taking_bot(slack, tmp_path, queue) as bot:
        await slack.wait_for(lambda: verdicts(slack, ALERTS), timeout=10)
        await emptied(slack, queue)

    (_, trigger, asked) = bot.investigator.asked[0]
    assert trigger.alarm is not None
    assert (trigger.alarm.name, trigger.alarm.previous) == ("orders-throttled", "OK")
    assert asked.alarm == trigger.alarm


async def test_the_first_reply_to_an_event_comes_within_two_seconds(
    aws: LocalAws, slack: LocalSlack, tmp_path: Path
) -> None:
    queue = EventsQueue(aws)
    async with taking_bot(slack, tmp_path, queue, wait_seconds=20):
        sent = time.monotonic()
        queue.send(incident_event())
        await slack.wait_for(lambda: slack.messages(ALERTS), timeout=10)

    assert time.monotonic() - sent < 2.0


# --- at least once, in any order


async def test_an_event_that_comes_again_starts_nothing_more(aws: LocalAws, slack: LocalSlack, tmp_path: Path) -> None:
    queue = EventsQueue(aws)
    async with taking_bot(slack, tmp_path, queue) as bot:
        for _ in range(3):
            queue.send(incident_event(), alarm_event(), by_sns(alarm_event()), incident_event(severity="LOW"))
            await emptied(slack, queue)
        await slack.wait_for(lambda: len(verdicts(slack, ALERTS)) == 2, timeout=10)

    assert sorted(bot.texts) == ["INC-2041 · HIGH · order-service", "orders-throttled went to ALARM"]


async def test_two_consumers_of_one_queue_start_each_investigation_once(
    aws: LocalAws, slack: LocalSlack, tmp_path: Path
) -> None:
    queue = EventsQueue(aws)
    for number in range(60):
        queue.send(incident_event(f"INC-{number % 20}"))
    async with taking_bot(slack, tmp_path, queue) as one, taking_bot(slack, tmp_path, queue) as two:
        await slack.wait_for(lambda: len(verdicts(slack, ALERTS)) == 20, timeout=30)
        await emptied(slack, queue)

    assert sorted(one.texts + two.texts) == sorted(f"INC-{n} · HIGH · order-service" for n in range(20))


async def test_an_ok_that_overtakes_its_alarm_keeps_the_alarm_from_nothing(
    aws: LocalAws, slack: LocalSlack, tmp_path: Path
) -> None:
    queue = EventsQueue(aws)
    async with taking_bot(slack, tmp_path, queue) as bot:
        queue.send(alarm_event(state="OK"))
        await emptied(slack, queue)
        queue.send(alarm_event(), alarm_event(state="INSUFFICIENT_DATA"))
        await slack.wait_for(lambda: verdicts(slack, ALERTS), timeout=10)
        await emptied(slack, queue)

    assert bot.texts == ["orders-throttled went to ALARM"]


async def test_an_alarms_post_and_its_event_start_one_investigation(
    aws: LocalAws, slack: LocalSlack, tmp_path: Path
) -> None:
    queue = EventsQueue(aws)
    async with taking_bot(slack, tmp_path, queue, routes=[{"channel": ORDERS}]) as bot:
        post = await slack.app_says(ALERTS, json.dumps(alarm_notification()), app_id="A0HOOK")
        await slack.wait_for(lambda: len(slack.thread(ALERTS, post.ts)) > 1, timeout=5)
        queue.send(alarm_event())
        await emptied(slack, queue)

    assert len(bot.investigator.asked) == 1


async def test_an_ok_event_edits_the_headline_of_its_alarm(aws: LocalAws, slack: LocalSlack, tmp_path: Path) -> None:
    queue = EventsQueue(aws)
    async with taking_bot(slack, tmp_path, queue):
        queue.send(alarm_event())
        await slack.wait_for(lambda: verdicts(slack, ALERTS), timeout=10)
        queue.send(alarm_event(state="OK", at=RANG + timedelta(minutes=12)))
        found = await slack.wait_for(
            lambda: [m for m in slack.messages(ALERTS) if "recovered after 12 min" in str(m.blocks)], timeout=10
        )

    assert len(found) == 1


async def test_what_an_incident_told_is_among_the_evidence_of_its_report(aws: LocalAws, tmp_path: Path) -> None:
    aws.client("dynamodb").create_table(
        TableName="order-service",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    told = read_body(json.dumps(incident_event(owner="team-a", token="AKIAIOSFODNN7EXAMPLE")))
    assert isinstance(told, Told)
    trigger = Trigger(kind=TriggerKind.EVENTBRIDGE, text=told.line, incident=told.incident)
    store = SqliteStore.open(tmp_path)
    investigator = Investigator(ReadSession(AwsConfig(max_attempts=1), every_read()), all_specialists(), store)
    accepted = await store.accept("incident:INC-2041", trigger, now=utc_now())
    assert accepted is not None

    report = await investigator.investigate(accepted.id, trigger, request_of(trigger, now=utc_now()), lambda _: None)
    replayed = await investigator.replay(accepted.id)
    await investigator.close()
    await store.close()

    (seen,) = [e for e in report.evidence if e.resource == "incident:INC-2041"]
    assert [r.name for r in report.service_graph.nodes] == ["order-service"]
    assert "owner team-a" in seen.summary
    assert "AKIAIOSFODNN7EXAMPLE" not in report.model_dump_json()
    assert replayed is not None
    assert replayed.digest == report.digest


async def test_an_incident_can_be_run_again(aws: LocalAws, slack: LocalSlack, tmp_path: Path) -> None:
    queue = EventsQueue(aws)
    queue.send(incident_event())
    async with taking_bot(slack, tmp_path, queue) as bot:
        await slack.wait_for(lambda: verdicts(slack, ALERTS), timeout=10)
        (root,) = slack.messages(ALERTS)
        (report, *_) = await slack.wait_for(
            lambda: [m for m in slack.thread(ALERTS, root.ts) if "rca_run_again" in str(m.blocks)], timeout=10
        )
        await slack.press("U0MIA", report, "rca_run_again")
        await slack.wait_for(lambda: len(bot.investigator.asked) == 2, timeout=10)

    assert bot.investigator.asked[0][2] == bot.investigator.asked[1][2]
    assert bot.investigator.asked[1][1].incident is not None


# --- a process that ends, AWS on a bad day


async def test_what_was_received_and_not_deleted_is_taken_on_by_the_next_process(
    aws: LocalAws, slack: LocalSlack, tmp_path: Path
) -> None:
    queue = EventsQueue(aws)
    queue.send(incident_event())
    assert len(queue.session().receive(wait_seconds=0, hidden_seconds=1)) == 1
    async with taking_bot(slack, tmp_path, queue) as bot:
        await slack.wait_for(lambda: verdicts(slack, ALERTS), timeout=10)
        await emptied(slack, queue)

    assert len(bot.texts) == 1


@pytest.mark.usefixtures("soon")
async def test_what_was_taken_on_and_not_deleted_is_only_deleted_by_the_next_process(
    aws: LocalAws, slack: LocalSlack, tmp_path: Path
) -> None:
    queue = EventsQueue(aws, most=9)
    queue.send(incident_event())
    aws.inject("sqs", "DeleteMessage", faults.ACCESS_DENIED)
    async with taking_bot(slack, tmp_path, queue) as first:
        await slack.wait_for(lambda: verdicts(slack, ALERTS), timeout=10)
    assert queue.count() == 1

    aws.clear_faults()
    async with taking_bot(slack, tmp_path, queue) as second:
        await emptied(slack, queue)

    assert (len(first.texts), second.texts) == (1, [])
    assert len(verdicts(slack, ALERTS)) == 1


async def test_throttled_reads_are_tried_again_and_seen_in_the_health(
    aws: LocalAws, slack: LocalSlack, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    queue = EventsQueue(aws)
    aws.inject("sqs", "ReceiveMessage", faults.THROTTLED, times=4)
    queue.send(incident_event())
    with caplog.at_level(logging.INFO):
        async with taking_bot(slack, tmp_path, queue) as bot:
            await slack.wait_for(lambda: bot.service.health()["events"]["trouble"], timeout=5)
            trouble = bot.service.health()["events"]["trouble"]
            await slack.wait_for(lambda: verdicts(slack, ALERTS), timeout=20)
            health = bot.service.health()["events"]

    said = [r.getMessage() for r in caplog.records if "events cannot be read" in r.getMessage()]
    assert "Throttling" in trouble
    assert len(said) == 1
    assert (health["trouble"], health["received"], health["readers"]) == (None, 1, 2)


BAD_DAYS = (
    (faults.EXPIRED_TOKEN, "AWS refused the credentials"),
    (faults.ACCESS_DENIED, "give the bot's role the statement for"),
)


@pytest.mark.parametrize(("fault", "said"), BAD_DAYS, ids=["expired", "denied"])
async def test_trouble_with_the_credentials_is_named_once(
    aws: LocalAws, tmp_path: Path, slack: LocalSlack, caplog: pytest.LogCaptureFixture, fault: faults.Fault, said: str
) -> None:
    queue = EventsQueue(aws)
    aws.inject("sqs", "*", fault)
    async with taking_bot(slack, tmp_path, queue) as bot:
        await asyncio.sleep(2.5)
        health = bot.service.health()["events"]

    assert said in health["trouble"]
    assert len([call for call in aws.calls if call.service == "sqs"]) >= 2
    assert sum("events cannot be read" in r.getMessage() for r in caplog.records) == 1


async def test_the_bot_stops_within_a_second_in_the_middle_of_a_long_poll(
    aws: LocalAws, slack: LocalSlack, tmp_path: Path
) -> None:
    queue = EventsQueue(aws)
    async with taking_bot(slack, tmp_path, queue, wait_seconds=20) as bot:
        await slack.wait_for(lambda: any(c.operation == "GetQueueAttributes" for c in aws.calls), timeout=5)
        await asyncio.sleep(0.3)
        began = time.monotonic()
        assert bot.service.feed is not None
        await bot.service.feed.stop()
        took = time.monotonic() - began

    assert took < 1.0


class Takes:
    """Takes messages on with a function."""

    def __init__(self, take: Callable[[QueueMessage, QueueFacts], Awaitable[Fate]]) -> None:
        self.take = take
        self.rejected: list[str] = []

    async def reject(self, message: QueueMessage, facts: QueueFacts, why: str) -> Fate:
        self.rejected.append(why)
        return DONE


async def reading(queue: EventsQueue, takes: Takes) -> QueueReader:
    started = QueueReader(queue.session(), takes, wait_seconds=1)
    started.start()
    return started


@pytest.mark.usefixtures("soon")
async def test_a_message_stays_hidden_as_long_as_it_is_being_taken_on(aws: LocalAws, slack: LocalSlack) -> None:
    queue, began, taken = EventsQueue(aws), asyncio.Event(), list[str]()

    async def take(message: QueueMessage, facts: QueueFacts) -> Fate:
        taken.append(message.body)
        began.set()
        await asyncio.sleep(4)
        return DONE

    queue.send("slow")
    started = await reading(queue, Takes(take))
    await began.wait()
    other = queue.session()
    seen = await asyncio.to_thread(other.receive, wait_seconds=3, hidden_seconds=0)
    await emptied(slack, queue)
    await started.stop()

    assert seen == ()
    assert taken == ["slow"]


async def test_no_more_than_twenty_messages_are_in_flight(aws: LocalAws, slack: LocalSlack) -> None:
    queue, go, now_in, most = EventsQueue(aws), asyncio.Event(), 0, 0

    async def take(message: QueueMessage, facts: QueueFacts) -> Fate:
        nonlocal now_in, most
        now_in += 1
        most = max(most, now_in)
        await go.wait()
        now_in -= 1
        return DONE

    queue.send(*[f"m{n}" for n in range(45)])
    started = await reading(queue, Takes(take))
    await slack.wait_for(lambda: now_in == 20, timeout=5)
    await asyncio.sleep(1.5)
    go.set()
    await emptied(slack, queue)
    await started.stop()

    assert most == 20


async def test_what_is_not_taken_on_at_shutdown_goes_back_to_the_queue(aws: LocalAws, slack: LocalSlack) -> None:
    queue, began = EventsQueue(aws), asyncio.Event()

    async def take(message: QueueMessage, facts: QueueFacts) -> Fate:
        began.set()
        await asyncio.sleep(60)
        return DONE

    queue.send("unfinished")
    started = await reading(queue, Takes(take))
    await began.wait()
    await started.stop()
    other = queue.session()
    (again,) = await asyncio.to_thread(other.receive, wait_seconds=5, hidden_seconds=0)

    assert (again.body, again.receives) == ("unfinished", 2)


@pytest.mark.usefixtures("soon")
async def test_a_message_whose_write_fails_comes_again(
    aws: LocalAws, slack: LocalSlack, caplog: pytest.LogCaptureFixture
) -> None:
    queue, receives = EventsQueue(aws), list[int]()

    async def take(message: QueueMessage, facts: QueueFacts) -> Fate:
        receives.append(message.receives)
        if len(receives) < 3:
            raise OSError("disk full")
        return DONE

    queue.send("once more")
    started = await reading(queue, Takes(take))
    await emptied(slack, queue)
    await started.stop()

    assert receives == [1, 2, 3]
    assert sum("not taken on" in r.getMessage() for r in caplog.records) == 2


@pytest.mark.usefixtures("soon")
async def test_a_message_that_the_bot_breaks_on_is_rejected_the_last_time_it_may_come(
    aws: LocalAws, slack: LocalSlack
) -> None:
    queue, receives = EventsQueue(aws, most=2), list[int]()

    async def take(message: QueueMessage, facts: QueueFacts) -> Fate:
        receives.append(message.receives)
        raise KeyError("oops")

    takes = Takes(take)
    queue.send("breaks")
    started = await reading(queue, takes)
    await emptied(slack, queue)
    await started.stop()

    assert receives == [1, 2]
    assert takes.rejected == ["the bot broke on it (KeyError, see its log)"]


# --- where it is posted

TABLE = (
    {"service": "order-service", "channel": ORDERS},
    {"service": "gone", "channel": GONE},
    {"service": "general", "channel": GENERAL},
    {"channel": ALERTS},
)


async def test_events_go_to_the_channels_of_the_table(aws: LocalAws, slack: LocalSlack, tmp_path: Path) -> None:
    queue = EventsQueue(aws)
    queue.send(incident_event(), alarm_event())
    async with taking_bot(slack, tmp_path, queue, routes=TABLE):
        await slack.wait_for(lambda: verdicts(slack, ORDERS) and verdicts(slack, ALERTS), timeout=10)

    assert (len(verdicts(slack, ORDERS)), len(verdicts(slack, ALERTS))) == (1, 1)


@pytest.mark.parametrize("channel", [GONE, GENERAL], ids=["unknown", "not-in-it"])
async def test_what_has_a_closed_channel_goes_to_the_default_one_with_one_note(
    aws: LocalAws, slack: LocalSlack, tmp_path: Path, channel: str
) -> None:
    queue = EventsQueue(aws)
    service = {GONE: "gone", GENERAL: "general"}[channel]
    queue.send(incident_event("A", service=service), incident_event("B", service=service))
    async with taking_bot(slack, tmp_path, queue, routes=TABLE):
        await slack.wait_for(lambda: len(verdicts(slack, ALERTS)) == 2, timeout=10)
        await emptied(slack, queue)

    said = [m for m in slack.messages(ALERTS) if "its events come here" in m.text]
    assert len(said) == 1
    assert f"<#{channel}>" in str(said[0].blocks)
    assert "/invite @rca" in str(said[0].blocks)


@pytest.mark.usefixtures("soon")
async def test_what_has_no_open_channel_is_kept_until_somebody_invites_the_bot(
    aws: LocalAws, slack: LocalSlack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.events.channels.DOUBTED_SECONDS", 0.2)
    queue = EventsQueue(aws, most=9)
    queue.send(incident_event())
    async with taking_bot(slack, tmp_path, queue, routes=[{"channel": GENERAL}]) as bot:
        await slack.wait_for(lambda: bot.service.health()["events"]["returned"], timeout=5)
        assert bot.texts == []
        slack.world.workspace.channels[GENERAL].members.add("U0RCA")
        await slack.wait_for(lambda: verdicts(slack, GENERAL), timeout=15)
        await emptied(slack, queue)

    assert len(bot.texts) == 1


# --- poison


async def test_poison_ends_in_the_dead_letter_queue_with_exactly_one_note(
    aws: LocalAws, slack: LocalSlack, tmp_path: Path
) -> None:
    queue = EventsQueue(aws, most=3)
    body = '{"oops": "<!channel> AKIAIOSFODNN7EXAMPLE ' + "x" * 500
    queue.send(body, incident_event())
    async with taking_bot(slack, tmp_path, queue) as one, taking_bot(slack, tmp_path, queue):
        await slack.wait_for(lambda: queue.count(queue.dead_url) == 1, timeout=20)
        await slack.wait_for(lambda: notes(slack), timeout=5)
        await slack.wait_for(lambda: verdicts(slack, ALERTS), timeout=5)
        await asyncio.sleep(1)
        (row,) = one.rejections._db.execute("SELECT message, body FROM rejected").fetchall()

    (note,) = notes(slack)
    assert queue.dead() == [body]
    assert queue.count() == 0
    assert json.loads(row["message"])["receives"] == 3
    assert row["body"] == ""
    assert "it is not a JSON object" in note
    assert "`rca-events-dlq`" in note
    assert '{"oops": "&lt;!channel&gt;' in note
    assert "AKIAIOSFODNN7EXAMPLE" not in note
    assert "x" * 201 not in note


async def test_poison_without_a_dead_letter_queue_is_kept_whole_and_told_once(
    aws: LocalAws, slack: LocalSlack, tmp_path: Path
) -> None:
    queue = EventsQueue(aws, most=None)
    queue.send("no json at all")
    async with taking_bot(slack, tmp_path, queue) as bot:
        await slack.wait_for(lambda: notes(slack), timeout=10)
        await emptied(slack, queue)
        await asyncio.sleep(0.5)
        rows = bot.rejections._db.execute("SELECT body, told_at FROM rejected").fetchall()

    (note,) = notes(slack)
    assert [row["body"] for row in rows] == ["no json at all"]
    assert rows[0]["told_at"]
    assert "no dead-letter queue" in note


async def test_an_incident_that_names_nothing_to_look_at_is_rejected_with_the_reason(
    aws: LocalAws, slack: LocalSlack, tmp_path: Path
) -> None:
    queue = EventsQueue(aws, most=1)
    queue.send(incident_event(service=""))
    async with taking_bot(slack, tmp_path, queue) as bot:
        await slack.wait_for(lambda: notes(slack), timeout=10)
        await slack.wait_for(lambda: queue.count(queue.dead_url) == 1, timeout=10)

    assert bot.texts == []
    assert "names nothing to look at" in notes(slack)[0]


async def test_a_note_that_slack_did_not_take_is_told_by_the_next_process(
    aws: LocalAws, slack: LocalSlack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = EventsQueue(aws, most=1)
    queue.send("poison")
    slack.fail("chat.postMessage", error="channel_not_found")
    async with taking_bot(slack, tmp_path, queue) as bot:
        await slack.wait_for(lambda: slack.called("chat.postMessage"), timeout=10)
        assert await bot.rejections.count() == 1
    assert notes(slack) == []

    slack.heal()
    monkeypatch.setattr("orchestrator.rejections.CLAIM", timedelta(0))
    async with taking_bot(slack, tmp_path, queue):
        await slack.wait_for(lambda: notes(slack), timeout=10)
        await asyncio.sleep(0.3)

    assert len(notes(slack)) == 1
