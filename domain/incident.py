"""Incidents that another platform opened and told of: `opx.incidents / IncidentCreated`."""

import json
from typing import Any

from pydantic import AwareDatetime

from domain.evidence import Evidence
from domain.values import Value
from domain.window import Window

TIME = "%Y-%m-%d %H:%M:%S"
VALUE, LONGEST = 200, 2000
"""Characters of one field, and of all, in the line for people."""


class IncidentReference(Value):
    """An incident as its event told it; what is empty or None the event did not say.

    `window` is the time it is about, `at` when the event was made, both UTC. `details` are the fields of the event's
    detail that are not known here, as they came.
    """

    id: str
    evidence_id: str = ""
    service: str = ""
    severity: str = ""
    window: Window | None = None
    at: AwareDatetime | None = None
    region: str | None = None
    account: str | None = None
    details: dict[str, Any] = {}


class IncidentTold(Evidence, kind="incident.told"):
    """What the event said of the incident that is looked into; `resource` is `incident:` and its id."""

    service: str = ""
    severity: str = ""
    evidence_id: str = ""
    window: Window | None = None
    details: dict[str, Any] = {}

    def summary(self) -> str:
        """Say what was told, the unknown fields too."""
        known = {
            "service": self.service,
            "severity": self.severity,
            "evidence": self.evidence_id,
            "window": f"{self.window.start:{TIME}} to {self.window.end:{TIME}} UTC" if self.window else "",
        }
        told = {name: _worded(value) for name, value in (known | self.details).items()}
        said = ", ".join(f"{name} {words}" for name, words in told.items() if words)
        return f"incident {self.resource.removeprefix('incident:')}: {said[:LONGEST] or 'nothing more was told'}"

    @classmethod
    def of(cls, incident: IncidentReference) -> "IncidentTold":
        """Return the incident as an observation."""
        return cls(
            resource=f"incident:{incident.id}",
            source="message:IncidentCreated event",
            observed_at=incident.at,
            service=incident.service,
            severity=incident.severity,
            evidence_id=incident.evidence_id,
            window=incident.window,
            details=incident.details,
        )


def _worded(value: Any) -> str:
    """Return a field's value for people: a text as it is, anything else as JSON; nothing for none."""
    words = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) if value is not None else ""
    return words if len(words) <= VALUE else f"{words[: VALUE - 1]}…"
