"""Whether a process that investigates a thousand times grows: its memory, threads, sockets and open files.

One bot investigates one failing function over and over, AWS answering at once from memory. What is kept of every
investigation goes to the disk.
"""

import asyncio
import gc
import json
import os
import resource
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

from aws.limits import Limits
from aws.session import AwsConfig, ReadSession
from benchmarks.measure import Measured
from benchmarks.steady import SteadyAws
from bot.interpreter import tune
from domain.report import ReportStatus
from domain.request import Trigger, TriggerKind
from evals.scenarios._functions import deploy, traffic, whole_minute
from evals.scenarios._journeys import Journey
from evals.scenarios._runtimes import python
from orchestrator.investigate import THREADS, Investigator, utc_now
from orchestrator.parse import parse
from orchestrator.reads import every_read
from orchestrator.sqlite_store import SqliteStore
from sandbox.aws.local import LocalAws
from sandbox.aws.world import World
from specialists.registry import all_specialists

MARKS = (100, 200, 500, 1000)
STATM, PAGE = Path("/proc/self/statm"), resource.getpagesize()
MORE_MIB = 20
"""MiB that memory may grow by between the second mark and the last: caches fill up and then stay."""

MORE_FILES = 10
"""Connections that are still opened then: a pool opens one when more calls meet than ever before."""

MOST_THREADS = THREADS + min(32, (os.cpu_count() or 1) + 4) + 4
"""What the pools hold when they are full: the looks, the event loop's own, and a few that work alone."""


class Size(NamedTuple):
    """How large the process is after so many investigations; `mib` is resident memory, `sockets` are among `files`."""

    after: int
    mib: float
    threads: int
    files: int
    sockets: int


async def run() -> list[Measured]:
    """Measure a thousand investigations in a process of their own."""
    return figures(await sizes(MARKS))


async def sizes(marks: tuple[int, ...]) -> tuple[Size, ...]:
    """Investigate until the last mark in a process of its own, and return its size at each."""
    with LocalAws() as aws:
        text = _seeded(aws)
        async with SteadyAws(aws.endpoint, 0) as steady:
            environment = {**os.environ, **steady.environment(aws.environment())}
            command = (sys.executable, "-m", __name__, text, *map(str, marks))
            started = await asyncio.create_subprocess_exec(*command, env=environment, stdout=asyncio.subprocess.PIPE)
            told, _ = await started.communicate()
    if started.returncode:
        raise RuntimeError(f"the measuring process ended with {started.returncode}")
    return tuple(Size(**row) for row in json.loads(told))


def figures(sizes: tuple[Size, ...]) -> list[Measured]:
    """Return the sizes as figures; what grows on and on after the second mark is a leak."""
    rows = [
        Measured(f"after {size.after} investigations: {what}", value, unit)
        for size in sizes
        for what, value, unit in (
            ("resident memory", size.mib, "MiB"),
            ("threads", size.threads, ""),
            ("open files", size.files, ""),
            ("sockets among them", size.sockets, ""),
        )
    ]
    before, last = sizes[1], sizes[-1]
    since = f"growth from {before.after} to {last.after} investigations: "
    return [
        *rows,
        Measured(f"{since}resident memory", last.mib - before.mib, "MiB", most=MORE_MIB),
        Measured(f"{since}open files", last.files - before.files, "", most=MORE_FILES),
        Measured(f"threads after {last.after} investigations", last.threads, "", most=MOST_THREADS),
    ]


def _seeded(aws: LocalAws) -> str:
    """A function that raises, with hours of traffic; returns the id of a trace in which it does."""
    world = World(aws, utc_now().replace(second=0, microsecond=0), seed="endurance")
    own = deploy(world, "price-list", "python3.13", last_modified=world.ago(days=3))
    fault = python("KeyError", "'net'", ("/var/task/app.py", 31, "handler"))
    traffic(own, 30, 40, fault=fault, since=whole_minute(world, 9), share=0.4)
    journey = Journey(world, world.ago(minutes=3))
    journey.function(own, 0.01, 0.05, fault=fault)
    return journey.send()


async def measured(text: str, marks: tuple[int, ...]) -> list[Size]:
    """Investigate the same again and again in this process, against the AWS that its environment names."""
    tune()
    session = ReadSession(AwsConfig(), every_read(), limits=Limits({}))
    seen: list[Size] = []
    with tempfile.TemporaryDirectory(prefix="rca-endurance-") as home:
        store = SqliteStore.open(Path(home))
        investigator = Investigator(session, all_specialists(), store, past=store)
        for number in range(1, marks[-1] + 1):
            await _once(investigator, store, text)
            if number in marks:
                seen.append(_size(number))
        await investigator.close()
        await store.close()
    return seen


async def _once(investigator: Investigator, store: SqliteStore, text: str) -> None:
    trigger = Trigger(kind=TriggerKind.CLI, text=text)
    accepted = await store.accept(f"endurance:{time.monotonic_ns()}", trigger, now=utc_now())
    if accepted is None:
        raise RuntimeError("the benchmark's own key was taken")
    report = await investigator.investigate(accepted.id, trigger, parse(text, now=utc_now()), lambda _: None)
    if report.status is not ReportStatus.COMPLETED or report.root_cause is None:
        raise RuntimeError(f"an investigation ended otherwise than the others: {report.headline}")


def _size(after: int) -> Size:
    gc.collect()
    files = [_target(descriptor) for descriptor in Path("/dev/fd").iterdir()]
    sockets = sum(target.startswith("socket:") for target in files)
    return Size(after, _resident() / 2**20, threading.active_count(), len(files), sockets)


def _resident() -> int:
    """Return resident bytes; where the system does not tell, the most there were."""
    if STATM.exists():
        return int(STATM.read_text().split()[1]) * PAGE
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _target(descriptor: Path) -> str:
    try:
        return str(descriptor.readlink())
    except OSError:
        return ""


if __name__ == "__main__":
    print(json.dumps([size._asdict() for size in asyncio.run(measured(sys.argv[1], tuple(map(int, sys.argv[2:]))))]))
