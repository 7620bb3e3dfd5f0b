"""What the historical-incident specialist can see: earlier verdicts of our own."""

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
    each with its number; `done` is what was carried out.
    """

    investigation_id: str
    status: str
    cause: str | None = None
    similarity: float
    days_ago: float
    same_incident: bool = False
    window: Window | None = None
    grades: dict[str, int] = {}
    done: tuple[str, ...] = ()

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
        told = "".join(f"; {part}" for part in (self.judged, *self.done[:1]) if part)
        return f"{self.investigation_id}, {self.when}, {self.similarity:.0%} alike: {verdict}{told}"


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
