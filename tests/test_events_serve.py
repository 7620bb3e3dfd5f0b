"""`rca serve` with a queue, as a process: an event is answered in its channel, and SIGTERM ends it in the long poll."""

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bot.tokens import SCOPES
from sandbox.aws import LocalAws
from sandbox.slack import LocalSlack
from tests.support.events import EventsQueue, incident_event
from tests.test_bot_serve import free_port

ROOT = Path(__file__).parents[1]


@pytest.fixture
async def aws() -> AsyncIterator[LocalAws]:
    async with LocalAws() as running:
        yield running


async def test_a_served_event_is_answered_and_sigterm_ends_the_long_poll(aws: LocalAws, tmp_path: Path) -> None:
    queue, port = EventsQueue(aws), free_port()
    async with LocalSlack(rates=None, scopes=SCOPES) as slack:
        environment = aws.environment() | {
            "PATH": "/usr/bin:/bin",
            "HOME": str(tmp_path),
            "SLACK_API_URL": slack.api_url,
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_APP_TOKEN": slack.app_token,
            "RCA_DATA_DIR": str(tmp_path),
            "RCA_HTTP_PORT": str(port),
            "RCA_EVENTS_QUEUE_URL": queue.url,
            "RCA_ROUTES": '[{"service": "order*", "channel": "C0ORDERS"}, {"channel": "C0ALERTS"}]',
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot.cli", "serve", env=environment, stdout=-1, stderr=-1, cwd=ROOT
        )
        await slack.wait_for(lambda: slack.sockets.connections, timeout=20)
        queue.send(incident_event())
        (root,) = await slack.wait_for(lambda: slack.messages("C0ORDERS"), timeout=15)
        await slack.wait_for(lambda: "INV-" in str([m.blocks for m in slack.thread("C0ORDERS", root.ts)]), timeout=40)
        async with aiohttp.ClientSession() as web, web.get(f"http://127.0.0.1:{port}/healthz") as answer:
            health = await answer.json()
        await slack.wait_for(lambda: queue.count() == 0)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        _, errors = await asyncio.wait_for(process.communicate(), 30)
        took = time.monotonic() - began

    assert process.returncode == 0, errors.decode()
    assert "Traceback" not in errors.decode()
    assert slack.messages("C0ALERTS") == []
    assert (health["events"]["received"], health["events"]["trouble"], health["events"]["readers"]) == (1, None, 2)
    assert took < 8
