"""Small builders for executions of one state machine, so that a test shows its history in a line or two."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from domain.evidence import Evidence
from domain.findings import Advice, Fact, Hypothesis, Strength
from domain.graph import ServiceGraph
from domain.resource import resource_from_arn
from domain.trace import TraceCall, TracedError, TraceSegment
from specialists.contract import Case
from specialists.kit.change import Change
from specialists.kit.series import MetricSeries, Point
from specialists.stepfunctions import SPECIALIST
from specialists.stepfunctions.definition import StateDefinition
from specialists.stepfunctions.evidence import Execution, History, Machine
from specialists.stepfunctions.history import explain, home_of
from specialists.stepfunctions.outcome import Outcome
from tests.support.probing import WINDOW, case_of, findings

HERE = "eu-west-1:123456789012"
MACHINE = f"arn:aws:states:{HERE}:stateMachine:checkout"
EXECUTION = f"arn:aws:states:{HERE}:execution:checkout:run-1"
EXPRESS = f"arn:aws:states:{HERE}:express:checkout:run-1:6a2c"
CHILD_MACHINE = f"arn:aws:states:{HERE}:stateMachine:shipping"
CHILD = f"arn:aws:states:{HERE}:execution:shipping:run-9"
FUNCTION = f"arn:aws:lambda:{HERE}:function:charge"
TABLE = f"arn:aws:dynamodb:{HERE}:table/orders"
QUEUE = f"arn:aws:sqs:{HERE}:approvals"
TOPIC = f"arn:aws:sns:{HERE}:news"
ROLE = "arn:aws:iam::123456789012:role/checkout-role"
START = WINDOW.start

Step = tuple[str, dict[str, Any]] | str


def minute(number: float) -> datetime:
    """A moment, in minutes from the window's start (09:36 UTC)."""
    return START + timedelta(minutes=number)


def events(*steps: Step, at: float = 10.0, every: float = 1.0) -> list[dict[str, Any]]:
    """Events one after the other, each led to by the one before it; `every` is the seconds between them."""
    found: list[dict[str, Any]] = []
    for number, step in enumerate(("ExecutionStarted", *steps), 1):
        kind, details = (step, {}) if isinstance(step, str) else step
        if kind == "ExecutionStarted":
            details = {"roleArn": ROLE, **details}
        found.append(
            {
                "id": number,
                "previousEventId": 0 if number <= 2 else number - 1,
                "type": kind,
                "timestamp": minute(at) + timedelta(seconds=every * number),
                details_key(kind): details,
            }
        )
    return found


def details_key(kind: str) -> str:
    """AWS's name for the details of an event: all states share two, Lambda and the others have one a type."""
    for shared in ("StateEntered", "StateExited"):
        if kind.endswith(shared):
            return f"{shared[0].lower()}{shared[1:]}EventDetails"
    return f"{kind[0].lower()}{kind[1:]}EventDetails"


def enter(name: str, kind: str = "Task") -> Step:
    return (f"{kind}StateEntered", {"name": name})


def leave(name: str, kind: str = "Task") -> Step:
    return (f"{kind}StateExited", {"name": name})


def ask(service: str, resource: str, *, timeout: int | None = None, heartbeat: int | None = None, **parameters) -> Step:
    """A task that was scheduled: `ask("dynamodb", "putItem", TableName="orders")`."""
    limits = {"timeoutInSeconds": timeout, "heartbeatInSeconds": heartbeat}
    details = {"resourceType": service, "resource": resource, "region": "eu-west-1", "parameters": parameters}
    return ("TaskScheduled", details | {k: v for k, v in limits.items() if v is not None})


def invoke(name: str = "charge", **more) -> Step:
    return ask("lambda", "invoke", FunctionName=name, **more)


def fail(error: str = "", cause: str = "", kind: str = "TaskFailed") -> Step:
    return (kind, {k: v for k, v in (("error", error), ("cause", cause)) if v})


def end(error: str = "", cause: str = "", kind: str = "ExecutionFailed") -> Step:
    return fail(error, cause, kind)


def failed_task(task: Step, error: str, cause: str = "", *, kind: str = "TaskFailed", state: str = "Work") -> list[Any]:
    """The events of an execution whose one task failed uncaught."""
    return events(enter(state), task, "TaskStarted", fail(error, cause, kind), end(error, cause))


def outcome(raw: Iterable[dict[str, Any]]) -> Outcome:
    return explain(list(raw), home_of(EXECUTION)).outcome


def history(
    raw: Iterable[dict[str, Any]], *, execution: str = EXECUTION, target: str = MACHINE, parent: str | None = None
):
    """The evidence of a history."""
    found = outcome(raw)
    return History(
        resource=target,
        source="states:GetExecutionHistory",
        observed_at=found.at,
        execution_arn=execution,
        machine_arn=CHILD_MACHINE if ":shipping:" in execution else MACHINE,
        outcome=found,
        events=9,
        parent=parent,
    )


