"""What only an event source mapping names joins the graph, and what calls nothing changes no verdict."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aws.limits import Limits
from aws.session import AwsConfig, ReadSession
from bot.blocks.board import Board, advanced
from domain.gap import GapReason
from domain.graph import Edge, ServiceGraph
from domain.progress import Discovered
from domain.report import ReportStatus
from domain.resource import ResourceType, resource_from_arn
from orchestrator import mappings
from orchestrator.discover import READS, Discovery, discover
from orchestrator.parse import parse
from sandbox.aws import LocalAws, faults, resources, signals
from sandbox.aws.resources import allow
from sandbox.aws.world import World
from tests.support import concluding
from tests.support.concluding import CODE, FUNCTION, QUEUE, TABLE, concluded, hypothesis, looks, roles
from tests.support.investigating import investigated
from tests.support.running import WINDOW
from tests.support.traces import arn, call, document, function

NOW = datetime.now(UTC).replace(microsecond=0)
WORKER, MAILS = arn("lambda", "function:mailer"), arn("sqs", "mails")
STREAM = arn("dynamodb", "table/carts/stream/2026-11-01T00:00:00.000")


@pytest.fixture(scope="module")
def running() -> Iterator[LocalAws]:
    with LocalAws() as aws:
        yield aws


@pytest.fixture
def aws(running: LocalAws, monkeypatch: pytest.MonkeyPatch) -> LocalAws:
    running.reset()
    running.clear_faults()
    for name, value in running.environment().items():
        monkeypatch.setenv(name, value)
    return running


@pytest.fixture
def world(aws: LocalAws) -> World:
    return World(aws, NOW, seed="mappings")


def found(text: str, *, threads: int = 4, **config: Any) -> Discovery:
    session = ReadSession(AwsConfig(**{"max_attempts": 1, **config}), READS, limits=Limits({}))
    with ThreadPoolExecutor(threads) as pool:
        return discover(parse(text, now=NOW), session, pool, now=NOW)


def edges(seen: Discovery) -> list[tuple[str, str, int]]:
    return [(e.source, e.target, e.calls) for e in seen.graph.edges]


def asked(aws: LocalAws) -> list[dict[str, Any]]:
    return [dict(c.parameters) for c in aws.calls if c.operation == "ListEventSourceMappings"]


def mapping(source: str, reader: str = WORKER) -> dict[str, Any]:
    return {"UUID": "7c1f0f1e-0000-4000-8000-000000000001", "EventSourceArn": source, "FunctionArn": reader}


def send(world: World, *documents: dict[str, Any]) -> str:
    began = NOW - timedelta(minutes=10)
    id = f"1-{int(began.timestamp()):08x}-{1:024x}"
    times = {"trace_id": id, "start_time": began.timestamp(), "end_time": began.timestamp() + 0.5}
    return signals.trace(world, [{**d, **times} for d in documents])


def mailer(world: World, **settings: Any) -> tuple[str, str]:
    """A function that reads a queue, as AWS lets one be made; returns both ARNs."""
    queue = resources.queue(world, "mails", VisibilityTimeout="300")
    rights = allow(["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], queue)
    role = resources.role(world, "mailer-role", rights, allow("logs:PutLogEvents"))
    worker = resources.function(world, "mailer", role=role, **settings)
    resources.event_source(world, "mailer", queue, BatchSize=1)
    return worker, queue


# --- what joins


@pytest.mark.parametrize("text", [WORKER, MAILS], ids=["by the function", "by the queue"])
def test_a_resource_that_only_a_mapping_names_joins_the_graph(world: World, text: str) -> None:
    mailer(world)
    seen = found(text)

    assert {n.id for n in seen.graph.nodes} == {WORKER, MAILS}
    assert edges(seen) == [(MAILS, WORKER, 0)]
    assert seen.gaps == ()


def test_the_queue_behind_a_traced_run_joins_the_graph(world: World) -> None:
    mailer(world)
    seen = found(send(world, function("mailer", fault=True)))

    assert (MAILS, WORKER, 0) in edges(seen)


@pytest.mark.parametrize(
    ("source", "kind", "id"),
    [
        (STREAM, ResourceType.TABLE, arn("dynamodb", "table/carts")),
        (arn("kinesis", "stream/clicks"), ResourceType.STREAM, arn("kinesis", "stream/clicks")),
        (arn("kafka", "cluster/shop/1-2"), ResourceType.OTHER, arn("kafka", "cluster/shop/1-2")),
        (arn("mq", "broker:shop:b-1"), ResourceType.OTHER, arn("mq", "broker:shop:b-1")),
    ],
)
def test_streams_and_brokers_join_as_what_they_are(aws: LocalAws, source: str, kind: ResourceType, id: str) -> None:
    aws.serve("lambda", "ListEventSourceMappings", {"EventSourceMappings": [mapping(source)]})
    seen = found(WORKER)
    node = seen.graph.node(id)

    assert node is not None
    assert (node.type, node.qualifiers, edges(seen)) == (kind, (), [(id, WORKER, 0)])


@pytest.mark.parametrize("broken", [{"UUID": "x"}, {"FunctionArn": WORKER}, mapping("my-own-kafka:9092"), mapping("")])
def test_a_mapping_without_the_arn_of_a_source_adds_nothing(aws: LocalAws, broken: dict[str, Any]) -> None:
    aws.serve("lambda", "ListEventSourceMappings", {"EventSourceMappings": [broken, mapping(MAILS)]})

    assert edges(found(WORKER)) == [(MAILS, WORKER, 0)]


def test_the_mappings_of_an_alias_are_asked_for_under_its_name(aws: LocalAws) -> None:
    listed = {"EventSourceMappings": [mapping(MAILS, f"{WORKER}:live")]}
    aws.serve("lambda", "ListEventSourceMappings", listed, when={"FunctionName": "mailer:live"})
    aws.serve("lambda", "ListEventSourceMappings", {"EventSourceMappings": []}, when={"FunctionName": "mailer"})

    assert edges(found(f"{WORKER}:live")) == [(MAILS, WORKER, 0)]


# --- what it costs


def test_a_function_that_the_trace_shows_being_called_is_not_asked_about(aws: LocalAws, world: World) -> None:
    worker = function("mailer", fault=True)
    invoke = call("Lambda", "Invoke", aws={"function_name": "mailer"}, fault=True)
    front = function("front", invoke, fault=True)
    send(world, front, {**worker, "parent_id": front["subsegments"][0]["id"]})
    found(f"1-{int((NOW - timedelta(minutes=10)).timestamp()):08x}-{1:024x}")

    assert asked(aws) == [{"FunctionName": "front"}]


def test_a_trace_without_functions_and_queues_costs_no_look(aws: LocalAws, world: World) -> None:
    found(send(world, document("checkout", fault=True)))

    assert asked(aws) == []


def test_at_most_twelve_looks_are_made_and_all_at_once(aws: LocalAws) -> None:
    aws.inject("lambda", "ListEventSourceMappings", faults.delay(1.5))
    names = " ".join(arn("lambda", f"function:f{n}") for n in range(20))
    found(names, threads=16)
    arrived = [call.at for call in aws.calls if call.operation == "ListEventSourceMappings"]

    assert len(arrived) == mappings.MAX_LOOKS
    assert max(arrived) - min(arrived) < timedelta(seconds=4.5), "one after another the last one arrives after 16 s"


def test_many_sources_are_followed_in_part_and_the_rest_is_a_gap(aws: LocalAws) -> None:
    many = [mapping(arn("sqs", f"q{n}")) for n in range(9)]
    aws.serve("lambda", "ListEventSourceMappings", {"EventSourceMappings": many})
    seen = found(WORKER)

    assert len(seen.graph.nodes) == 1 + mappings.MAX_NEW
    assert [(g.reason, g.message) for g in seen.gaps] == [
        (GapReason.NO_DATA, "mailer has 9 event source mappings: only 5 of them were followed; name the others")
    ]


def test_the_look_is_made_here_when_the_pool_has_no_thread_left(world: World) -> None:
    mailer(world)
    session = ReadSession(AwsConfig(), READS)
    with ThreadPoolExecutor(1) as pool:
        seen = pool.submit(discover, parse(WORKER, now=NOW), session, pool, now=NOW).result(timeout=20)

    assert edges(seen) == [(MAILS, WORKER, 0)]


# --- what AWS refuses


@pytest.mark.parametrize(
    ("fault", "reason", "action"),
    [
        (faults.ACCESS_DENIED, GapReason.ACCESS_DENIED, "lambda:ListEventSourceMappings"),
        (faults.THROTTLED, GapReason.THROTTLED, None),
        (faults.SERVER_ERROR, GapReason.FAILED, None),
        (faults.HANG, GapReason.TIMED_OUT, None),
    ],
    ids=["denied", "throttled", "broken", "silent"],
)
def test_a_refused_look_is_a_gap_and_never_a_stop(
    aws: LocalAws, fault: faults.Fault, reason: GapReason, action: str | None
) -> None:
    aws.inject("lambda", "ListEventSourceMappings", fault)
    seen = found(WORKER, read_timeout_seconds=0.3)

    assert [n.id for n in seen.graph.nodes] == [WORKER]
    assert [(g.specialist, g.resource, g.reason, g.action) for g in seen.gaps] == [("trace", WORKER, reason, action)]


def test_a_function_that_does_not_exist_is_left_to_its_specialist(aws: LocalAws) -> None:
    gone = faults.Fault(faults.Ending.ERROR, codes={"rest-json": (404, "ResourceNotFoundException")}, message="no")
    aws.inject("lambda", "ListEventSourceMappings", gone)

    assert found(WORKER).gaps == ()


# --- both directions, through a whole investigation


@pytest.mark.parametrize("text", [WORKER, MAILS], ids=["from the function", "from the queue"])
async def test_a_visibility_timeout_below_the_readers_timeout_is_found(world: World, text: str) -> None:
    mailer(world, timeout=240)
    # AWS refuses such a pair when the mapping is made, not when the queue is changed later.
    queues = world.client("sqs")
    url = queues.get_queue_url(QueueName="mails")["QueueUrl"]
    queues.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "30"})
    start = NOW.replace(second=0) - timedelta(minutes=30)
    signals.metric(world, "AWS/Lambda", "Duration", {"FunctionName": "mailer"}, [{200000.0: 3}] * 30, start=start)
    report = await investigated(text)

    assert report.root_cause is not None
    assert (report.root_cause.cause, report.root_cause.resource) == ("esm-visibility-lt-timeout", MAILS)
    assert {s.name for s in report.specialists} >= {"lambda", "sqs"}


# --- a feed is no call


FED = Edge(source=MAILS, target=FUNCTION)


def test_a_source_that_feeds_a_failing_function_explains_it_as_before() -> None:
    """The queue's messages come back: about the function's own long runs, though no call leads to the queue."""
    slow = looks(FUNCTION, "took 200 s")
    returns = hypothesis("esm-visibility-lt-timeout", MAILS, proof=slow)
    symptom = hypothesis("lambda-timeout", FUNCTION, strong=slow)
    trace = concluding.traced(concluding.segment(FUNCTION, fault=True, origin=True))
    graph = concluding.graph_of([*trace, *slow], MAILS)

    for known in (graph, graph.with_edges([FED])):
        assert roles(concluded((*trace, *slow), returns, symptom, graph=known))["lambda-timeout", FUNCTION] == "symptom"


def test_the_board_names_where_the_request_came_in_not_what_feeds_it() -> None:
    nodes = [resource_from_arn(a) for a in (FUNCTION, TABLE, QUEUE)]
    feed, put = Edge(source=QUEUE, target=FUNCTION), Edge(source=FUNCTION, target=TABLE, calls=1)
    heard = {"investigation_id": "INV-1", "window": WINDOW, "summary": "", "seconds": 0.1, "gaps": ()}

    def place(*known: Edge) -> str:
        return advanced(Board(), Discovered(graph=ServiceGraph.of(nodes, known), **heard)).place

    assert place(feed, put) == "Lambda function `create-order`"
    assert place(feed) == "SQS queue `jobs`"


def test_missing_logs_of_a_reader_that_the_healthy_trace_does_not_know_are_no_verdict() -> None:
    trace = concluding.traced(concluding.segment(FUNCTION), concluding.called(FUNCTION, MAILS))
    silent = looks(WORKER, "no log group", "invocations")
    blind = hypothesis("lambda-logs-missing", WORKER, strong=silent)
    graph = concluding.graph_of([*trace, *silent]).with_edges([Edge(source=MAILS, target=WORKER)])
    told = concluded((*trace, *silent), blind, graph=graph)

    assert told.root_cause is None
    assert told.verdict.status is ReportStatus.COMPLETED


def test_a_fault_of_a_reader_counts_fully_beside_a_healthy_trace() -> None:
    trace = concluding.traced(concluding.segment(FUNCTION), concluding.called(FUNCTION, MAILS))
    broken = looks(WORKER, "log", "errors")
    graph = concluding.graph_of([*trace, *broken]).with_edges([Edge(source=MAILS, target=WORKER)])
    told = concluded((*trace, *broken), hypothesis(CODE, WORKER, strong=broken), graph=graph)

    assert told.root_cause is not None


# --- behind a dead-letter queue


def test_the_readers_of_the_queues_that_a_dead_letter_queue_serves_join_the_graph(world: World) -> None:
    dead = resources.queue(world, "mails-dead")
    mails = resources.queue(world, "mails", dead_letter=dead, VisibilityTimeout="300")
    rights = allow(["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], mails)
    worker = resources.function(world, "mailer", role=resources.role(world, "mailer-role", rights))
    resources.event_source(world, "mailer", mails)
    seen = found(dead)

    assert {n.id for n in seen.graph.nodes} == {dead, mails, worker}
    assert (mails, worker, 0) in edges(seen)


def test_a_queue_that_a_request_writes_to_is_not_asked_whose_dead_letters_it_keeps(aws: LocalAws, world: World) -> None:
    resources.queue(world, "mails")
    sent = call("SQS", "SendMessage", aws={"queue_url": "https://sqs.eu-west-1.amazonaws.com/123456789012/mails"})
    found(send(world, function("front", sent)))

    assert "ListDeadLetterSourceQueues" not in {c.operation for c in aws.calls}


def test_a_denied_look_at_dead_letters_names_its_own_action(aws: LocalAws, world: World) -> None:
    dead = resources.queue(world, "mails-dead")
    aws.inject("sqs", "ListDeadLetterSourceQueues", faults.ACCESS_DENIED)

    assert [g.action for g in found(dead).gaps] == ["sqs:ListDeadLetterSourceQueues"]
