"""Events of an execution's history in one shape, however they came. Pure.

GetExecutionHistory keeps the details under a key named after the type; the log of an Express workflow keeps them under
`details`, with `previous_event_id` and milliseconds:
https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from domain.values import utc


class Event(NamedTuple):
    """One event; `previous` is None where the source does not tell, and 0 where AWS says "none"."""

    id: int
    previous: int | None
    type: str
    at: datetime | None
    details: Mapping[str, Any]

    def text(self, name: str) -> str:
        """Return a detail as text: JSON that came parsed is written again."""
        value = self.details.get(name)
        return value if isinstance(value, str) else "" if value is None else json.dumps(value)

    @property
    def enters(self) -> bool:
        """Whether a state begins."""
        return self.type.endswith("StateEntered")

    @property
    def exits(self) -> bool:
        """Whether a state ends well, or by its Catch."""
        return self.type.endswith("StateExited")

    @property
    def schedules(self) -> bool:
        """Whether a task is asked for."""
        return self.type.endswith("Scheduled")


class Events:
    """The events that were read, by id; what is missing was not read."""

    def __init__(self, raw: Iterable[Mapping[str, Any]]) -> None:
        found = {event.id: event for event in map(_event, raw) if event is not None}
        self.ordered: tuple[Event, ...] = tuple(found[key] for key in sorted(found))
        self._by_id = found
        self._place = {event.id: place for place, event in enumerate(self.ordered)}

    def get(self, event_id: int) -> Event | None:
        """Return the event with this id."""
        return self._by_id.get(event_id)

    def before(self, event: Event) -> Event | None:
        """Return the event that led to this one; where no ids tell, the one just before it."""
        if event.previous is None:
            place = self._place[event.id]
            return self.ordered[place - 1] if place else None
        earlier = self._by_id.get(event.previous)
        return earlier if earlier is not None and earlier.id < event.id else None

    def chain(self, event: Event) -> Iterator[Event]:
        """Yield what led to the event, nearest first, itself left out."""
        earlier = self.before(event)
        while earlier is not None:
            yield earlier
            earlier = self.before(earlier)

    @property
    def whole(self) -> bool:
        """Whether the first event was read."""
        return bool(self.ordered) and self.ordered[0].type == "ExecutionStarted"


def payload(value: Any) -> Mapping[str, Any]:
    """Return a JSON object that is given as such or as text; empty for anything else."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, Mapping) else {}


def _event(raw: Mapping[str, Any]) -> Event | None:
    number = _number(raw.get("id"))
    if number is None:
        return None
    previous = raw.get("previousEventId", raw.get("previous_event_id"))
    details = raw.get("details")
    if not isinstance(details, Mapping):
        details = next((v for k, v in raw.items() if k.endswith("EventDetails") and isinstance(v, Mapping)), {})
    when = raw.get("timestamp", raw.get("event_timestamp"))
    return Event(number, _number(previous), str(raw.get("type", "")), _moment(when), details)


def _number(value: Any) -> int | None:
    text = str(value)
    return int(text) if text.isdecimal() and len(text) < 16 else None


def _moment(value: Any) -> datetime | None:
    """Read a datetime, ISO text, epoch seconds or epoch milliseconds; None for anything else."""
    if isinstance(value, datetime):
        return utc(value)
    try:
        return _from_number(float(value))
    except (TypeError, ValueError, OverflowError, OSError):
        pass
    try:
        return utc(datetime.fromisoformat(str(value)))
    except ValueError:
        return None


def _from_number(number: float) -> datetime:
    return datetime.fromtimestamp(number / 1000 if number > 1e11 else number, tz=UTC)