def execution(status: str = "FAILED", error: str = "", cause: str = "", *, arn: str = EXECUTION, **fields) -> Execution:
    given: dict[str, Any] = {
        "resource": MACHINE,
        "source": "states:DescribeExecution",
        "exists": True,
        "execution_arn": arn,
        "machine_arn": CHILD_MACHINE if ":shipping:" in arn else MACHINE,
        "name": arn.rsplit(":", 1)[-1],
        "status": status,
        "error": error,
        "cause": cause,
        "started_at": minute(10),
        "stopped_at": None if status == "RUNNING" else minute(11),
    }
    return Execution(**given | fields)


def machine(*states: StateDefinition, **fields) -> Machine:
    given: dict[str, Any] = {
        "resource": MACHINE,
        "source": "states:DescribeStateMachine",
        "exists": True,
        "machine_arn": MACHINE,
        "name": "checkout",
        "status": "ACTIVE",
        "role_arn": ROLE,
        "states": states,
    }
    return Machine(**given | fields)


def metric(
    name: str, points: dict[float, float], *, usual: float | None = None, statistic: str = "Sum", **dims
) -> MetricSeries:
    """A series with values at minutes of the window, and `usual` in each minute of the hour before it."""
    return MetricSeries(
        resource=MACHINE,
        source="cloudwatch:GetMetricData",
        namespace="AWS/States",
        metric=name,
        dimensions=dims or {"StateMachineArn": MACHINE},
        statistic=statistic,
        period_seconds=60,
        points=tuple(Point(at=minute(at), value=value) for at, value in sorted(points.items())),
        baseline=() if usual is None else tuple(Point(at=minute(-m), value=usual) for m in range(60, 0, -1)),
    )


def change(name: str = "UpdateStateMachine", *, at: float = 8, who: str = "deploy-bot", error: str = "") -> Change:
    return Change(
        resource=MACHINE,
        source="cloudtrail:LookupEvents",
        observed_at=minute(at),
        event_id=f"{name}-{at}",
        event_name=name,
        event_source="states.amazonaws.com",
        who=who,
        error_code=error or None,
    )


def segment(*errors: tuple[str, str], failed: bool = True, resource: str = MACHINE, arn: str = "") -> TraceSegment:
    return TraceSegment(
        resource=resource,
        source="xray:BatchGetTraces",
        trace_id="1-6b0023b3-a032a49863d6b1fcc92c322d",
        segment_id="192b31d5a743248f",
        name="checkout",
        start=minute(10),
        seconds=0.3,
        fault=failed,
        errors=tuple(TracedError(type=kind, message=message) for kind, message in errors),
        attributes={"execution_arn": arn} if arn else {},
    )


def start_call(code: str, message: str = "Rate exceeded") -> TraceCall:
    """A caller's StartExecution that Step Functions refused."""
    return TraceCall(
        resource=MACHINE,
        source="xray:BatchGetTraces",
        trace_id="1-6b0023b3-a032a49863d6b1fcc92c322d",
        segment_id="00000000000000aa",
        caller=FUNCTION,
        service="SFN",
        operation="StartExecution",
        start=minute(10),
        http_status=400,
        error=True,
        errors=(TracedError(type=code, code=code, message=message),),
    )


def case(*evidence: Evidence, target: str = MACHINE, nodes: Iterable[str] = ()) -> Case:
    graph = ServiceGraph.of([resource_from_arn(arn) for arn in (target, *nodes)])
    return case_of(target, *evidence, graph=graph, specialist="stepfunctions")


def judged(*evidence: Evidence, **more) -> dict[str, Hypothesis]:
    """Return the hypotheses by cause; two of one cause at one resource would be a fault."""
    found = [f for f in findings(SPECIALIST.rules, case(*evidence, **more)) if isinstance(f, Hypothesis)]
    assert len({(f.cause, f.resource, f.supports) for f in found}) == len(found)
    return {f.cause: f for f in found}


def stated(*evidence: Evidence) -> list[str]:
    return [f.statement for f in findings(SPECIALIST.rules, case(*evidence)) if isinstance(f, Fact)]


def advised(*evidence: Evidence) -> list[str]:
    return [f.text for f in findings(SPECIALIST.rules, case(*evidence)) if isinstance(f, Advice)]


def proven(found: dict[str, Hypothesis]) -> set[str]:
    """Return the causes that any evidence states."""
    return {cause for cause, one in found.items() if any(s.strength is Strength.PROOF for s in one.supports)}
