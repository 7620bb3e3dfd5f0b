"""Models are asked where the rules leave a question open, and what they say is checked before it counts."""

import asyncio
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from aws.reads import read
from domain.evidence import Evidence, EvidenceBundle
from domain.findings import Advice, Hypothesis, Origin
from domain.gap import Gap, GapReason
from domain.report import ReportStatus
from domain.usage import Usage
from orchestrator.conclude.conclusion import conclude
from reasoning.contract import Mode, Question, Reply
from reasoning.models import Spec
from reasoning.strands_reasoner import StrandsReasoner
from sandbox.aws import LocalAws
from specialists.contract import Case, Look, Probe, Rule
from specialists.kit.series import MetricSeries, Point
from specialists.run import Run
from tests.support.asking import (
    SPENT,
    THROTTLED_REPLY,
    ScriptedReasoner,
    askable,
    cause,
    claim,
    doubt,
    finding,
    on_function,
    on_table,
    reasoned,
    seat,
)
from tests.support.concluding import (
    CODE,
    FUNCTION,
    OTHER,
    QUEUE,
    TABLE,
    THROTTLED,
    THROTTLED_TRACE,
    TIMEOUT,
    called,
    graph_of,
    hypothesis,
    looks,
    minutes,
    reported,
    segment,
    traced,
)
from tests.support.models import Chunks, ScriptedModel, calls
from tests.support.running import Sign, sign

FAILED = traced(segment(FUNCTION, fault=True, origin=True), called(FUNCTION, TABLE, http_status=200))
"""A function that fails; why, the trace does not tell."""

WELL = traced(segment(FUNCTION), called(FUNCTION, TABLE, http_status=200))
BEHIND_TABLE = traced(*THROTTLED_TRACE)
F, T = looks(FUNCTION, "duration", "memory", "log"), looks(TABLE, "capacity", "metric")
GUESS = finding(hypothesis(TIMEOUT, FUNCTION, weak=F[:1], specialist="lambda"), causes=(TIMEOUT, CODE))
PROOF = finding(hypothesis(THROTTLED, TABLE, proof=T, specialist="dynamodb"), causes=(THROTTLED,))


def found(run: Run) -> tuple[list[str], list[str], int]:
    """What a model added to a result, and how much of it was dropped."""
    facts = [f.statement for f in run.result.facts if f.origin is Origin.MODEL]
    causes = [h.cause for h in run.result.hypotheses if h.origin is Origin.MODEL]
    return facts, causes, run.result.dropped


@pytest.fixture(scope="module")
def running() -> Iterator[LocalAws]:
    with LocalAws() as aws:
        yield aws


