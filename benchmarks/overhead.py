"""What the orchestrator adds to the time that AWS takes, every AWS call answering 100 ms later than it could.

Three times are taken in one run on the demo incident: the investigation as it is; every probe alone, one after
another; and, from those single times, the longest chain of probes that wait for each other.
"""

import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from aws.limits import Limits
from aws.session import AwsConfig, ReadSession
from benchmarks.measure import Measured, loop_lag
from bot.cli import SWITCH_SECONDS
from domain.evidence import Evidence, EvidenceBundle
from domain.request import Request, Trigger, TriggerKind
from domain.resource import Resource
from orchestrator.discover import Discovery, discover
from orchestrator.investigate import Investigator, utc_now
from orchestrator.parse import parse
from orchestrator.reads import every_read
from orchestrator.route import route
from orchestrator.sqlite_store import SqliteStore
from sandbox.aws.faults import delay
from sandbox.aws.local import LocalAws
from sandbox.incidents import orders_throttling
from specialists.contract import Look, Probe, Specialist
from specialists.once import Once
from specialists.registry import all_specialists

DELAY = 0.1
RUNS = 5


async def run() -> list[Measured]:
    """Measure and return the figures; the investigation runs in a process of its own, as the bot does."""
    with LocalAws() as aws:
        incident = orders_throttling.seed(aws)
        environment = {**os.environ, **aws.environment()}
        here = [sys.executable, "-m", "benchmarks.overhead", incident.trace_id]
        aws.inject("*", "*", delay(DELAY))
        done = subprocess.run(here, env=environment, check=True, capture_output=True)  # noqa: S603, ASYNC221 - our own module, alone on this loop
    return [Measured(**row) for row in json.loads(done.stdout)]


async def measured(trace_id: str) -> list[Measured]:
    """Measure in this process against the AWS that its environment names."""
    sys.setswitchinterval(SWITCH_SECONDS)
    request = parse(trace_id, now=utc_now())
    session = ReadSession(AwsConfig(), every_read(), limits=Limits({}))
    with tempfile.TemporaryDirectory() as home:
        await _investigate(session, request, Path(home))  # clients, imports and code paths are warm
        runs = [await _investigate(session, request, Path(home)) for _ in range(RUNS)]
        paced, _, _ = await _investigate(ReadSession(AwsConfig(), every_read()), request, Path(home))
    whole, lag, calls = sorted(runs)[RUNS // 2]
    discovery, discovering = _timed_discovery(session, request)
    single = _one_by_one(session, discovery)
    chain = discovering + max(_longest(probes) for probes in single.values())
    serial = discovering + sum(seconds for probes in single.values() for _, seconds in probes)
    return [
        Measured("an investigation, every AWS call 100 ms slower (median of 5)", whole, "s"),
        Measured("the same with our own pacing of AWS's quotas, and new clients", paced, "s"),
        Measured("the same probes one after another", serial, "s"),
        Measured("the longest chain of probes that wait for each other", chain, "s"),
        Measured("AWS calls of the investigation", calls, ""),
        Measured("investigation : longest chain", whole / chain, "x", most=1.3),
        Measured("one after another : investigation", serial / whole, "x", least=5.0),
        Measured("stall of the event loop meanwhile", lag * 1000, "ms", most=100),
        Measured("resident memory at most", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "MiB", most=200),
    ]


async def _investigate(session: ReadSession, request: Request, home: Path) -> tuple[float, float, int]:
    """Return seconds, the loop's worst lag, and the number of AWS calls."""
    store = SqliteStore.open(home)
    investigator = Investigator(session, all_specialists(), store)
    trigger = Trigger(kind=TriggerKind.CLI, text=request.text)
    accepted = await store.accept(f"benchmark:{time.monotonic_ns()}", trigger, now=utc_now())
    if accepted is None:
        raise RuntimeError("the benchmark's own key was taken")
    async with loop_lag() as lag:
        await asyncio.sleep(0.05)
        began = time.perf_counter()
        report = await investigator.investigate(accepted.id, trigger, request, lambda _: None)
        seconds = time.perf_counter() - began
    await investigator.close()
    await store.close()
    return seconds, lag.worst, report.usage.aws_calls


def _timed_discovery(session: ReadSession, request: Request) -> tuple[Discovery, float]:
    began = time.perf_counter()
    with ThreadPoolExecutor(4) as pool:
        found = discover(request, session, pool, now=utc_now())
    return found, time.perf_counter() - began


Timed = Sequence[tuple[Probe, float]]


def _one_by_one(session: ReadSession, found: Discovery) -> dict[tuple[str, str], Timed]:
    """Run every probe alone and return its seconds, by specialist and target."""
    times: dict[tuple[str, str], Timed] = {}
    for one in route(found.graph, all_specialists()):
        for target in one.targets:
            times[one.specialist.name, target.id] = list(_probes_alone(session, found, one.specialist, target))
    return times


def _probes_alone(session: ReadSession, found: Discovery, specialist: Specialist, target: Resource) -> Timed:
    seen: list[Evidence] = []
    waiting = [p for p in specialist.probes if p.only is None or target.type in p.only]
    done: list[tuple[Probe, float]] = []
    about = [e for e in found.trace if e.resource == target.id]
    while ready := [p for p in waiting if all(any(isinstance(e, need) for e in (*about, *seen)) for need in p.needs)]:
        for probe in ready:
            look = Look(
                aws=session.clients(target.account, target.region),
                target=target,
                window=found.window,
                seen=EvidenceBundle([*found.trace, *seen]),
                graph=found.graph,
                now=utc_now(),
                once=Once(),
            )
            began = time.perf_counter()
            seen += list(probe.run(look))
            done.append((probe, time.perf_counter() - began))
            waiting.remove(probe)
    return done


def _longest(probes: Timed) -> float:
    """Return the seconds of the longest chain in which each probe needs what the one before brings."""
    finished: dict[str, float] = {}
    for probe, seconds in probes:
        before = [
            finished[other.name]
            for other, _ in probes
            if other.name in finished and set(other.yields) & set(probe.needs)
        ]
        finished[probe.name] = seconds + max(before, default=0.0)
    return max(finished.values(), default=0.0)


if __name__ == "__main__":
    print(json.dumps([row._asdict() for row in asyncio.run(measured(sys.argv[1]))]))
