"""Messages that wait, expire, block their group, pile up in flight, or end as dead letters."""

from collections.abc import Iterator
from typing import NamedTuple

from domain.findings import Finding
from domain.trace import TraceCall, TraceSegment
from specialists.contract import Case, rule
from specialists.kit.change import Change
from specialists.kit.loglines import LogLines
from specialists.kit.overheard import began, cited
from specialists.kit.series import MetricSeries
from specialists.sqs.evidence import ConsumerConcurrency, ConsumerFunction, Consumers, DeadLetterSources, QueueState
from specialists.sqs.metrics import AGE, DEDUPLICATED, DELETED, GROUPS, IN_FLIGHT, SENT, VISIBLE
from specialists.sqs.rules.readers import FEW_ERRORS
from specialists.sqs.signs import Reading, signs
from specialists.sqs.subject import (
    Subject,
    first_rise,
    keeps_dead_letters,
    present,
    subjects,
    untouched,
)

SEES = (
    TraceCall,
    TraceSegment,
    LogLines,
    QueueState,
    Consumers,
    ConsumerFunction,
    ConsumerConcurrency,
    MetricSeries,
    DeadLetterSources,
    Change,
)

IN_FLIGHT_LIMIT = 120_000
OLD_FIFO_LIMIT = 20_000
"""Messages in flight of a queue; FIFO queues had the lower limit until the end of 2024.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
"""

AT_LIMIT = 0.97
AT_RETENTION = 0.95
ENDLESS = 100
"""From so many receives on, a dead-letter queue does not free a blocked group in time."""


@rule("sqs-dlq-filling", sees=SEES)
def dead_letters_come(case: Case) -> Iterator[Finding]:
    """The dead-letter queue fills; what makes the reader fail is the deeper cause."""
    for subject in subjects(case):
        dead, state, direct = subject.dead_letters, subject.state, subject.sent_to_dead_letters
        if dead is None or state is None or state.redrive is None:
            continue
        name = state.redrive.target.rsplit(":", 1)[-1]
        yield case.hypothesis(
            "sqs-dlq-filling",
            f"{subject.dead_letter_count:g} messages of `{subject.name}` moved to `{name}`"
            f" after {state.redrive.attempts} each",
            proof=() if direct else (dead,),
            weak=(dead,) if direct else present(state),
            against=present(direct),
            resource=subject.id,
            since=first_rise(dead),
            defers_to=[mapping.function for mapping in subject.mappings],
        )


@rule("sqs-maxreceive-1", sees=SEES)
def one_attempt_is_all(case: Case) -> Iterator[Finding]:
    """Messages become dead letters after a single receive, so that a passing failure is enough."""
    for subject in subjects(case):
        dead, state = subject.dead_letters, subject.state
        if dead is None or state is None or state.redrive is None or state.redrive.max_receives > 1:
            continue
        functions = subject.functions
        outage = [f for f in functions if f.error_share is not None and f.error_share > FEW_ERRORS]
        passing = [f.errors for f in functions if f.errors is not None and f.failing and f not in outage]
        starved = [f for f in functions if f.throttled and not f.failing]
        changed = subject.set_attribute("RedrivePolicy")
        likely = not outage and not starved and not subject.sent_to_dead_letters
        yield case.hypothesis(
            "sqs-maxreceive-1",
            f"`{subject.name}` sets messages aside after one receive: {subject.dead_letter_count:g} became dead letters"
            " without a second attempt",
            strong=(state, dead, *passing, *present(changed)) if likely else (),
            weak=() if likely else (state, dead),
            resource=subject.id,
            since=first_rise(dead),
        )


@rule("sqs-retention-expired", sees=SEES)
def messages_expire(case: Case) -> Iterator[Finding]:
    """The oldest message is as old as the queue keeps any: messages are lost unread."""
    for subject in subjects(case):
        age, state = subject.series(AGE), subject.state
        if age is None or state is None or not _at_retention(subject):
            continue
        kept = _span(state.retention_seconds)
        if keeps_dead_letters(subject):
            yield case.advice(
                f"Dead letters in `{subject.name}` expire after {kept}: redrive or save them.", age, state
            )
            continue
        yield case.hypothesis(
            "sqs-retention-expired",
            f"Messages of `{subject.name}` wait as long as it keeps them ({kept}) and are then deleted unread",
            proof=(age,),
            strong=(state,),
            weak=present(subject.series(DELETED)),
            resource=subject.id,
            since=age.first_over(AT_RETENTION * state.retention_seconds),
            defers_to=[f.mapping.function for f in subject.functions if not f.healthy],
        )


