"""A schedule that does not run when it should."""

from collections.abc import Iterator
from datetime import datetime, tzinfo
from typing import NamedTuple

from domain.evidence import Evidence
from domain.findings import Finding, Hypothesis
from specialists.contract import Case, Rule, rule
from specialists.eventbridge.evidence import DISABLED, RuleState, ScheduleState
from specialists.eventbridge.schedule import (
    At,
    BadExpression,
    Schedule,
    next_run,
    read_schedule,
    runs_between,
    skipped_between,
    zone_named,
)
from specialists.eventbridge.signs import Reading, signs
from specialists.eventbridge.symptoms import altered, by_whom, changed, fell_silent, parameter, usual_at_this_hour
from specialists.kit.change import Change
from specialists.kit.overheard import began, cited
from specialists.kit.series import MetricSeries

SEES = (RuleState, ScheduleState, MetricSeries, Change)


class Timing(NamedTuple):
    """What sets the target off in time: the expression and the zone it is meant in, None where it is not known."""

    expression: str
    zone_name: str
    zone: tzinfo | None
    seen: RuleState | ScheduleState


def timing_of(case: Case) -> Timing | None:
    """Return the timing of a rule (always UTC) or schedule that exists and is on."""
    rule_state, schedule = case.one(RuleState), case.one(ScheduleState)
    if rule_state is not None and rule_state.enabled and rule_state.schedule:
        return Timing(rule_state.schedule, "UTC", zone_named("UTC"), rule_state)
    if schedule is not None and schedule.exists and schedule.state != DISABLED and schedule.expression:
        return Timing(schedule.expression, schedule.timezone, zone_named(schedule.timezone), schedule)
    return None


def readable(timing: Timing) -> Schedule | None:
    """Return the schedule, None when the expression cannot be read."""
    try:
        return read_schedule(timing.expression)
    except BadExpression:
        return None


@rule("eb-schedule-wrong", sees=SEES)
def schedule_is_off(case: Case) -> Iterator[Hypothesis]:
    """The schedule is disabled or was deleted."""
    state = case.one(ScheduleState)
    if state is None or (state.exists and state.state != DISABLED):
        return
    edits = changed(case, "UpdateSchedule") if state.exists else changed(case, "DeleteSchedule")
    done = [c for c in edits if not state.exists or parameter(c, "state") == DISABLED][-1:]
    who = by_whom(done[0]) if done else ""
    what = f"is disabled{who}" if state.exists else f"does not exist{': deleted' + who if who else ''}"
    certain = state.exists or bool(done)
    yield case.hypothesis(
        "eb-schedule-wrong",
        f"Schedule `{state.name}` {what}",
        proof=[state] if certain else (),
        strong=done if certain else [state],
        since=done[0].observed_at if done else state.modified_at,
    )


@rule("eb-schedule-wrong", sees=SEES)
def expression_was_refused(case: Case) -> Iterator[Hypothesis]:
    """AWS refused a schedule expression, so the schedule kept its old one or was not made."""
    found = signs(case, Reading.BAD_SCHEDULE)
    if found:
        yield case.hypothesis(
            "eb-schedule-wrong",
            f"AWS refused a schedule expression for `{case.target.name}`: {found[0].text.strip()[:200]}",
            proof=cited(found),
            since=began(found),
        )


@rule("eb-schedule-wrong", sees=SEES)
def schedule_never_comes_due(case: Case) -> Iterator[Hypothesis]:
    """The expression names no time to come: it cannot be read, no such day comes, or its end has passed."""
    timing = timing_of(case)
    if timing is None:
        return
    why = _never(case, timing)
    if not why:
        return
    edits = (_edits(case) if not _ended(case, timing) else _bounded(case))[-1:]
    yield case.hypothesis(
        "eb-schedule-wrong",
        f"`{case.target.name}` does not run any more: {why}" + (f", set{by_whom(edits[0])}" if edits else ""),
        proof=[timing.seen],
        strong=(*edits, *fell_silent(case)),
        since=edits[0].observed_at if edits else None,
    )


def _never(case: Case, timing: Timing) -> str:
    try:
        schedule = read_schedule(timing.expression)
    except BadExpression as error:
        return f"`{timing.expression}` is not a schedule expression ({error})"
    seen, zone = timing.seen, timing.zone
    ended = _ended(case, timing)
    if ended is not None:
        return f"it ended at {_clock(ended)} UTC"
    if zone is None:
        return ""
    if isinstance(schedule, At):
        return _set_too_late(seen, schedule.local.replace(tzinfo=zone))
    if next_run(schedule, case.window.start, zone) is None:
        return f"no time fits `{timing.expression}` again"
    return ""


