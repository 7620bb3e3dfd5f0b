"""The parts of the watch that need no Slack: grouping, orders, lines, the line that waits, what AWS says afterwards."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aws.session import AwsConfig, ReadSession
from bot.blocks import alarms as lines
from bot.explained import explained
from bot.line import Line, Standing
from bot.payloads import malformed
from bot.settings import Settings
from bot.watch.grouping import explained_by, service_of, watches_of
from bot.watch.muting import Order, order_of
from bot.watch.notices import notice
from domain.alarm import AlarmReference, AlarmState
from domain.graph import Edge, ServiceGraph
from domain.request import Request, Trigger, TriggerKind
from domain.resource import resource_from_arn
from orchestrator.aftercare import Aftercare
from orchestrator.alarm_store import Mute, Rules
from orchestrator.discover import READS, discover
from orchestrator.sqlite_store import SqliteStore
from orchestrator.store import StoredBundle
from sandbox.aws import LocalAws, faults, resources, signals
from sandbox.aws.world import World
from tests.support.alarm_posts import SAMPLES
from tests.support.bot import TABLE, verdict
from tests.support.slack import readable
from tests.support.watching import q_post

NOW = datetime.now(UTC).replace(microsecond=0)
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:create-order"
API = "arn:aws:apigateway:eu-west-1::/restapis/a1b2c3"


def alarm(name: str = "x", **told: object) -> AlarmReference:
    return AlarmReference(name=name, state=AlarmState.ALARM, **told)


# --- which belong together

SERVICES = (
    (alarm(namespace="AWS/Lambda", dimensions={"FunctionName": "f"}), "lambda"),
    (alarm(namespace="AWS/States"), "stepfunctions"),
    (alarm(namespace="AWS/RDS"), "rds"),
    (alarm(namespace="Orders/Checkout"), "orders/checkout"),
    (alarm("orders-api-5xx", dimensions={"TableName": "orders"}), "dynamodb"),
    (alarm("orders-api-5xx"), "orders"),
    (alarm("prod-orders-api-5xx"), "orders"),
    (alarm("[CRITICAL] eu-west-1 Orders API 5xx"), "orders"),
    (alarm("OrdersApiLatencyHigh"), "orders"),
    (alarm("HTTPErrors"), "http"),
    (alarm("node12-cpu"), "node"),
    (alarm("注文エラー"), "注文エラー"),
    (alarm("P1 2026-11"), "other"),
)


@pytest.mark.parametrize(("told", "service"), SERVICES, ids=[a.name + (a.namespace or "") for a, _ in SERVICES])
def test_an_alarm_is_of_the_service_that_it_tells_the_most_surely(told: AlarmReference, service: str) -> None:
    assert service_of(told) == service


WATCHED = (
    (alarm(namespace="AWS/Lambda", dimensions={"FunctionName": "f", "Resource": "f:live"}), ("lambda:f",)),
    (
        alarm(namespace="AWS/DynamoDB", dimensions={"TableName": "t", "GlobalSecondaryIndexName": "by-day"}),
        ("dynamodb:t",),
    ),
    (alarm(dimensions={"QueueName": "q", "Colour": "red"}), ("sqs:q",)),
    (alarm(dimensions={"StateMachineArn": "arn:aws:states:eu-west-1:1:stateMachine:m"}),
     ("stepfunctions:arn:aws:states:eu-west-1:1:stateMachine:m",)),
    (alarm("orders"), ()),
)  # fmt: skip


@pytest.mark.parametrize(("told", "watched"), WATCHED, ids=[str(w) for _, w in WATCHED])
def test_an_alarm_watches_what_its_dimensions_name(told: AlarmReference, watched: tuple[str, ...]) -> None:
    assert watches_of(told) == watched


def test_a_verdict_explains_its_root_and_all_that_fail_over_it_and_no_one_else() -> None:
    other = "arn:aws:lambda:eu-west-1:123456789012:function:reader"
    graph = ServiceGraph.of(
        [resource_from_arn(arn) for arn in (API, FUNCTION, TABLE, other)],
        [
            Edge(source=API, target=FUNCTION, calls=9, faults=9),
            Edge(source=FUNCTION, target=TABLE, calls=9, throttles=9),
            Edge(source=other, target=TABLE, calls=9),
        ],
    )
    report = verdict("INV-1", Trigger(kind=TriggerKind.CLI, text="x")).model_copy(update={"service_graph": graph})

    named = explained_by(report)
    assert {"lambda:create-order", "dynamodb:orders", "apigateway:a1b2c3"} <= set(named)
    assert not [name for name in named if "reader" in name]
    assert explained_by(report.model_copy(update={"root_cause": None})) == ()


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_posts_as_slack_delivers_them_pass_the_gate(name: str) -> None:
    assert malformed({"event_id": "Ev1", **SAMPLES[name]}) is None


def test_secrets_in_an_alarms_words_are_not_kept() -> None:
    told = alarm(reason="password=hunter2hunter2", description="key AKIAIOSFODNN7EXAMPLE")
    kept = notice("k", told, Trigger(kind=TriggerKind.ALARM_POST, text="x"), at=NOW).model_dump_json()

    assert "hunter2" not in kept
    assert "AKIAIOSFODNN7EXAMPLE" not in kept


# --- orders

ORDERS = (
    ("mute orders-api-5xx 2h", Order("orders-api-5xx", timedelta(hours=2))),
    ("Mute Orders-* 30m", Order("Orders-*", timedelta(minutes=30))),
    ("mute orders-* for 1 day", Order("orders-*", timedelta(days=1))),
    ("mute orders-* 90 min", Order("orders-*", timedelta(minutes=90))),
    ('mute "Orders API 5xx" 2 hours', Order("Orders API 5xx", timedelta(hours=2))),
    ("mute the alarm Orders API 5xx 2h", Order("Orders API 5xx", timedelta(hours=2))),
    ("unmute orders-*", Order("orders-*")),
    ("mute list", Order()),
    ("list", Order()),
    ("mutes", Order()),
    ("function mute last 30 min", None),
    ("muted-orders-fn", None),
    ("alarm list-orders", None),
    ("", None),
)


@pytest.mark.parametrize(("words", "order"), ORDERS, ids=[words or "nothing" for words, _ in ORDERS])
def test_words_are_orders_or_something_else(words: str, order: Order | None) -> None:
    assert order_of(words) == order


# --- lines


def test_a_link_is_one_that_slack_would_give_and_nothing_else_is_live() -> None:
    spot = lines.Spot("https://acme.slack.com/", "C0ALERTS", "1795169481.000100", "1795169400.000100")

    assert lines.linked("INV-7F3K", spot) == (
        "<https://acme.slack.com/archives/C0ALERTS/p1795169481000100"
        "?thread_ts=1795169400.000100&amp;cid=C0ALERTS|INV-7F3K>"
    )
    assert lines.linked("INV-7F3K", spot._replace(thread="")).endswith("p1795169481000100|INV-7F3K>")
    for broken in (None, spot._replace(home=""), spot._replace(home="javascript:x"), spot._replace(ts="x|y>")):
        assert lines.linked("INV-7F3K", broken) == "`INV-7F3K`"


@pytest.mark.parametrize(
    ("number", "said"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (23, "23rd"), (112, "112th")]
)
def test_ordinals(number: int, said: str) -> None:
    assert lines.ordinal(number) == said


def test_a_long_list_says_how_many_more_there_are() -> None:
    many = [lines.Member(f"orders-{n}<!here>", NOW) for n in range(100)]
    shown = readable(lines.members("orders in eu-west-1", many, NOW).blocks)

    assert shown.startswith(f"*100 alarms of orders in eu-west-1 since {NOW:%H:%M}*")
    assert shown.endswith("_and 70 more_")
    assert "<!here>" not in shown


# --- the line


async def test_an_urgent_place_goes_before_those_that_are_not_and_behind_its_like() -> None:
    line = Line(1)
    first = line.join(urgent=False)
    alarm_place, mine, yours = line.join(urgent=False), line.join(), line.join()

    assert first.turn.is_set()
    assert [p.standing for p in (mine, yours, alarm_place)] == [Standing(1), Standing(2), Standing(3)]
    first.leave()
    assert (mine.turn.is_set(), alarm_place.turn.is_set()) == (True, False)


async def test_a_line_that_must_wait_calls_nobody_and_goes_on_in_the_same_order() -> None:
    heard: list[Standing] = []
    line = Line(2)
    one, two = line.join(urgent=False), line.join(heard.append, urgent=False)
    until = NOW + timedelta(minutes=1)
    one.wait(0.05, until)
    two.wait(0.05, until)
    person = line.join()

    assert not any(place.turn.is_set() for place in (one, two, person))
    assert [p.standing for p in (person, one, two)] == [Standing(0, until), Standing(1, until), Standing(2, until)]
    assert heard[-1] == Standing(2, until)
    await asyncio.sleep(0.1)
    assert [p.turn.is_set() for p in (person, one, two)] == [True, True, False]


async def test_a_short_wait_for_other_processes_is_told_as_places_ahead() -> None:
    line = Line(2)
    one = line.join()
    one.wait(0.05)
    two = line.join()

    assert [p.standing for p in (one, two)] == [Standing(1), Standing(2)]
    await asyncio.sleep(0.1)
    assert [p.turn.is_set() for p in (one, two)] == [True, True]


# --- what AWS says afterwards


@pytest.fixture(scope="module")
def running() -> Iterator[LocalAws]:
    with LocalAws() as aws:
        yield aws


@pytest.fixture
def world(running: LocalAws, monkeypatch: pytest.MonkeyPatch) -> World:
    running.reset()
    for name, value in running.environment().items():
        monkeypatch.setenv(name, value)
    made = World(running, NOW, seed="aftercare")
    resources.table(made, "orders")
    return made


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    made = SqliteStore.open(tmp_path)
    yield made
    await made.close()


@pytest.fixture
async def care(store: SqliteStore, world: World) -> AsyncIterator[Aftercare]:
    made = Aftercare(ReadSession(AwsConfig(max_attempts=1), READS), store, clock=lambda: NOW)
    yield made
    await made.close()


METRIC = ("AWS/DynamoDB", "WriteThrottleEvents", {"TableName": "orders"})
RANG = NOW - timedelta(minutes=20)
TOLD = AlarmReference(
    name="orders-throttles", state=AlarmState.ALARM, at=RANG, region="eu-west-1", account="123456789012"
)


async def test_after_ok_the_verdicts_metric_is_looked_at_again(
    store: SqliteStore, care: Aftercare, world: World
) -> None:
    signals.alarm(world, TOLD.name, *METRIC, transitions=[(RANG, "ALARM", "Threshold Crossed")], threshold=5)
    signals.metric(world, *METRIC, [9.0] * 8 + [0.0] * 12, start=RANG.replace(second=0))
    trigger = Trigger(kind=TriggerKind.ALARM_POST, text=TOLD.name, alarm=TOLD, channel="C1")
    ident = await investigated(store, trigger)

    said = await care.recheck(ident, NOW)

    assert said == f"`orders` WriteThrottleEvents is back at 0 since {RANG + timedelta(minutes=8):%H:%M} UTC"
    assert await care.recheck("INV-NOSUCH", NOW) == ""


async def investigated(store: SqliteStore, trigger: Trigger) -> str:
    """Store an investigation as one that discovered the alarm leaves it."""
    with ThreadPoolExecutor(4) as pool:
        request = Request(text="x", alarm=TOLD, region=TOLD.region, account=TOLD.account)
        found = discover(request, ReadSession(AwsConfig(max_attempts=1), READS), pool, now=NOW)
    accepted = await store.accept("k", trigger, now=NOW)
    assert accepted is not None
    bundle = StoredBundle(
        request=request, trigger=trigger, window=found.window, graph=found.graph,
        evidence=tuple(e.dump() for e in found.trace), results=(), discovery_gaps=(), nearby=(), aws_calls=1,
        started_at=NOW, completed_at=NOW,
    )  # fmt: skip
    await store.finish(verdict(accepted.id, trigger), bundle)
    return accepted.id


async def test_missing_data_is_said_to_be_missing_since_when(care: Aftercare, world: World) -> None:
    last = (RANG - timedelta(minutes=14)).replace(second=0)
    signals.alarm(
        world, TOLD.name, *METRIC, transitions=[(RANG, "INSUFFICIENT_DATA", "1 datapoint was unknown.")], threshold=5
    )
    signals.metric(world, *METRIC, [0.0] * 30, start=last - timedelta(minutes=29))

    said = await care.silence(TOLD.model_copy(update={"state": AlarmState.INSUFFICIENT_DATA}))

    assert said == f"`orders` WriteThrottleEvents last reported at {last:%Y-%m-%d %H:%M} UTC."


async def test_a_metric_of_an_account_that_cannot_be_read_is_said_to_be_unknown(care: Aftercare) -> None:
    said = await care.silence(TOLD.model_copy(update={"account": "210987654321"}))

    assert said.startswith("account 210987654321 cannot be read")


async def test_a_denied_history_and_metric_are_named_with_what_to_grant(
    care: Aftercare, world: World, running: LocalAws
) -> None:
    signals.alarm(world, TOLD.name, *METRIC, transitions=[(RANG, "INSUFFICIENT_DATA", "")], threshold=5)
    running.inject("cloudwatch", "GetMetricData", faults.ACCESS_DENIED)

    said = await care.silence(TOLD.model_copy(update={"state": AlarmState.INSUFFICIENT_DATA}))

    assert "cloudwatch:GetMetricData" in said


# --- the doctor

POST = {"type": "message", "channel": "C0ALERTS", "channel_type": "channel", "ts": "1795169481.000100", "bot_id": "BQ"}


def pasted(**changes: object) -> str:
    return json.dumps(POST | q_post("orders-api-5xx", at=NOW) | changes)


async def doctored(text: str, directory: Path, **settings: str) -> str:
    return await explained(text, Settings.load(RCA_DATA_DIR=directory, **settings))


async def test_the_doctor_says_what_a_post_starts_and_with_which_alarms_it_is_grouped(tmp_path: Path) -> None:
    said = await doctored(pasted(), tmp_path)

    assert said.startswith("It starts an investigation: the alarm orders-api-5xx went to ALARM.\n")
    assert said.endswith("It is grouped with the alarms of orders, for 15 min.\n")


IGNORED = (
    ({"bot_id": "", "user": "U0MIA"}, {}, "It starts nothing: a person wrote it."),
    ({"thread_ts": "1795169000.000100"}, {}, "It starts nothing: it is a reply in a thread."),
    (
        {},
        {"RCA_ALARM_CHANNELS": "C0ORDERS"},
        "It starts nothing: its channel (C0ALERTS) is not among those that count.",
    ),
    ({}, {"RCA_ALARM_APPS": "A0OTHER"}, "It starts nothing: its app (BQ) is not among those that count."),
    ({}, {"RCA_ALARMS": "off"}, "But RCA_ALARMS is off: no alarm starts anything."),
)


@pytest.mark.parametrize(("changes", "settings", "why"), IGNORED, ids=[why for _, _, why in IGNORED])
async def test_the_doctor_says_by_which_rule_a_post_is_ignored(
    tmp_path: Path, changes: dict[str, str], settings: dict[str, str], why: str
) -> None:
    assert why in await doctored(pasted(**changes), tmp_path, **settings)


async def test_the_doctor_knows_of_mutes_and_of_what_was_taken_on(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path)
    trigger = Trigger(kind=TriggerKind.ALARM_POST, text="orders-api-5xx", channel="C0ALERTS")
    told = AlarmReference(name="orders-api-5xx", state=AlarmState.ALARM, at=NOW, region="eu-west-1")
    taken = await store.alarms.take(notice("event:1", told, trigger, at=NOW), Rules(), now=NOW)
    await store.alarms.mute(Mute(pattern="orders-*", until=NOW + timedelta(hours=2), user="U0MIA"), now=NOW)
    await store.close()
    assert taken is not None
    assert taken.investigation is not None

    said = await doctored(pasted(), tmp_path)

    assert f"This transition was taken on before: it started {taken.investigation.id}." in said
    assert "But orders-* is muted until" in said
    assert "by U0MIA" in said


async def test_what_is_no_message_is_said_to_be_none(tmp_path: Path) -> None:
    assert (await doctored("hello", tmp_path)).startswith("This is not the JSON of a message.")
    assert not (tmp_path / "rca.sqlite3").exists()
