"""Which traces show what an alarm saw: the worst of the alarm's own minutes that its resources took part in.

Filter expressions: https://docs.aws.amazon.com/xray/latest/devguide/xray-console-filters.html
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from aws.clients import Clients
from aws.errors import CALL_ERRORS, classify, unusable
from aws.reads import read
from domain.gap import Gap, GapReason
from domain.resource import Resource, ResourceType
from domain.window import Window
from orchestrator.alarms.described import Described, Watched
from orchestrator.fetch import IDS_PER_CALL, RETENTION, fetch, gap_of
from orchestrator.resolve import Where
from orchestrator.trace.documents import read_documents
from orchestrator.trace.naming import Home
from orchestrator.trace.reading import read_trace

if TYPE_CHECKING:
    from types_boto3_xray.type_defs import TraceSummaryTypeDef

SUMMARIES = read("xray", "GetTraceSummaries")
PAGES = 5
CHOSEN = 3
MOST_SERVICES = 5
LONGEST = timedelta(hours=6)
"""X-Ray answers for no longer interval at once."""

FAILED = "fault = true OR error = true OR throttle = true"
SLOW = re.compile(r"latency|duration|(?:execution|response)time", re.IGNORECASE)
"""Metrics that measure milliseconds."""

NODES: dict[ResourceType, tuple[str, ...]] = {
    ResourceType.LAMBDA: ("AWS::Lambda::Function", "AWS::Lambda"),
    ResourceType.TABLE: ("AWS::DynamoDB::Table",),
    ResourceType.BUCKET: ("AWS::S3::Bucket",),
    ResourceType.QUEUE: ("AWS::SQS::Queue",),
    ResourceType.STATE_MACHINE: ("AWS::StepFunctions::StateMachine",),
}
"""The types that X-Ray's nodes of a resource have; a throttled function has Lambda's own node only."""


class Chosen(NamedTuple):
    """Traces to read, the worst first; `slow` says that they were chosen for their time, not for having failed."""

    trace_ids: tuple[str, ...] = ()
    slow: bool = False
    gaps: tuple[Gap, ...] = ()


def choose(
    aws: Clients,
    alarms: Sequence[Described],
    resources: Sequence[Resource],
    window: Window,
    where: Where,
    now: datetime,
) -> Chosen:
    """Return at most three traces; X-Ray not answering is a gap, and none being there is none."""
    start = max(window.start, window.end - LONGEST)
    if window.end <= now - RETENTION:
        why = f"the alarm is from {window.end:%Y-%m-%d}, and X-Ray keeps traces for 30 days"
        return Chosen(gaps=(_gap(alarms[0], GapReason.NO_DATA, f"Its traces are gone: {why}."),))
    metrics = [metric.metric for alarm in alarms for metric in alarm.metrics]
    slow = bool(metrics) and all(SLOW.search(name) for name in metrics)
    looking = _Looking(aws, Window(start=start, end=window.end), where, tuple(resources), slow)
    nodes = _nodes(alarms, resources)
    try:
        return Chosen(_slowest(looking, nodes, alarms) if slow else _failing(looking, nodes), slow)
    except CALL_ERRORS as error:
        if unusable(error):
            raise
        return Chosen(slow=slow, gaps=(gap_of("alarm", alarms[0].name, error, SUMMARIES.action),))


class _Looking(NamedTuple):
    aws: Clients
    window: Window
    where: Where
    resources: tuple[Resource, ...]
    slow: bool

    def worst(self, expression: str) -> list["TraceSummaryTypeDef"]:
        """Return the summaries that fit an expression, the worst first."""
        narrowed = {"FilterExpression": expression} if expression else {}
        pages = self.aws.xray.get_paginator("get_trace_summaries").paginate(
            StartTime=self.window.start,
            EndTime=self.window.end,
            **narrowed,  # type: ignore[arg-type]
        )
        found = [s for page in islice(pages, PAGES) for s in page.get("TraceSummaries", []) if s.get("Id")]
        return sorted(found, key=self._how_bad)

    def anywhere(self, expression: str) -> list["TraceSummaryTypeDef"]:
        """Return what fits an expression without nodes, chosen here where X-Ray does not answer any expression."""
        try:
            found = self.worst(expression)
        except CALL_ERRORS as error:
            if unusable(error) or classify(error).reason is not GapReason.FAILED:
                raise
            found = [s for s in self.worst("") if self.slow or _failed(s)]
        return _touching(self, found) if self.resources else found

    def _how_bad(self, summary: "TraceSummaryTypeDef") -> tuple[tuple[bool, ...], float, str]:
        flags = (summary.get("HasFault"), summary.get("HasThrottle"), summary.get("HasError"))
        took = summary.get("ResponseTime") or summary.get("Duration") or 0.0
        return (() if self.slow else tuple(not flag for flag in flags), -took, summary.get("Id", ""))


def _failing(looking: _Looking, nodes: Sequence[str]) -> tuple[str, ...]:
    """Those in which an alarm's node failed; else those that failed anywhere and know the alarm's resource."""
    if nodes:
        own = " OR ".join(
            [*(f"{node} {{ {FAILED} }}" for node in nodes), *(f"({node} AND ({FAILED}))" for node in nodes)]
        )
        found = _accepted(looking, own)
        if found:
            return _ids(found)
    return _ids(looking.anywhere(FAILED))


def _slowest(looking: _Looking, nodes: Sequence[str], alarms: Sequence[Described]) -> tuple[str, ...]:
    """Those that took as long as the threshold says, else the slowest, also when they ended well."""
    limits = [alarm.threshold / 1000 for alarm in alarms if alarm.threshold]
    long = f"responsetime >= {min(limits):g}" if limits else ""
    narrow = [f"{node} {{ {long} }}" for node in nodes if long]
    for expressions in (narrow, nodes):
        found = _accepted(looking, " OR ".join(expressions)) if expressions else []
        if found:
            return _ids(found)
    return _ids(looking.anywhere(long or "responsetime > 0"))


def _accepted(looking: _Looking, expression: str) -> list["TraceSummaryTypeDef"]:
    """Ask about nodes; nothing where X-Ray does not understand the expression, so that a plainer one is tried."""
    try:
        return looking.worst(expression)
    except CALL_ERRORS as error:
        if unusable(error) or classify(error).reason is not GapReason.FAILED:
            raise
        return []


def _touching(looking: _Looking, summaries: Sequence["TraceSummaryTypeDef"]) -> list["TraceSummaryTypeDef"]:
    """Keep the traces that one of the resources took part in, by their summaries, else by reading the worst few."""
    known = [s for s in summaries if _names_one(s, looking.resources)]
    if known or not summaries:
        return known
    first = summaries[:IDS_PER_CALL]
    wanted, home = {r.id for r in looking.resources}, Home(looking.where.account, looking.where.region)
    documents = fetch(looking.aws, [s.get("Id", "") for s in first]).documents
    readings = {i: read_trace(read_documents(i, texts), home) for i, texts in documents.items()}
    touching = {i for i, r in readings.items() if r and wanted & {node.id for node in r.graph.nodes}}
    return [s for s in first if s.get("Id") in touching]


def _names_one(summary: "TraceSummaryTypeDef", resources: Iterable[Resource]) -> bool:
    arns = [found.get("ARN", "") for found in summary.get("ResourceARNs", [])]
    return any(arn == r.id or arn.startswith((f"{r.id}/", f"{r.id}:")) for r in resources for arn in arns)


def _failed(summary: "TraceSummaryTypeDef") -> bool:
    return any(summary.get(flag) for flag in ("HasFault", "HasThrottle", "HasError"))


def _ids(summaries: Sequence["TraceSummaryTypeDef"]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(s.get("Id", "") for s in summaries))[:CHOSEN]


def _nodes(alarms: Iterable[Described], resources: Iterable[Resource]) -> list[str]:
    """Return the filter terms for the alarm's nodes; a REST API's node has its stage in the name."""
    named = [(r.name, kind) for r in resources for kind in NODES.get(r.type, ())]
    named += [(name, "AWS::ApiGateway::Stage") for alarm in alarms for m in alarm.metrics if (name := _stage(m))]
    fit = [(name, kind) for name, kind in dict.fromkeys(named) if not re.search(r'["\\]', name)]
    return [f'service(id(name: "{name}", type: "{kind}"))' for name, kind in fit[:MOST_SERVICES]]


def _stage(metric: Watched) -> str:
    api, stage = metric.dimensions.get("ApiName"), metric.dimensions.get("Stage")
    return f"{api}/{stage}" if metric.namespace == "AWS/ApiGateway" and api and stage else ""


def _gap(alarm: Described, reason: GapReason, message: str) -> Gap:
    return Gap(specialist="trace", probe="alarm", resource=alarm.arn, reason=reason, message=message)
