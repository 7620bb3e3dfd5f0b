"""How a shape of JSON is described: small checks that put together describe every block.

A check takes a value and its JSON pointer and yields what is wrong as (pointer, sentence). The sentences are worded as
Slack words its `response_metadata.messages`.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Found = tuple[str, str]
Check = Callable[[Any, str], Iterator[Found]]


def anything(_value: Any, _pointer: str) -> Iterator[Found]:
    """Accept every value: a field that is documented but not worth describing."""
    return iter(())


def flag(value: Any, pointer: str) -> Iterator[Found]:
    """Accept true and false."""
    if not isinstance(value, bool):
        yield pointer, "must be a boolean"


def string(most: int, least: int = 1) -> Check:
    """Accept a string of that many characters."""

    def check(value: Any, pointer: str) -> Iterator[Found]:
        if not isinstance(value, str):
            yield pointer, "must be a string"
        elif len(value) > most:
            yield pointer, f"must be less than {most + 1} characters (has {len(value)})"
        elif len(value) < least:
            yield pointer, f"must be more than {least - 1} characters"

    return check


def count(least: int, most: int) -> Check:
    """Accept an integer of that range."""

    def check(value: Any, pointer: str) -> Iterator[Found]:
        if not isinstance(value, int) or isinstance(value, bool):
            yield pointer, "must be an integer"
        elif not least <= value <= most:
            yield pointer, f"must be from {least} to {most} (is {value})"

    return check


def number(value: Any, pointer: str) -> Iterator[Found]:
    """Accept a number."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        yield pointer, "must be a number"


def one_of(*choices: str) -> Check:
    """Accept one of these strings."""

    def check(value: Any, pointer: str) -> Iterator[Found]:
        if value not in choices:
            yield pointer, f"must be one of {', '.join(choices)} (is {value!r})"

    return check


def nullable(check: Check) -> Check:
    """Accept null as well."""
    return lambda value, pointer: iter(()) if value is None else check(value, pointer)


def items(of: Check, most: int, least: int = 1) -> Check:
    """Accept a list of so many."""

    def check(value: Any, pointer: str) -> Iterator[Found]:
        if not isinstance(value, list | tuple):
            yield pointer, "must be an array"
            return
        if len(value) > most:
            yield pointer, f"no more than {most} items allowed (has {len(value)})"
        if len(value) < least:
            yield pointer, f"no fewer than {least} items allowed (has {len(value)})"
        for position, item in enumerate(value):
            yield from of(item, f"{pointer}/{position}")

    return check


def record(
    fields: Mapping[str, Check],
    *required: str,
    any_of: tuple[str, ...] = (),
    not_both: tuple[str, ...] = (),
    closed: bool = True,
) -> Check:
    """Accept an object with these fields; `type` is always allowed, others only where it is not closed."""

    def missing(value: Mapping[str, Any]) -> Iterator[str]:
        yield from (f"missing required field: {name}" for name in required if value.get(name) is None)
        if any_of and not any(name in value for name in any_of):
            yield f"missing required field: one of {', '.join(any_of)}"
        if not_both and all(name in value for name in not_both):
            yield f"only one of {' and '.join(not_both)} is allowed"

    def check(value: Any, pointer: str) -> Iterator[Found]:
        if not isinstance(value, Mapping):
            yield pointer, "must be an object"
            return
        yield from ((pointer, sentence) for sentence in missing(value))
        for name, field in value.items():
            if name in fields and (field is not None or name not in required):
                yield from fields[name](field, f"{pointer}/{name}")
            elif name not in fields and closed and name != "type":
                yield pointer, f"invalid additional property: {name}"

    return check


def kinds(table: Mapping[str, Check]) -> Check:
    """Accept an object whose `type` is one of the table's and that passes the check beside it."""

    def check(value: Any, pointer: str) -> Iterator[Found]:
        if not isinstance(value, Mapping):
            yield pointer, "must be an object"
            return
        kind = value.get("type")
        if isinstance(kind, str) and kind in table:
            yield from table[kind](value, pointer)
        else:
            yield f"{pointer}/type", f"unsupported type: {kind}"

    return check


def lazily(make: Callable[[], Check]) -> Check:
    """Make the check when it is first used: for shapes that hold each other."""
    made: list[Check] = []

    def check(value: Any, pointer: str) -> Iterator[Found]:
        if not made:
            made.append(make())
        return made[0](value, pointer)

    return check


def plain(most: int) -> Check:
    """Accept a plain_text object."""
    return kinds({"plain_text": record({"text": string(most), "emoji": flag}, "text")})


def text(most: int) -> Check:
    """Accept a plain_text or mrkdwn object; `emoji` belongs to the first only, `verbatim` to the second."""
    return kinds(
        {
            "plain_text": record({"text": string(most), "emoji": flag}, "text"),
            "mrkdwn": record({"text": string(most), "verbatim": flag}, "text"),
        }
    )
