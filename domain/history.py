"""What the team's earlier investigations found, as a specialist may ask for it."""

from collections.abc import Collection
from typing import Protocol

from pydantic import AwareDatetime

from domain.values import Value
from domain.window import Window


class PastInvestigation(Value):
    """An earlier investigation, concluded: hints for a later one, never evidence of what is wrong now.

    `templates` are its error lines with their variable parts as `<*>`; `grades` are how people judged the verdict,
    each grade with its number ("exact": 2); `recovered_at` is when its alarm was OK again, None where no alarm told it.
    `window` is what it looked at: two whose windows overlap looked at one incident.
    """

    investigation_id: str
    at: AwareDatetime
    status: str
    cause: str | None
    resource: str | None
    summary: str
    confidence: float
    resources: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    templates: tuple[str, ...] = ()
    grades: dict[str, int] = {}
    recovered_at: AwareDatetime | None = None
    window: Window | None = None


class PastInvestigations(Protocol):
    """Asks for earlier investigations. Blocking: probes ask in their threads."""

    def touching(
        self, resources: Collection[str], services: Collection[str], *, before: AwareDatetime, limit: int = 200
    ) -> tuple[PastInvestigation, ...]:
        """Return those that touched one of the resources (by id) or services, newest first, concluded before then."""


class _NoPast:
    """A team that has kept nothing yet."""

    def touching(
        self,
        resources: Collection[str],  # noqa: ARG002 - the interface
        services: Collection[str],  # noqa: ARG002
        *,
        before: AwareDatetime,  # noqa: ARG002
        limit: int = 200,  # noqa: ARG002
    ) -> tuple[PastInvestigation, ...]:
        return ()


NO_PAST: PastInvestigations = _NoPast()
