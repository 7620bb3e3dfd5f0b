"""When a schedule expression comes due: cron, rate and at, in a time zone. Pure.

Syntax of rules: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
Syntax, time zones and daylight saving of Scheduler: a local time that the clocks jump over is skipped, one that comes
twice runs once: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

EXPRESSION = re.compile(r"(cron|rate|at)\(\s{0,5}([^()]{1,200}?)\s{0,5}\)")
RATE = re.compile(r"(\d{1,9})\s{1,5}(minute|hour|day)s?")
ITEM = re.compile(r"(\*|\?|[A-Z]{3}|\d{1,4})(?:-([A-Z]{3}|\d{1,4}))?(?:/(\d{1,4}))?")
MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
WEEKDAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}
FIRST_YEAR, LAST_YEAR = 1970, 2199
CALENDAR_REPEATS = 40
"""Years after which no new combination of date and weekday comes up; a century without a leap day is within it."""

MAX_RUNS = 2000


class BadExpression(ValueError):
    """Not a schedule expression that AWS documents; the words say what is wrong."""


@dataclass(frozen=True)
class Rate:
    """Every so often, counted from when the schedule was made."""

    every: timedelta


@dataclass(frozen=True)
class At:
    """Once, at a local time."""

    local: datetime


@dataclass(frozen=True)
class Cron:
    """AWS's six fields; `days` and `weekdays` keep their text, because L, W and # depend on the month."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: str
    months: tuple[int, ...]
    weekdays: str
    years: tuple[int, ...]


Schedule = Rate | At | Cron


@lru_cache(maxsize=256)
def read_schedule(expression: str) -> Schedule:
    """Read an expression; raises BadExpression."""
    found = EXPRESSION.fullmatch(expression.strip())
    if found is None:
        raise BadExpression("it is none of cron(…), rate(…) and at(…)")
    form, body = found.groups()
    if form == "cron":
        return _cron(body)
    return _rate(body) if form == "rate" else _at(body)


def zone_named(name: str) -> tzinfo | None:
    """Return a time zone by its IANA name, None where this machine does not know it."""
    try:
        return UTC if name in {"", "UTC"} else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def next_run(schedule: Schedule, after: datetime, zone: tzinfo) -> datetime | None:
    """Return the first run after a moment, UTC; None for never. A rate runs at the latest one interval later."""
    if isinstance(schedule, Rate):
        return after + schedule.every
    return next((run for run in _runs(schedule, after, zone) if run > after), None)


def runs_between(schedule: Schedule, start: datetime, end: datetime, zone: tzinfo) -> tuple[datetime, ...]:
    """Return the runs in an interval, UTC, at most `MAX_RUNS`; those of a rate as if it were counted from the start."""
    if isinstance(schedule, Rate):
        count = min(MAX_RUNS, int((end - start) / schedule.every))
        return tuple(start + schedule.every * number for number in range(1, count + 1))
    found: list[datetime] = []
    for run in _runs(schedule, start, zone):
        if run > end or len(found) == MAX_RUNS:
            break
        if run >= start:
            found.append(run)
    return tuple(found)


def skipped_between(schedule: Schedule, start: datetime, end: datetime, zone: tzinfo) -> tuple[datetime, ...]:
    """Return the local times in an interval at which it should have run, but which the clocks jumped over."""
    if not isinstance(schedule, Cron):
        return ()
    first, last = start.astimezone(zone).replace(tzinfo=None), end.astimezone(zone).replace(tzinfo=None)
    found = []
    for local in _local_times(schedule, first.date()):
        if local > last:
            break
        if local >= first and _as_utc(local, zone) is None:
            found.append(local)
    return tuple(found)


def _runs(schedule: At | Cron, after: datetime, zone: tzinfo) -> Iterator[datetime]:
    """Yield the runs from the day before a moment on, ascending."""
    begin = after.astimezone(zone).date() - timedelta(days=1)
    locals_ = iter([schedule.local]) if isinstance(schedule, At) else _local_times(schedule, begin)
    yield from (run for local in locals_ if (run := _as_utc(local, zone)) is not None)


def _as_utc(local: datetime, zone: tzinfo) -> datetime | None:
    """Return the moment of a local time; None where the clocks jump over it."""
    moment = local.replace(tzinfo=zone).astimezone(UTC)
    return moment if moment.astimezone(zone).replace(tzinfo=None) == local else None


def _local_times(cron: Cron, begin: date) -> Iterator[datetime]:
    for day in _dates(cron, begin):
        for hour in cron.hours:
            for minute in cron.minutes:
                yield datetime(day.year, day.month, day.day, hour, minute)  # noqa: DTZ001 - local, without zone


