"""What a message of the events' queue tells: alarms and incidents, in every envelope, and why others cannot be used."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.events.bodies import MOST_CHARACTERS, Told, Unreadable, read_body
from domain.alarm import AlarmReference, AlarmState
from domain.evidence import load_evidence
from domain.incident import IncidentReference, IncidentTold
from domain.request import Request, Target, Trigger, TriggerKind
from domain.window import Window
from orchestrator.parse import request_of
from tests.support.events import ACCOUNT, RANG, REGION, alarm_event, alarm_notification, by_sns, incident_event

NOW = datetime(2026, 11, 20, 10, 12, tzinfo=UTC)
EVENT = AlarmReference(
    name="orders-throttled",
    state=AlarmState.ALARM,
    previous=AlarmState.OK,
    region=REGION,
    account=ACCOUNT,
    at=RANG,
    reason="Threshold Crossed: 1 datapoint [214.0] was greater than the threshold (5.0).",
    description="writes are throttled",
    namespace="AWS/DynamoDB",
    metric="WriteThrottleEvents",
    dimensions={"TableName": "orders"},
    told_by="EventBridge event",
)
NOTIFICATION = EVENT.model_copy(update={"reason": "Threshold Crossed", "told_by": "SNS message"})


def told(body: dict[str, Any]) -> Told:
    read = read_body(json.dumps(body))
    assert isinstance(read, Told), read
    return read


def incident(**detail: Any) -> IncidentReference:
    found = told(incident_event(**detail)).incident
    assert found is not None
    return found


def request(given: IncidentReference) -> Request:
    return request_of(Trigger(kind=TriggerKind.EVENTBRIDGE, text="INC", incident=given), now=NOW)


ALARMS = (
    (alarm_event(), EVENT),
    (by_sns(alarm_event()), EVENT),
    (by_sns(by_sns(alarm_event())), EVENT),
    (alarm_notification(), NOTIFICATION),
    (by_sns(alarm_notification()), NOTIFICATION),
)


@pytest.mark.parametrize(("body", "alarm"), ALARMS, ids=["event", "event-by-sns", "twice-by-sns", "raw", "by-sns"])
def test_an_alarm_is_read_in_every_envelope(body: dict[str, Any], alarm: AlarmReference) -> None:
    assert told(body).alarm == alarm
    assert told(body).line == "orders-throttled went to ALARM"


@pytest.mark.parametrize("state", ["OK", "INSUFFICIENT_DATA"])
def test_the_other_states_are_read_too(state: str) -> None:
    alarm = told(alarm_event(state=state)).alarm

    assert alarm is not None
    assert alarm.state.value == state


def test_an_alarms_words_keep_no_secrets() -> None:
    event = alarm_event()
    event["detail"]["state"]["reason"] = "call with AKIAIOSFODNN7EXAMPLE failed"
    alarm = told(event).alarm

    assert alarm is not None
    assert "AKIAIOSFODNN7EXAMPLE" not in alarm.reason


def test_an_incident_is_read_and_its_unknown_fields_are_kept() -> None:
    found = incident(owner="team-a", runbook={"url": "https://wiki/x", "steps": [1, 2]}, tags={"team": "payments"})

    assert found == IncidentReference(
        id="INC-2041",
        evidence_id="ev-77",
        service="order-service",
        severity="HIGH",
        window=Window(start=datetime(2026, 11, 20, 9, 50, tzinfo=UTC), end=datetime(2026, 11, 20, 10, 10, tzinfo=UTC)),
        at=datetime(2026, 11, 20, 10, 11, tzinfo=UTC),
        region=REGION,
        account=ACCOUNT,
        details={
            "owner": "team-a",
            "runbook": {"url": "https://wiki/x", "steps": [1, 2]},
            "tags": {"team": "payments"},
        },
    )
    assert told(incident_event()).line == "INC-2041 · HIGH · order-service"


WINDOWS = (
    ("2026-11-20T09:50:00Z/2026-11-20T10:10:00Z", ("09:50", "10:10")),
    ("2026-11-20 09:50:00 to 2026-11-20 10:10:00", ("09:50", "10:10")),
    ({"start": "2026-11-20T10:50:00+01:00", "end": "2026-11-20T10:10:00.000Z"}, ("09:50", "10:10")),
    ("last 30 minutes", ("09:41", "10:11")),
    ({"start": "2026-11-20T10:10:00Z", "end": "2026-11-20T09:50:00Z"}, None),
    ({"start": "2026-10-20T10:10:00Z", "end": "2026-11-20T09:50:00Z"}, None),
    ("last 24 hours", ("10:11", "10:11")),
    ("last 30 days", None),
    ("last 0 minutes", None),
    ({"start": 5}, None),
    (None, None),
)


@pytest.mark.parametrize(("frame", "read"), WINDOWS, ids=str)
def test_a_time_window_is_read_as_an_object_and_as_text(frame: Any, read: tuple[str, str] | None) -> None:
    window = incident(timeWindow=frame).window

    assert (window and (f"{window.start:%H:%M}", f"{window.end:%H:%M}")) == read


def test_an_incident_asks_for_its_service_in_its_window() -> None:
    asked = request(incident())

    assert asked.targets == (Target(service="", name="order-service"),)
    assert (asked.region, asked.account, asked.window) == (REGION, ACCOUNT, incident().window)
    assert asked.trace_ids == ()


def test_an_incident_without_a_window_is_looked_at_around_its_event() -> None:
    asked = request(incident(timeWindow=None))

    assert asked.window is not None
    assert asked.window.contains(datetime(2026, 11, 20, 10, 11, tzinfo=UTC))


def test_ids_and_arns_among_the_unknown_fields_are_followed() -> None:
    table = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"
    asked = request(incident(links={"table": table, "trace": "1-6740a1b2-1234567890abcdef12345678"}))

    assert [r.id for r in asked.resources] == [table]
    assert asked.trace_ids == ("1-6740a1b2-1234567890abcdef12345678",)


def test_an_incidents_own_ids_are_taken_for_no_traces() -> None:
    asked = request(incident(incidentId="0123456789abcdef0123456789abcdef", evidenceId="f" * 32))

    assert asked.trace_ids == ()


def test_unknown_fields_that_cannot_be_read_leave_the_rest() -> None:
    asked = request(incident(phone="1-8005550-199xyz", notes="x" * 150_000))

    assert asked.targets == (Target(service="", name="order-service"),)


def test_an_incident_becomes_evidence_that_says_all_that_was_told_and_can_be_stored() -> None:
    seen = IncidentTold.of(incident(owner="team-a", nothing=None, runbook={"steps": [1, 2]}, log="x" * 5000))

    assert seen.summary() == (
        "incident INC-2041: service order-service, severity HIGH, evidence ev-77, "
        "window 2026-11-20 09:50:00 to 2026-11-20 10:10:00 UTC, owner team-a, "
        f'runbook {{"steps": [1, 2]}}, log {"x" * 199}…'
    )
    assert load_evidence(json.loads(json.dumps(seen.dump()))) == seen


DEEP = "[" * 5000 + "]" * 5000
POISON = (
    ("not json", "it is not a JSON object"),
    ("", "it is not a JSON object"),
    ("[1, 2]", "it is not a JSON object"),
    (DEEP, "it is not a JSON object"),
    ("{}", "it is JSON of no shape that the bot reads"),
    ('{"a": "\\ud800"}', "it is JSON of no shape that the bot reads"),
    ("x" * (MOST_CHARACTERS + 1), f"it has {MOST_CHARACTERS + 1} characters"),
    (json.dumps(by_sns({"hello": 1})), "it is JSON of no shape that the bot reads"),
    (json.dumps({"Type": "SubscriptionConfirmation", "Message": "x"}), "open its SubscribeURL once"),
    (json.dumps({"source": "aws.ec2", "detail-type": "EC2 Spot", "detail": 3}), "the event “EC2 Spot” of aws.ec2"),
    (json.dumps({"source": "opx.incidents", "detail-type": "IncidentClosed"}), "“IncidentClosed” of opx.incidents"),
    (json.dumps(incident_event("")), "without an incidentId"),
    (json.dumps(incident_event() | {"detail": "text"}), "without an incidentId"),
    (json.dumps(alarm_event("")), "tells no name or no state"),
    (json.dumps(alarm_event(state="RED")), "tells no name or no state"),
    (json.dumps(alarm_event() | {"detail": None}), "tells no name or no state"),
    (json.dumps(alarm_notification(state="")), "tells no name or no state"),
)


@pytest.mark.parametrize(("body", "why"), POISON, ids=lambda v: str(v)[:40])
def test_what_cannot_be_used_is_said_why(body: str, why: str) -> None:
    read = read_body(body)

    assert isinstance(read, Unreadable)
    assert why in read.why
