"""An answer in a model's words: from the lines that the rules found, checked against them, above those that answer."""

import asyncio
import re

from pydantic import BaseModel

from domain.findings import Origin
from domain.inquiry import Answer, Said
from domain.redaction import clean, redact
from orchestrator.ask.about import About
from orchestrator.ask.blame import SENTENCE, misblamed, modest
from orchestrator.ask.further import Further
from orchestrator.ask.grounding import unfounded
from orchestrator.ask.record import Record
from orchestrator.ask.retrieve import found
from orchestrator.ask.sheet import Sheet
from orchestrator.ask.subject import wanted
from orchestrator.exchange import exchange
from orchestrator.reason import SECONDS, Asking
from reasoning import telemetry
from reasoning.contract import Question
from specialists.judgement import CLAIMED, SUGGESTED

WHO = "ask"
INSTRUCTIONS = (
    "An engineer asks about a concluded investigation. Answer from the lines only; they are all that is known, and the"
    " verdict stands. say: at most 50 words, with the names and numbers of the lines; where the lines do not tell, say"
    " that. evidence: the labels (E1, E2) of what shows it."
)
ANSWER_TOKENS = 220
TURNS = 2
LOOK_SECONDS = 20.0
"""How long the whole exchange may take where the model may look further."""

MORE_LINES = 8
BESIDE = 3
"""Lines of the rules' answer that are shown beside a model's."""

LONGEST = 450
ECHO = re.compile(r"“[^”]*”")
"""Words of the question in the rules' answer."""

OPINION = re.compile(rf"^.*(?:{CLAIMED}|{SUGGESTED}).*$", re.MULTILINE)
"""What another model said: it bears nothing out."""

AROUND = "[](){}., \n"


class Reasoned(BaseModel):
    """Your answer."""

    say: str
    evidence: list[str]


async def advised(about: About, plain: Answer, asking: Asking, further: Further | None) -> Answer:
    """Return the answer in a model's words, or the plain one with a note that says why there are none."""
    record, sheet = about.record, Sheet(about.record)
    given = await asyncio.to_thread(_data, about, plain, sheet)
    tools = further.tools(about.subject, sheet) if further else ()
    if tools:
        given = f"{given}\n{sheet.resources(record)}"
    seconds, turns = (LOOK_SECONDS, TURNS + 1) if tools else (SECONDS, TURNS)
    asked = Question(WHO, INSTRUCTIONS, given, Reasoned, tools, ANSWER_TOKENS, turns, seconds)
    reply = await exchange(asking.reasoner, asked, asking.budget)
    spent = plain.model_copy(update={"usage": reply.usage, "looks": further.looks if further else 0})
    if reply.answer is None:
        return spent.model_copy(update={"note": f"no model's answer: {reply.problem or 'it gave none'}"})
    say = " ".join(redact(clean(reply.answer.say)).split())
    cited = _cited(reply.answer.evidence, sheet.meaning())
    wrong = _refused(say, cited, about, sheet.material)
    if wrong:
        telemetry.dropped(WHO, 1)
        return spent.model_copy(update={"note": f"a model's answer was dropped: {wrong}"})
    first = Said(text=say, evidence=cited, source=_source(cited, further))
    beside = [said for said in plain.lines if said.text != say][:BESIDE]
    return spent.model_copy(update={"lines": (first, *beside), "origin": Origin.MODEL})


def _source(cited: tuple[str, ...], further: Further | None) -> str:
    """Return the look that saw what is cited, where a further look did."""
    brought = {item.id: item.source for item in further.evidence} if further else {}
    return next((brought[each] for each in cited if each in brought), "")


def _data(about: About, plain: Answer, sheet: Sheet) -> str:
    """Return the question, the verdict, the rules' answer, and what else matches."""
    question, subject, record = about
    report, every = record.report, list(record.lines())
    matching = found(wanted(question, subject), every, most=MORE_LINES)
    said = {line.said.text: line.said for line in (*matching, *every)}
    more = [line for text, line in said.items() if text not in {each.text for each in plain.lines}]
    evidence = report.root_cause.evidence if report.root_cause else ()
    verdict = Said(text=f"verdict: {report.headline}. {report.summary}", evidence=evidence)
    known = Said(text=f"resources: {record.looked_at}")
    lines = (verdict, known, *plain.lines, *more[:MORE_LINES])
    return f"asked: {question}\n{sheet.written(lines)}"  # what is asked is no material: it shows nothing


def _cited(labels: list[str], meaning: dict[str, str]) -> tuple[str, ...]:
    """Return the evidence of the labels, each once; nothing when one of them stands for nothing."""
    names = [name for label in labels for name in re.split(r"[\s,;]+", label.strip(AROUND)) if name]
    return tuple(dict.fromkeys(meaning[name] for name in names)) if all(name in meaning for name in names) else ()


def _refused(say: str, cited: tuple[str, ...], about: About, material: str) -> str:
    """Return why an answer may not be shown, in a few words for people; empty when it may."""
    if not say or len(say) > LONGEST:
        return "it is empty or too long"
    if not cited:
        return "it cites nothing that exists"
    words, shown = re.sub(r"\d", "", about.text), ECHO.sub("", OPINION.sub("", material))
    sentences = ((s, f"{shown}\n{words}" if modest(s) else shown) for s in SENTENCE.split(say))
    strange = (unfounded(sentence, known, _steps(about.record)) for sentence, known in sentences)
    return next((why for why in strange if why), "") or misblamed(say, about.record)


def _steps(record: Record) -> str:
    """Return what is proposed, in code's words."""
    report = record.report
    actions = (f"{action.title}: {action.expected_effect}\n{action.cli}" for action in report.proposed_actions)
    return "\n".join((*actions, *(advice.text for advice in report.advice), report.next_look or ""))
