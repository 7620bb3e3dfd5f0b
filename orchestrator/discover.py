"""Discovery: from a request to the resources, the service graph, the window and the trace's evidence.

BatchGetTraces takes 5 ids a call and pages; X-Ray keeps traces 30 days and shows them within about half a minute:
https://docs.aws.amazon.com/xray/latest/api/API_BatchGetTraces.html
"""

import logging
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from contextvars import copy_context
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from botocore.exceptions import ClientError

from aws.clients import Clients
from aws.errors import AccountUnusable, classify, unusable
from aws.reads import Read, read
from aws.session import ReadSession
from domain.arn import arns_in
from domain.evidence import Evidence, EvidenceBundle, redacted
from domain.gap import Gap, GapReason
from domain.graph import Edge, ServiceGraph
from domain.request import Request
from domain.resource import Resource, ResourceType, resource_from_arn
from domain.trace import TraceCall, TraceOverview, TraceSegment
from domain.window import Window
from orchestrator import resolve
from orchestrator.errors import NothingToLookAt
from orchestrator.resolve import Unresolved, Where
from orchestrator.trace.documents import read_documents
from orchestrator.trace.naming import Home
from orchestrator.trace.reading import TraceReading, read_trace

logger = logging.getLogger(__name__)

BATCH_GET_TRACES = read("xray", "BatchGetTraces")
GET_TRACE_SUMMARIES = read("xray", "GetTraceSummaries")
READS: tuple[Read, ...] = (BATCH_GET_TRACES, GET_TRACE_SUMMARIES, *resolve.READS)
IDS_PER_CALL = 5
MAX_TRACES = 10
BEFORE, AFTER = timedelta(minutes=15), timedelta(minutes=5)
RETENTION = timedelta(days=30)


@dataclass(frozen=True)
class Discovery:
    """What is known before any specialist looks; `nearby` are failing traces around a healthy one."""

    window: Window
    graph: ServiceGraph
    trace: EvidenceBundle
    gaps: tuple[Gap, ...]
    summary: str
    region: str
    account: str
    nearby: tuple[str, ...] = ()


def discover(request: Request, session: ReadSession, pool: Executor, *, now: datetime) -> Discovery:
    """Find out what the request is about. Blocking.

    Raises AccountUnusable when AWS cannot be read at all, NothingToLookAt when nothing exists under what was given.
    """
    region = request.region or session.default_region()
    asking = pool.submit(copy_context().run, session.home_account)
    aws = session.clients(request.account or "", region)
    gaps: list[Gap] = []
    documents, partial = _documents(aws, request.trace_ids, gaps)
    account = asking.result()
    home = Home(account if not request.account or not session.reachable(request.account) else request.account, region)
    readings = _readings(documents, partial, home, gaps)
    readings += _linked(aws, readings, request.trace_ids, home, gaps)
    missing = [t for t in request.trace_ids if t not in documents]
    named, at = _named(aws, request, Where(home.account, region), gaps)
    resources = (*request.resources, *named)
    if not readings and not resources:
        raise NothingToLookAt(_nothing(missing, region, home.account, gaps, now))
    gaps.extend(_missing_gap(trace, region, home.account, now) for trace in missing)
    evidence = tuple(redacted(e) for reading in readings for e in reading.evidence)
    graph = _graph(readings, resources, evidence)
    window = request.window or _window(readings, at, now)
    return Discovery(
        window=window,
        graph=graph,
        trace=EvidenceBundle(evidence),
        gaps=tuple(gaps),
        summary=_summary(readings, resources),
        region=region,
        account=home.account,
        nearby=_nearby(aws, readings, window, request.trace_ids),
    )


