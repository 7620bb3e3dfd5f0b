"""What the historical-incident specialist looks at: our own store, and nothing in AWS."""

from collections.abc import Iterator

from domain.evidence import Evidence
from domain.history import PastInvestigation
from domain.values import utc
from specialists.contract import Look, Probe, probe
from specialists.historical_incident.evidence import KEPT, PastIncident
from specialists.historical_incident.likeness import Traits, likeness, services_of, templates_of

SECONDS_A_DAY = 86_400


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
        done=past.done[:5],
    )


def _overlaps(look: Look, past: PastInvestigation) -> bool:
    """Tell whether both looked at one incident; without its window, the moment of the earlier one decides."""
    if past.window is None:
        return look.window.contains(past.at)
    return past.window.start < look.window.end and look.window.start < past.window.end


PROBES: tuple[Probe, ...] = (earlier_investigations,)
