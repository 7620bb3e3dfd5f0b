"""The report: the verdict, why, what to do. One message; what does not fit goes on in the next."""

from collections.abc import Iterator

from bot.blocks import ids
from bot.blocks.message import (
    INDENT,
    Block,
    Message,
    Part,
    actions,
    button,
    context,
    divider,
    message,
    packed,
    section,
    sections,
)
from bot.blocks.names import Names
from bot.blocks.reasoning import impact, looked, next_look, possibilities, reasons, timeline, unseen, weighed
from bot.blocks.root import sign_of
from bot.blocks.text import code, link, ours, prose
from bot.blocks.words import SEPARATOR, SEVERITY, count, duration, percent
from domain.action import ProposedAction
from domain.causes import CAUSES
from domain.report import Report, ReportStatus, Role, RunbookRef
from domain.usage import Usage
from domain.words import listed

ACTIONS = 6
ADVICE = 3
RUNBOOKS = 3
RUNBOOK = 100
"""Characters of a citation in the small print."""


def report_messages(report: Report, dismissed: frozenset[str] = frozenset()) -> tuple[Message, ...]:
    """Return the report as the messages that follow each other in the thread; mostly one.

    `dismissed` are ids of proposed actions that nobody needs to look at any more.
    """
    names = Names.of(report)
    parts: list[Part] = [[block] for block in _verdict(report, names)]
    parts += [[block] for block in _body(report, names)]
    parts += _to_do(report, names, dismissed)
    parts.append(_ending(report))
    bodies = tuple(packed(parts))
    heading = prose(report.headline, 200)
    texts = [_fallback(report), *(f"{heading} (continued)" for _ in bodies[1:])]
    return tuple(message(text, blocks) for text, blocks in zip(texts, bodies, strict=True))


def _fallback(report: Report) -> str:
    sure = f" ({percent(report.root_cause.confidence)})" if report.root_cause else ""
    return f"{prose(report.headline, 200)}{sure}. {prose(report.told.summary if report.told else report.summary, 600)}"


def _verdict(report: Report, names: Names) -> list[Block]:
    lines = [f"{sign_of(report)} *{prose(report.headline, 200)}*"]
    if report.root_cause is not None:
        level = SEVERITY.get(report.severity.level)
        near = sum(h.role is Role.CONTRIBUTING for h in report.hypotheses)
        said = [f"root cause, {percent(report.root_cause.confidence)}", f"severity {level}" if level else ""]
        said.append(count(near, "contributing factor") if near else "")
        said.append(_dissent(report))
        lines.append(SEPARATOR.join(part for part in said if part))
    elif report.told is None:
        lines.append(prose(report.summary, 700))
    lines += _told(report)
    return sections(line for line in (*lines, *next_look(report, names)) if line)


def _told(report: Report) -> list[str]:
    """Return the verdict in a model's words, where there are any: what, why, and what to do first."""
    told = report.told
    if told is None:
        return []
    return [prose(told.summary, 400), prose(told.why, 400), f"*First* {prose(told.first, 200)}" if told.first else ""]


def _dissent(report: Report) -> str:
    """Return who sees it differently, or nothing."""
    who = report.agreement.dissenting if report.agreement else ()
    return f"{listed([code(name) for name in who])} {'sees' if len(who) == 1 else 'see'} it differently" if who else ""


def _body(report: Report, names: Names) -> Iterator[Block]:
    """Yield a paragraph for each thing to say; a healthy or failed report has few of them."""
    undecided = report.status is ReportStatus.INCONCLUSIVE
    yield from sections(possibilities(report, names) if undecided else reasons(report, names))
    yield from sections(impact(report, names))
    yield from sections(timeline(report, names))
    for group in weighed(report, names):
        yield from sections(group)
    yield from sections(unseen(report, names))


