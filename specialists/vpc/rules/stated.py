"""Networks that Lambda cannot set up: what it answers to callers, prints, and reports as the function's state."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from domain.evidence import Evidence
from domain.findings import Finding
from domain.resource import ResourceType, resource_from_arn
from domain.trace import TraceCall, TraceSegment
from specialists.contract import Case, Rule, rule
from specialists.kit.change import Change
from specialists.kit.loglines import LogLines
from specialists.kit.series import MetricSeries
from specialists.vpc.evidence import (
    Attachment,
    CalledGroups,
    FunctionInterfaces,
    Interfaces,
    OwnGroups,
    SecurityGroups,
    Subnets,
)
from specialists.vpc.map import map_of
from specialists.vpc.suspects import mount_target_stops
from specialists.vpc.texts import STATED, cause_of_code, stated_cause

SEES = (
    TraceCall,
    TraceSegment,
    LogLines,
    MetricSeries,
    Change,
    Attachment,
    Subnets,
    OwnGroups,
    CalledGroups,
    Interfaces,
    FunctionInterfaces,
)

QUOTA = 250
"""Network interfaces of Lambda in a VPC, until raised (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html)."""

OWN_SEGMENT = "AWS::Lambda::Function"
NOT_RUNNING = frozenset({"Failed", "Inactive", "Pending"})


class Words(NamedTuple):
    """One text that states a cause; `answered`: Lambda said it about this function; else its log did."""

    cause: str
    text: str
    evidence: Evidence
    at: datetime | None
    answered: bool


@rule(*(row.cause for row in STATED), sees=SEES)
def lambda_says_so(case: Case) -> Iterator[Finding]:
    """Lambda says, in an error or in the function's state, why it cannot set up the function's network."""
    if case.target.type is not ResourceType.LAMBDA:
        return
    said = list(_said(case))
    where = case.one(Attachment)
    for row in STATED:
        words = [one for one in said if one.cause == row.cause]
        state = _state(where, row.cause)
        late = _late(where, row.cause)
        if not words and state is None and late is None:
            continue
        proof, strong, weak = _graded(case, words, state)
        beside, detail = _beside(case, row.cause)
        reported = [late] if late else []
        headline = _headline(words, where, state is not None)
        yield case.hypothesis(
            row.cause,
            f"`{case.target.name}` {row.says}: {headline}{detail}",
            proof=proof,
            strong=dict.fromkeys(e for e in (*strong, *reported, *beside) if e not in proof),
            weak=[e for e in weak if e not in reported],
            resource=_accused(where, row.cause),
            since=min((one.at for one in words if one.at), default=None),
        )


def _said(case: Case) -> Iterator[Words]:
    for call in case.calls_to(failed=True):
        for error in call.errors:
            yield from _words(f"{error.code or error.type}: {error.message}", call, call.start, answered=True)
    for segment in case.segments(failed=True):
        for error in segment.errors:
            answered = segment.origin_type != OWN_SEGMENT
            yield from _words(f"{error.type}: {error.message}", segment, segment.start, answered=answered)
    for change in case.all(Change):
        if not change.took_effect:
            text = f"{change.error_code}: {change.error_message}"
            yield from _words(text, change, change.observed_at, answered=True)
    for lines in case.all(LogLines):
        for event in lines.events:
            yield from _words(event.message, lines, event.at, answered=False)


def _words(text: str, evidence: Evidence, at: datetime | None, *, answered: bool) -> Iterator[Words]:
    cause = stated_cause(text)
    if cause is not None:
        yield Words(cause, text, evidence, at, answered)


def _state(where: Attachment | None, cause: str) -> Attachment | None:
    """Return the function's state when it says that this cause keeps it from running."""
    stopped = where is not None and where.state.state in NOT_RUNNING and cause_of_code(where.state.code) == cause
    return where if stopped else None


def _late(where: Attachment | None, cause: str) -> Attachment | None:
    """Return the function's state when its last update failed of this cause: it runs on as it was."""
    failed = where is not None and where.last_update.state == "Failed"
    return where if failed and where and cause_of_code(where.last_update.code) == cause else None


Grades = tuple[tuple[Evidence, ...], tuple[Evidence, ...], tuple[Evidence, ...]]


def _graded(case: Case, words: list[Words], state: Attachment | None) -> Grades:
    """Grade: an answer about the function proves, and so does its state with a failure; a log may quote another's."""
    failed = [*case.segments(failed=True), *case.calls_to(failed=True)]
    stated: list[Evidence] = []
    strong: list[Evidence] = []
    weak: list[Evidence] = []
    calls_functions = any(":function:" in called for called in case.graph.callees(case.target.id))
    for one in words:
        refused = isinstance(one.evidence, Change)
        if one.answered and not (refused and failed):
            stated.append(one.evidence)
        elif refused or calls_functions:
            weak.append(one.evidence)
        else:
            strong.append(one.evidence)
    if state is not None:
        (stated if failed or words or _errors(case) else strong).append(state)
    proof = tuple({e.id: e for e in stated}.values())[:5]
    more = tuple({e.id: e for e in strong if e not in proof}.values())[:5]
    rest = tuple({e.id: e for e in weak if e not in (*proof, *more)}.values())[:5]
    return proof, more, rest


