"""How far a failure spreads, from X-Ray's graph and from what hands work on; and that all is quiet where all is well."""

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from domain.evidence import Evidence, load_evidence
from domain.findings import Fact
from domain.graph import Edge, ServiceGraph
from domain.resource import ResourceType, resource_from_arn, unnamed
from domain.window import Window
from sandbox.aws import resources
from sandbox.aws.faults import ACCESS_DENIED
from sandbox.aws.local import LocalAws
from sandbox.aws.world import World
from sandbox.incidents.orders_signals import send_trace
from sandbox.incidents.orders_system import OrdersSystem, deploy
from specialists.registry import all_specialists
from specialists.risk_blast_radius import SPECIALIST, probes
from specialists.risk_blast_radius.evidence import Caller, Counts, Handover, ServiceTraffic
from specialists.risk_blast_radius.identity import identify
from specialists.risk_blast_radius.spread import measured_failing, spread
from specialists.risk_blast_radius.traffic import traffic
from tests.support.concluding import API, FUNCTION, OTHER, TABLE, called, segment, traced
from tests.support.probing import NOW, WINDOW, case_of, findings, look_with

BASE = "arn:aws:{}:eu-west-1:123456789012:{}"
JOBS, WORKER = BASE.format("sqs", "jobs"), BASE.format("lambda", "function:worker")
TOPIC = BASE.format("sns", "order-events")
RULE = BASE.format("events", "rule/nightly")
CHECKOUT = "service:checkout"


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


def read(probe: Any, arn: str, **more: Any) -> list[Any]:
    found = look_with(probe, arn, **more)
    for evidence in found:
        assert isinstance(evidence, probe.yields)
        assert load_evidence(json.loads(json.dumps(evidence.dump()))) == evidence
        assert "\n" not in evidence.summary()
    return found


# --- X-Ray's graph


@pytest.fixture
def orders(world: World) -> OrdersSystem:
    """30 good orders and 10 throttled ones, from 09:40 on."""
    system = deploy(world, write_capacity=5)
    for number in range(40):
        send_trace(world, system, NOW - timedelta(minutes=16, seconds=-number), throttled=number % 4 == 0)
    return system


def around(system: OrdersSystem) -> ServiceGraph:
    api = resource_from_arn(system.api).model_copy(update={"alias": system.stage.api_name})
    return ServiceGraph.of([api, *map(resource_from_arn, (system.create_order, system.orders))])


def test_traffic_is_counted_for_each_service_with_its_callers(world: World, orders: OrdersSystem) -> None:
    found = {t.resource: t for t in read(probes.service_graph, orders.create_order, graph=around(orders))}
    function, api, table = found[orders.create_order], found[orders.api.split("/stages")[0]], found[orders.orders]

    assert (api.entry, api.counts, api.callers) == (True, Counts(total=40, faults=10), ())
    assert (function.entry, function.counts) == (False, Counts(total=40, faults=10))
    assert [(c.resource, c.counts) for c in function.callers] == [(api.resource, Counts(total=40, faults=10))]
    assert [c.resource for c in table.callers] == [orders.create_order]
    assert table.seconds == WINDOW.seconds


def test_what_the_resources_call_in_other_requests_is_seen_too(world: World, orders: OrdersSystem) -> None:
    found = {t.resource: t for t in read(probes.service_graph, orders.create_order, graph=around(orders))}

    assert found[orders.invoices].counts.total == 30


def test_the_graph_of_a_quiet_window_is_empty(world: World, orders: OrdersSystem) -> None:
    before = Window(start=WINDOW.start - timedelta(hours=1), end=WINDOW.start)

    assert read(probes.service_graph, orders.create_order, graph=around(orders), window=before) == []


def test_a_window_longer_than_x_ray_takes_is_cut_to_its_last_six_hours(world: World, orders: OrdersSystem) -> None:
    long = Window(start=NOW - timedelta(hours=30), end=NOW)
    found = read(probes.service_graph, orders.create_order, graph=around(orders), window=long)

    assert {t.seconds for t in found} == {6 * 3600}


