"""Routing: which specialist looks at which resources, and why. A table lookup over what the specialists handle."""

from collections.abc import Iterable
from typing import NamedTuple

from domain.graph import ServiceGraph
from domain.resource import Resource
from specialists.contract import Specialist


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
            first, more = targets[0], len(targets) - 1
            reason = f"{first.label}: {specialist.handles[first.type]}" + (f" (+{more} more)" if more else "")
            routes.append(Route(specialist, targets, reason))
    return tuple(routes)
