"""What a report calls its evidence and resources when people read it."""

from collections.abc import Iterable
from dataclasses import dataclass

from bot.blocks.text import code
from domain.causes import CAUSES
from domain.report import RankedHypothesis, Report, RootCause
from domain.resource import Resource, ResourceType, resource_from_arn, unnamed

CITED = 4
_KINDS = frozenset(kind.value for kind in ResourceType)
"""Labels shown in one citation."""


@dataclass(frozen=True)
class Names:
    """Evidence labels (E1 is the first of the report's list) and resources by id."""

    labels: dict[str, str]
    resources: dict[str, Resource]

    @classmethod
    def of(cls, report: Report) -> "Names":
        """Return the names of a report."""
        labels = {item.id: f"E{number}" for number, item in enumerate(report.evidence, start=1)}
        resources = {node.id: node for node in (*report.affected_resources, *report.service_graph.nodes)}
        return cls(labels, resources)

    def label(self, evidence_id: str) -> str:
        """Return "E4"; "E?" for an id that the report does not list."""
        return self.labels.get(evidence_id, "E?")

    def cite(self, evidence_ids: Iterable[str]) -> str:
        """Return " [E4, E7]" to follow a statement, in the order of the list, or nothing."""
        known = sorted({self.labels[each] for each in evidence_ids if each in self.labels}, key=lambda e: int(e[1:]))
        if not known:
            return ""
        more = f" +{len(known) - CITED}" if len(known) > CITED else ""
        return f" [{', '.join(known[:CITED])}{more}]"

    def resource(self, resource_id: str) -> str:
        """Return "DynamoDB table `orders`", unescaped, for text that is made safe later."""
        known = self.resources.get(resource_id)
        if known is not None:
            return known.label
        try:
            return resource_from_arn(resource_id).label
        except ValueError:
            kind, _, name = resource_id.partition(":")
            return unnamed(ResourceType(kind), name).label if name and kind in _KINDS else f"`{resource_id}`"

    def short(self, resource_id: str) -> str:
        """Return the resource's name alone as code."""
        _, _, named = self.resource(resource_id).partition("`")
        return code(named.rpartition("`")[0])


def title_of(cause: str) -> str:
    """Return a cause's title: what follows the resource in a headline."""
    return CAUSES[cause].title if cause in CAUSES else cause


def headline_of(hypothesis: RankedHypothesis | RootCause, names: Names) -> str:
    """Return "DynamoDB table `orders` — provisioned capacity is exceeded", unescaped."""
    return f"{names.resource(hypothesis.resource)} — {title_of(hypothesis.cause)}"
