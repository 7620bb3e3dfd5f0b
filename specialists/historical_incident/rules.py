"""What to say of earlier investigations: facts only, because what was once so proves nothing about now."""

from collections.abc import Iterator

from domain.arn import Arn
from domain.findings import Finding
from domain.trace import TraceOverview, TraceSegment
from specialists.contract import Case, Rule, rule
from specialists.historical_incident.evidence import Ending, PastIncident, ending_of
from specialists.historical_incident.recurring import RECENT_DAYS, earlier_incidents
from specialists.kit.services import is_healthy

ALIKE = 0.2
"""Below it an earlier investigation has too little in common to be told."""

TOLD = 3
TRACED = (TraceSegment, TraceOverview)


@rule(sees=(PastIncident, Ending, *TRACED), together=True)
def says_what_was_found_before(case: Case) -> Iterator[Finding]:
    """States the verdicts of the most similar earlier investigations, what became of them, and which were wrong."""
    endings = case.evidence.of(Ending)
    alike = [one for one in _told(case) if one.cause and one.similarity >= ALIKE]
    for one in sorted(alike, key=lambda i: (-i.similarity, i.days_ago, i.investigation_id))[:TOLD]:
        where = _place(case, one.resource)
        if one.judged_wrong:
            yield case.fact(
                f"{one.investigation_id} ({one.when}) named “{one.title}” at {where}, and people judged that wrong: "
                f"{one.judged}",
                one,
                notable=True,
            )
            continue
        ended = f"; its {ending_of(one, endings)}" if ending_of(one, endings) else ""
        judged = f"; {one.judged}" if one.judged else ""
        which = "looked at this same incident" if one.same_incident else f"is {one.similarity:.0%} alike"
        told = f"{one.investigation_id} ({one.when}) {which} and found “{one.title}” at {where}{ended}{judged}"
        seen = [ending for ending in endings if ending.investigation_id == one.investigation_id]
        yield case.fact(told, one, *seen, notable=True)


@rule(sees=(PastIncident, *TRACED), together=True)
def says_what_keeps_coming_back(case: Case) -> Iterator[Finding]:
    """States which cause was found at the same place more than once in the last 14 days."""
    found = _told(case)
    for cause, resource in sorted({(one.cause, one.resource) for one in found if one.cause}):
        recent = [i for i in earlier_incidents(found, cause or "", resource) if i.days_ago <= RECENT_DAYS]
        if len(recent) > 1:
            last = recent[0]
            yield case.fact(
                f"“{last.title}” at {_place(case, resource)} was found {len(recent)} times in the last "
                f"{RECENT_DAYS:.0f} days, last in {last.investigation_id} ({last.when})",
                *recent,
                notable=True,
            )


def _told(case: Case) -> tuple[PastIncident, ...]:
    """Return the earlier investigations; none where the trace tells that all is well now."""
    return () if is_healthy(case.evidence) else case.evidence.of(PastIncident)


def _place(case: Case, resource: str) -> str:
    """Return "`orders`", with account and Region where it is not one of the resources at hand."""
    node = case.graph.node(resource)
    if node is not None:
        return f"`{node.title}`"
    try:
        arn = Arn.parse(resource)
    except ValueError:
        return f"`{resource}`"
    return f"`{arn.resource.rsplit('/', 1)[-1].rsplit(':', 1)[-1]}` ({arn.account} {arn.region})"


RULES: tuple[Rule, ...] = (says_what_was_found_before, says_what_keeps_coming_back)
