"""A state machine's definition, read into its states. Pure.

Amazon States Language: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-amazon-states-language.html
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from domain.values import Value

MAX_STATES = 500


class StateDefinition(Value):
    """One state. `retries` and `catches` are the error names that it retries and catches; `within` holds it."""

    name: str
    type: str
    resource: str = ""
    timeout_seconds: int | None = None
    heartbeat_seconds: int | None = None
    retries: tuple[str, ...] = ()
    catches: tuple[str, ...] = ()
    distributed: bool = False
    within: str | None = None

    def retries_error(self, error: str) -> bool:
        """Whether a Retry covers the error by its name or a wildcard."""
        return not {error, "States.ALL"}.isdisjoint(self.retries) or (
            "States.TaskFailed" in self.retries and error not in {"States.Timeout", "States.Runtime"}
        )


class Definition(NamedTuple):
    """What a definition says; `problem` is set when it could not be read."""

    states: tuple[StateDefinition, ...] = ()
    start_at: str = ""
    timeout_seconds: int | None = None
    problem: str = ""


def read_definition(text: str) -> Definition:
    """Read a definition's JSON; never raises."""
    try:
        found = json.loads(text)
        if not isinstance(found, Mapping):
            return Definition(problem="it is no JSON object")
        states = tuple(state for state, _ in zip(_states(found, None), range(MAX_STATES), strict=False))
    except (ValueError, RecursionError) as error:
        return Definition(problem=f"it is no JSON ({type(error).__name__})")
    return Definition(states, str(found.get("StartAt") or ""), _integer(found.get("TimeoutSeconds")))


def _states(machine: Mapping[str, Any], within: str | None) -> Iterator[StateDefinition]:
    for name, body in _mapping(machine.get("States")).items():
        if isinstance(body, Mapping):
            yield _state(str(name), body, within)
            inner = [body.get("ItemProcessor"), body.get("Iterator"), *_list(body.get("Branches"))]
            for part in inner:
                yield from _states(_mapping(part), str(name))


def _state(name: str, body: Mapping[str, Any], within: str | None) -> StateDefinition:
    processor = _mapping(_mapping(body.get("ItemProcessor")).get("ProcessorConfig"))
    catchers = [_mapping(c) for c in _list(body.get("Catch"))]
    return StateDefinition(
        name=name,
        type=str(body.get("Type") or ""),
        resource=str(body.get("Resource") or "")[:512],
        timeout_seconds=_integer(body.get("TimeoutSeconds")),
        heartbeat_seconds=_integer(body.get("HeartbeatSeconds")),
        retries=_errors(_mapping(r) for r in _list(body.get("Retry"))),
        catches=_errors(catchers),
        distributed=processor.get("Mode") == "DISTRIBUTED",
        within=within,
    )


def _errors(handlers: Any) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(str(e) for h in handlers if h.get("MaxAttempts", 1) != 0 for e in _list(h.get("ErrorEquals")))
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _integer(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
