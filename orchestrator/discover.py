"""Discovery: from a request to the resources, the service graph, the window and the trace's evidence."""

import logging
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime, timedelta

from aws.clients import Clients
from aws.errors import CALL_ERRORS, classify, unusable
from aws.reads import Read, read
from aws.session import ReadSession
from domain.arn import arns_in
from domain.evidence import Evidence, EvidenceBundle, redacted
from domain.gap import Gap, GapReason
from domain.graph import Edge, ServiceGraph
from domain.request import Request
from domain.resource import Resource, ResourceType, resource_from_arn
from domain.trace import TraceCall, TraceSegment
from domain.window import Window
from orchestrator import alarms, mappings, resolve, retrieve
from orchestrator.alarms import FromAlarm
from orchestrator.errors import NothingToLookAt
from orchestrator.fetch import BATCH_GET_TRACES, Fetched, absent_gap, fetch
from orchestrator.resolve import Where
from orchestrator.retrieve import with_retrieved
from orchestrator.trace.documents import read_documents
from orchestrator.trace.naming import Home
from orchestrator.trace.reading import TraceReading, read_trace

logger = logging.getLogger(__name__)

GET_TRACE_SUMMARIES = read("xray", "GetTraceSummaries")
READS: tuple[Read, ...] = (
    BATCH_GET_TRACES,
    GET_TRACE_SUMMARIES,
    retrieve.START,
    retrieve.LIST,
    *mappings.READS,
    *resolve.READS,
    *alarms.READS,
)
MAX_TRACES = 10
BEFORE, AFTER = timedelta(minutes=15), timedelta(minutes=5)


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
    """Find out what the request is about. Blocking; the pool asks whose account it is meanwhile.

    Raises AccountUnusable when AWS cannot be read at all, NothingToLookAt when nothing exists under what was given.
    """
    try:
        return _discover(request, session, pool, now)
    except CALL_ERRORS as error:
        stop = unusable(error)
        if stop is None:
            raise
        raise stop from error


def _discover(request: Request, session: ReadSession, pool: Executor, now: datetime) -> Discovery:
    region = request.region or session.default_region()
    asking = pool.submit(copy_context().run, session.home_account)
    aws = session.clients(request.account or "", region)
    fetched = with_retrieved(aws, fetch(aws, request.trace_ids[:MAX_TRACES]), now)
    # A full pool never gets to it: every thread of it may be a discovery that waits here.
    own = session.home_account() if asking.cancel() else asking.result()
    foreign = request.account is not None and not session.reachable(request.account)
    home = Home(own if foreign else request.account or own, region)
    gaps = [_foreign_gap(request.account or "")] if foreign else []
    gaps += [*fetched.gaps, *_left_out(request.trace_ids)]
    readings = _readings(fetched, home, gaps)
    gaps += [absent_gap(trace_id, region, home.account, now) for trace_id in fetched.absent]
    resources, rung = _asked_about(aws, request, Where(home.account, region), pool, gaps, now, foreign=foreign)
    ids = (*request.trace_ids, *rung.trace_ids)
    readings += _of_alarm(aws, rung, home, gaps)
    readings += _linked(aws, readings, ids, home, gaps)
    if not readings and not resources:
        raise NothingToLookAt(gaps[0].message if gaps else "Nothing was found to look at.", tuple(gaps))
    evidence = tuple(redacted(e) for e in (*rung.evidence, *(e for reading in readings for e in reading.evidence)))
    window = request.window or rung.window or _window(readings, now)
    feeding = mappings.ask(_graph(readings, resources, evidence), session, pool)
    nearby = _nearby(aws, readings, window, ids)
    fed = feeding()
    return Discovery(
        window=window,
        graph=fed.graph,
        trace=EvidenceBundle(evidence),
        gaps=(*gaps, *fed.gaps),
        summary=rung.summary or _summary(readings, resources),
        region=region,
        account=home.account,
        nearby=nearby,
    )


def _foreign_gap(account: str) -> Gap:
    return Gap(
        specialist="trace",
        probe="account",
        resource=account,
        reason=GapReason.ACCESS_DENIED,
        action="sts:AssumeRole",
        message=f"Account {account} cannot be read: add a role for it to RCA_ACCOUNTS and allow sts:AssumeRole on it",
    )


def _left_out(ids: Sequence[str]) -> list[Gap]:
    if len(ids) <= MAX_TRACES:
        return []
    return [
        Gap(
            specialist="trace",
            probe="traces",
            resource=ids[MAX_TRACES],
            reason=GapReason.NO_DATA,
            message=f"Only the first {MAX_TRACES} of {len(ids)} traces were read: ask again about the others",
        )
    ]


def _readings(fetched: Fetched, home: Home, gaps: list[Gap]) -> list[TraceReading]:
    readings = []
    for trace_id, texts in fetched.documents.items():
        tree = read_documents(trace_id, texts)
        reading = read_trace(tree, home, complete=trace_id not in fetched.partial)
        if reading is not None:
            readings.append(reading)
        if tree.unreadable or reading is None or trace_id in fetched.partial:
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
    fetched = fetch(aws, wanted[: max(0, MAX_TRACES - len(readings))])
    gaps.extend(fetched.gaps)
    return _readings(fetched, home, gaps)


def _asked_about(
    aws: Clients, request: Request, where: Where, pool: Executor, gaps: list[Gap], now: datetime, *, foreign: bool
) -> tuple[tuple[Resource, ...], FromAlarm]:
    """Look the names up and follow the alarms; an alarm is a resource only where it leads to no other."""
    answers = resolve.look_up(aws, () if request.alarm else request.targets, where, pool)
    gaps.extend(answer.gap for answer in answers if answer.gap)
    named = tuple(r for answer in answers for r in answer.resources)
    rung = alarms.from_alarms(aws, request, named, where, now, pool, foreign=foreign)
    gaps.extend(rung.gaps)
    others = tuple(r for r in (*request.resources, *named) if r.type is not ResourceType.ALARM)
    return (*others, *rung.resources), rung


def _of_alarm(aws: Clients, rung: FromAlarm, home: Home, gaps: list[Gap]) -> list[TraceReading]:
    fetched = fetch(aws, rung.trace_ids)
    gaps.extend(fetched.gaps)
    return _readings(fetched, home, gaps)


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


def _window(readings: list[TraceReading], now: datetime) -> Window:
    if readings:
        start = min(r.overview.start for r in readings)
        end = max(r.overview.start + timedelta(seconds=r.overview.seconds) for r in readings)
        return _not_after(Window.around(start, end, before=BEFORE, after=AFTER), now)
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
    except CALL_ERRORS as error:
        logger.info("operation=<GetTraceSummaries> | %s: failing neighbours are not offered", classify(error).code)
        return ()
    failing = (s.get("Id", "") for s in answer.get("TraceSummaries", []) if s.get("HasFault") or s.get("HasError"))
    return tuple(t for t in failing if t and t not in set(own))[:3]
