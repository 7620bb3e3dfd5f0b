"""`rca demo`: one investigation end to end, without an account anywhere.

A local Slack, a local AWS with a seeded incident, and the real bot between them over the real protocols. A person
types the command, the thread unfolds in the terminal, the evidence is opened, and the report stands. A terminal shows
no pictures: it prints what they show and where they are kept.
"""

import asyncio
import tempfile
import time
from pathlib import Path

from rich.console import Console

from bot.blocks import ids
from bot.settings import Settings
from sandbox import screen
from sandbox.aws.local import LocalAws
from sandbox.botprocess import BotProcess
from sandbox.incidents import orders_throttling
from sandbox.incidents.incident import Incident
from sandbox.slack.local import LocalSlack
from sandbox.slack.state import File, Message, View

MIA, CHANNEL = "U0MIA", "orders"
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
                await Tour(console, slack, incident, Settings.load().data_dir / "demo").walk()
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

    async def walk(self) -> None:
        """Type the command, follow the thread, keep the pictures, open the evidence."""
        self._console.print(
            f"[bold green]mia[/bold green] in [bold]#{CHANNEL}[/bold]: /rca {self._incident.trace_id}\n"
        )
        delivery = await self._slack.command(MIA, CHANNEL, "/rca", self._incident.trace_id)
        self._console.print(f"[dim]acknowledged after {(delivery.ack_seconds or 0) * 1000:.0f} ms[/dim]")
        root = (await self._slack.wait_for(lambda: self._slack.messages(CHANNEL), PATIENCE))[-1]
        report = await self._follow(root)
        for file in self._slack.files:
            self._console.print(f"[dim]{file.title} is kept at[/dim] {await asyncio.to_thread(self._keep, file)}")
        self._console.print("\n[bold green]mia[/bold green] presses [reverse] Evidence [/reverse]\n")
        await self._slack.press(MIA, report, ids.EVIDENCE)
        view = (await self._slack.wait_for(lambda: self._slack.views(MIA), PATIENCE))[-1]
        self._show_view(view)

    async def _follow(self, root: Message) -> Message:
        """Print the thread as it changes, until the report and its pictures stand; return the report's message."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            thread = self._slack.thread(CHANNEL, root.ts)
            for message in thread:
                if self._shown.get(message.ts) != message.edits:
                    self._shown[message.ts] = message.edits
                    self._console.print(screen.message("RCA", message, reply=message.ts != root.ts))
            final = [m for m in thread[1:] if _has_button(m, ids.EVIDENCE)]
            if final and _settled(root) and any(m.body.get("files") for m in thread):
                return final[-1]
            await asyncio.sleep(0.1)
        raise TimeoutError(f"no report with pictures in {PATIENCE:.0f} s")

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
