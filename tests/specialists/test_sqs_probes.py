"""The SQS probes against the local AWS over HTTP."""

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from aws.meter import Meter
from aws.session import AwsConfig, ReadSession
from domain.causes import CAUSES
from domain.evidence import EvidenceBundle, load_evidence
from domain.gap import GapReason
from domain.graph import ServiceGraph
from domain.resource import resource_from_arn
from sandbox.aws import resources, signals
from sandbox.aws.faults import ACCESS_DENIED
from sandbox.aws.local import LocalAws
from sandbox.aws.world import World
from specialists.kit.change import Change, ChangeCount
from specialists.kit.key import KeyState
from specialists.once import Once
from specialists.registry import all_specialists
from specialists.run import Assignment, Run, Tools, run_specialist
from specialists.sqs import SPECIALIST, probes
from specialists.sqs.describe import arn_of_url, queue_state, redrive_of, statements_of
from specialists.sqs.evidence import (
    ConsumerAccess,
    ConsumerFunction,
    Consumers,
    DeadLetterSources,
    KeyPolicy,
    QueueState,
    Redrive,
)
from specialists.sqs.rules import RULES
from tests.specialists.sqs_building import (
    DEAD,
    GONE,
    KEY,
    QUEUE,
    READER,
    call,
    consumers,
    graph,
    key,
    minute,
    queue,
    settings,
    sources,
)
from tests.support.probing import NOW, WINDOW, look_with


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


def worker(world: World, *, timeout: int = 60, reserved: int | None = None, **mapping) -> str:
    """A function that reads the queue; returns its mapping's UUID."""
    role = resources.role(world, "pay-worker-role", resources.allow("sqs:DeleteMessage"))
    resources.function(world, "pay-worker", role=role, timeout=timeout, reserved=reserved)
    return resources.event_source(world, "pay-worker", QUEUE, **mapping)


def count(world: World, name: str, values: list[float], *, at: float = 0, of: str = "payments") -> None:
    namespace, dimension = ("AWS/SQS", "QueueName") if of.startswith("payments") else ("AWS/Lambda", "FunctionName")
    signals.metric(world, namespace, name, {dimension: of}, values, start=minute(at))


def read(probe, *, arn: str = QUEUE, about: str | None = None, **more):
    """Return what the probe brings, all of it about `about` (the target when not told)."""
    found = look_with(probe, arn, **more)
    for evidence in found:
        assert isinstance(evidence, probe.yields)
        assert evidence.resource == (about or arn)
        assert load_evidence(json.loads(json.dumps(evidence.dump()))) == evidence
        assert "\n" not in evidence.summary()
    return found


# --- the queue


def test_a_queue_is_read_with_its_redrive_and_access_policies(world: World) -> None:
    resources.queue(world, "payments-dlq")
    policy = resources.policy_document(
        {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": QUEUE,
        }
    )
    resources.queue(
        world, "payments", dead_letter=DEAD, max_receives=3, Policy=policy, VisibilityTimeout="45", KmsMasterKeyId=KEY
    )

    state = read(probes.queue)[0]

    assert (state.exists, state.visibility_seconds, state.retention_seconds) == (True, 45, 345_600)
    assert state.redrive == Redrive(target=DEAD, max_receives=3)
    assert state.statements[0].principals == ("Service:sns.amazonaws.com",)
    assert state.key == KEY
    assert state.unreadable == ()
    assert state.created_at is not None


def test_a_fifo_queue_is_read(world: World) -> None:
    resources.queue(world, "payments.fifo", FifoQueue="true", ContentBasedDeduplication="true")

    state = read(probes.queue, arn=f"{QUEUE}.fifo")[0]

    assert (state.fifo, state.content_based_deduplication) == (True, True)


def test_a_missing_queue_is_evidence(world: World) -> None:
    (state,) = read(probes.queue)

    assert state.id == GONE.id
    assert read(probes.dead_letter_sources)[0].queues == ()


def test_a_queue_deleted_between_two_calls_is_evidence(world: World) -> None:
    world.aws.serve("sqs", "GetQueueUrl", {"QueueUrl": "https://sqs.eu-west-1.amazonaws.com/123456789012/payments"})

    assert not read(probes.queue)[0].exists


