"""What becomes a picture: the metric that decided, the trace that shows the failure, and nothing where all is well."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.alarm import AlarmKind, AlarmState, AlarmTransition
from domain.evidence import Evidence, EvidenceBundle
from domain.pictures import MOST_POINTS, MOST_SPANS, MetricChart, Pictures, Waterfall
from domain.report import RankedHypothesis, Role
from domain.trace import TraceCall, TracedError, TraceOverview, TraceSegment
from domain.window import Window
from orchestrator.illustrate import illustrate
from orchestrator.illustrate.chart import chart_of
from orchestrator.illustrate.waterfall import ROWS, waterfall_of
from orchestrator.illustrate.words import metric_name
from specialists.kit.change import Change
from specialists.kit.series import MetricSeries, Point
from specialists.kit.signals import Direction, Onset
from tests.support.concluding import (
    API,
    CHANGE,
    FUNCTION,
    QUEUE,
    TABLE,
    THROTTLED,
    concluded,
    graph_of,
    hypothesis,
    minutes,
    reported,
    result,
    traced,
)
from tests.support.traces import TRACE

WINDOW = Window(start=minutes(-10), end=minutes(10))
CUT = Change(
    resource=TABLE, source="cloudtrail:LookupEvents", observed_at=minutes(-2), event_id="ev-1", event_name="UpdateTable20120810",
    event_source="dynamodb.amazonaws.com", who="deploy-bot",
)  # fmt: skip


def series(
    metric: str,
    values: Sequence[float | None],
    baseline: Sequence[float | None] = (0.0,) * 170,
    *,
    resource: str = TABLE,
    namespace: str = "AWS/DynamoDB",
    dimensions: dict[str, str] | None = None,
    statistic: str = "Sum",
) -> MetricSeries:
    """A minute's series: `values` from the window's start on, `baseline` just before it; None was not reported."""

    def points(first: float, found: Sequence[float | None]) -> tuple[Point, ...]:
        return tuple(Point(at=minutes(first + n), value=v) for n, v in enumerate(found) if v is not None)

    return MetricSeries(
        resource=resource, source="cloudwatch:GetMetricData", namespace=namespace, metric=metric, statistic=statistic, period_seconds=60,
        dimensions={"TableName": "orders"} if dimensions is None else dimensions,
        points=points(-10, values), baseline=points(-10 - len(baseline), baseline),
    )  # fmt: skip


THROTTLES = series("WriteThrottleEvents", [*[None] * 10, 60, 115, 110, 0, 0], [])
CONSUMED = series("ConsumedWriteCapacityUnits", [620, 600, 610, 615, 640] * 3, [605, 620, 635] * 60)
PROVISIONED = series("ProvisionedWriteCapacityUnits", [500] * 8 + [5] * 6, [500] * 20, statistic="Average")


def ranked(
    *cites: Evidence, since: float | None = 0, role: Role = Role.ROOT_CAUSE, resource: str = TABLE
) -> RankedHypothesis:
    return RankedHypothesis(
        cause=THROTTLED, resource=resource, summary="throttled", confidence=0.9, role=role, specialist="dynamodb",
        evidence=tuple(item.id for item in cites), since=None if since is None else minutes(since),
    )  # fmt: skip


def chart(*evidence: Evidence, told: Sequence[RankedHypothesis], window: Window = WINDOW) -> MetricChart | None:
    return chart_of(told, EvidenceBundle(evidence), graph_of(evidence), window)


def drawn(*evidence: Evidence, told: Sequence[RankedHypothesis], window: Window = WINDOW) -> MetricChart:
    found = chart(*evidence, told=told, window=window)
    assert found is not None
    return found


# --- the chart


def test_the_cited_metric_that_left_the_usual_farthest_is_drawn_with_onset_and_change() -> None:
    trigger = ranked(CUT, role=Role.TRIGGER)

    shown = drawn(THROTTLES, CONSUMED, PROVISIONED, CUT, told=[ranked(CONSUMED, THROTTLES), trigger])

    assert (shown.title, shown.unit) == ("Write throttle events of orders", "per minute")
    assert shown.onset == minutes(0)
    assert [(c.at, c.label) for c in shown.changes] == [(minutes(-2), "UpdateTable by deploy-bot (500 → 5 WCU)")]
    assert shown.points[-6:] == (0, 60, 115, 110, 0, 0)
    assert shown.baseline.level == 0
    assert shown.alt == (
        "Write throttle events of DynamoDB table `orders` rose from 0 to 115 per minute, beginning at 09:53 UTC, "
        "2 minutes after UpdateTable by deploy-bot (500 → 5 WCU)."
    )


def test_a_flat_innocent_metric_is_never_drawn() -> None:
    assert chart(CONSUMED, PROVISIONED, told=[ranked(CONSUMED)]) is None


def test_a_metric_that_nobody_cites_is_not_drawn() -> None:
    assert chart(THROTTLES, told=[ranked(CONSUMED)]) is None


def test_what_was_ruled_out_decides_nothing() -> None:
    assert chart(THROTTLES, told=[ranked(THROTTLES, role=Role.RULED_OUT)]) is None


def test_a_metric_without_any_past_is_not_drawn() -> None:
    latency = series("SuccessfulRequestLatency", [400] * 10, [], statistic="Average")

    assert chart(latency, told=[ranked(latency)]) is None


def test_a_count_that_is_not_reported_is_zero_and_a_gauge_is_unknown() -> None:
    received = series("NumberOfMessagesReceived", [20] * 8, [20] * 180)
    age = series("ApproximateAgeOfOldestMessage", [2, 2, None, 90, 80], [2] * 60, statistic="Maximum")

    stopped, aged = drawn(received, told=[ranked(received)]), drawn(age, told=[ranked(age, since=None)])

    assert stopped.points[-9:] == (20, 20, *(0,) * 7)
    assert "fell from 20 to 0 per minute, beginning at 09:51 UTC" in stopped.alt
    assert aged.points[aged.points.index(90) - 1] is None
    assert aged.unit == "seconds"


def test_minutes_that_cloudwatch_may_still_owe_are_no_fall() -> None:
    owing = series("ConsumedWriteCapacityUnits", [620] * 15, [605, 620, 635] * 60)

    assert chart(owing, told=[ranked(owing)]) is None


def test_failures_that_rose_are_preferred_to_a_load_that_fell() -> None:
    load = series("Invocations", [60] * 10 + [0] * 5, [60] * 180)
    errors = series("Errors", [0] * 10 + [4, 6, 5, 5, 4], [0, 1] * 30)

    assert drawn(load, errors, told=[ranked(load, errors)]).title == "Errors of orders"


def test_messages_and_usage_do_not_count_as_failures_for_the_age_in_their_names() -> None:
    stored = series("NumberOfMessagesSent", [10] * 10 + [30] * 5, [10] * 180)
    stopped = series("NumberOfMessagesDeleted", [10] * 10 + [0] * 5, [10] * 180)

    assert drawn(stored, stopped, told=[ranked(stored, stopped)]).title == "Number of messages deleted of orders"


def alarm(threshold: float, *, period: int = 60, **fields: Any) -> AlarmTransition:
    return AlarmTransition(
        resource="arn:aws:cloudwatch:eu-west-1:123456789012:alarm:x", source="cloudwatch:DescribeAlarms", name="x",
        alarm_kind=AlarmKind.METRIC, state=AlarmState.ALARM, namespace="AWS/DynamoDB", metric="WriteThrottleEvents",
        dimensions={"TableName": "orders"}, statistic="Sum", period_seconds=period, threshold=threshold, **fields,
    )  # fmt: skip


def test_the_alarms_own_metric_is_drawn_with_its_threshold_where_the_verdict_cites_none() -> None:
    shown = drawn(THROTTLES, alarm(50), told=[ranked(CONSUMED)])

    assert shown.title == "Write throttle events of orders"
    assert shown.threshold is not None
    assert (shown.threshold.level, shown.threshold.label) == (50, "alarm threshold 50")


def test_a_threshold_over_another_period_is_not_drawn_on_the_curve() -> None:
    assert drawn(THROTTLES, alarm(50, period=300), told=[ranked(THROTTLES)]).threshold is None


def test_consumed_capacity_is_measured_against_what_is_provisioned_for_a_whole_period() -> None:
    consumed = series("ConsumedWriteCapacityUnits", [620] * 10 + [300] * 5, [605, 620, 635] * 60)

    limit = drawn(consumed, PROVISIONED, told=[ranked(consumed)]).threshold

    assert limit is not None
    assert (limit.level, limit.label) == (300, "provisioned: 5 units a second")


def noticed(signal: str, at: float) -> Onset:
    return Onset(
        resource=TABLE, source="rca:Onsets", observed_at=minutes(at), signal=signal, direction=Direction.UP, worst=115, usual=0,
    )  # fmt: skip


def test_a_signal_that_analysis_noticed_at_the_cause_is_drawn_where_nothing_is_cited() -> None:
    onset = noticed("AWS/DynamoDB WriteThrottleEvents Sum", 0)

    assert drawn(THROTTLES, CONSUMED, onset, told=[ranked(resource=TABLE)]).title == "Write throttle events of orders"
    assert chart(THROTTLES, onset, told=[ranked(resource=QUEUE)]) is None


@pytest.mark.parametrize(("since", "onset"), [(-3, -3), (0.5, 0.5), (4, 0), (-30, 0), (None, 0)])
def test_the_onset_is_what_the_hypothesis_says_where_the_curve_bears_it_out(since: float | None, onset: float) -> None:
    assert drawn(THROTTLES, told=[ranked(THROTTLES, since=since)]).onset == minutes(onset)


def test_a_departure_that_comes_and_goes_began_when_it_first_came() -> None:
    errors = series("Errors", [0, 0, 0, 9, 0, 0, 8, 0, 9, 0, 0, 12], [0] * 60)

    assert drawn(errors, told=[ranked(errors, since=None)]).onset == minutes(-7)


@pytest.mark.parametrize(
    "change", [CUT.model_copy(update={"error_code": "AccessDenied"}), CUT], ids=["refused", "uncited"]
)
def test_a_change_that_was_refused_or_is_not_cited_is_not_marked(change: Change) -> None:
    told = [ranked(THROTTLES, change)] if change.error_code else [ranked(THROTTLES)]

    assert drawn(THROTTLES, change, told=told).changes == ()


def test_each_of_two_changes_tells_what_itself_did() -> None:
    provisioned = series(
        "ProvisionedWriteCapacityUnits", [500] * 8 + [5] * 8 + [50] * 4, [500] * 20, statistic="Average"
    )
    mended = CUT.model_copy(update={"observed_at": minutes(6), "event_id": "ev-2", "who": "mia"})

    shown = drawn(
        THROTTLES,
        provisioned,
        CUT,
        mended,
        told=[ranked(THROTTLES, CUT, mended)],
        window=Window(start=minutes(-10), end=minutes(12)),
    )

    assert [c.label for c in shown.changes] == [
        "UpdateTable by deploy-bot (500 → 5 WCU)",
        "UpdateTable by mia (5 → 50 WCU)",
    ]
    assert shown.alt.endswith("2 minutes after UpdateTable by deploy-bot (500 → 5 WCU).")


def test_a_change_long_before_the_onset_widens_the_chart() -> None:
    early = CUT.model_copy(update={"observed_at": minutes(-100)})

    shown = drawn(THROTTLES, early, told=[ranked(THROTTLES, early)])

    assert shown.start <= minutes(-100)
    assert "2 hours after UpdateTable by deploy-bot" in shown.alt


def test_a_change_right_before_is_told_as_such() -> None:
    assert "right after UpdateTable by deploy-bot" in drawn(
        THROTTLES, CUT.model_copy(update={"observed_at": minutes(-0.1)}),
        told=[ranked(THROTTLES, CUT.model_copy(update={"observed_at": minutes(-0.1)}))],
    ).alt  # fmt: skip


def test_a_long_series_is_thinned_and_keeps_its_farthest_value() -> None:
    values = [0.0] * 10 + [40.0] * 700
    values[500] = 999
    busy = series("Errors", values)

    shown = drawn(busy, told=[ranked(busy)], window=Window(start=minutes(-10), end=minutes(700)))

    assert len(shown.points) <= MOST_POINTS
    assert shown.period_seconds % 60 == 0
    assert max(value for value in shown.points if value is not None) == 999


def test_a_neighbours_metric_is_named_after_the_neighbour() -> None:
    errors = series("Errors", [0] * 10 + [9] * 5, resource=QUEUE, dimensions={"FunctionName": "reader"})
    index = series(
        "ReadThrottleEvents",
        [0] * 10 + [9] * 5,
        dimensions={"TableName": "orders", "GlobalSecondaryIndexName": "by-day"},
    )
    whole = series("ConcurrentExecutions", [0] * 10 + [9] * 5, dimensions={}, statistic="Maximum")

    names = [drawn(s, told=[ranked(s)]) for s in (errors, index, whole)]

    assert [n.title for n in names] == [
        "Errors of reader",
        "Read throttle events of by-day of orders",
        "Concurrent executions, highest of the whole account",
    ]
    assert names[0].alt.startswith("Errors of Lambda function `reader` rose")
    assert names[1].alt.startswith("Read throttle events of index `by-day` of DynamoDB table `orders` rose")


@pytest.mark.parametrize(
    ("metric", "statistic", "name"),
    [
        ("WriteThrottleEvents", "Sum", "Write throttle events"),
        ("5XXError", "Sum", "5XX error"),
        ("5xx", "Sum", "5xx"),
        ("Errors", "Sum", "Errors"),
        ("CPUUtilization", "Average", "CPU utilization, average"),
        ("ApproximateAgeOfOldestMessage", "Maximum", "Approximate age of oldest message, highest"),
        ("HTTPCode_Target_5XX_Count", "Sum", "HTTP code target 5XX count"),
        ("Duration", "p99", "Duration, p99"),
        ("_", "Sum", "_"),
    ],
)
def test_a_metric_is_named_in_words(metric: str, statistic: str, name: str) -> None:
    assert metric_name(series(metric, [1], statistic=statistic)) == name


# --- the waterfall


def segment(resource: str, start: float, seconds: float | None, *, fault: bool = False, **fields: Any) -> TraceSegment:
    return TraceSegment(
        resource=resource, source="xray:BatchGetTraces", trace_id=TRACE, segment_id=f"s{start}", name=resource[-8:], fault=fault,
        start=minutes(0) + timedelta(seconds=start), seconds=seconds, **fields,
    )  # fmt: skip


def call(caller: str, resource: str, operation: str, start: float, seconds: float, **fields: Any) -> TraceCall:
    return TraceCall(
        resource=resource, source="xray:BatchGetTraces", trace_id=TRACE, segment_id=f"c{start}-{operation}", caller=caller, service="x",
        operation=operation, start=minutes(0) + timedelta(seconds=start), seconds=seconds, **fields,
    )  # fmt: skip


REFUSED: dict[str, Any] = {
    "fault": True, "origin": True, "errors": (TracedError(type="com.amazonaws.Exception", code="ThrottlingException"),),
}  # fmt: skip
THROTTLED_REQUEST: tuple[Evidence, ...] = (
    segment(API, 0, 0.3, fault=True, http_status=502),
    call(API, FUNCTION, "Invoke", 0.003, 0.29),
    segment(FUNCTION, 0.004, 0.28, fault=True, origin_type="AWS::Lambda"),
    segment(FUNCTION, 0.010, 0.27, fault=True, origin_type="AWS::Lambda::Function"),
    call(FUNCTION, QUEUE, "SendMessage", 0.02, 0.01),
    call(FUNCTION, TABLE, "PutItem", 0.04, 0.22, retries=2, **REFUSED),
)


def waterfall(*items: Evidence, told: Iterable[RankedHypothesis] = ()) -> Waterfall | None:
    evidence = traced(*items)
    return waterfall_of(tuple(told), EvidenceBundle(evidence), graph_of(evidence))


def fallen(*items: Evidence, told: Iterable[RankedHypothesis] = ()) -> Waterfall:
    found = waterfall(*items, told=told)
    assert found is not None
    return found


def test_calls_are_nested_as_they_were_made_and_the_failing_path_is_marked() -> None:
    shown = fallen(*THROTTLED_REQUEST)

    rows = [(s.depth, s.name, s.failed, s.failing_path, s.note) for s in shown.spans]
    assert rows == [
        (0, "API a1b2c3", True, True, "HTTP 502"),
        (1, "Lambda create-order", True, True, ""),
        (2, "SendMessage jobs", False, False, ""),
        (2, "PutItem orders", True, True, "ThrottlingException, 2 retries"),
    ]
    assert shown.alt == (
        "A trace of 300 ms in which 3 of 4 steps failed: API a1b2c3 → Lambda function create-order → "
        "DynamoDB table orders: PutItem failed (ThrottlingException, 2 retries)."
    )


def test_two_runs_of_one_function_are_two_rows_each_under_its_own_call() -> None:
    shown = fallen(
        segment(API, 0, 1.0, fault=True),
        call(API, FUNCTION, "Invoke", 0.1, 0.2, fault=True),
        segment(FUNCTION, 0.1, 0.2, fault=True),
        call(FUNCTION, TABLE, "GetItem", 0.15, 0.1, **REFUSED),
        call(API, FUNCTION, "Invoke", 0.5, 0.2),
        segment(FUNCTION, 0.5, 0.2),
        call(FUNCTION, TABLE, "GetItem", 0.55, 0.1),
    )

    rows = [(s.depth, s.name, s.failing_path) for s in shown.spans]
    assert rows[1:] == [
        (1, "Lambda create-order", True),
        (2, "GetItem orders", True),
        (1, "Lambda create-order", False),
        (2, "GetItem orders", False),
    ]


def test_what_a_failing_caller_waited_for_is_on_the_path_and_has_no_end() -> None:
    shown = fallen(
        segment(FUNCTION, 0, 3.0, fault=True), call(FUNCTION, TABLE, "Query", 0.1, 0, pending=True)
    )  # fmt: skip

    last = shown.spans[-1]
    assert (last.seconds, last.failing_path, last.failed) == (None, True, False)
    assert shown.alt.endswith("→ DynamoDB table orders: Query had no end.")


def test_a_trace_in_which_nothing_failed_is_drawn_only_where_the_cause_took_its_time() -> None:
    def took(seconds: float) -> Waterfall | None:
        items = (segment(FUNCTION, 0, 4.0), call(FUNCTION, TABLE, "Scan", 0.1, seconds))
        return waterfall(*items, told=[ranked(resource=TABLE)])

    slow = took(3.5)

    assert took(0.2) is None
    assert slow is not None
    assert [s.failing_path for s in slow.spans] == [True, True]
    assert slow.alt.endswith("DynamoDB table orders: Scan took 3.5 s.")


def test_one_bar_is_no_waterfall() -> None:
    assert waterfall(segment(FUNCTION, 0, 1, fault=True)) is None


def test_the_trace_is_shown_in_which_the_cause_fails() -> None:
    other = "1-6740a1b2-ffffffffffffffffffffffff"
    ours = traced(*THROTTLED_REQUEST)
    fails = [
        i.model_copy(update={"trace_id": other})
        for i in (segment(FUNCTION, 0, 1, fault=True), call(FUNCTION, QUEUE, "Send", 0, 1, **REFUSED))
    ]
    theirs = TraceOverview(
        resource=FUNCTION, source="x", trace_id=other, start=minutes(-1), seconds=1, segments=1, subsegments=1, calls=1,
        failed_calls=1, failed_segments=1,
    )  # fmt: skip
    bundle = EvidenceBundle([*ours, theirs, *fails])

    shown = [waterfall_of([ranked(resource=r)], bundle, graph_of(bundle)) for r in (TABLE, QUEUE)]

    assert [w.title for w in shown if w] == [f"Trace {TRACE}", f"Trace {other}"]


def test_of_two_hundred_calls_the_failing_ones_are_kept_and_the_rest_is_counted() -> None:
    calls = [call(FUNCTION, TABLE, f"Get{n}", n / 100, 0.01, **(REFUSED if n in {77, 150} else {})) for n in range(200)]

    shown = fallen(segment(FUNCTION, 0, 3.0, fault=True), *calls)

    assert len(shown.spans) == ROWS
    assert {"Get77 orders", "Get150 orders"} <= {s.name for s in shown.spans if s.failed and s.failing_path}
    assert shown.spans[-1].name == f"+{201 - ROWS + 1} more calls"
    assert sum(s.left_out or 1 for s in shown.spans) == 201


def test_failures_that_do_not_fit_are_counted_as_failures() -> None:
    calls = [call(FUNCTION, TABLE, f"Get{n}", n / 100, 0.01, **REFUSED) for n in range(60)]

    last = fallen(segment(FUNCTION, 0, 3.0, fault=True), *calls).spans[-1]

    assert last.name == f"+{61 - ROWS + 1} more calls, {61 - ROWS + 1} failed"
    assert last.failed
    assert last.failing_path


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 50), st.integers(0, 50), st.booleans()),
        max_size=70,
    )
)
def test_whatever_the_trace_every_piece_of_work_is_shown_or_counted(
    made: list[tuple[int, int, int, int, bool]],
) -> None:
    names = (API, FUNCTION, TABLE, QUEUE)
    items: list[Evidence] = [segment(API, 0, 60, fault=True)]
    items += [
        call(names[a], names[b], f"Op{n}", start, seconds, **(REFUSED if bad else {}))
        for n, (a, b, start, seconds, bad) in enumerate(made)
    ]

    shown = waterfall(*items)

    if shown is None:
        assert not made
        return
    assert len(shown.spans) <= ROWS <= MOST_SPANS
    assert sum(s.left_out or 1 for s in shown.spans) == len(items)
    assert shown.spans[0].failing_path
    assert any(bad for *_, bad in made) is any(s.failed for s in shown.spans[1:])


# --- both


HEALTHY = traced(segment(FUNCTION, 0, 0.1), call(FUNCTION, TABLE, "GetItem", 0.01, 0.05))


def test_a_suspicion_that_no_verdict_follows_gets_no_picture() -> None:
    evidence = (*HEALTHY, THROTTLES)
    conclusion = concluded(evidence, hypothesis(THROTTLED, TABLE, strong=[THROTTLES]))

    pictures = illustrate(conclusion, EvidenceBundle(evidence), graph_of(evidence), WINDOW)

    assert [h.role for h in conclusion.ranked] == [Role.MINORITY]
    assert pictures == Pictures()
    assert not pictures


def test_an_alarm_that_no_cause_explains_shows_its_metric() -> None:
    evidence = (*HEALTHY, THROTTLES, alarm(50))

    pictures = illustrate(concluded(evidence), EvidenceBundle(evidence), graph_of(evidence), WINDOW)

    assert pictures.chart is not None
    assert pictures.waterfall is None


def test_the_report_carries_the_pictures_and_the_same_digest_in_whatever_order_evidence_came() -> None:
    evidence = [*traced(*THROTTLED_REQUEST), THROTTLES, CUT]
    results = [
        result(
            hypothesis(THROTTLED, TABLE, proof=[THROTTLED_REQUEST[-1]], strong=[THROTTLES]),
            hypothesis(CHANGE, TABLE, proof=[CUT], since=-2),
        )
    ]

    one, other = reported(evidence, results), reported(evidence[::-1], results)

    assert one.pictures.chart is not None
    assert one.pictures.waterfall is not None
    assert one.pictures == other.pictures
    assert one.digest == other.digest
    assert type(one).model_validate_json(one.model_dump_json()) == one
