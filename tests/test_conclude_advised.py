"""What models advise is shown and can lower a confidence; it decides nothing."""

import pytest

from domain.findings import Hypothesis, Origin, Strength, Support
from domain.report import ReportStatus
from orchestrator.conclude.advised import AT_MOST
from orchestrator.conclude.settle import SUSPICION, THRESHOLD
from tests.support.concluding import (
    CODE,
    DENIED,
    FUNCTION,
    QUEUE,
    ROLE,
    TABLE,
    THROTTLED,
    THROTTLED_TRACE,
    TIMEOUT,
    called,
    concluded,
    hypothesis,
    looks,
    one,
    roles,
    segment,
    traced,
)

TRACE = traced(*THROTTLED_TRACE)
T = looks(TABLE, "capacity", "metric")
M = looks(FUNCTION, *"abcdefgh")
Q = looks(QUEUE, "depth")
SEEN = (*TRACE, *T, *M, *Q)


def doubted(found: Hypothesis, *evidence: object, strength: Strength = Strength.STRONG) -> Hypothesis:
    doubts = tuple(Support(evidence=e.id, strength=strength) for e in evidence)  # type: ignore[attr-defined]
    return found.model_copy(update={"doubts": doubts})


def suggested(cause: str, resource: str, *evidence: object, strength: Strength = Strength.WEAK) -> Hypothesis:
    supports = tuple(Support(evidence=e.id, strength=strength) for e in evidence)  # type: ignore[attr-defined]
    return Hypothesis(
        cause=cause, resource=resource, summary="it may be", supports=supports, specialist="lambda", origin=Origin.MODEL
    )


FOLLOWS = hypothesis(THROTTLED, TABLE, strong=T)
PROVED = hypothesis(THROTTLED, TABLE, proof=T)


def test_doubt_lowers_what_follows_and_leaves_it_the_verdict() -> None:
    before = concluded(SEEN, FOLLOWS)
    after = concluded(SEEN, doubted(FOLLOWS, *Q, *M))

    assert before.root_cause is not None
    assert after.root_cause is not None
    assert (after.root_cause.cause, after.root_cause.confidence) == (THROTTLED, THRESHOLD)
    assert before.root_cause.confidence > THRESHOLD


def test_what_is_proved_is_not_doubted() -> None:
    assert concluded(SEEN, doubted(PROVED, *Q, *M)) == concluded(SEEN, PROVED)


def test_doubt_does_not_put_another_cause_first() -> None:
    rival = hypothesis(DENIED, ROLE, strong=looks(ROLE, "a", "b", "c"), specialist="iam")
    seen = (*SEEN, *looks(ROLE, "a", "b", "c"))

    assert roles(concluded(seen, doubted(FOLLOWS, *Q, *M), rival)) == roles(concluded(seen, FOLLOWS, rival))


def test_doubt_that_cites_what_was_not_seen_counts_for_nothing() -> None:
    unseen = looks(QUEUE, "never seen")

    assert concluded(SEEN, doubted(FOLLOWS, *unseen)) == concluded(SEEN, FOLLOWS)


def test_what_is_worth_telling_stays_told() -> None:
    weak = hypothesis(TIMEOUT, FUNCTION, weak=M[:4])
    found = concluded(SEEN, PROVED, doubted(weak, *Q, *T))

    assert one(found, TIMEOUT, FUNCTION).confidence >= SUSPICION
    assert roles(found) == roles(concluded(SEEN, PROVED, weak))


@pytest.mark.parametrize("strength", list(Strength))
def test_a_cause_that_only_a_model_names_is_an_opinion_however_it_is_put(strength: Strength) -> None:
    found = concluded(SEEN, suggested(CODE, FUNCTION, *M, strength=strength))

    assert found.root_cause is None
    assert found.verdict.status is ReportStatus.INCONCLUSIVE
    assert roles(found) == {(CODE, FUNCTION): "minority"}
    assert one(found, CODE, FUNCTION).confidence <= AT_MOST
    assert one(found, CODE, FUNCTION).origin is Origin.MODEL


def test_a_model_makes_no_healthy_system_suspect() -> None:
    healthy = traced(segment(FUNCTION), called(FUNCTION, TABLE, http_status=200))
    found = concluded((*healthy, *M), suggested(CODE, FUNCTION, *M))

    assert (found.verdict.status, found.root_cause) == (ReportStatus.COMPLETED, None)
    assert "Nothing wrong" in found.verdict.headline


def test_a_model_that_names_what_a_rule_names_adds_nothing_and_takes_nothing() -> None:
    assert concluded(SEEN, FOLLOWS, suggested(THROTTLED, TABLE, *M)).ranked == concluded(SEEN, FOLLOWS).ranked


def test_a_models_opinion_is_no_dissent() -> None:
    with_opinion = concluded(SEEN, PROVED, suggested(CODE, FUNCTION, *M))

    assert with_opinion.root_cause == concluded(SEEN, PROVED).root_cause
    assert with_opinion.settlement.agreement == concluded(SEEN, PROVED).settlement.agreement
