"""The names and dimensions of EventBridge's metrics, for the probes that read them and the rules that find them again.

Rules: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html (a rule of the default bus has the
dimension RuleName only). Schedules, of which only groups are counted:
https://docs.aws.amazon.com/scheduler/latest/UserGuide/monitoring-cloudwatch.html
Pipes: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-monitoring.html
"""

from collections.abc import Mapping
from typing import NamedTuple

from domain.resource import Resource
from specialists.eventbridge.evidence import DEFAULT_BUS

EVENTS, SCHEDULES, PIPES, FUNCTIONS = "AWS/Events", "AWS/Scheduler", "AWS/EventBridge/Pipes", "AWS/Lambda"
MINUTE, HOUR = 60, 3600
"""Periods in seconds: of the window, and of the week before it that shows what is usual for rare events."""

MATCHED, TRIGGERED, INVOCATIONS, FAILED = "MatchedEvents", "TriggeredRules", "Invocations", "FailedInvocations"
THROTTLED, RETRIED, TO_DLQ, NOT_TO_DLQ = (
    "ThrottledRules",
    "RetryInvocationAttempts",
    "InvocationsSentToDlq",
    "InvocationsFailedToBeSentToDlq",
)
OF_RULE = (MATCHED, TRIGGERED, INVOCATIONS, FAILED, THROTTLED, RETRIED, "DeadLetterInvocations", TO_DLQ, NOT_TO_DLQ)
ACTIVITY = (MATCHED, TRIGGERED, INVOCATIONS)
"""Any of these above zero shows that a rule is at work."""

PUT, PUT_FAILED = "PutEventsEntriesCount", "PutEventsFailedEntriesCount"
OF_ACCOUNT = (PUT, PUT_FAILED, "PutEventsApproximateSuccessCount")

ATTEMPTS, TARGET_ERRORS, DROPPED = "InvocationAttemptCount", "TargetErrorCount", "InvocationDroppedCount"
GROUP_TO_DLQ, GROUP_NOT_TO_DLQ = "InvocationsSentToDeadLetterCount", "InvocationsFailedToBeSentToDeadLetterCount"
OF_GROUP = (
    ATTEMPTS,
    TARGET_ERRORS,
    "TargetErrorThrottledCount",
    "InvocationThrottleCount",
    DROPPED,
    GROUP_TO_DLQ,
    GROUP_NOT_TO_DLQ,
)

STAGE_FAILED, EXECUTION_FAILED = "TargetStageFailed", "ExecutionFailed"
OF_PIPE = (INVOCATIONS, "EventCount", EXECUTION_FAILED, STAGE_FAILED, "EnrichmentStageFailed", "ExecutionThrottled")

FAILURES = (FAILED, TO_DLQ, TARGET_ERRORS, DROPPED, GROUP_TO_DLQ, STAGE_FAILED, EXECUTION_FAILED)
"""Above zero when what was to be delivered was not, and no other try follows."""

ERRORS, THROTTLES = "Errors", "Throttles"
"""Of functions that are targets."""

UNDELIVERABLE = (NOT_TO_DLQ, GROUP_NOT_TO_DLQ)


class Place(NamedTuple):
    """A rule's name and bus."""

    bus: str
    rule: str


def place_of(rule: Resource) -> Place:
    """Return the bus and name that a rule's ARN tells: `rule/orders/new` is `new` on bus `orders`."""
    path = rule.id.split(":", 5)[-1].removeprefix("rule/")
    bus, _, name = path.rpartition("/")
    return Place(bus or DEFAULT_BUS, name)


def of_rule(place: Place) -> Mapping[str, str]:
    """Return the dimensions of a rule's series."""
    return {"RuleName": place.rule} if place.bus == DEFAULT_BUS else {"EventBusName": place.bus, "RuleName": place.rule}


def group_of(schedule: Resource) -> str:
    """Return the group that a schedule's ARN tells."""
    return schedule.id.split(":", 5)[-1].split("/")[1]
