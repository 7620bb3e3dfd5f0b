"""What a document says, as evidence: a citation, never a reason to believe in a cause."""

from domain.evidence import Evidence


class KnowledgePassage(Evidence, kind="knowledge.passage"):
    """One section of the team's documents, or of a runbook that came with the bot (`shipped`).

    `resource` is what the section is cited for. `document` is the file's path from its folder's own name on, or its
    address; `heading` the section's heading with those above it; `causes` the catalogue's codes that it is about;
    `names` are the resources and error codes of this investigation that the section writes out.
    """

    document: str
    heading: str
    excerpt: str
    causes: tuple[str, ...] = ()
    link: str | None = None
    shipped: bool = False
    names: tuple[str, ...] = ()

    @property
    def citation(self) -> str:
        """File and heading: "runbooks/orders.md: Orders > Throttling"."""
        return f"{self.document}: {self.heading}" if self.heading else self.document

    def summary(self) -> str:
        """Say which section it is and how it begins."""
        return f"{self.citation} — {' '.join(self.excerpt.split())}"
