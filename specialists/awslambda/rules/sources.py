"""Event source mappings: off, failing, filtering everything, or behind."""

import re
from collections.abc import Iterator

from domain.findings import Finding, Hypothesis
from specialists.awslambda.evidence import EventSources, FunctionConfiguration, Mapping, SourceQueue
from specialists.awslambda.reading import changed, errors_metric, happened, metric, running, stopped
from specialists.awslambda.rules.stated import EVIDENCE
from specialists.awslambda.symptoms import Seen, diagnoses, unstated
from specialists.contract import Case, Rule, rule
from specialists.kit.change import Change
from specialists.kit.lastchange import by_whom
from specialists.kit.rising import risen
from specialists.kit.series import MetricSeries
from specialists.kit.standstill import MISSED, standstill, total_from

SEES = (*EVIDENCE, EventSources, MetricSeries, Change)
FAILED = re.compile(r"function call failed|^failed$", re.IGNORECASE)
STREAMS = frozenset({"kinesis", "dynamodb"})
RECENT_SECONDS = 86_400
MAX_SHOWN = 160


def _mappings(case: Case) -> tuple[EventSources | None, tuple[Mapping, ...]]:
    found = case.one(EventSources)
    return found, found.mappings if found else ()


def _backlog(case: Case, mapping: Mapping) -> MetricSeries | None:
    series = metric(case, "ApproximateNumberOfMessagesVisible", "Maximum", "AWS/SQS", QueueName=mapping.source_name)
    return series if series and series.peak > max(0.0, 1.5 * series.usual_peak) else None


@rule("esm-disabled", sees=SEES)
def nothing_reads_the_source(case: Case) -> Iterator[Finding]:
    """An event source mapping is off or was deleted, and its events stay unread."""
    found, mappings = _mappings(case)
    invocations = metric(case, "Invocations")
    at_rest = stopped(invocations) or standstill(invocations, case.window.end) is not None
    idle = [invocations] if invocations and at_rest else []
    switched = changed(case, "UpdateEventSourceMapping", "DeleteEventSourceMapping")
    for mapping in mappings:
        if mapping.enabled or found is None:
            continue
        backlog = [b for b in (_backlog(case, mapping),) if b]
        at = mapping.last_modified
        old = at is not None and (case.window.start - at).total_seconds() > RECENT_SECONDS
        source = mapping.source_name or mapping.uuid
        name = f"The event source mapping of `{case.target.name}` that reads `{source}` is {mapping.state}"
        if old and not idle and not backlog:
            yield case.fact(f"{name}, since {at:%Y-%m-%d}", found)
            continue
        who = f", switched off by {switched[-1].who}" if switched else ""
        waiting = f"; {backlog[0].peak:g} messages wait" if backlog else ""
        yield case.hypothesis(
            "esm-disabled",
            f"{name}{who}{waiting}",
            proof=[found] if idle or backlog else (),
            strong=[*(() if idle or backlog else [found]), *idle, *backlog, *switched[-1:]],
            since=switched[-1].observed_at if switched else at,
        )
    deleted = changed(case, "DeleteEventSourceMapping")[-1:]
    if found is not None and not mappings and deleted and idle:
        yield case.hypothesis(
            "esm-disabled",
            f"`{case.target.name}` no longer runs: {deleted[0].who} deleted its event source mapping",
            strong=[found, *deleted, *idle],
            since=deleted[0].observed_at,
        )


@rule("esm-function-call-failed", sees=SEES)
def the_pollers_calls_fail(case: Case) -> Iterator[Hypothesis]:
    """The poller says that its calls of the function fail; the function's own error is the deeper cause."""
    found, mappings = _mappings(case)
    failed = [m for m in mappings if FAILED.search(m.last_result)]
    if not failed or found is None:
        return
    errors = errors_metric(case)
    known = bool(diagnoses(case)) or errors is not None
    names = ", ".join(f"`{m.source_name or m.uuid}`" for m in failed)
    yield case.hypothesis(
        "esm-function-call-failed",
        f"The poller of {names} reports for `{case.target.name}`: {failed[0].last_result}",
        strong=() if known else [found],
        weak=[found, *([errors] if errors else ())] if known else (),
    )


@rule("esm-filter-drops-all", sees=SEES)
def the_filter_matches_nothing(case: Case) -> Iterator[Hypothesis]:
    """Events come in and the function does not run: the mapping's filter lets nothing through."""
    found, mappings = _mappings(case)
    invocations = metric(case, "Invocations")
    quiet = standstill(invocations, case.window.end)
    if found is None or (happened(invocations) and quiet is None):
        return
    start = quiet or case.window.start
    refiltered = [c for c in changed(case, "UpdateEventSourceMapping") if _sets_filter(c)][-1:]
    for mapping in (m for m in mappings if m.filters and m.enabled):
        polled = metric(case, "PolledEventCount", EventSourceMappingUUID=mapping.uuid)
        filtered = metric(case, "FilteredOutEventCount", EventSourceMappingUUID=mapping.uuid)
        counted = [filtered] if polled and filtered and happened(polled) and filtered.total >= polled.total else []
        flows = (
            metric(case, "NumberOfMessagesDeleted", "Sum", "AWS/SQS", QueueName=mapping.source_name),
            metric(case, "IncomingRecords", "Sum", "AWS/Kinesis", StreamName=mapping.source_name),
        )
        flow = [s for s in flows if s is not None and total_from(s, start) >= (MISSED if quiet else 1)]
        if not counted and not flow:
            continue
        verb = "were deleted" if mapping.service == "sqs" else "came in"
        verb = "were filtered out" if counted else verb
        count = f"{total_from((counted or flow)[0], start):g} events of `{mapping.source_name}` {verb}"
        yield case.hypothesis(
            "esm-filter-drops-all",
            f"{count} and `{case.target.name}` did not run: {' or '.join(mapping.filters)[:160]} matches nothing"
            f"{by_whom(refiltered)}",
            proof=counted,
            strong=dict.fromkeys((found, *flow, *([invocations] if invocations else ()), *refiltered)),
            since=quiet or (counted or flow)[0].first_over(0),
        )


