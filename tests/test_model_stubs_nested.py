"""The nested design that this project is measured against: it must be built as told, or the comparison is worth nothing."""

import pytest

from benchmarks import nested
from benchmarks.nested_script import Incident
from benchmarks.nested_tools import LEAN, OPERATIONS, REALISTIC, AwsTools, lead_operations, specification
from sandbox.models.served import AT_ONCE
from tests.support.concluding import FUNCTION, TABLE, called
from tests.support.reports import TRACE, incident

REFUSED = called(FUNCTION, TABLE, code="ProvisionedThroughputExceededException", error=True)
CASE = Incident(TRACE, (REFUSED,), incident(), {"lambda": "create-order", "dynamodb": "orders"})
REALISTIC_ONE, LEAN_ONE = nested.VARIANTS


@pytest.mark.parametrize(
    ("variant", "calls"), [(LEAN_ONE, 3 + 2 * 2), (REALISTIC_ONE, 3 + 2 * 3)], ids=["lean", "real"]
)
async def test_the_lead_reads_the_trace_asks_its_specialists_and_reports(variant, calls):
    ran = await nested.investigate(CASE, variant, aws_seconds=0, latency=AT_ONCE)

    assert sorted(ran.reached) == ["dynamodb", "lambda"]
    assert ran.calls == calls


async def test_a_lead_that_forgets_a_specialist_does_not_reach_it():
    ran = await nested.investigate(CASE, LEAN_ONE, aws_seconds=0, latency=AT_ONCE, omits={"dynamodb"}.__contains__)

    assert ran.reached == ("lambda",)


async def test_coverage_is_the_share_that_a_forgetful_lead_reaches():
    share = await nested.coverage(CASE, LEAN_ONE, runs=6)

    assert 0.5 <= share < 1


def test_the_lead_has_forty_five_aws_tools_and_each_specialist_asked_ten():
    assert len(lead_operations()) == 45
    assert {len(OPERATIONS[name]) for name in ("lambda", "apigateway", "iam", "dynamodb")} == {10}


@pytest.mark.parametrize(("wording", "characters", "parameters"), [(REALISTIC, 300, 5), (LEAN, 70, 2)])
def test_tools_speak_awss_own_words_cut_where_the_wording_says(wording, characters, parameters):
    told = [specification(operation, wording) for operation in lead_operations()]
    properties = [spec["inputSchema"]["json"]["properties"] for spec in told]

    assert max(len(spec["description"]) for spec in told) == characters
    assert max(map(len, properties)) == parameters
    assert specification(("dynamodb", "DescribeTable"), wording)["description"].startswith(
        "Returns information about the"
    )


def test_tools_answer_from_what_was_seen_no_longer_than_the_wording_says():
    aws = AwsTools([REFUSED] * 40, LEAN, 0)
    operation = ("xray", "BatchGetTraces")

    assert REFUSED.summary() in aws.answer(operation)
    assert len(aws.answer(operation)) <= 500
    assert aws.answer(("iam", "GetRole")) == "[]"
