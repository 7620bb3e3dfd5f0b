"""The team's runbooks, post-mortems and docs, as a specialist may ask for them."""

from collections.abc import Sequence
from typing import Protocol

from domain.values import Value


class Passage(Value):
    """One section of a document that fits a question.

    `source` is the file's path from its folder's own name on (or the document's address), `heading` the section's
    heading with those above it ("DynamoDB throttling > What to do"), `text` the section in Markdown, `causes` the
    catalogue's codes it is about, `link` where people read on, `score` how well it fits: higher is better, comparable
    in one answer only. `shipped` tells the bot's own runbooks from what the team wrote.
    """

    source: str
    heading: str
    text: str
    score: float
    causes: tuple[str, ...] = ()
    link: str | None = None
    shipped: bool = False


class Library(Protocol):
    """Searches documents. Blocking: probes ask in their threads."""

    @property
    def knowledge_base_id(self) -> str | None:
        """The Bedrock knowledge base that the team keeps beside its files, None without one."""

    def search(self, words: Sequence[str], *, causes: Sequence[str] = (), limit: int = 10) -> tuple[Passage, ...]:
        """Return the sections that fit the words best, and every section about one of the causes, best first."""


class _NoLibrary:
    """A team without documents."""

    knowledge_base_id: str | None = None

    def search(self, words: Sequence[str], *, causes: Sequence[str] = (), limit: int = 10) -> tuple[Passage, ...]:  # noqa: ARG002 - the interface
        return ()


NO_LIBRARY: Library = _NoLibrary()
