"""Functions of a scenario: deployed with their roles, with hours of traffic behind them, and people who change them."""

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from evals.scenarios._runtimes import Fault
from sandbox.aws import resources, signals
from sandbox.aws.resources import allow
from sandbox.aws.signals import counted, outcomes
from sandbox.aws.world import World

HISTORY_MINUTES = 240
LOGGED_MINUTES = 45
"""How far back the metrics and the logs go."""


class Function(NamedTuple):
    """A deployed function and where it is; `memory` in MB, `timeout` in seconds."""

    world: World
    name: str
    arn: str
    role_arn: str
    memory: int
    timeout: int

    @property
    def role(self) -> str:
        """The role's name."""
        return self.role_arn.rsplit("/", 1)[-1]


def deploy(
    world: World, name: str, runtime: str, *statements: Mapping[str, Any], boundary: str = "", **settings: Any
) -> Function:
    """Make a function and its role, which may log and trace besides what `statements` allow."""
    logging = allow(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], world.arn("logs", "*"))
    tracing = allow(["xray:PutTraceSegments", "xray:PutTelemetryRecords"])
    role_arn = resources.role(world, f"{name}-role", *statements, logging, tracing, boundary=boundary)
    given = {"memory": 256, "timeout": 10, "last_modified": world.ago(days=23), **settings}
    arn = resources.function(world, name, role=role_arn, runtime=runtime, **given)
    return Function(world, name, arn, role_arn, given["memory"], given["timeout"])


def whole_minute(world: World, minutes_ago: int) -> datetime:
    """Return the beginning of a minute."""
    return world.now.replace(second=0, microsecond=0) - timedelta(minutes=minutes_ago)


def traffic(
    function: Function,
    a_minute: int,
    milliseconds: float,
    *,
    fault: Fault | None = None,
    since: datetime | None = None,
    share: float = 1.0,
    lines: Sequence[str] = (),
    logged: bool = True,
) -> None:
    """Report four hours of invocations, and the logs of a sample; from `since` on a share of them ends in `fault`."""
    world = function.world
    noise = random.Random(f"{world.seed} {function.name}")
    first = whole_minute(world, HISTORY_MINUTES)
    counts = [max(1, round(a_minute * noise.uniform(0.9, 1.1))) for _ in range(HISTORY_MINUTES)]
    times = [first + timedelta(minutes=n) for n in range(HISTORY_MINUTES)]
    failed = [
        round(number * share) if fault and since and at >= since else 0
        for at, number in zip(times, counts, strict=True)
    ]
    _report(function, milliseconds, fault.milliseconds if fault else 0.0, list(zip(counts, failed, strict=True)))
    if not logged:
        return
    events: list[tuple[datetime, str]] = []
    for at in times[-LOGGED_MINUTES:]:
        for second in (4, 29, 51):
            moment = at + timedelta(seconds=second, milliseconds=noise.randrange(900))
            fails = fault is not None and since is not None and at >= since and noise.random() < share
            took = noise.gauss(milliseconds, milliseconds / 12)
            events += invocation(function, moment, took, fault=fault if fails else None, lines=lines)
    signals.log(world, f"/aws/lambda/{function.name}", events)


def _report(function: Function, usual: float, failing: float, counts: Sequence[tuple[int, int]]) -> None:
    name = {"FunctionName": function.name}
    rows: tuple[tuple[str, list[Mapping[float, float]], str], ...] = (
        ("Invocations", [counted(n) for n, _ in counts], "Count"),
        ("Errors", [outcomes(f, n) for n, f in counts], "Count"),
        ("Throttles", [outcomes(0, n) for n, _ in counts], "Count"),
        ("Duration", [_durations(n - f, f, usual, failing) for n, f in counts], "Milliseconds"),
        ("ConcurrentExecutions", [{float(max(1, round(n * usual / 40_000))): 1} for n, _ in counts], "Count"),
    )
    for metric, values, unit in rows:
        start = whole_minute(function.world, len(counts))
        signals.metric(function.world, "AWS/Lambda", metric, name, values, start=start, unit=unit)


def _durations(good: int, bad: int, usual: float, failing: float) -> dict[float, float]:
    spread = {usual: good * 0.7, round(usual * 1.3, 2): good * 0.25, round(usual * 1.9, 2): good * 0.05, failing: bad}
    return {value: count for value, count in spread.items() if count}


def invocation(
    function: Function,
    at: datetime,
    milliseconds: float,
    *,
    fault: Fault | None = None,
    lines: Sequence[str] = (),
    request: str = "",
) -> list[tuple[datetime, str]]:
    """Return the log of one invocation, a failed one with how the platform reports its end."""
    used = round(function.memory * 0.37)
    events = signals.invocation_log(
        function.world.ids,
        at,
        fault.milliseconds if fault else max(1.0, milliseconds),
        memory=function.memory,
        used=fault.used or used if fault else used,
        lines=(*lines, *fault.lines) if fault else lines,
    )
    given = events[0][1].split()[2]
    if fault and fault.status:
        kind = f"\tError Type: {fault.error_type}" if fault.error_type else ""
        ended, report = events[-1]
        events[-1] = (ended, f"{report.rstrip()}\tStatus: {fault.status}{kind}\n")
    return [(moment, message.replace(given, request or given)) for moment, message in events]


def changed(function: Function, name: str, /, *, who: str, when: datetime, **request: Any) -> str:
    """Record that somebody changed a function; `name` is CloudTrail's. Returns the event's id."""
    return elsewhere(function.world, name, function.name, who=who, when=when, **request)


def elsewhere(world: World, name: str, function: str, /, *, who: str, when: datetime, **request: Any) -> str:
    """Record a change of a function that is not part of the story. Returns the event's id."""
    asked = {"functionName": function, **request}
    concerned = [("AWS::Lambda::Function", function)]
    return signals.cloudtrail_event(world, name, "lambda", concerned, who=who, when=when, request=asked)


CODE = "UpdateFunctionCode20150331v2"
CONFIGURATION = "UpdateFunctionConfiguration20150331v2"


def role_changed(world: World, name: str, role: str, /, *, who: str, when: datetime, **request: Any) -> str:
    """Record that somebody changed a role. Returns the event's id."""
    concerned, asked = [("AWS::IAM::Role", role)], {"roleName": role, **request}
    return signals.cloudtrail_event(world, name, "iam", concerned, who=who, when=when, request=asked)
