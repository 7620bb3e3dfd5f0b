"""What the nested design's model writes: scripted, and generously.

It never errs, calls no tool in vain, asks all specialists at once, and routes perfectly unless told to omit some. What
it says is what this project's own specialists and report say of the same incident, in the JSON and in the words that
the agents are told to use: no more than three facts, two hypotheses and two pieces of advice each, in short sentences.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from benchmarks.nested_tools import OPERATIONS, TRACES, arguments, tool_name
from domain.evidence import Evidence
from domain.report import Report, SpecialistReport
from domain.trace import TraceCall
from sandbox.models.script import Asked, Script, Text, ToolUse, compact

CALLS_A_ROUND = 3
SENTENCE = 120
"""Characters of one statement."""

LEAD_PROMPT = """You are the lead investigator of AWS incidents. You get a trace id or a description of a failure.
Find the resources involved, decide which specialists to ask, and ask all of them that could matter; look yourself where
no specialist fits. Give each specialist the name of its resource and what is known of the failure. When they have
answered, weigh their hypotheses against each other and write the report: root cause, evidence, impact, timeline, what
was ruled out, and what to do. Do not state anything that no specialist found."""

SPECIALIST_PROMPT = """You are the {name} specialist of an incident investigation. Look at the resource that you are
asked about with your tools: its configuration, logs, metrics and recent changes. Judge only from what the tools return.
Answer with JSON that has "facts" (source, content, confidence), "hypotheses" (type, description, confidence, evidence)
and "advice" (title, description, priority, category)."""


class Incident(NamedTuple):
    """What the agents are let loose on: the trace, what was seen, what this project concluded.

    `resources` are the names of what each specialist is to be asked about.
    """

    trace_id: str
    evidence: Sequence[Evidence]
    report: Report
    resources: Mapping[str, str]


@dataclass(frozen=True)
class Writer:
    """Writes for all agents of one investigation.

    `rounds` is how often a specialist calls its tools, `omits` whom the lead forgets.
    """

    incident: Incident
    rounds: int
    omits: Callable[[str], bool]

    def respond(self, asked: Asked) -> Script:
        """Write what the agent with this prompt writes next."""
        if asked.system == LEAD_PROMPT:
            return self._lead(asked)
        name = next(n for n in OPERATIONS if asked.system == SPECIALIST_PROMPT.format(name=n))
        return self._specialist(name, len(asked.results) // CALLS_A_ROUND)

    def _lead(self, asked: Asked) -> Script:
        """Read the trace, ask the specialists it calls for, write the report."""
        if not asked.results:
            return Script((ToolUse(tool_name(TRACES), arguments(TRACES, self.incident.trace_id)),))
        chosen = [name for name in self.incident.resources if not self.omits(name)]
        if len(asked.results) > 1 or not chosen:
            return Script((Text(written_report(self.incident.report)),))
        failed = (e.summary() for e in self.incident.evidence if isinstance(e, TraceCall) and e.failed)
        context = next(failed)[:SENTENCE]
        return Script(
            tuple(
                ToolUse(f"investigate_{name}", {"resource": self.incident.resources[name], "context": context})
                for name in chosen
            )
        )

    def _specialist(self, name: str, rounds: int) -> Script:
        """Call the next tools; give the findings when all rounds are done."""
        if rounds >= self.rounds:
            own = next(s for s in self.incident.report.specialists if s.name == name)
            return Script((Text(findings(own)),))
        operations = OPERATIONS[name][rounds * CALLS_A_ROUND :][:CALLS_A_ROUND]
        return Script(tuple(ToolUse(tool_name(o), arguments(o, self.incident.resources[name])) for o in operations))


def findings(own: SpecialistReport) -> str:
    """Return what a specialist found, in the JSON that it is told to answer with."""
    return compact(
        {
            "facts": [
                {"source": own.name, "content": f.statement[:SENTENCE], "confidence": 0.9} for f in own.facts[:3]
            ],
            "hypotheses": [
                {
                    "type": h.cause,
                    "description": h.summary[:SENTENCE],
                    "confidence": round(h.confidence, 2),
                    "evidence": [],
                }
                for h in own.hypotheses[:2]
            ],
            "advice": [
                {"title": own.name, "description": a.text[:SENTENCE], "priority": "high", "category": "configuration"}
                for a in own.advice[:2]
            ],
        }
    )


def written_report(report: Report) -> str:
    """Return the report in the words of a lead: what this project's own says, without its citations."""
    cited = set(report.root_cause.evidence) if report.root_cause else set()
    parts = {
        "Root cause": [report.summary],
        "Evidence": [e.summary for e in report.evidence if e.id in cited][:3],
        "Impact": [report.severity.reason],
        "Timeline": [f"{entry.at:%H:%M} {entry.what}" for entry in report.timeline][:4],
        "Not the cause": [h.summary for h in report.hypotheses[1:]][:2],
        "To do": [*(action.title for action in report.proposed_actions), *(a.text for a in report.advice)][:3],
    }
    return "\n".join(
        f"{name}: {'; '.join(line[:SENTENCE] for line in lines)}" for name, lines in parts.items() if lines
    )
