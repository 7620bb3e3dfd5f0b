"""How fast we may speak to Slack, and the clock that measures it.

Slack lets about one message a second and channel through, with short bursts, and 50 updates a minute and workspace:
https://docs.slack.dev/apis/web-api/rate-limits
"""

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field

BACKOFF_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)


class Clock:
    """Monotonic seconds; tests bring their own."""

    def now(self) -> float:
        """Return monotonic seconds."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


@dataclass(frozen=True)
class Pace:
    """What we allow ourselves, below what Slack allows.

    Updates that end something (`last`) may use the whole budget of a minute, progress only its own share of it, so
    that a verdict never waits behind boards.
    """

    posts_per_second: float = 1.0
    post_burst: int = 4
    updates_per_minute: int = 45
    progress_per_minute: float = 25.0
    progress_burst: int = 9
    between_updates_seconds: float = 1.0


@dataclass
class Bucket:
    """A token bucket; `wait` tells how long until there is a token, `take` takes one."""

    per_second: float
    burst: int
    tokens: float = field(init=False)
    at: float | None = None

    def __post_init__(self) -> None:
        self.tokens = float(self.burst)

    def wait(self, now: float, spare: int = 0) -> float:
        """Return the seconds until a token is there, 0 when one is; `spare` more are left for others."""
        gone = now - (now if self.at is None else self.at)
        self.tokens, self.at = min(float(self.burst), self.tokens + gone * self.per_second), now
        wanted = min(1 + spare, self.burst)
        return 0.0 if self.tokens >= wanted else (wanted - self.tokens) / self.per_second

    def take(self, now: float) -> None:
        """Take a token; call it when `wait` returned 0."""
        self.wait(now)
        self.tokens -= 1


@dataclass
class Minute:
    """At most so many calls in any sixty seconds."""

    most: int
    calls: deque[float] = field(default_factory=deque)

    def wait(self, now: float) -> float:
        """Return the seconds until one more call fits."""
        while self.calls and now - self.calls[0] >= 60:
            self.calls.popleft()
        return 0.0 if len(self.calls) < self.most else 60 - (now - self.calls[0])

    def take(self, now: float) -> None:
        """Count a call."""
        self.calls.append(now)


def backoff(failures: int) -> float:
    """Return the seconds to wait after so many failures before this one."""
    return BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS) - 1)]
