"""What is so about the queue, good and bad: what a verdict can argue with, and what it can rule out."""

from collections.abc import Iterator

from domain.findings import Finding
from domain.trace import TraceCall
from specialists.contract import Case, rule
from specialists.kit.change import Change
from specialists.kit.lastchange import says_changes
from specialists.kit.overheard import cited
from specialists.sqs.metrics import AGE
from specialists.sqs.rules.waiting import SEES
from specialists.sqs.signs import Reading, signs
from specialists.sqs.subject import Function, Subject, present, subjects


@rule(sees=SEES)
def says_state(case: Case) -> Iterator[Finding]:
    """States what kind of queue it is and how it is set."""
    for subject in subjects(case):
        if subject.state is not None and subject.state.exists:
            yield case.fact(subject.state.summary(), subject.state)


@rule(sees=SEES)
def says_traffic(case: Case) -> Iterator[Finding]:
    """States how many messages came and were worked off, and whether any waited."""
    for subject in subjects(case):
        totals, age = subject.totals, subject.series(AGE)
        if totals is None:
            continue
        old = f"; the oldest waited {age.peak:g} s at most" if age and age.points else ""
        keeps_up = "" if subject.waiting else ", no more waiting than usual"
        yield case.fact(
            f"`{subject.name}`: {totals.sent:g} messages sent, {totals.received:g} received, {totals.deleted:g} deleted"
            f"{old}{keeps_up}",
            *subject.traffic,
            *present(age if old else None),
        )


@rule(sees=SEES)
def says_readers(case: Case) -> Iterator[Finding]:
    """States who reads the queue, and how each reader fares."""
    for subject in subjects(case):
        if subject.consumers is None:
            continue
        if not subject.mappings:
            yield case.fact(
                f"No Lambda function reads `{subject.name}`; other programs are not seen", subject.consumers
            )
        for function in subject.functions:
            seen = present(function.invocations, function.errors, function.throttles)
            yield case.fact(
                f"`{function.mapping.name}` reads `{subject.name}`{_fares(function)}", subject.consumers, *seen
            )


def _fares(function: Function) -> str:
    counts = (("runs", function.invocations), ("errors", function.errors), ("throttles", function.throttles))
    shown = [f"{series.total:g} {name}" for name, series in counts if series is not None]
    return f": {', '.join(shown)}" if shown else ""


@rule(sees=SEES)
def says_dead_letters(case: Case) -> Iterator[Finding]:
    """States whether the dead-letter queue took any messages."""
    for subject in subjects(case):
        held = subject.dead_letter_gauge
        if held is None or subject.dead_letters is not None or not (held.points or held.baseline):
            continue
        yield case.fact(
            f"No message of `{subject.name}` became a dead letter; {held.peak:g} were there already",
            held,
            notable=subject.id != case.target.id and held.peak > 0,
        )


@rule(sees=SEES)
def says_worked_off(case: Case) -> Iterator[Finding]:
    """States that many messages came at once and are being worked off: when most waited, and how many are left."""
    for subject in subjects(case):
        heap = subject.worked_off if subject.waiting else None
        if heap is not None:
            top = max(heap.points, key=lambda point: point.value)
            yield case.fact(
                f"`{subject.name}` is being worked off: {top.value:g} messages waited at {top.at:%H:%M} UTC,"
                f" {heap.points[-1].value:g} at {heap.points[-1].at:%H:%M}",
                heap,
                *subject.traffic,
                notable=True,
            )


@rule(sees=(TraceCall,))
def says_calls_succeeded(case: Case) -> Iterator[Finding]:
    """States that all of the trace's calls to the queue succeeded, when they did."""
    calls = case.calls_to()
    if calls and not any(call.failed or call.pending for call in calls):
        slowest = max(call.seconds for call in calls)
        every = f"All {len(calls)} calls" if len(calls) > 1 else "The one call"
        yield case.fact(f"{every} to `{case.target.name}` succeeded, {slowest * 1000:.0f} ms at most", *calls[:5])


UNCAUSED = (
    (Reading.THROTTLED, "SQS throttled {count} requests to `{name}`"),
    (Reading.INVALID, "`{name}` rejected {count} requests as invalid: {text}"),
    (Reading.INTERNAL, "SQS itself failed {count} requests to `{name}`"),
)


@rule(sees=SEES)
def says_other_refusals(case: Case) -> Iterator[Finding]:
    """States refusals that name no cause at the queue: throttling, malformed requests, SQS's own errors."""
    for reading, sentence in UNCAUSED:
        found = signs(case, reading)
        if found:
            text = " ".join(found[0].text.split())[:300]
            told = sentence.format(count=len(found), name=case.target.name, text=text)
            yield case.fact(told, *cited(found), notable=True)
    readers = [sign for sign in signs(case, Reading.DENIED) if not sign.sends]
    if readers:
        action = readers[0].operation or "a call"
        yield case.fact(f"`{case.target.name}` refused {len(readers)} `{action}`", *cited(readers), notable=True)


@rule(sees=(Change,))
def says_purged(case: Case) -> Iterator[Finding]:
    """States that somebody purged the queue: what was in it is gone."""
    for change in Subject(case, case.target.id).changes("PurgeQueue"):
        yield case.fact(f"`{case.target.name}` was emptied: {change.summary()}", change, notable=True)


RULES = (
    says_state,
    says_traffic,
    says_readers,
    says_dead_letters,
    says_worked_off,
    says_calls_succeeded,
    says_other_refusals,
    says_purged,
    says_changes,
)
