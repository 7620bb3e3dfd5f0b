"""The short reply of a specialist that found something."""

from bot.blocks.message import Message, context, message, sections
from bot.blocks.text import one_line, prose
from bot.blocks.words import PARTLY, SEPARATOR, count, duration
from domain.progress import SpecialistFinished
from domain.result import SpecialistStatus

STATEMENTS = 4
GAPS = 2

_ENDS = {
    SpecialistStatus.PARTIAL: "not everything could be seen",
    SpecialistStatus.TIMEOUT: "time ran out; this is what was seen until then",
    SpecialistStatus.FAILED: "it failed; this is what was seen until then",
}


def reply(event: SpecialistFinished) -> Message:
    """Return what one specialist found, its headline first and each statement once."""
    result = event.result
    statements = [h.summary for h in result.hypotheses] + [f.statement for f in result.facts]
    more = [
        s for s in dict.fromkeys(map(one_line, statements)) if s.rstrip(".") != one_line(event.headline).rstrip(".")
    ]
    lines = [f"*{prose(result.name, 40)}* {prose(event.headline)}"]
    lines += [f"• {prose(statement)}" for statement in more[:STATEMENTS]]
    if len(more) > STATEMENTS:
        lines.append(f"_and {len(more) - STATEMENTS} more in the report_")
    unseen = dict.fromkeys(gap.message for gap in result.gaps)
    lines += [f"{PARTLY} {prose(said)}" for said in list(unseen)[:GAPS]]
    small = [
        _ENDS.get(result.status, ""),
        count(result.looks, "look") if result.looks else "",
        duration(result.duration_seconds),
    ]
    blocks = [*sections(lines), context(SEPARATOR.join(part for part in small if part))]
    return message(f"{prose(result.name, 40)}: {prose(event.headline)}", blocks)