def test_a_denied_look_is_raised(world: World) -> None:
    resources.queue(world, "payments")
    world.aws.inject("sqs", "GetQueueAttributes", ACCESS_DENIED)

    with pytest.raises(ClientError):
        read(probes.queue)


def test_dead_letters_are_followed_both_ways(world: World) -> None:
    resources.queue(world, "payments-dlq")
    resources.queue(world, "payments", dead_letter=DEAD, max_receives=3)
    count(world, "ApproximateNumberOfMessagesVisible", [0, 3, 9], of="payments-dlq")
    count(world, "NumberOfMessagesSent", [7], of="payments")
    state = read(probes.queue)[0]

    dead = read(probes.dead_letter_queue, seen=[state], about=DEAD)[0]
    metrics = {s.metric: s for s in read(probes.dead_letter_metrics, seen=[state], about=DEAD)}
    found = read(probes.dead_letter_sources, arn=DEAD)[0]
    behind = read(probes.source_queues, arn=DEAD, seen=[found], about=QUEUE)

    assert (dead.exists, dead.name) == (True, "payments-dlq")
    assert metrics["ApproximateNumberOfMessagesVisible"].peak == 9
    assert found.queues == (QUEUE,)
    assert [item.redrive for item in behind if isinstance(item, QueueState)] == [state.redrive]
    assert {s.metric: s.total for s in behind if not isinstance(s, QueueState)}["NumberOfMessagesSent"] == 7


def test_a_queue_without_dead_letters_has_none_to_look_at(world: World) -> None:
    resources.queue(world, "payments")
    seen = [queue(), sources(arn=QUEUE)]

    assert read(probes.dead_letter_sources)[0].queues == ()
    for probe in (probes.dead_letter_queue, probes.dead_letter_metrics, probes.source_queues, probes.source_consumers):
        assert read(probe, seen=seen) == [], probe.name


def test_a_dead_letter_queue_that_is_gone_is_evidence(world: World) -> None:
    dead = read(probes.dead_letter_queue, seen=[queue(receives=3)], about=DEAD)[0]

    assert not dead.exists


def test_metrics_of_the_queue_are_read(world: World) -> None:
    for name in ("NumberOfMessagesSent", "ApproximateAgeOfOldestMessage"):
        count(world, name, [1, 2, 3])
        count(world, name, [50], of="payments-other")

    found = {s.metric: s for s in read(probes.queue_metrics)}

    assert found["NumberOfMessagesSent"].total == 6
    assert found["ApproximateAgeOfOldestMessage"].peak == 3
    assert "NumberOfDeduplicatedSentMessages" not in found
    assert "NumberOfDeduplicatedSentMessages" in {s.metric for s in read(probes.queue_metrics, arn=f"{QUEUE}.fifo")}


# --- its readers


def test_consumers_are_read_with_their_settings(world: World) -> None:
    resources.queue(world, "payments")
    uuid = worker(
        world,
        reserved=2,
        BatchSize=7,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        ScalingConfig={"MaximumConcurrency": 3},
        FilterCriteria={"Filters": [{"Pattern": '{"body":{"kind":["x"]}}'}]},
    )

    found = read(probes.consumers)[0]
    config = read(probes.consumer_settings, seen=[found], about=READER)[0]
    reserved = read(probes.consumer_concurrency, seen=[found], about=READER)[0]

    (mapping,) = found.mappings
    assert (mapping.uuid, mapping.function, mapping.batch_size, mapping.enabled) == (uuid, READER, 7, True)
    assert (config.timeout_seconds, config.role.rsplit("/", 1)[-1]) == (60, "pay-worker-role")
    assert reserved.reserved == 2


