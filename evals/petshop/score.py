"""Ranking cases and scoring the rankings; only `score` reads the truth."""

import json
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from evals.petshop.cases import TRUTH, read_pictures
from evals.petshop.convert import Degradation, convert
from specialists.signal_analysis.ranking import ranked

PART = 0.2
SEEDS = range(5)


class Ranking(NamedTuple):
    """A case's nodes, the one that explains the others first; empty where the ranking abstains."""

    case: str
    nodes: tuple[str, ...]


class Score(NamedTuple):
    """How often the true node came first, among the first three, and how often normal windows were left in peace.

    Each with the number of cases it is over; 0 to 1, None over no case.
    """

    top1: float | None
    top3: float | None
    issues: int
    abstention: float | None
    normal: int

    def __str__(self) -> str:
        return (
            f"top-1 {_shown(self.top1)}  top-3 {_shown(self.top3)}  ({self.issues} issues)  "
            f"abstention {_shown(self.abstention)}  ({self.normal} normal windows)"
        )


def rankings(out: Path) -> Iterator[Ranking]:
    """Rank every case with what the case holds."""
    for name, picture in read_pictures(out):
        yield Ranking(name, tuple(standing.node for standing in ranked(picture)))


def score(out: Path, found: Iterable[Ranking]) -> Score:
    """Compare rankings with the truth; a case whose truth the folder did not tell counts nowhere."""
    truth = json.loads((out / TRUTH).read_text(encoding="utf-8"))["truth"]
    known = [ranking for ranking in found if ranking.case in truth]
    issues = [(ranking.nodes, truth[ranking.case]) for ranking in known if truth[ranking.case] is not None]
    normal = [not ranking.nodes for ranking in known if truth[ranking.case] is None]
    return Score(
        top1=fmean(nodes[:1] == (node,) for nodes, node in issues) if issues else None,
        top3=fmean(node in nodes[:3] for nodes, node in issues) if issues else None,
        issues=len(issues),
        abstention=fmean(normal) if normal else None,
        normal=len(normal),
    )


def measure(folder: Path) -> Iterator[tuple[str, Score]]:
    """Yield the score of the folder whole and in each degradation, the seeds of one taken together."""
    ways: tuple[tuple[str, tuple[Degradation, ...]], ...] = (
        ("plain", (Degradation(anonymise=1),)),
        ("20 % of edges missing", tuple(Degradation(edges=PART, seed=seed, anonymise=seed) for seed in SEEDS)),
        ("20 % of nodes missing", tuple(Degradation(nodes=PART, seed=seed, anonymise=seed) for seed in SEEDS)),
        ("no baseline", (Degradation(baseline=True, anonymise=1),)),
        ("no rows before the alarm", (Degradation(before=True, anonymise=1),)),
    )
    for name, degradations in ways:
        yield name, _together([_converted(folder, degradation) for degradation in degradations])


def _converted(folder: Path, degradation: Degradation) -> Score:
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch)
        convert(folder, out, degradation)
        return score(out, rankings(out))


def _together(scores: list[Score]) -> Score:
    return Score(
        top1=_mean(score.top1 for score in scores),
        top3=_mean(score.top3 for score in scores),
        issues=sum(score.issues for score in scores),
        abstention=_mean(score.abstention for score in scores),
        normal=sum(score.normal for score in scores),
    )


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