def _sets_filter(change: Change) -> bool:
    return any(name.lower().startswith("filtercriteria") for name in change.parameters)


def _age_grows(case: Case) -> MetricSeries | None:
    """Return the iterator age when it rose through the window above what is usual and above a minute."""
    age = metric(case, "IteratorAge", "Maximum")
    if age is None or len(age.points) < 2 or age.peak < 60_000 or age.peak <= 1.5 * age.usual_peak:
        return None
    return age if age.points[-1].value >= age.points[0].value else None


@rule("stream-poison-record", sees=SEES)
def a_record_blocks_its_shard(case: Case) -> Iterator[Hypothesis]:
    """The iterator age grows while the same batch fails again and again."""
    found, mappings = _mappings(case)
    stated, age, errors = diagnoses(case).get("stream-poison-record"), _age_grows(case), errors_metric(case)
    streams = [m for m in mappings if m.service in STREAMS]
    failing = bool(errors) or any(FAILED.search(m.last_result) for m in streams)
    if stated is None and not (age and failing and streams):
        return
    endless = [m for m in streams if (m.retries is None or m.retries < 0) and not m.bisects]
    how = "; it is tried without end and not split" if endless else ""
    names = ", ".join(f"`{m.source_name}`" for m in streams) or "its stream"
    behind = f", {age.peak / 60_000:.0f} minutes behind" if age else ""
    raised = [s for s in unstated(case) if s.fatal and s.seen is Seen.LOG] if failing else []
    why = f"; it raises {raised[0].headline[:MAX_SHOWN]}" if raised else ""
    yield case.hypothesis(
        "stream-poison-record",
        f"A batch of {names} keeps failing in `{case.target.name}` and blocks its shard{behind}{how}{why}",
        proof=stated.proof if stated else (),
        strong=dict.fromkeys(
            (
                *(stated.strong if stated else ()),
                *([age] if age else ()),
                *([errors] if errors and age else ()),
                *(s.evidence for s in raised[:1] if age),
            )
        ),
        weak=dict.fromkeys((*(stated.weak if stated else ()), *([found] if found and endless else ()))),
        since=age.first_over(60_000) if age else stated.since if stated else None,
    )


@rule("stream-consumer-slow", sees=SEES)
def the_consumer_is_behind(case: Case) -> Iterator[Hypothesis]:
    """The iterator age grows without errors or throttles: records come faster than they are handled."""
    found, mappings = _mappings(case)
    streams = [m for m in mappings if m.service in STREAMS]
    age = _age_grows(case)
    if (
        age is None
        or not streams
        or found is None
        or happened(metric(case, "Errors"))
        or risen(metric(case, "Throttles"))
    ):
        return
    incoming = metric(case, "IncomingRecords", "Sum", "AWS/Kinesis", StreamName=streams[0].source_name)
    duration = metric(case, "Duration", "Maximum")
    more = [s for s in (incoming, duration) if s and s.points and s.peak > 1.2 * s.usual_peak]
    names = ", ".join(f"`{m.source_name}`" for m in streams)
    yield case.hypothesis(
        "stream-consumer-slow",
        f"`{case.target.name}` reads {names} {age.peak / 60_000:.0f} minutes behind, without errors",
        strong=[age, *more],
        weak=[found],
        since=age.first_over(60_000),
    )


@rule("esm-visibility-lt-timeout", sees=(SourceQueue, FunctionConfiguration, MetricSeries))
def messages_come_back_while_worked_on(case: Case) -> Iterator[Finding]:
    """A run outlasts the time for which its queue hides the message, so that the message is handed out again."""
    settings, longest = running(case), metric(case, "Duration", "Maximum")
    for queue in case.all(SourceQueue):
        if settings is None or queue.visibility_seconds >= settings.timeout_seconds:
            continue
        name = queue.queue.rsplit(":", 1)[-1]
        said = (
            f"`{name}` hides messages for {queue.visibility_seconds} s, but `{case.target.name}` may work on them for"
        )
        if longest is None or longest.peak <= 1000 * queue.visibility_seconds:
            yield case.fact(f"{said} {settings.timeout_seconds} s", queue, settings)
            continue
        yield case.hypothesis(
            "esm-visibility-lt-timeout",
            f"{said} {settings.timeout_seconds} s and took up to {longest.peak / 1000:.0f} s: they come back meanwhile",
            proof=[queue, settings],
            strong=[longest],
            resource=queue.queue,
            since=longest.first_over(1000 * queue.visibility_seconds),
        )


SOURCE_RULES: tuple[Rule, ...] = (
    messages_come_back_while_worked_on,
    nothing_reads_the_source,
    the_pollers_calls_fail,
    the_filter_matches_nothing,
    a_record_blocks_its_shard,
    the_consumer_is_behind,
)
