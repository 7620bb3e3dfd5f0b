"""Why an execution ended as it did, from the events of its history in any order. Pure.

The failed state is found by walking back from the last event over `previousEventId`: through Map iterations and
Parallel branches into the state where the failure began, and past retries that failed the same way. Event types:
https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html
"""

import re
from collections.abc import Iterable, Mapping
from itertools import islice, pairwise
from typing import Any, NamedTuple

from domain.arn import Arn
from specialists.stepfunctions.events import Event, Events, payload
from specialists.stepfunctions.outcome import FunctionError, Outcome, Task
from specialists.stepfunctions.tasks import Home, task_of

ENDS = {
    "ExecutionFailed": "FAILED",
    "ExecutionTimedOut": "TIMED_OUT",
    "ExecutionAborted": "ABORTED",
    "ExecutionSucceeded": "SUCCEEDED",
}
REDRIVEN = "ExecutionRedriven"
FAILS = re.compile(
    r"(?:Task|LambdaFunction|Activity)(?:Failed|TimedOut|ScheduleFailed|StartFailed|SubmitFailed)"
    r"|EvaluationFailed|MapRunFailed"
)
"""Types of events that hold an error of their own."""

WORKS = re.compile(r"Task|LambdaFunction|Activity")

IN_STATE = re.compile(
    r"(?:executing the state|[Tt]he state(?:/task)?) '([^']{1,160})'(?: \(entered at the event id #(\d{1,9})\))?"
)
"""How AWS's own causes name the state."""

CONTAINERS = frozenset({"Map", "Parallel"})
MAX_TEXT = 2_000
MAX_BACK = 200
"""How far back the error behind a Fail state is looked for."""


class Explained(NamedTuple):
    """What the events tell; `settled` when reading older ones could not tell more."""

    outcome: Outcome
    settled: bool


def explain(raw: Iterable[Mapping[str, Any]], home: Home | None = None) -> Explained:
    """Return how the execution of these events ended; `raw` are AWS's events, or those of an Express log."""
    events = Events(raw)
    where = home or Home()
    role = next((e.text("roleArn") for e in events.ordered if e.type == "ExecutionStarted"), "")
    last = next((e for e in reversed(events.ordered) if e.type in ENDS or e.type == REDRIVEN), None)
    if last is None or last.type == REDRIVEN:
        outcome = _standing(events, "RUNNING", where)
    elif last.type == "ExecutionSucceeded":
        outcome = Outcome(status="SUCCEEDED", at=last.at)
    elif last.type == "ExecutionFailed":
        outcome = _failed(events, last, where)
    else:
        outcome = _stopped(events, last, where)
    found = outcome.model_copy(update={"role_arn": role})
    looked_behind = outcome.state_type != "Fail" or outcome.behind is not None
    return Explained(
        found, events.whole or outcome.status == "SUCCEEDED" or (outcome.state is not None and looked_behind)
    )


def described(status: str, error: str, cause: str) -> Outcome:
    """Return what an error and a cause alone tell, where there is no history: not the type of the failed state."""
    words = IN_STATE.search(cause[:MAX_TEXT])
    told = payload(cause)
    return Outcome(
        status=status,
        error=error[:256],
        cause=cause[:MAX_TEXT],
        state=words[1] if words else None,
        function_error=_function_error(cause, told),
        child=_child(told, ()),
    )


def home_of(arn: str) -> Home:
    """Return the account and Region of an execution or a state machine."""
    try:
        parsed = Arn.parse(arn)
    except ValueError:
        return Home()
    return Home(parsed.account, parsed.region)


def _failed(events: Events, end: Event, home: Home) -> Outcome:
    state, path = _path(events, end)
    fed = _feeder(events, state, home) if state is not None else None
    outcome = _outcome_at(end, state, path, home).model_copy(update={"fed_by": fed})
    if outcome.state_type == "Fail" and state is not None:
        return outcome.model_copy(update={"behind": _caught(events, state, outcome.error, home)})
    inner = next((e for e in path if FAILS.fullmatch(e.type)), None)
    if inner is not None and inner.text("error") not in {"", outcome.error}:
        return outcome.model_copy(update={"behind": _outcome_at(inner, *_path(events, inner, first=inner), home)})
    return outcome


def _feeder(events: Events, state: Event, home: Home) -> str | None:
    """Return the function whose task was the last one to answer before a state; None where another service's was."""
    answered = False
    for event in islice(events.chain(state), MAX_BACK):
        answered = answered or event.type in {"TaskSucceeded", "LambdaFunctionSucceeded"}
        if event.schedules:
            task = task_of(event, None, home)
            return task.called if answered and task.service == "lambda" else None
    return None


def _path(events: Events, end: Event, *, first: Event | None = None) -> tuple[Event | None, list[Event]]:
    """Return the state in which the end began, and the events between them, nearest to the end first."""
    path = [first] if first else []
    for event in events.chain(end):
        if event.enters or event.exits:
            return _corrected(events, end, event), path
        path.append(event)
    return _corrected(events, end, None), path


def _corrected(events: Events, end: Event, state: Event | None) -> Event | None:
    """Prefer the state that AWS's own words name by its event, save for a Fail state: it repeats others' words."""
    if state is not None and state.type == "FailStateEntered":
        return state
    named = IN_STATE.search(end.text("cause")[:MAX_TEXT])
    entered = events.get(int(named[2])) if named and named[2] else None
    return entered if entered is not None and entered.enters else state


