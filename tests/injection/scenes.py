"""Investigations with an attack in their evidence: everything but AWS is as it is in every other one."""

import json
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

from bot.events.bodies import Told, read_body
from domain.alarm import AlarmKind, AlarmState, AlarmTransition
from domain.evidence import Evidence, EvidenceBundle, redacted
from domain.findings import Advice, Fact, Hypothesis
from domain.graph import ServiceGraph
from domain.incident import IncidentTold
from domain.report import Report
from domain.request import Request, Trigger, TriggerKind
from domain.result import SpecialistResult, SpecialistStatus
from domain.trace import TracedError
from orchestrator.conclude.conclusion import conclude
from orchestrator.dispatch import assignment_of
from orchestrator.propose import PLANNING_REASON, planner_of, planning
from orchestrator.reason import Asking, reason
from orchestrator.report import all_gaps, build_report, with_wording
from orchestrator.route import route
from orchestrator.store import StoredBundle
from orchestrator.synthesis import worded
from orchestrator.telling import Listening
from orchestrator.trade_offs import weighed, with_words
from reasoning.budget import InvestigationBudget, Limits, MemoryLedger
from reasoning.contract import Mode, Reasoner
from specialists.historical_incident.evidence import Ending
from specialists.kit.change import Change
from specialists.kit.loglines import LogEvent, LogLines
from specialists.kit.passage import KnowledgePassage
from specialists.plan import run_planning
from specialists.registry import all_specialists
from specialists.run import Assignment, Run, judge
from specialists.signal_analysis.evidence import LogTemplate
from specialists.sns.evidence import DeliveryFailure, DeliveryFailures
from specialists.sqs.evidence import QueueState
from specialists.stepfunctions.evidence import Execution
from tests.injection.attacks import Attack, Enters
from tests.specialists.dynamodb_building import table
from tests.specialists.proposals_building import change, series
from tests.support.concluding import (
    AT,
    FUNCTION,
    QUEUE,
    TABLE,
    THROTTLED,
    THROTTLED_TRACE,
    called,
    graph_of,
    minutes,
    segment,
    traced,
)
from tests.support.running import NOW, WINDOW, tools
from tests.support.traces import TRACE, arn

TOPIC = arn("sns", "news")
MACHINE = arn("states", "stateMachine:refund")
EXECUTION = arn("states", "execution:refund:e1")
ALARM = arn("cloudwatch", "alarm:orders-high")
SPECIALISTS = tuple(all_specialists())
PLENTY = Limits(tokens=1_000_000)

Place = Callable[[str], Evidence]


class Story(StrEnum):
    """How the investigation goes without an attack."""

    DECIDED = "decided"
    UNDECIDED = "undecided"
    HEALTHY = "healthy"


STORIES: Mapping[Story, tuple[Evidence, ...]] = {
    Story.DECIDED: THROTTLED_TRACE,
    Story.UNDECIDED: (segment(FUNCTION, fault=True, origin=True), called(FUNCTION, TABLE, http_status=200)),
    Story.HEALTHY: (segment(FUNCTION), called(FUNCTION, TABLE, http_status=200)),
}


def _seen(kind: type[Evidence], resource: str, source: str, **fields: Any) -> Evidence:
    return kind(resource=resource, source=source, observed_at=minutes(1), **fields)


def _change(**fields: Any) -> Evidence:
    known = {"event_id": "e1", "event_name": "TagResource", "event_source": "lambda.amazonaws.com", "who": "mia"}
    return _seen(Change, FUNCTION, "cloudtrail:LookupEvents", **{**known, **fields})


def _alarm(**fields: Any) -> Evidence:
    known = {"name": "orders-high", "alarm_kind": AlarmKind.METRIC, "state": AlarmState.INSUFFICIENT_DATA}
    return _seen(AlarmTransition, ALARM, "cloudwatch:DescribeAlarmHistory", **{**known, **fields})


def _execution(text: str) -> Evidence:
    return _seen(
        Execution, EXECUTION, "states:DescribeExecution",
        exists=True, execution_arn=EXECUTION, machine_arn=MACHINE, name="e1", status="SUCCEEDED", cause=text,
    )  # fmt: skip


