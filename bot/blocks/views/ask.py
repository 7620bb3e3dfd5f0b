"""The two modals that ask: what to investigate, and what the cause really was."""

from collections.abc import Mapping
from typing import Any

from bot.blocks import ids
from bot.blocks.message import Block, context, section
from bot.blocks.text import clean_lines
from bot.blocks.usage import EXAMPLES
from bot.blocks.views.modal import View, field, modal

THANKS = {
    "exact": ":dart: Thank you. Noted as exact.",
    "one_hop_short": ":leftwards_arrow_with_hook: Thank you. Noted: the cause was one hop further.",
    "right_area": ":compass: Thank you. Noted: the right area, another cause.",
    "wrong": ":x: Thank you. Noted as wrong.",
}


def ask_view(reference: str, text: str = "") -> View:
    """Return the modal that starts an investigation; `text` (a message's) is what the field begins with."""
    blocks = [
        field(ids.ASK_INPUT, "What failed?", hint=f"For example {EXAMPLES[0][0]}", initial=clean_lines(text)),
        context("A trace id, an ARN, a name, or the text of an alarm or an error. I only read."),
    ]
    return modal("Investigate", ids.ASK_VIEW, blocks, reference=reference, submit="Investigate", close="Cancel")


def graded_view(investigation_id: str, grade: ids.Grade) -> View:
    """Return the thanks for a grade; anything but "exact" may say what it really was."""
    blocks: list[Block] = [section(THANKS[grade.name])]
    reference = ids.reference(investigation_id, ids.GRADES.index(grade))
    if grade is ids.GRADES[0]:
        return modal("Thank you", ids.GRADE_VIEW, blocks, reference=reference)
    blocks.append(
        field(ids.GRADE_INPUT, "What was the real cause?", hint="Later verdicts are measured by it.", optional=True)
    )
    return modal("Thank you", ids.GRADE_VIEW, blocks, reference=reference, submit="Send")


def said_in(view: Mapping[str, Any], block_id: str) -> str:
    """Return what was written into a field of a submitted view, or nothing."""
    state = view.get("state", {}).get("values", {}).get(block_id, {}).get(ids.INPUT, {})
    return (state.get("value") or "").strip()
