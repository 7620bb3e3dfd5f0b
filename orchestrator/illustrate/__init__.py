"""The pictures of an investigation, from its evidence and its conclusion: pure, the same for the same evidence."""

from domain.evidence import EvidenceBundle
from domain.graph import ServiceGraph
from domain.pictures import Pictures
from domain.report import ReportStatus
from domain.window import Window
from orchestrator.conclude.conclusion import Conclusion
from orchestrator.illustrate.chart import chart_of
from orchestrator.illustrate.waterfall import waterfall_of


def illustrate(conclusion: Conclusion, bundle: EvidenceBundle, graph: ServiceGraph, window: Window) -> Pictures:
    """Return what is worth a picture; nothing where nothing is wrong."""
    if conclusion.root_cause is None and conclusion.verdict.status is not ReportStatus.INCONCLUSIVE:
        return Pictures()
    return Pictures(
        chart=chart_of(conclusion.settlement.by_rules, bundle, graph, window),
        waterfall=waterfall_of(conclusion.settlement.by_rules, bundle, graph),
    )
