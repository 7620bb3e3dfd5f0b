"""The verdict in a model's words: asked for once, from the settled conclusion alone, and shown only if it adds nothing.

The template that `orchestrator.conclude.verdict` writes stands wherever the model does not answer or says more than it
was given.
"""

from collections.abc import Iterator

from pydantic import BaseModel

from domain.redaction import clean, redact
from domain.report import RankedHypothesis, Report, ReportStatus, Role, RootCause
from domain.told import Told, Wording
from domain.words import listed
from orchestrator.ask.blame import HEDGED, SENTENCE, UNDECIDED, mentions, misblamed, title
from orchestrator.ask.grounding import unfounded
from orchestrator.ask.record import Record, sure
from orchestrator.conclude.settle import ABOUT_EQUAL
from orchestrator.exchange import exchange
from orchestrator.reason import LEAST_SECONDS, SECONDS, Asking
from reasoning import telemetry
from reasoning.contract import Mode, Question

WHO = "synthesis"
INSTRUCTIONS = (
    "Word this settled verdict for the engineer on call, who reads it at night. Say only what the lines say, with their"
    " names and numbers; add nothing. summary: what is wrong, under 30 words. why: at most two short sentences."
    " first: the first step of the 'do' lines, under 15 words, or nothing."
)
CHARACTERS = 730
"""Of data: with the instructions below 450 tokens, at 2.3 characters a token."""

STEP = "do: "
LINE, SUMMARY_LINE = 150, 340
ANSWER_TOKENS = 160
"""What the model may write at most; an answer as asked for takes about 90."""

SUMMARY, WHY, FIRST = 280, 300, 160
WHY_SENTENCES = 2


class Worded(BaseModel):
    """The verdict for people."""

    summary: str
    why: str
    first: str = ""


def wanted(report: Report, mode: Mode) -> bool:
    """Whether to ask: where something is wrong, and in `auto` only where a model was asked in this investigation."""
    if report.status is ReportStatus.FAILED or (report.root_cause is None and report.status is ReportStatus.COMPLETED):
        return False
    return mode is Mode.ALWAYS or (mode is Mode.AUTO and report.usage.model_calls > 0)


async def worded(report: Report, asking: Asking | None, seconds: float) -> Wording | None:
    """Ask a model to word the report within that time; None where none is asked. Raises nothing."""
    seconds = min(SECONDS, seconds)
    if asking is None or seconds < LEAST_SECONDS or not wanted(report, asking.mode):
        return None
    given = material(report)
    question = Question(WHO, INSTRUCTIONS, given, Worded, tokens=ANSWER_TOKENS, turns=1, seconds=seconds)
    reply = await exchange(asking.reasoner, question, asking.budget)
    if reply.answer is None:
        return Wording(note=f"no model worded it: {reply.problem or 'it gave no answer'}", usage=reply.usage)
    told = Told(**{name: " ".join(redact(clean(text)).split()) for name, text in reply.answer.model_dump().items()})
    wrong = refused(told, report, given)
    if wrong:
        telemetry.dropped(WHO, 1)
        return Wording(note=f"a model's wording was dropped: {wrong}", dropped=True, usage=reply.usage)
    return Wording(told=told, usage=reply.usage)


def material(report: Report) -> str:
    """Return the settled conclusion as lines, the verdict first; nothing else is known to the model."""
    lines, room = [], CHARACTERS
    for line, most in _lines(report):
        short = line if len(line) <= most else f"{line[: most - 1]}…"
        if len(short) + 1 > room:
            break
        lines.append(short)
        room -= len(short) + 1
    return "\n".join(lines)


def _lines(report: Report) -> Iterator[tuple[str, int]]:
    """Yield what there is to say, with the characters that each may take, the weightiest first."""
    record, root = Record(report), report.root_cause
    yield f"verdict: {report.headline} ({sure(root.confidence) if root else 'undecided'})", LINE
    yield f"summary: {report.summary}", SUMMARY_LINE
    yield from ((f"{STEP}{action.title}: {action.expected_effect}", LINE) for action in report.proposed_actions[:2])
    if not report.proposed_actions:
        yield from ((f"{STEP}{advice.text}", LINE) for advice in report.advice[:1])
    if report.next_look:
        yield f"{STEP}{report.next_look}", LINE
    yield f"impact: {report.severity.reason}", LINE
    seen = [record.summaries[e] for e in (root.evidence if root else ())[:3] if e in record.summaries]
    yield from ((f"seen: {summary}", LINE) for summary in seen)
    out = [h for h in report.hypotheses if h.role is Role.RULED_OUT]
    if out:
        yield f"ruled out: {listed(list(dict.fromkeys(record.label(h.resource) for h in out))[:4])}", LINE


def refused(told: Told, report: Report, given: str) -> str:
    """Return why the words may not be shown, in a few words for people; empty when they may."""
    lengths = ((told.summary, SUMMARY), (told.why, WHY), (told.first, FIRST))
    if not told.summary or any(len(text) > most for text, most in lengths):
        return "it is empty or too long"
    if len(SENTENCE.split(told.why)) > WHY_SENTENCES:
        return "it explains at too great length"
    steps = "\n".join(line for line in given.split("\n") if line.startswith(STEP))
    if told.first and not steps:
        return "it proposes a step where none is proposed"
    called = "; ".join(_labels(given, report))
    strange = unfounded(f"{told.summary} {told.why}", f"{given}\n{called}", steps)
    return strange or unfounded(told.first, f"{steps}\n{called}", steps) or _misplaced(told, report)


def _labels(given: str, report: Report) -> Iterator[str]:
    """Yield what kind of thing each resource of the material is: "Lambda function `create-order`"."""
    record = Record(report)
    yield from (record.label(each) for each in record.resources if mentions(given, {title(each, record)}))


def _misplaced(told: Told, report: Report) -> str:
    """Whether another thing is blamed than the root cause, or anything where nothing is decided."""
    record, root = Record(report), report.root_cause
    text = f"{told.summary} {told.why}"
    if root is None:
        return misblamed(text, record) if HEDGED.search(told.summary) else UNDECIDED
    if not mentions(told.summary, {title(root.resource, record)}):
        return "it does not name what is at fault"
    equals = [h for h in report.hypotheses if _about_equal(h, root)]
    if any(not mentions(text, {title(h.resource, record)}) for h in equals):
        return "it leaves out what is about as likely"
    return misblamed(text, record)


def _about_equal(hypothesis: RankedHypothesis, root: RootCause) -> bool:
    return hypothesis.role is Role.CONTRIBUTING and root.confidence - hypothesis.confidence < ABOUT_EQUAL
