"""Blocking looks side by side, from inside the pool that they run in."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")


def at_once(pool: Executor, looks: Sequence[Callable[[], T]]) -> list[T]:
    """Make all looks at once and return their results in order; the first that raises ends the waiting.

    A look that the pool has no thread for is made here: all its threads may be callers that wait like this one.
    """
    if not looks:
        return []
    others = [pool.submit(copy_context().run, look) for look in looks[1:]]
    done = [looks[0]()]
    done += [look() if waiting.cancel() else waiting.result() for look, waiting in zip(looks[1:], others, strict=True)]
    return done
