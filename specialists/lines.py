"""Evidence as a model reads it: lines with short labels, grouped by resource, cleaned and bounded.

    [R1 Lambda function create-order]
    E1 09:53 Errors Sum 54 in all, 9 at most, usual 0
    E2 09:53 DynamoDB PutItem failed: ProvisionedThroughputExceededException ×115

Grouped lines take a third of the tokens of indented JSON. Pure: the same evidence gives the same lines.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from domain.evidence import Evidence, EvidenceBundle
from domain.findings import Hypothesis
from domain.gap import Gap
from domain.graph import ServiceGraph
from domain.redaction import clean, redact
from domain.resource import resource_from_arn
from domain.trace import TraceCall, TraceSegment
from specialists.kit.change import Change
from specialists.kit.loglines import LogLines
from specialists.kit.series import MetricSeries
from specialists.kit.signals import Excess, Onset

PER_TOKEN = 2.3
"""Characters a token, in lines of names and numbers; prose has more."""

TOKENS = 300
"""What one specialist's lines may take."""

LINE = 160
"""Characters of one line."""

ROOM = 6
"""Characters that a label takes with what surrounds it."""

SAMPLES = 6
"""Different log lines of one look that are shown where somebody asks for them."""

HYPOTHESES = 4
UNSEEN = 2

_LOOKALIKES = str.maketrans({"<": "(", ">": ")", "`": "'"})
_NUMBERED = re.compile(
    r"\b(?=[a-fA-F-]*\d)[0-9a-fA-F]{4,}(?:-[0-9a-fA-F]{4,})*\b|\b\d{4}-\d\d-\d\dT[\d:.]+Z?|\d\d:\d\d(?::\d\d)?"
)
_TROUBLE = re.compile(
    r"\b(?:error|fail|fault|denied|refus|reject|throttl|timed? ?out|exceed|not exist|missing|disabled|invalid|deleted)",
    re.IGNORECASE,
)

Judge = Callable[[Evidence], bool]

TELLING: tuple[Judge, ...] = (
    lambda item: isinstance(item, TraceCall | TraceSegment) and item.failed,
    lambda item: isinstance(item, LogLines) and bool(item.events),
    lambda item: isinstance(item, Onset | Excess),
    lambda item: isinstance(item, Change) and item.took_effect,
    lambda item: isinstance(item, MetricSeries) and bool(item.points) and item.peak > 2 * item.usual_peak,
    lambda item: not isinstance(item, MetricSeries) and tells_of_trouble(item.summary()),
)
"""What tells most, first; what none of them knows comes last."""


class Labels:
    """Short names for what a model is shown, given out in the order of asking: E1, E2, …"""

    def __init__(self, letter: str) -> None:
        self._letter = letter
        self._names: dict[str, str] = {}

    def __call__(self, key: str) -> str:
        """Return the label of an id, a new one for one that has none."""
        return self._names.setdefault(key, f"{self._letter}{len(self._names) + 1}")

    def __contains__(self, key: str) -> bool:
        return key in self._names

    @property
    def meaning(self) -> dict[str, str]:
        """The id that each label stands for."""
        return {label: key for key, label in self._names.items()}


class Sheet:
    """What one model is shown of one specialist's view; remembers what each label stands for."""

    def __init__(self, graph: ServiceGraph) -> None:
        self._graph = graph
        self.evidence = Labels("E")
        self.resources = Labels("R")
        self.hypotheses = Labels("H")

    def written(
        self,
        items: Iterable[Evidence],
        hypotheses: Sequence[Hypothesis] = (),
        gaps: Sequence[Gap] = (),
        causes: Sequence[str] = (),
        tokens: int = TOKENS,
    ) -> str:
        """Return the lines of what is seen, thought so far, and unseen, the most telling evidence first."""
        named = sorted(hypotheses, key=lambda h: (-len(h.supports), h.cause, h.resource))[:HYPOTHESES]
        menu = [f"causes that may be named: {', '.join(causes)}"] if causes else []
        unseen = [tidy(f"not seen: {gap.message}") for gap in gaps[:UNSEEN]]
        cited = {e for h in named for e in h.evidence}
        spare = sum(map(len, (*menu, *unseen))) + sum(len(tidy(h.summary)) + 60 for h in named)
        shown = self.grouped(items, cited=cited, characters=int(tokens * PER_TOKEN) - spare)
        return "\n".join((*shown, *self._thought(named), *unseen, *menu))

    def grouped(self, items: Iterable[Evidence], *, cited: Collection[str] = (), characters: int) -> list[str]:
        """Return as many lines as fit, under a header for each resource; labels go to what is shown."""
        groups: dict[str, list[str]] = {}
        said = (item for item in items if not isinstance(item, MetricSeries) or item.points or item.id in cited)
        for same in _folded(sorted(said, key=lambda item: (item.id not in cited, *_place(item)))):
            first = same[0]
            line = _dated(first, len(same))
            header = 0 if first.resource in groups else len(_called(first.resource, self._graph)) + ROOM
            characters -= len(line) + ROOM + header
            if characters < 0:
                break
            if first.resource not in groups:
                groups[first.resource] = [self._header(first.resource)]
            groups[first.resource].append(f"{self.evidence(first.id)} {line}")
        return [line for lines in groups.values() for line in lines]

    def has_more(self, item: Evidence) -> bool:
        """Tell whether evidence shows something unusual that is not on the sheet: itself, or more than one log line."""
        if not telling(item):
            return False
        several = isinstance(item, LogLines) and len(_counted(tidy(event.message) for event in item.events)) > 1
        return several or item.id not in self.evidence

    def samples(self, items: Iterable[Evidence]) -> list[str]:
        """Return the different log lines in the evidence, the most frequent first, under its labels."""
        lines = []
        for item in items:
            if isinstance(item, LogLines):
                label = self.evidence(item.id)
                counted = _counted(tidy(event.message) for event in item.events)
                lines += [f"{label} {_times(text, count)}" for text, count in counted[:SAMPLES]]
        return lines

    def headers(self, resources: Iterable[str]) -> list[str]:
        """Return a header for each resource that is not named yet."""
        return [self._header(resource) for resource in dict.fromkeys(resources) if resource not in self.resources]

    def _header(self, resource: str) -> str:
        return f"[{self._named(resource)}]"

    def _named(self, resource: str) -> str:
        """Return the label, with what it stands for where it is used for the first time."""
        new = resource not in self.resources
        label = self.resources(resource)
        name = _called(resource, self._graph)
        return f"{label} {name}" if new else label

    def _thought(self, hypotheses: Iterable[Hypothesis]) -> Iterator[str]:
        """Yield what the rules think, with the evidence for it that is shown."""
        for h in hypotheses:
            label, place = self.hypotheses(f"{h.cause}@{h.resource}"), self._named(h.resource)
            graded = ", ".join(
                f"{self.evidence(s.evidence)} {s.strength}" for s in h.supports[:4] if s.evidence in self.evidence
            )
            yield f"{label} {h.cause} {place} ({graded or 'evidence not shown'}): {tidy(h.summary)}"


