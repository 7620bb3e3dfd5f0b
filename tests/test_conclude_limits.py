"""Where concluding holds back: blindness, guesses, retries, hosts that nobody can look into, one failure seen twice."""

from domain.gap import Gap, GapReason
from domain.report import ReportStatus
from orchestrator.conclude.conclusion import Conclusion
from orchestrator.trace.documents import read_documents
from orchestrator.trace.naming import Home
from orchestrator.trace.reading import read_trace
from tests.support.concluding import (
    API,
    AT,
    CODE,
    DENIED,
    FUNCTION,
    ROLE,
    TABLE,
    called,
    concluded,
    hypothesis,
    looks,
    minutes,
    one,
    result,
    roles,
    segment,
    traced,
)

FAILING = traced(segment(API, fault=True), segment(FUNCTION, fault=True, origin=True))
GUESSES = looks(FUNCTION, "a", "b", "c", "d", "e", "f")
LOG = looks(FUNCTION, "log", "errors")


def test_weak_evidence_alone_is_no_verdict_however_much_there_is() -> None:
    guess = hypothesis(CODE, FUNCTION, weak=GUESSES)

    assert concluded((*FAILING, *GUESSES), guess).root_cause is None


def test_one_strong_look_among_guesses_may_be_a_verdict() -> None:
    founded = hypothesis(CODE, FUNCTION, strong=GUESSES[:2], weak=GUESSES[2:])

    assert concluded((*FAILING, *GUESSES), founded).root_cause is not None


def test_missing_logs_neither_cause_nor_explain_a_failure() -> None:
    silent = looks(FUNCTION, "no log group", "invocations")
    blind = hypothesis("lambda-logs-missing", FUNCTION, proof=silent)
    raised = hypothesis(CODE, FUNCTION, proof=LOG[:1], strong=LOG[1:])

    both = concluded((*FAILING, *silent, *LOG), blind, raised)

    assert roles(both)[CODE, FUNCTION] == "root_cause"
    assert concluded((*FAILING, *silent), blind).root_cause is None


def test_what_was_tried_again_and_succeeded_is_no_failure() -> None:
    again = traced(
        segment(API),
        segment(FUNCTION, fault=True, origin=True),
        segment(FUNCTION).model_copy(update={"segment_id": "later", "start": minutes(0.1)}),
    )

    assert concluded(again).verdict.status is ReportStatus.COMPLETED
    assert concluded(again).verdict.headline == "Nothing wrong found here"


def test_what_succeeded_before_it_failed_is_a_failure() -> None:
    before = traced(
        segment(API),
        segment(FUNCTION, fault=True, origin=True),
        segment(FUNCTION).model_copy(update={"segment_id": "earlier", "start": minutes(-0.1)}),
    )

    assert concluded(before).verdict.status is ReportStatus.INCONCLUSIVE


def test_pointing_at_a_host_outside_aws_costs_no_confidence() -> None:
    outside = hypothesis(CODE, FUNCTION, proof=LOG[:1], strong=LOG[1:], defers_to=["remote:api.example.com"])
    inside = hypothesis(CODE, FUNCTION, proof=LOG[:1], strong=LOG[1:], defers_to=[TABLE])

    assert one(concluded((*FAILING, *LOG), outside), CODE, FUNCTION).role.value == "root_cause"
    assert concluded((*FAILING, *LOG), inside).root_cause is None


def test_one_failure_seen_at_two_resources_stands_once() -> None:
    refused = called(FUNCTION, TABLE, code="AccessDeniedException", origin=True, error=True)
    trace = traced(segment(FUNCTION, fault=True), refused)
    at_role = hypothesis(DENIED, ROLE, proof=[refused], strong=looks(ROLE, "policy"))
    at_function = hypothesis(DENIED, FUNCTION, strong=[refused])

    found = concluded((*trace, *looks(ROLE, "policy")), at_role, at_function)

    assert roles(found) == {(DENIED, ROLE): "root_cause", (DENIED, FUNCTION): "symptom"}


def test_a_proven_delivery_failure_beside_a_healthy_call_is_told() -> None:
    topic = "arn:aws:sns:eu-west-1:123456789012:prices"
    trace = traced(segment(FUNCTION), called(FUNCTION, topic))
    seen = looks(topic, "filter", "filtered out")
    filtered = hypothesis("sns-filter-mismatch", topic, proof=seen[:1], strong=seen[1:])

    assert concluded((*trace, *seen), filtered).root_cause is not None
    assert concluded(
        (*trace, *seen[:1]), hypothesis("sns-filter-mismatch", topic, strong=seen[:1])
    ).verdict.headline == ("Nothing wrong found here")


def test_a_call_answered_with_the_news_of_a_failure_is_a_failing_edge() -> None:
    caller = {
        "id": "a1", "trace_id": "1-0-0", "name": "page", "start_time": AT.timestamp(), "end_time": AT.timestamp() + 1,
        "resource_arn": "arn:aws:lambda:eu-west-1:123456789012:function:page", "origin": "AWS::Lambda::Function",
        "subsegments": [{"id": "b1", "name": "Lambda", "namespace": "aws", "start_time": 1, "end_time": 2,
                         "http": {"response": {"status": 200}}, "aws": {"operation": "Invoke", "function_name": "part"}}],
    }  # fmt: skip
    answering = {
        "id": "c1", "parent_id": "b1", "trace_id": "1-0-0", "name": "part", "start_time": 1, "end_time": 2, "fault": True,
        "resource_arn": "arn:aws:lambda:eu-west-1:123456789012:function:part", "origin": "AWS::Lambda::Function",
    }  # fmt: skip
    import json

    reading = read_trace(read_documents("1-0-0", [json.dumps(caller), json.dumps(answering)]), Home("1", "eu-west-1"))

    assert reading is not None
    assert [edge.failing for edge in reading.graph.edges] == [True]


def test_pointing_out_of_aws_while_the_way_there_could_not_be_read_is_no_verdict() -> None:
    outside = hypothesis(CODE, FUNCTION, proof=LOG[:1], strong=LOG[1:], defers_to=["remote:api.example.com"])
    denied = Gap(
        specialist="vpc",
        probe="route_tables",
        resource=FUNCTION,
        reason=GapReason.ACCESS_DENIED,
        action="ec2:DescribeRouteTables",
        message="grant ec2:DescribeRouteTables",
    )

    def found(*gaps: Gap) -> Conclusion:
        return concluded((*FAILING, *LOG), results=[result(outside), result(name="vpc", gaps=gaps)])

    assert found().root_cause is not None
    assert found(denied).root_cause is None
    assert found(denied).verdict.next_look == "grant ec2:DescribeRouteTables"
