"""`rca demo`: two investigations end to end, without an account anywhere.

A local Slack, a local AWS with a seeded incident, and the real bot between them over the real protocols. First nobody
types anything: the alarm is posted in a channel, and the bot answers in its thread. Then a person types the command,
the thread unfolds in the terminal, the evidence is opened, and the report stands. A terminal shows no pictures: it
prints what they show and where they are kept.
"""

import asyncio
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from bot.blocks import ids
from bot.settings import Settings
from sandbox import screen
from sandbox.aws.local import LocalAws
from sandbox.botprocess import BotProcess
from sandbox.incidents import orders_throttling
from sandbox.incidents.incident import Incident
from sandbox.slack.amazonq import alarm_post
from sandbox.slack.local import LocalSlack
from sandbox.slack.state import File, Message, View

MIA, CHANNEL, ALERTS = "U0MIA", "orders", "alerts"
PATIENCE = 60.0


async def demo(*, leave_running: bool) -> int:
    """Run the demo; 0 when the report and its pictures came and the evidence opened, 1 otherwise."""
    console = Console(width=None if Console().is_terminal else 110, highlight=False)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="rca-demo-") as home, LocalAws() as aws:
        console.print(
            "[dim]Seeding a local AWS: API Gateway → Lambda → DynamoDB, four hours of metrics, logs, neighbours…[/dim]"
        )
        incident = await asyncio.to_thread(orders_throttling.seed, aws)
        aws.forget_calls()
        async with LocalSlack() as slack, BotProcess(slack, aws, Path(home)) as bot:
            console.print(
                f"[dim]Local Slack at {slack.api_url}, local AWS at {aws.endpoint}, the bot is connected.[/dim]\n"
            )
            try:
                tour = Tour(console, slack, incident, Settings.load().data_dir / "demo")
                await tour.ring()
                await tour.walk()
            except TimeoutError as late:
                console.print(f"[red]The bot did not get there: {late}[/red]\n{bot.log.read_text()[-3000:]}")
                return 1
            took, writes = time.monotonic() - began, len(aws.writes())
            console.print(f"[dim]{took:.1f} s in all; {writes} write calls to AWS.[/dim]")
            if leave_running:
                await _leave(console, slack, aws, incident)
    return 0


class Tour:
    """What the person does and what they see."""

    def __init__(self, console: Console, slack: LocalSlack, incident: Incident, kept: Path) -> None:
        self._console = console
        self._slack = slack
        self._incident = incident
        self._kept = kept
        self._shown: dict[str, int] = {}

    async def ring(self) -> None:
        """Let the alarm be posted, and follow what the bot says in its thread."""
        post = await self._slack.app_says(ALERTS, **self._incident_alarm())
        self._console.print(screen.message(f"Amazon Q in #{ALERTS}", post))
        posted = time.monotonic()
        await self._slack.wait_for(lambda: self._slack.thread(ALERTS, post.ts)[1:], PATIENCE)
        self._console.print(f"[dim]first reply after {(time.monotonic() - posted) * 1000:.0f} ms[/dim]")
        await self._follow(ALERTS, post.ts, headline=1, live=False)

    def _incident_alarm(self) -> dict[str, Any]:
        given = self._incident
        if given.alarm is None or given.since is None:
            raise ValueError(f"{given.name} rings no alarm")
        return alarm_post(
            given.alarm.name,
            "ALARM",
            region=given.region,
            account=given.account,
            reason=given.alarm.reason,
            at=given.alarm.at,
            dimensions=given.alarm.dimensions,
        )

    async def walk(self) -> None:
        """Type the command, follow the thread, keep the pictures, open the evidence."""
        self._console.print(
            f"[bold green]mia[/bold green] in [bold]#{CHANNEL}[/bold]: /rca {self._incident.trace_id}\n"
        )
        delivery = await self._slack.command(MIA, CHANNEL, "/rca", self._incident.trace_id)
        self._console.print(f"[dim]acknowledged after {(delivery.ack_seconds or 0) * 1000:.0f} ms[/dim]")
        root = (await self._slack.wait_for(lambda: self._slack.messages(CHANNEL), PATIENCE))[-1]
        report = await self._follow(CHANNEL, root.ts, headline=0)
        for file in self._slack.files:
            self._console.print(f"[dim]{file.title} is kept at[/dim] {await asyncio.to_thread(self._keep, file)}")
        self._console.print("\n[bold green]mia[/bold green] presses [reverse] Evidence [/reverse]\n")
        await self._slack.press(MIA, report, ids.EVIDENCE)
        view = (await self._slack.wait_for(lambda: self._slack.views(MIA), PATIENCE))[-1]
        self._show_view(view)

    async def _follow(self, channel: str, ts: str, *, headline: int, live: bool = True) -> Message:
        """Print the thread until the report and its pictures stand; return the report's message.

        `headline` is the place in the thread of the message that ends as the verdict; what is not `live` is printed at
        the end instead of at every change.
        """
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            thread = self._slack.thread(channel, ts)
            final = [m for m in thread[1:] if _has_button(m, ids.EVIDENCE)]
            settled = len(thread) > headline and _settled(thread[headline])
            done = bool(final) and settled and any(m.body.get("files") for m in thread)
            if live or done:
                self._print(thread[headline:], ts)
            if done:
                return final[-1]
            await asyncio.sleep(0.1)
        raise TimeoutError(f"no report with pictures in {PATIENCE:.0f} s")

    def _print(self, messages: Sequence[Message], thread: str) -> None:
        for message in messages:
            if self._shown.get(message.ts) != message.edits:
                self._shown[message.ts] = message.edits
                self._console.print(screen.message("RCA", message, reply=message.ts != thread))

    def _keep(self, file: File) -> Path:
        self._kept.mkdir(parents=True, exist_ok=True)
        place = self._kept / file.name
        place.write_bytes(file.data or b"")
        return place

    def _show_view(self, view: View) -> None:
        title = view.body.get("title", {}).get("text", "")
        self._console.rule(f"{title} (modal)")
        self._console.print(*screen.blocks(view.body.get("blocks", [])), sep="\n")
        self._console.rule()


def _has_button(message: Message, action_id: str) -> bool:
    return any(
        e.get("action_id") == action_id for b in message.blocks if b.get("type") == "actions" for e in b["elements"]
    )


def _settled(root: Message) -> bool:
    """Whether the root message shows the end: the last edit has come."""
    return root.edits > 0 and "looking" not in root.text.lower() and ":mag:" not in str(root.blocks)


async def _leave(console: Console, slack: LocalSlack, aws: LocalAws, incident: Incident) -> None:
    console.print("\n[bold]Left running.[/bold] Ctrl-C ends it. To look for yourself in another terminal:")
    for name, value in aws.environment().items():
        console.print(f"  export {name}={value}")
    console.print(f"  rca investigate {incident.trace_id}")
    console.print(f"  Slack's Web API: {slack.api_url} with token {slack.bot_token}")
    await asyncio.Event().wait()
