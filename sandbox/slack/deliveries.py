"""What Slack sends to the app, the acks it gets, and the retries of events that got none."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Protocol

from sandbox.slack.state import Json, World


@dataclass(slots=True)
class Attempt:
    """One sending of a payload: when (epoch seconds), as which retry, and what came back.

    `error` is timeout (http_timeout in HTTP mode), http_error, connection_failed or no_connection, and becomes the
    reason of the retry. An ack that comes too late still sets `ack_seconds`, and the error stays.
    """

    number: int
    reason: str
    at: float
    ack_seconds: float | None = None
    body: Json | None = None
    status: int | None = None
    error: str | None = None
    no_retry: bool = False


@dataclass(slots=True)
class Delivery:
    """A payload for the app and what became of it; `kind` is slash_commands, events_api or interactive."""

    kind: str
    payload: Json
    answers: bool = False  # whether the ack may carry a body
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def acked(self) -> bool:
        """Whether the app acked in time."""
        return any(attempt.error is None and attempt.ack_seconds is not None for attempt in self.attempts)

    @property
    def ack_seconds(self) -> float | None:
        """How long the first ack took, even one that came too late."""
        return next((a.ack_seconds for a in self.attempts if a.ack_seconds is not None), None)

    @property
    def ack(self) -> Json | None:
        """What the app said in its ack, if anything."""
        return next((a.body for a in self.attempts if a.body), None)

    @property
    def error(self) -> str | None:
        """Why it was not acked, from the last attempt."""
        return None if self.acked or not self.attempts else self.attempts[-1].error

    @property
    def trigger_id(self) -> str:
        """The trigger_id it granted, or an empty string."""
        return str(self.payload.get("trigger_id", ""))

    @property
    def event_id(self) -> str:
        """The id of an event, the same in all its retries, or an empty string."""
        return str(self.payload.get("event_id", ""))


class Carrier(Protocol):
    """Brings a payload to the app, over a socket or as a request."""

    async def carry(self, delivery: Delivery, attempt: Attempt, limit: float) -> None:
        """Send once, wait for the ack that many seconds, and note in the attempt what came back."""


class Deliveries:
    """Everything sent to the app in this Slack's life."""

    def __init__(self, world: World, carrier: Callable[[], Carrier]) -> None:
        self.sent: list[Delivery] = []
        self._world = world
        self._carrier = carrier
        self._tasks: set[asyncio.Task[None]] = set()

    async def send(self, delivery: Delivery) -> Delivery:
        """Send once and wait for the ack."""
        self.sent.append(delivery)
        await self._attempt(delivery)
        return delivery

    def send_event(self, delivery: Delivery) -> None:
        """Send in the background, and again on Slack's schedule until it is acked."""
        self.sent.append(delivery)
        self._spawn(self._until_acked(delivery))

    async def repeat(self, delivery: Delivery) -> None:
        """Send the same payload once more as a first attempt, as Slack was seen to do (bolt-js issue 2487)."""
        await self._attempt(delivery)

    async def settle(self) -> None:
        """Wait until nothing is on its way, retries included."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def stop(self) -> None:
        """Give up what is still on its way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _until_acked(self, delivery: Delivery) -> None:
        await self._attempt(delivery)
        for number, delay in enumerate(self._world.timing.retries, start=1):
            last = delivery.attempts[-1]
            if delivery.acked or last.no_retry:
                return
            await asyncio.sleep(delay)
            await self._attempt(delivery, number, last.error or "")

    async def _attempt(self, delivery: Delivery, number: int = 0, reason: str = "") -> None:
        attempt = Attempt(number, reason, time.time())
        delivery.attempts.append(attempt)
        await self._carrier().carry(delivery, attempt, self._world.timing.ack)
        self._world.touch()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
