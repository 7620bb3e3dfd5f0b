"""Composite alarms' rules, and metrics read again: what is said without asking what an alarm watches."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws.session import AwsConfig, ReadSession
from domain.alarm import AlarmKind, AlarmState, AlarmTransition
from orchestrator.alarms import READS, recheck
from orchestrator.alarms.rule import members
from orchestrator.alarms.words import told
from sandbox.aws import LocalAws, faults, signals
from sandbox.aws.world import World

ARN = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:"
NOW = datetime.now(UTC).replace(second=0, microsecond=0)
THROTTLES = ("AWS/DynamoDB", "WriteThrottleEvents", {"TableName": "orders"})


@pytest.mark.parametrize(
    ("rule", "in_trouble", "quiet"),
    [
        ("ALARM(a)", ["a"], []),
        ("ALARM(a) AND ALARM(b)", ["a", "b"], []),
        ('ALARM("a b (c)") OR ALARM(d)', ["a b (c)", "d"], []),
        (r'ALARM("say \"hi\"")', ['say "hi"'], []),
        (f"ALARM({ARN}a)", ["a"], []),
        (f'ALARM("{ARN}a b")', ["a b"], []),
        ("ALARM(a) AND NOT ALARM(deploying)", ["a"], ["deploying"]),
        ("NOT OK(a)", ["a"], []),
        ("OK(a)", [], ["a"]),
        ("INSUFFICIENT_DATA(a)", ["a"], []),
        ("NOT (OK(a) AND OK(b))", ["a", "b"], []),
        ("NOT (ALARM(a) OR NOT (ALARM(b)))", ["b"], ["a"]),
        ("(ALARM(a) OR ALARM(b)) AND OK(network)", ["a", "b"], ["network"]),
        ("AT_LEAST(2, ALARM, (a, b, c))", ["a", "b", "c"], []),
        ('AT_LEAST(50%, NOT OK, (a, "b, c")) OR ALARM(d)', ["a", "b, c", "d"], []),
        ("ALARM(a) OR ALARM(a)", ["a"], []),
        ("TRUE", [], []),
        ("", [], []),
        (")))NOT((", [], []),
    ],
)
def test_a_rule_names_its_members_and_what_each_must_do(rule: str, in_trouble: list[str], quiet: list[str]) -> None:
    found = members(rule)

    assert [m.name for m in found if m.means_trouble] == in_trouble
    assert [m.name for m in found if not m.means_trouble] == quiet


WORDS = st.sampled_from(
    ["ALARM", "OK", "NOT", "AND", "OR", "AT_LEAST", "(", ")", ",", '"', "\\", "a", f"{ARN}b", "2", "50%", " "]
)


@given(st.one_of(st.text(max_size=60), st.lists(WORDS, max_size=40).map("".join)))
def test_no_rule_breaks_the_reader_and_each_member_waits_for_something(rule: str) -> None:
    assert all(m.name is not None and m.states for m in members(rule))


def test_a_huge_rule_is_read_without_recursion() -> None:
    assert [m.name for m in members("(" * 5000 + "ALARM(a)")] == ["a"]


def alarm(**rest: Any) -> AlarmTransition:
    fields: dict[str, Any] = {
        "resource": f"{ARN}throttled",
        "source": "cloudwatch:DescribeAlarmHistory",
        "observed_at": NOW - timedelta(minutes=30),
        "name": "throttled",
        "alarm_kind": AlarmKind.METRIC,
        "state": AlarmState.ALARM,
        "namespace": THROTTLES[0],
        "metric": THROTTLES[1],
        "dimensions": THROTTLES[2],
        "statistic": "Sum",
        "threshold": 5.0,
        "comparison": "GreaterThanThreshold",
    }
    return AlarmTransition(**{**fields, **rest})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "alarm `throttled` (`orders` WriteThrottleEvents) went to ALARM"),
        (
            {"state": AlarmState.INSUFFICIENT_DATA, "for_missing_data": True},
            "alarm `throttled` (`orders` WriteThrottleEvents) went to INSUFFICIENT_DATA, over data that did not come",
        ),
        (
            {"alarm_kind": AlarmKind.COMPOSITE, "metric": ""},
            "alarm `throttled` went to ALARM, by the alarms that it is made of",
        ),
        (
            {"dimensions": {"StateMachineArn": "arn:aws:states:eu-west-1:123456789012:stateMachine:flow"}},
            "alarm `throttled` (`flow` WriteThrottleEvents) went to ALARM",
        ),
        ({"dimensions": {}}, "alarm `throttled` (AWS/DynamoDB WriteThrottleEvents) went to ALARM"),
    ],
)
def test_an_alarm_is_told_with_its_ground(changes: dict[str, Any], words: str) -> None:
    assert told(alarm(**changes)) == words


# --- the metric, read again


@pytest.fixture(scope="module")
def running() -> Iterator[LocalAws]:
    with LocalAws() as aws:
        yield aws


@pytest.fixture
def aws(running: LocalAws, monkeypatch: pytest.MonkeyPatch) -> LocalAws:
    running.reset()
    for name, value in running.environment().items():
        monkeypatch.setenv(name, value)
    return running


def reread(transition: AlarmTransition) -> str:
    clients = ReadSession(AwsConfig(max_attempts=1), READS).clients()
    return recheck(clients, transition, NOW - timedelta(minutes=5))


def reported(aws: LocalAws, values: Sequence[float]) -> None:
    """The metric's last minutes, one value each, the last of them a minute ago."""
    signals.metric(World(aws, NOW), *THROTTLES, values, start=NOW - timedelta(minutes=len(values)))


