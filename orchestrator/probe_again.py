"""One further look of a specialist, after its run: where the first failed, or where somebody asks."""

from dataclasses import replace

from domain.resource import Resource
from specialists.contract import Probe
from specialists.once import Once
from specialists.run import GRACE_SECONDS, Assignment, Run, Tools, run_specialist

LOOK_SECONDS = 8.0
"""How long one further look may take."""


async def probe_again(
    assignment: Assignment, probe: Probe, target: Resource, tools: Tools, *, seconds: float = LOOK_SECONDS
) -> Run:
    """Run one probe on one resource as the specialist itself does: guarded, metered, redacted; a failure is a gap.

    `assignment.trace` is everything seen so far, of which the probe may need some. AWS is asked anew: nobody is given
    the answer of an earlier look. A probe that does not fit the resource brings nothing; nothing is raised. One that
    looks at its targets together looks at all that the assignment has in the resource's account and Region.
    """
    place = (target.account, target.region)
    group = tuple(t for t in assignment.targets if (t.account, t.region) == place) if probe.together else ()
    alone = replace(assignment.specialist, probes=(probe,), rules=(), limit_seconds=seconds + GRACE_SECONDS)
    one = replace(assignment, specialist=alone, targets=group or (target,))
    return await run_specialist(one, replace(tools, once=Once()), lambda _: None)
