"""Slack's rate limits: a bucket per method and workspace, and for posts one per channel.

Sources: docs.slack.dev/apis/web-api/rate-limits (tiers, about one post a second and channel with short bursts).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

POSTS = ("chat.postMessage",)


@dataclass(frozen=True, slots=True)
class Rates:
    """Calls a minute by tier, and posts a second into one channel with the burst that is let through."""

    tier2: float = 20
    tier3: float = 50
    tier4: float = 100
    posts_per_second: float = 1.0
    post_burst: float = 5


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class Pace:
    """Counts calls; without rates nothing is refused."""

    def __init__(self, rates: Rates | None, clock: Callable[[], float]) -> None:
        self.rates = rates
        self._clock = clock
        self._buckets: dict[tuple[str, str], _Bucket] = {}

    def wait(self, method: str, tier: int, channel: str) -> int | None:
        """Take one call; return the Retry-After in whole seconds when it is one too many."""
        if self.rates is None:
            return None
        if method in POSTS:
            return self._take((method, channel), self.rates.posts_per_second, self.rates.post_burst)
        per_minute = {2: self.rates.tier2, 3: self.rates.tier3, 4: self.rates.tier4}.get(tier)
        return None if per_minute is None else self._take((method, ""), per_minute / 60, per_minute)

    def _take(self, key: tuple[str, str], per_second: float, burst: float) -> int | None:
        now = self._clock()
        bucket = self._buckets.setdefault(key, _Bucket(burst, now))
        bucket.tokens = min(burst, bucket.tokens + (now - bucket.at) * per_second)
        bucket.at = now
        if bucket.tokens < 1:
            return max(1, math.ceil((1 - bucket.tokens) / per_second))
        bucket.tokens -= 1
        return None
