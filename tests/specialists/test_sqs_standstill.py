"""Queues whose readers or senders stopped within the window, slow burns, heaps that are worked off, closed keys."""

import pytest

from domain.findings import Advice, Fact
from sandbox.aws import resources, signals
from sandbox.aws.local import LocalAws
from sandbox.aws.world import World
from specialists.kit.change import Change
from specialists.sqs import SPECIALIST, probes
from specialists.sqs.evidence import ConsumerDecrypt, KeyPolicy, Statement
from tests.specialists.sqs_building import (
    DEAD,
    FIFO,
    KEY,
    QUEUE,
    READER,
    ROLE,
    access,
    age,
    case,
    change,
    consumers,
    dead,
    every,
    flow,
    growing,
    judged,
    key,
    minute,
    queue,
    reader,
    series,
    settings,
    sources,
    visible,
)
from tests.support.probing import findings, look_with

FIRST_HALF = {at: 10 if at < 10 else 0 for at in range(20)}
WAITING = age(growing(1800))


def stopping(name: str, resource: str = QUEUE):
    return series(resource, name, FIRST_HALF, usual=10)


def test_a_filter_of_ten_minutes_ago_drops_what_came_since() -> None:
    quiet = [stopping("Invocations", READER), series(READER, "Errors", every(0), usual=0)]
    found = judged(queue(), consumers(filters=('{"body":{}}',)), *flow(9, 9, 9), quiet)["esm-filter-drops-all"]

    assert found.summary.startswith("90 messages of `payments` were deleted and `pay-worker` did not run")
    assert found.since == minute(10)


def test_a_mapping_that_is_off_for_ten_minutes_is_accused() -> None:
    received = stopping("NumberOfMessagesReceived")

    assert "esm-disabled" in judged(consumers(state="Disabled"), WAITING, received)
    assert "esm-disabled" not in judged(consumers(state="Disabled"), WAITING, flow(9, 9, 9))


def test_a_role_that_lost_its_right_within_the_window_is_accused() -> None:
    given = [consumers(), settings(), access("sqs:ReceiveMessage"), WAITING]
    stopped = [stopping("NumberOfMessagesReceived"), *flow(10, 10, 0)[::2]]

    assert "esm-role-cannot-read-queue" in judged(given, stopped)


def key_policy(*principals: str) -> KeyPolicy:
    statement = Statement(allows=True, principals=principals, actions=("kms:decrypt",))
    return KeyPolicy(resource=QUEUE, source="kms:GetKeyPolicy", statements=(statement,))


READING = [queue(key=KEY), consumers(), settings(), key(), WAITING, stopping("NumberOfMessagesReceived")]
ADMIN = "AWS:arn:aws:iam::123456789012:role/key-admin"


def test_a_reader_that_the_key_leaves_out_cannot_read() -> None:
    put = change("PutKeyPolicy", at=9).model_copy(update={"resource": KEY})
    found = judged(READING, key_policy(ADMIN), put)["esm-role-cannot-read-queue"]

    assert found.resource == QUEUE
    assert found.summary.endswith("nothing is received any more; `deploy-bot` made PutKeyPolicy at 09:45")
    advised = [f.text for f in findings(SPECIALIST.rules, case(READING, key_policy(ADMIN))) if isinstance(f, Advice)]
    assert any(
        text.endswith(
            "to `pay-worker-role` in the key's policy, or to the account, which then decides by its policies."
        )
        for text in advised
    )


@pytest.mark.parametrize(
    "let_in", [f"AWS:{ROLE}", "AWS:arn:aws:iam::123456789012:root", "AWS:123456789012", "*"], ids=str
)
def test_a_reader_that_the_key_may_let_in_is_not_accused(let_in: str) -> None:
    assert "esm-role-cannot-read-queue" not in judged(READING, key_policy(ADMIN, let_in))


ROOT = "AWS:arn:aws:iam::123456789012:root"


def decrypt(decision: str) -> ConsumerDecrypt:
    return ConsumerDecrypt(resource=ROLE, source="iam:SimulatePrincipalPolicy", key_arn=KEY, decision=decision)


def test_a_reader_whose_own_policies_lack_the_key_of_a_newly_encrypted_queue_cannot_read() -> None:
    encrypted = change(at=9, KmsMasterKeyId=KEY)
    found = judged(READING, key_policy(ROOT), decrypt("implicitDeny"), encrypted)["esm-role-cannot-read-queue"]

    assert found.resource == ROLE
    assert found.summary.endswith("any more; `deploy-bot` made SetQueueAttributes at 09:45")


@pytest.mark.parametrize(
    ("policy", "decision"),
    [(key_policy(ROOT), "allowed"), (key_policy(f"AWS:{ROLE}"), "implicitDeny")],
    ids=["own", "key"],
)
def test_either_side_may_let_a_reader_of_the_same_account_decrypt(policy: KeyPolicy, decision: str) -> None:
    assert "esm-role-cannot-read-queue" not in judged(READING, policy, decrypt(decision))


def test_a_reader_that_still_reads_is_not_accused() -> None:
    reads = [queue(key=KEY), consumers(), settings(), key(), WAITING, *flow(10, 10, 10)]

    assert "esm-role-cannot-read-queue" not in judged(reads, key_policy(ADMIN))


