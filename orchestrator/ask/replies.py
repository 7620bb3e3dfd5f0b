"""How each kind of question is answered: from the question, what it is about and what is known. All pure."""

from collections.abc import Iterable, Iterator

from domain.gap import Gap
from domain.inquiry import Said
from domain.report import Report, Role, SeverityLevel
from domain.words import listed
from orchestrator.ask.about import About
from orchestrator.ask.record import PARTS, Record, sure
from orchestrator.ask.retrieve import found, words_of
from orchestrator.ask.standing import nobody_looked, standing
from orchestrator.ask.subject import wanted
from specialists.kit.change import Change

CHANGE = "deploy-regression"
CHANGES = "change-intelligence"


def why_not(about: About) -> Iterator[Said]:
    """Why it is not something, or whether it is: what its hypotheses say, or that nobody looked."""
    if about.subject:
        yield from standing(about)
        return
    lines = found(wanted(about.text, about.subject), list(about.record.lines()), most=3)
    what = " ".join(words_of(about.text))[:60]
    yield from (line.said for line in lines) if lines else nobody_looked(f"“{what}”" if what else "that", about.record)


def why(about: About) -> Iterator[Said]:
    """Why the verdict is what it is, or what it says of something."""
    root = about.record.report.root_cause
    if about.subject and any(about.subject.fits(h) for h in about.record.report.hypotheses):
        yield from standing(about)
    if root is None:
        yield from verdict(about)
        return
    own = [s for s in about.record.report.specialists if any(h.cause == root.cause for h in s.hypotheses)]
    yield Said(text=f"{about.record.report.headline} ({sure(root.confidence)}): {root.summary}", evidence=root.evidence)
    facts = [f for s in own for f in s.facts if set(f.evidence) & set(root.evidence)]
    yield from (Said(text=fact.statement, evidence=fact.evidence) for fact in facts)
    yield from (about.record.seen(e) for e in root.evidence if e in about.record.summaries)


def verdict(about: About) -> Iterator[Said]:
    """The verdict as it stands."""
    report = about.record.report
    evidence = report.root_cause.evidence if report.root_cause else ()
    yield Said(text=f"{report.headline}. {report.summary}", evidence=evidence)
    if report.next_look:
        yield Said(text=f"The look that would tell: {report.next_look}")


def who(about: About) -> Iterator[Said]:
    """Who changed what: what set the root cause off, then every other change that was seen, the latest first."""
    near = {resource.id for resource in about.subject.resources}
    changes = dict(_changes(about.record))
    here = [said for said, resource in changes.items() if not near or resource in near]
    if not here:
        names = f" of {listed([r.label for r in about.subject.resources])}" if near else ""
        asked = any(s.name == CHANGES for s in about.record.report.specialists)
        yield Said(text=f"No change{names} was seen." if asked else f"Nobody looked for changes{names}.")
        yield from _unseen(g for g in about.record.report.gaps if g.specialist == CHANGES)
    yield from here
    yield from (said.model_copy(update={"text": f"Elsewhere: {said.text}"}) for said in changes if said not in here)


def _changes(record: Record) -> Iterator[tuple[Said, str]]:
    """Yield each change that was seen, with the resource it was made to."""
    named = [h for h in record.report.hypotheses if h.cause == CHANGE]
    for h in named:
        yield Said(text=f"{h.summary} ({PARTS[h.role]}, {sure(h.confidence)})", evidence=h.evidence), h.resource
    told = {e for h in named for e in h.evidence}
    others = [c for c in record.evidence.of(Change) if c.id not in told and c.observed_at is not None]
    for change in sorted(others, key=lambda c: (str(c.observed_at), c.id), reverse=True):
        said = record.seen(change.id)
        text = f"{record.label(change.resource)}: {said.text}"
        yield said.model_copy(update={"text": text}), change.resource


def _unseen(gaps: Iterable[Gap]) -> Iterator[Said]:
    return (Said(text=f"Not seen: {gap.message}") for gap in gaps)


