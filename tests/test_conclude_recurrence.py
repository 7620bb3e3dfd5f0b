"""Not the first time: told beside the verdict, and without any weight in it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.evidence import Evidence, EvidenceBundle
from domain.report import ReportStatus
from domain.result import SpecialistStatus
from orchestrator.conclude.recurrence import recurrence, sentence
from specialists.historical_incident.evidence import KEPT, Ending, PastIncident
from tests.support.concluding import (
    CODE,
    FUNCTION,
    TABLE,
    THROTTLED,
    THROTTLED_TRACE,
    concluded,
    graph_of,
    hypothesis,
    looks,
    one,
    reported,
    result,
    traced,
)

NOW = datetime(2026, 11, 18, 9, 56, tzinfo=UTC)
TRACE = traced(*THROTTLED_TRACE)
T = looks(TABLE, "capacity", "metric")
ROOT = hypothesis(THROTTLED, TABLE, proof=[THROTTLED_TRACE[3]], strong=T)


def past(number: int, days: float, **fields: Any) -> PastIncident:
    given: dict[str, Any] = {
        "resource": TABLE, "source": "store:PastInvestigations", "investigation_id": f"INV-{number}", "status": "completed", "cause": THROTTLED,
        "similarity": 0.9, "days_ago": days, "observed_at": NOW,
    }  # fmt: skip
    return PastIncident(**given | fields)


def ending(number: int) -> Ending:
    """mia raised the capacity, and four minutes later the alarm was OK."""
    return Ending(
        resource=TABLE, source="cloudtrail:LookupEvents", observed_at=NOW, investigation_id=f"INV-{number}", changes=1,
        event_name="UpdateTable", who="mia", changed_at=NOW - timedelta(minutes=4),
    )  # fmt: skip


def told(*history: Evidence) -> str:
    """The summary's last sentence, when it is about earlier incidents."""
    first = concluded((*TRACE, *T), ROOT).verdict.summary
    return concluded((*TRACE, *T, *history), ROOT).verdict.summary.removeprefix(first).strip()


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ([], ""),
        ([past(1, 2)], "Second time in 14 days: INV-1 (2 days ago)."),
        (
            [past(1, 2, grades={"exact": 2}, recovered_at=NOW + timedelta(minutes=12)), past(2, 9)],
            "Third time in 14 days: INV-1 (2 days ago), whose alarm was OK again 12 min later; graded exact by 2.",
        ),
        (
            [past(1, 2, recovered_at=NOW + timedelta(hours=3)), ending(1)],
            "Second time in 14 days: INV-1 (2 days ago), whose alarm was OK again 4 min after mia's UpdateTable.",
        ),
        ([past(1, 2), past(2, 9, recovered_at=NOW), ending(2)], "Third time in 14 days: INV-1 (2 days ago)."),
        ([past(1, 14)], "Second time in 14 days: INV-1 (14 days ago)."),
        ([past(1, 15)], "Seen before: INV-1 (15 days ago)."),
        ([past(n, n) for n in range(1, 11)], "11 times in 14 days: INV-1 (24 h ago)."),
        ([past(1, 2, grades={"wrong": 1})], ""),
        ([past(1, 2, cause=CODE)], ""),
        ([past(1, 2, resource=FUNCTION)], ""),
        ([past(1, 0.01, same_incident=True)], ""),
    ],
)  # fmt: skip
def test_the_verdict_says_how_often_it_was_here(history: Sequence[Evidence], expected: str) -> None:
    assert told(*history) == expected


def test_as_much_history_as_is_kept_is_a_lower_bound() -> None:
    history = [past(n, 1 + n / 100) for n in range(KEPT)]
    ranked = one(concluded((*TRACE, *T), ROOT), THROTTLED, TABLE)
    found = recurrence(ranked, EvidenceBundle(history))

    assert found is not None
    assert (found.count_in_14_days, found.at_least) == (KEPT + 1, True)
    assert "at least" in sentence(found)


def test_a_store_full_of_other_verdicts_changes_nothing_but_what_is_told() -> None:
    others = [past(n, n / 2, cause=CODE, resource=FUNCTION, grades={"exact": 5}) for n in range(1, 21)]
    second = hypothesis(CODE, FUNCTION, strong=looks(FUNCTION, "log"))
    evidence = (*TRACE, *T, *looks(FUNCTION, "log"))
    alone, remembered = concluded(evidence, ROOT, second), concluded((*evidence, *others), ROOT, second)

    assert remembered.root_cause == alone.root_cause
    assert remembered.ranked == alone.ranked
    assert remembered.verdict == alone.verdict
    assert remembered.severity == alone.severity


def test_history_decides_nothing_that_evidence_leaves_open() -> None:
    guess = hypothesis(THROTTLED, TABLE, weak=T[:1])
    conclusion = concluded((*TRACE, *T, *(past(n, n, grades={"exact": 3}) for n in range(1, 10))), guess)

    assert conclusion.root_cause is None
    assert conclusion.verdict == concluded((*TRACE, *T), guess).verdict


def test_history_alone_is_no_evidence_of_health() -> None:
    history = [past(1, 2)]
    report = reported(history, [result(name="dynamodb"), result(name="historical-incident")], graph_of(T))

    assert (report.status, report.headline) == (ReportStatus.INCONCLUSIVE, "Nothing could be seen")


@pytest.mark.parametrize("name", ["historical-incident", "risk-blast-radius"])
def test_who_names_no_cause_and_could_not_look_leaves_health_as_it_was(name: str) -> None:
    blind = result(name=name, status=SpecialistStatus.FAILED)

    assert reported(T, [result(name="dynamodb"), blind]).headline == "Nothing wrong found here"
    assert (
        reported(T, [result(name="dynamodb", status=SpecialistStatus.FAILED), blind]).status
        is ReportStatus.INCONCLUSIVE
    )


def test_the_same_history_gives_the_same_digest() -> None:
    history = [past(1, 2), past(2, 9)]
    first = reported((*TRACE, *T, *history), [result(ROOT)])
    turned = reported((*history[::-1], *TRACE, *T), [result(ROOT)])

    assert "Third time in 14 days" in first.summary
    assert turned.digest == first.digest
    assert reported((*TRACE, *T), [result(ROOT)]).digest != first.digest
