"""Six real traces: what they say was written out from their documents by hand."""

import pytest

from orchestrator.trace.naming import Home
from tests.support.traces import calls, edges, nodes, origins, read_real, segments

STATES = "arn:aws:states:us-east-1:123456789012"
MACHINE_1, MACHINE_2 = f"{STATES}:stateMachine:state-machine-01", f"{STATES}:stateMachine:state-machine-02"
TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/orders"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:payments"
TOPIC = "arn:aws:sns:us-west-2:123456789012:awseb-e-ruag3jyweb-stack-NotificationTopic-6B829NT9V5O9"
FUNCTION = "arn:aws:lambda:us-west-2:123456789012:function:random-name"
MY_FUNCTION = "arn:aws:lambda:us-east-1:012345678901:function:my-function"


def test_nested_state_machines_are_two_nodes_and_their_calls_to_apis_name_no_resource() -> None:
    reading = read_real("04")

    assert nodes(reading) == [MACHINE_1, MACHINE_2, "aws:CloudWatchLogs", "aws:Lambda", "aws:Sfn"]
    assert {(e.source, e.target): e.calls for e in reading.graph.edges} == {
        (MACHINE_1, MACHINE_2): 2,
        (MACHINE_1, "aws:CloudWatchLogs"): 2,
        (MACHINE_2, "aws:Lambda"): 24,
        (MACHINE_2, "aws:Sfn"): 2,
    }
    assert origins(reading) == set()


def test_executions_stay_attributes_of_their_state_machines() -> None:
    executions = {s.attributes["execution_arn"] for s in segments(read_real("04"))}

    assert executions == {
        f"{STATES}:execution:state-machine-01:b5266c9f-18ca-4290-ac1c-a7f571afceca",
        f"{STATES}:express:state-machine-02:4d124a6e-5282-4ae8-bb30-801cce649ddb:eceb53c2-7082-4733-af7a-c3a5b17a306a",
        f"{STATES}:express:state-machine-02:583fa7bd-3c77-4c85-a71b-e063f33a0307:a279dc7e-65f4-4b44-8ebd-7548a6429075",
    }


def test_inferred_segments_are_counted_once() -> None:
    overview = read_real("04").overview

    assert (overview.segments, overview.subsegments, overview.calls, overview.failed_calls) == (31, 734, 30, 0)
    assert overview.seconds == 6.413


def test_an_asynchronous_invocation_is_one_function_without_failures() -> None:
    reading = read_real("06")

    assert nodes(reading) == [MY_FUNCTION]
    assert edges(reading) == []
    assert reading.overview.summary() == "1 segments, 2 subsegments, 550 ms; no calls, no failures"


def test_a_function_seen_by_service_and_by_itself_is_one_node_without_a_call_to_itself() -> None:
    reading = read_real("08", Home("999999999999", "eu-west-1"))

    assert nodes(reading) == [FUNCTION, TOPIC, "service:Scorekeep"]
    assert edges(reading) == [(FUNCTION, TOPIC), ("service:Scorekeep", FUNCTION)]
    assert {s.resource for s in segments(reading) if s.name == "random-name"} == {FUNCTION}


@pytest.mark.parametrize(
    ("name", "target", "operation", "code"),
    [
        ("10", TABLE, "PutItem", "ProvisionedThroughputExceededException"),
        ("12", QUEUE, "SendMessage", "AccessDeniedException"),
    ],
)
def test_the_failure_begins_at_the_call_whose_exception_the_parents_only_point_at(
    name: str, target: str, operation: str, code: str
) -> None:
    reading = read_real(name)
    (failed,) = calls(reading)

    assert edges(reading) == [("service:checkout", target)]
    assert origins(reading) == {target}
    assert (failed.operation, failed.errors[0].code, failed.errors[0].remote) == (operation, code, True)
    assert reading.overview.first_fault == operation
    assert all(not s.errors for s in segments(reading))


def test_a_throttle_without_its_flag_is_known_by_its_code() -> None:
    assert calls(read_real("10"))[0].throttle


def test_a_refusal_is_no_throttle() -> None:
    assert not calls(read_real("12"))[0].throttle


def test_the_baseline_has_nothing_wrong() -> None:
    reading = read_real("15")

    assert nodes(reading) == [TABLE, "service:checkout"]
    assert origins(reading) == set()
    assert reading.overview.summary().endswith("1 of 1 calls succeeded")
