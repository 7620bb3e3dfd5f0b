"""What keeps a queue from being worked off, each cause with a near miss beside it."""

import random

import pytest

from domain.findings import Hypothesis
from orchestrator.conclude.settle import settle
from specialists.sqs import SPECIALIST
from specialists.sqs.evidence import Consumer, Consumers, Statement
from specialists.sqs.proposals import enable_mapping
from tests.specialists.sqs_building import (
    DEAD,
    FIFO,
    GONE,
    NOBODY,
    QUEUE,
    READER,
    ROLE,
    SENDER,
    access,
    advice,
    age,
    call,
    case,
    change,
    concurrency,
    consumers,
    dead,
    every,
    facts,
    flow,
    graph,
    growing,
    judged,
    minute,
    proven,
    queue,
    reader,
    series,
    settings,
    sources,
    visible,
)
from tests.support.probing import findings

TIMEOUTS, ROLE_DENIED, PARTIAL, STARVED = (
    "esm-visibility-lt-timeout",
    "esm-role-cannot-read-queue",
    "esm-partial-batch-not-reported",
    "esm-concurrency-starved",
)
DLQ, ONE, EXPIRED, BACKLOG, FLYING, BLOCKED, DEDUP = (
    "sqs-dlq-filling",
    "sqs-maxreceive-1",
    "sqs-retention-expired",
    "sqs-backlog",
    "sqs-inflight-limit",
    "sqs-fifo-group-blocked",
    "sqs-fifo-dedup",
)
OFF, CALL_FAILED, FILTERED, LOOP = (
    "esm-disabled",
    "esm-function-call-failed",
    "esm-filter-drops-all",
    "lambda-recursive-loop",
)

LETS_READ = Statement(allows=True, principals=(f"AWS:{ROLE}",), actions=("sqs:receivemessage",))
WAITING = age(growing(1800))
STUCK = [WAITING, *flow(10, 0, 0)]
RUNAWAY = [
    series(QUEUE, "NumberOfMessagesSent", growing(5000), usual=2),
    series(READER, "Invocations", growing(5000), usual=2),
]
LOOPING = series(READER, "RecursiveInvocationsDropped", every(4), usual=0)
FULL = every(119_950)

HITS = {
    "runs longer than hidden": (TIMEOUTS, [queue(), consumers(), settings(60), reader(longest=45)]),
    "hidden too short, comes back": (TIMEOUTS, [queue(), consumers(), settings(60), *flow(10, 30, 10)]),
    "hidden too short, dead letters": (TIMEOUTS, [queue(receives=3), consumers(), settings(300), dead()]),
    "poller says so": (
        ROLE_DENIED,
        [consumers(last_result="PROBLEM: role not authorized to ReceiveMessage"), settings()],
    ),
    "IAM says so": (ROLE_DENIED, [consumers(), settings(), access("sqs:ReceiveMessage"), *STUCK]),
    "good ones come back": (
        PARTIAL,
        [queue(), consumers(), reader(invocations=10, errors=2), *flow(100, 120, 100)],
    ),
    "throttled into dead letters": (STARVED, [queue(receives=3), consumers(), reader(throttles=9), dead()]),
    "dead letters come": (DLQ, [queue(receives=5), consumers(), dead()]),
    "one receive": (ONE, [queue(receives=1), consumers(), reader(errors=1), dead()]),
    "waits as long as it is kept": (EXPIRED, [queue(retention_seconds=3600), age(every(3590)), NOBODY]),
    "oldest ages": (BACKLOG, [WAITING]),
    "more wait": (BACKLOG, [visible(growing(900), usual=20)]),
    "in flight, by text": (FLYING, [call("OverLimit", "Too many messages in flight", "ReceiveMessage")]),
    "in flight, by metric": (FLYING, [series(QUEUE, "ApproximateNumberOfMessagesNotVisible", FULL)]),
    "off and waiting": (OFF, [consumers(state="Disabled"), WAITING]),
    "off and silent": (OFF, [consumers(state="Disabled"), *flow(0, 0, 0)]),
    "call failed": (CALL_FAILED, [consumers(last_result="PROBLEM: Function call failed")]),
    "filter": (FILTERED, [consumers(filters=('{"body":{"kind":["x"]}}',)), *flow(9, 9, 9), reader(invocations=0)]),
    "loop, dropped": (LOOP, [consumers(), LOOPING]),
    "loop, running away": (LOOP, [consumers(), *RUNAWAY, call(caller=READER)]),
}

