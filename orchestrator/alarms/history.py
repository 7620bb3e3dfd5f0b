"""When an alarm changed its state, and why, by CloudWatch's own history, which outlives the alarm.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarmHistory.html
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from aws.clients import Clients
from aws.reads import read
from domain.alarm import AlarmKind, AlarmState
from domain.values import utc
from orchestrator.alarms.described import Described, Watched, reason_data
from orchestrator.texts import read_json
from orchestrator.when import iso_time

if TYPE_CHECKING:
    from types_boto3_cloudwatch.literals import HistoryItemTypeType

HISTORY = read("cloudwatch", "DescribeAlarmHistory")
MOST = 100
"""Lines that are read: one call's worth, the newest before the moment in question."""

ITS_OWN = timedelta(hours=1)
"""How far from the time that a message tells a transition of the history may lie and still be the one it tells of."""

CLOCKS = timedelta(minutes=1)
"""By how much a message's time and CloudWatch's may differ."""


class Transition(NamedTuple):
    """One change of state; `data` is what the decision was made from, empty where CloudWatch gave a sentence only.

    `over` is when the alarm was OK again, where the history tells.
    """

    at: datetime
    state: AlarmState
    reason: str = ""
    data: Mapping[str, Any] = {}
    source: str = "cloudwatch:DescribeAlarmHistory"
    over: datetime | None = None


def transitions(aws: Clients, name: str, until: datetime) -> tuple[Transition, ...]:
    """Return the alarm's changes of state up to a moment, the newest first."""
    return tuple(t for at, data in _lines(aws, name, "StateUpdate", until) if (t := _transition(at, data)))


def nearest(
    known: Sequence[Transition], state: AlarmState, at: datetime | None, *, before: bool = False
) -> Transition | None:
    """Return the change to a state that a moment tells of; the newest when no moment is told.

    With `before` the moment is the end of what is asked about, and the change before it is wanted.
    """
    fitting = [t for t in known if t.state is state]
    if at is not None and before:
        fitting = [t for t in fitting if t.at <= at + CLOCKS]
    elif at is not None:
        fitting = sorted((t for t in fitting if abs(t.at - at) <= ITS_OWN), key=lambda t: (abs(t.at - at), t.at))
    return fitting[0]._replace(over=_over(known, fitting[0])) if fitting else None


def _over(known: Sequence[Transition], change: Transition) -> datetime | None:
    """When the alarm next was OK after a change."""
    return min((t.at for t in known if t.state is AlarmState.OK and t.at > change.at), default=None)


def state_at(known: Sequence[Transition], moment: datetime) -> AlarmState | None:
    """Return the state that an alarm was in at a moment, None when the history begins later."""
    return next((t.state for t in known if t.at <= moment + CLOCKS), None)


def deleted(aws: Clients, name: str, arn: str, until: datetime) -> Described | None:
    """Return how a deleted alarm was configured, by the line that its deletion or last update left."""
    for _, data in _lines(aws, name, "ConfigurationUpdate", until):
        for key in ("deletedAlarm", "updatedAlarm", "createdAlarm"):
            if isinstance(was := data.get(key), Mapping):
                return _as_it_was(was, name, arn)
    return None


def _lines(
    aws: Clients, name: str, kind: "HistoryItemTypeType", until: datetime
) -> Iterator[tuple[datetime, Mapping[str, Any]]]:
    answer = aws.cloudwatch.describe_alarm_history(
        AlarmName=name,
        AlarmTypes=["MetricAlarm", "CompositeAlarm"],
        HistoryItemType=kind,
        EndDate=until,
        MaxRecords=MOST,
        ScanBy="TimestampDescending",
    )
    for item in answer.get("AlarmHistoryItems", []):
        data, at = read_json(item.get("HistoryData", "")), item.get("Timestamp")
        if isinstance(data, Mapping) and at is not None:
            yield utc(at), data


def _transition(at: datetime, data: Mapping[str, Any]) -> Transition | None:
    new = data.get("newState")
    if not isinstance(new, Mapping) or str(new.get("stateValue")) not in frozenset(AlarmState):
        return None
    return Transition(
        at, AlarmState(new["stateValue"]), str(new.get("stateReason", "")), reason_data(new.get("stateReasonData"))
    )


def _as_it_was(was: Mapping[str, Any], name: str, arn: str) -> Described:
    """Read the configuration that a history line holds: DescribeAlarms' members, spelt in lower camel case."""
    rule, period, periods = was.get("alarmRule"), was.get("period"), was.get("evaluationPeriods")
    seconds = period if isinstance(period, int) else 60
    times = periods if isinstance(periods, int) else 1
    threshold = was.get("threshold")
    dimensions = was.get("dimensions")
    named = {
        str(d.get("name", "")): str(d.get("value", ""))
        for d in (dimensions if isinstance(dimensions, list) else [])
        if isinstance(d, Mapping)
    }
    metric = Watched(
        str(was.get("namespace", "")), str(was.get("metricName", "")), named, str(was.get("statistic", "")), seconds
    )
    return Described(
        arn=arn,
        name=name,
        kind=AlarmKind.COMPOSITE if rule else AlarmKind.METRIC,
        source="cloudwatch:DescribeAlarmHistory",
        state=AlarmState.OK,
        metrics=(metric,) if metric.metric else (),
        expression=str(rule or ""),
        threshold=float(threshold) if isinstance(threshold, int | float) else None,
        comparison=str(was.get("comparisonOperator", "")),
        missing_data=str(was.get("treatMissingData", "")) or "missing",
        evaluation=timedelta(seconds=seconds * times),
    )


def began(transition: Transition) -> datetime | None:
    """Return when the data that decided the transition begin."""
    return iso_time(transition.data.get("startDate"))
