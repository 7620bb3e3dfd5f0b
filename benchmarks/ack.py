"""How fast `/rca` is acknowledged when two hundred people type it at once, the durable write included.

The real bot in a process of its own, a local Slack over Socket Mode, and a local AWS in which nothing is found: what is
measured is from Slack's sending to Slack's receipt of the ack.
"""

import asyncio
import json
import tempfile
import urllib.request
from pathlib import Path

from benchmarks.measure import Measured
from sandbox.aws.local import LocalAws
from sandbox.botprocess import BotProcess, free_port
from sandbox.slack.local import LocalSlack

COMMANDS = 200
PEOPLE = ("U0MIA", "U0TOM")
INVESTIGATING_SECONDS = 6.0
"""How long the bot works through what was typed before its loop's worst stall is read."""


async def run() -> list[Measured]:
    """Measure and return the figures."""
    port = free_port()
    with tempfile.TemporaryDirectory() as home, LocalAws() as aws:
        async with LocalSlack(rates=None) as slack, BotProcess(slack, aws, Path(home), RCA_HTTP_PORT=str(port)):
            await slack.command("U0MIA", "orders", "/rca", "help")
            typed = (
                slack.command(PEOPLE[n % 2], "orders", "/rca", f"1-6740a1b2-{n:024x}") for n in range(1, COMMANDS + 1)
            )
            deliveries = await asyncio.gather(*typed)
            await asyncio.sleep(INVESTIGATING_SECONDS)
            stall = await asyncio.to_thread(_stall, port)
    times = sorted(d.ack_seconds for d in deliveries if d.acked and d.ack_seconds is not None)
    return [
        Measured(f"acknowledged of {COMMANDS} concurrent /rca", len(times), "", least=COMMANDS),
        Measured("median time to the ack", times[len(times) // 2] * 1000, "ms"),
        Measured("p99 time to the ack", times[int(len(times) * 0.99) - 1] * 1000, "ms", most=1000),
        Measured("longest stall of the bot's event loop meanwhile", stall, "ms", most=100),
    ]


def _stall(port: int) -> float:
    """Ask the bot's health page for its worst loop lag."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
        return float(json.load(answer)["loop_lag_ms"])
