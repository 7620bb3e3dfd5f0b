"""An alarm as CloudWatch describes it, whatever kind it is, in one shape.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from aws.clients import Clients
from aws.reads import read
from domain.alarm import AlarmKind, AlarmReference, AlarmState
from domain.resource import Resource
from domain.values import utc
from orchestrator.resolve import Where, alarm_resource
from orchestrator.texts import read_json

if TYPE_CHECKING:
    from types_boto3_cloudwatch.type_defs import CompositeAlarmTypeDef, MetricAlarmTypeDef, MetricDataQueryOutputTypeDef

DESCRIBE = read("cloudwatch", "DescribeAlarms")
NAMES_PER_CALL = 100
BAND = "ANOMALY_DETECTION_BAND"
SEARCHES = re.compile(r"\b(?:SEARCH\s*\(|SELECT\s)", re.IGNORECASE)
"""A search expression, or a Metrics Insights query: which metrics it found, the alarm does not say."""


class Watched(NamedTuple):
    """A metric that an alarm reads; `account` is set where the metric is another account's."""

    namespace: str
    metric: str
    dimensions: Mapping[str, str]
    statistic: str = ""
    period_seconds: int = 60
    account: str = ""


class Described(NamedTuple):
    """An alarm's configuration and present state; `source` is the look, or the message, that tells it.

    `expression` is what its metrics are computed with, or a composite's rule. `evaluation` is the time its decision
    looks back over.
    """

    arn: str
    name: str
    kind: AlarmKind
    source: str
    state: AlarmState
    reason: str = ""
    reason_data: Mapping[str, Any] = {}
    changed_at: datetime | None = None
    metrics: tuple[Watched, ...] = ()
    expression: str = ""
    threshold: float | None = None
    comparison: str = ""
    missing_data: str = ""
    evaluation: timedelta = timedelta()

    @property
    def searches(self) -> bool:
        """Whether it finds its metrics anew each time."""
        return self.kind is not AlarmKind.COMPOSITE and bool(SEARCHES.search(self.expression))


def describe(aws: Clients, names: Sequence[str]) -> dict[str, Described]:
    """Return the alarms that exist under these names (100 at most)."""
    answer = aws.cloudwatch.describe_alarms(
        AlarmNames=list(names[:NAMES_PER_CALL]),
        AlarmTypes=["MetricAlarm", "CompositeAlarm"],
        MaxRecords=NAMES_PER_CALL,
    )
    found = [*map(_metric_alarm, answer.get("MetricAlarms", [])), *map(_composite, answer.get("CompositeAlarms", []))]
    return {alarm.name: alarm for alarm in found}


def as_resource(reference: AlarmReference, where: Where) -> Resource:
    """Return the alarm itself, in the account and Region that the message names."""
    home = where._replace(account=reference.account or where.account, region=reference.region or where.region)
    return alarm_resource(reference.name, home)


def as_told(reference: AlarmReference, where: Where) -> Described:
    """Return what a message says of an alarm, for when CloudWatch cannot be asked or knows it no more."""
    metric = Watched(reference.namespace or "", reference.metric or "", reference.dimensions)
    return Described(
        arn=as_resource(reference, where).id,
        name=reference.name,
        kind=AlarmKind.METRIC,
        source=as_source(reference),
        state=reference.state,
        reason=reference.reason,
        metrics=(metric,) if metric.namespace and metric.metric else (),
    )


def as_source(reference: AlarmReference) -> str:
    """Name the message as where an observation is from."""
    return f"message:{reference.told_by or 'words'}"


def reason_data(text: Any) -> Mapping[str, Any]:
    """Return the JSON of an alarm's StateReasonData, which is a text where it comes from DescribeAlarms."""
    value = read_json(text) if isinstance(text, str) else text
    return value if isinstance(value, Mapping) else {}


def _metric_alarm(alarm: "MetricAlarmTypeDef") -> Described:
    queries = alarm.get("Metrics", [])
    computed = sorted((q for q in queries if q.get("Expression")), key=lambda q: not q.get("ReturnData"))
    expression = computed[0].get("Expression", "") if computed else ""
    anomaly = bool(alarm.get("ThresholdMetricId")) or BAND in expression
    single = Watched(
        alarm.get("Namespace", ""),
        alarm.get("MetricName", ""),
        {d.get("Name", ""): d.get("Value", "") for d in alarm.get("Dimensions", [])},
        alarm.get("Statistic") or alarm.get("ExtendedStatistic", ""),
        alarm.get("Period") or 60,
    )
    metrics = tuple(_watched(q) for q in queries if q.get("MetricStat")) or ((single,) if single.metric else ())
    period = max([m.period_seconds for m in metrics] + [q.get("Period") or 0 for q in queries], default=60)
    changed = alarm.get("StateTransitionedTimestamp") or alarm.get("StateUpdatedTimestamp")
    return Described(
        arn=alarm.get("AlarmArn", ""),
        name=alarm.get("AlarmName", ""),
        kind=AlarmKind.ANOMALY_DETECTION if anomaly else AlarmKind.METRIC_MATH if expression else AlarmKind.METRIC,
        source="cloudwatch:DescribeAlarms",
        state=AlarmState(alarm.get("StateValue", "OK")),
        reason=alarm.get("StateReason", ""),
        reason_data=reason_data(alarm.get("StateReasonData")),
        changed_at=utc(changed) if changed else None,
        metrics=metrics,
        expression=expression,
        threshold=None if anomaly else alarm.get("Threshold"),
        comparison=alarm.get("ComparisonOperator", ""),
        missing_data=alarm.get("TreatMissingData") or "missing",
        evaluation=timedelta(seconds=period * (alarm.get("EvaluationPeriods") or 1)),
    )


def _watched(query: "MetricDataQueryOutputTypeDef") -> Watched:
    stat = query["MetricStat"]
    metric = stat["Metric"]
    return Watched(
        metric.get("Namespace", ""),
        metric.get("MetricName", ""),
        {d.get("Name", ""): d.get("Value", "") for d in metric.get("Dimensions", [])},
        stat["Stat"],
        stat["Period"],
        query.get("AccountId", ""),
    )


def _composite(alarm: "CompositeAlarmTypeDef") -> Described:
    changed = alarm.get("StateTransitionedTimestamp") or alarm.get("StateUpdatedTimestamp")
    return Described(
        arn=alarm.get("AlarmArn", ""),
        name=alarm.get("AlarmName", ""),
        kind=AlarmKind.COMPOSITE,
        source="cloudwatch:DescribeAlarms",
        state=AlarmState(alarm.get("StateValue", "OK")),
        reason=alarm.get("StateReason", ""),
        reason_data=reason_data(alarm.get("StateReasonData")),
        changed_at=utc(changed) if changed else None,
        expression=alarm.get("AlarmRule", ""),
    )
