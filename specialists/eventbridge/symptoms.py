"""What the metrics and changes say, in the words that the rules share. Pure."""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta

from domain.resource import ResourceType
from specialists.contract import Case
from specialists.eventbridge.arns import resource_of
from specialists.eventbridge.evidence import Destination, RoleAccess, RuleState, Target, Targets
from specialists.eventbridge.metrics import (
    ACTIVITY,
    EVENTS,
    FAILURES,
    FUNCTIONS,
    HOUR,
    MINUTE,
    PIPES,
    SCHEDULES,
    group_of,
    of_rule,
    place_of,
)
from specialists.kit.change import Change
from specialists.kit.series import MetricSeries

BASELINE, WEEK = timedelta(hours=3), timedelta(days=7)
"""What the series of minutes and of hours show before the window."""

SETTLING = timedelta(minutes=2)
EXPECTED = 3.0
"""Events that would have come: none instead is chance in one case of twenty."""


def own_series(case: Case, name: str, *, period: int = MINUTE) -> MetricSeries | None:
    """Return a series of the target itself (of its group, where it is a schedule)."""
    namespace, where = _own(case)
    return next(
        (
            s
            for s in case.all(MetricSeries)
            if (s.namespace, s.metric, s.period_seconds) == (namespace, name, period) and s.dimensions == where
        ),
        None,
    )


def _own(case: Case) -> tuple[str, Mapping[str, str]]:
    if case.target.type is ResourceType.SCHEDULE:
        return SCHEDULES, {"ScheduleGroup": group_of(case.target)}
    if case.target.type is ResourceType.PIPE:
        return PIPES, {"PipeName": case.target.name}
    return EVENTS, of_rule(place_of(case.target))


def counted(case: Case, names: Iterable[str]) -> tuple[MetricSeries, ...]:
    """Return those of the target's own series that are above zero in the window."""
    found = (own_series(case, name) for name in names)
    return tuple(series for series in found if series is not None and series.total > 0)


def failures(case: Case) -> tuple[MetricSeries, ...]:
    """Return the series that count what was not delivered."""
    return counted(case, FAILURES)


def of_function(case: Case, target: Target, name: str) -> list[MetricSeries]:
    """Return a series of the function that is a target, if it is above zero in the window."""
    node = resource_of(target.arn)
    where = {"FunctionName": node.name} if node else {}
    found = [s for s in case.all(MetricSeries) if (s.namespace, s.metric, s.dimensions) == (FUNCTIONS, name, where)]
    return [series for series in found if series.total > 0]


def onset(found: Iterable[MetricSeries]) -> datetime | None:
    """Return when any of them first rose above zero."""
    return min((at for series in found if (at := series.first_over(0))), default=None)


def active(case: Case) -> tuple[MetricSeries, ...]:
    """Return the series that show the rule or pipe at work in the window."""
    return counted(case, ACTIVITY)


def fell_silent(case: Case, since: datetime | None = None) -> tuple[MetricSeries, ...]:
    """Return the series that show it at work before a moment and not after it, where chance does not explain that.

    Without a moment, the window's last quarter is asked about. Changes take a moment to take effect.
    """
    rest = since + SETTLING if since else case.window.start + (case.window.end - case.window.start) * 0.75
    recent = [s for name in ACTIVITY if (s := own_series(case, name)) is not None]
    if not recent or any(point.value > 0 and point.at >= rest for series in recent for point in series.points):
        return ()
    left = (case.window.end - rest).total_seconds()
    spans = [(s, case.window.start - BASELINE) for s in recent]
    spans += [(s, case.window.start - WEEK) for s in _weekly(case)]
    worked = [
        s for s, start in spans if left > 0 and _count(s, rest) / (rest - start).total_seconds() * left >= EXPECTED
    ]
    return tuple(worked)


