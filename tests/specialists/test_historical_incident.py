"""Earlier investigations: how alike they are, what is told of them, and that they are hints and never evidence."""

import json
from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.watch.notices import notice
from domain.alarm import AlarmReference, AlarmState
from domain.evidence import Evidence, EvidenceBundle
from domain.findings import Fact
from domain.gap import GapReason
from domain.graph import Edge, ServiceGraph
from domain.history import PastInvestigation, PastInvestigations
from domain.report import Report, ReportStatus, RootCause, Severity, SeverityLevel
from domain.request import Trigger, TriggerKind
from domain.resource import ResourceType, resource_from_arn, unnamed
from domain.result import SpecialistStatus
from domain.trace import TracedError
from domain.window import Window
from orchestrator.alarm_store import Notice, Rules
from orchestrator.sqlite_store import SqliteStore
from orchestrator.store import Grade
from sandbox.aws.faults import ACCESS_DENIED
from sandbox.aws.local import LocalAws
from sandbox.aws.signals import cloudtrail_event
from sandbox.aws.world import World
from specialists.historical_incident import SPECIALIST
from specialists.historical_incident.evidence import KEPT, Ending, PastIncident, ago
from specialists.historical_incident.likeness import Traits, likeness, services_of, template, templates_of
from specialists.historical_incident.recurring import earlier_incidents
from specialists.registry import all_specialists
from specialists.run import Assignment, Run, run_specialist
from tests.support.concluding import FUNCTION, TABLE, called, segment, traced
from tests.support.probing import case_of, findings
from tests.support.running import NOW, WINDOW, tools
from tests.test_cli import rca, send_trace

ELSEWHERE = TABLE.replace("eu-west-1", "us-east-1")
THROTTLED, CODE = "ddb-provisioned-exceeded", "lambda-unhandled-exception"
GRAPH = ServiceGraph.of(
    [resource_from_arn(FUNCTION), resource_from_arn(TABLE)],
    [Edge(source=FUNCTION, target=TABLE, calls=1, faults=1)],
)
FAILING = traced(
    segment(FUNCTION, fault=True), called(FUNCTION, TABLE, code="ThrottlingException", origin=True, error=True)
)


def past(number: int = 1, *, days: float = 2, **fields: Any) -> PastInvestigation:
    """An earlier investigation that found the table throttled, so many days before this one."""
    at = NOW - timedelta(days=days)
    given: dict[str, Any] = {
        "investigation_id": f"INV-{number:06d}", "at": at, "status": "completed", "cause": THROTTLED, "resource": TABLE, "summary": "it was throttled",
        "confidence": 0.9, "resources": (FUNCTION, TABLE), "services": ("create-order",), "templates": ("ThrottlingException: it failed",),
        "window": Window(start=at - timedelta(minutes=20), end=at),
    }  # fmt: skip
    return PastInvestigation(**given | fields)


class Remembering:
    """The port, over a list."""

    def __init__(self, *known: PastInvestigation) -> None:
        self.known = known
        self.asked: list[tuple[set[str], set[str], datetime]] = []

    def touching(
        self, resources: Collection[str], services: Collection[str], *, before: datetime, limit: int = 200
    ) -> tuple[PastInvestigation, ...]:
        self.asked.append((set(resources), set(services), before))
        return self.known[:limit]


async def asked(
    memory: PastInvestigations, *, graph: ServiceGraph = GRAPH, trace: tuple[Evidence, ...] = FAILING
) -> Run:
    plan = Assignment(SPECIALIST, graph.nodes, "a test", WINDOW, graph, EvidenceBundle(trace), NOW)
    with tools(SPECIALIST.probes[1].reads) as equipment:
        return await run_specialist(plan, replace(equipment, past=memory), lambda _: None)


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch, moto_url: str) -> None:
    """Nothing here looks into AWS; the runner asks whose account it is."""


def facts(run: Run) -> list[str]:
    return [fact.statement for fact in run.result.facts]


# --- likeness


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Item 4711 is too large", "Item <*> is too large"),
        ("no access to arn:aws:s3:::bucket/key-1 for you", "no access to <*> for you"),
        ("request 6f1c3a52-8d0e-4f55-9f0a-2b1c3d4e5f60 timed out", "request <*> timed out"),
        ("order o-a1b2c3 of user=u77", "order <*> of user=<*>"),
        ("after 3 s", "after <*> s"),
        ("first line\nsecond line 12", "first line"),
    ],
)  # fmt: skip
def test_what_varies_in_an_error_is_left_out_of_its_template(text: str, expected: str) -> None:
    assert template(text) == expected