MISSES = {
    "runs shorter than hidden": (TIMEOUTS, [queue(), consumers(), settings(60), reader(longest=2), *flow(10, 30, 10)]),
    "hidden too short, but it fails": (
        TIMEOUTS,
        [queue(), consumers(), settings(60), reader(errors=5), *flow(10, 30, 10)],
    ),
    "hidden too short, only slow": (TIMEOUTS, [queue(), consumers(), settings(60), WAITING]),
    "hidden long enough": (TIMEOUTS, [queue(visibility_seconds=60), consumers(), settings(60), *flow(10, 30, 10)]),
    "hidden too short, all well": (TIMEOUTS, [queue(), consumers(), settings(60), *flow(10, 10, 10)]),
    "hidden too short for a mapping that is off": (
        TIMEOUTS,
        [queue(), consumers(state="Disabled"), settings(60), *flow(10, 30, 10)],
    ),
    "function call failed is no role": (ROLE_DENIED, [consumers(last_result="PROBLEM: Function call failed")]),
    "IAM says so, but it is read": (
        ROLE_DENIED,
        [consumers(), settings(), access("sqs:ReceiveMessage"), *flow(9, 9, 9)],
    ),
    "IAM says so, but nobody sends": (
        ROLE_DENIED,
        [consumers(), settings(), access("sqs:ReceiveMessage"), *flow(0, 0, 0)],
    ),
    "IAM says so, but the queue's policy lets the role in": (
        ROLE_DENIED,
        [queue(statements=(LETS_READ,)), consumers(), settings(), access("sqs:ReceiveMessage"), *STUCK],
    ),
    "IAM allows": (ROLE_DENIED, [consumers(), settings(), access(), *STUCK]),
    "failures are reported": (
        PARTIAL,
        [queue(), consumers(reports_item_failures=True), reader(errors=2), *flow(100, 120, 100)],
    ),
    "all fail": (PARTIAL, [queue(), consumers(), reader(errors=10), *flow(100, 120, 10)]),
    "batches of one": (PARTIAL, [queue(), consumers(batch_size=1), reader(errors=2), *flow(100, 120, 100)]),
    "only the failing come back": (PARTIAL, [queue(), consumers(), reader(errors=2), *flow(10, 12, 10)]),
    "failing into dead letters": (STARVED, [queue(receives=3), consumers(), reader(errors=5, throttles=9), dead()]),
    "throttled, none set aside": (STARVED, [queue(receives=3), consumers(), reader(throttles=9)]),
    "switched off by its reservation": (
        STARVED,
        [queue(receives=3), consumers(), concurrency(0), reader(throttles=9), dead()],
    ),
    "dead letters of old": (DLQ, [queue(receives=5), consumers(), dead(0, usual=40)]),
    "two receives": (ONE, [queue(receives=2), consumers(), reader(errors=1), dead()]),
    "one receive, nothing failed": (ONE, [queue(receives=1), consumers(), dead(0)]),
    "old but not at the end": (EXPIRED, [queue(retention_seconds=3600), age(every(3000)), NOBODY]),
    "was at the end, came back": (EXPIRED, [queue(retention_seconds=3600), age({0: 3590, 5: 3595, 9: 4})]),
    "came back": (BACKLOG, [age({0: 900, 5: 1200, 12: 3, 19: 2})]),
    "usually so old": (BACKLOG, [age(every(900), usual=900)]),
    "a few seconds": (BACKLOG, [age(every(20), usual=1)]),
    "in flight, many": (FLYING, [series(QUEUE, "ApproximateNumberOfMessagesNotVisible", every(90_000))]),
    "off, read by another": (
        OFF,
        [
            Consumers(
                resource=QUEUE,
                source="lambda:ListEventSourceMappings",
                mappings=(Consumer(uuid="u1", function=READER, state="Disabled"), Consumer(uuid="u2", function=SENDER)),
            ),
            WAITING,
        ],
    ),
    "off, nothing waits": (OFF, [consumers(state="Disabled"), age({})]),
    "on and silent": (OFF, [consumers(), *flow(0, 0, 0)]),
    "call succeeded": (CALL_FAILED, [consumers(last_result="OK")]),
    "filter, but it runs": (FILTERED, [consumers(filters=("{}",)), *flow(9, 9, 9), reader(invocations=1)]),
    "no filter": (FILTERED, [consumers(), *flow(9, 9, 9), reader(invocations=0)]),
    "sends back without running away": (LOOP, [consumers(), *flow(10, 10, 10), reader(), call(caller=READER)]),
    "runs away without sending": (LOOP, [consumers(), *RUNAWAY, call()]),
}