def test_every_part_of_a_mapping_is_read(world: World) -> None:
    answer = {
        "UUID": "u1",
        "FunctionArn": f"{READER}:live",
        "EventSourceArn": QUEUE,
        "State": "Disabled",
        "StateTransitionReason": "USER_INITIATED",
        "LastProcessingResult": "PROBLEM: Function call failed",
        "LastModified": minute(3),
        "BatchSize": 7,
        "MaximumBatchingWindowInSeconds": 5,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": {"MaximumConcurrency": 3},
        "FilterCriteria": {"Filters": [{"Pattern": "{}"}]},
    }
    other = {**answer, "UUID": "u2", "EventSourceArn": DEAD}
    unknown = {"UUID": "u3", "EventSourceArn": QUEUE}
    world.aws.serve("lambda", "ListEventSourceMappings", {"EventSourceMappings": [answer, other, unknown]})

    (mapping,) = read(probes.consumers)[0].mappings

    assert (mapping.function, mapping.qualifier, mapping.state, mapping.window_seconds) == (
        READER,
        "live",
        "Disabled",
        5,
    )
    assert (mapping.reports_item_failures, mapping.max_concurrency, mapping.filters) == (True, 3, ("{}",))
    assert (mapping.last_result, mapping.last_modified) == ("PROBLEM: Function call failed", minute(3))


def test_a_reader_that_is_gone_is_evidence(world: World) -> None:
    found = read(probes.consumer_settings, seen=[consumers()], about=READER)[0]

    assert not found.exists
    assert read(probes.consumer_concurrency, seen=[consumers()], about=READER) == []


def test_metrics_of_readers_are_theirs(world: World) -> None:
    count(world, "Throttles", [4, 5], of="pay-worker")

    found = {s.metric: s for s in read(probes.consumer_metrics, seen=[consumers()], about=READER)}

    assert found["Throttles"].total == 9
    assert {"Invocations", "Errors", "Duration", "RecursiveInvocationsDropped"} <= set(found)


def test_what_the_readers_role_may_not_do_is_asked(world: World) -> None:
    resources.queue(world, "payments")
    worker(world)
    function = read(probes.consumer_settings, seen=[consumers()], about=READER)[0]

    access = look_with(probes.consumer_access, QUEUE, seen=[function])[0]

    assert isinstance(access, ConsumerAccess)
    assert access.resource == function.role
    assert access.denied == ("sqs:GetQueueAttributes", "sqs:ReceiveMessage")
    assert read(probes.consumer_access, seen=[settings(role="")]) == []


def test_readers_behind_a_dead_letter_queue_are_read(world: World) -> None:
    resources.queue(world, "payments")
    worker(world, reserved=1)
    count(world, "Errors", [4], of="pay-worker")

    found = look_with(probes.source_consumers, DEAD, seen=[sources(QUEUE)])

    assert [(type(e).__name__, e.resource) for e in found if isinstance(e, Consumers)] == [("Consumers", QUEUE)]
    assert {e.resource for e in found if not isinstance(e, Consumers)} == {READER}
    assert all(isinstance(e, probes.source_consumers.yields) for e in found)


# --- its key


def test_a_key_is_read_by_whatever_name_the_queue_gives_it(world: World) -> None:
    kms = world.client("kms")
    made = kms.create_key()["KeyMetadata"]
    kms.create_alias(AliasName="alias/payments", TargetKeyId=made["KeyId"])
    kms.disable_key(KeyId=made["KeyId"])

    state = read(probes.key, seen=[queue(key="alias/payments")])[0]
    policy = read(probes.key_policy, seen=[state])[0]

    assert (state.state, state.key_arn, state.aws_managed) == ("Disabled", made["Arn"], False)
    assert policy.statements[0].principals == ("AWS:arn:aws:iam::123456789012:root",)


def test_a_key_to_be_deleted_and_one_that_is_gone(world: World) -> None:
    assert not read(probes.key, seen=[queue(key=KEY)])[0].exists

    described = {
        "KeyId": KEY,
        "Arn": KEY,
        "KeyState": "PendingDeletion",
        "DeletionDate": minute(9000),
        "KeyManager": "AWS",
    }
    world.aws.serve("kms", "DescribeKey", {"KeyMetadata": described})
    state = read(probes.key, seen=[queue(key=KEY)])[0]

    assert (state.state, state.deletion_at, state.aws_managed) == ("PendingDeletion", minute(9000), True)


