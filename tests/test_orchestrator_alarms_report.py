"""From an alarm to a report: the command line over HTTP, and what a report says of an alarm that nothing explains."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from domain.alarm import AlarmKind, AlarmState, AlarmTransition
from domain.evidence import Evidence, load_evidence
from domain.findings import Fact
from domain.report import Report, ReportStatus
from domain.result import SpecialistResult
from orchestrator.alarms.metric import MetricSilence
from sandbox.aws import LocalAws, resources, signals
from sandbox.aws.resources import allow
from sandbox.aws.world import World
from tests.support.concluding import FUNCTION, concluded, looks, minutes, reported, result

ARN = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:orders-throttled"
CROSSED = "Threshold Crossed: 1 datapoint [115.0] was greater than the threshold (5.0)."
THROTTLES = ("AWS/DynamoDB", "WriteThrottleEvents", {"TableName": "orders"})


def rca(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the real command in a process of its own."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("RCA_", "SLACK_"))}
    return subprocess.run(
        [sys.executable, "-m", "bot.cli", *arguments],
        env={**ours, "RCA_DATA_DIR": str(home), "RCA_LOG_LEVEL": "ERROR"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def throttled() -> Iterator[LocalAws]:
    """A table whose alarm rang ten minutes ago, and no trace."""
    with LocalAws() as aws:
        world = World(aws, seed="report")
        resources.function(world, "create-order", role=resources.role(world, "create-order", allow("dynamodb:*")))
        resources.table(world, "orders", read_capacity=5, write_capacity=5)
        start = world.ago(minutes=240).replace(second=0, microsecond=0)
        series: dict[str, list[float]] = {
            "WriteThrottleEvents": [0.0] * 225 + [115.0] * 15,
            "ConsumedWriteCapacityUnits": [60.0] * 225 + [300.0] * 15,
            "ProvisionedWriteCapacityUnits": [5.0] * 240,
        }
        for name, values in series.items():
            signals.metric(world, THROTTLES[0], name, THROTTLES[2], values, start=start)
        transitions = [(world.ago(minutes=10), "ALARM", CROSSED)]
        signals.alarm(world, "orders-throttled", *THROTTLES, threshold=5, transitions=transitions)
        yield aws


def message() -> str:
    return json.dumps({
        "AlarmName": "orders-throttled",
        "AlarmArn": ARN,
        "AWSAccountId": "123456789012",
        "NewStateValue": "ALARM",
        "NewStateReason": CROSSED,
        "Trigger": {"MetricName": THROTTLES[1], "Namespace": THROTTLES[0], "Dimensions": [{"name": "TableName", "value": "orders"}]},
    })  # fmt: skip


@pytest.mark.parametrize("text", ["alarm orders-throttled", ARN, message()], ids=["name", "arn", "message"])
def test_an_alarm_leads_to_one_report_object_with_its_transition_in_it(
    throttled: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    for name, value in throttled.environment().items():
        monkeypatch.setenv(name, value)
    throttled.forget_calls()
    ran = rca(tmp_path, "investigate", text, "--json")
    report = json.loads(ran.stdout)

    assert (ran.returncode, ran.stderr) == (0, "")
    assert "arn:aws:dynamodb:eu-west-1:123456789012:table/orders" in {n["id"] for n in report["service_graph"]["nodes"]}
    (rang,) = (entry for entry in report["timeline"] if entry["what"].startswith("alarm `orders-throttled`"))
    cited = {e["id"]: e for e in report["evidence"]}
    assert cited[rang["evidence"][0]]["source"] == "cloudwatch:DescribeAlarmHistory"
    assert report["window"]["start"] < rang["at"] < report["window"]["end"]
    assert [h["cause"] for h in report["hypotheses"]][:1] == ["ddb-provisioned-exceeded"]
    assert throttled.writes() == ()


def test_a_plain_aws_that_knows_no_history_and_no_expressions_still_leads_to_the_failing_trace(
    moto_url: str, tmp_path: Path
) -> None:
    boto3.client("cloudwatch").put_metric_alarm(
        AlarmName="fn-errors", Namespace="AWS/Lambda", MetricName="Errors", Dimensions=[{"Name": "FunctionName", "Value": "fn"}],
        Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip
    boto3.client("cloudwatch").set_alarm_state(AlarmName="fn-errors", StateValue="ALARM", StateReason=CROSSED)
    arn, now = "arn:aws:lambda:eu-west-1:123456789012:function:fn", time.time() - 60
    segment = {
        "id": "00000000000000a1", "trace_id": f"1-{int(now):08x}-0123456789abcdef01234567", "name": "fn", "fault": True,
        "origin": "AWS::Lambda::Function", "resource_arn": arn, "start_time": now, "end_time": now + 0.05,
    }  # fmt: skip
    boto3.client("xray").put_trace_segments(TraceSegmentDocuments=[json.dumps(segment)])
    told = {
        "AlarmName": "fn-errors", "NewStateValue": "ALARM", "AWSAccountId": "123456789012",
        "Trigger": {"MetricName": "Errors", "Namespace": "AWS/Lambda", "Dimensions": [{"name": "FunctionName", "value": "fn"}]},
    }  # fmt: skip
    boto3.client("iam").create_role(RoleName="fn", AssumeRolePolicyDocument="{}")
    boto3.client("lambda").create_function(
        FunctionName="fn", Runtime="python3.12", Role="arn:aws:iam::123456789012:role/fn", Handler="a.b", Code={"ZipFile": b"x"}
    )  # fmt: skip
    report = json.loads(rca(tmp_path, "investigate", json.dumps(told), "--json").stdout)

    assert report["status"] != "failed"
    assert any(entry["what"].startswith("the traced request") for entry in report["timeline"])
    assert any(entry["what"].startswith("alarm `fn-errors`") for entry in report["timeline"])


# --- what a report says of an alarm


def rang(state: str = "ALARM", **rest: Any) -> AlarmTransition:
    return AlarmTransition(
        resource=ARN, source="cloudwatch:DescribeAlarmHistory", observed_at=minutes(3), name="orders-throttled", alarm_kind=AlarmKind.METRIC,
        state=AlarmState(state), metric="Errors", dimensions={"FunctionName": "create-order"}, **rest,
    )  # fmt: skip


def report_of(*evidence: Evidence) -> Report:
    return reported(evidence, [result(name="lambda")])


def test_an_alarm_that_nothing_explains_is_no_all_clear() -> None:
    report = report_of(rang(), *looks(FUNCTION, "config"))

    assert report.status is ReportStatus.INCONCLUSIVE
    assert report.headline == "Alarm `orders-throttled` rang, and nothing that was looked at explains it"
    assert report.next_look


def test_what_is_unusual_is_told_beside_an_alarm_that_nothing_explains_and_changes_last() -> None:
    seen = looks(FUNCTION, "config")

    def told(name: str, statement: str, *, notable: bool = True) -> SpecialistResult:
        return result(name=name, facts=[Fact(statement=statement, evidence=(seen[0].id,), notable=notable)])

    parts = [
        told("change-intelligence", "`ci` deployed"),
        told("sns", "All is as ever", notable=False),
        told("sqs", "A heap is worked off"),
    ]
    report = reported((rang(), *seen), parts)

    assert "A heap is worked off. `ci` deployed. Checked:" in report.summary
    assert "All is as ever" not in report.summary


def test_the_transition_stands_in_the_timeline_with_its_evidence() -> None:
    report = report_of(rang(), *looks(FUNCTION, "config"))

    assert [(e.at, e.what) for e in report.timeline] == [
        (minutes(3), "alarm `orders-throttled` (`create-order` Errors) went to ALARM")
    ]
    assert {e.id: e.link for e in report.evidence}[rang().id] == (
        "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#alarmsV2:alarm/orders-throttled"
    )


def test_the_last_data_before_the_silence_stand_in_the_timeline_of_what_rang() -> None:
    silent = MetricSilence(resource=ARN, source="cloudwatch:GetMetricData", observed_at=minutes(-30), metric="m", reach_hours=24)  # fmt: skip
    report = report_of(rang(for_missing_data=True), silent, *looks(FUNCTION, "config"))

    assert [e.at for e in report.timeline] == [minutes(-30), minutes(3)]


def test_missing_data_with_nothing_wrong_says_since_when_nothing_came() -> None:
    silent = MetricSilence(
        resource=ARN, source="cloudwatch:GetMetricData", observed_at=minutes(-30), metric="`create-order` Errors", reach_hours=24
    )  # fmt: skip
    report = report_of(rang("INSUFFICIENT_DATA", for_missing_data=True), silent, *looks(FUNCTION, "config"))

    assert report.status is ReportStatus.COMPLETED
    assert "`create-order` Errors last reported at" in report.summary
    assert silent.id in {e.id for e in report.evidence}


def test_an_alarm_alone_is_nothing_seen() -> None:
    conclusion = concluded((rang("INSUFFICIENT_DATA"),), results=[result(name="lambda")])

    assert conclusion.verdict.headline == "Nothing could be seen"


def test_evidence_of_alarms_survives_being_stored() -> None:
    for item in (rang(), MetricSilence(resource=ARN, source="x", metric="m", reach_hours=24)):
        assert load_evidence(item.dump()) == item
