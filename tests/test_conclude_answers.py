"""What is no failure, what got no answer, where it went, how far away it is, and whether it is over."""

from datetime import timedelta
from typing import Any

import pytest

from domain.alarm import AlarmKind, AlarmState, AlarmTransition
from domain.evidence import EvidenceBundle
from domain.graph import ServiceGraph
from domain.report import ReportStatus
from domain.trace import TraceCall, TracedError
from orchestrator.conclude.weigh import TraceView
from specialists.kit.series import MetricSeries, Point
from tests.support.concluding import (
    API,
    AT,
    CODE,
    FUNCTION,
    TABLE,
    THROTTLED,
    called,
    concluded,
    graph_of,
    hypothesis,
    looks,
    minutes,
    result,
    roles,
    segment,
    traced,
)

REMOTE = "remote:api.fraud.example"
F = looks(FUNCTION, "log", "errors")


def later(call: TraceCall, seconds: float) -> TraceCall:
    return call.model_copy(update={"start": call.start + timedelta(seconds=seconds)})


def failing(*calls: TraceCall) -> TraceView:
    return TraceView.of(EvidenceBundle(traced(segment(FUNCTION, fault=True), *calls)))


# --- a plain no


CONDITION = called(FUNCTION, TABLE, code="ConditionalCheckFailedException", error=True, fault=True, http_status=400, origin=True)  # fmt: skip
UNAVAILABLE = called(FUNCTION, REMOTE, fault=True, http_status=503, origin=True)


def test_a_failure_does_not_begin_at_a_condition_that_its_caller_went_on_from() -> None:
    view = failing(CONDITION, later(UNAVAILABLE, 1))

    assert view.origins == {REMOTE}
    assert TABLE not in view.failing


def test_a_condition_after_which_nothing_else_failed_stays_a_suspect() -> None:
    assert failing(CONDITION).origins == {TABLE}
    assert failing(later(CONDITION, 2), later(UNAVAILABLE, 1)).origins == {TABLE, REMOTE}


HUNG = called(FUNCTION, REMOTE).model_copy(update={"pending": True})


def test_a_failure_does_not_begin_at_a_condition_after_which_its_caller_waited_without_end() -> None:
    view = failing(CONDITION, later(HUNG, 1))

    assert view.origins == frozenset()
    assert TABLE not in view.failing


def test_a_condition_that_was_refused_beside_a_call_without_end_stays_a_suspect() -> None:
    assert failing(CONDITION, later(HUNG, 0.05)).origins == {TABLE}
    assert failing(later(CONDITION, 1), HUNG).origins == {TABLE}


def test_a_denied_call_is_no_plain_no() -> None:
    denied = called(FUNCTION, TABLE, code="AccessDeniedException", error=True, http_status=400, origin=True)

    assert failing(denied, later(UNAVAILABLE, 1)).origins == {TABLE, REMOTE}


def test_a_ruby_errors_code_is_read_without_its_modules() -> None:
    ruby = TracedError(type="Aws::DynamoDB::Errors::ConditionalCheckFailedException", message="it failed")

    assert CONDITION.model_copy(update={"errors": (ruby,)}).answered_no


def test_an_api_that_hands_on_a_404_of_its_function_is_no_incident() -> None:
    items = traced(segment(API, error=True, http_status=404), called(API, FUNCTION, http_status=200), segment(FUNCTION))
    found = concluded(items, results=[result()])

    assert found.verdict.status is ReportStatus.COMPLETED
    assert found.verdict.summary.startswith("The request was answered with HTTP 404, and nothing behind that answer")


@pytest.mark.parametrize("status", [401, 403, 429])
def test_what_a_guard_may_have_answered_stays_open(status: int) -> None:
    items = traced(
        segment(API, error=True, http_status=status), called(API, FUNCTION, http_status=200), segment(FUNCTION)
    )

    assert concluded(items, results=[result()]).verdict.status is ReportStatus.INCONCLUSIVE


def test_a_404_of_the_gateway_itself_stays_open() -> None:
    items = traced(segment(API, error=True, http_status=404, origin=True))

    assert concluded(items, results=[result()]).verdict.status is ReportStatus.INCONCLUSIVE


# --- no answer


def timed_out(**fields: Any) -> TraceCall:
    error = TracedError(type="ConnectTimeoutError", message="Connect timeout on endpoint URL")
    return called(FUNCTION, TABLE, fault=True, origin=True, **fields).model_copy(update={"errors": (error,)})


