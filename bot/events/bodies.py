"""What a queue's message holds: an alarm's transition, an incident, or why it cannot be read. Pure.

Bodies are EventBridge's events and CloudWatch's SNS messages, as they are or in the envelope that SNS puts around them
where raw delivery is off. https://docs.aws.amazon.com/sns/latest/dg/sns-sqs-as-subscriber.html,
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from domain.alarm import AlarmReference, AlarmState
from domain.incident import IncidentReference
from domain.redaction import clean, redact, redact_values
from domain.window import Window
from orchestrator.errors import UnusableInput
from orchestrator.pasted import ACCOUNT, REGION, read_pasted
from orchestrator.texts import read_json
from orchestrator.when import LONGEST, iso_time, window_of

MOST_CHARACTERS = 262_144
"""An EventBridge event has 256 KB at most; what is longer is nothing that we read."""

DEEPEST = 3
ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]{5,15}(?:Z|[+-][0-9]{2}:?[0-9]{2})?")
KNOWN = frozenset({"incidentId", "evidenceId", "service", "severity", "timeWindow"})
ID = 128


class Told(NamedTuple):
    """What a message tells: an alarm or an incident, and the tags that it carries; `line` is it for people."""

    line: str
    alarm: AlarmReference | None = None
    incident: IncidentReference | None = None
    tags: Mapping[str, str] = {}


class Unreadable(NamedTuple):
    """A message that tells nothing we know; `why` completes "The message cannot be used: …"."""

    why: str


def read_body(body: str) -> Told | Unreadable:
    """Read a message's body; never raises."""
    if len(body) > MOST_CHARACTERS:
        return Unreadable(f"it has {len(body)} characters, and an event has {MOST_CHARACTERS} at most")
    data = read_json(body)
    if not isinstance(data, dict):
        return Unreadable("it is not a JSON object")
    data = _opened(data)
    reader = next((read for fits, read in SHAPES if fits(data)), _unknown)
    return reader(data)


def _opened(data: dict[str, Any]) -> dict[str, Any]:
    """Take the message out of SNS's envelope."""
    for _ in range(DEEPEST):
        message = data.get("Message")
        if data.get("Type") != "Notification" or not isinstance(message, str):
            break
        inner = read_json(message)
        data = inner if isinstance(inner, dict) else {"Message": message}
    return data


def _alarm(data: dict[str, Any]) -> Told | Unreadable:
    """Read an alarm's transition, by the reader of pasted ones; here name and state must be told."""
    alarm = read_pasted(json.dumps(data, ensure_ascii=False)).alarm
    detail = data.get("detail")
    state = detail.get("state") if isinstance(detail, dict) else None
    told = state.get("value") if isinstance(state, dict) else data.get("NewStateValue")
    if alarm is None or told not in list(AlarmState):
        return Unreadable("it is an alarm's event that tells no name or no state")
    words = {key: redact(clean(value)) for key, value in (("reason", alarm.reason), ("description", alarm.description))}
    return Told(f"{alarm.name} went to {alarm.state}", alarm=alarm.model_copy(update=words))


def _incident(data: dict[str, Any]) -> Told | Unreadable:
    """Read `opx.incidents / IncidentCreated`: `detail{incidentId,evidenceId,service,severity,timeWindow}`."""
    given = data.get("detail")
    detail = given if isinstance(given, dict) else {}
    ident = _text(detail.get("incidentId"))
    if not ident:
        return Unreadable("it is an incident's event without an incidentId")
    region, account = _text(data.get("region")), _text(data.get("account"))
    at = iso_time(data.get("time"))
    incident = IncidentReference(
        id=ident,
        evidence_id=_text(detail.get("evidenceId")),
        service=_text(detail.get("service")),
        severity=_text(detail.get("severity")),
        window=_window(detail.get("timeWindow"), data),
        at=at,
        region=region if REGION.fullmatch(region) else None,
        account=account if ACCOUNT.fullmatch(account) else None,
        details=redact_values({str(key): value for key, value in detail.items() if key not in KNOWN}),
    )
    line = " · ".join(part for part in (incident.id, incident.severity, incident.service) if part)
    return Told(line, incident=incident, tags=_tags(detail.get("tags")))


def _window(frame: Any, data: Mapping[str, Any]) -> Window | None:
    """Read a time window: an object, or a text of two times, or words such as "last 30 minutes" before the event.

    None where it cannot be read, or is longer than an investigation can look at.
    """
    text = f"{frame.get('start')} {frame.get('end')}" if isinstance(frame, dict) else _text(frame)
    moments = [moment for found in ISO.findall(text) if (moment := iso_time(found))]
    if len(moments) == 2:
        ordered = moments[0] < moments[1] <= moments[0] + LONGEST
        return Window(start=moments[0], end=moments[1]) if ordered else None
    at = iso_time(data.get("time"))
    try:
        said = window_of(text, at, None, None) if at and not moments else None
    except UnusableInput:
        return None
    return Window(start=said.start, end=at) if said and at and at - said.start <= LONGEST else None


def _tags(value: Any) -> dict[str, str]:
    """Read tags: an object, or AWS's list of keys and values."""
    if isinstance(value, list):
        pairs = [
            (item.get("Key", item.get("key")), item.get("Value", item.get("value")))
            for item in value
            if isinstance(item, dict)
        ]
    else:
        pairs = list(value.items()) if isinstance(value, dict) else []
    return {str(key)[:ID]: str(worth)[:256] for key, worth in pairs if isinstance(worth, str | int)}


def _text(value: Any) -> str:
    """Return a text that a name may be, on one line, without secrets."""
    return redact(clean(" ".join(value.split()))[:ID]) if isinstance(value, str) else ""


def _unknown(data: dict[str, Any]) -> Unreadable:
    source, kind = _text(data.get("source")), _text(data.get("detail-type"))
    if data.get("Type") == "SubscriptionConfirmation":
        return Unreadable("it asks to confirm an SNS subscription: open its SubscribeURL once")
    if source or kind:
        return Unreadable(f"it is the event “{kind}” of {source}, which the bot does not read")
    return Unreadable("it is JSON of no shape that the bot reads")


SHAPES: tuple[tuple[Callable[[dict[str, Any]], bool], Callable[[dict[str, Any]], Told | Unreadable]], ...] = (
    (lambda d: d.get("detail-type") == "CloudWatch Alarm State Change", _alarm),
    (lambda d: "AlarmName" in d and "NewStateValue" in d, _alarm),
    (lambda d: d.get("source") == "opx.incidents" and d.get("detail-type") == "IncidentCreated", _incident),
)
"""Which shape a message has, and who reads it."""