def _documents(aws: Clients, ids: Sequence[str], gaps: list[Gap]) -> tuple[dict[str, list[str]], set[str]]:
    """Return each found trace's documents, and the ids of traces that X-Ray says are incomplete."""
    found: dict[str, list[str]] = {}
    partial: set[str] = set()
    unprocessed: set[str] = set()
    for first in range(0, len(ids), IDS_PER_CALL):
        batch = list(ids[first : first + IDS_PER_CALL])
        try:
            for page in aws.xray.get_paginator("batch_get_traces").paginate(TraceIds=batch):
                for trace in page.get("Traces", []):
                    segments = trace.get("Segments", [])
                    texts = [segment.get("Document", "") for segment in segments]
                    trace_id = trace.get("Id") or (batch[0] if len(batch) == 1 else "")
                    found.setdefault(trace_id, []).extend(texts)
                    if trace.get("LimitExceeded"):
                        partial.add(trace_id)
                unprocessed.update(page.get("UnprocessedTraceIds", []))
        except ClientError as error:
            if unusable(error):
                raise
            gaps.append(_gap("traces", batch[0], error, BATCH_GET_TRACES))
    partial |= unprocessed & set(found)
    gaps.extend(
        Gap(
            specialist="trace",
            probe="traces",
            resource=trace,
            reason=GapReason.THROTTLED,
            message=f"X-Ray did not process {trace}: run it again in a minute",
        )
        for trace in sorted(unprocessed - set(found))
    )
    return {trace: texts for trace, texts in found.items() if texts}, partial


def _readings(documents: dict[str, list[str]], partial: set[str], home: Home, gaps: list[Gap]) -> list[TraceReading]:
    readings = []
    for trace_id, texts in documents.items():
        tree = read_documents(trace_id, texts)
        reading = read_trace(tree, home, complete=trace_id not in partial)
        if reading is not None:
            readings.append(reading)
        if tree.unreadable or reading is None or trace_id in partial:
            why = (
                f"{tree.unreadable} of {len(texts)} segment documents could not be read"
                if tree.unreadable
                else "X-Ray returned a part of it only"
            )
            gaps.append(
                Gap(
                    specialist="trace",
                    probe="traces",
                    resource=trace_id,
                    reason=GapReason.FAILED,
                    message=f"trace {trace_id}: {why}",
                )
            )
    return readings


def _linked(
    aws: Clients, readings: list[TraceReading], known: Iterable[str], home: Home, gaps: list[Gap]
) -> list[TraceReading]:
    """Follow links (a queue's consumer has a trace of its own) one hop."""
    wanted = [t for t in dict.fromkeys(t for reading in readings for t in reading.links) if t not in set(known)]
    if not wanted:
        return []
    documents, partial = _documents(aws, wanted[: MAX_TRACES - len(readings)], gaps)
    return _readings(documents, partial, home, gaps)


def _named(
    aws: Clients, request: Request, where: Where, gaps: list[Gap]
) -> tuple[tuple[Resource, ...], datetime | None]:
    found: list[Resource] = []
    at: datetime | None = None
    for target in request.targets:
        try:
            answer = resolve.resolve(aws, target, where)
        except Unresolved as unresolved:
            reason = GapReason.ACCESS_DENIED if unresolved.action else GapReason.NOT_FOUND
            gaps.append(
                Gap(
                    specialist="trace",
                    probe="name",
                    resource=target.name,
                    reason=reason,
                    action=unresolved.action,
                    message=str(unresolved),
                )
            )
            continue
        except ClientError as error:
            if unusable(error):
                raise
            gaps.append(_gap("name", target.name, error, resolve.RESOLVERS["lambda"].reads[0]))
            continue
        found.extend(answer.resources)
        at = at or answer.at
    return tuple(found), at


def _graph(readings: list[TraceReading], resources: Iterable[Resource], evidence: Iterable[Evidence]) -> ServiceGraph:
    graph = ServiceGraph.of((n for r in readings for n in r.graph.nodes), (e for r in readings for e in r.graph.edges))
    return graph.with_nodes(resources).with_nodes(_mentioned(evidence)).with_edges(_mentions(evidence, graph))


def _errors_with_caller(evidence: Iterable[Evidence]) -> Iterable[tuple[str, str, str]]:
    """Yield (who failed, what it called, the error's text)."""
    for item in evidence:
        if isinstance(item, TraceCall):
            yield from ((item.caller, item.resource, error.message) for error in item.errors)
        elif isinstance(item, TraceSegment):
            yield from ((item.resource, item.resource, error.message) for error in item.errors)


def _mentioned(evidence: Iterable[Evidence]) -> Iterable[Resource]:
    """Resources that only an error's text names."""
    for _, _, text in _errors_with_caller(evidence):
        yield from (resource_from_arn(arn) for arn in arns_in(text))