def test_a_call_without_an_answer_does_not_say_that_what_was_called_fails() -> None:
    said = concluded(traced(segment(FUNCTION, fault=True), timed_out()), results=[result()]).verdict

    assert said.headline == (
        "Calls of Lambda function `create-order` to DynamoDB table `orders` get no answer, "
        "but the evidence does not decide"
    )
    assert said.next_look is not None
    assert said.next_look.startswith("Look at the way from Lambda function `create-order` to DynamoDB table `orders`")


def test_a_call_with_an_answer_says_where_it_fails() -> None:
    said = concluded(traced(segment(FUNCTION, fault=True), timed_out(http_status=500)), results=[result()]).verdict

    assert said.headline.startswith("Something is failing in DynamoDB table `orders`")


# --- where the time went, and whether it is over


def rang(over: float | None = None) -> AlarmTransition:
    return AlarmTransition(
        resource="arn:aws:cloudwatch:eu-west-1:123456789012:alarm:slow", source="cloudwatch:DescribeAlarmHistory", observed_at=AT, name="slow",
        alarm_kind=AlarmKind.METRIC, state=AlarmState.ALARM, over_at=None if over is None else minutes(over),
    )  # fmt: skip


def test_an_alarm_that_nothing_explains_tells_what_the_slowest_request_waited_for() -> None:
    slow = called(FUNCTION, REMOTE, http_status=200).model_copy(update={"seconds": 8.1})
    overview, *rest = traced(segment(FUNCTION), slow)
    said = concluded((overview.model_copy(update={"seconds": 8.2}), *rest, rang()), results=[result()]).verdict

    assert "`create-order` waited 8.1 s for external service `api.fraud.example`" in said.summary
    assert said.next_look is not None
    assert "external service `api.fraud.example`" in said.next_look


def test_no_call_is_blamed_for_a_time_that_it_did_not_take() -> None:
    said = concluded((*traced(segment(FUNCTION), called(FUNCTION, REMOTE)), rang()), results=[result()]).verdict

    assert "waited" not in said.summary


@pytest.mark.parametrize(("over", "told"), [(None, False), (12, True)])
def test_the_verdict_says_when_the_alarm_was_ok_again(over: float | None, told: bool) -> None:
    items = (*traced(segment(FUNCTION, fault=True, origin=True)), *F, rang(over))
    found = concluded(items, hypothesis(CODE, FUNCTION, proof=F))

    assert ("Alarm `slow` was OK again at 10:05 UTC." in found.verdict.summary) is told
    assert any("was OK again" in entry.what for entry in found.timeline) is told


# --- how far away, and how much


@pytest.mark.parametrize(
    ("arn", "where"),
    [
        ("arn:aws:dynamodb:us-east-1:123456789012:table/orders", " in us-east-1"),
        ("arn:aws:dynamodb:eu-west-1:210987654321:table/orders", " of account 210987654321"),
        (TABLE, ""),
    ],
)
def test_the_headline_says_where_what_is_called_from_elsewhere_is(arn: str, where: str) -> None:
    full = called(FUNCTION, arn, code="ProvisionedThroughputExceededException", error=True, origin=True)
    found = concluded((*traced(segment(FUNCTION, fault=True), full), *F), hypothesis(THROTTLED, arn, proof=[full]))

    assert roles(found)[THROTTLED, arn] == "root_cause"
    assert found.verdict.headline.startswith(f"DynamoDB table `orders`{where} — ")


def test_the_failing_share_leaves_out_the_time_when_only_the_usual_failed() -> None:
    def counts(metric: str, values: list[float], usual: float) -> MetricSeries:
        return MetricSeries(
            resource=FUNCTION, source="cloudwatch:GetMetricData", namespace="AWS/Lambda", metric=metric, dimensions={"FunctionName": "create-order"},
            statistic="Sum", period_seconds=60, points=tuple(Point(at=minutes(n), value=v) for n, v in enumerate(values)),
            baseline=(Point(at=minutes(-60), value=usual),),
        )  # fmt: skip

    broken = traced(segment(FUNCTION, fault=True, origin=True))
    metrics = (counts("Errors", [2, 2, 2, 60], 2), counts("Invocations", [100, 100, 100, 100], 100))

    assert concluded((*broken, *metrics)).severity.failing_share == 0.6


def test_what_fails_alone_fails_with_nothing() -> None:
    alone = concluded(traced(segment(FUNCTION, fault=True, origin=True))).severity
    items = traced(segment(API, fault=True), called(API, FUNCTION, fault=True), segment(FUNCTION, fault=True, origin=True))  # fmt: skip

    assert alone.affected_services == ()
    assert set(concluded(items, graph=ServiceGraph.of(graph_of(items).nodes, graph_of(items).edges)).severity.affected_services) == {"a1b2c3", "create-order"}  # fmt: skip
