"""A report as plain text for a terminal."""

from collections.abc import Iterator

from bot.blocks.text import defang
from domain.causes import cause
from domain.redaction import clean
from domain.report import Report, Role, RunbookRef, Severity
from domain.words import listed


def render_report(report: Report) -> str:
    """Return the report as lines of text.

    What systems and models said in it moves no cursor and opens no page; commands and the team's own links stay whole.
    """
    lines = (*map(defang, _found(report)), *_actions(report), *map(defang, _advice(report)), *_ending(report))
    return "\n".join(clean(line).replace("\n", " ") for line in lines)


def _found(report: Report) -> Iterator[str]:
    numbers = {item.id: f"E{position}" for position, item in enumerate(report.evidence, 1)}
    confidence = f" ({report.root_cause.confidence:.0%})" if report.root_cause else ""
    yield f"{report.headline}{confidence}"
    yield f"{report.told.summary} (worded by a model)" if report.told else report.summary
    if report.root_cause:
        yield ""
        yield "Why"
        by_id = {item.id: item for item in report.evidence}
        yield from (f"  [{numbers[e]}] {by_id[e].summary}" for e in report.root_cause.evidence if e in by_id)
    yield from _impact(report.severity)
    others = [h for h in report.hypotheses if h.role is not Role.ROOT_CAUSE]
    if others:
        yield ""
        yield "Also considered"
        yield from (
            f"  {h.role.value.replace('_', ' ')}, {h.confidence:.0%}: {cause(h.cause).title} — {h.summary}"
            for h in others
        )
    if report.timeline:
        yield ""
        yield "Timeline"
        yield from (f"  {entry.at:%H:%M:%S} {entry.what}" for entry in report.timeline)
    if report.gaps:
        yield ""
        yield "Could not check"
        yield from (f"  {gap.message}" for gap in report.gaps)
    if report.next_look:
        yield f"Next    {report.next_look}"


def _actions(report: Report) -> Iterator[str]:
    if report.proposed_actions or report.advice:
        yield ""
        yield "What to do"
        yield from (f"  {action.title}: {action.cli}" for action in report.proposed_actions)


def _advice(report: Report) -> Iterator[str]:
    yield from (f"  {advice.text}" for advice in report.advice[:5])


def _ending(report: Report) -> Iterator[str]:
    yield from (f"Runbook {_citation(runbook)}" for runbook in report.runbooks)
    yield ""
    yield f"{report.investigation_id} · {report.duration_seconds:.1f} s · {report.usage.aws_calls} AWS calls"


def _impact(severity: Severity) -> Iterator[str]:
    heading = "Impact"
    if severity.failing_share is not None:
        yield f"{heading}  {severity.reason}"
        heading = ""
    if severity.affected_services:
        yield f"{heading}  failing with it: {listed(severity.affected_services)}"
    if severity.spread:
        yield f"  {severity.spread}"


def _citation(runbook: RunbookRef) -> str:
    where = f"{runbook.source}: {runbook.heading}" if runbook.heading else runbook.source
    return f"{where} · {runbook.link}" if runbook.link else where
