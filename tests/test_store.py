"""What every store keeps, and keeps under races, restarts and sudden death."""

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from domain.gap import Gap, GapReason
from domain.graph import ServiceGraph
from domain.history import PastInvestigation
from domain.report import Report, ReportStatus, RootCause, Severity, SeverityLevel, SpecialistReport
from domain.request import Request, Trigger, TriggerKind
from domain.resource import resource_from_arn
from domain.result import SpecialistResult, SpecialistStatus
from domain.trace import TraceCall, TracedError
from domain.window import Window
from orchestrator import sqlite_past
from orchestrator.sqlite_file import connect
from orchestrator.sqlite_store import SqliteStore, StoreUnusable
from orchestrator.store import Grade, MessageRef, MessageRole, State, Store, StoredBundle
from tests.support.running import sign

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
TRIGGER = Trigger(kind=TriggerKind.SLASH_COMMAND, text="1-…", user="U1", channel="C1", team="T1")
ROOT = MessageRef(channel="C1", ts="1795169000.000100")

Opened = Callable[[Path], Store]
STORES: dict[str, Opened] = {"sqlite": SqliteStore.open}


@pytest.fixture(params=sorted(STORES))
def opened(request: pytest.FixtureRequest) -> Opened:
    return STORES[request.param]


@pytest.fixture
async def store(opened: Opened, tmp_path: Path) -> AsyncIterator[Store]:
    made = opened(tmp_path)
    yield made
    await made.close()


async def accepted(store: Store, key: str = "k1", *, now: datetime = NOW) -> str:
    made = await store.accept(key, TRIGGER, now=now)

    assert made is not None
    return made.id


def report(ident: str, *, minutes: float = 0, headline: str = "Nothing wrong found here") -> Report:
    at = NOW + timedelta(minutes=minutes)
    return Report(
        investigation_id=ident, status=ReportStatus.COMPLETED, trigger=TRIGGER, window=None, started_at=at, completed_at=at, duration_seconds=0,
        headline=headline, summary="ü — ✓", severity=Severity(level=SeverityLevel.NONE, reason="-"),
        specialists=(SpecialistReport(name="lambda", status=SpecialistStatus.SUCCESS, duration_seconds=0.1, reason="r"),),
    )  # fmt: skip


def bundle() -> StoredBundle:
    here = resource_from_arn("arn:aws:lambda:eu-west-1:123456789012:function:f:live")
    return StoredBundle(
        request=Request(text="x", trace_ids=("1-6740a1b2-1234567890abcdef12345678",)), trigger=TRIGGER, window=Window(start=NOW, end=NOW + timedelta(hours=1)),
        graph=ServiceGraph.of([here]), evidence=(sign("naïve ☂").dump(),),
        results=(SpecialistResult(name="lambda", status=SpecialistStatus.PARTIAL, duration_seconds=0.1),),
        discovery_gaps=(Gap(specialist="s", probe="p", resource="r", reason=GapReason.NO_DATA, message="m"),),
        nearby=(), aws_calls=7, started_at=NOW, completed_at=NOW,
    )  # fmt: skip


# --- taking on


async def test_an_accepted_investigation_is_queued_under_an_id_to_read_aloud(store: Store) -> None:
    made = await store.accept("k1", TRIGGER, now=NOW)

    assert made is not None
    assert (made.state, made.trigger, made.accepted_at) == (State.QUEUED, TRIGGER, NOW)
    assert made.id.startswith("INV-")
    assert await store.get(made.id) == made


async def test_a_delivery_is_accepted_once_under_thirty_two_way_races(store: Store) -> None:
    for round_number in range(5):
        same = [store.accept(f"delivery-{round_number}", TRIGGER, now=NOW) for _ in range(32)]
        won = [made for made in await asyncio.gather(*same) if made is not None]

        assert len(won) == 1
    assert len(await store.unfinished()) == 5


async def test_different_deliveries_are_all_accepted_at_once(store: Store) -> None:
    ids = await asyncio.gather(*(accepted(store, f"k{n}") for n in range(200)))

    assert len(set(ids)) == 200


