"""Progress of an investigation, as typed events in the order they happen. Whoever listens renders them."""

from typing import Literal

from pydantic import AwareDatetime

from domain.gap import Gap
from domain.graph import ServiceGraph
from domain.report import Report
from domain.request import Request, Trigger
from domain.result import SpecialistResult
from domain.values import Value
from domain.window import Window


class InvestigationStarted(Value):
    """The request was understood and work begins."""

    kind: Literal["started"] = "started"
    investigation_id: str
    trigger: Trigger
    request: Request
    at: AwareDatetime


class Discovered(Value):
    """The trace was read and the resources are known; `summary` is the board's row for the trace."""

    kind: Literal["discovered"] = "discovered"
    investigation_id: str
    window: Window
    graph: ServiceGraph
    summary: str
    seconds: float
    gaps: tuple[Gap, ...] = ()


class Assigned(Value):
    """One specialist that will look, and why."""

    name: str
    reason: str


class Routed(Value):
    """Which specialists will look."""

    kind: Literal["routed"] = "routed"
    investigation_id: str
    specialists: tuple[Assigned, ...]


class SpecialistWorking(Value):
    """What a specialist is doing now: "reading CloudTrail, 4 of 6 looks"."""

    kind: Literal["working"] = "working"
    investigation_id: str
    name: str
    message: str


class SpecialistFinished(Value):
    """A specialist is done. `headline` says in one line what it found; `found` whether that is worth a reply."""

    kind: Literal["finished"] = "finished"
    investigation_id: str
    result: SpecialistResult
    headline: str
    found: bool


class Concluded(Value):
    """The end, always reached: the report, whatever its status."""

    kind: Literal["concluded"] = "concluded"
    investigation_id: str
    report: Report


Progress = InvestigationStarted | Discovered | Routed | SpecialistWorking | SpecialistFinished | Concluded
