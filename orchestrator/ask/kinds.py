"""What people ask: each kind of question, and the words it is known by."""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from domain.inquiry import Said
from domain.report import ReportStatus
from orchestrator.ask import replies
from orchestrator.ask.about import About

Answering = Callable[[About], Iterator[Said]]

NOT = (
    r"\bwhy(?:\s+\w+){0,4}?\s+not\b|\bwhy\s+\w+n['’]?t\b|\bnot\s+(?:the|a|an|because)\b|\brul(?:ed?|ing)\s+out\b"
    r"|\bdid\s+(?:you|anyone|anybody)\s+(?:check|look|consider|see)\b"
)
WHETHER = (
    r"^\W*(?:is|isn['’]?t|was|wasn['’]?t|could|couldn['’]?t|can|might|may)\s+(?:it|this|that|the|a|an)\b"
    r"|\b(?:what|how)\s+about\b"
)
CHANGED = r"(?:chang|deploy|releas|updat|modif|roll)\w*"
NEXT = (
    r"\bwhat\s+(?:\w+\s+){0,3}(?:next|now|do)\b|\bhow\s+(?:\w+\s+){0,4}(?:fix|solve|mitigate|stop|repair|undo)\b"
    r"|\b(?:fix|next\s+steps?|recommend\w*|mitigation)\b"
)
WHY = (
    r"\bwhy\b|\bhow\s+(?:do|did|can)\s+you\b|\bwhat\s+(?:evidence|proof|caused?|happened|went|is\s+wrong)\b"
    r"|\broot\s+cause\b|\b(?:explain|proof|reasons?)\b"
)

WORDS: tuple[tuple[str, str, Answering], ...] = (
    (
        "who changed",
        rf"\bwho\b|\bwhat\s+(?:\w+\s+){{0,2}}chang|\b(?:any|which|what)\s+(?:\w+\s+)?{CHANGED}",
        replies.who,
    ),
    ("when", r"\bwhen\b|\bsince\b|\bhow\s+long\b|\btimeline\b|\bwhat\s+time\b", replies.when),
    ("what next", NEXT, replies.to_do),
    ("how sure", r"\b(?:sure|certain|confiden\w+|likely|trust|reliable)\b", replies.certain),
    (
        "what was checked",
        r"\bwhat\b.*\b(?:check|look|see|saw|seen|inspect|cover)\w*|\b(?:which|what)\s+(?:specialist|look|probe|gap)s?\b",
        replies.checked,
    ),
    (
        "impact",
        r"\bhow\s+(?:bad|severe|serious)\b|\b(?:impact|affected|severity|users?|customers?|blast)\b",
        replies.impact,
    ),
    ("why not", f"{NOT}|{WHETHER}", replies.why_not),
    ("why", WHY, replies.why),
)
"""Every kind of question: its name, the words it is known by, its answer; the first that fits is meant."""


class Kind(NamedTuple):
    """A kind of question; "other" is any that fits no row."""

    name: str
    words: re.Pattern[str]
    answer: Answering


KINDS = tuple(Kind(name, re.compile(words, re.IGNORECASE), answer) for name, words, answer in WORDS)
OTHER = Kind("other", re.compile(""), replies.matching)


def kind_of(text: str) -> Kind:
    """Return the kind of question that a text is."""
    return next((kind for kind in KINDS if kind.words.search(text)), OTHER)


def answer_to(about: About) -> Iterator[Said]:
    """Yield the lines that answer the question, the most telling first."""
    if about.record.report.status is ReportStatus.FAILED:
        return replies.failed(about)
    return kind_of(about.text).answer(about)
