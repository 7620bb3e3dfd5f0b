"""The real bot as a process of its own, pointed at the local Slack and the local AWS."""

import asyncio
import os
import socket
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from sandbox.aws.local import LocalAws
from sandbox.slack.local import LocalSlack

STOP_SECONDS = 10.0


class BotProcess:
    """`rca serve`, started and stopped; its log goes to a file."""

    def __init__(self, slack: LocalSlack, aws: LocalAws, home: Path, **environment: str) -> None:
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SLACK_", "RCA_"))},
            **aws.environment(),
            "SLACK_API_URL": slack.api_url,
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_APP_TOKEN": slack.app_token,
            "RCA_DATA_DIR": str(home / "data"),
            "RCA_LOG_LEVEL": "INFO",
            "RCA_HTTP_PORT": str(free_port()),
            **environment,
        }
        self.log = home / "bot.log"
        self._slack = slack
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot.cli", "serve", env=self._environment, stdout=log, stderr=log
            )
        await self._connected()
        return self

    async def _connected(self) -> None:
        """Wait until it listens; raises RuntimeError with its last words when it ended instead."""
        process = self._process
        while process is not None and not self._slack.sockets.connections:
            if process.returncode is not None:
                raise RuntimeError(f"the bot ended with {process.returncode}: {self.log.read_text()[-2000:]}")
            await asyncio.sleep(0.05)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()


def free_port() -> int:
    """Return a port on 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
