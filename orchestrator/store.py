"""What is kept of every investigation: the interface. `orchestrator.sqlite_store` is the embedded default.

Every method is durable when it returns. Investigations survive a restart; what was accepted and not finished is
returned by `unfinished`, so that it can be run again.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from pydantic import AwareDatetime

from domain.evidence import EvidenceBundle, load_evidence
from domain.gap import Gap
from domain.graph import ServiceGraph
from domain.history import PastInvestigations
from domain.inquiry import Inquiry
from domain.report import Report
from domain.request import Request, Trigger
from domain.result import SpecialistResult
from domain.told import Wording
from domain.usage import Usage
from domain.values import Value
from domain.window import Window


class State(StrEnum):
    """Where an investigation is in its life."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"


class Grade(StrEnum):
    """How people judge a verdict."""

    EXACT = "exact"
    ONE_HOP_SHORT = "one_hop_short"
    RIGHT_AREA = "right_area"
    WRONG = "wrong"


class MessageRole(StrEnum):
    """Which of an investigation's messages in Slack one is."""

    ROOT = "root"
    BOARD = "board"
    REPORT = "report"
    ALARMS = "alarms"


class MessageRef(Value):
    """Where a message stands in Slack."""

    channel: str
    ts: str


class Investigation(Value):
    """One investigation as the store knows it."""

    id: str
    state: State
    trigger: Trigger
    accepted_at: AwareDatetime
    messages: dict[MessageRole, MessageRef] = {}


class StoredBundle(Value):
    """Everything a conclusion follows from: enough to conclude again without AWS.

    `evidence` are dumps of Evidence (see `domain.evidence.load_evidence`); `planning_seconds` is how long planning on
    it took the first time; `trade_offs` and `wording` are what came of asking models then, about the plan and about the
    verdict.
    """

    request: Request
    trigger: Trigger
    window: Window
    graph: ServiceGraph
    evidence: tuple[dict[str, object], ...]
    results: tuple[SpecialistResult, ...]
    discovery_gaps: tuple[Gap, ...]
    nearby: tuple[str, ...]
    aws_calls: int
    planning_seconds: float | None = None
    trade_offs: SpecialistResult | None = None
    wording: Wording | None = None
    started_at: AwareDatetime
    completed_at: AwareDatetime

    def loaded(self) -> EvidenceBundle:
        """Return the evidence as it was seen."""
        return EvidenceBundle(load_evidence(item) for item in self.evidence)


class Store(PastInvestigations, Protocol):
    """The interface of every store; what it holds of concluded investigations, later ones may ask for."""

    async def accept(self, key: str, trigger: Trigger, *, now: AwareDatetime) -> Investigation | None:
        """Durably take on an investigation; None when this delivery key was accepted before."""

    async def get(self, investigation_id: str) -> Investigation | None:
        """Return an investigation by id."""

    async def start(self, investigation_id: str, *, now: AwareDatetime) -> None:
        """Record that work on it began."""

    async def turn(
        self, investigation_id: str, *, most: int, per_hour: int, stuck_after: timedelta, now: AwareDatetime
    ) -> timedelta | None:
        """Record that work on it begins, unless too many are at it or began within the hour; then how long to wait.

        What began longer than `stuck_after` ago counts as given up.
        """

    async def place(self, investigation_id: str, role: MessageRole, message: MessageRef) -> None:
        """Record where one of its messages stands."""

    async def by_message(self, message: MessageRef) -> Investigation | None:
        """Return the investigation whose root message (its thread) this is."""

    async def in_thread(self, thread: MessageRef) -> tuple[Investigation, ...]:
        """Return the investigations that a thread (by its first message) is about, newest first, at most ten."""

    async def finish(self, report: Report, bundle: StoredBundle | None) -> None:
        """Store the report, each specialist's execution, the recommendation, and the evidence for a replay."""

    async def report(self, investigation_id: str) -> Report | None:
        """Return the stored report."""

    async def bundle(self, investigation_id: str) -> StoredBundle | None:
        """Return the stored evidence bundle."""

    async def unfinished(self) -> tuple[Investigation, ...]:
        """Return what was accepted and never finished, oldest first."""

    async def recent(self, limit: int = 20) -> tuple[Report, ...]:
        """Return the newest reports."""

    async def grade(self, investigation_id: str, user: str, grade: Grade, *, now: AwareDatetime) -> None:
        """Record one person's judgement; a later one of the same person replaces it."""

    async def grades(self, investigation_id: str) -> dict[str, Grade]:
        """Return the judgements by person."""

    async def dismiss(self, investigation_id: str, action_id: str, user: str, *, now: AwareDatetime) -> bool:
        """Record that a proposed action was dismissed; False when it already was."""

    async def dismissed(self, investigation_id: str) -> frozenset[str]:
        """Return the ids of dismissed actions."""

    async def inquire(self, inquiry: Inquiry) -> bool:
        """Durably take on a question; False when its delivery was taken on before."""

    async def answered(self, key: str, usage: Usage, *, now: AwareDatetime) -> None:
        """Record that a question was answered, and what that took."""

    async def unanswered(self) -> tuple[Inquiry, ...]:
        """Return the questions that were taken on and never answered, oldest first."""

    async def spent_on_answers(self, investigation_id: str) -> Usage:
        """Return what the answers about an investigation took in all."""

    async def close(self) -> None:
        """Write what is waiting and let go of the file."""
