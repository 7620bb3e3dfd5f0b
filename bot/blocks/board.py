"""The live board: one row per specialist, one message, edited in place. `advanced` folds progress into it."""

from enum import StrEnum

from bot.blocks.message import Message, message, sections
from bot.blocks.text import prose
from bot.blocks.words import DONE, FAILED, LATE, PARTLY, PENDING, SKIPPED, WAITING, count, duration
from domain.findings import most_telling
from domain.progress import (
    Concluded,
    Discovered,
    InvestigationStarted,
    Progress,
    Routed,
    SpecialistFinished,
    SpecialistWorking,
)
from domain.report import SpecialistReport
from domain.request import Trigger
from domain.result import SpecialistStatus
from domain.values import Value
from domain.window import Window

TRACE = "trace"
"""The first row: what discovery does."""

ROWS = 24
ROW = 130
"""Characters of what a row says."""


class RowState(StrEnum):
    """How far a row has come; the last five are a specialist's own ends."""

    PENDING = "pending"
    WORKING = "working"
    SUCCESS = "success"
    PARTIAL = "partial"
    TIMEOUT = "timeout"
    FAILED = "failed"
    SKIPPED = "skipped"


SIGNS = {
    RowState.PENDING: PENDING,
    RowState.WORKING: WAITING,
    RowState.SUCCESS: DONE,
    RowState.PARTIAL: PARTLY,
    RowState.TIMEOUT: LATE,
    RowState.FAILED: FAILED,
    RowState.SKIPPED: SKIPPED,
}
LEADS = {RowState.PARTIAL: "partial", RowState.TIMEOUT: "timed out", RowState.FAILED: "failed"}
OPEN = frozenset({RowState.PENDING, RowState.WORKING})


class Row(Value):
    """One line of the board; `seconds` is set when it is over."""

    name: str
    state: RowState
    text: str = ""
    seconds: float | None = None


class Board(Value):
    """An investigation so far, as the channel sees it. `place` is what it is about, once that is known."""

    trigger: Trigger | None = None
    place: str = ""
    region: str = ""
    window: Window | None = None
    rows: tuple[Row, ...] = ()

    @property
    def specialists(self) -> tuple[Row, ...]:
        """The rows of specialists."""
        return tuple(row for row in self.rows if row.name != TRACE)

    @property
    def finished(self) -> int:
        """How many specialists are done, however they ended."""
        return sum(row.state not in OPEN for row in self.specialists)


def advanced(board: Board, event: Progress) -> Board:
    """Return the board after one more event."""
    match event:
        case InvestigationStarted(trigger=trigger, request=request):
            reading = "reading the trace" if request.trace_ids else "finding the resources"
            row = Row(name=TRACE, state=RowState.WORKING, text=reading)
            return Board(trigger=trigger, window=request.window, region=request.region or "", rows=(row,))
        case Discovered():
            return _discovered(board, event)
        case Routed(specialists=assigned):
            known = {row.name for row in board.rows}
            new = (Row(name=a.name, state=RowState.PENDING, text=a.reason) for a in assigned if a.name not in known)
            return board.model_copy(update={"rows": (*board.rows, *new)})
        case SpecialistWorking(name=name, message=said):
            return _with(board, Row(name=name, state=RowState.WORKING, text=said))
        case SpecialistFinished(result=result, headline=headline):
            state = RowState(result.status.value)
            return _with(board, Row(name=result.name, state=state, text=headline, seconds=result.duration_seconds))
        case Concluded():
            return _concluded(board, event)


def _discovered(board: Board, event: Discovered) -> Board:
    state = RowState.PARTIAL if event.gaps else RowState.SUCCESS
    edges = [e for e in event.graph.edges if e.calls] or event.graph.edges  # a source that feeds is no entry of a call
    entries = {e.source for e in edges} - {e.target for e in edges}
    entry = next((n for n in event.graph.nodes if n.id in entries), next(iter(event.graph.nodes), None))
    update = {"window": event.window} | ({"place": entry.label, "region": entry.region} if entry else {})
    row = Row(name=TRACE, state=state, text=event.summary, seconds=event.seconds)
    return _with(board.model_copy(update=update), row)


def _concluded(board: Board, event: Concluded) -> Board:
    """Close what is still open: no row may keep an hourglass after the report."""
    ended = {part.name: _ended(part) for part in event.report.specialists}
    unfinished = (row for row in board.rows if row.state in OPEN)
    for row in unfinished:
        closed = Row(name=row.name, state=RowState.SKIPPED, text="not finished")
        board = _with(board, ended.get(row.name, closed))
    return board


def _ended(part: SpecialistReport) -> Row:
    """Return the row of a specialist whose end was not heard of, from the report."""
    whole = part.status in {SpecialistStatus.SUCCESS, SpecialistStatus.PARTIAL}
    found = next((h.summary for h in part.hypotheses), "") or most_telling(part.facts)
    unseen = next((gap.message for gap in part.gaps), "")
    well = "nothing wrong" if whole else ""
    state = RowState(part.status.value)
    return Row(name=part.name, state=state, text=part.message or found or unseen or well, seconds=part.duration_seconds)


def _with(board: Board, new: Row) -> Board:
    """Return the board with the row of that name replaced, or added. A late "working" does not reopen a row."""
    known = {row.name: row for row in board.rows}
    late = new.state is RowState.WORKING and new.name in known and known[new.name].state not in OPEN
    if late:
        return board
    return board.model_copy(update={"rows": tuple({**known, new.name: new}.values())})


def board_message(board: Board) -> Message:
    """Return the board as one message."""
    rows = [_line(row) for row in board.rows[:ROWS]]
    if len(board.rows) > ROWS:
        rows.append(f"_and {count(len(board.rows) - ROWS, 'more specialist')}_")
    done = f"{board.finished} of {count(len(board.specialists), 'specialist')} done"
    return message(done, sections(rows or [f"{WAITING} starting"]))


def _line(row: Row) -> str:
    lead = LEADS.get(row.state, "")
    said = prose(row.text, ROW)
    told = said if not lead or said.startswith(lead) else f"{lead}: {said}" if said else lead
    took = f" · {duration(row.seconds)}" if row.seconds is not None else ""
    return f"{SIGNS[row.state]} *{prose(row.name, 40)}* {told}{took}"
