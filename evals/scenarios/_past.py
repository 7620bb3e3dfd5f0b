"""What the team's earlier investigations found, as the store remembers them."""

from datetime import timedelta
from typing import Any

from domain.history import PastInvestigation
from domain.window import Window
from evals.scenarios._functions import Function
from sandbox.aws.world import World

HALF_AN_HOUR = timedelta(minutes=30)


def found_before(
    world: World, number: int, cause: str | None, resource: str, *, days: float, about: Function, **fields: Any
) -> PastInvestigation:
    """Return an earlier investigation, so many days ago, of a failure that `about` took part in."""
    at = world.ago(days=days)
    given: dict[str, Any] = {
        "investigation_id": f"INV-PAST{number:02}",
        "at": at,
        "status": "completed" if cause else "inconclusive",
        "cause": cause,
        "resource": resource if cause else None,
        "summary": f"{cause} at {resource}",
        "confidence": 0.93 if cause else 0.0,
        "resources": (resource, about.arn),
        "services": (about.name,),
        "window": Window(start=at - HALF_AN_HOUR, end=at),
    }
    return PastInvestigation(**given | fields)
