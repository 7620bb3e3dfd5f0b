"""What signal analysis can see besides metric series: X-Ray's service graph, error templates, usual hours."""

from pydantic import AwareDatetime

from domain.evidence import Evidence
from domain.values import Value


class NodeRow(Value):
    """A node's requests in one slice of time that begins `at`: how many a minute, how long (seconds), how many failed.

    `latency` is the mean in seconds, `errors` the part that failed in any way, 0 to 1; None without requests.
    """

    at: AwareDatetime
    requests: float
    latency: float | None = None
    errors: float | None = None


class GraphNode(Evidence, kind="signal.node"):
    """A node of X-Ray's service graph over the window and before it, slice by slice.

    `type` is X-Ray's ("AWS::Lambda::Function", "client", "remote", or empty), `calls` are the ids of what it calls;
    `inferred`: it sent no segments of its own, X-Ray knows it from its callers or callees.
    """

    name: str
    type: str = ""
    inferred: bool = False
    calls: tuple[str, ...] = ()
    window: tuple[NodeRow, ...] = ()
    baseline: tuple[NodeRow, ...] = ()

    def summary(self) -> str:
        """Say how many requests it had, and how they went."""
        return f"X-Ray: {self.name} {self.type}: {_told(self.window)}; before: {_told(self.baseline)}"


def _told(rows: tuple[NodeRow, ...]) -> str:
    requests = sum(row.requests for row in rows)
    if not requests:
        return "no requests"
    failed = sum(row.requests * (row.errors or 0.0) for row in rows) / requests
    seconds = sum(row.requests * (row.latency or 0.0) for row in rows) / requests
    return f"{requests / len(rows):.1f} requests a minute, {seconds:.3f} s each, {failed:.0%} failed"


class LogTemplate(Evidence, kind="signal.log_template"):
    """Error lines of one log group that differ in their variable parts only; `observed_at` is the first in the window.

    `template` has `<*>`, or a word such as `<id>`, for each variable part. `usual` is how many lines of that template
    the hours before would put into a window of this length; None where they were not read. `truncated`: there were more
    error lines than were read, so that the counts are lower bounds.
    """

    log_group: str
    template: str
    count: int
    usual: float | None = None
    sample: str = ""
    truncated: bool = False

    @property
    def new(self) -> bool:
        """Whether the hours before know no such line."""
        return self.usual == 0

    def summary(self) -> str:
        """Say how often it was written, from when on, and what was usual."""
        count = f"{'at least ' if self.truncated else ''}{self.count}"
        since = f" since {self.observed_at:%H:%M:%S} UTC" if self.observed_at else ""
        usual = "usual unknown" if self.usual is None else "never before" if self.new else f"usual {self.usual:.1f}"
        return f"{count} error lines in {self.log_group}{since}, {usual}: {self.template}"


class UsualHour(Evidence, kind="signal.usual_hour"):
    """What a signal did at this time of earlier days, where it left what the hours before had shown.

    `worst` is the window's, `earlier` the worst of the same time of day by how many days back ("1", "7"), all in the
    signal's unit a minute. `usual`: on the earlier days it did the same.
    """

    signal: str
    worst: float
    earlier: dict[str, float] = {}
    usual: bool = False

    def summary(self) -> str:
        """Compare the window with the earlier days."""
        if not self.earlier:
            return f"{self.signal}: {self.worst:g}; nothing is known of this hour on earlier days"
        days = ", ".join(f"{value:g} {days} days back" for days, value in sorted(self.earlier.items()))
        return f"{self.signal}: {self.worst:g}; at this hour {days}{' (usual for this hour)' if self.usual else ''}"
