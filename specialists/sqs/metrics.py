"""The names of the metrics that tell about a queue and about the functions that read it.

Queue metrics: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
Function metrics: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
"""

from collections.abc import Iterator

from specialists.kit.metrics import Metric

SQS, LAMBDA = "AWS/SQS", "AWS/Lambda"

VISIBLE, IN_FLIGHT, AGE, GROUPS = (
    "ApproximateNumberOfMessagesVisible",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateAgeOfOldestMessage",
    "ApproximateNumberOfGroupsWithInflightMessages",
)
SENT, RECEIVED, DELETED, DEDUPLICATED, SIZE = (
    "NumberOfMessagesSent",
    "NumberOfMessagesReceived",
    "NumberOfMessagesDeleted",
    "NumberOfDeduplicatedSentMessages",
    "SentMessageSize",
)
GAUGES = (VISIBLE, IN_FLIGHT, AGE)
COUNTS = (SENT, RECEIVED, DELETED)

INVOCATIONS, ERRORS, THROTTLES, DURATION, LOOPS = (
    "Invocations",
    "Errors",
    "Throttles",
    "Duration",
    "RecursiveInvocationsDropped",
)


def of_queue(name: str) -> Iterator[Metric]:
    """Yield the series of a queue by its name; a FIFO queue has some more."""
    where = {"QueueName": name}
    yield from (Metric(SQS, gauge, where, "Maximum") for gauge in (*GAUGES, SIZE))
    yield from (Metric(SQS, count, where) for count in COUNTS)
    if name.endswith(".fifo"):
        yield Metric(SQS, DEDUPLICATED, where)
        yield Metric(SQS, GROUPS, where, "Maximum")


def of_dead_letters(name: str) -> Iterator[Metric]:
    """Yield the series of a dead-letter queue; moves into it are not counted as sent."""
    where = {"QueueName": name}
    yield Metric(SQS, VISIBLE, where, "Maximum")
    yield Metric(SQS, SENT, where)


def of_function(name: str) -> Iterator[Metric]:
    """Yield the series of a function that reads a queue; durations are milliseconds."""
    where = {"FunctionName": name}
    yield from (Metric(LAMBDA, count, where) for count in (INVOCATIONS, ERRORS, THROTTLES, LOOPS))
    yield Metric(LAMBDA, DURATION, where, "Maximum")