def _outcome_at(end: Event, state: Event | None, path: list[Event], home: Home) -> Outcome:
    failing = next((e for e in path if FAILS.fullmatch(e.type)), None)
    scheduled = [e for e in path if e.schedules]
    evaluated = failing.text("state") if failing else ""
    cause = end.text("cause") or (failing.text("cause") if failing and not end.text("error") else "")
    words = IN_STATE.search(cause[:MAX_TEXT])
    name = state.text("name") if state else evaluated or (words[1] if words else "")
    told = payload(cause)
    return Outcome(
        status=ENDS.get(end.type, "FAILED"),
        error=(end.text("error") or (failing.text("error") if failing else "") or end.type)[:256],
        cause=cause[:MAX_TEXT],
        event=failing.type if failing else "",
        state=name or None,
        state_type=_type(state) if state else None,
        task=_task(scheduled, failing, home),
        attempts=len(scheduled),
        at=end.at or (failing.at if failing else None),
        function_error=_function_error(cause, told),
        child=_child(told, path),
        map_run=next((e.text("mapRunArn") for e in path if e.type == "MapRunStarted"), None),
    )


def _task(scheduled: list[Event], failing: Event | None, home: Home) -> Task | None:
    """Return what was asked for; a log of errors only has no Scheduled events, but failures name their service too."""
    if scheduled:
        return task_of(scheduled[0], failing, home)
    return task_of(failing, None, home) if failing and WORKS.match(failing.type) else None


def _caught(events: Events, fail: Event, error: str, home: Home) -> Outcome | None:
    """Return the failure that a Catch turned into the way to this Fail state.

    A Choice on the way may have other reasons, unless the Fail state repeats the error; a failure that was retried is
    followed by another attempt and is no reason at all.
    """
    chosen = False
    way = [fail, *islice(events.chain(fail), MAX_BACK)]
    for later, event in pairwise(way):
        chosen = chosen or event.type == "ChoiceStateEntered"
        if not FAILS.fullmatch(event.type) or later.schedules:
            continue
        if chosen and event.text("error") != error:
            return None
        return _outcome_at(event, *_path(events, event, first=event), home)
    return None


def _stopped(events: Events, end: Event, home: Home) -> Outcome:
    """Return how a stopped or timed-out execution stood at its end: its history ends wherever it happened to be."""
    standing = _standing(events, ENDS[end.type], home)
    return standing.model_copy(
        update={
            "error": (end.text("error") or end.type)[:256],
            "cause": end.text("cause")[:MAX_TEXT],
            "at": end.at,
        }
    )


def _standing(events: Events, status: str, home: Home) -> Outcome:
    state = _open_state(events)
    if state is None:
        return Outcome(status=status)
    own = [e for e in events.ordered if e.id > state.id and _within(events, e, state)]
    scheduled = next((e for e in reversed(own) if e.schedules), None)
    answered = scheduled is not None and any(e.id > scheduled.id and e.type.endswith("Succeeded") for e in own)
    return Outcome(
        status=status,
        state=state.text("name") or None,
        state_type=_type(state),
        task=task_of(scheduled, None, home) if scheduled and not answered else None,
        attempts=sum(e.schedules for e in own),
        at=state.at,
        child=_child({}, list(reversed(own))),
    )


def _open_state(events: Events) -> Event | None:
    """Return the state that was entered first of those never left; one inside a Map rather than the Map."""
    closed: set[int] = set()
    for event in events.ordered:
        if event.exits:
            closed.update(_entry(events, event, event.text("name")))
        elif event.type in {"MapIterationFailed", "MapStateFailed", "ParallelStateFailed"}:
            closed.update(_entry(events, event, ""))
    still = [e for e in events.ordered if e.enters and e.id not in closed]
    leaves = [e for e in still if _type(e) not in CONTAINERS]
    return next(iter(leaves or still), None)


def _entry(events: Events, event: Event, name: str) -> list[int]:
    """Return the id of the Entered event that a boundary belongs to: of that name, or the nearest without one."""
    for earlier in events.chain(event):
        if earlier.enters and name in {"", earlier.text("name")}:
            return [earlier.id]
        if earlier.exits and not name:
            return []
    return []


def _within(events: Events, event: Event, state: Event) -> bool:
    for earlier in events.chain(event):
        if earlier.enters:
            return earlier.id == state.id
    return False


def _type(state: Event) -> str:
    return state.type.removesuffix("StateEntered").removesuffix("StateExited")


def _function_error(cause: str, told: Mapping[str, Any]) -> FunctionError | None:
    """Return a Lambda function's own error: the payload that every runtime returns has these members."""
    if "errorMessage" in told or "errorType" in told:
        return FunctionError(
            type=str(told.get("errorType") or "")[:256], message=str(told.get("errorMessage") or "")[:MAX_TEXT]
        )
    return FunctionError(message=cause[:MAX_TEXT]) if '"errorMessage"' in cause[:MAX_TEXT] else None


def _child(told: Mapping[str, Any], path: Iterable[Event]) -> str | None:
    """Return the execution that the task started: as its failure names it, else as the start answered."""
    answers = [told, *(payload(e.details.get("output")) for e in path if e.type == "TaskSubmitted")]
    named = (str(answer.get("ExecutionArn") or answer.get("executionArn") or "") for answer in answers)
    return next((arn[:512] for arn in named if ":execution:" in arn or ":express:" in arn), None)
