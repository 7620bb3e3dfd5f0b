"""The threads that read the queue: they wait for messages, have them taken on in the event loop, and delete them.

A thread takes ten messages at a time and asks for more when all are dealt with, which bounds what is in flight. While a
message is being taken on it is kept hidden. At shutdown, a thread that still waits in a long poll is left behind: what
it receives afterwards it gives back at once.
"""

import asyncio
import concurrent.futures
import logging
import random
import threading
import time
from datetime import UTC, datetime
from typing import Any, Protocol

from aws.errors import CALL_ERRORS, AwsError, classify
from aws.queue import LONGEST_WAIT_SECONDS, QueueFacts, QueueMessage, QueueSession
from bot.events.intake import Fate, later
from bot.events.trouble import trouble

logger = logging.getLogger(__name__)

THREADS = 2
HIDDEN_SECONDS = 60
KEEP_HIDDEN_EVERY_SECONDS = 20.0
LOOK_SECONDS = 1.0
FACTS_SECONDS = 300.0
LONGEST_PAUSE_SECONDS = 60.0
STOP_SECONDS = 0.8


class Takes(Protocol):
    """Who takes messages on, in the event loop: `bot.events.intake.Events`."""

    async def take(self, message: QueueMessage, facts: QueueFacts) -> Fate:
        """Take a message on and return what becomes of it."""

    async def reject(self, message: QueueMessage, facts: QueueFacts, why: str) -> Fate:
        """Return what becomes of a message that cannot be used; once it is given up, people are told why."""


Pending = dict["concurrent.futures.Future[Fate]", QueueMessage]


