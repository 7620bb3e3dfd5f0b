"""What may be spent on models: before and after each question, many at once, and by all processes of a day."""

import asyncio
import sqlite3
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest
from pydantic import BaseModel

from domain.usage import Usage
from orchestrator.sqlite_spending import SqliteLedger
from orchestrator.sqlite_store import SqliteStore
from reasoning.budget import InvestigationBudget, LedgerUnusable, Limits, MemoryLedger, Spent
from reasoning.contract import Question, Reply
from reasoning.models import Spec
from reasoning.strands_reasoner import StrandsReasoner
from tests.support.models import ScriptedModel, calls

TODAY = date(2026, 11, 20)
SONNET = Spec("bedrock", "global.anthropic.claude-sonnet-4-6")


class Finding(BaseModel):
    """What is wrong."""

    say: str


GOOD = calls("Finding", say="x", used=(700, 100))


def _budget(limits: Limits | None = None, ledger: MemoryLedger | SqliteLedger | None = None) -> InvestigationBudget:
    return InvestigationBudget(limits or Limits(), ledger or MemoryLedger(), lambda: TODAY)


def _used(tokens: int, usd: float | None = 0.0) -> Usage:
    return Usage(input_tokens=tokens - 10, output_tokens=10, model_calls=1, usd=usd)


async def _ask(budget: InvestigationBudget, model: ScriptedModel, tokens: int = 200) -> Reply[Finding]:
    reasoner = StrandsReasoner([SONNET], build=lambda *_: model)
    return await reasoner.ask(Question("lambda", "Say.", "E1", Finding, tokens=tokens), budget)


