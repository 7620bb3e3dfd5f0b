"""The score of the corpus: accuracy, abstention, accusations, gaps, citations, calibration and cost."""

from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any, NamedTuple

from evals.judge import Judgement, must_abstain

BUCKETS = ((0.6, 0.7), (0.7, 0.8), (0.8, 0.9), (0.9, 1.01))


class Bucket(NamedTuple):
    """How often a stated confidence was right."""

    low: float
    high: float
    stated: int
    right: int


class Score(NamedTuple):
    """The figures; shares are 0 to 1."""

    scenarios: int
    top1: float
    top3: float
    abstention: float
    false_accusations: int
    missing_gaps: int
    dangling_citations: int
    writes: int
    not_reproducible: int
    unmet: int
    median_seconds: float
    median_aws_calls: float
    median_model_calls: float
    model_calls: int
    reliability: tuple[Bucket, ...]

    @classmethod
    def of(cls, judgements: Sequence[Judgement]) -> "Score":
        """Add up the judgements; at least one."""
        silent = [j for j in judgements if must_abstain(j)]
        return cls(
            scenarios=len(judgements),
            top1=_share(j.top1 for j in judgements),
            top3=_share(j.top3 for j in judgements),
            abstention=_share(j.abstained for j in silent),
            false_accusations=sum(len(j.accused) for j in judgements),
            missing_gaps=sum(len(j.missing_gaps) for j in judgements),
            dangling_citations=sum(len(j.dangling) for j in judgements),
            writes=sum(j.writes for j in judgements),
            not_reproducible=sum(not j.deterministic for j in judgements),
            unmet=sum(len(j.unmet) for j in judgements),
            median_seconds=median(j.seconds for j in judgements),
            median_aws_calls=median(j.aws_calls for j in judgements),
            median_model_calls=median(j.model_calls for j in judgements),
            model_calls=sum(j.model_calls for j in judgements),
            reliability=tuple(_bucket(judgements, low, high) for low, high in BUCKETS),
        )

    @property
    def holds(self) -> bool:
        """Whether every bound holds."""
        sure = self.reliability[-1]
        faults = (self.false_accusations, self.missing_gaps, self.dangling_citations, self.writes)
        clean = sum(faults) + self.not_reproducible + self.unmet
        accurate = self.top1 >= 0.95 and self.top3 >= 0.99 and self.abstention == 1.0
        return accurate and clean == 0 and (not sure.stated or sure.right / sure.stated >= 0.97)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {**self._asdict(), "reliability": [b._asdict() for b in self.reliability], "holds": self.holds}


def table(score: Score, judgements: Sequence[Judgement]) -> str:
    """Return the score for people, with what went wrong."""
    accuracy = f"top-1 {score.top1:.3f}, top-3 {score.top3:.3f}, abstention {score.abstention:.3f}"
    faults = (
        f"false accusations {score.false_accusations}, missing gaps {score.missing_gaps}, "
        f"dangling citations {score.dangling_citations}, writes {score.writes}, "
        f"not reproducible {score.not_reproducible}, unmet expectations {score.unmet}"
    )
    cost = (
        f"median {score.median_seconds:.2f} s, {score.median_aws_calls:g} AWS calls, "
        f"{score.median_model_calls:g} model calls ({score.model_calls} in all)"
    )
    lines = [
        f"{score.scenarios} scenarios: {accuracy}",
        faults,
        cost,
        "",
        *_groups("by service", judgements, lambda j: j.service),
        *_groups("by kind", judgements, lambda j: j.kind),
        "stated confidence   right",
        *(f"  {b.low:.1f} – {min(b.high, 1.0):.1f}        {b.right} of {b.stated}" for b in score.reliability),
    ]
    wrong = [j for j in judgements if not j.right]
    lines += ["", f"{len(wrong)} not right:"] if wrong else ["", "all right"]
    lines += [f"  {j.name}: {j.status}, “{j.said}”{_why(j)}" for j in wrong]
    return "\n".join(lines)


def _why(judgement: Judgement) -> str:
    parts = [
        "" if judgement.top1 else ("right one among the first three" if judgement.top3 else "wrong"),
        f"accused {', '.join(judgement.accused)}" if judgement.accused else "",
        f"gaps missing {', '.join(judgement.missing_gaps)}" if judgement.missing_gaps else "",
        f"{len(judgement.dangling)} dangling citations" if judgement.dangling else "",
        f"{judgement.writes} writes" if judgement.writes else "",
        "" if judgement.deterministic else "the replay differs",
        *judgement.unmet,
    ]
    return "".join(f"; {part}" for part in parts if part)


def _groups(title: str, judgements: Sequence[Judgement], key: Any) -> list[str]:
    names = sorted({key(j) for j in judgements})
    rows = [(name, [j for j in judgements if key(j) == name]) for name in names]
    return [
        f"{title:<34}   n  top-1",
        *(f"  {name:<32} {len(group):>3}  {_share(j.top1 for j in group):.2f}" for name, group in rows),
        "",
    ]


def _share(flags: Iterable[bool]) -> float:
    values = list(flags)
    return sum(values) / len(values) if values else 1.0


def _bucket(judgements: Iterable[Judgement], low: float, high: float) -> Bucket:
    stated = [j for j in judgements if j.confidence is not None and low <= j.confidence < high]
    return Bucket(low, high, len(stated), sum(j.top1 for j in stated))