def test_words_tell_templates_apart() -> None:
    assert template("table orders not found") != template("table invoices not found")


def test_a_long_text_without_an_end_is_cut_and_takes_no_time() -> None:
    assert len(template("a." * 200_000)) <= 300


def test_the_traces_errors_become_templates_each_once() -> None:
    errors = (TracedError(type="ClientError", code="Throttling", message=f"rate {n}{n} exceeded") for n in range(1, 5))
    calls = [
        called(FUNCTION, TABLE, error=True).model_copy(update={"segment_id": str(n), "errors": (e,)})
        for n, e in enumerate(errors)
    ]

    assert templates_of(calls) == ("Throttling: rate <*> exceeded",)


def test_services_are_the_names_of_what_answers_requests() -> None:
    checkout = unnamed(ResourceType.SERVICE, "checkout")

    assert services_of(GRAPH.with_nodes([checkout])) == ("checkout", "create-order")


def traits(resources: str = "", services: str = "", templates: str = "") -> Traits:
    return Traits(frozenset(resources), frozenset(services), frozenset(templates))


ONE = traits("ab", "s", "t")


@pytest.mark.parametrize(
    ("other", "days", "expected"),
    [
        (ONE, 0, 1.0),
        (ONE, 30, 0.5),
        (ONE, -1, 1.0),
        (traits("xy", "z", "u"), 0, 0.0),
        (traits("ab", "z", "u"), 0, 0.45),
        (traits("xy", "z", "t"), 0, 0.35),
        (traits("xy", "s", "u"), 0, 0.2),
        (traits("a", "s", "t"), 0, 0.775),
    ],
)
def test_likeness_is_the_weighted_share_of_what_both_have_halved_by_a_month(
    other: Traits, days: float, expected: float
) -> None:
    assert likeness(ONE, other, days) == pytest.approx(expected, abs=0.001)


def test_a_part_that_neither_has_is_left_out_of_the_likeness() -> None:
    assert likeness(traits("ab", "s"), traits("ab", "s"), 0) == 1.0
    assert likeness(traits("ab", "s"), traits("ab", "s", "t"), 0) < 1.0
    assert likeness(traits(), traits(), 0) == 0.0


@pytest.mark.parametrize(
    ("days", "expected"),
    [(0, "1 min ago"), (0.02, "29 min ago"), (0.2, "5 h ago"), (1.4, "34 h ago"), (2.1, "2 days ago")],
)
def test_time_that_passed_is_told_in_its_largest_unit(days: float, expected: str) -> None:
    assert ago(days) == expected


# --- the look


async def test_the_store_is_asked_once_for_the_whole_graph_across_accounts_and_regions() -> None:
    elsewhere = resource_from_arn("arn:aws:sqs:us-east-1:123456789012:jobs")
    memory = Remembering(past())
    run = await asked(memory, graph=GRAPH.with_nodes([elsewhere]))

    assert memory.asked == [({FUNCTION, TABLE, elsewhere.id}, {"create-order"}, NOW)]
    assert len(EvidenceBundle(run.evidence)) == 1


async def test_the_most_alike_are_kept_and_no_more_than_twenty() -> None:
    others = [
        past(n, days=n, resources=("arn:aws:sqs:eu-west-1:123456789012:q",), resource=None, services=())
        for n in range(1, 40)
    ]
    run = await asked(Remembering(*others, past(99, days=5)))
    kept = sorted((e for e in run.evidence if isinstance(e, PastIncident)), key=lambda e: -e.similarity)

    assert len(kept) == KEPT
    assert (kept[0].investigation_id, kept[0].days_ago) == ("INV-000099", 5)
    assert all(one.resource != TABLE for one in kept[1:])


async def test_an_investigation_whose_window_overlaps_looked_at_the_same_incident() -> None:
    run = await asked(Remembering(past(1, days=0.005), past(2, days=1)))

    assert {e.investigation_id: e.same_incident for e in run.evidence if isinstance(e, PastIncident)} == {
        "INV-000001": True, "INV-000002": False,
    }  # fmt: skip