@pytest.mark.parametrize(("cause", "evidence"), HITS.values(), ids=HITS)
def test_a_situation_names_its_cause(cause, evidence) -> None:
    assert cause in judged(*evidence)


@pytest.mark.parametrize(("cause", "evidence"), MISSES.values(), ids=MISSES)
def test_a_near_miss_does_not_name_it(cause, evidence) -> None:
    assert cause not in judged(*evidence)


FIFO_HITS = {
    "head tried again": (
        BLOCKED,
        [queue(FIFO), consumers(FIFO), reader(errors=3), age(growing(1200), arn=FIFO), *flow(9, 12, 6, arn=FIFO)],
    ),
    "duplicates counted": (
        DEDUP,
        [queue(FIFO), series(FIFO, "NumberOfDeduplicatedSentMessages", every(5), usual=0), *flow(9, 9, 9, arn=FIFO)],
    ),
    "sent and lost": (
        DEDUP,
        [queue(FIFO, content_based_deduplication=True), visible({}, arn=FIFO), *flow(10, 2, 2, arn=FIFO)],
    ),
    "old limit": (FLYING, [series(FIFO, "ApproximateNumberOfMessagesNotVisible", every(19_990))]),
}
FIFO_MISSES = {
    "gives way": (
        BLOCKED,
        [queue(FIFO, receives=3), consumers(FIFO), age(growing(1200), arn=FIFO), *flow(9, 12, 6, arn=FIFO)],
    ),
    "nothing is received": (
        BLOCKED,
        [queue(FIFO), consumers(FIFO), age(growing(1200), arn=FIFO), *flow(9, 0, 0, arn=FIFO)],
    ),
    "oldest changes": (BLOCKED, [queue(FIFO), age(every(30), arn=FIFO), *flow(9, 12, 9, arn=FIFO)]),
    "duplicates as usual": (
        DEDUP,
        [queue(FIFO), series(FIFO, "NumberOfDeduplicatedSentMessages", every(5), usual=5), *flow(9, 9, 9, arn=FIFO)],
    ),
    "sent and waiting": (DEDUP, [queue(FIFO), visible(growing(160), arn=FIFO), *flow(10, 2, 2, arn=FIFO)]),
    "delayed": (DEDUP, [queue(FIFO, delay_seconds=900), visible({}, arn=FIFO), *flow(10, 2, 2, arn=FIFO)]),
    "under the limit": (FLYING, [series(FIFO, "ApproximateNumberOfMessagesNotVisible", growing(30_000))]),
}


@pytest.mark.parametrize(("cause", "evidence"), FIFO_HITS.values(), ids=FIFO_HITS)
def test_a_fifo_situation_names_its_cause(cause, evidence) -> None:
    assert cause in judged(*evidence, target=FIFO)


@pytest.mark.parametrize(("cause", "evidence"), FIFO_MISSES.values(), ids=FIFO_MISSES)
def test_a_fifo_near_miss_does_not_name_it(cause, evidence) -> None:
    assert cause not in judged(*evidence, target=FIFO)


def test_lost_messages_of_a_standard_queue_are_no_duplicates() -> None:
    assert judged(queue(), visible({}), *flow(10, 2, 2)) == {}


def test_purged_messages_are_no_duplicates() -> None:
    purged = change("PurgeQueue").model_copy(update={"resource": FIFO})

    assert DEDUP not in judged(queue(FIFO), visible({}, arn=FIFO), *flow(10, 2, 2, arn=FIFO), purged, target=FIFO)
    assert any("was emptied" in fact for fact in facts(purged, target=FIFO))


# --- how well it is known


def root(*evidence, target: str = QUEUE) -> str | None:
    """Return the cause that would be accepted with this specialist alone."""
    given = case(*evidence, target=target)
    found = (f for f in findings(SPECIALIST.rules, given) if isinstance(f, Hypothesis))
    accepted = settle(found, given.evidence, given.graph).root
    return accepted.cause if accepted else None


