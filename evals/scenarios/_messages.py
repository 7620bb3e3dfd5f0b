"""Queues and topics of a scenario: hours of messages in and out, and people who change them."""

import random
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from evals.scenarios._functions import HISTORY_MINUTES, Function, whole_minute
from sandbox.aws import resources, signals
from sandbox.aws.resources import allow
from sandbox.aws.signals import Reported
from sandbox.aws.world import World

READS = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"]


def reading(*queues: str) -> dict[str, Any]:
    """Return the statement that lets a poller read queues."""
    return allow(READS, list(queues))


class Flow(NamedTuple):
    """How a queue fares: messages a minute, and how many wait, are in flight, and for how long the oldest (seconds).

    Where it is what became of a queue, the last three are reached at the end and risen to evenly.
    """

    sent: float = 0
    received: float = 0
    deleted: float = 0
    visible: float = 0
    flying: float = 0
    age: float = 0


COUNTS = ("NumberOfMessagesSent", "NumberOfMessagesReceived", "NumberOfMessagesDeleted")
GAUGES = (
    "ApproximateNumberOfMessagesVisible",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateAgeOfOldestMessage",
)


def queue_flow(
    world: World, queue: str, usual: Flow, *, since: datetime | None = None, then: Flow | None = None
) -> None:
    """Report four hours of a queue; from `since` on it fares as `then` says."""
    noise = random.Random(f"{world.seed} {queue}")
    start, where = whole_minute(world, HISTORY_MINUTES), {"QueueName": queue}
    begun = HISTORY_MINUTES if since is None else round((since - start).total_seconds() / 60)
    after = then or usual
    for index, name in enumerate((*COUNTS, *GAUGES)):
        values: list[Reported] = []
        for minute in range(HISTORY_MINUTES):
            if index >= len(COUNTS) and minute >= begun:
                passed = (minute - begun + 1) / (HISTORY_MINUTES - begun)
                values.append(float(round(usual[index] + passed * (after[index] - usual[index]))))
            else:
                values.append(float(round((usual if minute < begun else after)[index] * noise.uniform(0.9, 1.1))))
        signals.metric(world, "AWS/SQS", name, where, values, start=start, unit="Count")


class Spread(NamedTuple):
    """What becomes of a topic's messages, a minute: delivered, filtered out, or failed notifications."""

    published: float
    delivered: float = 0
    filtered: float = 0
    failed: float = 0


SPREAD = (
    "NumberOfMessagesPublished",
    "NumberOfNotificationsDelivered",
    "NumberOfNotificationsFilteredOut",
    "NumberOfNotificationsFailed",
)


def topic_flow(
    world: World, topic: str, usual: Spread, *, since: datetime | None = None, then: Spread | None = None
) -> None:
    """Report four hours of a topic; from `since` on its messages spread as `then` says. Zeros are not reported."""
    noise = random.Random(f"{world.seed} {topic}")
    start, where = whole_minute(world, HISTORY_MINUTES), {"TopicName": topic}
    shares = [noise.uniform(0.9, 1.1) for _ in range(HISTORY_MINUTES)]
    for index, name in enumerate(SPREAD):
        values: list[Reported] = []
        for minute, share in enumerate(shares):
            late = since is not None and start + timedelta(minutes=minute) >= since
            number = round((then if late and then else usual)[index] * share)
            values.append({1.0: number} if number else None)
        signals.metric(world, "AWS/SNS", name, where, values, start=start, unit="Count")


def queue_changed(world: World, name: str, queue: str, /, *, who: str, when: datetime, **request: Any) -> str:
    """Record that somebody changed a queue; `name` is CloudTrail's. Returns the event's id."""
    url = f"https://sqs.{world.region}.amazonaws.com/{world.account}/{queue}"
    kind = [("AWS::SQS::Queue", queue)]
    return signals.cloudtrail_event(world, name, "sqs", kind, who=who, when=when, request={"queueUrl": url, **request})


def topic_changed(world: World, name: str, topic_arn: str, /, *, who: str, when: datetime, **request: Any) -> str:
    """Record that somebody changed a topic; `name` is CloudTrail's. Returns the event's id."""
    kind = [("AWS::SNS::Topic", topic_arn)]
    return signals.cloudtrail_event(world, name, "sns", kind, who=who, when=when, request=request)


def read_by(function: Function, queue_arn: str, *, modified: datetime | None = None, **settings: Any) -> str:
    """Let a function, the only one with a mapping, read a queue; returns the mapping's UUID."""
    world = function.world
    uuid = resources.event_source(world, function.name, queue_arn, **settings)
    if modified is not None:  # moto knows no time but now
        [mapping] = world.client("lambda").list_event_source_mappings()["EventSourceMappings"]
        listed = {"EventSourceMappings": [{**mapping, "LastModified": modified}]}
        world.aws.serve("lambda", "ListEventSourceMappings", listed, region=world.region, account=world.account)
    return uuid
