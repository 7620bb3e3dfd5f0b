"""Why something is the cause, or is not: the parts that its hypotheses play, what speaks against them, who looked."""

from collections.abc import Iterator

from domain.inquiry import Said
from domain.report import RankedHypothesis, Role, SpecialistReport
from domain.result import SpecialistStatus
from domain.words import listed
from orchestrator.ask.about import About
from orchestrator.ask.record import Record, cause_title, sure
from orchestrator.ask.retrieve import found
from orchestrator.ask.subject import Subject, wanted

HYPOTHESES = 2
OBSERVATIONS = 2
BLIND = frozenset({SpecialistStatus.SKIPPED, SpecialistStatus.FAILED})

SENTENCES: dict[Role, str] = {
    Role.ROOT_CAUSE: "It is the verdict: {title} ({sure}). {summary}",
    Role.TRIGGER: "It set the root cause off ({sure}): {summary}",
    Role.CONTRIBUTING: "{title}: it contributes ({sure}). {summary}",
    Role.SYMPTOM: "{title}: that was seen, and is a symptom{explained}. {summary}",
    Role.MINORITY: "{title}: less likely than {verdict} ({sure}). {summary}",
    Role.RULED_OUT: "{title}: ruled out ({sure}). What spoke for it: {summary}",
}


def standing(about: About) -> Iterator[Said]:
    """Yield what is known for and against the subject as a cause."""
    _, subject, record = about
    fitting = [h for h in record.report.hypotheses if subject.fits(h)][:HYPOTHESES]
    for hypothesis in fitting:
        yield from _part(hypothesis, record)
    if fitting:
        return
    known = subject.known(record)
    if not known and any(topic.by for topic in subject.topics) and not _asked(subject, record):
        yield from nobody_looked(listed([topic.name for topic in subject.topics]), record)
        return
    yield Said(text=_looked(subject, record))
    yield from _seen(about)


def nobody_looked(what: str, record: Record) -> Iterator[Said]:
    """Yield that, and what was looked at instead."""
    yield Said(text=f"Nobody looked at {what}: nothing in this investigation is of that kind or has that name.")
    if record.looked_at:
        yield Said(text=f"Looked at: {record.looked_at}.")


def _explained_by(hypothesis: RankedHypothesis, record: Record) -> str:
    """Return " of DynamoDB table `orders` — …", or nothing."""
    cause, _, resource = (hypothesis.explained_by or "").partition("@")
    return f" of {record.label(resource)} — {cause_title(cause)}" if resource else ""


def _part(hypothesis: RankedHypothesis, record: Record) -> Iterator[Said]:
    decided = record.report.root_cause is not None
    text = SENTENCES[hypothesis.role].format(
        title=record.title(hypothesis),
        sure=sure(hypothesis.confidence),
        summary=hypothesis.summary,
        explained=_explained_by(hypothesis, record),
        verdict="the verdict" if decided else "what a verdict takes",
    )
    yield Said(text=text, evidence=hypothesis.evidence)
    if hypothesis.contradicting:
        against = [record.summaries[e] for e in hypothesis.contradicting if e in record.summaries]
        yield Said(text=f"Against it: {'; '.join(against[:OBSERVATIONS])}", evidence=hypothesis.contradicting)
    elif hypothesis.role in {Role.MINORITY, Role.RULED_OUT}:
        yield Said(text="Nothing that was seen contradicts it; what speaks for it is too little.")


def _asked(subject: Subject, record: Record) -> list[SpecialistReport]:
    """Return the specialists that look at such things, of those that were asked."""
    fitting = {topic.by for topic in subject.topics}
    return [specialist for specialist in record.report.specialists if specialist.name in fitting]


def _looked(subject: Subject, record: Record) -> str:
    """Say who looked at something in which no rule found a cause, or that nobody did."""
    asked = _asked(subject, record)
    looked = listed([s.name for s in asked if s.status not in BLIND])
    blind = listed([s.name for s in asked if s.status in BLIND])
    names = listed([topic.name for topic in subject.topics])
    known = listed([record.label(resource.id) for resource in subject.known(record)[:3]])
    what = known or names
    if looked or not any(topic.by for topic in subject.topics):
        who = f": {looked} looked" if looked else ""
        return f"No rule found a cause in {what}{who}." if known else f"Nothing points to {what}{who}."
    return f"{blind} could not look at {what}." if blind else f"Nobody looked into {what}: it was not in question."


def _seen(about: About) -> Iterator[Said]:
    """Yield what was seen of the subject, and what could not be seen of it."""
    question, subject, record = about
    ids = {resource.id for resource in subject.known(record)}
    lines = [line for line in record.lines() if not ids or any(record.places.get(e) in ids for e in line.said.evidence)]
    yield from (line.said for line in found(wanted(question, subject), lines, most=OBSERVATIONS) if line.said.evidence)
    asked = {topic.by for topic in subject.topics}
    unseen = [g for g in record.report.gaps if g.resource in ids or g.specialist in asked]
    yield from (Said(text=f"Not seen: {gap.message}") for gap in unseen[:1])
