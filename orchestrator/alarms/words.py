"""Alarms in sentences."""

from domain.alarm import AlarmKind, AlarmTransition

KINDS: dict[AlarmKind, str] = {
    AlarmKind.METRIC: "",
    AlarmKind.METRIC_MATH: ", computed from several metrics",
    AlarmKind.ANOMALY_DETECTION: ", outside the band that anomaly detection expects",
    AlarmKind.COMPOSITE: ", by the alarms that it is made of",
}


def told(transition: AlarmTransition) -> str:
    """Say what an alarm did, and on what ground: "alarm `orders-5xx` went to ALARM, over data that did not come"."""
    ground = ", over data that did not come" if transition.for_missing_data else KINDS[transition.alarm_kind]
    metric = f" ({measured(transition)})" if transition.metric else ""
    return f"alarm `{transition.name}`{metric} went to {transition.state.value}{ground}"


def measured(transition: AlarmTransition) -> str:
    """Name the alarm's metric and whose it is: "`orders` WriteThrottleEvents"."""
    whose = next(iter(transition.dimensions.values()), "")
    name = whose.rsplit(":", 1)[-1] if whose.startswith("arn:") else whose
    return f"`{name}` {transition.metric}" if name else f"{transition.namespace} {transition.metric}"


def number(value: float) -> str:
    """Write a measured value: 12, 0.5, 1,180."""
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 1000 else f"{value:.3g}"
