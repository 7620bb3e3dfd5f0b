"""Which alarms a request asks about: the one it tells of, and those that it names or that a name turned out to be."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
from datetime import datetime

from aws.clients import Clients
from domain.alarm import AlarmReference, AlarmState
from domain.gap import Gap, GapReason
from domain.request import Request
from domain.resource import Resource, ResourceType
from domain.window import Window
from orchestrator.alarms.look import FromAlarm, from_alarm
from orchestrator.resolve import Where

MOST_ALARMS = 3


def references(request: Request, found: Iterable[Resource]) -> tuple[AlarmReference, ...]:
    """Return the alarms to look at, each once; of one that is only named, its last ALARM is meant."""
    first: dict[str, AlarmReference] = {}
    for reference in _references(request, found):
        first.setdefault(reference.name, reference)
    return tuple(first.values())


def _references(request: Request, found: Iterable[Resource]) -> Iterator[AlarmReference]:
    if request.alarm is not None:
        yield request.alarm
    yield from (by_name(target.name) for target in request.targets if target.service == "alarm")
    yield from (by_name(r.name) for r in (*request.resources, *found) if r.type is ResourceType.ALARM)


def by_name(name: str) -> AlarmReference:
    """Refer to an alarm that was named and nothing more."""
    return AlarmReference(name=name, state=AlarmState.ALARM, told_by="name")


def from_alarms(
    aws: Clients,
    request: Request,
    found: Sequence[Resource],
    where: Where,
    now: datetime,
    pool: Executor,
    *,
    foreign: bool = False,
) -> FromAlarm:
    """Follow every alarm that the request asks about; an empty answer where it asks about none.

    Beside traces that were asked for, an alarm brings neither a window nor traces of its own.
    """
    asked = references(request, found)
    named = tuple(t for t in request.targets if t.service != "alarm") if request.alarm is not None else ()
    led_to = [
        from_alarm(
            aws,
            one,
            where,
            now,
            pool,
            named=named if one is request.alarm else (),
            window=request.window,
            foreign=foreign,
        )
        for one in asked[:MOST_ALARMS]
    ]
    traced = bool(request.trace_ids)
    return FromAlarm(
        evidence=tuple(e for f in led_to for e in f.evidence),
        resources=tuple({r.id: r for f in led_to for r in f.resources}.values()),
        window=None if traced else _around([f.window for f in led_to if f.window is not None]),
        trace_ids=() if traced else tuple(dict.fromkeys(t for f in led_to for t in f.trace_ids)),
        gaps=(*(g for f in led_to for g in f.gaps), *_left_out(asked)),
        summary="" if traced else " · ".join(f.summary for f in led_to),
    )


def _around(windows: Sequence[Window]) -> Window | None:
    """Return the interval that holds all windows, the newest alone where they lie more than a day apart."""
    if not windows:
        return None
    newest = max(windows, key=lambda w: w.end)
    near = [w for w in windows if (newest.end - w.start).days < 1] or [newest]
    return Window(start=min(w.start for w in near), end=newest.end)


def _left_out(asked: Sequence[AlarmReference]) -> list[Gap]:
    return [
        Gap(
            specialist="trace",
            probe="alarm",
            resource=left.name,
            reason=GapReason.NO_DATA,
            message=f"Only {MOST_ALARMS} of {len(asked)} alarms were looked at: ask again about “{left.name}”.",
        )
        for left in asked[MOST_ALARMS : MOST_ALARMS + 1]
    ]
