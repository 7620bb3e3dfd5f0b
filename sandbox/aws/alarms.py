"""Alarms of the kinds that moto cannot make, and what happened to any alarm: its history, as CloudWatch writes it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sandbox.aws.seeds import AlarmTransition
from sandbox.aws.world import World

Transition = tuple[datetime, str, str]
"""A time, the new state, and the reason in CloudWatch's words; the state before the first is OK."""

Dimensions = Mapping[str, str]


def metric_math(
    world: World,
    name: str,
    expression: str,
    metrics: Mapping[str, tuple[str, str, Dimensions]],
    *,
    threshold: float = 1,
    transitions: Sequence[Transition] = (),
) -> str:
    """Make an alarm on an expression; `metrics` are (namespace, name, dimensions) by id. Returns its ARN."""
    queries = [{"Id": "e1", "Expression": expression, "ReturnData": True}]
    return _alarm(
        world,
        name,
        transitions,
        Metrics=[*queries, *(_query(key, *metric) for key, metric in metrics.items())],
        Threshold=threshold,
        ComparisonOperator="GreaterThanThreshold",
    )


def anomaly(
    world: World,
    name: str,
    namespace: str,
    metric: str,
    dimensions: Dimensions,
    *,
    transitions: Sequence[Transition] = (),
) -> str:
    """Make an anomaly-detection alarm: its threshold is a band. Returns its ARN."""
    band = {"Id": "ad1", "Expression": "ANOMALY_DETECTION_BAND(m1, 2)", "ReturnData": True}
    return _alarm(
        world,
        name,
        transitions,
        Metrics=[_query("m1", namespace, metric, dimensions), band],
        ThresholdMetricId="ad1",
        ComparisonOperator="LessThanLowerOrGreaterThanUpperThreshold",
    )


def composite(world: World, name: str, rule: str, *, transitions: Sequence[Transition] = ()) -> str:
    """Make a composite alarm. Returns its ARN."""
    arn = world.arn("cloudwatch", f"alarm:{name}")
    record = {"AlarmName": name, "AlarmArn": arn, "AlarmRule": rule, "StateValue": "OK"}
    world.seeds.alarms[name] = record
    happened(world, name, transitions, alarm_type="CompositeAlarm")
    return arn


def happened(
    world: World,
    name: str,
    transitions: Sequence[Transition],
    *,
    data: Mapping[str, Any] | None = None,
    alarm_type: str = "MetricAlarm",
) -> None:
    """Write an alarm's changes of state into its history; `data` is what each was decided from."""
    before = "OK"
    for at, state, reason in transitions:
        new = {"stateValue": state, "stateReason": reason, **({"stateReasonData": data} if data else {})}
        record = {"version": "1.0", "oldState": {"stateValue": before}, "newState": new}
        summary = f"Alarm updated from {before} to {state}"
        world.seeds.alarm_history.append(AlarmTransition(name, at, "StateUpdate", summary, record, alarm_type))
        before = state


def deleted(
    world: World, name: str, at: datetime, namespace: str, metric: str, dimensions: Dimensions, **members: Any
) -> None:
    """Write the line that an alarm's deletion leaves in its history; `members` are further ones of the alarm."""
    was = {
        "alarmName": name,
        "namespace": namespace,
        "metricName": metric,
        "dimensions": [{"name": key, "value": value} for key, value in dimensions.items()],
        "period": 60,
        "evaluationPeriods": 1,
        "statistic": "Sum",
        **members,
    }
    record = {"version": "1.0", "type": "Delete", "deletedAlarm": was}
    world.seeds.alarm_history.append(
        AlarmTransition(name, at, "ConfigurationUpdate", f'Alarm "{name}" deleted', record)
    )


def _alarm(world: World, name: str, transitions: Sequence[Transition], **members: Any) -> str:
    arn = world.arn("cloudwatch", f"alarm:{name}")
    world.seeds.alarms[name] = {
        "AlarmName": name,
        "AlarmArn": arn,
        "StateValue": "OK",
        "EvaluationPeriods": 1,
        "TreatMissingData": "missing",
        **members,
    }
    happened(world, name, transitions)
    return arn


def _query(key: str, namespace: str, metric: str, dimensions: Dimensions) -> dict[str, Any]:
    named = [{"Name": name, "Value": value} for name, value in dimensions.items()]
    stat = {
        "Metric": {"Namespace": namespace, "MetricName": metric, "Dimensions": named},
        "Period": 60,
        "Stat": "Sum",
    }
    return {"Id": key, "MetricStat": stat, "ReturnData": key == "m1"}
