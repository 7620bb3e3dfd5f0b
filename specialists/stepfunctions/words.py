"""How a failed execution is told in one sentence. Pure."""

import json
import re

from specialists.stepfunctions.claims import Seen
from specialists.stepfunctions.events import payload
from specialists.stepfunctions.outcome import Outcome
from specialists.stepfunctions.refusal import refusal_in

SAYS: dict[str, str] = {
    "sfn-task-failed-lambda": "{in_state} failed: the function {called} raised {why}{tries}",
    "sfn-lambda-unknown": "{in_state} failed: {called} died without an error of its own{tries}",
    "sfn-lambda-toomany": "{in_state} failed: Lambda throttled {called}{tries}",
    "sfn-lambda-service-exception": "{in_state} failed on a passing fault of Lambda, {error}{tries}",
    "sfn-function-not-found": "{in_state} calls {missing}",
    "sfn-role-denied": "The role of {machine} may not do what {a_state} asks for: {why}",
    "sfn-timeout-task": "{in_state} timed out: {called} took longer than {limit}",
    "sfn-execution-timeout": "{machine} timed out as a whole{while_in}",
    "sfn-heartbeat-timeout": "{in_state} timed out: no heartbeat came within {heartbeat}",
    "sfn-data-limit": "{in_state} failed: its data exceeds 256 KB",
    "sfn-jsonpath-missing": "{in_state} failed: a path refers to a field that its input lacks: {why}",
    "sfn-jsonata-error": "{in_state} failed: a JSONata expression could not be evaluated: {why}",
    "sfn-no-choice": "{in_state} failed: no rule fits the value, and there is no Default",
    "sfn-invalid-field-value": "{in_state} failed: a field got an invalid value: {why}",
    "sfn-resultpath-failure": "{in_state} failed: the result cannot be put where ResultPath says",
    "sfn-intrinsic-failure": "{in_state} failed: an intrinsic function got the wrong arguments: {why}",
    "sfn-branch-failed": "{in_state} failed and ended its Parallel state",
    "sfn-child-failed": "{in_state} failed because the execution it started failed: {why}",
    "sfn-map-item-failed": "{in_state} failed on its items or on reading them: {why}",
    "sfn-callback-lost": "{in_state} waited {waited} for a task token that nobody sent back: {why}",
    "sfn-execution-limit": "{in_state} could not start an execution: the quota of open executions is used up",
    "sfn-history-limit": "An execution of {machine} filled its history of 25,000 events",
    "sfn-api-throttle": "{in_state} failed: Step Functions throttled its request: {why}",
    "sfn-explicit-fail": "{machine} ended in the Fail state {state}: {why}",
    "sfn-aborted": "An execution of {machine} was stopped from outside{while_in}",
    "downstream-http-error": "{in_state} failed with {error}: {why}",
    "lambda-unhandled-exception": "{called} raised {why} when {a_state} of {machine} called it",
}
AT_FUNCTION = "{called} failed when {a_state} of {machine} called it: {why}"
AT_CALLED = "{in_state} failed at {called}: {error}: {why}"
MAX_WHY = 200
ASIDE = re.compile(
    r"An error occurred while executing the state '[^']{1,160}' \(entered at the event id #\d{1,9}\)\. "
    r"|(?<=\S) \((?:Service|SDK Attempt Count): [^()]{1,400}\)"
)
"""What AWS wraps around its words: the state, which the sentence names, and the request's id."""


QUALIFIED = re.compile(r":function:(?P<name>[\w-]{1,64}):(?P<qualifier>[\w-]{1,128})")


def sentence(seen: Seen, outcome: Outcome, code: str) -> str:
    """Return what happened, for one cause."""
    default = AT_FUNCTION if code.startswith("lambda-") else AT_CALLED
    return SAYS.get(code, default).format(**_parts(seen, outcome))


def name_of(resource: str) -> str:
    """Return what people call a resource of this id."""
    return resource.rsplit(":", 1)[-1].rsplit("/", 1)[-1]


def why(outcome: Outcome) -> str:
    """Return the failure's own words: those of the function, of the child, or the cause, in one line."""
    own = outcome.function_error
    if own is not None and own.type:
        return _line(f"{own.type}: {own.message}".rstrip(": "))
    told = payload(outcome.cause)
    inner = [told.get(key) for key in ("Error", "Cause", "errorMessage", "StoppedReason")]
    words = [text if isinstance(text, str) else json.dumps(text) for text in inner if text]
    if words:
        return _line(": ".join(words))
    refused = refusal_in(outcome.cause)
    if refused:
        return _line(refused)
    said = outcome.error if outcome.state_type == "Fail" and outcome.error != "ExecutionFailed" else ""
    return _line(": ".join(part for part in (said, ASIDE.sub("", outcome.cause)) if part) or outcome.error)


def _missing(called: str, outcome: Outcome) -> str:
    """Say what does not exist: of an alias or version, AWS's words do not tell whether the function itself does."""
    task = outcome.task
    named = QUALIFIED.search(f"{task.name if task else ''} {outcome.cause}")
    if named is None:
        return f"a function that does not exist: {called}"
    return f"`{named['name']}:{named['qualifier']}`, which does not exist: the function, or its alias or version"


def _parts(seen: Seen, outcome: Outcome) -> dict[str, str]:
    task = outcome.task
    machine, state = f"`{name_of(seen.machine)}`", f"`{outcome.state}`" if outcome.state else ""
    called = (
        f"`{name_of(outcome.called)}`"
        if outcome.called
        else f"`{task.name}`"
        if task and task.name
        else _service(outcome)
    )
    limit = f"{task.timeout_seconds} s" if task and task.timeout_seconds else "its time limit"
    return {
        "machine": machine,
        "state": state,
        "a_state": f"state {state}" if state else "a state",
        "in_state": f"State {state} of {machine}" if state else f"A state of {machine}",
        "called": called,
        "missing": _missing(called, outcome),
        "error": outcome.error,
        "why": why(outcome),
        "limit": limit,
        "heartbeat": f"{task.heartbeat_seconds} s" if task and task.heartbeat_seconds else "its HeartbeatSeconds",
        "waited": f"{task.seconds:.0f} s" if task and task.seconds else "too long",
        "tries": f", {outcome.attempts} times" if outcome.attempts > 1 else "",
        "while_in": f" while it was in state {state}" if state else "",
    }


def _service(outcome: Outcome) -> str:
    service = outcome.task.service if outcome.task else ""
    return {"lambda": "the function", "activity": "the worker", "": "the task"}.get(service, service)


def _line(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= MAX_WHY else flat[: MAX_WHY - 1] + "…"
