"""Evidence loses its secrets before it is kept; only what cannot hold text at all is left unread."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import TypeAdapter

from domain.evidence import KINDS, Evidence, _worded, redacted
from specialists.kit.loglines import LogEvent, LogLines
from specialists.registry import all_specialists
from tests.support.probing import NOW

all_specialists()
SECRET = "AKIAIOSFODNN7EXAMPLE"
MOMENTS = {"date-time", "date", "time", "duration"}


def texts(schema: Any, definitions: dict[str, Any], around: tuple[str, ...] = ()) -> Iterator[Any]:
    """Yield the parts of a JSON schema that admit free text: strings that are no moment, and anything at all."""
    if schema == {}:
        yield schema
    elif isinstance(schema, list):
        for part in schema:
            yield from texts(part, definitions, around)
    elif isinstance(schema, dict):
        name = str(schema.get("$ref", "")).rsplit("/", 1)[-1]
        if name and name not in around:
            yield from texts(definitions[name], definitions, (*around, name))
        if schema.get("type") == "string" and schema.get("format") not in MOMENTS and "enum" not in schema:
            yield schema
        for key in ("anyOf", "items", "prefixItems", "additionalProperties"):
            yield from texts(schema.get(key), definitions, around)
        for inner in schema.get("properties", {}).values():
            yield from texts(inner, definitions, around)


@pytest.mark.parametrize("kind", sorted(name for name in KINDS if not name.startswith("test.")))
def test_no_field_that_admits_text_is_left_unread(kind: str) -> None:
    schema = TypeAdapter(KINDS[kind]).json_schema()
    whole = schema["$defs"][schema["$ref"].rsplit("/", 1)[-1]] if "$ref" in schema else schema
    admits = {
        name for name, field in whole["properties"].items() if any(True for _ in texts(field, schema.get("$defs", {})))
    }

    assert admits <= _worded(KINDS[kind])


def test_a_secret_deep_inside_goes_and_what_holds_no_text_stays() -> None:
    line = LogEvent(at=NOW, message=f"key {SECRET} used")
    seen: Evidence = LogLines(
        resource="r", source="logs:FilterLogEvents", log_group="g", filter="errors", events=(line,), truncated=True
    )

    kept = redacted(seen)

    assert isinstance(kept, LogLines)
    assert SECRET not in kept.model_dump_json()
    assert (kept.events[0].at, kept.truncated, kept.log_group) == (NOW, True, "g")
