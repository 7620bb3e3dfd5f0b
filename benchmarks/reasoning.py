"""What models cost an investigation: this project beside nested agents, in one run, on one incident.

The demo's incident, four specialists, every AWS call taking 100 ms, and a local Bedrock with one latency law and one
tokenizer for all. Nested agents are told in `benchmarks.nested`; this project is asked in each of its modes.
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel

from aws.limits import Limits
from aws.session import AwsConfig, ReadSession
from benchmarks import nested
from benchmarks.measure import Measured
from benchmarks.nested_script import Incident
from benchmarks.steady import SteadyAws
from bot.interpreter import tune
from domain.report import Report
from domain.request import Trigger, TriggerKind
from orchestrator.investigate import Investigator, utc_now
from orchestrator.parse import parse
from orchestrator.reads import every_read
from orchestrator.sqlite_store import SqliteStore
from orchestrator.store import StoredBundle
from reasoning.budget import InvestigationBudget, MemoryLedger
from reasoning.budget import Limits as Budgets
from reasoning.contract import Mode, Question, Reasoner
from reasoning.load import Wanted, load_reasoner
from reasoning.prices import AS_OF, dollars
from sandbox.aws.local import LocalAws
from sandbox.incidents import orders_throttling
from sandbox.models.answering import answering
from sandbox.models.bedrock import LocalBedrock
from sandbox.models.served import USUAL
from specialists.registry import all_specialists

AWS_SECONDS = 0.1
RUNS = 3
COVERAGE_RUNS = 40
TOGETHER = 16
ASKED_ABOUT = {
    "lambda": "create-order",
    "apigateway": "orders-api",
    "iam": "create-order-role",
    "dynamodb": "orders",
}
"""The four specialists, and what each is asked about."""


class Row(NamedTuple):
    """One variant's figures; `coverage` is the share of the four specialists that were reached."""

    name: str
    calls: int
    input_tokens: int
    output_tokens: int
    seconds: float
    coverage: float

    @property
    def tokens(self) -> int:
        """In and out together."""
        return self.input_tokens + self.output_tokens

    @property
    def usd(self) -> float:
        """What the tokens cost."""
        return dollars("bedrock", nested.MODEL, self.input_tokens, self.output_tokens) or 0.0


async def run() -> list[Measured]:
    """Measure, print the variants side by side, and return the figures."""
    with LocalAws() as aws, LocalBedrock(answering, latency=USUAL) as bedrock:
        seeded = orders_throttling.seed(aws)
        async with SteadyAws(aws.endpoint, AWS_SECONDS) as steady:
            environment = {**os.environ, **steady.environment(aws.environment()), **bedrock.environment()}
            told = {mode: await _in_own_process([mode, seeded.trace_id], environment) for mode in Mode}
        together = await _in_own_process(["together", ""], environment)
    rows = {mode: _ours(mode, told[mode]) for mode in (Mode.ALWAYS, Mode.AUTO)}
    before, missed = await _nested(_incident(seeded.trace_id, told[Mode.NEVER]))
    _print([*before.values(), *rows.values()], missed)
    return _figures(before, rows[Mode.ALWAYS], rows[Mode.AUTO], missed, together["ratio"])


def _incident(trace_id: str, told: Mapping[str, Any]) -> Incident:
    """Return what the nested agents look at: what the rules alone saw and concluded."""
    all_specialists()  # their kinds of evidence are known from here on
    evidence = StoredBundle.model_validate(told["bundle"]).loaded()
    return Incident(trace_id, tuple(evidence), Report.model_validate(told["report"]), ASKED_ABOUT)


async def _nested(incident: Incident) -> tuple[dict[str, Row], float]:
    """Run both variants, and return the share that an imperfect lead reaches."""
    rows = {}
    for variant in nested.VARIANTS:
        ran = await nested.investigate(incident, variant, aws_seconds=AWS_SECONDS)
        share = len(ran.reached) / len(ASKED_ABOUT)
        name = f"nested agents, {variant.name}"
        rows[variant.name] = Row(name, ran.calls, ran.input_tokens, ran.output_tokens, ran.seconds, share)
    return rows, await nested.coverage(incident, nested.VARIANTS[-1], COVERAGE_RUNS)


def _ours(mode: Mode, told: Mapping[str, Any]) -> Row:
    report = Report.model_validate(told["report"])
    used, reached = report.usage, {s.name for s in report.specialists} & set(ASKED_ABOUT)
    share = len(reached) / len(ASKED_ABOUT)
    return Row(f"this project, {mode}", used.model_calls, used.input_tokens, used.output_tokens, told["seconds"], share)


def _print(rows: Sequence[Row], missed: float) -> None:
    print(f"{'':<28} {'calls':>6} {'in':>8} {'out':>6} {'tokens':>8} {'seconds':>8} {'dollars':>8} {'reached':>8}")
    for row in rows:
        figures = f"{row.calls:>6} {row.input_tokens:>8,} {row.output_tokens:>6,} {row.tokens:>8,}"
        print(f"{row.name:<28} {figures} {row.seconds:>8.2f} {row.usd:>8.4f} {row.coverage:>8.0%}")
    print(f"nested agents reach {missed:.0%} where their lead forgets one now and then; prices of {AS_OF}")


