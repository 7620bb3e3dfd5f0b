"""Single looks at queues and at the functions that read them, which several probes make."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from aws.reads import Read, read
from domain.resource import Resource
from specialists.contract import Look
from specialists.kit.answers import absent
from specialists.kit.functions import NO_FUNCTION, configuration_of, reserved_concurrency_of
from specialists.kit.metrics import Metric, metric_series
from specialists.kit.series import MetricSeries
from specialists.sqs.describe import consumer, queue_state
from specialists.sqs.evidence import Consumer, ConsumerConcurrency, ConsumerFunction, Consumers, QueueState
from specialists.sqs.metrics import (
    COUNTS,
    DEDUPLICATED,
    DURATION,
    ERRORS,
    GAUGES,
    GROUPS,
    INVOCATIONS,
    LAMBDA,
    LOOPS,
    SENT,
    SIZE,
    SQS,
    THROTTLES,
    VISIBLE,
)

if TYPE_CHECKING:
    from types_boto3_lambda.type_defs import EventSourceMappingConfigurationTypeDef

NO_QUEUE = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "NonExistentQueue")

GET_QUEUE_URL: Read = read("sqs", "GetQueueUrl")
GET_QUEUE_ATTRIBUTES: Read = read("sqs", "GetQueueAttributes")
LIST_MAPPINGS: Read = read("lambda", "ListEventSourceMappings")

MAX_MAPPINGS = 100
MAX_FUNCTIONS = 5


def queue_url(look: Look, queue: Resource) -> str | None:
    """Return the queue's URL, asked once in an investigation; None when there is no such queue."""
    owner = {"QueueOwnerAWSAccountId": queue.account} if queue.account else {}
    question = ("queue url", queue.id)
    answer = look.once(
        question, lambda: absent(lambda: look.aws.sqs.get_queue_url(QueueName=queue.name, **owner), *NO_QUEUE)
    )
    return answer["QueueUrl"] if answer else None


def state_of(look: Look, queue: Resource) -> QueueState:
    """Return the queue's state, asked once in an investigation."""

    def look_up() -> dict[str, str] | None:
        url = queue_url(look, queue)
        if url is None:
            return None
        answer = absent(lambda: look.aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"]), *NO_QUEUE)
        return None if answer is None else {str(k): v for k, v in answer.get("Attributes", {}).items()}

    return queue_state(queue, look.once(("queue attributes", queue.id), look_up))


def consumers_of(look: Look, queue: str) -> Consumers:
    """Return the event source mappings on a queue; they outlive the queue."""

    def look_up() -> "list[EventSourceMappingConfigurationTypeDef]":
        pages = look.aws.lambda_.get_paginator("list_event_source_mappings").paginate(
            EventSourceArn=queue, PaginationConfig={"MaxItems": MAX_MAPPINGS}
        )
        return [mapping for page in pages for mapping in page.get("EventSourceMappings", [])]

    answers = look.once(("event source mappings of", queue), look_up)
    found = (consumer(answer) for answer in answers if answer.get("EventSourceArn", queue) == queue)
    mappings = sorted((m for m in found if m is not None), key=lambda m: (m.function, m.uuid))
    return Consumers(resource=queue, source="lambda:ListEventSourceMappings", mappings=tuple(mappings))


def functions_of(*seen: Consumers) -> tuple[Consumer, ...]:
    """Return one mapping for each function that reads one of the queues, those that are on first, a few of many."""
    ordered = sorted((m for found in seen for m in found.mappings), key=lambda m: (not m.enabled, m.function))
    return tuple({m.function: m for m in reversed(ordered)}.values())[::-1][:MAX_FUNCTIONS]


def function_of(look: Look, mapping: Consumer) -> ConsumerFunction:
    """Return the settings of the version that the mapping invokes."""
    answer = absent(lambda: configuration_of(look, mapping.function, mapping.qualifier), NO_FUNCTION)
    source = "lambda:GetFunctionConfiguration"
    if answer is None:
        return ConsumerFunction(resource=mapping.function, source=source, exists=False)
    return ConsumerFunction(
        resource=mapping.function,
        source=source,
        exists=True,
        timeout_seconds=answer.get("Timeout", 3),
        role=answer.get("Role", ""),
        state=answer.get("State", "Active"),
    )


def concurrency_of(look: Look, mapping: Consumer) -> ConsumerConcurrency | None:
    """Return the function's reserved concurrency; None when there is no such function."""
    answer = absent(lambda: reserved_concurrency_of(look, mapping.function), NO_FUNCTION)
    if answer is None:
        return None
    return ConsumerConcurrency(
        resource=mapping.function,
        source="lambda:GetFunctionConcurrency",
        reserved=answer.get("ReservedConcurrentExecutions"),
    )


def series_of(look: Look, resource: str, metrics: Iterable[Metric]) -> Iterator[MetricSeries]:
    """Yield series as evidence about the resource that reports them."""
    for series in metric_series(look, list(metrics)):
        yield series.model_copy(update={"resource": resource})


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
