"""Rejected messages: kept once, told of once, by whichever process comes first."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestrator.rejections import CLAIM, Rejected, SqliteRejections
from orchestrator.sqlite_store import SqliteStore

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
FIRST = Rejected(id="m-1", at=NOW, why="it is no JSON", excerpt="hell", receives=3, body="hello")


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[tuple[SqliteRejections, SqliteRejections]]:
    """Two processes' views of the file that a store is in too."""
    store = SqliteStore.open(tmp_path)
    one, other = SqliteRejections.open(tmp_path), SqliteRejections.open(tmp_path)
    yield one, other
    await asyncio.gather(one.close(), other.close(), store.close())


async def test_a_message_is_kept_as_it_was_the_first_time(two: tuple[SqliteRejections, SqliteRejections]) -> None:
    one, other = two
    await one.keep(FIRST)
    await other.keep(FIRST.model_copy(update={"why": "another reason", "receives": 4}))

    assert await one.count() == 1
    assert await other.claim(now=NOW) == (FIRST,)


async def test_one_process_alone_gets_each_message_to_tell_of(two: tuple[SqliteRejections, SqliteRejections]) -> None:
    for number in range(20):
        await two[0].keep(FIRST.model_copy(update={"id": f"m-{number}"}))

    claimed = await asyncio.gather(*(each.claim(now=NOW) for each in two * 5))

    assert sorted(r.id for batch in claimed for r in batch) == sorted(f"m-{n}" for n in range(20))


async def test_what_was_told_is_not_told_again(two: tuple[SqliteRejections, SqliteRejections]) -> None:
    one, other = two
    await one.keep(FIRST)
    await one.claim(now=NOW)
    await one.told("m-1", now=NOW)
    await other.keep(FIRST)

    assert await other.claim(now=NOW + 10 * CLAIM) == ()


async def test_what_a_dead_process_did_not_tell_is_told_by_another(
    two: tuple[SqliteRejections, SqliteRejections],
) -> None:
    one, other = two
    await one.keep(FIRST)
    await one.claim(now=NOW)

    assert await other.claim(now=NOW + CLAIM - timedelta(seconds=1)) == ()
    assert await other.claim(now=NOW + CLAIM + timedelta(seconds=1)) == (FIRST,)
