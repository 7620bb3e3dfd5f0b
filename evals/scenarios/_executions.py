"""State machines of a scenario: their definitions, executions told event by event as AWS keeps them, their traffic."""

import json
import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from evals.scenarios._functions import HISTORY_MINUTES, whole_minute
from evals.scenarios._journeys import Journey
from sandbox.aws import resources, segments, signals, subsegments
from sandbox.aws.documents import Document, flags
from sandbox.aws.signals import Reported, counted
from sandbox.aws.world import World

STATES = "states.amazonaws.com"
HANDLED = ["Lambda.ServiceException", "Lambda.SdkClientException", "Lambda.TooManyRequestsException"]
"""What the console's own template retries: https://docs.aws.amazon.com/step-functions/latest/dg/bp-lambda-serviceexception.html"""

RETRY = {"ErrorEquals": HANDLED, "IntervalSeconds": 1, "MaxAttempts": 3, "BackoffRate": 2}


class Workflow(NamedTuple):
    """A deployed state machine and where it is."""

    world: World
    name: str
    arn: str
    role_arn: str

    @property
    def session(self) -> str:
        """The principal that its tasks call as."""
        role = self.role_arn.rsplit("/", 1)[-1]
        return f"arn:aws:sts::{self.world.account}:assumed-role/{role}/{self.world.ids.hex(32)}"


def workflow(
    world: World, name: str, states: Mapping[str, Any], *statements: Mapping[str, Any], **top: Any
) -> Workflow:
    """Make a state machine of these states, the first of which begins, and its role; `top` goes into the definition."""
    role_arn = resources.role(world, f"{name}-role", *statements, assumed_by=STATES)
    definition = {"StartAt": next(iter(states)), "States": states, **top}
    return Workflow(world, name, resources.state_machine(world, name, definition, role=role_arn), role_arn)


def lambda_task(function: str, following: str = "", **more: Any) -> dict[str, Any]:
    """Return a state that invokes a function; it ends the machine unless something follows."""
    parameters = {"FunctionName": function, "Payload.$": "$"}
    return task("lambda:invoke", parameters, following, OutputPath="$.Payload", Retry=[RETRY], **more)


def task(integration: str, parameters: Mapping[str, Any], following: str = "", **more: Any) -> dict[str, Any]:
    """Return a state that uses a service integration, as in `dynamodb:putItem`."""
    then = {"Next": following} if following else {"End": True}
    return {
        "Type": "Task",
        "Resource": f"arn:aws:states:::{integration}",
        "Parameters": dict(parameters),
        **more,
        **then,
    }


class Run:
    """One execution. Every step comes `after` so many seconds; `keep` makes AWS answer with it."""

    def __init__(self, machine: Workflow, name: str, began: datetime, data: Mapping[str, Any] | None = None) -> None:
        self.machine = machine
        self.name = name
        self.arn = f"{machine.arn.replace(':stateMachine:', ':execution:')}:{name}"
        self.began = began
        self.input = json.dumps(data or {})
        self.status, self.error, self.cause = "RUNNING", "", ""
        self._at = began
        self._events: list[dict[str, Any]] = []
        self.add("ExecutionStarted", 0.0, input=self.input, roleArn=machine.role_arn)

    @property
    def now(self) -> datetime:
        """The time of the last step."""
        return self._at

    def add(self, kind: str, after: float, *, shared: str = "", follows: int | None = None, **details: Any) -> "Run":
        """Append an event of AWS's type; all states share the names of their details.

        It `follows` the event before it, unless another's number is given, as where branches run side by side.
        """
        number = len(self._events) + 1
        self._at += timedelta(seconds=after)
        key = f"{shared or kind[0].lower() + kind[1:]}EventDetails"
        before = follows if follows is not None else 0 if number < 3 else number - 1
        event = {"id": number, "previousEventId": before, "type": kind, "timestamp": self._at}
        self._events.append({**event, key: details} if details else event)
        return self

    def enter(self, state: str, kind: str = "Task", *, after: float = 0.04) -> "Run":
        """Begin a state."""
        return self.add(f"{kind}StateEntered", after, shared="stateEntered", name=state, input=self.input)

    def leave(self, state: str, kind: str = "Task", *, after: float = 0.01) -> "Run":
        """End a state well."""
        return self.add(f"{kind}StateExited", after, shared="stateExited", name=state, output="{}")

    def ask(self, service: str, operation: str, *, after: float = 0.02, **details: Any) -> "Run":
        """Schedule and start a task; `parameters` are the request's, `timeoutInSeconds` its limit."""
        asked: dict[str, Any] = {"resourceType": service, "resource": operation}
        given = {**details, "parameters": json.dumps(details.get("parameters", {}))}
        self.add("TaskScheduled", after, **asked, region=self.machine.world.region, **given)
        return self.add("TaskStarted", 0.03, **asked)

    def invoke(self, function: str, *, after: float = 0.02) -> "Run":
        """Schedule and start a task that invokes a function."""
        parameters = {"FunctionName": function, "Payload": json.loads(self.input)}
        return self.ask("lambda", "invoke", after=after, parameters=parameters)

    def answer(self, service: str, operation: str, *, after: float) -> "Run":
        """Let the task succeed."""
        return self.add("TaskSucceeded", after, resourceType=service, resource=operation, output="{}")

    def refuse(self, error: str, cause: str, *, after: float = 0.1, kind: str = "TaskFailed") -> "Run":
        """Let the task fail."""
        asked = next(e for e in reversed(self._events) if e["type"] == "TaskScheduled")["taskScheduledEventDetails"]
        where = {key: asked[key] for key in ("resourceType", "resource")}
        return self.add(kind, after, **where, error=error, cause=cause)

    def end(self, status: str, error: str = "", cause: str = "", *, after: float = 0.01) -> "Run":
        """End the execution: SUCCEEDED, FAILED, TIMED_OUT or ABORTED."""
        self.status, self.error, self.cause = status, error, cause
        kind = "Execution" + status.title().replace("_", "")
        said: dict[str, Any] = {key: value for key, value in (("error", error), ("cause", cause)) if value}
        said |= {"output": "{}"} if status == "SUCCEEDED" else {}
        return self.add(kind, after, **said)

    def fail(self, error: str, cause: str, *, after: float = 0.1) -> "Run":
        """Let the task fail, and the execution with it."""
        return self.refuse(error, cause, after=after).end("FAILED", error, cause)

    def keep(self) -> "Run":
        """Let AWS describe it and tell its history, newest event first."""
        world, called = self.machine.world, {"executionArn": self.arn}
        failure = {"error": self.error, "cause": self.cause} if self.error else {}
        described = {**self.listed, "input": self.input, **failure}
        told = (("DescribeExecution", described), ("GetExecutionHistory", {"events": self._events[::-1]}))
        for operation, output in told:
            world.aws.serve("stepfunctions", operation, output, when=called, region=world.region, account=world.account)
        return self

    @property
    def listed(self) -> dict[str, Any]:
        """How ListExecutions shows it."""
        return {
            "executionArn": self.arn,
            "stateMachineArn": self.machine.arn,
            "name": self.name,
            "status": self.status,
            "startDate": self.began,
            **({} if self.status == "RUNNING" else {"stopDate": self._at}),
        }


