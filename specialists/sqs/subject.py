"""A queue together with its dead letters and its readers: what the rules ask about it. Pure.

The subjects of a case are its target and, where that is a dead-letter queue, the queues whose messages end there.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from domain.evidence import EvidenceT
from specialists.contract import Case
from specialists.kit.change import Change
from specialists.kit.rising import risen
from specialists.kit.series import MetricSeries
from specialists.kit.standstill import total_from
from specialists.sqs.evidence import (
    Consumer,
    ConsumerConcurrency,
    ConsumerFunction,
    Consumers,
    DeadLetterSources,
    QueueState,
)
from specialists.sqs.metrics import (
    AGE,
    DELETED,
    DURATION,
    ERRORS,
    INVOCATIONS,
    RECEIVED,
    SENT,
    THROTTLES,
    VISIBLE,
)

MIN_AGE = 120.0
"""Seconds: a younger oldest message is nothing to speak of."""

MIN_WAITING = 10.0
"""Messages: fewer waiting ones are nothing to speak of, unless they grow old."""

RISE = 2.0
"""How many times the usual peak counts as a rise."""

FALLING, WORKED_OFF = 3, 0.75
"""For so many periods at least a heap of messages must have fallen, and to this share, to count as worked off."""

LATELY = 3
"""The last periods by which is judged whether readers keep pace."""

CLOCKWISE = 0.8
"""The share of the passing time by which the oldest message must age to count as untouched."""


class Totals(NamedTuple):
    """Messages of the window."""

    sent: float
    received: float
    deleted: float


@dataclass(frozen=True)
class Function:
    """A function that reads the queue: its mapping, its settings and how it fares, as far as they are known."""

    mapping: Consumer
    settings: ConsumerFunction | None
    concurrency: ConsumerConcurrency | None
    invocations: MetricSeries | None
    errors: MetricSeries | None
    throttles: MetricSeries | None
    duration: MetricSeries | None

    @property
    def failing(self) -> bool:
        """Whether it fails more than it usually does."""
        return risen(self.errors)

    @property
    def error_share(self) -> float | None:
        """The share of its invocations that failed, 0 to 1; None where that is not known."""
        if self.errors is None or self.invocations is None or not self.invocations.total:
            return None
        return min(1.0, self.errors.total / self.invocations.total)

    @property
    def throttled(self) -> bool:
        """Whether it is throttled more than it usually is."""
        return risen(self.throttles)

    @property
    def switched_off(self) -> bool:
        """Whether its reserved concurrency is zero."""
        return self.concurrency is not None and self.concurrency.reserved == 0

    @property
    def slower(self) -> bool:
        """Whether it takes longer than it usually does."""
        found = self.duration
        return found is not None and bool(found.baseline) and found.peak > RISE * found.usual_peak

    @property
    def healthy(self) -> bool:
        """Whether its metrics show that it works as usual."""
        known = self.errors is not None and self.invocations is not None and self.invocations.total > 0
        well = not (self.failing or self.throttled or self.slower or self.switched_off)
        return known and well and self.mapping.enabled


@dataclass(frozen=True)
class Subject:
    """One queue of a case."""

    case: Case
    id: str

    @property
    def name(self) -> str:
        """The queue's name."""
        return self.id.rsplit(":", 1)[-1]

    def _one(self, kind: type[EvidenceT], resource: str) -> EvidenceT | None:
        return self.case.evidence.first(kind, resource)

    @property
    def state(self) -> QueueState | None:
        """Its settings."""
        return self._one(QueueState, self.id)

    @property
    def gone(self) -> bool:
        """Whether it is known not to exist."""
        return self.state is not None and not self.state.exists

    @property
    def fifo(self) -> bool:
        """Whether it keeps order by groups."""
        return self.name.endswith(".fifo")

    @property
    def consumers(self) -> Consumers | None:
        """Its event source mappings."""
        return self._one(Consumers, self.id)

    @property
    def mappings(self) -> tuple[Consumer, ...]:
        """Its event source mappings, one by one."""
        return self.consumers.mappings if self.consumers else ()

    @property
    def functions(self) -> tuple[Function, ...]:
        """The functions whose mappings are on."""
        return tuple(self.function(mapping) for mapping in self.mappings if mapping.enabled)

    def function(self, mapping: Consumer) -> Function:
        """Return what is known of the function behind a mapping."""
        series = {name: self.series_of(mapping.function, name) for name in (INVOCATIONS, ERRORS, THROTTLES, DURATION)}
        return Function(
            mapping=mapping,
            settings=self._one(ConsumerFunction, mapping.function),
            concurrency=self._one(ConsumerConcurrency, mapping.function),
            invocations=series[INVOCATIONS],
            errors=series[ERRORS],
            throttles=series[THROTTLES],
            duration=series[DURATION],
        )

    def series(self, name: str) -> MetricSeries | None:
        """Return one of the queue's own series."""
        return self.series_of(self.id, name)

    def series_of(self, resource: str, name: str) -> MetricSeries | None:
        """Return a series of something beside the queue: its dead-letter queue, a function that reads it."""
        return next((s for s in self.case.evidence.of(MetricSeries, resource) if s.metric == name), None)

    @property
    def totals(self) -> Totals | None:
        """How many messages came and went in the window; None where that was not read."""
        sent, received, deleted = (self.series(name) for name in (SENT, RECEIVED, DELETED))
        if sent is None or received is None or deleted is None:
            return None
        return Totals(sent.total, received.total, deleted.total)

    @property
    def traffic(self) -> tuple[MetricSeries, ...]:
        """The series of messages sent, received and deleted."""
        return tuple(s for s in (self.series(name) for name in (SENT, RECEIVED, DELETED)) if s is not None)

    @property
    def redelivered(self) -> float:
        """How many receives of the window were not followed by a deletion; 0 where that is not known."""
        return max(0.0, self.totals.received - self.totals.deleted) if self.totals else 0.0

    @property
    def reappearing(self) -> bool:
        """Whether many more messages were received than deleted: they come back."""
        return self.totals is not None and self.redelivered > max(3.0, 0.2 * self.totals.deleted)

    @property
    def waiting(self) -> tuple[MetricSeries, ...]:
        """The series that show messages waiting longer, or more of them, than usual; none where it keeps up."""
        age, visible = self.series(AGE), self.series(VISIBLE)
        found = []
        if age is not None and age.peak >= MIN_AGE and (_grew(age) or untouched(age)):
            found.append(age)
        if visible is not None and visible.peak >= MIN_WAITING and _grew(visible) and not self.keeps_pace:
            found.append(visible)
        return tuple(found)

    @property
    def keeps_pace(self) -> bool:
        """Whether more wait only because more pass through: none waits long, and each minute deletes all that wait."""
        age, visible, deleted = self.series(AGE), self.series(VISIBLE), self.series(DELETED)
        if age is None or visible is None or deleted is None or not age.points or age.peak >= MIN_AGE:
            return False
        last = deleted.points[-LATELY:]
        if len(last) < LATELY or last[-1].at < visible.points[-1].at - timedelta(seconds=visible.period_seconds):
            return False
        return min(point.value for point in last) >= visible.peak

    @property
    def worked_off(self) -> MetricSeries | None:
        """The gauge of waiting messages, where more came at once and healthy readers are getting through them."""
        visible, sent, deleted = self.series(VISIBLE), self.series(SENT), self.series(DELETED)
        if visible is None or sent is None or deleted is None or not self.functions:
            return None
        top = max(visible.points, key=lambda point: point.value, default=None)
        if top is None or not all(function.healthy for function in self.functions):
            return None
        since = top.at + timedelta(seconds=visible.period_seconds)
        left = [point.value for point in visible.points if point.at >= since]
        falls = len(left) >= FALLING and left[-1] <= WORKED_OFF * top.value
        return visible if falls and total_from(deleted, since) > total_from(sent, since) else None

    @property
    def dead_letter_gauge(self) -> MetricSeries | None:
        """How many messages its dead-letter queue holds."""
        target = self.state.redrive.target if self.state and self.state.redrive else ""
        return self.series_of(target, VISIBLE) if target else None

    @property
    def dead_letters(self) -> MetricSeries | None:
        """How many messages its dead-letter queue holds, where that grew in the window."""
        found = self.dead_letter_gauge
        return found if found is not None and rise_of(found) > 0 else None

    @property
    def dead_letter_count(self) -> float:
        """How many dead letters came in the window."""
        return rise_of(self.dead_letters) if self.dead_letters else 0.0

    @property
    def sent_to_dead_letters(self) -> MetricSeries | None:
        """What somebody sent to the dead-letter queue directly, where that is as much as came."""
        target = self.state.redrive.target if self.state and self.state.redrive else ""
        found = self.series_of(target, SENT) if target else None
        return found if found is not None and 0 < self.dead_letter_count <= found.total else None

    def changes(self, *names: str) -> tuple[Change, ...]:
        """Return the queue's changes of these names that AWS carried out, oldest first."""
        found = [c for c in self.case.evidence.of(Change, self.id) if c.took_effect and c.event_name in names]
        return tuple(sorted(found, key=lambda c: (str(c.observed_at), c.event_id)))

    def set_attribute(self, name: str) -> Change | None:
        """Return the last change that set an attribute, as CloudTrail spells it in any case."""
        ending = f"attributes.{name}".lower()
        found = [c for c in self.changes("SetQueueAttributes") if any(p.lower() == ending for p in c.parameters)]
        return found[-1] if found else None


