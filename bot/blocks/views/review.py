"""Review of a proposed action: exactly what would be done, what can go wrong, and how to take it back."""

from bot.blocks import ids
from bot.blocks.message import Block, context, divider, preformatted, section
from bot.blocks.names import Names
from bot.blocks.text import plain, prose
from bot.blocks.views.modal import View, modal
from domain.action import Risk
from domain.report import Report

SIGNS = {Risk.LOW: ":large_green_circle:", Risk.MEDIUM: ":large_yellow_circle:", Risk.HIGH: ":red_circle:"}

NOTHING_RUNS = ":lock: Nothing is executed from here. To do it, run the command yourself."


def review_view(report: Report, position: int) -> View:
    """Return the review of one proposed action; raises IndexError for a position that the report does not have."""
    if position < 0:
        raise IndexError(f"no proposed action at {position}")
    action = report.proposed_actions[position]
    names = Names.of(report)
    back = f"can be undone: {prose(action.undo, 400)}" if action.reversible else "cannot be undone"
    said = [
        f"*{prose(action.title, 200)}*",
        f"on {prose(names.resource(action.resource), 200)}",
        f"*Why* {prose(action.rationale, 500)}{names.cite(action.evidence)}",
        f"*Effect* {prose(action.expected_effect, 400)}",
        f"*Risk* {SIGNS[action.risk]} {action.risk.value}; {back}",
        f"*To see that it worked* {prose(action.verification, 400)}",
    ]
    blocks: list[Block] = [
        *(section(line) for line in ("\n".join(said[:2]), "\n".join(said[2:4]), "\n".join(said[4:]))),
        divider(),
        section("*The call*"),
        preformatted(plain(action.api_call, 2500)),
        section("*The same on the command line*"),
        preformatted(plain(action.cli, 2500)),
        context(NOTHING_RUNS),
    ]
    reference = ids.reference(report.investigation_id, position)
    return modal("Review", ids.REVIEW_VIEW, blocks, reference=reference)
