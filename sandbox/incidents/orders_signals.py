"""What the orders system reports, in good minutes and in bad ones: metrics, logs, traces, CloudTrail."""

import random
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from sandbox.aws import documents, segments, signals, subsegments
from sandbox.aws.documents import Document, Place
from sandbox.aws.signals import Reported, counted, outcomes
from sandbox.aws.world import World
from sandbox.incidents.orders_system import OrdersSystem

HISTORY = timedelta(hours=4)
POSTS, GETS = 620, 410
"""Requests a minute; an order is one write unit, so 500 WCU are plenty and 5 WCU (300 a minute) half of it."""

STORED_WHEN_CUT = 300
ATTEMPTS = 3
FULL, CUT = 500, 5
"""Write capacity units of `orders`, before and after."""

THROTTLE = "ProvisionedThroughputExceededException"
MESSAGE = (
    f"An error occurred ({THROTTLE}) when calling the PutItem operation (reached max retries: {ATTEMPTS - 1}): "
    "The level of configured provisioned throughput for the table was exceeded. "
    "Consider increasing your provisioning level with the UpdateTable API."
)
STACK = (
    ("/var/lang/lib/python3.12/site-packages/botocore/client.py", 1094, "_make_api_call"),
    ("/var/task/app.py", 31, "store"),
    ("/var/task/app.py", 18, "handler"),
)
INDENT = "\u00a0\u00a0"
FRAMES = "".join(f'{INDENT}File "{path}", line {line}, in {label}\n' for path, line, label in reversed(STACK))
RAISING = f"{INDENT * 2}raise error_class(parsed_response, operation_name)\n"
TRACEBACK = f"[ERROR] {THROTTLE}: {MESSAGE}\nTraceback (most recent call last):\n{FRAMES}{RAISING}"
"""As Lambda's Python runtime logs an exception: one event, indented with no-break spaces."""


class Minute:
    """One minute of traffic: how many orders came, and how many could be stored."""

    def __init__(self, at: datetime, noise: random.Random, *, throttled: bool, capacity: int) -> None:
        self.at, self.throttled, self.capacity = at, throttled, capacity
        self.posts = round(POSTS * noise.uniform(0.94, 1.06))
        self.gets = round(GETS * noise.uniform(0.94, 1.06))
        self.stored = min(self.posts, STORED_WHEN_CUT) if throttled else self.posts
        self.failed = self.posts - self.stored
        self._noise = noise

    def spread(self, mean: float, number: int) -> dict[float, float]:
        """Return a number of samples around a mean, as latencies spread: a long tail to the right."""
        groups = [(mean * self._noise.lognormvariate(0, 0.25), number / 12) for _ in range(12)]
        return {round(value, 2): count for value, count in groups}


