"""The parts that X-Ray documents are made of: ids, times, causes, flags.

https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html

Times are epoch seconds. Ids come from one seeded source, so that a scenario is the same in every run.
"""

import random
from collections.abc import Sequence
from typing import Any, NamedTuple

Document = dict[str, Any]


class Ids:
    """Ids of a scenario: random, and the same for the same seed."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)

    def hex(self, digits: int) -> str:
        """Return so many hexadecimal digits."""
        return f"{self._random.getrandbits(4 * digits):0{digits}x}"

    def trace(self, at: float) -> str:
        """Return a trace id that began at an epoch second."""
        return f"1-{int(at):08x}-{self.hex(24)}"

    def segment(self) -> str:
        """Return a segment id."""
        return self.hex(16)

    def request(self) -> str:
        """Return an AWS request id."""
        return "-".join(self.hex(digits) for digits in (8, 4, 4, 4, 12))


class Place(NamedTuple):
    """Where and in which trace segments are made."""

    ids: Ids
    trace_id: str
    region: str
    account: str


def timed(name: str, ids: Ids, start: float, seconds: float | None, **rest: Any) -> Document:
    """Return a node; without `seconds` it is in progress. None values are left out."""
    end = {"in_progress": True} if seconds is None else {"end_time": round(start + seconds, 3)}
    return {
        "id": ids.segment(),
        "name": name,
        "start_time": round(start, 3),
        **end,
        **{key: value for key, value in rest.items() if value is not None},
    }


def exception(
    ids: Ids, kind: str, message: str, *, remote: bool = False, stack: Sequence[tuple[str, int, str]] = ()
) -> Document:
    """Return a `cause` with one exception; `stack` holds (path, line, function), the innermost first."""
    frames = [{"path": path, "line": line, "label": label} for path, line, label in stack]
    return {
        "working_directory": "/var/task",
        "exceptions": [{"id": ids.segment(), "type": kind, "message": message, "remote": remote, "stack": frames}],
    }


def flags(**given: bool) -> Document:
    """Return only the flags that are set: absent is how AWS writes false."""
    return {key: True for key, value in given.items() if value}