class QueueReader:
    """Reads one queue with a few threads, from `start` to `stop`."""

    def __init__(self, queue: QueueSession, takes: Takes, *, wait_seconds: int = LONGEST_WAIT_SECONDS) -> None:
        self._queue = queue
        self._takes = takes
        self._wait_seconds = wait_seconds
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping, self._left = threading.Event(), threading.Event()
        self._threads: tuple[threading.Thread, ...] = ()
        self._lock = threading.Lock()
        self._facts = QueueFacts()
        self._facts_until = 0.0
        self._busy = 0
        self._counts = {"received": 0, "done": 0, "returned": 0}
        self._trouble: str | None = None
        self._last: datetime | None = None

    def start(self) -> None:
        """Begin to read; the running loop is where messages are taken on."""
        self._loop = asyncio.get_running_loop()
        self._threads = tuple(
            threading.Thread(target=self._read_until_stopped, name=f"rca-events-{number}", daemon=True)
            for number in range(THREADS)
        )
        for thread in self._threads:
            thread.start()

    async def stop(self) -> None:
        """Receive nothing more, and wait a moment for what is being taken on."""
        self._stopping.set()
        deadline = time.monotonic() + STOP_SECONDS
        while self._busy and time.monotonic() < deadline:  # noqa: ASYNC110 - a count that threads keep, looked at once a life
            await asyncio.sleep(0.02)
        self._left.set()

    def health(self) -> dict[str, Any]:
        """Return what /healthz says of the queue: counts of messages, and `trouble` in words while there is any."""
        return {
            "readers": sum(thread.is_alive() for thread in self._threads),
            **self._counts,
            "trouble": self._trouble,
            "last_received_at": self._last.isoformat(timespec="seconds") if self._last else None,
        }

    def _read_until_stopped(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                facts = self._known_facts()
                messages = self._queue.receive(wait_seconds=self._wait_seconds, hidden_seconds=HIDDEN_SECONDS)
            except (*CALL_ERRORS, AwsError) as error:
                failures += 1
                self._in_trouble(error)
                self._stopping.wait(min(LONGEST_PAUSE_SECONDS, 2.0 ** min(failures - 1, 10)) * random.uniform(0.5, 1))
                continue
            failures = 0
            self._out_of_trouble()
            if messages:
                self._deal_with(messages, facts)

    def _known_facts(self) -> QueueFacts:
        """Return what is known of the queue, asked for again every few minutes."""
        with self._lock:
            if time.monotonic() >= self._facts_until:
                self._facts = self._queue.facts()
                self._facts_until = time.monotonic() + FACTS_SECONDS
            return self._facts

    def _deal_with(self, messages: tuple[QueueMessage, ...], facts: QueueFacts) -> None:
        with self._lock:
            self._counts["received"] += len(messages)
            self._last = datetime.now(UTC)
            self._busy += 1
        try:
            pending = self._handed_over(messages, facts)
            keep_at = time.monotonic() + KEEP_HIDDEN_EVERY_SECONDS
            while pending:
                left = max(0.0, min(LOOK_SECONDS, keep_at - time.monotonic()))
                ended, _ = concurrent.futures.wait(pending, left, concurrent.futures.FIRST_COMPLETED)
                for future in ended:
                    self._settle(pending.pop(future), future)
                if self._left.is_set():
                    self._give_up(pending)
                elif time.monotonic() >= keep_at:
                    self._keep_hidden(pending)
                    keep_at = time.monotonic() + KEEP_HIDDEN_EVERY_SECONDS
        finally:
            with self._lock:
                self._busy -= 1

    def _give_up(self, pending: Pending) -> None:
        """Give back what was not taken on by the time the loop ends."""
        while pending:
            future, message = pending.popitem()
            future.cancel()
            self._finish(message, Fate(delete=False))

    def _handed_over(self, messages: tuple[QueueMessage, ...], facts: QueueFacts) -> Pending:
        """Give messages to the loop; those that come when we are stopping go back to the queue."""
        if self._stopping.is_set() or self._loop is None:
            for message in messages:
                self._finish(message, Fate(delete=False))
            return {}
        loop = self._loop
        return {asyncio.run_coroutine_threadsafe(self._taken(m, facts), loop): m for m in messages}

    async def _taken(self, message: QueueMessage, facts: QueueFacts) -> Fate:
        """Have a message taken on; one that we break on comes again, and is rejected the last time it may."""
        (outcome,) = await asyncio.gather(self._takes.take(message, facts), return_exceptions=True)
        if not isinstance(outcome, BaseException):
            return outcome
        logger.error("message=<%s>, receives=<%d> | not taken on", message.id, message.receives, exc_info=outcome)
        if facts.most_receives is None or message.receives < facts.most_receives:
            return later(message)
        return await self._takes.reject(message, facts, f"the bot broke on it ({type(outcome).__name__}, see its log)")

    def _settle(self, message: QueueMessage, ended: "concurrent.futures.Future[Fate]") -> None:
        error = None if ended.cancelled() else ended.exception()
        if error is not None:
            logger.error("message=<%s> | not even rejected", message.id, exc_info=error)
        lost = ended.cancelled() or error is not None
        self._finish(message, later(message) if lost else ended.result())

    def _finish(self, message: QueueMessage, fate: Fate) -> None:
        """Delete a message or give it back; where that fails, it comes again and is known by then."""
        with self._lock:
            self._counts["done" if fate.delete else "returned"] += 1
        try:
            if fate.delete:
                self._queue.delete(message)
            else:
                self._queue.hide(message, fate.again_seconds)
        except (*CALL_ERRORS, AwsError) as error:
            logger.warning("message=<%s> | it will come again: %s", message.id, classify(error).message)

    def _keep_hidden(self, pending: Pending) -> None:
        for message in pending.values():
            try:
                self._queue.hide(message, HIDDEN_SECONDS)
            except (*CALL_ERRORS, AwsError) as error:
                logger.warning("message=<%s> | it may come twice: %s", message.id, classify(error).message)

    def _in_trouble(self, error: BaseException) -> None:
        """Log what is wrong with the queue, each thing once until it is over."""
        sentence = trouble(error, self._queue.url)
        with self._lock:
            known, self._trouble = self._trouble, sentence
        if sentence != known and not self._stopping.is_set():
            logger.error("queue=<%s> | events cannot be read: %s", self._queue.url, sentence)

    def _out_of_trouble(self) -> None:
        with self._lock:
            known, self._trouble = self._trouble, None
        if known is not None:
            logger.info("queue=<%s> | events are read again", self._queue.url)
