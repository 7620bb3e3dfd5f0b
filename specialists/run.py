"""One specialist's run: its probes in parallel as their inputs become known, then its rules.

Blocking calls run in the investigation's own thread pool, never on the event loop. A probe that fails is a gap, a
specialist that fails is a status; nothing here raises into the investigation.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from aws import meter
from aws.meter import Meter
from aws.session import ReadSession
from domain.evidence import Evidence, EvidenceBundle, redacted
from domain.findings import Advice, Fact, Finding, Hypothesis
from domain.gap import Gap
from domain.graph import ServiceGraph
from domain.history import NO_PAST, PastInvestigations
from domain.library import NO_LIBRARY, Library
from domain.resource import Resource
from domain.result import SpecialistResult, SpecialistStatus
from domain.usage import Usage
from domain.window import Window
from reasoning import telemetry
from specialists.contract import Case, Look, Probe, Rule, Specialist
from specialists.kit.gaps import gap_of, unreachable
from specialists.once import Once

logger = logging.getLogger(__name__)

GRACE_SECONDS = 1.0
"""How much of a specialist's time is kept for its rules."""

HEAD_START_SECONDS = 0.03
"""How long looks that nobody waits for give way to those that others need: sixty calls at once share one interpreter,
and what others need decides when the last of them can begin."""


@dataclass(frozen=True)
class Assignment:
    """What a specialist is asked: which resources, why, and with what already known."""

    specialist: Specialist
    targets: tuple[Resource, ...]
    reason: str
    window: Window
    graph: ServiceGraph
    trace: EvidenceBundle
    now: datetime


@dataclass(frozen=True)
class Tools:
    """What a run works with: the read session, the thread pool, the shared answers, the meter, what the team kept."""

    session: ReadSession
    pool: Executor
    once: Once
    meter: Meter
    past: PastInvestigations = NO_PAST
    library: Library = NO_LIBRARY


class _Group(NamedTuple):
    """The targets that a probe looks at in one go; what it brings is kept under the first of them."""

    targets: tuple[Resource, ...]

    @property
    def first(self) -> Resource:
        return self.targets[0]


@dataclass
class _Progress:
    """What has been seen so far; kept when time runs out."""

    evidence: dict[str, list[Evidence]] = field(default_factory=dict)  # by target id
    gaps: list[Gap] = field(default_factory=list)
    started: set[tuple[str, str]] = field(default_factory=set)
    finished: set[tuple[str, str]] = field(default_factory=set)


@dataclass(frozen=True)
class Run:
    """A specialist's result and the evidence it brought."""

    result: SpecialistResult
    evidence: tuple[Evidence, ...]


async def run_specialist(assignment: Assignment, tools: Tools, working: Callable[[str], None]) -> Run:
    """Run one specialist within its limit; always returns what it has."""
    began = time.monotonic()
    specialist = assignment.specialist
    part = tools.meter.until(specialist.limit_seconds)
    progress = _Progress({target.id: [] for target in assignment.targets})
    looking = asyncio.ensure_future(_look(assignment, tools, part, progress, working))
    await asyncio.wait({looking}, timeout=max(0.0, min(specialist.limit_seconds, part.remaining()) - GRACE_SECONDS))
    timed_out = not looking.done()
    if timed_out:
        looking.cancel()
        progress.gaps.extend(_unfinished(assignment, progress))
    evidence = tuple(item for items in progress.evidence.values() for item in tuple(items))
    # Not in the pool of the looks: probes that hang there must not keep the rules from what was seen.
    findings, failure = await asyncio.to_thread(judge, assignment, evidence)
    status = _status(
        progress.gaps,
        evidence,
        timed_out=timed_out,
        failed=bool(failure) or bool(looking.done() and not looking.cancelled() and looking.exception()),
    )
    logger.info(
        "specialist=<%s>, status=<%s>, gaps=<%d>, evidence=<%d> | done",
        specialist.name,
        status,
        len(progress.gaps),
        len(evidence),
    )
    result = SpecialistResult(
        name=specialist.name,
        status=status,
        duration_seconds=round(time.monotonic() - began, 3),
        facts=tuple(f for f in findings if isinstance(f, Fact)),
        hypotheses=tuple(f for f in findings if isinstance(f, Hypothesis)),
        advice=tuple(f for f in findings if isinstance(f, Advice)),
        gaps=tuple(sorted(progress.gaps, key=lambda g: (g.resource, g.probe, g.message))),
        usage=Usage(aws_calls=part.calls),
        looks=len(progress.started),
        reason=assignment.reason,
        message=failure,
    )
    return Run(result=result, evidence=evidence)


def judge(assignment: Assignment, evidence: Iterable[Evidence]) -> tuple[list[Finding], str]:
    """Apply all rules to all targets; return the findings and what broke, if anything did."""
    bundle = assignment.trace.including(evidence)
    found: dict[str, Finding] = {}
    failure = ""
    for rule, case in _cases(assignment, bundle):
        try:
            for finding in rule.judge(case):
                found.setdefault(finding.model_dump_json(), finding)
        except Exception as error:  # the probe runner: a rule that breaks must not hide what others see
            logger.exception(
                "specialist=<%s>, rule=<%s>, resource=<%s> | rule failed",
                assignment.specialist.name,
                rule.name,
                case.target.id,
            )
            failure = f"rule {rule.name} failed: {type(error).__name__}"
    return list(found.values()), failure


