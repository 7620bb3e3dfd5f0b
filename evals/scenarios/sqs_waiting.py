"""Queues in which messages wait, expire or seem to: their readers are off, shut out or behind, or all is well."""

import json
from collections.abc import Sequence

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._alarms import metric_alarm
from evals.scenarios._functions import (
    CODE,
    HISTORY_MINUTES,
    changed,
    deploy,
    traffic,
    whole_minute,
)
from evals.scenarios._messages import (
    Flow,
    queue_changed,
    queue_flow,
    read_by,
    reading,
)
from evals.scenarios._runtimes import java
from evals.scenarios._sources import OLDEST, WAITING, ran
from sandbox.aws import resources, signals
from sandbox.aws.resources import allow, policy_document
from sandbox.aws.signals import Reported
from sandbox.aws.world import World


@scenario(Kind.ALARM, "sqs")
def payouts_of_one_bank_wait_behind_a_message(world: World) -> Expect:
    """payouts.fifo has no dead-letter queue; one payout of one bank has an IBAN that settle's Java code throws at, and
    everything of that bank waits behind it, while other banks are paid."""
    queue = resources.queue(
        world, "payouts.fifo", FifoQueue="true", VisibilityTimeout="180", ContentBasedDeduplication="true"
    )
    settle = deploy(world, "payout-settle", "java21", reading(queue), memory=1024, timeout=30)
    read_by(settle, queue, BatchSize=1)
    began = whole_minute(world, 42)
    fault = java(
        "com.acme.payout.InvalidIbanException",
        "IBAN checksum failed for creditor account",
        ("IbanValidator.java", 57, "com.acme.payout.IbanValidator.check"),
        ("SettleHandler.java", 33, "com.acme.payout.SettleHandler.handleRequest"),
    )
    traffic(settle, 30, 210, fault=fault, since=began, share=0.1)
    queue_flow(
        world,
        "payouts.fifo",
        Flow(30, 30, 30, 1, 1, 2),
        since=began,
        then=Flow(30, 25, 24, visible=250, flying=1, age=2520),
    )
    changed(settle, CODE, who="ci-payout", when=world.ago(days=2), publish=False)
    queue_changed(world, "TagQueue", "payouts.fifo", who="finops", when=world.ago(minutes=47), tags={"team": "pay"})
    where = {"QueueName": "payouts.fifo"}
    text = metric_alarm(
        world, "payouts-old", OLDEST, where, world.ago(minutes=11), value=1860, threshold=1800, statistic="Maximum"
    )
    return Expect(
        text,
        cause="lambda-unhandled-exception",
        resource=settle.arn,
        shown=(("sqs-fifo-group-blocked", queue),),
        innocent=(settle.role_arn,),
        trigger="",
    )


@scenario(Kind.ALARM, "sqs")
def readers_lost_the_key_of_their_queue(world: World) -> Expect:
    """claims-in is encrypted with a key of the company. Its key policy was written anew without the reader's role: the
    pollers get nothing any more, and neither the function nor the queue says a word."""
    kms = world.client("kms")
    key = kms.create_key(Description="claims")["KeyMetadata"]["Arn"]
    claims = resources.queue(world, "claims-in", VisibilityTimeout="180", KmsMasterKeyId=key)
    sort = deploy(world, "claim-sort", "nodejs22.x", reading(claims), timeout=30)
    admin = {**allow(["kms:*"]), "Principal": {"AWS": world.arn("iam", "role/key-admin")}}
    front = {
        **allow(["kms:GenerateDataKey", "kms:Decrypt"]),
        "Principal": {"AWS": world.arn("iam", "role/claim-front")},
    }
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy_document(admin, front))
    read_by(sort, claims, BatchSize=10)
    began = whole_minute(world, 41)
    ran(sort, 22, 140.0, began)
    queue_flow(
        world, "claims-in", Flow(22, 22, 22, 1, 1, 1), since=began, then=Flow(22, 0, 0, visible=900, flying=0, age=2450)
    )
    request = {"keyId": key, "policyName": "default", "policy": policy_document(admin, front)}
    kind = [("AWS::KMS::Key", key)]
    signals.cloudtrail_event(world, "PutKeyPolicy", "kms", kind, who="sec-baseline", when=began, request=request)
    changed(sort, CODE, who="ci-claims", when=world.ago(minutes=55), publish=False)
    where = {"QueueName": "claims-in"}
    text = metric_alarm(
        world, "claims-old", OLDEST, where, world.ago(minutes=25), value=940, threshold=900, statistic="Maximum"
    )
    return Expect(
        text,
        cause="esm-role-cannot-read-queue",
        resource=claims,
        accept=(
            ("esm-role-cannot-read-queue", sort.arn),
            ("esm-role-cannot-read-queue", sort.role_arn),
            ("sqs-kms", claims),
            ("iam-no-resource-policy-cross-account", key),
            ("lambda-kms-denied", key),
        ),
        innocent=(sort.arn,),
    )


