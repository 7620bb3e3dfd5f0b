"""From any text to a request: trace ids, ARNs, names, pasted JSON, free text. Deterministic, without AWS.

Trace ids: `1-8hex-24hex` or W3C's 32 hex digits, also inside `Root=…;Self=…` headers, `traceparent` and console links.
https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-traceids
"""

import json
import re
from collections.abc import Iterable
from datetime import datetime

from domain.alarm import AlarmReference, AlarmState
from domain.arn import ARN, arns_in
from domain.incident import IncidentReference
from domain.request import Request, Target, Trigger
from domain.resource import Resource, ResourceType, resource_from_arn
from orchestrator.dimensions import targets_of
from orchestrator.errors import UnusableInput
from orchestrator.pasted import Pasted, read_pasted
from orchestrator.texts import MAX_TEXT, plain, separated
from orchestrator.when import window_of

EXAMPLE = "1-6740a1b2-1234567890abcdef12345678"
XRAY_ID = re.compile(r"(?<![0-9a-z])1-([0-9a-f]{8})-([0-9a-f]{24})(?![0-9a-z])", re.IGNORECASE)
OWN_SPAN = re.compile(r"\b(?:Self|Parent)=[0-9a-f-]{1,64}", re.IGNORECASE)
TRACEPARENT = re.compile(r"(?<![0-9a-z])[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?![0-9a-z])", re.IGNORECASE)
W3C_ID = re.compile(r"(?<![0-9a-z-])([0-9a-f]{32})(?![0-9a-z-])", re.IGNORECASE)
ALMOST_ID = re.compile(r"(?<![0-9a-z.:/_-])((?:1-)?[0-9a-z]{4,40}(?:-[0-9a-z]{1,48})?)(?![0-9a-z_-])", re.IGNORECASE)
BARE_ALMOST_ID = re.compile(r"1-[0-9a-z-]{0,80}", re.IGNORECASE)
REGION = re.compile(
    r"(?<![0-9a-z])((?:af|ap|ca|cn|eu|il|me|mx|sa|us|us-gov|eusc)"
    r"-(?:central|east|west|north(?:east|west)?|south(?:east|west)?)-[0-9])(?![0-9a-z])",
    re.IGNORECASE,
)
NAMED = re.compile(
    r"\b(lambda|function|table|dynamodb|api|queue|topic|state machine|step function|bucket|role|rule|alarm)\b"
    r"(?:\s{1,3}(?:function|table|named|called))?"
    r"[\s:=]{1,5}[`\"'“‘]?([A-Za-z0-9_][A-Za-z0-9_./-]{0,139})",
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
    "step function": "stepfunctions",
    "rule": "eventbridge",
    "bucket": "s3",
    "role": "iam",
    "alarm": "alarm",
}
NOT_NAMES = frozenset({
    "is", "has", "was", "are", "the", "a", "an", "in", "on", "at", "of", "for", "and", "or", "with",
    "failing", "fails", "failed", "error", "errors", "timeout", "slow", "down",
    "threshold", "state", "changed", "keeps", "not", "cannot", "returns", "throws", "to", "from",
})  # fmt: skip
QUOTED_ALARM = re.compile(
    r"\balarm(?:\s{1,3}(?:named|called))?[\s:=]{1,5}[\"“`'‘]([^\"“”`'‘’\n]{1,255})[\"”`'’]", re.IGNORECASE
)
ALARM_ARN = re.compile(r"arn:aws[a-z-]*:cloudwatch:([a-z0-9-]+):([0-9]{12}):alarm:([^\n]{1,255})")
TIMES = re.compile(r"\s+(?:since|until|till|(?:in the )?(?:last|past)) .*")
BARE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./:-]{1,255}")


def parse(
    text: str, *, now: datetime, since: str | None = None, until: str | None = None, region: str | None = None
) -> Request:
    """Return what the text asks for; raises UnusableInput with a sentence that says what to write instead.

    `since`, `until` (ISO 8601) and `region` come from options and win over what the text says.
    """
    words = plain(text)
    if not words:
        raise UnusableInput(f"Tell me what to investigate, for example a trace id: {EXAMPLE}")
    pasted = read_pasted(words)
    prose = separated("\n".join((pasted.outside, *pasted.texts)))
    traces = trace_ids(prose)
    resources = {r.id: r for r in map(resource_from_arn, arns_in(prose))}
    named = _named(pasted.outside)
    if not traces:
        _refuse_almost(prose, pasted, certain=bool(resources or named or pasted.targets or pasted.alarm))
    targets = pasted.targets or (() if traces else named)
    alarm = pasted.alarm or _alarm_of(pasted.outside, tuple(resources.values()), targets)
    if not (traces or resources or targets or alarm):
        targets = _bare(pasted)
    return Request(
        text=words[:2000],
        trace_ids=traces,
        resources=tuple(resources.values()),
        targets=tuple(
            t for t in dict.fromkeys(targets) if not (alarm and t.service == "alarm" and t.name == alarm.name)
        ),
        error_messages=pasted.error_messages or _error_lines(pasted.outside, traces),
        window=window_of(prose, now, since, until) or pasted.window,
        region=region or pasted.region or _region(prose, tuple(resources.values())),
        account=pasted.account or (alarm.account if alarm and not traces else None),
        alarm=alarm,
    )


def request_of(trigger: Trigger, *, now: datetime) -> Request:
    """Return what a trigger asks for: the incident or the alarm that it tells of, else what its words say.

    Raises UnusableInput as `parse` does.
    """
    if trigger.incident is not None:
        return _of_incident(trigger.incident, trigger.text, now)
    alarm = trigger.alarm
    if alarm is None:
        return parse(trigger.text, now=now)
    return Request(
        text=trigger.text[:2000],
        targets=targets_of(alarm.namespace or "", alarm.dimensions),
        region=alarm.region,
        account=alarm.account,
        alarm=alarm,
    )


