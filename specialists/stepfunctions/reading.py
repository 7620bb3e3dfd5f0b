"""Asking Step Functions about executions: which, how they ended, and the end of their history."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from aws.reads import Read, read
from domain.arn import arns_in
from domain.evidence import EvidenceBundle
from domain.resource import Resource, ResourceType, resource_from_arn
from domain.trace import TraceSegment
from domain.values import utc
from specialists.contract import Look
from specialists.kit.answers import absent
from specialists.stepfunctions.evidence import Execution, History
from specialists.stepfunctions.history import explain, home_of
from specialists.stepfunctions.targets import machine_id

DESCRIBE_EXECUTION: Read = read("stepfunctions", "DescribeExecution")
GET_HISTORY: Read = read("stepfunctions", "GetExecutionHistory")
LIST_EXECUTIONS: Read = read("stepfunctions", "ListExecutions")

EVENTS_A_PAGE = 200
MAX_PAGES = 10
"""A history may have 25,000 events; its end nearly always explains it."""

MAX_KNOWN = 3


def known_executions(target: Resource, seen: EvidenceBundle) -> tuple[str, ...]:
    """Return the executions that were asked about: the target itself, or those of its trace, failed ones first."""
    if target.type is ResourceType.EXECUTION:
        return (target.id,)
    segments = sorted(seen.of(TraceSegment, target.id), key=lambda s: (not s.failed, s.start, s.segment_id))
    named = (s.attributes.get("execution_arn", "") for s in segments)
    return tuple(dict.fromkeys(arn for arn in named if arn))[:MAX_KNOWN]


def keeps_history(execution_arn: str) -> bool:
    """Whether it is a Standard execution: AWS keeps nothing of Express ones but their log."""
    return ":execution:" in execution_arn


def describe(look: Look, arn: str, *, parent: str | None = None) -> Execution:
    """Return how an execution ended; that there is none is an answer."""
    resource = resource_from_arn(arn)
    machine = machine_id(resource)
    found = absent(
        lambda: look.aws.stepfunctions.describe_execution(executionArn=arn), "ExecutionDoesNotExist", "InvalidArn"
    )
    if found is None:
        return Execution(
            resource=look.target.id,
            source="states:DescribeExecution",
            exists=False,
            execution_arn=arn,
            machine_arn=machine,
            name=resource.name,
            parent=parent,
        )
    return Execution(
        resource=look.target.id,
        source="states:DescribeExecution",
        observed_at=_utc(found.get("stopDate")) or _utc(found.get("startDate")),
        exists=True,
        execution_arn=arn,
        machine_arn=machine,
        name=found.get("name") or resource.name,
        status=found.get("status", ""),
        error=(found.get("error") or "")[:256],
        cause=(found.get("cause") or "")[:2_000],
        started_at=_utc(found.get("startDate")),
        stopped_at=_utc(found.get("stopDate")),
        redrives=found.get("redriveCount") or 0,
        redrivable=found.get("redriveStatus") == "REDRIVABLE",
        parent=parent,
    )


def history(look: Look, execution: Execution) -> History:
    """Read an execution's history from its end until it is explained, at most 2,000 events."""
    raw: list[Mapping[str, Any]] = []
    token = ""
    for _ in range(MAX_PAGES):
        more = {"nextToken": token} if token else {}
        page = look.aws.stepfunctions.get_execution_history(
            executionArn=execution.execution_arn,
            reverseOrder=True,
            maxResults=EVENTS_A_PAGE,
            includeExecutionData=True,
            **more,
        )
        raw.extend(page.get("events", []))
        found = explain(raw, home_of(execution.execution_arn))
        token = page.get("nextToken", "")
        if found.settled or not token:
            break
    return History(
        resource=look.target.id,
        source="states:GetExecutionHistory",
        observed_at=found.outcome.at,
        execution_arn=execution.execution_arn,
        machine_arn=execution.machine_arn,
        outcome=found.outcome,
        events=len(raw),
        complete=found.settled or not token,
        parent=execution.parent,
    )


def described_child(look: Look, arn: str | None, parent: str) -> Iterator[Execution | History]:
    """Yield a child execution and its history, when the ARN names one that AWS keeps."""
    named = arns_in(arn or "")
    if not named or not keeps_history(named[0]) or named[0] == parent:
        return
    child = describe(look, named[0], parent=parent)
    yield child
    if child.failed:
        yield history(look, child)


def _utc(moment: datetime | None) -> datetime | None:
    return utc(moment) if moment else None