def _at_retention(subject: Subject) -> bool:
    """Tell whether the oldest message's age stays at the retention; it cannot exceed it."""
    age, state = subject.series(AGE), subject.state
    if age is None or state is None or not state.exists or len(age.points) < 2:
        return False
    last = [point.value for point in age.points[-3:]]
    return min(last) >= AT_RETENTION * state.retention_seconds


@rule("sqs-backlog", sees=SEES)
def messages_wait(case: Case) -> Iterator[Finding]:
    """Messages wait longer, or more of them, than usual; a reader that does not work as usual is the deeper cause.

    Where the readers could not be listed, waiting is a symptom whose cause nobody looked for.
    """
    for subject in subjects(case):
        waiting = subject.waiting
        if not waiting or keeps_dead_letters(subject) or subject.worked_off is not None:
            continue
        sharper = _at_retention(subject)
        ill = [m for m in subject.mappings if not subject.function(m).healthy]
        outpaced = _outpaced(subject)
        yield case.hypothesis(
            "sqs-backlog",
            _waiting_sentence(subject, outpaced=bool(outpaced)),
            proof=waiting[:1] if subject.consumers and not sharper else (),
            strong=() if sharper else waiting[1:] if subject.consumers else waiting,
            weak=waiting if sharper else (*outpaced, *present(subject.consumers)),
            resource=subject.id,
            since=min((at for s in waiting if (at := first_rise(s))), default=None),
            defers_to=[mapping.function for mapping in ill],
        )


def _outpaced(subject: Subject) -> tuple[MetricSeries, ...]:
    """Return the series that show more messages coming than are worked off."""
    sent, deleted = subject.series(SENT), subject.series(DELETED)
    if sent is None or deleted is None or sent.total <= 1.1 * deleted.total:
        return ()
    return (sent, deleted)


def _waiting_sentence(subject: Subject, *, outpaced: bool) -> str:
    age, visible, totals = subject.series(AGE), subject.series(VISIBLE), subject.totals
    count = f"{visible.peak:g} messages" if visible and visible.points else "Messages"
    old = f", the oldest for {_span(age.peak)}" if age and age.points else ""
    flow = f"; {totals.sent:g} came and {totals.deleted:g} were worked off" if outpaced and totals else ""
    readers = "; no Lambda function reads it" if subject.consumers and not subject.mappings else ""
    return f"{count} wait in `{subject.name}`{old}{flow}{readers}"


@rule("sqs-inflight-limit", sees=SEES)
def too_many_in_flight(case: Case) -> Iterator[Finding]:
    """As many messages are in flight as a queue can have, so that no more are handed out."""
    for subject in subjects(case):
        told = signs(case, Reading.IN_FLIGHT) if subject.id == case.target.id else ()
        flying = subject.series(IN_FLIGHT)
        limit = _limit_reached(subject, flying) if flying is not None else None
        if not told and limit is None:
            continue
        most = f"{flying.peak:,.0f} messages" if flying is not None and flying.points else "Too many messages"
        exact = limit == IN_FLIGHT_LIMIT
        yield case.hypothesis(
            "sqs-inflight-limit",
            f"{most} of `{subject.name}` are in flight"
            + (f", of {limit:,} at most" if limit else "")
            + ": received but not deleted, and SQS hands out no more",
            proof=(*cited(told), *present(flying if exact else None)),
            strong=present(flying if limit and not exact else None, *(subject.waiting if limit else ())),
            resource=subject.id,
            since=began(told) or (flying.first_over(AT_LIMIT * limit) if flying is not None and limit else None),
        )


def _limit_reached(subject: Subject, flying: MetricSeries) -> int | None:
    if flying.peak >= AT_LIMIT * IN_FLIGHT_LIMIT:
        return IN_FLIGHT_LIMIT
    values = [point.value for point in flying.points if point.value >= AT_LIMIT * OLD_FIFO_LIMIT]
    flat = len(values) >= 3 and max(values) <= 1.01 * OLD_FIFO_LIMIT
    return OLD_FIFO_LIMIT if subject.fifo and flat else None


