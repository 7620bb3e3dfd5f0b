"""Token buckets per account, Region and service: we leave AWS's control planes to the people who need them too.

The rates follow AWS's published quotas (CloudTrail LookupEvents 2/s, Lambda control plane 15/s, API Gateway 10/s,
FilterLogEvents 5/s), about half of each; a burst may touch the quota, which boto3's own retries absorb.
"""

import threading
import time
from collections.abc import Callable
from typing import NamedTuple


class Rate(NamedTuple):
    """Calls a second, and how many may come at once."""

    per_second: float
    burst: float


RATES: dict[tuple[str, str], Rate] = {
    ("cloudtrail", "LookupEvents"): Rate(1, 6),
    ("lambda", "*"): Rate(8, 15),
    ("apigateway", "GetResources"): Rate(1, 2),
    ("apigateway", "*"): Rate(5, 15),
    ("apigatewayv2", "*"): Rate(5, 15),
    ("logs", "FilterLogEvents"): Rate(2, 4),
    ("logs", "*"): Rate(5, 10),
    ("xray", "*"): Rate(5, 10),
    ("sns", "*"): Rate(10, 20),
}
"""The limit of an operation, else of its service; a service not named here has none of ours."""


class Bucket:
    """One token bucket, shared by threads."""

    def __init__(self, rate: Rate, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._tokens = rate.burst
        self._at = clock()
        self._lock = threading.Lock()

    def reserve(self, within: float = float("inf")) -> float | None:
        """Take a token, on credit if need be; return the seconds to wait before using it.

        None, and nothing is taken, when there are no seconds left or the wait would be longer than `within`.
        """
        with self._lock:
            now = self._clock()
            self._tokens = min(self._rate.burst, self._tokens + (now - self._at) * self._rate.per_second)
            self._at = now
            wait = max(0.0, (1 - self._tokens) / self._rate.per_second)
            if within <= 0 or wait > within:
                return None
            self._tokens -= 1
            return wait


class Limits:
    """All buckets of a process."""

    def __init__(
        self, rates: dict[tuple[str, str], Rate] | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rates = RATES if rates is None else rates
        self._clock = clock
        self._buckets: dict[tuple[str, str, str, str], Bucket] = {}
        self._lock = threading.Lock()

    def reserve(
        self, account: str, region: str, service: str, operation: str, *, within: float = float("inf")
    ) -> float | None:
        """Take a token for one call; return the seconds to wait before making it, None when it must not be made."""
        name = operation if (service, operation) in self._rates else "*"
        rate = self._rates.get((service, name))
        if rate is None:
            return 0.0 if within > 0 else None
        with self._lock:
            bucket = self._buckets.setdefault((account, region, service, name), Bucket(rate, self._clock))
        return bucket.reserve(within)
