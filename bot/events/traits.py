"""What the routing table may ask of an event: its account, Region, service, severity and tags."""

from collections.abc import Awaitable, Callable, Mapping

from bot.events.bodies import Told
from bot.events.routes import Routes, Traits
from domain.alarm import AlarmReference
from domain.incident import IncidentReference
from orchestrator.dimensions import targets_of

TagsOf = Callable[[AlarmReference], Awaitable[Mapping[str, str]]]
"""Who knows an alarm's tags: its event does not carry them."""


async def traits_of(told: Told, routes: Routes, tags_of: TagsOf | None) -> Traits:
    """Return what an event is routed by; an alarm's tags are asked for only where the table asks for some."""
    if told.incident is not None:
        return incident_traits(told.incident, told.tags)
    if told.alarm is None:
        return Traits()
    return alarm_traits(told.alarm, await tags_of(told.alarm) if tags_of is not None and routes.by_tag else {})


def incident_traits(incident: IncidentReference, tags: Mapping[str, str]) -> Traits:
    """Return what an incident is routed by."""
    return Traits(incident.account or "", incident.region or "", incident.service, incident.severity, tags)


def alarm_traits(alarm: AlarmReference, tags: Mapping[str, str]) -> Traits:
    """Return what an alarm is routed by. It has no severity of its own: its tag of that name counts."""
    severity = next((value for key, value in tags.items() if key.lower() == "severity"), "")
    return Traits(alarm.account or "", alarm.region or "", service_of(alarm), severity, tags)


def service_of(alarm: AlarmReference) -> str:
    """Return the service that an alarm is about: as the specialists call it ("lambda"), else its metric's namespace.

    "" for an alarm that names no metric, as composite ones.
    """
    named = next((t.service for t in targets_of(alarm.namespace or "", alarm.dimensions) if t.service != "arn"), "")
    return named or (alarm.namespace or "").removeprefix("AWS/").lower()
