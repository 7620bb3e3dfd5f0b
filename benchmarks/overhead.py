"""What the orchestrator adds to the time that AWS takes, every AWS call answering after 100 ms.

Three times are taken in one run on one failing request through all ten services: the investigation as it is; its
probes one after another; and, from the times of the probes alone, the longest chain of them that wait for each other.
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from aws.limits import Limits
from aws.meter import Meter
from aws.session import AwsConfig, ReadSession
from benchmarks import shop
from benchmarks.measure import Measured, loop_lag, peak_memory
from benchmarks.steady import SteadyAws
from bot.interpreter import tune
from bot.knowledge import open_library
from domain.evidence import Evidence
from domain.request import Request, Trigger, TriggerKind
from orchestrator.discover import Discovery, discover
from orchestrator.dispatch import dispatch
from orchestrator.investigate import Investigator, utc_now
from orchestrator.parse import parse
from orchestrator.reads import every_read
from orchestrator.route import route
from orchestrator.sqlite_store import SqliteStore
from sandbox.aws.local import LocalAws
from specialists.contract import Look, Probe, Specialist, SpecialistKind
from specialists.once import Once
from specialists.registry import all_specialists
from specialists.run import Tools

DELAY = 0.1
RUNS = 5
SERVICES, ALL = "services", "all"


async def run() -> list[Measured]:
    """Measure and return the figures; each investigation runs in a process of its own, as the bot does."""
    with LocalAws() as aws:
        text = shop.seed(aws)
        async with SteadyAws(aws.endpoint, DELAY) as steady:
            environment = {**os.environ, **steady.environment(aws.environment())}
            rows = [await _in_own_process(text, which, environment) for which in (SERVICES, ALL)]
    return [*rows[0], *rows[1]]


async def _in_own_process(text: str, which: str, environment: dict[str, str]) -> list[Measured]:
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, which, text, env=environment, stdout=asyncio.subprocess.PIPE
    )
    told, _ = await started.communicate()
    if started.returncode:
        raise RuntimeError(f"the measuring process ended with {started.returncode}")
    return [Measured(**row) for row in json.loads(told)]


async def measured(which: str, text: str) -> list[Measured]:
    """Measure in this process against the AWS that its environment names."""
    tune()
    specialists = [s for s in all_specialists() if which == ALL or s.kind is SpecialistKind.SERVICE]
    request = parse(text, now=utc_now())
    session = ReadSession(AwsConfig(), every_read(), limits=Limits({}))
    async with _investigating(session, specialists) as investigate:
        await investigate(request)  # clients, imports, threads and code paths are warm, as in a bot that runs
        runs = [await investigate(request) for _ in range(RUNS)]
    memory = peak_memory()
    if which == ALL:
        return _beside(sorted(runs)[RUNS // 2], await _chain(session, request, specialists), memory)
    async with _investigating(ReadSession(AwsConfig(), every_read()), specialists) as investigate:
        paced = await investigate(request)
    whole = sorted(runs)[RUNS // 2]
    chain = await _chain(session, request, specialists)
    serial = await _one_after_another(session, request, specialists)
    return [
        Measured("an investigation, every AWS call taking 100 ms (median of 5)", whole.seconds, "s"),
        Measured("the same with our own pacing of AWS's quotas, and new clients", paced.seconds, "s"),
        Measured("the same looks one after another", serial, "s"),
        Measured("the longest chain of looks that wait for each other", chain, "s"),
        Measured("service specialists", whole.specialists, "", least=10),
        Measured("AWS calls of the investigation", whole.calls, "", least=60),
        Measured("investigation : longest chain", whole.seconds / chain, "x", most=1.3),
        Measured("one after another : investigation", serial / whole.seconds, "x", least=5.0),
        Measured("stall of the event loop meanwhile", whole.lag * 1000, "ms", most=100),
        Measured("resident memory at most", memory, "MiB", most=200),
    ]


class Whole(NamedTuple):
    """One investigation: seconds, AWS calls, specialists that looked, and the event loop's worst lag in seconds."""

    seconds: float
    calls: int
    specialists: int
    lag: float


def _beside(whole: Whole, chain: float, memory: float) -> list[Measured]:
    said = f"with all {whole.specialists} specialists: "
    return [
        Measured(f"{said}an investigation", whole.seconds, "s"),
        Measured(f"{said}AWS calls", whole.calls, ""),
        Measured(f"{said}investigation : longest chain", whole.seconds / chain, "x"),
        Measured(f"{said}resident memory at most", memory, "MiB", most=200),
    ]


