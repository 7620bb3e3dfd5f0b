"""Traces from X-Ray: their documents, and what X-Ray did not hand over.

BatchGetTraces takes 5 ids a call and pages; it shows a trace about half a minute after its end and keeps it 30 days:
https://docs.aws.amazon.com/xray/latest/api/API_BatchGetTraces.html
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from aws.clients import Clients
from aws.errors import CALL_ERRORS, classify, unusable
from aws.reads import read
from domain.gap import Gap, GapReason
from orchestrator.texts import read_json

if TYPE_CHECKING:
    from types_boto3_xray.type_defs import TraceTypeDef

BATCH_GET_TRACES = read("xray", "BatchGetTraces")
IDS_PER_CALL = 5
RETENTION = timedelta(days=30)


class Fetched(NamedTuple):
    """The documents of each found trace; which traces are incomplete, which do not exist, what could not be asked."""

    documents: dict[str, list[str]]
    partial: frozenset[str]
    absent: tuple[str, ...]
    gaps: tuple[Gap, ...]


def fetch(aws: Clients, ids: Sequence[str]) -> Fetched:
    """Ask for traces; raises botocore's errors only where nothing at all can be read.

    X-Ray calls a trace that does not exist unprocessed, like one that it had no time for: it is asked once more.
    """
    found: dict[str, list[str]] = {}
    partial: set[str] = set()
    gaps: list[Gap] = []
    batches = [list(ids[first : first + IDS_PER_CALL]) for first in range(0, len(ids), IDS_PER_CALL)]
    for batch in batches:
        try:
            left = _ask(aws, batch, found, partial)
            if left:
                partial |= _ask(aws, left, found, partial) & found.keys()
        except CALL_ERRORS as error:
            if unusable(error):
                raise
            gaps += [gap_of("traces", i, error, BATCH_GET_TRACES.action) for i in batch if i not in found]
    not_asked = {gap.resource for gap in gaps}
    return Fetched(
        documents={trace_id: texts for trace_id, texts in found.items() if texts and trace_id in ids},
        partial=frozenset(partial),
        absent=tuple(i for i in ids if not found.get(i) and i not in not_asked),
        gaps=tuple(gaps),
    )


def _ask(aws: Clients, ids: Iterable[str], found: dict[str, list[str]], partial: set[str]) -> set[str]:
    """Add what X-Ray answers; return the ids that it did not process."""
    unprocessed: set[str] = set()
    for page in aws.xray.get_paginator("batch_get_traces").paginate(TraceIds=sorted(ids)):
        unprocessed.update(page.get("UnprocessedTraceIds", []))
        for trace in page.get("Traces", []):
            trace_id, texts = _trace(trace)
            found.setdefault(trace_id, []).extend(texts)
            if trace.get("LimitExceeded"):
                partial.add(trace_id)
    return unprocessed


def _trace(trace: "TraceTypeDef") -> tuple[str, list[str]]:
    """Return a trace's id and documents; a trace in progress may come without an id of its own."""
    texts = [segment.get("Document", "") for segment in trace.get("Segments", [])]
    return trace.get("Id") or next(_stated_ids(texts), ""), texts


def _stated_ids(texts: Iterable[str]) -> Iterator[str]:
    documents = (read_json(text) for text in texts)
    return (d["trace_id"] for d in documents if isinstance(d, dict) and isinstance(d.get("trace_id"), str))


def absent_gap(trace_id: str, region: str, account: str, now: datetime) -> Gap:
    """Say that a trace does not exist, and what is the likeliest reason by the time in its id."""
    born = datetime.fromtimestamp(int(trace_id[2:10], 16), tz=UTC)
    if born < now - RETENTION:
        why = f"it is from {born:%Y-%m-%d} by its id, and X-Ray keeps traces for 30 days: take a newer trace"
    elif born > now + timedelta(minutes=5) or now - born > timedelta(minutes=2):
        why = "check the account and the Region (pass --region, or name it after the id), and that it was sampled"
    else:
        why = "X-Ray shows a trace about 30 s after its end: run it again in a minute, or check the Region"
    return Gap(
        specialist="trace",
        probe="traces",
        resource=trace_id,
        reason=GapReason.NOT_FOUND,
        message=f"No trace {trace_id} in {region} of account {account}: {why}.",
    )


def gap_of(probe: str, resource: str, error: Exception, action: str) -> Gap:
    """Say what could not be read, and which action to grant where it was denied."""
    failure = classify(error)
    denied = failure.reason is GapReason.ACCESS_DENIED
    why = f"{failure.code}: {failure.message[:200]}" if failure.code else failure.message[:200]
    return Gap(
        specialist="trace",
        probe=probe,
        resource=resource,
        reason=failure.reason,
        action=action if denied else None,
        message=f"Reading {resource} was denied: grant {action}" if denied else f"Reading {resource} failed ({why})",
    )
