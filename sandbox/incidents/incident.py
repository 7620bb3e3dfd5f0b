"""What a seeded incident is: where to begin, and what a correct investigation says."""

from datetime import datetime

from domain.values import Value


class Expected(Value):
    """The right answer: the report's status, and the root cause's code and resource unless nothing is wrong."""

    status: str
    cause: str | None = None
    resource: str | None = None
    trigger_event: str | None = None  # CloudTrail's id of the change that started it


class Alarm(Value):
    """The alarm that rang: its name, when and why, and its metric's dimensions."""

    name: str
    at: datetime
    reason: str
    dimensions: dict[str, str] = {}


class Incident(Value):
    """A seeded system.

    All of `root`, `symptoms`, `innocents` and `arns` are ARNs; `arns` has every resource by its name. `now` is the
    moment the scenario is told from, `since` when it began to fail.
    """

    name: str
    trace_id: str
    region: str
    account: str
    now: datetime
    since: datetime | None
    root: str | None
    symptoms: tuple[str, ...] = ()
    innocents: tuple[str, ...] = ()
    arns: dict[str, str] = {}
    alarm: Alarm | None = None
    expected: Expected
