"""A reasoner that answers from a script, specialists that can be asked, and what a step of asking needs."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from domain.evidence import Evidence, EvidenceBundle
from domain.findings import Advice, Hypothesis
from domain.gap import Gap, GapReason
from domain.resource import ResourceType, resource_from_arn
from domain.usage import Usage
from orchestrator.reason import Asking, reason
from orchestrator.telling import Listening
from reasoning.budget import InvestigationBudget, Limits, MemoryLedger
from reasoning.contract import AnswerT, Budget, Mode, Question, Reasoner, Reply
from specialists.contract import Agent, Probe, Rule, Specialist
from specialists.judgement import Judgement
from specialists.run import Assignment, Run, Tools, judge
from tests.support.concluding import FUNCTION, TABLE, TIMEOUT, graph_of, result
from tests.support.running import NOW, WINDOW, Sign
from tests.support.running import tools as equipment

SPENT = Usage(input_tokens=500, output_tokens=60, model_calls=1, usd=0.002)
THROTTLED_REPLY = Reply[Any](None, Usage(model_calls=1), "Bedrock throttled the question", GapReason.THROTTLED, None)

NOTHING: Mapping[str, Mapping[str, Any]] = {"synthesis": {"summary": "", "why": ""}}
"""What somebody answers who has nothing to say, where that is not nothing at all."""

Answering = Callable[[Question[Any]], Awaitable[Reply[Any]]]


@dataclass
class ScriptedReasoner:
    """Answers each specialist with what is written for it, else with nothing to say; remembers what it was asked."""

    answers: Mapping[str, Mapping[str, Any] | Reply[Any] | Answering] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    asked: list[Question[Any]] = field(default_factory=list)
    most_at_once: int = 0
    _now: int = 0

    @property
    def who(self) -> list[str]:
        return [question.who for question in self.asked]

    async def ask(self, question: Question[AnswerT], budget: Budget) -> Reply[AnswerT]:
        self.asked.append(question)
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        await asyncio.sleep(self.seconds.get(question.who, 0.01))
        self._now -= 1
        answer = self.answers.get(question.who, NOTHING.get(question.who, {}))
        if isinstance(answer, Mapping):
            return Reply(question.answer.model_validate(answer), SPENT)
        return answer if isinstance(answer, Reply) else await answer(question)


def claim(say: str, *evidence: str) -> dict[str, Any]:
    return {"say": say, "evidence": list(evidence)}


def cause(code: str, resource: str, *evidence: str, say: str = "it fits") -> dict[str, Any]:
    return {"cause": code, "resource": resource, "evidence": list(evidence), "say": say}


def doubt(hypothesis: str, *evidence: str) -> dict[str, Any]:
    return {"hypothesis": hypothesis, "evidence": list(evidence)}


def finding(*hypotheses: Hypothesis, causes: Sequence[str] = (TIMEOUT,)) -> Rule:
    """A rule that finds the same in every case."""
    return Rule("finding", tuple(causes), (Sign,), lambda _: iter(hypotheses))


def askable(
    name: str = "lambda",
    *rules: Rule,
    probes: Sequence[Probe] = (),
    kinds: Sequence[ResourceType] = (ResourceType.LAMBDA,),
) -> Specialist:
    agent = Agent(f"Judge {name}.", tuple(probes)[:3])
    return Specialist(name, dict.fromkeys(kinds, "a test"), tuple(probes), rules or (finding(),), agent=agent)


@dataclass(frozen=True)
class Seat:
    """One specialist with what it saw."""

    who: Specialist
    target: str
    seen: tuple[Evidence, ...]
    gaps: tuple[Gap, ...] = ()


def seat(who: Specialist, target: str, *seen: Evidence, gaps: Sequence[Gap] = ()) -> Seat:
    return Seat(who, target, seen, tuple(gaps))


def on_function(*rules: Rule, seen: Sequence[Evidence], **fields: Any) -> Seat:
    return seat(askable("lambda", *rules, **fields), FUNCTION, *seen)


def on_table(*rules: Rule, seen: Sequence[Evidence]) -> Seat:
    return seat(askable("dynamodb", *rules, kinds=(ResourceType.TABLE,)), TABLE, *seen)


def scene(trace: Sequence[Evidence], seats: Sequence[Seat]) -> tuple[list[Assignment], list[Run]]:
    """What dispatch would have brought: the rules have judged what each specialist saw."""
    graph = graph_of(trace, *(s.target for s in seats))
    assignments, runs = [], []
    for s in seats:
        target = resource_from_arn(s.target)
        assignment = Assignment(s.who, (target,), "a test", WINDOW, graph, EvidenceBundle(trace), NOW)
        found, _ = judge(assignment, s.seen)
        hypotheses = [f for f in found if isinstance(f, Hypothesis)]
        advice = tuple(f for f in found if isinstance(f, Advice))
        assignments.append(assignment)
        brought = result(*hypotheses, name=s.who.name, gaps=s.gaps).model_copy(update={"advice": advice})
        runs.append(Run(brought, s.seen))
    return assignments, runs


async def reasoned(
    trace: Sequence[Evidence],
    seats: Sequence[Seat],
    reasoner: Reasoner,
    mode: Mode = Mode.AUTO,
    *,
    heard: list[tuple[str, str]] | None = None,
    tokens: int = 100_000,
    with_tools: Tools | None = None,
    **settings: Any,
) -> dict[str, Run]:
    """Ask about a scene and return the runs by specialist."""
    assignments, runs = scene(trace, seats)
    said = [] if heard is None else heard
    listening = Listening(
        lambda name, words: said.append((name, words)), lambda result: said.append((result.name, "done"))
    )
    asking = Asking(reasoner, InvestigationBudget(replace(Limits(), tokens=tokens), MemoryLedger()), mode)
    with equipment(**settings) as own:
        done = await reason(assignments, runs, with_tools or own, asking, listening)
    return {run.result.name: run for run in done}


def judged(**parts: Any) -> Judgement:
    return Judgement.model_validate(parts)
