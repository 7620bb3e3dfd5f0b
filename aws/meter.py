"""The deadline and the call count of the work that runs in this thread."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Meter:
    """Counts the AWS calls of one investigation and holds a deadline (monotonic seconds) past which none is made."""

    def __init__(self, deadline: float | None = None) -> None:
        self.deadline = deadline
        self.calls = 0
        self._lock = threading.Lock()

    def count(self) -> None:
        """Count one call."""
        with self._lock:
            self.calls += 1

    def remaining(self) -> float:
        """Seconds left; infinite without a deadline."""
        return float("inf") if self.deadline is None else self.deadline - time.monotonic()

    def until(self, seconds: float) -> "Meter":
        """Return a meter that counts on this one and ends sooner."""
        return _Part(self, seconds)


class _Part(Meter):
    def __init__(self, whole: Meter, seconds: float) -> None:
        own = time.monotonic() + seconds
        super().__init__(own if whole.deadline is None else min(own, whole.deadline))
        self._whole = whole

    def count(self) -> None:
        super().count()
        self._whole.count()


_current: ContextVar[Meter | None] = ContextVar("aws_meter", default=None)


def current() -> Meter | None:
    """Return the meter of the running work, if any."""
    return _current.get()


@contextmanager
def metered(meter: Meter) -> Iterator[Meter]:
    """Count calls made inside on this meter."""
    token = _current.set(meter)
    try:
        yield meter
    finally:
        _current.reset(token)
