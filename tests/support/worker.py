"""The bot as a process of its own, with an investigator that follows a script: `python -m tests.support.worker`.

It appends the id of every investigation that it makes to the file that WORKER_ASKED names, and says where it listens
in the one that WORKER_PORT names.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.serve import run
from bot.service import Service
from bot.settings import Settings
from bot.tokens import check_bot_token
from orchestrator.sqlite_store import SqliteStore
from sandbox.slack import LocalSlack
from tests.support.bot import QUICK, ScriptedInvestigator, utc_now


def note(name: str, text: str) -> None:
    with Path(os.environ[name]).open("a") as notes:
        notes.write(text)


class NotingInvestigator(ScriptedInvestigator):
    """Notes what it was asked."""

    async def investigate(self, investigation_id, trigger, request, listen):
        note("WORKER_ASKED", f"{investigation_id}\n")
        return await super().investigate(investigation_id, trigger, request, listen)


async def main() -> int:
    settings = Settings.load()
    store = SqliteStore.open(settings.data_dir)
    granted = await check_bot_token(settings)
    service = Service(settings, store, NotingInvestigator(store), granted.identity, now=utc_now, pace=QUICK)
    started = service.start

    async def start() -> None:
        await started()
        note("WORKER_PORT", str(service.http.port))

    service.start = start
    try:
        return await run(service)
    finally:
        await store.close()


@asynccontextmanager
async def worker(
    slack: LocalSlack, directory: Path, *, http: bool, name: str, **settings: str
) -> AsyncIterator[tuple[int, Path]]:
    """Run one over the store in the directory; yields its port and the file of what it was asked."""
    asked, port = directory / f"{name}.asked", directory / f"{name}.port"
    asked.touch()
    way = {"SLACK_SIGNING_SECRET": slack.signing_secret} if http else {"SLACK_APP_TOKEN": slack.app_token}
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "SLACK_", "RCA_"))}
    environment |= {"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_API_URL": slack.api_url, "RCA_DATA_DIR": str(directory),
                    "RCA_HTTP_PORT": "0", "WORKER_ASKED": str(asked), "WORKER_PORT": str(port), **way, **settings}  # fmt: skip
    with (directory / f"{name}.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.support.worker", env=environment, stdout=log, stderr=log,
            cwd=Path(__file__).parents[2],
        )  # fmt: skip
    try:
        for _ in range(400):
            if port.exists() and port.read_text():
                break
            assert process.returncode is None, (directory / f"{name}.log").read_text()[-2000:]
            await asyncio.sleep(0.05)
        yield int(port.read_text()), asked
    finally:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), 10)
        except TimeoutError:
            process.kill()
            await process.wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
