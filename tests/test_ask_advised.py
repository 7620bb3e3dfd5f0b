"""Questions about a report, answered in a model's words: checked against what it was shown, within the budget."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.evidence import EvidenceBundle
from domain.findings import Origin
from domain.inquiry import Answer, Inquiry
from domain.report import Report
from domain.request import Request, Trigger, TriggerKind
from domain.resource import Resource, resource_from_arn
from domain.result import SpecialistResult, SpecialistStatus
from domain.usage import Usage
from orchestrator.ask.about import About
from orchestrator.ask.advised import WHO, advised
from orchestrator.ask.answer import told
from orchestrator.ask.answerer import Answerer
from orchestrator.ask.further import ENOUGH, Further
from orchestrator.ask.record import Record
from orchestrator.reason import Asking
from orchestrator.sqlite_store import SqliteStore
from orchestrator.store import StoredBundle
from reasoning.budget import InvestigationBudget, Limits, MemoryLedger
from reasoning.contract import Mode, Question
from sandbox.slack import LocalSlack
from specialists.contract import Agent, Probe, Specialist
from specialists.run import Run
from tests.support import reports
from tests.support.bot import TRACE, running_bot, utc_now
from tests.support.reasoners import SPENT, BrokenReasoner, Script, ScriptedReasoner
from tests.support.running import looking, sign

DATABASE = "why not the database?"
GOOD = {
    "say": "It is the database: orders uses 5.0 of 5 write units and throttles since 09:53.",
    "evidence": ["E2", "E3"],
}


LIMITS, NOTHING = Limits(), Usage()


def asking(reasoner: Any, limits: Limits = LIMITS, before: Usage = NOTHING) -> Asking:
    return Asking(reasoner, InvestigationBudget(limits, MemoryLedger(), before=before), Mode.AUTO)


async def ask(
    said: Script | Mapping[str, Any] | str,
    question: str = DATABASE,
    further: Further | None = None,
    report: Report | None = None,
) -> tuple[Answer, ScriptedReasoner]:
    reasoner = ScriptedReasoner(said)
    record = Record(report or reports.incident())
    plain = Answer(lines=told(question, record))
    answer = await advised(About.of(question, record), plain, asking(reasoner), further)
    return answer, reasoner


async def test_an_answer_that_the_lines_bear_out_stands_above_them() -> None:
    answer, reasoner = await ask(GOOD)

    first, *beside = answer.lines
    assert (first.text, first.evidence) == (GOOD["say"], ("E-used", "E-throttles"))
    assert beside[0].text.startswith("It is the verdict: DynamoDB table `orders`")
    assert (answer.origin, answer.usage, answer.note) == (Origin.MODEL, SPENT, "")
    assert [question.who for question in reasoner.asked] == [WHO]


async def test_what_is_shown_has_the_labels_that_people_see() -> None:
    _, reasoner = await ask(GOOD)

    lines = reasoner.asked[0].data.split("\n")
    assert lines[0] == f"asked: {DATABASE}"
    assert lines[1].startswith("verdict: DynamoDB table `orders`")
    assert "UpdateTable by deploy-bot: WriteCapacityUnits 500 → 5 [E4]" in lines
    assert len(reasoner.asked[0].data) < 4000


LIES = (
    ({"evidence": []}, "it cites nothing that exists"),
    ({"evidence": ["E99"]}, "it cites nothing that exists"),
    ({"evidence": ["E2", "E99"]}, "it cites nothing that exists"),
    ({"say": ""}, "it is empty or too long"),
    ({"say": "x" * 500}, "it is empty or too long"),
    ({"say": "orders and payments-db throttle."}, "it names payments-db"),
    ({"say": "orders throttled 9,999 writes."}, "it says 9,999"),
    ({"say": "orders throttles, see https://evil.example."}, "it has '://'"),
    ({"say": "Delete the table orders."}, "it tells to delete"),
    ({"say": "Run aws dynamodb delete-table."}, "it gives a command"),
    ({"say": "It is because of create-order."}, "it blames something else than the verdict"),
    ({"say": "The memory of create-order is exhausted."}, "it tells of memory"),
)


@pytest.mark.parametrize(("part", "why"), LIES)
async def test_an_answer_that_says_more_is_dropped_and_the_lines_stand(part: dict[str, Any], why: str) -> None:
    answer, _ = await ask({**GOOD, **part})

    assert answer.note.startswith(f"a model's answer was dropped: {why}")
    assert answer.lines == told(DATABASE, Record(reports.incident()))
    assert (answer.origin, answer.usage) == (Origin.RULE, SPENT)


async def test_words_of_the_question_may_be_denied_and_not_affirmed() -> None:
    denied, _ = await ask({"say": "Nobody looked at redis.", "evidence": ["E1"]}, "why not redis? it is at 97 %")
    affirmed, _ = await ask({"say": "Yes, redis broke orders.", "evidence": ["E1"]}, "why not redis? it is at 97 %")
    number, _ = await ask({"say": "It is not redis, at 97 %.", "evidence": ["E1"]}, "why not redis? it is at 97 %")

    assert denied.note == ""
    assert affirmed.note == "a model's answer was dropped: it tells of redis"
    assert number.note == "a model's answer was dropped: it says 97"


async def test_where_nothing_is_decided_an_answer_may_not_decide() -> None:
    report = reports.inconclusive()
    decides, _ = await ask({"say": "It fails because of its subnets.", "evidence": ["E1"]}, "why?", report=report)
    leaves, _ = await ask({"say": "It may fail because of its subnets.", "evidence": ["E1"]}, "why?", report=report)

    assert decides.note == "a model's answer was dropped: it decides what the evidence does not"
    assert leaves.origin is Origin.MODEL


async def test_a_model_that_does_not_answer_leaves_the_lines_and_says_why() -> None:
    answer, _ = await ask("Bedrock throttled the question")

    assert answer.note == "no model's answer: Bedrock throttled the question"
    assert answer.lines == told(DATABASE, Record(reports.incident()))


async def test_a_reasoner_that_raises_leaves_the_lines() -> None:
    record = Record(reports.incident())
    plain = Answer(lines=told(DATABASE, record))
    broken = asking(BrokenReasoner(KeyError("x")))

    answer = await advised(About.of(DATABASE, record), plain, broken, None)

    assert answer.lines == plain.lines
    assert answer.note == "no model's answer: the question broke (KeyError)"


# --- further looks

LOOKED = "pool of 5 connections is exhausted"


def bundle() -> StoredBundle:
    return StoredBundle(
        request=Request(text=TRACE), trigger=Trigger(kind=TriggerKind.CLI, text=TRACE), window=reports.WINDOW,
        graph=reports.GRAPH, evidence=(), results=(), discovery_gaps=(), nearby=(), aws_calls=0,
        started_at=reports.at(56), completed_at=reports.at(57),
    )  # fmt: skip


class Looks:
    """Makes looks as an Investigator does, and counts them."""

    def __init__(self) -> None:
        self.made: list[tuple[str, str, str]] = []

    async def __call__(self, bundle: StoredBundle, specialist: Specialist, probe: Probe, target: Resource) -> Run:
        self.made.append((specialist.name, probe.name, target.name))
        result = SpecialistResult(name=specialist.name, status=SpecialistStatus.SUCCESS, duration_seconds=0.1)
        return Run(result=result, evidence=(sign(LOOKED, target, source="dynamodb:DescribeTable"),))


def specialists() -> tuple[Specialist, ...]:
    def with_agent(name: str, *arns: str) -> Specialist:
        probes = tuple(looking(f"{name}_{n}", lambda _: []) for n in range(2))
        handles = {resource_from_arn(arn).type: "it is called" for arn in arns}
        return Specialist(name, handles, probes, (), agent=Agent("You read.", probes))

    return (
        with_agent("dynamodb", reports.TABLE),
        with_agent("lambda", reports.FUNCTION),
        with_agent("s3", "arn:aws:s3:::b"),
    )


def looking_further() -> tuple[Further, Looks]:
    looks = Looks()
    return Further(bundle(), specialists(), looks), looks


async def test_a_model_may_look_further_and_cite_what_it_saw() -> None:
    async def script(question: Question[Any]) -> dict[str, Any]:
        (tool, *_) = question.tools
        seen = await tool.look(tool.choices[0])
        return {"say": "No: the pool of 5 connections is exhausted at orders.", "evidence": [seen.split(" ")[0]]}

    further, looks = looking_further()
    answer, reasoner = await ask(script, further=further)

    assert looks.made == [("dynamodb", "dynamodb_0", "orders")]
    assert (answer.looks, answer.note) == (1, "")
    assert answer.lines[0].source == "dynamodb:DescribeTable"
    assert answer.lines[0].evidence == (further.evidence[0].id,)
    assert "R1 DynamoDB table `orders`" in reasoner.asked[0].data


async def test_more_looks_than_two_are_refused() -> None:
    said: list[str] = []

    async def script(question: Question[Any]) -> dict[str, Any]:
        said.extend([await question.tools[0].look("R1") for _ in range(4)])
        return GOOD

    further, looks = looking_further()
    answer, _ = await ask(script, further=further)

    assert len(looks.made) == 2
    assert said[2:] == [ENOUGH, ENOUGH]
    assert answer.looks == 2


OFFERED = (
    (DATABASE, {"dynamodb_0", "dynamodb_1"}, {"R1"}),
    ("what about create-order?", {"lambda_0", "lambda_1"}, {"R1"}),
    ("why not the bucket?", set(), set()),
    ("why?", set(), set()),
)


@pytest.mark.parametrize(("question", "tools", "choices"), OFFERED)
async def test_only_what_the_question_is_about_may_be_looked_at(
    question: str, tools: set[str], choices: set[str]
) -> None:
    further, _ = looking_further()
    _, reasoner = await ask(GOOD, question, further)

    assert {tool.name for tool in reasoner.asked[0].tools} == tools
    assert {choice for tool in reasoner.asked[0].tools for choice in tool.choices} == choices


# --- the store, the budget, the thread


async def stored(store: SqliteStore, used: Usage = NOTHING) -> Report:
    trigger = Trigger(kind=TriggerKind.CLI, text=TRACE)
    accepted = await store.accept("k", trigger, now=utc_now())
    assert accepted is not None
    report = reports.incident().model_copy(update={"investigation_id": accepted.id, "usage": used})
    await store.finish(report, bundle())
    return report


def inquiry(report: Report, key: str = "q", text: str = DATABASE) -> Inquiry:
    return Inquiry(
        key=key, investigation_id=report.investigation_id, text=text, user="U1", channel="C1", thread="1.5",
        asked_at=utc_now() - timedelta(seconds=1),
    )  # fmt: skip


async def test_the_budget_of_the_investigation_goes_on(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path)
    report = await stored(store, Usage(input_tokens=500, model_calls=1))
    reasoner, befores = ScriptedReasoner(GOOD), []

    def whom(before: Usage) -> Asking:
        befores.append(before)
        return asking(reasoner, Limits(tokens=1000), before)

    answerer = Answerer(store, whom)
    for key in ("a", "b", "c"):
        assert await store.inquire(inquiry(report, key))
        found = await answerer.answer(inquiry(report, key))
        assert found is not None
        await store.answered(key, found[1].usage, now=utc_now())
    await store.close()

    assert [before.input_tokens + before.output_tokens for before in befores] == [500, 860, 1220]
    assert found[1].note == "no model's answer: this investigation used its 1,000 tokens (RCA_BUDGET_TOKENS)"
    assert found[1].lines[0].text.startswith("It is the verdict")


async def test_nobody_is_asked_about_an_investigation_that_failed(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path)
    reasoner = ScriptedReasoner(GOOD)
    await store.finish(reports.failed(), None)

    found = await Answerer(store, lambda before: asking(reasoner)).answer(inquiry(reports.failed()))
    await store.close()

    assert found is not None
    assert found[1].lines[0].text.startswith("That investigation failed")
    assert reasoner.asked == []


@pytest.mark.parametrize("http", [False, True], ids=["socket", "http"])
async def test_in_the_thread_the_answer_is_marked_as_a_models(tmp_path: Path, http: bool) -> None:
    reasoner = ScriptedReasoner({"say": "It is the database: orders consumed 5 of 5 WCU.", "evidence": ["E1"]})

    def answerer(store: Any) -> Answerer:
        return Answerer(store, lambda before: asking(reasoner))

    async with LocalSlack(rates=None) as slack, running_bot(slack, tmp_path, http=http, answerer=answerer) as bot:
        await slack.command("U0MIA", "C0ALERTS", "/rca", TRACE)
        root = await slack.wait_for(
            lambda: next((r for r in slack.messages("C0ALERTS") if "rca_question" in str(slack.thread("C0ALERTS", r.ts)[-1].blocks)), None)
        )  # fmt: skip
        await slack.mention("U0TOM", "C0ALERTS", DATABASE, thread_ts=root.ts)
        message = await slack.wait_for(
            lambda: next(
                (m for m in slack.thread("C0ALERTS", root.ts) if "from the evidence of" in str(m.blocks)), None
            )
        )
        await slack.wait_for(lambda: not bot.service.bot.background._tasks)
        spent = await bot.store.spent_on_answers(bot.investigator.asked[0][0])

    assert message.blocks[0]["text"]["text"].startswith(
        "It is the database: orders consumed 5 of 5 WCU. [E1]\n• It is the verdict"
    )
    assert "worded by a model: 1 model call, 360 tokens, under $0.01" in str(message.blocks)
    assert spent == SPENT
    assert slack.violations == []


def test_labels_go_on_after_the_reports() -> None:
    from orchestrator.ask.sheet import Sheet

    record = Record(reports.incident(), EvidenceBundle([sign("more", reports.FUNCTION)]))
    sheet = Sheet(record)
    (extra,) = record.evidence

    assert sheet.evidence(extra.id) == f"E{len(record.report.evidence) + 1}"
    assert sheet.meaning() == {f"E{len(record.report.evidence) + 1}": extra.id}
