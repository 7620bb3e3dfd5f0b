"""The planning specialist's run: on the conclusion, within its limit, and never raising into the investigation."""

import asyncio
import logging
import time
from collections.abc import Callable

from domain.result import SpecialistResult, SpecialistStatus
from specialists.contract import Plan, Specialist

logger = logging.getLogger(__name__)

PLANNING_SECONDS = 30.0
"""How long planning may take where no specialist says."""


async def run_planning(
    planner: Specialist | None, work: Callable[[], Plan], reason: str
) -> tuple[Plan, SpecialistResult]:
    """Plan on the conclusion within the planner's limit; when that fails there is a verdict without actions."""
    began = time.monotonic()
    name, limit = (planner.name, planner.limit_seconds) if planner else ("", PLANNING_SECONDS)
    made, status, message = Plan(()), SpecialistStatus.SUCCESS, ""
    try:
        made = await asyncio.wait_for(asyncio.to_thread(work), limit)
    except TimeoutError:
        status, message = SpecialistStatus.TIMEOUT, "no actions: planning did not end in time"
    except Exception as error:  # as in the probe runner: a plan that breaks must not hide the verdict
        logger.exception("specialist=<%s> | planning failed", name)
        status, message = SpecialistStatus.FAILED, f"no actions: planning failed ({type(error).__name__})"
    result = SpecialistResult(
        name=name,
        status=status,
        duration_seconds=round(time.monotonic() - began, 3),
        facts=made.facts,
        advice=made.advice,
        reason=reason,
        message=message,
    )
    return made, result
