"""Evidence: one immutable observation each, typed by what was seen, cited by id.

A specialist declares what it can see as subclasses in its `evidence.py`:

    class ReservedConcurrency(Evidence, kind="lambda.reserved_concurrency"):
        reserved: int | None

Kinds are registered when their class is defined, so that a stored bundle can be loaded again.
"""

import hashlib
import inspect
from bisect import insort
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cache
from types import NoneType
from typing import Any, ClassVar, Self, TypeVar, get_args

from pydantic import AwareDatetime, BaseModel, PrivateAttr

from domain.redaction import clean, redact_values
from domain.values import JsonObject, Value

KINDS: dict[str, type["Evidence"]] = {}
"""Every kind of evidence, by name."""


class Evidence(Value):
    """One observation.

    `resource` is the id of the resource it is about, `source` the look that saw it ("dynamodb:DescribeTable"),
    `observed_at` when it was so in the system, UTC; None means at the time of the look.
    """

    kind: ClassVar[str] = ""

    resource: str
    source: str
    observed_at: AwareDatetime | None = None

    def __init_subclass__(cls, kind: str = "", **rest: Any) -> None:
        super().__init_subclass__(**rest)
        if not kind:
            return
        if kind in KINDS and KINDS[kind].__qualname__ != cls.__qualname__:
            raise TypeError(f"two kinds of evidence are called {kind!r}")
        cls.kind = kind
        KINDS[kind] = cls

    _id: str = PrivateAttr("")

    @property
    def id(self) -> str:
        """The same for the same observation, whoever makes it and whenever: `E-` and 10 hex digits of its content."""
        if not self._id:
            content = f"{self.kind}{self.model_dump_json()}"
            self._id = "E-" + hashlib.sha256(content.encode()).hexdigest()[:10]
        return self._id

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with other values, which is another observation with another id."""
        copied = super().model_copy(update=update, deep=deep)
        copied._id = ""  # noqa: SLF001 - its own
        return copied

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Evidence) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)

    def summary(self) -> str:
        """One line for people, plain text, with numbers and units."""
        raise NotImplementedError(f"{type(self).__name__} must say in one line what was seen")

    def dump(self) -> dict[str, Any]:
        """Return it as JSON values, with its kind."""
        return {"kind": self.kind, **self.model_dump(mode="json")}


EvidenceT = TypeVar("EvidenceT", bound=Evidence)

_WORDLESS = frozenset({int, float, bool, datetime, timedelta, NoneType, AwareDatetime})


def load_evidence(data: JsonObject) -> Evidence:
    """Read what `dump` wrote; raises KeyError for a kind that this version does not know."""
    rest = {key: value for key, value in data.items() if key != "kind"}
    return KINDS[data["kind"]].model_validate(rest)


def redacted(evidence: EvidenceT) -> EvidenceT:
    """Return the observation without secrets and hidden characters: itself when it has none."""
    seen = evidence.model_dump(include=set(_worded(type(evidence))))
    harmless = redact_values(_cleaned(seen))
    return evidence if harmless == seen else type(evidence).model_validate({**evidence.model_dump(), **harmless})


@cache
def _worded(kind: type[Evidence]) -> frozenset[str]:
    """Return the fields that can hold text; a series' thousand datapoints cannot, and need no reading."""
    return frozenset(name for name, field in kind.model_fields.items() if _holds_text(field.annotation))


def _holds_text(annotation: Any, around: tuple[type, ...] = ()) -> bool:
    """Tell whether a value of that type can hold text: all can but those that are known to hold none."""
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        inner = (field.annotation for field in annotation.model_fields.values())
        return annotation in around or any(_holds_text(one, (*around, annotation)) for one in inner)
    parts = [part for part in get_args(annotation) if part is not Ellipsis]
    return any(_holds_text(part, around) for part in parts) if parts else annotation not in _WORDLESS


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {key: _cleaned(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_cleaned(inner) for inner in value)
    return value


class EvidenceBundle:
    """Evidence in a fixed order, each observation once, whatever order it arrived in."""

    def __init__(self, items: Iterable[Evidence] = ()) -> None:
        self._by_id = {item.id: item for item in items}
        self._order = sorted(map(_place, self._by_id.values()))
        self._of: dict[type[Evidence], tuple[Any, ...]] = {}

    def __iter__(self) -> Iterator[Evidence]:
        return (self._by_id[key] for _, _, key in self._order)

    def __len__(self) -> int:
        return len(self._order)

    def __contains__(self, evidence_id: str) -> bool:
        return evidence_id in self._by_id

    def __getitem__(self, evidence_id: str) -> Evidence:
        return self._by_id[evidence_id]

    def of(self, kind: type[EvidenceT], resource: str | None = None) -> tuple[EvidenceT, ...]:
        """Return the evidence of a kind, of one resource when named."""
        if kind not in self._of:  # rules ask for the same few kinds again and again
            self._of[kind] = tuple(item for item in self if isinstance(item, kind))
        found: tuple[EvidenceT, ...] = self._of[kind]
        return found if resource is None else tuple(item for item in found if item.resource == resource)

    def first(self, kind: type[EvidenceT], resource: str | None = None) -> EvidenceT | None:
        """Return the first of a kind, or None."""
        found = self.of(kind, resource)
        return found[0] if found else None

    def including(self, more: Iterable[Evidence]) -> "EvidenceBundle":
        """Return a bundle with more evidence in it."""
        new = {item.id: item for item in more if item.id not in self._by_id}
        if not new:
            return self
        larger = EvidenceBundle()
        larger._by_id = {**self._by_id, **new}
        larger._order = self._order.copy()
        for place in map(_place, new.values()):
            insort(larger._order, place)
        return larger


def _place(item: Evidence) -> tuple[str, str, str]:
    return (item.kind, item.resource, item.id)
