"""`rca serve` and `rca doctor` as processes: one line for what is wrong, a good end on SIGTERM."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bot.tokens import SCOPES
from sandbox.slack import LocalSlack

MIA, ALERTS = "U0MIA", "C0ALERTS"


@pytest.fixture
async def slack() -> AsyncIterator[LocalSlack]:
    async with LocalSlack(rates=None, scopes=SCOPES) as running:
        yield running


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def rca(command: str, slack: LocalSlack, directory: Path, **changes: str) -> asyncio.subprocess.Process:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS", "SLACK", "RCA"))}
    environment |= {
        "SLACK_API_URL": slack.api_url,
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "RCA_DATA_DIR": str(directory),
        "RCA_HTTP_PORT": "0",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_REGION": "eu-west-1",
        "HOME": str(directory),
    }
    environment = {name: value for name, value in (environment | changes).items() if value}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot.cli",
        command,
        env=environment,
        stdout=-1,
        stderr=-1,
        cwd=Path(__file__).parent.parent,
    )


WRONG = (
    ({"SLACK_BOT_TOKEN": "xoxb-wrong"}, "Slack refused SLACK_BOT_TOKEN (invalid_auth). Set it to"),
    ({"SLACK_APP_TOKEN": "xapp-wrong"}, "Slack refused SLACK_APP_TOKEN (invalid_auth). Set it to"),
    ({"SLACK_BOT_TOKEN": ""}, "SLACK_BOT_TOKEN is missing. Set it to"),
    ({"SLACK_APP_TOKEN": ""}, "SLACK_APP_TOKEN is missing. Set it to"),
    ({"SLACK_API_URL": "http://127.0.0.1:9/api/"}, "Slack does not answer at http://127.0.0.1:9/api/."),
    ({"RCA_HTTP_PORT": "abc"}, "RCA_HTTP_PORT is wrong"),
    ({"RCA_DATA_DIR": "/proc/nowhere"}, "/proc/nowhere cannot be made"),
)


@pytest.mark.parametrize(("changes", "said"), WRONG, ids=str)
async def test_what_is_wrong_at_the_start_is_one_line(
    slack: LocalSlack, tmp_path: Path, changes: dict[str, str], said: str
) -> None:
    process = await rca("serve", slack, tmp_path, **changes)
    _, errors = await process.communicate()

    lines = [line for line in errors.decode().splitlines() if line.startswith("rca: ")]
    assert process.returncode == 2
    assert len(lines) == 1
    assert said in lines[0]
    assert "Traceback" not in errors.decode()


async def test_a_taken_port_is_one_line(slack: LocalSlack, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = await rca("serve", slack, tmp_path, RCA_HTTP_PORT=str(taken.getsockname()[1]))
        _, errors = await process.communicate()

    assert process.returncode == 2
    assert "RCA_HTTP_PORT cannot be listened on" in errors.decode()
    assert "Traceback" not in errors.decode()


async def test_it_serves_until_sigterm_and_leaves_with_0(slack: LocalSlack, tmp_path: Path) -> None:
    port = free_port()
    process = await rca("serve", slack, tmp_path, RCA_HTTP_PORT=str(port))
    await slack.wait_for(lambda: slack.sockets.connections, timeout=20)
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/healthz") as answer:
        health = await answer.json()

    help_ = await slack.command(MIA, ALERTS, "/rca", "help")
    process.send_signal(signal.SIGTERM)
    _, errors = await asyncio.wait_for(process.communicate(), 20)

    assert health["mode"] == "socket"
    assert health["connected"]
    assert help_.acked
    assert process.returncode == 0
    assert "Traceback" not in errors.decode()


async def test_an_investigation_without_credentials_ends_in_a_message_that_says_what_to_do(
    slack: LocalSlack, tmp_path: Path
) -> None:
    process = await rca("serve", slack, tmp_path)
    await slack.wait_for(lambda: slack.sockets.connections, timeout=20)

    await slack.command(MIA, ALERTS, "/rca", "1-6740a1b2-1234567890abcdef12345678")

    (root,) = await slack.wait_for(lambda: [m for m in slack.messages(ALERTS) if "failed" in m.text], timeout=15)
    process.send_signal(signal.SIGTERM)
    await asyncio.wait_for(process.communicate(), 20)
    assert "No AWS credentials found" in str(root.blocks)
    assert process.returncode == 0
    assert slack.violations == []


async def test_the_doctor_lists_what_to_fix_and_the_policy(slack: LocalSlack, tmp_path: Path) -> None:
    process = await rca("doctor", slack, tmp_path)
    out, _ = await process.communicate()

    report, policy = out.decode().split("\n\n", 1)
    assert process.returncode == 1
    assert "ok   Slack bot token: @rca in" in report
    assert "ok   Slack scopes: all granted" in report
    assert "FIX  AWS: No AWS credentials found." in report
    actions = json.loads(policy[policy.index("{") :])["Statement"][0]["Action"]
    assert "xray:BatchGetTraces" in actions


async def test_the_doctor_names_the_scopes_that_are_missing(tmp_path: Path) -> None:
    async with LocalSlack(scopes=SCOPES - {"im:history"}) as slack:
        process = await rca("doctor", slack, tmp_path, SLACK_APP_TOKEN="xapp-wrong")
        out, _ = await process.communicate()

    assert "FIX  Slack scopes: missing im:history." in out.decode()
    assert "FIX  Slack app token: Slack refused SLACK_APP_TOKEN" in out.decode()


async def test_the_doctor_is_content_when_all_is_good(slack: LocalSlack, tmp_path: Path, moto_url: str) -> None:
    process = await rca(
        "doctor",
        slack,
        tmp_path,
        AWS_ENDPOINT_URL=moto_url,
        AWS_ACCESS_KEY_ID="testing",
        AWS_SECRET_ACCESS_KEY="testing",
    )
    out, _ = await process.communicate()

    assert process.returncode == 0, out.decode()
    assert "FIX" not in out.decode()
    assert "ok   AWS: account 123456789012 in eu-west-1" in out.decode()
