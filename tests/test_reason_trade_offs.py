"""A model words the trade-offs between planned actions; it neither adds one nor names a cause."""

from dataclasses import replace

import pytest

from domain.action import ProposedAction, Risk
from domain.evidence import EvidenceBundle
from domain.graph import ServiceGraph
from domain.result import SpecialistResult
from orchestrator.reason import Asking
from orchestrator.trade_offs import weighed, with_words
from reasoning.budget import InvestigationBudget, Limits, MemoryLedger
from reasoning.contract import Mode
from specialists.registry import all_specialists
from tests.support.asking import SPENT, THROTTLED_REPLY, ScriptedReasoner, cause, claim
from tests.support.concluding import TABLE, looks, result

(PLANNER,) = (s for s in all_specialists() if s.plan is not None)
SEEN = looks(TABLE, "capacity was cut", "writes are throttled")


def action(name: str, risk: Risk = Risk.LOW) -> ProposedAction:
    return ProposedAction(
        id=name, kind="dynamodb.capacity", title=f"Do {name}", resource=TABLE, parameters={}, rationale="", expected_effect="", api_call="",
        cli="", risk=risk, reversible=True, undo="", verification="", evidence=tuple(e.id for e in SEEN), trade_off="costs more",
    )  # fmt: skip


async def words(
    reasoner: ScriptedReasoner, *actions: ProposedAction, mode: Mode = Mode.ALWAYS, seconds: float = 30.0
) -> SpecialistResult | None:
    asking = Asking(reasoner, InvestigationBudget(replace(Limits(), tokens=50_000), MemoryLedger()), mode)
    return await weighed(PLANNER, actions, EvidenceBundle(SEEN), ServiceGraph(), asking, seconds)


async def test_a_choice_is_worded_and_stands_beside_the_plan() -> None:
    reasoner = ScriptedReasoner({PLANNER.name: {"claims": [claim("The first holds longer", "E1")]}})
    said = await words(reasoner, action("restore"), action("switch", Risk.MEDIUM))
    planned = with_words(result(name=PLANNER.name), said)

    assert [f.statement for f in planned.facts] == ["A model reads: The first holds longer"]
    assert planned.usage == SPENT
    assert "action 2: Do switch (mends, risk medium, can be undone); costs more" in reasoner.asked[0].data.splitlines()


async def test_causes_doubts_and_inventions_are_dropped() -> None:
    answer = {
        "claims": [claim("x", "E7")],
        "causes": [cause("ddb-hot-partition", "R1", "E1")],
        "doubts": [{"hypothesis": "H1", "evidence": ["E1"]}],
    }
    said = await words(ScriptedReasoner({PLANNER.name: answer}), action("restore"), action("switch"))

    assert said is not None
    assert (said.facts, said.hypotheses, said.dropped) == ((), (), 3)


@pytest.mark.parametrize(
    ("actions", "mode", "seconds"),
    [(("a", "b"), Mode.AUTO, 30.0), (("a",), Mode.ALWAYS, 30.0), (("a", "b"), Mode.ALWAYS, 1.0)],
)
async def test_nobody_is_asked_without_a_choice_without_time_or_where_rules_suffice(
    actions: tuple[str, ...], mode: Mode, seconds: float
) -> None:
    reasoner = ScriptedReasoner()

    assert await words(reasoner, *map(action, actions), mode=mode, seconds=seconds) is None
    assert reasoner.asked == []


async def test_a_model_that_fails_leaves_the_plan_and_a_gap() -> None:
    said = await words(ScriptedReasoner({PLANNER.name: THROTTLED_REPLY}), action("a"), action("b"))

    assert said is not None
    assert said.model_gap is not None
    assert said.model_gap.message == "no model's opinion: Bedrock throttled the question"