@pytest.fixture(autouse=True)
def account(running: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in running.environment().items():
        monkeypatch.setenv(name, value)


# --- who is asked


async def test_a_decisive_investigation_asks_nothing() -> None:
    reasoner = ScriptedReasoner()
    seats = [on_table(PROOF, seen=T), on_function(GUESS, seen=F)]
    done = await reasoned(BEHIND_TABLE, seats, reasoner)

    assert reasoner.asked == []
    assert all(run.result.usage == Usage() for run in done.values())


async def test_a_healthy_system_asks_nothing() -> None:
    reasoner = ScriptedReasoner()
    await reasoned(WELL, [on_function(finding(), seen=F)], reasoner)

    assert reasoner.asked == []


async def test_where_no_model_is_wanted_none_is_asked() -> None:
    reasoner = ScriptedReasoner()
    await reasoned(FAILED, [on_function(GUESS, seen=F)], reasoner, Mode.NEVER)

    assert reasoner.asked == []


async def test_a_failure_that_no_rule_is_certain_of_is_asked_about() -> None:
    reasoner, heard = ScriptedReasoner(), []
    await reasoned(FAILED, [on_function(GUESS, seen=F), on_table(finding(), seen=T)], reasoner, heard=heard)

    assert reasoner.who == ["lambda"], "the table does not fail"
    assert heard == [
        ("lambda", "asking a model: what it looks at fails, and no rule is certain why"),
        ("lambda", "done"),
    ]


async def test_two_causes_of_about_equal_weight_are_asked_about() -> None:
    one, other = looks(FUNCTION, "log"), looks(TABLE, "log")
    first = finding(hypothesis(TIMEOUT, FUNCTION, proof=one, specialist="lambda"))
    second = finding(hypothesis(THROTTLED, TABLE, proof=other, specialist="dynamodb"), causes=(THROTTLED,))
    both = traced(segment(FUNCTION, fault=True, origin=True), segment(TABLE, fault=True, origin=True))
    reasoner, heard = ScriptedReasoner(), []
    await reasoned(both, [on_function(first, seen=one), on_table(second, seen=other)], reasoner, heard=heard)

    assert sorted(reasoner.who) == ["dynamodb", "lambda"]
    assert {words for _, words in heard} == {"asking a model: two causes weigh about the same", "done"}


async def test_proofs_of_two_causes_at_one_resource_are_asked_about() -> None:
    signs = looks(QUEUE, "age", "key")
    proofs = [
        hypothesis(code, QUEUE, proof=[s], specialist="sqs")
        for code, s in zip(("sqs-backlog", "sqs-kms"), signs, strict=True)
    ]
    trace = traced(segment(FUNCTION, fault=True, origin=True), called(FUNCTION, QUEUE, http_status=200))
    reasoner, heard = ScriptedReasoner(), []
    who = askable("sqs", finding(*proofs, causes=("sqs-backlog", "sqs-kms")))
    await reasoned(trace, [seat(who, QUEUE, *signs)], reasoner, heard=heard)

    assert heard[0] == ("sqs", "asking a model: its rules prove more than one cause")


async def test_the_text_of_an_error_that_no_rule_cites_is_asked_about() -> None:
    refused = called(FUNCTION, TABLE, code="NeverHeardOfException", error=True, fault=True, origin=True)
    reasoner, heard = ScriptedReasoner(), []
    reader = askable("signal-analysis", finding(causes=()))
    await reasoned(traced(refused), [seat(reader, FUNCTION, *F)], reasoner, heard=heard)

    assert heard[0] == ("signal-analysis", "asking a model: it saw an error that no rule knows")


async def test_where_all_are_asked_those_that_brought_nothing_are_not() -> None:
    reasoner = ScriptedReasoner()
    await reasoned(BEHIND_TABLE, [on_table(PROOF, seen=T), on_function(GUESS, seen=())], reasoner, Mode.ALWAYS)

    assert reasoner.who == ["dynamodb"]


async def test_sixteen_are_asked_at_once_and_those_whose_resources_fail_first() -> None:
    names = [f"s{n:02}" for n in range(15)]
    seats = [seat(askable(name), TABLE, *T) for name in names] + [on_function(GUESS, seen=F)]
    reasoner = ScriptedReasoner()
    await reasoned(FAILED, seats, reasoner, Mode.ALWAYS)

    assert reasoner.who == ["lambda", *names]
    assert reasoner.most_at_once == 16


async def test_an_investigation_without_time_asks_nobody_and_says_so() -> None:
    reasoner = ScriptedReasoner()
    done = await reasoned(FAILED, [on_function(GUESS, seen=F)], reasoner, seconds=1.0)
    gap = done["lambda"].result.model_gap

    assert reasoner.asked == []
    assert gap is not None
    assert (gap.reason, gap.message) == (GapReason.TIMED_OUT, "no model's opinion: the investigation's time was over")


# --- what counts of an answer


async def test_claims_and_causes_are_kept_as_the_models_own_and_never_decide() -> None:
    answer = {"claims": [claim("Memory ran out first", "E2")], "causes": [cause(CODE, "R1", "E1", "E2")]}
    done = await reasoned(FAILED, [on_function(GUESS, seen=F)], ScriptedReasoner({"lambda": answer}))
    run = done["lambda"]
    opinion = run.result.hypotheses[-1]
    said = reported((*FAILED, *F), [run.result], graph_of(FAILED))

    assert found(run) == (["A model reads: Memory ran out first"], [CODE], 0)
    assert (opinion.origin, opinion.resource, opinion.summary) == (Origin.MODEL, FUNCTION, "A model suggests: it fits")
    assert {s.strength.value for s in opinion.supports} == {"weak"}
    assert (said.status, said.root_cause) == (ReportStatus.INCONCLUSIVE, None)
    assert said.usage.model_calls == 1
    assert (said.usage.input_tokens, said.usage.usd) == (SPENT.input_tokens, SPENT.usd)


async def test_a_cause_of_a_model_moves_neither_the_words_nor_the_severity_nor_the_advice() -> None:
    calm = traced(called(FUNCTION, OTHER, http_status=200))
    signs = looks(FUNCTION, *"abcdef")
    others = (counted("Errors", 40, OTHER), counted("Invocations", 50, OTHER))
    advice = Rule(
        "advise", (), (Sign,), lambda case: [Advice(text="Look at it", resource=OTHER, evidence=(signs[0].id,))]
    )
    guess = finding(hypothesis(CODE, FUNCTION, weak=signs, specialist="lambda"), causes=(CODE,))
    seats = [seat(askable("lambda", guess, advice), FUNCTION, *signs, *others)]
    before, after = [
        reported((*calm, *signs, *others), [run.result for run in done.values()], graph_of(calm))
        for done in (
            await reasoned(calm, seats, ScriptedReasoner(), Mode.ALWAYS),
            await reasoned(
                calm, seats, ScriptedReasoner({"lambda": {"causes": [cause(CODE, "R2", "E2")]}}), Mode.ALWAYS
            ),
        )
    ]

    assert [h.resource for h in after.hypotheses if h.origin is Origin.MODEL] == [OTHER]
    assert (after.headline, after.summary, after.next_look) == (before.headline, before.summary, before.next_look)
    assert (after.severity, after.advice) == (before.severity, before.advice)


def counted(metric: str, number: float, resource: str) -> MetricSeries:
    return MetricSeries(
        resource=resource, source="cloudwatch:GetMetricData", namespace="AWS/Lambda", metric=metric, statistic="Sum", period_seconds=60,
        dimensions={"FunctionName": "other"}, points=tuple(Point(at=minutes(n), value=number) for n in range(5)),
    )  # fmt: skip


async def test_what_cites_evidence_that_does_not_exist_is_dropped_and_counted() -> None:
    answer = {
        "claims": [claim("Made up", "E99"), claim("Half made up", "E1", "E99"), claim("Without evidence")],
        "causes": [cause(CODE, "R9", "E1"), cause(CODE, "R1", "E77")],
        "doubts": [doubt("H7", "E2"), doubt("H1", "E88")],
    }
    done = await reasoned(FAILED, [on_function(GUESS, seen=F)], ScriptedReasoner({"lambda": answer}))

    assert found(done["lambda"]) == ([], [], 7)
    assert all(not h.doubts for h in done["lambda"].result.hypotheses)


@pytest.mark.parametrize("code", ["lambda-gremlins", THROTTLED, ""])
async def test_a_code_that_the_specialist_cannot_name_is_dropped(code: str) -> None:
    answer = {"causes": [cause(code, "R1", "E1")]}
    done = await reasoned(FAILED, [on_function(GUESS, seen=F)], ScriptedReasoner({"lambda": answer}))

    assert found(done["lambda"]) == ([], [], 1)


async def test_a_doubt_lowers_confidence_and_removes_nothing() -> None:
    likely = finding(hypothesis(TIMEOUT, FUNCTION, strong=F[:2], specialist="lambda"))
    answer = {"doubts": [doubt("H1", "E3")]}
    seats = [on_function(likely, seen=F)]
    plain = await reasoned(FAILED, seats, ScriptedReasoner(), Mode.ALWAYS)
    doubting = await reasoned(FAILED, seats, ScriptedReasoner({"lambda": answer}), Mode.ALWAYS)

    def confidence(runs: dict[str, Run]) -> float:
        seen = EvidenceBundle((*FAILED, *F))
        concluded = conclude(seen, [r.result for r in runs.values()], graph_of(FAILED), ())
        assert concluded.root_cause is not None
        return concluded.root_cause.confidence

    assert confidence(doubting) < confidence(plain)


async def test_evidence_for_a_hypothesis_is_no_doubt_of_it() -> None:
    answer = {"doubts": [doubt("H1", "E1")]}
    done = await reasoned(FAILED, [on_function(GUESS, seen=F)], ScriptedReasoner({"lambda": answer}))

    assert found(done["lambda"]) == ([], [], 1)


async def test_the_order_in_which_answers_come_does_not_matter() -> None:
    names = ["s1", "s2", "s3"]
    seats = [seat(askable(name), FUNCTION, *looks(FUNCTION, name, "log")) for name in names]
    answers = {name: {"claims": [claim(f"{name} says so", "E1")]} for name in names}
    forth = ScriptedReasoner(answers, seconds={"s1": 0.0, "s2": 0.05, "s3": 0.1})
    back = ScriptedReasoner(answers, seconds={"s1": 0.1, "s2": 0.05, "s3": 0.0})

    assert await reasoned(FAILED, seats, forth) == await reasoned(FAILED, seats, back)


# --- looks


class Flaky:
    """A look that is throttled in the specialist's run and answered when it is made again."""

    def __init__(self) -> None:
        self.made = 0

    def probe(self) -> Probe:
        def run(look: Look) -> list[Evidence]:
            """Reads what the function wrote before it died."""
            self.made += 1
            return [sign("token=abcdefghijklmnop denied at last", look.target, source="test:Again")]

        return Probe("last_words", (read("logs", "FilterLogEvents"),), (), (Sign,), None, run)


MISSED = Gap(
    specialist="lambda", probe="last_words", resource=FUNCTION, reason=GapReason.THROTTLED, message="throttled"
)


async def test_a_look_that_failed_is_made_again_judged_and_can_be_cited() -> None:
    flaky, shown = Flaky(), []

    async def answer(question: Question[Any]) -> Reply[Any]:
        lines = await question.tools[0].look("R1")
        label = re.findall(r"^(E\d+) ", lines, re.MULTILINE)[-1]
        shown.extend((question, lines, label))
        return Reply(question.answer.model_validate({"claims": [claim("It was denied", label)]}), SPENT)

    def late(case: Case) -> Iterator[Hypothesis]:
        last = [item for item in case.all(Sign) if "denied at last" in item.text]
        if last:
            yield case.hypothesis(CODE, "it was denied", strong=last)

    who = askable("lambda", Rule("late", (CODE,), (Sign,), late), probes=[flaky.probe()])
    done = await reasoned(FAILED, [seat(who, FUNCTION, *F, gaps=[MISSED])], ScriptedReasoner({"lambda": answer}))
    run, (question, lines, label) = done["lambda"], shown
    (new,) = (item for item in run.evidence if item not in F)

    assert flaky.made == 1
    assert [(tool.name, tool.choices) for tool in question.tools] == [("last_words", ("R1",))]
    assert "denied at last" in lines
    assert "abcdefghijklmnop" not in lines
    assert f"{label} " not in question.data
    assert [f.evidence for f in run.result.facts] == [(new.id,)]
    assert [(h.cause, h.origin) for h in run.result.hypotheses] == [(CODE, Origin.RULE)]
    assert (run.result.gaps, run.result.looks, run.result.dropped) == ((), 4, 0)


async def test_no_look_is_offered_where_nothing_new_can_come_of_it() -> None:
    reasoner = ScriptedReasoner()
    who = askable("lambda", GUESS, probes=[Flaky().probe()])
    denied = MISSED.model_copy(update={"reason": GapReason.ACCESS_DENIED})
    await reasoned(FAILED, [seat(who, FUNCTION, *F, gaps=[denied])], reasoner)

    assert reasoner.asked[0].tools == ()


async def test_a_look_that_fails_again_says_so_and_stays_a_gap() -> None:
    shown: list[str] = []

    def run(look: Look) -> list[Evidence]:
        """Reads nothing but trouble."""
        raise TimeoutError("too slow")

    async def answer(question: Question[Any]) -> Reply[Any]:
        shown.append(await question.tools[0].look("R1"))
        return Reply(question.answer.model_validate({}), SPENT)

    who = askable("lambda", GUESS, probes=[Probe("last_words", (), (), (Sign,), None, run)])
    done = await reasoned(FAILED, [seat(who, FUNCTION, *F, gaps=[MISSED])], ScriptedReasoner({"lambda": answer}))

    assert "not seen: last words" in shown[0]
    assert [gap.reason for gap in done["lambda"].result.gaps] == [GapReason.TIMED_OUT]


# --- models that fail


async def test_a_model_that_fails_leaves_the_rules_report_and_one_line() -> None:
    seats = [seat(askable(name, GUESS), FUNCTION, *F) for name in ("s1", "s2")]
    quiet = await reasoned(FAILED, seats, ScriptedReasoner(), Mode.NEVER)
    failed = await reasoned(FAILED, seats, ScriptedReasoner({"s1": THROTTLED_REPLY, "s2": THROTTLED_REPLY}))
    before = reported((*FAILED, *F), [r.result for r in quiet.values()], graph_of(FAILED))
    after = reported((*FAILED, *F), [r.result for r in failed.values()], graph_of(FAILED))

    assert [g.message for g in after.gaps] == ["no model's opinion: Bedrock throttled the question"]
    assert after.gaps[0].reason is GapReason.THROTTLED
    assert (after.hypotheses, after.headline, after.next_look) == (before.hypotheses, before.headline, before.next_look)


async def test_a_model_that_is_denied_names_the_action_and_changes_no_verdict() -> None:
    action = "bedrock:InvokeModelWithResponseStream"
    denied = Reply[Any](None, Usage(), "Bedrock is denied to us", GapReason.ACCESS_DENIED, action)
    likely = finding(hypothesis(TIMEOUT, FUNCTION, strong=F[:2], specialist="lambda"))
    seats = [on_function(likely, seen=F)]
    quiet = await reasoned(FAILED, seats, ScriptedReasoner(), Mode.ALWAYS)
    failed = await reasoned(FAILED, seats, ScriptedReasoner({"lambda": denied}), Mode.ALWAYS)
    before, after = (
        reported((*FAILED, *F), [r.result for r in runs.values()], graph_of(FAILED)) for runs in (quiet, failed)
    )

    assert [(g.probe, g.action) for g in after.gaps] == [("reasoning", action)]
    assert after.root_cause == before.root_cause
    assert after.root_cause is not None


async def test_a_reasoner_that_breaks_its_promise_and_raises_breaks_nothing() -> None:
    async def raises(question: Question[Any]) -> Reply[Any]:
        raise RuntimeError("a secret")

    done = await reasoned(FAILED, [on_function(GUESS, seen=F)], ScriptedReasoner({"lambda": raises}))
    gap = done["lambda"].result.model_gap

    assert gap is not None
    assert gap.message == "no model's opinion: the question broke (RuntimeError)"


async def test_a_reasoner_that_never_comes_back_is_left() -> None:
    async def never(question: Question[Any]) -> Reply[Any]:
        await asyncio.sleep(60)
        raise AssertionError("nobody waits that long")

    began = time.monotonic()
    done = await reasoned(FAILED, [on_function(GUESS, seen=F)], ScriptedReasoner({"lambda": never}), seconds=3.2)

    assert done["lambda"].result.model_gap is not None
    assert time.monotonic() - began < 6


# --- through the library that asks


async def test_through_strands_a_look_is_offered_made_and_cited() -> None:
    flaky = Flaky()
    shown: list[str] = []

    def answered() -> Chunks:
        shown.append(model.asked[-1].text)
        label = re.findall(r"(E\d+) [^\\]*denied at last", shown[-1])[-1]
        return calls("Judgement", claims=[claim("It was denied", label), claim("Invented", "E99")])

    model = ScriptedModel(calls("last_words", of="R1"), answered)
    reasoner = StrandsReasoner([Spec("bedrock", "scripted")], build=lambda *_: model)
    who = askable("lambda", GUESS, probes=[flaky.probe()])
    done = await reasoned(FAILED, [seat(who, FUNCTION, *F, gaps=[MISSED])], reasoner)
    result = done["lambda"].result

    assert sorted(tool["name"] for tool in model.asked[0].tools) == ["Judgement", "last_words"]
    assert flaky.made == 1
    assert found(done["lambda"]) == (["A model reads: It was denied"], [], 1)
    assert (result.usage.model_calls, result.model_gap) == (2, None)
