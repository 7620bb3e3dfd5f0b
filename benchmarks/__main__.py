"""Run all benchmarks, or the named ones: `python -m benchmarks [overhead] [ack] [reasoning] [endurance] [corpus]`."""

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path

from benchmarks import ack, corpus, endurance, overhead, reasoning
from benchmarks.measure import Measured

BENCHMARKS: dict[str, Callable[[], Coroutine[None, None, list[Measured]]]] = {
    "overhead": overhead.run,
    "ack": ack.run,
    "reasoning": reasoning.run,
    "endurance": endurance.run,
    "corpus": corpus.run,
}


def main(names: list[str]) -> int:
    """Run them, print a table, write benchmarks.json; 1 when a bound does not hold."""
    strangers = sorted(set(names) - set(BENCHMARKS))
    if strangers:
        sys.exit(f"There is no benchmark {strangers[0]!r}: choose from {', '.join(BENCHMARKS)}.")
    rows: list[Measured] = []
    for name in names or list(BENCHMARKS):
        rows += asyncio.run(BENCHMARKS[name]())
    for row in rows:
        print(row.line())
    Path("build").mkdir(exist_ok=True)
    Path("build/benchmarks.json").write_text(json.dumps([row.as_json() for row in rows], indent=2))
    return 0 if all(row.holds for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
