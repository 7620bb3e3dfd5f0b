"""What is remembered of a concluded investigation, to be compared with later ones."""

from domain.evidence import Evidence, load_evidence
from domain.history import PastInvestigation
from domain.report import Report, ReportStatus
from orchestrator.store import StoredBundle
from specialists.historical_incident.likeness import services_of, templates_of

MAX_RESOURCES = 100
MAX_SUMMARY = 300


def remembered(report: Report, bundle: StoredBundle | None) -> PastInvestigation | None:
    """Return an investigation as later ones may ask for it; None for one that failed, which found out nothing.

    Grades and the alarm's recovery are not in it: they come later, and are joined when somebody asks.
    """
    if report.status is ReportStatus.FAILED:
        return None
    root = report.root_cause
    touched = {node.id for node in report.service_graph.nodes} | {r.id for r in report.affected_resources}
    first = [root.resource] if root else []
    return PastInvestigation(
        investigation_id=report.investigation_id,
        at=report.completed_at,
        status=report.status.value,
        cause=root.cause if root else None,
        resource=root.resource if root else None,
        summary=report.headline[:MAX_SUMMARY],
        confidence=root.confidence if root else 0.0,
        resources=tuple(dict.fromkeys((*first, *sorted(touched))))[:MAX_RESOURCES],
        services=services_of(report.service_graph),
        templates=templates_of(_traced(bundle)) if bundle else (),
        window=report.window,
    )


def _traced(bundle: StoredBundle) -> list[Evidence]:
    """Only the trace's part of the evidence: the rest may be large, and holds no error of a call."""
    return [load_evidence(item) for item in bundle.evidence if str(item["kind"]).startswith("trace.")]
