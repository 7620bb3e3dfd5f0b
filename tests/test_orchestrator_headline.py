"""The one line that a specialist's row says: what it found, what is unusual, what it could not see, in that order."""

from bot.blocks.board import Board, advanced
from domain.findings import Fact
from domain.gap import Gap, GapReason
from domain.progress import Assigned, Concluded, Routed
from domain.report import SpecialistReport
from domain.result import SpecialistStatus
from orchestrator.telling import headline
from tests.support import reports
from tests.support.concluding import CODE, FUNCTION, hypothesis, looks, result

LOG = looks(FUNCTION, "log")
USUAL = Fact(statement="`orders` is ACTIVE", evidence=("E-1",))
UNUSUAL = Fact(statement="`lena` set Timeout 30 → 3 s, 2 min before", evidence=("E-2",), notable=True)
NEXT = Fact(statement="`ci` published code, 20 h before", evidence=("E-3",), notable=True)
DENIED = Gap(
    specialist="change-intelligence",
    probe="changes",
    resource=FUNCTION,
    reason=GapReason.ACCESS_DENIED,
    action="cloudtrail:LookupEvents",
    message="CloudTrail may not be read.",
)


def test_the_most_telling_fact_is_told_where_there_is_no_hypothesis() -> None:
    assert headline(result(facts=[USUAL, UNUSUAL, NEXT])) == UNUSUAL.statement


def test_what_is_unusual_comes_before_what_could_not_be_seen() -> None:
    assert headline(result(facts=[UNUSUAL], gaps=[DENIED])) == UNUSUAL.statement
    assert headline(result(facts=[USUAL], gaps=[DENIED])) == DENIED.message


def test_a_hypothesis_comes_before_every_fact() -> None:
    found = hypothesis(CODE, FUNCTION, strong=LOG)

    assert headline(result(found, facts=[UNUSUAL])) == found.summary


def test_only_usual_facts_are_nothing_wrong() -> None:
    assert headline(result(facts=[USUAL])) == "nothing wrong"


def test_a_row_closed_by_the_report_says_what_is_unusual() -> None:
    report = reports.incident()
    part = SpecialistReport(
        name="change-intelligence",
        status=SpecialistStatus.SUCCESS,
        duration_seconds=1.0,
        reason="what changed",
        facts=(USUAL, UNUSUAL),
    )
    ended = report.model_copy(update={"specialists": (part,)})
    assigned = Routed(investigation_id="INV-1", specialists=(Assigned(name="change-intelligence", reason="it may"),))
    board = advanced(advanced(Board(), assigned), Concluded(investigation_id="INV-1", report=ended))

    assert [row.text for row in board.rows] == [UNUSUAL.statement]