def subjects(case: Case) -> tuple[Subject, ...]:
    """Return the queues that the case is about: the target, and those whose dead letters it takes."""
    sources = case.one(DeadLetterSources)
    return tuple(
        Subject(case, queue) for queue in dict.fromkeys((case.target.id, *(sources.queues if sources else ())))
    )


def keeps_dead_letters(subject: Subject) -> bool:
    """Tell whether the queue is there to keep dead letters: others send theirs to it, and nothing reads it."""
    sources = subject.case.evidence.first(DeadLetterSources, subject.id)
    return sources is not None and bool(sources.queues) and not subject.mappings


def stopped(series: MetricSeries | None) -> bool:
    """Tell whether something that usually happens did not happen in the window."""
    return series is not None and series.total == 0 and sum(p.value for p in series.baseline) > 0


def rise_of(series: MetricSeries) -> float:
    """Return by how much a gauge rose above where it stood before the window; above its first point without that."""
    if not series.points:
        return 0.0
    before = series.baseline[-1].value if series.baseline else min(series.points[0].value, series.low)
    return max(0.0, series.peak - before)


def untouched(age: MetricSeries) -> bool:
    """Tell whether the oldest message aged by the clock through the window: nothing took it away."""
    first, last = (age.points[0], age.points[-1]) if len(age.points) > 1 else (None, None)
    if first is None or last is None:
        return False
    passed = (last.at - first.at).total_seconds()
    return passed >= 3 * age.period_seconds and last.value - first.value >= CLOCKWISE * passed


def first_rise(series: MetricSeries) -> datetime | None:
    """Return when a gauge first stood above its usual peak, or above its first value without a baseline."""
    floor = series.usual_peak if series.baseline else (series.points[0].value if series.points else 0.0)
    return series.first_over(floor)


def earliest(moments: Iterable[datetime | None]) -> datetime | None:
    """Return the first of the moments that are known."""
    return min((moment for moment in moments if moment), default=None)


def present(*items: EvidenceT | None) -> tuple[EvidenceT, ...]:
    """Return the evidence that there is."""
    return tuple(item for item in items if item is not None)


def _grew(gauge: MetricSeries) -> bool:
    """Tell whether a gauge rose well above its usual peak and did not come back since."""
    if not gauge.points:
        return False
    usual = gauge.usual_peak if gauge.baseline else gauge.points[0].value
    return gauge.peak > RISE * usual and gauge.points[-1].value >= 0.5 * gauge.peak
