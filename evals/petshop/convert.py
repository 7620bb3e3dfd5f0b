"""Turning a PetShop folder into cases: whole, or degraded in the ways that real data are."""

import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

from evals.petshop.cases import BASELINE, CASES, PERIOD, TRUTH, Case, write_baseline, write_case
from evals.petshop.folder import INFERRED, Alarm, Issue, Measured, read_calls, read_issues, read_normal

ROWS = 5
"""How long a normal window is where the folder has no issue to take after."""
APART = 6 * PERIOD
"""How far around a normal window the baseline leaves out, in seconds: what neighbours it is not independent of it."""


class Degradation(NamedTuple):
    """What is taken away: parts of edges and nodes (0 to 1), the baseline, the rows before the alarm, the names."""

    edges: float = 0.0
    nodes: float = 0.0
    baseline: bool = False
    before: bool = False
    anonymise: int | None = None
    seed: int = 0


WHOLE = Degradation()


def convert(folder: Path, out: Path, degradation: Degradation = WHOLE) -> int:
    """Write the folder's issues and normal windows as cases; return how many there are."""
    normal, issues = read_normal(folder), list(read_issues(folder))
    calls = read_calls(folder)
    shutil.rmtree(out / CASES, ignore_errors=True)
    (out / BASELINE).unlink(missing_ok=True)
    (out / CASES).mkdir(parents=True)
    names = _names(normal, issues, calls, degradation.anonymise)
    keeps_baseline = bool(normal.times) and not degradation.baseline
    if keeps_baseline:
        write_baseline(out, _renamed(normal, names))
    cases = [(_of_issue(issue, calls), issue.truth) for issue in issues]
    cases += [(case, None) for case in _normal_windows(normal, issues, calls)]
    for case, truth in cases:
        left = _degraded(case._replace(has_baseline=keeps_baseline), degradation, truth)
        write_case(out, _anonymous(left, names))
    told = {issue.name: names[issue.truth] for issue in issues if issue.truth in names}
    (out / TRUTH).write_text(
        json.dumps(
            {
                "truth": told | {case.name: None for case, _ in cases if case.apart},
                "names": {new: old for old, new in names.items() if degradation.anonymise is not None},
            },
            indent=1,
        ),
        encoding="utf-8",
    )
    return len(cases)


def _of_issue(issue: Issue, calls: frozenset[tuple[str, str]]) -> Case:
    return Case(issue.name, issue.measured, calls, _inferred(issue.measured), issue.alarm)


def _normal_windows(normal: Measured, issues: list[Issue], calls: frozenset[tuple[str, str]]) -> Iterator[Case]:
    """Yield the normal hours window by window, with the issues' alarms in turn: somebody cried wolf."""
    rows = len(issues[0].measured.times) if issues else ROWS
    alarms = sorted({(issue.alarm.node, issue.alarm.signal) for issue in issues if issue.alarm})
    late = median([issue.alarm.at - issue.measured.times[0] for issue in issues if issue.alarm] or [PERIOD])
    for number, first in enumerate(range(0, len(normal.times) - rows + 1, rows)):
        times = normal.times[first : first + rows]
        measured = Measured(times, {name: all_rows[first : first + rows] for name, all_rows in normal.nodes.items()})
        alarm = Alarm(*alarms[number % len(alarms)], times[0] + late) if alarms else None
        yield Case(
            name=f"noissue/{number:03}",
            measured=measured,
            calls=calls,
            inferred=_inferred(measured),
            alarm=alarm,
            apart=(times[0] - APART, times[-1] + APART),
        )


def _inferred(measured: Measured) -> frozenset[str]:
    return frozenset(name for name in measured.nodes if name.endswith(INFERRED))


def _degraded(case: Case, degradation: Degradation, truth: str | None) -> Case:
    """Take away what is asked for; the alarmed node and the true one stay, or there would be nothing to find."""
    chance = random.Random(f"{degradation.seed} {case.name}")
    kept = {
        name
        for name in sorted(case.measured.nodes)
        if chance.random() >= degradation.nodes or name == truth or (case.alarm and name == case.alarm.node)
    }
    calls = frozenset(
        call for call in sorted(case.calls) if chance.random() >= degradation.edges and _whole(call, kept, case)
    )
    nodes = {name: rows for name, rows in case.measured.nodes.items() if name in kept}
    left = case._replace(measured=Measured(case.measured.times, nodes), calls=calls, inferred=case.inferred & kept)
    return _from_the_alarm_on(left, case.alarm) if degradation.before and case.alarm else left


def _whole(call: tuple[str, str], kept: set[str], case: Case) -> bool:
    """Tell whether neither end was dropped; a node that the graph knows and nobody measured cannot be."""
    return all(name in kept or name not in case.measured.nodes for name in call)


def _from_the_alarm_on(case: Case, alarm: Alarm) -> Case:
    first = sum(at < alarm.at for at in case.measured.times)
    nodes = {name: rows[first:] for name, rows in case.measured.nodes.items()}
    return case._replace(measured=Measured(case.measured.times[first:], nodes))


def _names(
    normal: Measured, issues: list[Issue], calls: frozenset[tuple[str, str]], seed: int | None
) -> dict[str, str]:
    """Return what every node is called in the cases: its own name, or `node-NN` in an order that tells nothing."""
    known = {name for measured in (normal, *(i.measured for i in issues)) for name in measured.nodes}
    ordered = sorted(known | {name for call in calls for name in call})
    if seed is None:
        return {name: name for name in ordered}
    random.Random(seed).shuffle(ordered)
    return {name: f"node-{number:02}" for number, name in enumerate(ordered)}


def _anonymous(case: Case, names: dict[str, str]) -> Case:
    return case._replace(
        measured=_renamed(case.measured, names),
        calls=frozenset((names[caller], names[callee]) for caller, callee in case.calls),
        inferred=frozenset(names[name] for name in case.inferred),
        alarm=case.alarm and case.alarm._replace(node=names.get(case.alarm.node, case.alarm.node)),
    )


def _renamed(measured: Measured, names: dict[str, str]) -> Measured:
    return Measured(measured.times, {names[name]: rows for name, rows in measured.nodes.items()})
