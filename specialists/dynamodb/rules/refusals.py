"""Refused for what was asked: a table or index that is not there, keys that do not fit, conditions, conflicts, size."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from domain.evidence import Evidence
from domain.findings import Finding
from domain.trace import TraceCall, TraceSegment
from specialists.contract import Case, rule
from specialists.dynamodb.evidence import NearbyTables, TableState
from specialists.dynamodb.metrics import series
from specialists.dynamodb.signs import Reading, Sign, signs
from specialists.kit.change import Change
from specialists.kit.lastchange import effective_changes
from specialists.kit.loglines import LogLines
from specialists.kit.overheard import began, cited
from specialists.kit.series import MetricSeries, plain

SEES = (TraceCall, TraceSegment, LogLines)

INDEX_NAME = re.compile(r"index:? ?[`'\"]?([A-Za-z0-9_.-]{3,255})", re.IGNORECASE)
UNHANDLED = re.compile(r"Traceback \(most recent|Invoke Error|Unhandled|\"errorType\"")
"""How Lambda's runtimes log an exception that left the handler."""

REASONS = re.compile(r"\[([A-Za-z, ]{4,400})\]")


@rule("ddb-table-not-found", sees=(*SEES, TableState, NearbyTables, Change))
def table_is_missing(case: Case) -> Iterator[Finding]:
    """Callers are told that the table does not exist, or it does not exist and nobody reached it."""
    found, state = signs(case, Reading.NO_TABLE), case.one(TableState)
    gone = state is not None and (not state.exists or state.status in {"CREATING", "DELETING"})
    refused_otherwise = signs(case)
    if not found and (not gone or refused_otherwise or case.calls_to(failed=False)):
        return
    deletions = [change for change in effective_changes(case) if change.event_name == "DeleteTable"]
    missing = [state] if gone and state else []
    yield case.hypothesis(
        "ddb-table-not-found",
        _missing_sentence(case, state, found, deletions),
        proof=(*cited(found), *missing, *deletions[-1:]),
        against=[state] if state and not gone else (),
        since=began(found) or (deletions[-1].observed_at if deletions else None),
    )
    nearby = case.one(NearbyTables)
    if nearby is not None and nearby.names:
        names = ", ".join(f"`{name}`" for name in nearby.names)
        yield case.advice(
            f"There is no table `{case.target.name}` here, but {names}: check the caller's setting.", nearby
        )


@rule("ddb-table-not-found", sees=(*SEES, TableState))
def index_is_missing(case: Case) -> Iterator[Finding]:
    """A query names an index that the table does not have."""
    found, state = signs(case, Reading.NO_INDEX), case.one(TableState)
    if not found or signs(case, Reading.NO_TABLE):
        return  # a table that is not there has no indexes either: that is the sharper finding
    named = INDEX_NAME.search(found[0].text)
    name = named.group(1).rstrip(".") if named else ""
    has = {*(i.name for i in state.indexes), *state.local_indexes} if state and state.exists else set()
    yield case.hypothesis(
        "ddb-table-not-found",
        f"{_count(found)} asked `{case.target.name}` for index {f'`{name}`' if name else 'an index'}, which it lacks"
        + (f"; it has {', '.join(sorted(f'`{n}`' for n in has))}" if has else ""),
        proof=(*cited(found), *([state] if state and name not in has else [])),
        against=[state] if state and name in has else (),
        since=began(found),
    )


@rule("ddb-validation-key", sees=(*SEES, TableState))
def keys_do_not_fit(case: Case) -> Iterator[Finding]:
    """DynamoDB rejects requests because their keys differ from the key schema of the table or an index."""
    found, state = signs(case, Reading.KEY_SCHEMA), case.one(TableState)
    if not found:
        return
    expects = f"; its keys are {', '.join(map(str, state.keys))}" if state and state.keys else ""
    yield case.hypothesis(
        "ddb-validation-key",
        f"{_count(found)} to `{case.target.name}` had keys that do not fit its key schema{expects}",
        proof=cited(found),
        strong=[state] if state and state.keys else (),
        since=began(found),
    )


@rule("ddb-item-too-large", sees=SEES)
def item_is_too_large(case: Case) -> Iterator[Finding]:
    """DynamoDB rejects writes because an item exceeds 400 KB or an item collection 10 GB."""
    found = signs(case, Reading.TOO_LARGE)
    if not found:
        return
    collection = any("collection" in sign.text.lower() for sign in found)
    limit = "an item collection would pass 10 GB" if collection else "an item would pass 400 KB"
    yield case.hypothesis(
        "ddb-item-too-large",
        f"{_count(found)} to `{case.target.name}` failed because {limit}",
        proof=cited(found),
        since=began(found),
    )