def _mentions(evidence: Iterable[Evidence], graph: ServiceGraph) -> Iterable[Edge]:
    """A failed call to a service without a resource went to the resource that its error names."""
    for caller, called, text in _errors_with_caller(evidence):
        node = graph.node(called)
        if node is None or node.type is not ResourceType.AWS_SERVICE:
            continue
        for arn in arns_in(text):
            target = resource_from_arn(arn)
            if target.type is not ResourceType.ASSUMED_ROLE and target.id != caller:
                yield Edge(source=caller, target=target.id, calls=1, errors=1)


def _window(readings: list[TraceReading], at: datetime | None, now: datetime) -> Window:
    if readings:
        start = min(r.overview.start for r in readings)
        end = max(r.overview.start + timedelta(seconds=r.overview.seconds) for r in readings)
        return _not_after(Window.around(start, end, before=BEFORE, after=AFTER), now)
    if at is not None:
        return _not_after(Window.around(at, at, before=BEFORE, after=AFTER), now)
    return Window(start=now - timedelta(hours=1), end=now)


def _not_after(window: Window, now: datetime) -> Window:
    """End no later than now, unless the trace's own clock runs ahead of ours."""
    return (
        Window(start=window.start, end=max(min(window.end, now), window.start + timedelta(minutes=1)))
        if window.end > now and window.start < now
        else window
    )


def _summary(readings: list[TraceReading], resources: Sequence[Resource]) -> str:
    if readings:
        return readings[0].overview.summary() + (f"; {len(readings) - 1} linked" if len(readings) > 1 else "")
    return f"no trace; looking at {', '.join(r.label for r in resources[:3])}"


def _nearby(aws: Clients, readings: list[TraceReading], window: Window, own: Iterable[str]) -> tuple[str, ...]:
    """Failing traces around a healthy one: perhaps it was the wrong trace."""
    if not readings or any(r.overview.failed_calls or r.overview.failed_segments for r in readings):
        return ()
    try:
        answer = aws.xray.get_trace_summaries(
            StartTime=window.start, EndTime=window.end, FilterExpression="fault = true OR error = true"
        )
    except ClientError as error:
        logger.info("operation=<GetTraceSummaries> | %s: failing neighbours are not offered", classify(error).code)
        return ()
    failing = (s.get("Id", "") for s in answer.get("TraceSummaries", []) if s.get("HasFault") or s.get("HasError"))
    return tuple(t for t in failing if t and t not in set(own))[:3]


def _nothing(missing: list[str], region: str, account: str, gaps: list[Gap], now: datetime) -> str:
    if gaps:
        return gaps[0].message
    return (
        _missing_gap(missing[0], region, account, now).message
        if missing
        else "Nothing was found to look at: give a trace id, an ARN or a name."
    )


def _missing_gap(trace: str, region: str, account: str, now: datetime) -> Gap:
    born = datetime.fromtimestamp(int(trace[2:10], 16), tz=UTC)
    if born < now - RETENTION:
        why = f"it is from {born:%Y-%m-%d} by its id, and X-Ray keeps traces for 30 days: take a newer trace"
    elif born > now + timedelta(minutes=5) or now - born > timedelta(minutes=2):
        why = "check the account and the Region (pass --region, or name it after the id), and that it was sampled"
    else:
        why = "X-Ray shows a trace about 30 s after its end: run it again in a minute, or check the Region"
    return Gap(
        specialist="trace",
        probe="traces",
        resource=trace,
        reason=GapReason.NOT_FOUND,
        message=f"No trace {trace} in {region} of account {account}: {why}.",
    )


def _gap(probe: str, resource: str, error: ClientError, asked: Read) -> Gap:
    failure = classify(error)
    denied = failure.reason is GapReason.ACCESS_DENIED
    message = (
        f"Reading {resource} was denied: grant {asked.action}"
        if denied
        else f"Reading {resource} failed ({failure.code}: {failure.message[:200]})"
    )
    return Gap(
        specialist="trace",
        probe=probe,
        resource=resource,
        reason=failure.reason,
        action=asked.action if denied else None,
        message=message,
    )


__all__ = ["READS", "AccountUnusable", "Discovery", "TraceOverview", "discover"]