def when(about: About) -> Iterator[Said]:
    """When it happened: when the root cause showed first, and the timeline."""
    report = about.record.report
    near = {resource.id for resource in about.subject.resources}
    root = (h for h in report.hypotheses if h.role is Role.ROOT_CAUSE and (not near or h.resource in near))
    first = next((h for h in root if h.since is not None), None)
    if first is not None and first.since is not None:
        yield Said(text=f"It began at {first.since:%H:%M} UTC: {about.record.title(first)}", evidence=first.evidence)
    entries = [e for e in report.timeline if not near or e.resource in near]
    yield from (Said(text=f"{e.at:%H:%M} {e.what}", evidence=e.evidence) for e in entries)
    if not (first or entries):
        names = f" of {listed([r.label for r in about.subject.resources])}" if near else ""
        yield Said(text=f"Nothing that was seen tells when it began{names}{_within(report)}.")


def checked(about: About) -> Iterator[Said]:
    """What was looked at, and what could not be seen."""
    report = about.record.report
    did = [f"{s.name} {s.looks}" for s in report.specialists if s.looks]
    looks = sum(s.looks for s in report.specialists)
    made = f"{looks} {'look' if looks == 1 else 'looks'}{_within(report)}: {', '.join(did)}."
    yield Said(text=made if did else f"No specialist looked{_within(report)}.")
    if about.record.looked_at:
        yield Said(text=f"Resources: {about.record.looked_at}.")
    yield from _unseen(report.gaps)


def certain(about: About) -> Iterator[Said]:
    """How sure the verdict is, and of what."""
    report = about.record.report
    ranked = [h for h in report.hypotheses if h.role in {Role.ROOT_CAUSE, Role.MINORITY, Role.CONTRIBUTING}]
    if not ranked:
        yield from verdict(about)
        return
    first, *others = ranked
    against = f", {len(first.contradicting)} against" if first.contradicting else ", nothing against it"
    number = len(first.evidence)
    speaking = f"{number} {'observation speaks' if number == 1 else 'observations speak'} for it{against}"
    said = f"{about.record.title(first)}: {sure(first.confidence)}. {speaking}."
    yield Said(text=said, evidence=first.evidence)
    if report.agreement:
        yield from _agreement(report)
    yield from (
        Said(text=f"Next: {about.record.title(h)} ({sure(h.confidence)})", evidence=h.evidence) for h in others[:2]
    )
    if report.next_look:
        yield Said(text=f"The look that would tell: {report.next_look}")


def _agreement(report: Report) -> Iterator[Said]:
    parts = report.agreement
    if parts and parts.agreeing:
        differing = f"; {listed(parts.dissenting)} stand by another cause" if parts.dissenting else ""
        yield Said(text=f"What {listed(parts.agreeing)} found leads to it{differing}.")


def to_do(about: About) -> Iterator[Said]:
    """What to do: the proposed actions, the advice, the look that would tell."""
    report = about.record.report
    for action in report.proposed_actions:
        back = "reversible" if action.reversible else "cannot be undone"
        said = f"{action.title}: {action.expected_effect.rstrip('.')} ({action.risk.value} risk, {back})"
        yield Said(text=said, evidence=action.evidence)
    yield from (Said(text=advice.text, evidence=advice.evidence) for advice in report.advice)
    if report.next_look:
        yield Said(text=f"The look that would tell: {report.next_look}")
    if not (report.proposed_actions or report.advice or report.next_look):
        yield Said(text="Nothing is proposed: the evidence points to nothing that should be done.")


def impact(about: About) -> Iterator[Said]:
    """How bad it is, and for whom."""
    severity = about.record.report.severity
    if severity.level is SeverityLevel.NONE:
        yield from verdict(about)
        return
    yield Said(text=f"{severity.level.value.capitalize()}: {severity.reason}", evidence=severity.evidence)
    if severity.affected_services:
        yield Said(text=f"Failing with it: {', '.join(severity.affected_services)}.")
    if severity.spread:
        yield Said(text=severity.spread)


def matching(about: About) -> Iterator[Said]:
    """Whatever matches the words best."""
    lines = found(wanted(about.text, about.subject), list(about.record.lines()), most=5)
    yield from (line.said for line in lines)
    if not lines:
        yield Said(text="Nothing that was seen matches that.")
        yield from verdict(about)


def failed(about: About) -> Iterator[Said]:
    """What an investigation that failed can tell: why it did."""
    yield Said(text=f"That investigation failed, so nothing was seen. {about.record.report.summary}")
    yield from _unseen(about.record.report.gaps)


def _within(report: Report) -> str:
    window = report.window
    return f" between {window.start:%d %b %H:%M} and {window.end:%H:%M} UTC" if window else ""
