"""From X-Ray's service graph to traffic: one piece of evidence for each service that stands near the resources."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from domain.graph import ServiceGraph
from domain.resource import Resource
from specialists.risk_blast_radius.evidence import Caller, Counts, ServiceTraffic
from specialists.risk_blast_radius.identity import CLIENT, identify

MAX_SERVICES = 100
MAX_CALLERS = 30

Answer = Mapping[str, Any]


def traffic(answers: Sequence[Answer], graph: ServiceGraph, region: str, seconds: float) -> tuple[ServiceTraffic, ...]:
    """Return the graph's own resources, what they call, and everything that calls them, directly or not.

    The busiest come first.
    X-Ray shows a function as two services (Lambda's and the function's own): they are one here, and its calls to
    itself are none.
    """
    resources = {a["ReferenceId"]: identify(a, graph, region) for a in answers if a.get("Type") != CLIENT}
    calls: dict[str, dict[str, Caller]] = {}
    entries: set[str] = set()
    for answer in answers:
        for edge in answer.get("Edges", []):
            callee = resources.get(edge.get("ReferenceId"))
            caller = resources.get(answer["ReferenceId"])
            if callee is None:
                continue
            if caller is None:
                entries.add(callee.id)
            elif caller.id != callee.id:
                _add(calls.setdefault(callee.id, {}), caller, _counts(edge))
    near = _near((node.id for node in graph.nodes), calls)
    services = {resource.id: resource for resource in resources.values() if resource.id in near}
    found = (
        ServiceTraffic(
            resource=ident,
            source="xray:GetServiceGraph",
            name=resource.title,
            entry=ident in entries,
            seconds=seconds,
            counts=_served(ident, answers, resources),
            callers=tuple(sorted(calls.get(ident, {}).values(), key=_busiest)[:MAX_CALLERS]),
        )
        for ident, resource in services.items()
    )
    return tuple(sorted(found, key=lambda t: (-t.counts.total, t.resource))[:MAX_SERVICES])


def queues_beside(seen: Iterable[ServiceTraffic], graph: ServiceGraph) -> tuple[str, ...]:
    """Return the queues that the graph's resources feed in other requests than the one at hand, the busiest first."""
    fed = [t for t in seen if graph.node(t.resource) is None and t.resource.split(":")[2:3] == ["sqs"]]
    return tuple(t.resource for t in sorted(fed, key=lambda t: (-t.counts.total, t.resource)))


def _add(callers: dict[str, Caller], caller: Resource, counts: Counts) -> None:
    known = callers.get(caller.id)
    total = counts if known is None else _sum(known.counts, counts)
    callers[caller.id] = Caller(resource=caller.id, name=caller.title, counts=total)


def _busiest(caller: Caller) -> tuple[int, str]:
    return (-caller.counts.total, caller.resource)


def _sum(one: Counts, other: Counts) -> Counts:
    return Counts(
        total=one.total + other.total,
        errors=one.errors + other.errors,
        throttles=one.throttles + other.throttles,
        faults=one.faults + other.faults,
    )


def _near(here: Iterable[str], calls: Mapping[str, Iterable[str]]) -> set[str]:
    """The resources at hand, their callers up to the clients, and what they call themselves."""
    own, seen = set(here), set[str]()
    todo = list(own)
    while todo:
        resource = todo.pop()
        if resource not in seen:
            seen.add(resource)
            todo.extend(calls.get(resource, ()))
    return seen | {callee for callee, callers in calls.items() if own & set(callers)}


def _served(ident: str, answers: Iterable[Answer], resources: Mapping[int, Resource]) -> Counts:
    """How its requests ended: of a function's two services, as the one says that saw more, and more of them fail."""
    own = [_counts(a) for a in answers if (found := resources.get(a["ReferenceId"])) is not None and found.id == ident]
    return max(own, key=lambda c: (c.total, c.failing, c.errors), default=Counts())


def _counts(answer: Answer) -> Counts:
    statistics = answer.get("SummaryStatistics") or {}
    errors, faults = statistics.get("ErrorStatistics") or {}, statistics.get("FaultStatistics") or {}
    return Counts(
        total=statistics.get("TotalCount", 0),
        errors=errors.get("OtherCount", 0),
        throttles=errors.get("ThrottleCount", 0),
        faults=faults.get("TotalCount", 0),
    )