def test_only_a_queues_own_key_has_a_policy_to_read(world: World) -> None:
    assert read(probes.key, seen=[queue()]) == []
    assert read(probes.key_policy, seen=[key(aws_managed=True)]) == []
    assert read(probes.key_policy, seen=[key(exists=False)]) == []


# --- its past


def test_changes_are_read_and_counted(world: World) -> None:
    request = {"queueUrl": "https://x/1/payments", "attributes": {"VisibilityTimeout": "10"}}
    signals.cloudtrail_event(
        world,
        "SetQueueAttributes",
        "sqs",
        [("AWS::SQS::Queue", "payments")],
        who="deploy-bot",
        when=minute(5),
        request=request,
    )

    found = read(probes.queue_changes)

    assert [type(item) for item in found] == [Change, ChangeCount]
    assert found[0].parameters["attributes.VisibilityTimeout"] == "10"
    assert found[1].events == 1


def test_no_change_is_an_answer_too(world: World) -> None:
    (counted,) = read(probes.queue_changes)

    assert (counted.events, counted.searched_from) == (0, WINDOW.start - timedelta(hours=24))


def test_errors_of_senders_are_read_where_the_trace_has_none(world: World) -> None:
    lines = ["[ERROR] QueueDoesNotExist: The specified queue does not exist", "all is well"]
    signals.log(world, "/aws/lambda/checkout", [(minute(5), line) for line in lines])

    found = read(probes.sender_errors, graph=graph(QUEUE))

    assert [event.message for event in found[0].events] == lines[:1]
    assert read(probes.sender_errors, graph=graph(QUEUE), seen=[call("QueueDoesNotExist", "x")]) == []
    assert read(probes.sender_errors) == []


# --- reading what AWS writes


@pytest.mark.parametrize(
    ("text", "redrive"),
    [
        (f'{{"deadLetterTargetArn":"{DEAD}","maxReceiveCount":3}}', Redrive(target=DEAD, max_receives=3)),
        (f'{{"deadLetterTargetArn":"{DEAD}","maxReceiveCount":"10"}}', Redrive(target=DEAD, max_receives=10)),
        (f'{{"deadLetterTargetArn":"{DEAD}"}}', None),
        ('{"deadLetterTargetArn":"not an arn","maxReceiveCount":3}', None),
        ("[]", None),
        ("{", None),
        ("[" * 100_000, None),
        (None, None),
    ],
)
def test_a_redrive_policy_is_json_inside_text(text, redrive) -> None:
    assert redrive_of(text) == redrive


def test_unreadable_attributes_are_said_not_raised() -> None:
    wrong = {"RedrivePolicy": "{", "Policy": "<xml/>", "VisibilityTimeout": "soon", "CreatedTimestamp": "1e400"}

    state = queue_state(resource_from_arn(QUEUE), wrong)

    assert state.unreadable == ("RedrivePolicy", "Policy")
    assert state.visibility_seconds == 30
    assert state.created_at is None
    assert "unreadable" in state.summary()


def test_timestamps_may_have_fractions() -> None:
    state = queue_state(resource_from_arn(QUEUE), {"CreatedTimestamp": "1795169539.79298"})

    assert state.created_at.microsecond == 793_000


@pytest.mark.parametrize(
    ("principal", "named"),
    [
        ("*", ("*",)),
        ({"AWS": "*"}, ("*",)),
        ({"AWS": ["111111111111", "arn:aws:iam::1:root"]}, ("AWS:111111111111", "AWS:arn:aws:iam::1:root")),
        ({"Service": "events.amazonaws.com"}, ("Service:events.amazonaws.com",)),
        (None, ()),
    ],
)
def test_principals_of_a_policy(principal, named) -> None:
    document = {"Statement": {"Effect": "Allow", "Principal": principal, "Action": "SQS:SendMessage"}}

    (statement,) = statements_of(json.dumps(document))

    assert statement.principals == named
    assert statement.actions == ("sqs:sendmessage",)


