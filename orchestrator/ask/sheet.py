"""What a model is shown while it answers: lines with the labels that people see, and what each label stands for."""

from collections.abc import Iterable

from domain.inquiry import Said
from domain.resource import Resource
from orchestrator.ask.record import Record

LINE = 260


class Sheet:
    """Gives out labels: evidence by the report's numbers, what the report does not list by the numbers after them."""

    def __init__(self, record: Record) -> None:
        self._labels = {item.id: f"E{number}" for number, item in enumerate(record.report.evidence, start=1)}
        self._resources: dict[str, str] = {}
        self._shown: list[str] = []
        self._told: set[str] = set()

    def written(self, lines: Iterable[Said]) -> str:
        """Return the lines, each with its labels, and remember that they were shown."""
        return self.shown("\n".join(self._line(said) for said in lines))

    def shown(self, text: str) -> str:
        """Remember a text that is shown, and return it."""
        self._shown.append(text)
        return text

    @property
    def material(self) -> str:
        """Everything that was shown."""
        return "\n".join(self._shown)

    def evidence(self, evidence_id: str) -> str:
        """Return the label of a piece of evidence that is shown."""
        self._told.add(evidence_id)
        return self._labels.setdefault(evidence_id, f"E{len(self._labels) + 1}")

    def resource(self, resource: Resource) -> str:
        """Return the label by which a resource may be looked at."""
        return self._resources.setdefault(resource.id, f"R{len(self._resources) + 1}")

    def resources(self, record: Record) -> str:
        """Return what the labels of resources stand for, as lines."""
        return self.shown("\n".join(f"{label} {record.label(name)}" for name, label in self._resources.items()))

    def meaning(self) -> dict[str, str]:
        """Return the ids of what was shown, by label."""
        return {label: name for name, label in self._labels.items() if name in self._told}

    def _line(self, said: Said) -> str:
        labels = ", ".join(self.evidence(each) for each in said.evidence[:4])
        text = " ".join(said.text.split())[:LINE]
        return f"{text} [{labels}]" if labels else text