@scenario(Kind.INSUFFICIENT, "sqs")
def redrive_is_being_worked_off(world: World) -> Expect:
    """After yesterday's incident 4,000 dead letters were moved back twelve minutes ago; the reader works them off, at
    three times its usual rate and without an error."""
    dead = resources.queue(world, "scans-dead")
    queue = resources.queue(world, "scans", dead_letter=dead, max_receives=5, VisibilityTimeout="180")
    index = deploy(world, "scan-index", "nodejs22.x", reading(queue), timeout=30)
    read_by(index, queue, BatchSize=10)
    began = whole_minute(world, 12)
    ran(index, 8, 300.0, began, 32)
    start, where = whole_minute(world, HISTORY_MINUTES), {"QueueName": "scans"}
    flat = HISTORY_MINUTES - 12
    rows: tuple[tuple[str, Sequence[float]], ...] = (
        ("NumberOfMessagesSent", [80.0] * flat + [4080.0] + [80.0] * 11),
        ("NumberOfMessagesReceived", [80.0] * flat + [320.0] * 12),
        ("NumberOfMessagesDeleted", [80.0] * flat + [320.0] * 12),
        ("ApproximateNumberOfMessagesVisible", [1.0] * flat + [3760.0 - 240.0 * n for n in range(12)]),
        ("ApproximateNumberOfMessagesNotVisible", [4.0] * flat + [50.0] * 12),
        ("ApproximateAgeOfOldestMessage", [2.0] * flat + [60.0 * (n + 1) for n in range(12)]),
    )
    for name, values in rows:
        signals.metric(world, "AWS/SQS", name, where, values, start=start, unit="Count")
    left: list[Reported] = [*[4000.0] * flat, *[0.0] * 12]
    signals.metric(world, *WAITING, {"QueueName": "scans-dead"}, left, start=start, unit="Count")
    request = {"sourceArn": dead, "destinationArn": queue}
    kind = [("AWS::SQS::Queue", "scans-dead")]
    signals.cloudtrail_event(world, "StartMessageMoveTask", "sqs", kind, who="priya", when=began, request=request)
    text = metric_alarm(
        world, "scans-old", OLDEST, where, world.ago(minutes=6), value=360, threshold=300, statistic="Maximum"
    )
    return Expect(text, status="inconclusive", innocent=(queue, dead, index.arn, index.role_arn))


@scenario(Kind.SINGLE, "sqs")
def survey_answers_expire_unread(world: World) -> Expect:
    """survey-answers keeps messages for an hour only; the nightly reader became a weekly one, and what is older than an
    hour is gone. The oldest message is never older than that hour."""
    queue = resources.queue(world, "survey-answers", MessageRetentionPeriod="3600", VisibilityTimeout="60")
    tally = deploy(world, "survey-tally", "python3.12", reading(queue), timeout=60)
    form = deploy(world, "survey-form", "nodejs22.x", allow(["sqs:SendMessage"], queue))
    traffic(form, 30, 40)
    start, where = whole_minute(world, HISTORY_MINUTES), {"QueueName": "survey-answers"}
    flat = [0.0] * HISTORY_MINUTES
    rows: tuple[tuple[str, list[float]], ...] = (
        ("NumberOfMessagesSent", [30.0] * HISTORY_MINUTES),
        ("NumberOfMessagesReceived", flat),
        ("NumberOfMessagesDeleted", flat),
        ("ApproximateNumberOfMessagesVisible", [1800.0 + n % 3 for n in range(HISTORY_MINUTES)]),
        ("ApproximateNumberOfMessagesNotVisible", flat),
        ("ApproximateAgeOfOldestMessage", [3600.0 - n % 4 for n in range(HISTORY_MINUTES)]),
    )
    for name, values in rows:
        signals.metric(world, "AWS/SQS", name, where, values, start=start, unit="Count")
    return Expect(
        f"answers sent to {queue} are lost, there is never more than an hour of them",
        cause="sqs-retention-expired",
        resource=queue,
        innocent=(form.arn, form.role_arn, tally.arn, tally.role_arn),
    )


