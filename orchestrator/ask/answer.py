"""From a question to its answer by rules: what is meant, what is known of it, in a few lines with their evidence."""

from domain.inquiry import Said
from orchestrator.ask.about import About
from orchestrator.ask.kinds import answer_to
from orchestrator.ask.record import Record

MOST_LINES = 5
LONGEST = 500
"""Characters of a question that are read."""


def told(question: str, record: Record) -> tuple[Said, ...]:
    """Return the lines of the answer, each once. Deterministic, without AWS and without a model."""
    unique: dict[str, Said] = {}
    for said in answer_to(About.of(question[:LONGEST], record)):
        unique.setdefault(said.text, said)
        if len(unique) == MOST_LINES:
            break
    return tuple(unique.values())
