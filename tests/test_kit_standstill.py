"""Counts over time: work that stopped in the middle of a window, trouble that is new though its baseline has some."""

import pytest

from specialists.kit.rising import risen
from specialists.kit.standstill import standstill, total_from
from tests.specialists.sqs_building import QUEUE, every, minute, series
from tests.support.probing import WINDOW

RECEIVED = "NumberOfMessagesReceived"
FIRST_HALF = dict.fromkeys(range(10), 4)


def test_what_stops_in_the_window_stands_still_from_then_on() -> None:
    found = series(QUEUE, RECEIVED, FIRST_HALF | dict.fromkeys(range(10, 20), 0), usual=4)

    assert standstill(found, WINDOW.end) == minute(10)
    assert standstill(series(QUEUE, RECEIVED, FIRST_HALF, usual=4), WINDOW.end) == minute(10)
    assert (total_from(found, minute(8)), total_from(found, minute(10))) == (8, 0)


@pytest.mark.parametrize(
    "points",
    [every(4), dict.fromkeys(range(17), 4), {}, {3: 4}],
    ids=["goes on", "a short pause", "nothing at all", "once"],
)
def test_what_goes_on_or_never_was_does_not_stand_still(points) -> None:
    assert standstill(series(QUEUE, RECEIVED, points), WINDOW.end) is None


def test_a_pause_as_it_makes_every_hour_is_no_standstill() -> None:
    waves = series(QUEUE, RECEIVED, {0: 300, 1: 300, 9: 300})

    assert standstill(waves, WINDOW.end) is None
    assert standstill(None, WINDOW.end) is None


def test_a_seldom_count_is_not_missed_soon() -> None:
    assert standstill(series(QUEUE, RECEIVED, {0: 1, 1: 0, 2: 1}, usual=0), WINDOW.end) is not None
    assert standstill(series(QUEUE, RECEIVED, {0: 1, 2: 1, 7: 1}, usual=0), WINDOW.end) is None


def test_trouble_that_began_before_the_window_is_new_all_the_same() -> None:
    errors = series(QUEUE, "Errors", every(3), usual=0)
    begun = errors.model_copy(
        update={
            "baseline": tuple(
                p.model_copy(update={"value": 3.0}) if n >= 50 else p for n, p in enumerate(errors.baseline)
            )
        }
    )

    assert risen(errors)
    assert risen(begun)


def test_what_is_usual_or_passing_is_not_new() -> None:
    assert not risen(series(QUEUE, "Errors", every(3), usual=3))
    assert not risen(series(QUEUE, "Errors", {4: 1}, usual=1))
    assert not risen(series(QUEUE, "Errors", every(0), usual=0))
    assert not risen(None)
