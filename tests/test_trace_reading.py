"""How traces fail, as real documents record it: what failed, where it began, what was still pending."""

import json
import random
import time
from typing import Any

import pytest

from orchestrator.trace.documents import read_documents
from orchestrator.trace.reading import read_trace
from tests.support.traces import (
    HOME,
    START,
    TRACE,
    arn,
    call,
    calls,
    document,
    edges,
    function,
    nodes,
    origins,
    put_item,
    raised,
    read,
    segments,
)

FUNCTION, TABLE = arn("lambda", "function:f"), arn("dynamodb", "table/orders")
THROTTLE = raised("ProvisionedThroughputExceededException", "The level of configured throughput was exceeded")


def test_parents_that_repeat_a_fault_are_not_where_it_began() -> None:
    throttled = put_item(status=400, error=True, cause=THROTTLE)
    reading = read(function("f", document("## handler", throttled, fault=True), fault=True))

    assert origins(reading) == {TABLE}


def test_a_cause_that_is_a_string_points_at_a_childs_exception() -> None:
    throttled = put_item(status=400, error=True, cause=THROTTLE)
    reading = read(function("f", throttled, fault=True, cause=THROTTLE["exceptions"][0]["id"]))

    assert origins(reading) == {TABLE}
    assert segments(reading)[0].errors == ()


def test_an_exception_that_a_parent_repeats_is_the_calls_alone() -> None:
    throttled = put_item(status=400, error=True, cause=THROTTLE)
    (segment,) = segments(read(function("f", throttled, fault=True, cause=THROTTLE)))

    assert (segment.errors, segment.origin) == ((), False)


@pytest.mark.parametrize("cause", [{}, {"exceptions": []}, {"exceptions": None}, {"exceptions": ["x", 1]}, 7, None, []])
def test_a_cause_without_exceptions_is_no_failure(cause: Any) -> None:
    reading = read(function("f", put_item(cause=cause), cause=cause))

    assert reading.overview.failed_calls == 0
    assert not segments(reading)[0].failed


def test_a_functions_own_exception_begins_at_the_function() -> None:
    error = raised("KeyError", "'id'", stack=[{"path": "app.py", "line": 43, "label": "handler"}])
    (segment,) = segments(read(function("f", put_item(), fault=True, cause=error)))

    assert segment.origin
    assert segment.errors[0].frame == "app.py:43 in handler"


def test_an_exception_in_a_local_subsegment_is_its_functions_own() -> None:
    inside = document("## validate", fault=True, cause=raised("ValueError", "no such order"))
    (segment,) = segments(read(function("f", inside, fault=True)))

    assert [e.type for e in segment.errors] == ["ValueError"]
    assert segment.origin


@pytest.mark.parametrize(
    ("cause", "code"),
    [
        (raised("ClientError", "An error occurred (AccessDenied) when calling the PutItem operation: no"), "AccessDenied"),
        (raised("ProvisionedThroughputExceededException", "slow down"), "ProvisionedThroughputExceededException"),
        (raised("com.amazonaws.services.dynamodbv2.model.ResourceNotFoundException", "Requested resource not found"), "ResourceNotFoundException"),
        (raised("AmazonDynamoDBException", "Rate exceeded (Service: AmazonDynamoDBv2; Status Code: 400; Error Code: ThrottlingException; Request ID: A)"), "ThrottlingException"),
        (raised("*http.ResponseError", "operation error DynamoDB: PutItem, https response error StatusCode: 400, RequestID: A, ResourceNotFoundException: x"), "ResourceNotFoundException"),
        (raised("smithy.OperationError", "operation error SQS: SendMessage, https response error StatusCode: 403, RequestID: A, api error AccessDenied: x"), "AccessDenied"),
        (raised("Error", "ConditionalCheckFailedException: The conditional request failed"), "ConditionalCheckFailedException"),
        (raised("ReadTimeoutError", "Read timeout on endpoint URL"), "ReadTimeoutError"),
        (raised("Error", "connect ECONNREFUSED 127.0.0.1:6379"), None),
    ],
)  # fmt: skip
def test_every_sdks_wording_gives_the_error_code(cause: dict[str, Any], code: str | None) -> None:
    (failed,) = calls(read(function("f", put_item(status=400, fault=True, cause=cause), fault=True)))

    assert failed.errors[0].code == code


def test_a_400_that_go_marks_as_a_fault_fails_like_one_that_python_marks_as_both() -> None:
    for flags in ({"fault": True}, {"error": True, "fault": True}, {"error": True}, {}):
        (failed,) = calls(read(function("f", put_item(status=400, cause=THROTTLE, **flags))))

        assert failed.failed
        assert failed.throttle
        assert failed.origin


