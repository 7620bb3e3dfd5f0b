"""The UTC interval that an investigation looks at."""

from datetime import datetime, timedelta
from typing import Self

from pydantic import AwareDatetime, model_validator

from domain.values import Value, utc


class Window(Value):
    """A closed UTC interval; `start` is before `end`."""

    start: AwareDatetime
    end: AwareDatetime

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.start >= self.end:
            raise ValueError(
                f"the window must start before it ends: {self.start.isoformat()} .. {self.end.isoformat()}"
            )
        return self

    @classmethod
    def around(cls, start: datetime, end: datetime, *, before: timedelta, after: timedelta) -> Self:
        """Return the interval widened on both sides."""
        return cls(start=utc(start) - before, end=utc(end) + after)

    def baseline(self, length: timedelta = timedelta(hours=3)) -> "Window":
        """Return the interval just before this one: what was normal."""
        return Window(start=self.start - length, end=self.start)

    def contains(self, moment: datetime) -> bool:
        """Tell whether the moment lies in the interval, its ends included."""
        return self.start <= utc(moment) <= self.end

    @property
    def seconds(self) -> float:
        """The length in seconds."""
        return (self.end - self.start).total_seconds()