def test_a_denied_graph_is_an_error_for_the_runner(world: World) -> None:
    world.aws.inject("xray", "GetServiceGraph", ACCESS_DENIED)

    with pytest.raises(ClientError):
        read(probes.service_graph, FUNCTION)


def service(number: int, name: str, kind: str, *edges: tuple[int, int], faults: int = 0) -> dict[str, Any]:
    """One service as X-Ray answers it, with 100 requests; `edges` are (to, faults of 100)."""

    def counted(failed: int) -> dict[str, Any]:
        return {
            "TotalCount": 100,
            "OkCount": 100 - failed,
            "FaultStatistics": {"TotalCount": failed, "OtherCount": failed},
        }

    own = {
        "ReferenceId": number,
        "Name": name,
        "Type": kind,
        "AccountId": "123456789012",
        "SummaryStatistics": counted(faults),
    }
    return own | {"Edges": [{"ReferenceId": to, "SummaryStatistics": counted(failed)} for to, failed in edges]}


def test_a_functions_two_services_are_one_and_its_calls_to_itself_none() -> None:
    answers = [
        service(0, "create-order", "AWS::Lambda", (1, 7), faults=7), service(1, "create-order", "AWS::Lambda::Function", faults=9),
        service(2, "checkout", "AWS::Lambda::Function", (0, 5)),
    ]  # fmt: skip
    found = traffic(answers, ServiceGraph.of([resource_from_arn(FUNCTION)]), "eu-west-1", 60)

    assert [(t.resource, t.counts.faults, [c.name for c in t.callers]) for t in found if t.resource == FUNCTION] == [
        (FUNCTION, 9, ["checkout"])
    ]


def test_what_stands_apart_from_the_resources_is_left_out() -> None:
    answers = [service(0, "create-order", "AWS::Lambda::Function"), service(1, "other", "AWS::Lambda::Function", (2, 0)), service(2, "t", "AWS::DynamoDB::Table")]  # fmt: skip
    found = traffic(answers, ServiceGraph.of([resource_from_arn(FUNCTION)]), "eu-west-1", 60)

    assert [t.resource for t in found] == [FUNCTION]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"Name": "jobs", "Type": "AWS::SQS::Queue", "AccountId": "123456789012"}, JOBS),
        ({"Name": "https://sqs.eu-west-1.amazonaws.com/123456789012/jobs", "Type": "AWS::SQS::Queue", "AccountId": "123456789012"}, JOBS),
        ({"Name": "jobs", "Type": "AWS::SQS::Queue"}, "service:jobs"),
        ({"Name": "create-order", "Type": "AWS::Lambda"}, FUNCTION),
        ({"Name": "create-order", "Type": "AWS::Lambda", "AccountId": "999988887777"}, FUNCTION.replace("123456789012", "999988887777")),
        ({"Name": "orders-api/prod", "Type": "AWS::ApiGateway::Stage", "AccountId": "123456789012"}, API),
        ({"Name": "other-api/prod", "Type": "AWS::ApiGateway::Stage"}, "service:other-api"),
        ({"Name": "api.example.com", "Type": "remote"}, "remote:api.example.com"),
        ({"Name": "checkout", "Type": "AWS::ECS::Container"}, CHECKOUT),
    ],
)  # fmt: skip
def test_a_service_is_the_resource_of_its_type_name_and_account(answer: dict[str, str], expected: str) -> None:
    api = resource_from_arn(API).model_copy(update={"alias": "orders-api"})
    graph = ServiceGraph.of([api, resource_from_arn(FUNCTION)])

    assert identify(answer, graph, "eu-west-1").id == expected


# --- what hands work on


def ends(found: Sequence[Handover]) -> list[tuple[str, str, bool]]:
    return [(one.upstream, one.downstream, one.active) for one in found]


