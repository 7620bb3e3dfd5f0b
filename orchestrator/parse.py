"""From any text to a request: trace ids, ARNs, names, pasted JSON, free text. Deterministic, without AWS.

Trace ids: `1-8hex-24hex` or W3C's 32 hex digits, also inside `Root=…;Self=…` headers, `traceparent` and console links.
https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-traceids
"""

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.arn import ARN, arns_in
from domain.request import Request, Target
from domain.resource import resource_from_arn
from domain.values import utc
from domain.window import Window
from orchestrator.errors import UnusableInput
from orchestrator.pasted import Pasted, read_pasted

EXAMPLE = "1-6740a1b2-1234567890abcdef12345678"
XRAY_ID = re.compile(r"(?<![0-9a-z])1-([0-9a-f]{8})-([0-9a-f]{24})(?![0-9a-z])", re.IGNORECASE)
OWN_SPAN = re.compile(r"\b(?:Self|Parent)=[0-9a-f-]{1,64}", re.IGNORECASE)
TRACEPARENT = re.compile(r"(?<![0-9a-z])[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?![0-9a-z])", re.IGNORECASE)
W3C_ID = re.compile(r"(?<![0-9a-z-])([0-9a-f]{32})(?![0-9a-z-])", re.IGNORECASE)
ALMOST_ID = re.compile(r"(?<![0-9a-z.-])(1-[0-9a-z]{4,16}(?:-[0-9a-z]{0,40})?)(?![0-9a-z])", re.IGNORECASE)
REGION = re.compile(
    r"(?<![0-9a-z])((?:af|ap|ca|cn|eu|il|me|mx|sa|us|us-gov|eusc)-(?:central|(?:north|south)?(?:east|west)?)-\d)(?![0-9a-z])",
    re.IGNORECASE,
)
ISO = r"(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:?\d\d)?)"
SINCE = re.compile(rf"\bsince[ =:]+{ISO}", re.IGNORECASE)
UNTIL = re.compile(rf"\b(?:until|till)[ =:]+{ISO}", re.IGNORECASE)
LAST = re.compile(r"\b(?:last|past)\s+(\d{1,3})\s*(m|min|mins|minutes?|h|hours?)\b", re.IGNORECASE)
NAMED = re.compile(
    r"\b(lambda|function|table|dynamodb|api|queue|topic|state machine|bucket|role|alarm)\b"
    r"(?:\s+(?:function|table|named|called))?"
    r"[\s:=]+[`\"'“‘]?([A-Za-z0-9_][A-Za-z0-9_./-]{0,139})",
    re.IGNORECASE,
)
KINDS = {
    "lambda": "lambda",
    "function": "lambda",
    "table": "dynamodb",
    "dynamodb": "dynamodb",
    "api": "apigateway",
    "queue": "sqs",
    "topic": "sns",
    "state machine": "stepfunctions",
    "bucket": "s3",
    "role": "iam",
    "alarm": "alarm",
}
NOT_NAMES = frozenset({
    "is", "has", "was", "are", "the", "a", "an", "in", "on", "at", "of", "for", "and", "or", "with",
    "failing", "fails", "failed", "error", "errors", "timeout", "slow", "down",
})  # fmt: skip
BARE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./:-]{1,255}")
MAX_TEXT = 100_000


def parse(
    text: str, *, now: datetime, since: str | None = None, until: str | None = None, region: str | None = None
) -> Request:
    """Return what the text asks for; raises UnusableInput with a sentence that says what to write instead.

    `since`, `until` (ISO 8601) and `region` come from options and win over what the text says.
    """
    plain = _plain(text)
    if not plain:
        raise UnusableInput(f"Tell me what to investigate, for example a trace id: {EXAMPLE}")
    pasted = read_pasted(plain)
    prose = "\n".join(pasted.texts) if pasted.is_json else plain
    traces = trace_ids(prose)
    resources = tuple(resource_from_arn(arn) for arn in arns_in(prose))
    targets = () if traces and not pasted.targets else _targets(plain, pasted, found=bool(traces or resources))
    _refuse_almost(prose, traces)
    if not (traces or resources or targets):
        raise UnusableInput(
            "I found no trace id, ARN or name to investigate in that. "
            f"Give a trace id such as {EXAMPLE}, an ARN, or a name such as “function orders-fn”."
        )
    return Request(
        text=plain[:2000],
        trace_ids=traces,
        resources=tuple({resource.id: resource for resource in resources}.values()),
        targets=targets,
        error_messages=pasted.error_messages or _error_lines(plain, traces, pasted),
        window=_window(prose, now, since, until) or pasted.window,
        region=region or pasted.region or _region(prose, resources),
        account=pasted.account,
    )


