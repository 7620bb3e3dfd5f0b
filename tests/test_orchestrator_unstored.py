"""An investigation whose report cannot be stored still ends in an answer."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from aws.session import AwsConfig, ReadSession
from domain.progress import Progress
from domain.report import Report, ReportStatus
from domain.request import Request, Trigger, TriggerKind
from orchestrator.investigate import Investigator
from orchestrator.reads import every_read
from orchestrator.sqlite_store import SqliteStore
from orchestrator.store import StoredBundle

TRACE = "1-5e1b4151-1234567890abcdef12345678"


class FullDisk(SqliteStore):
    """A store that takes work on and has no room left when it is done."""

    async def finish(self, report: Report, bundle: StoredBundle | None) -> None:
        raise sqlite3.OperationalError("database or disk is full")


async def test_a_report_that_cannot_be_stored_is_told_all_the_same(moto_url: str, tmp_path: Path) -> None:
    store = FullDisk.open(tmp_path)
    investigator = Investigator(ReadSession(AwsConfig(region="eu-west-1"), every_read()), (), store)
    heard: list[Progress] = []
    trigger = Trigger(kind=TriggerKind.CLI, text=TRACE)
    accepted = await store.accept("one", trigger, now=datetime.now(UTC))
    assert accepted is not None

    report = await investigator.investigate(accepted.id, trigger, Request(text=TRACE, trace_ids=(TRACE,)), heard.append)
    left = await store.unfinished()
    await investigator.close()
    await store.close()

    assert report.status is ReportStatus.FAILED
    assert heard[-1].kind == "concluded"
    assert [i.id for i in left] == [accepted.id], "a restart takes it up again"