PLACES: Mapping[Enters, Place] = {
    Enters.LOG: lambda text: _seen(
        LogLines, FUNCTION, "logs:FilterLogEvents",
        log_group="/aws/lambda/create-order", filter="errors", events=tuple(LogEvent(at=minutes(n), message=text) for n in range(3)),
    ),
    Enters.TEMPLATE: lambda text: _seen(
        LogTemplate, FUNCTION, "logs:FilterLogEvents", log_group="/aws/lambda/create-order", template=text, count=9, sample=text
    ),
    Enters.ALARM_NAME: lambda text: _alarm(name=text),
    Enters.ALARM_REASON: lambda text: _alarm(reason=text),
    Enters.TAG: lambda text: _change(parameters={"tags.owner": text}),
    Enters.USER: lambda text: _change(who=text),
    Enters.PARAMETER: lambda text: _change(event_name="PutRule", parameters={"description": text}),
    Enters.REFUSAL: lambda text: _change(error_code="AccessDenied", error_message=text, parameters={"asked": text}),
    Enters.EXECUTION: _execution,
    Enters.QUEUE: lambda text: _seen(QueueState, QUEUE, "sqs:GetQueueAttributes", exists=True, name="jobs", key=text),
    Enters.TOPIC: lambda text: _seen(
        DeliveryFailures, TOPIC, "logs:FilterLogEvents", log_group="sns/news", logged=True,
        failures=(DeliveryFailure(at=AT, destination=FUNCTION, status=500, response=text),),
    ),
    Enters.RUNBOOK: lambda text: _seen(
        KnowledgePassage, TABLE, "library:search", document="runbooks/orders.md", heading="Orders", excerpt=text, causes=(THROTTLED,)
    ),
    Enters.PAST: lambda text: _seen(
        Ending, TABLE, "cloudtrail:LookupEvents", investigation_id="INV-0001", changes=1,
        event_name="UpdateTable", who=text, changed_at=AT,
    ),
}  # fmt: skip
"""What a text becomes where it enters beside the trace."""


BESIDE: tuple[Evidence, ...] = (table(), PLACES[Enters.LOG]("order failed"))
CUT = change(
    TABLE, "UpdateTable", 16, {"tableName": "orders", "provisionedThroughput.readCapacityUnits": "5", "provisionedThroughput.writeCapacityUnits": "5"}
)  # fmt: skip
BEFORE = series(
    TABLE, "ProvisionedWriteCapacityUnits", {"TableName": "orders"}, 5, usual=(500,) * 3, statistic="Average"
)
"""What the specialists see in every story, and of the change before the one that is decided."""