def list_runs(machine: Workflow, *runs: Run) -> None:
    """Keep executions of a machine, and let ListExecutions answer with them by their status, newest first."""
    world = machine.world
    newest = sorted((run.keep() for run in runs), key=lambda run: run.began, reverse=True)
    for status in ("RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"):
        found = {"executions": [run.listed for run in newest if run.status == status]}
        when = {"stateMachineArn": machine.arn, "statusFilter": status}
        world.aws.serve("stepfunctions", "ListExecutions", found, when=when, region=world.region, account=world.account)


def executions(
    machine: Workflow,
    a_minute: float,
    seconds: float,
    *,
    since: datetime | None = None,
    share: float = 1.0,
    ended: str = "Failed",
    failing: float | None = None,
) -> None:
    """Report four hours of executions; from `since` on a share of them ends so ("Failed", "TimedOut", "Aborted")."""
    noise = random.Random(f"{machine.world.seed} {machine.name}")
    start, where = whole_minute(machine.world, HISTORY_MINUTES), {"StateMachineArn": machine.arn}
    rows: dict[str, list[Reported]] = {f"Executions{kind}": [] for kind in ("Started", "Succeeded", ended)}
    times: list[Reported] = []
    for number in range(HISTORY_MINUTES):
        count = round(a_minute * noise.uniform(0.8, 1.2)) or int(noise.random() < a_minute)
        late = since is not None and start + timedelta(minutes=number) >= since
        bad = sum(noise.random() < share for _ in range(count)) if late else 0
        for name, value in zip(rows, (count, count - bad, bad), strict=True):
            rows[name].append(counted(value))
        shown = {1000 * seconds * noise.uniform(0.9, 1.1): count - bad, 1000 * (failing or seconds): bad}
        times.append({value: number for value, number in shown.items() if number} or None)
    for name, values in rows.items():
        signals.metric(machine.world, "AWS/States", name, where, values, start=start, unit="Count")
    signals.metric(machine.world, "AWS/States", "ExecutionTime", where, times, start=start, unit="Milliseconds")


def machine_changed(machine: Workflow, *, who: str, when: datetime, name: str = "UpdateStateMachine") -> str:
    """Record that somebody changed a state machine. Returns the event's id."""
    kind, request = [("AWS::StepFunctions::StateMachine", machine.arn)], {"stateMachineArn": machine.arn}
    return signals.cloudtrail_event(machine.world, name, "states", kind, who=who, when=when, request=request)


class WorkflowJourney(Journey):
    """A trace that passes through state machines."""

    def start(self, machine: Workflow, after: float, seconds: float, **rest: Any) -> Document:
        """Start an execution, and go on without waiting for it."""
        return subsegments.stepfunctions_call(
            self.place.ids,
            "StartExecution",
            machine.arn,
            self._start(after),
            seconds,
            region=machine.world.region,
            **rest,
        )

    def state(self, name: str, after: float, seconds: float, *calls: Document, failed: bool = False) -> Document:
        """Return a state with its calls."""
        began = self._start(after)
        return subsegments.subsegment(self.place.ids, name, began, seconds, calls=calls, **flags(fault=failed))

    def execution(self, run: Run, seconds: float, *states: Document, failed: bool = False, parent: str = "") -> None:
        """Run a state machine through these states."""
        began, name = run.began.timestamp(), run.machine.name
        document = segments.state_machine_segment(
            self.place, name, run.name, began, seconds, states=states, failed=failed, parent=parent or None
        )
        self.add(document)
