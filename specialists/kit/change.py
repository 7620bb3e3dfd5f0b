"""Changes as evidence: who did what, when, and that nobody did anything."""

from datetime import datetime

from domain.evidence import Evidence


class Change(Evidence, kind="change"):
    """One write event of CloudTrail; `observed_at` is when it happened.

    `parameters` are the request's plain parameters, flattened with dots and as text
    ("provisionedThroughput.writeCapacityUnits": "5"); `error_code` is set when AWS refused it, so that nothing changed,
    and `error_message` gives AWS's words.
    """

    event_id: str
    event_name: str
    event_source: str
    who: str
    parameters: dict[str, str] = {}
    error_code: str | None = None
    error_message: str = ""

    @property
    def took_effect(self) -> bool:
        """Whether AWS carried it out."""
        return self.error_code is None

    def summary(self) -> str:
        """Say who did what and when."""
        return self._said(f" at {self.observed_at:%Y-%m-%d %H:%M:%S} UTC" if self.observed_at else "")

    def deed(self) -> str:
        """Say who did what, for where the time stands beside it."""
        return self._said("")

    def _said(self, when: str) -> str:
        shown = ", ".join(f"{key.rsplit('.', 1)[-1]} {value}" for key, value in sorted(self.parameters.items())[:6])
        outcome = f" (refused: {self.error_code})" if self.error_code else ""
        return f"{self.event_name} by {self.who}{when}{outcome}" + (f": {shown}" if shown else "")


class ChangeCount(Evidence, kind="change.count"):
    """How many write events CloudTrail holds about the resource since `searched_from`: none is an answer too."""

    searched_from: datetime
    events: int

    def summary(self) -> str:
        """Say whether anything changed."""
        since = f"since {self.searched_from:%Y-%m-%d %H:%M} UTC"
        return f"{self.events} write events {since}" if self.events else f"No write event {since}"
