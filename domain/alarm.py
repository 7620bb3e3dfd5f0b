"""CloudWatch alarms: what a message says of one, and what CloudWatch itself says of its transition."""

from enum import StrEnum

from pydantic import AwareDatetime

from domain.evidence import Evidence
from domain.values import Value


class AlarmState(StrEnum):
    """The three states of an alarm."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


class AlarmReference(Value):
    """An alarm's transition as a message told it; what is None the message did not say, and CloudWatch is asked.

    `at` is when the state changed, UTC, and `previous` from which one; `told_by` names the format of the message.
    """

    name: str
    state: AlarmState
    region: str | None = None
    account: str | None = None
    at: AwareDatetime | None = None
    previous: AlarmState | None = None
    reason: str = ""
    description: str = ""
    namespace: str | None = None
    metric: str | None = None
    dimensions: dict[str, str] = {}
    link: str | None = None
    told_by: str = ""


class AlarmKind(StrEnum):
    """What an alarm watches."""

    METRIC = "metric"
    METRIC_MATH = "metric_math"
    ANOMALY_DETECTION = "anomaly_detection"
    COMPOSITE = "composite"


class AlarmTransition(Evidence, kind="alarm.transition"):
    """One alarm as CloudWatch describes it, and the transition that is asked about; `observed_at` is when it happened.

    `resource` is the alarm's ARN. `threshold` is in the metric's unit, None for composite and anomaly alarms;
    `comparison` and `missing_data` are CloudWatch's words ("GreaterThanThreshold", "breaching"). `expression` is a
    metric-math alarm's expression or a composite alarm's rule; `members` are the ARNs of a composite's alarms.
    `for_missing_data` is true when the state follows from data that did not come, not from values. `over_at` is when it
    was OK again, where CloudWatch's history tells.
    """

    name: str
    alarm_kind: AlarmKind
    state: AlarmState
    reason: str = ""
    namespace: str = ""
    metric: str = ""
    dimensions: dict[str, str] = {}
    statistic: str = ""
    period_seconds: int = 60
    threshold: float | None = None
    comparison: str = ""
    missing_data: str = ""
    expression: str = ""
    members: tuple[str, ...] = ()
    for_missing_data: bool = False
    over_at: AwareDatetime | None = None

    def summary(self) -> str:
        """Say which alarm went into which state when, and over what."""
        when = f" at {self.observed_at:%Y-%m-%d %H:%M:%S} UTC" if self.observed_at else ""
        over = f": {self.reason}" if self.reason else ""
        return f"alarm {self.name} went to {self.state.value}{when}{over}"