def mapping(world: World, *, enabled: bool = True) -> None:
    resources.queue(world, "jobs")
    resources.function(world, "worker", role=resources.role(world, "worker-role"))
    world.client("lambda").create_event_source_mapping(EventSourceArn=JOBS, FunctionName="worker", Enabled=enabled)


@pytest.mark.parametrize("enabled", [True, False])
def test_a_mapping_is_found_from_both_its_ends(world: World, enabled: bool) -> None:
    mapping(world, enabled=enabled)

    assert ends(read(probes.what_feeds_the_function, WORKER)) == [(JOBS, WORKER, enabled)]
    assert ends(read(probes.who_reads_it, JOBS)) == [(JOBS, WORKER, enabled)]


def test_queues_that_are_fed_in_other_requests_are_asked_for_their_readers(world: World) -> None:
    mapping(world)
    beside = counted(JOBS, "jobs", 100)

    assert ends(read(probes.who_reads_what_they_feed, FUNCTION, seen=[beside])) == [(JOBS, WORKER, True)]
    known = ServiceGraph.of([resource_from_arn(FUNCTION), resource_from_arn(JOBS)])
    assert read(probes.who_reads_what_they_feed, FUNCTION, seen=[beside], graph=known) == []


def test_subscriptions_are_found_from_both_ends_and_people_stay_unnamed(world: World) -> None:
    resources.topic(world, "order-events", subscribers=[("sqs", JOBS), ("email", "jane@example.com")])
    resources.queue(world, "jobs")

    assert ends(read(probes.who_subscribes, TOPIC)) == [(TOPIC, JOBS, True)]
    target = resource_from_arn(JOBS)
    found = list(_together(probes.subscribed_to, target))
    assert ends(found) == [(TOPIC, JOBS, True)]
    assert found[0].resource == JOBS


def test_a_subscription_that_was_never_confirmed_hands_nothing_on(world: World) -> None:
    entry = {"Protocol": "sqs", "Endpoint": JOBS, "SubscriptionArn": "PendingConfirmation", "TopicArn": TOPIC}
    world.aws.serve("sns", "ListSubscriptionsByTopic", {"Subscriptions": [entry]})

    assert ends(read(probes.who_subscribes, TOPIC)) == [(TOPIC, JOBS, False)]


def test_rules_are_found_from_both_ends(world: World) -> None:
    events = world.client("events")
    events.put_rule(Name="nightly", ScheduleExpression="rate(1 day)")
    events.put_targets(Rule="nightly", Targets=[{"Id": "1", "Arn": WORKER}])

    assert ends(read(probes.what_the_rule_starts, RULE)) == [(RULE, WORKER, True)]
    assert ends(read(probes.what_rules_start_it, WORKER)) == [(RULE, WORKER, True)]


@pytest.mark.parametrize(
    ("probe", "arn"),
    [
        (probes.what_feeds_the_function, WORKER), (probes.who_reads_it, JOBS), (probes.who_subscribes, TOPIC),
        (probes.what_the_rule_starts, RULE), (probes.what_rules_start_it, WORKER),
    ],
)  # fmt: skip
def test_what_is_gone_hands_nothing_on(world: World, probe: Any, arn: str) -> None:
    assert read(probe, arn) == []


def _together(probe: Any, *targets: Any) -> Iterator[Any]:
    from aws.session import AwsConfig, ReadSession
    from domain.evidence import EvidenceBundle
    from specialists.contract import Look

    clients = ReadSession(AwsConfig(region="eu-west-1"), probe.reads).clients("", "eu-west-1")
    graph = ServiceGraph.of(targets)
    yield from probe.run(Look(clients, targets[0], WINDOW, EvidenceBundle(), graph, NOW, targets=targets))


def test_the_specialist_is_found_and_its_probes_only_read(world: World) -> None:
    mapping(world)
    for probe in SPECIALIST.probes:
        kinds = probe.only or frozenset()
        arn = next(a for a in (WORKER, JOBS, TOPIC, RULE) if resource_from_arn(a).type in kinds)
        look_with(probe, arn, seen=[counted(JOBS, "jobs", 100)])

    assert SPECIALIST in all_specialists()
    assert world.aws.writes() == ()
    assert all(rule.causes == () for rule in SPECIALIST.rules)


