"""The alarm's own metric, read once: since when it reports nothing, and whether it is well again."""

import operator
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from pydantic import AwareDatetime

from aws.clients import Clients
from aws.errors import CALL_ERRORS, classify
from aws.reads import read
from domain.alarm import AlarmTransition
from domain.evidence import Evidence
from domain.gap import GapReason
from domain.values import utc
from orchestrator.alarms.words import measured, number

if TYPE_CHECKING:
    from types_boto3_cloudwatch.type_defs import MetricDataQueryTypeDef

READ = read("cloudwatch", "GetMetricData")
SILENCE_REACH = timedelta(hours=24)
RECOVERY_REACH = timedelta(hours=3)
MOST_POINTS = 1440

BREACHES: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


class MetricSilence(Evidence, kind="alarm.silence"):
    """A metric that stopped reporting; `observed_at` is the start of its last period with data, None for never.

    `metric` names it for people, `reach_hours` is how far back was looked before the alarm's transition.
    """

    metric: str
    reach_hours: float

    def summary(self) -> str:
        """Say since when nothing came."""
        if self.observed_at is None:
            return f"{self.metric} reported nothing in the {self.reach_hours:.0f} h before the alarm"
        return f"{self.metric} last reported at {self.observed_at:%Y-%m-%d %H:%M} UTC"


class _Point(NamedTuple):
    at: AwareDatetime
    value: float


def silence(aws: Clients, transition: AlarmTransition) -> MetricSilence | None:
    """Return since when the alarm's metric has had no data before its transition; None where it has no one metric.

    Raises botocore's errors.
    """
    if not transition.metric or transition.observed_at is None:
        return None
    points = _points(aws, transition, transition.observed_at - SILENCE_REACH, transition.observed_at)
    return MetricSilence(
        resource=transition.resource,
        source=f"cloudwatch:{READ.operation}",
        observed_at=points[-1].at if points else None,
        metric=measured(transition),
        reach_hours=SILENCE_REACH.total_seconds() / 3600,
    )


def recheck(aws: Clients, transition: AlarmTransition, since: datetime) -> str:
    """Say in one sentence how the alarm's metric is after it went back to OK at `since`; one read.

    "`orders` WriteThrottleEvents is back at 0 since 10:07". Empty for an alarm that has no one metric with a
    threshold: composite, metric math, anomaly detection. A metric that cannot be read is said to be so, not raised.
    """
    breaches = BREACHES.get(transition.comparison)
    if not transition.metric or breaches is None or transition.threshold is None:
        return ""
    name = measured(transition)
    start = max(transition.observed_at or since - RECOVERY_REACH, since - RECOVERY_REACH)
    try:
        points = _points(aws, transition, start, since + RECOVERY_REACH)
    except CALL_ERRORS as error:
        failure = classify(error)
        denied = failure.reason is GapReason.ACCESS_DENIED
        return f"{name} could not be read again" + (f": grant {READ.action}" if denied else f" ({failure.code})")
    if not points:
        return f"{name} has reported nothing since {start:%H:%M} UTC"
    last, limit = points[-1], transition.threshold
    if breaches(last.value, limit):
        return f"{name} is still at {number(last.value)} at {last.at:%H:%M} UTC (threshold {number(limit)})"
    well = next(p for index, p in enumerate(points) if not any(breaches(q.value, limit) for q in points[index:]))
    return f"{name} is back at {number(last.value)} since {well.at:%H:%M} UTC"


def _points(aws: Clients, transition: AlarmTransition, start: datetime, end: datetime) -> list[_Point]:
    """Return the metric's points as the alarm computes them, the oldest first; at most a day of minutes."""
    period = max(transition.period_seconds, 60)
    query: MetricDataQueryTypeDef = {
        "Id": "m1",
        "MetricStat": {
            "Metric": {
                "Namespace": transition.namespace,
                "MetricName": transition.metric,
                "Dimensions": [{"Name": name, "Value": value} for name, value in transition.dimensions.items()],
            },
            "Period": period,
            "Stat": transition.statistic or "Sum",
        },
    }
    answer = aws.cloudwatch.get_metric_data(
        MetricDataQueries=[query],
        StartTime=max(utc(start), utc(end) - timedelta(seconds=period * MOST_POINTS)),
        EndTime=utc(end),
        ScanBy="TimestampDescending",
        MaxDatapoints=MOST_POINTS,
    )
    results = answer.get("MetricDataResults", [])
    pairs = zip(results[0].get("Timestamps", []), results[0].get("Values", []), strict=False) if results else ()
    return sorted(_Point(utc(at), value) for at, value in pairs)
