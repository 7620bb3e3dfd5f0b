"""What models advise: it is shown and can lower a confidence. It decides nothing."""

from collections.abc import Iterable, Iterator, Sequence

from domain.evidence import EvidenceBundle
from domain.findings import Hypothesis, Strength
from domain.report import RankedHypothesis, Role
from orchestrator.conclude.weigh import evidence_score, merged, noisy_or

AT_MOST = 0.50
"""The highest confidence of a cause that only a model names."""


def doubted(hypothesis: Hypothesis, score: float, bundle: EvidenceBundle, floors: Sequence[float]) -> float:
    """Return the score that a model's doubts leave: what is proved is not doubted, and no floor is crossed."""
    if not hypothesis.doubts or any(s.strength is Strength.PROOF for s in hypothesis.supports):
        return score
    left = score * (1 - noisy_or(hypothesis.doubts, bundle))
    return max([left, *(floor for floor in floors if score >= floor)])


def suggested(
    models: Iterable[Hypothesis], rules: Sequence[Hypothesis], bundle: EvidenceBundle
) -> Iterator[RankedHypothesis]:
    """Yield the causes that only models name, as opinions; what a rule names as well is the rule's."""
    known = {(h.cause, h.resource) for h in rules}
    for hypothesis in merged(models):
        if (hypothesis.cause, hypothesis.resource) not in known:
            yield RankedHypothesis(
                cause=hypothesis.cause,
                resource=hypothesis.resource,
                summary=hypothesis.summary,
                confidence=round(min(AT_MOST, evidence_score(hypothesis, bundle)), 2),
                role=Role.MINORITY,
                evidence=hypothesis.evidence,
                specialist=hypothesis.specialist,
                since=hypothesis.since,
                origin=hypothesis.origin,
            )