# --- how far it spreads


def counted(
    resource: str, name: str, total: int, faults: int = 0, *callers: tuple[str, int, int], entry: bool = False
) -> ServiceTraffic:
    """X-Ray's counts of ten minutes; `callers` are (resource, requests, faults)."""
    return ServiceTraffic(
        resource=resource, source="xray:GetServiceGraph", name=name, entry=entry, seconds=600, counts=Counts(total=total, faults=faults),
        callers=tuple(Caller(resource=r, name=r.rsplit(":", 1)[-1], counts=Counts(total=t, faults=f)) for r, t, f in callers),
    )  # fmt: skip


def hands(upstream: str, downstream: str, *, active: bool = True) -> Handover:
    return Handover(
        resource=upstream, source="lambda:ListEventSourceMappings", upstream=upstream, downstream=downstream,
        by="event source mapping", active=active,
    )  # fmt: skip


GRAPH = ServiceGraph.of(
    [resource_from_arn(API).model_copy(update={"alias": "orders-api"}), resource_from_arn(FUNCTION), resource_from_arn(TABLE)],
    [Edge(source=API, target=FUNCTION, calls=1, faults=1), Edge(source=FUNCTION, target=TABLE, calls=1, errors=1)],
)  # fmt: skip
FAILING = traced(
    segment(API, fault=True),
    segment(FUNCTION, fault=True),
    called(FUNCTION, TABLE, code="ThrottlingException", origin=True, error=True),
)
HEALTHY = traced(segment(API), segment(FUNCTION), called(FUNCTION, TABLE))


def said(*evidence: Evidence, graph: ServiceGraph = GRAPH) -> list[str]:
    found = list(findings(SPECIALIST.rules, case_of(FUNCTION, *evidence, graph=graph)))

    assert all(isinstance(one, Fact) for one in found)
    return [one.statement for one in found if isinstance(one, Fact)]


def test_the_services_of_the_failing_trace_are_affected_the_entry_first() -> None:
    assert said(*FAILING) == ["2 services are affected: `orders-api`, `create-order`"]


def test_a_service_that_only_x_ray_saw_calling_is_affected_with_its_share() -> None:
    table = counted(TABLE, "orders", 200, 0, (FUNCTION, 100, 40), (CHECKOUT, 100, 48))
    checkout = counted(CHECKOUT, "checkout", 100, 48, entry=True)

    assert said(*FAILING, table, checkout) == [
        "3 services are affected: `checkout` (48% of its 100 traced requests fail, about 5 a minute), `orders-api`, `create-order`"
    ]


@pytest.mark.parametrize(("faults", "affected"), [(1, True), (0, False)])
def test_a_caller_is_affected_from_one_percent_of_its_calls(faults: int, affected: bool) -> None:
    found = spread(GRAPH, _bundle(counted(TABLE, "orders", 200, 0, (CHECKOUT, 100, faults))), {TABLE})

    assert (CHECKOUT in {a.resource for a in found.affected}) is affected
    assert (CHECKOUT in {f.resource for f in found.followers}) is not affected


def test_a_share_needs_twenty_traced_requests_to_be_told() -> None:
    few, enough = (counted(FUNCTION, "create-order", total, total) for total in (19, 20))

    assert "100%" not in said(*FAILING, few)[0]
    assert "100% of its 20 traced requests fail" in said(*FAILING, enough)[0]


def test_refusals_count_where_the_failure_began_and_are_the_callers_own_elsewhere() -> None:
    refused = Counts(total=100, errors=50)
    at_table = counted(TABLE, "orders", 100).model_copy(
        update={"callers": (Caller(resource=CHECKOUT, name="checkout", counts=refused),)}
    )
    at_function = counted(FUNCTION, "create-order", 100).model_copy(update={"callers": at_table.callers})

    assert CHECKOUT in {a.resource for a in spread(GRAPH, _bundle(at_table), {TABLE}).affected}
    assert CHECKOUT not in {a.resource for a in spread(GRAPH, _bundle(at_function), {TABLE}).affected}


