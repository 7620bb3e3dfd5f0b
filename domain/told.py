"""The verdict in a model's words, where they passed their check."""

from domain.findings import Origin
from domain.usage import Usage
from domain.values import Value


class Told(Value):
    """What is wrong, why, and what to do first; `first` is empty where nothing is proposed. Plain text."""

    summary: str
    why: str
    first: str = ""
    origin: Origin = Origin.MODEL


class Wording(Value):
    """What came of asking a model to word the verdict: its words, or in `note` one line that says why there are none.

    `dropped`: there were words, and they failed their check. `usage` is spent either way.
    """

    told: Told | None = None
    note: str = ""
    dropped: bool = False
    usage: Usage = Usage()
