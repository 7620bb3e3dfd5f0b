"""The life of an investigation: discover, route, dispatch, conclude, propose, report, store.

`Investigator.investigate` always returns a report. Whoever listens hears typed progress; `Concluded` is the last.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from aws import meter
from aws.errors import AccountUnusable
from aws.meter import Meter
from aws.session import ReadSession
from domain.evidence import EvidenceBundle
from domain.findings import Strength
from domain.history import NO_PAST, PastInvestigations
from domain.library import NO_LIBRARY, Library
from domain.progress import (
    Assigned,
    Concluded,
    Discovered,
    InvestigationStarted,
    Progress,
    Routed,
    SpecialistFinished,
    SpecialistWorking,
)
from domain.report import Report
from domain.request import Request, Trigger
from domain.result import SpecialistResult
from orchestrator.conclude.conclusion import Conclusion, conclude
from orchestrator.discover import Discovery, discover
from orchestrator.dispatch import dispatch
from orchestrator.errors import InvestigationError, NothingToLookAt
from orchestrator.propose import PLANNING_REASON, planner_of, planning
from orchestrator.report import all_gaps, build_report, failed_report
from orchestrator.route import Route, route
from orchestrator.store import Store, StoredBundle
from specialists.contract import Specialist
from specialists.once import Once
from specialists.plan import run_planning
from specialists.run import Run, Tools

logger = logging.getLogger(__name__)

T = TypeVar("T")
Listen = Callable[[Progress], None]

THREADS = 48
"""How many looks are made at once: an investigation over ten services makes about a hundred."""

DISCOVERY_SECONDS = 45.0


def utc_now() -> datetime:
    """Return the time, UTC, to the millisecond."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