def test_who_reads_what_a_failing_service_feeds_will_follow() -> None:
    fed = counted(JOBS, "jobs", 100, 0, (FUNCTION, 100, 0))

    assert "`worker` gets its work from `jobs`, which `create-order` feeds, and will follow" in said(
        *FAILING, fed, hands(JOBS, WORKER)
    )
    assert not any("follow" in s for s in said(*FAILING, fed, hands(JOBS, WORKER, active=False)))
    assert not any("follow" in s for s in said(*FAILING, hands(JOBS, WORKER)))


def test_work_for_a_failing_service_waits_in_its_queue() -> None:
    assert "`jobs` feeds `create-order`: its messages are not worked off meanwhile" in said(
        *FAILING, hands(JOBS, FUNCTION)
    )
    assert not any("wait" in s for s in said(*FAILING, hands(TOPIC, FUNCTION)))


def test_another_reader_of_the_same_queue_may_follow() -> None:
    found = said(*FAILING, hands(JOBS, FUNCTION), hands(JOBS, WORKER))

    assert "`worker` reads `jobs` as `create-order` does, and may follow" in found


def test_another_caller_without_failures_may_follow() -> None:
    table = counted(TABLE, "orders", 200, 0, (FUNCTION, 100, 40), (OTHER, 100, 0))

    assert "`other` calls `orders` too, so far without failures, and may follow" in said(*FAILING, table)


def test_a_caller_that_failed_itself_is_not_said_to_be_without_failures() -> None:
    table = counted(TABLE, "orders", 200, 0, (FUNCTION, 100, 40), (OTHER, 100, 0))

    assert not any("`other` calls" in s for s in said(*FAILING, *traced(segment(OTHER, fault=True)), table))


def test_beside_a_healthy_trace_nothing_is_said() -> None:
    noisy = counted(FUNCTION, "create-order", 100, 60)

    assert said(*HEALTHY, noisy, hands(JOBS, FUNCTION)) == []


def test_a_failure_that_a_retry_mended_spreads_nowhere() -> None:
    again = segment(FUNCTION).model_copy(
        update={"segment_id": "later", "start": FAILING[0].start + timedelta(seconds=9)}
    )
    mended = traced(segment(API), segment(FUNCTION, fault=True, origin=True), again)

    assert said(*mended) == []


@pytest.mark.parametrize(("total", "faults", "count"), [(100, 1, 1), (101, 1, 0), (19, 19, 0), (20, 1, 1)])
def test_without_a_trace_only_what_was_counted_to_fail_is_affected(total: int, faults: int, count: int) -> None:
    function = counted(FUNCTION, "create-order", total, faults)

    assert len(measured_failing(GRAPH, _bundle(function))) == count
    assert len(said(function)) == count


def test_a_circle_of_calls_ends() -> None:
    circle = ServiceGraph.of(
        [resource_from_arn(FUNCTION), resource_from_arn(OTHER)],
        [
            Edge(source=FUNCTION, target=OTHER, calls=1, faults=1),
            Edge(source=OTHER, target=FUNCTION, calls=1, faults=1),
        ],
    )

    assert {a.resource for a in spread(circle, _bundle(), {FUNCTION}).affected} == {FUNCTION, OTHER}


def test_more_services_than_fit_are_counted() -> None:
    callers = [counted(unnamed(ResourceType.SERVICE, f"s{n}").id, f"s{n}", 100, 50) for n in range(6)]
    table = counted(TABLE, "orders", 600, 0, *((c.resource, 100, 50) for c in callers))
    (found,) = [s for s in said(*FAILING, table, *callers) if "affected" in s]

    assert found.startswith("8 services are affected: `s0`")
    assert found.endswith("and 3 more")


def _bundle(*items: Evidence) -> Any:
    from domain.evidence import EvidenceBundle

    return EvidenceBundle(items)
