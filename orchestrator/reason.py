"""The step between the rules and the conclusion: models are asked where the rules leave a question open.

What comes back is advice. It is checked, counted, and kept with the specialist's result, so that a replay over what is
stored asks nobody and says the same.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from domain.evidence import EvidenceBundle
from domain.gap import Gap, GapReason
from orchestrator.conclude.conclusion import conclude
from orchestrator.exchange import exchange
from orchestrator.interview import Interview
from orchestrator.open_questions import Asked, Standing, to_ask
from orchestrator.telling import Listening
from reasoning import telemetry
from reasoning.contract import Budget, Mode, Question, Reasoner, Reply
from specialists.judgement import Judgement
from specialists.run import Assignment, Run, Tools

logger = logging.getLogger(__name__)

SECONDS = 12.0
"""How long one exchange with a model may take."""

LEAST_SECONDS = 2.0
"""With less time left nobody is asked."""

KEPT_SECONDS = 1.0
"""What is kept of the investigation's time for its conclusion."""

OUT_OF_TIME = Reply[Judgement](None, problem="the investigation's time was over", reason=GapReason.TIMED_OUT)


@dataclass(frozen=True)
class Asking:
    """Who is asked in one investigation, when, and out of which budget."""

    reasoner: Reasoner
    budget: Budget
    mode: Mode


async def reason(
    assignments: Sequence[Assignment],
    runs: Sequence[Run],
    tools: Tools,
    asking: Asking | None,
    listening: Listening,
    gaps: Sequence[Gap] = (),
) -> tuple[Run, ...]:
    """Return the runs with what models add to them; `gaps` are those of discovery.

    Questions go out all at once and in the order of their nearness to the failure, which decides who is asked when the
    budget is not enough for all. Nothing is raised.
    """
    if asking is None or asking.mode is Mode.NEVER or not runs:
        return tuple(runs)
    seconds = min(SECONDS, tools.meter.remaining() - KEPT_SECONDS)
    prepared = await asyncio.to_thread(_prepared, assignments, runs, tools, asking.mode, gaps, seconds)
    added = await asyncio.gather(*(_asked(*each, asking, listening) for each in prepared))
    better = {run.result.name: run for run in added}
    return tuple(better.get(run.result.name, run) for run in runs)


def _prepared(
    assignments: Sequence[Assignment],
    runs: Sequence[Run],
    tools: Tools,
    mode: Mode,
    gaps: Sequence[Gap],
    seconds: float,
) -> list[tuple[Asked, Interview, Question[Judgement]]]:
    """Settle by the rules alone, and return whom that leaves to be asked, with the questions."""
    seen = EvidenceBundle([*assignments[0].trace, *(item for run in runs for item in run.evidence)])
    results = [run.result for run in runs]
    every_gap = (*gaps, *(gap for result in results for gap in result.gaps))
    standing = Standing.of(conclude(seen, results, assignments[0].graph, every_gap), seen)
    asked = to_ask(zip(assignments, runs, strict=True), standing, always=mode is Mode.ALWAYS)
    interviews = [Interview(one.assignment, one.run, tools, looks=bool(one.why)) for one in asked]
    return [(one, interview, interview.question(seconds)) for one, interview in zip(asked, interviews, strict=True)]


async def _asked(
    one: Asked, interview: Interview, question: Question[Judgement], asking: Asking, listening: Listening
) -> Run:
    """Ask about one specialist's view; return its run with what counts of the answer, or with why there is none."""
    name = question.who
    listening.working(name, f"asking a model{': ' if one.why else ''}{one.why}")
    in_time = question.seconds >= LEAST_SECONDS
    reply = await exchange(asking.reasoner, question, asking.budget) if in_time else OUT_OF_TIME
    better = await asyncio.to_thread(interview.closed, reply)
    telemetry.dropped(name, better.result.dropped)
    logger.info(
        "specialist=<%s>, why=<%s>, tokens=<%d>, dropped=<%d>, problem=<%s> | a model was asked",
        name,
        one.why,
        reply.usage.input_tokens + reply.usage.output_tokens,
        better.result.dropped,
        reply.problem,
    )
    listening.finished(better.result)
    return better
