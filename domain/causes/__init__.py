"""The catalogue of causes: every code that a hypothesis may carry, with its wording and its AWS source."""

from collections.abc import Mapping
from difflib import get_close_matches
from types import MappingProxyType

from domain.causes import (
    access,
    apigateway,
    lambda_code,
    lambda_invocation,
    messaging,
    network,
    overall,
    stepfunctions,
    storage,
)
from domain.causes.row import Cause

EVERY_CAUSE: tuple[Cause, ...] = (
    *lambda_code.CAUSES,
    *lambda_invocation.CAUSES,
    *apigateway.CAUSES,
    *stepfunctions.CAUSES,
    *messaging.CAUSES,
    *storage.CAUSES,
    *access.CAUSES,
    *network.CAUSES,
    *overall.CAUSES,
)
"""All causes, in the order of the catalogue's pages."""

CAUSES: Mapping[str, Cause] = MappingProxyType({each.code: each for each in EVERY_CAUSE})
"""All causes by code; read-only."""


def cause(code: str) -> Cause:
    """Return the cause of a code; raises KeyError, naming the nearest codes, for one that the catalogue lacks."""
    if code in CAUSES:
        return CAUSES[code]
    nearest = ", ".join(get_close_matches(code, CAUSES)) or "none is near"
    raise KeyError(f"no cause has the code {code!r}; nearest: {nearest}")


__all__ = ["CAUSES", "EVERY_CAUSE", "Cause", "cause"]
