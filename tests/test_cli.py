"""The command line against a plain moto server: exit codes, one report object, one clear sentence."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import boto3
import pytest

FIXED_KEYS = frozenset({
    "investigation_id", "status", "trigger", "window", "started_at", "completed_at", "duration_seconds",
    "affected_resources", "service_graph", "specialists", "root_cause", "contributing_factors", "hypotheses", "evidence",
    "severity", "timeline", "gaps", "proposed_actions", "usage", "digest",
})  # fmt: skip


def rca(home: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the real command in a process of its own."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("RCA_", "SLACK_"))}
    return subprocess.run(
        [sys.executable, "-m", "bot.cli", *arguments],
        env={**ours, "RCA_DATA_DIR": str(home), "RCA_LOG_LEVEL": "ERROR", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def send_trace(*, failing: bool) -> str:
    """Put a trace of a function that reads a table into X-Ray."""
    now = time.time() - 60
    trace = f"1-{int(now):08x}-0123456789abcdef01234567"
    call: dict[str, Any] = {
        "id": "00000000000000c1",
        "name": "DynamoDB",
        "namespace": "aws",
        "start_time": now + 0.01,
        "end_time": now + 0.03,
        "aws": {"operation": "GetItem", "table_name": "orders", "region": "eu-west-1"},
        "http": {"response": {"status": 400 if failing else 200}},
    }
    if failing:
        message = "Requested resource not found"
        error = {"id": "00000000000000e1", "type": "ResourceNotFoundException", "message": message, "remote": True}
        call |= {"error": True, "fault": True, "cause": {"exceptions": [error]}}
    segment = {
        "id": "00000000000000a1",
        "trace_id": trace,
        "name": "reader",
        "origin": "AWS::Lambda::Function",
        "resource_arn": "arn:aws:lambda:eu-west-1:123456789012:function:reader",
        "start_time": now,
        "end_time": now + 0.05,
        "fault": failing,
        "subsegments": [call],
    }
    boto3.client("xray").put_trace_segments(TraceSegmentDocuments=[json.dumps(segment)])
    return trace


def test_a_failing_trace_gives_exactly_one_report_object(moto_url: str, tmp_path: Path) -> None:
    trace = send_trace(failing=True)

    done = rca(tmp_path, "investigate", trace, "--json")

    report = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert report.keys() >= FIXED_KEYS
    assert report["status"] == "completed"
    assert report["root_cause"]["cause"] == "ddb-table-not-found"
    assert report["root_cause"]["resource"] == "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"
    known = {item["id"] for item in report["evidence"]}
    assert {e for h in report["hypotheses"] for e in (*h["evidence"], *h["contradicting"])} <= known


def test_a_healthy_trace_accuses_nobody(moto_url: str, tmp_path: Path) -> None:
    boto3.client("dynamodb").create_table(
        TableName="orders",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    trace = send_trace(failing=False)

    report = json.loads(rca(tmp_path, "investigate", trace, "--json").stdout)

    assert (report["status"], report["root_cause"]) == ("completed", None)
    assert "Nothing wrong" in report["headline"]
    assert "Checked" in report["summary"]


def test_a_report_can_be_replayed_without_aws(moto_url: str, tmp_path: Path) -> None:
    first = json.loads(rca(tmp_path, "investigate", send_trace(failing=True), "--json").stdout)

    again = rca(tmp_path, "replay", first["investigation_id"], "--json", AWS_ENDPOINT_URL="http://127.0.0.1:9")

    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout) == first


def test_the_report_reads_well_in_a_terminal(moto_url: str, tmp_path: Path) -> None:
    done = rca(tmp_path, "investigate", send_trace(failing=True))

    assert done.returncode == 0
    assert done.stdout.startswith("DynamoDB table `orders`")
    assert "Why" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("investigate", "1-6740a1b2-zzz"), "is not a trace id"),
        (("investigate", "please help me"), "no trace id, ARN or name"),
        (("investigate", "  "), "Tell me what to investigate"),
        (
            ("investigate", "1-6740a1b2-1234567890abcdef12345678", "--since", "yesterday"),
            "--since takes an ISO 8601 time",
        ),
        (("replay", "INV-NOSUCH"), "has no such investigation"),
    ],
)
def test_unusable_input_is_one_line_and_exit_2(
    arguments: tuple[str, ...], sentence: str, moto_url: str, tmp_path: Path
) -> None:
    done = rca(tmp_path, *arguments)

    assert done.returncode == 2
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("1-5e1b4151-1234567890abcdef12345678", "X-Ray keeps traces for 30 days"),
        ("1-{an_hour_ago}-1234567890abcdef12345678", "check the account and the Region"),
        ("function no-such-function", "No Lambda function “no-such-function” in eu-west-1"),
    ],
)
def test_what_is_not_there_fails_with_what_to_do(text: str, sentence: str, moto_url: str, tmp_path: Path) -> None:
    asked = text.format(an_hour_ago=f"{int(time.time()) - 3600:08x}")

    done = rca(tmp_path, "investigate", asked, "--json")

    report = json.loads(done.stdout)
    assert done.returncode == 1
    assert report["status"] == "failed"
    assert sentence in report["summary"]
    assert sentence in done.stderr


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "AWS cannot be reached"),
        (
            {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SHARED_CREDENTIALS_FILE": "/nowhere"},
            "No AWS credentials",
        ),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": "", "AWS_CONFIG_FILE": "/nowhere"}, "No AWS Region is set"),
        ({"AWS_PROFILE": "no-such-profile"}, "AWS_PROFILE"),
    ],
)
def test_an_unusable_account_fails_with_what_to_do(
    environment: dict[str, str], sentence: str, moto_url: str, tmp_path: Path
) -> None:
    done = rca(tmp_path, "investigate", "1-6740a1b2-1234567890abcdef12345678", "--json", **environment)

    assert done.returncode == 1, done.stderr
    assert sentence in json.loads(done.stdout)["summary"]


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"RCA_DATA_DIR": "/proc/nowhere"}, "RCA_DATA_DIR"),
        ({"RCA_ACCOUNTS": "{"}, "RCA_ACCOUNTS"),
        ({"RCA_TIME_LIMIT": "soon"}, "RCA_TIME_LIMIT"),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_it(
    environment: dict[str, str], sentence: str, moto_url: str, tmp_path: Path
) -> None:
    done = rca(tmp_path, "investigate", "1-6740a1b2-1234567890abcdef12345678", **environment)

    assert done.returncode == 2
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_serve_without_tokens_says_which_to_set(tmp_path: Path) -> None:
    done = rca(tmp_path, "serve")

    assert done.returncode == 2
    assert "SLACK_BOT_TOKEN" in done.stderr
