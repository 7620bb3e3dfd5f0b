"""The answer to a question about a report, in its thread."""

import re

from bot.blocks import ids
from bot.blocks.message import Message, context, message, section, sections
from bot.blocks.names import Names
from bot.blocks.report import model_use
from bot.blocks.text import code, prose
from bot.blocks.views.modal import View, field, modal
from bot.blocks.words import LOOKING, SEPARATOR, count
from domain.findings import Origin
from domain.inquiry import Answer, Inquiry, Said
from domain.report import Report

QUESTION = 300
STATEMENT = 400
EXAMPLES = "Why not the database? · Who changed it? · What did you check? · What next?"

_USER = re.compile(r"[UW][A-Z0-9]{2,20}")


def answer_message(answer: Answer, report: Report, inquiry: Inquiry) -> Message:
    """Return the answer, each line with its evidence; who asked what is told where nobody else saw it."""
    names = Names.of(report)
    first, *others = answer.lines or (Said(text="Nothing that was seen answers that."),)
    lines = [_asked(inquiry)] if inquiry.named else []
    lines.append(_line(first, names))
    lines += [f"• {_line(said, names)}" for said in others]
    small = [f"from the evidence of {code(report.investigation_id)}", _made(answer)]
    small.append(prose(answer.note, 160))
    blocks = [*sections(lines), context(SEPARATOR.join(part for part in small if part))]
    return message(prose(first.text, STATEMENT), blocks)


def still_looking() -> Message:
    """Return what a question is answered with while the investigation runs."""
    said = "I am still looking. Ask again when the report is in this thread."
    return message(said, [section(f"{LOOKING} {said}")])


def question_view(investigation_id: str) -> View:
    """Return the form of the [Ask] button."""
    blocks = [
        field(ids.QUESTION_INPUT, "What do you want to know?", hint=EXAMPLES),
        context("The answer comes into the thread, for everybody there. I only read."),
    ]
    reference = ids.reference(investigation_id)
    return modal("Ask", ids.QUESTION_VIEW, blocks, reference=reference, submit="Ask", close="Cancel")


def _asked(inquiry: Inquiry) -> str:
    who = f"<@{inquiry.user}>" if _USER.fullmatch(inquiry.user) else "Somebody"
    return f"{who} asked: _{prose(inquiry.text, QUESTION)}_"


def _line(said: Said, names: Names) -> str:
    seen = f" (seen by {code(said.source, 80)})" if said.source and not names.cite(said.evidence) else ""
    return f"{prose(said.text, STATEMENT)}{names.cite(said.evidence)}{seen}"


def _made(answer: Answer) -> str:
    """Say what the answer took: no model, or one that worded it, and further looks."""
    looks = f", {count(answer.looks, 'further look')}" if answer.looks else ""
    worded = "worded by a model: " if answer.origin is Origin.MODEL else ""
    return f"{worded}{model_use(answer.usage)}{looks}"