def _to_do(report: Report, names: Names, dismissed: frozenset[str]) -> list[Part]:
    """Return the proposed actions, each with its buttons, and the advice in words."""
    proposed = report.proposed_actions[:ACTIONS]
    parts: list[Part] = [
        _dismissed(action, n) if action.id in dismissed else _proposal(report, names, n, action)
        for n, action in enumerate(proposed)
    ]
    known = CAUSES[report.root_cause.cause].remedy if report.root_cause and report.root_cause.cause in CAUSES else ""
    said = [advice for advice in report.advice if not (proposed and advice.text == known)]
    words = [f"• {prose(advice.text)}{names.cite(advice.evidence)}" for advice in said[:ADVICE]]
    if len(report.proposed_actions) > ACTIONS:
        words.append(f"_+{len(report.proposed_actions) - ACTIONS} more of lower rank_")
    if not (parts or words):
        return []
    heading = [divider(), section("*What to do*")] if parts else [divider()]
    lines = ["*Also*" if parts else "*What to do*", *words]
    first: Part = [*heading, *parts[0]] if parts else heading
    return [first, *parts[1:], *([sections(lines)] if words else [])]


def _proposal(report: Report, names: Names, position: int, action: ProposedAction) -> Part:
    back = "reversible" if action.reversible else "*cannot be undone*"
    line = f"{position + 1}. *{prose(action.title, 150)}* — {prose(action.expected_effect, 200)}"
    value = ids.reference(report.investigation_id, position)
    return [
        section(f"{line}{names.cite(action.evidence)}\n{INDENT}{action.risk.value} risk · {back}"),
        actions(button("Review", ids.REVIEW, value), button("Dismiss", ids.DISMISS, value)),
    ]


def _dismissed(action: ProposedAction, position: int) -> Part:
    return [section(f"{position + 1}. ~{prose(action.title, 150)}~ · dismissed")]


def part_with(report: Report, position: int, dismissed: frozenset[str]) -> int:
    """Return which of the report's messages shows the proposed action at that position with its buttons."""
    value = ids.reference(report.investigation_id, position)
    shown = report_messages(report, dismissed - {report.proposed_actions[position].id})
    held = (any(e.get("value") == value for b in part.blocks for e in b.get("elements", [])) for part in shown)
    return next((number for number, holds in enumerate(held) if holds), 0)


def _ending(report: Report) -> Part:
    """Return the buttons, the grade and the small print."""
    value = ids.reference(report.investigation_id)
    wanted = (
        ("Evidence", ids.EVIDENCE, bool(report.evidence)),
        ("Why this verdict", ids.WHY, bool(report.hypotheses)),
        ("Could not check", ids.GAPS, bool(report.gaps)),
        ("Ask", ids.QUESTION, report.status is not ReportStatus.FAILED),
        ("Run again", ids.RUN_AGAIN, True),
        ("Mute 2 h", ids.MUTE, report.trigger.alarm is not None),
    )
    blocks: list[Block] = [
        divider(),
        actions(*(button(label, action, value) for label, action, there in wanted if there)),
    ]
    if report.status is not ReportStatus.FAILED:
        grades = (button(grade.label, grade.action_id, value) for grade in ids.GRADES)
        blocks += [context("Was this right?"), actions(*grades)]
    return [*blocks, context(_small_print(report))]


def _small_print(report: Report) -> str:
    parts = [code(report.investigation_id), duration(report.duration_seconds)]
    if report.specialists:
        parts += [looked(report), count(report.usage.aws_calls, "AWS call"), model_use(report.usage)]
    parts += ["worded by a model"] if report.told else [prose(report.told_note, 160)] if report.told_note else []
    runbooks = report.runbooks[:RUNBOOKS]
    page = CAUSES[report.root_cause.cause].source if report.root_cause and report.root_cause.cause in CAUSES else None
    if page and page not in {each.link for each in runbooks}:
        parts.append(link(page, "what AWS says about it"))
    parts += [f"runbook: {_runbook(each)}" for each in runbooks]
    return SEPARATOR.join(parts)


def _runbook(runbook: RunbookRef) -> str:
    """Return its title where it leads to AWS's own page, else where the team finds it: no other link is live here."""
    if runbook.link and ours(runbook.link):
        return link(runbook.link, runbook.title)
    return prose(f"{runbook.source}: {runbook.heading}" if runbook.heading else runbook.source, RUNBOOK)


def model_use(usage: Usage) -> str:
    """Return what models took: "no model used", "2 model calls, 3,210 tokens, $0.01"."""
    if not usage.model_calls:
        return "no model used"
    price = "price unknown" if usage.usd is None else f"${usage.usd:.2f}" if usage.usd >= 0.01 else "under $0.01"
    return (
        f"{count(usage.model_calls, 'model call')}, {count(usage.input_tokens + usage.output_tokens, 'token')}, {price}"
    )
