"""What is known of one concluded investigation, as lines that can be found again and cited."""

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from domain.causes import CAUSES
from domain.evidence import EvidenceBundle
from domain.inquiry import Said
from domain.report import RankedHypothesis, Report, Role
from domain.resource import Resource, resource_from_arn
from orchestrator.conclude.naming import label

PARTS: dict[Role, str] = {
    Role.ROOT_CAUSE: "root cause",
    Role.TRIGGER: "trigger",
    Role.CONTRIBUTING: "contributes",
    Role.SYMPTOM: "symptom",
    Role.MINORITY: "less likely",
    Role.RULED_OUT: "ruled out",
}


NAMES = 8
"""Resources that are named in a row."""


class Line(NamedTuple):
    """Something that can be answered, with the words beside its own by which it is found (a resource, a title)."""

    said: Said
    also: str = ""
    weight: float = 1.0


class Record:
    """A report and what was seen for it; `evidence` has more than the report cites where the bundle was kept."""

    def __init__(self, report: Report, evidence: EvidenceBundle | None = None) -> None:
        self.report = report
        self.evidence = evidence or EvidenceBundle()

    @cached_property
    def resources(self) -> dict[str, Resource]:
        """Every resource that anything was seen of, by id."""
        known = {r.id: r for r in (*self.report.service_graph.nodes, *self.report.affected_resources)}
        seen = (*(e.resource for e in self.report.evidence), *(h.resource for h in self.report.hypotheses))
        for name in (*seen, *(item.resource for item in self.evidence)):
            if name.startswith("arn:") and name not in known:
                known[name] = resource_from_arn(name)
        return known

    @cached_property
    def cited(self) -> frozenset[str]:
        """The ids of the evidence that the report lists."""
        return frozenset(item.id for item in self.report.evidence)

    @cached_property
    def summaries(self) -> dict[str, str]:
        """What each piece of evidence says, by id: what the report cites first, in its order."""
        told = {item.id: item.summary for item in self.report.evidence}
        return {**told, **{item.id: item.summary() for item in self.evidence if item.id not in self.cited}}

    @property
    def looked_at(self) -> str:
        """The resources that the investigation was about, as people call them; empty for none."""
        labels = [node.label for node in self.report.service_graph.nodes]
        more = f" and {len(labels) - NAMES} more" if len(labels) > NAMES else ""
        return f"{', '.join(labels[:NAMES])}{more}"

    def label(self, resource: str) -> str:
        """Return "DynamoDB table `orders`"."""
        return (
            self.resources[resource].label if resource in self.resources else label(resource, self.report.service_graph)
        )

    def title(self, hypothesis: RankedHypothesis) -> str:
        """Return "DynamoDB table `orders` — provisioned capacity is exceeded"."""
        return f"{self.label(hypothesis.resource)} — {cause_title(hypothesis.cause)}"

    def seen(self, evidence_id: str) -> Said:
        """Return one piece of evidence as a line."""
        unlisted = evidence_id not in self.cited and evidence_id in self.evidence
        source = self.evidence[evidence_id].source if unlisted else ""
        return Said(text=self.summaries[evidence_id], evidence=(evidence_id,), source=source)

    def lines(self) -> Iterator[Line]:
        """Yield everything that may answer a question, what was concluded before what was seen."""
        for h in self.report.hypotheses:
            text = f"{self.title(h)} ({PARTS[h.role]}, {sure(h.confidence)}): {h.summary}"
            yield Line(Said(text=text, evidence=h.evidence), h.cause, 1.3)
        for specialist in self.report.specialists:
            for fact in specialist.facts:
                yield Line(Said(text=fact.statement, evidence=fact.evidence), self._about(fact.evidence), 1.2)
        for entry in self.report.timeline:
            said = Said(text=f"{entry.at:%H:%M} {entry.what}", evidence=entry.evidence)
            yield Line(said, self.label(entry.resource))
        for key in self.summaries:
            yield Line(self.seen(key), self._about((key,)), 1.1 if key in self.cited else 1.0)
        for gap in self.report.gaps:
            yield Line(Said(text=f"Not seen: {gap.message}"), f"{self.label(gap.resource)} {gap.specialist}")
        for action in self.report.proposed_actions:
            said = Said(text=f"{action.title}: {action.expected_effect}", evidence=action.evidence)
            yield Line(said, self.label(action.resource))
        for advice in self.report.advice:
            yield Line(Said(text=advice.text, evidence=advice.evidence), self.label(advice.resource or ""))

    @cached_property
    def places(self) -> dict[str, str]:
        """The resource of each piece of evidence, by id."""
        told = {item.id: item.resource for item in self.report.evidence}
        return {**told, **{item.id: item.resource for item in self.evidence}}

    def _about(self, evidence: tuple[str, ...]) -> str:
        return " ".join(dict.fromkeys(self.label(self.places[e]) for e in evidence if e in self.places))


def cause_title(code: str) -> str:
    """Return a cause's title, or its code where the catalogue of this version lacks it."""
    return CAUSES[code].title if code in CAUSES else code


def sure(confidence: float) -> str:
    """Return a confidence for people: "92 %"."""
    return f"{round(confidence * 100)} %"
