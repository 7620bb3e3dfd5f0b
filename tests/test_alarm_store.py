"""What the store keeps of alarms: one transition once, groups, known causes, mutes; whoever tells of it, in any order."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.watch.notices import notice
from domain.alarm import AlarmReference, AlarmState
from domain.report import Report, ReportStatus, RootCause, Severity, SeverityLevel
from domain.request import Trigger, TriggerKind
from orchestrator.alarm_store import Handling, Mute, Notice, Rules, Taken
from orchestrator.sqlite_store import SqliteStore
from orchestrator.store import Grade, State

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"
RULES = Rules()
APART = Rules(group=timedelta(0))
KEYS = iter(range(1_000_000))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    made = SqliteStore.open(tmp_path)
    yield made
    await made.close()


def told(
    name: str = "orders-api-5xx",
    state: AlarmState = AlarmState.ALARM,
    *,
    minutes: float = 0,
    account: str | None = "123456789012",
    region: str | None = "eu-west-1",
    **fields: object,
) -> Notice:
    at = NOW + timedelta(minutes=minutes)
    alarm = AlarmReference(name=name, state=state, account=account, region=region, at=at, **fields)
    trigger = Trigger(kind=TriggerKind.ALARM_POST, text=name, channel="C1", thread=f"{at.timestamp():.6f}")
    return notice(f"event:{next(KEYS)}", alarm, trigger, at=at)


async def take(store: SqliteStore, notice: Notice, rules: Rules = RULES, *, now: datetime | None = None) -> Taken:
    taken = await store.alarms.take(notice, rules, now=now or notice.at + timedelta(seconds=5))
    assert taken is not None
    return taken


async def concluded(
    store: SqliteStore, taken: Taken, *, cause: str | None = "ddb-provisioned-exceeded", resource: str = TABLE,
    at: datetime | None = None, status: ReportStatus = ReportStatus.COMPLETED, callers: tuple[str, ...] = (),
) -> Report:  # fmt: skip
    assert taken.investigation is not None
    when = at or taken.notice.at + timedelta(minutes=1)
    root = RootCause(cause=cause, resource=resource, summary="s", confidence=0.9, evidence=("e",)) if cause else None
    report = Report(
        investigation_id=taken.investigation.id, status=status, trigger=taken.notice.trigger, window=None, started_at=when,
        completed_at=when, duration_seconds=1, headline="h", summary="s", root_cause=root,
        severity=Severity(level=SeverityLevel.HIGH, reason="r"),
    )  # fmt: skip
    await store.finish(report, None)
    await store.alarms.settle(report, callers, RULES, now=when)
    return report


# --- one transition, once


async def test_a_transition_starts_one_investigation_that_waits_to_be_run(store: SqliteStore) -> None:
    taken = await take(store, told())

    assert (taken.handling, taken.number) == (Handling.STARTED, 1)
    assert [i.id for i in await store.unfinished()] == [taken.investigation.id if taken.investigation else ""]


async def test_a_delivery_taken_on_is_nothing_the_second_time(store: SqliteStore) -> None:
    first = told()
    await take(store, first)

    assert await store.alarms.take(first, RULES, now=NOW) is None


OTHER_WORDS = (
    ("by another message", {}),
    ("ninety seconds off, where a post tells no seconds", {"minutes": 1.5}),
    ("ninety seconds early", {"minutes": -1.5}),
    ("without an account", {"account": None}),
    ("without a Region", {"region": None}),
    ("without either", {"account": None, "region": None}),
)


@pytest.mark.parametrize("changes", [c for _, c in OTHER_WORDS], ids=[name for name, _ in OTHER_WORDS])
async def test_the_same_transition_told_again_is_known(store: SqliteStore, changes: dict[str, object]) -> None:
    first = await take(store, told())
    again = await take(store, told(**changes))

    assert again.handling is Handling.REPEATED
    assert again.investigation == first.investigation
    assert len(await store.unfinished()) == 1


DIFFERENT = (
    ("another alarm", {"name": "search-latency"}),
    ("another account", {"account": "210987654321"}),
    ("another Region", {"region": "us-east-1"}),
    ("more than ninety seconds later", {"minutes": 1.6}),
)


@pytest.mark.parametrize("changes", [c for _, c in DIFFERENT], ids=[name for name, _ in DIFFERENT])
async def test_another_transition_is_not_taken_for_it(store: SqliteStore, changes: dict[str, object]) -> None:
    await take(store, told(), APART)
    other = await take(store, told(**changes), APART)

    assert other.handling is Handling.STARTED


async def test_two_processes_that_hear_one_transition_at_once_start_one_investigation(tmp_path: Path) -> None:
    stores = [SqliteStore.open(tmp_path) for _ in range(2)]
    for round_number in range(5):
        name = f"alarm-{round_number}"
        heard = (take(store, told(name), APART) for store in stores * 16)
        handled = [taken.handling for taken in await asyncio.gather(*heard)]

        assert handled.count(Handling.STARTED) == 1
        assert handled.count(Handling.REPEATED) == 31
    assert len(await stores[0].unfinished()) == 5
    for store in stores:
        await store.close()


async def test_what_a_person_had_investigated_starts_nothing_more(store: SqliteStore) -> None:
    first = told()
    mine = await store.accept("shortcut:1", first.trigger, now=NOW)
    assert mine is not None
    await store.alarms.note(first, mine.id, now=NOW)
    again = await take(store, told())

    assert again.handling is Handling.REPEATED
    assert again.investigation is not None
    assert again.investigation.id == mine.id


# --- groups


async def test_later_alarms_of_the_service_join_for_fifteen_minutes(store: SqliteStore) -> None:
    first = await take(store, told("orders-api-5xx"))
    second = await take(store, told("orders-worker-errors", minutes=4))
    third = await take(store, told("orders-queue-age", minutes=14.9))
    late = await take(store, told("orders-latency", minutes=15.2))

    assert [t.handling for t in (second, third, late)] == [Handling.JOINED, Handling.JOINED, Handling.STARTED]
    assert (second.number, third.number, second.since) == (2, 3, NOW + timedelta(seconds=5))
    assert second.investigation == first.investigation
    assert first.investigation is not None
    group = await store.alarms.of(first.investigation.id)
    assert [t.notice.alarm.name for t in group] == ["orders-api-5xx", "orders-worker-errors", "orders-queue-age"]


APART_BY = (
    ("service", {"name": "search-errors"}),
    ("account", {"account": "210987654321"}),
    ("region", {"region": "us-east-1"}),
    ("namespace", {"namespace": "AWS/Lambda"}),
)


@pytest.mark.parametrize("changes", [c for _, c in APART_BY], ids=[name for name, _ in APART_BY])
async def test_alarms_of_other_services_accounts_and_regions_do_not_join(
    store: SqliteStore, changes: dict[str, object]
) -> None:
    await take(store, told("orders-api-5xx"))
    other = await take(store, told(**({"name": "orders-errors", "minutes": 2} | changes)))

    assert other.handling is Handling.STARTED


async def test_nothing_joins_an_investigation_that_failed(store: SqliteStore) -> None:
    first = await take(store, told())
    await concluded(store, first, cause=None, status=ReportStatus.FAILED)
    next_one = await take(store, told("orders-errors", minutes=3))

    assert next_one.handling is Handling.STARTED


# --- callers of a root cause

CALLER = {"namespace": "AWS/Lambda", "dimensions": {"FunctionName": "create-order"}}


async def test_an_alarm_of_a_caller_of_the_root_is_adopted_while_the_group_lasts(store: SqliteStore) -> None:
    first = await take(store, told("table-throttles"))
    await concluded(store, first, callers=("lambda:create-order",))
    soon = await take(store, told("fn-errors", minutes=5, **CALLER))
    other_account = await take(store, told("fn-errors", minutes=5, account="210987654321", **CALLER))
    late = await take(store, told("fn-errors", minutes=40, **CALLER))

    assert (soon.handling, soon.investigation and soon.investigation.state) == (Handling.ADOPTED, State.FINISHED)
    assert other_account.handling is Handling.STARTED
    assert late.handling is Handling.STARTED


async def test_alarms_of_callers_that_are_still_looked_into_are_found(store: SqliteStore) -> None:
    waiting = await take(store, told("fn-errors", **CALLER))
    await take(store, told("other-fn-errors", namespace="AWS/Lambda", dimensions={"FunctionName": "other"}), APART)
    first = await take(store, told("table-throttles"))
    report = await concluded(store, first)

    assert [t.id for t in await store.alarms.waiting_on(report, ("lambda:create-order",))] == [waiting.id]
    assert await store.alarms.waiting_on(report, ()) == ()


# --- known causes


async def thrice(store: SqliteStore, **verdict: object) -> None:
    for hour in range(3):
        taken = await take(store, told(minutes=60 * hour))
        assert taken.handling is Handling.STARTED
        await concluded(store, taken, **verdict)


async def test_an_alarm_with_the_same_cause_for_the_fourth_time_in_a_day_is_known(store: SqliteStore) -> None:
    await thrice(store)
    fourth = await take(store, told(minutes=180))
    fifth = await take(store, told(minutes=240))

    assert (fourth.handling, fourth.number) == (Handling.RECURRED, 4)
    assert (fifth.handling, fifth.number) == (Handling.RECURRED, 5)
    assert fifth.investigation == fourth.investigation


async def test_a_cause_last_seen_hours_ago_is_looked_for_again(store: SqliteStore) -> None:
    await thrice(store)
    late = await take(store, told(minutes=120 + 6 * 60 + 2))

    assert late.handling is Handling.STARTED


async def test_a_verdict_that_was_graded_wrong_is_not_believed_again(store: SqliteStore) -> None:
    await thrice(store)
    last = (await store.recent(1))[0].investigation_id
    await store.grade(last, "U1", Grade.WRONG, now=NOW)

    assert (await take(store, told(minutes=180))).handling is Handling.STARTED


async def test_different_causes_and_open_verdicts_make_nothing_known(store: SqliteStore) -> None:
    for hour, cause in enumerate(("ddb-provisioned-exceeded", None, "ddb-provisioned-exceeded")):
        await concluded(store, await take(store, told(minutes=60 * hour)), cause=cause)

    assert (await take(store, told(minutes=180))).handling is Handling.STARTED


async def test_an_alarm_that_only_joined_others_has_no_cause_of_its_own(store: SqliteStore) -> None:
    for hour in range(3):
        first = await take(store, told("orders-errors", minutes=60 * hour))
        await take(store, told("orders-api-5xx", minutes=60 * hour + 2))
        await concluded(store, first)

    assert (await take(store, told("orders-api-5xx", minutes=180))).handling is Handling.STARTED


# --- OK


async def test_ok_ends_what_rang_before_it(store: SqliteStore) -> None:
    rang = await take(store, told())
    over = await take(store, told(state=AlarmState.OK, minutes=12))

    assert (over.handling, over.since, over.investigation) == (Handling.RECOVERED, NOW, rang.investigation)
    assert (await store.alarms.get(rang.id) or rang).recovered_at == NOW + timedelta(minutes=12)


async def test_an_ok_that_came_before_its_alarm_is_remembered(store: SqliteStore) -> None:
    early = await take(store, told(state=AlarmState.OK, minutes=5))
    late = await take(store, told())

    assert early.handling is Handling.NOTED
    assert (late.handling, late.recovered_at) == (Handling.STARTED, NOW + timedelta(minutes=5))


async def test_an_ok_of_earlier_does_not_end_an_alarm_of_later(store: SqliteStore) -> None:
    await take(store, told(state=AlarmState.OK, minutes=-10))
    rang = await take(store, told())

    assert rang.recovered_at is None


# --- mutes


def mute(pattern: str, hours: float = 2) -> Mute:
    return Mute(pattern=pattern, until=NOW + timedelta(hours=hours), user="U1")


@pytest.mark.parametrize("pattern", ["orders-api-5xx", "ORDERS-API-5xx", "orders-*", "orders-api-5xx*"])
async def test_a_muted_alarm_is_counted_and_starts_nothing(store: SqliteStore, pattern: str) -> None:
    await store.alarms.mute(mute(pattern), now=NOW)
    taken = await take(store, told())
    over = await take(store, told(state=AlarmState.OK, minutes=3))

    assert (taken.handling, taken.investigation) == (Handling.MUTED, None)
    assert over.handling is Handling.NOTED
    assert await store.unfinished() == ()


@pytest.mark.parametrize("pattern", ["orders-api", "orders", "rders-api-5xx", "orders*5xx", "search-*"])
async def test_a_mute_means_a_whole_name_or_a_beginning(store: SqliteStore, pattern: str) -> None:
    await store.alarms.mute(mute(pattern), now=NOW)

    assert (await take(store, told())).handling is Handling.STARTED


async def test_a_mute_ends_by_itself_and_survives_a_restart(tmp_path: Path) -> None:
    first = SqliteStore.open(tmp_path)
    await first.alarms.mute(mute("orders-*"), now=NOW)
    await first.close()
    again = SqliteStore.open(tmp_path)

    assert await again.alarms.mutes(now=NOW) == (mute("orders-*"),)
    assert (await take(again, told(minutes=119))).handling is Handling.MUTED
    assert (await take(again, told(minutes=121))).handling is Handling.STARTED
    await again.close()


async def test_unmuting_a_name_ends_every_mute_that_covers_it(store: SqliteStore) -> None:
    for pattern in ("orders-*", "orders-api-5xx", "search-*"):
        await store.alarms.mute(mute(pattern), now=NOW)

    assert await store.alarms.unmute("orders-api-5xx", now=NOW) == 2
    assert [m.pattern for m in await store.alarms.mutes(now=NOW)] == ["search-*"]
    assert await store.alarms.unmute("orders-api-5xx", now=NOW) == 0


# --- turns


async def test_no_more_than_so_many_begin_in_an_hour_and_at_once(store: SqliteStore) -> None:
    ids = [(await take(store, told(f"a{n}x-errors"), APART)).investigation for n in range(5)]
    limits = {"most": 2, "per_hour": 3, "stuck_after": timedelta(minutes=3)}

    async def turn(n: int, minutes: float) -> timedelta | None:
        found = ids[n]
        assert found is not None
        return await store.turn(found.id, **limits, now=NOW + timedelta(minutes=minutes))

    assert [await turn(0, 0), await turn(1, 1)] == [None, None]
    assert await turn(2, 1.5) == timedelta(seconds=1)
    assert await turn(2, 5) is None, "what began longer ago than anything may run is given up"
    assert await turn(3, 6) == timedelta(minutes=54)
    assert await turn(0, 6) is None, "its own beginning does not count against it"
    assert await turn(3, 66.1) is None
