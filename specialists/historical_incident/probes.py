"""What the historical-incident specialist looks at: our own store, and in CloudTrail how earlier incidents ended."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from domain.evidence import Evidence
from domain.history import PastInvestigation
from domain.resource import ResourceType
from domain.values import utc
from specialists.contract import Look, Probe, probe
from specialists.historical_incident.evidence import KEPT, Ending, PastIncident
from specialists.historical_incident.likeness import Traits, likeness, services_of, templates_of
from specialists.kit.changekinds import plain_name, trivial
from specialists.kit.changes import LOOKUP_EVENTS, changes_between, listed_as

SECONDS_A_DAY = 86_400

MAX_ENDINGS = 2
"""How many earlier incidents CloudTrail is asked about: it answers twice a second, to everybody in the account."""

KEPT_BY_CLOUDTRAIL = timedelta(days=90)

UNLISTED = frozenset({ResourceType.REST_API, ResourceType.HTTP_API, ResourceType.API})
"""CloudTrail names no resource for most of API Gateway's events: that none is found tells nothing."""


@probe(yields=(PastIncident,), together=True)
def earlier_investigations(look: Look) -> Iterator[Evidence]:
    """Asks our own store for earlier investigations of these resources and services: the twenty most alike."""
    yield from look.once(("earlier investigations",), lambda: most_alike(look))


def most_alike(look: Look) -> tuple[PastIncident, ...]:
    """Return what the store knows of the whole graph, the most alike first."""
    resources, services = {node.id for node in look.graph.nodes}, services_of(look.graph)
    here = Traits(frozenset(resources), frozenset(services), frozenset(templates_of(look.seen)))
    found = look.past.touching(resources, services, before=look.now)
    incidents = (_incident(look, here, past) for past in found)
    ordered = sorted(incidents, key=lambda i: (-i.similarity, i.days_ago, i.investigation_id))
    return tuple(ordered[:KEPT])


def _incident(look: Look, here: Traits, past: PastInvestigation) -> PastIncident:
    days = (look.now - utc(past.at)).total_seconds() / SECONDS_A_DAY
    there = Traits(frozenset(past.resources), frozenset(past.services), frozenset(past.templates))
    shared = sorted(here.resources & there.resources) or [*past.resources, look.target.id]
    return PastIncident(
        resource=past.resource or shared[0],
        source="store:PastInvestigations",
        observed_at=utc(past.at),
        investigation_id=past.investigation_id,
        status=past.status,
        cause=past.cause,
        similarity=likeness(here, there, days),
        days_ago=round(days, 4),
        same_incident=_overlaps(look, past),
        window=past.window,
        grades=past.grades,
        recovered_at=past.recovered_at,
    )


def _overlaps(look: Look, past: PastInvestigation) -> bool:
    """Tell whether both looked at one incident; without its window, the moment of the earlier one decides."""
    if past.window is None:
        return look.window.contains(past.at)
    return past.window.start < look.window.end and look.window.start < past.window.end


@probe(LOOKUP_EVENTS, needs=(PastIncident,), yields=(Ending,), together=True)
def endings(look: Look) -> Iterator[Ending]:
    """Reads who changed the resource between an earlier verdict and the moment its alarm was OK again."""
    here = {target.id: target for target in look.targets if target.type not in UNLISTED}
    for judged_at, recovered_at, incident in _over(look, here)[:MAX_ENDINGS]:
        name = listed_as(here[incident.resource])
        found = changes_between(look, name, judged_at, recovered_at, resource=incident.resource)
        made = [change for change in found if change.took_effect and not trivial(change)]
        last = made[-1] if made else None
        yield Ending(
            resource=incident.resource,
            source="cloudtrail:LookupEvents",
            observed_at=recovered_at,
            investigation_id=incident.investigation_id,
            changes=len(made),
            event_name=plain_name(last) if last else "",
            who=last.who if last else "",
            changed_at=last.observed_at if last else None,
        )


def _over(look: Look, here: Collection[str]) -> list[tuple[datetime, datetime, PastIncident]]:
    """Return the earlier incidents that ended after their verdict, with both moments, the most alike first."""
    over = []
    for incident in sorted(look.seen.of(PastIncident), key=lambda i: (-i.similarity, i.days_ago, i.investigation_id)):
        judged_at, recovered_at = incident.observed_at, incident.recovered_at
        told = incident.cause and incident.resource in here and not (incident.judged_wrong or incident.same_incident)
        recent = judged_at is not None and look.now - judged_at < KEPT_BY_CLOUDTRAIL
        if told and recent and judged_at and recovered_at and judged_at < recovered_at:
            over.append((judged_at, recovered_at, incident))
    return over


PROBES: tuple[Probe, ...] = (earlier_investigations, endings)