def trace_ids(text: str) -> tuple[str, ...]:
    """Return the trace ids in a text as X-Ray writes them, lower case, each once, in order."""
    text = OWN_SPAN.sub(" ", text)
    found: list[tuple[int, str]] = [(m.start(), f"1-{m[1]}-{m[2]}") for m in XRAY_ID.finditer(text)]
    found += [
        (m.start(), f"1-{m[1][:8]}-{m[1][8:]}") for pattern in (TRACEPARENT, W3C_ID) for m in pattern.finditer(text)
    ]
    ids = (trace.lower() for _, trace in sorted(found))
    return tuple(dict.fromkeys(trace for trace in ids if set(trace[2:]) - {"0", "-"}))


def _plain(text: str) -> str:
    """Undo what Slack does to text: links, entities, typographic quotes."""
    unlinked = re.sub(r"<(?:mailto:)?([^<>|\s]{1,2000})(?:\|[^<>]{0,2000})?>", r"\1", text[:MAX_TEXT])
    return html.unescape(unlinked).replace("\u00a0", " ").strip().strip("`").strip()


def _refuse_almost(text: str, traces: tuple[str, ...]) -> None:
    """A thing that wants to be a trace id and is none must not pass for a name."""
    if traces:
        return
    almost = ALMOST_ID.search(text)
    if almost is not None and len(almost[1]) >= 8:
        raise UnusableInput(
            f"“{almost[1][:60]}” is not a trace id: "
            f"it takes 1-, 8 hex digits, -, and 24 hex digits, for example {EXAMPLE}"
        )


def _targets(plain: str, pasted: Pasted, *, found: bool) -> tuple[Target, ...]:
    words = ARN.sub(" ", plain)
    named = [
        Target(service=KINDS[m[1].lower()], name=m[2].rstrip(".,"))
        for m in NAMED.finditer(words)
        if m[2].lower() not in NOT_NAMES
    ]
    if not (named or pasted.targets or found) and BARE_NAME.fullmatch(plain) and not pasted.is_json:
        named = [Target(service="", name=plain)]
    return tuple(dict.fromkeys((*pasted.targets, *([] if pasted.is_json else named))))


def _error_lines(plain: str, traces: tuple[str, ...], pasted: Pasted) -> tuple[str, ...]:
    """Free text beside ids may be an error message: it is kept as one, for what it may name."""
    if pasted.is_json or not re.search(r"error|exception|denied|timed? ?out|failed|throttl", plain, re.IGNORECASE):
        return ()
    rest = plain
    for trace in traces:
        rest = re.sub(re.escape(trace), "", rest, flags=re.IGNORECASE)
    return (rest.strip()[:2000],) if rest.strip() else ()


def _region(text: str, resources: tuple[Any, ...]) -> str | None:
    named = REGION.search(text)
    return named[1].lower() if named else next((r.region for r in resources if r.region), None)


def _window(text: str, now: datetime, since: str | None, until: str | None) -> Window | None:
    first, last = SINCE.search(text), UNTIL.search(text)
    start = moment(since, "--since") if since else (moment(first[1], "since") if first else None)
    end = moment(until, "--until") if until else (moment(last[1], "until") if last else None)
    recent = LAST.search(text)
    if start is None and end is None and recent:
        unit = timedelta(hours=1) if recent[2].lower().startswith("h") else timedelta(minutes=1)
        start = now - int(recent[1]) * unit
    if start is None and end is None:
        return None
    end = end or min(now, (start or now) + timedelta(hours=6))
    start = start or end - timedelta(hours=1)
    if start >= end:
        raise UnusableInput(
            f"The window must start before it ends: {start.isoformat()} is not before {end.isoformat()}."
        )
    if end - start > timedelta(days=7):
        raise UnusableInput("A window of more than 7 days is too long to read: narrow it with --since and --until.")
    return Window(start=start, end=end)


def moment(text: str, option: str) -> datetime:
    """Read an ISO 8601 time, UTC when no offset is given; raises UnusableInput naming the option."""
    try:
        return utc(datetime.fromisoformat(text))
    except ValueError:
        example = datetime(2026, 11, 20, 9, 50, tzinfo=UTC).isoformat()
        raise UnusableInput(f"{option} takes an ISO 8601 time such as {example}, not “{text[:40]}”") from None