class Investigator:
    """Runs investigations. One per process: it owns the read session and the thread pool that blocking calls run in."""

    def __init__(
        self,
        session: ReadSession,
        specialists: Sequence[Specialist],
        store: Store,
        *,
        past: PastInvestigations = NO_PAST,
        library: Library = NO_LIBRARY,
        time_limit: float = 120.0,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._session = session
        self._specialists = tuple(specialists)
        self._store = store
        self._past = past
        self._library = library
        self._time_limit = time_limit
        self._clock = clock
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="rca-look")

    async def investigate(self, investigation_id: str, trigger: Trigger, request: Request, listen: Listen) -> Report:
        """Run one investigation to its stored report; an error becomes a failed report, never an exception."""
        started = self._clock()
        logger.info("investigation=<%s>, trigger=<%s> | started", investigation_id, trigger.kind)
        listen(InvestigationStarted(investigation_id=investigation_id, trigger=trigger, request=request, at=started))
        bundle: StoredBundle | None = None
        try:
            await self._store.start(investigation_id, now=started)
            bundle = await self._look(investigation_id, trigger, request, started, listen)
            report, bundle = await self._conclude(investigation_id, bundle, listen)
        except (AccountUnusable, InvestigationError) as error:
            gaps = error.gaps if isinstance(error, NothingToLookAt) else ()
            report = failed_report(
                investigation_id, trigger, str(error), started_at=started, completed_at=self._clock(), gaps=gaps
            )
        except Exception as error:  # the entry of an investigation: whatever broke, people get an answer
            logger.exception("investigation=<%s> | broke", investigation_id)
            message = (
                f"The bot itself broke ({type(error).__name__}). Run it again; "
                f"if it breaks again, its log has the details under {investigation_id}."
            )
            report = failed_report(investigation_id, trigger, message, started_at=started, completed_at=self._clock())
        try:
            await self._store.finish(report, bundle)
        except Exception:  # the entry of an investigation: a full disk must not keep the answer from people
            logger.exception("investigation=<%s> | the report could not be stored", investigation_id)
        logger.info(
            "investigation=<%s>, status=<%s>, seconds=<%.3f> | concluded",
            investigation_id,
            report.status,
            report.duration_seconds,
        )
        listen(Concluded(investigation_id=investigation_id, report=report))
        return report

    async def replay(self, investigation_id: str) -> Report | None:
        """Conclude again from the stored evidence, without AWS; None when there is none."""
        bundle = await self._store.bundle(investigation_id)
        return None if bundle is None else (await self._conclude(investigation_id, bundle, lambda _: None))[0]

    async def close(self) -> None:
        """Let go of the threads; calls still under way end by their own time-outs."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _look(
        self, ident: str, trigger: Trigger, request: Request, started: datetime, listen: Listen
    ) -> StoredBundle:
        """Everything that asks AWS."""
        counter = Meter(_deadline(self._time_limit))
        found = await self._discover(request, counter, started)
        elapsed = (self._clock() - started).total_seconds()
        listen(
            Discovered(
                investigation_id=ident,
                window=found.window,
                graph=found.graph,
                summary=found.summary,
                seconds=elapsed,
                gaps=found.gaps,
            )
        )
        routes = route(found.graph, self._specialists)
        assigned = [Assigned(name=r.specialist.name, reason=r.reason) for r in routes]
        planner = planner_of(self._specialists)
        if planner is not None:
            assigned.append(Assigned(name=planner.name, reason=PLANNING_REASON))
        listen(Routed(investigation_id=ident, specialists=tuple(assigned)))
        runs = await self._dispatch(ident, routes, found, counter, started, listen)
        return await asyncio.to_thread(_bundle, trigger, request, found, runs, counter, started, self._clock())

    async def _discover(self, request: Request, counter: Meter, now: datetime) -> Discovery:
        with meter.metered(counter.until(DISCOVERY_SECONDS)):
            return await self._off_the_loop(partial(discover, request, self._session, self._pool, now=now))

    async def _off_the_loop(self, work: Callable[..., T], *values: Any) -> T:
        """Do blocking or heavy work in the thread pool, with the context of here."""
        context = copy_context()
        return await asyncio.get_running_loop().run_in_executor(self._pool, lambda: context.run(work, *values))

    async def _dispatch(
        self, ident: str, routes: Sequence[Route], found: Discovery, counter: Meter, now: datetime, listen: Listen
    ) -> tuple[Run, ...]:
        def finished(result: SpecialistResult) -> None:
            listen(_finished(ident, result))

        def working(name: str, message: str) -> None:
            listen(SpecialistWorking(investigation_id=ident, name=name, message=message))

        return await dispatch(
            routes,
            Tools(self._session, self._pool, Once(), counter, self._past, self._library),
            window=found.window,
            graph=found.graph,
            trace=found.trace,
            now=now,
            working=working,
            finished=finished,
        )

    async def _conclude(self, ident: str, bundle: StoredBundle, listen: Listen) -> tuple[Report, StoredBundle]:
        """Everything that follows from the evidence alone; the bundle is returned with how long planning took.

        Not in the pool of the looks: what hangs there must not keep the verdict from people.
        """
        evidence, conclusion = await asyncio.to_thread(_settle, bundle)
        work = planning(conclusion, evidence, bundle.graph, bundle.window, self._specialists)
        planner = planner_of(self._specialists)
        made, result = await run_planning(planner, work, PLANNING_REASON)
        seconds = result.duration_seconds if bundle.planning_seconds is None else bundle.planning_seconds
        bundle = bundle.model_copy(update={"planning_seconds": seconds})
        told = bundle
        if planner is not None:
            result = result.model_copy(update={"duration_seconds": seconds})
            told = bundle.model_copy(update={"results": (*bundle.results, result)})
            listen(_finished(ident, result))
        report = await asyncio.to_thread(build_report, ident, conclusion, told, evidence, made.actions)
        return report, bundle


def _settle(bundle: StoredBundle) -> tuple[EvidenceBundle, Conclusion]:
    evidence = bundle.loaded()
    return evidence, conclude(evidence, bundle.results, bundle.graph, all_gaps(bundle))


def _bundle(
    trigger: Trigger,
    request: Request,
    found: Discovery,
    runs: Sequence[Run],
    counter: Meter,
    started: datetime,
    completed: datetime,
) -> StoredBundle:
    """Gather everything that the conclusion follows from."""
    evidence = EvidenceBundle([*found.trace, *(e for run in runs for e in run.evidence)])
    return StoredBundle(
        request=request,
        trigger=trigger,
        window=found.window,
        graph=found.graph,
        evidence=tuple(e.dump() for e in evidence),
        results=tuple(run.result for run in runs),
        discovery_gaps=found.gaps,
        nearby=found.nearby,
        aws_calls=counter.calls,
        started_at=started,
        completed_at=completed,
    )


def _deadline(seconds: float) -> float:
    """Return the monotonic moment that many seconds from now."""
    return time.monotonic() + seconds


def _finished(ident: str, result: SpecialistResult) -> SpecialistFinished:
    return SpecialistFinished(
        investigation_id=ident, result=result, headline=headline(result), found=bool(result.hypotheses)
    )


def headline(result: SpecialistResult) -> str:
    """Say in one line what a specialist found: its strongest hypothesis, else what it could not see, else a fact."""
    if result.hypotheses:
        order = {Strength.PROOF: 0, Strength.STRONG: 1, Strength.WEAK: 2}
        best = min(
            result.hypotheses, key=lambda h: (min(order[s.strength] for s in h.supports), -len(h.supports), h.cause)
        )
        return best.summary
    if result.message:
        return result.message
    if result.gaps:
        return result.gaps[0].message
    return "nothing wrong"
