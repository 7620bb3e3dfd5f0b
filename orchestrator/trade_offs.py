"""What a model says of the trade-offs between actions that are already chosen: words beside the plan, not in it."""

from collections.abc import Sequence

from domain.action import ProposedAction
from domain.evidence import EvidenceBundle
from domain.graph import ServiceGraph
from domain.result import SpecialistResult, SpecialistStatus
from orchestrator.exchange import exchange
from orchestrator.interview import ANSWER_TOKENS, no_answer
from orchestrator.reason import LEAST_SECONDS, SECONDS, Asking
from reasoning import telemetry
from reasoning.contract import Mode, Question
from specialists.contract import Specialist
from specialists.judgement import HOW, Checked, Judgement, Shown, checked
from specialists.lines import PER_TOKEN, TOKENS, Sheet, tidy

ACTIONS = 4
"""How many of the planned actions are weighed against each other, from the first on."""


async def weighed(
    planner: Specialist,
    actions: Sequence[ProposedAction],
    evidence: EvidenceBundle,
    graph: ServiceGraph,
    asking: Asking | None,
    seconds: float,
) -> SpecialistResult | None:
    """Return what counts of a model's words on the trade-offs, for the planner's result; None where nobody is asked.

    That is in `auto`, where the plan of the rules needs no words, without a choice, and without time.
    """
    seconds = min(SECONDS, seconds)
    if asking is None or asking.mode is not Mode.ALWAYS or planner.agent is None or seconds < LEAST_SECONDS:
        return None
    sheet = Sheet(graph)
    data = _lines(actions[:ACTIONS], evidence, sheet)
    if len(actions) < 2 or not sheet.evidence.meaning:
        return None
    instructions = f"{planner.agent.instructions} {HOW}"
    question = Question(planner.name, instructions, data, Judgement, (), ANSWER_TOKENS, 1, seconds)
    reply = await exchange(asking.reasoner, question, asking.budget)
    shown = Shown(evidence=sheet.evidence.meaning, resources={}, hypotheses={}, causes=())
    kept = checked(reply.answer, shown, planner.name) if reply.answer else Checked()
    telemetry.dropped(planner.name, kept.dropped)
    return SpecialistResult(
        name=planner.name,
        status=SpecialistStatus.SUCCESS,
        duration_seconds=0.0,
        facts=kept.facts,
        dropped=kept.dropped,
        model_gap=None if reply.answer else no_answer(planner.name, reply),
        usage=reply.usage,
    )


def with_words(planned: SpecialistResult, words: SpecialistResult | None) -> SpecialistResult:
    """Return the planner's result with a model's words beside it."""
    if words is None:
        return planned
    update = {
        "facts": (*planned.facts, *words.facts),
        "dropped": words.dropped,
        "model_gap": words.model_gap,
        "usage": planned.usage + words.usage,
    }
    return planned.model_copy(update=update)


def _lines(actions: Sequence[ProposedAction], evidence: EvidenceBundle, sheet: Sheet) -> str:
    """Return the actions in their order, under what was seen of their resources."""
    listed = [f"action {number}: {_told(action)}" for number, action in enumerate(actions, start=1)]
    cited = [evidence[e] for e in dict.fromkeys(e for action in actions for e in action.evidence) if e in evidence]
    room = int(TOKENS * PER_TOKEN) - sum(map(len, listed))
    return "\n".join((*sheet.grouped(cited, characters=room), *listed))


def _told(action: ProposedAction) -> str:
    undone = "can be undone" if action.reversible else "cannot be undone"
    costs = f"; {action.trade_off}" if action.trade_off else ""
    return tidy(f"{action.title} ({action.effect}, risk {action.risk}, {undone}){costs}")