def _errors(case: Case) -> bool:
    return any(s.metric == "Errors" and s.total > 0 and s.peak > s.usual_peak for s in case.all(MetricSeries))


def _headline(words: list[Words], where: Attachment | None, stopped: bool) -> str:
    if words:
        text = next((line.strip() for line in words[0].text.splitlines() if line.strip()), "")
        return text if len(text) <= 160 else text[:159] + "…"
    if where is None:
        return ""
    return f"State {where.state}" if stopped else f"its last update failed ({where.last_update})"


def _beside(case: Case, cause: str) -> tuple[list[Evidence], str]:
    """Return what else is seen of a stated cause, and the words for it."""
    subnets, groups = case.one(Subnets), case.one(OwnGroups)
    if cause == "lambda-subnet-ip-exhausted" and subnets is not None:
        full = [s.id for s in subnets.subnets if s.id in subnets.asked and s.free == 0]
        return ([subnets], f"; no address is free in {_names(full)}") if full else ([], "")
    if cause == "lambda-subnet-sg-deleted":
        gone: list[Evidence] = [e for e in (subnets, groups) if e is not None and e.missing]
        named = [name for e in (subnets, groups) if e is not None for name in e.missing]
        deleted = _deleted(case, named)
        return [*gone, *deleted], f"; {_names(named)} does not exist{_after(deleted)}" if named else ""
    if cause == "lambda-eni-limit":
        held = [e for e in case.all(FunctionInterfaces) if len(e.interfaces) >= QUOTA]
        return list(held), f"; Lambda holds {len(held[0].interfaces)} in the VPC" if held else ""
    if cause == "lambda-efs-mount":
        stops = mount_target_stops(map_of(case.evidence, case.target))
        parts = {part for stop in stops for part in stop.parts}
        seen: tuple[SecurityGroups, ...] = (*case.all(OwnGroups), *case.all(CalledGroups))
        return [e for e in seen if parts & {g.id for g in e.groups}], f"; {stops[0].text}" if stops else ""
    return [], ""


def _deleted(case: Case, names: list[str]) -> list[Change]:
    """Return the last change that deleted one of these subnets or groups."""
    found = [
        change
        for change in case.all(Change)
        if change.took_effect
        and change.event_name in {"DeleteSubnet", "DeleteSecurityGroup"}
        and not set(names).isdisjoint(change.parameters.values())
    ]
    return sorted(found, key=lambda change: (str(change.observed_at), change.event_id))[-1:]


def _after(changes: list[Change]) -> str:
    return "".join(f", after {change.event_name} by {change.who}" for change in changes)


def _names(ids: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in ids)


def _accused(where: Attachment | None, cause: str) -> str | None:
    """Return the role where its permissions are the cause; None is the function."""
    if cause == "lambda-ec2-access-denied" and where is not None and where.role.startswith("arn:"):
        return resource_from_arn(where.role).id
    return None


@rule("lambda-subnet-sg-deleted", sees=SEES)
def parts_are_gone(case: Case) -> Iterator[Finding]:
    """A subnet or security group of the function's settings does not exist, and nothing has stated so yet."""
    where = case.one(Attachment)
    gone = [e for e in (case.one(Subnets), case.one(OwnGroups)) if e is not None and e.missing]
    if not gone or case.target.type is not ResourceType.LAMBDA or where is None:
        return
    if any(one.cause == "lambda-subnet-sg-deleted" for one in _said(case)) or _stated_by_state(where):
        return
    named = _names([name for e in gone for name in e.missing])
    ran = any(s.origin_type == OWN_SEGMENT for s in case.segments()) or bool(case.calls_to(failed=False))
    working = _invoked(case) and not _errors(case)
    deleted = _deleted(case, [name for e in gone for name in e.missing])
    sentence = f"`{case.target.name}` is configured with {named}, which does not exist{_after(deleted)}"
    if ran or working:
        yield case.fact(f"{sentence}; it runs nevertheless", *gone)
        return
    failed = case.calls_to(failed=True)[:3]
    yield case.hypothesis("lambda-subnet-sg-deleted", sentence, strong=(*gone, *failed, *deleted))


def _stated_by_state(where: Attachment) -> bool:
    codes = (where.state.code, where.last_update.code)
    return any(cause_of_code(code) == "lambda-subnet-sg-deleted" for code in codes)


def _invoked(case: Case) -> bool:
    return any(s.metric == "Invocations" and s.total > 0 for s in case.all(MetricSeries))


RULES: tuple[Rule, ...] = (lambda_says_so, parts_are_gone)
