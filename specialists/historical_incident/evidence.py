"""What the historical-incident specialist can see: earlier verdicts of our own, and how their incidents ended."""

from collections.abc import Iterable
from datetime import timedelta

from pydantic import AwareDatetime

from domain.causes import CAUSES
from domain.evidence import Evidence
from domain.window import Window

KEPT = 20
"""How many earlier investigations are kept of one investigation's question: the most alike."""

GOOD, WRONG = ("exact", "one_hop_short", "right_area"), "wrong"


class PastIncident(Evidence, kind="history.incident"):
    """An earlier investigation that resembles this one; `resource` is where it saw the cause, or what both touch.

    It may be told, and never supports a hypothesis. `similarity` is 0 to 1 (see `likeness`), `days_ago` counts from
    this investigation. `same_incident`: its window overlaps this one's. `grades` are how people judged the verdict,
    each with its number; `recovered_at` is when its alarm was OK again.
    """

    investigation_id: str
    status: str
    cause: str | None = None
    similarity: float
    days_ago: float
    same_incident: bool = False
    window: Window | None = None
    grades: dict[str, int] = {}
    recovered_at: AwareDatetime | None = None

    @property
    def judged_wrong(self) -> bool:
        """Whether people rejected the verdict: at least as many graded it wrong as found something right in it."""
        wrong = self.grades.get(WRONG, 0)
        return wrong > 0 and wrong >= sum(self.grades.get(grade, 0) for grade in GOOD)

    @property
    def title(self) -> str:
        """The cause in the catalogue's words; its code when this version's catalogue does not have it."""
        known = CAUSES.get(self.cause or "")
        return known.title if known else self.cause or "no cause"

    @property
    def when(self) -> str:
        """How long ago: "2 days ago", "3 h ago", "12 min ago"."""
        return ago(self.days_ago)

    @property
    def judged(self) -> str:
        """The grades, to go on after a comma or semicolon: "graded exact by 2"; empty without grades."""
        return graded(self.grades)

    def summary(self) -> str:
        """Say what was found when, and what people thought of it."""
        verdict = f"{self.title} at {self.resource}" if self.cause else f"{self.status} without a cause"
        told = f"; {self.judged}" if self.judged else ""
        return f"{self.investigation_id}, {self.when}, {self.similarity:.0%} alike: {verdict}{told}"


class Ending(Evidence, kind="history.ending"):
    """What was changed at the resource between an earlier verdict and the moment its alarm was OK again.

    `observed_at` is that moment; `event_name`, `who` and `changed_at` tell the last of `changes` changes that AWS
    carried out. That it came before the recovery is all that is known: it need not have brought it about.
    """

    investigation_id: str
    changes: int = 0
    event_name: str = ""
    who: str = ""
    changed_at: AwareDatetime | None = None

    def summary(self) -> str:
        """Say what came before the recovery."""
        return f"{self.investigation_id}: {self.told}"

    @property
    def told(self) -> str:
        """How it ended, to go on after "whose": "alarm was OK again 4 min after mia's UpdateTable"."""
        if self.changed_at is None or self.observed_at is None:
            return "alarm was OK again without a change there"
        return f"alarm was OK again {_span(self.observed_at - self.changed_at)} after {self.who}'s {self.event_name}"


def ending_of(incident: PastIncident, endings: Iterable[Ending]) -> str:
    """Return how an earlier incident ended, to go on after "whose"; empty where nothing is known of it."""
    for ending in endings:
        if ending.investigation_id == incident.investigation_id:
            return ending.told
    if incident.recovered_at is None or incident.observed_at is None:
        return ""
    return f"alarm was OK again {_span(incident.recovered_at - incident.observed_at)} later"


def _span(time: timedelta) -> str:
    minutes = round(time.total_seconds() / 60)
    return f"{max(1, minutes)} min" if minutes < 90 else f"{round(minutes / 60)} h"


def ago(days: float) -> str:
    """Return a time that has passed, in its largest unit."""
    minutes = round(days * 24 * 60)
    if minutes < 60:
        return f"{max(1, minutes)} min ago"
    if minutes < 36 * 60:
        return f"{round(minutes / 60)} h ago"
    return f"{round(days)} days ago"


def graded(grades: dict[str, int]) -> str:
    """Return "graded exact by 2, wrong by 1", the best first."""
    given = [(grade, grades[grade]) for grade in (*GOOD, WRONG) if grades.get(grade)]
    listed = ", ".join(f"{grade.replace('_', ' ')} by {number}" for grade, number in given)
    return f"graded {listed}" if listed else ""