ROOTS = {
    "a run over the timeout": (TIMEOUTS, [queue(receives=3), consumers(), settings(60), reader(longest=45), dead()]),
    "coming back": (TIMEOUTS, [queue(), consumers(), settings(60), *flow(10, 30, 10)]),
    "role": (ROLE_DENIED, [queue(), consumers(), settings(), access("sqs:ReceiveMessage"), *STUCK]),
    "partial batches": (PARTIAL, [queue(), consumers(), settings(5), reader(errors=2), *flow(100, 120, 100)]),
    "starved": (STARVED, [queue(receives=3), consumers(), reader(throttles=9), dead()]),
    "one receive": (ONE, [queue(receives=1), consumers(), reader(errors=1), dead()]),
    "expired, nobody reads": (EXPIRED, [queue(retention_seconds=3600), age(every(3590)), NOBODY]),
    "outpaced, reader well": (BACKLOG, [queue(), consumers(), reader(), WAITING, *flow(90, 40, 40)]),
    "nobody reads": (BACKLOG, [queue(), NOBODY, *STUCK]),
    "reader fails: not ours to decide": (None, [queue(receives=5), consumers(), reader(errors=9), dead()]),
    "reader unknown: not ours to decide": (None, [queue(), consumers(), WAITING]),
    "off": (OFF, [queue(), consumers(state="Disabled"), *STUCK]),
    "filter": (FILTERED, [queue(), consumers(filters=("{}",)), *flow(9, 9, 9), reader(invocations=0)]),
    "loop": (LOOP, [queue(), consumers(), LOOPING, *RUNAWAY, call(caller=READER)]),
}


@pytest.mark.parametrize(("cause", "evidence"), ROOTS.values(), ids=ROOTS)
def test_the_sharpest_cause_is_accepted(cause, evidence) -> None:
    assert root(*evidence) == cause


def test_a_blocked_group_is_accepted() -> None:
    evidence = FIFO_HITS["head tried again"][1]

    assert root(*evidence, target=FIFO) == BLOCKED


def test_a_failing_reader_is_what_symptoms_defer_to() -> None:
    found = judged(queue(receives=5), consumers(), reader(errors=9), dead(), WAITING)

    assert found[DLQ].defers_to == found[BACKLOG].defers_to == (READER,)


def test_a_reader_that_works_as_usual_is_not_deferred_to() -> None:
    assert judged(queue(), consumers(), reader(), WAITING)[BACKLOG].defers_to == ()
    assert judged(queue(), consumers(), reader(), WAITING, concurrency(0))[BACKLOG].defers_to == (READER,)


def test_expiry_is_sharper_than_a_backlog() -> None:
    found = judged(queue(retention_seconds=1800), age(growing(1800, start=1750)), NOBODY)

    assert proven(found) == {EXPIRED}
    assert BACKLOG in found


def test_an_outage_is_not_the_fault_of_one_receive() -> None:
    found = judged(queue(receives=1), consumers(), reader(errors=10), dead())

    assert root(queue(receives=1), consumers(), reader(errors=10), dead()) is None
    assert proven(found) == {DLQ}


def test_messages_sent_to_the_dead_letter_queue_directly_are_no_proof() -> None:
    direct = series(DEAD, "NumberOfMessagesSent", every(2), usual=0)

    found = judged(queue(receives=5), NOBODY, dead(), direct)

    assert proven(found) == set()
    assert len(found[DLQ].contradicting) == 1


def test_the_change_of_the_timeout_is_when_it_began() -> None:
    evidence = [queue(visibility_seconds=10), consumers(), settings(30), reader(longest=25)]
    shortened = change(VisibilityTimeout="10", at=-30)

    found = judged(*evidence, shortened)

    assert found[TIMEOUTS].since == minute(-30)
    assert found["deploy-regression"].since == minute(-30)
    assert "deploy-regression" not in judged(*evidence, change(VisibilityTimeout="10", at=-300))
    assert "deploy-regression" not in judged(*evidence, change(DelaySeconds="10", at=-30))