@pytest.mark.parametrize(
    ("limits", "usage", "setting"),
    [
        (Limits(tokens=1_000), _used(1_000), "RCA_BUDGET_TOKENS"),
        (Limits(usd=0.25), _used(100, 0.25), "RCA_BUDGET_USD"),
        (Limits(day_tokens=1_000), _used(1_000), "RCA_DAY_TOKENS"),
        (Limits(day_usd=0.5, usd=9.0), _used(100, 0.5), "RCA_DAY_USD"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_limit_that_is_reached_refuses_and_names_its_setting(limits: Limits, usage: Usage, setting: str) -> None:
    budget = _budget(limits)
    before = budget.refusal()

    budget.spend(usage)

    assert before == ""
    assert setting in budget.refusal()


def test_what_is_left_is_the_smaller_of_the_investigations_and_the_days() -> None:
    ledger = MemoryLedger()
    ledger.add(TODAY, Spent(700, 0.0))

    assert _budget(Limits(tokens=500, day_tokens=1_000), ledger).tokens_left() == 300
    assert _budget(Limits(tokens=200, day_tokens=1_000), ledger).tokens_left() == 200


def test_a_new_day_has_its_own_limit() -> None:
    ledger = MemoryLedger()
    ledger.add(date(2026, 11, 19), Spent(2_000_000, 20.0))

    assert _budget(ledger=ledger).refusal() == ""


def test_a_model_of_unknown_price_is_bounded_by_tokens() -> None:
    budget = _budget(Limits(tokens=1_000, usd=0.01))

    budget.spend(_used(900, None))

    assert budget.refusal() == ""
    assert budget.tokens_left() == 100


class BrokenLedger(MemoryLedger):
    def spent(self, day: date) -> Spent:
        raise LedgerUnusable("the disk is full")

    def add(self, day: date, spent: Spent) -> None:
        raise LedgerUnusable("the disk is full")


async def test_nothing_is_asked_when_nobody_can_tell_what_was_spent() -> None:
    model = ScriptedModel(GOOD)

    reply = await _ask(_budget(ledger=BrokenLedger()), model)

    assert reply.problem == "what models cost today cannot be told (the disk is full)"
    assert model.asked == []


async def test_what_cannot_be_kept_for_the_day_still_counts_for_the_investigation() -> None:
    budget = _budget(Limits(tokens=1_000), BrokenLedger())

    budget.spend(_used(400))

    assert budget._own == Spent(400, 0.0)


async def test_a_spent_budget_asks_nothing_and_costs_nothing() -> None:
    budget = _budget(Limits(tokens=1_000))
    budget.spend(_used(1_000))
    model = ScriptedModel(GOOD)

    reply = await _ask(budget, model)

    assert reply.answer is None
    assert reply.problem == "this investigation used its 1,000 tokens (RCA_BUDGET_TOKENS)"
    assert (reply.usage, model.asked) == (Usage(), [])


async def test_a_question_that_may_need_more_than_is_left_is_not_asked() -> None:
    model = ScriptedModel(GOOD)

    reply = await _ask(_budget(Limits(tokens=300)), model, tokens=400)

    assert "too few" in reply.problem
    assert model.asked == []


async def test_a_question_is_taken_off_the_budget_and_off_the_day() -> None:
    ledger = MemoryLedger()
    budget = _budget(Limits(), ledger)

    await _ask(budget, ScriptedModel(GOOD))

    assert budget.tokens_left() == 15_000 - 800
    assert ledger.spent(TODAY) == Spent(800, pytest.approx(700 * 3e-6 + 100 * 15e-6))


async def test_questions_at_once_do_not_spend_the_same_tokens() -> None:
    model = ScriptedModel(GOOD, seconds=0.05)
    reasoner = StrandsReasoner([SONNET], build=lambda *_: model)
    budget = _budget(Limits(tokens=3_000))
    question = Question("lambda", "Say.", "E1 " * 300, Finding, tokens=400)

    replies = await asyncio.gather(*(reasoner.ask(question, budget) for _ in range(12)))

    answered = [reply for reply in replies if reply.answer]
    assert 2 <= len(answered) <= 3
    assert sum(r.usage.input_tokens + r.usage.output_tokens for r in replies) <= 3_000
    assert all("RCA_BUDGET_TOKENS" in reply.problem for reply in replies if not reply.answer)


async def test_a_question_waits_for_what_others_may_give_back() -> None:
    small = calls("Finding", say="x", used=(100, 10))
    model = ScriptedModel(small, seconds=0.05)
    reasoner = StrandsReasoner([SONNET], build=lambda *_: model)
    budget = _budget(Limits(tokens=2_000))

    replies = await asyncio.gather(
        *(reasoner.ask(Question("lambda", "Say.", "E1", Finding, tokens=1_000), budget) for _ in range(5))
    )

    assert all(reply.answer for reply in replies)
    assert model.most_at_once == 1


class SlowLedger(MemoryLedger):
    """Answers at once when a question begins, and then not for a while."""

    asked = 0

    def spent(self, day: date) -> Spent:
        self.asked += 1
        if self.asked > 2:
            time.sleep(0.5)
        return super().spent(day)


async def test_a_question_that_a_slow_ledger_keeps_back_is_late_and_says_so() -> None:
    model = ScriptedModel(GOOD)
    reasoner = StrandsReasoner([SONNET], build=lambda *_: model)

    reply = await reasoner.ask(
        Question("lambda", "Say.", "E1", Finding, tokens=200, seconds=0.2), _budget(ledger=SlowLedger())
    )

    assert reply.answer is None
    assert reply.problem == "Bedrock did not answer in time"
    assert (model.asked, reply.usage) == ([], Usage())


SPEND = """
import sys
from datetime import date
from pathlib import Path
from orchestrator.sqlite_spending import SqliteLedger
from reasoning.budget import Spent

ledger = SqliteLedger.open(Path(sys.argv[1]))
for _ in range(50):
    ledger.add(date(2026, 11, 20), Spent(10, 0.001))
"""


def test_two_processes_share_one_day(tmp_path: Path) -> None:
    running = [subprocess.Popen([sys.executable, "-c", SPEND, str(tmp_path)]) for _ in range(2)]

    assert [process.wait(60) for process in running] == [0, 0]
    ledger = SqliteLedger.open(tmp_path)
    assert ledger.spent(TODAY) == Spent(1_000, pytest.approx(0.1))
    assert "RCA_DAY_TOKENS" in _budget(Limits(day_tokens=1_000), ledger).refusal()
    ledger.close()


async def test_the_ledger_and_the_store_share_a_file(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path)
    ledger = SqliteLedger.open(tmp_path)
    ledger.add(TODAY, Spent(5, 0.5))
    await store.close()

    ledger.close()
    again = SqliteLedger(tmp_path / "rca.sqlite3")
    assert again.spent(TODAY) == Spent(5, 0.5)
    again.close()


def test_a_ledger_that_cannot_be_used_says_so(tmp_path: Path) -> None:
    (tmp_path / "rca.sqlite3").write_text("this is no database, and long enough to be noticed as none " * 20)
    ledger = SqliteLedger.open(tmp_path)

    with pytest.raises(LedgerUnusable, match="cannot be used"):
        ledger.spent(TODAY)


def test_a_ledger_that_breaks_later_says_so(tmp_path: Path) -> None:
    ledger = SqliteLedger.open(tmp_path)
    ledger.add(TODAY, Spent(5, 0.5))
    with sqlite3.connect(tmp_path / "rca.sqlite3") as other:
        other.execute("DROP TABLE model_spending")
    other.close()

    with pytest.raises(LedgerUnusable, match="no such table"):
        ledger.spent(TODAY)
    ledger.close()
