"""Reading Express executions out of their log group: one JSON event a line, like the history that AWS does not keep.

Log format: https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from domain.resource import resource_from_arn
from specialists.contract import Look
from specialists.stepfunctions.evidence import History, Machine
from specialists.stepfunctions.history import ENDS, explain, home_of
from specialists.stepfunctions.targets import machine_id

MAX_PAGES = 4
ENDED_BADLY = tuple(kind for kind in ENDS if kind != "ExecutionSucceeded")


def failed_in(look: Look, machine: Machine, most: int) -> list[str]:
    """Return the newest executions of the machine that the window's log says ended badly."""
    pattern = " ".join(f"?{kind}" for kind in ENDED_BADLY)
    found = [
        str(event["execution_arn"])
        for event in _events(look, machine.log_group, pattern)
        if event.get("type") in ENDED_BADLY and f":{machine.name}:" in str(event.get("execution_arn"))
    ]
    return list(dict.fromkeys(reversed(found)))[:most]


def histories_in(look: Look, machine: Machine, executions: Sequence[str]) -> list[History]:
    """Return what the log tells about these executions; those that it does not know are left out."""
    return [found for arn in executions if (found := _history(look, machine.log_group, arn)) is not None]


def _history(look: Look, group: str, arn: str) -> History | None:
    events = [e for e in _events(look, group, f'"{arn}"') if e.get("execution_arn") == arn]
    if not events:
        return None
    found = explain(events, home_of(arn))
    return History(
        resource=look.target.id,
        source="logs:FilterLogEvents",
        observed_at=found.outcome.at,
        execution_arn=arn,
        machine_arn=machine_id(resource_from_arn(arn)),
        outcome=found.outcome,
        events=len(events),
        complete=found.settled,
    )


def _events(look: Look, group: str, pattern: str) -> Iterator[Mapping[str, Any]]:
    """Yield the window's log events that are JSON objects, oldest first, from a bounded number of pages.

    A line is one event, whole: it is parsed before anything cuts it.
    """
    token = ""
    for _ in range(MAX_PAGES):
        more = {"nextToken": token} if token else {}
        page = look.aws.logs.filter_log_events(
            logGroupName=group,
            startTime=int(look.window.start.timestamp() * 1000),
            endTime=int(look.window.end.timestamp() * 1000),
            filterPattern=pattern,
            limit=1000,
            **more,  # type: ignore[arg-type]  # the stubs know no partial keyword dicts
        )
        for line in sorted(page.get("events", []), key=lambda e: e.get("timestamp", 0)):
            try:
                event = json.loads(line.get("message", ""))
            except ValueError:
                continue
            if isinstance(event, dict):
                yield event
        token = page.get("nextToken", "")
        if not token:
            return
