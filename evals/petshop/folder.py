"""Reading a PetShop folder as its authors lay it out: graph.csv, noissue/metrics.csv, and a folder for each issue.

The dataset: https://github.com/amazon-science/petshop-root-cause-analysis (CC BY 4.0).
"""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from specialists.signal_analysis.picture import Row, Signal

METRICS = {Signal.LATENCY: "latency", Signal.ERRORS: "availability"}
"""How PetShop names the signals; it counts what succeeded, in percent."""
INFERRED = ("_remote", "_client")
"""How X-Ray's names end for nodes that it infers from their callers' segments."""


class Measured(NamedTuple):
    """A metrics file: the start of every row in epoch seconds, and each node's rows."""

    times: tuple[float, ...]
    nodes: dict[str, tuple[Row, ...]]


class Alarm(NamedTuple):
    """What was noticed: the node, its signal, and when, in epoch seconds."""

    node: str
    signal: Signal
    at: float


class Issue(NamedTuple):
    """One injected fault; `truth` is the node it was injected into, None where the folder does not tell."""

    name: str
    measured: Measured
    alarm: Alarm | None
    truth: str | None


def read_calls(folder: Path) -> frozenset[tuple[str, str]]:
    """Return who calls whom: a row of the matrix calls the columns that are not zero."""
    with (folder / "graph.csv").open(newline="", encoding="utf-8") as file:
        heading, *rows = csv.reader(file)
    return frozenset(
        (row[0], callee)
        for row in rows
        for callee, cell in zip(heading[1:], row[1:], strict=True)
        if float(cell or 0) and callee != row[0]
    )


def read_normal(folder: Path) -> Measured:
    """Return the hours without a fault; nothing where the folder has none."""
    path = folder / "noissue" / "metrics.csv"
    return read_metrics(path) if path.exists() else Measured((), {})


def read_issues(folder: Path) -> Iterator[Issue]:
    """Yield the folder's issues, by name ("test/issue_3")."""
    for path in sorted(folder.glob("*/issue_*/metrics.csv")):
        told = path.with_name("target.json")
        target = json.loads(told.read_text(encoding="utf-8")) if told.exists() else {}
        yield Issue(
            path.parent.relative_to(folder).as_posix(),
            read_metrics(path),
            _alarm(target.get("target") or {}),
            (target.get("root_cause") or {}).get("node"),
        )


def read_metrics(path: Path) -> Measured:
    """Read a metrics file; rows that do not begin with a time are headings."""
    with path.open(newline="", encoding="utf-8") as file:
        nodes, metrics, statistics, *rows = csv.reader(file)
    timed = [row for row in rows if _number(row[0]) is not None]
    columns = {
        (node, metric, statistic): [_number(row[place]) for row in timed]
        for place, (node, metric, statistic) in enumerate(zip(nodes, metrics, statistics, strict=True))
        if place
    }
    missing: list[float | None] = [None] * len(timed)
    return Measured(
        tuple(float(row[0]) for row in timed),
        {
            node: tuple(
                Row(requests or 0.0, latency, None if succeeded is None else 1 - succeeded / 100)
                for requests, latency, succeeded in zip(
                    columns.get((node, "requests", "Sum"), missing),
                    columns.get((node, METRICS[Signal.LATENCY], "Average"), missing),
                    columns.get((node, METRICS[Signal.ERRORS], "Average"), missing),
                    strict=True,
                )
            )
            for node in dict.fromkeys(nodes[1:])
        },
    )


def _alarm(target: dict[str, Any]) -> Alarm | None:
    signal = next((signal for signal, name in METRICS.items() if name == target.get("metric")), None)
    if signal is None or "node" not in target or "timestamp" not in target:
        return None
    return Alarm(target["node"], signal, float(target["timestamp"]))


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None
