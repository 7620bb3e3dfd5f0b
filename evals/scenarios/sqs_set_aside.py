"""Messages that come back, become dead letters or count as duplicates, and some that only look like it."""

import json
from datetime import timedelta

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
from evals.scenarios._journeys import Journey
from evals.scenarios._messages import (
    Flow,
    queue_changed,
    queue_flow,
    read_by,
    reading,
)
from evals.scenarios._runtimes import Fault, dotnet, node
from evals.scenarios._sources import OLDEST, WAITING, counts, ran
from sandbox.aws import resources, signals
from sandbox.aws.resources import allow
from sandbox.aws.signals import Reported
from sandbox.aws.world import World


def powertools(kind: str, message: str, function: str, *frames: str) -> str:
    """Return the line that Powertools for Python logs of a caught exception."""
    trace = "Traceback (most recent call last):\n" + "".join(f"  {frame}\n" for frame in frames) + f"{kind}: {message}"
    return json.dumps(
        {
            "level": "ERROR",
            "location": "record_handler:41",
            "message": "Failed to process record, will be retried",
            "timestamp": "2026-11-21 09:14:02,118+0000",
            "service": function,
            "function_name": function,
            "exception": trace,
            "exception_name": kind,
        }
    )


@scenario(Kind.ALARM, "sqs")
def throttles_ate_the_receives_of_good_messages(world: World) -> Expect:
    """geocode has two reserved executions and no maximum at its mapping; a campaign triples the load, polls are
    throttled, and after two receives good addresses are dead letters. The function never errs."""
    dead = resources.queue(world, "addresses-dead", MessageRetentionPeriod="1209600")
    queue = resources.queue(world, "addresses", dead_letter=dead, max_receives=2, VisibilityTimeout="60")
    geocode = deploy(world, "geocode", "provided.al2023", reading(queue), Handler="bootstrap", reserved=2, timeout=10)
    read_by(geocode, queue, BatchSize=1)
    began = whole_minute(world, 26)
    counts(geocode, "Invocations", {1.0: 30}, began, {1.0: 62})
    counts(geocode, "Errors", {0.0: 30}, began, {0.0: 62})
    counts(geocode, "Duration", {1600.0: 30}, began, {1700.0: 62})
    counts(geocode, "Throttles", {0.0: 30}, began, {1.0: 140})
    counts(geocode, "ConcurrentExecutions", {1.0: 1}, began, {2.0: 1})
    queue_flow(
        world,
        "addresses",
        Flow(30, 30, 30, 1, 1, 2),
        since=began,
        then=Flow(110, 220, 62, visible=90, flying=110, age=130),
    )
    queue_flow(world, "addresses-dead", Flow(), since=began, then=Flow(visible=1150, age=1500))
    changed(geocode, CODE, who="ci-maps", when=began - timedelta(minutes=9), publish=False)
    where = {"QueueName": "addresses-dead"}
    text = metric_alarm(
        world,
        "addresses-dead",
        WAITING,
        where,
        began + timedelta(minutes=2),
        value=48,
        threshold=0,
        statistic="Maximum",
    )
    return Expect(
        text,
        cause="esm-concurrency-starved",
        resource=queue,
        accept=(("lambda-throttle-reserved", geocode.arn), ("esm-concurrency-starved", geocode.arn)),
        trigger="",
        innocent=(geocode.role_arn,),
    )


