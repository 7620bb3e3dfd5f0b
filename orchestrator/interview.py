"""One model asked about one specialist's view: what it is shown, what it may look at, and what of its answer counts."""

from dataclasses import replace
from typing import NamedTuple

from domain.causes import CAUSES
from domain.evidence import Evidence, EvidenceBundle
from domain.findings import Advice, Fact, Hypothesis
from domain.gap import Gap, GapReason
from domain.resource import Resource
from domain.result import SpecialistStatus
from orchestrator.open_questions import in_view
from orchestrator.probe_again import LOOK_SECONDS, probe_again
from reasoning.contract import Question, Reply, Tool
from specialists.contract import Agent, Probe
from specialists.judgement import HOW, Checked, Judgement, Shown, checked, nameable
from specialists.lines import Sheet, likely, tidy, told
from specialists.run import Assignment, Run, Tools, judge

ANSWER_TOKENS = 300
"""What a model may write at most; three claims and a cause take about 150."""

TURNS = 2
"""Calls that one question may take, one more where looks are offered."""

LOOKS = 3
"""Further looks that one model may ask for."""

LOOK_CHARACTERS = 400
"""Of the lines that one look shows, beside samples of its log."""

LOOKED_ENOUGH = "no further look: answer from what you have seen"

WORTH_ANOTHER_TRY = frozenset({GapReason.THROTTLED, GapReason.TIMED_OUT, GapReason.FAILED})


def no_answer(specialist: str, reply: Reply[Judgement]) -> Gap:
    """Say why there is no model's opinion."""
    return Gap(
        specialist=specialist,
        probe="reasoning",
        resource="model",
        reason=reply.reason or GapReason.FAILED,
        action=reply.action,
        message=f"no model's opinion: {reply.problem or 'the model gave no answer'}",
    )


class Further(NamedTuple):
    """One look that a model asked for."""

    probe: str
    resource: str
    run: Run


