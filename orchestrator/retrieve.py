"""Traces that Transaction Search keeps: BatchGetTraces does not find them, a retrieval does.

A retrieval is started, runs for a second or more, and is listed in pages:
https://docs.aws.amazon.com/xray/latest/api/API_StartTraceRetrieval.html
"""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from aws.clients import Clients
from aws.errors import CALL_ERRORS, classify, unusable
from aws.reads import read
from domain.gap import Gap, GapReason
from orchestrator.fetch import RETENTION, Fetched, gap_of

logger = logging.getLogger(__name__)

START = read("xray", "StartTraceRetrieval")
LIST = read("xray", "ListRetrievedTraces")
AROUND = timedelta(hours=1)
LOOKS = 12
PAUSE_SECONDS = 0.5
RUNNING = frozenset({"SCHEDULED", "RUNNING"})


def with_retrieved(
    aws: Clients, fetched: Fetched, now: datetime, sleep: Callable[[float], None] = time.sleep
) -> Fetched:
    """Ask Transaction Search for the traces that X-Ray does not know.

    Where it is off or knows them no better they stay absent; a denied retrieval is a gap that names the action.
    """
    wanted = [trace_id for trace_id in fetched.absent if _born(trace_id) > now - RETENTION]
    if not wanted:
        return fetched
    try:
        found = _retrieve(aws, wanted, now, sleep)
    except CALL_ERRORS as error:
        if unusable(error):
            raise
        failure = classify(error)
        if failure.reason is GapReason.ACCESS_DENIED:
            return fetched._replace(gaps=(*fetched.gaps, *_denied(wanted, error)))
        logger.info("traces=<%s>, code=<%s> | not retrieved", ",".join(wanted), failure.code)
        return fetched
    still_absent = tuple(trace_id for trace_id in fetched.absent if trace_id not in found)
    return fetched._replace(documents={**fetched.documents, **found}, absent=still_absent)


def _retrieve(aws: Clients, ids: Sequence[str], now: datetime, sleep: Callable[[float], None]) -> dict[str, list[str]]:
    start = min(_born(trace_id) for trace_id in ids) - AROUND
    end = min(now, max(_born(trace_id) for trace_id in ids) + AROUND)
    token = aws.xray.start_trace_retrieval(TraceIds=list(ids), StartTime=start, EndTime=max(end, start + AROUND))[
        "RetrievalToken"
    ]
    for _ in range(LOOKS):
        answer = aws.xray.list_retrieved_traces(RetrievalToken=token, TraceFormat="XRAY")
        if answer.get("RetrievalStatus") not in RUNNING:
            break
        sleep(PAUSE_SECONDS)
    found: dict[str, list[str]] = {}
    while True:
        for trace in answer.get("Traces", []):
            texts = [span.get("Document", "") for span in trace.get("Spans", [])]
            if texts:
                found.setdefault(trace.get("Id", ""), []).extend(texts)
        more = answer.get("NextToken")
        if not more:
            return found
        answer = aws.xray.list_retrieved_traces(RetrievalToken=token, TraceFormat="XRAY", NextToken=more)


def _denied(ids: Sequence[str], error: Exception) -> list[Gap]:
    operation = getattr(error, "operation_name", "")
    return [gap_of("traces", i, error, LIST.action if operation == LIST.operation else START.action) for i in ids]


def _born(trace_id: str) -> datetime:
    return datetime.fromtimestamp(int(trace_id[2:10], 16), tz=UTC)
