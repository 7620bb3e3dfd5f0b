"""Counting incidents rather than investigations: people and alarms often have one incident looked at twice."""

from collections.abc import Iterable

from specialists.historical_incident.evidence import PastIncident

RECENT_DAYS = 14.0


def earlier_incidents(found: Iterable[PastIncident], cause: str, resource: str) -> tuple[PastIncident, ...]:
    """Return the earlier incidents with that cause there, one investigation for each, the newest first.

    The incident that is looked at now is left out, and so are verdicts that people judged wrong. An incident is told
    by its newest investigation.
    """
    fitting = [
        one
        for one in found
        if (one.cause, one.resource) == (cause, resource) and not one.same_incident and not one.judged_wrong
    ]
    kept: list[PastIncident] = []
    for one in sorted(fitting, key=lambda i: (i.days_ago, i.investigation_id)):
        if not any(_one_incident(one, other) for other in kept):
            kept.append(one)
    return tuple(kept)


def _one_incident(one: PastIncident, other: PastIncident) -> bool:
    if one.window is None or other.window is None:
        return False
    return one.window.start < other.window.end and other.window.start < one.window.end
