"""What looks guilty and is not: refusals outlived, deployments two calls away, callees whose caller hung up."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from domain.evidence import Evidence
from domain.trace import TraceCall, TracedError, TraceSegment
from specialists.kit.loglines import REFUSED, LogEvent, LogLines
from specialists.kit.series import MetricSeries, Point
from tests.support.concluding import (
    API,
    CHANGE,
    CODE,
    DENIED,
    FUNCTION,
    OTHER,
    ROLE,
    called,
    concluded,
    hypothesis,
    looks,
    minutes,
    result,
    roles,
    segment,
    traced,
)

# --- refusals that a function outlived

NULL = TracedError(type="NullPointerException", message="a.price is null")
PASSED_ON = TracedError(type="CountError", message="User: x is not authorized to perform: cloudwatch:PutMetricData")
REFUSAL = called(FUNCTION, "aws:cloudwatch", code="AccessDenied", error=True, origin=True, http_status=403)
ONLY_LATE = {-10: 0, -9: 0, -8: 0, -7: 0, -6: 30, -5: 31}
ALWAYS = dict.fromkeys(range(-10, -4), 3)


def refused(*at: int) -> LogLines:
    events = tuple(LogEvent(at=minutes(m) + timedelta(seconds=4), message="not authorized", stream="s") for m in at)
    return LogLines(
        resource=FUNCTION, source="logs:FilterLogEvents", log_group="/aws/lambda/x", filter=REFUSED, events=events
    )


def errors(by_minute: Mapping[int, float]) -> MetricSeries:
    return MetricSeries(
        resource=FUNCTION,
        source="cloudwatch:GetMetricData",
        namespace="AWS/Lambda",
        metric="Errors",
        dimensions={"FunctionName": "create-order"},
        statistic="Sum",
        period_seconds=60,
        points=tuple(Point(at=minutes(m), value=v) for m, v in by_minute.items()),
    )


def failed(error: TracedError | None) -> TraceSegment:
    return segment(FUNCTION, fault=True, origin=True, errors=(error,) if error else ())


@pytest.mark.parametrize(
    ("error", "lines", "counted", "role"),
    [
        pytest.param(
            NULL, (-10, -9, -8, -6), ONLY_LATE, "ruled_out", id="refused before it failed with something else"
        ),
        pytest.param(PASSED_ON, (-10, -9, -8, -6), ONLY_LATE, "root_cause", id="it now passes the refusal on"),
        pytest.param(None, (-10, -9, -8, -6), ONLY_LATE, "root_cause", id="it says nothing of its own"),
        pytest.param(NULL, (-6, -5), ONLY_LATE, "root_cause", id="refused since it fails"),
        pytest.param(NULL, (-10, -9, -8), ALWAYS, "root_cause", id="it failed all the time"),
        pytest.param(NULL, (-10, -9, -8), dict.fromkeys(range(-10, -4), 0), "root_cause", id="it counts no errors"),
        pytest.param(NULL, (-10, -9), ONLY_LATE, "root_cause", id="refused too seldom to tell"),
    ],
)
def test_a_refusal_with_which_the_function_ran_well_is_not_why_it_fails(
    error: TracedError | None, lines: tuple[int, ...], counted: Mapping[int, float], role: str
) -> None:
    seen, policy = refused(*lines), looks(ROLE, "policy")
    denied = hypothesis(DENIED, ROLE, proof=[REFUSAL, seen, *policy], since=min(lines))
    raised = looks(FUNCTION, "log")
    items: tuple[Evidence, ...] = (*traced(failed(error), REFUSAL), seen, errors(counted), *policy, *raised)

    found = roles(concluded(items, denied, hypothesis(CODE, FUNCTION, proof=raised, since=-6)))

    assert found[(DENIED, ROLE)] == role
    assert found[(CODE, FUNCTION)] == ("root_cause" if role == "ruled_out" else "symptom")


# --- deployments


def test_new_code_two_calls_away_from_the_fault_did_not_set_it_off() -> None:
    def part_of(changed: str) -> str:
        calls = (called(API, OTHER, fault=True), called(OTHER, FUNCTION, fault=True))
        fault = segment(FUNCTION, fault=True, origin=True)
        told = looks(changed, "UpdateFunctionCode")
        entry, middle = looks(API, "5xx"), looks(OTHER, "log")
        killed = hypothesis("lambda-oom", FUNCTION, proof=[fault])
        symptoms = (hypothesis("apigw-integration-failure", API, strong=entry), hypothesis(CODE, OTHER, proof=middle))
        change = hypothesis(CHANGE, changed, strong=told, since=-2)
        items = traced(segment(API, fault=True), calls[0], segment(OTHER, fault=True), calls[1], fault)
        return roles(concluded((*items, *told, *entry, *middle), killed, *symptoms, change))[(CHANGE, changed)]

    assert part_of(API) == "minority"
    assert part_of(OTHER) == "trigger"


# --- callers that hang up


def hung_up(**fields: Any) -> TraceCall:
    error = TracedError(type="TimeoutError", message="Connection timed out after 2000 ms")
    return called(FUNCTION, OTHER, fault=True, origin=True, **fields).model_copy(update={"errors": (error,)})


def test_who_hangs_up_on_a_callee_that_ends_well_is_told_and_the_callee_not_blamed() -> None:
    said = concluded(traced(segment(FUNCTION, fault=True), hung_up(), segment(OTHER)), results=[result()]).verdict

    assert said.headline == (
        "Lambda function `create-order` stops waiting for Lambda function `other`, which ends well, "
        "but the evidence does not decide"
    )
    assert said.next_look == (
        "Compare how long Lambda function `create-order` waits for an answer with how long Lambda function `other` "
        "usually takes."
    )


@pytest.mark.parametrize(
    "items",
    [
        pytest.param((hung_up(http_status=504), segment(OTHER)), id="it was answered"),
        pytest.param((hung_up(), segment(OTHER, fault=True)), id="the callee failed"),
    ],
)
def test_a_callee_that_answered_or_failed_is_not_told_to_have_ended_well(items: tuple[Evidence, ...]) -> None:
    said = concluded(traced(segment(FUNCTION, fault=True), *items), results=[result()]).verdict

    assert "ends well" not in said.headline