async def test_unfinished_are_the_queued_and_the_running_the_oldest_first(store: Store) -> None:
    newest = await accepted(store, "k3", now=NOW + timedelta(minutes=2))
    oldest = await accepted(store, "k1")
    running = await accepted(store, "k2", now=NOW + timedelta(minutes=1))
    done = await accepted(store, "k4")
    await store.start(running, now=NOW)
    await store.finish(report(done), None)

    assert [(i.id, i.state) for i in await store.unfinished()] == [
        (oldest, State.QUEUED),
        (running, State.RUNNING),
        (newest, State.QUEUED),
    ]


async def test_a_finished_investigation_does_not_start_again(store: Store) -> None:
    ident = await accepted(store)
    await store.finish(report(ident), None)
    await store.start(ident, now=NOW)
    found = await store.get(ident)

    assert found is not None
    assert found.state is State.FINISHED


async def test_what_was_never_accepted_is_unknown(store: Store) -> None:
    assert await store.get("INV-XXXXXX") is None
    assert await store.report("INV-XXXXXX") is None
    assert await store.bundle("INV-XXXXXX") is None
    assert await store.by_message(ROOT) is None


# --- what it keeps


async def test_messages_are_found_by_role_and_the_investigation_by_its_root(store: Store) -> None:
    ident = await accepted(store)
    board = MessageRef(channel="C1", ts="1795169001.000200")
    await store.place(ident, MessageRole.ROOT, ROOT)
    await store.place(ident, MessageRole.BOARD, board)
    found = await store.by_message(ROOT)

    assert found is not None
    assert (found.id, found.messages) == (ident, {MessageRole.ROOT: ROOT, MessageRole.BOARD: board})
    assert await store.by_message(board) is None


async def test_messages_placed_at_once_are_all_kept(store: Store) -> None:
    ident = await accepted(store)
    await asyncio.gather(
        *(store.place(ident, role, ROOT.model_copy(update={"ts": role.value})) for role in MessageRole)
    )
    found = await store.get(ident)

    assert found is not None
    assert set(found.messages) == set(MessageRole)


async def test_report_and_evidence_come_back_as_they_were(store: Store) -> None:
    ident = await accepted(store)
    await store.finish(report(ident), bundle())

    assert await store.report(ident) == report(ident)
    assert await store.bundle(ident) == bundle()


async def test_a_second_finish_replaces_the_first(store: Store) -> None:
    ident = await accepted(store)
    await store.finish(report(ident), bundle())
    await store.finish(report(ident, headline="again"), bundle())
    kept = await store.report(ident)

    assert kept is not None
    assert kept.headline == "again"
    assert len(await store.recent()) == 1


async def test_recent_reports_are_the_newest_first(store: Store) -> None:
    for minutes in (1, 3, 2):
        ident = await accepted(store, f"k{minutes}")
        await store.finish(report(ident, minutes=minutes, headline=str(minutes)), None)

    assert [r.headline for r in await store.recent(2)] == ["3", "2"]


async def test_a_later_grade_of_one_person_replaces_the_earlier(store: Store) -> None:
    ident = await accepted(store)
    await store.grade(ident, "U1", Grade.WRONG, now=NOW)
    await store.grade(ident, "U1", Grade.EXACT, now=NOW)
    await store.grade(ident, "U2", Grade.RIGHT_AREA, now=NOW)

    assert await store.grades(ident) == {"U1": Grade.EXACT, "U2": Grade.RIGHT_AREA}


async def test_an_action_is_dismissed_once_by_many_presses(store: Store) -> None:
    ident = await accepted(store)
    presses = await asyncio.gather(*(store.dismiss(ident, "A1", f"U{n}", now=NOW) for n in range(16)))

    assert sum(presses) == 1
    assert await store.dismissed(ident) == {"A1"}


async def test_a_value_that_cannot_be_kept_fails_alone(store: Store) -> None:
    writes = await asyncio.gather(
        store.accept("good-1", TRIGGER, now=NOW), store.accept("\ud800", TRIGGER, now=NOW), store.accept("good-2", TRIGGER, now=NOW),
        return_exceptions=True,
    )  # fmt: skip

    assert isinstance(writes[1], ValueError)
    assert len(await store.unfinished()) == 2


