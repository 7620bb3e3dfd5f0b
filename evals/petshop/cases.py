"""A case: what a ranking may know of one window. Written by `convert`, read by `rank`; the README has the format."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from evals.petshop.folder import Alarm, Measured
from specialists.signal_analysis.picture import NodeSeries, Picture, Row, Signal

CASES = "cases"
BASELINE = "baseline.json"
TRUTH = "truth.json"
PERIOD = 300.0
"""Seconds a row covers."""


class Case(NamedTuple):
    """One window.

    `apart` are the times, from and to, that the baseline must leave out because the window itself lies in it.
    """

    name: str
    measured: Measured
    calls: frozenset[tuple[str, str]]
    inferred: frozenset[str]
    alarm: Alarm | None
    has_baseline: bool = True
    apart: tuple[float, float] | None = None


def write_case(out: Path, case: Case) -> None:
    """Write a case as JSON under its name."""
    alarm = case.alarm and {"node": case.alarm.node, "signal": case.alarm.signal.value, "at": case.alarm.at}
    (out / CASES / f"{case.name.replace('/', '-')}.json").write_text(
        json.dumps(
            {
                "case": case.name,
                "alarm": alarm,
                "calls": sorted(case.calls),
                "inferred": sorted(case.inferred),
                "baseline": BASELINE if case.has_baseline else None,
                "apart": case.apart,
                **_as_json(case.measured),
            }
        ),
        encoding="utf-8",
    )


def write_baseline(out: Path, measured: Measured) -> None:
    """Write the baseline that the cases share."""
    (out / BASELINE).write_text(json.dumps(_as_json(measured)), encoding="utf-8")


def read_pictures(out: Path) -> Iterator[tuple[str, Picture]]:
    """Yield every case's name and picture, by name; reads the cases and their baseline, nothing else."""
    cases = (_case(json.loads(path.read_text(encoding="utf-8"))) for path in (out / CASES).glob("*.json"))
    for case in sorted(cases, key=lambda case: case.name):
        yield case.name, _picture(case, _baseline(out) if case.has_baseline else Measured((), {}))


def _picture(case: Case, baseline: Measured) -> Picture:
    first, last = case.apart or (1.0, 0.0)
    usable = [place for place, at in enumerate(baseline.times) if not first <= at <= last]
    return Picture(
        nodes={
            name: NodeSeries(
                window=rows,
                baseline=tuple(baseline.nodes[name][place] for place in usable) if name in baseline.nodes else (),
                inferred=name in case.inferred,
            )
            for name, rows in case.measured.nodes.items()
        },
        calls=case.calls,
        alarmed=case.alarm.node if case.alarm else None,
        signal=case.alarm.signal if case.alarm else None,
        before=sum(at + PERIOD <= case.alarm.at for at in case.measured.times) if case.alarm else 0,
    )


@cache
def _baseline(out: Path) -> Measured:
    return _measured(json.loads((out / BASELINE).read_text(encoding="utf-8")))


def _case(data: dict[str, Any]) -> Case:
    alarm = data["alarm"]
    return Case(
        name=data["case"],
        measured=_measured(data),
        calls=frozenset((caller, callee) for caller, callee in data["calls"]),
        inferred=frozenset(data["inferred"]),
        alarm=Alarm(alarm["node"], Signal(alarm["signal"]), alarm["at"]) if alarm else None,
        has_baseline=data["baseline"] is not None,
        apart=tuple(data["apart"]) if data["apart"] else None,
    )


def _as_json(measured: Measured) -> dict[str, Any]:
    return {"times": measured.times, "nodes": dict(sorted(measured.nodes.items()))}


def _measured(data: dict[str, Any]) -> Measured:
    nodes = {name: tuple(Row(*row) for row in rows) for name, rows in data["nodes"].items()}
    return Measured(tuple(data["times"]), nodes)
