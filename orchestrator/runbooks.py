"""Which documents say what to do about the root cause: the team's own first, then the bot's own runbook."""

from domain.evidence import EvidenceBundle
from domain.graph import ServiceGraph
from domain.report import RootCause, RunbookRef
from orchestrator.conclude.naming import short
from specialists.kit.passage import KnowledgePassage

MAX_OWN = 2


def runbooks(root: RootCause | None, evidence: EvidenceBundle, graph: ServiceGraph) -> tuple[RunbookRef, ...]:
    """Return the team's sections about the cause, then those with the resource's name in their heading, then ours.

    One section of each document; none without a root cause.
    """
    if root is None:
        return ()
    name = short(root.resource, graph).strip("`")
    passages = sorted(evidence.of(KnowledgePassage), key=lambda p: (-len(p.names), p.citation, p.id))
    about = [passage for passage in passages if root.cause in passage.causes]
    headed = [passage for passage in passages if name in passage.names and name.lower() in passage.heading.lower()]
    own: dict[str, KnowledgePassage] = {}
    for passage in (*about, *headed):
        if not passage.shipped:
            own.setdefault(passage.document, passage)
    ours = [passage for passage in about if passage.shipped]
    return tuple(_reference(passage) for passage in (*list(own.values())[:MAX_OWN], *ours[:1]))


def _reference(passage: KnowledgePassage) -> RunbookRef:
    return RunbookRef(
        title=passage.heading.partition(" > ")[0] or passage.document,
        source=passage.document,
        heading=passage.heading,
        link=passage.link,
        evidence=passage.id,
    )