def _of_incident(incident: IncidentReference, text: str, now: datetime) -> Request:
    """Read the incident as its event would be, its ids left out: one of 32 hex digits is no trace's.

    Unknown fields are left out too where they keep the event from being read.
    """
    known = {"service": incident.service, "alarmName": incident.details.get("alarmName")}
    events = [_incident_event(incident, detail) for detail in ({**incident.details, **known}, known)]
    event = events[0] if len(events[0]) <= MAX_TEXT else events[1]
    try:
        request = parse(event, now=now)
    except UnusableInput:
        request = parse(events[1], now=now)
    return request.model_copy(update={"text": text[:2000], "window": incident.window or request.window})


def _incident_event(incident: IncidentReference, detail: dict[str, object]) -> str:
    told = {"region": incident.region, "account": incident.account, "time": incident.at and incident.at.isoformat()}
    return json.dumps({"source": "opx.incidents", "detail": detail, **told}, ensure_ascii=False)


def trace_ids(text: str) -> tuple[str, ...]:
    """Return the trace ids in a text as X-Ray writes them, lower case, each once, in order."""
    text = OWN_SPAN.sub(" ", text)
    found: list[tuple[int, str]] = [(m.start(), f"1-{m[1]}-{m[2]}") for m in XRAY_ID.finditer(text)]
    found += [
        (m.start(), f"1-{m[1][:8]}-{m[1][8:]}") for pattern in (TRACEPARENT, W3C_ID) for m in pattern.finditer(text)
    ]
    ids = (trace.lower() for _, trace in sorted(found))
    return tuple(dict.fromkeys(trace for trace in ids if set(trace[2:]) - {"0", "-"}))


def _refuse_almost(prose: str, pasted: Pasted, *, certain: bool) -> None:
    """A thing that wants to be a trace id and is none must not pass for a name.

    Where something else to look at was named for `certain`, only what begins as an id does is taken for one.
    """
    words = ARN.sub(" ", prose)
    bare = None if certain or pasted.is_json else BARE_ALMOST_ID.fullmatch(words.strip())
    almost = (m[1] for m in ALMOST_ID.finditer(words) if _wants_to_be_id(m[1], certain=certain))
    found = bare[0] if bare else next(almost, None)
    if found is not None:
        raise UnusableInput(
            f"“{found[:60]}” is not a trace id: it takes 1-, 8 hex digits, -, and 24 hex digits, for example {EXAMPLE}"
        )


def _wants_to_be_id(word: str, *, certain: bool) -> bool:
    """Mostly hex digits, with some figures among them, and as long as an id or begun like one."""
    begun = word.startswith("1-")
    rest = word[2:] if begun else word
    hexes = sum(c in "0123456789abcdefABCDEF-" for c in rest)
    figures = sum(c.isdecimal() for c in rest)
    return hexes >= 0.8 * len(rest) and figures >= 3 and len(rest) >= 8 and (begun or (not certain and len(rest) >= 24))


def _alarm_of(text: str, resources: Iterable[Resource], targets: Iterable[Target]) -> AlarmReference | None:
    """Return the alarm that was named, by its ARN or in words: its last change to ALARM is meant."""
    alone = ALARM_ARN.fullmatch(TIMES.sub("", text.strip()))
    if alone:  # with nothing beside it, so that blanks are known to be its name's
        return AlarmReference(name=alone[3], state=AlarmState.ALARM, region=alone[1], account=alone[2], told_by="ARN")
    known = [
        AlarmReference(name=r.name, state=AlarmState.ALARM, region=r.region, account=r.account, told_by="ARN")
        for r in resources
        if r.type is ResourceType.ALARM
    ]
    known += [
        AlarmReference(name=t.name, state=AlarmState.ALARM, told_by="name") for t in targets if t.service == "alarm"
    ]
    return known[0] if known else None


def _named(text: str) -> tuple[Target, ...]:
    """Return what the text names with its kind: "function orders-fn"; an alarm's name in quotes may have blanks."""
    words = ARN.sub(" ", text)
    quoted = tuple(Target(service="alarm", name=m[1].strip()) for m in QUOTED_ALARM.finditer(words) if m[1].strip())
    return quoted + tuple(
        Target(service=KINDS[m[1].lower()], name=m[2].rstrip(".,"))
        for m in NAMED.finditer(QUOTED_ALARM.sub(" ", words))
        if m[2].lower() not in NOT_NAMES
    )


def _bare(pasted: Pasted) -> tuple[Target, ...]:
    """A single word may be a name; anything else is nothing to investigate."""
    word = pasted.outside.strip()
    if not pasted.is_json and BARE_NAME.fullmatch(word):
        return (Target(service="", name=word),)
    raise UnusableInput(
        "I found no trace id, ARN or name to investigate in that. "
        f"Give a trace id such as {EXAMPLE}, an ARN, or a name such as “function orders-fn”."
    )


def _error_lines(text: str, traces: tuple[str, ...]) -> tuple[str, ...]:
    """Free text beside ids may be an error message: it is kept as one, for what it may name."""
    if not re.search(r"error|exception|denied|timed? ?out|failed|throttl", text, re.IGNORECASE):
        return ()
    rest = XRAY_ID.sub("", text).strip() if traces else text.strip()
    return (rest[:2000],) if rest else ()


def _region(text: str, resources: tuple[Resource, ...]) -> str | None:
    named = REGION.search(text)
    return named[1].lower() if named else next((r.region for r in resources if r.region), None)
