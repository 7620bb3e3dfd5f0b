"""What is kept of questions: once per delivery, until they are answered, with what that took."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from domain.inquiry import Inquiry
from domain.request import Trigger, TriggerKind
from domain.usage import Usage
from orchestrator.sqlite_store import SqliteStore
from orchestrator.store import MessageRef, MessageRole
from tests.support.bot import utc_now

NOW = utc_now()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    opened = SqliteStore.open(tmp_path)
    yield opened
    await opened.close()


def inquiry(key: str, *, about: str = "INV-1", days_ago: float = 0) -> Inquiry:
    return Inquiry(
        key=key, investigation_id=about, text="why?", user="U1", channel="C1", thread="1.5",
        asked_at=NOW - timedelta(days=days_ago),
    )  # fmt: skip


async def test_a_question_is_taken_on_once_by_two_processes(store: SqliteStore, tmp_path: Path) -> None:
    other = SqliteStore.open(tmp_path)

    taken = await asyncio.gather(*(each.inquire(inquiry("k")) for each in (store, other) * 16))

    assert sorted(taken) == [False] * 31 + [True]
    await other.close()


async def test_what_is_unanswered_is_returned_the_oldest_first_until_it_is_answered(store: SqliteStore) -> None:
    for key, days in (("b", 1), ("a", 2), ("c", 3)):
        await store.inquire(inquiry(key, days_ago=days))

    await store.answered("a", Usage(), now=NOW)

    assert [each.key for each in await store.unanswered()] == ["c", "b"]


async def test_what_answers_took_is_added_up_by_investigation(store: SqliteStore) -> None:
    for key, about in (("a", "INV-1"), ("b", "INV-1"), ("c", "INV-2")):
        await store.inquire(inquiry(key, about=about))
        await store.answered(key, Usage(input_tokens=100, model_calls=1, usd=0.5), now=NOW)

    assert await store.spent_on_answers("INV-1") == Usage(input_tokens=200, model_calls=2, usd=1.0)
    assert await store.spent_on_answers("INV-3") == Usage()


async def test_a_question_older_than_ninety_days_is_forgotten(store: SqliteStore) -> None:
    await store.inquire(inquiry("old", days_ago=91))
    await store.inquire(inquiry("new"))

    assert [each.key for each in await store.unanswered()] == ["new"]


async def accepted(store: SqliteStore, key: str, minutes: float, *, thread: str | None = None) -> str:
    trigger = Trigger(kind=TriggerKind.MENTION, text="x", channel="C1", thread=thread)
    taken = await store.accept(key, trigger, now=NOW + timedelta(minutes=minutes))
    assert taken is not None
    return taken.id


async def test_a_thread_knows_what_was_begun_in_it_and_what_began_it_the_newest_first(store: SqliteStore) -> None:
    began = await accepted(store, "a", 0)
    await store.place(began, MessageRole.ROOT, MessageRef(channel="C1", ts="1.5"))
    again = await accepted(store, "b", 1, thread="1.5")
    await accepted(store, "c", 2, thread="1.6")

    assert [each.id for each in await store.in_thread(MessageRef(channel="C1", ts="1.5"))] == [again, began]
    assert await store.in_thread(MessageRef(channel="C2", ts="1.5")) == ()
