"""Alarms of a scenario: what they watch, when they rang, and whether they were over soon."""

from collections.abc import Mapping
from datetime import datetime

from sandbox.aws import signals
from sandbox.aws.alarms import Transition
from sandbox.aws.world import World


def rang(at: datetime, value: float, threshold: float, *, over: datetime | None = None) -> list[Transition]:
    """Return how an alarm went to ALARM in CloudWatch's words, and back to OK where it is over."""
    crossed = f"Threshold Crossed: 1 datapoint [{value:.1f} ({at:%d/%m/%y %H:%M:00})] was greater than {threshold:.1f}."
    back = f"Threshold Crossed: 1 datapoint [0.0] was not greater than the threshold ({threshold:.1f})."
    return [(at, "ALARM", crossed), *([(over, "OK", back)] if over else [])]


def metric_alarm(
    world: World,
    name: str,
    watches: tuple[str, str],
    where: Mapping[str, str],
    at: datetime,
    *,
    value: float,
    threshold: float,
    over: datetime | None = None,
    statistic: str = "Sum",
) -> str:
    """Make an alarm on a metric (namespace, name) that rang at a moment; returns what people type to ask about it."""
    transitions = rang(at, value, threshold, over=over)
    signals.alarm(world, name, *watches, where, threshold=threshold, statistic=statistic, transitions=transitions)
    return f"alarm {name}"