def worked_before(case: Case) -> bool:
    """Tell whether anything shows it at work before the window."""
    recent = [s for name in ACTIVITY if (s := own_series(case, name)) is not None]
    return any(point.value > 0 for series in (*recent, *_weekly(case)) for point in series.baseline)


def usual_at_this_hour(case: Case) -> tuple[MetricSeries, ...]:
    """Return the weekly series that show it at work at the window's hours on at least three days before."""
    hours = {case.window.start.hour, case.window.end.hour}
    return tuple(
        s for s in _weekly(case) if len({p.at.date() for p in s.baseline if p.value > 0 and p.at.hour in hours}) >= 3
    )


def _weekly(case: Case) -> list[MetricSeries]:
    return [s for name in ACTIVITY if (s := own_series(case, name, period=HOUR)) is not None]


def _count(series: MetricSeries, end: datetime) -> float:
    return sum(p.value for p in (*series.baseline, *series.points) if p.at < end)


def silent_since(found: Iterable[MetricSeries]) -> datetime | None:
    """Return the last time that any of them was above zero, by the minute where there are such points."""
    series = sorted(found, key=lambda s: s.period_seconds)
    points = [p.at for s in series[:1] for p in (*s.baseline, *s.points) if p.value > 0]
    return max(points, default=None)


def changed(case: Case, *prefixes: str, source: str = "") -> list[Change]:
    """Return the changes that took effect and whose names begin so, oldest first; `source` narrows the service."""
    found = [
        change
        for change in case.all(Change)
        if change.took_effect and change.event_name.startswith(prefixes) and source in change.event_source
    ]
    return sorted(found, key=lambda change: (change.observed_at is not None, change.observed_at, change.id))


def parameter(change: Change, ending: str) -> str:
    """Return a request parameter by the end of its name, whatever its case; empty without."""
    return next((v for name, v in change.parameters.items() if name.lower().endswith(ending.lower())), "")


def altered(changes: Iterable[Change], asked: Callable[[Change], str]) -> list[Change]:
    """Return the changes that asked for something else than the one before them, those left out that did not ask."""
    found: list[Change] = []
    for change in changes:
        if asked(change) and (not found or asked(found[-1]) != asked(change)):
            found.append(change)
    return found


def by_whom(change: Change) -> str:
    """Say who and when: " by `mia` at 09:41 UTC"."""
    when = f" at {change.observed_at:%H:%M} UTC" if change.observed_at else ""
    return f" by `{change.who}`{when}"


def targets_of(case: Case) -> tuple[Target, ...]:
    """Return the target's own targets."""
    known = case.one(Targets)
    return known.targets if known else ()


def destination(case: Case, arn: str) -> Destination | None:
    """Return what was seen of a target or dead-letter queue."""
    return next((d for d in case.all(Destination) if d.arn == arn), None)


def refusal(case: Case, target: Target) -> tuple[str, Destination | RoleAccess] | None:
    """Return why a target cannot be called, and the evidence; None when nothing known stands in the way."""
    for access in case.all(RoleAccess):
        if (access.role_arn, access.target_arn) == (target.role_arn, target.arn) and access.refusal:
            return access.refusal, access
    seen = destination(case, target.arn)
    if seen is not None and seen.admits is False and not target.role_arn:
        return seen.why, seen
    return None


def gone(case: Case, arn: str) -> Destination | None:
    """Return the evidence that a target does not exist."""
    seen = destination(case, arn)
    return seen if seen is not None and seen.exists is False else None


def known_fault(case: Case) -> bool:
    """Tell whether a target is known to be gone or closed: then EventBridge does not retry."""
    return any(gone(case, target.arn) or refusal(case, target) for target in targets_of(case))


def switched_on(case: Case) -> bool:
    """Tell whether nothing known says that the rule is off or gone."""
    state = case.one(RuleState)
    return state is None or state.enabled


def total(found: Collection[MetricSeries]) -> float:
    """Return the largest of their sums: they count the same events at different steps."""
    return max((series.total for series in found), default=0.0)