def _dates(cron: Cron, begin: date) -> Iterator[date]:
    empty = 0
    for year in (y for y in cron.years if y >= begin.year):
        empty += 1
        for month in cron.months:
            days = (date(year, month, day) for day in sorted(_days_of(cron, year, month)))
            for day in days:
                empty = 0
                if day >= begin:
                    yield day
        if empty > CALENDAR_REPEATS:
            return


@lru_cache(maxsize=4096)
def _days_of(cron: Cron, year: int, month: int) -> frozenset[int]:
    last = calendar.monthrange(year, month)[1]
    chosen = set(range(1, last + 1))
    if cron.days not in {"*", "?"}:
        chosen &= {day for item in cron.days.split(",") for day in _by_date(item, year, month, last)}
    if cron.weekdays not in {"*", "?"}:
        chosen &= {day for item in cron.weekdays.split(",") for day in _by_weekday(item, year, month, last)}
    return frozenset(chosen)


def _by_date(item: str, year: int, month: int, last: int) -> set[int]:
    if item == "L":
        return {last}
    if item.endswith("W"):
        return {_nearest_working_day(year, month, min(last, last if item == "LW" else int(item[:-1])), last)}
    return {day for day in _values(item, 1, 31, {}) if day <= last}


def _nearest_working_day(year: int, month: int, day: int, last: int) -> int:
    weekday = date(year, month, day).weekday()
    if weekday == calendar.SATURDAY:
        return day - 1 if day > 1 else day + 2
    if weekday == calendar.SUNDAY:
        return day + 1 if day < last else day - 2
    return day


def _by_weekday(item: str, year: int, month: int, last: int) -> set[int]:
    if item == "L":
        item = "7"
    name, _, nth = item.partition("#")
    final = name.endswith("L")
    wanted = set(_values(name.removesuffix("L"), 1, 7, WEEKDAYS))
    days = [d for d in range(1, last + 1) if (date(year, month, d).weekday() + 1) % 7 + 1 in wanted]
    if nth:
        return set(days[int(nth) - 1 : int(nth)])
    return set(days[-1:]) if final else set(days)


def _cron(body: str) -> Cron:
    fields = body.upper().split()
    if len(fields) != 6:
        raise BadExpression(f"cron has {len(fields)} fields instead of six")
    minutes, hours, days, months, weekdays, years = fields
    # Reading them once for any month shows whether they can be read.
    for item in () if days in {"*", "?"} else days.split(","):
        if not re.fullmatch(r"L|LW|\d{1,2}W", item):
            _values(item, 1, 31, {})
    for item in () if weekdays in {"*", "?"} else weekdays.split(","):
        if not re.fullmatch(r"L|(?:[1-7]|[A-Z]{3})(?:L|#[1-5])", item):
            _values(item, 1, 7, WEEKDAYS)
        elif item != "L":
            _values(re.split(r"L$|#", item)[0], 1, 7, WEEKDAYS)
    return Cron(
        minutes=_field(minutes, 0, 59),
        hours=_field(hours, 0, 23),
        days=days,
        months=_field(months, 1, 12, MONTHS),
        weekdays=weekdays,
        years=_field(years, FIRST_YEAR, LAST_YEAR),
    )


def _field(text: str, low: int, high: int, names: dict[str, int] | None = None) -> tuple[int, ...]:
    return tuple(sorted({value for item in text.split(",") for value in _values(item, low, high, names or {})}))


def _values(item: str, low: int, high: int, names: dict[str, int]) -> range | tuple[int, ...]:
    """Read one item of a field: 5, 2-7, */10, 8/2, MON-FRI; a range may wrap around (FRI-MON)."""
    found = ITEM.fullmatch(item)
    if found is None:
        raise BadExpression(f"{item!r} cannot be read")
    first, last, step = found.groups()
    any_value = first in {"*", "?"}
    begin = low if any_value else _number(first, names)
    end = _number(last, names) if last else (high if any_value or step else begin)
    if not (low <= begin <= high and low <= end <= high) or step == "0":
        raise BadExpression(f"{item!r} is outside {low} to {high}")
    if end < begin:
        return (*range(begin, high + 1), *range(low, end + 1))
    return range(begin, end + 1, int(step or 1))


def _number(text: str, names: dict[str, int]) -> int:
    if text.isdigit():
        return int(text)
    if text not in names:
        raise BadExpression(f"{text!r} is no name of a month or day")
    return names[text]


def _rate(body: str) -> Rate:
    found = RATE.fullmatch(body)
    if found is None or int(found[1]) == 0:
        raise BadExpression("rate needs a number above 0 and minutes, hours or days")
    count = min(int(found[1]), 1_000_000)
    return Rate(timedelta(**{f"{found[2]}s": count}))


def _at(body: str) -> At:
    try:
        return At(datetime.strptime(body, "%Y-%m-%dT%H:%M:%S"))  # noqa: DTZ007 - local, without zone
    except ValueError as error:
        raise BadExpression("at needs yyyy-mm-ddThh:mm:ss") from error