def minutes(world: World, throttled_since: datetime | None, cut_at: datetime | None) -> list[Minute]:
    """Return the minutes of the history, the last whole one last."""
    noise = random.Random(world.seed)
    last = world.now.replace(second=0, microsecond=0)
    times = [last - timedelta(minutes=n) for n in range(int(HISTORY.total_seconds() // 60), 0, -1)]
    return [
        Minute(
            at,
            noise,
            throttled=throttled_since is not None and at >= throttled_since,
            capacity=CUT if cut_at is not None and at >= cut_at else FULL,
        )
        for at in times
    ]


def report_metrics(world: World, history: list[Minute]) -> None:
    """Report every part's metrics for the whole history."""
    series = (*_table_series(history), *_function_series(history), *_api_series(history), *_neighbour_series(history))
    for namespace, name, dimensions, values, unit in series:
        signals.metric(world, namespace, name, dimensions, values, start=history[0].at, unit=unit)


Row = tuple[str, str, Mapping[str, str], list[Reported], str]


def _table_series(history: list[Minute]) -> Iterator[Row]:
    """Throttle metrics have no points in minutes without throttles, as in AWS."""
    table, put = {"TableName": "orders"}, {"TableName": "orders", "Operation": "PutItem"}
    refused: list[Reported] = [counted(m.failed * ATTEMPTS) if m.failed else None for m in history]
    yield "AWS/DynamoDB", "ConsumedWriteCapacityUnits", table, [counted(m.stored) for m in history], "Count"
    yield "AWS/DynamoDB", "ProvisionedWriteCapacityUnits", table, [float(m.capacity) for m in history], "Count"
    yield "AWS/DynamoDB", "ConsumedReadCapacityUnits", table, [{0.5: m.gets} for m in history], "Count"
    yield "AWS/DynamoDB", "ProvisionedReadCapacityUnits", table, [100.0 for _ in history], "Count"
    yield "AWS/DynamoDB", "WriteThrottleEvents", table, refused, "Count"
    yield "AWS/DynamoDB", "ThrottledRequests", put, refused, "Count"
    yield "AWS/DynamoDB", "SuccessfulRequestLatency", put, [m.spread(5.2, m.stored) for m in history], "Milliseconds"


def _function_series(history: list[Minute]) -> Iterator[Row]:
    """Retries make a throttled invocation long: three attempts with their waits between."""
    function = {"FunctionName": "create-order"}
    slow: list[Reported] = [
        {**m.spread(44, m.stored), **(m.spread(310, m.failed) if m.failed else {})} for m in history
    ]
    yield "AWS/Lambda", "Invocations", function, [counted(m.posts) for m in history], "Count"
    yield "AWS/Lambda", "Errors", function, [outcomes(m.failed, m.posts) for m in history], "Count"
    yield "AWS/Lambda", "Duration", function, slow, "Milliseconds"
    yield "AWS/Lambda", "Throttles", function, [outcomes(0, m.posts) for m in history], "Count"
    yield (
        "AWS/Lambda",
        "ConcurrentExecutions",
        function,
        [{5.0: 1} if m.throttled else {2.0: 1} for m in history],
        "Count",
    )


def _api_series(history: list[Minute]) -> Iterator[Row]:
    """Reported for the API and for its stage."""
    for where in ({"ApiName": "orders-api"}, {"ApiName": "orders-api", "Stage": "prod"}):
        total = [m.posts + m.gets for m in history]
        latency: list[Reported] = [
            {**m.spread(52, m.stored + m.gets), **(m.spread(322, m.failed) if m.failed else {})} for m in history
        ]
        inner: list[Reported] = [
            {**m.spread(47, m.stored + m.gets), **(m.spread(317, m.failed) if m.failed else {})} for m in history
        ]
        yield "AWS/ApiGateway", "Count", where, [counted(number) for number in total], "Count"
        yield (
            "AWS/ApiGateway",
            "5XXError",
            where,
            [outcomes(m.failed, number) for m, number in zip(history, total, strict=True)],
            "Count",
        )
        yield "AWS/ApiGateway", "4XXError", where, [outcomes(3, number) for number in total], "Count"
        yield "AWS/ApiGateway", "Latency", where, latency, "Milliseconds"
        yield "AWS/ApiGateway", "IntegrationLatency", where, inner, "Milliseconds"


def _neighbour_series(history: list[Minute]) -> Iterator[Row]:
    """The parts beside the failure, all well."""
    for name, calls in (
        ("get-order", [m.gets for m in history]),
        ("invoice-worker", [m.stored // 10 for m in history]),
    ):
        function = {"FunctionName": name}
        yield "AWS/Lambda", "Invocations", function, [counted(number) for number in calls], "Count"
        yield "AWS/Lambda", "Errors", function, [outcomes(0, number) for number in calls], "Count"
        yield (
            "AWS/Lambda",
            "Duration",
            function,
            [m.spread(21, number) for m, number in zip(history, calls, strict=True)],
            "Milliseconds",
        )
        yield "AWS/Lambda", "Throttles", function, [outcomes(0, number) for number in calls], "Count"
    yield (
        "AWS/DynamoDB",
        "ConsumedReadCapacityUnits",
        {"TableName": "inventory"},
        [{0.5: m.posts} for m in history],
        "Count",
    )
    queue = {"QueueName": "invoices"}
    yield "AWS/SQS", "ApproximateAgeOfOldestMessage", queue, [float(m.posts % 3) for m in history], "Seconds"
    yield "AWS/SQS", "ApproximateNumberOfMessagesVisible", queue, [float(m.posts % 4) for m in history], "Count"
    yield "AWS/SQS", "NumberOfMessagesSent", queue, [counted(m.stored) for m in history], "Count"
    yield "AWS/SQS", "NumberOfMessagesDeleted", queue, [counted(m.stored) for m in history], "Count"


def write_logs(world: World, history: list[Minute]) -> None:
    """Write a sample of create-order's invocations: one a minute, of the last half hour one in six seconds."""
    noise = random.Random(f"{world.seed} logs")
    events: list[tuple[datetime, str]] = []
    for number, minute in enumerate(history):
        for second in range(0, 60, 6 if number >= len(history) - 30 else 60):
            at = minute.at + timedelta(seconds=second, milliseconds=noise.randrange(900))
            failing = minute.throttled and noise.random() < minute.failed / minute.posts
            order = f"o-{world.ids.hex(8)}"
            lines = [f"[INFO]\t{{time}}\t{{request}}\torder {order}: 2 items reserved in inventory"]
            lines.append(TRACEBACK if failing else f"[INFO]\t{{time}}\t{{request}}\torder {order} stored")
            milliseconds = noise.gauss(312, 18) if failing else noise.gauss(44, 5)
            events += signals.invocation_log(
                world.ids,
                at,
                milliseconds,
                memory=256,
                used=noise.randrange(88, 94),
                lines=lines,
                init=412.5 if number % 60 == 0 and not second else None,
            )
    signals.log(world, "/aws/lambda/create-order", events)


def send_trace(world: World, system: OrdersSystem, at: datetime, *, throttled: bool) -> str:
    """Send the trace of one POST /orders; returns its id."""
    place, start = world.place(at), at.timestamp()
    ids, region = place.ids, world.region
    read = subsegments.dynamodb_call(ids, "GetItem", "inventory", start + 0.035, 0.006, region=region)
    if throttled:
        cause = documents.exception(ids, THROTTLE, MESSAGE, remote=True, stack=STACK)
        write = subsegments.dynamodb_call(
            ids, "PutItem", "orders", start + 0.042, 0.258, region=region, status=400, retries=ATTEMPTS - 1, cause=cause
        )
        uncaught = documents.exception(ids, THROTTLE, MESSAGE, stack=STACK)
        calls, seconds = [read, write], 0.318
    else:
        write = subsegments.dynamodb_call(ids, "PutItem", "orders", start + 0.042, 0.007, region=region)
        uncaught = None
        calls, seconds = (
            [
                read,
                write,
                subsegments.sqs_call(
                    ids, "SendMessage", "invoices", start + 0.05, 0.008, region=region, account=world.account
                ),
            ],
            0.076,
        )
    integration = segments.lambda_integration(place, "create-order", start + 0.003, seconds - 0.005)
    stage = segments.stage_segment(
        place,
        system.stage,
        "POST",
        "/orders",
        start,
        seconds,
        status=502 if throttled else 201,
        integration=integration,
    )
    pair = segments.lambda_segments(
        place, "create-order", integration["id"], start + 0.006, seconds - 0.01, calls=calls, cause=uncaught
    )
    return signals.trace(world, [stage, *pair, *(_far_end(place, call) for call in calls)])


def _far_end(place: Place, call: Document) -> Document:
    if call["name"] == "SQS":
        return segments.inferred_segment(place, call, "AWS::SQS::Queue", "invoices")
    return segments.inferred_segment(place, call, "AWS::DynamoDB::Table", call["aws"]["table_name"])


def record_routine_changes(world: World) -> None:
    """Record what else was done lately: nothing of it has to do with orders failing."""
    function, queue, role = "AWS::Lambda::Function", "AWS::SQS::Queue", "AWS::IAM::Role"
    update = "UpdateFunctionCode20150331v2"
    signals.cloudtrail_event(
        world,
        update,
        "lambda",
        [(function, "create-order")],
        who="deploy-bot",
        when=world.ago(days=9),
        request={"functionName": "create-order", "publish": False, "dryRun": False},
    )
    signals.cloudtrail_event(
        world,
        update,
        "lambda",
        [(function, "report-export")],
        who="deploy-bot",
        when=world.ago(minutes=31),
        request={"functionName": "report-export", "publish": False, "dryRun": False},
    )
    signals.cloudtrail_event(
        world,
        "SetQueueAttributes",
        "sqs",
        [(queue, "mail-out")],
        who="jonas",
        when=world.ago(minutes=47),
        request={
            "queueUrl": "https://sqs.eu-west-1.amazonaws.com/123456789012/mail-out",
            "attributes": {"VisibilityTimeout": "60"},
        },
    )
    signals.cloudtrail_event(
        world,
        "TagRole",
        "iam",
        [(role, "batch-role")],
        who="jonas",
        when=world.ago(hours=2),
        request={"roleName": "batch-role", "tags": [{"key": "team", "value": "data"}]},
    )
    signals.cloudtrail_event(
        world,
        "DescribeTable",
        "dynamodb",
        [("AWS::DynamoDB::Table", "orders")],
        who="jonas",
        when=world.ago(minutes=3),
        request={"tableName": "orders"},
        read_only=True,
    )
