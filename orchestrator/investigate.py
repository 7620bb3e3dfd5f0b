"""The life of an investigation: discover, route, dispatch, reason, conclude, propose, report, store.

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
from domain.evidence import EvidenceBundle, redacted
from domain.history import NO_PAST, PastInvestigations
from domain.incident import IncidentTold
from domain.library import NO_LIBRARY, Library
from domain.progress import (
    Assigned,
    Concluded,
    Discovered,
    InvestigationStarted,
    Routed,
)
from domain.report import Report
from domain.request import Request, Trigger
from domain.resource import Resource
from domain.usage import Usage
from orchestrator.conclude.conclusion import Conclusion, conclude
from orchestrator.discover import Discovery, discover
from orchestrator.dispatch import assignment_of, dispatch
from orchestrator.errors import InvestigationError, NothingToLookAt
from orchestrator.probe_again import LOOK_SECONDS, probe_again
from orchestrator.propose import PLANNING_REASON, planner_of, planning
from orchestrator.reason import Asking, reason
from orchestrator.report import all_gaps, build_report, failed_report, with_wording
from orchestrator.route import Route, route
from orchestrator.store import Store, StoredBundle
from orchestrator.synthesis import worded
from orchestrator.telling import Listen, finished, while_asking, while_looking
from orchestrator.trade_offs import weighed, with_words
from reasoning import telemetry
from reasoning.budget import NOTHING, Budgets, Limits, MemoryLedger
from reasoning.contract import Mode, Reasoner
from reasoning.load import budgets
from specialists.contract import Probe, Specialist
from specialists.once import Once
from specialists.plan import run_planning
from specialists.run import Assignment, Run, Tools

logger = logging.getLogger(__name__)

T = TypeVar("T")

THREADS = 96
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
        reasoner: Reasoner | None = None,
        mode: Mode = Mode.AUTO,
        budget: Budgets | None = None,
    ) -> None:
        self._session = session
        self._specialists = tuple(specialists)
        self._store = store
        self._past = past
        self._library = library
        self._time_limit = time_limit
        self._clock = clock
        self._reasoner = reasoner if mode is not Mode.NEVER else None
        self._mode = mode
        self._budget = budget or budgets(Limits(), MemoryLedger())
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="rca-look")

    async def investigate(self, investigation_id: str, trigger: Trigger, request: Request, listen: Listen) -> Report:
        """Run one investigation to its stored report; an error becomes a failed report, never an exception."""
        started = self._clock()
        logger.info("investigation=<%s>, trigger=<%s> | started", investigation_id, trigger.kind)
        listen(InvestigationStarted(investigation_id=investigation_id, trigger=trigger, request=request, at=started))
        bundle: StoredBundle | None = None
        try:
            await self._store.start(investigation_id, now=started)
            with telemetry.span("investigation", investigation=investigation_id):
                asking = self.asking()
                bundle = await self._look(investigation_id, trigger, request, started, asking, listen)
                report, bundle = await self._conclude(investigation_id, bundle, listen, asking)
                report, bundle = await self._word(report, bundle, asking)
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

    async def look_again(self, bundle: StoredBundle, specialist: Specialist, probe: Probe, target: Resource) -> Run:
        """Make one further look about a concluded investigation, knowing all that was seen for it; raises nothing."""
        seen, why = bundle.loaded(), "somebody asks"
        known = Assignment(specialist, (target,), why, bundle.window, bundle.graph, seen, bundle.started_at)
        return await probe_again(known, probe, target, self._tools(Meter(_deadline(LOOK_SECONDS))))

    async def close(self) -> None:
        """Let go of the threads; calls still under way end by their own time-outs."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _look(
        self,
        ident: str,
        trigger: Trigger,
        request: Request,
        started: datetime,
        asking: Asking | None,
        listen: Listen,
    ) -> StoredBundle:
        """Everything that asks AWS, and models about what AWS said."""
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
        tools = self._tools(counter)
        runs = await self._dispatch(ident, routes, found, tools, started, listen)
        assigned_to = [assignment_of(r, found.window, found.graph, found.trace, started) for r in routes]
        runs = await reason(assigned_to, runs, tools, asking, while_asking(ident, listen), found.gaps)
        return await asyncio.to_thread(_bundle, trigger, request, found, runs, counter, started, self._clock())

    async def _discover(self, request: Request, counter: Meter, now: datetime) -> Discovery:
        with meter.metered(counter.until(DISCOVERY_SECONDS)):
            return await self._off_the_loop(partial(discover, request, self._session, self._pool, now=now))

    async def _off_the_loop(self, work: Callable[..., T], *values: Any) -> T:
        """Do blocking or heavy work in the thread pool, with the context of here."""
        context = copy_context()
        return await asyncio.get_running_loop().run_in_executor(self._pool, lambda: context.run(work, *values))

    async def _dispatch(
        self, ident: str, routes: Sequence[Route], found: Discovery, tools: Tools, now: datetime, listen: Listen
    ) -> tuple[Run, ...]:
        heard = while_looking(ident, listen)
        return await dispatch(
            routes,
            tools,
            window=found.window,
            graph=found.graph,
            trace=found.trace,
            now=now,
            working=heard.working,
            finished=heard.finished,
        )

    def _tools(self, counter: Meter) -> Tools:
        return Tools(self._session, self._pool, Once(), counter, self._past, self._library)

    def asking(self, before: Usage = NOTHING) -> Asking | None:
        """Return whom one investigation may ask, with a budget of its own, less what it used before.

        None where no model is asked.
        """
        return Asking(self._reasoner, self._budget(before), self._mode) if self._reasoner else None

    async def _conclude(
        self, ident: str, bundle: StoredBundle, listen: Listen, asking: Asking | None = None
    ) -> tuple[Report, StoredBundle]:
        """Everything that follows from what is stored; the bundle is returned with what planning took and was told.

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
            if bundle.trade_offs is None:
                left = self._left(bundle)
                words = await weighed(planner, made.actions, evidence, bundle.graph, asking, left)
                now = self._clock() if words else bundle.completed_at
                bundle = bundle.model_copy(update={"trade_offs": words, "completed_at": now})
            result = with_words(result.model_copy(update={"duration_seconds": seconds}), bundle.trade_offs)
            told = bundle.model_copy(update={"results": (*bundle.results, result)})
            listen(finished(ident, result))
        report = await asyncio.to_thread(build_report, ident, conclusion, told, evidence, made.actions)
        return report, bundle

    async def _word(self, report: Report, bundle: StoredBundle, asking: Asking | None) -> tuple[Report, StoredBundle]:
        """Let a model word the settled verdict, where one is asked; its words are kept for a replay."""
        wording = await worded(report, asking, self._left(bundle))
        if wording is None:
            return report, bundle
        now = self._clock()
        kept = bundle.model_copy(update={"wording": wording, "completed_at": now})
        return with_wording(report, wording, now), kept

    def _left(self, bundle: StoredBundle) -> float:
        """Seconds that are left of an investigation's time."""
        return self._time_limit - (self._clock() - bundle.started_at).total_seconds()


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
    told = [redacted(IncidentTold.of(trigger.incident))] if trigger.incident else []
    evidence = EvidenceBundle([*told, *found.trace, *(e for run in runs for e in run.evidence)])
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