@pytest.mark.parametrize(("status", "flag"), [(404, "error"), (503, "fault"), (429, "throttle")])
def test_a_status_alone_tells_how_a_call_failed(status: int, flag: str) -> None:
    (failed,) = calls(read(function("f", put_item(status=status))))

    assert getattr(failed, flag)


def test_a_timeout_has_no_response_and_is_still_where_it_began() -> None:
    slow = document("api.stripe.com", namespace="remote", fault=True, cause=raised("ReadTimeout", "read timed out"))
    reading = read(function("f", slow, fault=True))

    assert calls(reading)[0].http_status is None
    assert origins(reading) == {"remote:api.stripe.com"}


def test_a_call_without_an_end_is_what_the_caller_was_waiting_for() -> None:
    waiting = put_item(status=None, in_progress=True)
    del waiting["end_time"]
    reading = read(
        function("f", waiting, fault=True, cause=raised("Runtime.Timeout", "Task timed out after 3.00 seconds"))
    )

    assert calls(reading)[0].pending
    assert segments(reading)[0].pending == ("DynamoDB",)
    assert origins(reading) == {FUNCTION}


def test_a_segment_without_an_end_makes_the_trace_in_progress() -> None:
    running = function("f", in_progress=True)
    del running["end_time"]
    overview = read(running).overview

    assert overview.in_progress
    assert overview.seconds == 0.0


def test_the_order_of_documents_does_not_matter() -> None:
    publish = call("SNS", "Publish", aws={"topic_arn": arn("sns", "orders")})
    trace = [
        function("f", publish, put_item(status=400, cause=THROTTLE), fault=True),
        function("g", parent_id=publish["id"]),
        document("SNS", origin="AWS::SNS", inferred=True, parent_id=publish["id"]),
        document("lost", parent_id="00000000deadbeef"),
    ]
    readings = [read(*random.Random(seed).sample(trace, len(trace))) for seed in range(6)]

    assert all(r == readings[0] for r in readings)


@pytest.mark.parametrize("newest_first", [True, False])
def test_a_document_sent_in_progress_and_then_complete_counts_once(newest_first: bool) -> None:
    done = function("f", put_item())
    begun = {**done, "in_progress": True}
    del begun["end_time"]
    del begun["subsegments"]
    overview = read(*([done, begun] if newest_first else [begun, done])).overview

    assert (overview.segments, overview.calls, overview.in_progress) == (1, 1, False)


def test_a_subsegment_sent_on_its_own_belongs_under_its_parent() -> None:
    owner = function("f", fault=True)
    reading = read(put_item(type="subsegment", parent_id=owner["id"], status=400, cause=THROTTLE), owner)

    assert edges(reading) == [(FUNCTION, TABLE)]
    assert (reading.overview.segments, reading.overview.subsegments) == (1, 1)
    assert origins(reading) == {TABLE}


def test_a_subsegment_sent_alone_and_inside_its_segment_counts_once() -> None:
    inside = put_item()
    reading = read(
        function("f", inside, id="0000000000000abc"), {**inside, "type": "subsegment", "parent_id": "0000000000000abc"}
    )

    assert reading.overview.calls == 1


def test_an_inferred_segment_does_not_count_its_call_again() -> None:
    inside = put_item(status=400, error=True, cause=THROTTLE)
    inferred = document(
        "orders", origin="AWS::DynamoDB::Table", inferred=True, parent_id=inside["id"], error=True, cause=THROTTLE
    )
    reading = read(function("f", inside, fault=True), inferred)

    assert {(e.source, e.target): (e.calls, e.throttles) for e in reading.graph.edges} == {(FUNCTION, TABLE): (1, 1)}
    assert origins(reading) == {TABLE}
    assert (reading.overview.failed_calls, reading.overview.failed_segments) == (1, 1)


def test_the_other_sides_failure_is_where_it_began() -> None:
    invoke = call("Lambda", "Invoke", aws={"function_name": "g"}, fault=True, status=200)
    inner = function("g", fault=True, cause=raised("KeyError", "'id'"), parent_id=invoke["id"])
    reading = read(function("f", invoke, fault=True), inner)

    assert origins(reading) == {arn("lambda", "function:g")}
    assert reading.overview.first_fault == "g"


def test_a_cold_starts_initialization_is_measured() -> None:
    cold = function("f", document("Initialization", end_time=START + 0.25))

    assert segments(read(cold))[0].init_seconds == 0.25


