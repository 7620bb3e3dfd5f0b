"""Routing: which specialist looks at which resources, and why. A table lookup over what the specialists handle."""

from collections.abc import Iterable
from typing import NamedTuple

from domain.graph import ServiceGraph
from domain.resource import Resource
from specialists.contract import Specialist, SpecialistKind


class Route(NamedTuple):
    """One specialist, the resources it is asked about, and the reason shown to people."""

    specialist: Specialist
    targets: tuple[Resource, ...]
    reason: str


def route(graph: ServiceGraph, specialists: Iterable[Specialist]) -> tuple[Route, ...]:
    """Return the specialists that have something to look at, by name, each with all its resources."""
    routes = []
    for specialist in sorted(specialists, key=lambda s: s.name):
        targets = tuple(node for node in graph.nodes if node.type in specialist.handles)
        if targets:
            routes.append(Route(specialist, targets, _reason(specialist, targets)))
    return tuple(routes)


def _reason(specialist: Specialist, targets: tuple[Resource, ...]) -> str:
    first, more = targets[0], len(targets) - 1
    if specialist.kind is SpecialistKind.CROSS_CUTTING:
        return f"{specialist.handles[first.type]}, over {more + 1} {'resources' if more else 'resource'}"
    return f"{first.label}: {specialist.handles[first.type]}" + (f" (+{more} more)" if more else "")