def test_a_key_that_shut_a_service_out_within_the_window_is_told_with_who_set_it() -> None:
    lets = Statement(allows=True, principals=("Service:sns.amazonaws.com",), actions=("sqs:sendmessage",))
    sent, swept = stopping("NumberOfMessagesSent"), change(at=10, KmsMasterKeyId="alias/aws/sqs")
    found = judged(queue(statements=(lets,)), key(aws_managed=True), sent, swept)["sqs-kms"]

    assert found.since == minute(10)
    assert found.summary.endswith("nothing is sent any more; `deploy-bot` made SetQueueAttributes at 09:46")


HEAP = visible({at: 0 if at < 8 else 1200 - 100 * (at - 8) for at in range(20)})
DRAINING = [HEAP, age({at: 2 if at < 8 else 60 * (at - 7) for at in range(20)}), *flow(10, 100, 100)]


def test_a_heap_that_a_well_reader_works_off_is_a_fact_and_no_backlog() -> None:
    given = case(queue(), consumers(), reader(), *DRAINING)
    said = [f for f in findings(SPECIALIST.rules, given) if isinstance(f, Fact) and "worked off" in f.statement]

    assert judged(queue(), consumers(), reader(), *DRAINING) == {}
    assert [f.statement for f in said if f.notable] == [
        "`payments` is being worked off: 1200 messages waited at 09:44 UTC, 100 at 09:55"
    ]


@pytest.mark.parametrize(
    "evidence",
    [
        [consumers(), reader(errors=5), *DRAINING],
        [*DRAINING],
        [consumers(), reader(), visible(growing(1200)), *DRAINING[1:]],
        [consumers(), reader(), *DRAINING[:2], *flow(200, 100, 100)],
    ],
    ids=["the reader fails", "nobody known reads", "it grows", "more comes than goes"],
)
def test_any_other_heap_is_a_backlog(evidence) -> None:
    assert "sqs-backlog" in judged(queue(), *evidence)


BUSY = visible({at: 2 if at < 8 else 40 for at in range(20)}, usual=2)
YOUNG = age(every(3), usual=1)


def test_more_messages_that_pass_through_at_once_are_no_backlog() -> None:
    assert judged(queue(), consumers(), reader(900), BUSY, YOUNG, *flow(9000, 9000, 9000)) == {}


@pytest.mark.parametrize(
    "evidence",
    [
        [BUSY, *flow(9000, 9000, 9000)],
        [BUSY, age(every(300), usual=1), *flow(9000, 9000, 9000)],
        [BUSY, YOUNG, *flow(30, 30, 30)],
        [BUSY, YOUNG, *flow(9000, 9000, 0)[:2], series(QUEUE, "NumberOfMessagesDeleted", {0: 9000, 1: 9000, 2: 9000})],
    ],
    ids=["of unknown age", "they grow old", "more wait than a minute deletes", "the reader stopped"],
)
def test_messages_that_do_not_pass_through_are_a_backlog(evidence) -> None:
    assert "sqs-backlog" in judged(queue(), consumers(), reader(900), *evidence)


def test_a_blocked_group_defers_to_the_reader_that_fails() -> None:
    stuck = [queue(FIFO), consumers(FIFO), *reader(errors=1), age(growing(1200), arn=FIFO), *flow(10, 12, 9, arn=FIFO)]

    assert judged(*stuck, target=FIFO)["sqs-fifo-group-blocked"].defers_to == (READER,)


def test_old_dead_letters_are_worth_telling_where_the_dead_letter_queue_is_asked_about() -> None:
    old = (sources(QUEUE), queue(receives=3), dead(0, usual=3))
    notable = [
        f.statement for f in findings(SPECIALIST.rules, case(*old, target=DEAD)) if isinstance(f, Fact) and f.notable
    ]

    assert notable == ["No message of `payments` became a dead letter; 3 were there already"]


def test_one_receive_is_one() -> None:
    assert judged(queue(receives=1), consumers(), dead())["sqs-dlq-filling"].summary.endswith("after 1 receive each")
    assert "after 2 receives to" in queue(receives=2).summary()


def test_changes_of_a_key_are_read_where_it_leaves_a_reader_out(monkeypatch: pytest.MonkeyPatch) -> None:
    with LocalAws() as local:
        for name, value in local.environment().items():
            monkeypatch.setenv(name, value)
        world, resource = World(local), [("AWS::KMS::Key", KEY)]
        signals.cloudtrail_event(world, "PutKeyPolicy", "kms", resource, who="sec-baseline", when=minute(5))
        shut = look_with(probes.key_changes, QUEUE, seen=[key(), settings(), key_policy(ADMIN)])

        assert [(c.resource, c.who) for c in shut if isinstance(c, Change)] == [(KEY, "sec-baseline")]
        assert look_with(probes.key_changes, QUEUE, seen=[key(), settings(), key_policy("*")]) == []


def test_a_readers_role_is_asked_about_the_key_where_the_key_leaves_it_to_the_account(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with LocalAws() as local:
        for name, value in local.environment().items():
            monkeypatch.setenv(name, value)
        role = resources.role(World(local), "pay-worker-role", resources.allow("kms:Decrypt", KEY))
        given = [key(), settings(role=role)]
        asked = look_with(probes.consumer_decrypt, QUEUE, seen=[*given, key_policy(ROOT)])

        assert [one.decision for one in asked if isinstance(one, ConsumerDecrypt)] == ["allowed"]
        assert look_with(probes.consumer_decrypt, QUEUE, seen=[*given, key_policy(f"AWS:{role}")]) == []
        assert look_with(probes.consumer_decrypt, QUEUE, seen=[*given, key_policy(ADMIN)]) == []
