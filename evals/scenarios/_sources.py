"""What feeds functions: how often they run for it, how far behind they are, and how their mapping is listed."""

from datetime import datetime, timedelta
from typing import Any

from evals.scenarios._functions import (
    HISTORY_MINUTES,
    LOGGED_MINUTES,
    Function,
    invocation,
    whole_minute,
)
from sandbox.aws import signals
from sandbox.aws.resources import allow, policy_document
from sandbox.aws.signals import Reported
from sandbox.aws.world import World

OLDEST = ("AWS/SQS", "ApproximateAgeOfOldestMessage")
WAITING = ("AWS/SQS", "ApproximateNumberOfMessagesVisible")


def letting_in(topic: str, queue: str) -> str:
    """Return the policy by which a queue lets a topic in."""
    who, where = {"Service": "sns.amazonaws.com"}, {"ArnEquals": {"aws:SourceArn": topic}}
    return policy_document({**allow("sqs:SendMessage", queue), "Principal": who, "Condition": where})


def counts(function: Function, name: str, before: Reported, since: datetime, then: Reported) -> None:
    """Report four hours of one metric of a function."""
    world, start = function.world, whole_minute(function.world, HISTORY_MINUTES)
    times = [start + timedelta(minutes=n) for n in range(HISTORY_MINUTES)]
    values = [then if at >= since else before for at in times]
    signals.metric(world, "AWS/Lambda", name, {"FunctionName": function.name}, values, start=start)


def ran(function: Function, a_minute: int, milliseconds: float, since: datetime, then: int = 0) -> None:
    """Report four hours of a function that never fails, and how often it runs from a moment on; with its log."""
    rows = (("Invocations", 1.0), ("Errors", 0.0), ("Throttles", 0.0), ("Duration", milliseconds))
    for name, value in rows:
        counts(function, name, {value: a_minute}, since, {value: then} if then else None)
    world, events = function.world, []
    for minute in range(LOGGED_MINUTES):
        at = whole_minute(world, LOGGED_MINUTES + 30 - minute) + timedelta(seconds=7)
        if then or at < since:
            events += invocation(function, at, milliseconds)
    signals.log(world, f"/aws/lambda/{function.name}", events)


def aging(world: World, function: str, since: datetime, *, usual: float = 900.0) -> None:
    """Report an iterator that stands still from a moment on: its age (ms) rises by a minute each minute."""
    start = whole_minute(world, HISTORY_MINUTES)
    begun = round((since - start).total_seconds() / 60)
    ages: list[Reported] = [usual + 60_000.0 * max(0, minute - begun) for minute in range(HISTORY_MINUTES)]
    signals.metric(world, "AWS/Lambda", "IteratorAge", {"FunctionName": function}, ages, start=start)


def listed(world: World, **members: Any) -> None:
    """Lay members over the only mapping there is: moto knows neither its last result nor its time."""
    [mapping] = world.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    listed = {"EventSourceMappings": [{**mapping, **members}]}
    world.aws.serve("lambda", "ListEventSourceMappings", listed, region=world.region, account=world.account)
