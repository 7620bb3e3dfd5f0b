"""What is wrong at a function that reads the queue, as far as the queue's side shows it: it is accused itself."""

import re
from collections.abc import Iterator

from domain.findings import Finding
from domain.trace import TraceCall
from specialists.contract import Case, rule
from specialists.kit.rising import risen
from specialists.kit.series import MetricSeries
from specialists.kit.standstill import MISSED, standstill, total_from
from specialists.sqs.evidence import ConsumerConcurrency, ConsumerFunction, Consumers, DeadLetterSources, QueueState
from specialists.sqs.metrics import DELETED, LOOPS, RECEIVED, SENT
from specialists.sqs.subject import Subject, first_rise, present, stopped, subjects

SEES = (QueueState, Consumers, ConsumerFunction, ConsumerConcurrency, MetricSeries, DeadLetterSources, TraceCall)
CALL_FAILED = re.compile(r"function call failed|^failed$", re.IGNORECASE)


@rule("esm-disabled", sees=SEES)
def mapping_is_off(case: Case) -> Iterator[Finding]:
    """The event source mapping is off while messages wait or are no longer received."""
    for subject in subjects(case):
        received = subject.series(RECEIVED)
        quiet = standstill(received, case.window.end)
        idle = present(received if stopped(received) or quiet else None)
        read_otherwise = bool(subject.functions) or bool(received and received.total and not quiet)
        for mapping in subject.mappings:
            if mapping.enabled or subject.gone:
                continue
            off = f"The event source mapping of `{mapping.name}` that reads `{subject.name}` is {mapping.state}"
            symptoms = (*subject.waiting, *idle)
            if read_otherwise or not symptoms:
                yield case.fact(off, *present(subject.consumers))
                continue
            yield case.hypothesis(
                "esm-disabled",
                off + _waiting(subject),
                proof=present(subject.consumers),
                strong=dict.fromkeys(symptoms),
                resource=mapping.function,
                since=mapping.last_modified or first_rise(symptoms[0]),
            )


def _waiting(subject: Subject) -> str:
    peaks = {s.metric: s.peak for s in subject.waiting}
    shown = [f"{peak:g} messages wait" for name, peak in peaks.items() if name.endswith("Visible")]
    shown += [f"the oldest for {peak / 60:.0f} minutes" for name, peak in peaks.items() if "Age" in name]
    if not any(name.endswith("Visible") for name in peaks):
        shown = [f"messages wait, {one}" for one in shown]
    return f"; {', '.join(shown)}" if shown else ", and nothing is received"


@rule("esm-function-call-failed", sees=SEES)
def pollers_calls_fail(case: Case) -> Iterator[Finding]:
    """The poller says that its calls of the function fail; the function's own error is the deeper cause."""
    for subject in subjects(case):
        for mapping in subject.mappings:
            if not CALL_FAILED.search(mapping.last_result):
                continue
            function = subject.function(mapping)
            counted = present(
                function.errors if function.failing else None, function.throttles if function.throttled else None
            )
            yield case.hypothesis(
                "esm-function-call-failed",
                f"The poller of `{subject.name}` reports for `{mapping.name}`: {mapping.last_result[:160]}",
                strong=() if counted else present(subject.consumers),
                weak=(*present(subject.consumers), *counted) if counted else (),
                resource=mapping.function,
                since=counted[0].first_over(0) if counted else None,
            )


@rule("esm-filter-drops-all", sees=SEES)
def filter_matches_nothing(case: Case) -> Iterator[Finding]:
    """Messages are deleted while the only function that reads the queue does not run: its filter matches none."""
    for subject in subjects(case):
        deleted, only = subject.series(DELETED), subject.functions
        if len(only) != 1 or not only[0].mapping.filters or deleted is None or not deleted.total:
            continue
        runs = only[0].invocations
        if runs is None:
            continue
        quiet = standstill(runs, case.window.end)
        dropped = total_from(deleted, quiet) if quiet else deleted.total
        if (runs.total and not quiet) or not (dropped >= MISSED or (runs.baseline and not runs.total)):
            continue
        mapping = only[0].mapping
        yield case.hypothesis(
            "esm-filter-drops-all",
            f"{dropped:g} messages of `{subject.name}` were deleted and `{mapping.name}` did not run:"
            f" {' or '.join(mapping.filters)[:160]} matches nothing",
            strong=present(subject.consumers, deleted, runs),
            resource=mapping.function,
            since=quiet or deleted.first_over(0),
        )


@rule("lambda-recursive-loop", sees=SEES)
def function_feeds_itself(case: Case) -> Iterator[Finding]:
    """A function that reads the queue also sends to it, and Lambda drops its runs or both counts run away."""
    for subject in subjects(case):
        senders = {call.caller for call in case.evidence.of(TraceCall, subject.id)} | set(
            case.graph.callers(subject.id)
        )
        for mapping in subject.mappings:
            dropped = subject.series_of(mapping.function, LOOPS)
            counts = (subject.series(SENT), subject.function(mapping).invocations)
            away = [s for s in counts if s is not None and s.baseline and s.peak > 10 * max(1.0, s.usual_peak)]
            loops = mapping.function in senders
            if not risen(dropped) and not (loops and len(away) == 2):
                continue
            count = f"{dropped.total:g} of its runs were dropped" if dropped and dropped.total else "its runs run away"
            yield case.hypothesis(
                "lambda-recursive-loop",
                f"`{mapping.name}` reads `{subject.name}`{' and sends to it' if loops else ''}: {count}",
                proof=present(dropped if risen(dropped) else None),
                strong=(*away, *present(subject.consumers if loops else None)),
                resource=mapping.function,
                since=dropped.first_over(0) if dropped and dropped.total else first_rise(away[0]),
            )


RULES = (mapping_is_off, pollers_calls_fail, filter_matches_nothing, function_feeds_itself)
