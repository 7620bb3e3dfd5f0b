"""Judging schedules: why a job did not run when it should."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.window import Window
from specialists.eventbridge import SPECIALIST
from tests.specialists.eventbridge_building import (
    DEFAULT_RULE,
    FUNCTION,
    ROLE,
    SCHEDULE,
    change,
    facts,
    judged,
    metric,
    minute,
    missing,
    proven,
    schedule,
    strengths,
    targets,
    timed,
    weekly,
)
from tests.support.probing import case_of, findings

WRONG = "eb-schedule-wrong"
OWN = {"RuleName": "nightly"}
EARLIER, LATER = minute(-3_000), minute(3_000)


def edit(**fields):
    return change("UpdateSchedule", resource=SCHEDULE, of="scheduler", **fields)


CASES = {
    "disabled": ([schedule(state="DISABLED")], True),
    "disabled by a person": ([schedule(state="DISABLED"), edit(state="DISABLED")], True),
    "deleted": ([schedule(exists=False), change("DeleteSchedule", resource=SCHEDULE, of="scheduler")], True),
    "not there": ([schedule(exists=False)], False),
    "ended": ([schedule(ends_at=EARLIER)], True),
    "ends later": ([schedule(ends_at=LATER)], None),
    "not begun": ([schedule(starts_at=LATER)], True),
    "begun": ([schedule(starts_at=EARLIER)], None),
    "no such day": ([schedule("cron(0 3 30 2 ? *)")], True),
    "a past year": ([schedule("cron(0 3 * * ? 2020)")], True),
    "rare, but it comes": ([schedule("cron(0 3 29 2 ? *)")], None),
    "unreadable": ([schedule("cron(0 25 * * ? *)")], True),
    "refused": ([schedule(), edit(error="ValidationException", said="Invalid Schedule Expression rate(10).")], True),
    "refused for another reason": ([schedule(), edit(error="ConflictException", said="x")], None),
    "once, set when it had passed": ([schedule("at(2026-11-20T03:00:00)", modified_at=minute(1))], True),
    "once, done": ([schedule("at(2026-11-20T03:00:00)", modified_at=EARLIER)], None),
    "once, to come": ([schedule("at(2026-12-20T03:00:00)", modified_at=EARLIER)], None),
    "daily at another hour": ([schedule()], None),
    "due in the window": ([schedule("cron(45 9 * * ? *)"), edit(scheduleExpression="cron(45 9 * * ? *)")], None),
    "moved, nothing shows how it was": ([schedule(), edit(scheduleExpression="cron(0 3 * * ? *)")], False),
    "unknown zone": ([schedule(timezone="Mars/Olympus")], None),
    "every five minutes": ([schedule("rate(5 minutes)")], None),
    "its target is gone": ([schedule(), missing(resource=SCHEDULE)], None),
}


@pytest.mark.parametrize(("evidence", "certain"), CASES.values(), ids=CASES)
def test_why_a_schedule_does_not_run_is_named(evidence, certain) -> None:
    found = judged(SCHEDULE, *evidence)

    assert (WRONG in found) is (certain is not None)
    assert (WRONG in proven(found)) is bool(certain)


def test_a_rule_of_the_clock_that_was_moved_to_another_hour_is_named_by_its_habit() -> None:
    state = timed("cron(40 21 * * ? *)")
    put = change("PutRule", at=-100, resource=DEFAULT_RULE, scheduleExpression="cron(40 21 * * ? *)")
    habit = weekly("TriggeredRules", days=range(1, 7), dimensions=OWN)
    found = judged(DEFAULT_RULE, state, put, habit)[WRONG]

    assert strengths(found) == {"strong"}
    assert "next runs at 2026-11-20 21:40 UTC" in found.summary
    assert found.since == minute(-100)
    assert strengths(judged(DEFAULT_RULE, state, put)[WRONG]) == {"weak"}
    assert judged(DEFAULT_RULE, state, habit) == {}


def test_the_same_expression_put_again_is_no_change() -> None:
    puts = [change("PutRule", at=at, resource=DEFAULT_RULE, scheduleExpression="cron(0 3 * * ? *)") for at in (-90, -5)]
    found = judged(DEFAULT_RULE, timed("cron(0 3 * * ? *)"), *puts)

    assert found[WRONG].since == minute(-90)


def test_a_rule_of_the_clock_that_is_off_is_called_off_and_not_wrong() -> None:
    assert set(judged(DEFAULT_RULE, timed("cron(0 3 * * ? *)", state="DISABLED"))) == {"eb-rule-disabled"}


def test_a_run_that_the_clocks_jumped_over_is_named() -> None:
    window = Window(start=datetime(2026, 3, 29, 0, 0, tzinfo=UTC), end=datetime(2026, 3, 29, 2, 0, tzinfo=UTC))
    later = Window(start=window.start + timedelta(days=1), end=window.end + timedelta(days=1))
    state = schedule("cron(30 2 * * ? *)", timezone="Europe/Berlin")

    def causes(when):
        return [
            f.summary for f in findings(SPECIALIST.rules, case_of(SCHEDULE, state, window=when)) if hasattr(f, "cause")
        ]

    assert "skipped its run at 2026-03-29 02:30 (Europe/Berlin)" in causes(window)[0]
    assert causes(later) == []


def test_when_it_runs_next_is_stated_in_both_zones() -> None:
    said = facts(SCHEDULE, schedule(timezone="Europe/Berlin"))

    assert "was not due in the window, next at 2026-11-21 02:00 UTC (03:00 Europe/Berlin)" in said[0]
    assert "was due 4 times" in facts(SCHEDULE, schedule("rate(5 minutes)"))[0]
    assert "was to run once" in facts(SCHEDULE, schedule("at(2026-11-20T03:00:00)"))[0]


def test_a_schedule_with_a_missing_target_blames_the_target() -> None:
    of_group = {"resource": SCHEDULE, "namespace": "AWS/Scheduler", "dimensions": {"ScheduleGroup": "jobs"}}
    errors = metric("TargetErrorCount", {4: 1}, **of_group)
    goal = targets(FUNCTION, resource=SCHEDULE, role_arn=ROLE)

    assert proven(judged(SCHEDULE, schedule(), goal, missing(resource=SCHEDULE), errors)) == {"eb-target-missing"}
    assert "eb-target-missing" not in judged(SCHEDULE, schedule(), goal, errors)


def test_who_set_the_end_of_a_schedule_is_said() -> None:
    bounded, other = edit(at=-40, endDate="Nov 20, 2026"), edit(at=-10, description="x")
    found = judged(SCHEDULE, schedule(ends_at=minute(-30)), bounded, other)[WRONG]

    assert ", set by `mia` at 08:56 UTC" in found.summary
    assert found.since == minute(-40)
    assert "set by" not in judged(SCHEDULE, schedule(ends_at=minute(-30)), other)[WRONG].summary