def _in_trace(attack: Attack, story: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """Put an attack that enters with the trace into the function's own segment."""
    updates: Mapping[Enters, dict[str, object]] = {
        Enters.EXCEPTION: {"errors": (TracedError(type="Refused", message=attack.text, frame="app.py:43 in handler"),)},
        Enters.ANNOTATION: {"attributes": {"annotation.note": attack.text}},
        Enters.QUERY: {"attributes": {"http.url": attack.text, "http.method": "GET"}},
    }
    update = updates.get(attack.enters, {})
    own = (item.resource == FUNCTION and item.kind == "trace.segment" for item in story)
    return tuple(item.model_copy(update=update) if mine else item for item, mine in zip(story, own, strict=True))


def _trigger(attack: Attack) -> Trigger:
    text = attack.text
    match attack.enters:
        case Enters.ALARM_DESCRIPTION:
            told = read_body(
                json.dumps({"AlarmName": "orders-high", "NewStateValue": "ALARM", "AlarmDescription": text})
            )
            assert isinstance(told, Told)
            return Trigger(kind=TriggerKind.EVENTBRIDGE, text=told.line, alarm=told.alarm)
        case Enters.INCIDENT:
            detail = {"incidentId": "INC-1", "service": text, "note": text}
            told = read_body(
                json.dumps({"source": "opx.incidents", "detail-type": "IncidentCreated", "detail": detail})
            )
            assert isinstance(told, Told)
            return Trigger(kind=TriggerKind.EVENTBRIDGE, text=told.line, incident=told.incident)
        case _:
            return Trigger(kind=TriggerKind.CLI, text=TRACE)


class Scene(NamedTuple):
    """What was seen with an attack in it, by specialist, as their rules judge it; no model has been asked yet."""

    trigger: Trigger
    graph: ServiceGraph
    evidence: EvidenceBundle
    pairs: tuple[tuple[Assignment, Run], ...]


@lru_cache(maxsize=8)
def scene(attack: Attack, story: Story) -> Scene:
    """Put an attack into a story."""
    trigger = _trigger(attack)
    trace = [redacted(item) for item in traced(*_in_trace(attack, STORIES[story]))]
    beside = [*BESIDE, *((CUT, BEFORE) if story is Story.DECIDED else ())]
    beside += [redacted(PLACES[attack.enters](attack.text))] if attack.enters in PLACES else []
    alarms = [item for item in beside if isinstance(item, AlarmTransition)]
    told = [redacted(IncidentTold.of(trigger.incident))] if trigger.incident else []
    graph = graph_of(trace, *(item.resource for item in beside if item not in alarms))
    known = EvidenceBundle([*trace, *alarms])
    routes = route(graph, SPECIALISTS)
    pairs = tuple(_looked(assignment_of(each, WINDOW, graph, known, NOW), beside) for each in routes)
    return Scene(trigger, graph, EvidenceBundle([*told, *trace, *beside]), pairs)


async def investigated(attack: Attack, story: Story, reasoner: Reasoner | None = None) -> tuple[Report, StoredBundle]:
    """Investigate a story with an attack in it: models are asked, then it is concluded, planned and worded."""
    seen = scene(attack, story)
    asking = Asking(reasoner, InvestigationBudget(PLENTY, MemoryLedger()), Mode.ALWAYS) if reasoner else None
    runs = tuple(run for _, run in seen.pairs)
    if asking:
        with tools() as equipment:
            runs = await reason([each for each, _ in seen.pairs], runs, equipment, asking, SILENT)
    bundle = StoredBundle(
        request=Request(text=TRACE, trace_ids=(TRACE,)), trigger=seen.trigger, window=WINDOW, graph=seen.graph,
        evidence=tuple(item.dump() for item in seen.evidence), results=tuple(run.result for run in runs),
        discovery_gaps=(), nearby=(), aws_calls=3, started_at=minutes(5), completed_at=minutes(5.1),
    )  # fmt: skip
    return await _concluded(bundle, seen.graph, asking)


SILENT = Listening(lambda _, __: None, lambda _: None)


def _looked(assignment: Assignment, beside: list[Evidence]) -> tuple[Assignment, Run]:
    """Give a specialist what its probes would have brought, and let its rules judge it."""
    kinds = tuple(kind for probe in assignment.specialist.probes for kind in probe.yields)
    here = {target.id for target in assignment.targets}
    brought = tuple(item for item in beside if isinstance(item, kinds) and item.resource in here)
    found, broke = judge(assignment, brought)
    assert not broke, f"a rule broke on the attack: {broke}"
    result = SpecialistResult(
        name=assignment.specialist.name, status=SpecialistStatus.SUCCESS, duration_seconds=0.1, looks=3,
        facts=tuple(f for f in found if isinstance(f, Fact)),
        hypotheses=tuple(f for f in found if isinstance(f, Hypothesis)),
        advice=tuple(f for f in found if isinstance(f, Advice)),
    )  # fmt: skip
    return assignment, Run(result, brought)


async def _concluded(bundle: StoredBundle, graph: ServiceGraph, asking: Asking | None) -> tuple[Report, StoredBundle]:
    evidence, planner = bundle.loaded(), planner_of(SPECIALISTS)
    assert planner is not None
    conclusion = conclude(evidence, bundle.results, graph, all_gaps(bundle))
    made, planned = await run_planning(
        planner, planning(conclusion, evidence, graph, WINDOW, SPECIALISTS), PLANNING_REASON
    )
    words = await weighed(planner, made.actions, evidence, graph, asking, 60.0)
    stored = bundle.model_copy(update={"results": (*bundle.results, with_words(planned, words))})
    report = build_report("INV-7F3K9Q2M", conclusion, stored, evidence, made.actions)
    return with_wording(report, await worded(report, asking, 60.0), bundle.completed_at), stored
