"""Event patterns: which can never match, and what differs between two. Pure.

Fields of every event: https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
"""

import json
from typing import Any

TEXT_FIELDS = frozenset({"version", "id", "detail-type", "source", "account", "time", "region", "resources"})
FIELDS = TEXT_FIELDS | {"detail", "$or", "replay-name", "trace-header", "ingestion-time"}
"""What can stand at the top of an event; a pattern that asks for anything else there waits for ever."""

MAX_FIELDS = 500


def read_pattern(text: str) -> dict[str, Any] | None:
    """Return the pattern's JSON object, None for anything else."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def why_never(text: str) -> str:
    """Say why no event can match, empty when one may.

    AWS accepts such patterns: `detailType` for `detail-type`, an object where an event has text, a number for the
    account, which is text in every event.
    """
    pattern = read_pattern(text)
    if pattern is None:
        return "it is no JSON object" if text else ""
    for name, wanted in pattern.items():
        if name not in FIELDS and not _may_be_absent(wanted):
            near = next((f for f in FIELDS if _plain(f) == _plain(name)), "")
            return f"events have no field `{name}`" + (f", the field is `{near}`" if near else "")
        if name in TEXT_FIELDS and isinstance(wanted, dict):
            return f"it looks inside `{name}`, which is plain text in every event"
        if name in TEXT_FIELDS and _only_numbers(wanted):
            return f"it compares `{name}` with a number, which is text in every event"
    return ""


def _may_be_absent(wanted: Any) -> bool:
    return isinstance(wanted, list) and any(isinstance(m, dict) and m.get("exists") is False for m in wanted)


def _only_numbers(wanted: Any) -> bool:
    return isinstance(wanted, list) and bool(wanted) and all(type(value) in {int, float} for value in wanted)


def _plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "").replace(" ", "")


def changed_fields(before: str, after: str) -> tuple[str, ...]:
    """Name the fields on which two patterns differ ("detail.status"); none when either cannot be read."""
    old, new = read_pattern(before), read_pattern(after)
    if old is None or new is None:
        return ()
    left, right = _flat(old), _flat(new)
    return tuple(sorted(name for name in {*left, *right} if left.get(name) != right.get(name)))


def _flat(pattern: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    todo = [("", pattern)]
    while todo and len(found) < MAX_FIELDS:
        prefix, node = todo.pop()
        for name, wanted in node.items():
            if isinstance(wanted, dict):
                todo.append((f"{prefix}{name}.", wanted))
            else:
                found[f"{prefix}{name}"] = json.dumps(wanted, sort_keys=True)
    return found
