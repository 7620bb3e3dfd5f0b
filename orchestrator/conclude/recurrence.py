"""Whether this is not the first time: earlier incidents with the settled cause at the same resource.

It is told beside the verdict and weighs nothing in it.
"""

from typing import NamedTuple

from domain.evidence import EvidenceBundle
from domain.report import RankedHypothesis
from specialists.historical_incident.evidence import KEPT, Ending, PastIncident, ago, ending_of, graded
from specialists.historical_incident.recurring import RECENT_DAYS, earlier_incidents

ORDINALS = ("", "First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth", "Ninth", "Tenth")


class Recurrence(NamedTuple):
    """How often it was here, this time included; `at_least`: there was more history than was kept.

    `ended` is how the last time ended, to go on after "whose"; empty where that is not known.
    """

    count_in_14_days: int
    at_least: bool
    last_id: str
    last_days_ago: float
    ended: str
    grades: dict[str, int]


def recurrence(root: RankedHypothesis | None, bundle: EvidenceBundle) -> Recurrence | None:
    """Return how often the root cause was found there before; None for the first time."""
    past, endings = bundle.of(PastIncident), bundle.of(Ending)
    before = earlier_incidents(past, root.cause, root.resource) if root is not None else ()
    if not before:
        return None
    last = before[0]
    return Recurrence(
        count_in_14_days=1 + sum(one.days_ago <= RECENT_DAYS for one in before),
        at_least=len(past) >= KEPT,
        last_id=last.investigation_id,
        last_days_ago=last.days_ago,
        ended=ending_of(last, endings),
        grades=last.grades,
    )


def sentence(again: Recurrence) -> str:
    """Return "Third time in 14 days: INV-7F3KQ2 (2 days ago), whose alarm was …; graded exact by 2."."""
    count = again.count_in_14_days
    number = f"{ORDINALS[count]} time" if count < len(ORDINALS) else f"{count} times"
    often = f"{number} in {RECENT_DAYS:.0f} days{' at least' if again.at_least else ''}"
    ended = f", whose {again.ended}" if again.ended else ""
    judged = f"; {graded(again.grades)}" if graded(again.grades) else ""
    return f"{often if count > 1 else 'Seen before'}: {again.last_id} ({ago(again.last_days_ago)}){ended}{judged}."
