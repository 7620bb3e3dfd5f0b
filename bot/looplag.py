"""How long the event loop last did not come round: what keeps acks waiting."""

import asyncio
import time


class LoopLag:
    """Measures the loop's lag while `watch` runs; `worst_ms` is the worst of the process so far, in milliseconds."""

    def __init__(self, every_seconds: float = 0.02) -> None:
        self._every = every_seconds
        self.worst_ms = 0.0

    async def watch(self) -> None:
        """Measure until cancelled."""
        while True:
            before = time.perf_counter()
            await asyncio.sleep(self._every)
            self.worst_ms = max(self.worst_ms, (time.perf_counter() - before - self._every) * 1000)
