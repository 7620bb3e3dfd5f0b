"""Whose metrics an alarm reads: the resources that their dimensions name, confirmed by AWS where it lets us ask."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor

from aws.clients import Clients
from domain.gap import Gap, GapReason
from domain.request import Target
from domain.resource import Resource
from orchestrator.alarms.described import Described, Watched
from orchestrator.alarms.sighting import Sighting
from orchestrator.dimensions import targets_of
from orchestrator.resolve import LookedUp, Where, by_form, look_up

MOST_TARGETS = 12


def watched(sightings: Iterable[Sighting], where: Where, gaps: list[Gap]) -> tuple[Target, ...]:
    """Return what the alarms' metrics name; an alarm that names nothing, or another account's, is a gap."""
    found: dict[Target, None] = {}
    for sighting in sightings:
        alarm, own = sighting.alarm, tuple(_targets(sighting.alarm, where))
        found.update(dict.fromkeys(own))
        gaps += [_gap(alarm, message) for message in _blind_spots(alarm, own, where)]
    return tuple(found)[:MOST_TARGETS]


def looked_up(
    aws: Clients, targets: Sequence[Target], where: Where, pool: Executor, gaps: list[Gap]
) -> tuple[Resource, ...]:
    """Ask AWS for all at once; where it does not let us, a resource whose ARN follows from its name is taken as it is.

    What does not exist is a gap and no resource.
    """
    answers = look_up(aws, targets, where, pool)
    gaps += [answer.gap for answer in answers if answer.gap]
    found = {r.id: r for answer in answers for r in answer.resources or _unconfirmed(answer, where)}
    return tuple(found.values())


def _unconfirmed(answer: LookedUp, where: Where) -> tuple[Resource, ...]:
    if answer.gap is None or answer.gap.reason is GapReason.NOT_FOUND:
        return ()
    resource = by_form(answer.target.service, answer.target.name, where)
    return (resource,) if resource else ()


def _targets(alarm: Described, where: Where) -> Iterator[Target]:
    for metric in alarm.metrics:
        if metric.account in {"", where.account}:
            yield from targets_of(metric.namespace, metric.dimensions)


def _blind_spots(alarm: Described, named: Sequence[Target], where: Where) -> Iterator[str]:
    """Say why an alarm leads to no resource, or not to all of them."""
    if alarm.searches:
        yield (
            f"The alarm “{alarm.name}” searches for its metrics ({alarm.expression[:120]}): which resources it watches "
            "cannot be told."
        )
    for account in sorted({metric.account for metric in alarm.metrics} - {"", where.account}):
        yield f"The alarm “{alarm.name}” watches a metric of account {account}: ask about it there."
    if alarm.metrics and not named and not alarm.searches:
        metrics = ", ".join(dict.fromkeys(map(_called, alarm.metrics)))
        yield (
            f"The alarm “{alarm.name}” watches {metrics}, which names no AWS resource that is known here: "
            "the failing traces of its window are looked at instead. Ask again with a resource's name or a trace id."
        )


def _called(metric: Watched) -> str:
    dimensions = ", ".join(f"{name}={value}" for name, value in metric.dimensions.items())
    return f"{metric.namespace} {metric.metric}" + (f" ({dimensions})" if dimensions else "")


def _gap(alarm: Described, message: str) -> Gap:
    return Gap(specialist="trace", probe="alarm", resource=alarm.arn, reason=GapReason.NO_DATA, message=message)