def _figures(before: Mapping[str, Row], always: Row, auto: Row, missed: float, together: float) -> list[Measured]:
    lean = before["lean"]
    figures = [figure for row in (*before.values(), always, auto) for figure in _told(row)]
    return [
        *figures,
        Measured("nested agents whose lead forgets: specialists reached", missed * 100, "%"),
        Measured("always: tokens", always.tokens, "", most=4000),
        Measured("always: seconds", always.seconds, "s", most=3.5),
        Measured("always: specialists reached", always.coverage * 100, "%", least=100),
        Measured("auto, the rules decide: tokens", auto.tokens, "", most=0),
        Measured("tokens, lean nested agents : always", lean.tokens / max(1, always.tokens), "x", least=4.5),
        Measured("seconds, lean nested agents : always", lean.seconds / always.seconds, "x", least=3.5),
        Measured(f"{TOGETHER} questions at once : the slowest alone", together, "x", most=1.3),
    ]


def _told(row: Row) -> list[Measured]:
    return [
        Measured(f"{row.name}: model calls", row.calls, ""),
        Measured(f"{row.name}: input tokens", row.input_tokens, ""),
        Measured(f"{row.name}: output tokens", row.output_tokens, ""),
        Measured(f"{row.name}: seconds", row.seconds, "s"),
        Measured(f"{row.name}: dollars", row.usd, "$"),
    ]


async def _in_own_process(arguments: Sequence[str], environment: Mapping[str, str]) -> dict[str, Any]:
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, *arguments, env=environment, stdout=asyncio.subprocess.PIPE
    )
    told, _ = await started.communicate()
    if started.returncode:
        raise RuntimeError(f"the measuring process ended with {started.returncode}")
    answer: dict[str, Any] = json.loads(told)
    return answer


async def measured(mode: Mode, text: str) -> dict[str, Any]:
    """Investigate in this process; return the report and the bundle of the fastest run: other load only adds time."""
    tune()
    specialists = [s for s in all_specialists() if s.name in ASKED_ABOUT]
    session, reasoner = ReadSession(AwsConfig(), every_read(), limits=Limits({})), _reasoner(mode)
    with tempfile.TemporaryDirectory() as home:
        store = SqliteStore.open(Path(home))
        investigator = Investigator(session, specialists, store, reasoner=reasoner, mode=mode)
        await _investigate(investigator, store, text)  # clients, imports and code paths are warm
        runs = [await _investigate(investigator, store, text) for _ in range(RUNS)]
        seconds, report = min(runs, key=lambda ran: ran[0])
        bundle = await store.bundle(report.investigation_id)
        await investigator.close()
        await store.close()
    if bundle is None:
        raise RuntimeError("the investigation kept no evidence")
    return {"seconds": seconds, "report": report.as_json(), "bundle": bundle.model_dump(mode="json")}


async def _investigate(investigator: Investigator, store: SqliteStore, text: str) -> tuple[float, Report]:
    trigger = Trigger(kind=TriggerKind.CLI, text=text)
    accepted = await store.accept(f"benchmark:{time.monotonic_ns()}", trigger, now=utc_now())
    if accepted is None:
        raise RuntimeError("the benchmark's own key was taken")
    began = time.perf_counter()
    report = await investigator.investigate(accepted.id, trigger, parse(text, now=utc_now()), lambda _: None)
    return time.perf_counter() - began, report


def _reasoner(mode: Mode) -> Reasoner | None:
    return load_reasoner(Wanted(mode=mode, model=f"bedrock:{nested.MODEL}"), [])


class Opinion(BaseModel):
    """What is thought of the lines."""

    say: str
    evidence: list[str]


async def together() -> dict[str, float]:
    """Ask as many questions as there are specialists at once, and one alone; return how much longer they take."""
    reasoner = _reasoner(Mode.ALWAYS)
    if reasoner is None:
        raise RuntimeError("there is no model to ask")
    lines = "\n".join(f"E{n} 09:5{n % 10} WriteThrottleEvents Sum {n} in all, usual 0" for n in range(1, 21))
    question = Question("ask", "Say what the lines show.", lines, Opinion)
    budget = InvestigationBudget(Budgets(tokens=1_000_000, usd=100), MemoryLedger())
    await reasoner.ask(question, budget)  # the client is made
    began = time.perf_counter()
    alone = [await reasoner.ask(question, budget)]
    between = time.perf_counter()
    replies = await asyncio.gather(*(reasoner.ask(question, budget) for _ in range(TOGETHER)))
    ended = time.perf_counter()
    if any(reply.answer is None for reply in (*alone, *replies)):
        raise RuntimeError("a question was not answered")
    return {"ratio": (ended - between) / (between - began)}


if __name__ == "__main__":
    what, about = sys.argv[1:3]
    print(json.dumps(asyncio.run(together() if what == "together" else measured(Mode(what), about))))