def _cases(assignment: Assignment, bundle: EvidenceBundle) -> Iterator[tuple[Rule, Case]]:
    """Yield each rule with each case it judges: every target, or all of them together."""
    for target in assignment.targets:
        case = Case(
            target=target,
            evidence=bundle,
            window=assignment.window,
            graph=assignment.graph,
            specialist=assignment.specialist.name,
            targets=assignment.targets,
        )
        first = target is assignment.targets[0]
        yield from ((rule, case) for rule in assignment.specialist.rules if first or not rule.together)


async def _look(
    assignment: Assignment, tools: Tools, part: Meter, progress: _Progress, working: Callable[[str], None]
) -> None:
    waiting = [(probe, group) for probe in assignment.specialist.probes for group in _groups(probe, assignment.targets)]
    total = len(waiting)
    from_trace: dict[str, set[type[Evidence]]] = {}
    for item in assignment.trace:
        from_trace.setdefault(item.resource, set()).add(type(item))
    running: set[asyncio.Future[None]] = set()
    hurried = _waited_for(assignment.specialist.probes)
    try:
        while True:
            blocked = []
            for probe, group in waiting:
                traced = (kind for target in group.targets for kind in from_trace.get(target.id, ()))
                if not _has_what_it_needs(probe, {*traced, *map(type, progress.evidence[group.first.id])}):
                    blocked.append((probe, group))
                    continue
                progress.started.add((probe.name, group.first.id))
                later = 0.0 if progress.finished or probe.name in hurried else HEAD_START_SECONDS
                running.add(asyncio.ensure_future(_probe(probe, group, assignment, tools, part, progress, later)))
            waiting = blocked
            if not running:
                return
            _, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            working(f"{len(progress.finished)} of {total} looks")
    finally:
        for task in running:
            task.cancel()


def _groups(probe: Probe, targets: Sequence[Resource]) -> list[_Group]:
    """The targets that fit a probe: one by one, or all of an account and Region together."""
    fitting = [target for target in targets if probe.only is None or target.type in probe.only]
    if not probe.together:
        return [_Group((target,)) for target in fitting]
    places: dict[tuple[str, str], list[Resource]] = {}
    for target in fitting:
        places.setdefault((target.account, target.region), []).append(target)
    return [_Group(tuple(group)) for group in places.values()]


def _has_what_it_needs(probe: Probe, seen: Collection[type[Evidence]]) -> bool:
    return all(any(issubclass(kind, need) for kind in seen) for need in probe.needs)


def _waited_for(probes: Sequence[Probe]) -> frozenset[str]:
    """Return the probes whose evidence others need."""
    needed = {need for probe in probes for need in probe.needs}
    return frozenset(p.name for p in probes if any(issubclass(kind, need) for kind in p.yields for need in needed))


async def _probe(
    probe: Probe,
    group: _Group,
    assignment: Assignment,
    tools: Tools,
    part: Meter,
    progress: _Progress,
    later: float,
) -> None:
    await asyncio.sleep(later)
    with meter.metered(part):
        context = copy_context()
    loop = asyncio.get_running_loop()
    kept = progress.evidence[group.first.id]
    with telemetry.span("probe", specialist=assignment.specialist.name, probe=probe.name):
        gap = await loop.run_in_executor(tools.pool, context.run, _blocking, probe, group, assignment, tools, kept)
    if gap is not None:
        progress.gaps.append(gap)
    progress.finished.add((probe.name, group.first.id))


def _blocking(probe: Probe, group: _Group, assignment: Assignment, tools: Tools, kept: list[Evidence]) -> Gap | None:
    """Run one probe in this thread, keeping what it yields; return the gap when it fails, in whole or in part."""
    name, target = assignment.specialist.name, group.first
    missed: list[Exception] = []
    try:
        if not tools.session.reachable(target.account):
            return unreachable(name, probe, target)
        look = Look(
            aws=tools.session.clients(target.account, target.region),
            target=target,
            window=assignment.window,
            seen=assignment.trace.including(kept),
            graph=assignment.graph,
            now=assignment.now,
            once=tools.once,
            targets=group.targets,
            past=tools.past,
            library=tools.library,
            missed=missed,
        )
        for evidence in probe.run(look):
            kept.append(redacted(evidence))  # noqa: PERF401 - one by one: what came before an error stays
    except Exception as error:  # noqa: BLE001 - the probe runner: every failed look becomes a gap
        return gap_of(name, probe, target, error)
    return gap_of(name, probe, target, missed[0]) if missed else None


def _unfinished(assignment: Assignment, progress: _Progress) -> list[Gap]:
    """Name the looks that were under way when time ran out."""
    by_name = {probe.name: probe for probe in assignment.specialist.probes}
    names = {target.id: target for target in assignment.targets}
    late = sorted(progress.started - progress.finished)
    return [
        gap_of(
            assignment.specialist.name, by_name[probe], names[target], TimeoutError("the specialist's time was over")
        )
        for probe, target in late
    ]


def _status(gaps: list[Gap], evidence: tuple[Evidence, ...], *, timed_out: bool, failed: bool) -> SpecialistStatus:
    if timed_out:
        return SpecialistStatus.TIMEOUT
    if failed or (gaps and not evidence):
        return SpecialistStatus.FAILED
    return SpecialistStatus.PARTIAL if gaps else SpecialistStatus.SUCCESS