async def test_a_closed_store_refuses_instead_of_waiting_for_ever(opened: Opened, tmp_path: Path) -> None:
    store = opened(tmp_path)
    await store.close()
    await store.close()

    with pytest.raises(StoreUnusable, match="closed"):
        await asyncio.wait_for(store.accept("k", TRIGGER, now=NOW), 2)


# --- what later investigations may ask for

FN, ORDERS = "arn:aws:lambda:eu-west-1:123456789012:function:f", "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"


def found(ident: str, *, minutes: float = 0, status: ReportStatus = ReportStatus.COMPLETED) -> Report:
    """A report whose root cause is at the table that the function calls."""
    graph = ServiceGraph.of([resource_from_arn(FN), resource_from_arn(ORDERS)])
    root = RootCause(
        cause="ddb-provisioned-exceeded", resource=ORDERS, summary="5 of 5 WCU", confidence=0.9, evidence=("E-1",)
    )
    fields = {"status": status, "root_cause": root, "service_graph": graph, "window": bundle().window}
    return report(ident, minutes=minutes, headline="orders is throttled").model_copy(update=fields)


def touching(
    store: Store, *resources: str, services: Sequence[str] = (), minutes: float = 60, limit: int = 200
) -> list[str]:
    known = store.touching(resources, services, before=NOW + timedelta(minutes=minutes), limit=limit)
    return [past.investigation_id for past in known]


async def test_a_concluded_investigation_is_remembered_with_what_it_touched_and_found(store: Store) -> None:
    ident = await accepted(store)
    failed = TraceCall(
        resource=ORDERS, source="xray:BatchGetTraces", trace_id="t", segment_id="s", caller=FN, service="DynamoDB", start=NOW, error=True,
        errors=(TracedError(type="ThrottlingException", message="request 4711 refused"),),
    )  # fmt: skip
    seen = bundle().model_copy(update={"evidence": (failed.dump(), sign("naïve").dump())})
    await store.finish(found(ident), seen)
    (past,) = store.touching([ORDERS], [], before=NOW + timedelta(minutes=1))

    assert past == PastInvestigation(
        investigation_id=ident, at=NOW, status="completed", cause="ddb-provisioned-exceeded", resource=ORDERS, summary="orders is throttled",
        confidence=0.9, resources=(ORDERS, FN), services=("f",), templates=("ThrottlingException: request <*> refused",), window=seen.window,
    )  # fmt: skip


async def test_the_past_is_found_by_resource_or_service_and_only_before_then(store: Store) -> None:
    ident = await accepted(store)
    await store.finish(found(ident, minutes=5), None)

    assert touching(store, FN) == touching(store, "other", ORDERS) == touching(store, services=["f"]) == [ident]
    assert touching(store, "other", services=["orders"]) == touching(store) == []
    assert touching(store, FN, minutes=5) == touching(store, FN, minutes=4) == []
    assert touching(store, services=["f"], minutes=4) == []


async def test_the_past_is_the_newest_first_and_no_more_than_asked_for(store: Store) -> None:
    idents = {}
    for minutes in (1, 3, 2):
        idents[minutes] = await accepted(store, f"k{minutes}")
        await store.finish(found(idents[minutes], minutes=minutes), None)

    assert touching(store, FN, ORDERS, services=["f"]) == [idents[3], idents[2], idents[1]]
    assert touching(store, FN, limit=2) == [idents[3], idents[2]]


async def test_grades_are_joined_as_they_are_when_asked(store: Store) -> None:
    ident = await accepted(store)
    await store.grade(ident, "U1", Grade.WRONG, now=NOW)
    await store.finish(found(ident), None)
    for user, grade in (("U1", Grade.EXACT), ("U2", Grade.EXACT), ("U3", Grade.WRONG)):
        await store.grade(ident, user, grade, now=NOW)
    (past,) = store.touching([FN], [], before=NOW + timedelta(minutes=1))

    assert past.grades == {"exact": 2, "wrong": 1}