@pytest.mark.parametrize(("days", "same"), [(0.005, True), (1, False)])
async def test_without_its_window_an_investigation_is_placed_by_its_end(days: float, same: bool) -> None:
    (found,) = (await asked(Remembering(past(1, days=days, window=None)))).evidence

    assert isinstance(found, PastIncident)
    assert found.same_incident is same


async def test_a_store_that_cannot_be_read_is_a_gap(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path)
    await store.close()
    run = await asked(store)

    assert run.result.status is SpecialistStatus.FAILED
    assert [(g.reason, "The store is closed" in g.message) for g in run.result.gaps] == [(GapReason.FAILED, True)] * 1


async def test_a_team_without_a_past_has_nothing_to_say() -> None:
    run = await asked(Remembering())

    assert (run.result.status, run.evidence, run.result.facts) == (SpecialistStatus.SUCCESS, (), ())


# --- what is told


async def test_the_earlier_verdict_is_told_with_its_grades_and_how_it_ended() -> None:
    known = past(grades={"exact": 2}, resource=ELSEWHERE, recovered_at=NOW - timedelta(days=2) + timedelta(minutes=12))

    (told,) = facts(await asked(Remembering(known)))

    assert told == (
        "INV-000001 (2 days ago) is 96% alike and found “provisioned read or write capacity is exceeded” at `orders` (123456789012 us-east-1); "
        "its alarm was OK again 12 min later; graded exact by 2"
    )


async def test_a_verdict_that_people_judged_wrong_is_told_as_wrong() -> None:
    (told,) = facts(await asked(Remembering(past(grades={"wrong": 1, "right_area": 1}))))

    assert "people judged that wrong: graded right area by 1, wrong by 1" in told
    assert "found" not in told


async def test_more_right_than_wrong_is_not_judged_wrong() -> None:
    (told,) = facts(await asked(Remembering(past(grades={"wrong": 1, "right_area": 2}))))

    assert "judged" not in told


async def test_beside_a_healthy_trace_nothing_is_told() -> None:
    healthy = traced(segment(FUNCTION), called(FUNCTION, TABLE))
    dealt_with = traced(segment(FUNCTION), called(FUNCTION, TABLE, code="ConditionalCheckFailedException", error=True))

    assert facts(await asked(Remembering(past()), trace=healthy)) == []
    assert facts(await asked(Remembering(past()), trace=dealt_with)) == []
    assert facts(await asked(Remembering(past()), trace=())) != []


async def test_what_has_little_in_common_is_not_told() -> None:
    far = past(
        resources=("arn:aws:sqs:eu-west-1:123456789012:q",), services=("create-order",), templates=(), resource=None
    )

    assert facts(await asked(Remembering(far))) == []


async def test_an_investigation_without_a_cause_is_not_told() -> None:
    assert facts(await asked(Remembering(past(cause=None, resource=None, status="inconclusive")))) == []


async def test_a_cause_of_another_version_is_told_by_its_code() -> None:
    (told,) = facts(await asked(Remembering(past(cause="cause-of-next-year"))))

    assert "“cause-of-next-year”" in told


async def test_what_keeps_coming_back_is_counted_by_incident() -> None:
    twice = past(3, days=3, window=past(2, days=3.001).window)
    (told,) = [f for f in facts(await asked(Remembering(past(1, days=1), past(2, days=3.001), twice))) if "times" in f]

    assert told.startswith("“provisioned read or write capacity is exceeded” at `orders` was found 2 times")
    assert "last in INV-000001 (24 h ago)" in told


@pytest.mark.parametrize(
    "second", [past(2, days=15), past(2, days=3, grades={"wrong": 1}), past(2, days=3, cause=CODE), past(2, days=0.005)]
)
async def test_what_is_old_wrong_different_or_the_same_incident_does_not_come_back(second: PastInvestigation) -> None:
    assert not [f for f in facts(await asked(Remembering(past(1, days=1), second))) if "times" in f]


def incident(number: int, days: float, **fields: Any) -> PastIncident:
    given: dict[str, Any] = {
        "resource": TABLE, "source": "store:PastInvestigations", "investigation_id": f"INV-{number}", "status": "completed", "cause": THROTTLED,
        "similarity": 0.5, "days_ago": days,
    }  # fmt: skip
    return PastIncident(**given | fields)


