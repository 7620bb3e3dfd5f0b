"""Proposed actions: typed steps that a named person may approve. Describing one changes nothing."""

from enum import StrEnum
from typing import Any

from domain.values import Value


class Risk(StrEnum):
    """What can go wrong by doing it."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Effect(StrEnum):
    """What doing it does about the cause, the quickest way back first."""

    UNDOES = "undoes"  # takes back the change that set it off
    MENDS = "mends"  # removes the cause
    RELIEVES = "relieves"  # lessens the harm until it is mended
    WATCHES = "watches"  # changes nothing and looks on


class ProposedAction(Value):
    """A step of the remediation catalogue with its parameters, all taken from observed resources.

    `api_call` and `cli` preview exactly what would be done; `undo` and `verification` say how to take it back and
    how to see that it worked. `parameters` are JSON values. `trade_off` says what it costs beside the risk.
    """

    id: str
    kind: str
    title: str
    resource: str
    parameters: dict[str, Any]
    rationale: str
    expected_effect: str
    api_call: str
    cli: str
    risk: Risk
    reversible: bool
    undo: str
    verification: str
    effect: Effect = Effect.MENDS
    trade_off: str = ""
    evidence: tuple[str, ...] = ()