@rule("ddb-conditional-failed", sees=(*SEES, MetricSeries))
def condition_is_not_met(case: Case) -> Iterator[Finding]:
    """Conditional writes fail; only where the caller failed with them is that more than often expected behaviour."""
    found = signs(case, Reading.CONDITION)
    counted = series(case, "ConditionalCheckFailedRequests")
    more = [counted] if counted is not None and _risen(counted) else []
    if not found and not more:
        return
    fatal = _fatal(case, found)
    numbers = f"{plain(more[0].total)} conditional writes" if more else _count(found)
    graded = _graded(fatal, found, more)
    ending = ", and the caller failed with it" if fatal else ", which callers often expect"
    yield case.hypothesis(
        "ddb-conditional-failed",
        f"{numbers} on `{case.target.name}` did not meet their condition{ending}",
        proof=graded.proof,
        strong=graded.strong,
        weak=graded.weak,
        since=began(found) or (more[0].first_over(more[0].usual_peak) if more else None),
    )


@rule("ddb-transaction-cancelled", sees=(*SEES, MetricSeries))
def transaction_is_cancelled(case: Case) -> Iterator[Finding]:
    """Transactions on the table are cancelled: by conflicts, conditions or other reasons than throttling and size."""
    found = signs(case, Reading.TRANSACTION)
    counted = series(case, "TransactionConflict")
    more = [counted] if counted is not None and _risen(counted) else []
    if not found and not more:
        return
    reasons = sorted({r.strip() for s in found for m in REASONS.findall(s.text) for r in m.split(",")} - {"None", ""})
    why = f" ({', '.join(reasons)})" if reasons else ""
    conflicts = f"{plain(more[0].total)} transaction conflicts" if more else ""
    numbers = f"{_count(found)} were cancelled{why}" + (f", {conflicts}" if more else "") if found else conflicts
    graded = _graded(_fatal(case, found), found, more)
    yield case.hypothesis(
        "ddb-transaction-cancelled",
        f"{numbers} on `{case.target.name}`",
        proof=graded.proof,
        strong=graded.strong,
        weak=graded.weak,
        since=began(found) or (more[0].first_over(more[0].usual_peak) if more else None),
    )


class _Graded(NamedTuple):
    """A refusal that failed its caller states the cause; one that the caller handled only fits, as does a count."""

    proof: Sequence[Evidence] = ()
    strong: Sequence[Evidence] = ()
    weak: Sequence[Evidence] = ()


def _graded(fatal: Sequence[Sign], found: Sequence[Sign], counted: Sequence[Evidence]) -> _Graded:
    if fatal:
        return _Graded(proof=cited(fatal), strong=counted)
    return _Graded(weak=(*cited(found), *counted))


def _fatal(case: Case, found: Sequence[Sign]) -> list[Sign]:
    """Return the refusals whose caller failed, where no other of its calls failed or hung that could be why."""
    failed = {segment.resource for segment in case.evidence.of(TraceSegment) if segment.failed}
    elsewhere = {c.caller for c in case.evidence.of(TraceCall) if c.failed and c.resource != case.target.id}
    callers = failed - elsewhere
    return [
        sign
        for sign in found
        if (sign.caller in callers and not _went_on(case, sign))
        or isinstance(sign.evidence, TraceSegment)
        or UNHANDLED.search(sign.text)
    ]


def _went_on(case: Case, sign: Sign) -> bool:
    """Whether the caller was waiting for something else in the end, which it began after the refusal."""
    refused = sign.evidence
    return isinstance(refused, TraceCall) and any(
        c.pending and c.resource != case.target.id and refused.outlived_by(c) for c in case.evidence.of(TraceCall)
    )


def _risen(counted: MetricSeries) -> bool:
    """Tell whether a count is well above what the table always has."""
    return counted.total >= 10 and counted.peak > 3 * counted.usual_peak


def _count(found: Sequence[Sign]) -> str:
    operations = sorted({f"`{sign.operation}`" for sign in found if sign.operation})
    return f"{len(found)} {'/'.join(operations) or 'requests'}"


def _missing_sentence(case: Case, state: TableState | None, found: Sequence[Sign], deletions: Sequence[Change]) -> str:
    name = f"`{case.target.name}`"
    where = f" in {case.target.region}" if case.target.region else ""
    if state is not None and state.exists and state.status in {"CREATING", "DELETING"}:
        return f"Table {name} cannot be used: it is {state.status}"
    by = ""
    if deletions and deletions[-1].observed_at:
        by = f"; it was deleted at {deletions[-1].observed_at:%H:%M} by `{deletions[-1].who}`"
    if state is not None and state.exists:
        return f"{_count(found)} were told that table {name} does not exist, though it exists now"
    told = f"; {_count(found)} failed for it" if found else ""
    return f"Table {name} does not exist{where}{told}{by}"


RULES = (
    table_is_missing,
    index_is_missing,
    keys_do_not_fit,
    item_is_too_large,
    condition_is_not_met,
    transaction_is_cancelled,
)