class _Block(NamedTuple):
    """A FIFO queue whose oldest message is tried again and again; `others`: messages of other groups get by."""

    age: MetricSeries
    others: bool


@rule("sqs-fifo-group-blocked", sees=SEES)
def group_waits_behind_a_message(case: Case) -> Iterator[Finding]:
    """In a FIFO queue the oldest message is received again and again without being deleted: its group waits."""
    for subject in subjects(case):
        state, block = subject.state, _block(subject)
        if block is None or state is None or (state.redrive and state.redrive.max_receives < ENDLESS):
            continue
        failing = [f.errors for f in subject.functions if f.errors is not None and f.failing]
        groups = subject.series(GROUPS)
        few = groups is not None and 0 < groups.peak <= 2
        decides = block.others and bool(failing)
        gives_way = "it has no dead-letter queue to give way to"
        if state.redrive:
            gives_way = f"it gives way only after {state.redrive.max_receives} receives"
        series = (block.age, *subject.traffic, *present(groups if few else None))
        yield case.hypothesis(
            "sqs-fifo-group-blocked",
            f"The oldest message of `{subject.name}` is {_span(block.age.peak)} old and tried again and again;"
            f" {gives_way}, so its group waits",
            proof=(block.age, state) if decides else (),
            strong=(*(series[1:] if decides else (*series, state)), *failing),
            resource=subject.id,
            since=first_rise(block.age),
            defers_to=[f.mapping.function for f in subject.functions if f.failing],
        )


def _block(subject: Subject) -> _Block | None:
    age, totals = subject.series(AGE), subject.totals
    if not subject.fifo or age is None or totals is None or not untouched(age):
        return None
    return _Block(age, totals.deleted > 0) if totals.received > totals.deleted else None


@rule("sqs-fifo-dedup", sees=SEES)
def messages_count_as_duplicates(case: Case) -> Iterator[Finding]:
    """A FIFO queue accepts messages and discards them, because their deduplication id was used minutes before."""
    for subject in subjects(case):
        if not subject.fifo:
            continue
        state, totals, dropped = subject.state, subject.totals, subject.series(DEDUPLICATED)
        counted = (
            dropped if dropped is not None and dropped.total > 0 and dropped.peak > 2 * dropped.usual_peak else None
        )
        lost = _lost(subject)
        if counted is None and not lost:
            continue
        many = counted is not None and totals is not None and counted.total >= 0.3 * max(1.0, totals.sent)
        number = counted.total if counted else (totals.sent - totals.received if totals else 0)
        how = " by their content" if state and state.content_based_deduplication else ""
        yield case.hypothesis(
            "sqs-fifo-dedup",
            f"`{subject.name}` accepted {number:g} messages and did not deliver them: they count as duplicates{how}",
            proof=present(counted if many else None),
            strong=(*present(counted if not many and lost else None), *lost),
            weak=present(
                counted if not many and not lost else None,
                state if state and state.content_based_deduplication else None,
            ),
            resource=subject.id,
            since=counted.first_over(0) if counted else None,
        )


def _lost(subject: Subject) -> tuple[MetricSeries | QueueState, ...]:
    """Return what shows that messages were sent, and neither received nor waiting, though nothing else lost them."""
    totals, visible, flying, state = subject.totals, subject.series(VISIBLE), subject.series(IN_FLIGHT), subject.state
    if totals is None or visible is None or state is None or not state.exists or state.delay_seconds:
        return ()
    missing = totals.sent - totals.received - visible.peak - (flying.peak if flying else 0.0)
    if missing < max(5.0, 0.3 * totals.sent) or subject.changes("PurgeQueue") or _at_retention(subject):
        return ()
    return (*subject.traffic, *((state,) if state.content_based_deduplication else ()))


def _span(seconds: float) -> str:
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


RULES = (
    dead_letters_come,
    one_attempt_is_all,
    messages_expire,
    messages_wait,
    too_many_in_flight,
    group_waits_behind_a_message,
    messages_count_as_duplicates,
)
