"""Whoever listens to an investigation hears what its specialists do, as typed progress."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from domain.findings import Strength, most_telling
from domain.progress import Progress, SpecialistFinished, SpecialistWorking
from domain.result import SpecialistResult

Listen = Callable[[Progress], None]


@dataclass(frozen=True)
class Listening:
    """Who hears what a specialist does (its name, in words), and its result when it is done."""

    working: Callable[[str, str], None]
    finished: Callable[[SpecialistResult], None]


def while_looking(ident: str, listen: Listen) -> Listening:
    """What is heard of an investigation while its specialists look."""
    return Listening(partial(_working, ident, listen), lambda result: listen(finished(ident, result)))


def while_asking(ident: str, listen: Listen) -> Listening:
    """What is heard while models are asked: the rows move, and nothing is told a second time."""
    return Listening(
        partial(_working, ident, listen),
        lambda result: listen(finished(ident, result).model_copy(update={"found": False})),
    )


def _working(ident: str, listen: Listen, name: str, message: str) -> None:
    listen(SpecialistWorking(investigation_id=ident, name=name, message=message))


def finished(ident: str, result: SpecialistResult) -> SpecialistFinished:
    """Return the progress of a specialist that is done."""
    return SpecialistFinished(
        investigation_id=ident, result=result, headline=headline(result), found=bool(result.hypotheses)
    )


def headline(result: SpecialistResult) -> str:
    """Say in one line what a specialist found: its strongest hypothesis, else what is unusual, else what is unseen."""
    if result.hypotheses:
        order = {Strength.PROOF: 0, Strength.STRONG: 1, Strength.WEAK: 2}
        best = min(
            result.hypotheses, key=lambda h: (min(order[s.strength] for s in h.supports), -len(h.supports), h.cause)
        )
        return best.summary
    if result.message:
        return result.message
    unseen = next((gap.message for gap in result.gaps), "")
    return most_telling(result.facts) or unseen or "nothing wrong"
