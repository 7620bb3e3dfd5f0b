"""The parts of the report that say why: reasons, impact, timeline, what else was weighed, what could not be seen."""

from collections.abc import Iterable, Sequence

from bot.blocks.message import INDENT
from bot.blocks.names import Names, headline_of
from bot.blocks.text import code, one_line, prose
from bot.blocks.words import SEVERITY, count, on_the_clock, percent
from domain.gap import Gap, GapReason
from domain.report import RankedHypothesis, Report, ReportStatus, Role, SeverityLevel
from domain.words import listed

REASONS = 5
MOMENTS = 6
WEIGHED = 3
UNSEEN = 4
AFFECTED = 5
"""How many of the services that fail with it are named."""

GROUPS: tuple[tuple[Role, str], ...] = (
    (Role.CONTRIBUTING, "Contributing"),
    (Role.SYMPTOM, "Symptoms"),
    (Role.RULED_OUT, "Ruled out"),
    (Role.MINORITY, "Less likely"),
)
_UNDECIDED = (Role.ROOT_CAUSE, Role.TRIGGER, Role.CONTRIBUTING, Role.MINORITY)


def reasons(report: Report, names: Names) -> list[str]:
    """Return why the verdict holds: the cause, what was stated about its evidence, that evidence, the trigger."""
    root = report.root_cause
    if root is None:
        return []
    told: dict[str, Sequence[str]] = {one_line(root.summary): root.evidence}
    named = [
        s for s in report.specialists if any((h.cause, h.resource) == (root.cause, root.resource) for h in s.hypotheses)
    ]
    for fact in (fact for s in named for fact in s.facts if set(fact.evidence) & set(root.evidence)):
        told.setdefault(one_line(fact.statement), fact.evidence)
    covered = {each for statement, ids in told.items() if statement != one_line(root.summary) for each in ids}
    for item in (e for e in report.evidence if e.id in set(root.evidence) - covered):
        told.setdefault(one_line(item.summary), (item.id,))
    triggers = {one_line(h.summary): h.evidence for h in report.hypotheses if h.role is Role.TRIGGER}
    first = [pair for pair in told.items() if pair[0] not in triggers][: REASONS - min(len(triggers), 2)]
    shown = [*first, *list(triggers.items())[:2]]
    lines = [f"{n}. {prose(said)}{names.cite(ids)}" for n, (said, ids) in enumerate(shown, start=1)]
    return ["*Why we think so*", *lines, *_more(len(told | triggers) - len(shown), "Evidence")]


def possibilities(report: Report, names: Names) -> list[str]:
    """Return what fits when nothing decides, the most likely first."""
    open_ = [h for h in report.hypotheses if h.role in _UNDECIDED]
    lines = []
    for n, h in enumerate(open_[:WEIGHED], start=1):
        lines.append(f"{n}. {prose(headline_of(h, names))} ({percent(h.confidence)})")
        lines.append(f"{INDENT}{prose(h.summary)}{names.cite(h.evidence)}")
    return ["*What fits*", *lines, *_more(len(open_) - WEIGHED, "Why this verdict")] if lines else []


def impact(report: Report, names: Names) -> list[str]:
    """Return how bad it is, who fails with it and who is next, where something is wrong."""
    severity = report.severity
    if report.status is ReportStatus.FAILED or severity.level is SeverityLevel.NONE:
        return []
    level = f"{SEVERITY[severity.level]}: " if severity.level in SEVERITY and not report.root_cause else ""
    failing = listed([code(name) for name in severity.affected_services[:AFFECTED]])
    more = len(severity.affected_services) - AFFECTED
    parts = [
        f"*Impact* {level}{prose(severity.reason)}{names.cite(severity.evidence)}",
        f"failing with it: {failing}{f' and {more} more' if more > 0 else ''}" if failing else "",
        prose(severity.spread, 300),
    ]
    return ["; ".join(part for part in parts if part)]


def timeline(report: Report, names: Names) -> list[str]:
    """Return what happened, in time order."""
    entries = report.timeline[:MOMENTS]
    times = on_the_clock([entry.at for entry in entries])
    lines = [f"{at} {prose(e.what, 160)}{names.cite(e.evidence)}" for at, e in zip(times, entries, strict=True)]
    return ["*Timeline* (UTC)", *lines, *_more(len(report.timeline) - len(lines), "Evidence")] if lines else []


def weighed(report: Report, names: Names) -> list[list[str]]:
    """Return what else was found beside the verdict, by the part it plays."""
    shown = GROUPS if report.root_cause else tuple(group for group in GROUPS if group[0] not in _UNDECIDED)
    return [_group(heading, report, names, role) for role, heading in shown]


def _group(heading: str, report: Report, names: Names, role: Role) -> list[str]:
    found = [h for h in report.hypotheses if h.role is role]
    lines = [f"• {prose(headline_of(h, names))}{_because(h, report, names)}" for h in found[:WEIGHED]]
    return [f"*{heading}*", *lines, *_more(len(found) - len(lines), "Why this verdict")] if lines else []


def _because(hypothesis: RankedHypothesis, report: Report, names: Names) -> str:
    """Say why it plays that part: what speaks against it, what explains it, or how likely it is."""
    against = next((e for e in report.evidence if e.id in hypothesis.contradicting), None)
    if hypothesis.role is Role.RULED_OUT and against is not None:
        return f", but {prose(against.summary, 140)}{names.cite(hypothesis.contradicting)}"
    if hypothesis.role is Role.SYMPTOM:
        return f"{_explained(hypothesis, names)}{names.cite(hypothesis.evidence)}"
    return f" ({percent(hypothesis.confidence)}){names.cite(hypothesis.evidence)}"


def _explained(hypothesis: RankedHypothesis, names: Names) -> str:
    _, _, resource = (hypothesis.explained_by or "").partition("@")
    return f", explained by {names.short(resource)}" if resource and resource != hypothesis.resource else ""


def by_use(gaps: Iterable[Gap]) -> list[Gap]:
    """Return the gaps that somebody can close first: a missing permission before what AWS or time took away."""
    return sorted(gaps, key=lambda gap: gap.reason is not GapReason.ACCESS_DENIED)


def unseen(report: Report, names: Names) -> list[str]:
    """Return what could not be checked, and what to grant."""
    told = [gap for gap in by_use(report.gaps) if gap.message != report.next_look]
    lines = [f"• {unseen_line(gap, names)}" for gap in told[:UNSEEN]]
    return ["*Could not check*", *lines, *_more(len(told) - len(lines), "Could not check")] if lines else []


def next_look(report: Report, names: Names) -> list[str]:
    """Return the one look that would decide."""
    if not report.next_look:
        return []
    gap = next((gap for gap in report.gaps if gap.message == report.next_look), None)
    return [f"*The look that would tell* {unseen_line(gap, names) if gap else prose(report.next_look, 400)}"]


def unseen_line(gap: Gap, names: Names) -> str:
    """Return a gap's message with the permission that would close it, as code."""
    if not gap.action or f"`{gap.action}`" in gap.message:
        return prose(gap.message, 400)
    if gap.action in gap.message:
        return prose(gap.message.replace(gap.action, f"`{gap.action}`"), 400)
    return f"{prose(gap.message, 400)} Grant {code(gap.action)} for {prose(names.resource(gap.resource), 120)}."


def looked(report: Report) -> str:
    """Return "22 looks by 6 specialists"."""
    return (
        f"{count(sum(s.looks for s in report.specialists), 'look')} by {count(len(report.specialists), 'specialist')}"
    )


def _more(number: int, where: str) -> list[str]:
    return [f"_+{number} more in {where}_"] if number > 0 else []
