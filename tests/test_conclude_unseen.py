"""Undecided because of what could not be seen: who saw nothing, where it fails, and which permission tells most."""

from domain.gap import Gap, GapReason
from domain.result import SpecialistResult, SpecialistStatus
from tests.support.concluding import (
    CODE,
    FUNCTION,
    TABLE,
    THROTTLED_TRACE,
    concluded,
    hypothesis,
    looks,
    result,
    segment,
    traced,
)


def denied(action: str, probe: str, specialist: str = "lambda", resource: str = FUNCTION) -> Gap:
    return Gap(
        specialist=specialist,
        probe=probe,
        resource=resource,
        reason=GapReason.ACCESS_DENIED,
        action=action,
        message=f"{probe}: grant {action}",
    )


def blind(name: str, *gaps: Gap) -> SpecialistResult:
    return result(name=name, status=SpecialistStatus.FAILED, gaps=gaps)


def test_an_undecided_verdict_says_whose_view_is_missing() -> None:
    trace = traced(*THROTTLED_TRACE)
    results = [blind("lambda"), blind("dynamodb"), blind("historical-incident"), result(name="iam")]
    found = concluded(trace, results=results)

    assert found.verdict.summary == "No rule explains what was seen. No full view from dynamodb and lambda."


def test_a_suspicion_says_whose_view_is_missing_too() -> None:
    log = looks(FUNCTION, "log")
    guess = hypothesis(CODE, FUNCTION, strong=log, specialist="lambda")
    said = concluded(log, results=[result(guess, name="lambda"), blind("iam")]).verdict.summary

    assert said.startswith("One cause fits")
    assert said.endswith(" No full view from iam.")


def test_the_one_resource_that_failed_is_named_also_without_an_origin() -> None:
    one = concluded(traced(segment(FUNCTION, fault=True)))
    two = concluded(traced(segment(FUNCTION, fault=True), segment(TABLE, fault=True)))

    assert "Lambda function `create-order`" in one.verdict.headline
    assert "this request" in two.verdict.headline


def test_of_many_denied_looks_the_permission_that_most_of_them_lack_is_asked_for_first() -> None:
    gaps = [
        denied("lambda:ListAliases", "aliases"),
        denied("logs:FilterLogEvents", "error lines"),
        denied("logs:FilterLogEvents", "reports"),
    ]
    found = concluded(traced(segment(FUNCTION, fault=True)), results=[blind("lambda", *gaps)])

    assert found.verdict.next_look == "error lines: grant logs:FilterLogEvents"


def test_a_permission_that_many_lack_elsewhere_does_not_come_before_one_at_the_suspect() -> None:
    gaps = [
        denied("lambda:GetPolicy", "policy"),
        denied("dynamodb:DescribeTable", "table", "dynamodb", TABLE),
        denied("dynamodb:DescribeTable", "indexes", "dynamodb", TABLE),
    ]
    found = concluded(traced(segment(FUNCTION, fault=True)), results=[blind("lambda", *gaps)])

    assert found.verdict.next_look == "policy: grant lambda:GetPolicy"
