"""The line investigations stand in: so many run at once, the others wait in order and know how many are ahead.

What people ask for goes before what nobody asked for. When no more may begin for a while, everybody waits.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple


class Standing(NamedTuple):
    """How a place stands: how many must be done before its turn, and until when nobody is called, if so."""

    ahead: int = 0
    until: datetime | None = None

    @property
    def waits(self) -> bool:
        """Whether its turn is still to come."""
        return bool(self.ahead) or self.until is not None


Moved = Callable[[Standing], None]


class Place:
    """One investigation's place: it may begin once its `turn` has come, and leaves when it is done."""

    def __init__(self, line: "Line", moved: Moved, *, urgent: bool) -> None:
        self._line = line
        self.turn = asyncio.Event()
        self.moved = moved
        self.urgent = urgent

    @property
    def standing(self) -> Standing:
        """How it stands now."""
        return self._line.standing(self)

    def wait(self, seconds: float, until: datetime | None = None) -> None:
        """Give the turn back, because nobody may begin for so long; `until` is told where that is worth telling."""
        self._line.pause(self, seconds, until)

    def leave(self) -> None:
        """Give the place up, whether or not its turn had come."""
        self._line.remove(self)


class Line:
    """At most `most` places have their turn."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._places: list[Place] = []
        self._until: datetime | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def running(self) -> int:
        """How many have their turn."""
        return sum(place.turn.is_set() for place in self._places)

    @property
    def waiting(self) -> int:
        """How many wait for it."""
        return len(self._places) - self.running

    def join(self, moved: Moved = lambda _: None, *, urgent: bool = True) -> Place:
        """Stand in line; `moved` hears how it stands whenever that changes."""
        place = Place(self, moved, urgent=urgent)
        waits_behind = (n for n, each in enumerate(self._places) if not (each.turn.is_set() or each.urgent))
        before = next(waits_behind, len(self._places)) if urgent else len(self._places)
        behind = self._places[before:]
        self._places.insert(before, place)
        self._call()
        _tell(behind)
        return place

    def standing(self, place: Place) -> Standing:
        """Return how many must be done before the place's turn, and until when nobody is called."""
        if place not in self._places or place.turn.is_set():
            return Standing()
        ahead = sum(not each.turn.is_set() for each in self._places[: self._places.index(place)])
        return Standing(ahead if self._until else ahead + 1, self._until)

    def pause(self, place: Place, seconds: float, until: datetime | None) -> None:
        """Take a place's turn back and call nobody for so long; it keeps its place in the order."""
        place.turn.clear()
        if self._timer is not None:
            self._timer.cancel()
        self._until = until
        self._timer = asyncio.get_running_loop().call_later(seconds, self._go_on)
        _tell(self._places)

    def remove(self, place: Place) -> None:
        """Take a place out; those behind it move up."""
        if place not in self._places:
            return
        behind = self._places[self._places.index(place) + 1 :]
        self._places.remove(place)
        self._call()
        _tell(behind)

    def _go_on(self) -> None:
        self._until = self._timer = None
        self._call()
        _tell(self._places)

    def _call(self) -> None:
        if self._timer is not None:
            return
        for place in self._places[: self._most]:
            place.turn.set()


def _tell(places: list[Place]) -> None:
    for place in places:
        if not place.turn.is_set():
            place.moved(place.standing)