@scenario(Kind.ALARM, "sqs")
def workers_outside_lambda_stopped_reading(world: World) -> Expect:
    """Containers read ocr-jobs, and stopped; nothing of them can be seen from here. No mapping was ever there: none is
    off or gone."""
    queue = resources.queue(world, "ocr-jobs", VisibilityTimeout="300")
    send = deploy(world, "ocr-submit", "provided.al2023", allow(["sqs:SendMessage"], queue))
    traffic(send, 16, 30)
    began = whole_minute(world, 44)
    queue_flow(
        world,
        "ocr-jobs",
        Flow(16, 16, 16, 2, 12, 20),
        since=began,
        then=Flow(16, 0, 0, visible=704, flying=0, age=2640),
    )
    where = {"QueueName": "ocr-jobs"}
    text = metric_alarm(
        world, "ocr-old", OLDEST, where, world.ago(minutes=13), value=1860, threshold=1800, statistic="Maximum"
    )
    return Expect(
        text, cause="sqs-backlog", resource=queue, confidence_at_most=0.85, innocent=(send.arn, send.role_arn)
    )


@scenario(Kind.HEALTHY, "sqs")
def shop_that_closed_for_the_night(world: World) -> Expect:
    """The shop closed forty minutes ago: nothing is sent any more, so nothing is received and its function rests. The
    mapping's filter has let the same through for months."""
    queue = resources.queue(world, "till-sales", VisibilityTimeout="120")
    book = deploy(world, "till-book", "nodejs22.x", reading(queue), timeout=20)
    criteria = {"Filters": [{"Pattern": json.dumps({"body": {"kind": ["sale"]}})}]}
    read_by(book, queue, modified=world.ago(days=120), BatchSize=10, FilterCriteria=criteria)
    closed = whole_minute(world, 40)
    ran(book, 20, 90.0, closed)
    queue_flow(world, "till-sales", Flow(40, 40, 40, 1, 1, 1), since=closed, then=Flow())
    changed(book, CODE, who="ci-tills", when=world.ago(minutes=44), publish=False)
    return Expect("function till-book does not run any more", innocent=(queue, book.arn, book.role_arn))


@scenario(Kind.ALARM, "sqs")
def queue_was_encrypted_and_its_readers_role_forgotten(world: World) -> Expect:
    """A sweep gave policy-docs a key of the company. Its key policy leaves everything to the account, the writers' role
    was given the key, the reader's was not: it is polled in vain. The reader's release an hour ago is innocent."""
    kms = world.client("kms")
    key = kms.create_key(Description="policies")["KeyMetadata"]["Arn"]
    account = {"AWS": f"arn:aws:iam::{world.account}:root"}
    whole = policy_document({**allow(["kms:*"]), "Principal": account})
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=whole)
    docs = resources.queue(world, "policy-docs", VisibilityTimeout="240", KmsMasterKeyId=key)
    file = deploy(world, "policy-file", "java21", reading(docs), memory=1024, timeout=40)
    using = allow(["kms:GenerateDataKey", "kms:Decrypt"], key)
    write = deploy(world, "policy-write", "nodejs22.x", allow(["sqs:SendMessage"], docs), using)
    read_by(file, docs, BatchSize=5)
    began = whole_minute(world, 33)
    ran(file, 16, 410.0, began)
    traffic(write, 16, 70)
    queue_flow(
        world,
        "policy-docs",
        Flow(16, 16, 16, 1, 1, 1),
        since=began,
        then=Flow(16, 0, 0, visible=528, flying=0, age=1980),
    )
    sweep = {"attributes": {"KmsMasterKeyId": key}}
    queue_changed(world, "SetQueueAttributes", "policy-docs", who="sec-sweep", when=began, **sweep)
    changed(file, CODE, who="ci-policies", when=world.ago(minutes=58), publish=False)
    where = {"QueueName": "policy-docs"}
    at = world.ago(minutes=14)
    text = metric_alarm(world, "policy-docs-old", OLDEST, where, at, value=1160, threshold=900, statistic="Maximum")
    return Expect(
        text,
        cause="esm-role-cannot-read-queue",
        resource=file.role_arn,
        accept=(("esm-role-cannot-read-queue", docs),),
        says=("sec-sweep",),
        innocent=(file.arn, write.arn, write.role_arn),
    )
