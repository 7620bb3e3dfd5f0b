"""All evidence of a report, a page at a time, with links to the console."""

from bot.blocks import ids
from bot.blocks.message import Block, actions, button, context, divider, section
from bot.blocks.names import Names
from bot.blocks.text import code, link, ours, prose
from bot.blocks.views.modal import View, modal
from bot.blocks.words import SEPARATOR, count, day_and_clock
from domain.report import CitedEvidence, Report, RootCause

PAGE = 15
SUMMARY = 600


def evidence_view(report: Report, page: int = 0) -> View:
    """Return one page of the evidence, numbered as the report cites it; the nearest page to one that is not there."""
    names = Names.of(report)
    pages = max(1, -(-len(report.evidence) // PAGE))
    page = min(max(page, 0), pages - 1)
    shown = report.evidence[page * PAGE : (page + 1) * PAGE]
    blocks: list[Block] = []
    for item in shown:
        blocks += _item(item, names, report.root_cause)
    if not shown:
        blocks.append(section("This investigation brought no evidence. *Could not check* says what was in the way."))
    blocks += [divider(), context(_position(report, page, pages))]
    blocks += _turning(report, page, pages)
    return modal("Evidence", ids.EVIDENCE_VIEW, blocks, reference=ids.reference(report.investigation_id, page))


def _item(item: CitedEvidence, names: Names, root: RootCause | None) -> list[Block]:
    decisive = " · *decisive*" if root is not None and item.id in root.evidence else ""
    small = [prose(names.resource(item.resource), 100), code(item.source, 80)]
    small.append(f"{day_and_clock(item.observed_at)} UTC" if item.observed_at else "at the time of the look")
    if item.link and ours(item.link):
        small.append(link(item.link, "open in the console"))
    return [
        section(f"*{names.label(item.id)}* {prose(item.summary, SUMMARY)}"),
        context(SEPARATOR.join(small) + decisive),
    ]


def _position(report: Report, page: int, pages: int) -> str:
    total = count(len(report.evidence), "observation")
    return f"{total}{SEPARATOR}page {page + 1} of {pages}{SEPARATOR}{code(report.investigation_id)}"


def _turning(report: Report, page: int, pages: int) -> list[Block]:
    """Return the buttons to the neighbouring pages, where there are any."""
    turns = (("Previous", ids.EVIDENCE_PREVIOUS, page - 1), ("Next", ids.EVIDENCE_NEXT, page + 1))
    buttons = [
        button(label, action, ids.reference(report.investigation_id, to))
        for label, action, to in turns
        if 0 <= to < pages
    ]
    return [actions(*buttons)] if buttons else []