def told(item: Evidence) -> str:
    """Return one piece of evidence in a line, a series by its numbers."""
    return tidy(_measured(item) if isinstance(item, MetricSeries) else item.summary())


def tidy(text: str, limit: int = LINE) -> str:
    """Return text from outside as one bounded line without secrets, unseen characters, tags and code marks."""
    line = " ".join(redact(clean(text)).split()).translate(_LOOKALIKES)
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def telling(item: Evidence) -> bool:
    """Tell whether evidence shows something beside the usual."""
    return _rank(item) < len(TELLING)


def tells_of_trouble(text: str) -> bool:
    """Tell whether a text has a word for something that went wrong."""
    return bool(_TROUBLE.search(text))


def about(bundle: EvidenceBundle, resources: Collection[str]) -> tuple[Evidence, ...]:
    """Return the trace's evidence of the resources: their own parts, and the calls to them and by them."""
    return tuple(
        item
        for item in bundle
        if item.resource in resources or (isinstance(item, TraceCall) and item.caller in resources)
    )


def likely(codes: Iterable[str], titles: Mapping[str, str], lines: Iterable[str], limit: int = 8) -> tuple[str, ...]:
    """Return the codes whose words the lines share most, at most `limit`; a word of few codes tells more."""
    seen = _words(" ".join(lines))
    words = {code: _words(f"{code} {titles[code]}") for code in codes}
    common = Counter(word for own in words.values() for word in own)
    return tuple(sorted(words, key=lambda code: (-sum(1 / common[w] for w in words[code] & seen), code))[:limit])


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z]{3,}", text.lower()))


def _measured(series: MetricSeries) -> str:
    name = f"{series.metric} {series.statistic}"
    more = sorted(value for value in series.dimensions.values() if value not in series.resource)
    name = f"{name} ({', '.join(more)})" if more else name
    if not series.points:
        return f"{name}: no data"
    total = f"{series.total:g} in all, " if series.statistic == "Sum" else ""
    usual = f"usual {series.typical:g} to {series.usual_peak:g}" if series.baseline else "usual unknown"
    return f"{name} {total}{series.peak:g} at most, {usual}"


def _rank(item: Evidence) -> int:
    return next((n for n, judge in enumerate(TELLING) if judge(item)), len(TELLING))


def _place(item: Evidence) -> tuple[int, str, str, str]:
    """Where evidence stands in the order of telling."""
    return (_rank(item), f"{item.observed_at:%Y%m%d%H%M%S}" if item.observed_at else "", item.kind, item.id)


def _folded(items: Iterable[Evidence]) -> list[list[Evidence]]:
    """Put together what reads the same of one resource, but for ids and times."""
    groups: dict[tuple[str, str], list[Evidence]] = {}
    for item in items:
        groups.setdefault((item.resource, _NUMBERED.sub("#", told(item))), []).append(item)
    return list(groups.values())


def _counted(texts: Iterable[str]) -> list[tuple[str, int]]:
    """Return the different texts with their numbers, the most frequent first; ids and times do not count."""
    first: dict[str, str] = {}
    counts: dict[str, int] = {}
    for text in texts:
        pattern = _NUMBERED.sub("#", text)
        first.setdefault(pattern, text)
        counts[pattern] = counts.get(pattern, 0) + 1
    return [(first[p], n) for p, n in sorted(counts.items(), key=lambda pair: -pair[1])]


def _times(text: str, count: int) -> str:
    return f"{text} ×{count}" if count > 1 else text


def _dated(item: Evidence, count: int) -> str:
    when = f"{item.observed_at:%H:%M} " if item.observed_at else ""
    return f"{when}{_times(told(item), count)}"


def _called(resource: str, graph: ServiceGraph) -> str:
    node = graph.node(resource)
    try:
        label = node.label if node is not None else resource_from_arn(resource).label
    except ValueError:
        label = resource
    return tidy(label).replace("'", "")