class Interview:
    """Keeps what one model was shown, label by label, and what its looks brought.

    `looks` offers it further ones: a tool costs tokens in every call, whether it is used or not.
    """

    def __init__(self, assignment: Assignment, run: Run, tools: Tools, *, looks: bool = True) -> None:
        self._assignment = assignment
        self._run = run
        self._tools = tools
        self._sheet = Sheet(assignment.graph)
        self._seen = assignment.trace.including(run.evidence)
        self._codes = nameable(assignment.specialist)
        self._further: list[Further] = []
        self._may_look = looks
        self._looks = 0

    def question(self, seconds: float) -> Question[Judgement]:
        """Return what to ask; labels are given out here."""
        agent = self._assignment.specialist.agent or Agent("")
        items = in_view(self._assignment, self._run)
        result = self._run.result
        known = {h.cause for h in result.hypotheses}
        titles = {code: CAUSES[code].title for code in self._codes if code not in known}
        menu = likely(titles, titles, [told(item) for item in items])
        data = self._sheet.written(items, result.hypotheses, result.gaps, menu)
        offers = [(probe, offered) for probe in agent.tools if self._may_look and (offered := self._offered(probe))]
        named = self._sheet.headers(target.id for _, offered in offers for target in offered)
        tools = tuple(self._tool(probe, offered) for probe, offered in offers)
        return Question(
            who=self._assignment.specialist.name,
            instructions=f"{agent.instructions} {HOW}",
            data="\n".join((data, *named)),
            answer=Judgement,
            tools=tools,
            tokens=ANSWER_TOKENS,
            turns=TURNS + bool(tools),
            seconds=seconds,
        )

    def closed(self, reply: Reply[Judgement]) -> Run:
        """Return the run with what the looks brought, judged by the rules, and with what counts of the answer."""
        run = self._judged_again()
        result = run.result
        if reply.answer is None:
            kept, gap = Checked(), no_answer(result.name, reply)
        else:
            kept, gap = checked(reply.answer, self._shown(), result.name), None
        labels = self._sheet.hypotheses.meaning
        doubted = {labels[label]: supports for label, supports in kept.doubts.items()}
        hypotheses = [
            h.model_copy(update={"doubts": doubted.get(f"{h.cause}@{h.resource}", ())}) for h in result.hypotheses
        ]
        update = {
            "facts": (*result.facts, *kept.facts),
            "hypotheses": (*hypotheses, *kept.hypotheses),
            "dropped": kept.dropped,
            "model_gap": gap,
            "usage": result.usage + reply.usage,
        }
        return Run(result=result.model_copy(update=update), evidence=run.evidence)

    def _shown(self) -> Shown:
        by_key = {f"{h.cause}@{h.resource}": h for h in self._run.result.hypotheses}
        return Shown(
            evidence=self._sheet.evidence.meaning,
            resources=self._sheet.resources.meaning,
            hypotheses={label: by_key[key] for label, key in self._sheet.hypotheses.meaning.items()},
            causes=frozenset(self._codes),
        )

    def _offered(self, probe: Probe) -> tuple[Resource, ...]:
        """Return where a look would show something new."""
        return tuple(t for t in self._assignment.targets if self._failed(probe, t) or self._more(probe, t))

    def _tool(self, probe: Probe, offered: tuple[Resource, ...]) -> Tool:
        targets = {self._sheet.resources(target.id): target for target in offered}

        async def look(label: str) -> str:
            return await self._look(probe, targets[label])

        return Tool(name=probe.name, description=probe.doc.split("\n")[0], choices=tuple(targets), look=look)

    async def _look(self, probe: Probe, target: Resource) -> str:
        """Show more of what the probe brought; where it failed, look again first."""
        self._looks += 1
        if self._looks > LOOKS:
            return LOOKED_ENOUGH
        if not self._failed(probe, target):
            return self._lines(self._brought(probe, target))
        now = replace(self._assignment, trace=self._seen)
        seconds = max(0.0, min(LOOK_SECONDS, self._tools.meter.remaining()))
        run = await probe_again(now, probe, target, self._tools, seconds=seconds)
        self._further.append(Further(probe.name, target.id, run))
        self._seen = self._seen.including(run.evidence)
        unseen = [tidy(f"not seen: {gap.message}") for gap in run.result.gaps]
        return "\n".join(part for part in (self._lines(run.evidence), *unseen) if part) or "nothing was seen"

    def _failed(self, probe: Probe, target: Resource) -> bool:
        if any((probe.name, target.id) == (done.probe, done.resource) for done in self._further):
            return False
        missed = (g for g in self._run.result.gaps if (g.probe, g.resource) == (probe.name, target.id))
        return any(gap.reason in WORTH_ANOTHER_TRY for gap in missed)

    def _more(self, probe: Probe, target: Resource) -> bool:
        return any(self._sheet.has_more(item) for item in self._brought(probe, target))

    def _brought(self, probe: Probe, target: Resource) -> tuple[Evidence, ...]:
        return tuple(item for item in self._seen if isinstance(item, probe.yields) and item.resource == target.id)

    def _lines(self, items: tuple[Evidence, ...]) -> str:
        new = [item for item in items if item.id not in self._sheet.evidence]
        return "\n".join((*self._sheet.grouped(new, characters=LOOK_CHARACTERS), *self._sheet.samples(items)))

    def _judged_again(self) -> Run:
        """Return the run with what further looks brought: the rules judge it as they judge everything."""
        done = sorted(self._further, key=lambda each: each[:2])
        brought = {item.id: item for each in done for item in each.run.evidence}
        if not done:
            return self._run
        result, evidence = self._run.result, EvidenceBundle([*self._run.evidence, *brought.values()])
        findings, failure = judge(self._assignment, evidence)
        again = {(each.probe, each.resource) for each in done}
        gaps = [g for g in result.gaps if (g.probe, g.resource) not in again]
        gaps += [gap for each in done for gap in each.run.result.gaps]
        mended = result.status is SpecialistStatus.PARTIAL and not gaps
        update = {
            "facts": tuple(f for f in findings if isinstance(f, Fact)),
            "hypotheses": tuple(f for f in findings if isinstance(f, Hypothesis)),
            "advice": tuple(f for f in findings if isinstance(f, Advice)),
            "gaps": tuple(sorted(gaps, key=lambda g: (g.resource, g.probe, g.message))),
            "status": SpecialistStatus.SUCCESS if mended else result.status,
            "message": failure or result.message,
            "looks": result.looks + len(done),
            "usage": sum((each.run.result.usage for each in done), result.usage),
        }
        return Run(result=result.model_copy(update=update), evidence=tuple(evidence))
