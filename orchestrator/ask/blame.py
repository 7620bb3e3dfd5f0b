"""Whether a model's sentences put the blame where the settled conclusion puts it. Pure."""

import re
from collections.abc import Iterator

from domain.causes import CAUSES
from domain.findings import Origin
from domain.report import ReportStatus, Role
from orchestrator.ask.record import Record

CODE = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)+")
"""A cause's code: code writes titles to people, so one that nobody found comes from the system's own words."""

CALMING = re.compile(r"\bnothing (?:is |was )?wrong\b|\ball is well\b|\bfalse (?:positive|alarm)s?\b", re.IGNORECASE)
SENTENCE = re.compile(r"(?<=[.!?])\s+")
BLAMED_AFTER = re.compile(
    r"\b(?:because|due to|caused by|owing to|triggered by|stems? from|(?:cause|culprit|reason) (?:is|was|lies))\b(.*)",
    re.IGNORECASE,
)
BLAMED_BEFORE = re.compile(
    r"(.*?)\b(?:causes?|caused(?! by)|is to blame|responsible|culprit|(?:is|are) the (?:root )?cause)\b", re.IGNORECASE
)
ITS_OWN = re.compile(r"\b(?:own|itself|themselves)\b", re.IGNORECASE)
CONTRAST = re.compile(r"\b(?:but|rather|instead)\b", re.IGNORECASE)
DENIED = re.compile(r"\b(?:not|no|nothing|neither|never|nobody|without|ruled out|symptoms?|\w+n['’]t)\b", re.IGNORECASE)
HEDGED = re.compile(
    r"\b(?:may|might|could|possib\w+|likely|unclear|unknown|undecided|inconclusive|not decide|not enough|either|or)\b",
    re.IGNORECASE,
)
THINGS = (
    "redis elasticache memcached cache rds aurora postgres postgresql mysql mongo ec2 ecs eks fargate kubernetes pod"
    " cloudfront cdn cognito opensearch elasticsearch kafka msk glue athena redshift nginx server instance container"
    " attack attacker ddos hacker outage hardware disk cpu leak corrupt corruption malicious breach deadlock"
    " certificate expired misconfiguration misconfigured overload bug crash"
)
"""What no specialist looks at, and words of blame that no rule has: what evidence tells of them is hearsay."""

HEARSAY = set(THINGS.split())
UNDECIDED = "it decides what the evidence does not"


def misblamed(text: str, record: Record) -> str:
    """Return what is wrong with whom the text blames, in a few words for people; empty when nothing is."""
    root = record.report.root_cause
    wrong = root is not None or record.report.status is ReportStatus.INCONCLUSIVE
    if wrong and CALMING.search(text):
        return "it says that all is well"
    found = {h.cause for h in record.report.hypotheses if h.origin is Origin.RULE}
    strange = sorted(set(CODE.findall(text.casefold())) & CAUSES.keys() - found)
    if strange:
        return f"it names {strange[0]}, which no rule found"
    sentences = SENTENCE.split(text)
    if root is None:
        return "" if all(HEDGED.search(s) for s in sentences if any(_blamed(s))) else UNDECIDED
    places = {h.resource for h in record.report.hypotheses if h.role in {Role.ROOT_CAUSE, Role.TRIGGER}}
    guilty = {title(resource, record) for resource in places | {root.resource}}
    others = {title(resource, record) for resource in record.resources} - guilty
    astray = any(_astray(sentence, guilty, others) for sentence in sentences)
    return "it blames something else than the verdict" if astray else ""


def modest(sentence: str) -> bool:
    """Whether a sentence denies something or leaves it open: only such a one may take up words of a question."""
    return bool(DENIED.search(sentence) or HEDGED.search(sentence))


def title(resource: str, record: Record) -> str:
    """Return what a resource is called, in lower case."""
    return record.label(resource).split("`")[1].casefold()


def mentions(text: str, titles: set[str]) -> bool:
    """Whether the text names one of them."""
    return any(re.search(rf"(?<![\w-]){re.escape(each)}(?![\w-])", text.casefold()) for each in titles)


def _astray(sentence: str, guilty: set[str], others: set[str]) -> bool:
    """Whether a sentence says of something that is not at fault that it is."""
    return any(
        not mentions(part, guilty)
        and (mentions(part, others | HEARSAY) or (ITS_OWN.search(part) and not mentions(sentence, guilty)))
        for part in _blamed(sentence)
    )


def _blamed(sentence: str) -> Iterator[str]:
    """Yield what a sentence blames, in its words; what it says is not to blame is left out."""
    for pattern in (BLAMED_AFTER, BLAMED_BEFORE):
        found = pattern.search(sentence)
        part = CONTRAST.split(found[1])[-1] if found else ""
        if part.strip() and not DENIED.search(part):
            yield part
