"""The line investigations stand in: so many run at once, the others wait in order and know how many are ahead."""

import asyncio
from collections.abc import Callable
from types import TracebackType

Moved = Callable[[int], None]


class Place:
    """One investigation's place: entered when its turn comes, left when it is done."""

    def __init__(self, line: "Line", moved: Moved) -> None:
        self._line = line
        self.turn = asyncio.Event()
        self.moved = moved

    @property
    def ahead(self) -> int:
        """How many must be done before its turn; 0 when it may go."""
        return self._line.ahead(self)

    async def __aenter__(self) -> None:
        await self.turn.wait()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()

    def leave(self) -> None:
        """Give the place up, whether or not its turn had come."""
        self._line.remove(self)


class Line:
    """At most `most` places have their turn."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._places: list[Place] = []

    @property
    def running(self) -> int:
        """How many have their turn."""
        return min(len(self._places), self._most)

    @property
    def waiting(self) -> int:
        """How many wait for it."""
        return len(self._places) - self.running

    def join(self, moved: Moved = lambda _: None) -> Place:
        """Stand in line; `moved` hears how many are ahead whenever that changes."""
        place = Place(self, moved)
        self._places.append(place)
        self._call()
        return place

    def ahead(self, place: Place) -> int:
        """Return how many must be done before the place's turn."""
        return max(0, self._places.index(place) - self._most + 1) if place in self._places else 0

    def remove(self, place: Place) -> None:
        """Take a place out; those behind it move up."""
        if place not in self._places:
            return
        behind = self._places[self._places.index(place) + 1 :]
        self._places.remove(place)
        self._call()
        for other in behind:
            if not other.turn.is_set():
                other.moved(other.ahead)

    def _call(self) -> None:
        for place in self._places[: self._most]:
            place.turn.set()
