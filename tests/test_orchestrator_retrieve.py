"""Traces that only Transaction Search knows."""

import json
import time
from collections.abc import Iterator

import pytest

from aws.session import AwsConfig, ReadSession
from domain.gap import GapReason
from orchestrator.discover import READS
from orchestrator.fetch import Fetched, fetch
from orchestrator.investigate import utc_now
from orchestrator.retrieve import with_retrieved
from sandbox.aws import faults
from sandbox.aws.local import LocalAws

TRACE = f"1-{int(time.time()) - 600:08x}-00000000000000000000000a"
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:reader"
DOCUMENT = {
    "id": "00000000000000a1",
    "trace_id": TRACE,
    "name": "reader",
    "origin": "AWS::Lambda::Function",
    "resource_arn": FUNCTION,
    "start_time": 1.0,
    "end_time": 2.0,
}


@pytest.fixture(scope="module")
def _aws() -> Iterator[LocalAws]:
    with LocalAws() as aws:
        yield aws


@pytest.fixture
def aws(_aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> LocalAws:
    _aws.reset()
    _aws.clear_faults()
    for name, value in _aws.environment().items():
        monkeypatch.setenv(name, value)
    return _aws


def retrieved(trace: str = TRACE) -> Fetched:
    clients = ReadSession(AwsConfig(region="eu-west-1"), READS).clients()
    return with_retrieved(clients, fetch(clients, [trace]), utc_now(), sleep=lambda _: None)


def answers(aws: LocalAws, status: str) -> None:
    aws.serve("xray", "StartTraceRetrieval", {"RetrievalToken": "token-1"})
    trace = {"Id": TRACE, "Spans": [{"Id": "00000000000000a1", "Document": json.dumps(DOCUMENT)}]}
    aws.serve("xray", "ListRetrievedTraces", {"RetrievalStatus": status, "TraceFormat": "XRAY", "Traces": [trace]})


def test_a_trace_that_only_transaction_search_knows_is_retrieved(aws: LocalAws) -> None:
    answers(aws, "COMPLETE")

    found = retrieved()

    assert [json.loads(text)["resource_arn"] for text in found.documents[TRACE]] == [FUNCTION]
    assert (found.absent, found.gaps) == ((), ())


def test_a_retrieval_that_knows_nothing_leaves_the_trace_absent(aws: LocalAws) -> None:
    aws.serve("xray", "StartTraceRetrieval", {"RetrievalToken": "token-1"})
    aws.serve("xray", "ListRetrievedTraces", {"RetrievalStatus": "COMPLETE", "Traces": []})

    assert retrieved().absent == (TRACE,)


def test_a_denied_retrieval_names_the_action_to_grant(aws: LocalAws) -> None:
    aws.inject("xray", "StartTraceRetrieval", faults.ACCESS_DENIED)

    (gap,) = retrieved().gaps

    assert (gap.reason, gap.action) == (GapReason.ACCESS_DENIED, "xray:StartTraceRetrieval")


def test_a_trace_older_than_x_ray_keeps_is_not_asked_for_again(aws: LocalAws) -> None:
    aws.forget_calls()

    assert retrieved("1-5e1b4151-00000000000000000000000a").absent
    assert "StartTraceRetrieval" not in {call.operation for call in aws.calls}
