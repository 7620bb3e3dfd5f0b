"""Trouble on purpose: what the next calls of a method run into."""

from collections import defaultdict
from dataclasses import dataclass


@dataclass(slots=True)
class Fault:
    """One kind of trouble, for so many calls; the first of the fields that is set decides.

    `status`: an HTTP error without JSON. `error`: an answer of Slack with that code ("ratelimited" comes as 429 with
    Retry-After). `drop`: the connection breaks before the call is carried out, or after. `hang`: no answer ever.
    `delay`: seconds before the ordinary answer.
    """

    times: float = 1
    status: int | None = None
    error: str | None = None
    retry_after: int = 1
    drop: str | None = None  # "before_accept" or "after_accept"
    hang: bool = False
    delay: float = 0.0


class Faults:
    """The faults in wait, by method, first set first met."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[Fault]] = defaultdict(list)

    def add(self, method: str, fault: Fault) -> None:
        """Let the next calls of the method ("*" for any) meet the fault."""
        self._waiting[method].append(fault)

    def clear(self) -> None:
        """Take all trouble away."""
        self._waiting.clear()

    def take(self, method: str) -> Fault | None:
        """Return the fault this call meets, counting it."""
        queue = self._waiting[method] or self._waiting["*"]
        if not queue:
            return None
        fault = queue[0]
        fault.times -= 1
        if fault.times <= 0:
            queue.pop(0)
        return fault
