"""One measured figure with its bound, and the event loop's lag."""

import asyncio
import resource
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple


class Measured(NamedTuple):
    """A figure; `most` and `least` are the bounds it must keep, None where it is only told."""

    name: str
    value: float
    unit: str
    most: float | None = None
    least: float | None = None

    @property
    def holds(self) -> bool:
        """Whether the figure is within its bounds."""
        return (self.most is None or self.value <= self.most) and (self.least is None or self.value >= self.least)

    def line(self) -> str:
        """Return it for people."""
        bounds = [f"at most {self.most:g}"] if self.most is not None else []
        bounds += [f"at least {self.least:g}"] if self.least is not None else []
        verdict = "" if not bounds else f"   ({', '.join(bounds)}: {'holds' if self.holds else 'DOES NOT HOLD'})"
        return f"{self.name:<62} {self.value:>9.3f} {self.unit}{verdict}"

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {**self._asdict(), "holds": self.holds}


class Lag:
    """The longest time that the event loop did not come round, in seconds."""

    def __init__(self) -> None:
        self.worst = 0.0


@asynccontextmanager
async def loop_lag(every: float = 0.01) -> AsyncIterator[Lag]:
    """Measure the event loop's lag while the block runs."""
    lag = Lag()

    async def watch() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(every)
            lag.worst = max(lag.worst, time.perf_counter() - before - every)

    watching = asyncio.ensure_future(watch())
    try:
        yield lag
    finally:
        watching.cancel()


def peak_memory() -> float:
    """Return the most MiB that this process had resident.

    getrusage's figure is no less than what the parent had when it forked: Linux carries it over exec.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