@asynccontextmanager
async def _investigating(
    session: ReadSession, specialists: Sequence[Specialist]
) -> AsyncIterator[Callable[[Request], Awaitable[Whole]]]:
    """Yield what runs one investigation after another in one investigator."""
    with tempfile.TemporaryDirectory() as home:
        store = SqliteStore.open(Path(home))
        investigator = Investigator(session, specialists, store, library=open_library(Path(home)))
        yield partial(_investigate, investigator, store)
        await investigator.close()
        await store.close()


async def _investigate(investigator: Investigator, store: SqliteStore, request: Request) -> Whole:
    trigger = Trigger(kind=TriggerKind.CLI, text=request.text)
    accepted = await store.accept(f"benchmark:{time.monotonic_ns()}", trigger, now=utc_now())
    if accepted is None:
        raise RuntimeError("the benchmark's own key was taken")
    async with loop_lag() as lag:
        await asyncio.sleep(0.05)
        began = time.perf_counter()
        report = await investigator.investigate(accepted.id, trigger, request, lambda _: None)
        seconds = time.perf_counter() - began
    return Whole(seconds, report.usage.aws_calls, len(report.specialists), lag.worst)


Timed = list[tuple[str, str, Probe, float]]
"""Which specialist looked at what, with which probe, for how many seconds; in the order of the looks."""


async def _chain(session: ReadSession, request: Request, specialists: Sequence[Specialist]) -> float:
    """Return the seconds of discovery and of the longest chain of looks after it, each look made alone."""
    found, discovering = await asyncio.to_thread(_timed_discovery, session, request)
    looks: Timed = []
    await _serially(session, found, [_timing(s, looks) for s in specialists])
    return discovering + longest_chain(looks)


async def _one_after_another(session: ReadSession, request: Request, specialists: Sequence[Specialist]) -> float:
    """Return the seconds of discovery and of all looks, no two at once, each question asked once."""
    found, discovering = await asyncio.to_thread(_timed_discovery, session, request)
    began = time.perf_counter()
    await _serially(session, found, [replace(s, limit_seconds=600) for s in specialists])
    return discovering + time.perf_counter() - began


def _timed_discovery(session: ReadSession, request: Request) -> tuple[Discovery, float]:
    began = time.perf_counter()
    with ThreadPoolExecutor(4) as pool:
        found = discover(request, session, pool, now=utc_now())
    return found, time.perf_counter() - began


async def _serially(session: ReadSession, found: Discovery, specialists: Sequence[Specialist]) -> None:
    with ThreadPoolExecutor(1) as pool:
        await dispatch(
            route(found.graph, specialists),
            Tools(session, pool, Once(), Meter()),
            window=found.window,
            graph=found.graph,
            trace=found.trace,
            now=utc_now(),
            working=lambda _, __: None,
            finished=lambda _: None,
        )


def _timing(specialist: Specialist, looks: Timed) -> Specialist:
    """Return the specialist with probes that write down their time and share no answers with others."""
    return replace(
        specialist, probes=tuple(_timed(p, specialist.name, looks) for p in specialist.probes), limit_seconds=600
    )


def _timed(probe: Probe, specialist: str, looks: Timed) -> Probe:
    def run_alone(look: Look) -> list[Evidence]:
        began = time.perf_counter()
        try:
            return list(probe.run(replace(look, once=Once())))
        finally:
            looks.append((specialist, look.target.id, probe, time.perf_counter() - began))

    return replace(probe, run=run_alone)


def longest_chain(looks: Timed) -> float:
    """Return the seconds of the longest chain in which each look needs what the one before brings."""
    finished: dict[tuple[str, str, str], float] = {}
    for number, (specialist, target, probe, seconds) in enumerate(looks):
        before = (
            finished[specialist, target, other.name]
            for name, about, other, _ in looks[:number]
            if (name, about) == (specialist, target) and set(other.yields) & set(probe.needs)
        )
        finished[specialist, target, probe.name] = seconds + max(before, default=0.0)
    return max(finished.values(), default=0.0)


if __name__ == "__main__":
    print(json.dumps([row._asdict() for row in asyncio.run(measured(*sys.argv[1:3]))]))
