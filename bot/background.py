"""Work that goes on after its listener has answered: referenced until it ends, never failing in silence."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

logger = logging.getLogger(__name__)

Work = Coroutine[Any, Any, None]


class Background:
    """The tasks of one process."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Work, *, failed: Callable[[BaseException], Work] | None = None) -> "asyncio.Task[None]":
        """Start the work; when it raises, that is logged and `failed` says what to do about it."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._ended(done, failed))
        return task

    def _ended(self, task: asyncio.Task[None], failed: Callable[[BaseException], Work] | None) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is None:
            return
        logger.error("work=<%s> | failed", task.get_coro(), exc_info=error)
        if failed is not None:
            self.spawn(failed(error))

    async def drain(self, seconds: float) -> int:
        """Wait for what runs, at most so long, then cancel the rest; return how many were cancelled."""
        deadline = asyncio.get_running_loop().time() + seconds
        while self._tasks and (left := deadline - asyncio.get_running_loop().time()) > 0:
            await asyncio.wait(set(self._tasks), timeout=left)
        late = set(self._tasks)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        return len(late)
