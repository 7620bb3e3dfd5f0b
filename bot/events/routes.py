"""The routing table: which channel an event goes to. The first row that fits wins; the last one fits everything."""

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Any, NamedTuple, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from domain.values import Value

CHANNEL = re.compile(r"[CGD][A-Z0-9]{2,20}")
CONDITIONS = ("account", "region", "service", "severity", "tag")


class Traits(NamedTuple):
    """What a row can ask of an event; "" is what the event does not tell, and `tags` are those it carries."""

    account: str = ""
    region: str = ""
    service: str = ""
    severity: str = ""
    tags: Mapping[str, str] = {}

    @property
    def shown(self) -> str:
        """All that is told, in one line."""
        known = [f"{name} {value}" for name, value in zip(self._fields, self[:4], strict=False) if value]
        tags = ", ".join(f"{key}={value}" for key, value in sorted(self.tags.items()))
        return ", ".join([*known, *([f"tags {tags}"] if tags else [])]) or "nothing to route by"


def _channel(value: str) -> str:
    if CHANNEL.fullmatch(value) is None:
        raise ValueError(f"“{value[:80]}” is not a channel's id (C0123ABCD, at the end of the channel's details)")
    return value


def _several(value: Any) -> Any:
    """Read one pattern as a list of one."""
    return (value,) if isinstance(value, str) else value


Pattern = Annotated[str, Field(min_length=1, max_length=256)]
Patterns = Annotated[tuple[Pattern, ...], BeforeValidator(_several)]


class Route(Value):
    """A row. A condition is a pattern (`*` stands for anything, case does not count) or a list of them, one must fit.

    `tag` is `key=value`, or `key` alone for any value. A row without conditions fits every event.
    """

    account: Patterns = ()
    region: Patterns = ()
    service: Patterns = ()
    severity: Patterns = ()
    tag: Patterns = ()
    channel: Annotated[str, AfterValidator(_channel)]

    def fits(self, event: Traits) -> bool:
        """Tell whether every condition of the row holds."""
        return self.unmet(event) == ""

    def unmet(self, event: Traits) -> str:
        """Return the first condition that does not hold, in words; "" when all hold."""
        tags = [f"{key}={value}" for key, value in event.tags.items()]
        for name in CONDITIONS:
            wanted: tuple[str, ...] = getattr(self, name)
            told = (*event.tags, *tags) if name == "tag" else (getattr(event, name),)
            if wanted and not any(_like(value, pattern) for value in told for pattern in wanted):
                return f"{name} is not {' or '.join(wanted)}"
        return ""

    @property
    def unconditional(self) -> bool:
        """Whether it fits everything."""
        return not any(getattr(self, name) for name in CONDITIONS)


def _like(value: str, pattern: str) -> bool:
    return bool(value) and fnmatchcase(value.lower(), pattern.lower().replace("[", "[[]"))


class Routes(Value):
    """The whole table; empty when none is set."""

    rows: tuple[Route, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _list(cls, value: Any) -> Any:
        """Take the table as the plain list that people write."""
        return {"rows": value} if isinstance(value, list | tuple) else value

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.rows and not self.rows[-1].unconditional:
            raise ValueError("the last row must have no conditions: it is the default")
        early = next((n for n, row in enumerate(self.rows[:-1], start=1) if row.unconditional), None)
        if early is not None:
            raise ValueError(f"row {early} has no conditions, so that the rows after it are never reached")
        return self

    @property
    def default(self) -> str:
        """The channel of the last row; "" without a table."""
        return self.rows[-1].channel if self.rows else ""

    @property
    def by_tag(self) -> bool:
        """Whether any row asks for what an alarm has in its tags only."""
        return any(row.tag or row.severity for row in self.rows)

    def taken(self, event: Traits) -> int:
        """Return the index of the first row that fits; the table must not be empty."""
        return next(n for n, row in enumerate(self.rows) if row.fits(event))

    def channel(self, event: Traits) -> str:
        """Return the channel that the event goes to; the table must not be empty."""
        return self.rows[self.taken(event)].channel


def explained(rows: Sequence[Route], event: Traits) -> list[str]:
    """Say which row an event takes, and why not those before it."""
    lines = []
    for number, row in enumerate(rows, start=1):
        unmet = row.unmet(event)
        lines.append(f"row {number} → {row.channel}: {unmet or 'it fits'}")
        if not unmet:
            break
    return lines