@scenario(Kind.SINGLE, "sqs")
def repeated_orders_of_the_same_coffee_are_swallowed(world: World) -> Expect:
    """kiosk-orders.fifo takes the content for the identity of a message. Since the release that dropped the order's
    number from the body, the second espresso within five minutes is a duplicate. Nothing fails anywhere."""
    queue = resources.queue(
        world, "kiosk-orders.fifo", FifoQueue="true", ContentBasedDeduplication="true", VisibilityTimeout="120"
    )
    kiosk = deploy(world, "kiosk-order", "dotnet8", allow(["sqs:SendMessage"], queue), memory=512)
    brew = deploy(world, "brew-queue", "python3.13", reading(queue), timeout=20)
    read_by(brew, queue, BatchSize=1)
    began = whole_minute(world, 38)
    traffic(
        kiosk, 45, 60, lines=["{time}\t{request}\tinfo\tOrder accepted, MessageId 5fea7756-0ea4-451a-a703-a558b933e274"]
    )
    ran(brew, 45, 90.0, began, 17)
    queue_flow(world, "kiosk-orders.fifo", Flow(45, 45, 45, 1, 1, 1), since=began, then=Flow(17, 17, 17, 1, 1, 1))
    start = whole_minute(world, HISTORY_MINUTES)
    dropped: list[Reported] = [28.0 if start + timedelta(minutes=n) >= began else 0.0 for n in range(HISTORY_MINUTES)]
    signals.metric(
        world,
        "AWS/SQS",
        "NumberOfDeduplicatedSentMessages",
        {"QueueName": "kiosk-orders.fifo"},
        dropped,
        start=start,
        unit="Count",
    )
    changed(kiosk, CODE, who="ci-kiosk", when=began, publish=False)
    return Expect(
        "orders are missing behind queue kiosk-orders.fifo, the kiosk says they were accepted",
        cause="sqs-fifo-dedup",
        resource=queue,
        innocent=(brew.arn, brew.role_arn, kiosk.role_arn),
    )


@scenario(Kind.HEALTHY, "sqs")
def retries_of_a_partial_batch_that_end_well(world: World) -> Expect:
    """stock-sync reports the items of a batch that failed; the vendor's API is busy now and then, Powertools logs each
    failure as an error, and the second receive always does it. The dead-letter queue has been empty for ever."""
    dead = resources.queue(world, "stock-dead")
    queue = resources.queue(world, "stock", dead_letter=dead, max_receives=5, VisibilityTimeout="180")
    sync = deploy(world, "stock-sync", "python3.12", reading(queue), timeout=30)
    read_by(sync, queue, BatchSize=10, FunctionResponseTypes=["ReportBatchItemFailures"])
    line = powertools(
        "VendorBusy",
        "503 Service Unavailable for url: https://api.vendor.example/v2/stock",
        sync.name,
        'File "/var/task/app.py", line 41, in record_handler',
    )
    traffic(sync, 20, 400, lines=[line])
    queue_flow(world, "stock", Flow(180, 186, 180, 3, 9, 4))
    queue_flow(world, "stock-dead", Flow())
    changed(sync, CODE, who="ci-stock", when=world.ago(minutes=70), publish=False)
    journey = Journey(world, world.ago(minutes=4))
    get = journey.http("PUT", "https://api.vendor.example/v2/stock", 0.05, 0.12, status=503)
    again = journey.http("PUT", "https://api.vendor.example/v2/stock", 0.2, 0.1)
    journey.function(sync, 0.0, 0.42, calls=[get, again], lines=[line])
    innocent = (queue, dead, sync.arn, sync.role_arn)
    return Expect(journey.send(), innocent=innocent)


