"""Dispatch: all specialists at once, within one time limit; what is finished when it strikes is kept."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime

from domain.evidence import EvidenceBundle
from domain.graph import ServiceGraph
from domain.result import SpecialistResult, SpecialistStatus
from domain.window import Window
from orchestrator.route import Route
from reasoning import telemetry
from specialists.run import Assignment, Run, Tools, run_specialist

logger = logging.getLogger(__name__)


async def dispatch(
    routes: Sequence[Route],
    tools: Tools,
    *,
    window: Window,
    graph: ServiceGraph,
    trace: EvidenceBundle,
    now: datetime,
    working: Callable[[str, str], None],
    finished: Callable[[SpecialistResult], None],
) -> tuple[Run, ...]:
    """Run every routed specialist in parallel and return what each brought, in the order of the routes.

    `working` gets a specialist's name and what it is doing, `finished` each result as it comes.
    """
    began = time.monotonic()
    runs: dict[str, Run] = {}

    async def one(route: Route) -> None:
        assignment = assignment_of(route, window, graph, trace, now)
        name = route.specialist.name
        with telemetry.span("specialist", specialist=name):
            runs[name] = await run_specialist(assignment, tools, lambda message: working(name, message))
        finished(runs[name].result)

    tasks = {asyncio.ensure_future(one(route)): route for route in routes}
    if tasks:
        left = tools.meter.remaining()
        done, late = await asyncio.wait(tasks, timeout=None if left == float("inf") else max(0.0, left))
        for task in late:
            task.cancel()
        for task in done:
            if task.exception() is not None:
                logger.error("specialist=<%s> | broke: %r", tasks[task].specialist.name, task.exception())
    for route in routes:
        if route.specialist.name not in runs:
            runs[route.specialist.name] = _lost(route, time.monotonic() - began)
            finished(runs[route.specialist.name].result)
    return tuple(runs[route.specialist.name] for route in routes)


def assignment_of(
    route: Route, window: Window, graph: ServiceGraph, trace: EvidenceBundle, now: datetime
) -> Assignment:
    """Return what a route asks its specialist, with what discovery knows."""
    return Assignment(route.specialist, route.targets, route.reason, window, graph, trace, now)


def _lost(route: Route, seconds: float) -> Run:
    """A specialist that did not come back."""
    return Run(
        result=SpecialistResult(
            name=route.specialist.name,
            status=SpecialistStatus.TIMEOUT,
            duration_seconds=round(seconds, 3),
            reason=route.reason,
            message="did not come back in time",
        ),
        evidence=(),
    )
