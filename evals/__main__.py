"""`python -m evals [--only NAME …] [--json FILE] [--reasoning MODE]`: run the corpus, print and write the score.

Exit 0 when every bound holds, 1 otherwise.
"""

import argparse
import json
import sys
from pathlib import Path

from bot.terminal import render_report
from evals.run import run_all
from evals.score import Score, table
from reasoning.contract import Mode


def main(arguments: list[str] | None = None) -> int:
    """Run, print and judge."""
    parser = argparse.ArgumentParser(prog="evals", description="Run the scenario corpus.")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="run these and show the whole reports")
    parser.add_argument(
        "--json", type=Path, default=Path("build/evals.json"), metavar="FILE", help="where to write the score"
    )
    parser.add_argument(
        "--reasoning", type=Mode, choices=list(Mode), default=Mode.NEVER, help="when a local model is asked (never)"
    )
    options = parser.parse_args(arguments)
    results = run_all(options.only, mode=options.reasoning)
    if not results:
        parser.error(f"no scenario is called {' or '.join(options.only)}")
    judgements = [judgement for judgement, _ in results]
    score = Score.of(judgements)
    if options.only:
        print("\n\n".join(f"== {j.name}\n{render_report(r)}" for j, r in results))
    print(table(score, judgements))
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(
        json.dumps({"score": score.as_json(), "scenarios": [j.as_json() for j in judgements]}, indent=2)
    )
    return 0 if options.only or score.holds else 1


if __name__ == "__main__":
    sys.exit(main())