def test_a_metric_that_is_well_again_is_told_with_the_time(aws: LocalAws) -> None:
    reported(aws, [90, 115, 40, 0, 0, 0, 0])
    well = NOW - timedelta(minutes=4)

    assert reread(alarm()) == f"`orders` WriteThrottleEvents is back at 0 since {well:%H:%M} UTC"
    assert [c.name for c in aws.calls] == ["cloudwatch:GetMetricData"]


def test_a_metric_that_still_breaches_is_told_with_its_threshold(aws: LocalAws) -> None:
    reported(aws, [0, 0, 1180.5])
    last = NOW - timedelta(minutes=1)

    assert reread(alarm()) == f"`orders` WriteThrottleEvents is still at 1,180 at {last:%H:%M} UTC (threshold 5)"


@pytest.mark.parametrize(
    ("comparison", "value", "well"),
    [
        ("GreaterThanThreshold", 5, True),
        ("GreaterThanOrEqualToThreshold", 5, False),
        ("LessThanThreshold", 5, True),
        ("LessThanOrEqualToThreshold", 5, False),
    ],
)
def test_each_comparison_is_cloudwatchs_own(aws: LocalAws, comparison: str, value: float, well: bool) -> None:
    reported(aws, [value])

    assert ("is back at 5" in reread(alarm(comparison=comparison))) is well


def test_a_metric_that_reports_nothing_is_not_called_well(aws: LocalAws) -> None:
    assert "has reported nothing since" in reread(alarm())


@pytest.mark.parametrize(
    "changes",
    [{"metric": ""}, {"threshold": None}, {"comparison": "LessThanLowerOrGreaterThanUpperThreshold"}],
    ids=["composite", "anomaly", "band"],
)
def test_an_alarm_without_one_metric_and_threshold_is_not_read_again(aws: LocalAws, changes: dict[str, Any]) -> None:
    assert reread(alarm(**changes)) == ""
    assert aws.calls == ()


def test_a_metric_that_must_not_be_read_names_the_action(aws: LocalAws) -> None:
    aws.inject("cloudwatch", "GetMetricData", faults.ACCESS_DENIED)

    assert reread(alarm()) == ("`orders` WriteThrottleEvents could not be read again: grant cloudwatch:GetMetricData")