def test_links_are_other_traces_by_valid_ids_only() -> None:
    other = "1-6740a1b3-abcdef1234567890abcdef12"
    links = [{"trace_id": other}, {"trace_id": other}, {"trace_id": "nonsense"}, {"trace_id": 7}, "x", {}]

    assert read(function("f", links=links)).links == (other,)
    assert read(function("f", document("orders process", links=links))).links == (other,)


def test_retries_and_annotations_are_kept() -> None:
    inside = call("DynamoDB", "PutItem", aws={"table_name": "orders", "retries": 3})
    reading = read(function("f", inside, annotations={"tenant": "acme", "n": 7, "deep": {"a": 1}}))

    assert calls(reading)[0].retries == 3
    assert segments(reading)[0].attributes["annotation.tenant"] == "acme"
    assert "annotation.deep" not in segments(reading)[0].attributes


@pytest.mark.parametrize(
    "text",
    ["", "not json", "[1]", '"x"', "null", "{}", '{"id": "a"}', '{"start_time": "now"}', "[" * 100_000, "9" * 5000],
)
def test_what_is_no_segment_is_counted_and_left_out(text: str) -> None:
    tree = read_documents(TRACE, [text, json.dumps(function("f"))])
    reading = read_trace(tree, HOME)

    assert tree.unreadable == 1
    assert reading is not None
    assert (nodes(reading), reading.overview.complete) == ([FUNCTION], False)


def test_a_trace_without_any_segment_says_nothing() -> None:
    assert read_trace(read_documents(TRACE, ["", "{}"]), HOME) is None


@pytest.mark.parametrize(
    "fields",
    [
        {"aws": "x", "http": 7, "cause": [], "subsegments": {}, "annotations": [], "links": 3, "origin": {}, "namespace": 1},
        {"aws": {"retries": "²", "resource_names": 5, "table_name": {}, "account_id": 12, "region": []}},
        {"http": {"request": {"url": {}, "method": 7}, "response": {"status": True}}},
        {"http": {"request": {"url": "http://[", "method": "GET"}, "response": {"status": 10**18}}},
        {"name": None, "end_time": "later", "error": "yes", "fault": 1, "parent_id": {}},
        {"name": "\ud800", "annotations": {"\ud800": "\udfff"}},
        {"subsegments": ["x", None, {}, {"name": "DynamoDB", "namespace": "aws"}, {"namespace": "remote"}]},
        {"end_time": 1e300, "parent_id": "self", "id": "self"},
        {"cause": {"exceptions": [{"type": 7, "message": None, "stack": "x"}, {"stack": [{"line": []}]}, {"stack": [7]}]}},
    ],
)  # fmt: skip
def test_absurd_types_are_read_as_absent(fields: dict[str, Any]) -> None:
    reading = read(function("f"), document("odd", **fields))

    assert FUNCTION in nodes(reading)
    assert json.dumps([(e.id, e.dump()) for e in reading.evidence], ensure_ascii=False).encode()


def test_a_subsegment_without_a_start_began_with_its_parent() -> None:
    inside = put_item()
    del inside["start_time"]

    assert calls(read(function("f", inside)))[0].start.timestamp() == START


def test_sixty_levels_are_read_to_the_bottom() -> None:
    inside = put_item(status=500)
    for _ in range(60):
        inside = document("level", inside)

    assert origins(read(function("f", inside, fault=True))) == {TABLE}


def test_ten_thousand_subsegments_are_read_in_seconds() -> None:
    many = function("f", *(put_item(f"t{n % 50}", status=400 if n % 2 else 200) for n in range(10_000)), fault=True)
    began = time.perf_counter()
    reading = read(many)

    assert reading.overview.calls == 10_000
    assert time.perf_counter() - began < 5


def test_five_thousand_subsegments_sent_on_their_own_in_a_chain_are_read_in_seconds() -> None:
    chain = [function("f", id="n0")]
    chain += [
        document("step", id=f"n{n}", parent_id=f"n{n - 1}", type="subsegment", fault=True) for n in range(1, 5_000)
    ]
    began = time.perf_counter()
    read(*chain)

    assert time.perf_counter() - began < 5


def test_parents_that_form_a_cycle_are_read_once_each() -> None:
    first, second = put_item(status=500), call("Lambda", "Invoke", status=500)
    one = function("f", first, first, fault=True, parent_id=second["id"])
    two = function("g", second, second, fault=True, parent_id=first["id"])
    alone = document("a", id="a", parent_id="b", type="subsegment")
    reading = read(one, two, alone, document("b", id="b", parent_id="a", type="subsegment"))

    assert {FUNCTION, arn("lambda", "function:g")} <= set(nodes(reading))
