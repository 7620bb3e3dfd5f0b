"""All of concluding in one call: from what the specialists brought to everything the report says."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.evidence import EvidenceBundle
from domain.gap import Gap
from domain.graph import ServiceGraph
from domain.report import RankedHypothesis, ReportStatus, RootCause, Severity, TimelineEntry
from domain.result import SpecialistResult
from orchestrator.conclude.recurrence import recurrence, sentence
from orchestrator.conclude.settle import Settlement, settle
from orchestrator.conclude.severity import severity
from orchestrator.conclude.story import timeline
from orchestrator.conclude.verdict import Verdict, verdict
from orchestrator.conclude.weigh import TraceView


@dataclass(frozen=True)
class Conclusion:
    """What the evidence amounts to."""

    verdict: Verdict
    settlement: Settlement
    severity: Severity
    timeline: tuple[TimelineEntry, ...]

    @property
    def root_cause(self) -> RootCause | None:
        """The accepted hypothesis."""
        root = self.settlement.root
        if root is None:
            return None
        return RootCause(
            cause=root.cause,
            resource=root.resource,
            summary=root.summary,
            confidence=root.confidence,
            evidence=root.evidence,
        )

    @property
    def ranked(self) -> tuple[RankedHypothesis, ...]:
        """All hypotheses, the root cause first."""
        return self.settlement.ranked


def conclude(
    bundle: EvidenceBundle, results: Sequence[SpecialistResult], graph: ServiceGraph, gaps: Sequence[Gap]
) -> Conclusion:
    """Weigh what all specialists brought, in any order, and say what it amounts to."""
    in_order = sorted(results, key=lambda r: r.name)
    settled = settle((h for r in in_order for h in r.hypotheses), bundle, graph, gaps)
    view = TraceView.of(bundle)
    said = verdict(settled, bundle, graph, in_order, sorted(gaps, key=lambda g: g.model_dump_json()))
    again = recurrence(settled.root, bundle)
    if again is not None:
        said = said._replace(summary=f"{said.summary} {sentence(again)}")
    wrong = settled.root is not None or said.status is ReportStatus.INCONCLUSIVE
    affected = {*view.failing, *(h.resource for h in settled.by_rules)}
    origins = {*(view.origins or view.failing), *([settled.root.resource] if settled.root is not None else [])}
    return Conclusion(
        verdict=said,
        settlement=settled,
        severity=severity(bundle, graph, affected, origins, wrong=wrong),
        timeline=timeline(settled.by_rules, bundle, graph) if wrong else (),
    )
