"""A whole investigation of the seeded incident, worded by a model: kept, replayed without asking, and paid for."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from aws.limits import Limits as CallLimits
from aws.session import AwsConfig, ReadSession
from domain.inquiry import Inquiry
from domain.report import Report
from domain.request import Trigger, TriggerKind
from orchestrator.ask.answerer import Answerer
from orchestrator.investigate import Investigator, utc_now
from orchestrator.parse import parse
from orchestrator.reads import every_read
from orchestrator.sqlite_store import SqliteStore
from reasoning.contract import Mode, Question
from sandbox.aws import LocalAws
from sandbox.incidents import orders_throttling
from specialists.registry import all_specialists
from tests.support.reasoners import SPENT, ScriptedReasoner


@pytest.fixture(scope="module")
def incident() -> Iterator[tuple[LocalAws, str]]:
    with LocalAws() as aws:
        yield aws, orders_throttling.seed(aws).trace_id


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    opened = SqliteStore.open(tmp_path)
    yield opened
    await opened.close()


async def answer(question: Question[Any]) -> Mapping[str, Any]:
    """Say the verdict's own line; a specialist's question is answered with nothing."""
    if question.who != "synthesis":
        return {}
    verdict = question.data.split("\n")[0].removeprefix("verdict: ")
    return {"summary": f"{verdict}.", "why": "", "first": ""}


async def investigated(
    store: SqliteStore, trace: str, mode: Mode, monkeypatch: pytest.MonkeyPatch, aws: LocalAws
) -> tuple[Report, Investigator, ScriptedReasoner]:
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    reasoner = ScriptedReasoner(answer)
    session = ReadSession(AwsConfig(max_attempts=1), every_read(), limits=CallLimits({}))
    investigator = Investigator(session, all_specialists(), store, reasoner=reasoner, mode=mode)
    trigger = Trigger(kind=TriggerKind.CLI, text=trace)
    accepted = await store.accept(f"test:{mode}", trigger, now=utc_now())
    assert accepted is not None
    report = await investigator.investigate(accepted.id, trigger, parse(trace, now=utc_now()), lambda _: None)
    return report, investigator, reasoner


async def test_always_words_the_verdict_and_a_replay_asks_nobody(
    incident: tuple[LocalAws, str], store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws, trace = incident
    report, investigator, reasoner = await investigated(store, trace, Mode.ALWAYS, monkeypatch, aws)
    asked = len(reasoner.asked)

    again = await investigator.replay(report.investigation_id)
    await investigator.close()

    assert report.told is not None, report.told_note
    assert report.told.summary.startswith("DynamoDB table `orders` — provisioned")
    assert [question.who for question in reasoner.asked].count("synthesis") == 1
    assert report.usage.model_calls == asked * SPENT.model_calls
    assert again == report
    assert len(reasoner.asked) == asked
    assert await store.report(report.investigation_id) == report


async def test_in_auto_a_decisive_investigation_asks_nobody_and_answers_from_its_evidence(
    incident: tuple[LocalAws, str], store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws, trace = incident
    report, investigator, reasoner = await investigated(store, trace, Mode.AUTO, monkeypatch, aws)
    await investigator.close()

    def asked(text: str) -> Inquiry:
        return Inquiry(
            key=text, investigation_id=report.investigation_id, text=text, user="U1", channel="C1", thread="1.5",
            asked_at=utc_now(),
        )  # fmt: skip

    texts = (
        "why not the database?",
        "why not permissions?",
        "who changed it?",
        "what did you check?",
        "why not the queue?",
    )
    found = await asyncio.gather(*(Answerer(store).answer(asked(text)) for text in texts))
    said = ["\n".join(line.text for line in answer.lines) for _, answer in (each for each in found if each)]

    assert reasoner.asked == []
    assert report.told is None
    assert report.usage.model_calls == 0
    assert said[0].startswith("It is the verdict: DynamoDB table `orders`")
    assert "by `deploy-bot`" in said[2]
    assert " looks between " in said[3]
    assert said[4].startswith("Nobody looked into SQS queue `invoices`: it was not in question.")