@pytest.mark.parametrize(
    ("url", "arn"),
    [
        ("https://sqs.eu-west-1.amazonaws.com/123456789012/payments", QUEUE),
        ("http://127.0.0.1:4566/123456789012/payments", QUEUE),
        ("https://eu-west-1.queue.amazonaws.com/123456789012/payments", QUEUE),
        ("https://example.com/payments", None),
        ("", None),
    ],
)
def test_a_queue_url_names_a_queue(url, arn) -> None:
    assert arn_of_url(url, resource_from_arn(DEAD)) == arn


# --- the whole specialist


def investigate(target: str) -> Run:
    session = ReadSession(AwsConfig(region="eu-west-1"), [r for p in SPECIALIST.probes for r in p.reads])
    queue_resource = resource_from_arn(target)
    assignment = Assignment(
        specialist=SPECIALIST,
        targets=(queue_resource,),
        reason="test",
        window=WINDOW,
        graph=ServiceGraph.of([queue_resource]),
        trace=EvidenceBundle(),
        now=NOW,
    )
    with ThreadPoolExecutor(16) as pool:
        tools = Tools(session=session, pool=pool, once=Once(), meter=Meter())
        return asyncio.run(run_specialist(assignment, tools, lambda _: None))


def starved(world: World) -> None:
    resources.queue(world, "payments-dlq")
    resources.queue(world, "payments", dead_letter=DEAD, max_receives=2)
    worker(world, timeout=5, reserved=1)
    count(world, "ApproximateNumberOfMessagesVisible", [0.0] * 60, at=-60, of="payments-dlq")
    count(world, "ApproximateNumberOfMessagesVisible", [0, 5, 30, 40], of="payments-dlq")
    count(world, "Throttles", [30] * 10, of="pay-worker")
    count(world, "Errors", [0] * 10, of="pay-worker")


@pytest.mark.parametrize("target", [QUEUE, DEAD])
def test_starved_readers_are_found_from_the_queue_and_from_its_dead_letters(world: World, target: str) -> None:
    starved(world)

    run = investigate(target)

    assert {h.resource for h in run.result.hypotheses if h.cause == "esm-concurrency-starved"} == {QUEUE}
    assert run.result.gaps == ()
    assert world.aws.writes() == ()


def test_a_denied_look_is_a_gap_and_the_rest_goes_on(world: World) -> None:
    starved(world)
    world.aws.inject("lambda", "GetFunctionConcurrency", ACCESS_DENIED)

    run = investigate(QUEUE)

    assert [(g.reason, g.action) for g in run.result.gaps] == [
        (GapReason.ACCESS_DENIED, "lambda:GetFunctionConcurrency")
    ]
    assert "esm-concurrency-starved" in {h.cause for h in run.result.hypotheses}


def test_a_missing_queue_is_found_without_gaps(world: World) -> None:
    run = investigate(QUEUE)

    assert [(h.cause, h.resource) for h in run.result.hypotheses] == [("sqs-queue-not-exist", QUEUE)]
    assert run.result.gaps == ()


def test_a_healthy_queue_has_facts_and_no_cause(world: World) -> None:
    resources.queue(world, "payments")

    run = investigate(QUEUE)

    assert run.result.hypotheses == ()
    assert 2 <= len(run.result.facts) <= 6


# --- the shape


def test_the_specialist_is_found_by_the_registry() -> None:
    assert SPECIALIST in all_specialists()


def test_every_probe_is_explained_and_runs_after_what_it_needs() -> None:
    yielded = {kind for probe in SPECIALIST.probes for kind in probe.yields}

    for probe in SPECIALIST.probes:
        assert len(probe.doc) > 40, probe.name
        assert set(probe.needs) <= yielded


def test_every_cause_of_queues_is_named_by_a_rule() -> None:
    declared = {cause for rule in RULES for cause in rule.causes}

    assert {code for code, cause in CAUSES.items() if cause.service == "sqs"} <= declared


def test_kinds_of_evidence_are_seen_by_some_rule() -> None:
    seen = {kind for rule in RULES for kind in rule.sees}

    assert {kind for probe in SPECIALIST.probes for kind in probe.yields} <= seen
    assert {KeyState, KeyPolicy, DeadLetterSources, ConsumerFunction} <= seen