def test_earlier_incidents_are_the_newest_first_in_any_order_of_arrival() -> None:
    found = [incident(1, 9), incident(2, 1), incident(3, 4)]

    assert [i.investigation_id for i in earlier_incidents(found, THROTTLED, TABLE)] == ["INV-2", "INV-3", "INV-1"]
    assert earlier_incidents(found, THROTTLED, FUNCTION) == ()


def test_what_is_remembered_may_be_told_and_names_no_cause() -> None:
    assert SPECIALIST in all_specialists()
    assert all(rule.causes == () for rule in SPECIALIST.rules)
    readers = [rule.name for s in all_specialists() for rule in s.rules if rule.causes and PastIncident in rule.sees]

    assert readers == []


def test_every_rule_gives_facts_only() -> None:
    case = case_of(
        TABLE, *FAILING, *(incident(n, n, grades={"wrong": 1} if n % 2 else {}) for n in range(1, 6)), graph=GRAPH
    )
    found: Iterator[Any] = findings(SPECIALIST.rules, case)

    assert {type(one) for one in found} == {Fact}


# --- the command, with a store that remembers


async def test_the_command_tells_what_its_own_store_remembers(moto_url: str, tmp_path: Path) -> None:
    missing = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"
    at = datetime.now(UTC) - timedelta(days=2)
    root = RootCause(cause="ddb-table-not-found", resource=missing, summary="gone", confidence=0.9, evidence=("E-1",))
    earlier = Report(
        investigation_id="INV-EARLIER", status=ReportStatus.COMPLETED, trigger=Trigger(kind=TriggerKind.CLI, text="x"), started_at=at,
        window=Window(start=at - timedelta(minutes=20), end=at), completed_at=at, duration_seconds=1, headline="gone", summary="gone", root_cause=root,
        severity=Severity(level=SeverityLevel.UNKNOWN, reason="-"), service_graph=ServiceGraph.of([resource_from_arn(missing)]),
    )  # fmt: skip
    store = SqliteStore.open(tmp_path)
    await store.finish(earlier, None)
    await store.grade("INV-EARLIER", "U1", Grade.EXACT, now=at)
    await store.close()

    first = json.loads(rca(tmp_path / "other", "investigate", send_trace(failing=True), "--json").stdout)
    done = rca(tmp_path, "investigate", send_trace(failing=True), "--json")
    again = json.loads(done.stdout)

    assert (
        again["summary"] == f"{first['summary']} Second time in 14 days: INV-EARLIER (2 days ago); graded exact by 1."
    )
    assert again["root_cause"]["confidence"] == first["root_cause"]["confidence"]
    replayed = json.loads(rca(tmp_path, "replay", again["investigation_id"], "--json").stdout)
    assert replayed["digest"] == again["digest"]


# --- how it ended


@pytest.fixture(scope="module")
def _local() -> Iterator[LocalAws]:
    with LocalAws() as local:
        yield local


@pytest.fixture
def world(_local: LocalAws, monkeypatch: pytest.MonkeyPatch) -> World:
    _local.reset()
    for name, value in _local.environment().items():
        monkeypatch.setenv(name, value)
    return World(_local, now=NOW)


def recovered(number: int = 1, *, days: float = 2, minutes: float = 12, **fields: Any) -> PastInvestigation:
    """An earlier investigation whose alarm was OK again so many minutes after its verdict."""
    over = NOW - timedelta(days=days) + timedelta(minutes=minutes)
    return past(number, days=days, recovered_at=over, **fields)


def updated(
    world: World, minutes: float, *, days: float = 2, who: str = "mia", name: str = "UpdateTable", **more: Any
) -> None:
    """Somebody changed the table, so many minutes after the verdict of that day."""
    when = NOW - timedelta(days=days) + timedelta(minutes=minutes)
    cloudtrail_event(world, name, "dynamodb", [("AWS::DynamoDB::Table", "orders")], who=who, when=when, **more)


async def endings(*known: PastInvestigation) -> list[Ending]:
    run = await asked(Remembering(*known))
    assert [g.message for g in run.result.gaps] == []
    return [one for one in run.evidence if isinstance(one, Ending)]


