"""Agreement among specialists: causes and resources are compared, dissent lowers confidence, and all are shown."""

import pytest

from domain.findings import Hypothesis
from domain.report import Agreement, ReportStatus
from domain.result import SpecialistResult, SpecialistStatus
from orchestrator.conclude.agree import DISSENT, MOST_DISSENT, share_left
from orchestrator.conclude.settle import THRESHOLD
from tests.support.concluding import (
    CODE,
    DENIED,
    FUNCTION,
    OTHER,
    QUEUE,
    ROLE,
    TABLE,
    THROTTLED,
    THROTTLED_TRACE,
    concluded,
    hypothesis,
    looks,
    reported,
    result,
    roles,
    traced,
)
from tests.support.traces import arn

TRACE = traced(*THROTTLED_TRACE)
T = looks(TABLE, "capacity", "metric", "more")
F = looks(FUNCTION, "log", "errors")
R = looks(ROLE, "policy", "denial")
JOBS = arn("sqs", "nightly-jobs")
Q = looks(JOBS, "age", "depth")
SEEN = (*TRACE, *T, *F, *R, *Q)

TABLE_THROTTLES = hypothesis(THROTTLED, TABLE, proof=T[:1], strong=T[1:], specialist="dynamodb")
FUNCTION_RAISES = hypothesis(CODE, FUNCTION, proof=F[:1], strong=F[1:], specialist="lambda")
ROLE_LACKS = hypothesis(DENIED, ROLE, proof=R[:1], specialist="iam")
QUEUE_AGES = hypothesis("esm-visibility-lt-timeout", JOBS, proof=Q[:1], strong=Q[1:], specialist="sqs")


def told(*hypotheses: Hypothesis) -> list[SpecialistResult]:
    return [result(h, name=h.specialist) for h in hypotheses]


def test_three_specialists_that_disagree_are_all_shown_and_lower_the_confidence() -> None:
    alone = concluded(SEEN, results=told(TABLE_THROTTLES))
    report = reported(SEEN, told(TABLE_THROTTLES, ROLE_LACKS, QUEUE_AGES))

    assert report.agreement == Agreement(agreeing=("dynamodb",), dissenting=("iam", "sqs"))
    assert {h.cause for h in report.hypotheses} == {THROTTLED, DENIED, "esm-visibility-lt-timeout"}
    assert report.root_cause is not None
    assert alone.root_cause is not None
    assert report.root_cause.confidence == pytest.approx(alone.root_cause.confidence * DISSENT**2, abs=0.01)


def test_a_specialist_whose_finding_the_root_cause_explains_agrees() -> None:
    found = concluded(SEEN, results=told(TABLE_THROTTLES, FUNCTION_RAISES))

    assert found.settlement.agreement == Agreement(agreeing=("dynamodb", "lambda"))


def test_a_weak_other_opinion_is_no_dissent() -> None:
    guess = hypothesis(DENIED, ROLE, weak=R, specialist="iam")
    found = concluded(SEEN, results=told(TABLE_THROTTLES, guess))

    assert found.settlement.agreement == Agreement(agreeing=("dynamodb",))


def test_the_same_cause_at_two_resources_is_no_agreement() -> None:
    there = looks(OTHER, "log")
    here = hypothesis(CODE, FUNCTION, proof=F[:1], strong=F[1:], specialist="lambda")
    elsewhere = hypothesis(CODE, OTHER, proof=there, specialist="apigateway")
    found = concluded((*F, *there), results=told(here, elsewhere))

    assert found.settlement.agreement == Agreement(agreeing=("lambda",), dissenting=("apigateway",))


def test_equal_confidence_is_no_agreement_and_two_equal_causes_are_said_to_be_so() -> None:
    one, other = looks(TABLE, "a"), looks(QUEUE, "a")
    first = hypothesis(THROTTLED, TABLE, proof=one, specialist="dynamodb")
    second = hypothesis("esm-visibility-lt-timeout", QUEUE, proof=other, specialist="sqs")
    found = concluded((*one, *other), results=told(first, second))

    assert found.settlement.agreement is not None
    assert len(found.settlement.agreement.dissenting) == 1
    assert "About as likely" in found.verdict.summary


def test_doubt_that_leaves_less_than_the_threshold_leaves_no_verdict() -> None:
    one, other = looks(TABLE, "a", "b"), looks(QUEUE, "a", "b")
    first = hypothesis(THROTTLED, TABLE, strong=one[:1], weak=one[1:], specialist="dynamodb")
    second = hypothesis("esm-visibility-lt-timeout", QUEUE, strong=other[:1], weak=other[1:], specialist="sqs")
    found = concluded((*one, *other), results=told(first, second))

    assert found.verdict.status is ReportStatus.INCONCLUSIVE
    assert found.root_cause is None
    assert set(roles(found).values()) <= {"minority", "contributing"}


def test_where_all_specialists_failed_there_is_no_agreement_and_the_report_says_so() -> None:
    failed = [result(name=name, status=SpecialistStatus.FAILED) for name in ("dynamodb", "lambda", "iam")]
    report = reported((), failed)

    assert report.agreement is None
    assert report.status is ReportStatus.INCONCLUSIVE
    assert "None of the 3 specialists" in report.summary


def test_dissent_takes_away_so_much_and_no_more() -> None:
    shares = [share_left(Agreement(agreeing=("a",), dissenting=("b",) * n)) for n in range(6)]

    assert shares == sorted(shares, reverse=True)
    assert (shares[0], shares[-1], share_left(None)) == (1.0, MOST_DISSENT, 1.0)
    assert 0.99 * MOST_DISSENT > THRESHOLD
