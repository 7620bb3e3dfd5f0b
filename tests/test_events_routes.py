"""The routing table: which channel an event goes to, and what is wrong with a table in one line."""

import json

import pytest

from bot.events.bodies import Told, read_body
from bot.events.routes import Routes, Traits, explained
from bot.events.traits import service_of, traits_of
from bot.settings import Settings, SettingsError
from domain.alarm import AlarmReference, AlarmState
from tests.support.events import alarm_event, incident_event

TABLE = Routes.model_validate(
    [
        {"account": "999999999999", "channel": "C0OTHER"},
        {"service": "lambda", "region": ["us-east-1", "us-west-*"], "channel": "C0LAMBDAUS"},
        {"tag": "team=payments", "channel": "C0PAY"},
        {"tag": "pci", "channel": "C0PCI"},
        {"severity": ["critical", "HIGH"], "service": "order*", "channel": "C0ORDERS"},
        {"severity": "CRITICAL", "channel": "C0ONCALL"},
        {"channel": "C0DEFAULT"},
    ]
)

TAKEN = (
    (Traits(account="999999999999", service="lambda", region="us-east-1"), "C0OTHER"),
    (Traits(service="lambda", region="us-west-2"), "C0LAMBDAUS"),
    (Traits(service="lambda", region="eu-west-1"), "C0DEFAULT"),
    (Traits(service="Lambda", region="US-EAST-1"), "C0LAMBDAUS"),
    (Traits(service="lambda"), "C0DEFAULT"),
    (Traits(tags={"team": "payments", "pci": "no"}), "C0PAY"),
    (Traits(tags={"pci": ""}), "C0PCI"),
    (Traits(tags={"team": "search"}), "C0DEFAULT"),
    (Traits(service="order-service", severity="high"), "C0ORDERS"),
    (Traits(service="order-service", severity="low"), "C0DEFAULT"),
    (Traits(service="invoices", severity="critical"), "C0ONCALL"),
    (Traits(), "C0DEFAULT"),
)


@pytest.mark.parametrize(("event", "channel"), TAKEN, ids=str)
def test_the_first_row_that_fits_is_taken(event: Traits, channel: str) -> None:
    assert TABLE.channel(event) == channel
    assert TABLE.default == "C0DEFAULT"


WRONG = (
    ("{", "RCA_ROUTES is not valid JSON"),
    ("[1]", "RCA_ROUTES"),
    ('{"channel": "C0A"}', "RCA_ROUTES"),
    ('[{"channel": "#alerts"}]', "“#alerts” is not a channel's id"),
    ('[{"channel": "alerts"}]', "“alerts” is not a channel's id"),
    ('[{"chanel": "C0ALERTS"}]', "RCA_ROUTES"),
    ('[{"team": "a", "channel": "C0A"}, {"channel": "C0B"}]', "RCA_ROUTES (rows.0.team)"),
    ('[{"service": "a", "channel": "C0A"}]', "the last row must have no conditions"),
    ('[{"channel": "C0A"}, {"channel": "C0B"}]', "row 1 has no conditions"),
    ('[{"service": "", "channel": "C0A"}, {"channel": "C0B"}]', "RCA_ROUTES"),
    ("", "RCA_ROUTES is missing"),
    ("[]", "RCA_ROUTES is missing"),
)


@pytest.mark.parametrize(("table", "said"), WRONG, ids=str)
def test_a_wrong_table_is_one_line(monkeypatch: pytest.MonkeyPatch, table: str, said: str) -> None:
    monkeypatch.setenv("RCA_ROUTES", table)
    monkeypatch.setenv("RCA_EVENTS_QUEUE_URL", "https://sqs.eu-west-1.amazonaws.com/123456789012/q")

    with pytest.raises(SettingsError) as refused:
        Settings.load()

    assert said in str(refused.value)
    assert str(refused.value).startswith("RCA_ROUTES")
    assert "Set it to" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("url", ["rca-events", "arn:aws:sqs:eu-west-1:123456789012:q", "https://sqs.aws/q"])
def test_a_wrong_queue_is_one_line(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("RCA_EVENTS_QUEUE_URL", url)

    with pytest.raises(SettingsError, match=r"^RCA_EVENTS_QUEUE_URL is wrong: .* Set it to the URL of the SQS queue"):
        Settings.load()


def test_the_table_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"service": "orders", "tag": ["team=a", "b"], "channel": "C0A"}, {"channel": "C0B"}]
    monkeypatch.setenv("RCA_ROUTES", json.dumps(rows))

    assert Settings.load().routes == Routes.model_validate(rows)


SERVICES = (
    (
        AlarmReference(name="a", state=AlarmState.ALARM, namespace="AWS/Lambda", dimensions={"FunctionName": "f"}),
        "lambda",
    ),
    (
        AlarmReference(
            name="a", state=AlarmState.ALARM, namespace="AWS/States", dimensions={"StateMachineArn": "arn:x"}
        ),
        "stepfunctions",
    ),
    (AlarmReference(name="a", state=AlarmState.ALARM, namespace="AWS/ApplicationELB"), "applicationelb"),
    (AlarmReference(name="a", state=AlarmState.ALARM, namespace="Orders"), "orders"),
    (AlarmReference(name="a", state=AlarmState.ALARM), ""),
)


@pytest.mark.parametrize(("alarm", "service"), SERVICES, ids=str)
def test_an_alarms_service_is_what_its_metric_is_about(alarm: AlarmReference, service: str) -> None:
    assert service_of(alarm) == service


async def test_an_incident_is_routed_by_what_its_event_tells() -> None:
    told = read_body(json.dumps(incident_event(tags=[{"Key": "team", "Value": "payments"}])))
    assert isinstance(told, Told)

    assert await traits_of(told, TABLE, None) == Traits(
        "123456789012", "eu-west-1", "order-service", "HIGH", {"team": "payments"}
    )


@pytest.mark.parametrize(("by_tag", "asked"), [(True, 1), (False, 0)])
async def test_an_alarms_tags_are_asked_for_where_the_table_needs_them(by_tag: bool, asked: int) -> None:
    asked_for = []

    async def tags_of(alarm: AlarmReference) -> dict[str, str]:
        asked_for.append(alarm.name)
        return {"Severity": "critical", "team": "search"}

    table = TABLE if by_tag else Routes.model_validate([{"service": "x", "channel": "C0A"}, {"channel": "C0B"}])
    told = read_body(json.dumps(alarm_event()))
    assert isinstance(told, Told)
    traits = await traits_of(told, table, tags_of)

    assert len(asked_for) == asked
    assert traits.severity == ("critical" if by_tag else "")
    assert (traits.account, traits.region, traits.service) == ("123456789012", "eu-west-1", "dynamodb")


def test_a_table_says_why_rows_are_passed_over() -> None:
    lines = explained(TABLE.rows, Traits(service="order-service", severity="high"))

    assert lines == [
        "row 1 → C0OTHER: account is not 999999999999",
        "row 2 → C0LAMBDAUS: region is not us-east-1 or us-west-*",
        "row 3 → C0PAY: tag is not team=payments",
        "row 4 → C0PCI: tag is not pci",
        "row 5 → C0ORDERS: it fits",
    ]
