"""A whole investigation over HTTP, as the command line makes it."""

import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from aws.limits import Limits
from aws.session import AwsConfig, ReadSession
from domain.report import Report
from domain.request import Trigger, TriggerKind
from orchestrator.investigate import Investigator, utc_now
from orchestrator.parse import parse
from orchestrator.reads import every_read
from orchestrator.sqlite_store import SqliteStore
from specialists.registry import all_specialists


async def investigated(text: str, *, now: datetime | None = None, **config: Any) -> Report:
    """Investigate what the text names, in the AWS that the environment names; `config` goes to the session."""
    session = ReadSession(AwsConfig(**{"max_attempts": 1, **config}), every_read(), limits=Limits({}))
    with tempfile.TemporaryDirectory(prefix="rca-test-") as home:
        store = SqliteStore.open(Path(home))
        investigator = Investigator(session, all_specialists(), store)
        trigger = Trigger(kind=TriggerKind.CLI, text=text)
        try:
            accepted = await store.accept(f"test:{text}", trigger, now=utc_now())
            assert accepted is not None
            request = parse(text, now=now or utc_now())
            return await investigator.investigate(accepted.id, trigger, request, lambda _: None)
        finally:
            await investigator.close()
            await store.close()
