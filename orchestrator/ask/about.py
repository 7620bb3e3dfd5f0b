"""One question, what it is about, and what is known."""

from typing import NamedTuple

from orchestrator.ask.record import Record
from orchestrator.ask.subject import Subject, subject_of


class About(NamedTuple):
    """What an answer is made from."""

    text: str
    subject: Subject
    record: Record

    @classmethod
    def of(cls, text: str, record: Record) -> "About":
        """Read what the question is about."""
        return cls(text, subject_of(text, record), record)
