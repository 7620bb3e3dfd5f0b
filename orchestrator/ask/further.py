"""Further read-only looks that a model may ask for while it answers: probes of the specialists, on known resources."""

from collections.abc import Awaitable, Callable, Iterator, Sequence

from domain.evidence import Evidence
from domain.redaction import clean
from domain.resource import Resource
from orchestrator.ask.sheet import Sheet
from orchestrator.ask.subject import Subject
from orchestrator.route import Route, route
from orchestrator.store import StoredBundle
from reasoning.contract import Tool
from specialists.contract import Probe, Specialist
from specialists.run import Run

LookAgain = Callable[[StoredBundle, Specialist, Probe, Resource], Awaitable[Run]]
"""Makes one look about a concluded investigation: guarded, metered, redacted; raises nothing."""

MOST_LOOKS = 2
MOST_TOOLS = 3
MOST_TARGETS = 6
SHOWN = 5
LINE = 200
ENOUGH = "no further look: answer from what you have seen"


class Further:
    """The looks of one question; what they brought is in `evidence`, and `looks` counts them."""

    def __init__(self, bundle: StoredBundle, specialists: Sequence[Specialist], look_again: LookAgain) -> None:
        self._bundle = bundle
        self._specialists = specialists
        self._look_again = look_again
        self.evidence: list[Evidence] = []
        self.looks = 0

    def tools(self, subject: Subject, sheet: Sheet) -> tuple[Tool, ...]:
        """Return what may be looked at about the subject; nothing where nobody knows what it is about."""
        offers = {probe.name: (specialist, probe, targets) for specialist, probe, targets in self._offers(subject)}
        return tuple(self._tool(*offer, sheet) for offer in list(offers.values())[:MOST_TOOLS])

    def _offers(self, subject: Subject) -> Iterator[tuple[Specialist, Probe, tuple[Resource, ...]]]:
        meant = {topic.by for topic in subject.topics}
        named = {resource.id for resource in subject.resources}
        for each in route(self._bundle.graph, self._specialists):
            if each.specialist.agent and (each.specialist.name in meant or any(t.id in named for t in each.targets)):
                yield from self._probes(each, named)

    def _probes(self, route: Route, named: set[str]) -> Iterator[tuple[Specialist, Probe, tuple[Resource, ...]]]:
        """Yield each look that fits, where it fits: at the named resources if there are any."""
        near = [target for target in route.targets if target.id in named] or list(route.targets)
        for probe in route.specialist.agent.tools if route.specialist.agent else ():
            fitting = tuple(t for t in near if probe.only is None or t.type in probe.only)[:MOST_TARGETS]
            if fitting:
                yield route.specialist, probe, fitting

    def _tool(self, specialist: Specialist, probe: Probe, targets: tuple[Resource, ...], sheet: Sheet) -> Tool:
        by_label = {sheet.resource(target): target for target in targets}

        async def look(label: str) -> str:
            return await self._look(specialist, probe, by_label[label], sheet)

        return Tool(probe.name, probe.doc.split("\n")[0], tuple(by_label), look)

    async def _look(self, specialist: Specialist, probe: Probe, target: Resource, sheet: Sheet) -> str:
        if self.looks >= MOST_LOOKS:
            return ENOUGH
        self.looks += 1
        run = await self._look_again(self._bundle, specialist, probe, target)
        self.evidence += run.evidence
        lines = [f"{sheet.evidence(item.id)} {_tidy(item.summary())}" for item in run.evidence[:SHOWN]]
        lines += [f"not seen: {_tidy(gap.message)}" for gap in run.result.gaps]
        return sheet.shown("\n".join(lines) or "nothing was seen")


def _tidy(text: str) -> str:
    return " ".join(clean(text).split())[:LINE]