def _ended(case: Case, timing: Timing) -> datetime | None:
    """Return the end of the schedule's time, where that is past."""
    ends = timing.seen.ends_at if isinstance(timing.seen, ScheduleState) else None
    return ends if ends is not None and ends < case.window.end else None


def _bounded(case: Case) -> list[Change]:
    """Return the changes of the schedule's end."""
    return altered(changed(case, "UpdateSchedule", "CreateSchedule"), lambda change: parameter(change, "endDate"))


def _set_too_late(seen: RuleState | ScheduleState, moment: datetime) -> str:
    """Say that a one-time schedule was set to a time already past; one that is over by now has done its work."""
    set_at = seen.modified_at if isinstance(seen, ScheduleState) else None
    if set_at is None or set_at <= moment:
        return ""
    return f"it was set at {_clock(set_at)} UTC to run once at {moment:%Y-%m-%d %H:%M %Z}, which had passed"


@rule("eb-schedule-wrong", sees=SEES)
def schedule_was_not_due(case: Case) -> Iterator[Hypothesis]:
    """No run fell into the window: the schedule had not begun, the clocks jumped over it, or it was changed."""
    timing = timing_of(case)
    schedule = readable(timing) if timing else None
    if timing is None or schedule is None or timing.zone is None or isinstance(schedule, At):
        return
    start, end = case.window.start, case.window.end
    seen = timing.seen
    begins = seen.starts_at if isinstance(seen, ScheduleState) else None
    if begins is not None and begins > end:
        yield case.hypothesis(
            "eb-schedule-wrong",
            f"Schedule `{case.target.name}` has not begun: it runs from {_clock(begins)} UTC on",
            proof=[seen],
        )
        return
    if runs_between(schedule, start, end, timing.zone):
        return
    skipped = skipped_between(schedule, start, end, timing.zone)
    if skipped:
        yield case.hypothesis(
            "eb-schedule-wrong",
            f"`{case.target.name}` skipped its run at {skipped[0]:%Y-%m-%d %H:%M} ({timing.zone_name}): the clocks"
            " jumped over that time",
            proof=[seen],
        )
        return
    yield from _rescheduled(case, timing, schedule, timing.zone)


def _rescheduled(case: Case, timing: Timing, schedule: Schedule, zone: tzinfo) -> Iterator[Hypothesis]:
    """Judge a change of the expression or zone after which no run fell into the window."""
    edits = _edits(case)[-1:]
    if not edits:
        return
    usual = usual_at_this_hour(case)
    following = next_run(schedule, case.window.end, zone)
    when = f"; it next runs at {_clock(following)} UTC" if following else ""
    shown: list[Evidence] = [*edits, *usual]
    yield case.hypothesis(
        "eb-schedule-wrong",
        f"`{case.target.name}` was set to `{timing.expression}` ({timing.zone_name}){by_whom(edits[0])},"
        f" and no run fell into the window{when}",
        strong=[*shown, timing.seen] if usual else (),
        weak=() if usual else [*shown, timing.seen],
        since=edits[0].observed_at,
    )


def _edits(case: Case) -> list[Change]:
    """Return the changes of the expression or the zone."""
    asked = ("scheduleExpression", "scheduleExpressionTimezone")
    puts = changed(case, "PutRule", "UpdateSchedule", "CreateSchedule")
    return altered(puts, lambda change: " ".join(parameter(change, name) for name in asked).strip())


def _clock(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


@rule(sees=SEES)
def says_when_it_runs(case: Case) -> Iterator[Finding]:
    """States when the schedule runs next, in UTC and in its own time zone."""
    timing = timing_of(case)
    schedule = readable(timing) if timing else None
    if timing is None or schedule is None or timing.zone is None:
        return
    runs = runs_between(schedule, case.window.start, case.window.end, timing.zone)
    following = next_run(schedule, case.window.end, timing.zone)
    if isinstance(schedule, At) and following is None:
        yield case.fact(
            f"`{case.target.name}` was to run once, at {schedule.local:%Y-%m-%d %H:%M} {timing.zone_name}", timing.seen
        )
        return
    due = f"was due {len(runs)} times in the window" if runs else "was not due in the window"
    local = (
        f" ({following.astimezone(timing.zone):%H:%M} {timing.zone_name})"
        if following and timing.zone_name != "UTC"
        else ""
    )
    then = f", next at {_clock(following)} UTC{local}" if following else ""
    yield case.fact(f"`{case.target.name}` runs by `{timing.expression}`: it {due}{then}", timing.seen)


RULES: tuple[Rule, ...] = (
    schedule_is_off,
    expression_was_refused,
    schedule_never_comes_due,
    schedule_was_not_due,
    says_when_it_runs,
)