@scenario(Kind.INSUFFICIENT, "sqs")
def alarm_of_dead_letters_from_last_week(world: World) -> Expect:
    """Three letters have lain in the dead-letter queue since last week. Today somebody made an alarm for it, which rang
    at once: nothing has come in since, and the reader is well."""
    dead = resources.queue(world, "invoices-dead", MessageRetentionPeriod="1209600")
    queue = resources.queue(world, "invoices", dead_letter=dead, max_receives=4, VisibilityTimeout="120")
    book = deploy(world, "invoice-book", "java17", reading(queue), memory=1024, timeout=20)
    read_by(book, queue, BatchSize=5)
    traffic(book, 14, 260)
    queue_flow(world, "invoices", Flow(55, 55, 55, 1, 2, 2))
    start, where = whole_minute(world, HISTORY_MINUTES), {"QueueName": "invoices-dead"}
    for name, value in (
        ("ApproximateNumberOfMessagesVisible", 3.0),
        ("NumberOfMessagesReceived", 0.0),
        ("NumberOfMessagesSent", 0.0),
    ):
        signals.metric(world, "AWS/SQS", name, where, [value] * HISTORY_MINUTES, start=start, unit="Count")
    ages: list[Reported] = [518_400.0 + 60.0 * minute for minute in range(HISTORY_MINUTES)]
    signals.metric(world, *OLDEST, where, ages, start=start, unit="Seconds")
    changed(book, CODE, who="ci-invoices", when=world.ago(minutes=48), publish=False)
    at = world.ago(minutes=21)
    request = {"alarmName": "invoices-dead-letters", "metricName": WAITING[1], "threshold": 0}
    kind = [("AWS::CloudWatch::Alarm", "invoices-dead-letters")]
    signals.cloudtrail_event(world, "PutMetricAlarm", "monitoring", kind, who="sre-jo", when=at, request=request)
    text = metric_alarm(
        world,
        "invoices-dead-letters",
        WAITING,
        where,
        at + timedelta(minutes=1),
        value=3,
        threshold=0,
        statistic="Maximum",
    )
    return Expect(text, status="inconclusive", innocent=(queue, book.arn, book.role_arn))


@scenario(Kind.SINGLE, "sqs")
def nine_good_mails_go_out_again_with_the_tenth(world: World) -> Expect:
    """mail-out sends ten mails a batch; one address without a domain makes the whole batch throw, and nine customers
    get their mail again. The mapping does not ask for the items that failed."""
    dead = resources.queue(world, "mails-dead")
    queue = resources.queue(world, "mails", dead_letter=dead, max_receives=8, VisibilityTimeout="360")
    mail = deploy(world, "mail-out", "python3.12", reading(queue), timeout=60)
    read_by(mail, queue, BatchSize=10)
    began = whole_minute(world, 40)
    lines = [
        json.dumps({"level": "INFO", "message": "sent", "to": "a***@shop.example", "function_name": mail.name}),
        json.dumps({"level": "ERROR", "message": "bad address", "exception_name": "InvalidAddress"}),
    ]
    fault = Fault(
        "InvalidAddress",
        "no domain in recipient 4 of 10",
        (
            (
                "[ERROR] InvalidAddress: no domain in recipient 4 of 10\nTraceback (most recent call last):\n"
                '\u00a0\u00a0File "/var/task/app.py", line 31, in handler\n'
            ),
        ),
        (("/var/task/app.py", 31, "handler"),),
        milliseconds=900,
    )
    traffic(mail, 12, 1100, fault=fault, since=began, share=0.3, lines=lines)
    queue_flow(
        world,
        "mails",
        Flow(120, 120, 120, 1, 6, 3),
        since=began,
        then=Flow(120, 172, 119, visible=4, flying=90, age=410),
    )
    queue_flow(world, "mails-dead", Flow())
    changed(mail, CODE, who="ci-mail", when=world.ago(days=9), publish=False)
    return Expect(
        "customers get the same mail up to eight times, queue mails",
        cause="lambda-unhandled-exception",
        resource=mail.arn,
        accept=(("esm-partial-batch-not-reported", queue), ("esm-partial-batch-not-reported", mail.arn)),
        shown=(("esm-partial-batch-not-reported", queue),),
        trigger="",
        innocent=(dead, mail.role_arn),
    )


