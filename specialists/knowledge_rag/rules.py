"""Which documents fit. They are citations to read, and never say what is wrong."""

from collections.abc import Iterator

from domain.findings import Finding
from specialists.contract import Case, Rule, rule
from specialists.kit.passage import KnowledgePassage

MAX_FACTS = 4
MAX_NAMES = 3


@rule(sees=(KnowledgePassage,), together=True)
def says_what_fits(case: Case) -> Iterator[Finding]:
    """States which sections write out an error code or a resource of this investigation, the team's own first."""
    fitting = [one for one in case.evidence.of(KnowledgePassage) if one.names]
    for one in sorted(fitting, key=lambda p: (p.shipped, -len(p.names), p.citation))[:MAX_FACTS]:
        whose = "The shipped runbook" if one.shipped else "Your document"
        named = ", ".join(f"`{name}`" for name in one.names[:MAX_NAMES])
        yield case.fact(f"{whose} {one.citation} writes about {named}", one)


RULES: tuple[Rule, ...] = (says_what_fits,)