async def test_an_investigation_that_failed_found_out_nothing_to_remember(store: Store) -> None:
    ident = await accepted(store)
    await store.finish(found(ident, status=ReportStatus.FAILED), None)

    assert touching(store, FN) == []


async def test_a_second_finish_is_remembered_in_place_of_the_first(store: Store) -> None:
    ident = await accepted(store)
    await store.finish(found(ident), None)
    await store.finish(report(ident), None)

    assert touching(store, FN) == []


async def test_what_is_older_than_ninety_days_is_forgotten(store: Store) -> None:
    old, kept, new = [await accepted(store, f"k{n}") for n in range(3)]
    day = 24 * 60
    await store.finish(found(old, minutes=-91 * day), None)
    await store.finish(found(kept, minutes=-89 * day), None)

    assert touching(store, FN) == [kept, old]
    await store.finish(found(new), None)
    assert touching(store, FN) == [new, kept]


async def test_many_threads_may_ask_for_the_past_at_once(store: Store) -> None:
    ident = await accepted(store)
    await store.finish(found(ident), None)
    asked = (asyncio.to_thread(touching, store, FN) for _ in range(64))

    assert await asyncio.gather(*asked) == [[ident]] * 64


async def test_a_closed_store_tells_no_past(opened: Opened, tmp_path: Path) -> None:
    store = opened(tmp_path)
    await store.close()

    with pytest.raises(StoreUnusable, match="closed"):
        touching(store, FN)


async def test_a_store_of_an_earlier_version_goes_on_and_begins_to_remember(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path)
    before = await accepted(store, "k1")
    await store.finish(found(before), bundle())
    await store.close()
    db = sqlite3.connect(tmp_path / "rca.sqlite3")
    db.executescript("DROP TABLE past; DROP TABLE past_touched; PRAGMA user_version = 1;")
    db.close()
    again = SqliteStore.open(tmp_path)
    after = await accepted(again, "k2")
    await again.finish(found(after), None)

    assert await again.report(before) == found(before)
    assert touching(again, FN) == [after]
    await again.close()


def test_the_past_is_found_by_an_index(tmp_path: Path) -> None:
    db = connect(tmp_path / "x.sqlite3", sqlite_past.SCHEMA)
    plan = " ".join(
        row["detail"]
        for row in db.execute(f"EXPLAIN QUERY PLAN {sqlite_past.TOUCHING}", ("", "[]", "", "", "[]", "", 1))
    )
    db.close()

    assert "SCAN past_touched" not in plan
    assert "SEARCH past_touched USING PRIMARY KEY (kind=? AND name=? AND at<?)" in plan


# --- across restarts and processes


async def test_everything_survives_a_restart(opened: Opened, tmp_path: Path) -> None:
    first = opened(tmp_path)
    done, waiting = await accepted(first, "k1"), await accepted(first, "k2")
    await first.place(waiting, MessageRole.ROOT, ROOT)
    await first.finish(report(done), bundle())
    await first.close()
    second = opened(tmp_path)

    assert [i.id for i in await second.unfinished()] == [waiting]
    assert await second.report(done) == report(done)
    assert await second.bundle(done) == bundle()
    assert await second.accept("k1", TRIGGER, now=NOW) is None
    await second.close()


WRITER = """
import asyncio, sys
from datetime import UTC, datetime
from pathlib import Path
from domain.request import Trigger, TriggerKind
from orchestrator.sqlite_store import SqliteStore

async def main(directory, first, last):
    store = SqliteStore.open(Path(directory))
    trigger = Trigger(kind=TriggerKind.CLI, text="x")
    print("ready", flush=True)
    sys.stdin.readline()
    async def one(number):
        made = await store.accept(f"delivery-{number}", trigger, now=datetime.now(UTC))
        if made is not None:
            print(made.id, flush=True)
    for number in range(int(first), int(last)):
        await one(number)
    await store.close()

asyncio.run(main(*sys.argv[1:]))
"""


@contextmanager
def writer(directory: Path, first: int, last: int) -> Iterator["subprocess.Popen[str]"]:
    root = Path(__file__).parent.parent
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(directory), str(first), str(last)],
        cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        yield process
        process.kill()


def go(*processes: "subprocess.Popen[str]") -> None:
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()