async def test_the_last_change_before_the_recovery_is_told_beside_the_verdict(world: World) -> None:
    updated(world, -30, who="deploy-bot")
    updated(world, 3, who="lee")
    updated(world, 7)
    updated(world, 8, who="eve", error=("AccessDenied", "no"))
    updated(world, 9, who="inventory", name="TagResource")
    updated(world, 14, who="late")

    (ending,) = await endings(recovered())

    assert (ending.who, ending.event_name, ending.changes) == ("mia", "UpdateTable", 2)
    (told,) = facts(await asked(Remembering(recovered())))
    assert "at `orders`; its alarm was OK again 5 min after mia's UpdateTable" in told


async def test_an_alarm_that_recovered_by_itself_is_told_so(world: World) -> None:
    updated(world, -30)

    (told,) = facts(await asked(Remembering(recovered())))

    assert "its alarm was OK again without a change there" in told


@pytest.mark.parametrize(
    "known",
    [
        past(),
        recovered(minutes=-3),
        recovered(cause=None, resource=None),
        recovered(grades={"wrong": 1}),
        recovered(days=0.01),
        recovered(days=91),
        recovered(resource=ELSEWHERE),
    ],
)
async def test_cloudtrail_is_asked_only_where_it_can_tell_how_it_ended(world: World, known: PastInvestigation) -> None:

    assert await endings(known) == []
    assert [call.operation for call in world.aws.calls if call.service == "cloudtrail"] == []


async def test_a_few_of_many_endings_are_asked_for(world: World) -> None:

    found = await endings(*(recovered(n, days=n) for n in range(1, 6)))

    assert [one.investigation_id for one in sorted(found, key=lambda e: e.investigation_id)] == [
        "INV-000001",
        "INV-000002",
    ]
    assert [call.operation for call in world.aws.calls if call.service == "cloudtrail"] == ["LookupEvents"] * 2


async def test_what_cloudtrail_does_not_tell_is_a_gap_and_the_recovery_stays(world: World) -> None:
    world.aws.inject("cloudtrail", "LookupEvents", ACCESS_DENIED)

    run = await asked(Remembering(recovered()))

    assert [(g.probe, g.reason) for g in run.result.gaps] == [("endings", GapReason.ACCESS_DENIED)]
    assert "its alarm was OK again 12 min later" in facts(run)[0]


async def test_the_store_tells_when_the_alarm_of_an_investigation_was_over(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path)
    rung = await store.alarms.take(told_of(AlarmState.ALARM, 0), Rules(), now=NOW)
    assert rung is not None
    assert rung.investigation is not None
    await store.finish(verdict(rung.investigation.id), None)
    meanwhile = store.touching([TABLE], [], before=NOW + timedelta(days=1))
    await store.alarms.take(told_of(AlarmState.OK, 12), Rules(), now=NOW)
    after = store.touching([TABLE], [], before=NOW + timedelta(days=1))
    await store.alarms.take(told_of(AlarmState.ALARM, 20), Rules(), now=NOW)
    again = store.touching([TABLE], [], before=NOW + timedelta(days=1))
    await store.close()

    over = NOW + timedelta(minutes=12)
    assert [one.recovered_at for one in (*meanwhile, *after, *again)] == [None, over, None]


def told_of(state: AlarmState, minutes: float) -> Notice:
    at = NOW + timedelta(minutes=minutes)
    alarm = AlarmReference(name="orders-throttled", state=state, account="123456789012", region="eu-west-1", at=at)
    trigger = Trigger(kind=TriggerKind.ALARM_POST, text=alarm.name, channel="C1", thread=f"{at.timestamp():.6f}")
    return notice(f"event:{state}{minutes}", alarm, trigger, at=at)


def verdict(investigation_id: str) -> Report:
    root = RootCause(cause=THROTTLED, resource=TABLE, summary="throttled", confidence=0.9, evidence=("E-1",))
    return Report(
        investigation_id=investigation_id, status=ReportStatus.COMPLETED, trigger=Trigger(kind=TriggerKind.CLI, text="x"), started_at=NOW,
        window=WINDOW, completed_at=NOW, duration_seconds=1, headline="throttled", summary="throttled", root_cause=root,
        severity=Severity(level=SeverityLevel.UNKNOWN, reason="-"), service_graph=ServiceGraph.of([resource_from_arn(TABLE)]),
    )  # fmt: skip
