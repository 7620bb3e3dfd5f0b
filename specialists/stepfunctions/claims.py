"""From outcomes to claims: which causes executions state, where each would be mended, what it defers to. Pure."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from domain.arn import arns_in
from domain.causes import cause
from domain.evidence import Evidence
from domain.resource import ResourceType, resource_from_arn
from domain.trace import TraceCall, TraceSegment
from specialists.contract import Case
from specialists.stepfunctions.called import function_cause
from specialists.stepfunctions.classify import awaits_token, cause_of
from specialists.stepfunctions.evidence import Execution, FunctionConcurrency, History, Machine
from specialists.stepfunctions.history import described
from specialists.stepfunctions.outcome import Outcome
from specialists.stepfunctions.targets import machine_id
from specialists.stepfunctions.tokens import refusals

TIMED = frozenset({"sfn-timeout-task", "sfn-heartbeat-timeout", "sfn-callback-lost", "sfn-execution-timeout"})
"""Causes that say how long something took: only a failure that was seen below them explains them away."""

BY_POLICY_OF_ROLE = frozenset({"iam-explicit-deny-identity", "iam-explicit-deny-scp", "iam-permission-boundary"})


class Seen(NamedTuple):
    """One execution's end and the evidence that holds it; `nested` when another execution started it."""

    outcome: Outcome
    machine: str
    history: History | None
    execution: Execution | None
    segment: TraceSegment | None = None
    nested: bool = False

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """Everything that shows it."""
        return tuple(item for item in (self.history, self.execution, self.segment) if item is not None)


class Claim(NamedTuple):
    """A cause that one failed execution states; `outcome` is the layer of the failure that states it."""

    code: str
    resource: str
    outcome: Outcome
    seen: Seen
    defers_to: tuple[str, ...]
    top: bool

    @property
    def since(self) -> datetime | None:
        """When it happened."""
        return self.outcome.at or self.seen.outcome.at


def observed(case: Case) -> tuple[Seen, ...]:
    """Return every execution's outcome, by the best that shows it: its history, its description, or the trace."""
    described_by = {e.execution_arn: e for e in case.all(Execution)}
    found = [
        Seen(h.outcome, h.machine_arn, h, described_by.get(h.execution_arn), nested=h.parent is not None)
        for h in case.all(History)
    ]
    told = {h.execution_arn for h in case.all(History)}
    found += [
        Seen(_described(e), e.machine_arn, None, e, nested=e.parent is not None)
        for e in described_by.values()
        if e.execution_arn not in told and e.exists
    ]
    return tuple(found) or tuple(_traced(case))


def claims(case: Case) -> tuple[Claim, ...]:
    """Return all causes that failed executions state, each layer of each failure for itself."""
    return tuple(claim for seen in observed(case) if seen.outcome.failed for claim in _claims(case, seen))


def _claims(case: Case, seen: Seen) -> Iterator[Claim]:
    layers = [layer for layer in (seen.outcome, seen.outcome.behind) if layer is not None]
    for layer in layers:
        top = layer is seen.outcome
        code, at_function = cause_of(layer), function_cause(layer)
        reserved = _reserved(case, layer.called)
        if code is not None:
            deeper = _deeper(case, code, layer, seen)
            yield Claim(code, _place(case, code, layer, seen), layer, seen, deeper, top and not seen.nested)
        if (
            at_function is not None
            and layer.called
            and not (at_function == "lambda-throttle-reserved" and reserved == 0)
        ):
            named = _ids(layer.function_error.message if layer.function_error else "")
            yield Claim(at_function, layer.called, layer, seen, named if cause(at_function).generic else (), top=False)


def _place(case: Case, code: str, outcome: Outcome, seen: Seen) -> str:
    """Return the id of what a person would mend."""
    if code.startswith("sfn-"):
        return seen.machine
    if code == "iam-assume-role-denied":
        roles = [arn for arn in arns_in(outcome.cause) if ":role/" in arn]
        return resource_from_arn(roles[-1]).id if roles else seen.machine
    if code in BY_POLICY_OF_ROLE:
        return role_of(case, seen) or seen.machine
    return outcome.called or seen.machine


def _deeper(case: Case, code: str, outcome: Outcome, seen: Seen) -> tuple[str, ...]:
    """Return what would explain a cause that has the shape of a symptom."""
    called = (outcome.called,) if outcome.called else ()
    if code == "sfn-task-failed-lambda":
        return called
    if code == "sfn-child-failed":
        return _child_machine(outcome)
    if code in TIMED:
        roles = {one.role for one in refusals(case, seen.machine)} if awaits_token(outcome.task) else set()
        return (*(called if _failed_in_trace(case, outcome.called) else ()), *sorted(roles))
    if code in {"sfn-lambda-unknown", "sfn-lambda-toomany"}:
        return called if function_cause(outcome) or _looked_at(case, outcome.called) else ()
    if code in {"sfn-explicit-fail", "sfn-branch-failed", "sfn-map-item-failed"}:
        return _behind(case, outcome, seen)
    return ()


def _behind(case: Case, outcome: Outcome, seen: Seen) -> tuple[str, ...]:
    """Return where the failure behind a Fail state, a branch or a Map is looked for: in this machine, and below it."""
    inner = [outcome.behind] if outcome.behind else []
    if seen.history is not None and not seen.nested:
        inner += [h.outcome for h in case.all(History) if h.parent == seen.history.execution_arn]
    known = [one for one in inner if cause_of(one)]
    below = [place for one in known for place in (one.called, *_child_machine(one)) if place]
    return tuple(dict.fromkeys((seen.machine, *below))) if known else ()


def _child_machine(outcome: Outcome) -> tuple[str, ...]:
    named = arns_in(outcome.child or "")
    return (machine_id(resource_from_arn(named[0])),) if named else ()


def _failed_in_trace(case: Case, called: str | None) -> bool:
    segments = any(s.failed for s in case.evidence.of(TraceSegment, called)) if called else False
    return segments or (any(c.failed for c in case.evidence.of(TraceCall, called)) if called else False)


def _looked_at(case: Case, called: str | None) -> bool:
    """Whether somebody looks at the called resource: a specialist, because it is in the graph, or our own probe."""
    return called is not None and (case.graph.node(called) is not None or _reserved(case, called) is not None)


def _reserved(case: Case, called: str | None) -> int | None:
    found = (c.reserved for c in case.all(FunctionConcurrency) if c.function == called)
    return next(found, None)


def role_of(case: Case, seen: Seen) -> str | None:
    """Return the id of the role that the execution ran as."""
    machine = case.one(Machine)
    own = machine.role_arn if machine is not None and machine.machine_arn == seen.machine else ""
    named = _ids(seen.outcome.role_arn or own)
    return named[0] if named else None


def _ids(text: str) -> tuple[str, ...]:
    found = (resource_from_arn(arn) for arn in arns_in(text))
    return tuple(dict.fromkeys(r.id for r in found if r.type is not ResourceType.ASSUMED_ROLE))


def _described(execution: Execution) -> Outcome:
    outcome = described(execution.status, execution.error, execution.cause)
    return outcome.model_copy(update={"at": execution.stopped_at or execution.started_at})


def _traced(case: Case) -> Iterator[Seen]:
    """Yield what the machine's own part of the trace says, where executions could not be read."""
    for segment in case.segments(failed=True):
        for error in segment.errors:
            outcome = described("FAILED", error.type, error.message).model_copy(update={"at": segment.start})
            yield Seen(outcome, machine_id(case.target), None, None, segment)
