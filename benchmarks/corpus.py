"""What models do to the corpus in `auto`: how often they are asked, and whether the verdicts stay as good.

The local model does as its prompt says and knows nothing, so that whatever it could spoil would show.
"""

import asyncio

from benchmarks.measure import Measured
from evals.run import run_all
from evals.score import Score
from reasoning.contract import Mode


async def run() -> list[Measured]:
    """Run the corpus by the rules alone and with models where the rules leave a question open; return the figures."""
    rules, auto = [await asyncio.to_thread(_scored, mode) for mode in (Mode.NEVER, Mode.AUTO)]
    false = auto.false_accusations + auto.missing_gaps + auto.dangling_citations + auto.writes + auto.not_reproducible
    return [
        Measured("the corpus by rules only: top-1", rules.top1, ""),
        Measured("the corpus in auto: top-1", auto.top1, "", least=rules.top1),
        Measured("the corpus in auto: abstention", auto.abstention, "", least=rules.abstention),
        Measured("the corpus in auto: accusations, gaps, citations, writes amiss", false, "", most=0),
        Measured("the corpus in auto: model calls (median)", auto.median_model_calls, "", most=0),
        Measured("the corpus in auto: model calls in all", auto.model_calls, ""),
        Measured("the corpus in auto: scenarios", auto.scenarios, "", least=80),
    ]


def _scored(mode: Mode) -> Score:
    return Score.of([judgement for judgement, _ in run_all([], mode=mode)])
