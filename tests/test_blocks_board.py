"""The board follows the progress, one row each, and always closes."""

from functools import reduce

import pytest
from inline_snapshot import snapshot

from bot.blocks.board import Board, RowState, advanced, board_message
from domain.progress import Assigned, Routed, SpecialistWorking
from domain.result import SpecialistStatus
from tests.support import reports
from tests.support.slack import readable, refusals

LONG = "a long text about <things> & *others* " * 40


def board_of(*events: object) -> Board:
    return reduce(advanced, events, Board())


def test_the_board_shows_each_specialist_once_with_its_state():
    assert readable(board_message(board_of(*reports.course())).blocks) == snapshot("""\
:white_check_mark: *trace* 3 segments, 11 subsegments, first fault in `PutItem` · 0.4 s
:white_check_mark: *dynamodb* `orders` throttled, capacity changed · 1.2 s
:white_check_mark: *lambda* `create-order` fails on the throttle, configuration unchanged · 1.9 s
:white_circle: *apigateway* it is on the failing path
:white_check_mark: *iam* nothing wrong · 0.9 s
:hourglass_flowing_sand: *change-intelligence* reading CloudTrail, 2 of 3 looks
:warning: *signal-analysis* partial: `logs:StartQuery` denied, used metrics only · 2.2 s\
""")


def test_after_the_report_no_row_is_open():
    board = board_of(*reports.course(), reports.concluded(reports.incident()))

    assert [row.name for row in board.rows if row.state in {RowState.PENDING, RowState.WORKING}] == []
    assert readable(board_message(board).blocks) == snapshot("""\
:white_check_mark: *trace* 3 segments, 11 subsegments, first fault in `PutItem` · 0.4 s
:white_check_mark: *dynamodb* `orders` throttled, capacity changed · 1.2 s
:white_check_mark: *lambda* `create-order` fails on the throttle, configuration unchanged · 1.9 s
:white_check_mark: *apigateway* nothing wrong · 1.1 s
:white_check_mark: *iam* nothing wrong · 0.9 s
:white_check_mark: *change-intelligence* nothing wrong · 4.8 s
:warning: *signal-analysis* partial: `logs:StartQuery` denied, used metrics only · 2.2 s\
""")


def test_a_specialist_that_the_report_lacks_is_not_finished():
    board = board_of(*reports.course()[:3], reports.concluded(reports.failed()))

    assert {row.text for row in board.specialists} == {"not finished"}


def test_a_late_working_message_does_not_reopen_a_finished_row():
    late = SpecialistWorking(investigation_id=reports.ID, name="dynamodb", message="reading")
    board = board_of(*reports.course())

    assert advanced(board, late) == board


def test_events_in_any_order_give_every_specialist_one_row():
    routed = Routed(
        investigation_id=reports.ID, specialists=(Assigned(name="s3", reason="r"), Assigned(name="sqs", reason="r"))
    )
    board = board_of(reports.finished("s3", "nothing wrong"), routed, routed)

    assert [(row.name, row.state) for row in board.rows] == [("s3", RowState.SUCCESS), ("sqs", RowState.PENDING)]


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (SpecialistStatus.SUCCESS, ":white_check_mark: *vpc* said · 1.2 s"),
        (SpecialistStatus.PARTIAL, ":warning: *vpc* partial: said · 1.2 s"),
        (SpecialistStatus.TIMEOUT, ":stopwatch: *vpc* timed out: said · 1.2 s"),
        (SpecialistStatus.FAILED, ":x: *vpc* failed: said · 1.2 s"),
        (SpecialistStatus.SKIPPED, ":fast_forward: *vpc* said · 1.2 s"),
    ],
)
def test_each_end_has_its_sign(status: SpecialistStatus, line: str):
    assert readable(board_message(board_of(reports.finished("vpc", "said", status))).blocks) == line


def test_an_end_without_words_is_its_name_alone():
    board = board_of(
        reports.finished("vpc", "", SpecialistStatus.TIMEOUT),
        reports.finished("s3", "timed out in S3", SpecialistStatus.TIMEOUT),
    )

    assert readable(board_message(board).blocks) == (
        ":stopwatch: *vpc* timed out · 1.2 s\n:stopwatch: *s3* timed out in S3 · 1.2 s"
    )


def test_sixteen_specialists_with_long_texts_fit():
    board = board_of(
        *reports.course()[:2], *(reports.finished(name, LONG, SpecialistStatus.PARTIAL) for name in reports.SIXTEEN)
    )
    message = board_message(board)

    assert readable(message.blocks).count("\n:warning:") == 16
    assert refusals(message) == ()


def test_far_too_many_rows_are_counted():
    message = board_message(board_of(*(reports.finished(f"s{n}", "&" * 500) for n in range(60))))

    assert "_and 36 more specialists_" in readable(message.blocks)
    assert refusals(message) == ()


def test_an_empty_board_says_that_it_starts():
    assert readable(board_message(Board()).blocks) == ":hourglass_flowing_sand: starting"
