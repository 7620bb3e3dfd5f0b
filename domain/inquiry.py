"""What people ask about a concluded investigation, and what they are answered."""

from pydantic import AwareDatetime

from domain.findings import Origin
from domain.usage import Usage
from domain.values import Value


class Inquiry(Value):
    """One question about one investigation; `key` is what identifies its delivery.

    `thread` is the timestamp of the Slack thread that it is answered in, `named` says that the answer must tell who
    asked what, because nobody else saw the question.
    """

    key: str
    investigation_id: str
    text: str
    user: str
    channel: str
    thread: str
    named: bool = False
    asked_at: AwareDatetime


class Said(Value):
    """One line of an answer, plain text as it was seen, with the ids of the evidence that shows it.

    `source` is the look that saw it, where the report does not list the evidence.
    """

    text: str
    evidence: tuple[str, ...] = ()
    source: str = ""


class Answer(Value):
    """What is answered: a few lines, by rules or worded by a model.

    `note` says in one line why no model answered, where one was asked; `looks` how many further looks were made.
    """

    lines: tuple[Said, ...]
    origin: Origin = Origin.RULE
    note: str = ""
    usage: Usage = Usage()
    looks: int = 0