def test_causes_are_named_where_they_are_mended() -> None:
    role = judged(*HITS["IAM says so"][1])[ROLE_DENIED]

    assert role.resource == ROLE
    assert "`sqs:ReceiveMessage`" in role.summary
    assert judged(*HITS["off and waiting"][1])[OFF].resource == READER
    assert judged(*HITS["filter"][1])[FILTERED].resource == READER
    assert judged(*HITS["throttled into dead letters"][1])[STARVED].resource == QUEUE


# --- dead-letter queues as targets


def test_a_dead_letter_queue_points_to_its_source() -> None:
    behind = [queue(receives=1), consumers(), reader(errors=1), settings(5), dead()]

    found = judged(sources(QUEUE), queue(DEAD), *behind, target=DEAD)

    assert found[ONE].resource == found[DLQ].resource == QUEUE


def test_a_dead_letter_queue_is_no_backlog() -> None:
    kept = age(growing(90_000), arn=DEAD)

    assert judged(sources(QUEUE), queue(DEAD), kept, target=DEAD) == {}
    assert BACKLOG in judged(sources(), queue(DEAD), kept, target=DEAD)


def test_dead_letters_that_expire_are_advice() -> None:
    evidence = [sources(QUEUE), queue(DEAD, retention_seconds=3600), age(every(3595), arn=DEAD)]

    assert judged(*evidence, target=DEAD) == {}
    assert any("redrive or save them" in text for text in advice(*evidence, target=DEAD))


# --- facts, advice, proposals


def test_facts_tell_what_is_normal_too() -> None:
    told = facts(queue(receives=5), consumers(), reader(), *flow(10, 10, 10), dead(0), call())

    assert any("200 messages sent, 200 received, 200 deleted, no more waiting than usual" in fact for fact in told)
    assert any("`pay-worker` reads `payments`: 200 runs, 0 errors, 0 throttles" in fact for fact in told)
    assert any("No message of `payments` became a dead letter" in fact for fact in told)
    assert any("The one call to `payments` succeeded" in fact for fact in told)
    assert any("visibility timeout 30 s" in fact for fact in told)


def test_unusual_settings_without_a_symptom_are_advice_only() -> None:
    evidence = [queue(receives=2, visibility_seconds=60), consumers(window_seconds=5), settings(30)]

    assert judged(*evidence) == {}
    assert any("AWS advises 185 s" in text for text in advice(*evidence))
    assert any("after 2 receives" in text for text in advice(*evidence))
    assert any("no dead-letter queue" in text for text in advice(queue(), consumers()))


def test_a_missing_dead_letter_queue_is_advice() -> None:
    missing = GONE.model_copy(update={"resource": DEAD, "name": "payments-dlq"})

    assert any("`payments-dlq` of `payments` does not exist" in text for text in advice(queue(receives=5), missing))


def test_a_disabled_mapping_can_be_enabled() -> None:
    evidence = [consumers(state="Disabled"), WAITING]
    given = case(*evidence)
    found = [f for f in findings(SPECIALIST.rules, given) if isinstance(f, Hypothesis)]
    ranked = settle(found, given.evidence, given.graph).root

    (action,) = enable_mapping.propose(ranked, given.evidence)

    assert action.parameters == {"UUID": "u1", "Enabled": True}
    assert action.resource == READER


# --- any subset, any order


def test_rules_stand_any_subset_of_evidence() -> None:
    pool = [item for _, evidence in (*HITS.values(), *MISSES.values(), *FIFO_HITS.values()) for item in evidence]
    flat = [item for part in pool for item in (part if isinstance(part, list) else [part])]
    chance = random.Random(7)

    for number in range(300):
        some = chance.sample(flat, chance.randint(0, 8))
        given = case(*some, target=FIFO if number % 3 else QUEUE, around=graph(QUEUE, FIFO, reads=READER))
        for finding in findings(SPECIALIST.rules, given):
            cited = finding.evidence
            assert all(one in given.evidence for one in cited), finding


def test_a_name_in_any_script_is_judged() -> None:
    arn = QUEUE.replace("payments", "zahlungen-ü-支払い")

    assert judged(queue(arn), age(growing(1800), arn=arn), target=arn)[BACKLOG].resource == arn


def test_the_same_evidence_in_any_order_says_the_same() -> None:
    evidence = [queue(receives=3), consumers(), reader(throttles=9), dead(), WAITING]
    flat = [item for part in evidence for item in (part if isinstance(part, list) else [part])]

    assert judged(*flat) == judged(*reversed(flat))
