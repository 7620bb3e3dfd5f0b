"""Refused for what was asked: a bucket or object that is not there, the wrong Region, too many requests."""

import re
from collections.abc import Iterator, Sequence

from domain.evidence import Evidence
from domain.findings import Finding
from domain.trace import TraceCall, TraceSegment
from specialists.contract import Case, Rule, rule
from specialists.kit.change import Change
from specialists.kit.lastchange import by_whom, last_change
from specialists.kit.loglines import LogLines
from specialists.kit.overheard import began, cited
from specialists.kit.series import MetricSeries, plain
from specialists.s3.evidence import BucketState, Lifecycle, Versioning
from specialists.s3.metrics import SERVER_ERRORS, risen
from specialists.s3.signs import Reading, Sign, counted, signs

SEES = (TraceCall, TraceSegment, LogLines, BucketState, Change)

ENCODED = re.compile(r"%[0-9A-Fa-f]{2}|\+")
"""What the key of an S3 event looks like before it is decoded: `a+b%2Fc`."""

NAMED_REGION = re.compile(
    r"(?:expecting|in this region:?|region to|bucket is in(?: the)?)\s{0,3}['\"`]?([a-z]{2}(?:-[a-z]{2,12}){1,3}-\d)",
    re.IGNORECASE,
)
UNHANDLED = re.compile(r"Traceback \(most recent|Invoke Error|Unhandled|\"errorType\"")
"""How Lambda's runtimes log an exception that left the handler."""


@rule("s3-no-such-bucket", sees=SEES)
def bucket_is_missing(case: Case) -> Iterator[Finding]:
    """Callers are told that the bucket does not exist, or it does not exist and nobody reached it."""
    found, state = signs(case, Reading.NO_BUCKET), case.one(BucketState)
    gone = state is not None and not state.exists
    if not found and (not gone or signs(case) or case.calls_to(failed=False)):
        return
    deleted = last_change(case, "DeleteBucket")
    name = f"`{case.target.name}`"
    if state is not None and state.exists:
        were = "was" if len(found) == 1 else "were"
        sentence = f"{counted(found)} {were} told that bucket {name} does not exist, though it exists now"
    else:
        sentence = f"Bucket {name} does not exist{f'; {counted(found)} failed for it' if found else ''}"
    yield case.hypothesis(
        "s3-no-such-bucket",
        sentence + by_whom(deleted),
        proof=(*cited(found), *([state] if gone and state else []), *deleted),
        against=[state] if state is not None and state.exists else (),
        since=began(found) or (deleted[0].observed_at if deleted else None),
    )


@rule("s3-no-such-key", sees=(*SEES, Lifecycle, Versioning))
def object_is_missing(case: Case) -> Iterator[Finding]:
    """A caller fails on an object that does not exist; one that only looks whether it exists expects that answer."""
    found = signs(case, Reading.NO_KEY)
    if not found:
        return
    fatal = _fatal(case, found)
    keys = list(dict.fromkeys(sign.key for sign in found if sign.key))
    shown = ", ".join(f"`{key[:120]}`" for key in keys[:3])
    encoded = any(ENCODED.search(key) for key in keys)
    rules = case.one(Lifecycle)
    expiring = [one for one in (rules.expiries if rules else ()) if any(key.startswith(one.prefix) for key in keys)]
    why = "; the key looks URL-encoded, as S3 events give it" if encoded else ""
    if expiring and not encoded:
        why = f"; lifecycle rule `{expiring[0].rule or 'without name'}` deletes objects of that prefix"
    hidden = [sign for sign in fatal if sign.hidden]
    if hidden:
        why += "; S3 says Access Denied instead of 404 to a caller that may not `s3:ListBucket`"
    ending = "" if fatal else ", which the caller went on from"
    yield case.hypothesis(
        "s3-no-such-key",
        f"{counted(found)} asked `{case.target.name}` for an object that does not exist{f': {shown}' if shown else ''}"
        f"{why}{ending}",
        proof=cited(fatal),
        weak=(*(() if fatal else cited(found)), *([rules] if rules and expiring else ())),
        since=began(found),
    )
    if hidden:
        yield case.advice(
            "Find out who should have written the object: to allow `s3:ListBucket` turns the answer into 404 and "
            "brings no object.",
            *cited(hidden, 1),
        )
    kept = case.one(Versioning)
    if fatal and kept is not None and kept.status == "Enabled":
        yield case.advice("Versioning is on: a deleted object has a delete marker and can be brought back.", kept)


@rule("s3-wrong-region", sees=SEES)
def region_is_wrong(case: Case) -> Iterator[Finding]:
    """S3 says that the bucket is in another Region than the one asked."""
    found, state = signs(case, Reading.REGION), case.one(BucketState)
    if not found:
        return
    told = next((match[1].lower() for sign in found if (match := NAMED_REGION.search(sign.text))), "")
    region = state.region if state is not None and state.exists else told
    callers = sorted({node.region for sign in found if (node := case.graph.node(sign.caller)) and node.region})
    asking = f"; its caller runs in {callers[0]}" if callers and callers != [region] else ""
    yield case.hypothesis(
        "s3-wrong-region",
        f"{counted(found)} went to another Region than the one of `{case.target.name}`"
        f"{f', {region}' if region else ''}{asking}",
        proof=cited(found),
        strong=[state] if state is not None and state.exists and (asking or told == state.region) else (),
        since=began(found),
    )


@rule("s3-slow-down", sees=(*SEES, MetricSeries))
def requests_come_too_fast(case: Case) -> Iterator[Finding]:
    """S3 asks to slow down; a bare 503 or more server errors than usual would fit other troubles as well."""
    stated, busy, errors = signs(case, Reading.SLOW), signs(case, Reading.BUSY), risen(case, SERVER_ERRORS)
    if not (stated or busy or errors):
        return
    rise: list[Evidence] = [errors] if errors is not None else []
    found = stated or busy
    more = ""
    if errors:
        more = f"; {plain(errors.total)} server errors, usually {plain(errors.usual_peak)} a minute at most"
    what = f"{counted(found)} to" if found else "Requests to"
    were = "was" if len(found) == 1 else "were"
    said = f"{were} told to slow down" if stated else f"{were} answered with 503" if busy else "fail in S3"
    yield case.hypothesis(
        "s3-slow-down",
        f"{what} `{case.target.name}` {said}{more}",
        proof=cited(stated),
        strong=rise if found else (),
        weak=(*(() if stated else cited(busy)), *(() if found else rise)),
        since=began(found) or (errors.first_over(errors.usual_peak) if errors else None),
    )


def _fatal(case: Case, found: Sequence[Sign]) -> list[Sign]:
    """Return the refusals whose caller failed, where no other of its calls failed that could be why."""
    failed = {segment.resource for segment in case.evidence.of(TraceSegment) if segment.failed}
    elsewhere = {c.caller for c in case.evidence.of(TraceCall) if c.failed and c.resource != case.target.id}
    callers = failed - elsewhere
    return [
        sign
        for sign in found
        if sign.caller in callers or isinstance(sign.evidence, TraceSegment) or UNHANDLED.search(sign.text)
    ]


RULES: tuple[Rule, ...] = (bucket_is_missing, object_is_missing, region_is_wrong, requests_come_too_fast)
