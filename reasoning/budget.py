"""What may be spent on models: in one investigation, and in one day by everybody."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import NamedTuple, Protocol

from domain.usage import Usage
from reasoning.contract import Budget

logger = logging.getLogger(__name__)

NOTHING = Usage()


class Spent(NamedTuple):
    """Tokens, in and out together, and US dollars as far as prices are known."""

    tokens: int = 0
    usd: float = 0.0

    def plus(self, other: "Spent") -> "Spent":
        """Return both together."""
        return Spent(self.tokens + other.tokens, self.usd + other.usd)


class LedgerUnusable(Exception):
    """What was spent today can neither be read nor kept; the message says why."""


class DayLedger(Protocol):
    """Keeps what is spent by day, UTC. Blocking, from any thread; raises LedgerUnusable."""

    def spent(self, day: date) -> Spent:
        """Return what was spent on a day."""

    def add(self, day: date, spent: Spent) -> None:
        """Keep what was spent on a day."""


class MemoryLedger:
    """A ledger for one process that forgets when it ends."""

    def __init__(self) -> None:
        self._days: dict[date, Spent] = {}
        self._lock = threading.Lock()

    def spent(self, day: date) -> Spent:
        """Return what was spent on a day."""
        with self._lock:
            return self._days.get(day, Spent())

    def add(self, day: date, spent: Spent) -> None:
        """Keep what was spent on a day."""
        with self._lock:
            self._days[day] = self._days.get(day, Spent()).plus(spent)


@dataclass(frozen=True)
class Limits:
    """The most that may be spent: tokens and US dollars an investigation, and a day."""

    tokens: int = 15_000
    usd: float = 0.25
    day_tokens: int = 2_000_000
    day_usd: float = 20.0


def today_utc() -> date:
    """Return the day that it is in UTC."""
    return datetime.now(UTC).date()


class Budgets(Protocol):
    """Makes budgets: of an investigation that begins, or of one that has used something before."""

    def __call__(self, before: Usage = NOTHING) -> Budget:
        """Return the budget of one investigation."""


def _spent(usage: Usage) -> Spent:
    return Spent(usage.input_tokens + usage.output_tokens, usage.usd or 0.0)


class InvestigationBudget:
    """A `Budget`: what one investigation may spend, and what is left of the day. Thread-safe.

    `before` is what the investigation has used already, in a budget that it had. A model without a known price is
    bounded by tokens alone. A ledger that cannot be read refuses: nobody could tell
    what was spent.
    """

    def __init__(
        self, limits: Limits, ledger: DayLedger, today: Callable[[], date] = today_utc, before: Usage = NOTHING
    ) -> None:
        self._limits = limits
        self._ledger = ledger
        self._today = today
        self._lock = threading.Lock()
        self._own = _spent(before)

    def refusal(self) -> str:
        """Return why nothing more may be spent, in one line for people; empty while something may."""
        try:
            day = self._ledger.spent(self._today())
        except LedgerUnusable as error:
            return f"what models cost today cannot be told ({error})"
        limits, own = self._limits, self._own
        rows = (
            (own.tokens >= limits.tokens, f"this investigation used its {limits.tokens:,} tokens (RCA_BUDGET_TOKENS)"),
            (own.usd >= limits.usd, f"this investigation used its ${limits.usd:,.2f} (RCA_BUDGET_USD)"),
            (day.tokens >= limits.day_tokens, f"today's {limits.day_tokens:,} tokens are used (RCA_DAY_TOKENS)"),
            (day.usd >= limits.day_usd, f"today's ${limits.day_usd:,.2f} are used (RCA_DAY_USD)"),
        )
        return next((words for over, words in rows if over), "")

    def tokens_left(self) -> int:
        """Return how many tokens may still be used."""
        try:
            day = self._ledger.spent(self._today())
        except LedgerUnusable:
            return 0
        return max(0, min(self._limits.tokens - self._own.tokens, self._limits.day_tokens - day.tokens))

    def spend(self, usage: Usage) -> None:
        """Take what was used off the budget."""
        spent = _spent(usage)
        if spent == Spent():
            return
        with self._lock:
            self._own = self._own.plus(spent)
        try:
            self._ledger.add(self._today(), spent)
        except LedgerUnusable as error:
            logger.warning("tokens=<%d>, error=<%s> | not kept in the day's ledger", spent.tokens, error)