@scenario(Kind.ALARM, "lambda")
def release_behind_the_alias_of_a_mapping(world: World) -> Expect:
    """The mapping of leases reads for the alias `live` of lease-sign. A release moved the alias to version 8, which
    cannot parse what version 7 could; the dead-letter queue fills. A change of the queue's tags means nothing."""
    dead = resources.queue(world, "leases-dead", MessageRetentionPeriod="1209600")
    queue = resources.queue(world, "leases", dead_letter=dead, max_receives=3, VisibilityTimeout="180")
    sign = deploy(world, "lease-sign", "nodejs22.x", reading(queue), timeout=30)
    client = world.client("lambda")
    for _ in range(2):
        client.publish_version(FunctionName=sign.name)
    client.create_alias(FunctionName=sign.name, Name="live", FunctionVersion="1")
    resources.event_source(world, f"{sign.arn}:live", queue, BatchSize=1)
    began = whole_minute(world, 23)
    fault = node(
        "TypeError",
        "Cannot read properties of undefined (reading 'landlord')",
        ("/var/task/sign.mjs", 27, "partiesOf"),
        ("/var/task/index.mjs", 11, "handler"),
    )
    traffic(sign, 20, 160, fault=fault, since=began)
    queue_flow(
        world, "leases", Flow(20, 20, 20, 1, 1, 1), since=began, then=Flow(12, 30, 0, visible=3, flying=36, age=540)
    )
    queue_flow(world, "leases-dead", Flow(), since=began, then=Flow(visible=220, age=1200))
    changed(sign, "UpdateAlias20150331", who="ci-leases", when=began, name="live", functionVersion="2")
    queue_changed(world, "TagQueue", "leases", who="finops", when=began + timedelta(minutes=1), tags={"team": "lease"})
    where = {"QueueName": "leases-dead"}
    at = began + timedelta(minutes=9)
    text = metric_alarm(world, "leases-dead", WAITING, where, at, value=12, threshold=0, statistic="Maximum")
    return Expect(
        text,
        cause="lambda-unhandled-exception",
        resource=sign.arn,
        accept=(("deploy-regression", sign.arn),),
        facts=("ci-leases",),
        innocent=(queue, sign.role_arn, dead),
    )


@scenario(Kind.ALARM, "sqs")
def one_busy_second_of_the_bank_made_dead_letters(world: World) -> Expect:
    """sepa-send gets a 429 of the bank once in twenty runs and throws, as it should; a retry would do. Since somebody
    set maxReceiveCount to 1, each such message is a dead letter at once."""
    dead = resources.queue(world, "sepa-dead", MessageRetentionPeriod="1209600")
    queue = resources.queue(world, "sepa", dead_letter=dead, max_receives=1, VisibilityTimeout="180")
    send = deploy(world, "sepa-send", "dotnet8", reading(queue), memory=512, timeout=30)
    read_by(send, queue, BatchSize=1)
    began = whole_minute(world, 29)
    fault = dotnet(
        "System.Net.Http.HttpRequestException",
        "Response status code does not indicate success: 429 (Too Many Requests).",
        ("/src/Sepa/Bank.cs", 88, "Sepa.Bank.SendAsync(Transfer t)"),
    )
    traffic(send, 40, 200, fault=fault, since=whole_minute(world, HISTORY_MINUTES), share=0.05)
    queue_flow(world, "sepa", Flow(40, 42, 40, 1, 2, 2), since=began, then=Flow(40, 40, 38, 1, 2, 2))
    queue_flow(world, "sepa-dead", Flow(), since=began, then=Flow(visible=58, age=1700))
    policy = json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": 1})
    redrive = {"attributes": {"RedrivePolicy": policy}}
    queue_changed(world, "SetQueueAttributes", "sepa", who="ruben", when=began, **redrive)
    where = {"QueueName": "sepa-dead"}
    at = began + timedelta(minutes=4)
    text = metric_alarm(world, "sepa-dead", WAITING, where, at, value=8, threshold=5, statistic="Maximum")
    return Expect(
        text,
        cause="sqs-maxreceive-1",
        resource=queue,
        trigger=queue,
        innocent=(send.role_arn, dead),
    )