OPENERS = """
import os, sys
from pathlib import Path
from orchestrator.sqlite_store import SqliteStore, StoreUnusable

def open_when_told(directory, told):
    os.read(told, 1)
    try:
        SqliteStore.open(directory)
    except StoreUnusable as refused:
        print(refused, flush=True)

for number in range(12):
    told, tell = os.pipe()
    children = []
    for _ in range(8):
        child = os.fork()
        if not child:
            open_when_told(Path(sys.argv[1]) / str(number), told)
            os._exit(0)
        children.append(child)
    os.write(tell, b"x" * 8)
    for child in children:
        os.waitpid(child, 0)
"""


def test_processes_that_open_a_new_store_at_once_wait_for_each_other(tmp_path: Path) -> None:
    root = Path(__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-c", OPENERS, str(tmp_path)],
        cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip

    assert done.stdout == ""


async def test_two_processes_on_one_store_accept_each_delivery_once(tmp_path: Path) -> None:
    with writer(tmp_path, 0, 150) as one, writer(tmp_path, 0, 150) as other:
        go(one, other)
        outputs = [process.communicate(timeout=60)[0].split() for process in (one, other)]
    store = SqliteStore.open(tmp_path)
    kept = {i.id for i in await store.unfinished()}
    await store.close()

    assert [one.returncode, other.returncode] == [0, 0]
    assert len(outputs[0]) + len(outputs[1]) == 150
    assert kept == {*outputs[0], *outputs[1]}


async def test_a_killed_process_loses_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    with writer(tmp_path, 0, 100_000) as process:
        go(process)
        assert process.stdout is not None
        acknowledged = [process.stdout.readline().strip() for _ in range(100)]
        process.send_signal(signal.SIGKILL)
        acknowledged += process.communicate(timeout=10)[0].split()
    store = SqliteStore.open(tmp_path)
    kept = {i.id for i in await store.unfinished()}
    await store.close()

    assert len(acknowledged) >= 100
    assert {ident for ident in acknowledged if len(ident) == len("INV-XXXXXX")} <= kept


# --- a place that cannot be used


def _in_a_file(tmp_path: Path) -> Path:
    (tmp_path / "file").write_text("x")
    return tmp_path / "file" / "data"


def _a_directory_in_its_place(tmp_path: Path) -> Path:
    (tmp_path / "rca.sqlite3").mkdir()
    return tmp_path


def _another_file_in_its_place(tmp_path: Path) -> Path:
    (tmp_path / "rca.sqlite3").write_text("this is no database " * 100)
    return tmp_path


@pytest.mark.parametrize("place", [_in_a_file, _a_directory_in_its_place, _another_file_in_its_place])
def test_a_place_that_cannot_be_used_is_one_clear_sentence(place: Callable[[Path], Path], tmp_path: Path) -> None:
    with pytest.raises(StoreUnusable, match="Set RCA_DATA_DIR to a writable directory") as refused:
        SqliteStore.open(place(tmp_path))

    assert "\n" not in str(refused.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_without_write_permission_is_one_clear_sentence(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)

    with pytest.raises(StoreUnusable, match="Set RCA_DATA_DIR to a writable directory"):
        SqliteStore.open(tmp_path)


async def test_the_tables_are_those_of_the_cloud_with_a_time_to_live(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path)
    ident = await accepted(store)
    await store.finish(report(ident), bundle())
    await store.close()
    db = sqlite3.connect(tmp_path / "rca.sqlite3")
    recommendation = db.execute('SELECT pk, sk, agent_id, ttl, body FROM "opx-agent-recommendations"').fetchone()
    execution = db.execute('SELECT pk, sk, incident_id FROM "opx-agent-executions"').fetchone()
    db.close()

    assert recommendation[:3] == (f"INCIDENT#{ident}", f"RECOMMENDATION#{ident}", "orchestrator")
    assert recommendation[3] == int((NOW + timedelta(days=90)).timestamp())
    assert json.loads(recommendation[4])["investigation_id"] == ident
    assert execution == (f"INCIDENT#{ident}", "EXECUTION#lambda", ident)
